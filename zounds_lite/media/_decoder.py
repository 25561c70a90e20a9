"""The process that decodes for ``guard``: it gives up what it does not need, opens one recording and writes samples.

Run as a script by path, so that it imports neither the package nor the caller's ``__main__``. It gets its task as JSON
in its first argument and a descriptor of the recording; it writes messages to stdout, each a letter and a length in
bytes (little-endian), then the bytes:

- ``I``: JSON of what the recording is. It then waits for one byte on stdin: the type of the samples that are wanted.
- ``B``: samples, as many as fit into a block, interleaved. An empty one says that the end, or damage, is reached.
- ``E``: libsndfile's number of an error, as text. ``M``: no memory was left. ``R``: the recording could not be read.

Everything that is imported is imported before the limits are set, so ``memory`` is what the decoder may add to that.
"""

import json
import os
import struct
import sys
import threading
from typing import Any

_TYPES = {b"h": "int16", b"f": "float32", b"d": "float64"}


def _send(kind: bytes, data: Any = b"") -> None:
    head = struct.pack("<cI", kind, len(data))
    for part in (memoryview(head), memoryview(data)):
        while part:
            part = part[os.write(1, part) :]


def _end_with(parent: int, is_read: threading.Event) -> None:
    """End when the process that asked is gone: its end of stdin closes, or somebody else becomes our parent."""
    import select

    is_read.wait()
    while os.getppid() == parent:
        if select.select([0], [], [], 1.0)[0] and not os.read(0, 1):
            break
    os._exit(1)


def _limit(memory: int, cpu_s: float) -> None:
    """Take away what a decoder does not need. A limit that the system does not know is left to the caller's clock."""
    import resource

    mapped = 0
    if os.path.exists("/proc/self/statm"):
        with open("/proc/self/statm") as statm:
            mapped = int(statm.read().split()[0]) * resource.getpagesize()
    whole = max(1, -int(-cpu_s // 1))
    wanted = {
        resource.RLIMIT_AS: (mapped + memory, mapped + memory),
        resource.RLIMIT_CPU: (whole, whole + 1),  # the second one cannot be caught
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
    }
    for kind, (soft, hard) in wanted.items():
        most = resource.getrlimit(kind)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        try:
            resource.setrlimit(kind, (soft, hard))
        except (OSError, ValueError):
            continue


def _neighbour(name: str) -> Any:
    """Load a file of this folder without its package, which would bring much more."""
    import importlib.util

    spec = importlib.util.spec_from_file_location(name, os.path.join(os.path.dirname(__file__), name + ".py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _source(task: dict[str, Any]) -> Any:
    """Return what libsndfile is to read: the descriptor, or the pieces that the caller named (``source.View``)."""
    if task["pieces"] is None:
        return task["descriptor"]
    import io

    pieces = [bytes.fromhex(piece) if isinstance(piece, str) else tuple(piece) for piece in task["pieces"]]
    return _neighbour("source").View(io.FileIO(task["descriptor"], closefd=False), pieces)


def _decode(task: dict[str, Any]) -> None:
    import numpy as np
    import soundfile

    ours, source, is_read = _neighbour("_handle"), _source(task), threading.Event()
    threading.Thread(target=_end_with, args=(task["parent"], is_read), daemon=True).start()
    _limit(task["memory"], task["cpu_s"])
    try:
        os.lseek(task["descriptor"], 0, os.SEEK_SET)
        handle = ours.handle_type()(source, closefd=False)
        fields = ("format", "subtype", "samplerate", "channels", "frames")
        _send(b"I", json.dumps({name: getattr(handle, name) for name in fields}).encode())
        dtype = _TYPES[os.read(0, 1)]
        is_read.set()
        block, error = np.empty((ours.BLOCK, handle.channels), dtype), None
        while error is None:
            frames, error = handle.salvage(block)
            _check(source)
            if frames or error is None:
                _send(b"B", block[:frames].reshape(-1).view(np.uint8).data)
            if frames == 0:
                break
        if error is not None:
            raise error
    except soundfile.LibsndfileError as error:
        _check(source)
        _send(b"E", str(error.code).encode())


def _check(source: Any) -> None:
    error = getattr(source, "error", None)  # a C callback cannot raise it
    if error is not None:
        raise error


def main() -> None:
    """Do the task that the first argument describes."""
    task = json.loads(sys.argv[1])
    sys.path += task["path"]
    try:
        _decode(task)
    except MemoryError:
        _send(b"M")
    except OSError:
        _send(b"R")
    os._exit(0)


if __name__ == "__main__":
    main()
