"""Folders and files on a disk: made durably, with errors that say what to do.

Convention, the strict reading of POSIX: the name of a new file or folder is durable only once the folder that holds it
was synced. So a folder is made durable before anything is put into it, and whoever finds one that another process made
a moment ago syncs it again. Functions: ``disk_errors``, ``full_disk``, ``make_folder``, ``open_plain``,
``sync_folder``, ``write_file``.
"""

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zounds_lite.errors import CorruptValue, StoreFormatError, StoreFull, StoreLocked

__all__ = ["FULL", "disk_errors", "full_disk", "make_folder", "open_plain", "sync_folder", "write_file"]

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""Error numbers of a disk, a quota or a file that cannot grow."""

_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}
_REMEMBERED = 10_000

_durable: dict[str, tuple[int, int]] = {}
"""Folders whose names this process knows to be durable, with what they were then."""


def full_disk(where: object, error: OSError | None = None) -> StoreFull:
    """Return the error that says that there is no room left."""
    reason = os.strerror(error.errno) if error is not None and error.errno else os.strerror(errno.ENOSPC)
    number = errno.ENOSPC if error is None else error.errno
    return StoreFull(number, f"no room left for {where}: {reason}; what was acknowledged is safe, free some space")


@contextmanager
def disk_errors(where: object) -> Iterator[None]:
    """Turn the system's 'no space' into ``StoreFull``, and 'not allowed' into ``StoreLocked``."""
    try:
        yield
    except (StoreFull, StoreLocked):
        raise
    except OSError as error:
        if error.errno in FULL:
            raise full_disk(where, error) from error
        if error.errno in _READ_ONLY:
            raise StoreLocked(
                error.errno, f"{str(where)!r} is read-only for this user: reading works, writing does not"
            ) from error
        if isinstance(error, NotADirectoryError):
            raise StoreFormatError(
                f"{str(where)!r} lies below a file; a store is a folder: pass another path"
            ) from error
        raise


def sync_folder(folder: Path) -> None:
    """Make names in ``folder`` durable, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing; all are durable when this returns."""
    identity = _identity(folder)
    if identity is None:
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        identity = _identity(folder)
    elif _durable.get(str(folder)) == identity:
        return
    with suppress(PermissionError):  # a folder above the store that may not be read is not ours to sync
        sync_folder(folder.parent)
    if identity is not None:
        if len(_durable) > _REMEMBERED:
            _durable.clear()
        _durable[str(folder)] = identity


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(folder)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def open_plain(file: Path, what: str) -> int:
    """Open a file of a store for reading and return its descriptor.

    Whoever can write into a store's folder must not lead a reader out of it, nor make it wait.

    Raises:
        FileNotFoundError: there is no such file.
        CorruptValue: it is a link, a pipe, a folder or anything else but a plain file, or may not be read.
    """
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(file, flags)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CorruptValue(f"{what} cannot be read: {error}; process its document again to replace it") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CorruptValue(f"{what} is no plain file: {str(file)!r}; process its document again to replace it")
    return descriptor


def write_file(file: Path, data: bytes, owner: str) -> None:
    """Write a file durably, all of it or nothing.

    Args:
        file (Path): where; what was there is replaced.
        data (bytes): its content.
        owner (str): names the process, so that no two write aside under one name.
    """
    make_folder(file.parent)
    aside = file.with_name(f"{owner}-{threading.get_ident()}.part")
    try:
        with open(aside, "wb", buffering=0) as out:
            view = memoryview(data)
            while len(view):
                view = view[out.write(view) :]
            os.fsync(out.fileno())
        os.replace(aside, file)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(file.parent)
