"""Labelled corpora as people have them on disk: ``SpokenDigits``, ``ESC50``, ``GTZAN``.

Goal: unpack what you downloaded, and labels, speakers and folds are on the documents, as the types that they are.
Conventions: every item has a ``label``; items come in sorted order, or in that of the corpus's own table. A file whose
name or place says no label is a ``FailedItem``, which ``ingest`` reports. Nothing is downloaded.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zounds_lite._declared import Declared
from zounds_lite.datasets.directory import AUDIO_SUFFIXES, Directory
from zounds_lite.datasets.failed import FailedItem
from zounds_lite.datasets.hdf5_clips import clips_of
from zounds_lite.datasets.manifest import RESERVED, Manifest
from zounds_lite.errors import DeclarationError, EmptyDataset, InvalidItem
from zounds_lite.soundfile import AudioMetaData

__all__ = ["ESC50", "GTZAN", "SpokenDigits"]


class _Corpus(Declared):
    """A corpus in a folder.

    Args:
        path (str | Path): the folder.
        attributes: put on each item, for example ``licensing``.
    """

    path: str
    attributes: dict[str, Any]

    def __init__(self, path: Any, **attributes: Any) -> None:
        self.__dict__["attributes"] = attributes
        super().__init__(path=os.fspath(path))

    _own: tuple[str, ...] = ()

    def validate(self) -> None:
        """Refuse attributes that the corpus states itself."""
        taken = sorted((RESERVED | set(self._own)) & self.attributes.keys())
        if taken:
            raise DeclarationError(f"{taken[0]}= cannot be put on each item: {type(self).__name__} says it of each")

    @property
    def parameters(self) -> dict[str, Any]:
        """The constructor arguments by name, attributes included."""
        return {**super().parameters, **self.attributes}

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return True

    def _folder(self, expected: str, *inner: str) -> str:
        """Return the first of the inner folders that is there, else the folder itself."""
        if not os.path.isdir(self.path):
            raise FileNotFoundError(f"{self.path!r} is no folder; {type(self).__name__} expects {expected}")
        places = (os.path.join(self.path, *name.split("/")) for name in inner)
        return next((place for place in places if os.path.isdir(place)), self.path)

    def _item(self, path: Path, **labels: Any) -> AudioMetaData:
        return AudioMetaData(uri=str(path), **{**self.attributes, **labels})


class SpokenDigits(_Corpus):
    """The free spoken digits: files named ``{digit}_{speaker}_{take}.wav``, such as ``7_theo_12.wav``.

    Items have ``label`` (int, the digit), ``speaker`` (str) and ``take`` (int), in the order of their names.

    Args:
        path (str | Path): the folder of the files, or one with the folder ``recordings``.
        attributes: put on each item, for example ``licensing``.

    Raises:
        FileNotFoundError: on iteration, when there is no such folder.
        EmptyDataset: on iteration, when it holds no audio.

    Examples:
        >>> import tempfile, pathlib
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("7_theo_12.wav", "noise.wav"):
        ...         pathlib.Path(folder, name).touch()
        ...     digit, noise = SpokenDigits(folder)
        >>> digit.label, digit.speaker, digit.take
        (7, 'theo', 12)
        >>> print(noise.reason)
        its name is not {digit}_{speaker}_{take}, as in 7_theo_12.wav
    """

    _own = ("label", "speaker", "take")
    _NAME = re.compile(r"([0-9])_(.+)_([0-9]{1,9})", re.DOTALL)

    def _files(self) -> Iterator[Path]:
        folder = self._folder("a folder of files such as 7_theo_12.wav, or of the folder recordings", "recordings")
        return Directory(folder, recursive=False).files()

    def __iter__(self) -> Iterator[Any]:
        path = None
        for path in self._files():
            name = self._NAME.fullmatch(path.stem)
            if name is None:
                error = InvalidItem("its name is not {digit}_{speaker}_{take}, as in 7_theo_12.wav")
                yield FailedItem(str(path), error)
            else:
                yield self._item(path, label=int(name[1]), speaker=name[2], take=int(name[3]))
        if path is None:
            raise EmptyDataset(f"{self.path!r} holds no audio; SpokenDigits expects files such as 7_theo_12.wav there")

    def __len__(self) -> int:
        return sum(1 for _ in self._files())


class ESC50(_Corpus):
    """ESC-50: environmental sounds, ``audio/*.wav``, and their classes in ``meta/esc50.csv``.

    Items have all that the table says: ``fold`` (int), ``target`` (int), ``category`` (str), ``esc10`` (bool),
    ``src_file`` (int) and ``take`` (str); and ``label``, which is the category. They come in the table's order.

    Args:
        path (str | Path): the folder that holds ``audio`` and ``meta``.
        attributes: put on each item, for example ``licensing``.

    Raises:
        FileNotFoundError: on iteration, when one of the two is missing.
        DatasetError: on iteration, when the table lacks a column.
        EmptyDataset: on iteration, when it has no row.
    """

    _own = ("label", "fold", "target", "category", "esc10", "src_file", "take")
    _TYPES = {"fold": int, "target": int, "category": str, "esc10": bool, "src_file": int, "take": str}

    def _table(self) -> Manifest:
        expected = "the folders audio and meta of ESC-50"
        table = os.path.join(self._folder(expected), "meta", "esc50.csv")
        audio = os.path.join(self.path, "audio")
        for place, is_there in ((table, os.path.isfile(table)), (audio, os.path.isdir(audio))):
            if not is_there:
                raise FileNotFoundError(f"{place!r} is missing; ESC50({self.path!r}) expects {expected} there")
        return Manifest(
            table, path_column="filename", root=audio, types=self._TYPES, segments=False, **self.attributes
        )  # fmt: skip

    def __iter__(self) -> Iterator[Any]:
        return map(self._labelled, self._table())

    def _labelled(self, item: Any) -> Any:
        if isinstance(item, FailedItem):
            return item
        missing = [name for name in ("fold", "target", "category") if item.extras[name] is None]
        if missing:
            return FailedItem(item.uri, InvalidItem(f"its row in esc50.csv leaves the column {missing[0]!r} empty"))
        return AudioMetaData(**item.parameters, label=item.category)

    def __len__(self) -> int:
        return len(self._table())


class GTZAN(_Corpus):
    """GTZAN: music of ten genres, a folder for each, or clips as arrays in one HDF5 file.

    In folders: ``genres/blues/blues.00000.wav`` (or ``.au``), with the folders below ``path``, ``path/genres`` or
    ``path/genres_original``. Items have ``label`` (str, the genre) and ``track`` (int; None where the name has none).

    In an HDF5 file: a dataset for each genre, of shape (samples, clips), with the sample rate in the attribute ``sr``
    of the file or of the dataset; ``Nsamples`` and ``Nclips`` are checked where they are given. ``track`` counts the
    clips, and the ``uri`` is an ``HDF5Clip``: one clip is read at a time, when it is processed. This needs h5py.

    Args:
        path (str | Path): the folder or the file.
        attributes: put on each item, for example ``licensing``.

    Raises:
        FileNotFoundError: on iteration, when there is no such folder or file.
        DatasetError: on iteration, when a file is no HDF5 file, or says no sample rate.
        EmptyDataset: on iteration, when there is no folder with audio, or no dataset.
        OptionalDependencyError: on iteration over a file, when h5py is missing.
    """

    _own = ("label", "track")
    _EXPECTED = "a folder for each genre, such as genres/blues/blues.00000.wav, or an HDF5 file with a dataset for each"

    def __iter__(self) -> Iterator[Any]:
        if os.path.isfile(self.path):
            yield from clips_of(self.path, self.attributes)
            return
        item = None
        for item in self._items():
            yield item
        if item is None:
            raise EmptyDataset(f"{self.path!r} holds no folder with audio; GTZAN expects {self._EXPECTED}")

    def __len__(self) -> int:
        if os.path.isfile(self.path):
            return sum(1 for _ in clips_of(self.path, self.attributes))
        return sum(1 for _ in self._items())

    def _items(self) -> Iterator[Any]:
        if not os.path.exists(self.path):
            raise FileNotFoundError(f"{self.path!r} is not there; GTZAN expects {self._EXPECTED}")
        folder = self._folder(self._EXPECTED, "genres", "genres_original", "Data/genres_original")
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from (self._track(path, entry.name) for path in Directory(entry.path, recursive=False).files())
            elif os.path.splitext(entry.name)[1].lower() in AUDIO_SUFFIXES:
                yield FailedItem(entry.path, InvalidItem("it lies in no genre's folder, so it has no label"))

    def _track(self, path: Path, genre: str) -> Any:
        name = re.fullmatch(r"(.+)\.([0-9]{1,9})", path.stem, re.DOTALL)
        if name is not None and name[1] != genre:
            return FailedItem(str(path), InvalidItem(f"its name says {name[1]}, and its folder {genre}"))
        return self._item(path, label=genre, track=None if name is None else int(name[2]))
