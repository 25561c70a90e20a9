"""A store in memory, for tests and short experiments."""

import threading
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from zounds_lite.errors import KeyNotFound
from zounds_lite.featureflow.stores.base import BlobWriter, Change, Database, Garbage
from zounds_lite.featureflow.stores.checks import (
    blobs_in,
    check_id,
    check_own,
    check_size,
    named_blobs,
    own_record,
    released_blobs,
)
from zounds_lite.featureflow.stores.gate import GATE

__all__ = ["InMemoryDatabase"]


class _MemoryBlob(BlobWriter):
    def __init__(self, blobs: dict[str, np.ndarray], under_way: set[str]) -> None:
        super().__init__()
        self._blobs = blobs
        self._under_way = under_way
        self._parts: list[bytes] = []
        self._name = uuid.uuid4().hex
        under_way.add(self._name)

    def _append(self, data: bytes | bytearray | memoryview) -> None:
        self._parts.append(bytes(data))

    def _publish(self) -> str:
        self._blobs[self._name] = np.frombuffer(b"".join(self._parts), np.uint8)
        self._parts = []
        return self._name

    def discard(self) -> None:
        self._parts = []
        self._blobs.pop(self._name, None)
        self._under_way.discard(self._name)


class InMemoryDatabase(Database):
    """Keeps documents in this process.

    Args:
        key_builder: accepted for compatibility; ids need no escaping here.

    Examples:
        >>> database = InMemoryDatabase()
        >>> len(database), "a" in database
        (0, False)
    """

    durability = "none"

    def __init__(self, key_builder: Any = None) -> None:
        self.key_builder = key_builder
        self._records: dict[str, bytes] = {}
        self._failures: dict[str, bytes] = {}
        self._blobs: dict[str, np.ndarray] = {}
        self._under_way: set[str] = set()  # blobs that no record names yet
        self._lock = threading.RLock()

    def get(self, _id: str) -> bytes | None:
        raw = self._records.get(check_id(_id))
        if raw is not None:
            check_own(raw, _id)
        return raw

    def change(self, changes: Mapping[str, Change], failures: Mapping[str, Change] | None = None) -> None:
        with GATE.shared(), self._lock:
            olds = {_id: own_record(self._records.get(check_id(_id)), _id) for _id in changes}
            news = {_id: check_size(change(olds[_id]), _id) for _id, change in changes.items()}
            entries = {
                _id: check_size(change(self._failures.get(check_id(_id))), _id)
                for _id, change in (failures or {}).items()
            }
            _replace(self._records, news)
            _replace(self._failures, entries)
            for _id, new in news.items():
                for name in released_blobs(olds[_id], new):
                    self.remove_blob(name)
            self._under_way -= named_blobs(news) if self._under_way else set()

    def iter_ids(self) -> Iterator[str]:
        with GATE.shared(), self._lock:
            ids = list(self._records)
        yield from ids

    def __len__(self) -> int:
        return len(self._records)

    def get_failure(self, _id: str) -> bytes | None:
        return self._failures.get(check_id(_id))

    def iter_failures(self) -> Iterator[bytes]:
        with GATE.shared(), self._lock:
            entries = list(self._failures.values())
        yield from entries

    def create_blob(self) -> BlobWriter:
        return _MemoryBlob(self._blobs, self._under_way)

    def open_blob(self, name: str) -> np.ndarray:
        try:
            return self._blobs[name]
        except KeyError:
            raise KeyNotFound(f"no blob {name!r} in {self!r}") from None

    def remove_blob(self, name: str) -> None:
        self._blobs.pop(name, None)
        self._under_way.discard(name)

    def iter_blobs(self) -> Iterator[tuple[str, int]]:
        for name, blob in list(self._blobs.items()):
            yield name, blob.nbytes

    def collect_garbage(self) -> Garbage:
        with GATE.shared(), self._lock:
            unnamed = self._blobs.keys() - blobs_in(self._records.values())
            garbage = unnamed - self._under_way
            sizes = [blob.nbytes for name in garbage if (blob := self._blobs.pop(name, None)) is not None]
        return Garbage(len(sizes), sum(sizes), len(unnamed) - len(garbage))

    def __repr__(self) -> str:
        return f"InMemoryDatabase({len(self)} documents)"


def _replace(values: dict[str, bytes], news: Mapping[str, bytes | None]) -> None:
    for _id, new in news.items():
        if new is None:
            values.pop(_id, None)
        else:
            values[_id] = new
