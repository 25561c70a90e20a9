"""What an index of metadata notes down of itself: how far it goes, and lists of keys of records.

Class: ``Marker``; functions ``checked``, ``is_up_to_date``, ``key_ends``, ``packed_keys``, ``read_marker``, ``renew``,
``sealed``, ``unpacked_keys``, ``waiting_notes``, ``write_marker``; constants ``MARKER``, ``NOTED``, ``WAITING``.
"""

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import xxhash

from zounds_lite.errors import CorruptValue

__all__ = [
    "MARKER",
    "NOTED",
    "WAITING",
    "Marker",
    "checked",
    "is_up_to_date",
    "key_ends",
    "packed_keys",
    "read_marker",
    "renew",
    "sealed",
    "unpacked_keys",
    "waiting_notes",
    "write_marker",
]

MARKER = b"z"
"""Key of the marker, in the sub-database ``pending``; it stands in one page with the last note."""

WAITING = b"q"
"""Beginning of the keys of notes that say which records wait to be indexed."""

NOTED = 100
"""Keys of records in one of them."""

_RULES = 1
"""Version of what terms a record has, and of the layout of the index; an index of another one is made anew."""

_CHECK = 4
"""Bytes of the checksum of an entry."""

_MARKER = struct.Struct(">BQ?")


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


def is_up_to_date(txn: Any, pending: Any) -> bool:
    """Tell whether the marker is that of the last transaction that wrote."""
    marker = read_marker(txn.get(MARKER, db=pending))
    return marker is not None and marker.transaction == txn.id()


def renew(txn: Any, pending: Any, is_current: bool) -> None:
    """Let the marker be that of this transaction, or take it away."""
    marker = read_marker(txn.get(MARKER, db=pending))
    if marker is None or not is_current:
        txn.delete(MARKER, db=pending)
    else:
        write_marker(txn, pending, marker.last)


def read_marker(raw: Any) -> Marker | None:
    """Read the marker; None where there is none, or it is damaged."""
    try:
        return None if raw is None else Marker.from_bytes(checked(MARKER, bytes(raw)))
    except CorruptValue:
        return None


def write_marker(txn: Any, pending: Any, last: bytes | None) -> None:
    """Let the marker be that of this transaction."""
    txn.put(MARKER, sealed(MARKER, Marker(txn.id(), last).to_bytes()), db=pending)


def sealed(key: bytes, value: bytes) -> bytes:
    """Return a value with the checksum of an entry before it."""
    return xxhash.xxh3_64_digest(key + value)[:_CHECK] + value


def checked(key: bytes, raw: bytes) -> bytes:
    """Return the value of an entry.

    Raises:
        CorruptValue: it fails its checksum.
    """
    value = raw[_CHECK:]
    if xxhash.xxh3_64_digest(key + value)[:_CHECK] != raw[:_CHECK]:
        raise CorruptValue(f"the entry {key[:40]!r} of the index fails its checksum")
    return value


def packed_keys(keys: Sequence[bytes]) -> bytes:
    """Write keys of records: how many, their lengths, and all of them."""
    return struct.pack(f">H{len(keys)}H", len(keys), *map(len, keys)) + b"".join(keys)


def unpacked_keys(raw: bytes) -> list[bytes]:
    """Read keys of records."""
    return [raw[start:end] for start, end in itertools.pairwise(key_ends(raw))]


def key_ends(raw: bytes) -> list[int]:
    """Return where the first key of a block of documents begins, and where each ends."""
    try:
        count = struct.unpack_from(">H", raw)[0] if raw else 0
        sizes = struct.unpack_from(f">{count}H", raw, 2) if raw else ()
    except struct.error as error:
        raise CorruptValue(f"a list of keys is cut short: {error}") from error
    ends = list(itertools.accumulate(sizes, initial=2 + 2 * count if raw else 0))
    if ends[-1] != len(raw):
        raise CorruptValue(f"a list of {count} keys has {len(raw)} bytes, not {ends[-1]}")
    return ends


def waiting_notes(transaction: int, waiting: list[bytes]) -> dict[bytes, bytes | None]:
    """Return the entries that say which records wait since a transaction."""
    head = WAITING + transaction.to_bytes(8, "big")
    return {
        head + (start // NOTED).to_bytes(4, "big"): packed_keys(waiting[start : start + NOTED])
        for start in range(0, len(waiting), NOTED)
    }
