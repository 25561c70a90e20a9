"""Rows of one feature of many documents, any of them at random, as fast as the memory map gives them.

Goal: training draws thousands of short stretches a second. A document is opened once in a process, with all the checks
that reading it has, and stays open; each stretch is then a slice of its map. Conventions: stretches are plain arrays;
what was opened before a fork is opened anew after it, and none of it is pickled. What has a file behind it costs no
memory; the rest is kept up to 16 MiB. Classes: ``OpenRows`` (one document), ``StoredRows`` (all).
"""

import mmap
import os
from collections import OrderedDict
from typing import Any

import numpy as np

from zounds_lite.errors import DimensionError, KeyNotFound, NonFiniteFeatures, RaggedCorpus
from zounds_lite.featureflow.stores.maps import ReadAhead
from zounds_lite.featureflow.stores.memory import InMemoryDatabase
from zounds_lite.learn.labels import read_field

__all__ = ["OpenRows", "StoredRows"]

_MOST_OPEN = 4096
_MOST_BYTES = 16 << 20


class OpenRows:
    """The rows of a feature of one document.

    Args:
        source (Any): an array with a first axis of time, or what reads rows of a feature that is not stored.
        label (Any): of the document.
    """

    def __init__(self, source: Any, label: Any = None) -> None:
        self.label = label
        self.nbytes = 0
        self._array: np.ndarray | None = None
        self._announce = None
        if isinstance(source, np.ndarray):
            self.size, self._example = len(source), source[:0]
            self._array = array = source.view(np.ndarray)
            if _is_map(array):
                self._announce = ReadAhead.of(array)
            else:
                self.nbytes = array.nbytes
        else:
            self.size, self._example, self._rows = source.size, source.example, source

    def rows_in(self, duration: np.timedelta64) -> int | None:
        """Return how many rows begin within a duration, at least one; None where there is no axis of time."""
        dimensions = getattr(self._example, "dimensions", None)
        axis: Any = dimensions[0] if dimensions else None
        return max(1, axis.samples_in(duration)) if hasattr(axis, "samples_in") else None

    def read(self, start: int, stop: int) -> np.ndarray:
        """Return some rows; those of a stored array are a view of it."""
        if self._array is None:
            return np.asarray(self._rows.read(start, stop))
        rows = slice(start, stop)
        if self._announce is not None:
            self._announce(rows)
        return self._array[rows]


def _is_map(array: np.ndarray) -> bool:
    below: Any = array
    while isinstance(below, np.ndarray):
        below = below.base
    return isinstance(getattr(below, "obj", below), mmap.mmap)


class StoredRows:
    """A feature of documents, opened when needed.

    Args:
        model (type[BaseModel]): the documents' class.
        feature (str): the name of the feature.
        duration (np.timedelta64 | None): length of a stretch; None: whole documents.
        label (str | None): a field of the metadata that each document is labelled with.
        holder (str | None): the feature that has the field.
    """

    def __init__(self, model: Any, feature: Any, duration: Any, label: str | None = None, holder: Any = None) -> None:
        self.model, self.feature = model, model._feature(feature).name
        self.duration, self.label, self.holder = duration, label, holder
        self.length: int | None = None
        self._first = ""
        self._home = os.getpid()
        self._begin()

    def _begin(self) -> None:
        self._open: OrderedDict[str, OpenRows] = OrderedDict()
        self._bytes = 0
        self._pid = os.getpid()
        self._lineage = self.model.lineage()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_open", "_bytes", "_lineage")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def open(self, _id: str) -> OpenRows:
        """Return the rows of a document, which stay open for the next time.

        Raises:
            DimensionError: the feature is no array, or has no axis of time.
            RaggedCorpus: a stretch of it has another number of rows than those of other documents.
            KeyNotFound: there is no such document any more.
        """
        if self._pid != os.getpid():
            self._begin()
        found = self._open.get(_id)
        if found is not None:
            self._open.move_to_end(_id)
            return found
        found = self._opened(_id)
        self._open[_id] = found
        self._bytes += found.nbytes
        while len(self._open) > 1 and (len(self._open) > _MOST_OPEN or self._bytes > _MOST_BYTES):
            self._bytes -= self._open.popitem(last=False)[1].nbytes
        return found

    def size(self, _id: str) -> tuple[int, Any]:
        """Return how many rows a document has, and its label; it does not stay open."""
        found = self._opened(_id)
        return found.size, found.label

    def _opened(self, _id: str) -> OpenRows:
        feature = self.model.features[self.feature]

        def read(snapshot: Any) -> OpenRows:
            snapshot.lineage = self._lineage  # which is found out once, not for each document
            rows = None if feature.store else snapshot.regions.rows(feature)
            label = None if self.label is None else read_field(snapshot, self.model.features[self.holder], self.label)
            value = snapshot.fetch(feature) if rows is None else rows
            if rows is None and (not isinstance(value, np.ndarray) or not value.ndim):
                raise DimensionError(
                    f"{self.feature} of document {_id!r} is {type(value).__name__}; needed: an array of rows"
                )
            return OpenRows(value, label)

        try:
            found: OpenRows = self.model(_id)._read(read)
        except KeyNotFound as error:
            if isinstance(self.model._database(), InMemoryDatabase) and self._home != os.getpid():
                raise KeyNotFound(
                    f"document {_id!r} is not in this process: {self.model.__name__} is stored in memory, which a "
                    "spawned worker does not have; use simple_lmdb_settings(path), or the start method 'fork'"
                ) from error
            raise
        self._check_length(found, _id)
        return found

    def _check_length(self, found: OpenRows, _id: str) -> None:
        if self.duration is None:
            return
        length = found.rows_in(self.duration)
        if length is None:
            raise DimensionError(
                f"{self.feature} of document {_id!r} has no axis of time, so no stretch of {self.duration!r} can be "
                "cut from it; leave out the duration to get it whole"
            )
        if self.length is None:
            self.length, self._first = length, _id
        if length != self.length:
            raise RaggedCorpus(
                f"{self.duration!r} of {self.feature} are {length} rows in document {_id!r} and {self.length} in "
                f"{self._first!r}; resample all documents to one rate"
            )

    def check_finite(self, rows: np.ndarray, start: int, _id: str) -> None:
        """Refuse rows with NaN or infinite values.

        Raises:
            NonFiniteFeatures: there are some; the message names the document.
        """
        if rows.dtype.kind not in "fc":
            return
        flat = rows.reshape(-1)
        if np.isfinite(np.vdot(flat, flat)):  # a sum of squares is quickly made, and NaN makes it NaN
            return
        bad = ~np.isfinite(rows)
        if bad.any():
            row = start + int(np.argmax(bad.reshape(len(rows), -1).any(axis=1)))
            raise NonFiniteFeatures(
                f"{self.feature} of document {_id!r} has NaN or infinite values, the first of this stretch in row "
                f"{row}; leave the document out, or mend the feature"
            )
