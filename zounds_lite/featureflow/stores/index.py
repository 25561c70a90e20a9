"""The index of an LMDB store: which documents hold a term, kept in the transactions that write their records.

Goal: a question is answered from the index alone, and the index is never trusted where it may be wrong. All that
stands in it follows from the records, so it can be thrown away at any time.

Layout of the sub-database ``index``; numbers are big-endian, so that keys are in their order:

- ``d`` + key of a record -> number of the document (u64). Documents are numbered as they come, if they have terms.
- ``n`` + number -> key of the record.
- ``f`` + hash of feature and field -> number of the field (u32), documents that have it (u64), both names as JSON.
- ``p`` + number of the field + key of the value (``terms``) + block (u32) -> which of the 1,024 documents of a block
  hold it, as sorted offsets (u16, little-endian). So a value that all documents share takes two bytes of each.

The marker says up to which record the index goes, and which transaction wrote it. Whoever changes records changes the
index and the marker with them. Where the marker names another transaction than the one before, somebody wrote who knows
no index, and it is made anew; where a change cannot tell what a record held, because it is damaged, the marker goes.

Classes: ``Marker``, ``Index``; error ``Unsure``; function ``count_terms``.
"""

import hashlib
import itertools
import json
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue
from zounds_lite.featureflow.stores.criteria import Criterion
from zounds_lite.featureflow.stores.terms import Term, terms_of

__all__ = ["Index", "Marker", "Unsure", "count_terms"]

_RULES = 1
"""Version of what terms a record has, and of this layout; an index of another one is made anew."""

_BITS = 10
_NUMBER, _FIELD, _BLOCK = struct.Struct(">Q"), struct.Struct(">IQ"), struct.Struct(">I")
_MARKER = struct.Struct(">BQ?")
_MOST = 2 << _BITS

Puts = dict[bytes, bytes | None]
"""What is to be written: keys and values, None to delete."""


class Unsure(Exception):
    """The index does not say what the records say, or nobody can tell."""


@dataclass(frozen=True)
class Marker:
    """How far an index goes.

    Args:
        transaction (int): the last one that wrote to the store.
        last (bytes | None): the last record that is in the index, in order of keys; None: all are.
    """

    transaction: int
    last: bytes | None = None

    @classmethod
    def from_bytes(cls, raw: bytes | None) -> "Marker | None":
        """Read a marker; None where there is none that this version understands."""
        if raw is None or len(raw) < _MARKER.size:
            return None
        rules, transaction, is_complete = _MARKER.unpack_from(raw)
        return cls(transaction, None if is_complete else raw[_MARKER.size :]) if rules == _RULES else None

    def to_bytes(self) -> bytes:
        """Write the marker."""
        return _MARKER.pack(_RULES, self.transaction, self.last is None) + (self.last or b"")

    def covers(self, key: bytes) -> bool:
        """Tell whether a record is in the index."""
        return self.last is None or key <= self.last


