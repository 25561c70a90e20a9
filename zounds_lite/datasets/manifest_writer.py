"""A dataset as a table on disk: ``write_manifest``."""

import csv
import io
import json
import math
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import Any, NamedTuple, TextIO

import numpy as np

from zounds_lite._declared.values import picoseconds
from zounds_lite._span import PICOSECONDS
from zounds_lite.datasets.columns import ColumnKinds
from zounds_lite.datasets.failed import FailedItem
from zounds_lite.datasets.manifest import RESERVED, Manifest
from zounds_lite.datasets.stretches import STRETCH_COLUMNS
from zounds_lite.datasets.tables import JSON_SUFFIXES, TAB_SUFFIXES
from zounds_lite.errors import DeclarationError, EmptyDataset, InvalidItem
from zounds_lite.featureflow.archives import member_of
from zounds_lite.soundfile import AudioMetaData
from zounds_lite.soundfile.metadata import portable_uri

__all__ = ["write_manifest"]

_FIELDS = ("samplerate", "channels", "licensing", "description", "tags")
_PATH = "path"


def write_manifest(dataset: Iterable[Any], path: Any, progress: bool = True) -> Manifest:
    """Write the items of a dataset into a table: their paths or URLs, and all that they say of themselves.

    Paths within the folder of the table are written relative to it, so that both can be moved together. The dataset is
    read twice and never held in memory; the file appears when it is complete, in place of one that was there.

    Args:
        dataset (Iterable[AudioMetaData]): the items; each ``iter`` starts anew.
        path (str | Path): ``.csv``, ``.tsv``, or ``.jsonl``, which keeps every type by itself.
        progress (bool): show a bar on stderr, if that is a terminal.

    Returns:
        Manifest: reads the items back, with the types that they have; in CSV, text that looks like a number stays text
        by the ``types`` of what is returned, and empty text comes back as None.

    Raises:
        DeclarationError: the file's name says no format.
        EmptyDataset: there are no items.
        InvalidItem: an item is a failed one, is in memory, or says what the table cannot hold, such as a list in CSV.

    Examples:
        >>> import tempfile, pathlib
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     items = [AudioMetaData(uri=f"{folder}/{name}.wav", label=name) for name in ("1", "2")]
        ...     manifest = write_manifest(items, f"{folder}/clips.csv")
        ...     print(pathlib.Path(folder, "clips.csv").read_text().split(), list(manifest) == items, manifest.types)
        ['path,label', '1.wav,1', '2.wav,2'] True {'label': 'str'}
    """
    target = os.path.abspath(path)
    suffix = os.path.splitext(target)[1].lower()
    if suffix not in (*JSON_SUFFIXES, *TAB_SUFFIXES, ".csv"):
        raise DeclarationError(f"{os.fspath(path)!r}: its name says no format; allowed: .csv, .tsv, .jsonl")
    rows, columns, is_json = _Rows(dataset, os.path.dirname(target), progress), _Columns(), suffix in JSON_SUFFIXES
    for number, row in enumerate(rows, 1):
        columns.add(row, number, is_json)
    columns.check()
    with _in_place_of(target) as file:
        if is_json:
            _write_json(file, rows)
        else:
            _write_csv(file, rows, columns, "\t" if suffix in TAB_SUFFIXES else ",")
    return Manifest(path, types={} if is_json else columns.types(), segments=not columns.clashing)


class _Row(NamedTuple):
    path: str
    stretch: dict[str, Any]
    attributes: dict[str, Any]


class _Rows:
    """The items of a dataset as rows, anew by each ``iter``."""

    def __init__(self, dataset: Iterable[Any], folder: str, progress: bool) -> None:
        self._dataset = dataset
        self._within = os.path.join(folder, "")
        self._progress = progress

    def __iter__(self) -> Iterator[_Row]:
        from tqdm import tqdm

        number = 0
        # disable=None: silent where stderr is no terminal
        for item in tqdm(self._dataset, unit="item", disable=None if self._progress else True):
            number += 1
            yield self._row(item, number)
        if not number:
            raise EmptyDataset(f"{self._dataset!r} has no items, or gives them only once; there is nothing to write")

    def _row(self, item: Any, number: int) -> _Row:
        if isinstance(item, FailedItem):
            raise InvalidItem(f"item {number} cannot be made: {item}") from item.error
        meta = item if isinstance(item, AudioMetaData) else AudioMetaData(uri=item)
        uri = portable_uri(meta.uri)
        if uri is None:
            raise InvalidItem(f"item {number} is in memory; a manifest lists paths and URLs: {repr(meta)[:200]}")
        given = {name: value for name, value in meta.parameters.items() if name not in ("uri", "segment")}
        given = {name: value for name, value in given.items() if name not in _FIELDS or value is not None}
        taken = sorted(({_PATH} | RESERVED) & given.keys())
        taken += [name for name in given if not name or name != name.strip()]
        if taken:
            raise InvalidItem(f"item {number}: {taken[0]!r} cannot be an attribute in a manifest; rename it")
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in given.items()}
        return _Row(self._relative(uri), _stretch(getattr(meta, "segment", None)), plain)

    def _relative(self, uri: str) -> str:
        if "://" in uri or member_of(uri) is not None:
            return uri
        return os.path.abspath(uri).removeprefix(self._within)


