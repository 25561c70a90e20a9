"""The members of a zip archive, by its central directory.

Goal: the directory is read once, in pieces, and every number in it is checked before it is used; a member costs one
small tuple. Python's own reader keeps an object of a kilobyte for each, and finds out how many there are by making
them. Functions: ``read_zip``, ``data_offset``.

Sources:
    APPNOTE.TXT (PKWARE, 6.3.10): 4.3.7 local header, 4.3.12 central directory, 4.3.14-16 its end, 4.5.3 Zip64,
    4.6.9 unicode path.
"""

import stat
import struct
import zlib
from collections.abc import Iterator

import numpy as np

from zounds_lite.errors import ArchiveError
from zounds_lite.featureflow.archivelimits import ArchiveEntry, ArchiveLimits, refusal_of_name
from zounds_lite.featureflow.unpacking import SharedFile

__all__ = ["data_offset", "read_zip"]

_END, _END64, _LOCATOR64 = b"PK\5\6", b"PK\6\6", b"PK\6\7"
_HEADER, _LOCAL, _SIGNATURE = b"PK\1\2", b"PK\3\4", b"PK\5\5"
_END_FIELDS = struct.Struct("<4s4H2IH")
_END64_FIELDS = struct.Struct("<4sQ2H2I4Q")
_LOCATOR64_FIELDS = struct.Struct("<4sIQI")
_HEADER_FIELDS = struct.Struct("<4s6H3I5H2I")
_LOCAL_FIELDS = struct.Struct("<4s5H3I2H")
_LONGEST_COMMENT = 65535
_PIECE = 1 << 20
_METHODS = {0: "stored", 8: "deflate", 12: "bzip2"}
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UTF8 = 0x800
_UNIX = 3
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_UNICODE_PATH, _ZIP64 = 0x7075, 1
_ADVICE = "; copy or download the archive again"


def read_zip(file: SharedFile, limits: ArchiveLimits) -> list[ArchiveEntry]:
    """Return the members of a zip archive, folders left out, in its own order.

    Args:
        file (SharedFile): the archive.
        limits (ArchiveLimits): what it may hold.

    Raises:
        ArchiveError: it is no zip archive, its directory is damaged, or all of it is refused.
    """
    start, size, prefix, count = _directory(file)
    limits.check_count(count)
    entries, found, total = [], 0, 0
    for header, name, extra in _headers(file, start, size):
        found += 1
        limits.check_count(found)
        entry = _entry(header, name, extra, prefix, limits)
        total += entry.size
        limits.check_total(total)
        if not entry.name.endswith("/"):
            entries.append((entry, len(name)))
    if found & _FULL16 != count & _FULL16:
        raise ArchiveError(f"its directory lists {found} members and claims {count}{_ADVICE}")
    return _without_overlaps(entries, start)


def _directory(file: SharedFile) -> tuple[int, int, int, int]:
    """Return where the directory starts, its size, how many bytes stand before the archive, and its members."""
    tail_at = max(0, file.size - _END_FIELDS.size - _LONGEST_COMMENT)
    tail = file.read_at(tail_at, file.size - tail_at)
    at = len(tail)
    while (at := tail.rfind(_END, 0, at)) >= 0:
        if len(tail) - at >= _END_FIELDS.size:
            fields = _END_FIELDS.unpack_from(tail, at)
            if fields[7] <= len(tail) - at - _END_FIELDS.size:
                break
    else:
        raise ArchiveError(f"it is no zip archive, or its end is missing{_ADVICE}")
    end = tail_at + at
    disks, count, size, offset = fields[1:3], fields[4], fields[5], fields[6]
    if _FULL16 in (*disks, count) or _FULL32 in (size, offset):
        found = _directory64(file, end)
        if found is not None:
            end, disks, count, size, offset = found
    if any(disks):
        raise ArchiveError("it is one of several parts; join them first, for example with zip -s 0")
    start = end - size
    if start < offset:
        raise ArchiveError(f"its directory of {size} bytes does not fit between byte {offset} and its end{_ADVICE}")
    return start, size, start - offset, count


def _directory64(file: SharedFile, end: int) -> tuple[int, tuple[int, ...], int, int, int] | None:
    """Return the same of a large archive: where its own end record stands, disks, members, size and offset."""
    locator = (
        file.read_at(end - _LOCATOR64_FIELDS.size, _LOCATOR64_FIELDS.size) if end > _LOCATOR64_FIELDS.size else b""
    )
    if len(locator) < _LOCATOR64_FIELDS.size or not locator.startswith(_LOCATOR64):
        return None
    at = end - _LOCATOR64_FIELDS.size
    for place in (at - _END64_FIELDS.size, _LOCATOR64_FIELDS.unpack(locator)[2]):
        record = file.read_at(place, _END64_FIELDS.size) if 0 <= place < at else b""
        if len(record) == _END64_FIELDS.size and record.startswith(_END64):
            fields = _END64_FIELDS.unpack(record)
            return place, fields[4:6], fields[7], fields[8], fields[9]
    raise ArchiveError(f"the end of its directory is damaged{_ADVICE}")


