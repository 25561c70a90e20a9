"""Leases: how a process tells others which blobs it is writing, for as long as it lives.

Why: between the first byte of a blob and the commit of the record that names it, nothing points at the blob, and a
collector of garbage must leave it alone; unless the process died. So each process that writes into a folder of blobs
keeps one file there, locked for as long as the process lives, and writes the name of each blob into it before the blob
has a file. The system drops the lock with the process, whatever ended it; where a file system has no locks, process id,
boot and start time in the file's name have to do.

A name takes a line of fixed length, and the line is used again once the blob was committed or removed, so the file
stays small. A line that is stale does no harm: it only protects. Class: ``Leases``; function ``owner_tag``.
"""

import atexit
import os
import threading
import uuid
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from zounds_lite.featureflow.stores.folders import is_same_file, make_folder
from zounds_lite.featureflow.stores.locks import lock_file

__all__ = ["Leases", "owner_tag"]

_NAME = 32
_LINE = _NAME + 1
_MOST = 64
"""Leases that a process keeps though they may name no blobs."""


def owner_tag() -> str:
    """Name this process so that no other one has the same name: now, after a restart, or in another container."""
    return _tag(os.getpid())


@lru_cache(maxsize=1)
def _tag(pid: int) -> str:
    return f"{pid}-{_boot()}-{_start(pid)}-{uuid.uuid4().hex[:8]}"


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    except OSError:  # only Linux tells; elsewhere the process id has to do
        return "0"


def _start(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return "0"


def _runs(tag: str) -> bool:
    """Tell from its name whether a process is running, where locks do not tell."""
    pid, boot, start = [*tag.split("-"), "", ""][:3]
    if not pid.isdigit() or boot != _boot():
        return False
    return os.name != "posix" or Path(f"/proc/{pid}").exists() and _start(int(pid)) == start


class _Lease:
    """The lease of this process on one folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{owner_tag()}.lease"
        self.descriptor = -1
        self.lines: dict[str, int] = {}
        self._free: list[int] = []
        self._open()

    def _open(self) -> None:
        while True:
            self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
            try:
                # a collector may hold it for a moment, and remove it if it comes before us
                lock_file(self.descriptor, wait=True)
                if self.has_name():
                    return
            except BaseException:
                os.close(self.descriptor)
                raise
            os.close(self.descriptor)

    def has_name(self) -> bool:
        """Tell whether the file that is open is still the one in the folder."""
        return is_same_file(self.descriptor, self.path)

    def add(self, name: str) -> None:
        at = self._free.pop() if self._free else len(self.lines)
        try:
            os.lseek(self.descriptor, at * _LINE, os.SEEK_SET)
            line = f"{name}\n".encode()
            while line:
                line = line[os.write(self.descriptor, line) :]
        except BaseException:
            self._free.append(at)
            raise
        self.lines[name] = at

    def drop(self, name: str) -> None:
        at = self.lines.pop(name, None)
        if at is None:
            return
        self._free.append(at)
        if not self.lines:
            self._free = []
            with suppress(OSError):  # what was committed is committed; a line that stays only protects
                os.ftruncate(self.descriptor, 0)


_lock = threading.RLock()
_leases: dict[str, _Lease] = {}
"""What this process holds, by folder."""


def _forget() -> None:
    """In the child of a fork: leave the parent's leases to the parent, whose locks would else outlive it."""
    global _lock
    _lock = threading.RLock()
    for lease in _leases.values():
        os.close(lease.descriptor)
    _leases.clear()


def _leave() -> None:
    """Give up the leases that name no blobs: at the end of the process, and where there are many."""
    with _lock:
        for key in [key for key, lease in _leases.items() if not lease.lines]:
            lease = _leases.pop(key)
            if lease.has_name():
                with suppress(OSError):
                    lease.path.unlink()
            os.close(lease.descriptor)


atexit.register(_leave)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _renamed(folder: Path) -> _Lease | None:
    """Return the lease that this process took when the folder had another name: it must not wait for itself."""
    path = folder / f"{owner_tag()}.lease"
    for key, lease in _leases.items():
        if is_same_file(lease.descriptor, path):
            lease.path = path
            return _leases.pop(key)
    return None


class Leases:
    """The leases on one folder of blobs.

    Args:
        folder (Path): the folder; made where it is missing, with the first lease.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = os.path.realpath(folder)

    def hold(self, name: str) -> None:
        """Say that this process is writing a blob; called before the blob has a file."""
        with _lock:
            lease = _leases.get(self._key)
            if lease is not None and not lease.has_name():  # the folder was deleted meanwhile
                os.close(_leases.pop(self._key).descriptor)
                lease = None
            if lease is None:
                make_folder(self.folder)
                if len(_leases) >= _MOST:
                    _leave()
                lease = _leases[self._key] = _renamed(self.folder) or _Lease(self.folder)
            lease.add(name)

    def release(self, names: Iterable[str]) -> None:
        """Say that blobs were committed or removed."""
        with _lock:
            lease = _leases.get(self._key)
            for name in names if lease is not None else ():
                lease.drop(name)  # type: ignore[union-attr]

    @property
    def own(self) -> bool:
        """True where this process is writing a blob."""
        lease = _leases.get(self._key)
        return lease is not None and bool(lease.lines)

    def live(self) -> set[str]:
        """Names of the blobs that live processes are writing, this one included."""
        names: set[str] = set()
        with _lock:
            lease = _leases.get(self._key)
            names.update(lease.lines if lease is not None else ())
        for path in self._others():
            names |= _names_in(path)
        return names

    def remove_dead(self) -> None:
        """Remove the leases of processes that died."""
        for path in self._others():
            try:
                descriptor = os.open(path, os.O_RDWR)
            except OSError:
                continue
            try:
                if _is_dead(descriptor, path) and is_same_file(descriptor, path):
                    path.unlink(missing_ok=True)
            finally:
                os.close(descriptor)

    def _others(self) -> list[Path]:
        with _lock:
            lease = _leases.get(self._key)
        return [path for path in self.folder.glob("*.lease") if lease is None or path.name != lease.path.name]


def _is_dead(descriptor: int, path: Path) -> bool:
    taken = lock_file(descriptor, wait=False)
    return not _runs(path.stem) if taken is None else taken


def _names_in(path: Path) -> set[str]:
    """Names in the lease of a process that is alive; none, where it is not."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return set()
    try:
        if _is_dead(descriptor, path):
            return set()
        with open(descriptor, "rb", closefd=False) as file:
            text = file.read()
    finally:
        os.close(descriptor)
    return {text[at : at + _NAME].decode("ascii", "replace") for at in range(0, len(text), _LINE)}
