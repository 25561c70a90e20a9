"""Features of documents in one table, a row for each document: ``export_parquet``, to Parquet or Arrow.

Columns: ``id``, ``metadata`` (JSON), and for each feature its numbers as one list, in the order of numpy, and its shape
as ``NAME_shape``; what its axes are is metadata of the column (``dimensions``, JSON).
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite._lazy import optional
from zounds_lite.datasets.exports.chosen import Read, choose, described_axes
from zounds_lite.datasets.exports.replacing import replacing
from zounds_lite.datasets.exports.report import ExportReport, reported
from zounds_lite.errors import DeclarationError, RaggedCorpus

__all__ = ["export_parquet"]

_SUFFIXES = (".parquet", ".arrow", ".feather")
_AT_ONCE = 1 << 25
"""Bytes of numbers in a group of rows, about."""


def export_parquet(
    documents: Any, path: Any, features: Sequence[str] | str | None = None, progress: bool = True
) -> ExportReport:
    """Write features of documents into a table, which appears when it is complete.

    Args:
        documents (type[BaseModel] | Selection): all documents of a class, or those that ``where`` found.
        path (str | Path): the file: ``.parquet``, or ``.arrow`` (``.feather``), which is read without a copy; one that
            is there is replaced.
        features (Sequence[str] | str | None): names; None: all stored ones that are arrays of numbers. Each must have
            one dtype; shapes may differ.
        progress (bool): show a bar on stderr, if that is a terminal.

    Returns:
        ExportReport: what became of each document.

    Raises:
        EmptyDataset: there is nothing to export.
        KeyNotFound: there is no such feature.
        DeclarationError: the file's name says no format.
        OptionalDependencyError: pyarrow is missing.
        OutputError: the file cannot be written.
    """
    target = Path(os.path.abspath(path))
    if target.suffix.lower() not in _SUFFIXES:
        raise DeclarationError(f"{str(path)!r}: its name says no format; allowed: {', '.join(_SUFFIXES)}")
    pyarrow = optional("pyarrow")
    chosen, report = choose(documents, features), ExportReport(str(path))
    with replacing(target) as aside, ExitStack() as stack:
        table = _Table(pyarrow, stack, aside, target.suffix.lower() == ".parquet")
        for _, read in chosen.read(report, progress):
            is_alike = False
            with reported(report, read.id):
                is_alike = table.check(read.arrays)
            if is_alike:
                table.add(read)
                report.written.append(read.id)
        table.flush()
        if table.schema is None:
            raise RaggedCorpus(f"no document could be exported; the first: {report.failed[0].reason}")
    return report


class _Table:
    """A table that grows by groups of rows."""

    def __init__(self, pyarrow: Any, stack: ExitStack, path: Path, is_parquet: bool) -> None:
        self._pyarrow, self._stack, self._path, self._is_parquet = pyarrow, stack, path, is_parquet
        self.schema: Any = None
        self._dtypes: dict[str, np.dtype] = {}
        self._waiting: list[tuple[str, str, dict[str, np.ndarray]]] = []
        self._bytes = 0

    def check(self, arrays: dict[str, np.ndarray]) -> bool:
        """Return True for arrays that the table can hold.

        Raises:
            RaggedCorpus: a feature has another dtype than before, or one that tables do not have.
        """
        for name, array in arrays.items():
            wanted = self._dtypes.get(name, array.dtype)
            if array.dtype.kind == "c" or array.dtype != wanted:
                raise RaggedCorpus(
                    f"{name} is {array.dtype}; allowed is {wanted if array.dtype.kind != 'c' else 'anything real'}, "
                    "throughout: convert it in the graph (np.abs), or export to --npz (export_npz)"
                )
        return True

    def add(self, read: Read) -> None:
        """Add a document."""
        if self.schema is None:
            self._open(read.arrays)
        plain = {name: np.asarray(array) for name, array in read.arrays.items()}
        self._waiting.append((read.id, read.metadata_text, plain))
        self._bytes += sum(array.nbytes for array in plain.values())
        if self._bytes >= _AT_ONCE:
            self.flush()

    def _open(self, arrays: dict[str, np.ndarray]) -> None:
        pa = self._pyarrow
        self._dtypes = {name: array.dtype for name, array in arrays.items()}
        fields = [pa.field("id", pa.string()), pa.field("metadata", pa.string())]
        for name, array in arrays.items():
            numbers = pa.large_list(pa.from_numpy_dtype(array.dtype))
            fields.append(pa.field(name, numbers, metadata={"dimensions": described_axes(array)}))
            fields.append(pa.field(f"{name}_shape", pa.list_(pa.int64())))
        self.schema = pa.schema(fields)
        if self._is_parquet:
            parquet = optional("pyarrow.parquet")
            self._writer = self._stack.enter_context(parquet.ParquetWriter(str(self._path), self.schema))
        else:
            self._writer = self._stack.enter_context(pa.ipc.new_file(str(self._path), self.schema))

    def flush(self) -> None:
        """Write the documents that wait."""
        if not self._waiting:
            return
        pa = self._pyarrow
        columns = [pa.array([row[0] for row in self._waiting]), pa.array([row[1] for row in self._waiting])]
        for name in self._dtypes:
            found = [row[2][name] for row in self._waiting]
            ends = np.cumsum([0, *(array.size for array in found)], dtype=np.int64)
            numbers = pa.array(np.concatenate([array.reshape(-1) for array in found]))
            columns.append(pa.LargeListArray.from_arrays(pa.array(ends), numbers))
            columns.append(pa.array([list(array.shape) for array in found], pa.list_(pa.int64())))
        self._writer.write_batch(pa.record_batch(columns, schema=self.schema))
        self._waiting, self._bytes = [], 0
