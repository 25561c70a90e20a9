"""The index of an LMDB store: which documents hold a term, kept in the transactions that write their records.

Goal: a question is answered from the index alone, and the index is never trusted where it may be wrong. All that
stands in it follows from the records, so it can be thrown away at any time.

Layout of the sub-database ``index``; numbers are big-endian, so that keys are in their order, and each value begins
with four bytes of the checksum of key and value, so that one flipped bit makes no wrong answer:

- ``d`` + key of a record -> number of the document (u64). Documents are numbered as they come, if they have terms.
- ``n`` + block (u64) -> keys of the records of 128 documents: their number and lengths (u16, 0 for one that is gone),
  then all keys.
- ``f`` + hash of feature and field -> number of the field (u32), documents that have it (u64), both names as JSON.
- ``p`` + number of the field + key of the value (``terms``) + block (u32) -> which of the 1,024 documents of a block
  hold it, as sorted offsets (u16, little-endian). So a value that all documents share takes two bytes of each.

To index a document takes longer than to write a small one, so a new one is only noted, in the sub-database ``pending``,
and indexed when it is asked for; one that is indexed and changes is changed here, too. There, ``q`` + transaction (u64)
has the keys of the records that wait, as in ``n``, and ``z`` is the marker: which transaction wrote it, and up to which
record the index goes while it is made. Whoever writes to the store writes the marker, so where it names another
transaction than the last one, somebody wrote who knows no index, and it is made anew; where a change cannot tell what a
record held, because it is damaged, the marker is left as it was.

Class: ``Index``; error ``Unsure``; function ``count_terms``.
"""

import hashlib
import itertools
import json
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue
from zounds_lite.featureflow.stores.criteria import Criterion
from zounds_lite.featureflow.stores.notes import checked, key_ends, packed_keys, unpacked_keys
from zounds_lite.featureflow.stores.terms import Term, terms_of

__all__ = ["Index", "Unsure", "count_terms"]

_BITS, _KEY_BITS = 10, 7
_NUMBER, _FIELD, _BLOCK = struct.Struct(">Q"), struct.Struct(">IQ"), struct.Struct(">I")
_MOST = 2 << _BITS

Puts = dict[bytes, bytes | None]
"""What is to be written: keys and values, None to delete."""


