"""A remote file, of which only what is touched is fetched.

Goal: a second out of an hour of audio on a server costs what the second costs. Conventions: offsets and sizes are bytes
from the start; blocks are fetched whole and the ones touched last are kept; every block must be of the file that was
opened, which the server's entity tag or date of change shows. Class: ``RangeFile``.
"""

import io
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from zounds_lite.errors import FetchError

__all__ = ["BLOCK", "Part", "RangeFile"]

BLOCK = 256 * 1024
"""Bytes that are fetched at once."""
_KEPT = 64


class Part(NamedTuple):
    """A stretch of a remote file, as a server gave it.

    Args:
        data (bytes): the bytes.
        size (int): bytes of the whole file.
        version (str): what tells this file from another one at the same place; empty where the server does not say.
    """

    data: bytes
    size: int
    version: str


class RangeFile(io.RawIOBase):
    """A read-only binary file on a server that gives parts of it.

    Args:
        fetch (Callable): returns the ``Part`` from a first to a last byte, both inclusive, or None where the server
            gives no parts.
        name (str): its URL.

    Raises:
        FetchError: the server gives no parts, or could not be reached.

    Examples:
        >>> data = bytes(range(100))
        >>> file = RangeFile(lambda first, last: Part(data[first : last + 1], 100, "1"), "http://here/numbers")
        >>> file.seek(10), file.read(3), file.seek(0, 2)
        (10, b'\\n\\x0b\\x0c', 100)
    """

    def __init__(self, fetch: Callable[[int, int], Part | None], name: str) -> None:
        super().__init__()
        self._fetch, self.name = fetch, name
        self._lock = threading.Lock()
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        first = self._part(0)
        self._size, self._version = first.size, first.version
        self._blocks[0] = first.data

    def _part(self, index: int) -> Part:
        part = self._fetch(index * BLOCK, (index + 1) * BLOCK - 1)
        if part is None:
            raise FetchError(f"{self.name!r} is not given in parts by its server")
        return part

    def _block(self, index: int) -> bytes:
        with self._lock:
            data = self._blocks.get(index)
            if data is None:
                part = self._part(index)
                if (part.size, part.version) != (self._size, self._version):
                    raise FetchError(f"{self.name!r} changed while it was read; read it again")
                data = self._blocks[index] = part.data
            self._blocks.move_to_end(index)
            while len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        return data

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to ``offset``, counted from the start, the position or the end."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` with the next bytes; return how many there were."""
        out, done = memoryview(buffer).cast("B"), 0
        while done < len(out) and self._position < self._size:
            index, inside = divmod(self._position, BLOCK)
            data = self._block(index)[inside : inside + len(out) - done]
            out[done : done + len(data)] = data
            done += len(data)
            self._position += len(data)
        return done
