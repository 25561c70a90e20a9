"""The default store: records in LMDB, large values in a folder of blobs beside it.

Why this way: an LMDB ``get`` touches every page of a value, so large values live in files that are mapped and read in
part; small ones are copied out, so that no buffer of LMDB outlives its transaction. ``environment`` says how LMDB is
opened and shared.
"""

import hashlib
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import lmdb
import numpy as np

from zounds_lite.errors import CorruptValue, DeclarationError, StoreFormatError
from zounds_lite.featureflow.record import read_id
from zounds_lite.featureflow.stores.base import BlobWriter, Change, Damage, Database, Garbage
from zounds_lite.featureflow.stores.blobs import BlobFolder
from zounds_lite.featureflow.stores.checks import (
    blobs_in,
    check_id,
    check_own,
    check_size,
    own_record,
    released_blobs,
    short_id,
)
from zounds_lite.featureflow.stores.criteria import Criterion, meets
from zounds_lite.featureflow.stores.environment import Environment
from zounds_lite.featureflow.stores.formats import describe_format, read_format
from zounds_lite.featureflow.stores.notes import Marker
from zounds_lite.featureflow.stores.terms import Scalar, Term, scalars_of, terms_of, value_of
from zounds_lite.featureflow.stores.upkeep import State, Unusable, Upkeep

__all__ = ["LmdbDatabase"]

_SUB_DATABASES = (b"meta", b"records", b"index", b"failed", b"pending")
"""Fixed in format 1; ``index`` and ``pending`` are what ``upkeep`` makes of the records."""

_DEFAULT_MAP = 64 * 2**30
_LONGEST_KEY = 400
_SHORT = ord("i")
_MOST_MISSING = 100

_log = logging.getLogger(__name__)


def _key(_id: str) -> bytes:
    """Short ids as they are, long ones by a hash; the first byte tells which."""
    raw = check_id(_id).encode("utf-8", "surrogatepass")
    if len(raw) <= _LONGEST_KEY:
        return b"i" + raw
    return b"h" + hashlib.blake2b(raw, digest_size=32).digest()


