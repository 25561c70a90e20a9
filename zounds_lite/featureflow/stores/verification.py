"""Verification: every checksum of a store, and everything that should be there.

Goal: whatever is damaged is named, by document and feature where it is one of these, and nothing that is damaged can
stop or crash the search. First comes the structure of the store, which is not trusted; then each document: its record,
that it is the one its id says, each small value, each blob with its table and all of its blocks; then the ledger of
failed documents, and whether the index of metadata says what the records say. Where the structure is damaged, the rest
is read without it (``salvage``).

Functions: ``verify``; ``check_document``, ``check_ledger``, ``examined``, ``is_current``, ``open_store``,
``read_ledger``, ``read_verified``, ``with_progress``.
"""

import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue, KeyNotFound, StoreFormatError
from zounds_lite.featureflow.checksums import BLOCK, verified, verify as verify_blocks
from zounds_lite.featureflow.ledger import FailedDocument
from zounds_lite.featureflow.record import Entry, Record
from zounds_lite.featureflow.stores.base import Damage, Database
from zounds_lite.featureflow.stores.files import FileSystemDatabase
from zounds_lite.featureflow.stores.lmdb import LmdbDatabase
from zounds_lite.featureflow.stores.salvage import SalvagedDatabase, inspect

__all__ = [
    "check_document",
    "check_ledger",
    "examined",
    "is_current",
    "open_store",
    "read_ledger",
    "read_verified",
    "verify",
    "with_progress",
]

_TRIES = 20


def verify(store: Any, progress: bool = False) -> Iterator[Damage]:
    """Check a store, and yield all that is damaged.

    Args:
        store (Database | str | Path): the store. A path is safest: its structure is then checked before anything of
            the store is opened.
        progress (bool): show a bar on stderr, if that is a terminal.

    Returns:
        Iterator[Damage]: what was found; nothing where all is well.

    Raises:
        StoreFormatError: there is no store, or it has a newer format.

    Examples:
        >>> from zounds_lite import featureflow as ff
        >>> @ff.simple_in_memory_settings
        ... class Document(ff.BaseModel):
        ...     words = ff.JSONFeature(ff.IteratorNode, store=True)
        >>> _id = Document.process(words=["a"])
        >>> list(verify(Document.database))
        []
    """
    database, found = examined(store)
    yield from found
    named = {damage.id for damage in found}
    for _id in with_progress(database.iter_ids(), len(database), "document", progress):
        for damage in check_document(database, _id):
            if damage.feature is not None or _id not in named:
                yield damage
    yield from check_ledger(database)
    for damage in database.inspect_index():
        if damage.id is None or damage.id not in named:
            yield damage


def examined(store: Any) -> tuple[Database, list[Damage]]:
    """Return a database that can safely be read, and the damage of the store's structure.

    A store on LMDB whose structure is damaged is read without LMDB.
    """
    if not isinstance(store, Database):
        path = Path(store)
        found = list(inspect(path)) if (path / "data.mdb").is_file() else []
        if found:
            return SalvagedDatabase(path), found
        store = open_store(path)
        if isinstance(store, LmdbDatabase):
            return store, []
    found = list(store.inspect())
    return (SalvagedDatabase(store.path) if found and isinstance(store, LmdbDatabase) else store), found


def open_store(path: Any) -> Database:
    """Open the store at a path, of whatever kind it is; none is made.

    Raises:
        StoreFormatError: there is no store.
    """
    path = Path(path)
    if (path / "data.mdb").is_file():
        return LmdbDatabase(path)
    if (path / "format.json").is_file():
        return FileSystemDatabase(path)
    kind = "a file" if path.is_file() else "a folder without a store" if path.is_dir() else "not there"
    raise StoreFormatError(
        f"{str(path)!r} is no store, it is {kind}; make one with: zounds-lite ingest FOLDER --store PATH"
    )


def with_progress(items: Iterable[Any], total: int, unit: str, progress: bool) -> Iterable[Any]:
    """Show a bar on stderr, if that is wanted and stderr is a terminal."""
    if not progress:
        return items
    from tqdm import tqdm

    bar: Iterable[Any] = tqdm(items, total=total, unit=unit, disable=None)
    return bar


def check_document(database: Database, _id: str) -> Iterator[Damage]:
    """Yield what is damaged of a document; one that is deleted meanwhile is passed over."""
    for _ in range(_TRIES):
        try:
            record = database.read(_id)
        except KeyNotFound:
            return
        except CorruptValue as error:
            yield Damage(_id, None, str(error))
            return
        found = [
            Damage(_id, name, what)
            for name, entry in record.entries.items()
            if (what := _what_is_wrong(database, entry)) is not None
        ]
        if not found or is_current(database, _id, record):
            yield from found
            return


def is_current(database: Database, _id: str, record: Record) -> bool:
    """Tell whether the store still holds a document as it was read."""
    try:
        return database.read(_id).blobs == record.blobs
    except KeyNotFound:
        return False
    except CorruptValue:
        return True


def _what_is_wrong(database: Database, entry: Entry) -> str | None:
    try:
        for _ in read_verified(database, entry, "it"):
            pass
    except CorruptValue as error:
        return str(error)
    return None


def read_verified(database: Database, entry: Entry, what: str) -> Iterator[memoryview]:
    """Yield all bytes of a value, each block checked before it is handed out.

    Raises:
        CorruptValue: a block is damaged, or the blob is cut or missing.
    """
    if entry.blob is None:
        data = memoryview(entry.data or b"")
        verify_blocks(data, entry.checks, what)
        yield data
        return
    try:
        blob = database.open_blob(entry.blob)
    except KeyNotFound as error:
        raise CorruptValue(f"{what} is missing: {error}; process the document again to replace it") from error
    _read_ahead(blob)
    read = verified(blob.data, entry.size, entry.checks[0], what)
    for start in range(0, entry.size, 16 * BLOCK):
        yield read(start, start + 16 * BLOCK)


def _read_ahead(blob: np.ndarray) -> None:
    """Tell the system that a map is read from end to end: maps of blobs are otherwise set to random access."""
    mapped = getattr(blob.base, "obj", None)
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_SEQUENTIAL"):
        mapped.madvise(mmap.MADV_SEQUENTIAL)


def check_ledger(database: Database) -> Iterator[Damage]:
    """Yield the entries of the ledger of failed documents that are damaged."""
    for found in read_ledger(database):
        if isinstance(found, Damage):
            yield found
        elif database.get_failure(found[0].id) is None and found[0].id not in database:
            yield Damage(found[0].id, None, "its entry in the ledger of failed documents does not stand under its id")


def read_ledger(database: Database) -> Iterator[tuple[FailedDocument, bytes] | Damage]:
    """Yield the entries of the ledger, each with its bytes, and what is damaged of it."""
    entries = database.iter_failures()
    while True:
        try:
            raw = next(entries, None)
            if raw is None:
                return
            yield FailedDocument.from_bytes(raw), raw
        except CorruptValue as error:
            yield Damage(None, None, f"an entry of the ledger of failed documents is damaged: {error}")
