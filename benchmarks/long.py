"""Ten hours of audio against one: memory and speed of the ingest must not depend on the length.

Recordings are made on the fly, 16 bit stereo at 44.1 kHz: WAV (RF64 where it is beyond 4 GB) and FLAC. They go through
decode, resampling to 11.025 kHz, STFT 2048/1024, 128 mel bands and decibels, which are stored; the shorter one and the
longer one in turn, each in a process of its own. The last second of each is checked to be its own tone.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import harness
from benchmarks.ingest import processed
from benchmarks.recordings import tone_hz, write_recording

_NOISE = 0.001
"""Little, so that ten hours of FLAC are small."""
_NEW_RATE, _WINDOW, _HOP = 11025, 2048, 1024
_MOST_MB, _SPREAD = 120.0, 0.10


def document(folder: str) -> Any:
    """Return the document of decibels of mel bands, kept in a folder."""
    import zounds_lite as zounds
    from benchmarks._features import log_mel_document

    return zounds.simple_lmdb_settings(folder, user_supplied_id=True)(log_mel_document(_NEW_RATE, _WINDOW, _HOP))


def ingest(source: str, folder: str, seconds: int) -> dict[str, float]:
    """Process a recording in this process and check what was stored; return the seconds that it took."""
    cls = document(folder)
    took = processed(cls, source)
    check(cls("recording").log_mel, seconds)
    return {"seconds": took}


def check(log_mel: Any, seconds: int) -> None:
    """Stop unless a recording's bands are complete and end with the tone of its last second.

    Raises:
        ValueError: frames are missing, or another band is the loudest one.
    """
    import zounds_lite as zounds

    wanted = -(-seconds * _NEW_RATE // _HOP) + 1
    if len(log_mel) != wanted:
        raise ValueError(f"{len(log_mel)} frames of {seconds} s; wanted: {wanted}")
    hz = tone_hz(seconds - 1)
    half = zounds.TimeSlice(start=zounds.Milliseconds(1000 * seconds - 700), duration=zounds.Milliseconds(400))
    last, around = log_mel[half], log_mel[half, zounds.FrequencyBand(hz - 60, hz + 60)]
    if not np.array_equal(np.max(last, axis=1), np.max(around, axis=1)):
        raise ValueError(f"the last second is no tone of {hz} Hz")


def measured(path: Callable[[int], Path], lengths: tuple[int, int], rounds: int, folder: Path) -> dict[int, list[Any]]:
    """Ingest both recordings in turn; return what each run said, by length in seconds."""
    found: dict[int, list[Any]] = {seconds: [] for seconds in lengths}
    for turn in range(rounds):
        for seconds in lengths if turn % 2 == 0 else lengths[::-1]:
            store = folder / "store"
            arguments = ("--child", str(path(seconds)), str(store), str(seconds))
            found[seconds].append(harness.child("benchmarks.long", *arguments))
            shutil.rmtree(store)
    return found


def add_rows(table: harness.Table, kind: str, lengths: tuple[int, int], rounds: int, folder: Path) -> None:
    """Measure one format."""

    def path(seconds: int) -> Path:
        return folder / f"{seconds}.{kind}"

    for seconds in lengths:
        write_recording(path(seconds), seconds, noise=_NOISE)
    found = measured(path, lengths, rounds, folder)
    sizes = {seconds: path(seconds).stat().st_size for seconds in lengths}
    for seconds in lengths:
        path(seconds).unlink()
    per_second = {seconds: [run["seconds"] / seconds for run in found[seconds]] for seconds in lengths}
    short, long = lengths
    ratio = harness.median_ratio(per_second[short], per_second[long])
    table.at_least(f"{kind}: speed of {_length(long)}, that of {_length(short)} = 1", ratio, 1 - _SPREAD)
    for seconds in lengths:
        middle = statistics.median(per_second[seconds])
        figure = f"{middle * seconds:.2f} s, {1 / middle:.0f}x real time"
        table.add(f"{kind}: {_length(seconds)}, {sizes[seconds] / 1e6:,.0f} MB", figure)
        peak = max(run["peak_anonymous_mb"] for run in found[seconds])
        table.at_most(f"{kind}: {_length(seconds)}, peak anonymous MB", peak, _MOST_MB)


def _length(seconds: int) -> str:
    return f"{seconds / 3600:g} h" if seconds % 360 == 0 else f"{seconds} s"


def main() -> int:
    """Run the benchmark, or one ingest in this process (``--child``); 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 minutes against 20 seconds; targets are only shown")
    parser.add_argument("--hours", type=float, default=10, help="length of the longer one; the other has a tenth")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--formats", nargs="+", default=["wav", "flac"], choices=["wav", "flac", "mp3", "ogg"])
    parser.add_argument("--folder", help="where recordings and stores are made for the time being")
    parser.add_argument("--out", help="write the figures as JSON")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        source, store, length = arguments.child
        print(json.dumps(ingest(source, store, int(length))))
        return 0
    short, rounds = (20, 1) if arguments.quick else (round(360 * arguments.hours), arguments.rounds)
    lengths = (short, 6 * short if arguments.quick else 10 * short)
    table = harness.Table(binds=not arguments.quick)
    with tempfile.TemporaryDirectory(prefix="zounds-long-", dir=arguments.folder) as folder:
        needed, free = sum(lengths) * 44100 * 4 + 10**9, shutil.disk_usage(folder).free
        if free < needed:
            parser.error(f"{needed / 1e9:.1f} GB are needed in {folder}, {free / 1e9:.1f} are free; use --folder")
        for kind in arguments.formats:
            add_rows(table, kind, lengths, rounds, Path(folder))
    title = f"long: {_length(lengths[1])} against {_length(lengths[0])} of stereo at 44.1 kHz, {rounds} rounds"
    harness.report(title, table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