class LmdbDatabase(Database):
    """Keeps documents in an LMDB store: one folder with ``data.mdb`` and ``blobs/``.

    Args:
        path (str | Path): the folder; made where it is missing.
        map_size (int | float | None): initial size of the map in bytes; it grows by itself. None takes 64 GiB of
            address space, which costs nothing until it is used.
        key_builder: accepted for compatibility; ids need no escaping here.
        durability (str): "full", or "relaxed" for faster commits: then a power cut may take the last commit (never a
            part of one, and nothing if only the process dies).

    Raises:
        StoreFormatError: ``path`` is no folder, or holds a store of another format.
        StoreLocked: another program holds the store exclusively.
        StoreFull: there is no room for a new store.
    """

    def __init__(
        self, path: Any, map_size: float | None = None, key_builder: Any = None, durability: str = "full"
    ) -> None:
        if durability not in ("full", "relaxed"):
            raise DeclarationError(f"durability must be 'full' or 'relaxed', got {durability!r}")
        self.path = Path(path)
        self.map_size = None if map_size is None else int(map_size)
        self.key_builder = key_builder
        self.durability = durability
        self._root = Path(os.path.abspath(path))
        if self._root.exists() and not self._root.is_dir():
            raise StoreFormatError(f"{str(self.path)!r} is a file; a store is a folder: pass another path")
        self._environment = Environment(
            self._root,
            self.map_size or _DEFAULT_MAP,
            _SUB_DATABASES,
            initial={name: {b"format": describe_format()} if name == b"meta" else {} for name in _SUB_DATABASES},
            relaxed=durability == "relaxed",
        )
        self._blobs = BlobFolder(self._root / "blobs")
        self._index = Upkeep(self._environment, _key, self.inspect)
        self._check_format()

    def _check_format(self) -> None:
        readonly = self._environment.readonly
        try:
            found = self._read(b"meta", b"format")
        except CorruptValue as error:
            raise StoreFormatError(
                f"{str(self.path)!r}: what the store says about itself is damaged: {error}"
            ) from error
        if found is None and not len(self):  # of a version that made stores in two steps, and died in between
            if readonly:
                raise StoreFormatError(f"{str(self.path)!r} is read-only and holds no store")
            made = found = describe_format()
            self._environment.run(lambda txn, db: txn.put(b"format", made, db=db[b"meta"]), write=True)
        self.format = read_format(found or b"", self.path)

    def _read(self, table: bytes, key: bytes) -> bytes | None:
        def read(txn: Any, db: Mapping[bytes, Any]) -> bytes | None:
            with txn.cursor(db[table]) as cursor:
                return self._environment.bounds.value(cursor) if cursor.set_key(key) else None

        return self._environment.run(read, buffers=True)

    def get(self, _id: str) -> bytes | None:
        try:
            raw = self._read(b"records", _key(_id))
        except CorruptValue as error:
            raise CorruptValue(f"the record of {short_id(_id)}: {error}") from error
        if raw is not None:
            check_own(raw, _id)
        return raw

    def get_failure(self, _id: str) -> bytes | None:
        return self._read(b"failed", _key(_id))

    def change(self, changes: Mapping[str, Change], failures: Mapping[str, Change] | None = None) -> None:
        tables = {b"records": changes, b"failed": failures or {}}
        keys = {(table, _id): _key(_id) for table, wanted in tables.items() for _id in wanted}
        olds: dict[tuple[bytes, str], bytes | None] = {}
        news: dict[tuple[bytes, str], bytes | None] = {}

        def apply(txn: Any, db: Mapping[bytes, Any], is_indexed: bool = True) -> Marker | None:
            # all are read before one is written: what is written is not in the map, and has no bounds to check
            cursors = {table: txn.cursor(db[table]) for table, wanted in tables.items() if wanted}
            for (table, _id), key in keys.items():
                cursor = cursors[table]
                olds[table, _id] = self._old(cursor, table, _id) if cursor.set_key(key) else None
            for table, _id in keys:
                news[table, _id] = check_size(tables[table][_id](olds[table, _id]), _id)
            records = {key: (olds[of], news[of]) for of, key in keys.items() if of[0] == b"records"}
            write_index = self._index.planned(txn, db, records) if is_indexed else None
            for (table, _id), key in keys.items():
                new = news[table, _id]
                if new is not None:
                    txn.put(key, new, db=db[table])
                else:
                    txn.delete(key, db=db[table])
            return write_index() if write_index is not None else None

        self._blobs.make_durable()
        try:
            marker = self._environment.run(apply, write=True, buffers=True)
        except (Unusable, CorruptValue) as error:
            if isinstance(error, CorruptValue) and not isinstance(error.__cause__, lmdb.Error):
                raise  # of a change itself
            _log.warning("the index of metadata is damaged, and will be made anew: %s", error)
            marker = self._environment.run(partial(apply, is_indexed=False), write=True, buffers=True)
        self._index.committed(marker)
        records = {_id: new for (table, _id), new in news.items() if table == b"records"}
        self._blobs.settle(records)
        released = {name for _id, new in records.items() for name in released_blobs(olds[b"records", _id], new)}
        if released and self.durability == "relaxed":
            self._environment.sync()  # or a power cut could bring back a record whose blobs are gone
        for name in released:
            self._blobs.remove(name)

    def _old(self, cursor: Any, table: bytes, _id: str) -> bytes | None:
        """Return what a change gets to see; what is damaged stands in nobody's way."""
        try:
            raw = self._environment.bounds.value(cursor)
        except CorruptValue as error:
            _log.warning("%s will be replaced: %s", short_id(_id), error)
            return b""
        return own_record(raw, _id) if table == b"records" else raw

    def _batches(self, table: bytes, one: Any) -> Iterator[Any]:
        """Yield ``one(key, cursor)`` of every entry; a batch at a time, so that no reader is held long."""
        after: bytes | None = b""
        while after is not None:
            read = partial(self._entries_after, table=table, after=after, one=one)
            found, after = self._environment.run(read, buffers=True)
            yield from found

    def _entries_after(
        self, txn: Any, databases: Any, table: bytes, after: bytes, one: Any, count: int = 1000
    ) -> tuple[list[Any], bytes | None]:
        """Return ``one(key, cursor)`` of up to ``count`` entries after the key ``after``, and the last key, or None."""
        found: list[Any] = []
        bounds = self._environment.bounds
        with txn.cursor(databases[table]) as cursor:
            there, seen = _moved(cursor, lambda: cursor.set_range(after + b"\0")), 0
            while there:
                last = bounds.key(cursor)
                try:
                    found.append(one(last, cursor))
                except CorruptValue as error:
                    _log.warning("a document was passed over: %s", error)
                seen += 1
                if seen == count:
                    return found, last
                there = _moved(cursor, cursor.next)
        return found, None

    def _value(self, key: bytes, cursor: Any) -> bytes:
        return self._environment.bounds.value(cursor)

    def _id_of(self, key: bytes, cursor: Any) -> str:
        """Return the id under a key; a long one stands in its record alone."""
        if key[:1] == b"i":
            try:
                return key[1:].decode("utf-8", "surrogatepass")
            except UnicodeDecodeError as error:
                raise CorruptValue(f"the key {key.hex()} is no id: {error}") from error
        raw = self._environment.bounds.value(cursor)
        return read_id(lambda start, stop: raw[start:stop], f"the record under the key {key.hex()}")

    def iter_ids(self) -> Iterator[str]:
        return self._batches(b"records", self._id_of)

    def iter_failures(self) -> Iterator[bytes]:
        return self._batches(b"failed", self._value)

    def __len__(self) -> int:
        return self._environment.run(lambda txn, db: int(txn.stat(db[b"records"])["entries"]))

    def create_blob(self) -> BlobWriter:
        return self._blobs.create()

    def open_blob(self, name: str) -> np.ndarray:
        return self._blobs.open(name)

    def remove_blob(self, name: str) -> None:
        self._blobs.remove(name)

    def iter_blobs(self) -> Iterator[tuple[str, int]]:
        return self._blobs.files()

    def collect_garbage(self) -> Garbage:
        found = self._blobs.collect(self._named_blobs)
        return Garbage(found.blobs, found.bytes + self._environment.tidy(), found.kept)

    def _named_blobs(self) -> set[str]:
        for damage in self.inspect():
            raise CorruptValue(
                f"{str(self.path)!r} is damaged, so nobody can tell which blobs it names, and none are removed: "
                f"{damage}; run zounds-lite verify"
            )
        names = blobs_in(self._batches(b"records", self._value))
        self._environment.sync()  # what was read may be a commit that is not durable yet
        return names

    def inspect(self) -> Iterator[Damage]:
        from zounds_lite.featureflow.stores.salvage import inspect

        yield from inspect(self._root, self._environment.hold)

    # metadata

    def find(self, criteria: Sequence[Criterion]) -> list[str]:
        def question(state: State) -> list[str]:
            keys = state.index.keys(state.index.find(criteria).tolist())
            keys += [key for key, _, terms in _terms(state.waiting) if meets(terms, criteria)]
            with state.txn.cursor(state.db[b"records"]) as records:
                return [
                    key[1:].decode("utf-8", "surrogatepass") if key[0] == _SHORT else self._long_id(key, records)
                    for key in keys
                ]

        found = self._index.ask(question) if criteria else (list(self.iter_ids()),)
        return super().find(criteria) if found is None else found[0]

    def _long_id(self, key: bytes, records: Any) -> str:
        raw = self._bytes_under(key, records)
        return read_id(lambda start, stop: raw[start:stop], f"the record under the key {key.hex()}")

    def count_fields(self) -> dict[tuple[str, str], int]:
        def question(state: State) -> dict[tuple[str, str], int]:
            counts = Counter(state.index.fields())
            counts.update((term.feature, term.field) for _, _, terms in _terms(state.waiting) for term in terms)
            return dict(counts)

        found = self._index.ask(question)
        return super().count_fields() if found is None else found[0]

    def count_values(self, feature: str, field: str, criteria: Sequence[Criterion] = ()) -> list[tuple[Scalar, int]]:
        def question(state: State) -> list[tuple[Scalar, int]]:
            among = state.index.find(criteria) if criteria else None
            counts, values = Counter[bytes](), dict[bytes, Scalar]()
            with state.txn.cursor(state.db[b"records"]) as records:
                for key, count, number in state.index.values((feature, field), among):
                    counts[key] = count
                    try:
                        values[key] = value_of(key)
                    except LookupError:  # it is long, and stands in the records alone
                        raw = self._bytes_under(state.index.keys([number])[0], records)
                        values[key] = scalars_of(raw).get((feature, field))
            for _, raw, terms in _terms(state.waiting):
                for term in terms if meets(terms, criteria) else ():
                    if (term.feature, term.field) == (feature, field):
                        counts[term.key] += 1
                        values[term.key] = scalars_of(raw)[feature, field]
            return [(values[key], counts[key]) for key in sorted(counts)]

        found = self._index.ask(question)
        return super().count_values(feature, field, criteria) if found is None else found[0]

    def _bytes_under(self, key: bytes, records: Any) -> bytes:
        if not records.set_key(key):
            raise CorruptValue(f"the index names a record that is not there, {key.hex()}")
        return self._environment.bounds.value(records)

    def inspect_index(self) -> Iterator[Damage]:
        for key, what in self._index.inspect():
            _id = None if key is None or key[:1] != b"i" else key[1:].decode("utf-8", "surrogatepass")
            yield Damage(_id, None, f"{what}; zounds-lite compact makes the index anew")

    def rebuild_index(self) -> None:
        """Make the index of metadata anew, from the records.

        Raises:
            StoreLocked, StoreFull: the store is read-only or full.
        """
        self._index.build(anew=True)

    @contextmanager
    def alone(self) -> Iterator[Path]:
        """Have the store's folder for oneself, to replace its files; nobody can open the store meanwhile.

        Raises:
            StoreLocked: others have it open.
        """
        with self._environment.alone():
            yield self._root

    def close(self) -> None:
        self._environment.close()

    def __reduce__(self) -> Any:
        return type(self), (str(self._root), self.map_size, self.key_builder, self.durability)

    def __repr__(self) -> str:
        return f"LmdbDatabase({str(self.path)!r})"


def _terms(records: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes, frozenset[Term]]]:
    """Yield keys, records and terms; one that is damaged is passed over."""
    for key, raw in records:
        try:
            yield key, raw, terms_of(raw)
        except CorruptValue as error:
            _log.warning("a document was passed over: %s", error)


def _moved(cursor: Any, move: Callable[[], bool]) -> bool:
    """Move a cursor, past entries that name pages which do not exist; LMDB does not show the keys of these."""
    for _ in range(_MOST_MISSING):
        try:
            return move()
        except (lmdb.PageNotFoundError, lmdb.CorruptedError) as error:
            _log.warning("a document was passed over, the index is damaged: %s", error)
            move = cursor.next
    return move()
