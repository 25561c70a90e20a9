"""Folders and files on a disk: made durably, with errors that say what to do.

Convention, the strict reading of POSIX: the name of a new file or folder is durable only once the folder that holds it
was synced. So a folder is made durable before anything is put into it, and whoever finds one that another process made
a moment ago syncs it again. Functions: ``disk_errors``, ``full_disk``, ``identity``, ``is_same_file``,
``make_folder``, ``open_plain``, ``remove_files``, ``replace_files``, ``sync_file``, ``sync_folder``, ``sync_names``.
"""

import errno
import itertools
import os
import stat
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from zounds_lite.errors import CorruptValue, StoreFormatError, StoreFull, StoreLocked

__all__ = [
    "FULL",
    "disk_errors",
    "full_disk",
    "identity",
    "is_same_file",
    "make_folder",
    "open_plain",
    "remove_files",
    "replace_files",
    "sync_file",
    "sync_folder",
    "sync_names",
]

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""Error numbers of a disk, a quota or a file that cannot grow."""

_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}
_NOT_THE_FILE = {errno.ENOENT, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""There is no file, or the process or the system is short of something: no damage."""

_PLAIN = sum(getattr(os, name, 0) for name in ("O_RDONLY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
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
    sync_file(folder)


def sync_file(file: Path) -> None:
    """Make what a file holds durable, whoever wrote it."""
    descriptor = os.open(file, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_names(folders: Iterable[Path]) -> None:
    """Make names in folders durable, and the names of the folders themselves."""
    known = {folder: identity(folder) for folder in folders}
    for folder in known:
        sync_folder(folder)
    news = {folder: found for folder, found in known.items() if _durable.get(str(folder)) != found}
    for parent in {folder.parent for folder in news}:
        sync_folder(parent)
    for folder, found in news.items():
        _remember(folder, found)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing; all are durable when this returns."""
    found = identity(folder)
    if found is None:
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        found = identity(folder)
    elif _durable.get(str(folder)) == found:
        return
    with suppress(PermissionError):  # a folder above the store that may not be read is not ours to sync
        sync_folder(folder.parent)
    _remember(folder, found)


def _remember(folder: Path, found: tuple[int, int] | None) -> None:
    """Take note that the name of a folder is durable."""
    if found is not None:
        if len(_durable) > _REMEMBERED:
            _durable.clear()
        _durable[str(folder)] = found


def identity(path: Path) -> tuple[int, int] | None:
    """Say which file or folder stands at a path, whatever its name; None where there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def remove_files(files: Iterable[Path]) -> tuple[int, int]:
    """Remove files, and return how many there were and their size; another process may be faster."""
    count = size = 0
    for file in files:
        try:
            found = file.lstat()
            if stat.S_ISDIR(found.st_mode):
                file.rmdir()
            else:
                file.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                continue  # a folder with something in it is not ours
            raise
        count, size = count + 1, size + found.st_size
    return count, size


def is_same_file(descriptor: int, path: Path) -> bool:
    """Tell whether the file that is open is the one that stands at a path now."""
    found = os.fstat(descriptor)
    return identity(path) == (found.st_dev, found.st_ino)


def open_plain(file: Path, what: str) -> int:
    """Open a file of a store for reading and return its descriptor.

    Whoever can write into a store's folder must not lead a reader out of it, nor make it wait.

    Raises:
        FileNotFoundError: there is no such file.
        OSError: the process has too many files open, or the system is short of memory.
        CorruptValue: it is a link, a pipe, a folder or anything else but a plain file, or may not be read.
    """
    try:
        descriptor = os.open(file, _PLAIN)
    except OSError as error:
        if error.errno in _NOT_THE_FILE:
            raise
        raise CorruptValue(f"{what} cannot be read: {error}; process its document again to replace it") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CorruptValue(f"{what} is no plain file: {str(file)!r}; process its document again to replace it")
    return descriptor


def replace_files(groups: Iterable[Mapping[Path, bytes | None]], owner: str) -> None:
    """Replace files durably, each all of it or nothing; one group is durable before the next is begun.

    All are written aside before the first gets its name, so where there is no room for all, none changes.

    Args:
        groups (Iterable[Mapping[Path, bytes | None]]): the content of each file; None removes it.
        owner (str): names the process, so that no two write aside under one name.
    """
    groups, aside = list(groups), {}
    try:
        for file, data in itertools.chain.from_iterable(group.items() for group in groups):
            if data is not None:
                make_folder(file.parent)
                aside[file] = file.with_name(f"{file.stem}-{owner}-{threading.get_ident()}.part")
                _write(aside[file], data)
        for group in groups:
            changed = {file: data for file, data in group.items() if data is not None or file.exists()}
            for file, data in changed.items():
                if data is not None:
                    os.replace(aside.pop(file), file)
                else:
                    file.unlink()
            for folder in {file.parent for file in changed}:
                sync_folder(folder)
    except BaseException:
        for left in aside.values():
            left.unlink(missing_ok=True)
        raise


def _write(file: Path, data: bytes) -> None:
    with open(file, "wb", buffering=0) as out:
        view = memoryview(data)
        while len(view):
            view = view[out.write(view) :]
        os.fsync(out.fileno())
