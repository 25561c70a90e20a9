"""LMDB environments: one per folder and process, opened when needed, shared by all who use the folder.

Why this way: opening a folder twice in one process breaks LMDB's locks, and an environment must not be used after a
fork. So an environment is looked up for each transaction, inside the gate, which keeps it from being closed meanwhile.
The 0.9 file format is pinned, data are always synced, and the map is never written to directly.

Everybody who has the folder open holds a shared lock on ``users.lock``, so that who must be alone can see it. A new
``data.mdb`` is made aside and renamed: a power cut leaves a whole one or none. Class: ``Environment``.
"""

import os
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import lmdb

from zounds_lite.errors import CorruptValue, StoreError, StoreFormatError, StoreFull, StoreLocked
from zounds_lite.featureflow.stores.buffers import Bounds
from zounds_lite.featureflow.stores.folders import FULL, disk_errors, full_disk, remove_files
from zounds_lite.featureflow.stores.gate import GATE
from zounds_lite.featureflow.stores.locks import UsersLock
from zounds_lite.featureflow.stores.opened import COMPACTED, MADE, PROBE, Opened, has_room

__all__ = ["Environment"]

_SMALLEST_MAP = 1 << 20
_TRIES = 3
_T = TypeVar("_T")

_environments: "weakref.WeakSet[Environment]" = weakref.WeakSet()


