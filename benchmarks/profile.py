"""Where the time of a streaming ingest goes: decode, resample, transform, bands, write, and everything else.

The ingest is that of ``ingest.py``, in one thread. Timers stand around the calls that do the work of a stage: the hash
of the source's bytes, reads and downmix of the decoder, soxr's chunks, window and Fourier transform, the filter bank
and every numpy function of a chunk, and the writer of values (checksums, appends, fsync) with the commit. What none of
them covers is everything else: the graph, units, cutting into frames. A timer counts only its own time, not that of one
inside it. Figures are shares of the whole, medians of the rounds.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from benchmarks import harness
from benchmarks.ingest import document, processed
from benchmarks.recordings import write_recording

STAGES = (
    "fingerprint of the source",
    "decode",
    "resample",
    "FFT and window",
    "filter bank, magnitude, log",
    "write, checksum, commit",
)
ELSE = "everything else"
_MOST_ELSE = 10.0


class Stopwatch:
    """Adds up the time of stages; where one runs inside another, only the inner one's clock runs."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self._running: list[str] = []
        self._since = 0.0

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with a timer around it, which costs about a microsecond."""
        seconds, running, clock = self.seconds, self._running, time.perf_counter

        def run(*args: Any, **kwargs: Any) -> Any:
            if running:
                seconds[running[-1]] += clock() - self._since
            running.append(name)
            self._since = clock()
            try:
                return function(*args, **kwargs)
            finally:
                now = clock()
                seconds[running.pop()] += now - self._since
                self._since = now

        return run


class _TimedUfunc:
    """A numpy function whose calls are timed, without what units add to it."""

    def __init__(self, ufunc: np.ufunc, watch: Stopwatch) -> None:
        self._ufunc, self._watch = ufunc, watch

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._ufunc, name)
        timed = self._watch.timed("filter bank, magnitude, log", found) if callable(found) else found
        self.__dict__[name] = timed  # the next chunk finds it here
        return timed


@contextmanager
def timers(watch: Stopwatch, document_class: Any) -> Iterator[None]:
    """Put timers around the calls that do the work of each stage."""
    import scipy.fft
    import soxr

    from zounds_lite.core import ArrayWithUnits
    from zounds_lite.dsp.filterbank import FilterBank
    from zounds_lite.featureflow import sources
    from zounds_lite.featureflow.run import ValueWriter
    from zounds_lite.media._handle import handle_type
    from zounds_lite.media.decode import AudioReader
    from zounds_lite.spectral import WindowingFunc

    places = {
        "fingerprint of the source": [(sources, "hash_file")],
        "decode": [(handle_type(), "read"), (AudioReader, "_mixed")],
        "resample": [(soxr.ResampleStream, "resample_chunk")],
        "FFT and window": [(scipy.fft, "rfft"), (WindowingFunc, "apply")],
        "filter bank, magnitude, log": [(FilterBank, "apply")],
        "write, checksum, commit": [(ValueWriter, "write"), (ValueWriter, "finish"), (document_class, "_commit")],
    }
    apply_units, ufuncs = ArrayWithUnits.__array_ufunc__, {}

    def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        timed = ufuncs.get(ufunc) or ufuncs.setdefault(ufunc, _TimedUfunc(ufunc, watch))
        return apply_units(self, timed, method, *inputs, **kwargs)

    with ExitStack() as stack:
        for stage, found in places.items():
            for owner, name in found:
                timed = watch.timed(stage, getattr(owner, name))
                stack.enter_context(mock.patch.object(owner, name, timed))
        stack.enter_context(mock.patch.object(ArrayWithUnits, "__array_ufunc__", array_ufunc))
        yield


def profile(source: str, folder: str) -> dict[str, float]:
    """Ingest a recording in one thread; return the seconds of each stage, and of everything else."""
    from zounds_lite import featureflow as ff
    from zounds_lite.featureflow import sources

    cls, watch = document(folder), Stopwatch()
    sources._hash_of.cache_clear()  # as in a new process
    with ff.in_one_thread(), timers(watch, cls):
        whole = processed(cls, source)
    cls.database.close()
    shutil.rmtree(folder)
    return {**watch.seconds, ELSE: whole - sum(watch.seconds.values())}


def shares(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Return the median share of each stage, in per cent of its round."""
    return {name: statistics.median(100 * found[name] / sum(found.values()) for found in rounds) for name in rounds[0]}


def main() -> int:
    """Profile the ingest of each format; 1 if everything else takes more than its share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 seconds of audio, one round; targets are only shown")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--formats", nargs="+", default=["wav", "flac", "mp3"], choices=["wav", "flac", "mp3", "ogg"])
    parser.add_argument("--out", help="write the figures as JSON")
    arguments = parser.parse_args()
    seconds, rounds = (20, 1) if arguments.quick else (60 * arguments.minutes, arguments.rounds)
    table = harness.Table(binds=not arguments.quick)
    with tempfile.TemporaryDirectory(prefix="zounds-profile-") as folder:
        sources = {kind: Path(folder) / f"recording.{kind}" for kind in arguments.formats}
        for path in sources.values():
            write_recording(path, seconds)
            profile(str(path), f"{folder}/store")  # fill caches
        found: dict[str, list[dict[str, float]]] = {kind: [] for kind in sources}
        for _ in range(rounds):
            for kind, path in sources.items():
                found[kind].append(profile(str(path), f"{folder}/store"))
    for kind, figures in found.items():
        middle = shares(figures)
        whole = statistics.median(sum(figure.values()) for figure in figures)
        for stage in STAGES:
            table.add(f"{kind}: {stage}", f"{middle[stage]:.1f} %")
        table.at_most(f"{kind}: {ELSE}", middle[ELSE], _MOST_ELSE, "%")
        table.add(f"{kind}: whole, one thread", f"{whole:.2f} s, {seconds / whole:.0f}x real time")
    title = f"profile: ingest of {seconds} s of stereo, {rounds} rounds"
    harness.report(title, table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
