"""Readers and writers in many processes: what is read of a document belongs together, and nothing fails.

Half of the time they are forked from one process that has the store open, half of the time spawned afresh. Every value
tells which attempt it belongs to, so a mixture of two is seen.
"""

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.faults import broken
from benchmarks.faults._documents import LARGE, Numbers, leftovers, stored_in
from benchmarks.faults.table import Fault, Result, Setting
from zounds_lite.errors import CorruptValue, KeyNotFound

__all__ = ["FAULTS"]

_READERS, _WRITERS = 8, 4
_IDS = [f"http://example.org/{number}" for number in range(12)]
_PATIENCE = 60.0
"""Seconds after which a process that has not started, or not ended, counts as hung."""


class _Mixed(Exception):
    pass


def _write(path: str, number: int, rng: random.Random) -> Callable[[], str]:
    """Return what a writer does again and again: replace or add a document, several at once, or delete one."""
    document, attempts = stored_in(path, Numbers), iter(range(1_000_000 * (number + 1), 2**31))

    def act() -> str:
        what = rng.random()
        if what < 0.15:
            document.delete(rng.choice(_IDS))
            return "deletes"
        chosen = rng.sample(range(len(_IDS)), 3 if what < 0.35 else 1)
        if len(chosen) == 1:
            document.process(_id=_IDS[chosen[0]], spec=[chosen[0], next(attempts)])
        else:
            document._commit([document._prepare(_IDS[i], {"spec": [i, next(attempts)]}) for i in chosen])
        return "writes"

    return act


def _read(path: str, number: int, rng: random.Random) -> Callable[[], str]:
    """Return what a reader does again and again: read one document, or ask which there are."""
    document = stored_in(path, Numbers)
    held: list[tuple[Any, Any]] = []

    def act() -> str:
        what = rng.random()
        if what < 0.1:
            unknown = set(document.database) - set(_IDS)
            if unknown:
                raise _Mixed(f"an iteration yields {sorted(unknown)[:3]}")
            return "iterations"
        found = document.random() if what < 0.2 else document(rng.choice(_IDS))
        parts = _parts(found, rng)
        different = {name: part for name, part in parts.items() if not np.array_equal(part, parts["label"])}
        if different:
            raise _Mixed(f"{found!r} is attempt {parts['label']}, and {different}")
        held.append((found.large, parts["label"]))  # it may be replaced and deleted while we hold it
        array, label = held[0] if len(held) < 20 else held.pop(0)
        if not (array[:: LARGE // 64] == label).all():
            raise _Mixed(f"an array of attempt {label} that was held holds something else now")
        return "reads"

    return act


def _parts(found: Any, rng: random.Random) -> dict[str, Any]:
    """Read the features of a document in any order, each reduced to the one row that all its rows should be."""
    at = rng.randrange(LARGE // 2 - 100)
    readers: dict[str, Callable[[], Any]] = {
        "label": lambda: found.label,
        "small": lambda: _same(found.small),
        "large": lambda: _same(found.large[at : at + 100]),
        "packed": lambda: _same(_rows(found.packed, at)),
        "lazy": lambda: found.lazy,
    }
    return {name: readers[name]() for name in rng.sample(sorted(readers), len(readers))}


def _rows(file: Any, at: int) -> np.ndarray:
    file.seek(8 * at)
    return np.frombuffer(file.read(800), "<i4").reshape(-1, 2)


def _same(rows: np.ndarray) -> list[int]:
    if not (rows == rows[0]).all():
        raise _Mixed(f"rows of {rows[0]} and of {rows[(rows != rows[0]).any(axis=1)][0]} in one value")
    return [int(value) for value in rows[0]]


def _work(
    kind: Callable[..., Any], path: str, number: int, setting: Setting, seconds: float, gate: Any, pipe: Any
) -> None:
    """One process: open the store, wait for the others, act until the time is over, and say what happened."""
    broken.apply(setting.broken)
    counts, failures = Counter[str](), list[str]()
    act = kind(path, number, random.Random(f"{setting.seed} {kind.__name__} {number}"))
    gate.wait(_PATIENCE)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            counts[act()] += 1
        except KeyNotFound:
            counts["not there"] += 1
        except Exception as error:  # noqa: BLE001 - nothing else may happen to anyone
            name = {CorruptValue: "bad checksum", _Mixed: "mixed versions"}.get(type(error), "exceptions")
            counts[name] += 1
            failures.append(f"{kind.__name__[1:]}er {number}: {name}: {error!r}"[:300])
    pipe.send((counts, failures[:3]))


def _race(setting: Setting, method: str, counts: Counter[str]) -> list[str]:
    """Let all processes of one kind of start loose on one store."""
    context: Any = multiprocessing.get_context(method)
    path, seconds = str(setting.folder / method), setting.size / 2
    document = stored_in(path, Numbers)
    for number, _id in enumerate(_IDS):
        document.process(_id=_id, spec=[number, 0])
    readers, writers = (_READERS, _WRITERS) if setting.size > 1 else (3, 2)
    gate = context.Barrier(readers + writers)
    kinds = [(_read, number) for number in range(readers)] + [(_write, number) for number in range(writers)]
    running, losses = [], []
    for kind, number in kinds:
        ours, theirs = context.Pipe(duplex=False)
        arguments = (kind, path, number, setting, seconds, gate, theirs)
        process = context.Process(target=_work, args=arguments, daemon=True)
        process.start()
        theirs.close()
        running.append((f"{method}, {kind.__name__[1:]}er {number}", process, ours))
    for name, process, ours in running:
        try:
            found, failures = ours.recv() if ours.poll(2 * _PATIENCE + seconds) else (Counter(), [f"{name} hung"])
        except EOFError:
            process.join(_PATIENCE)
            found, failures = Counter(), [f"{name} ended with {process.exitcode}"]
        counts.update(found)
        losses += failures
        process.join(_PATIENCE)
        if process.exitcode is None:
            process.kill()
    document.database.collect_garbage()
    losses += [f"{method}: left over: {name}" for name in leftovers(document.database)]
    document.database.close()
    return losses


def _run(setting: Setting) -> Result:
    counts, result = Counter[str](), Result()
    for method in ("fork", "spawn"):
        result.losses += _race(setting, method, counts)
    names = ["reads", "iterations", "writes", "deletes", "not there", "bad checksum", "mixed versions", "exceptions"]
    result.figures = {name: counts[name] for name in names}
    if not counts["reads"] or not counts["writes"]:
        result.losses.append("nothing was read, or nothing written")
    return result


FAULTS = [
    Fault(
        "readers and writers, spawn and fork",
        10,
        "s, 8 + 4 processes",
        "bad checksum 0, mixed versions of one document 0, exceptions 0",
        _run,
        ("naive_read", "blob_names_collide"),
        2,
    )
]
