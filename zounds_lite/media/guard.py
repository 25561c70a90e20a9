"""Decoding in a process of its own, with limits on memory and time.

Goal: a recording from anywhere may make a decoder crash, hang or grow; behind these limits that is a typed error of the
one recording, and never the end of the program. The process is started for one recording, can write no file, and sends
samples through a pipe; nothing of what it says is believed: sizes, counts and types are checked before they are used,
and it is ended when it takes too long. Conventions: memory in bytes, times in seconds. Names: ``DecodeLimits``;
``GuardedHandle`` (for ``probe``).
"""

import contextlib
import json
import os
import select
import signal
import struct
import subprocess
import sys
import time
import weakref
from pathlib import Path

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.errors import DeclarationError, DecodeError, RejectedAudio
from zounds_lite.media._handle import BLOCK
from zounds_lite.media.source import Pieces, Source

__all__ = ["DecodeLimits", "GuardedHandle"]

_HEAD = struct.Struct("<cI")
_MOST_INFO = 1024
_MOST_CHANNELS = 1024  # more is refused by libsndfile itself
_INFO = {"format": str, "subtype": str, "samplerate": int, "channels": int, "frames": int}
_LETTERS = {"int16": b"h", "float32": b"f", "float64": b"d"}
_KEPT = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PATH", "SYSTEMROOT")
"""Variables of the environment that the decoder sees: it has no use for the others, which may hold secrets."""
_PIPE = 1 << 20
_SCRIPT = Path(__file__).with_name("_decoder.py")
_LEAST_MEMORY = 1 << 20


class DecodeLimits(Declared):
    """What decoding one recording may take, in a process of its own.

    Args:
        memory (int): bytes that the decoder may use beyond the program that it runs in, >= 1 MiB.
        cpu_s (float): seconds of processor time, > 0; rounded up to whole ones.
        wall_s (float): seconds that the caller waits for the decoder, > 0, in all; its own work between two blocks
            does not count.

    Raises:
        DeclarationError: a limit is no number, or out of range.

    Examples:
        >>> DecodeLimits()
        DecodeLimits(memory=268435456, cpu_s=300.0, wall_s=600.0)
        >>> DecodeLimits(wall_s=0)
        Traceback (most recent call last):
        zounds_lite.errors.DeclarationError: wall_s=0; allowed: seconds above 0
    """

    memory: int
    cpu_s: float
    wall_s: float

    def __init__(self, memory: int = 256 << 20, cpu_s: float = 300.0, wall_s: float = 600.0) -> None:
        super().__init__(memory=memory, cpu_s=cpu_s, wall_s=wall_s)

    def validate(self) -> None:
        """Refuse limits under which nothing could be decoded."""
        if (
            not isinstance(self.memory, int)
            or isinstance(self.memory, bool)
            or not _LEAST_MEMORY <= self.memory < 1 << 60
        ):
            raise DeclarationError(f"memory={self.memory!r}; allowed: bytes, a whole number from {_LEAST_MEMORY} up")
        for name in ("cpu_s", "wall_s"):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < 1e9:
                raise DeclarationError(f"{name}={value!r}; allowed: seconds above 0")


def _end(process: subprocess.Popen, owner: int) -> None:
    """Kill the decoder and wait for it, so that no zombie stays; a fork of the owner leaves it alone."""
    if os.getpid() != owner:
        return
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.kill()
    process.wait()


def _places() -> list[str]:
    """Folders from which the decoder's process imports what it needs."""
    import soundfile

    modules = [soundfile, np, *(sys.modules[name] for name in ("_soundfile", "_cffi_backend", "typing_extensions"))]
    found = []
    for module in modules:
        file = Path(module.__file__ or "").resolve()
        found.append(str(file.parent.parent if file.name == "__init__.py" else file.parent))
    return list(dict.fromkeys(found))


def _environment() -> dict[str, str]:
    # threads of a linear algebra library that is loaded and never called, and pools for threads, take memory
    small = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    return {**small, **{name: os.environ[name] for name in _KEPT if name in os.environ}}


def _start(source: Source, pieces: Pieces | None, limits: DecodeLimits) -> subprocess.Popen:
    if not sys.executable:
        raise DeclarationError("limits need a Python interpreter to run the decoder, and sys.executable names none")
    descriptor = source.descriptor()
    task = {
        "path": _places(),
        "descriptor": descriptor,
        "pieces": pieces if pieces is None else [p.hex() if isinstance(p, bytes) else p for p in pieces],
        "memory": limits.memory,
        "cpu_s": limits.cpu_s,
        "parent": os.getpid(),
    }
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_SCRIPT), json.dumps(task)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        pass_fds=(descriptor,),
        cwd="/" if os.name == "posix" else None,
        # Ctrl-C in a terminal is for the caller: a decoder that it ends would look like one that a recording crashed
        start_new_session=True,
        env=_environment(),
    )


def _widen(process: subprocess.Popen) -> None:
    """Let the decoder work ahead of the caller, as far as the system allows."""
    import fcntl

    assert process.stdout is not None
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(process.stdout.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)


