"""Processes that compute the frames of clips, and how they are talked to.

Goal: several cores for one job, whatever program runs it: a process starts anew, imports this module alone, and knows
nothing of the program that started it, so that needs no ``if __name__ == "__main__"``. Conventions: a line of JSON for
each clip to its standard input; from its standard output the length of a header, the header as JSON, and the arrays as
they lie in memory. It ends when its input does, so none outlives the job. Classes: ``FrameProcess``, ``FramePool``;
function ``main``.
"""

import json
import os
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from zounds_lite.datasets.exports.clip_frames import ClipFrames, ClipResult
from zounds_lite.datasets.hdf5_clips import HDF5Clip
from zounds_lite.datasets.members import death_reason
from zounds_lite.errors import DeclarationError, WorkerError

__all__ = ["FramePool", "FrameProcess", "main"]

_LENGTH = struct.Struct("<Q")
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Each process uses one core; what the user has set stays."""
_BOOTSTRAP = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.readline()); "
    "from zounds_lite.datasets.exports.frame_process import main; main()"
)


class FrameProcess:
    """One process.

    Args:
        plan (ClipFrames): what it computes.
    """

    def __init__(self, plan: ClipFrames) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOTSTRAP],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**dict.fromkeys(_ONE_THREAD, "1"), **os.environ},
            start_new_session=True,  # Ctrl-C is for the job, which ends its processes
        )
        self.pid = self._process.pid
        self._tell(sys.path)
        self._tell(plan.to_dict())

    def _tell(self, message: Any) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it died, which the answer will tell
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def ask(self, source: Any, samples: int | None) -> ClipResult:
        """Have a clip computed.

        Raises:
            WorkerError: the process died.
        """
        is_hdf5 = isinstance(source, HDF5Clip)
        self._tell({"hdf5": source.to_dict()} if is_hdf5 else {"path": os.fspath(source)})
        self._tell(samples)
        assert self._process.stdout is not None
        head = self._process.stdout.read(_LENGTH.size)
        if len(head) == _LENGTH.size:
            size = _LENGTH.unpack(head)[0]
            header = json.loads(self._process.stdout.read(size) or "{}")
            arrays = {name: _received(self._process.stdout, shape) for name, shape in header.get("shapes", {}).items()}
            if "reason" in header and not any(array is None for array in arrays.values()):
                return ClipResult(arrays, header["samples"], header["reason"])  # type: ignore[arg-type]
        raise WorkerError(death_reason(self._process.wait()))

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def close(self) -> None:
        """End the process, and let go of it."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()


class FramePool:
    """Processes that take turns; a context manager.

    Args:
        plan (ClipFrames): what they compute.
        workers (int): how many; 1: none, the work is done here.

    Raises:
        DeclarationError: ``workers`` is not positive.
    """

    def __init__(self, plan: ClipFrames, workers: int = 1) -> None:
        if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
            raise DeclarationError(f"workers={workers!r}; allowed: a number of processes, at least 1")
        self._plan, self._workers = plan, workers
        self._idle: SimpleQueue[FrameProcess] = SimpleQueue()
        self._all: list[FrameProcess] = []
        self._is_ending = False

    def __enter__(self) -> Self:
        if self._workers > 1:
            self._all = [FrameProcess(self._plan) for _ in range(self._workers)]
            for process in self._all:
                self._idle.put(process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        for process in self._all:
            process.close()

    def _end(self) -> None:
        self._is_ending = True
        for process in list(self._all):
            process.kill()

    def results(self, sources: Iterable[Any], samples: int | None) -> Generator[ClipResult, None, None]:
        """Yield what comes of clips, in their order; no more are read ahead than there are processes."""
        if self._workers == 1:
            for source in sources:
                yield self._plan.compute(source, samples)
            return
        waiting: deque[Future[ClipResult]] = deque()
        with ThreadPoolExecutor(self._workers) as threads:
            try:
                for source in sources:
                    waiting.append(threads.submit(self._ask, source, samples))
                    if len(waiting) > self._workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()
                if waiting:
                    self._end()  # before its time: nobody waits for clips under way

    def _ask(self, source: Any, samples: int | None) -> ClipResult:
        process = self._idle.get()
        try:
            return process.ask(source, samples)
        except WorkerError as error:  # the clip may have killed it; the others get a new one
            if not self._is_ending:
                process.close()
                self._all.remove(process)
                process = FrameProcess(self._plan)
                self._all.append(process)
            return ClipResult({}, None, f"WorkerError: {error}")
        finally:
            self._idle.put(process)


def _received(pipe: Any, shape: list[int]) -> np.ndarray | None:
    """Read an array; None where the pipe ended before it."""
    array = np.empty(shape, np.float32)
    view, at = array.data.cast("B"), 0
    while at < len(view):
        got = pipe.readinto(view[at:])
        if not got:
            return None
        at += got
    return array


def main() -> None:
    """Serve one job until its end of the pipe is closed."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    lines = iter(sys.stdin)
    plan = ClipFrames.from_dict(json.loads(next(lines)))
    with suppress(BrokenPipeError), out:
        for line in lines:
            clip = json.loads(line)
            source = HDF5Clip.from_dict(clip["hdf5"]) if "hdf5" in clip else clip["path"]
            _answer(out, plan.compute(source, json.loads(next(lines))))


def _answer(out: BinaryIO, result: ClipResult) -> None:
    shapes = {name: array.shape for name, array in result.arrays.items()}
    header = json.dumps({"shapes": shapes, "samples": result.samples, "reason": result.reason}).encode()
    out.write(_LENGTH.pack(len(header)) + header)
    for array in result.arrays.values():
        out.write(np.ascontiguousarray(array, np.float32).data.cast("B"))
    out.flush()
