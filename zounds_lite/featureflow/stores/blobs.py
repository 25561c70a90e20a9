"""Blobs as files: written aside, renamed, made durable before a record names them, then read as memory maps.

A blob under way is named in the lease of its process (see ``leases``), from before its file exists until a record that
names it was committed, so that what a dead process left can be told from what a live one is writing. Class:
``BlobFolder``.
"""

import logging
import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zounds_lite.errors import KeyNotFound
from zounds_lite.featureflow.stores.base import BlobWriter, Garbage
from zounds_lite.featureflow.stores.checks import named_blobs
from zounds_lite.featureflow.stores.folders import disk_errors, remove_files, sync_file, sync_names
from zounds_lite.featureflow.stores.leases import Leases, owner_tag
from zounds_lite.featureflow.stores.maps import map_file

__all__ = ["BlobFolder"]

_WRITE = 64 * 1024
"""Bytes per system call: the page cache keeps them in one piece, and a slice maps whole pieces when it touches them."""

_EARLY = 8 * 1024 * 1024
"""Bytes after which the disk is asked to begin with them, so that the end of a large value waits for little."""

_NAME = re.compile("[0-9a-f]{32}")

_log = logging.getLogger(__name__)


class _Unsynced(NamedTuple):
    """A finished blob that is not durable yet: whose it is, and why the disk refused it, if it did."""

    owner: str
    refusal: OSError | None = None


class _FilePart(BlobWriter):
    """Writes to a file from a byte on."""

    def __init__(self, folder: Path, path: Path, at: int = 0) -> None:
        super().__init__(at)
        self._folder, self._path = folder, path
        self._end = self._begun = at
        self._file = self._open()

    def _open(self) -> FileIO:
        with disk_errors(self._folder):
            file = open(self._path, "r+b", buffering=0)  # noqa: SIM115 - closed by the whole blob, or by discard
            file.seek(self.at)
        return file

    def _append(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data)
        with disk_errors(self._folder):
            while len(view):
                view = view[self._file.write(view[:_WRITE]) :]
            self._end += len(data)
            if self._end - self._begun >= _EARLY:
                self._begin_writing()

    def _begin_writing(self) -> None:
        """Let the disk begin with what it has not been asked to write yet, and wait for nothing."""
        if hasattr(os, "posix_fadvise"):
            # where pages are dirty, Linux begins to write them, and forgets those alone that are written already
            os.posix_fadvise(self._file.fileno(), self._begun, self._end - self._begun, os.POSIX_FADV_DONTNEED)
        self._begun = self._end

    def _publish(self) -> str:
        raise NotImplementedError("a part of a blob is joined to the blob")

    def discard(self) -> None:
        self._file.close()


class _FileBlob(_FilePart):
    can_part = True

    def __init__(self, folder: Path, leases: Leases, unsynced: "dict[str, _Unsynced]") -> None:
        self._leases = leases
        self._unsynced = unsynced
        self._owner = owner_tag()
        self._name = uuid.uuid4().hex
        self._target = _blob_file(folder, self._name)
        super().__init__(folder, folder / f"{self._owner}-{self._name}.part")

    def _open(self) -> FileIO:
        with disk_errors(self._folder):
            self._leases.hold(self._name)
            try:
                return open(self._path, "xb", buffering=0)
            except BaseException:
                self._leases.release([self._name])
                raise

    def part(self, at: int) -> BlobWriter:
        return _FilePart(self._folder, self._path, at)

    def _behind(self, part: Any) -> None:
        with disk_errors(self._folder):
            for each in (self, part):
                each._begin_writing()
            part.discard()
            self._file.seek(self.size)
        self._begun = self._end = self.size

    def _publish(self) -> str:
        with disk_errors(self._folder):
            self._begin_writing()
            self._file.close()
            self._target.parent.mkdir(exist_ok=True)
            os.replace(self._path, self._target)
            # only now: a commit of another thread would take a blob that is not there yet for one that was discarded
            self._unsynced[self._name] = _Unsynced(self._owner)
        return self._name

    def discard(self) -> None:
        self._file.close()
        if self._owner != owner_tag():
            return  # in the child of a fork: the blob is the parent's
        self._unsynced.pop(self._name, None)
        self._path.unlink(missing_ok=True)
        self._target.unlink(missing_ok=True)
        self._leases.release([self._name])


