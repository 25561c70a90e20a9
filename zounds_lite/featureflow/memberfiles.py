"""Files within archives, as files: ``MemberFile``; ``spooled`` for what has to be decompressed first."""

import io
import os
import tempfile
import zlib
from typing import Any, Self

from zounds_lite.errors import ArchiveError
from zounds_lite.featureflow.unpacking import Plain, SharedFile, Unpacked

__all__ = ["IN_MEMORY", "MemberFile", "spooled"]

IN_MEMORY = 16 << 20
"""Bytes of a decompressed member that are kept in memory; a larger one goes to a temporary file without a name."""
_PIECE = 1 << 20


class MemberFile(io.RawIOBase):
    """A member of an archive as a binary file that can be sought; its checksum is looked at as far as it is read.

    Args:
        name (str): what it is called in messages.
        content (SharedFile | bytes): what holds its bytes.
        start (int): the first one.
        size (int): how many there are.
        crc (int | None): their checksum (CRC-32), if that has not been looked at.

    Examples:
        >>> file = MemberFile("zip:/a.zip!/b", b"abcdef", 2, 3)
        >>> file.read(2), file.seek(0), file.read(), file.again().read(1)
        (b'cd', 0, b'cde', b'c')
    """

    def __init__(self, name: str, content: SharedFile | bytes, start: int, size: int, crc: int | None = None) -> None:
        super().__init__()
        self.name = name
        self.size = size
        self._content, self._start, self._crc = content, start, crc
        self._position = self._checked = self._sum = 0

    def again(self) -> Self:
        """Return another file of the same bytes, with a position of its own."""
        return type(self)(self.name, self._content, self._start, self.size, self._crc)

    def read(self, size: int | None = -1) -> bytes:
        """Return up to ``size`` bytes; all that are left where it is negative.

        Raises:
            ArchiveError: they are not what was packed.
        """
        if self.closed:
            raise ValueError(f"{self.name} is closed")
        left = max(0, self.size - self._position)
        count = left if size is None or size < 0 else min(size, left)
        start = self._start + self._position
        if isinstance(self._content, SharedFile):
            data = self._content.read_at(start, count)
        else:
            data = self._content[start : start + count]
        if len(data) < count:
            raise ArchiveError(f"{self.name}: the archive became shorter while it was read")
        if self._crc is not None:
            self._check(data)
        self._position += count
        return data

    def _check(self, data: bytes) -> None:
        """Go on with the checksum, where these bytes join those that it is of."""
        fresh = self._position + len(data) - self._checked
        if self._position > self._checked or fresh <= 0:
            return
        self._sum = zlib.crc32(data[len(data) - fresh :], self._sum)
        self._checked += fresh
        if self._checked == self.size and self._sum != self._crc:
            raise ArchiveError(f"{self.name} fails its checksum; copy or download the archive again")

    def readall(self) -> bytes:
        """Return all that is left."""
        return self.read()

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` as far as the bytes reach; returns their number."""
        out = memoryview(buffer).cast("B")
        data = self.read(len(out))
        out[: len(data)] = data
        return len(data)

    def readable(self) -> bool:
        """True: it can be read."""
        return True

    def seekable(self) -> bool:
        """True: it can be sought."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to ``offset``, counted from the start, the position or the end."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to byte {base + offset} of {self.name}; allowed: from 0 up")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def __repr__(self) -> str:
        return f"MemberFile({self.name!r}, {self.size} bytes)"


def spooled(stream: Plain | Unpacked, size: int, crc: int | None) -> SharedFile | bytes:
    """Decompress a member, to memory or to a temporary file, and check it.

    Args:
        stream (Plain | Unpacked): stands at its first byte.
        size (int): bytes that it has; not one more is decompressed than is needed to see that there are more.
        crc (int | None): its checksum.

    Raises:
        ArchiveError: it has fewer bytes or, with a checksum, other or more than the archive says.
    """
    file: Any = io.BytesIO() if size <= IN_MEMORY else tempfile.TemporaryFile(prefix="zounds_lite-")  # noqa: SIM115
    total = found = 0
    while total < size and (piece := stream.read(min(_PIECE, size - total))):
        file.write(piece)
        total += len(piece)
        found = zlib.crc32(piece, found) if crc is not None else 0
    if total < size:
        raise ArchiveError(f"it has {total} bytes, and the archive says {size}; copy or download the archive again")
    if crc is not None and (stream.read(1) or found != crc):
        raise ArchiveError("it is not what the archive says it is (checksum or size); copy or download it again")
    if isinstance(file, io.BytesIO):
        return file.getvalue()
    file.flush()
    return SharedFile(file)
