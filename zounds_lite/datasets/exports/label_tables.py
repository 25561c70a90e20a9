"""Metadata of documents as a table for people and other programs: ``export_csv``.

Conventions: UTF-8; a header; values as text, lists and dicts as JSON, nothing for what is missing; quoted where they
hold a comma, a quote or a line break (RFC 4180). A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or
``@`` for a formula, and metadata come from strangers: ``for_spreadsheets`` puts a quote before texts of that kind.
"""

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zounds_lite.datasets.exports.chosen import choose, metadata_of
from zounds_lite.datasets.exports.replacing import replacing
from zounds_lite.datasets.exports.report import ExportReport, reported
from zounds_lite.errors import KeyNotFound, OutputError

__all__ = ["export_csv", "write_table"]

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def export_csv(
    documents: Any,
    path: Any,
    fields: Sequence[str] | str | None = None,
    for_spreadsheets: bool = False,
    progress: bool = True,
) -> ExportReport:
    """Write what documents are labelled with, a row each, into a CSV file, which appears when it is complete.

    Args:
        documents (type[BaseModel] | Selection): all documents of a class, or those that ``where`` found.
        path (str | Path): the file; one that is there is replaced.
        fields (Sequence[str] | str | None): which metadata, after the ``id``; None: all, in the order in which they are
            met.
        for_spreadsheets (bool): put a single quote before text that a spreadsheet would run as a formula; such text
            then differs from the metadata.
        progress (bool): show a bar on stderr, if that is a terminal.

    Returns:
        ExportReport: what became of each document.

    Raises:
        EmptyDataset: there are no documents.
        KeyNotFound: no document has such a field.
        OutputError: the file cannot be written.
    """
    chosen, report = choose(documents, ()), ExportReport(str(path))
    wanted = [fields] if isinstance(fields, str) else None if fields is None else list(fields)
    rows: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    for _, document in chosen.documents(report, progress):
        found = None
        with reported(report, document._id):
            found = metadata_of(document)
        if found is None:
            continue
        names.update(dict.fromkeys(found))
        rows.append({**{name: found.get(name) for name in wanted or found}, _ID: document._id})
        report.written.append(document._id)
    for name in wanted or ():
        if name not in names:
            raise KeyNotFound(f"no document has a field {name!r}; there are: {', '.join(names) or 'none'}")
    columns = list(names) if wanted is None else wanted
    write_table(path, [_ID, *columns], rows, for_spreadsheets)
    return report


_ID = "\0id"
"""Stands for the id among the fields, whatever these are called; its header is ``id``, or ``_id`` where one is."""


def write_table(
    path: Any, columns: Sequence[str], rows: Iterable[Mapping[str, Any]], for_spreadsheets: bool = False
) -> None:
    """Write rows into a CSV file.

    Args:
        path (str | Path): the file; one that is there is replaced.
        columns (Sequence[str]): of the table.
        rows (Iterable[Mapping]): values by column; what is missing stays empty.
        for_spreadsheets (bool): as for ``export_csv``.

    Raises:
        OutputError: the file cannot be written, or a text not as UTF-8.

    Examples:
        >>> import tempfile, pathlib
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_table(f"{folder}/t.csv", ["a", "b"], [{"a": 'say "x", é'}, {"a": "=1+1", "b": [1]}], True)
        ...     pathlib.Path(folder, "t.csv").read_bytes().decode()
        'a,b\\r\\n"say ""x"", é",\\r\\n\\'=1+1,[1]\\r\\n'
    """
    header = [name if name != _ID else "id" if "id" not in columns else "_id" for name in columns]
    try:
        with replacing(Path(os.path.abspath(path))) as aside, open(aside, "x", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([_cell(name, for_spreadsheets) for name in header])
            for row in rows:
                writer.writerow([_cell(row.get(name), for_spreadsheets) for name in columns])
    except UnicodeEncodeError as error:
        part = error.object[max(0, error.start - 20) : error.end + 20]
        raise OutputError(f"{part!r} cannot be written as UTF-8; rename it, or choose other fields") from error


def _cell(value: Any, for_spreadsheets: bool) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value) if isinstance(value, (bool, int, float)) else json.dumps(value, ensure_ascii=False)
    return f"'{value}" if for_spreadsheets and value.startswith(_FORMULAS) else value
