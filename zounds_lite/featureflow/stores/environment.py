"""LMDB environments: one per folder and process, opened when needed, shared by all who use the folder.

Why this way: opening a folder twice in one process breaks LMDB's locks, and an environment must not be used after a
fork. So an environment is looked up for each transaction, inside the gate, which keeps it from being closed meanwhile.
The 0.9 file format is pinned, sync is on, and the map is never written to directly. Class: ``Environment``.
"""

import errno
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import lmdb

from zounds_lite.errors import StoreFormatError, StoreFull, StoreLocked
from zounds_lite.featureflow.stores.blobs import full_disk
from zounds_lite.featureflow.stores.gate import GATE

__all__ = ["Environment"]

_SMALLEST_MAP = 1 << 20
_T = TypeVar("_T")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = (path / "data.mdb").stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


class _Open:
    """What is open in this process, by folder."""

    by_path: dict[str, "_Open"] = {}
    lock = threading.RLock()

    def __init__(self, path: Path, map_size: int) -> None:
        self.pid = os.getpid()
        data = path / "data.mdb"
        self.readonly = data.exists() and not os.access(data, os.W_OK)
        flags = {"readonly": True, "lock": os.access(path, os.W_OK)} if self.readonly else {}
        # a spare transaction would keep the parent's place among the readers, and give it up in a child
        self.env: Any = lmdb.open(
            str(path), map_size=map_size, max_dbs=16, max_readers=1022, max_spare_txns=0, lib_version=0,
            create=not self.readonly, **flags,
        )  # fmt: skip
        if not self.readonly:
            self.env.reader_check()
        self.file = _identity(path)
        self.databases: dict[bytes, Any] = {}

    @property
    def size(self) -> int:
        return int(self.env.info()["map_size"])


class Environment:
    """The LMDB environment of a folder.

    Args:
        path (Path): the folder; made where it is missing.
        map_size (int): initial size of the map in bytes; it grows by itself.
        databases (tuple[bytes, ...]): names of the sub-databases to open.
    """

    def __init__(self, path: Path, map_size: int, databases: tuple[bytes, ...]) -> None:
        self.path = path
        self.map_size = max(map_size, _SMALLEST_MAP)
        self.databases = databases
        with full_disk(path):
            path.mkdir(parents=True, exist_ok=True)
        opened = _Open.by_path.get(os.path.realpath(path))
        if opened is not None and opened.file != _identity(path):
            self.close()  # the folder was deleted meanwhile: what is open has no name any more

    def run(self, action: Callable[[Any, Mapping[bytes, Any]], _T], write: bool = False, buffers: bool = False) -> _T:
        """Run ``action(transaction, databases)`` in a transaction; again, where the map has to grow first.

        Args:
            action (Callable): may be called more than once.
            write (bool): open a write transaction.
            buffers (bool): hand out keys and values as views that end with the transaction, instead of copies.

        Raises:
            StoreFull: there is no room left on the disk.
            StoreLocked: another program holds the folder, or it is read-only and ``write`` was asked for.
            StoreFormatError: the folder holds something else.
        """
        while True:
            size = self.map_size
            try:
                with self._errors(), GATE.shared():
                    opened = self._opened()
                    if write and opened.readonly:
                        raise lmdb.ReadonlyError(str(self.path))
                    size = opened.size
                    with opened.env.begin(write=write, buffers=buffers) as transaction:
                        return action(transaction, opened.databases)
            except lmdb.MapFullError:
                self._resize(2 * size)
            except lmdb.MapResizedError:
                self._resize(0)

    @property
    def readonly(self) -> bool:
        """True where this user may only read."""
        with self._errors(), GATE.shared():
            return self._opened().readonly

    def close(self) -> None:
        """Close the environment, for all who share it; it opens again when one of them uses it."""
        with self._errors(), GATE.alone():
            opened = _Open.by_path.pop(os.path.realpath(self.path), None)
            if opened is not None:
                opened.env.close()

    def _opened(self) -> _Open:
        """Return the open environment; called inside the gate."""
        key = os.path.realpath(self.path)
        with _Open.lock:
            found = _Open.by_path.get(key)
            if found is not None and found.pid != os.getpid():
                # after a fork: frees the copy and leaves the parent's locks alone, as no transaction is open in it
                found.env.close()
                found = None
            if found is None:
                found = _Open.by_path[key] = _Open(self.path, self.map_size)
            for name in self.databases:
                if name not in found.databases:
                    found.databases[name] = found.env.open_db(name, create=not found.readonly)
            return found

    def _resize(self, size: int) -> None:
        """Make the map at least ``size`` bytes long; 0 takes the size that another process gave it."""
        with self._errors(), GATE.alone():
            opened = _Open.by_path.get(os.path.realpath(self.path))
            if opened is not None and (not size or opened.size < size):
                opened.env.set_mapsize(size)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn LMDB's errors into ours."""
        try:
            yield
        except lmdb.LockError as error:
            raise StoreLocked(f"{str(self.path)!r} is locked by another program: {error}") from error
        except (lmdb.InvalidError, lmdb.VersionMismatchError, lmdb.CorruptedError, lmdb.NotFoundError) as error:
            raise StoreFormatError(f"{str(self.path)!r} holds no store that this version can read: {error}") from error
        except lmdb.ReadonlyError as error:
            raise StoreLocked(
                f"{str(self.path)!r} is read-only for this user: reading works, writing does not"
            ) from error
        except lmdb.Error as error:
            if any(text in str(error) for text in (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))):
                raise StoreFull(
                    errno.ENOSPC, f"no room left for {str(self.path)!r}; what was acknowledged is safe, free some space"
                ) from error
            raise
