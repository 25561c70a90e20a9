"""The contract of a store: records by id, and blobs by name.

Goal: a stranger can write a store from this page. Conventions:

- A **record** is the whole of a document (see ``record``). ``change`` replaces records, all of them or none, and they
  are durable when it returns. Blobs that the old records named and the new ones do not are removed afterwards.
- A **blob** is one large value, written piece by piece and immutable from ``finish`` on. Until a record names it,
  nothing points at it; ``discard`` removes it, before ``finish`` and after.
- The **ledger** names the documents that failed: one entry of bytes by id, changed in one transaction with records.
- **Garbage** is every blob that no record names and that no live process is writing: what a process left that died
  before it could commit. ``collect_garbage`` removes it, also while others write.
- **Durability**: what ``change`` promises of a power cut, see ``Database.durability``.
- **Ids** are any non-empty text: keys are never paths.
- A **damaged record** stands in nobody's way: it can be replaced and deleted like any other, and an iteration over ids
  goes on; only ``read`` raises. Its blobs are left to ``collect_garbage``, as nobody knows their names.
- Stores are safe to use from several threads, also while one of them closes the store or the process forks (``gate``).
  A store that lives on a disk can be pickled and used in other processes.

Classes: ``Database``, ``BlobWriter``, ``Garbage``; functions ``check_id``, ``check_own``, ``check_size``,
``own_record``, ``released_blobs``, ``short_id``.
"""

import itertools
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash

from zounds_lite.errors import CorruptValue, InvalidId, KeyNotFound, ValueTooLarge
from zounds_lite.featureflow.record import FORMAT, Checksums, Record, blob_table, read_id
from zounds_lite.featureflow.stores.damage import Damage
from zounds_lite.featureflow.stores.formats import READERS

__all__ = [
    "MAX_RECORD",
    "BlobWriter",
    "Change",
    "Database",
    "Garbage",
    "check_id",
    "check_own",
    "check_size",
    "own_record",
    "released_blobs",
    "short_id",
]

Change = Callable[[bytes | None], bytes | None]
"""Old record to new record; None stands for no record."""

MAX_RECORD = 64 * 1024 * 1024
"""No record and no entry of the ledger is longer; what claims to be is damaged."""