class Index:
    """The index as of a transaction that has written nothing yet.

    Args:
        cursor: of the sub-database.
        bounds (Bounds): what checks entries before they are read.

    All methods raise ``CorruptValue`` where an entry is damaged.
    """

    def __init__(self, cursor: Any, bounds: Any) -> None:
        self._cursor = cursor
        self._bounds = bounds

    def _get(self, key: bytes) -> bytes | None:
        return self._bounds.value(self._cursor) if self._cursor.set_key(key) else None

    def _entries(self, low: bytes, high: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries from one key to another, which is left out."""
        cursor, bounds = self._cursor, self._bounds
        there = cursor.set_range(low)
        while there:
            key = bounds.key(cursor)
            if key >= high:
                return
            yield key, bounds.value(cursor)
            there = cursor.next()

    # what a change does

    def plan(self, changes: Mapping[bytes, tuple[bytes | None, bytes | None]]) -> Puts:
        """Return what to write where records change.

        Args:
            changes (Mapping): old and new record, by key.

        Raises:
            Unsure: the index cannot be kept right.
        """
        puts: Puts = {}
        moves: dict[Term, tuple[list[int], list[int]]] = {}
        numbers = None
        for key, (old, new) in changes.items():
            before, after = self._old_terms(key, old), _terms(new) or frozenset()
            if before == after:
                continue
            number = self._number(key)
            if (number is not None) != bool(before):
                raise Unsure(f"the record {key[:80]!r} has terms and no number, or a number and no terms")
            if number is None:
                numbers = itertools.count(self._following()) if numbers is None else numbers
                number = next(numbers)
            if not before or not after:
                puts[b"d" + key] = _NUMBER.pack(number) if after else None
                puts[b"n" + _NUMBER.pack(number)] = key if after else None
            for terms, sign in ((after - before, 0), (before - after, 1)):
                for term in terms:
                    moves.setdefault(term, ([], []))[sign].append(number)
        fields = self._fields(moves, puts)
        for term, (added, removed) in moves.items():
            self._move(fields[term.feature, term.field] + term.key, added, removed, puts)
        return puts

    def _old_terms(self, key: bytes, old: bytes | None) -> frozenset[Term]:
        """Return what the index has of a record, which is what its old bytes say."""
        terms = frozenset() if old is None else _terms(old)
        if terms is None and self._number(key) is not None:
            raise Unsure(f"the old record {key[:80]!r} is damaged, so nobody can tell what the index has of it")
        return terms or frozenset()

    def _number(self, key: bytes) -> int | None:
        raw = self._get(b"d" + key)
        return None if raw is None else _unpacked(_NUMBER, raw)[0]

    def _following(self) -> int:
        """Return the number after the last one that is taken."""
        cursor = self._cursor
        there = cursor.prev() if cursor.set_range(b"o") else cursor.last()
        key = self._bounds.key(cursor) if there else b""
        return _unpacked(_NUMBER, key[1:])[0] + 1 if key[:1] == b"n" else 0

    def _fields(self, moves: Mapping[Term, tuple[list[int], list[int]]], puts: Puts) -> dict[tuple[str, str], bytes]:
        """Return what keys of postings begin with, by field; note in ``puts`` how many documents have each."""
        changes: Counter[tuple[str, str]] = Counter()
        for term, (added, removed) in moves.items():
            changes[term.feature, term.field] += len(added) - len(removed)
        found, last = {}, None
        for names, change in changes.items():
            place, key = self._place(names), _field_key(names)
            if place is None:
                last = _unpacked(_BLOCK, self._get(b"f") or b"\0\0\0\0")[0] if last is None else last
                last += 1
                place = last, 0
                puts[b"f"] = _BLOCK.pack(last)
            number, count = place[0], place[1] + change
            if count < 0:
                raise Unsure(f"fewer than no documents have the field {names!r}")
            if change or not place[1]:
                puts[key] = _FIELD.pack(number, count) + json.dumps(names).encode("ascii")
            found[names] = b"p" + _BLOCK.pack(number)
        return found

    def _place(self, names: tuple[str, str]) -> tuple[int, int] | None:
        """Return number and count of a field."""
        raw = self._get(_field_key(names))
        return None if raw is None else _unpacked(_FIELD, raw[: _FIELD.size])

    def _move(self, head: bytes, added: Iterable[int], removed: Iterable[int], puts: Puts) -> None:
        """Note in ``puts`` which documents hold a term from now on, and which do not any more."""
        blocks: defaultdict[int, tuple[set[int], set[int]]] = defaultdict(lambda: (set(), set()))
        for numbers, sign in ((added, 0), (removed, 1)):
            for number in numbers:
                blocks[number >> _BITS][sign].add(number & (1 << _BITS) - 1)
        for block, (more, less) in blocks.items():
            key = head + _BLOCK.pack(block)
            there = _unpacked_offsets(self._get(key))
            if less - there or more & there:
                raise Unsure(f"the index has other documents under {key[:80]!r} than the records say")
            now = sorted((there - less) | more)
            puts[key] = struct.pack(f"<{len(now)}H", *now) if now else None

    # what is asked

    def find(self, criteria: Sequence[Criterion]) -> np.ndarray:
        """Return the numbers of the documents that meet all criteria, in order."""
        found: np.ndarray | None = None
        for criterion in criteria:
            numbers = self._holding(criterion)
            found = numbers if found is None else np.intersect1d(found, numbers, assume_unique=True)
            if not len(found):
                break
        return np.zeros(0, np.int64) if found is None else found

    def _holding(self, criterion: Criterion) -> np.ndarray:
        place = self._place((criterion.feature, criterion.field))
        if place is None:
            return np.zeros(0, np.int64)
        parts = [numbers for low, high in criterion.ranges for _, numbers in self._postings(place[0], low, high)]
        return np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.int64)

    def _postings(self, field: int, low: bytes, high: bytes) -> Iterator[tuple[bytes, np.ndarray]]:
        """Yield keys of values of a field, each with numbers of documents that hold it, as often as it has blocks."""
        head = b"p" + _BLOCK.pack(field)
        for key, raw in self._entries(head + low, head + high + b"\xff" * 5):
            (block,) = _unpacked(_BLOCK, key[-4:])
            if key[5:-4] <= high:
                yield key[5:-4], _offsets(raw) + (block << _BITS)

    def values(self, names: tuple[str, str], among: np.ndarray | None) -> Iterator[tuple[bytes, int, int]]:
        """Yield the keys of a field's values; how many documents hold each, and the number of one of them.

        Args:
            names (tuple[str, str]): the feature and the field.
            among (np.ndarray | None): numbers of the documents that count, in order; None: all.
        """
        place = self._place(names)
        last, count, one = b"", 0, 0
        for key, numbers in self._postings(place[0], b"", b"\xff") if place is not None else ():
            if among is not None:
                numbers = np.intersect1d(numbers, among, assume_unique=True)
            if not len(numbers):
                continue
            if key != last and count:
                yield last, count, one
                count = 0
            last, count, one = key, count + len(numbers), int(numbers[0])
        if count:
            yield last, count, one

    def keys(self, numbers: Iterable[int]) -> Iterator[bytes]:
        """Yield the keys of the records of documents."""
        for number in numbers:
            key = self._get(b"n" + _NUMBER.pack(number))
            if key is None:
                raise CorruptValue(f"the index lacks document number {number}")
            yield key

    def fields(self) -> dict[tuple[str, str], int]:
        """Return how many documents have each field, by feature and name."""
        found = {}
        for key, raw in self._entries(b"f\0", b"g"):
            _, count = _unpacked(_FIELD, raw[: _FIELD.size])
            names = _names(raw[_FIELD.size :])
            if _field_key(names) != key:
                raise CorruptValue(f"the index keeps the field {names!r} in another place")
            if count:
                found[names] = count
        return found

    # what is checked

    def holds(self, key: bytes, raw: bytes) -> bool:
        """Tell whether the index says of a record what the record says itself."""
        terms, number = _terms(raw) or frozenset(), self._number(key)
        if number is None or not terms:
            return number is None and not terms
        if self._get(b"n" + _NUMBER.pack(number)) != key:
            return False
        for term in terms:
            place = self._place((term.feature, term.field))
            if place is None:
                return False
            found = self._get(b"p" + _BLOCK.pack(place[0]) + term.key + _BLOCK.pack(number >> _BITS))
            if found is None or number & (1 << _BITS) - 1 not in _offsets(found):
                return False
        return True

    def count(self) -> tuple[int, int, int]:
        """Return how many documents, fields of documents, and terms of documents there are."""
        documents = sum(1 for _ in self._entries(b"n", b"o"))
        terms = sum(len(_offsets(raw)) for _, raw in self._entries(b"p", b"q"))
        return documents, sum(self.fields().values()), terms


def count_terms(raw: bytes) -> int:
    """Return how many terms a record has; none, where it is damaged."""
    return len(_terms(raw) or ())


def _terms(raw: bytes | None) -> frozenset[Term] | None:
    """Return the terms of a record, none where there is no record; None where it is damaged."""
    try:
        return frozenset() if raw is None else terms_of(raw)
    except CorruptValue:
        return None


def _field_key(names: tuple[str, str]) -> bytes:
    return b"f" + hashlib.blake2b(json.dumps(names).encode("ascii"), digest_size=16).digest()


def _names(raw: bytes) -> tuple[str, str]:
    try:
        feature, field = json.loads(raw)
    except (ValueError, TypeError, RecursionError) as error:
        raise CorruptValue(f"the index names a field as {raw[:40]!r}") from error
    return str(feature), str(field)


def _unpacked(form: struct.Struct, raw: bytes) -> Any:
    if len(raw) != form.size:
        raise CorruptValue(f"an entry of the index has {len(raw)} bytes, not {form.size}")
    return form.unpack(raw)


def _unpacked_offsets(raw: bytes | None) -> set[int]:
    """Return the offsets of a block, which is short as a rule."""
    if raw is None:
        return set()
    if len(raw) % 2 or len(raw) > _MOST:
        raise CorruptValue(f"a block of the index has {len(raw)} bytes")
    return set(struct.unpack(f"<{len(raw) // 2}H", raw))


def _offsets(raw: bytes) -> np.ndarray:
    """Return the offsets of a block, in order."""
    if len(raw) % 2 or len(raw) > _MOST:
        raise CorruptValue(f"a block of the index has {len(raw)} bytes")
    found = np.frombuffer(raw, "<u2").astype(np.int64)
    if len(found) and (found[-1] >> _BITS or (found[1:] <= found[:-1]).any()):
        raise CorruptValue("a block of the index is out of order")
    return found
