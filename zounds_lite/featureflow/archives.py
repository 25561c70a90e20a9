"""Files within zip and tar archives as sources, without unpacking.

Goal: a member is read where it lies, and whoever has its text form finds it again. Conventions: the text form is
``zip:PATH!/NAME`` or ``tar:PATH!/NAME`` (by the ending of the path; the content decides how it is read), with the
absolute path of the archive and the name exactly as the archive has it; ``%``, ``#``, control characters, bytes that
are no text and, in the path, ``!`` are written as ``%`` and two digits, so the first ``!/`` ends the path. Names are
never used as paths.

Classes: ``ArchiveMember``, ``ArchiveLimits`` (what is refused). Functions: ``member_of``, ``list_members``,
``default_archive_limits``, ``set_archive_limits``.
"""

import os
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

from zounds_lite._declared import Declared
from zounds_lite.errors import ArchiveError, DeclarationError
from zounds_lite.featureflow.archivelimits import ArchiveEntry, ArchiveLimits
from zounds_lite.featureflow.memberfiles import MemberFile
from zounds_lite.featureflow.openarchives import OpenArchive, opened

__all__ = [
    "ArchiveMember",
    "default_archive_limits",
    "list_members",
    "member_of",
    "set_archive_limits",
]

_TEXT = re.compile(r"(zip|tar):([^!]+)!/(.+)", re.DOTALL)
_TAR = re.compile(r"\.(tar(\.\w+)?|tgz|tbz2?|txz|taz|tlz)$", re.IGNORECASE)
_ESCAPED = re.compile("[\0-\x1f\x7f%#\ud800-\udfff]")
_ESCAPED_IN_PATH = re.compile("[\0-\x1f\x7f%#!\ud800-\udfff]")

_default = [ArchiveLimits()]


def default_archive_limits() -> ArchiveLimits:
    """Return the limits of archives for which no others are given."""
    return _default[0]


def set_archive_limits(limits: ArchiveLimits) -> Callable[[], None]:
    """Give archives other limits in this process.

    Args:
        limits (ArchiveLimits): from now on.

    Returns:
        Callable: undoes it.

    Examples:
        >>> undo = set_archive_limits(ArchiveLimits(ratio=1000))
        >>> undo()
    """
    before, _default[0] = _default[0], limits
    return lambda: _default.__setitem__(0, before)


