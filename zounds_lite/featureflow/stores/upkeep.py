"""Upkeep of the index of an LMDB store: written with the records, made anew where it may be wrong, checked.

Why this way: an index that is missing or not to be trusted is made by the first question, some hundred documents in a
transaction, so that other writers get their turns, memory is bounded, and what was interrupted goes on. What stands in
the way of an index never stands in the way of records: then a change is written without one. Class: ``Upkeep``; error
``Unusable``.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import lmdb

from zounds_lite.errors import CorruptValue, StoreFull, StoreLocked
from zounds_lite.featureflow.record import read_id
from zounds_lite.featureflow.stores.environment import Environment
from zounds_lite.featureflow.stores.index import Index, Marker, Unsure, count_terms

__all__ = ["Unusable", "Upkeep"]

_META, _RECORDS, _INDEX = b"meta", b"records", b"index"
_MARKER = b"indexed"
_STEP, _STEP_BYTES = 500, 32 * 2**20
_CHECKED = 500
_TRIES = 20
_T = TypeVar("_T")

_log = logging.getLogger(__name__)

Databases = Mapping[bytes, Any]


class Unusable(Exception):
    """The pages of the index are damaged, so that its transaction cannot be ended."""


class Upkeep:
    """Keeps the index of a store.

    Args:
        environment (Environment): the store's.
        key_of (Callable[[str], bytes]): the key of a record, by id.
    """

    def __init__(self, environment: Environment, key_of: Callable[[str], bytes]) -> None:
        self._environment = environment
        self._key_of = key_of

    def _index(self, txn: Any, db: Databases) -> Index:
        return Index(txn.cursor(db[_INDEX]), self._environment.bounds)

    def _marker(self, txn: Any, db: Databases, written_by: int) -> Marker | None:
        """Return the marker of an index that goes with the records as a transaction left them; else None."""
        with txn.cursor(db[_META]) as cursor:
            raw = self._environment.bounds.value(cursor) if cursor.set_key(_MARKER) else None
        found = Marker.from_bytes(raw)
        return found if found is not None and found.transaction == written_by else None

    # in a change

    def planned(
        self, txn: Any, db: Databases, changes: Mapping[bytes, tuple[bytes | None, bytes | None]]
    ) -> Callable[[], None]:
        """Look up what a change means for the index; return what writes that, after the records.

        Args:
            txn: the transaction of the change, which has written nothing so far.
            db: its sub-databases.
            changes (Mapping): old and new records, by key.

        Raises:
            Unusable: the change has to begin again, without an index.
        """
        with _damage():
            try:
                marker = self._marker(txn, db, txn.id() - 1) or self._begun(txn, db)
                if marker is None:
                    return lambda: None
                owned = {key: (old, self._owned(key, new)) for key, (old, new) in changes.items() if marker.covers(key)}
                puts = self._index(txn, db).plan(owned) if owned else {}
            except (CorruptValue, Unsure) as error:
                # the marker stays what it was, so nobody trusts the index from now on
                _log.warning("the index of metadata will be made anew: %s", error)
                return lambda: None
        following = Marker(txn.id(), marker.last)

        def write() -> None:
            with _damage():
                _write(txn, db, puts)
                txn.put(_MARKER, following.to_bytes(), db=db[_META])

        return write

    def _begun(self, txn: Any, db: Databases) -> Marker | None:
        """Begin the index of a store that holds nothing, which is complete."""
        if txn.stat(db[_RECORDS])["entries"]:
            return None
        if txn.stat(db[_INDEX])["entries"]:
            txn.drop(db[_INDEX], delete=False)
        return Marker(0)

    def _owned(self, key: bytes, raw: bytes | None) -> bytes | None:
        """Return a record, or no bytes where it is that of another document."""
        if raw is None:
            return None
        try:
            return raw if self._key_of(read_id(lambda start, stop: raw[start:stop])) == key else b""
        except CorruptValue:
            return b""

    # questions

    def ask(self, question: Callable[[Index, Any, Databases], _T]) -> tuple[_T] | None:
        """Return what the index says, made before where it has to be; None where none can be had.

        Args:
            question (Callable): gets the index, and the transaction with its sub-databases.
        """

        def read(txn: Any, db: Databases) -> tuple[_T] | None:
            marker = self._marker(txn, db, txn.id())
            if marker is None or marker.last is not None:
                return None
            return (question(self._index(txn, db), txn, db),)

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
            except (CorruptValue, Unusable) as error:
                _log.warning("the index of metadata is damaged: %s", error)
                if was_damaged or not self._forgotten():
                    return None
                was_damaged = True
        return None

    def _forgotten(self) -> bool:
        """Take the marker away, so that the index is made anew; False where that cannot be done."""
        try:
            self._environment.run(lambda txn, db: txn.delete(_MARKER, db=db[_META]), write=True)
        except (StoreLocked, StoreFull, CorruptValue) as error:
            _log.warning("the index of metadata stays as it is: %s", error)
            return False
        return True

    # making it

    def build(self, anew: bool = False) -> None:
        """Make the index, as far as it is not made.

        Args:
            anew (bool): throw away what there is.

        Raises:
            StoreLocked, StoreFull: nothing can be written.
            CorruptValue, Unusable: the store is damaged.
        """
        if anew and not self._forgotten():
            raise StoreLocked("the index cannot be made anew in a store that is read-only or full")
        from tqdm import tqdm

        count = self._environment.run(lambda txn, db: int(txn.stat(db[_RECORDS])["entries"]))
        with tqdm(total=count, unit="document", desc="indexing metadata", disable=None, delay=1, leave=False) as bar:
            is_done = False
            while not is_done:
                is_done, seen = self._environment.run(self._step, write=True, buffers=True)
                bar.update(seen)

    def _step(self, txn: Any, db: Databases) -> tuple[bool, int]:
        """Take some more records into the index; return whether it is complete, and how many they were."""
        with _damage():
            marker = self._marker(txn, db, txn.id() - 1)
            if marker is None:
                txn.drop(db[_INDEX], delete=False)
                marker = Marker(0, b"")
            if marker.last is None:
                return True, 0
            news, last = self._records_after(txn, db, marker.last)
            try:
                puts = self._index(txn, db).plan({key: (None, raw) for key, raw in news.items()})
            except Unsure as error:
                raise CorruptValue(f"the index is not what it was: {error}") from error
            _write(txn, db, puts)
            txn.put(_MARKER, Marker(txn.id(), last).to_bytes(), db=db[_META])
            return last is None, len(news)

    def _records_after(
        self, txn: Any, db: Databases, last: bytes, count: int = _STEP
    ) -> tuple[dict[bytes, bytes | None], bytes | None]:
        """Return some records by key, and the last key; None in its place where no more follow."""
        found: dict[bytes, bytes | None] = {}
        size, bounds = 0, self._environment.bounds
        with txn.cursor(db[_RECORDS]) as cursor:
            there = cursor.set_range(last + b"\0")
            while there:
                if len(found) >= count or size > _STEP_BYTES:
                    return found, last
                last = bounds.key(cursor)
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
                    index = self._index(txn, db)
                    wrong = [key for key, raw in records.items() if not index.holds(key, raw or b"")]
                    return txn.id(), wrong, sum(count_terms(raw or b"") for raw in records.values()), following

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
        def read(txn: Any, db: Databases) -> tuple[int, tuple[int, int, int]]:
            return txn.id(), self._index(txn, db).count()

        state, (_, fields, found) = self._environment.run(read, buffers=True)
        if states == {state} and (found, fields) != (terms, terms):
            yield None, f"the index of metadata holds {found} terms and {fields} fields where the records have {terms}"


def _write(txn: Any, db: Databases, puts: Mapping[bytes, bytes | None]) -> None:
    table = db[_INDEX]
    for key in sorted(puts):
        value = puts[key]
        if value is None:
            txn.delete(key, db=table)
        else:
            txn.put(key, value, db=table)


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.BadTxnError) as error:
        raise Unusable(str(error)) from error
