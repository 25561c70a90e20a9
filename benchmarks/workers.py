"""Ingest by several workers, and commits in batches.

Rows: the speed of two worker processes against one (workers ready, at least a minute of one worker's work, files
repeated, longest first; neither side decodes in a thread of its own); one MP3 of an hour over two workers, which are
threads, against one, and how far their results differ; durable commits of small documents, 32 and 16 in a transaction,
against one by one; and small documents through ``ingest`` against ``process`` in a loop. Rounds are interleaved,
figures are medians of the ratios. Pass a folder of recordings, or some are made up.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import zounds_lite as zounds
from benchmarks import harness
from benchmarks._features import Features, Note
from benchmarks.ingest import document, write_recording
from zounds_lite import featureflow as ff
from zounds_lite.datasets.supervisor import Supervisor
from zounds_lite.datasets.tasks import Job, Receipt, Task
from zounds_lite.media import probe

_LENGTHS = (30, 60, 120, 240)
_QUICK = (5, 10)
_GOLDEN = 7919
_AUDIBLE_DB = 60.0
"""Bands further below the loudest one are left out of a comparison: what is there is the resampler's rounding."""


def recordings(folder: str | None, scratch: Path, lengths: tuple[int, ...] = _LENGTHS) -> dict[str, float]:
    """Return the files to ingest with their lengths in seconds, made up where no folder is given."""
    if folder is None:
        for seconds in lengths:
            for suffix in ("wav", "flac", "mp3"):
                write_recording(scratch / f"{seconds}.{suffix}", seconds)
        folder = str(scratch)
    return {str(path): probe(path).duration_s or 0.0 for path in zounds.Directory(folder).files()}


def tasks(files: dict[str, float], audio_s: float) -> list[Task]:
    """Repeat the files until they hold so many seconds of audio; longest first."""
    names = sorted(files, key=lambda name: -files[name])
    times = max(1, round(audio_s / sum(files.values())))
    repeated = [(name, turn) for name in names for turn in range(times)]
    return [Task(number, f"{turn} {name}", name) for number, (name, turn) in enumerate(repeated)]


def run_workers(items: list[Task], workers: int, folder: Path) -> float:
    """Ingest with workers that are ready; return the seconds that it took."""
    cls = zounds.simple_lmdb_settings(str(folder), user_supplied_id=True)(Features)
    receipts: list[Receipt] = []
    supervisor = Supervisor(Job.of(cls, "meta", True, False), workers, receipts.append)
    supervisor.prepare()
    began = time.perf_counter()
    supervisor.run(items)
    seconds = time.perf_counter() - began
    assert [receipt for receipt in receipts if receipt.outcome != "processed"] == []
    assert len(receipts) == len(items)
    cls.database.close()
    shutil.rmtree(folder)
    return seconds


def run_here(items: list[Task], folder: Path) -> float:
    """Ingest in this process."""
    cls = zounds.simple_lmdb_settings(str(folder), user_supplied_id=True)(Features)
    ids = iter(task.id for task in items)
    began = time.perf_counter()
    report = zounds.ingest([task.item for task in items], cls, progress=False, id_of=lambda item: next(ids))
    seconds = time.perf_counter() - began
    assert len(report.processed) == len(items), str(report)
    cls.database.close()
    shutil.rmtree(folder)
    return seconds


