"""Archives that were read last, kept open with their lists of members.

Goal: an archive is listed once in a process, however many of its members are read, and again when its file changes.
Conventions: what kind of archive a file is, its content says. A compressed tar can only be read forward: several
readers of it are kept, each of which goes on from where it is, so that members read in their order cost one pass for
each thread; going back begins anew. All of it is safe among threads, and in forks. Classes: ``OpenArchive``,
``Listing``; function ``opened``.
"""

import os
import threading
from collections import OrderedDict
from typing import Any, NamedTuple

from zounds_lite.errors import ArchiveError
from zounds_lite.featureflow.archivelimits import ArchiveEntry, ArchiveLimits
from zounds_lite.featureflow.memberfiles import IN_MEMORY, MemberFile, spooled
from zounds_lite.featureflow.tarindex import TarWalk, is_tar
from zounds_lite.featureflow.unpacking import Plain, SharedFile, Unpacked
from zounds_lite.featureflow.zipindex import data_offset, read_zip

__all__ = ["Listing", "OpenArchive", "opened"]

_MOST_OPEN = 8
"""Archives that are kept open in a process."""
_MOST_STREAMS = 4
"""Readers of one compressed tar."""
_MOST_SPOOLED = 4
"""Decompressed members that are kept: one is read several times while a document is made of it."""
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "xz"}
_PACKING = {8: "deflate", 12: "bz2"}


class Listing(NamedTuple):
    """The members of an archive.

    Args:
        entries (dict[str, ArchiveEntry]): by name, in the order of the archive.
        damage (ArchiveError | None): what keeps the rest from being listed.
    """

    entries: dict[str, ArchiveEntry]
    damage: ArchiveError | None


