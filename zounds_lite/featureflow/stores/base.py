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
- **Terms** of a document are the top-level scalars of its stored JSON objects (``terms``). A store that keeps an index
  of them keeps it with ``change``; it answers as if it had read every record, which is what a store without one does.
- Stores are safe to use from several threads, also while one of them closes the store or the process forks (``gate``).
  A store that lives on a disk can be pickled and used in other processes.

Classes: ``Database``, ``BlobWriter``, ``Damage``, ``Garbage``. What stores check of ids and records is in ``checks``.
"""

import itertools
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash

from zounds_lite.errors import CorruptValue, KeyNotFound, StoreError
from zounds_lite.featureflow.record import FORMAT, Checksums, Record, blob_table
from zounds_lite.featureflow.stores import scan
from zounds_lite.featureflow.stores.checks import check_id, short_id
from zounds_lite.featureflow.stores.criteria import Criterion
from zounds_lite.featureflow.stores.formats import READERS
from zounds_lite.featureflow.stores.terms import Scalar

__all__ = ["BlobWriter", "Change", "Damage", "Database", "Garbage", "check_id"]

Change = Callable[[bytes | None], bytes | None]
"""Old record to new record; None stands for no record."""

_APPEND = 1024 * 1024
"""What comes in small pieces is collected up to this size before it is written."""

_LARGE = 256 * 1024
"""Pieces of this size are written as they come: a copy would cost more than it saves."""


@dataclass(frozen=True)
class Damage:
    """One thing that is wrong in a store.

    Args:
        id (str | None): the document; None where it is the store's own structure.
        feature (str | None): the feature; None where it is the whole document.
        what (str): what was found, and where.

    Examples:
        >>> print(Damage("a.wav", "fft", "block 3 of 12 fails its checksum"))
        feature 'fft' of document 'a.wav': block 3 of 12 fails its checksum
        >>> print(Damage(None, None, "page 7 is used twice"))
        the store: page 7 is used twice
    """

    id: str | None
    feature: str | None
    what: str

    def __str__(self) -> str:
        if self.id is None:
            return f"the store: {self.what}"
        _id = repr(self.id) if len(self.id) <= 200 else f"{self.id[:150]!r}... ({len(self.id)} characters)"
        where = f"document {_id}" if self.feature is None else f"feature {self.feature!r} of document {_id}"
        return f"{where}: {self.what}"


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


class BlobWriter(ABC):
    """Writes one blob: ``write`` as often as needed, then ``finish``; ``discard`` to take it back.

    Several threads can write stretches of one blob where ``can_part`` is true: each writes a ``part`` of it, and in the
    end they are joined in their order.

    Args:
        at (int): the byte of the blob at which it begins.
    """

    can_part = False

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.size = 0
        self._checks = Checksums(at)
        self._pending = bytearray()

    @abstractmethod
    def _append(self, data: bytes | bytearray | memoryview) -> None:
        """Append to the blob; the caller reuses its buffer afterwards.

        Called with pieces of a quarter of a megabyte or more, except for the last ones and what lies before such a one.
        """

    @abstractmethod
    def _publish(self) -> str:
        """Make the blob immutable, and return its name; ``change`` makes it durable before a record names it."""

    @abstractmethod
    def discard(self) -> None:
        """Remove what was written: also after ``finish``, where no record names the blob; twice does no harm."""

    def part(self, at: int) -> "BlobWriter":
        """Return what writes a stretch of this blob, from byte ``at`` on; only where ``can_part`` is true."""
        raise NotImplementedError(f"{type(self).__name__} cannot be written in parts")

    def _behind(self, part: Any) -> None:
        """Go on behind a part that was written; only where ``can_part`` is true."""
        raise NotImplementedError(f"{type(self).__name__} cannot be written in parts")

    def join(self, part: "BlobWriter") -> None:
        """Take in a part that begins where this blob ends so far; nothing can be written to the part afterwards.

        Raises:
            StoreError: it begins elsewhere.
        """
        if part.at != self.at + self.size:
            raise StoreError(f"a part of a blob from byte {part.at} on cannot follow {self.at + self.size} bytes")
        self._flush()
        part._flush()
        self._checks.join(part._checks)
        self.size += part.size
        self._behind(part)

    def write(self, data: Any) -> None:
        """Append bytes (anything with a contiguous buffer); the caller may reuse its buffer afterwards."""
        view = memoryview(data).cast("B") if not isinstance(data, (bytes, bytearray)) else memoryview(data)
        self._checks.update(view)
        self.size += len(view)
        if len(view) >= _LARGE:
            self._flush()
            self._append(view)
            return
        self._pending += view
        if len(self._pending) >= _APPEND:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            self._append(self._pending)
            self._pending.clear()

    def finish(self) -> tuple[str, int]:
        """Publish the blob; return its name and the checksum of its table."""
        checks = self._checks.finish()
        table = blob_table(checks, self.size)
        self._flush()
        self._append(memoryview(table))
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

    def find(self, criteria: Sequence[Criterion]) -> list[str]:
        """Return the ids of the documents whose metadata meet all criteria; those that cannot be read are left out."""
        return scan.find(self, criteria)

    def count_fields(self) -> dict[tuple[str, str], int]:
        """Return how many documents have each field of metadata, by the feature's key and the field's name.

        A value that is too large to be looked into counts as the field ``("", key)``, see ``terms.left_out``.
        """
        return scan.count_fields(self)

    def count_values(self, feature: str, field: str, criteria: Sequence[Criterion] = ()) -> list[tuple[Scalar, int]]:
        """Return each value of a field, in order, and how many of the documents that meet all criteria hold it."""
        return scan.count_values(self, feature, field, criteria)

    def inspect_index(self) -> Iterator[Damage]:
        """Yield what an index of metadata says that the records do not; only of one that would be trusted."""
        yield from ()

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
