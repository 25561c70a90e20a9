"""Damaged LMDB stores: what is wrong, which documents that concerns, and a reader of all the others.

Why: LMDB must not be asked about a file that is damaged, as it follows what stands there. So the file is walked page by
page (``walk``). Where something is wrong, pages that no tree leads to and that are not free are searched as well: the
documents in them are lost to LMDB, but can be named, and are often whole.

Class: ``SalvagedDatabase``; function ``inspect``.
"""

import hashlib
import itertools
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue, StoreError, StoreFormatError, StoreLocked
from zounds_lite.featureflow.record import FORMAT, Record, read_id
from zounds_lite.featureflow.stores.base import BlobWriter, Change, Damage, Database, Garbage
from zounds_lite.featureflow.stores.blobs import BlobFolder
from zounds_lite.featureflow.stores.checks import MAX_RECORD, check_id, short_id
from zounds_lite.featureflow.stores.lmdb import _key as record_key
from zounds_lite.featureflow.stores.pages import BadPage, PageFile, Span, overflow, read_meta, stray_nodes
from zounds_lite.featureflow.stores.walk import Fault, Item, Walk

__all__ = ["SalvagedDatabase", "inspect"]

Hold = Callable[[], AbstractContextManager[Any]]
"""Keeps a read transaction of LMDB open, which touches nothing but the meta pages."""

_TRIES = 20
_MOST_FAULTS = 1000
_LONGEST_MENDED = 8192
_ID_START = 28
"""Where the id begins in a record."""
_RECORDS, _FAILED, _META = b"records", b"failed", b"meta"
_UNREACHABLE = "its record cannot be reached any more, as the store's index is damaged"

_log = logging.getLogger(__name__)


def inspect(folder: Path, hold: Hold | None = None) -> Iterator[Damage]:
    """Yield what is wrong with the structure of an LMDB store, and the documents that cannot be read because of it.

    Args:
        folder (Path): the store; nothing of it is mapped or changed.
        hold (Hold | None): keeps writers from taking the pages of the state that is walked. None begins the walk again
            where that happens, which may never end well while others write all the time.

    Raises:
        FileNotFoundError: there is no such store.
        StoreLocked: others wrote so much that no walk came to its end.
    """
    with PageFile(folder / "data.mdb") as file:
        misplaced: list[Damage] = []

        def check() -> Callable[[Item], None]:
            misplaced.clear()
            return lambda item: misplaced.extend(_misplaced(file, item))

        _, faults = _settled(file, check, hold)
        yield from misplaced
        if faults:
            contents = _Contents(file, hold)
            yield from contents.damage()


def _settled(
    file: PageFile, begin: Callable[[], Callable[[Item], None]], hold: Hold | None
) -> tuple[Walk, list[Fault]]:
    """Walk over one state of a file; ``begin`` is called as often as the walk begins, and returns what takes items."""
    for _ in range(_TRIES):
        with _held(file, hold) as is_held:
            walk, take = Walk(file), begin()
            faults: list[Fault] = []
            for found in walk.items():
                if isinstance(found, Item):
                    take(found)
                elif len(faults) < _MOST_FAULTS:
                    faults.append(found)
            if is_held or not walk.was_overtaken():
                return walk, faults
    raise StoreLocked(f"{str(file.path)!r} is written to all the time; try again, or when its writers have ended")


@contextmanager
def _held(file: PageFile, hold: Hold | None) -> Iterator[bool]:
    """Enter ``hold`` where LMDB can open the file safely, which reads its meta pages; True where it was entered."""
    meta, faults = read_meta(file)
    with ExitStack() as stack:
        is_held = False
        if hold is not None and meta is not None and not faults:
            try:
                stack.enter_context(hold())
                is_held = True
            except (StoreError, OSError) as error:
                _log.info("the store is inspected without a transaction: %s", error)
        yield is_held


def _id_of(file: PageFile, key: bytes, value: Span | None) -> str | None:
    """Return the id of a record: as its key says, else as the record itself says; None where neither can be read."""
    if key[:1] == b"i":
        try:
            return key[1:].decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return None
    if value is None:
        return None
    try:
        return read_id(lambda start, stop: file.value(value, start, stop))
    except CorruptValue:
        return _mended_id(file.value(value, 0, _LONGEST_MENDED), key)


