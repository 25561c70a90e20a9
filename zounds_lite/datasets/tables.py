"""Tables on disk, row by row: CSV with any delimiter, and JSON-lines.

Goal: tables of any length in little memory, where a bad row costs only itself. Conventions: rows are numbered as
spreadsheets and editors do, from 1 and with the header; a byte order mark is no text; blank rows are passed over.
Classes: ``Row``, ``CsvTable``, ``JsonLines``; function ``open_table``.
"""

import csv
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TextIO

from zounds_lite.errors import DatasetError

__all__ = ["JSON_SUFFIXES", "TAB_SUFFIXES", "CsvTable", "JsonLines", "Row", "open_table"]

_LONGEST_LINE = 1024 * 1024
"""Characters; more in one line is no row that anybody wrote."""
_DELIMITERS = ",;\t|"
JSON_SUFFIXES = (".jsonl", ".ndjson", ".jsonlines", ".json")
"""Names of files that hold JSON end with one of these."""

TAB_SUFFIXES = (".tsv", ".tab")
"""Names of files whose columns are separated by tabs end with one of these."""

_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Args:
        number (int): counted from 1.
        values (dict | list | None): what it holds, by column; None for a bad one.
        fault (str): what is wrong with a bad one.
    """

    number: int
    values: Any
    fault: str = ""


class _Lines:
    """The lines of a file, cut where they are too long; knows whether one of the last row was, or was no text."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.fault = ""

    def __iter__(self) -> Iterator[str]:
        while line := self._file.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE and line[-1] not in "\r\n":
                self.fault = f"its line is longer than {_LONGEST_LINE:,} characters"
                self._pass_over_rest()
            elif "\0" in line:
                self.fault = "it holds a NUL character, so this is no text"
            elif not line.isascii() and any("\udc80" <= character <= "\udcff" for character in line):
                self.fault = (
                    f"it is no {self._file.encoding.removesuffix('-sig')}; save the file as UTF-8, or pass encoding="
                )
            yield line

    def _pass_over_rest(self) -> None:
        while (rest := self._file.readline(_LONGEST_LINE)) and rest[-1] not in "\r\n":
            pass

    def take_fault(self) -> str:
        """Return what is wrong with the lines since the last call."""
        fault, self.fault = self.fault, ""
        return fault


class _Table:
    """A file of rows.

    Args:
        path (str): the file.
        encoding (str): of its text.
    """

    def __init__(self, path: str, encoding: str) -> None:
        self.path = path
        self.encoding = encoding

    @contextmanager
    def _lines(self) -> Iterator[_Lines]:
        # what cannot be decoded comes through, so that it costs its row and not the rest
        with open(self.path, encoding=self.encoding, errors="surrogateescape", newline="") as file:
            yield _Lines(file)


class JsonLines(_Table):
    """A file with one JSON object a line."""

    def rows(self) -> Iterator[Row]:
        """Yield the rows; their values are dicts."""
        with self._lines() as lines:
            for number, line in enumerate(lines, 1):
                if fault := lines.take_fault():
                    yield Row(number, None, fault)
                elif line.strip():
                    yield _json_row(number, line)


def _json_row(number: int, line: str) -> Row:
    try:
        values = json.loads(line, object_pairs_hook=_unique, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        return Row(number, None, f"it is no JSON: {error.msg} at column {error.colno}: {_shown(line.strip())}")
    except (ValueError, RecursionError) as error:
        return Row(number, None, f"it is no JSON: {error}")
    if not isinstance(values, dict):
        return Row(number, None, f"it is a JSON {type(values).__name__}; each line needs an object: {_shown(line)}")
    return Row(number, values)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} stands in it twice")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number that JSON knows")


class CsvTable(_Table):
    """A file of separated values whose first row names the columns.

    Args:
        path (str): the file.
        encoding (str): of its text.
        delimiter (str | None): between values; None: by the header.

    Attributes:
        names (list[str]): of the columns.

    Raises:
        DatasetError: there is no header, or it names a column twice.
    """

    def __init__(self, path: str, encoding: str, delimiter: str | None = None) -> None:
        super().__init__(path, encoding)
        self.delimiter = delimiter or self._delimiter()
        with self._lines() as lines:
            header = next(self._cells(lines), None)
        self.names = self._names(header)

    def _delimiter(self) -> str:
        if self.path.lower().endswith(TAB_SUFFIXES):
            return "\t"
        with self._lines() as lines:
            first = next((line for line in lines if line.strip()), "")
        return max(_DELIMITERS, key=lambda delimiter: len(next(csv.reader([first], delimiter=delimiter), [])))

    def _names(self, header: Row | None) -> list[str]:
        if header is None:
            raise DatasetError(f"{self.path!r} is empty; its first row names the columns, such as path,label")
        if header.values is None:
            raise DatasetError(f"{self.path!r}, row {header.number}, names no columns: {header.fault}")
        names = [name.strip() or f"column_{at}" for at, name in enumerate(header.values, 1)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DatasetError(
                f"{self.path!r}, row {header.number}, names the column {twice[0]!r} twice; rename one of them"
            )
        return names

    def _cells(self, lines: _Lines) -> Iterator[Row]:
        """Yield the rows as lists of text, the header included, blank ones left out."""
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        number = 0
        while True:
            number += 1
            fault, cells, above = "", None, reader.line_num
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                fault = f"it is no CSV: {error}"
                if reader.line_num > above + 1:
                    fault += f"; a quote that stays open takes lines {above + 1} to {reader.line_num} together"
            fault = lines.take_fault() or fault
            if fault:
                yield Row(number, None, fault)
            elif cells:
                yield Row(number, cells)

    def rows(self) -> Iterator[Row]:
        """Yield the rows after the header; their values are lists of text, as many as there are columns."""
        with self._lines() as lines:
            cells = self._cells(lines)
            next(cells, None)
            for row in cells:
                if row.values is not None and len(row.values) != len(self.names):
                    yield Row(row.number, None, self._miscounted(row.values))
                else:
                    yield row

    def _miscounted(self, cells: list[str]) -> str:
        return (
            f"it has {len(cells)} values for {len(self.names)} columns ({_shown(', '.join(self.names))}); quote values "
            f"that hold a {self.delimiter!r}"
        )


def open_table(path: str, encoding: str, delimiter: str | None) -> CsvTable | JsonLines:
    """Return a table by the name of its file and, where that says nothing, by its first character.

    Raises:
        FileNotFoundError: there is no such file.
        DatasetError: it is no table, or none in that encoding.
    """
    if not os.path.isfile(path):
        what = "a folder" if os.path.isdir(path) else "no file"
        raise FileNotFoundError(
            f"{path!r} is {what}; a manifest is a CSV file whose first row names the columns, such as path,label, or a "
            "file with one JSON object a line"
        )
    with open(path, "rb") as file:
        start = file.read(4096)
    if start[:2] in _BYTE_ORDER_MARKS and not encoding.lower().replace("_", "-").startswith("utf-16"):
        raise DatasetError(f"{path!r} is UTF-16; pass encoding='utf-16', or save it as UTF-8")
    first = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    is_json = path.lower().endswith(JSON_SUFFIXES)
    if first == b"[" and is_json:
        raise DatasetError(f"{path!r} is one JSON array; a manifest has one object a line, without commas between them")
    encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    if is_json or (first == b"{" and not path.lower().endswith((".csv", *TAB_SUFFIXES))):
        return JsonLines(path, encoding)
    return CsvTable(path, encoding, delimiter)


def _shown(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
