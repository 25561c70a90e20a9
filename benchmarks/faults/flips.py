"""Bit flips: one bit at a time, in blobs, in records, and in LMDB's own pages; then everything is verified and read.

Each flip stands in a copy of the same store and is examined in a child, because damage in the index could end it. Big
values are read in the ways that copy (memory maps are handed out unread, by design): ``StoredValue.bytes`` and
``open``, small values and kept sources, and a feature that is computed from the chunks of another.
"""

import logging
import random
import shutil
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import lmdb
import numpy as np

from benchmarks.faults import _stock, broken
from benchmarks.faults._forked import Ended, all_forked, forked
from benchmarks.faults.table import Fault, Result, Setting
from zounds_lite.errors import ZoundsError
from zounds_lite.featureflow.record import Record
from zounds_lite.featureflow.stores.verification import verify

_LIMIT = 20.0
_PAGE = 4096
_TREE_PAGES = (1, 2)
"""Flags of branch and leaf pages."""

Range = tuple[int, int]


@dataclass(frozen=True)
class Flip:
    """One bit of one file, and what it belongs to.

    Args:
        file (str): below the store's folder.
        offset, bit (int): which one.
        place (str): "blob", "record" or "index".
        id (str | None): the document, where it belongs to one.
        feature (str | None): the value, where it belongs to one.
    """

    file: str
    offset: int
    bit: int
    place: str
    id: str | None = None
    feature: str | None = None


class _Map:
    """What stands where in a store's files."""

    def __init__(self, path: Path) -> None:
        self.blobs: list[tuple[str, str, str, int]] = []  # file, id, feature, size
        self.values: list[tuple[str, str | None, Range]] = []  # id, feature, bytes of data.mdb
        self.raw = (path / "data.mdb").read_bytes()
        for _id, at, raw in _records(path):
            record, payload = Record.from_bytes(raw), at + len(raw)
            for name, entry in reversed(record.entries.items()):
                if entry.blob is not None:
                    file = path / "blobs" / entry.blob[:2] / f"{entry.blob}.blob"
                    self.blobs.append((str(file.relative_to(path)), _id, name, file.stat().st_size))
                else:
                    self.values.append((_id, name, (payload - entry.size, payload)))
                    payload -= entry.size
            self.values.append((_id, None, (at, payload)))  # head, id and header
        self.index = self._index()

    def _index(self) -> list[int]:
        """Offsets of all bytes of data.mdb that LMDB goes by: meta pages, heads of pages and nodes, pointers, keys."""
        used = np.zeros(len(self.raw), bool)
        used[:200] = used[_PAGE : _PAGE + 200] = True
        for start in range(2 * _PAGE, len(self.raw), _PAGE):
            flags, lower = struct.unpack_from("<HH", self.raw, start + 10)
            if flags & 4:
                used[start : start + 16] = True
            elif flags in _TREE_PAGES and 16 <= lower <= _PAGE:
                used[start : start + lower] = True
                for at in struct.unpack_from(f"<{(lower - 16) // 2}H", self.raw, start + 16):
                    size, kind, key = struct.unpack_from("<IHH", self.raw, start + at)
                    inside = 8 if flags == 2 and kind & 1 else 48 if flags == 2 and kind & 2 else 0
                    used[start + at : start + at + 8 + key + inside] = True
        for _, _, (start, stop) in self.values:
            used[start:stop] = False
        return list(np.flatnonzero(used))

    def draw(self, rng: random.Random, place: str) -> Flip:
        """Draw a flip in one place."""
        bit = rng.randrange(8)
        if place == "blob":
            file, _id, name, size = rng.choice(self.blobs)
            # the table at the end is small, and as important
            offset = rng.randrange(size) if rng.random() < 0.7 else size - 1 - rng.randrange(min(size, 100))
            return Flip(file, offset, bit, place, _id, name)
        if place == "record":
            _id, feature, (start, stop) = rng.choice([value for value in self.values if value[2][0] < value[2][1]])
            return Flip("data.mdb", rng.randrange(start, stop), bit, place, _id, feature)
        if rng.random() < 0.85:
            return Flip("data.mdb", rng.choice(self.index), bit, place)
        inside = np.zeros(len(self.raw), bool)
        for _, _, (start, stop) in self.values:
            inside[start:stop] = True
        return Flip("data.mdb", int(rng.choice(np.flatnonzero(~inside))), bit, place)


def _records(path: Path) -> list[tuple[str, int, bytes]]:
    """Each record with its offset in data.mdb: where LMDB's map shows it, less where the map begins."""
    env = lmdb.open(str(path), readonly=True, lock=False, max_dbs=16, lib_version=0)
    lines = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    base = next(int(f[0].split("-")[0], 16) for f in lines if f[-1] == str((path / "data.mdb").resolve()))
    found = []
    with env.begin(buffers=True) as txn:
        for _, view in txn.cursor(env.open_db(b"records", txn=txn, create=False)):
            raw = bytes(view)
            at = np.frombuffer(view, np.uint8).__array_interface__["data"][0] - base
            found.append((Record.from_bytes(raw).id, at, raw))
            del view
    env.close()
    return found


def _made(path: Path) -> tuple[list[str], dict[str, dict[str, str]]]:
    """Fill the store, and return its ids and the truth."""
    cls = _stock.fill(path, small=40, large=3)
    ids = list(cls.database)
    truth = _stock.read_all(cls, ids)
    cls.database.close()
    return ids, truth


