"""Features of documents as numpy files, one for each document: ``export_npz``.

In each, an array of the name of each feature; ``id`` and ``metadata`` (JSON) as text; and ``NAME.dimensions``, what its
axes are (JSON). ``np.load`` reads them.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.datasets.exports.chosen import choose, described_axes
from zounds_lite.datasets.exports.replacing import ExportFolder, safe_name
from zounds_lite.datasets.exports.report import ExportReport

__all__ = ["export_npz"]


def export_npz(
    documents: Any,
    folder: Any,
    features: Sequence[str] | str | None = None,
    compressed: bool = False,
    progress: bool = True,
) -> ExportReport:
    """Write features of documents into a folder, one file for each document. The same call goes on where it was ended.

    Args:
        documents (type[BaseModel] | Selection): all documents of a class, or those that ``where`` found.
        folder (str | Path): where; empty, missing, or of the same export.
        features (Sequence[str] | str | None): names; None: all stored ones that are arrays of numbers.
        compressed (bool): smaller files, written many times slower.
        progress (bool): show a bar on stderr, if that is a terminal.

    Returns:
        ExportReport: what became of each document.

    Raises:
        EmptyDataset: there is nothing to export.
        KeyNotFound: there is no such feature.
        OutputError: the folder holds something else, or cannot be written.
    """
    chosen, report = choose(documents, features), ExportReport(str(folder))
    files = ExportFolder(folder, chosen.job("npz", compressed))

    def is_there(number: int, _id: str) -> bool:
        return files.has(f"{safe_name(_id)}.npz")

    for _, read in chosen.read(report, progress, is_there):
        beside = {f"{name}.dimensions": np.array(described_axes(array)) for name, array in read.arrays.items()}
        texts = {"id": np.array(read.id), "metadata": np.array(read.metadata_text)}
        with files.file(f"{safe_name(read.id)}.npz") as path:
            _save(path, {**read.arrays, **beside, **texts}, compressed)
        report.written.append(read.id)
    files.finish()
    return report


def _save(path: Path, arrays: dict[str, np.ndarray], compressed: bool) -> None:
    """Write what ``np.savez`` would write, whatever the arrays are called."""
    with zipfile.ZipFile(path, "w") as file:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")  # of 1980, so that the same export gives the same bytes
            member.compress_type = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
            with file.open(member, "w", force_zip64=True) as out:
                np.lib.format.write_array(out, np.asarray(array), allow_pickle=False)
