"""A disk that is full when it must be: a tmpfs in a namespace of its own, a limit on file sizes, or failing calls.

The namespace belongs to the process that made it and goes with it, so nothing is left mounted. Classes: ``Tmpfs``,
``SizeLimit``, ``FailingCall``; functions ``can_mount``, ``can_fail``.
"""

import ctypes
import errno
import os
import resource
from pathlib import Path

from benchmarks.faults._forked import forked

_NEWNS, _NEWUSER = 0x20000, 0x10000000
_PRIVATE = 0x4000 | 0x40000
_SIZE = 16 << 20


def _mount(path: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_NEWNS):
        if libc.unshare(_NEWNS | _NEWUSER):
            raise OSError(ctypes.get_errno(), "no mount namespace")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    if libc.mount(b"none", b"/", None, _PRIVATE, None):
        raise OSError(ctypes.get_errno(), "mounts stay shared")
    if libc.mount(b"tmpfs", os.fsencode(path), b"tmpfs", 0, f"size={_SIZE}".encode()):
        raise OSError(ctypes.get_errno(), "no tmpfs")


def can_mount(folder: Path) -> bool:
    """Whether this user may have a tmpfs in a namespace of its own."""
    return forked(lambda: _mount(folder)).failure is None


def can_fail() -> bool:
    """Whether this process was started under the write log, which can let calls fail."""
    return hasattr(ctypes.CDLL(None), "writelog_fail")


class Tmpfs:
    """A small tmpfs over a folder, filled until so many bytes are free."""

    def __init__(self, path: Path, free: int) -> None:
        self.filler = path / "filler"
        self.path = path
        self.free = free
        _mount(path)

    def fill(self, store: Path) -> None:
        found = os.statvfs(self.path)
        # a page for the filler's own name
        taken = found.f_bavail * found.f_bsize - self.free
        with open(self.filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, taken))

    def empty(self) -> None:
        self.filler.unlink()


class SizeLimit:
    """No file may grow beyond so many bytes more than data.mdb has (from the start where there is none)."""

    def __init__(self, path: Path, free: int) -> None:
        self.free = free

    def fill(self, store: Path) -> None:
        data = store / "data.mdb"
        size = data.stat().st_size if data.exists() else 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + self.free, resource.RLIM_INFINITY))

    def empty(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class FailingCall:
    """A kind of call that fails on files of one suffix, after some that go well."""

    def __init__(self, op: str, suffix: str, after: int = 0, below: int = 0, error: int = errno.ENOSPC) -> None:
        self.arguments = op, suffix, below, after, error

    def _set(self, op: str, suffix: str, below: int, after: int, error: int) -> None:
        fail = ctypes.CDLL(None).writelog_fail
        fail(ord(op), suffix.encode(), ctypes.c_int64(below), ctypes.c_long(after), error)

    def fill(self, store: Path) -> None:
        self._set(*self.arguments)

    def empty(self) -> None:
        self._set("W", "", 0, 0, 0)
