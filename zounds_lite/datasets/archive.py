"""Recordings in a zip or tar archive, without unpacking it: ``Archive``."""

import os
from collections.abc import Iterator
from typing import Any

from zounds_lite._declared import Declared
from zounds_lite.datasets.directory import AUDIO_SUFFIXES, absolute
from zounds_lite.errors import ArchiveError, DeclarationError, MediaError
from zounds_lite.featureflow.archivelimits import ArchiveEntry, ArchiveLimits
from zounds_lite.featureflow.archives import ArchiveMember, list_members
from zounds_lite.media.sniff import sniff
from zounds_lite.media.source import Source
from zounds_lite.soundfile import AudioMetaData

__all__ = ["Archive"]

_NESTED = frozenset([".7z", ".bz2", ".gz", ".rar", ".tar", ".tbz2", ".tgz", ".txz", ".xz", ".zip", ".zst"])
_LOOKED_AT = 128 * 1024
"""Bytes of a member that tell whether it is audio."""


class Archive(Declared):
    """The audio files of a zip or tar archive, in the order of the archive; nothing is unpacked.

    A member counts as audio by its ending or, where the ending says nothing, by its first bytes; hidden ones are passed
    over. What is refused (names that lead elsewhere, links, encrypted or overlapping members, names that are there
    twice, more than the limits allow) or cannot be read is an item too, so that a report names it with its reason; so
    is an archive within the archive, which is not opened. The ``uri`` of each item is an ``ArchiveMember``, its
    ``size`` the member's, in bytes.

    A zip, and a tar that is not compressed, are read where their members lie. A tar.gz, tar.bz2 or tar.xz can only be
    read from its start: it is gone through once to list it, and once for its members in their order.

    Args:
        path (str | Path): the archive: zip, tar, or tar compressed by gzip, bzip2 or xz; its content says which.
        limits (ArchiveLimits | None): what is refused; None: ``default_archive_limits()``.
        attributes: put on each item, for example ``licensing``.

    Raises:
        FileNotFoundError: on iteration, when there is no such file.
        ArchiveError: on iteration, when it is no such archive, its list of members is damaged, or it breaks a limit
            that holds for all of it.

    Examples:
        >>> Archive("loops.zip", licensing="CC0")
        Archive('loops.zip', licensing='CC0')
    """

    path: str
    limits: ArchiveLimits | None
    attributes: dict[str, Any]

    def __init__(self, path: Any, limits: ArchiveLimits | None = None, **attributes: Any) -> None:
        self.__dict__["attributes"] = attributes
        super().__init__(path=os.fspath(path), limits=limits)

    def validate(self) -> None:
        """Refuse limits of another kind."""
        if self.limits is not None and not isinstance(self.limits, ArchiveLimits):
            raise DeclarationError(f"limits={self.limits!r}; allowed: an ArchiveLimits, or None")

    @property
    def parameters(self) -> dict[str, Any]:
        """The constructor arguments by name, attributes included."""
        return {**super().parameters, **self.attributes}

    def members(self) -> Iterator[tuple[ArchiveMember, ArchiveEntry]]:
        """Yield the members that are items, with what the archive says of them."""
        if not os.path.isfile(self.path):
            raise FileNotFoundError(f"{self.path!r} is no file; pass the path of a zip or tar archive")
        for member, entry in list_members(absolute(self.path), self.limits):
            if _suffix(entry.name) in _NESTED and not _is_hidden(entry.name):
                yield member.refused("is an archive within the archive, which is not opened; unpack it first"), entry
            elif _is_item(member, entry):
                yield member, entry

    def __iter__(self) -> Iterator[AudioMetaData]:
        for member, entry in self.members():
            yield AudioMetaData(**{"uri": member, "size": entry.size, **self.attributes})

    def __len__(self) -> int:
        return sum(1 for _ in self.members())

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        given = {**({} if self.limits is None else {"limits": self.limits}), **self.attributes}
        return f"Archive({', '.join([repr(self.path), *(f'{name}={value!r}' for name, value in given.items())])})"


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lower()


def _is_hidden(name: str) -> bool:
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _is_item(member: ArchiveMember, entry: ArchiveEntry) -> bool:
    if _is_hidden(entry.name):
        return False
    if _suffix(entry.name) in AUDIO_SUFFIXES:
        return True
    if entry.refused:
        return not entry.is_link  # what nobody looked into is for the report to name
    return _looks_like_audio(member)


def _looks_like_audio(member: ArchiveMember) -> bool:
    try:
        head = member.head(_LOOKED_AT)
    except (ArchiveError, OSError):
        return True
    try:
        with Source(head) as source:
            return bool(sniff(source))
    except MediaError:
        return head.startswith(b"ID3")  # a tag that is longer than what was looked at stands before nothing else