class ArchiveMember(Declared):
    """A file within a zip or tar archive, as a source of a document.

    Stored members of a zip, and those of a tar, are read where they lie; deflated ones are decompressed once, to memory
    or to a temporary file. A tar that is compressed as a whole can only be read forward: fast for members in their
    order, slow for any other.

    Args:
        archive (str | Path): the archive: zip, tar, or tar compressed by gzip, bzip2 or xz.
        name (str): the member, as the archive names it.
        limits (ArchiveLimits | None): what is refused; None: ``default_archive_limits()``.

    Raises:
        DeclarationError: an argument is of the wrong kind.

    Examples:
        >>> ArchiveMember("/music/loops.zip", "drums/fill!.wav").location
        'zip:/music/loops.zip!/drums/fill!.wav'
    """

    archive: str
    name: str
    limits: ArchiveLimits | None

    def __init__(self, archive: Any, name: str, limits: ArchiveLimits | None = None) -> None:
        super().__init__(archive=os.fspath(archive), name=name, limits=limits)

    def validate(self) -> None:
        """Refuse what names no member."""
        if not isinstance(self.archive, str) or not self.archive or "\0" in self.archive:
            raise DeclarationError(f"archive={self.archive!r}; allowed: the path of a zip or tar archive")
        if not isinstance(self.name, str) or not self.name:
            raise DeclarationError(f"name={self.name!r}; allowed: the name of a member, as the archive has it")
        if self.limits is not None and not isinstance(self.limits, ArchiveLimits):
            raise DeclarationError(f"limits={self.limits!r}; allowed: an ArchiveLimits, or None")

    @property
    def path(self) -> str:
        """The absolute path of the archive."""
        return os.path.abspath(self.archive)

    @property
    def location(self) -> str:
        """The text form, which ``member_of`` reads; it does not hold the limits."""
        kind = "tar" if _TAR.search(self.archive) else "zip"
        return f"{kind}:{_escaped(self.path, _ESCAPED_IN_PATH)}!/{_escaped(self.name, _ESCAPED)}"

    @property
    def state(self) -> tuple[int, int, int]:
        """Size, time (nanoseconds) and number of the archive's file now.

        Raises:
            FileNotFoundError: there is no such archive.
            ArchiveError: it is no archive.
        """
        return opened(self.path).file.state

    @property
    def entry(self) -> ArchiveEntry:
        """What the archive says of the member now.

        Raises:
            FileNotFoundError: there is no such archive, or it has no such member.
            ArchiveError: the archive cannot be read.
        """
        return self._found()[1]

    def open(self) -> MemberFile:
        """Open the member as a binary file that can be sought.

        Raises:
            FileNotFoundError: there is no such archive, or it has no such member.
            ArchiveError: the member is refused or damaged, or the archive is.
        """
        archive, entry = self._found()
        return archive.open(entry, self.location, self._limits)

    def head(self, count: int) -> bytes:
        """Return the first bytes of the member, without decompressing the rest.

        Args:
            count (int): how many, at most.

        Raises:
            FileNotFoundError, ArchiveError: as for ``open``.
        """
        archive, entry = self._found()
        return archive.head(entry, self._limits, count)

    def refused(self, why: str) -> "ArchiveMember":
        """Return the same member, which refuses to be opened for a reason, in every process that it is sent to."""
        archive, entry = self._found()
        return self.replace()._placed(archive, entry.but_refused(why))

    @property
    def _limits(self) -> ArchiveLimits:
        return default_archive_limits() if self.limits is None else self.limits

    def _found(self) -> tuple[OpenArchive, ArchiveEntry]:
        archive = opened(self.path)
        state, entry = self.__dict__.get("_place", (None, None))
        if entry is not None and state == archive.file.state:
            return archive, entry
        listing = archive.listing(self._limits)
        entry = listing.entries.get(self.name)
        if entry is None and listing.damage is not None:
            raise listing.damage
        if entry is None:
            raise FileNotFoundError(f"{self.location!r}: the archive has no member of that name")
        return archive, entry

    def _placed(self, archive: OpenArchive, entry: ArchiveEntry) -> "ArchiveMember":
        """Remember what was found, so that no other process has to list the archive for it; no part of the value."""
        self.__dict__["_place"] = archive.file.state, entry
        return self

    def __str__(self) -> str:
        return self.location


def _escaped(text: str, what: re.Pattern[str]) -> str:
    return what.sub(lambda found: "".join(f"%{byte:02X}" for byte in _bytes(found[0])), text)


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair, which no reader of archives makes
        return text.encode("utf-8", "replace")


def member_of(value: Any) -> ArchiveMember | None:
    """Return the member of an archive that a value is, or is the text form of; None for anything else.

    Examples:
        >>> member_of("zip:/music/a%21.zip!/b!/c.wav")
        ArchiveMember(archive='/music/a!.zip', name='b!/c.wav', limits=None)
        >>> member_of("/music/c.wav") is None
        True
    """
    if isinstance(value, ArchiveMember):
        return value
    found = _TEXT.fullmatch(value) if isinstance(value, str) and value.startswith(("zip:", "tar:")) else None
    if found is None:
        return None
    path, name = (unquote_to_bytes(part).decode("utf-8", "surrogateescape") for part in found.group(2, 3))
    return ArchiveMember(path, name) if path and name and "\0" not in path else None


def list_members(path: Any, limits: ArchiveLimits | None = None) -> Iterator[tuple[ArchiveMember, ArchiveEntry]]:
    """Yield the members of an archive in its own order, folders left out, those that are refused among them.

    Args:
        path (str | Path): the archive.
        limits (ArchiveLimits | None): what is refused; None: ``default_archive_limits()``.

    Raises:
        FileNotFoundError: there is no such archive.
        ArchiveError: it cannot be read, or all of it is refused; at the end, where only what follows is damaged.
    """
    whole = ArchiveMember(path, "any", limits)
    archive = opened(whole.path)
    listing = archive.listing(whole._limits)
    for entry in listing.entries.values():
        if entry.name:
            yield ArchiveMember(whole.archive, entry.name, limits)._placed(archive, entry), entry
    if listing.damage is not None:
        raise ArchiveError(str(listing.damage))
