"""Rows: training data as batches of any rows, without loading it all.

Goal: training picks rows in a new order in every epoch, from a corpus that may be larger than the memory. Conventions:
data are named columns of equal length; a column is what the corpus has, in chunks: memory maps stay what they are,
other chunks stay in memory up to a limit and go to a temporary file behind it. Class: ``Rows``.
"""

import hashlib
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any, Self

import numpy as np

from zounds_lite.errors import EmptyCorpus, LearnError, NonFiniteFeatures, RaggedCorpus
from zounds_lite.featureflow.stores.folders import disk_errors
from zounds_lite.learn.corpus import Corpus
from zounds_lite.learn.nets._torch import torch
from zounds_lite.learn.spill import MEMORY, is_mapped

__all__ = ["Rows"]

_DIGESTED = 64
"""Rows that a digest looks at."""

_BLOCK = 65536
"""Rows that are looked at in one go for numbers that are none."""


class Rows:
    """Named columns of training data, of which any rows can be taken.

    Args:
        columns (Mapping[str, Sequence[np.ndarray]]): the chunks of each column.

    Raises:
        RaggedCorpus: columns of different length.
        EmptyCorpus: no rows.

    Examples:
        >>> rows = Rows.of({"data": np.arange(6.0).reshape(3, 2), "labels": [0, 1, 0]})
        >>> len(rows), sorted(rows.names)
        (3, ['data', 'labels'])
        >>> rows.take([2, 0], "data")
        array([[4., 5.],
               [0., 1.]])
    """

    def __init__(self, columns: Mapping[str, list[np.ndarray]]) -> None:
        self._columns = {name: _Column(chunks) for name, chunks in columns.items()}
        lengths = {name: column.rows for name, column in self._columns.items()}
        if len(set(lengths.values())) > 1:
            raise RaggedCorpus(
                f"{', '.join(f'{name} has {size} rows' for name, size in lengths.items())}; give as many of each"
            )
        if not lengths or not next(iter(lengths.values())):
            raise EmptyCorpus("there is nothing to learn from: no rows came; process documents before training")

    @classmethod
    def of(cls, data: Any, memory: int = MEMORY) -> "Rows":
        """Read what a trainer may be given.

        Args:
            data (Rows | Corpus | np.ndarray | Mapping): rows, or several such by name; a single one is called ``data``.
            memory (int): bytes of a corpus to keep in memory.

        Raises:
            LearnError: labels of mixed type, or text where numbers are needed.
            NonFiniteFeatures: NaN or infinite numbers.
        """
        if isinstance(data, Rows):
            return data
        with closing(_Keeper(memory)) as keeper:
            if isinstance(data, Corpus):
                return cls(keeper.finish(_read(data, keeper)))
            columns: dict[str, list[Any]] = {}
            seen: dict[int, list[Any]] = {}
            for name, value in (data if isinstance(data, Mapping) else {"data": data}).items():
                if id(value) not in seen:
                    seen[id(value)] = _column(name, value, keeper)
                columns[name] = seen[id(value)]
            return cls(keeper.finish(columns))

    def __len__(self) -> int:
        return next(iter(self._columns.values())).rows

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return list(self._columns)

    def need(self, who: str, *names: str) -> Self:
        """Return the rows, after checking that they have columns.

        Raises:
            LearnError: one is missing.
        """
        missing = [name for name in names if name not in self._columns]
        if missing:
            raise LearnError(
                f"{who} needs {', '.join(names)}; missing: {', '.join(missing)}, given: {', '.join(self.names)}; "
                "train(dict(data=..., labels=...)), or needs=dict(data=..., labels=...) in a pipeline"
            )
        return self

    def take(self, wanted: Any, name: str = "data") -> np.ndarray:
        """Return some rows of a column, copied, in the order asked for."""
        return self._columns[name].take(np.asarray(wanted, np.int64))

    def digest(self) -> str:
        """Hash the shapes, and some rows evenly spread over all: tells one training set from another."""
        some = np.unique(np.linspace(0, len(self) - 1, _DIGESTED).astype(np.int64))
        found = hashlib.blake2b(str(len(self)).encode(), digest_size=16)
        for name in sorted(self._columns):
            rows = self.take(some, name)
            found.update(f"{name} {rows.dtype.str} {rows.shape}".encode() + np.ascontiguousarray(rows).tobytes())
        return found.hexdigest()