def _examine(path: Path, ids: list[str], truth: dict[str, dict[str, str]], defect: str | None) -> dict[str, Any]:
    """Verify a store and read everything: what verify says, what is wrong, refused, and not there."""
    broken.apply(defect)
    logging.disable()
    found: dict[str, Any] = {"damage": [], "wrong": [], "errors": [], "gone": [], "unlisted": ""}
    try:
        found["damage"] = [[damage.id, damage.feature, damage.what[:200]] for damage in verify(path)]
    except ZoundsError as error:
        found["damage"] = [[None, None, f"{type(error).__name__}: {error}"[:200]]]
    try:
        cls = _stock.bound(path)
    except ZoundsError as error:
        found["errors"] = [[_id, name, f"{type(error).__name__}: {error}"[:200]] for _id in ids for name in truth[_id]]
        return found
    values = _stock.read_all(cls, ids)
    try:
        found["gone"] = sorted(set(ids) - set(cls.database))
    except ZoundsError as error:
        found["unlisted"] = f"{type(error).__name__}: {error}"[:200]
    for _id in ids:
        for name, digest in values[_id].items():
            if digest != truth[_id][name]:
                found["errors" if digest[0] == "!" else "wrong"].append([_id, name, digest[:200]])
    return found


def _judge(flip: Flip, found: dict[str, Any]) -> list[str]:
    """The promises that one flip broke."""
    named = {(_id, feature) for _id, feature, _ in found["damage"]}
    unread = {_id for _id, _, _ in found["errors"]} | set(found["gone"])
    losses = [f"wrong: {feature} of {_id[:20]} was read as something else" for _id, feature, _ in found["wrong"]]
    if flip.place == "index":
        if not named and (unread or found["unlisted"]):
            losses.append(f"not named: verify found nothing, but {len(unread)} documents cannot be read: {_why(found)}")
        # where the structure itself is damaged, LMDB may refuse documents that are whole
        elif all(_id is not None for _id, _ in named) and unread - {_id for _id, _ in named}:
            losses.append(f"others: {len(unread)} documents cannot be read, {len(named)} are named: {_why(found)}")
        return losses
    if (flip.id, flip.feature) not in named and (flip.id, None) not in named:
        losses.append(f"not named: {flip.feature} of {str(flip.id)[:20]}, verify said {found['damage'][:3]}")
    if unread - {flip.id} or found["unlisted"]:
        losses.append(f"others: {len(unread - {flip.id})} other documents cannot be read: {_why(found)}")
    return losses


def _why(found: dict[str, Any]) -> str:
    return str(found["errors"][0]) if found["errors"] else found["unlisted"] or f"gone: {found['gone'][:2]}"


class _Bench:
    """One copy of a store, in which one bit at a time is flipped, and put right again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.whole = (path / "data.mdb").read_bytes()

    def flip(self, flip: Flip) -> None:
        with open(self.path / flip.file, "r+b") as file:
            file.seek(flip.offset)
            byte = file.read(1)[0]
            file.seek(flip.offset)
            file.write(bytes([byte ^ 1 << flip.bit]))

    def mend(self, flip: Flip) -> None:
        if flip.file != "data.mdb":
            self.flip(flip)
        elif (self.path / "data.mdb").stat().st_size == len(self.whole):
            with open(self.path / "data.mdb", "r+b") as file:
                file.write(self.whole)
        else:
            (self.path / "data.mdb").write_bytes(self.whole)


def _try(path: Path, flips: list[Flip], ids: list[str], truth: Any, defect: str | None) -> tuple[Any, list[str]]:
    """Try flips, one by one, in one copy of the store."""
    bench, figures, losses = _Bench(path), Counter[str](), list[str]()

    def tasks() -> Iterator[Callable[[], Any]]:
        for flip in flips:
            bench.flip(flip)
            yield partial(_examine, path, ids, truth, defect)

    for flip, ended in zip(flips, all_forked(tasks(), _LIMIT, at_once=1), strict=True):
        bench.mend(flip)
        figures[f"in {flip.place}"] += 1
        broken_promises = [ended.failure] if ended.failure else _judge(flip, ended.value)
        losses += [f"{flip.place}, {flip.file[:10]} {flip.offset}.{flip.bit}: {words}" for words in broken_promises]
        _count(figures, ended)
    return figures, losses


def _run(setting: Setting) -> Result:
    path = setting.folder.resolve() / "store"
    made = forked(partial(_made, path))  # so that nothing of LMDB stays open here
    if made.failure:
        raise RuntimeError(made.failure)
    rng, map_ = random.Random(setting.seed), _Map(path)
    flips = [map_.draw(rng, ("blob", "record", "index")[number % 3]) for number in range(setting.size)]
    tasks = []
    for half in range(2):  # two at a time, each in a copy of its own
        copy = setting.folder.resolve() / f"copy{half}"
        shutil.copytree(path, copy)
        tasks.append(partial(_try, copy, flips[half::2], *made.value, setting.broken))
    figures, losses = Counter[str](), []
    for ended in all_forked(tasks, _LIMIT * setting.size):
        if ended.failure:
            raise RuntimeError(ended.failure)
        figures.update(ended.value[0])
        losses += ended.value[1]
    named = ("in blob", "in record", "in index", "named by verify", "refused on read", "harmless", "ended", "wrong")
    return Result({name: figures[name] for name in named}, losses)


def _count(figures: Counter[str], ended: Ended) -> None:
    if ended.failure:
        figures["ended"] += 1
        return
    found = ended.value
    figures["named by verify"] += bool(found["damage"])
    figures["refused on read"] += bool(found["errors"])
    figures["wrong"] += bool(found["wrong"])
    figures["harmless"] += not (found["damage"] or found["errors"] or found["wrong"] or found["gone"])


FAULTS = [
    Fault(
        name="bit flips in blobs, records, index",
        size=300,
        unit="flips",
        promise="silently wrong values 0; each found value named by id and feature; others readable; no signal",
        run=_run,
        broken=("no_checksum",),
        prove_size=30,
    )
]
