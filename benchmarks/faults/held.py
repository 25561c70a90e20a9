"""What a reader holds stays what it was, whatever happens to the store: nothing wrong, and no signal.

A child holds arrays, slices with units, small values, open files, unfinished iterations and documents; then documents
are deleted and replaced, commits go on, garbage is collected, the store is closed, compacted and forked. After each of
these, everything is compared with what it was.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import zounds_lite as zounds
from benchmarks.faults import broken
from benchmarks.faults._documents import LARGE, Numbers, Sound, kept_in, sound_file
from benchmarks.faults._forked import forked
from benchmarks.faults.table import Fault, Result, Setting
from zounds_lite import featureflow as ff
from zounds_lite.featureflow.stores.maintenance import compact

__all__ = ["FAULTS"]

_HELD = 3
"""Documents of each kind that are held."""

_BLOB_EVERY = 25
"""One commit in so many writes blobs."""


@dataclass
class _Held:
    """Something that is held: ``read`` returns its bytes as they are now, ``truth`` as they were."""

    what: str
    read: Callable[[], bytes]
    truth: bytes

    @classmethod
    def array(cls, what: str, array: Any) -> "_Held":
        return cls(what, lambda: np.asarray(array).tobytes(), np.asarray(array).tobytes())


def _hold(sound: Any, numbers: Any) -> Iterator[_Held]:
    """Hold something of every kind."""
    for i in range(_HELD):
        document = sound(f"sound {i}")
        whole, start = document.pcm, zounds.TimeSlice(start=zounds.Seconds(2), duration=zounds.Seconds(3))
        yield _Held.array(f"sound {i}: the samples, mapped", whole)
        yield _Held.array(f"sound {i}: three seconds of them", whole[start])
        yield _Held.array(f"sound {i}: every hundredth, backwards", whole[::-100])
        yield _Held.array(f"sound {i}: a small array", document.peak)
        file = document.open_source("meta")
        yield _Held(f"sound {i}: its source, as a file", partial(_rewound, file), _rewound(file))
        rows = numbers(f"numbers {i}")
        yield _Held.array(f"numbers {i}: rows, mapped", rows.large)
        yield _Held.array(f"numbers {i}: rows, from the record", rows.small)
        begun = numbers(f"numbers {i}")
        truth = np.asarray([begun.label] * 5, "<i4").tobytes()
        yield _Held(f"numbers {i}: a document of which one value was read", partial(_document, begun, i), truth)
    record = numbers.database.read("numbers 0")
    inline = memoryview(record.entries["small"].data)
    yield _Held("a record", lambda: bytes(inline), bytes(inline))


def _rewound(file: Any) -> bytes:
    file.seek(0)
    return bytes(file.read())


def _document(document: Any, number: int) -> bytes:
    """All that a document shows must be of the attempt of which its label was read."""
    parts = [document.label, document.small[-1], document.large[1000], document.lazy]
    packed = np.frombuffer(document.packed.read(8), "<i4") if "packed" not in document.__dict__ else [number, 0]
    return b"".join(np.asarray(part, "<i4").tobytes() for part in [*parts, packed])


@dataclass
class _Case:
    """A store in which things happen while others hold what they read."""

    folder: Path
    name: str
    commits: int
    losses: list[str]

    def database(self) -> Any:
        if self.name == "memory":
            return ff.InMemoryDatabase()
        if self.name == "files":
            return ff.FileSystemDatabase(self.folder / self.name, createdirs=True)
        return ff.LmdbDatabase(self.folder / self.name, map_size=1 << 20)

    def run(self) -> int:
        """Fill the store, hold, and let things happen; return how often something held was compared."""
        database = self.database()
        sound, numbers = kept_in(database, Sound), kept_in(database, Numbers)
        for i in range(_HELD):
            source = sound_file(self.folder, i, 0, LARGE).read_bytes()
            sound.process(_id=f"sound {i}", meta=source)
            numbers.process(_id=f"numbers {i}", spec=[i, 0])
        held = list(_hold(sound, numbers))
        ids = iter(database)
        next(ids)
        checks = 0
        for event, happen in self._events(database, sound, numbers):
            happen()
            checks += len(held)
            self._compare(event, held)
        checks += len(list(ids))  # an iteration that began before all that just goes on
        return checks

    def _compare(self, event: str, held: list[_Held]) -> None:
        for one in held:
            try:
                found = one.read()
            except Exception as error:  # noqa: BLE001 - nothing that is held may fail, whatever the reason
                self.losses.append(f"{self.name}: after {event}, {one.what}: {error!r}")
                continue
            if found != one.truth:
                self.losses.append(f"{self.name}: after {event}, {one.what} is no longer what it was")

    def _events(self, database: Any, sound: Any, numbers: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
        commits = partial(self._commit, numbers, itertools.count())
        for i in range(_HELD):
            yield f"document {i} was replaced", partial(numbers.process, _id=f"numbers {i}", spec=[i, 1])
        yield "half of the commits", partial(commits, self.commits // 2)
        for i in range(_HELD):
            yield f"document {i} was deleted", lambda i=i: (sound.delete(f"sound {i}"), numbers.delete(f"numbers {i}"))
        yield "garbage was collected", database.collect_garbage
        yield "all commits", partial(commits, self.commits - self.commits // 2)
        yield "garbage was collected again", database.collect_garbage
        yield "the store was compacted", partial(compact, database)
        yield "commits after that", partial(commits, min(20, self.commits))
        yield "the store was closed", database.close
        yield "a commit after that", partial(commits, 1)
        if hasattr(os, "fork"):
            yield "a child used the store", partial(self._in_child, commits)

    def _commit(self, numbers: Any, count: Iterator[int], times: int) -> None:
        for _ in range(times):
            number = next(count)
            if number % _BLOB_EVERY == 0:
                numbers.process(_id=f"more {number % 100}", spec=[number % 7, 1])
            else:
                raw = ff.record.Record(f"small {number % 50}", sources={"n": {"kind": "x", "hash": "y" * number}})
                numbers.database.put(raw.id, raw.to_bytes())

    def _in_child(self, commits: Callable[[int], None]) -> None:
        ended = forked(partial(commits, 1))
        if ended.failure:
            self.losses.append(f"{self.name}: a child could not use the store: {ended.failure}")


def _child(setting: Setting) -> dict[str, Any]:
    broken.apply(setting.broken)
    losses: list[str] = []
    checks = 0
    for name, share in (("lmdb", 1), ("files", 10), ("memory", 10)):
        checks += _Case(setting.folder, name, max(2, setting.size // share), losses).run()
    return {"checks": checks, "losses": losses}


def _run(setting: Setting) -> Result:
    ended = forked(partial(_child, setting), limit=120 + setting.size / 10)
    if ended.failure:
        return Result({"ended": ended.failure[:80]}, [f"the process that held arrays: {ended.failure}"])
    found = ended.value
    return Result({"stores": 3, "comparisons": found["checks"], "wrong": len(found["losses"])}, found["losses"])


FAULTS = [
    Fault(
        "arrays held while commits, delete, gc, compact, close follow",
        2000,
        "commits",
        "never wrong, never a signal",
        _run,
        ("blobs_emptied", "buffers_handed_out"),
        100,
    )
]
