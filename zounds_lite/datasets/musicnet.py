"""The recordings of MusicNet, as they are published. Class: ``MusicNet``."""

import csv
import logging
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from zounds_lite._declared import Declared
from zounds_lite.datasets.cache import PreDownload, ensure_local_file
from zounds_lite.datasets.remote import RemoteDataset, check_base, naming, recording, url_of
from zounds_lite.datasets.tarred import members
from zounds_lite.errors import DatasetError, DeclarationError
from zounds_lite.soundfile import AudioMetaData

__all__ = ["MusicNet"]

_SPLITS = ("train", "test")
_ARCHIVE, _TABLE = "musicnet.tar.gz", "musicnet_metadata.csv"
_LARGEST = 2 * 2**30
_WEB_URL = "https://zenodo.org/records/5120004"
_WHOLE = ("id", "seconds")
"""Columns that are numbers."""

_log = logging.getLogger(__name__)


class MusicNet(RemoteDataset, Declared):
    """The classical recordings of MusicNet, each with its row of the metadata: composer, composition, ensemble, ...

    Takes the folders ``train_data`` and ``test_data``, in ``path`` or in ``path/musicnet``, where somebody has unpacked
    them; else reads the published ``musicnet.tar.gz`` in one pass, without unpacking it. The table
    ``musicnet_metadata.csv`` is fetched where it is missing; the archive, which has 11 GB, only with ``download=True``.
    ``id`` and ``seconds`` are numbers. Items of a folder have the path of their file as ``uri``; items of the archive
    hold their bytes and have the id ``musicnet:SPLIT/ID``.

    Args:
        path (str | Path): the folder where it is, or is to be.
        split (str): ``"train"`` or ``"test"``.
        download (bool): fetch the archive where it is missing.
        fetcher (Fetcher | None): fetches; None for ``default_fetcher()``.
        base_url (str): where it is published.
        attrs: put on each item; they go before what MusicNet says.

    Raises:
        DeclarationError: there is no such split, or an argument is of the wrong kind.
        FileNotFoundError: on iteration: there is neither a folder nor the archive.
        DatasetError: on iteration: the table or the archive is damaged.
        FetchError: on iteration: something could not be fetched.

    Examples:
        >>> MusicNet("musicnet", split="test")
        MusicNet(path='musicnet', split='test')
    """

    def __init__(
        self,
        path: Any,
        split: str = "train",
        download: bool = False,
        *,
        fetcher: Any = None,
        base_url: str = f"{_WEB_URL}/files",
        **attrs: Any,
    ) -> None:
        self.__dict__["attributes"] = attrs
        super().__init__(path=os.fspath(path), split=split, download=download, fetcher=fetcher, base_url=base_url)

    path: str
    split: str
    download: bool

    def validate(self) -> None:
        if self.split not in _SPLITS:
            raise DeclarationError(f"split={self.split!r}; allowed: {', '.join(map(repr, _SPLITS))}")
        if "uri" in self.attributes:
            raise DeclarationError("uri= is where each recording is, which MusicNet says; leave it out")
        check_base(self.base_url)

    def __iter__(self) -> Iterator[AudioMetaData]:
        folder = self._folder()
        if folder is not None:
            rows = self._rows()
            for file in sorted(folder.glob("*.wav"), key=lambda path: (len(path.stem), path.stem)):
                yield self._item(str(file), file.stem, rows)
            return
        archive = self._archive()
        rows = self._rows()
        for path, data in members(archive, ".wav", _LARGEST):
            name = PurePosixPath(path)
            if name.parent.name == f"{self.split}_data":
                yield self._item(PreDownload(data, f"musicnet:{self.split}/{name.stem}"), name.stem, rows)

    def __len__(self) -> int:
        folder = self._folder()
        if folder is None:
            raise TypeError(f"{self!r} has no length before its archive is read; iterate over it")
        return sum(1 for _ in folder.glob("*.wav"))

    def _folder(self) -> Path | None:
        here = (Path(self.path, *inner, f"{self.split}_data") for inner in ((), ("musicnet",)))
        return next((folder for folder in here if folder.is_dir()), None)

    def _archive(self) -> Path:
        archive = Path(self.path, _ARCHIVE)
        if archive.is_file() or self.download:
            return self._ensured(_ARCHIVE)
        raise FileNotFoundError(
            f"{self.path!r} holds neither a folder {self.split}_data nor {_ARCHIVE}; unpack MusicNet there, or fetch "
            f"its 11 GB with MusicNet({self.path!r}, download=True)"
        )

    def _ensured(self, name: str) -> Path:
        with naming(self):
            return Path(ensure_local_file(url_of(self.base_url, name), self.path, fetcher=self.fetcher))

    def _rows(self) -> dict[str, dict[str, Any]]:
        """The rows of the table by id, as text."""
        here = (Path(self.path, _TABLE), Path(self.path, "musicnet", _TABLE))
        table = next((path for path in here if path.is_file()), None) or self._ensured(_TABLE)
        try:
            with open(table, encoding="utf-8-sig", newline="") as file:
                rows = list(csv.DictReader(file))
        except (csv.Error, UnicodeDecodeError) as error:
            raise DatasetError(f"{self!r}: {str(table)!r} is no table: {error}") from error
        if not rows or "id" not in rows[0]:
            raise DatasetError(f"{self!r}: {str(table)!r} has no rows with a column 'id'")
        return {str(row["id"]).strip(): row for row in rows}

    def _item(self, uri: Any, name: str, rows: dict[str, dict[str, Any]]) -> AudioMetaData:
        if name not in rows:
            _log.warning("%r: the table has no row for %s", self, name)
        row = {str(column): value for column, value in rows.get(name, {"id": name}).items() if column is not None}
        numbers = {column: int(row[column]) for column in _WHOLE if str(row.get(column)).strip().isdecimal()}
        return recording(uri, {"web_url": _WEB_URL, **row, **numbers}, self.attributes)
