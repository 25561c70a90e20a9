"""Documents found by their metadata: 2,500 digits and 100,000 small documents, and what the index costs writers.

The digits are named like ``7_theo_12.wav``; their label, speaker and take are the metadata. Documents are found through
``where``, ids and all, from a store of the default kind. Writing is timed twice over, by turns, with the notes for the
index and without them. Where there are no spoken digits, records of the same metadata are made.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import soundfile

import zounds_lite as zounds
from benchmarks import harness
from zounds_lite import featureflow as ff
from zounds_lite.featureflow.stores.upkeep import Upkeep

_DIGITS = Path(__file__).parents[2] / "shared" / "data" / "fsdd"
_SPEAKERS = ["ann", "bo", "cy", "theo", "dee"]
_MOST_MS, _MOST_COST = 20.0, 1.05
_AT_ONCE = 32
_MANY = 5000


class Note(ff.BaseModel):
    """A document that is nothing but metadata."""

    meta = ff.JSONFeature(ff.IteratorNode, store=True)


_WINDOWED = zounds.SR11025().windowing_scheme(512, 256)
Sound = zounds.stft(resample_to=zounds.SR11025(), wscheme=_WINDOWED, store_ogg=False)
"""A short recording as users ingest it: metadata, samples and spectra."""


def digits(count: int) -> list[dict[str, Any]]:
    """Return the metadata of spoken digits: 10 labels, 5 speakers, 50 takes of each."""
    found = [(path.name, *path.stem.split("_")) for path in sorted(_DIGITS.rglob("*.wav"))]
    if not found:
        names = [(label, speaker, take) for take in range(50) for label in range(10) for speaker in _SPEAKERS]
        found = [(f"{label}_{speaker}_{take}.wav", f"{label}", speaker, f"{take}") for label, speaker, take in names]
    return [
        {"uri": name, "label": int(label), "speaker": speaker, "take": int(take)}
        for name, label, speaker, take in found[:count]
    ]


def many(count: int) -> list[dict[str, Any]]:
    """Return metadata of which 50 are of speaker theo and label 7, and a fifth of speaker theo."""
    rng = np.random.default_rng(0)
    speakers, labels = rng.integers(0, 5, count), rng.integers(0, 10, count)
    labels[(speakers == 3) & (labels == 7)] = 8
    theos = np.flatnonzero(speakers == 3)
    labels[theos[np.linspace(0, len(theos) - 1, 50).astype(int)]] = 7
    durations = rng.random(count).round(6)
    return [
        {
            "uri": f"/data/{n:06d}.wav",
            "label": int(label),
            "speaker": _SPEAKERS[speaker],
            "take": n,
            "duration": duration,
        }
        for n, (speaker, label, duration) in enumerate(zip(speakers, labels, durations.tolist(), strict=True))
    ]


def filled(folder: Path, items: list[dict[str, Any]]) -> Any:
    """Return documents of these metadata in a new store."""
    cls = zounds.simple_lmdb_settings(str(folder), user_supplied_id=True)(Note)
    for start in range(0, len(items), 1000):
        cls._commit([cls._prepare(item["uri"], {"meta": [item]}) for item in items[start : start + 1000]])
    return cls


def milliseconds(action: Callable[[], Any], rounds: int) -> float:
    """Return the median of the time that something takes."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return 1e3 * statistics.median(times)