class _Column:
    """The chunks of one column."""

    def __init__(self, chunks: list[np.ndarray]) -> None:
        if len(chunks) > 1 and not any(is_mapped(chunk) for chunk in chunks):
            chunks = [np.concatenate(chunks)]
        self._chunks = chunks
        self._starts = np.cumsum([0, *(len(chunk) for chunk in chunks)])
        self.rows = int(self._starts[-1])

    def take(self, wanted: np.ndarray) -> np.ndarray:
        if len(self._chunks) == 1:
            return self._chunks[0][wanted]
        where = np.searchsorted(self._starts, wanted, side="right") - 1
        out = np.empty((len(wanted), *self._chunks[0].shape[1:]), np.result_type(*{c.dtype for c in self._chunks}))
        for i in np.unique(where):
            here = where == i
            out[here] = self._chunks[i][wanted[here] - self._starts[i]]
        return out


class _Keeper:
    """Keeps chunks that own their memory: the first in memory, what is more in a file that is mapped at the end."""

    def __init__(self, memory: int) -> None:
        self._room = memory
        self._file: Any = None
        self._at = 0

    def keep(self, array: np.ndarray) -> Any:
        if is_mapped(array):
            return array
        if array.nbytes <= self._room:
            self._room -= array.nbytes
            return array
        with disk_errors(tempfile.gettempdir()):
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="zounds-rows-")  # noqa: SIM115  # ``close`` closes it
            self._at += self._file.write(bytes(-self._at % 64))  # rows are read fastest where they are aligned
            place = (self._at, array.dtype, array.shape)
            self._at += self._file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        return place

    def close(self) -> None:
        """Close the file; what was mapped stays."""
        if self._file is not None:
            self._file.close()

    def finish(self, columns: Mapping[str, list[Any]]) -> dict[str, list[np.ndarray]]:
        """Return the columns with arrays in the place of what was written."""
        if self._file is None:
            return dict(columns)
        with disk_errors(tempfile.gettempdir()):
            self._file.flush()
            whole = np.memmap(self._file, np.uint8, "r")

        def mapped(chunk: Any) -> np.ndarray:
            if isinstance(chunk, np.ndarray):
                return chunk
            at, dtype, shape = chunk
            return whole[at : at + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize].view(dtype).reshape(shape)

        return {name: [mapped(chunk) for chunk in chunks] for name, chunks in columns.items()}


def _read(corpus: Corpus, keeper: _Keeper) -> dict[str, list[Any]]:
    """Read a corpus once, of arrays or of dicts of them."""
    corpus.check_rows()
    columns: dict[str, list[Any]] = {}
    for chunk in corpus:
        named = chunk if isinstance(chunk, Mapping) else {"data": chunk}
        kept: dict[int, Any] = {}
        for name, part in named.items():
            if id(part) not in kept:
                kept[id(part)] = keeper.keep(np.asarray(part))
            columns.setdefault(name, []).append(kept[id(part)])
    return columns


def _column(name: str, value: Any, keeper: _Keeper) -> list[Any]:
    if isinstance(value, Corpus):
        return next(iter(_read(value, keeper).values()))
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    if isinstance(value, (list, tuple)):
        _check_kinds(name, value)
    array = np.asarray(value)
    if array.dtype.kind == "O":
        _check_kinds(name, array.ravel().tolist())
    if not array.ndim or (array.dtype.kind not in "biufc" and name != "groups"):
        hint = "; np.unique(labels, return_inverse=True) numbers classes" if array.dtype.kind in "US" else ""
        raise LearnError(f"{name} is {array.dtype} of shape {array.shape}; needed: an array of numbers{hint}")
    if array.dtype.kind in "fc":
        _check_finite(name, array)
    return [array]


def _check_kinds(name: str, items: Iterable[Any]) -> None:
    items = [item.item() if isinstance(item, np.generic) else item for item in items]
    kinds = sorted({type(item).__name__ for item in items})
    if len(kinds) > 1 and not {"int", "float"} >= set(kinds):
        raise LearnError(f"{name} of mixed type: {', '.join(kinds)}; give numbers, for example those of the classes")


def _check_finite(name: str, array: np.ndarray) -> None:
    for start in range(0, len(array), _BLOCK):
        bad = ~np.isfinite(array[start : start + _BLOCK])
        if bad.any():
            row = start + int(np.argmax(bad.reshape(len(bad), -1).any(axis=1)))
            raise NonFiniteFeatures(f"{name} has NaN or infinite values, the first in row {row}; leave the row out")
