"""Where encoded audio comes from: a path, bytes, or a seekable binary file object.

Goal: one way to look at the bytes of a source without moving the caller's file position, and one file-like view that
libsndfile can read. Conventions: offsets and sizes are bytes from the start of the source. Classes: ``Source`` (looks
at bytes), ``View`` (a read-only file made of pieces of a source and of replaced bytes).
"""

import io
import os
import weakref
from bisect import bisect_right
from pathlib import Path
from types import TracebackType
from typing import Any, Self

__all__ = ["Pieces", "Source", "View"]

Pieces = list[bytes | tuple[int, int]]
"""What a ``View`` is made of: bytes, and stretches (start, stop) of a file."""

_PIECE = 1 << 20
_SHOWN = 120
"""Longest name of a source, in characters, that a message repeats."""


def _same_file(file: Any) -> str | None:
    """Return the path behind a plain open file, so that it can be read through a handle of our own."""
    name = getattr(file, "name", None)
    if not isinstance(file, (io.BufferedReader, io.FileIO)) or not isinstance(name, str):
        return None
    try:
        same = os.path.samestat(os.stat(name), os.fstat(file.fileno()))
    except (OSError, ValueError):
        return None
    return name if same else None


class Source:
    """The bytes of one encoded recording.

    Args:
        source (str | Path | bytes | file object): a path, the bytes themselves, or a seekable binary file object.

    Raises:
        TypeError: ``source`` is none of these.
        FileNotFoundError: the path does not exist.

    Examples:
        >>> source = Source(b"RIFF....WAVE")
        >>> source.at(8, 4), source.size, source.name
        (b'WAVE', 12, '<12 bytes>')
    """

    def __init__(self, source: Any) -> None:
        self._restore: int | None = None
        self._copy: weakref.finalize | None = None
        if isinstance(source, (bytes, bytearray, memoryview)):
            self.file: Any = io.BytesIO(source)
            self.name = f"<{self.file.getbuffer().nbytes} bytes>"
            self.is_file, self._owned = False, True
        else:
            self._open(source)
        self.size: int = self.file.seek(0, os.SEEK_END)
        self.file.seek(0)

    def _open(self, source: Any) -> None:
        path = source if isinstance(source, (str, Path)) else _same_file(source)
        if path is not None:
            # unbuffered, so that libsndfile can go on with the same descriptor
            self.file = open(path, "rb", buffering=0)  # noqa: SIM115
            # lazy readers, such as a document's Ogg copy, are dropped rather than closed
            weakref.finalize(self, self.file.close)
            self.name, self.is_file, self._owned = str(path)[-_SHOWN:], True, True
            return
        again = getattr(source, "again", None)
        if again is not None:  # a file that can be had anew, with a position of its own
            self.file, self.is_file, self._owned = again(), False, True
            self.name = str(self.file.name)[-_SHOWN:]
            return
        if not all(hasattr(source, method) for method in ("read", "seek", "tell")):
            raise TypeError(
                f"audio comes from a path, bytes or a seekable binary file object; got {type(source).__qualname__}"
            )
        self._restore = source.tell()
        self.file, self.is_file, self._owned = source, False, False
        names = (getattr(source, "filename", None), getattr(source, "name", None), f"<{type(source).__qualname__}>")
        self.name = next(name for name in names if isinstance(name, str))[-_SHOWN:]

    def at(self, offset: int, count: int) -> bytes:
        """Return up to ``count`` bytes from ``offset`` on; fewer at the end of the source."""
        self.file.seek(offset)
        data = self.file.read(count) or b""
        while len(data) < count:  # raw files may return less than was asked for
            more = self.file.read(count - len(data))
            if not more:
                break
            data += more
        return bytes(data)

    def descriptor(self) -> int:
        """Return a descriptor that reads the same bytes, for another process; it is closed with the source.

        Its position is shared with nothing in this process. What is no file is copied to an unnamed one first.
        """
        if self._copy is None:
            self._again = self._reopened() if self.is_file else self._spooled()
            self._copy = weakref.finalize(self, os.close, self._again)
        return self._again

    def _reopened(self) -> int:
        copy = os.open(self.file.name, os.O_RDONLY | os.O_CLOEXEC)
        if os.path.samestat(os.fstat(copy), os.fstat(self.file.fileno())):
            return copy
        os.close(copy)  # the path was given to another file meanwhile
        return self._spooled()

    def _spooled(self) -> int:
        import tempfile  # the decoder's process needs this file, but not that

        descriptor, path = tempfile.mkstemp(prefix="zounds_lite-")
        try:
            with open(descriptor, "wb") as spool:
                for start in range(0, self.size, _PIECE):
                    spool.write(self.at(start, _PIECE))
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.unlink(path)

    def close(self) -> None:
        """Close what was opened here, and put the caller's file object back where it was."""
        if self._copy is not None:
            self._copy()
            self._copy = None
        if self._owned:
            self.file.close()
        elif self._restore is not None and not getattr(self.file, "closed", False):
            self.file.seek(self._restore)
        self._restore = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class View:
    """A read-only binary file made of pieces: stretches of a file, and bytes that stand in for others.

    A header that libsndfile would misread is replaced this way without copying the recording. Errors of the file below
    are kept in ``error``: libsndfile calls back from C, where an exception would be lost.

    Args:
        file (file object): the seekable file below.
        pieces (list): each either bytes, or a pair (start, stop) of offsets in ``file``.

    Examples:
        >>> view = View(io.BytesIO(b"abcdef"), [b"XY", (2, 6)])
        >>> view.read(3), view.read(9), view.seek(0, 2)
        (b'XYc', b'def', 6)
    """

    def __init__(self, file: Any, pieces: Pieces) -> None:
        self._file = file
        self._is_direct = type(file) in (io.BytesIO, io.FileIO, io.BufferedReader)
        self._pieces = pieces
        self._starts: list[int] = []
        self._size = self._position = 0
        self.error: Exception | None = None
        for piece in pieces:
            self._starts.append(self._size)
            self._size += len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` as far as the pieces reach; returns the number of bytes."""
        out = memoryview(buffer).cast("B")
        done = 0
        try:
            while done < len(out) and self._position < self._size:
                count = self._next(out[done:])
                if not count:
                    break
                done += count
                self._position += count
        except Exception as error:  # noqa: BLE001  (raised again by the reader, outside the C callback)
            self.error = error
        return done

    def _next(self, out: memoryview) -> int:
        """Fill ``out`` from the piece at the position, as far as that reaches."""
        index = bisect_right(self._starts, self._position) - 1
        piece, inside = self._pieces[index], self._position - self._starts[index]
        if isinstance(piece, bytes):
            data = piece[inside : inside + len(out)]
        else:
            start = piece[0] + inside
            self._file.seek(start)
            out = out[: piece[1] - start]
            if self._is_direct:
                return self._file.readinto(out) or 0
            data = self._file.read(len(out)) or b""
        out[: len(data)] = data
        return len(data)

    def read(self, count: int = -1) -> bytes:
        """Read ``count`` bytes, or all that is left."""
        left = max(0, self._size - self._position)
        buffer = bytearray(left if count < 0 else min(count, left))
        return bytes(buffer[: self.readinto(buffer)])

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to ``offset``, counted from the start, the position or the end."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position
