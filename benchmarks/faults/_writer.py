"""The writer whose power is cut: a fixed run of commits, each marked in the write log when it begins and ends.

``python -m benchmarks.faults._writer STORE STEPS SEED DURABILITY [DEFECT]`` runs it, under the write log. The row
imports ``steps`` and ``states`` to know what must be found, and ``document`` and ``truth`` to look.
"""

import ctypes
import json
import os
import random
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.faults import broken
from zounds_lite import featureflow as ff

LARGE, MIDDLE, SMALL = 4800, 1600, 20
"""Rows of 256 bytes: a value that goes to a blob, one that makes the map grow, and a small one."""


@dataclass(frozen=True)
class Step:
    """One commit.

    Args:
        puts (dict[str, tuple[int, int]]): documents to process: version and rows.
        deletes (tuple[str, ...]): documents to delete.
        failures (dict[str, int]): entries for the ledger.
        closes (bool): close the store first.
    """

    puts: dict[str, tuple[int, int]] = field(default_factory=dict)
    deletes: tuple[str, ...] = ()
    failures: dict[str, int] = field(default_factory=dict)
    closes: bool = False


def steps(count: int, seed: int) -> Iterator[Step]:
    """The commits of a run: single ones and batches, new documents and old ones, large and small."""
    rng = random.Random(seed)
    documents: list[str] = []
    for n in range(count):
        kind = ("single", "batch", "large", "large", "batch", "failure", "middle", "delete", "mixed", "single")[n % 10]
        closes = n % 12 == 11
        if kind == "delete" and documents:
            yield Step(deletes=(documents.pop(rng.randrange(len(documents))),), closes=closes)
            continue
        if kind == "failure":
            yield Step(failures={f"bad{n}": n}, closes=closes)
            continue
        size = {"batch": rng.randint(4, 8), "middle": 3, "mixed": 4}.get(kind, 1)
        again = rng.sample(documents, min(len(documents), size // 2 if size > 1 else rng.randint(0, 1)))
        ids = [*again, *(f"doc{n}.{i}" for i in range(size - len(again)))]
        if kind == "mixed":
            ids[-1] = f"bad{n - 3}"  # what had failed succeeds
        rows = {"large": [LARGE], "middle": [MIDDLE], "mixed": [LARGE, SMALL]}.get(kind, [SMALL, SMALL, 2 * SMALL])
        documents += [_id for _id in ids if _id not in documents]
        failures = {f"late{n}": n} if kind == "batch" else {}
        yield Step({_id: (n, rng.choice(rows)) for _id in ids}, failures=failures, closes=closes)


@dataclass(frozen=True)
class State:
    """What the store holds: versions and rows of documents, and the ledger."""

    documents: dict[str, tuple[int, int]] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)

    def after(self, step: Step) -> "State":
        documents = {**self.documents, **step.puts}
        for _id in step.deletes:
            del documents[_id]
        failures = {_id: n for _id, n in {**self.failures, **step.failures}.items() if _id not in step.puts}
        return State(documents, failures)


def states(count: int, seed: int) -> list[State]:
    """The state before the first commit, and after each."""
    found = [State()]
    for step in steps(count, seed):
        found.append(found[-1].after(step))
    return found


def array(_id: str, version: int, rows: int) -> np.ndarray:
    """The array of a document."""
    start = zlib.crc32(f"{_id} {version}".encode())
    return (np.arange(rows * 64, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(start)).reshape(rows, 64)


def words(_id: str, version: int) -> str:
    """The text of a document."""
    return f"{_id}, version {version}. " * 20


def _rows(plan: dict[str, Any]) -> np.ndarray:
    return array(plan["id"], plan["version"], plan["rows"])


def _words(plan: dict[str, Any]) -> str:
    return words(plan["id"], plan["version"])


def document(database: Any) -> Any:
    """The document class, with a store."""

    class Settings(ff.PersistenceSettings):
        id_provider = ff.UserSpecifiedIdProvider("_id")

    Settings.database = database

    class Document(ff.BaseModel, Settings):
        plan = ff.JSONFeature(ff.IteratorNode, store=True)
        rows = ff.NumpyFeature(_rows, needs=plan, store=True, version="1")
        words = ff.TextFeature(_words, needs=plan, store=True, version="1")

    return Document


def inputs(_id: str, version: int, rows: int) -> dict[str, Any]:
    """What ``process`` takes for a document."""
    return {"plan": [{"id": _id, "version": version, "rows": rows}]}


def store(path: str, durability: str) -> Any:
    """The store, with a map that must grow."""
    return ff.LmdbDatabase(path, map_size=1 << 20, durability=durability)


def entry(_id: str, n: int) -> Any:
    """Put an entry into the ledger."""
    return lambda old: json.dumps({"id": _id, "n": n}).encode()


def commit(cls: Any, step: Step) -> None:
    """Do one step; it is acknowledged when this returns."""
    if step.closes:
        cls.database.close()
    if step.puts:
        changes = [cls._prepare(_id, inputs(_id, *plan)) for _id, plan in step.puts.items()]
        cls._commit(changes, {_id: entry(_id, n) for _id, n in step.failures.items()})
    elif step.failures:
        cls.database.change({}, {_id: entry(_id, n) for _id, n in step.failures.items()})
    for _id in step.deletes:
        cls.delete(_id)


def main() -> None:
    """Run the steps."""
    path, count, seed, durability, *defect = sys.argv[1:]
    broken.apply(*defect or [None])
    add = ctypes.CDLL(None).writelog_mark

    def mark(**what: Any) -> None:
        text = json.dumps(what).encode()
        add(text, ctypes.c_uint64(len(text)))

    cls = document(store(path, durability))
    for number, step in enumerate(steps(int(count), int(seed)), 1):
        mark(begun=number)
        commit(cls, step)
        mark(done=number)
    os._exit(0)  # as if the power went: nothing is closed or flushed


if __name__ == "__main__":
    main()