def _blob_file(folder: Path, name: str) -> Path:
    return folder / name[:2] / f"{name}.blob"


class BlobFolder:
    """A folder of blobs.

    Args:
        path (Path): made when the first blob is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._leases = Leases(path)
        self._unsynced: dict[str, _Unsynced] = {}

    def create(self) -> BlobWriter:
        """Begin a blob."""
        return _FileBlob(self.path, self._leases, self._unsynced)

    def make_durable(self) -> None:
        """Make all blobs durable that were finished so far: before records that name them are written.

        Those of many documents at once cost hardly more than one, as the disk's journal is written once. What the disk
        refused once stays refused until it is discarded: a system may report only once that it lost what was written.
        """
        waiting = {name: found for name, found in list(self._unsynced.items()) if found.owner == owner_tag()}
        if not waiting:
            return
        with disk_errors(self.path):
            for found in waiting.values():
                if found.refusal is not None:
                    raise OSError(found.refusal.errno, found.refusal.strerror)
            try:
                self._sync(waiting)
            except OSError as error:
                for name in waiting.keys() & self._unsynced.keys():
                    self._unsynced[name] = _Unsynced(owner_tag(), error)
                raise
        for name in waiting:
            self._unsynced.pop(name, None)

    def _sync(self, names: Iterable[str]) -> None:
        files = [_blob_file(self.path, name) for name in names]
        for file in files:
            with suppress(FileNotFoundError):  # discarded meanwhile
                sync_file(file)
        sync_names({file.parent for file in files})

    def settle(self, news: Mapping[str, bytes | None]) -> None:
        """Take note of records that were committed: the blobs that they name need no lease any more."""
        if self._leases.own:
            self._leases.release(named_blobs(news))

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise KeyNotFound(f"{name!r} is no name of a blob")
        return _blob_file(self.path, name)

    def open(self, name: str) -> np.ndarray:
        """Map a blob: read-only, pages come in as they are touched, nothing is read ahead."""
        try:
            return map_file(self._file(name), f"the blob {name!r}")
        except FileNotFoundError:
            raise KeyNotFound(f"no blob {name!r} in {str(self.path)!r}") from None

    def remove(self, name: str) -> None:
        """Remove a blob; maps of it that are open stay valid."""
        try:
            self._file(name).unlink(missing_ok=True)
            self._unsynced.pop(name, None)
            self._leases.release([name])
        except OSError as error:  # the record that named it is gone, so it is an orphan and no fault of the caller's
            _log.warning("blob %s could not be removed: %s", name, error)

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield name and size of every finished blob."""
        for file in self.path.glob("??/*.blob"):
            try:
                found = file.lstat()
            except FileNotFoundError:  # removed since the listing
                continue
            if _NAME.fullmatch(file.stem):
                yield file.stem, found.st_size

    def collect(self, named: Callable[[], set[str]]) -> Garbage:
        """Remove what no record names and no live process is writing.

        Args:
            named (Callable[[], set[str]]): reads the names from the records.
        """
        # the order matters: a blob that is committed meanwhile has its file first, then its lease, then its record
        files = {file.stem.rpartition("-")[2]: file for file in self.path.glob("*.part")}
        files.update((name, _blob_file(self.path, name)) for name, _ in self.files())
        live = self._leases.live()
        unnamed = files.keys() - named()
        with disk_errors(self.path):
            blobs, size = remove_files(files[name] for name in unnamed - live)
            self._leases.remove_dead()
        return Garbage(blobs, size, len(unnamed & live))
