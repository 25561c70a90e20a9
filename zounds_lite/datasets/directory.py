"""Recordings on disk: ``Directory``, and ``CompositeDataset`` to chain datasets; function ``absolute``."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from zounds_lite._declared import Declared
from zounds_lite.errors import MediaError
from zounds_lite.media.sniff import sniff
from zounds_lite.media.source import Source
from zounds_lite.soundfile import AudioMetaData

__all__ = ["AUDIO_SUFFIXES", "CompositeDataset", "Directory", "absolute"]

AUDIO_SUFFIXES = frozenset(
    [
        ".aac",
        ".aif",
        ".aifc",
        ".aiff",
        ".au",
        ".caf",
        ".flac",
        ".m4a",
        ".mp2",
        ".mp3",
        ".mp4",
        ".oga",
        ".ogg",
        ".opus",
        ".rf64",
        ".snd",
        ".w64",
        ".wav",
        ".wave",
        ".wma",
    ]
)
"""Files with these endings are taken for audio, so that broken ones are reported rather than passed over."""


class Directory(Declared):
    """The audio files of a folder, its sub-folders included, in sorted order.

    A file counts as audio by its ending or, where the ending says nothing, by its first bytes. Hidden files and folders
    are passed over, and links to folders are not followed. What cannot be read, be it a folder or a link that leads
    nowhere, is an item too, so that a report names it. The ``uri`` of each item is the file's absolute path.

    Args:
        path (str | Path): the folder.
        recursive (bool): look into sub-folders.
        attributes: put on each item, for example ``licensing``.

    Raises:
        FileNotFoundError: on iteration, when there is no such folder.
    """

    def __init__(self, path: Any, recursive: bool = True, **attributes: Any) -> None:
        self.__dict__["attributes"] = attributes
        super().__init__(path=os.fspath(path), recursive=recursive)

    path: str
    recursive: bool
    attributes: dict[str, Any]

    @property
    def parameters(self) -> dict[str, Any]:
        """The constructor arguments by name, attributes included."""
        return {**super().parameters, **self.attributes}

    def files(self) -> Iterator[Path]:
        """Yield the paths of the audio files, sorted."""
        if not os.path.isdir(self.path):
            raise FileNotFoundError(f"{self.path!r} is no folder; pass the folder that holds the recordings")
        yield from self._files(absolute(self.path))

    def _files(self, folder: str) -> Iterator[Path]:
        """Yield in the order that sorting all paths would give, without a list of them all."""
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            yield Path(folder)
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                if self.recursive:
                    yield from self._files(entry.path)
            elif _is_audio(entry):
                yield Path(entry.path)

    def __iter__(self) -> Iterator[AudioMetaData]:
        for path in self.files():
            yield AudioMetaData(uri=str(path), **self.attributes)

    def __len__(self) -> int:
        return sum(1 for _ in self.files())

    def __bool__(self) -> bool:
        return True


def absolute(path: str) -> str:
    """Return one spelling for one place, so that files keep their ids: without ``..``, links as they were named."""
    absolute = os.path.abspath(path)
    are_there = os.path.exists(absolute) and os.path.exists(path)
    is_same = are_there and os.path.samefile(absolute, path)  # ".." behind a link may lead elsewhere
    return absolute if is_same else os.path.realpath(path)


def _is_audio(entry: os.DirEntry[str]) -> bool:
    has_audio_name = os.path.splitext(entry.name)[1].lower() in AUDIO_SUFFIXES
    if entry.is_file():
        return has_audio_name or _looks_like_audio(Path(entry.path))
    return has_audio_name and entry.is_symlink() and not os.path.exists(entry.path)


def _looks_like_audio(path: Path) -> bool:
    try:
        with Source(path) as source:
            return bool(sniff(source))
    except MediaError:
        return False
    except OSError:
        return True  # what cannot be read is for the report to name, not to pass over


class CompositeDataset:
    """Several datasets, one after the other.

    Args:
        datasets (Iterable): the datasets.

    Examples:
        >>> list(CompositeDataset([1, 2], [3]))
        [1, 2, 3]
    """

    def __init__(self, *datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            yield from dataset

    def __len__(self) -> int:
        lengths: list[int] = [len(dataset) for dataset in self.datasets]  # type: ignore[arg-type]
        return sum(lengths)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"CompositeDataset({', '.join(map(repr, self.datasets))})"
