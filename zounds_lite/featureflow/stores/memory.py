"""A store in memory, for tests and short experiments."""

import threading
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from zounds_lite.errors import KeyNotFound
from zounds_lite.featureflow.stores.base import BlobWriter, Change, Database, check_id, released_blobs
from zounds_lite.featureflow.stores.gate import GATE

__all__ = ["InMemoryDatabase"]


class _MemoryBlob(BlobWriter):
    def __init__(self, blobs: dict[str, np.ndarray]) -> None:
        super().__init__()
        self._blobs = blobs
        self._parts: list[bytes] = []
        self._name: str | None = None

    def _append(self, data: bytes | memoryview) -> None:
        self._parts.append(bytes(data))

    def _publish(self) -> str:
        self._name = uuid.uuid4().hex
        self._blobs[self._name] = np.frombuffer(b"".join(self._parts), np.uint8)
        self._parts = []
        return self._name

    def discard(self) -> None:
        self._parts = []
        if self._name is not None:
            self._blobs.pop(self._name, None)


class InMemoryDatabase(Database):
    """Keeps documents in this process.

    Args:
        key_builder: accepted for compatibility; ids need no escaping here.

    Examples:
        >>> database = InMemoryDatabase()
        >>> len(database), "a" in database
        (0, False)
    """

    def __init__(self, key_builder: Any = None) -> None:
        self.key_builder = key_builder
        self._records: dict[str, bytes] = {}
        self._blobs: dict[str, np.ndarray] = {}
        self._lock = threading.RLock()

    def get(self, _id: str) -> bytes | None:
        return self._records.get(check_id(_id))

    def change(self, changes: Mapping[str, Change]) -> None:
        with GATE.shared(), self._lock:
            olds = {check_id(_id): self._records.get(_id) for _id in changes}
            news = {_id: change(olds[_id]) for _id, change in changes.items()}
            for _id, new in news.items():
                if new is None:
                    self._records.pop(_id, None)
                else:
                    self._records[_id] = new
            for _id, new in news.items():
                for name in released_blobs(olds[_id], new):
                    self.remove_blob(name)

    def iter_ids(self) -> Iterator[str]:
        with GATE.shared(), self._lock:
            ids = list(self._records)
        yield from ids

    def __len__(self) -> int:
        return len(self._records)

    def create_blob(self) -> BlobWriter:
        return _MemoryBlob(self._blobs)

    def open_blob(self, name: str) -> np.ndarray:
        try:
            return self._blobs[name]
        except KeyError:
            raise KeyNotFound(f"no blob {name!r} in {self!r}") from None

    def remove_blob(self, name: str) -> None:
        self._blobs.pop(name, None)

    def __repr__(self) -> str:
        return f"InMemoryDatabase({len(self)} documents)"
