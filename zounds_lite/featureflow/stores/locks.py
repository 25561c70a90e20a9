"""Locks on files, which the system drops when their process ends, whatever ends it.

These are locks of the open file, not of the process: closing another descriptor of the same file leaves them alone, and
two threads that each open the file keep each other out. Functions: ``lock_file``, ``wait_for_lock``; class
``UsersLock``.
"""

import errno
import os
import time
from pathlib import Path

from zounds_lite.errors import StoreLocked
from zounds_lite.featureflow.stores.folders import is_same_file

__all__ = ["UsersLock", "lock_file", "wait_for_lock"]

PATIENCE = 10.0
"""Seconds to wait for another program that holds a store."""

_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS, errno.EBADF}
_PAUSE = 0.005


def lock_file(descriptor: int, wait: bool, shared: bool = False) -> bool | None:
    """Lock an open file.

    Args:
        descriptor (int): the file.
        wait (bool): wait for as long as it takes.
        shared (bool): let others in who ask for a shared lock too.

    Returns:
        bool | None: whether the lock was taken; None where there are no such locks.
    """
    if os.name != "posix":
        return None
    import fcntl

    try:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        fcntl.flock(descriptor, kind | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True


def wait_for_lock(descriptor: int, shared: bool = False) -> bool:
    """Lock an open file, waiting some seconds; True where it was taken, or where there are no such locks."""
    deadline = time.monotonic() + PATIENCE
    while lock_file(descriptor, wait=False, shared=shared) is False:
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


class UsersLock:
    """Says that this process uses the store in a folder, or that it has the store for itself.

    Args:
        folder (Path): the store's folder.
        alone (bool): let nobody else in, and wait until those who are in have left.

    Raises:
        StoreLocked: others keep it out for longer than some seconds.
    """

    def __init__(self, folder: Path, alone: bool = False) -> None:
        self.path = folder / "users.lock"
        self._descriptor: int | None = None
        self.take(alone)

    def take(self, alone: bool) -> None:
        """Take the lock, or change it to the other kind; in between, others may take it."""
        while True:
            if self._descriptor is None:
                self._descriptor = _open(self.path)
            if self._descriptor is None:
                return  # nobody can take it, or change the store
            if not wait_for_lock(self._descriptor, shared=not alone):
                self.release()
                what = "is used by another program" if alone else "is held by another program"
                raise StoreLocked(errno.EAGAIN, f"{str(self.path.parent)!r} {what}; close it there, or try again later")
            if is_same_file(self._descriptor, self.path):
                return
            self.release()

    def release(self) -> None:
        """Give the lock up; the file stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _open(path: Path) -> int | None:
    close_on_exec = getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | close_on_exec, 0o666)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
    try:
        return os.open(path, os.O_RDONLY | close_on_exec)
    except OSError:
        return None
