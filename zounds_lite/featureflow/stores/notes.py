"""What an index of metadata notes down of itself: how far it goes, and lists of keys of records.

Class: ``Marker``; functions ``key_ends``, ``packed_keys``, ``unpacked_keys``.
"""

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from zounds_lite.errors import CorruptValue

__all__ = ["Marker", "key_ends", "packed_keys", "unpacked_keys"]

_RULES = 1
"""Version of what terms a record has, and of the layout of the index; an index of another one is made anew."""

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
