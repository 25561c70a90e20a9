"""The default store: records in LMDB, large values in a folder of blobs beside it.

Why this way: an LMDB ``get`` touches every page of a value, so large values live in files that are mapped and read in
part; small ones are copied out, so that no buffer of LMDB outlives its transaction. ``environment`` says how LMDB is
opened and shared.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue, StoreFormatError
from zounds_lite.featureflow.record import FORMAT, read_id
from zounds_lite.featureflow.stores.base import BlobWriter, Change, Database, check_id, released_blobs
from zounds_lite.featureflow.stores.blobs import BlobFolder
from zounds_lite.featureflow.stores.environment import Environment

__all__ = ["LmdbDatabase"]

_SUB_DATABASES = (b"meta", b"records", b"index", b"failed", b"pending")
"""Fixed in format 1; ``index``, ``failed`` and ``pending`` are reserved."""

_DEFAULT_MAP = 64 * 2**30
_LONGEST_KEY = 400

_log = logging.getLogger(__name__)


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
            address space, which costs nothing until it is used.
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
        self._environment = Environment(self.path, self.map_size or _DEFAULT_MAP, _SUB_DATABASES)
        self._blobs = BlobFolder(self.path / "blobs")
        self._check_format()

    def _check_format(self) -> None:
        found = self._environment.run(lambda txn, db: txn.get(b"format", db=db[b"meta"]))
        if found is None:
            if self._environment.readonly:
                raise StoreFormatError(f"{str(self.path)!r} is read-only and holds no store")
            value = json.dumps({"format": FORMAT}).encode()
            self._environment.run(lambda txn, db: txn.put(b"format", value, db=db[b"meta"]), write=True)
            return
        version = json.loads(found).get("format")
        if not isinstance(version, int) or version > FORMAT:
            raise StoreFormatError(
                f"{str(self.path)!r} has store format {version!r}; this version reads up to {FORMAT}: upgrade "
                "zounds_lite"
            )

    def get(self, _id: str) -> bytes | None:
        key = _key(_id)
        return self._environment.run(lambda txn, db: txn.get(key, db=db[b"records"]))

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

        for name in self._environment.run(apply, write=True):
            self._blobs.remove(name)

    def iter_ids(self) -> Iterator[str]:
        after: bytes | None = b""
        while after is not None:
            ids, after = self._environment.run(partial(_ids_after, after=after), buffers=True)
            yield from ids

    def __len__(self) -> int:
        return self._environment.run(lambda txn, db: int(txn.stat(db[b"records"])["entries"]))

    def create_blob(self) -> BlobWriter:
        return self._blobs.create()

    def open_blob(self, name: str) -> np.ndarray:
        return self._blobs.open(name)

    def remove_blob(self, name: str) -> None:
        self._blobs.remove(name)

    def close(self) -> None:
        self._environment.close()

    def __reduce__(self) -> Any:
        return type(self), (str(self.path), self.map_size, self.key_builder)

    def __repr__(self) -> str:
        return f"LmdbDatabase({str(self.path)!r})"


def _ids_after(txn: Any, databases: Any, after: bytes, count: int = 1000) -> tuple[list[str], bytes | None]:
    """Return up to ``count`` ids that follow the key ``after``, and the last key, or None at the end.

    A batch at a time, so that no reader is held long; with buffers, so that a long id costs one page of its record.
    """
    found: list[str] = []
    with txn.cursor(databases[b"records"]) as cursor:
        if not cursor.set_range(after + b"\0"):
            return found, None
        for seen, (key, record) in enumerate(cursor.iternext(), 1):
            last = bytes(key)
            try:
                found.append(_id_of(last, record))
            except CorruptValue as error:
                _log.warning("a document was passed over: %s", error)
            if seen == count:
                return found, last
    return found, None


def _id_of(key: bytes, record: memoryview) -> str:
    if key[:1] == b"i":
        return key[1:].decode("utf-8", "surrogatepass")
    return read_id(lambda start, stop: record[start:stop], f"the record under the key {key.hex()}")
