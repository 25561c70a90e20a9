"""Compressed bytes, read forward with limits.

Goal: a few bytes may stand for terabytes, so nothing is decompressed further than its reader asks for, and the reader
is asked as the bytes come. Conventions: bytes are read by position, so a file may be shared by threads and forks;
whatever is wrong with the bytes is an ``ArchiveError``. Classes: ``SharedFile``, ``Unpacked`` (compressed), ``Plain``
(not compressed, same methods).
"""

import bz2
import io
import os
import threading
import weakref
import zlib
from collections.abc import Callable
from typing import Any

from zounds_lite.errors import ArchiveError

__all__ = ["Plain", "SharedFile", "Unpacked"]

_PIECE = 256 * 1024
_LARGEST_DICTIONARY = 256 * 1024 * 1024
"""Memory that xz may take, in bytes; its strongest preset takes 65 MiB."""
_GZIP, _RAW = 31, -15
"""What zlib expects: a header and a checksum, or neither."""


class SharedFile:
    """A file that is read by position.

    Args:
        file (str | BinaryIO): a path, or a file that is used by nobody else.
    """

    def __init__(self, file: Any) -> None:
        self._file: Any = open(file, "rb", buffering=0) if isinstance(file, str) else file  # noqa: SIM115
        weakref.finalize(self, self._file.close)  # it is open as long as anybody reads from it
        self._lock = None if hasattr(os, "pread") else threading.Lock()
        status = os.fstat(self._file.fileno())
        self.state = status.st_size, status.st_mtime_ns, status.st_ino
        """What tells whether the file at a path is still this one."""

    @property
    def size(self) -> int:
        """Bytes, when it was opened."""
        return self.state[0]

    def read_at(self, offset: int, count: int) -> bytes:
        """Return up to ``count`` bytes from ``offset`` on; fewer at the end of the file."""
        data = self._read(offset, count)
        while 0 < len(data) < count:
            more = self._read(offset + len(data), count - len(data))
            if not more:
                break
            data += more
        return data

    def _read(self, offset: int, count: int) -> bytes:
        if self._lock is None:
            return os.pread(self._file.fileno(), count, offset)
        with self._lock:  # where there is no reading by position
            self._file.seek(offset, io.SEEK_SET)
            return self._file.read(count) or b""


def _no_check(done: int, read: int) -> None:
    """Allow everything."""


class Plain:
    """A stretch of a file, read forward.

    Args:
        file (SharedFile): the file.
        start (int): first byte.
        stop (int): the byte behind the last.
    """

    def __init__(self, file: SharedFile, start: int, stop: int) -> None:
        self._file, self._start, self._stop = file, start, stop
        self.position = 0
        self.size: int | None = stop - start

    def read(self, count: int) -> bytes:
        """Return up to ``count`` bytes; fewer only at the end."""
        count = max(0, min(count, self._stop - self._start - self.position))
        data = self._file.read_at(self._start + self.position, count)
        self.position += len(data)
        return data

    def skip_to(self, position: int) -> None:
        """Move forward."""
        self.position = position


class Unpacked:
    """A stretch of a file, decompressed as it is read forward.

    Args:
        file (SharedFile): the file.
        start (int): first compressed byte.
        stop (int): the byte behind the last.
        packing (str): "deflate" (without a header), "gzip", "bz2" or "xz".
        check (Callable): told how many bytes were decompressed from how many so far; may refuse to go on.
    """

    def __init__(
        self, file: SharedFile, start: int, stop: int, packing: str, check: Callable[[int, int], None] = _no_check
    ) -> None:
        self._file, self._start, self._at, self._stop = file, start, start, stop
        self._packing, self._check = packing, check
        self._codec: Any = None
        self._errors: tuple[type[Exception], ...] = ()
        self._streams = 0
        self._pending = b""
        self._is_full = False
        self._is_over = False
        self.position = 0
        self.size: int | None = None

    def read(self, count: int) -> bytes:
        """Return up to ``count`` decompressed bytes; fewer only at the end.

        Raises:
            ArchiveError: the bytes are damaged, or refused by ``check``.
        """
        parts = []
        while count > 0 and (part := self._some(min(count, _PIECE))):
            parts.append(part)
            count -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def skip_to(self, position: int) -> None:
        """Move forward; at the end it stays there.

        Raises:
            ArchiveError: as for ``read``.
        """
        while self.position < position and self._some(min(_PIECE, position - self.position)):
            pass

    def _some(self, most: int) -> bytes:
        """Return the next few bytes, at least one except at the end."""
        while not self._is_over:
            if self._codec is None and not self._begin():
                break
            part = self._step(most)
            self.position += len(part)
            if part:
                self._check(self.position, self._at - self._start)
                return part
        return b""

    def _begin(self) -> bool:
        """Begin the next stream, of several that stand one behind the other; False where there is none."""
        self._pending = self._pending or self._next_piece()
        if self._streams:  # zeros may fill up a tape
            while self._pending and not self._pending.strip(b"\0"):
                self._pending = self._next_piece()
            self._pending = self._pending.lstrip(b"\0")
            if not self._pending:
                self._is_over = True
                return False
        self._streams += 1
        self._codec, self._errors = _codec(self._packing)
        return True

    def _next_piece(self) -> bytes:
        piece = self._file.read_at(self._at, min(_PIECE, self._stop - self._at))
        self._at += len(piece)
        return piece

    def _step(self, most: int) -> bytes:
        """Feed the decompressor once."""
        if not self._pending and not self._is_full and getattr(self._codec, "needs_input", True):
            self._pending = self._next_piece()
            if not self._pending:
                raise ArchiveError("its compressed data end too soon; copy or download the archive again")
        try:
            part: bytes = self._codec.decompress(self._pending, most)
        except self._errors as error:
            raise ArchiveError(f"its compressed data are damaged, or need too much memory ({error})") from error
        self._is_full = len(part) == most  # zlib may hold back more of what it was fed
        self._pending = getattr(self._codec, "unconsumed_tail", b"")
        if self._codec.eof:
            self._pending, self._codec, self._is_full = self._codec.unused_data, None, False
            self._is_over = self._packing == "deflate"
        return part


def _codec(packing: str) -> tuple[Any, tuple[type[Exception], ...]]:
    """Return a decompressor, and what it raises."""
    if packing in ("deflate", "gzip"):
        return zlib.decompressobj(_RAW if packing == "deflate" else _GZIP), (zlib.error, MemoryError)
    if packing == "bz2":
        return bz2.BZ2Decompressor(), (OSError, EOFError, ValueError, MemoryError)
    import lzma  # not every Python has it

    codec = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_LARGEST_DICTIONARY)
    return codec, (lzma.LZMAError, EOFError, MemoryError)