def _stretch(segment: Any) -> dict[str, Any]:
    if segment is None:
        return {}
    start = _seconds(segment.start)
    return {"start": start} if segment.duration is None else {"start": start, "duration": _seconds(segment.duration)}


def _seconds(duration: Any) -> int | float | str:
    """Return a time as a number of seconds where that is exact, else as text."""
    exact = Fraction(picoseconds(duration), PICOSECONDS)
    if exact.denominator == 1:
        return int(exact)
    number = float(exact)
    if Fraction(repr(number)) == exact:
        return number
    return f"{int(exact)}.{int(exact % 1 * PICOSECONDS):012d}"


class _Columns:
    """What a first pass finds: the attributes in their order, what they hold, and what CSV would take them for."""

    def __init__(self) -> None:
        self.stretch: list[str] = []
        self.clashing: list[str] = []
        self._held: dict[str, set[str]] = {}
        self._looks: dict[str, ColumnKinds] = {}

    @property
    def names(self) -> list[str]:
        """Of all columns."""
        return [_PATH, *self.stretch, *self._held]

    def add(self, row: _Row, number: int, is_json: bool) -> None:
        """Look at one more row.

        Raises:
            InvalidItem: CSV cannot hold one of its values.
        """
        for name in row.stretch:
            if name not in self.stretch:
                self.stretch.append(name)
        for name, value in row.attributes.items():
            if name not in self._held:
                self._held[name], self._looks[name] = set(), ColumnKinds(1)
                if name.casefold() in STRETCH_COLUMNS:
                    self.clashing.append(name)
            if not is_json and value is not None:
                self._held[name].add(_kind_held(name, value, number))
                self._looks[name].add([_cell(value)])

    def check(self) -> None:
        """Refuse attributes that would be taken for stretches."""
        if self.clashing and self.stretch:
            raise InvalidItem(
                f"some items are stretches of recordings, and some have an attribute {self.clashing[0]!r}, which would "
                "state one in a manifest; rename it"
            )

    def types(self) -> dict[str, str]:
        """What a reader of CSV has to be told, as the values look like something else."""
        found = {}
        for name, held in self._held.items():
            if held == {"int", "float"}:
                held = {"float"}
            if len(held) > 1:
                raise InvalidItem(f"{name!r} is of several types ({', '.join(sorted(held))}); write .jsonl")
            if held and held != set(self._looks[name].kinds):
                found[name] = next(iter(held))
        return found


def _kind_held(name: str, value: Any, number: int) -> str:
    is_finite = not isinstance(value, float) or math.isfinite(value)
    is_text = not isinstance(value, str) or "\0" not in value
    if isinstance(value, (bool, int, float, str)) and is_finite and is_text:
        return type(value).__name__
    raise InvalidItem(
        f"item {number}: {name} is {repr(value)[:100]}; a CSV file holds text, finite numbers, and true or false; "
        ".jsonl also holds lists and dicts"
    )


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _write_csv(file: TextIO, rows: _Rows, columns: _Columns, delimiter: str) -> None:
    names, buffer = columns.names, io.StringIO(newline="")
    # the writer quotes what holds its own line ending: with this one, all line endings
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")

    def write(cells: Iterable[str]) -> None:
        writer.writerow(cells)
        file.write(buffer.getvalue().removesuffix("\r\n") + "\n")
        buffer.seek(0)
        buffer.truncate()

    write(names)
    for row in rows:
        values = {_PATH: row.path, **row.stretch, **row.attributes}
        write(_cell(values.get(name)) for name in names)


def _write_json(file: TextIO, rows: _Rows) -> None:
    for number, row in enumerate(rows, 1):
        values = {_PATH: row.path, **row.stretch, **row.attributes}
        try:
            file.write(json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n")
        except (TypeError, ValueError) as error:
            if isinstance(error, UnicodeError):
                raise
            raise InvalidItem(f"item {number} is no JSON: {error}: {repr(values)[:200]}") from error


@contextmanager
def _in_place_of(target: str) -> Iterator[TextIO]:
    """Open a file that takes the place of another when it is complete."""
    folder, name = os.path.split(target)
    partial = os.path.join(folder, f".{name}.{secrets.token_hex(4)}.partial")
    try:
        with open(partial, "x", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    except UnicodeEncodeError as error:
        raise InvalidItem(
            f"{error.object[max(0, error.start - 40) : error.end + 40]!r} cannot be written as UTF-8; rename it"
        ) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(partial)
