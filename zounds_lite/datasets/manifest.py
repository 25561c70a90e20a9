"""Recordings that a table lists, with their labels: ``Manifest``.

Goal: whatever a table says of a recording arrives on its document, as the type that it is, and can be asked for there.
A bad row is named with its number and its reason, and costs only itself. ``write_manifest`` makes such tables.
"""

import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from zounds_lite._declared import Declared
from zounds_lite.datasets.columns import ColumnKinds, converted, kind_name, whole_number
from zounds_lite.datasets.directory import absolute
from zounds_lite.datasets.failed import FailedItem
from zounds_lite.datasets.stretches import STRETCH_COLUMNS, stretch_of
from zounds_lite.datasets.tables import CsvTable, JsonLines, Row, open_table
from zounds_lite.errors import DatasetError, DeclarationError, EmptyDataset, InvalidItem
from zounds_lite.featureflow.archives import ArchiveMember, member_of
from zounds_lite.soundfile import AudioMetaData

__all__ = ["PATH_COLUMNS", "RESERVED", "Manifest"]

PATH_COLUMNS = (
    "path", "uri", "url", "file", "filename", "audio", "file_name", "file_path", "filepath", "audio_filepath",
    "audio_path",
)  # fmt: skip
"""Names of the column that says where the audio is; the first of them that a table has."""

