"""Upkeep of the index of an LMDB store: noted with the records, made when it is asked, checked.

Why this way: writing a record also notes what the index has to do, in the same transaction, which costs a small
document nearly nothing; a question reads the few records that wait, or has them indexed if they are many. That, and an
index that is missing or not to be trusted, is done some hundred documents in a transaction, so that other writers get
their turns, memory is bounded, and what was interrupted goes on. What stands in the way of an index never stands in the
way of records: then a change is written without one.

Classes: ``State``, ``Upkeep``; error ``Unusable``.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import lmdb

from zounds_lite.errors import CorruptValue, StoreError, StoreFull, StoreLocked
from zounds_lite.featureflow.record import read_id
from zounds_lite.featureflow.stores.environment import Environment
from zounds_lite.featureflow.stores.index import Index, Unsure, count_terms
from zounds_lite.featureflow.stores.notes import (
    MARKER,
    NOTED,
    WAITING,
    Marker,
    checked,
    read_marker,
    sealed,
    unpacked_keys,
    waiting_notes,
    write_marker,
)

__all__ = ["State", "Unusable", "Upkeep"]

_RECORDS, _INDEX, _PENDING = b"records", b"index", b"pending"
_FEW = 64
"""Records that wait and are read by each question, which takes some milliseconds; where more wait, they are indexed."""

_STEP, _STEP_BYTES = 2000, 32 * 2**20
_CHECKED = 500
_TRIES = 20
_ID_START = 28
"""Where the id begins in a record."""
_T = TypeVar("_T")

_log = logging.getLogger(__name__)

Databases = Mapping[bytes, Any]


class Unusable(Exception):
    """The pages of the index are damaged, so that its transaction cannot be ended."""


@dataclass(frozen=True)
class State:
    """What a question is answered from.

    Args:
        index (Index): the documents that are indexed.
        waiting (list[tuple[bytes, bytes]]): keys and records of those that are not.
        txn: the transaction.
        db: its sub-databases.
    """

    index: Index
    waiting: list[tuple[bytes, bytes]]
    txn: Any
    db: Databases


class Upkeep:
    """Keeps the index of a store.

    Args:
        environment (Environment): the store's.
        key_of (Callable[[str], bytes]): the key of a record, by id.
        inspect (Callable[[], Iterator]): yields what is wrong with the structure of the store.
    """

    def __init__(
        self, environment: Environment, key_of: Callable[[str], bytes], inspect: Callable[[], Iterator[object]]
    ) -> None:
        self._environment = environment
        self._key_of = key_of
        self._inspect = inspect
        self._written: tuple[object, Marker] | None = None

    def _index(self, txn: Any, db: Databases) -> Index:
        return Index(txn.cursor(db[_INDEX]), self._environment.bounds)

    def _marker(self, txn: Any, db: Databases, written_by: int) -> Marker | None:
        """Return the marker of an index that goes with the records as a transaction left them; else None."""
        with txn.cursor(db[_PENDING]) as cursor:
            found = read_marker(self._environment.bounds.value(cursor) if cursor.set_key(MARKER) else None)
        return found if found is not None and found.transaction == written_by else None

    # in a change

    def planned(
        self, txn: Any, db: Databases, changes: Mapping[bytes, tuple[bytes | None, bytes | None]]
    ) -> Callable[[], Marker | None]:
        """Look up what a change means for the index.

        Args:
            txn: the transaction of the change, which has written nothing so far.
            db: its sub-databases.
            changes (Mapping): old and new records, by key.

        Returns:
            Callable: writes that, after the records, and returns the new marker, if there is one.

        Raises:
            Unusable: the change has to begin again, without an index.
        """
        with _damage():
            try:
                marker = self._remembered(txn) or self._marker(txn, db, txn.id() - 1) or self._begun(txn, db)
                if marker is None:
                    return lambda: None
                index = self._index(txn, db) if any(old is not None for old, _ in changes.values()) else None
                waiting: list[bytes] = []
                known: dict[bytes, tuple[bytes | None, bytes | None]] = {}
                for key, (old, new) in changes.items():
                    if not marker.covers(key):
                        continue
                    if old is not None and index is not None and index.number(key) is not None:
                        known[key] = old, self._owned(key, new)
                    elif new is not None:
                        waiting.append(key)
                puts = index.plan(known) if index is not None and known else {}
            except (CorruptValue, Unsure) as error:
                # the marker stays what it was, so nobody trusts the index from now on
                _log.warning("the index of metadata will be made anew: %s", error)
                return lambda: None

        def write() -> Marker | None:
            with _damage():
                _write(txn, db[_INDEX], puts)
                _write(txn, db[_PENDING], waiting_notes(txn.id(), waiting))
                write_marker(txn, db[_PENDING], marker.last)
            return Marker(txn.id(), marker.last)

        return write

    def _remembered(self, txn: Any) -> Marker | None:
        """Return the marker that this process wrote, if nobody has written since; it need not be read then."""
        if self._written is None or self._written[0] is not self._environment.bounds:  # the file is another one
            return None
        return self._written[1] if self._written[1].transaction == txn.id() - 1 else None

    def committed(self, marker: Marker | None) -> None:
        """Take note of the marker that a change has written, once that is committed."""
        self._written = None if marker is None else (self._environment.bounds, marker)

    def _begun(self, txn: Any, db: Databases) -> Marker | None:
        """Begin the index of a store that holds nothing, which is complete."""
        is_new = not any(txn.stat(db[name])["entries"] for name in (_RECORDS, _INDEX, _PENDING))
        return Marker(0) if is_new else None

    def _owned(self, key: bytes, raw: bytes | None) -> bytes | None:
        """Return a record, or no bytes where it is that of another document."""
        if raw is None or (_id_size(raw) == len(key) - 1 and raw.startswith(key[1:], _ID_START) and key[:1] == b"i"):
            return raw  # what a short id shows at a glance
        try:
            return raw if self._key_of(read_id(lambda start, stop: raw[start:stop])) == key else b""
        except CorruptValue:
            return b""

    # questions

    def ask(self, question: Callable[["State"], _T]) -> tuple[_T] | None:
        """Return what the index says, made before where it has to be; None where none can be had."""

        def read(txn: Any, db: Databases) -> tuple[_T] | None:
            marker = self._marker(txn, db, txn.id())
            keys = self._waiting(txn, db, _FEW + 1)[0] if marker is not None and marker.last is None else None
            if keys is None or len(keys) > _FEW:
                return None
            index, waiting = self._index(txn, db), []
            for key in keys:
                raw = self._record(txn, db, key) if index.number(key) is None else None
                if raw:
                    waiting.append((key, raw))
            return (question(State(index, waiting, txn, db)),)

        was_damaged = False
        for _ in range(_TRIES):
            try:
                found = self._environment.run(read, buffers=True)
                if found is not None:
                    return found
                self.build()
            except (StoreLocked, StoreFull) as error:
                _log.info("the metadata are not indexed: %s", error)
                return None
            except (StoreError, Unusable) as error:
                _log.warning("the index of metadata is damaged: %s", error)
                if was_damaged or not self._forgotten():
                    return None
                was_damaged = True
        return None

    def _forgotten(self) -> bool:
        """Forget the index, so that it is made anew; False where that cannot be done."""
        try:
            self._forget()
        except StoreError as error:
            _log.warning("the index of metadata stays as it is: %s", error)
            return False
        return True

    def _forget(self) -> None:
        self._environment.run(lambda txn, db: txn.delete(MARKER, db=db[_PENDING]), write=True)

    # making it

    def build(self, anew: bool = False) -> None:
        """Make the index, as far as it is not made.

        Args:
            anew (bool): throw away what there is.

        Raises:
            StoreLocked, StoreFull: nothing can be written.
            CorruptValue, Unusable: the store is damaged.
        """
        if anew:
            self._forget()
        from tqdm import tqdm

        if self._environment.run(self._is_outdated, buffers=True):
            # to throw away a tree that is damaged could free pages that belong to records
            for damage in self._inspect():
                raise CorruptValue(f"the store is damaged, so its index stays as it is: {damage}")
        count = self._environment.run(self._left, buffers=True)
        with tqdm(total=count, unit="document", desc="indexing metadata", disable=None, delay=1, leave=False) as bar:
            is_done = False
            while not is_done:
                is_done, seen = self._environment.run(self._step, write=True, buffers=True)
                bar.update(seen)

    def _is_outdated(self, txn: Any, db: Databases) -> bool:
        """Tell whether there is an index that has to be thrown away."""
        is_there = any(txn.stat(db[name])["entries"] for name in (_INDEX, _PENDING))
        return is_there and self._marker(txn, db, txn.id()) is None

    def _left(self, txn: Any, db: Databases) -> int:
        """Return how many documents are not indexed, at most."""
        marker = self._marker(txn, db, txn.id())
        if marker is None or marker.last is not None:
            return int(txn.stat(db[_RECORDS])["entries"])
        return NOTED * int(txn.stat(db[_PENDING])["entries"])

    def _step(self, txn: Any, db: Databases) -> tuple[bool, int]:
        """Take some more records into the index; return whether it is complete, and how many they were."""
        with _damage():
            marker = self._marker(txn, db, txn.id() - 1)
            if marker is None:
                for name in (_INDEX, _PENDING):
                    txn.drop(db[name], delete=False)
                marker = Marker(0, b"")
            index = self._index(txn, db)
            notes: list[bytes] = []
            if marker.last is not None:
                news, last = self._records_after(txn, db, marker.last, _STEP)
            else:
                keys, notes = self._waiting(txn, db, _STEP)
                news = {key: self._record(txn, db, key) for key in keys if index.number(key) is None}
                last = None
                if not notes:
                    return True, 0
            try:
                puts = index.plan({key: (None, raw) for key, raw in news.items()})
            except Unsure as error:
                raise CorruptValue(f"the index is not what it was: {error}") from error
            _write(txn, db[_INDEX], puts)
            _write(txn, db[_PENDING], dict.fromkeys(notes))
            write_marker(txn, db[_PENDING], last)
            return False, len(news)

    def _waiting(self, txn: Any, db: Databases, count: int) -> tuple[list[bytes], list[bytes]]:
        """Return keys of records that wait, ``count`` or a few more, and the keys of the entries that say so."""
        keys: dict[bytes, None] = {}
        notes: list[bytes] = []
        bounds = self._environment.bounds
        with txn.cursor(db[_PENDING]) as cursor:
            there = cursor.set_range(WAITING)
            while there and len(keys) < count and cursor.key()[:1] == WAITING:
                notes.append(bounds.key(cursor))
                if notes[1:] and notes[-2] >= notes[-1]:
                    raise CorruptValue("the notes of what is to be indexed are out of order")
                keys.update(dict.fromkeys(unpacked_keys(checked(notes[-1], bounds.value(cursor)))))
                there = cursor.next()
        return list(keys), notes

    def _record(self, txn: Any, db: Databases, key: bytes) -> bytes | None:
        """Return a record; no bytes for one that is damaged, or that of another document."""
        try:
            with txn.cursor(db[_RECORDS]) as cursor:
                return self._owned(key, self._environment.bounds.value(cursor)) if cursor.set_key(key) else None
        except CorruptValue as error:
            _log.warning("a document has no metadata in the index: %s", error)
            return b""

    def _records_after(
        self, txn: Any, db: Databases, last: bytes, count: int
    ) -> tuple[dict[bytes, bytes | None], bytes | None]:
        """Return some records by key, and the last key; None in its place where no more follow."""
        found: dict[bytes, bytes | None] = {}
        size, bounds = 0, self._environment.bounds
        with txn.cursor(db[_RECORDS]) as cursor:
            there = cursor.set_range(last + b"\0")
            while there:
                if len(found) >= count or size > _STEP_BYTES:
                    return found, last
                key = bounds.key(cursor)
                if key <= last:  # else a damaged page could keep this going for ever
                    raise CorruptValue(f"the keys of records are out of order at {key[:40]!r}")
                last = key
                try:
                    raw = self._owned(last, bounds.value(cursor))
                except CorruptValue as error:
                    _log.warning("a document has no metadata in the index: %s", error)
                    raw = b""
                found[last] = raw
                size += len(raw or b"")
                there = cursor.next()
        return found, None

    # checking it

    def inspect(self) -> Iterator[tuple[bytes | None, str]]:
        """Yield keys of records that the index gets wrong, and what is wrong with it as a whole.

        Where others write meanwhile, what the index has beyond the records is not looked for.
        """
        last: bytes | None = b""
        totals = 0
        states = set()
        try:
            while last is not None:
                after = last

                def check(txn: Any, db: Databases, after: bytes = after) -> tuple[Any, list[bytes], int, bytes | None]:
                    marker = self._marker(txn, db, txn.id())
                    if marker is None or marker.last is not None:
                        return None, [], 0, None
                    records, following = self._records_after(txn, db, after, _CHECKED)
                    index, pending = self._index(txn, db), set(self._waiting(txn, db, len(records) << 32)[0])
                    known = {
                        key: raw or b"" for key, raw in records.items()
                        if key not in pending or index.number(key) is not None
                    }  # fmt: skip
                    wrong = [key for key, raw in known.items() if not index.holds(key, raw)]
                    return txn.id(), wrong, sum(map(count_terms, known.values())), following

                state, wrong, terms, last = self._environment.run(check, buffers=True)
                if state is None:
                    return  # it is made anew before it is asked
                states.add(state)
                totals += terms
                yield from ((key, "the index does not say of its metadata what its record says") for key in wrong)
            yield from self._checked_totals(states, totals)
        except CorruptValue as error:
            yield None, f"the index of metadata is damaged: {error}"

    def _checked_totals(self, states: set[int], terms: int) -> Iterator[tuple[None, str]]:
        def read(txn: Any, db: Databases) -> tuple[int, tuple[int, int]]:
            return txn.id(), self._index(txn, db).count()

        state, (fields, found) = self._environment.run(read, buffers=True)
        if states == {state} and (found, fields) != (terms, terms):
            yield None, f"the index of metadata holds {found} terms and {fields} fields where the records have {terms}"


def _id_size(raw: bytes) -> int:
    return int.from_bytes(raw[4:8], "little")


def _write(txn: Any, table: Any, puts: Mapping[bytes, bytes | None]) -> None:
    for key in sorted(puts):
        value = puts[key]
        if value is None:
            txn.delete(key, db=table)
        else:
            txn.put(key, sealed(key, value), db=table)


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.BadTxnError) as error:
        raise Unusable(str(error)) from error