class OpenArchive:
    """An archive as its file was when it was opened.

    Args:
        path (str): the file.

    Raises:
        ArchiveError: it is no zip or tar archive.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.file = SharedFile(path)
        self._begin()
        head = self.file.read_at(0, 512)
        self.packing = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
        self.is_zip = self.packing is None and not is_tar(head)
        if self.packing is not None:
            self._check_is_tar()

    def _check_is_tar(self) -> None:
        try:
            if is_tar(self._stream(lambda done, read: None).read(512)):
                return
        except ArchiveError as error:
            raise ArchiveError(f"{self.path!r} cannot be read: {error}") from error
        raise ArchiveError(f"{self.path!r} holds {self.packing} data that are no tar archive; unpack it first")

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._listings: dict[ArchiveLimits, Listing] = {}
        self._streams: list[Any] = []
        self._spools: OrderedDict[ArchiveEntry, SharedFile | bytes] = OrderedDict()

    def begin_again(self) -> None:
        """Make new locks, in a fork: those of the parent may be held for ever."""
        listings, spools = self._listings, self._spools
        self._begin()
        self._listings, self._spools = dict(listings), spools.copy()

    def _stream(self, check: Any) -> Plain | Unpacked:
        if self.packing is None:
            return Plain(self.file, 0, self.file.size)
        return Unpacked(self.file, 0, self.file.size, self.packing, check)

    def listing(self, limits: ArchiveLimits) -> Listing:
        """Return the members; those that are refused among them, with the reason.

        Raises:
            ArchiveError: the list is damaged, or all of the archive is refused.
        """
        with self._lock:
            if limits not in self._listings:
                try:
                    self._listings[limits] = self._listed(limits)
                except ArchiveError as error:
                    raise ArchiveError(f"{self.path!r} cannot be read: {error}") from error
            return self._listings[limits]

    def _listed(self, limits: ArchiveLimits) -> Listing:
        damage: ArchiveError | None = None
        entries: dict[str, ArchiveEntry] = {}
        walk = None if self.is_zip else TarWalk(self._stream(limits.check_stream), limits)
        for entry in read_zip(self.file, limits) if walk is None else walk.entries():
            known = entries.get(entry.name)
            twice = "is there more than once, so it is not clear which one is meant"
            entries[entry.name] = entry if known is None else known.but_refused(twice)
        if walk is not None and walk.damage is not None:
            damage = ArchiveError(f"{self.path!r} is damaged: {walk.damage}")
        return Listing(entries, damage)

    def open(self, entry: ArchiveEntry, name: str, limits: ArchiveLimits) -> MemberFile:
        """Open a member.

        Args:
            entry (ArchiveEntry): the member.
            name (str): what it is called in messages.
            limits (ArchiveLimits): of the archive.

        Raises:
            ArchiveError: it is refused or damaged.
        """
        try:
            if entry.refused:
                raise ArchiveError(entry.refused)
            if self.packing is None and entry.method == 0:
                start = data_offset(self.file, entry) if self.is_zip else entry.offset
                return MemberFile(name, self.file, start, entry.size, entry.crc)
            return MemberFile(name, self._spooled(entry, limits), 0, entry.size)
        except ArchiveError as error:
            raise ArchiveError(f"{name} {error}") from error

    def head(self, entry: ArchiveEntry, limits: ArchiveLimits, count: int) -> bytes:
        """Return the first bytes of a member, without decompressing the rest.

        Raises:
            ArchiveError: it is refused or damaged.
        """
        if entry.refused:
            raise ArchiveError(entry.refused)
        count = min(count, entry.size)
        if self.is_zip:
            return self._member_stream(entry).read(count)
        stream = self._taken(entry.offset, limits)
        data = stream.read(count)
        self._put_back(stream)
        return data

    def _member_stream(self, entry: ArchiveEntry) -> Plain | Unpacked:
        start = data_offset(self.file, entry)
        if entry.method == 0:
            return Plain(self.file, start, start + entry.size)
        return Unpacked(self.file, start, start + entry.packed, _PACKING[entry.method])

    def _spooled(self, entry: ArchiveEntry, limits: ArchiveLimits) -> SharedFile | bytes:
        with self._lock:
            found = self._spools.get(entry)
        if found is not None:
            return found
        if self.is_zip:
            found = spooled(self._member_stream(entry), entry.size, entry.crc)
        else:
            stream = self._taken(entry.offset, limits)
            found = spooled(stream, entry.size, None)
            self._put_back(stream)
        with self._lock:
            self._spools[entry] = found
            while len(self._spools) > 1 and (len(self._spools) > _MOST_SPOOLED or self._spooled_bytes() > IN_MEMORY):
                self._spools.popitem(last=False)
        return found

    def _spooled_bytes(self) -> int:
        return sum(entry.size for entry in self._spools)

    def _taken(self, offset: int, limits: ArchiveLimits) -> Any:
        """Return a reader that stands at an offset, and that nobody else has: the one that has least to skip."""
        with self._lock:
            before = [stream for stream in self._streams if stream.position <= offset]
            stream = max(before, key=lambda each: each.position, default=None)
            if stream is not None:
                self._streams.remove(stream)
        if stream is None:
            stream = self._stream(limits.check_stream)
        stream.skip_to(offset)
        return stream

    def _put_back(self, stream: Any) -> None:
        with self._lock:
            self._streams = [*self._streams, stream][-_MOST_STREAMS:]


class _Archives:
    """The archives that were read last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[Any, ...], OpenArchive] = OrderedDict()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_again)

    def _begin_again(self) -> None:
        self._lock = threading.Lock()
        for archive in self._open.values():
            archive.begin_again()

    def get(self, path: str) -> OpenArchive:
        now = os.stat(path)
        key = (path, now.st_size, now.st_mtime_ns, now.st_ino)
        with self._lock:
            archive = self._open.get(key)
        if archive is None:
            archive = OpenArchive(path)
        with self._lock:
            archive = self._open.setdefault((path, *archive.file.state), archive)
            self._open.move_to_end((path, *archive.file.state))
            while len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        return archive


_ARCHIVES = _Archives()


def opened(path: str) -> OpenArchive:
    """Return the archive at a path, as it is now.

    Args:
        path (str): absolute.

    Raises:
        FileNotFoundError: there is no such file.
        ArchiveError: it is no zip or tar archive.
    """
    try:
        return _ARCHIVES.get(path)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise FileNotFoundError(f"{path!r} is no file; pass the path of a zip or tar archive") from error