def _headers(file: SharedFile, start: int, size: int) -> Iterator[tuple[tuple[int, ...], bytes, bytes]]:
    """Yield fields, name and extra field of each member, reading the directory in pieces."""
    buffer, at, read = b"", 0, 0
    while read < size or at < len(buffer):
        if len(buffer) - at < _HEADER_FIELDS.size + 3 * _FULL16 and read < size:
            piece = file.read_at(start + read, min(_PIECE, size - read))
            buffer, at, read = buffer[at:] + piece, 0, read + len(piece)
            if not piece:
                break
        if buffer.startswith(_SIGNATURE, at):
            return
        if not buffer.startswith(_HEADER, at) or len(buffer) - at < _HEADER_FIELDS.size:
            break
        fields = _HEADER_FIELDS.unpack_from(buffer, at)
        name = at + _HEADER_FIELDS.size
        extra = name + fields[10]
        end = extra + fields[11]
        at = end + fields[12]
        if at > len(buffer):
            break
        yield fields, buffer[name:extra], buffer[extra:end]
    else:
        return
    raise ArchiveError(f"its directory is damaged{_ADVICE}")


def _entry(header: tuple[int, ...], raw: bytes, extra: bytes, prefix: int, limits: ArchiveLimits) -> ArchiveEntry:
    made_by, flags, method, crc, packed, size = header[1] >> 8, header[3], header[4], *header[7:10]
    mode, offset = header[15] >> 16, header[16]
    name = _name(raw, flags, extra)
    wide = _extra_field(extra, _ZIP64)
    numbers = iter(struct.unpack_from(f"<{len(wide) // 8}Q", wide))
    try:
        size = next(numbers) if size == _FULL32 else size
        packed = next(numbers) if packed == _FULL32 else packed
        offset = next(numbers) if offset == _FULL32 else offset
    except StopIteration:
        if wide:
            raise ArchiveError(f"the sizes of {name!r} in its directory are damaged{_ADVICE}") from None
    is_link = made_by == _UNIX and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR)
    refused = refusal_of_name(name)
    if refused is None and is_link:
        refused = "is a link or a device, not a file"
    if refused is None and flags & _ENCRYPTED:
        refused = "is encrypted; decrypt the archive first"
    if refused is None and (method not in _METHODS or (method == 0 and size != packed)):
        refused = f"is compressed by method {method}; allowed: {', '.join(_METHODS.values())}. Pack it anew"
    refused = refused or limits.refusal(size, packed)
    return ArchiveEntry(name, offset + prefix, size, packed, method, crc, refused, is_link)


def _extra_field(extra: bytes, wanted: int) -> bytes:
    """Return one of the fields that a header was extended by; nothing where it is missing."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        if kind == wanted:
            return extra[at + 4 : at + 4 + size]
        at += 4 + size
    return b""


def _name(raw: bytes, flags: int, extra: bytes) -> str:
    unicode_path = _extra_field(extra, _UNICODE_PATH)
    if unicode_path[:5] == struct.pack("<BI", 1, zlib.crc32(raw)):
        raw, flags = unicode_path[5:], flags | _UTF8
    return raw.decode("utf-8", "surrogateescape") if flags & _UTF8 else raw.decode("cp437")


def _without_overlaps(entries: list[tuple[ArchiveEntry, int]], end: int) -> list[ArchiveEntry]:
    """Refuse members that share bytes, as those of a bomb do, or that do not lie before the directory."""
    found = [entry for entry, _ in entries]
    starts = np.array([entry.offset for entry in found], np.float64)
    stops = starts + [_LOCAL_FIELDS.size + length + entry.packed for entry, length in entries]
    order = np.argsort(starts, kind="stable")
    first, last = starts[order], stops[order]
    shared = np.zeros(len(found), bool)
    shared[1:] = first[1:] < np.maximum.accumulate(last)[:-1]
    shared[:-1] |= last[:-1] > first[1:]
    for place in order[shared]:
        found[place] = found[place].but_refused("shares bytes of the archive with another member")
    for place in np.flatnonzero((stops > end) | (starts < 0)):
        found[place] = found[place].but_refused(f"reaches beyond the archive{_ADVICE}")
    return found


def data_offset(file: SharedFile, entry: ArchiveEntry) -> int:
    """Return where the bytes of a member begin.

    Raises:
        ArchiveError: its own header is damaged, or names another member.
    """
    raw = file.read_at(entry.offset, _LOCAL_FIELDS.size)
    if len(raw) < _LOCAL_FIELDS.size or not raw.startswith(_LOCAL):
        raise ArchiveError(f"its header is damaged{_ADVICE}")
    fields = _LOCAL_FIELDS.unpack(raw)
    flags, name_size, extra_size = fields[2], fields[9], fields[10]
    rest = file.read_at(entry.offset + _LOCAL_FIELDS.size, name_size + extra_size)
    if flags & _ENCRYPTED or _name(rest[:name_size], flags, rest[name_size:]) != entry.name:
        raise ArchiveError("its header says something else than the directory of the archive")
    start = entry.offset + _LOCAL_FIELDS.size + name_size + extra_size
    if start + entry.packed > file.size:
        raise ArchiveError(f"it reaches beyond the archive{_ADVICE}")
    return start