def interleaved(candidates: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Run candidates in turn; return the seconds that each says it took, one figure a round."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for turn in range(rounds):
        order = list(candidates) if turn % 2 == 0 else list(candidates)[::-1]
        for name in order:
            times[name].append(candidates[name]())
    return times


def _enough(files: dict[str, float], seconds: float, scratch: Path) -> list[Task]:
    """Return tasks that keep one worker busy for at least so long."""
    items = tasks(files, 1.0)
    while (took := run_workers(items, 1, scratch / "trial")) < seconds:
        items = tasks(files, sum(files[task.item] for task in items) * max(1.5, 1.2 * seconds / took))
    return items


def add_worker_rows(table: harness.Table, files: dict[str, float], seconds: float, rounds: int, scratch: Path) -> None:
    """Two workers against one, and one against this process."""
    items = _enough(files, seconds, scratch)
    audio = sum(files[task.item] for task in items)
    times = interleaved(
        {
            "one": lambda: run_workers(items, 1, scratch / "one"),
            "two": lambda: run_workers(items, 2, scratch / "two"),
        },
        rounds,
    )
    here = run_here(items, scratch / "here") if seconds < 10 else float("nan")
    one, two = statistics.median(times["one"]), statistics.median(times["two"])
    table.at_least("two workers against one", harness.median_ratio(times["one"], times["two"]), 1.8)
    table.add("  one worker", f"{one:.1f} s, {audio / one:.0f}x real time")
    table.add("  two workers", f"{two:.1f} s, {audio / two:.0f}x real time")
    table.add("  rounds", " ".join(f"{a / b:.2f}" for a, b in zip(times["one"], times["two"], strict=True)))
    if here == here:
        table.add("  in this process", f"{here:.1f} s")


def add_recording_rows(table: harness.Table, seconds: int, rounds: int, scratch: Path) -> None:
    """One MP3 over two workers against one, in one thread each, and how far their results differ."""
    source = str(scratch / "recording.mp3")
    write_recording(Path(source), seconds)
    documents = {workers: document(str(scratch / f"recording-{workers}")) for workers in (1, 2)}

    def processed(workers: int) -> float:
        if documents[workers].exists("recording"):
            documents[workers].delete("recording")  # or the time that it takes would be counted, too
        with ff.in_one_thread():
            began = time.perf_counter()
            documents[workers].process(meta=source, _id="recording", workers=workers)
            return time.perf_counter() - began

    processed(1)  # loads what is loaded once
    times = interleaved({"1": lambda: processed(1), "2": lambda: processed(2)}, rounds)
    found = {workers: np.asarray(cls("recording").log_mel) for workers, cls in documents.items()}
    audible = found[1] > found[1].max() - _AUDIBLE_DB
    table.at_least("one MP3 over two workers", harness.median_ratio(times["1"], times["2"]), 1.7)
    for workers, took in times.items():
        middle = statistics.median(took)
        table.add(f"  {workers} of them", f"{middle:.2f} s, {seconds / middle:.0f}x real time")
    table.at_most("  decibels differ by", float(np.abs(found[1] - found[2])[audible].max()), 1e-3, "dB")
    for cls in documents.values():
        cls.database.close()


def add_commit_rows(table: harness.Table, count: int, rounds: int, scratch: Path) -> None:
    """Durable commits of small documents, in batches and one by one."""
    paths = _write_notes(scratch / "notes", count)

    def committed(batch: int) -> float:
        cls = _fresh(scratch / "commits")
        changes = [cls._prepare(str(path), {"meta": str(path)}) for path in paths]
        began = time.perf_counter()
        for start in range(0, count, batch):
            cls._commit(changes[start : start + batch])
        return _close(cls, time.perf_counter() - began)

    def looped() -> float:
        cls = _fresh(scratch / "loop")
        began = time.perf_counter()
        for path in paths:
            cls.process(meta=str(path), _id=str(path))
        return _close(cls, time.perf_counter() - began)

    def ingested() -> float:
        cls = _fresh(scratch / "ingest")
        began = time.perf_counter()
        zounds.ingest(map(str, paths), cls, progress=False)
        return _close(cls, time.perf_counter() - began)

    times = interleaved(
        {"1": lambda: committed(1), "16": lambda: committed(16), "32": lambda: committed(32)}, rounds
    )  # fmt: skip
    whole = interleaved({"loop": looped, "ingest": ingested}, rounds)
    for size, bar in (("16", None), ("32", 4.0)):
        what, ratio = f"durable commits of {size} against single ones", harness.median_ratio(times["1"], times[size])
        table.add(what, f"{ratio:.1f}") if bar is None else table.at_least(what, ratio, bar)
    figures = {**times, **whole}
    rate = {name: count / statistics.median(figures[name]) for name in figures}
    table.add("  documents per second: 1, 16, 32", " ".join(f"{rate[n]:,.0f}" for n in ("1", "16", "32")))
    ratio = harness.median_ratio(whole["loop"], whole["ingest"])
    table.add("small documents, ingest against process() in a loop", f"{ratio:.1f}")
    table.add("  documents per second", " ".join(f"{rate[n]:,.0f}" for n in ("loop", "ingest")))


def _write_notes(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    paths = [folder / f"{number}.txt" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_text(" ".join(str(number * _GOLDEN % (10 + word)) for word in range(60)))
    return paths


def _fresh(folder: Path) -> Any:
    return zounds.simple_lmdb_settings(str(folder), user_supplied_id=True)(Note)


def _close(cls: Any, seconds: float) -> float:
    cls.database.close()
    shutil.rmtree(cls.database.path)
    return seconds


def main() -> int:
    """Run the benchmark; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", help="recordings; made up where left out")
    parser.add_argument("--quick", action="store_true", help="3 seconds of work, one round; targets are only shown")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60, help="work of one worker in a round")
    parser.add_argument("--only", choices=["workers", "recording", "commits"])
    parser.add_argument("--out", help="write the figures as JSON")
    arguments = parser.parse_args()
    rounds, seconds, length, count = arguments.rounds, arguments.seconds, 3600, 1000
    if arguments.quick:
        rounds, seconds, length, count = 1, 3.0, 120, 200
    table = harness.Table(binds=not arguments.quick)
    with tempfile.TemporaryDirectory(prefix="zounds-workers-") as folder:
        scratch = Path(folder)
        if arguments.only in (None, "workers"):
            sounds = scratch / "sounds"
            sounds.mkdir()
            lengths = _QUICK if arguments.quick else _LENGTHS
            add_worker_rows(table, recordings(arguments.folder, sounds, lengths), seconds, rounds, scratch)
        if arguments.only in (None, "recording"):
            add_recording_rows(table, length, rounds, scratch)
        if arguments.only in (None, "commits"):
            add_commit_rows(table, count, rounds, scratch)
    title = f"workers: {seconds:.0f} s of one worker's work, {rounds} rounds"
    harness.report(title, table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
