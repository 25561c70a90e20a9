"""Stores that grow: what one more document costs among 10, 1,000 and 100,000, and how long it takes to read one.

Documents are small texts with two features. Into each store the same number of new documents is ingested, in turn, and
removed again: each in a commit of its own (``process``), and all in one, as ``ingest`` writes them. Reading is timed
from a store that is not open yet: a new store object in this process, and in a new process that has loaded its modules
and taken the fingerprint of the declaration, which is done once, reads the user's source file, and has its own row.
"""

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks import harness
from benchmarks._features import Note

_NEW = 20
"""Documents that are added in a round."""
_AT_ONCE = 1000
"""Documents in a commit while a store is filled."""
_SPREAD, _MOST_MS = 1.20, 5.0


def document(folder: Path | str) -> Any:
    """Return the documents of a store."""
    import zounds_lite as zounds

    return zounds.simple_lmdb_settings(str(folder), user_supplied_id=True)(Note)


def name_of(number: int) -> str:
    """Return an id; they are not in the order in which they are written."""
    return f"{number * 7919 % 1_000_003:07d} note"


def fill(cls: Any, count: int, source: str) -> None:
    """Write documents in large commits."""
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(count, start + _AT_ONCE))
        cls._commit([cls._prepare(name_of(number), {"meta": source}) for number in numbers])


def add(cls: Any, ids: Iterable[str], source: str, in_one: bool) -> float:
    """Write new documents, in a commit each or all in one; remove them; return the seconds that one took to write."""
    ids = list(ids)
    began = time.perf_counter()
    if in_one:
        cls._commit([cls._prepare(_id, {"meta": source}) for _id in ids])
    else:
        for _id in ids:
            cls.process(meta=source, _id=_id)
    took = (time.perf_counter() - began) / len(ids)
    for _id in ids:
        cls.delete(_id)
    return took


def open_and_read(folder: Path | str, number: int) -> float:
    """Open a store, read a feature of one document, and close it; return the milliseconds until it was read."""
    began = time.perf_counter()
    cls = document(folder)
    count = cls(name_of(number)).count
    took = time.perf_counter() - began
    cls.database.close()
    if count != 59:
        raise ValueError(f"document {name_of(number)!r} says {count} commas")
    return 1e3 * took


def read_in_new_process(folder: str, number: int) -> dict[str, float]:
    """In this process, which has opened no store yet: load modules, take the fingerprint, then open and read."""
    import lmdb  # noqa: F401

    import zounds_lite.featureflow.stores.lmdb  # noqa: F401

    began = time.perf_counter()
    lineage = Note.lineage()
    for feature in Note.features.values():
        lineage.hash(feature)
    fingerprint = 1e3 * (time.perf_counter() - began)
    gc.collect()  # of what importing left
    return {"milliseconds": open_and_read(folder, number), "fingerprint": fingerprint}


def add_rows(table: harness.Table, sizes: list[int], rounds: int, scratch: Path) -> None:
    """Fill the stores, then measure all of them in turn."""
    source = scratch / "note.txt"
    source.write_text(" ".join(f"word{number}" for number in range(60)))
    folders = {size: scratch / f"{size}" for size in sizes}
    stores = {size: document(folder) for size, folder in folders.items()}
    for size, cls in stores.items():
        began = time.perf_counter()
        fill(cls, size, str(source))
        took = time.perf_counter() - began
        table.add(f"filling a store with {size:,}", f"{1e6 * took / size:.0f} us a document")
    times: dict[tuple[bool, int], list[float]] = {(way, size): [] for way in (False, True) for size in sizes}
    for turn in range(rounds + 1):
        for way, size in times if turn % 2 == 0 else reversed(times):
            ids = [f"{turn} new {number}" for number in range(_NEW)]
            took = add(stores[size], ids, str(source), way)
            if turn:  # the first round warms up
                times[way, size].append(took)
    for way, label in ((False, "a commit each"), (True, f"{_NEW} in a commit")):
        for size in sizes:
            what = f"one more among {size:,}, {label}"
            figure = f"{1e6 * statistics.median(times[way, size]):.0f} us"
            if size == sizes[0]:
                table.add(what, figure)
                continue
            ratio = statistics.median(times[way, size]) / statistics.median(times[way, sizes[0]])
            table.at_most(f"{what}, that among {sizes[0]} = 1", ratio, _SPREAD, note=f", {figure}")
    for cls in stores.values():
        cls.database.close()
    _add_reading_rows(table, folders, rounds)


def _add_reading_rows(table: harness.Table, folders: dict[int, Path], rounds: int) -> None:
    fingerprints: list[float] = []
    for size, folder in folders.items():
        numbers = [(7 + 31 * turn) % size for turn in range(rounds)]
        here = statistics.median(open_and_read(folder, number) for number in numbers)
        new = [harness.child("benchmarks.growth", "--child", str(folder), str(number)) for number in numbers]
        fingerprints += [found["fingerprint"] for found in new]
        table.at_most(f"open and read one among {size:,}, in this process", here, _MOST_MS, "ms")
        there = statistics.median(found["milliseconds"] for found in new)
        table.at_most(f"open and read one among {size:,}, in a new one", there, _MOST_MS, "ms")
    table.add("  fingerprint of the declaration, once in a process", f"{statistics.median(fingerprints):.1f} ms")


def main() -> int:
    """Run the benchmark, or read one document in this process (``--child``); 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10, 100, 1,000 documents; targets are only shown")
    parser.add_argument("--sizes", nargs="+", type=int, default=[10, 1000, 100_000], help="documents in the stores")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", help="write the figures as JSON")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(read_in_new_process(arguments.child[0], int(arguments.child[1]))))
        return 0
    sizes, rounds = ([10, 100, 1000], 3) if arguments.quick else (sorted(arguments.sizes), arguments.rounds)
    table = harness.Table(binds=not arguments.quick)
    with tempfile.TemporaryDirectory(prefix="zounds-growth-") as folder:
        add_rows(table, sizes, rounds, Path(folder))
    title = f"growth: stores of {', '.join(f'{size:,}' for size in sizes)} small documents, {rounds} rounds"
    harness.report(title, table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
