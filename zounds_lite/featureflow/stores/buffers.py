"""Reading values out of LMDB's map without leaving the file.

Why: LMDB takes the length of a value from the page itself, and touches the whole of it before it hands it out. One
flipped bit there, and that reads past the end of the file, which ends the process with a signal. So the node is looked
at first. Its key, which LMDB hands out as a view of the map, tells where it stands: eight bytes before the key are the
size of the value (low and high, u16 each), flags and the size of the key (u16 each); the value follows the key in the
same page, or, with the flag "big", the number (u64) of the page where it begins.

Only for entries of a transaction that has written nothing so far: what was written stands elsewhere. Class:
``Bounds``.
"""

import ctypes
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue
from zounds_lite.featureflow.stores.checks import MAX_RECORD

__all__ = ["Bounds"]

_NODE = struct.Struct("=HHHH")
_NUMBER = struct.Struct("=Q")
_BIG = 1
_PAGE_HEADER = 16


class Bounds:
    """Checks what a cursor stands on before it is read.

    Args:
        file (Path): the file that is mapped.
        page_size (int): bytes of a page.
    """

    def __init__(self, file: Path, page_size: int) -> None:
        self.file = file
        self.page_size = page_size
        self._size = 0

    def key(self, cursor: Any) -> bytes:
        """Return the key that a cursor stands on.

        Raises:
            CorruptValue: it would reach past its page.
        """
        view = cursor.key()
        if _address(view) % self.page_size + len(view) > self.page_size:
            raise CorruptValue(f"a key claims {len(view)} bytes, more than its page has")
        return bytes(view)

    def value(self, cursor: Any) -> bytes:
        """Return the value that a cursor stands on.

        Raises:
            CorruptValue: it would reach past its page or past the end of the file, or is longer than a record can be.
        """
        at = _address(cursor.key())
        low, high, flags, key_size = _NODE.unpack(ctypes.string_at(at - _NODE.size, _NODE.size))
        size = low | high << 16
        if size > MAX_RECORD:
            raise CorruptValue(f"it claims to have {size} bytes, at most {MAX_RECORD} are possible")
        room = self.page_size - at % self.page_size - key_size
        if (_NUMBER.size if flags & _BIG else size) > room:
            raise CorruptValue(f"it claims {size} bytes where its page has {max(0, room)} left")
        if flags & _BIG:
            (page,) = _NUMBER.unpack(ctypes.string_at(at + key_size, _NUMBER.size))
            self._check_file(page * self.page_size + _PAGE_HEADER, size)
        return bytes(cursor.value())

    def rest_of_page(self, cursor: Any) -> list[tuple[bytes, bytes | None]]:
        """Return keys and values of the entry that a cursor stands on, and of those behind it in the same page.

        Entries are many times cheaper this way than one by one. The value of one that stands elsewhere is None.

        Raises:
            CorruptValue: an entry would reach past the page.
        """
        at = _address(cursor.key()) - _NODE.size
        start = at - at % self.page_size
        page = ctypes.string_at(start, self.page_size)
        lower = int.from_bytes(page[12:14], sys.byteorder)
        places = struct.unpack_from(f"={(min(lower, len(page)) - _PAGE_HEADER) // 2}H", page, _PAGE_HEADER)
        found: list[tuple[bytes, bytes | None]] = []
        try:
            for place in places[places.index(at - start) :]:
                low, high, flags, key_size = _NODE.unpack_from(page, place)
                begin = place + _NODE.size + key_size
                end = begin + (_NUMBER.size if flags & _BIG else low | high << 16)
                if end > len(page):
                    raise CorruptValue(f"an entry reaches {end - len(page)} bytes past its page")
                found.append((page[place + _NODE.size : begin], None if flags & _BIG else page[begin:end]))
        except (ValueError, struct.error) as error:
            raise CorruptValue(f"a page does not list its entries as it should: {error}") from error
        return found

    def _check_file(self, start: int, size: int) -> None:
        if start + size > self._size:
            self._size = self.file.stat().st_size  # it grows
        if start + size > self._size:
            raise CorruptValue(f"it claims {size} bytes where its file has {max(0, self._size - start)} left")


def _address(view: memoryview) -> int:
    return int(np.frombuffer(view, np.uint8).__array_interface__["data"][0])
