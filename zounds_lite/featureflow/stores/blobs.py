"""Blobs as files: written aside, made durable, renamed, then read as memory maps.

A blob under way is named after its owner, so that what a dead process left behind can be told from what a live one is
writing. Classes: ``BlobFolder``; functions ``owner_tag``, ``sync_folder``, ``full_disk``.
"""

import errno
import logging
import mmap
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from zounds_lite.errors import KeyNotFound, StoreFull
from zounds_lite.featureflow.stores.base import BlobWriter

__all__ = ["BlobFolder", "full_disk", "owner_tag", "sync_folder"]

_WRITE = 64 * 1024
"""Bytes per system call: the page cache keeps them in one piece, and a slice maps whole pieces when it touches them."""

_log = logging.getLogger(__name__)

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def full_disk(where: object) -> Iterator[None]:
    """Turn the system's 'no space' into ``StoreFull``."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFull(
                error.errno,
                f"no room left for {where}: {error.strerror}; what was acknowledged is safe, free some space",
            ) from error
        raise


def owner_tag() -> str:
    """Name this process so that no other one, now or after a restart, has the same name."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
        start = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:  # only Linux tells; elsewhere the process id has to do
        boot = start = "0"
    return f"{os.getpid()}-{boot}-{start}"


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` durable, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _FileBlob(BlobWriter):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._name = uuid.uuid4().hex
        self._path = folder / f"{owner_tag()}-{self._name}.part"
        self._target = _blob_file(folder, self._name)
        with full_disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = open(self._path, "xb", buffering=0)  # noqa: SIM115 - closed by finish or discard

    def _append(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        with full_disk(self._folder):
            while len(view):
                view = view[self._file.write(view[:_WRITE]) :]

    def _publish(self) -> str:
        shard = self._target.parent
        with full_disk(self._folder):
            os.fsync(self._file.fileno())
            self._file.close()
            if not shard.is_dir():
                shard.mkdir(exist_ok=True)
                sync_folder(self._folder)
            os.replace(self._path, self._target)
            sync_folder(shard)
        return self._name

    def discard(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)
        self._target.unlink(missing_ok=True)


def _blob_file(folder: Path, name: str) -> Path:
    return folder / name[:2] / f"{name}.blob"


class BlobFolder:
    """A folder of blobs.

    Args:
        path (Path): made when the first blob is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self) -> BlobWriter:
        """Begin a blob."""
        return _FileBlob(self.path)

    def _file(self, name: str) -> Path:
        if not (len(name) == 32 and set(name) <= set("0123456789abcdef")):
            raise KeyNotFound(f"{name!r} is no name of a blob")
        return _blob_file(self.path, name)

    def open(self, name: str) -> np.ndarray:
        """Map a blob: read-only, pages come in as they are touched, nothing is read ahead."""
        try:
            with open(self._file(name), "rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise KeyNotFound(f"no blob {name!r} in {str(self.path)!r}") from None
        if hasattr(mmap, "MADV_RANDOM"):
            mapped.madvise(mmap.MADV_RANDOM)
        return np.frombuffer(mapped, np.uint8)

    def remove(self, name: str) -> None:
        """Remove a blob; maps of it that are open stay valid."""
        try:
            self._file(name).unlink(missing_ok=True)
        except OSError as error:  # the record that named it is gone, so it is an orphan and no fault of the caller's
            _log.warning("blob %s could not be removed: %s", name, error)
