"""The members of a tar archive, header by header.

Goal: one walk finds where each member lies; headers are checked, a name takes no more memory than a name may, and
damage is told from the end. Python's own reader takes a damaged header for the end, and reads names of any length.
Conventions: offsets are those of the tar itself, once decompressed. Class: ``TarWalk``; function ``is_tar``.

Sources:
    IEEE Std 1003.1-2017, pax, "ustar interchange format" and "pax header block"; GNU tar manual, "Basic Tar Format".
"""

from collections.abc import Iterator

from zounds_lite.errors import ArchiveError
from zounds_lite.featureflow.archivelimits import ArchiveEntry, ArchiveLimits, refusal_of_name
from zounds_lite.featureflow.unpacking import Plain, Unpacked

__all__ = ["TarWalk", "is_tar"]

_BLOCK = 512
_MOST_NAME = 1 << 20
"""Bytes of a header that holds names."""
_FILES = b"0\x007"
_EMPTY = {
    b"1": "is a link to another member",
    b"2": "is a link",
    b"3": "is a device",
    b"4": "is a device",
    b"6": "is a pipe",
}
_FOLDERS = b"5DV"
_ADVICE = "; copy or download the archive again"


def _checksum(block: bytes) -> int:
    return sum(block[:148]) + 8 * 32 + sum(block[156:])


def is_tar(block: bytes) -> bool:
    """Tell whether 512 bytes are the first ones of a tar archive.

    Examples:
        >>> is_tar(bytes(512)), is_tar(b"RIFF" + bytes(508))
        (True, False)
    """
    if len(block) < _BLOCK:
        return False
    if not any(block):
        return True  # an empty archive
    try:
        return _number(block[148:156]) == _checksum(block)
    except ArchiveError:
        return False


def _number(field: bytes) -> int:
    """Read a number, in octal digits or, where it is large, in bytes."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b"\0 ").partition(b"\0")[0].strip()
    if digits.translate(None, b"01234567"):
        raise ArchiveError(f"a number in one of its headers is damaged ({field!r}){_ADVICE}")
    return int(digits or b"0", 8)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


class TarWalk:
    """Walks through a tar archive.

    Args:
        stream (Plain | Unpacked): the archive, from its beginning.
        limits (ArchiveLimits): what it may hold.

    Attributes:
        damage (ArchiveError | None): what ended the walk before the archive did.
    """

    def __init__(self, stream: Plain | Unpacked, limits: ArchiveLimits) -> None:
        self._stream, self._limits = stream, limits
        self._common: dict[str, str] = {}
        self._own: dict[str, str] = {}
        self.damage: ArchiveError | None = None

    def entries(self) -> Iterator[ArchiveEntry]:
        """Yield the members, folders left out, up to the end or to what is damaged.

        Raises:
            ArchiveError: all of it is refused.
        """
        count = total = 0
        while (found := self._next()) is not None:
            entry, end = found
            if entry is not None:
                count, total = count + 1, total + entry.size
                self._limits.check_count(count)
                self._limits.check_total(total)
                if self._stream.size is not None and end > self._stream.size:
                    entry = entry.but_refused(f"is cut off by the end of the archive{_ADVICE}")
                yield entry
            if self._ends_before(end):
                return

    def _ends_before(self, end: int) -> bool:
        """Move behind the bytes of a member; True, with a note of the damage, where they are not all there."""
        size = self._stream.size
        if size is not None and end > size:
            self.damage = ArchiveError(f"it is cut off at byte {size}{_ADVICE}")
            return True
        try:
            self._stream.skip_to(-(-end // _BLOCK) * _BLOCK)
            if self._stream.position < end:
                raise ArchiveError(f"it is cut off at byte {self._stream.position}{_ADVICE}")
        except ArchiveError as error:
            self.damage = error
            return True
        return False

    def _next(self) -> tuple[ArchiveEntry | None, int] | None:
        """Read a header; return the member, if it is one, and where its bytes end; None at the end."""
        try:
            block = self._stream.read(_BLOCK)
            if not any(block):  # the end, or the block of zeros before it
                return None
            if len(block) < _BLOCK or _number(block[148:156]) != _checksum(block):
                raise ArchiveError(f"a header is damaged, {self._stream.position - len(block)} bytes in{_ADVICE}")
            return self._read(block)
        except ArchiveError as error:
            self.damage = error
            return None

    def _read(self, block: bytes) -> tuple[ArchiveEntry | None, int]:
        kind, size, at = block[156:157], _number(block[124:136]), self._stream.position
        if kind in b"xgLK":
            self._take_names(kind, self._named(size))
            return None, at + size
        own, self._own = {**self._common, **self._own}, {}
        name = own.get("path") or _plain_name(block)
        if "size" in own:
            size = _decimal(own["size"])
        if kind in _FOLDERS or (kind == b"\0" and name.endswith("/")):
            return None, at + (0 if kind == b"5" else size)
        refused = refusal_of_name(name) or _EMPTY.get(kind)
        if refused is None and (kind == b"S" or any(key.startswith("GNU.sparse") for key in own)):
            refused = "has holes (a sparse file); pack it anew without them"
        if refused is None and kind not in _FILES:
            refused = f"is of an unknown kind ({kind!r})"
        is_link = kind in _EMPTY
        size = 0 if is_link else size
        refused = refused or self._limits.refusal(size, size)
        return ArchiveEntry(name, at, size, size, refused=refused, is_link=is_link), at + size

    def _named(self, size: int) -> bytes:
        """Read what a header holds that belongs to the next one."""
        if size > _MOST_NAME:
            raise ArchiveError(f"a header holds names of {size} bytes, allowed: {_MOST_NAME}")
        data = self._stream.read(size)
        if len(data) < size:
            raise ArchiveError(f"it is cut off within a header{_ADVICE}")
        return data

    def _take_names(self, kind: bytes, data: bytes) -> None:
        if kind == b"L":
            self._own["path"] = _text(data)
        elif kind in b"xg":
            (self._common if kind == b"g" else self._own).update(_records(data))


def _plain_name(block: bytes) -> str:
    name = _text(block[:100])
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise ArchiveError(f"a size in one of its headers is damaged ({text[:40]!r}){_ADVICE}")
    return int(text)


def _records(data: bytes) -> dict[str, str]:
    """Read lines of length, keyword and value."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data) and data[at]:
        digits, space, _ = data[at : at + 20].partition(b" ")
        size = int(digits) if digits.isdigit() else 0
        key, equals, value = data[at + len(digits) + 1 : at + size].partition(b"=")
        if not space or not equals or at + size > len(data) or not value.endswith(b"\n"):
            raise ArchiveError(f"one of its headers is damaged{_ADVICE}")
        found[_text(key)] = value[:-1].decode("utf-8", "surrogateescape")
        at += size
    return found
