"""What one process has open of an LMDB folder. Class: ``Opened``; function ``has_room``."""

import contextlib
import errno
import os
import shutil
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import lmdb

from zounds_lite.errors import CorruptValue, StoreFormatError
from zounds_lite.featureflow.stores.buffers import Bounds
from zounds_lite.featureflow.stores.folders import FULL, disk_errors, identity, make_folder, sync_folder
from zounds_lite.featureflow.stores.leases import owner_tag
from zounds_lite.featureflow.stores.locks import UsersLock

__all__ = ["COMPACTED", "MADE", "PROBE", "Opened", "has_room"]

MADE, COMPACTED, PROBE = ".new", ".compact", ".room"
"""Ends of the names of what stands in the folder for a moment: new files of LMDB, and a file that looks for room."""

_READERS = 1022
_LOCK_FILE = 72 * 1024
"""More than ``lock.mdb`` takes for that many readers."""

_DATABASES = 16
_SMALLEST_MAP = 1 << 20
_ROOM = 64 * 1024


class Opened:
    """An open environment; one per folder and process.

    Args:
        path (Path): the folder; made where it is missing.
        map_size (int): size of the map in bytes; it may come out smaller where the process has little address space.
        initial (Mapping[bytes, Mapping[bytes, bytes]]): what a new environment holds.
        relaxed (bool): leave the last step of a commit to the system.
    """

    by_path: ClassVar[dict[str, "Opened"]] = {}
    lock: ClassVar[Any] = threading.RLock()

    def __init__(
        self, path: Path, map_size: int, initial: Mapping[bytes, Mapping[bytes, bytes]], relaxed: bool
    ) -> None:
        self.pid = os.getpid()
        self.path = path
        self.relaxed = relaxed
        self.databases: dict[bytes, Any] = {}
        self._is_settled = False
        data = path / "data.mdb"
        if not data.exists():
            with disk_errors(path):
                make_folder(path)
        with disk_errors(path):
            self.users = UsersLock(path)
        try:
            if not data.exists():
                self._make(initial)
            _check_size(data)
            self.readonly = not (os.access(data, os.W_OK) and os.access(path, os.W_OK))
            self.env = self._open(map_size)
            try:
                self._begin(data)
            except BaseException:
                self.env.close()
                raise
        except BaseException:
            self.users.release()
            raise

    def _begin(self, data: Path) -> None:
        page_size = int(self.env.stat()["psize"])
        pages = int(self.env.info()["last_pgno"]) + 1
        if data.stat().st_size < pages * page_size:
            _check_end(self.path)
        if not self.readonly:
            self.env.reader_check()
        self.size = self._map_size()
        self.file = identity(data)
        self.bounds = Bounds(data, page_size)

    def _open(self, map_size: int) -> Any:
        lock = self.path / "lock.mdb"
        flags: dict[str, Any] = {}
        if self.readonly:
            flags = {"readonly": True, "lock": os.access(lock if lock.exists() else self.path, os.W_OK)}
        if flags.get("lock", True):
            _reserve(lock)
        while True:
            try:
                # a spare transaction would keep the parent's place among the readers, and give it up in a child
                return lmdb.open(
                    str(self.path), map_size=map_size, max_dbs=_DATABASES, max_readers=_READERS, max_spare_txns=0,
                    metasync=not self.relaxed, lib_version=0, create=not self.readonly, **flags,
                )  # fmt: skip
            except (lmdb.MemoryError, lmdb.Error) as error:
                if error.code != errno.ENOMEM or map_size <= _SMALLEST_MAP:
                    raise
                map_size = max(map_size // 2, _SMALLEST_MAP)  # this process may have only so much address space

    def _make(self, initial: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        """Make a new environment aside and rename it, so that there is never half of one."""
        self.users.take(alone=True)
        data = self.path / "data.mdb"
        if not data.exists():
            aside = self.path / (owner_tag() + MADE)
            with disk_errors(self.path):
                for left in self.path.glob(f"*{MADE}"):  # of one who died; nobody else is here
                    shutil.rmtree(left)
                aside.mkdir()
                try:
                    _write(aside, initial)
                    os.rename(aside / "data.mdb", data)
                    sync_folder(self.path)
                finally:
                    shutil.rmtree(aside)
        self.users.take(alone=False)

    def settle(self) -> None:
        """Make the names of folder and file durable, also where another process made them a moment ago.

        Called before the first commit, so that who only reads waits for no disk.
        """
        if not self._is_settled:
            with disk_errors(self.path):
                make_folder(self.path)
                sync_folder(self.path)
            self._is_settled = True

    def open_databases(self, names: Iterable[bytes]) -> None:
        """Open sub-databases that are not open yet; those that are missing are made, where that may be."""
        for name in names:
            if name not in self.databases:
                self.databases[name] = self._database(name)

    def _database(self, name: bytes) -> Any:
        try:
            return self.env.open_db(name, create=False)  # waits for no writer
        except (lmdb.NotFoundError, lmdb.ReadonlyError):
            return self.env.open_db(name, create=not self.readonly)

    def is_gone(self) -> bool:
        """Tell whether the files were deleted or replaced since they were opened."""
        return self.file != identity(self.path / "data.mdb")

    def _map_size(self) -> int:
        return int(self.env.info()["map_size"])

    def resize(self, size: int) -> None:
        """Change the size of the map; no transaction may be open."""
        self.env.reader_check()  # what readers that died held is free again, and may be enough for long
        self.env.set_mapsize(size)
        self.size = self._map_size()

    def close(self) -> None:
        """Close it; in the child of a fork, only what the child has of it."""
        self.env.close()
        self.users.release()


def _check_size(data: Path) -> None:
    """Refuse an empty file, which LMDB would take for a new one; ours get their name when they have their pages."""
    if not data.stat().st_size:
        raise StoreFormatError(
            f"{str(data)!r} is empty, so it was cut short: bring it back from a backup, or delete it to begin anew"
        )


def _check_end(folder: Path) -> None:
    """Refuse a file that lacks pages which are in use: reading these would end the process.

    LMDB leaves pages at the end unwritten that were freed in the transaction that took them, so it needs a look.
    """
    from zounds_lite.featureflow.stores.salvage import inspect

    for damage in inspect(folder):
        raise CorruptValue(
            f"{str(folder / 'data.mdb')!r} is cut short: {damage}; run zounds-lite verify to see what is lost, and "
            "zounds-lite copy to keep all that is not"
        )


def _write(folder: Path, initial: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
    try:
        with lmdb.open(str(folder), map_size=_SMALLEST_MAP, max_dbs=_DATABASES, lib_version=0, lock=False) as env:
            for name, values in initial.items():
                database = env.open_db(name)
                with env.begin(write=True) as transaction:
                    for key, value in values.items():
                        transaction.put(key, value, db=database)
    except lmdb.Error as error:
        if error.code in FULL or not has_room(folder):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise


def _reserve(lock: Path) -> None:
    """Give the lock file its blocks: LMDB maps it, and a page that the disk has no room for would be a signal.

    Only while this process has the environment closed: closing any descriptor of the file drops LMDB's locks on it.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    with disk_errors(lock.parent):
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            os.posix_fallocate(descriptor, 0, _LOCK_FILE)
        finally:
            os.close(descriptor)


def has_room(folder: Path) -> bool:
    """Tell whether a little more can be written, by trying."""
    data = folder / "data.mdb"
    aside = folder / f"{owner_tag()}-{threading.get_ident()}{PROBE}"
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        if limit != resource.RLIM_INFINITY and data.exists() and data.stat().st_size + _ROOM > limit:
            return False
    except ImportError:  # not on Windows
        pass
    try:
        with open(aside, "wb", buffering=0) as file:
            written = file.write(bytes(_ROOM))
            os.fsync(file.fileno())
        return written == _ROOM
    except OSError as error:
        return error.errno not in FULL
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def _leave_to_the_parent() -> None:
    """In the child of a fork: let go of the parent's places among the users, which would else outlive it."""
    Opened.lock = threading.RLock()
    for opened in Opened.by_path.values():
        opened.users.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_the_parent)
