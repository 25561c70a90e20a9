"""The contract of a store: records by id, and blobs by name.

Goal: a stranger can write a store from this page. Conventions:

- A **record** is the whole of a document (see ``record``). ``change`` replaces records, all of them or none, and they
  are durable when it returns. Blobs that the old records named and the new ones do not are removed afterwards.
- A **blob** is one large value, written piece by piece and immutable from ``finish`` on. Until a record names it,
  nothing points at it; ``discard`` removes it, before ``finish`` and after.
- **Ids** are any non-empty text: keys are never paths.
- A **damaged record** stands in nobody's way: it can be replaced and deleted like any other, and an iteration over ids
  goes on; only ``read`` raises. Its blobs are left for ``gc``, as nobody knows their names.
- Stores are safe to use from several threads, also while one of them closes the store or the process forks (``gate``).
  A store that lives on a disk can be pickled and used in other processes.

Classes: ``Database``, ``BlobWriter``; functions ``check_id``, ``released_blobs``.
"""

import itertools
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import xxhash

from zounds_lite.errors import CorruptValue, InvalidId, KeyNotFound
from zounds_lite.featureflow.record import Checksums, Record, blob_table

__all__ = ["BlobWriter", "Change", "Database", "check_id", "released_blobs"]

Change = Callable[[bytes | None], bytes | None]
"""Old record to new record; None stands for no record."""

_APPEND = 1024 * 1024
"""Blobs are written in pieces of at least this size."""

_log = logging.getLogger(__name__)


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
    """A store of documents."""

    @abstractmethod
    def get(self, _id: str) -> bytes | None:
        """Return a private copy of the record of ``_id``, or None."""

    @abstractmethod
    def change(self, changes: Mapping[str, Change]) -> None:
        """Replace records, all or none.

        Each function gets the record as it is now and returns the new one, or None to delete it; no other writer comes
        in between. It may be called more than once.

        Raises:
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
            raise KeyNotFound(f"no document {_short(_id)} in {self!r}")
        return Record.from_bytes(raw, f"the record of {_short(_id)}")

    def put(self, _id: str, record: bytes) -> None:
        """Write one record."""
        self.change({_id: lambda old: record})

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
        return self.get(_id) is not None

    def __iter__(self) -> Iterator[str]:
        return self.iter_ids()

    def __delitem__(self, _id: str) -> None:
        if _id not in self:
            raise KeyNotFound(f"no document {_short(_id)} in {self!r}")
        self.change({_id: lambda old: None})


def _short(_id: str) -> str:
    return repr(_id) if len(_id) <= 80 else f"{_id[:60]!r}... ({len(_id)} characters)"