_APPEND = 1024 * 1024
"""Blobs are written in pieces of at least this size."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Garbage:
    """What ``collect_garbage`` found.

    Args:
        blobs (int): files that were removed.
        bytes (int): their size.
        kept (int): blobs that no record names yet and that a live process is writing.
    """

    blobs: int = 0
    bytes: int = 0
    kept: int = 0


def check_id(_id: Any) -> str:
    """Return ``_id`` if a store can hold it.

    Raises:
        InvalidId: it is empty, or no text.

    Examples:
        >>> check_id("http://example.org/a:b/../c")
        'http://example.org/a:b/../c'
    """
    if not isinstance(_id, str) or not _id:
        raise InvalidId(f"an id must be non-empty text, got {_id!r}")
    return str(_id)


def check_size(new: bytes | None, _id: str) -> bytes | None:
    """Return what a change wants to write, if a store takes it.

    Raises:
        ValueTooLarge: it is longer than ``MAX_RECORD``.
    """
    if new is not None and len(new) > MAX_RECORD:
        raise ValueTooLarge(
            f"the record of {short_id(_id)} has {len(new)} bytes, at most {MAX_RECORD} are allowed: large values "
            "belong into blobs"
        )
    return new


def check_own(raw: bytes, _id: str) -> None:
    """Refuse the record of another document, whole as it may be; one that is damaged passes.

    Raises:
        CorruptValue: the store keeps another document under this id.
    """
    found = _owner(raw, _id)
    if found != _id:
        raise CorruptValue(
            f"the store keeps the record of {short_id(found)} under the id {short_id(_id)}: its index is damaged; "
            "process the document again to replace it"
        )


def own_record(raw: bytes | None, _id: str) -> bytes | None:
    """Return a record for a change to look at; one of another document counts as damaged, and nothing of it is shown.

    Its blobs belong to that document, so whoever replaces the record must not release them.
    """
    return b"" if raw is not None and _owner(raw, _id) != _id else raw


def _owner(raw: bytes, _id: str) -> str:
    """Return the id in a record, or ``_id`` where it cannot be read."""
    try:
        return read_id(lambda start, stop: raw[start:stop])
    except CorruptValue:
        return _id


def released_blobs(old: bytes | None, new: bytes | None) -> set[str]:
    """Names of the blobs that ``old`` refers to and ``new`` does not; none, where one of them cannot be read."""
    if old is None:
        return set()
    try:
        before = Record.from_bytes(old, "the old record").blobs
        if not before or new is None:
            return before
        return before - Record.from_bytes(new, "the new record").blobs
    except CorruptValue as error:
        _log.warning("blobs of a damaged record are left in the store, gc will find them: %s", error)
        return set()


class BlobWriter(ABC):
    """Writes one blob: ``write`` as often as needed, then ``finish``; ``discard`` to take it back."""

    def __init__(self) -> None:
        self.size = 0
        self._checks = Checksums()
        self._pending: list[bytes] = []
        self._pending_size = 0

    @abstractmethod
    def _append(self, data: bytes | memoryview) -> None:
        """Append to the blob; called with pieces of a megabyte or more, except for the last."""

    @abstractmethod
    def _publish(self) -> str:
        """Make the blob durable and immutable, and return its name."""

    @abstractmethod
    def discard(self) -> None:
        """Remove what was written: also after ``finish``, where no record names the blob; twice does no harm."""

    def write(self, data: Any) -> None:
        """Append bytes (anything with a contiguous buffer); the caller may reuse its buffer afterwards."""
        view = memoryview(data).cast("B") if not isinstance(data, (bytes, bytearray)) else memoryview(data)
        self._checks.update(view)
        self.size += len(view)
        if not self._pending and len(view) >= _APPEND:
            self._append(view)
            return
        self._pending.append(bytes(view))
        self._pending_size += len(view)
        if self._pending_size >= _APPEND:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            self._append(b"".join(self._pending))
            self._pending, self._pending_size = [], 0

    def finish(self) -> tuple[str, int]:
        """Publish the blob; return its name and the checksum of its table."""
        checks = self._checks.finish()
        table = blob_table(checks, self.size)
        self._pending.append(table)
        self._flush()
        return self._publish(), xxhash.xxh3_64_intdigest(table[: 8 * len(checks)])


class Database(ABC):
    """A store of documents.

    Attributes:
        durability (str): "full": what ``change`` wrote is durable when it returns; "relaxed": a power cut may take the
            last change, never more and never half of one; "none": the store ends with its process.
        format (int): version of the stored format.
    """

    durability: str = "full"
    format: int = FORMAT

    @abstractmethod
    def get(self, _id: str) -> bytes | None:
        """Return a private copy of the record of ``_id``, or None; one that is damaged comes back as it is.

        Raises:
            CorruptValue: it is longer than any record, or that of another document.
        """

    @abstractmethod
    def change(self, changes: Mapping[str, Change], failures: Mapping[str, Change] | None = None) -> None:
        """Replace records and entries of the ledger, all or none.

        Each function gets what is there now and returns the new bytes, or None to delete them; no other writer comes
        in between. It may be called more than once.

        Args:
            changes (Mapping[str, Change]): of records, by id.
            failures (Mapping[str, Change] | None): of entries of the ledger, by id.

        Raises:
            ValueTooLarge: a new record or entry is longer than 64 MiB.
            StoreFull: there is no room left.
            StoreLocked: the store could not be locked, or is read-only.
        """

    @abstractmethod
    def iter_ids(self) -> Iterator[str]:
        """Yield the id of every document that stands in the store throughout the iteration, in no set order."""

    @abstractmethod
    def __len__(self) -> int:
        """Number of documents."""

    @abstractmethod
    def get_failure(self, _id: str) -> bytes | None:
        """Return the ledger's entry of a document that failed, or None."""

    @abstractmethod
    def iter_failures(self) -> Iterator[bytes]:
        """Yield the entries of the ledger; each names its document itself."""

    @abstractmethod
    def create_blob(self) -> BlobWriter:
        """Begin a blob."""

    @abstractmethod
    def open_blob(self, name: str) -> np.ndarray:
        """Return all bytes of a blob, table included, as a read-only uint8 array that outlives its removal.

        Raises:
            KeyNotFound: there is no such blob.
        """

    @abstractmethod
    def remove_blob(self, name: str) -> None:
        """Remove a blob that no record names; one that is not there is passed over."""

    @abstractmethod
    def iter_blobs(self) -> Iterator[tuple[str, int]]:
        """Yield name and size, table included, of every finished blob."""

    @abstractmethod
    def collect_garbage(self) -> Garbage:
        """Remove blobs that no record names and that no live process is writing.

        Raises:
            CorruptValue: the store is damaged, so that nobody can tell which blobs it names.
            StoreLocked: the store is read-only.
        """

    def inspect(self) -> Iterator[Damage]:
        """Yield damage of the store's own structure, found without trusting it; records and blobs are not read."""
        yield from ()

    def close(self) -> None:
        """Release what the store holds open; it opens again by itself when used."""
        return None

    def describe_lineage(self) -> str:
        """Count in the lineage of code that names a document class: by kind, whatever the store holds."""
        return type(self).__qualname__

    def read(self, _id: str) -> Record:
        """Return the record of ``_id``.

        Raises:
            KeyNotFound: there is no such document.
            CorruptValue: its bytes are damaged.
        """
        raw = self.get(_id)
        if raw is None:
            raise KeyNotFound(f"no document {short_id(_id)} in {self!r}")
        return READERS[self.format](raw, f"the record of {short_id(_id)}")

    def put(self, _id: str, record: bytes) -> None:
        """Write one record."""
        self.change({check_id(_id): lambda old: record})

    def random_id(self) -> str:
        """Return the id of a document picked at random.

        Raises:
            KeyNotFound: the store is empty.
        """
        count = len(self)
        index = random.SystemRandom().randrange(count) if count else 0
        # fewer come than were counted where one is deleted meanwhile, or cannot be named
        found = next(itertools.islice(self.iter_ids(), index, None), None) or next(self.iter_ids(), None)
        if found is None:
            raise KeyNotFound(f"{self!r} holds no documents; process one first")
        return found

    def __contains__(self, _id: str) -> bool:
        try:
            return self.get(_id) is not None
        except CorruptValue:  # damaged, but there
            return True

    def __iter__(self) -> Iterator[str]:
        return self.iter_ids()

    def __delitem__(self, _id: str) -> None:
        if _id not in self:
            raise KeyNotFound(f"no document {short_id(_id)} in {self!r}")
        self.change({_id: lambda old: None})


def short_id(_id: str) -> str:
    """Return an id as messages show it: quoted, and not at full length where that is long."""
    return repr(_id) if len(_id) <= 80 else f"{_id[:60]!r}... ({len(_id)} characters)"