def add_finding_rows(table: harness.Table, name: str, cls: Any, rounds: int) -> None:
    """Ask a store; the first question has the index made."""
    began = time.perf_counter()
    len(cls.where(speaker="theo"))
    took = time.perf_counter() - began
    table.add(
        f"{name}: the first question, which indexes all",
        f"{took:.2f} s, {1e6 * took / len(cls.database):.0f} us a document",
    )
    questions: dict[str, dict[str, Any]] = {
        "speaker='theo', label=7": {"speaker": "theo", "label": 7},
        "speaker='theo'": {"speaker": "theo"},
        "label=[1, 2, 3], take=between(10, 30)": {"label": [1, 2, 3], "take": ff.between(10, 30)},
    }
    for text, asked in questions.items():
        found = len(cls.where(**asked).ids)
        took_ms = milliseconds(lambda asked=asked: cls.where(**asked).ids, rounds)
        what, note = f"{name}: where({text})", f" for {found:,} documents"
        if found > _MANY:  # to list so many ids takes what it takes
            table.add(what, f"{took_ms:.3g} ms{note}")
        else:
            table.at_most(what, took_ms, _MOST_MS, "ms", note=note)
    table.add(f"{name}: values('label')", f"{milliseconds(lambda: cls.values('label'), rounds):.2f} ms")
    scanned = milliseconds(lambda: ff.Database.find(cls.database, _criteria(cls)), 1)
    table.add(f"{name}: the same by reading every record", f"{scanned:.0f} ms")


def _criteria(cls: Any) -> Any:
    return [criterion for _, criterion in cls.where(speaker="theo", label=7)._criteria]


def add_writing_rows(table: harness.Table, scratch: Path, rounds: int) -> None:
    """Write documents by turns with the notes for the index and without them."""
    file = scratch / "7_theo_0.wav"
    soundfile.write(file, 0.1 * np.random.default_rng(0).standard_normal(4000), 8000)
    without = mock.patch.object(Upkeep, "planned", lambda self, txn, db, changes: lambda: None)
    for in_one in (True, False):
        stores = {
            known: zounds.simple_lmdb_settings(str(scratch / f"{known} {in_one}"), user_supplied_id=True)(Sound)
            for known in (True, False)
        }
        times: dict[bool, list[float]] = {True: [], False: []}
        for turn in range(rounds + 1):
            for known in (True, False) if turn % 2 else (False, True):
                if known:
                    took = _written(stores[known], file, turn, in_one)
                else:
                    with without:
                        took = _written(stores[known], file, turn, in_one)
                if turn:  # the first round warms up
                    times[known].append(took)
        ratio = harness.median_ratio(times[True], times[False])
        figure = f", {1e6 * statistics.median(times[True]):.0f} us a document"
        if in_one:
            what = f"writing with an index, {_AT_ONCE} in a commit as ingest does, that without = 1"
            table.at_most(what, ratio, _MOST_COST, note=figure)
        else:  # two more pages are synced, of some ten
            table.add("writing with an index, a commit each, that without = 1", f"{ratio:.3g}{figure}")


def _written(cls: Any, file: Path, turn: int, in_one: bool) -> float:
    items = {
        f"{turn} {n}": zounds.AudioMetaData(uri=str(file), label=n % 10, speaker="theo", take=n, title=f"digit {n}")
        for n in range(_AT_ONCE)
    }
    began = time.perf_counter()
    if in_one:
        cls._commit([cls._prepare(_id, {"meta": meta}) for _id, meta in items.items()])
    else:
        for _id, meta in items.items():
            cls.process(_id=_id, meta=meta)
    return (time.perf_counter() - began) / len(items)


def main() -> int:
    """Run the benchmark; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 documents; targets are only shown")
    parser.add_argument("--count", type=int, default=100_000, help="documents in the large store")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--out", help="write the figures as JSON")
    arguments = parser.parse_args()
    count, rounds = (2000, 3) if arguments.quick else (arguments.count, arguments.rounds)
    table = harness.Table(binds=not arguments.quick)
    with tempfile.TemporaryDirectory(prefix="zounds-where-") as folder:
        scratch = Path(folder)
        for name, items in (("digits", digits(min(count, 2500))), (f"{count:,} documents", many(count))):
            add_finding_rows(table, name, filled(scratch / name, items), rounds)
        add_writing_rows(table, scratch, rounds)
    harness.report("documents found by their metadata", table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
