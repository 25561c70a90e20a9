"""Several processes fill small maps at the same time, so that each has to grow under all of them."""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.faults import broken
from benchmarks.faults._forked import all_forked
from benchmarks.faults.table import Fault, Result, Setting
from zounds_lite.errors import CorruptValue
from zounds_lite.featureflow import LmdbDatabase
from zounds_lite.featureflow.record import Entry, Record
from zounds_lite.featureflow.stores import base

__all__ = ["FAULTS"]

_WRITERS = 4
_SMALLEST = 1 << 20
_ROUND = 2500
"""Puts into one store: some ten megabytes, so that its map doubles four times."""


def _record(_id: str, size: int) -> bytes:
    data = _id.encode() * (size // len(_id) + 1)
    return Record(_id, entries={"text": Entry("lineage", "source", "text/plain", {}, len(data), data=data)}).to_bytes()


def _plan(writer: int, count: int, seed: int) -> Iterator[dict[str, bytes]]:
    """What a writer puts: one document at a time or several, small ones, large ones, and some with long ids."""
    rng = random.Random(f"{seed} {writer}")
    number = 0
    while number < count:
        put = {}
        for _ in range(min(count - number, rng.choice([1, 1, 8, 32]))):
            _id = f"{writer}:{number}" + "x" * rng.choice([0, 0, 0, 500])
            put[_id] = _record(_id, rng.choice([100, 3000, 9000]))
            number += 1
        yield put


def _write(setting: Setting, path: Path, writer: int, count: int, seed: int) -> list[str]:
    broken.apply(setting.broken)
    database = LmdbDatabase(path, map_size=_SMALLEST)
    for put in _plan(writer, count, seed):
        changes: dict[str, base.Change] = {_id: partial(_replace, record) for _id, record in put.items()}
        try:
            database.change(changes)
        except Exception as error:  # noqa: BLE001 - whatever a user would see
            return [f"writer {writer} saw {error!r}"]
    return []


def _replace(record: bytes, old: bytes | None) -> bytes:
    return record


def _read(setting: Setting, path: Path) -> list[str]:
    """Read everything again and again, until the store holds what it is to hold; more than it held before each time."""
    broken.apply(setting.broken)
    database, before = LmdbDatabase(path, map_size=_SMALLEST), set[str]()
    for _ in range(20):
        found = set(database)
        if before - found:
            return [f"{len(before - found)} documents vanished while others were put"]
        before = found
        for _id in sorted(found)[:: max(1, len(found) // 50)]:
            problem = _problem(database, _id)
            if problem:
                return [f"while others were put, {problem}"]
    return []


def _problem(database: Any, _id: str) -> str:
    try:
        data = bytes(database.read(_id).entries["text"].data)
    except (CorruptValue, KeyError) as error:
        return f"{_id[:40]}: {error!r}"
    return "" if data == _id.encode() * (len(data) // len(_id)) else f"{_id[:40]} holds something else"


def _run(setting: Setting) -> Result:
    result, lost, grown = Result(), 0, 0
    for number, at in enumerate(range(0, setting.size, _ROUND)):
        path, each = setting.folder / str(number), min(_ROUND, setting.size - at) // _WRITERS
        LmdbDatabase(path, map_size=_SMALLEST).close()
        seed = setting.seed + number
        tasks: list[Any] = [partial(_write, setting, path, writer, each, seed) for writer in range(_WRITERS)]
        for ended in all_forked([*tasks, partial(_read, setting, path)], at_once=_WRITERS + 1):
            result.losses += [ended.failure] if ended.failure else ended.value
        database = LmdbDatabase(path, map_size=_SMALLEST)
        wanted = {_id for writer in range(_WRITERS) for put in _plan(writer, each, seed) for _id in put}
        problems = [_problem(database, _id) for _id in sorted(wanted)]
        lost += sum(map(bool, problems))
        result.losses += [f"store {number}: {problem}" for problem in problems if problem][:3]
        grown += (path / "data.mdb").stat().st_size // _SMALLEST > 1
        database.close()
    result.figures = {"processes": _WRITERS, "lost": lost, "stores that outgrew their map": grown}
    return result


FAULTS = [
    Fault(
        "map growth by 4 processes from 1 MiB",
        20_000,
        "puts",
        "lost 0, no MapFull seen",
        _run,
        ("map_never_grows", "full_map_ignored"),
        2500,
    )
]