def _mended_id(raw: bytes, key: bytes) -> str | None:
    """Return the id of a record under a hash, where no more than a bit of the id, or of what stands before, is wrong.

    The hash tells whether a guess is right.
    """
    for end in dict.fromkeys((_ID_START + int.from_bytes(raw[4:8], "little"), raw.find(b'{"', _ID_START))):
        found = bytearray(raw[_ID_START:end]) if _ID_START < end <= len(raw) else bytearray()
        for bit in range(-1, 8 * len(found)):
            if bit >= 0:
                found[bit // 8] ^= 1 << bit % 8
            if b"h" + hashlib.blake2b(found, digest_size=32).digest() == key:
                return found.decode("utf-8", "surrogatepass")
            if bit >= 0:
                found[bit // 8] ^= 1 << bit % 8
    return None


def _misplaced(file: PageFile, item: Item) -> Iterator[Damage]:
    """Yield damage where a record does not stand under the key of its id."""
    if item.database != _RECORDS:
        return
    try:
        _id = read_id(lambda start, stop: file.value(item.value, start, stop))
        fits = record_key(_id) == item.key
    except CorruptValue as error:
        yield Damage(_id_of(file, item.key, item.value), None, f"the id in its record cannot be read: {error}")
        return
    if not fits:
        named = _id_of(file, item.key, None)
        under = short_id(named) if named is not None else f"the key {item.key.hex()[:80]}"
        yield Damage(_id, None, f"its record stands under {under}, so it cannot be found")


class _Contents:
    """Everything of a store that can still be made out: records by id, reached by LMDB or lost to it."""

    def __init__(self, file: PageFile, hold: Hold | None = None) -> None:
        self.file = file
        items: dict[tuple[bytes, bytes], Span] = {}

        def collect() -> Callable[[Item], None]:
            items.clear()
            return lambda item: items.__setitem__((item.database, item.key), item.value)

        self.walk, self.faults = _settled(file, collect, hold)
        self.reached: dict[str, Span] = {}
        self.failures: dict[bytes, Span] = {}
        self.format: Span | None = None
        self.lost: dict[str, Span | None] = {}
        """Documents that LMDB does not reach; None where the record is damaged too."""
        for (database, key), value in items.items():
            if database == _RECORDS:
                self._place(key, value)
            elif database == _FAILED:
                self.failures[key] = value
            elif (database, key) == (_META, b"format"):
                self.format = value
        for _id, found in self._strays() if self.faults else ():
            if _id not in self.reached and self.lost.get(_id) is None:
                self.lost[_id] = found

    def failure(self, _id: str) -> bytes | None:
        """Return the ledger's entry of a document."""
        value = self.failures.get(record_key(_id))
        return None if value is None else self.file.value(value, 0, MAX_RECORD)

    def _place(self, key: bytes, value: Span) -> None:
        """Take note of a record that a tree leads to; under a key that is not its own, LMDB does not find it."""
        try:
            _id = read_id(lambda start, stop: self.file.value(value, start, stop))
        except CorruptValue:
            named = _id_of(self.file, key, None)
            if named is not None:
                self.reached[named] = value
            return
        if record_key(_id) == key:
            self.reached[_id] = value
            self.lost.pop(_id, None)
        elif _id not in self.reached:
            self.lost[_id] = value

    def _strays(self) -> Iterator[tuple[str, Span | None]]:
        """Yield the documents in pages that no tree leads to."""
        meta, walk = self.walk.meta, self.walk
        if meta is None:
            return
        pages = self.file.data_pages(meta.page_size, meta.last)
        hidden = (n for n in pages if n not in walk.used and (walk.free is None or n not in walk.free))
        for number in itertools.chain(walk.suspects, hidden):
            for node in stray_nodes(self.file, number, meta.page_size):
                try:
                    value = overflow(self.file, meta, node)[0] if node.page else node.value
                except BadPage:
                    value = None
                yield from self._stray(node.key, value)

    def _stray(self, key: bytes, value: Span | None) -> Iterator[tuple[str, Span | None]]:
        """Yield the document of a node: as the record says, if it is whole, or else as far as it can be named."""
        is_record = value is None or self.file.value(value, 0, 4) == b"ZLR1"
        if value is not None and value.size <= MAX_RECORD:
            try:
                _id = Record.from_bytes(self.file.value(value)).id
            except CorruptValue:
                pass
            else:
                yield _id, value
                is_record = _id in self.reached and record_key(_id) != key  # the node leads to the record of another
        named = _id_of(self.file, key, value)
        if is_record and named and key.startswith((b"i", b"h")):
            yield named, None

    @property
    def recovered(self) -> dict[str, Span]:
        """Lost documents that can be brought back: whole, and the free list proves that they are no old ones."""
        if self.walk.free is None:
            return {}
        return {_id: value for _id, value in self.lost.items() if value is not None}

    def damage(self) -> Iterator[Damage]:
        """Yield all that is wrong."""
        named = set()
        for fault in self.faults:
            _id = _id_of(self.file, fault.key, None) if fault.database == _RECORDS and fault.key is not None else None
            named.add(_id)
            yield Damage(_id, None, fault.what)
        if len(self.faults) == _MOST_FAULTS:
            yield Damage(None, None, f"these are the first {_MOST_FAULTS} faults of the store's index")
        recovered = self.recovered
        for _id, value in self.lost.items():
            if _id in recovered:
                yield Damage(_id, None, f"{_UNREACHABLE}; it is whole: copy the store, and the copy has it")
            elif _id not in named and value is None:
                yield Damage(_id, None, f"{_UNREACHABLE}, and damaged itself")
            elif _id not in named:
                yield Damage(_id, None, f"{_UNREACHABLE}; what was found of it may be an old state, or deleted")


class SalvagedDatabase(Database):
    """What can still be read of a damaged LMDB store, without LMDB; made to copy it from.

    Documents that the index does not lead to any more are there too, where they are whole.

    Args:
        path (str | Path): the store's folder.

    Raises:
        FileNotFoundError: there is no such store.
        StoreFormatError: it has a newer format.
    """

    def __init__(self, path: Any) -> None:
        self.path = Path(path)
        self._contents = _Contents(PageFile(self.path / "data.mdb"))
        self._records = {**self._contents.recovered, **self._contents.reached}
        self._blobs = BlobFolder(self.path / "blobs")
        self._check_format()

    def _check_format(self) -> None:
        if self._contents.format is None:
            return
        try:
            version = json.loads(self._contents.file.value(self._contents.format, 0, 1000)).get("format")
        except (ValueError, AttributeError, RecursionError):
            return
        if isinstance(version, int) and version > FORMAT:
            raise StoreFormatError(
                f"{str(self.path)!r} has store format {version}; this version reads up to {FORMAT}: upgrade zounds_lite"
            )

    def _bytes(self, value: Span, what: str) -> bytes:
        if value.size > MAX_RECORD:
            raise CorruptValue(f"{what} claims to have {value.size} bytes, at most {MAX_RECORD} are allowed")
        return self._contents.file.value(value)

    def get(self, _id: str) -> bytes | None:
        value = self._records.get(check_id(_id))
        return None if value is None else self._bytes(value, f"the record of {short_id(_id)}")

    def iter_ids(self) -> Iterator[str]:
        yield from self._records

    def __len__(self) -> int:
        return len(self._records)

    def get_failure(self, _id: str) -> bytes | None:
        return self._contents.failure(check_id(_id))

    def iter_failures(self) -> Iterator[bytes]:
        for value in self._contents.failures.values():
            yield self._contents.file.value(value, 0, MAX_RECORD)

    def open_blob(self, name: str) -> np.ndarray:
        return self._blobs.open(name)

    def iter_blobs(self) -> Iterator[tuple[str, int]]:
        for file in sorted((self.path / "blobs").glob("??/*.blob")):
            yield file.stem, file.stat().st_size

    def inspect(self) -> Iterator[Damage]:
        return self._contents.damage()

    def _refuse(self) -> StoreLocked:
        return StoreLocked(f"{str(self.path)!r} is damaged and only read: copy it, and go on with the copy")

    def change(self, changes: Mapping[str, Change], failures: Mapping[str, Change] | None = None) -> None:
        raise self._refuse()

    def create_blob(self) -> BlobWriter:
        raise self._refuse()

    def remove_blob(self, name: str) -> None:
        raise self._refuse()

    def collect_garbage(self) -> Garbage:
        raise self._refuse()

    def close(self) -> None:
        self._contents.file.close()

    def __repr__(self) -> str:
        return f"SalvagedDatabase({str(self.path)!r})"