RESERVED = frozenset(["uri", "segment", "self", "_extras"])
"""Names that mean something else on every item."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_FETCHED = ("http", "https")


class _Scan(NamedTuple):
    """What a first pass over a table finds: the kind of each column, and the number of its rows."""

    kinds: dict[str, str]
    rows: int


class Manifest(Declared):
    """The recordings that a CSV file or a file of JSON-lines lists, in its order.

    One column names the recording: a path, relative to the folder of the manifest, a URL, or a member of an archive
    (``zip:loops.zip!/a.wav``). It is called ``path``, ``uri``, ``url``, ``file``, ``filename`` or ``audio``. The
    columns ``samplerate``, ``channels``, ``licensing``, ``description`` and ``tags`` are those of ``AudioMetaData``;
    every other column is an attribute of the item, and so of the document. JSON keeps its types. In CSV a column of
    whole numbers, numbers, or true and false arrives as such, everything else as text, and an empty cell as None; codes
    with leading zeros are text.

    Where a table has a column ``start``, an item is the stretch from there, for its ``duration`` or until its ``end``
    or ``stop``, in seconds or as hh:mm:ss.

    A row that gives no item is a ``FailedItem`` in its place, which ``ingest`` reports. The table is read row by row,
    and anew by each ``iter``. Nobody checks whether the recordings are there before they are processed.

    Args:
        path (str | Path): the manifest: ``.csv``, ``.tsv``, ``.jsonl``, or any of these under another name.
        path_column (str | None): the column that names the recording.
        root (str | Path | None): the folder that paths start from; None: that of the manifest. Paths may lead out of
            it by ``..``, since the manifest is yours.
        types (Mapping[str, type] | None): ``str``, ``int``, ``float`` or ``bool`` for columns that are not to be
            recognised by what they hold.
        segments (bool): ``start``, ``duration``, ``end`` and ``stop`` state a stretch; False: they are attributes.
        delimiter (str | None): between the values of CSV; None: a comma, semicolon, tab or bar, by the first row.
        encoding (str): of the text.
        attributes: put on each item that does not have them from its row.

    Raises:
        FileNotFoundError: on iteration, when there is no such file.
        DatasetError: on iteration, when no row could give an item: no column names the recordings, or two columns have
            one name.
        EmptyDataset: on iteration, when there is no row.

    Examples:
        >>> import tempfile, pathlib
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "clips.csv")
        ...     _ = path.write_text("path,label,speaker\\na.wav,7,theo\\n,8,lucas\\n")
        ...     manifest = Manifest(path, collection="mine")
        ...     first = next(iter(manifest))
        ...     print(first.label, first.speaker, first.collection, len(manifest), manifest.columns())
        ...     print(*manifest.problems())
        7 theo mine 2 {'path': 'str', 'label': 'int', 'speaker': 'str'}
        .../clips.csv, row 3: the column 'path' is empty
    """

    path: str
    path_column: str | None
    root: str | None
    types: dict[str, str]
    segments: bool
    delimiter: str | None
    encoding: str
    attributes: dict[str, Any]

    def __init__(
        self,
        path: Any,
        path_column: str | None = None,
        root: Any = None,
        types: Mapping[str, Any] | None = None,
        segments: bool = True,
        delimiter: str | None = None,
        encoding: str = "utf-8",
        **attributes: Any,
    ) -> None:
        self.__dict__["attributes"] = attributes
        super().__init__(
            path=os.fspath(path),
            path_column=path_column,
            root=None if root is None else os.fspath(root),
            types={name: kind_name(kind) for name, kind in (types or {}).items()},
            segments=segments,
            delimiter=delimiter,
            encoding=encoding,
        )

    def validate(self) -> None:
        """Refuse what no table could be read with."""
        taken = sorted(RESERVED & self.attributes.keys())
        if taken:
            raise DeclarationError(f"{taken[0]}= cannot be put on each item; it is the row that says that")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise DeclarationError(f"delimiter={self.delimiter!r}; allowed: one character, such as ';'")
        try:
            "".encode(self.encoding)
        except LookupError as error:
            raise DeclarationError(f"encoding={self.encoding!r} is unknown; use 'utf-8' or 'latin-1'") from error

    @property
    def parameters(self) -> dict[str, Any]:
        """The constructor arguments by name, attributes included."""
        return {**super().parameters, **self.attributes}

    def columns(self) -> dict[str, str]:
        """Return the columns of a CSV file with the kind of each: "str", "int", "float" or "bool"; JSON has none."""
        table = self._table()
        return dict(self._scan(table).kinds) if isinstance(table, CsvTable) else {}

    def problems(self) -> list[FailedItem]:
        """Return the rows that give no item, each with its number and its reason."""
        return [item for item in self if isinstance(item, FailedItem)]

    def __iter__(self) -> Iterator[Any]:
        table = self._table()
        scan = self._scan(table)
        if not scan.rows:
            raise EmptyDataset(f"{self.path!r} lists nothing: no row follows its header" if scan.kinds else
                               f"{self.path!r} lists nothing: it has no row")  # fmt: skip
        make = _Items(self, table, scan.kinds)
        return map(make.item, table.rows())

    def __len__(self) -> int:
        return self._scan(self._table()).rows

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        defaults = type(self)(self.path).parameters
        given = {name: value for name, value in self.parameters.items() if name not in defaults or
                 value != defaults[name]}  # fmt: skip
        shown = [repr(self.path), *(f"{name}={value!r}" for name, value in given.items())]
        return f"{type(self).__name__}({', '.join(shown)})"

    def _table(self) -> CsvTable | JsonLines:
        return open_table(self.path, self.encoding, self.delimiter)

    def _scan(self, table: CsvTable | JsonLines) -> _Scan:
        now = os.stat(table.path)
        delimiter = table.delimiter if isinstance(table, CsvTable) else None
        found = _scanned(os.path.abspath(table.path), now.st_size, now.st_mtime_ns, table.encoding, delimiter)
        unknown = sorted(self.types.keys() - found.kinds.keys())
        if unknown and delimiter is not None:
            raise DatasetError(f"types: {self.path!r} has no column {unknown[0]!r}; it has: {', '.join(found.kinds)}")
        return _Scan({**found.kinds, **self.types}, found.rows)


@lru_cache(maxsize=16)
def _scanned(path: str, size: int, mtime_ns: int, encoding: str, delimiter: str | None) -> _Scan:
    """Pass over a table once for each state that it has in this process."""
    if delimiter is None:
        return _Scan({}, sum(1 for _ in JsonLines(path, encoding).rows()))
    table, count = CsvTable(path, encoding, delimiter), 0
    kinds = ColumnKinds(len(table.names))
    for row in table.rows():
        count += 1
        if row.values is not None:
            kinds.add(row.values)
    return _Scan(dict(zip(table.names, kinds.kinds, strict=True)), count)


class _Items:
    """Makes items of rows.

    Raises:
        DatasetError: a header that allows for none.
    """

    def __init__(self, manifest: Manifest, table: CsvTable | JsonLines, kinds: dict[str, str]) -> None:
        self._manifest = manifest
        self._unit = "row" if isinstance(table, CsvTable) else "line"
        self._kinds = kinds
        self._folder = absolute(manifest.root if manifest.root is not None else os.path.dirname(manifest.path) or ".")
        self._names = table.names if isinstance(table, CsvTable) else None
        self._of_header = None if self._names is None else self._header_roles(self._names)

    def _header_roles(self, names: list[str]) -> tuple[str, dict[str, str]]:
        try:
            return self._roles(names)
        except InvalidItem as error:
            raise DatasetError(f"{self._manifest.path!r}: {error}") from error

    def _roles(self, names: Any) -> tuple[str, dict[str, str]]:
        """Return the column of the path, and those that state a stretch, by what they state."""
        known = {name.strip().casefold(): name for name in reversed(list(names))}
        wanted = self._manifest.path_column
        path = wanted if wanted is not None else next((known[name] for name in PATH_COLUMNS if name in known), None)
        if path is None or path not in names:
            raise InvalidItem(
                f"no column {wanted!r} names the recording; there are: {_listed(names)}"
                if wanted is not None
                else f"no column names the recording; there are: {_listed(names)}; allowed: path, uri, url, file, "
                "filename, audio, or any other with path_column="
            )
        has_stretches = self._manifest.segments and "start" in known
        stretch = {known[name]: name for name in STRETCH_COLUMNS if name in known} if has_stretches else {}
        stretch.pop(path, None)
        taken = [name for name in names if name in RESERVED and name != path]
        if taken:
            raise InvalidItem(f"the column {taken[0]!r} has a name that every item uses for itself; rename it")
        return path, stretch

    def item(self, row: Row) -> Any:
        """Return the item of a row, or one that says why there is none."""
        try:
            if row.values is None:
                raise InvalidItem(row.fault)
            values = row.values
            if self._names is not None:
                values = {name: text if text.strip() else None for name, text in zip(self._names, values, strict=True)}
            return self._made(values)
        except (DatasetError, DeclarationError) as error:
            return FailedItem(f"{self._manifest.path}, {self._unit} {row.number}", error, row.number)

    def _made(self, values: dict[str, Any]) -> AudioMetaData:
        path, stretch = self._of_header or self._roles(values)
        segment = stretch_of({stretch[name]: values[name] for name in stretch})
        found = {name: self._typed(name, value) for name, value in values.items() if name not in {path, *stretch}}
        for name in ("samplerate", "channels"):
            if found.get(name) is not None:
                found[name] = _positive(name, found[name])
        for name, value in self._manifest.attributes.items():
            if found.get(name) is None:
                found[name] = value
        if segment is not None:
            found["segment"] = segment
        return AudioMetaData(uri=self._uri(path, values[path]), **found)

    def _typed(self, name: str, value: Any) -> Any:
        kind = self._kinds.get(name)
        if kind is None or (kind == "str" and isinstance(value, str)):
            return value
        try:
            return converted(value, kind)
        except InvalidItem as error:
            raise InvalidItem(f"the column {name!r}: {error}") from error

    def _uri(self, column: str, value: Any) -> str:
        if value is None or value == "":
            raise InvalidItem(f"the column {column!r} is empty")
        if not isinstance(value, str):
            raise InvalidItem(f"the column {column!r} holds {value!r}; it needs a path or a URL, as text")
        if "\0" in value:
            raise InvalidItem(f"the column {column!r} holds a NUL character, which no path has")
        member = member_of(value)
        if member is not None:
            return ArchiveMember(self._place(member.archive), member.name).location
        scheme = _SCHEME.match(value)
        if scheme is None:
            return self._place(value)
        if scheme[1].lower() == "file":
            return os.path.normpath(unquote(urlsplit(value).path))
        if scheme[1].lower() not in _FETCHED:
            raise InvalidItem(
                f"the column {column!r} holds {value!r}; allowed: a path, a URL of http or https, or zip:PATH!/NAME"
            )
        return scheme[1].lower() + value[scheme.end(1) :]

    def _place(self, path: str) -> str:
        joined = os.path.join(self._folder, path)
        # without ".." there is one spelling; behind a link ".." may lead elsewhere than it seems
        return absolute(joined) if ".." in path else os.path.normpath(joined)


def _positive(name: str, value: Any) -> int:
    try:
        number = whole_number(value)
    except (TypeError, ValueError):
        number = 0
    if not 0 < number < 2**31:
        raise InvalidItem(f"the column {name!r} holds {value!r}; it needs a whole number, 1 or more")
    return number


def _listed(names: Any) -> str:
    shown = list(names)[:10]
    return ", ".join(shown) + (", ..." if len(names) > 10 else "") if shown else "none"
