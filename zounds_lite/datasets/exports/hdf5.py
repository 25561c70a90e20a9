"""Features of documents in an HDF5 file, the rows of all documents one below the other: ``export_hdf5``.

Layout: ``features/NAME`` (rows, ...), with what its axes are as its attribute ``dimensions``; ``starts/NAME``, one more
than there are documents, so that document i has the rows ``starts[i]:starts[i + 1]``; ``ids`` and ``metadata`` (JSON),
a text for each.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite._lazy import optional
from zounds_lite.datasets.exports.chosen import Chosen, choose, described_axes
from zounds_lite.datasets.exports.replacing import replacing
from zounds_lite.datasets.exports.report import ExportReport, reported
from zounds_lite.errors import DeclarationError, RaggedCorpus

__all__ = ["export_hdf5"]

_CHUNK = 1 << 18
"""Bytes of a chunk, about."""


def export_hdf5(
    documents: Any,
    path: Any,
    features: Sequence[str] | str | None = None,
    compression: str | None = None,
    progress: bool = True,
) -> ExportReport:
    """Write features of documents into an HDF5 file, which appears when it is complete.

    Args:
        documents (type[BaseModel] | Selection): all documents of a class, or those that ``where`` found.
        path (str | Path): the file; one that is there is replaced.
        features (Sequence[str] | str | None): names; None: all stored ones that are arrays of numbers. Documents may
            have any number of rows; their rows are alike.
        compression (str | None): ``"gzip"`` or ``"lzf"``.
        progress (bool): show a bar on stderr, if that is a terminal.

    Returns:
        ExportReport: what became of each document.

    Raises:
        EmptyDataset: there is nothing to export.
        KeyNotFound: there is no such feature.
        DeclarationError: an unknown compression.
        OptionalDependencyError: h5py is missing.
        OutputError: the file cannot be written.
    """
    if compression not in (None, "gzip", "lzf"):
        raise DeclarationError(f"compression={compression!r}; allowed: None, 'gzip' or 'lzf'")
    h5py = optional("h5py")
    chosen, report = choose(documents, features), ExportReport(str(path))
    with replacing(Path(os.path.abspath(path))) as aside, h5py.File(aside, "w") as file:
        _write(file, h5py.string_dtype(), chosen, report, compression, progress)
    return report


def _write(file: Any, text: Any, chosen: Chosen, report: ExportReport, compression: str | None, progress: bool) -> None:
    starts: dict[str, list[int]] = {name: [0] for name in chosen.features}
    metadata = []
    for _, read in chosen.read(report, progress):
        rows = {name: np.atleast_1d(array) for name, array in read.arrays.items()}
        stored: dict[str, Any] = {}
        with reported(report, read.id):
            stored = {name: _dataset(file, name, array, read.arrays[name], compression) for name, array in rows.items()}
        if not stored:
            continue
        for name, array in rows.items():
            at = starts[name][-1]
            starts[name].append(at + len(array))
            stored[name].resize(at + len(array), axis=0)
            stored[name][at:] = np.asarray(array)
        metadata.append(read.metadata_text)
        report.written.append(read.id)
    file.attrs["document"] = f"{chosen.model.__module__}:{chosen.model.__qualname__}"
    file.create_dataset("ids", data=np.array(report.written, object), dtype=text)
    file.create_dataset("metadata", data=np.array(metadata, object), dtype=text)
    for name, numbers in starts.items():
        file.create_dataset(f"starts/{name}", data=np.array(numbers, np.int64))


def _dataset(file: Any, name: str, rows: np.ndarray, array: Any, compression: str | None) -> Any:
    place = f"features/{name}"
    if place not in file:
        row = max(1, int(np.prod(rows.shape[1:])) * rows.dtype.itemsize)
        chunks = (max(1, _CHUNK // row), *(max(1, size) for size in rows.shape[1:]))
        shape = (0, *rows.shape[1:])
        made = file.create_dataset(
            place, shape, rows.dtype, maxshape=(None, *shape[1:]), chunks=chunks, compression=compression
        )
        made.attrs["dimensions"] = described_axes(array)
        return made
    found = file[place]
    if found.shape[1:] != rows.shape[1:] or found.dtype != rows.dtype:
        raise RaggedCorpus(
            f"{name} has rows of shape {rows.shape[1:]} and dtype {rows.dtype}; those before have {found.shape[1:]} "
            f"and {found.dtype}. Export to --npz (export_npz), where documents may differ"
        )
    return found
