"""Members of archives as sources: how a record remembers them, and how their changes are noticed.

Goal: a member is known by its own content, as a file is, so that a new archive around the same files makes nothing
stale; where a zip lists the same checksum (CRC-32) as before, that is seen without reading. Functions:
``describe_member``, ``is_archive_there``, ``refreshed_member``, ``restore_member``.
"""

import os
from functools import lru_cache
from typing import Any

import xxhash

from zounds_lite._declared import decode
from zounds_lite.errors import ArchiveError, CorruptValue
from zounds_lite.featureflow.archives import ArchiveMember, member_of

__all__ = ["describe_member", "is_archive_there", "refreshed_member", "restore_member"]

_PIECE = 1024 * 1024


def describe_member(member: ArchiveMember) -> dict[str, Any]:
    """Describe a member for the record.

    Raises:
        FileNotFoundError: there is no such archive, or it has no such member.
        ArchiveError: the member is refused, or the archive cannot be read.
    """
    entry, (size, mtime_ns, _) = member.entry, member.state
    if entry.refused:
        raise ArchiveError(f"{member.location} {entry.refused}")
    return {
        "kind": "member",
        "location": member.location,
        "archive": member.path,
        "archive_size": size,
        "mtime_ns": mtime_ns,
        "size": entry.size,
        "crc": entry.crc,
        "limits": None if member.limits is None else member.limits.to_dict(),
        "hash": _hash_of(member, size, mtime_ns),
    }


@lru_cache(maxsize=4096)
def _hash_of(member: ArchiveMember, size: int, mtime_ns: int) -> str:
    """Hash a member once for each size and time that its archive has in this process."""
    hasher = xxhash.xxh3_128()
    with member.open() as file:
        while piece := file.read(_PIECE):
            hasher.update(piece)
    return hasher.hexdigest()


def restore_member(source: dict[str, Any]) -> ArchiveMember:
    """Return the member that was described.

    Raises:
        CorruptValue: the description is none.
    """
    member = member_of(source["location"])
    if member is None:
        raise CorruptValue(f"{source['location']!r} names no member of an archive; process the document again")
    return member if source["limits"] is None else member.replace(limits=decode(source["limits"]))


def is_archive_there(source: dict[str, Any]) -> bool:
    """Tell whether the archive that a member is described to be in is a file."""
    return os.path.isfile(source.get("archive", ""))


def refreshed_member(source: dict[str, Any]) -> dict[str, Any]:
    """Describe a member as it is now; one that is gone, or cannot be read, counts as unchanged."""
    try:
        now = os.stat(source["archive"])
        if (now.st_size, now.st_mtime_ns) == (source["archive_size"], source["mtime_ns"]):
            return source
        member = restore_member(source)
        entry = member.entry
        if entry.crc is not None and (entry.crc, entry.size, entry.refused) == (source["crc"], source["size"], None):
            return {**source, "archive_size": now.st_size, "mtime_ns": now.st_mtime_ns}
        return describe_member(member)
    except (OSError, ArchiveError):
        return source