class GuardedHandle:
    """A decoder in a process of its own; reads like a handle of libsndfile that cannot seek.

    Args:
        source (Source): the bytes.
        pieces (list | None): what of them to read instead; see ``View``.
        limits (DecodeLimits): of the process.

    Raises:
        RejectedAudio: the decoder crashed, took too much, or sent what no decoder sends.
        LibsndfileError: libsndfile cannot open it.

    Examples:
        >>> import io
        >>> from zounds_lite.media import encode
        >>> file = io.BytesIO()
        >>> encode(np.full(1000, 0.5, np.float32), 8000, 1, file)
        1000
        >>> handle = GuardedHandle(Source(file), None, DecodeLimits())
        >>> handle.format, handle.frames, handle.read(2, out=np.empty((2, 1), np.int16)).tolist()
        ('WAV', 1000, [[16384], [16384]])
        >>> handle.close()
    """

    can_seek = False

    def __init__(self, source: Source, pieces: Pieces | None, limits: DecodeLimits) -> None:
        self._name, self._limits = source.name, limits
        self._left_s = float(limits.wall_s)
        self._process = _start(source, pieces, limits)
        self.close = weakref.finalize(self, _end, self._process, os.getpid())
        _widen(self._process)
        self._letter: bytes | None = None
        self._left = 0  # bytes of the block under way
        self._is_over = False
        try:
            self._read_info()
        except BaseException:
            self.close()
            raise

    def _read_info(self) -> None:
        kind, size = self._message()
        if kind != b"I" or size > _MOST_INFO:
            raise self._nonsense()
        data = bytearray(size)
        self._fill(memoryview(data))
        try:
            info = json.loads(data)
            known = isinstance(info, dict) and all(type(info.get(name)) is kind for name, kind in _INFO.items())
        except (ValueError, RecursionError) as error:
            raise self._nonsense() from error
        if not known or not 1 <= info["channels"] <= _MOST_CHANNELS or not 0 <= info["frames"] < 1 << 63:
            raise self._nonsense()
        if not all(name.isascii() and name.isprintable() for name in (info["format"], info["subtype"])):
            raise self._nonsense()
        self.format, self.subtype = str(info["format"]), str(info["subtype"])
        self.samplerate, self.channels, self.frames = info["samplerate"], info["channels"], info["frames"]

    def read(self, frames: int, out: np.ndarray) -> np.ndarray:
        """Fill ``out`` with the next ``frames`` frames; fewer at the end.

        Args:
            frames (int): how many, at most ``len(out)``.
            out (array): (frames, channels); its type is the same in every call.

        Raises:
            RejectedAudio: the decoder crashed, took too much, or sent what no decoder sends.
            LibsndfileError: libsndfile met damage.
        """
        done, error = self.salvage(out[:frames])
        if error is not None:
            raise error
        return out[:done]

    def salvage(self, out: np.ndarray) -> tuple[int, Exception | None]:
        """Fill ``out``; return the frames that could be decoded, and the error that kept it from more.

        Raises:
            RejectedAudio: the decoder crashed, took too much, or sent what no decoder sends.
        """
        import soundfile

        step = self.channels * out.dtype.itemsize
        if self._letter is None:
            self._letter = _LETTERS[out.dtype.name]
            self._ask(self._letter)
        wanted = out.reshape(-1).view(np.uint8).data
        done = 0
        try:
            while done < len(wanted) and not self._is_over:
                if self._left:
                    part = wanted[done : done + min(self._left, len(wanted) - done)]
                    self._fill(part)
                    done += len(part)
                    self._left -= len(part)
                else:
                    self._next_block(step)
        except soundfile.LibsndfileError as error:
            self._is_over = True
            return done // step, error
        return done // step, None

    def _ask(self, letter: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(letter)
        except OSError as error:  # it is dead already
            raise self._ended() from error

    def _next_block(self, step: int) -> None:
        kind, size = self._message()
        if kind != b"B" or size > BLOCK * step or size % step:
            raise self._nonsense()
        self._left, self._is_over = size, size == 0

    def _message(self) -> tuple[bytes, int]:
        """Read the head of a message; raise what it says where it is an error."""
        head = bytearray(_HEAD.size)
        self._fill(memoryview(head))
        kind, size = _HEAD.unpack(head)
        if kind == b"E" and size < 8:
            data = bytearray(size)
            self._fill(memoryview(data))
            if not data.isdigit():
                raise self._nonsense()
            import soundfile

            raise soundfile.LibsndfileError(int(data))
        if kind == b"M":
            raise RejectedAudio(f"{self._name}: decoding it needed more than {self._limits.memory} bytes of memory")
        if kind == b"R":
            raise DecodeError(f"{self._name} could not be read by the process that decodes it")
        return kind, size

    def _fill(self, out: memoryview) -> None:
        """Read exactly as many bytes as ``out`` holds, as long as the time lasts."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN | select.POLLHUP)
        while out:
            began = time.monotonic()
            ready = poll.poll(max(0.0, self._left_s) * 1000)
            self._left_s -= time.monotonic() - began
            if not ready:
                self.close()
                raise RejectedAudio(f"{self._name}: decoding it took more than {self._limits.wall_s:g} s")
            count = os.readv(descriptor, [out])
            if not count:
                raise self._ended()
            out = out[count:]

    def _ended(self) -> RejectedAudio:
        """Say why the decoder ended before its last message."""
        try:
            code = self._process.wait(timeout=max(0.1, min(5.0, self._left_s)))
        except subprocess.TimeoutExpired:  # it closed its end, and goes on
            return self._nonsense()
        self.close()
        if code == -signal.SIGXCPU:
            return RejectedAudio(f"{self._name}: decoding it took more than {self._limits.cpu_s:g} s of processor time")
        how = f"crashed (signal {-code})" if code < 0 else f"ended early (code {code})"
        return RejectedAudio(f"{self._name}: the decoder {how}; the recording is damaged, or was made to do harm")

    def _nonsense(self) -> RejectedAudio:
        self.close()
        return RejectedAudio(f"{self._name}: the decoder sent what is no audio, so it was ended")