class Unsure(Exception):
    """The index does not say what the records say, or nobody can tell."""


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
        return checked(key, self._bounds.value(self._cursor)) if self._cursor.set_key(key) else None

    def _entries(self, low: bytes, high: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries from one key to another, which is left out."""
        while self._cursor.set_range(low):
            for key, value in self._bounds.rest_of_page(self._cursor):
                if key >= high:
                    return
                if key < low:  # else a damaged page could keep this going for ever
                    raise CorruptValue(f"the keys of the index are out of order at {key[:40]!r}")
                yield key, (self._get(key) or b"") if value is None else checked(key, value)
                low = key + b"\0"

    # what a change does

    def plan(self, changes: Mapping[bytes, tuple[bytes | None, bytes | None]]) -> Puts:
        """Return what to write where records change.

        Args:
            changes (Mapping): old and new record, by key.

        Raises:
            Unsure: the index cannot be kept right.
        """
        puts: Puts = {}
        named: dict[int, bytes] = {}
        moves: dict[Term, tuple[list[int], list[int]]] = {}
        numbers = None
        for key, (old, new) in changes.items():
            before, after = self._old_terms(key, old), _terms(new) or frozenset()
            if before == after:
                continue
            number = self.number(key)
            if (number is not None) != bool(before):
                raise Unsure(f"the record {key[:80]!r} has terms and no number, or a number and no terms")
            if number is None:
                numbers = itertools.count(self._following()) if numbers is None else numbers
                number = next(numbers)
            if not before or not after:
                puts[b"d" + key] = _NUMBER.pack(number) if after else None
                named[number] = key if after else b""
            for terms, sign in ((after - before, 0), (before - after, 1)):
                for term in terms:
                    moves.setdefault(term, ([], []))[sign].append(number)
        self._name(named, puts)
        fields = self._fields(moves, puts)
        for term, (added, removed) in moves.items():
            self._move(fields[term.feature, term.field] + term.key, added, removed, puts)
        return puts

    def _old_terms(self, key: bytes, old: bytes | None) -> frozenset[Term]:
        """Return what the index has of a record, which is what its old bytes say."""
        terms = frozenset() if old is None else _terms(old)
        if terms is None and self.number(key) is not None:
            raise Unsure(f"the old record {key[:80]!r} is damaged, so nobody can tell what the index has of it")
        return terms or frozenset()

    def number(self, key: bytes) -> int | None:
        """Return the number of a document that is indexed, by the key of its record."""
        raw = self._get(b"d" + key)
        return None if raw is None else _unpacked(_NUMBER, raw)[0]

    def _following(self) -> int:
        """Return the number after the last one that was taken."""
        cursor = self._cursor
        there = cursor.prev() if cursor.set_range(b"o") else cursor.last()
        key = self._bounds.key(cursor) if there else b""
        if key[:1] != b"n":
            return 0
        (block,) = _unpacked(_NUMBER, key[1:])
        return (block << _KEY_BITS) + len(unpacked_keys(self._get(key) or b""))

    def _name(self, named: Mapping[int, bytes], puts: Puts) -> None:
        """Note in ``puts`` the keys of records by number; no bytes for those that are gone."""
        blocks: defaultdict[int, dict[int, bytes]] = defaultdict(dict)
        for number, key in named.items():
            blocks[number >> _KEY_BITS][number & (1 << _KEY_BITS) - 1] = key
        for block, news in blocks.items():
            place = b"n" + _NUMBER.pack(block)
            keys = unpacked_keys(self._get(place) or b"")
            keys += [b""] * (max(news) + 1 - len(keys))
            for offset, key in news.items():
                if bool(key) == bool(keys[offset]):
                    raise Unsure(f"the number {(block << _KEY_BITS) + offset} is taken or gone")
                keys[offset] = key
            puts[place] = packed_keys(keys)

    def _fields(self, moves: Mapping[Term, tuple[list[int], list[int]]], puts: Puts) -> dict[tuple[str, str], bytes]:
        """Return what keys of postings begin with, by field; note in ``puts`` how many documents have each."""
        changes: Counter[tuple[str, str]] = Counter()
        for term, (added, removed) in moves.items():
            changes[term.feature, term.field] += len(added) - len(removed)
        found, last = {}, None
        for names, change in sorted(changes.items()):
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
            there = _offsets(self._get(key))
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
            found = numbers if found is None else _common(found, numbers)
            if not len(found):
                break
        return np.zeros(0, np.int64) if found is None else found

    def _holding(self, criterion: Criterion) -> np.ndarray:
        """Return the numbers of the documents that meet one criterion, in order."""
        place = self._place((criterion.feature, criterion.field))
        if place is None:
            return np.zeros(0, np.int64)
        numbers = (self._postings(place[0], *ends)[2] for ends in criterion.ranges)
        return _in_order(np.concatenate([np.zeros(0, np.int64), *numbers]))

    def _postings(self, field: int, low: bytes, high: bytes) -> tuple[list[bytes], np.ndarray, np.ndarray]:
        """Return what stands under the values of a field.

        Returns:
            tuple: keys of values, each as often as it has blocks; how many documents each block has; all their numbers.
        """
        keys, blocks, parts = [], [], []
        for key, raw in self._entries(head := b"p" + _BLOCK.pack(field) + low, head[:5] + high + b"\xff" * 5):
            if key[5:-4] <= high:
                keys.append(key[5:-4])
                blocks.append(key[-4:])
                parts.append(raw)
        sizes = np.fromiter(map(len, parts), np.int64, len(parts))
        if (sizes % 2).any() or (sizes > _MOST).any() or not all(len(key) == 4 for key in blocks):
            raise CorruptValue("a block of the index has a size that none can have")
        offsets = np.frombuffer(b"".join(parts), "<u2").astype(np.int64)
        starts = np.frombuffer(b"".join(blocks), ">u4").astype(np.int64) << _BITS
        if (offsets >> _BITS).any():
            raise CorruptValue("a block of the index names documents beyond it")
        return keys, sizes // 2, offsets + np.repeat(starts, sizes // 2)

    def values(self, names: tuple[str, str], among: np.ndarray | None) -> list[tuple[bytes, int, int]]:
        """Return the keys of a field's values in order; how many documents hold each, and the number of one of them.

        Args:
            names (tuple[str, str]): the feature and the field.
            among (np.ndarray | None): numbers of the documents that count, in order; None: all.
        """
        place = self._place(names)
        if place is None:
            return []
        keys, counts, numbers = self._postings(place[0], b"", b"\xff")
        if len(numbers) != place[1]:
            raise CorruptValue(
                f"the index holds {len(numbers)} values of {place[1]} documents with the field {names!r}"
            )
        of = np.repeat(np.arange(len(keys)), counts)
        if among is not None:
            is_among = np.isin(numbers, among)
            of, numbers = of[is_among], numbers[is_among]
        found: dict[bytes, tuple[int, int]] = {}
        places, firsts, counts = np.unique(of, return_index=True, return_counts=True)
        for at, first, count in zip(places.tolist(), firsts.tolist(), counts.tolist(), strict=True):
            found[keys[at]] = found.get(keys[at], (0, 0))[0] + count, int(numbers[first])
        return [(key, count, number) for key, (count, number) in found.items()]

    def keys(self, numbers: Iterable[int]) -> list[bytes]:
        """Return the keys of the records of documents."""
        found: list[bytes] = []
        last, raw, ends = -1, b"", [0]
        for number in numbers:
            block, offset = number >> _KEY_BITS, number & (1 << _KEY_BITS) - 1
            if block != last:
                last, raw = block, self._get(b"n" + _NUMBER.pack(block)) or b""
                ends = key_ends(raw)
            key = raw[ends[offset] : ends[offset + 1]] if offset + 1 < len(ends) else b""
            if not key:
                raise CorruptValue(f"the index lacks document number {number}")
            found.append(key)
        return found

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
        terms, number = _terms(raw) or frozenset(), self.number(key)
        if number is None or not terms:
            return number is None and not terms
        names = unpacked_keys(self._get(b"n" + _NUMBER.pack(number >> _KEY_BITS)) or b"")
        if dict(enumerate(names)).get(number & (1 << _KEY_BITS) - 1) != key:
            return False
        for term in terms:
            place = self._place((term.feature, term.field))
            if place is None:
                return False
            found = self._get(b"p" + _BLOCK.pack(place[0]) + term.key + _BLOCK.pack(number >> _BITS))
            if found is None or number & (1 << _BITS) - 1 not in _offsets(found):
                return False
        return True

    def count(self) -> tuple[int, int]:
        """Return how many fields of documents, and terms of documents there are."""
        terms = sum(len(raw) // 2 for _, raw in self._entries(b"p", b"q"))
        return sum(self.fields().values()), terms


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


def _in_order(numbers: np.ndarray) -> np.ndarray:
    """Return numbers in order, each once; those under one value are that already."""
    if not (numbers[1:] > numbers[:-1]).all():
        numbers = np.sort(numbers)
        numbers = numbers[np.append(True, numbers[1:] > numbers[:-1])]
    return numbers


def _common(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return what stands in both of two arrays, each in order."""
    few, many = (first, second) if len(first) < len(second) else (second, first)
    if not len(few):
        return few
    places = np.minimum(np.searchsorted(many, few), len(many) - 1)
    return few[many[places] == few]


def _offsets(raw: bytes | None) -> set[int]:
    """Return the offsets of a block, which is short as a rule."""
    if raw is None:
        return set()
    if len(raw) % 2 or len(raw) > _MOST:
        raise CorruptValue(f"a block of the index has {len(raw)} bytes")
    return set(struct.unpack(f"<{len(raw) // 2}H", raw))
