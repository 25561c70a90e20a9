"""Good records and stores, taken apart so that they can be put together wrongly.

Names: ``Draft`` (a record), ``Store``, ``Payload`` (what a pickle may run), ``make``, ``packed``, ``case``, ``CASES``.
"""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lmdb
import xxhash

from benchmarks.faults import _stock
from zounds_lite.featureflow.checksums import BLOCK
from zounds_lite.featureflow.record import Record

CANARY = "this"
"""A module of the standard library that nothing imports: where it is loaded, stored text was imported."""

HEAD = struct.Struct("<4sIQIQ")
"""How a record begins."""

BIG = 10**30
"""A number that no header needs."""
WRONG: list[Any] = [None, True, -1, 2**70, 1.5, "x", "", [], [1], {}, {"type": "this.Zen"}, [[]] * 5, "\ud800", [{}]]

CASES: dict[str, Callable[["Store"], None]] = {}


def case(words: str) -> Callable[[Callable[["Store"], None]], Callable[["Store"], None]]:
    """Register a case under what it does."""

    def register(function: Callable[["Store"], None]) -> Callable[["Store"], None]:
        CASES[words] = function
        return function

    return register


class Payload:
    """Pickles to a call that leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


class Draft:
    """A good record, taken apart; ``pack`` puts it together with right checksums, offsets and sizes."""

    def __init__(self, raw: bytes) -> None:
        _, length, _, size, _ = HEAD.unpack_from(raw)
        self.id = raw[HEAD.size : HEAD.size + length]
        start = HEAD.size + length
        self.body: dict[str, Any] = json.loads(raw[start : start + size])
        self.data = {n: bytes(e.data) for n, e in Record.from_bytes(raw).entries.items() if e.data is not None}

    def value(self, name: str) -> dict[str, Any]:
        """The header of a value."""
        found: dict[str, Any] = self.body["values"][name]
        return found

    def put(self, name: str, data: bytes, header: dict[str, Any] | None = None, **claims: Any) -> None:
        """Replace a value: its bytes, and its codec's header."""
        self.data[name] = data
        self.value(name).update({"header": header} if header is not None else {}, **claims)

    def settled(self) -> bytes:
        """Set offsets, sizes and checksums of the inline values; return their bytes."""
        at = 0
        for name, data in self.data.items():
            blocks = [data[i : i + BLOCK] for i in range(0, len(data), BLOCK)]
            checks = [xxhash.xxh3_64_intdigest(block) for block in blocks]
            self.value(name).update(at=at, size=len(data), checks=checks)
            at += len(data)
        return b"".join(self.data.values())

    def pack(self) -> bytes:
        payload = self.settled()
        return packed(self.id, json.dumps(self.body).encode(), payload)


def packed(_id: bytes, header: bytes, payload: bytes = b"") -> bytes:
    """A record around any header."""
    checks = xxhash.xxh3_64_intdigest(_id), xxhash.xxh3_64_intdigest(header)
    return HEAD.pack(b"ZLR1", len(_id), checks[0], len(header), checks[1]) + _id + header + payload


class Store:
    """A good store that a case changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        env = self._open()
        with env.begin() as txn:
            self.records = {k[1:].decode(): bytes(v) for k, v in txn.cursor(env.open_db(b"records", txn=txn))}
        env.close()

    def _open(self) -> Any:
        return lmdb.open(str(self.path), map_size=64 << 20, max_dbs=16, lib_version=0)

    def put(self, table: bytes, key: bytes, value: bytes) -> None:
        """Write bytes under a key, unchecked."""
        env = self._open()
        with env.begin(write=True) as txn:
            txn.put(key, value, db=env.open_db(table, txn=txn))
        env.close()

    def draft(self, _id: str = "a") -> Draft:
        return Draft(self.records[_id])

    def write(self, draft: Draft, _id: str = "a") -> None:
        self.put(b"records", b"i" + _id.encode(), draft.pack())

    def raw(self, header: bytes, payload: bytes = b"", _id: str = "a") -> None:
        self.put(b"records", b"i" + _id.encode(), packed(_id.encode(), header, payload))

    def blob(self) -> Path:
        return next(self.path.glob("blobs/??/*.blob"))

    def values(self, changes: dict[str, tuple[bytes, dict[str, Any]]]) -> None:
        """Replace values of the small document."""
        draft = self.draft()
        for name, (data, header) in changes.items():
            draft.put(name, data, header)
        self.write(draft)

    def arrays(self, headers: list[dict[str, Any]], data: bytes = bytes(800)) -> None:
        """Write one document for each array header."""
        for number, header in enumerate(headers):
            draft = self.draft()
            draft.id = f"array{number}".encode()
            draft.put("rows", data, header)
            draft.put("sound", data, {**draft.value("sound")["header"], **header})
            self.write(draft, f"array{number}")


def make(path: Path) -> None:
    """Make the good store."""
    cls = _stock.bound(path)
    for _id, samples in (("a", 400), ("b", 270_000)):
        cls.process(_id=_id, plan=[{"number": 3, "samples": samples}], raw=b"raw bytes" * 100)
    cls.database.close()