class Environment:
    """The LMDB environment of a folder.

    Args:
        path (Path): the folder; made where it is missing.
        map_size (int): initial size of the map in bytes; it grows by itself.
        databases (tuple[bytes, ...]): names of the sub-databases to open.
        initial (Mapping[bytes, Mapping[bytes, bytes]] | None): what a new environment holds, by sub-database and key.
        relaxed (bool): do not wait for the last step of a commit to be durable: a power cut may take the last one.

    Raises:
        StoreFull: there is no room for a new one.
        StoreLocked: the folder is read-only and holds none.
    """

    def __init__(
        self,
        path: Path,
        map_size: int,
        databases: tuple[bytes, ...],
        initial: Mapping[bytes, Mapping[bytes, bytes]] | None = None,
        relaxed: bool = False,
    ) -> None:
        self.path = path
        self.map_size = max(map_size, _SMALLEST_MAP)
        self.databases = databases
        self.initial = initial or {}
        self.relaxed = relaxed
        self._key = os.path.realpath(path)
        with Opened.lock:
            _environments.add(self)
        opened = Opened.by_path.get(self._key)
        if opened is not None and opened.is_gone():
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
            CorruptValue: the index is damaged.
        """

        def use(opened: Opened) -> _T:
            if write and opened.readonly:
                raise lmdb.ReadonlyError(str(self.path))
            if write:
                opened.settle()
            with self._damage(), opened.env.begin(write=write, buffers=buffers) as transaction:
                result = action(transaction, opened.databases)
            if write and opened.relaxed and not self.relaxed:
                opened.env.sync(True)
            return result

        return self._use(use)

    def _use(self, use: Callable[[Opened], _T], databases: tuple[bytes, ...] | None = None) -> _T:
        """Return ``use(opened)``, called inside the gate; again, where something was in the way that can be cleared."""
        tries = 0
        while True:
            found = Opened.by_path.get(self._key)
            size = self.map_size if found is None else found.size
            try:
                with self._errors(), GATE.shared():
                    return use(self._opened(databases))
            except lmdb.MapFullError:
                self._resize(2 * size)  # no more than that, where other threads met the same full map
            except lmdb.MapResizedError:
                self._resize(0)
            except lmdb.ReadersFullError:
                tries = self._count(tries)
                self._check_readers()
            except lmdb.PanicError:
                # the last commit could not write the meta page; LMDB wants to be opened again
                tries = self._count(tries)
                self.close()

    def _count(self, tries: int) -> int:
        if tries < _TRIES:
            return tries + 1
        if not has_room(self.path):
            raise full_disk(self.path)
        raise StoreError(f"{str(self.path)!r} cannot be used: LMDB gives up; is the disk in order?")

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep the state of this moment: writers leave its pages alone. Only the meta pages of the file are touched."""

        def begin(opened: Opened) -> ExitStack:
            with ExitStack() as stack:
                stack.enter_context(GATE.shared())
                stack.enter_context(opened.env.begin())
                return stack.pop_all()

        with self._use(begin, databases=()):
            yield

    @property
    def readonly(self) -> bool:
        """True where this user may only read."""
        return self._use(lambda opened: opened.readonly)

    @property
    def bounds(self) -> Bounds:
        """What checks the entries of a transaction before they are read; asked for inside it."""
        return Opened.by_path[self._key].bounds

    def sync(self) -> None:
        """Make durable all that this or another process has committed so far."""
        self._use(lambda opened: None if opened.readonly else opened.env.sync(True))

    def tidy(self) -> int:
        """Remove what processes left that died while they made or compacted the file, or looked for room; its bytes."""

        def remove(opened: Opened) -> int:
            # who makes or compacts has the folder for himself, so while it is open here nobody does
            folders = [folder for suffix in (MADE, COMPACTED) for folder in opened.path.glob(f"*{suffix}")]
            files = list(opened.path.glob(f"*{PROBE}"))
            for folder in folders:
                with suppress(FileNotFoundError, NotADirectoryError):  # another collector was faster, or not ours
                    files.extend(folder.iterdir())
            with disk_errors(self.path):
                return remove_files([*files, *folders])[1]

        return self._use(remove, databases=())

    def close(self) -> None:
        """Close the environment, for all who share it; it opens again when one of them uses it."""
        with self._errors(), GATE.alone():
            opened = Opened.by_path.pop(self._key, None)
            if opened is not None:
                opened.close()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the folder for oneself: nobody has it open, in this process or another, and nobody can open it.

        Inside, the folder's files may be replaced; this thread must not use the environment.

        Raises:
            StoreLocked: others have it open.
        """
        with self._errors(), GATE.alone():
            self.close()
            users = UsersLock(self.path, alone=True)
            try:
                yield
            finally:
                users.release()

    def _opened(self, databases: tuple[bytes, ...] | None = None) -> Opened:
        """Return the open environment, with these of its sub-databases open too; called inside the gate."""
        with Opened.lock:
            found = Opened.by_path.get(self._key)
            if found is not None and found.pid != os.getpid():
                # after a fork: frees the copy and leaves the parent's locks alone, as no transaction is open in it
                found.close()
                found = None
            if found is None:
                _close_unused()
                found = Opened(Path(self._key), self.map_size, self.initial, self.relaxed)
                Opened.by_path[self._key] = found
            found.open_databases(self.databases if databases is None else databases)
            return found

    def _resize(self, size: int) -> None:
        """Make the map at least ``size`` bytes long; 0 takes the size that another process gave it."""
        with self._errors(), GATE.alone():
            opened = Opened.by_path.get(self._key)
            if opened is None or size and opened.size >= size:
                return
            try:
                opened.resize(size)
            except lmdb.Error as error:
                self.close()  # its map is gone
                raise StoreFull(
                    f"the map of {str(self.path)!r} cannot grow to {size} bytes: {error}; what was acknowledged is "
                    "safe, allow this process more address space (ulimit -v)"
                ) from error

    def _check_readers(self) -> None:
        """Free the places of readers that died."""
        with self._errors(), GATE.shared():
            self._opened(()).env.reader_check()

    @contextmanager
    def _damage(self) -> Iterator[None]:
        """Turn what LMDB finds out of order inside a store, once it is open, into ``CorruptValue``."""
        try:
            yield
        except (lmdb.CorruptedError, lmdb.PageNotFoundError) as error:
            raise CorruptValue(
                f"the index of {str(self.path)!r} is damaged: {error}; run zounds-lite verify to see what is lost, "
                "and copy the store to keep all that is not"
            ) from error

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn LMDB's errors into ours; those that ``run`` answers pass."""
        try:
            yield
        except (lmdb.MapFullError, lmdb.MapResizedError, lmdb.ReadersFullError, lmdb.PanicError):
            raise
        except lmdb.LockError as error:
            raise StoreLocked(f"{str(self.path)!r} is locked by another program: {error}") from error
        except (lmdb.InvalidError, lmdb.VersionMismatchError, lmdb.CorruptedError, lmdb.NotFoundError) as error:
            raise StoreFormatError(f"{str(self.path)!r} holds no store that this version can read: {error}") from error
        except lmdb.ReadonlyError as error:
            raise StoreLocked(
                f"{str(self.path)!r} is read-only for this user: reading works, writing does not"
            ) from error
        except lmdb.Error as error:
            # LMDB answers a write that was cut short with EIO
            if error.code in FULL or not has_room(self.path):
                raise full_disk(self.path) from error
            raise StoreError(
                f"{str(self.path)!r} could not be used: {error}; what was acknowledged is safe, run zounds-lite verify"
            ) from error


def _close_unused() -> None:
    """Close what nobody can use any more, since every ``Environment`` of that folder is gone; called with the lock."""
    used = {environment._key for environment in _environments}
    for key in Opened.by_path.keys() - used:
        Opened.by_path.pop(key).close()
