"""What of an archive is refused: ``ArchiveLimits``, ``ArchiveEntry`` (one member), ``refusal_of_name``."""

import re
from typing import Any, NamedTuple

from zounds_lite._declared import Declared
from zounds_lite.errors import ArchiveError, DeclarationError

__all__ = ["ArchiveEntry", "ArchiveLimits", "refusal_of_name"]

_DRIVE = re.compile(r"[A-Za-z]:")
_LONGEST_NAME = 4096


class ArchiveLimits(Declared):
    """What an archive may hold; more is refused, as a few bytes may stand for terabytes.

    Args:
        members (int): most members.
        member_bytes (int): largest member, in bytes, once decompressed.
        total_bytes (int): all members together, in bytes, once decompressed.
        ratio (float): decompressed bytes for each compressed one, >= 1, of a member that is larger than
            ``ratio_from`` (in a compressed tar: of the whole).
        ratio_from (int): bytes, once decompressed, up to which any ratio is allowed: silence compresses well.

    Raises:
        DeclarationError: a limit is no number, or not positive.

    Examples:
        >>> ArchiveLimits(ratio=1000).ratio, ArchiveLimits().members
        (1000, 1000000)
        >>> ArchiveLimits(members=0)
        Traceback (most recent call last):
        zounds_lite.errors.DeclarationError: members=0; allowed: whole numbers from 1 up
    """

    members: int
    member_bytes: int
    total_bytes: int
    ratio: float
    ratio_from: int

    def __init__(
        self,
        members: int = 1_000_000,
        member_bytes: int = 16 << 30,
        total_bytes: int = 1 << 40,
        ratio: float = 200,
        ratio_from: int = 64 << 20,
    ) -> None:
        super().__init__(
            members=members, member_bytes=member_bytes, total_bytes=total_bytes, ratio=ratio, ratio_from=ratio_from
        )

    def validate(self) -> None:
        """Refuse limits that allow nothing."""
        for name in ("members", "member_bytes", "total_bytes", "ratio_from"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise DeclarationError(f"{name}={value!r}; allowed: whole numbers from 1 up")
        if not isinstance(self.ratio, (int, float)) or isinstance(self.ratio, bool) or not self.ratio >= 1:
            raise DeclarationError(f"ratio={self.ratio!r}; allowed: numbers from 1 up")

    def refusal(self, size: int, packed: int) -> str | None:
        """Say what is wrong with a member of some size; None where nothing is.

        Args:
            size (int): bytes, once decompressed.
            packed (int): bytes in the archive.
        """
        if size > self.member_bytes:
            return f"has {size} bytes, allowed: {self.member_bytes} (member_bytes of ArchiveLimits)"
        if size > self.ratio_from and size > self.ratio * packed:
            return (
                f"has {size} bytes made of {packed}, more than {self.ratio:g} of each; allow it with "
                f"ArchiveLimits(ratio={-(-size // max(1, packed))}) if you trust it"
            )
        return None

    def check_count(self, count: int) -> None:
        """Refuse an archive of too many members.

        Raises:
            ArchiveError: it has more than ``members``.
        """
        if count > self.members:
            raise ArchiveError(f"it has more than {self.members} members (members of ArchiveLimits)")

    def check_total(self, size: int) -> None:
        """Refuse an archive that is too large.

        Raises:
            ArchiveError: its members have more than ``total_bytes``.
        """
        if size > self.total_bytes:
            raise ArchiveError(f"its members have more than {self.total_bytes} bytes (total_bytes of ArchiveLimits)")

    def check_stream(self, done: int, read: int) -> None:
        """Refuse a compressed tar that swells.

        Args:
            done (int): bytes decompressed.
            read (int): bytes that they were made of.

        Raises:
            ArchiveError: there are too many of them.
        """
        if done > self.ratio_from and done > self.ratio * read:
            raise ArchiveError(
                f"{read} bytes of it gave {done}, more than {self.ratio:g} of each; allow it with a higher ratio of "
                "ArchiveLimits if you trust it"
            )
        self.check_total(done)


class ArchiveEntry(NamedTuple):
    """A member, as the archive lists it.

    Args:
        name (str): exactly as the archive has it.
        offset (int): where it begins: its header in a zip, its bytes in a tar (once decompressed).
        size (int): bytes, once decompressed.
        packed (int): bytes in the archive.
        method (int): of compression, by the numbers of zip; 0 is none.
        crc (int | None): its checksum (CRC-32); a tar has none.
        refused (str | None): why it is not read.
        is_link (bool): it is no file of its own, but a link or a device.
    """

    name: str
    offset: int
    size: int
    packed: int = 0
    method: int = 0
    crc: int | None = None
    refused: str | None = None
    is_link: bool = False

    def but_refused(self, why: str) -> Any:
        """Return the same, refused, unless it is already."""
        return self if self.refused else self._replace(refused=why)


def refusal_of_name(name: str) -> str | None:
    """Say why a name would lead out of a folder, on any system; None where it would not.

    Names are never used as paths here; one that could do harm elsewhere says that the archive was made to.

    Examples:
        >>> refusal_of_name("a/b..wav"), refusal_of_name("a/../../b.wav"), refusal_of_name("C:/b.wav")
        (None, "has '..' in its name", 'has a drive letter in its name')
    """
    if not name:
        return "has no name"
    if len(name) > _LONGEST_NAME:
        return f"has a name of {len(name)} characters, allowed: {_LONGEST_NAME}"
    if name.startswith("/"):
        return "has an absolute path for a name"
    if _DRIVE.match(name):
        return "has a drive letter in its name"
    if "\0" in name:
        return "has a zero byte in its name"
    if "\\" in name:
        return "has a backslash in its name, which some systems take for a folder"
    if ".." in name.split("/"):
        return "has '..' in its name"
    return None
