"""The default store: records in LMDB, large values in a folder of blobs beside it.

Why this way: an LMDB ``get`` touches every page of a value, so large values live in files that are mapped and read in
part; small ones are copied out, so that no buffer of LMDB outlives its transaction. LMDB is opened once per process
and path (opening it twice breaks its locks) and again after a fork. The 0.9 file format is pinned, sync is on, and the
map is never written to directly.
"""

import errno
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import lmdb
import numpy as np

from zounds_lite.errors import StoreFormatError, StoreFull, StoreLocked
from zounds_lite.featureflow.record import FORMAT, Record
from zounds_lite.featureflow.stores.base import BlobWriter, Change, Database, check_id, released_blobs
from zounds_lite.featureflow.stores.blobs import BlobFolder, full_disk

__all__ = ["LmdbDatabase"]

_SUB_DATABASES = (b"meta", b"records", b"index", b"failed", b"pending")
"""Fixed in format 1; ``index``, ``failed`` and ``pending`` are reserved."""

_DEFAULT_MAP = 64 * 2**30
_LONGEST_KEY = 400
_T = TypeVar("_T")


class _Gate:
    """Lets transactions in together, and a change of the map alone: no transaction may be open while the map moves."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._inside = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        with self._condition:
            self._inside += 1
        try:
            yield
        finally:
            with self._condition:
                self._inside -= 1
                self._condition.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._condition:
            while self._inside:
                self._condition.wait()
            yield


class _Environment:
    """An open LMDB environment of this process, shared by all databases on the same path."""

    open: dict[str, "_Environment"] = {}
    lock = threading.RLock()

    def __init__(self, path: Path, map_size: int | None) -> None:
        self.pid = os.getpid()
        self.gate = _Gate()
        self.readonly = (path / "data.mdb").exists() and not os.access(path / "data.mdb", os.W_OK)
        flags = {"readonly": True, "lock": os.access(path, os.W_OK)} if self.readonly else {}
        size = max(map_size or _DEFAULT_MAP, 1 << 20)
        self.env = lmdb.open(
            str(path), map_size=size, max_dbs=16, max_readers=1022, lib_version=0, create=not self.readonly, **flags
        )
        if not self.readonly:
            self.env.reader_check()
        self.databases = {name: self.env.open_db(name, create=not self.readonly) for name in _SUB_DATABASES}

    @classmethod
    def get(cls, path: Path, map_size: int | None) -> "_Environment":
        key = os.path.realpath(path)
        with cls.lock:
            found = cls.open.get(key)
            if found is not None and found.pid != os.getpid():
                found.env.close()  # after a fork: frees the copy, and leaves the parent's locks alone
                found = None
            if found is None:
                found = cls.open[key] = cls(path, map_size)
            return found

    @classmethod
    def close(cls, path: Path) -> None:
        with cls.lock:
            found = cls.open.pop(os.path.realpath(path), None)
            if found is not None and found.pid == os.getpid():
                found.env.close()


def _key(_id: str) -> bytes:
    """Short ids as they are, long ones by a hash; the first byte tells which."""
    raw = check_id(_id).encode("utf-8", "surrogatepass")
    if len(raw) <= _LONGEST_KEY:
        return b"i" + raw
    return b"h" + hashlib.blake2b(raw, digest_size=32).digest()


class LmdbDatabase(Database):
    """Keeps documents in an LMDB store: one folder with ``data.mdb`` and ``blobs/``.

    Args:
        path (str | Path): the folder; made where it is missing.
        map_size (int | float | None): initial size of the map in bytes; it grows by itself. None takes 64 GiB of
            address
            space, which costs nothing until it is used.
        key_builder: accepted for compatibility; ids need no escaping here.

    Raises:
        StoreFormatError: ``path`` is no folder, or holds a store of a newer format.
        StoreLocked: another program holds the store exclusively.
    """

    def __init__(self, path: Any, map_size: float | None = None, key_builder: Any = None) -> None:
        self.path = Path(path)
        self.map_size = None if map_size is None else int(map_size)
        self.key_builder = key_builder
        if self.path.exists() and not self.path.is_dir():
            raise StoreFormatError(f"{str(self.path)!r} is a file; a store is a folder: pass another path")
        with full_disk(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        self._blobs = BlobFolder(self.path / "blobs")
        self._check_format()

    @property
    def _shared(self) -> _Environment:
        with self._errors():
            return _Environment.get(self.path, self.map_size)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn LMDB's errors into ours."""
        try:
            yield
        except lmdb.LockError as error:
            raise StoreLocked(f"{str(self.path)!r} is locked by another program: {error}") from error
        except (lmdb.InvalidError, lmdb.VersionMismatchError, lmdb.CorruptedError) as error:
            raise StoreFormatError(f"{str(self.path)!r} holds no store that this version can read: {error}") from error
        except lmdb.ReadonlyError as error:
            raise StoreLocked(
                f"{str(self.path)!r} is read-only for this user: reading works, writing does not"
            ) from error
        except (lmdb.DiskError, lmdb.Error) as error:
            if any(text in str(error) for text in (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))):
                raise StoreFull(
                    errno.ENOSPC, f"no room left for {str(self.path)!r}; what was acknowledged is safe, free some space"
                ) from error
            raise

    def _check_format(self) -> None:
        found = self._reading(lambda txn, db: txn.get(b"format", db=db[b"meta"]))
        if found is None:
            if self._shared.readonly:
                raise StoreFormatError(f"{str(self.path)!r} is read-only and holds no store")
            value = json.dumps({"format": FORMAT}).encode()
            self._writing(lambda txn, db: txn.put(b"format", value, db=db[b"meta"]))
            return
        version = json.loads(found).get("format")
        if not isinstance(version, int) or version > FORMAT:
            raise StoreFormatError(
                f"{str(self.path)!r} has store format {version!r}; this version reads up to {FORMAT}: upgrade "
                "zounds_lite"
            )

    def _reading(self, action: Callable[[Any, Mapping[bytes, Any]], _T]) -> _T:
        return self._in_transaction(action, write=False)

    def _writing(self, action: Callable[[Any, Mapping[bytes, Any]], _T]) -> _T:
        if self._shared.readonly:
            raise StoreLocked(f"{str(self.path)!r} is read-only for this user: reading works, writing does not")
        return self._in_transaction(action, write=True)

    def _in_transaction(self, action: Callable[[Any, Mapping[bytes, Any]], _T], write: bool) -> _T:
        """Run ``action`` in a transaction; where the map is too small, or another process made it larger, again."""
        while True:
            shared = self._shared
            try:
                with self._errors(), shared.gate.shared(), shared.env.begin(write=write) as txn:
                    return action(txn, shared.databases)
            except lmdb.MapResizedError:
                with shared.gate.alone():
                    shared.env.set_mapsize(0)
            except lmdb.MapFullError:
                with shared.gate.alone():
                    shared.env.set_mapsize(2 * shared.env.info()["map_size"])

    def get(self, _id: str) -> bytes | None:
        key = _key(_id)
        return self._reading(lambda txn, db: txn.get(key, db=db[b"records"]))

    def change(self, changes: Mapping[str, Change]) -> None:
        keys = {_id: _key(_id) for _id in changes}

        def apply(txn: Any, db: Mapping[bytes, Any]) -> set[str]:
            released: set[str] = set()
            for _id, change in changes.items():
                old = txn.get(keys[_id], db=db[b"records"])
                new = change(old)
                if new is not None:
                    txn.put(keys[_id], new, db=db[b"records"])
                elif old is not None:
                    txn.delete(keys[_id], db=db[b"records"])
                released |= released_blobs(old, new)
            return released

        for name in self._writing(apply):
            self._blobs.remove(name)

    def iter_ids(self) -> Iterator[str]:
        after = b""
        while True:
            batch = self._reading(partial(_ids_after, after=after))
            if not batch:
                return
            yield from (_id for _, _id in batch)
            after = batch[-1][0]

    def __len__(self) -> int:
        return self._reading(lambda txn, db: int(txn.stat(db[b"records"])["entries"]))

    def create_blob(self) -> BlobWriter:
        return self._blobs.create()

    def open_blob(self, name: str) -> np.ndarray:
        return self._blobs.open(name)

    def remove_blob(self, name: str) -> None:
        self._blobs.remove(name)

    def close(self) -> None:
        _Environment.close(self.path)

    def __reduce__(self) -> Any:
        return type(self), (str(self.path), self.map_size, self.key_builder)

    def __repr__(self) -> str:
        return f"LmdbDatabase({str(self.path)!r})"


def _ids_after(txn: Any, databases: Any, after: bytes, count: int = 1000) -> list[tuple[bytes, str]]:
    """Return up to ``count`` keys and ids that follow ``after``; a batch at a time, so that no reader is held long."""
    found: list[tuple[bytes, str]] = []
    db = databases[b"records"]
    with txn.cursor(db) as cursor:
        if not cursor.set_range(after + b"\0"):
            return found
        for key in cursor.iternext(keys=True, values=False):
            _id = (
                key[1:].decode("utf-8", "surrogatepass")
                if key[:1] == b"i"
                else Record.from_bytes(txn.get(key, db=db)).id
            )
            found.append((key, _id))
            if len(found) == count:
                break
    return found
