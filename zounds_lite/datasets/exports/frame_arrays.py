"""Where the frames of many clips are kept: an HDF5 file, or a folder of ``.npy`` files where h5py is missing.

Goal: arrays [genre, clip, frame, 2, n] that are filled clip by clip, and survive whatever ends the job. Conventions:

- all that says where something lies is written before the first clip, and then never changed: datasets are allocated at
  once, a chunk for each clip (a sparse file), so no clip under way can damage the file;
- the ledger ``done`` [genre, clip] has a 1 where a clip is whole, written when all of the clip has reached the disk;
- while a job is under way its name ends with ``.partial``; it takes its own name when every clip is there, or given up.
  A compressed file is made then, of the uncompressed one, since compressed chunks have no place of their own before.

Classes: ``Layout``, ``HDF5Arrays``, ``NpyArrays``; functions ``kind_of``, ``opened``.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite._lazy import optional
from zounds_lite.errors import DatasetError, DeclarationError, OptionalDependencyError, OutputError

__all__ = ["PARTIAL", "HDF5Arrays", "Layout", "NpyArrays", "kind_of", "opened"]

PARTIAL = ".partial"
"""What the name of a file or folder that is not complete yet ends with."""

_NEW = ".new"
_SUFFIXES = (".h5", ".hdf5", ".hdf")
_COMPRESSIONS = (None, "gzip", "lzf")
_MOST_OF_A_CHUNK = 1 << 28
"""Bytes; HDF5 has a limit of 4 GiB."""


@dataclass(frozen=True)
class Layout:
    """What the arrays are, known before the first of them is written.

    Args:
        samplerate (int): hertz.
        labels (tuple[str, ...]): of the genres, in their order.
        clips (int): the most clips of a genre.
        frames (int): of each clip.
        widths (dict[str, int]): the last axis of each array.
        job (str): digest of the clips and of what is computed of them.
        plan (dict): what is computed, strict JSON.
    """

    samplerate: int
    labels: tuple[str, ...]
    clips: int
    frames: int
    widths: dict[str, int]
    job: str
    plan: dict[str, Any]

    def shape(self, name: str) -> tuple[int, int, int, int, int]:
        """Return the shape of an array."""
        return len(self.labels), self.clips, self.frames, 2, self.widths[name]

    @property
    def label_bytes(self) -> np.ndarray:
        """The labels as fixed-size bytes, UTF-8, as they stand in the file."""
        return np.array([label.encode() for label in self.labels])


class HDF5Arrays:
    """Arrays in an HDF5 file that exists.

    Args:
        path (Path): the file.
        writes (bool): open it for writing.

    Raises:
        OptionalDependencyError: h5py is missing.
        DatasetError: it is no such file.
        OutputError: another program is writing it.
    """

    def __init__(self, path: Path, writes: bool = False) -> None:
        h5py = _h5py()
        try:
            self._file = h5py.File(path, "r+" if writes else "r")
        except OSError as error:
            if "lock" in str(error):
                raise OutputError(f"{str(path)!r} is being written by another program; let it end") from error
            raise DatasetError(f"{str(path)!r} cannot be opened as an HDF5 file: {error}") from error
        try:
            self.layout = _layout(json.loads(self._file.attrs["layout"]))
            self.arrays: dict[str, Any] = {name: self._file[name] for name in self.layout.widths}
            self.done: np.ndarray = self._file["done"][()].astype(bool)
        except (KeyError, ValueError, TypeError) as error:
            self._file.close()
            raise DatasetError(
                f"{str(path)!r} holds no frames of clips: {error}; make it with export_frames"
            ) from error

    @staticmethod
    def make(path: Path, layout: Layout, compression: str | None = None) -> None:
        """Write a file without clips."""
        h5py = _h5py()
        with h5py.File(path, "w") as file:
            file.attrs.update({"sr": layout.samplerate, "labels": layout.label_bytes})
            file.attrs["layout"] = json.dumps(asdict(layout))
            for name, width in layout.widths.items():
                frames = max(1, min(layout.frames, _MOST_OF_A_CHUNK // (8 * width)))
                options: dict[str, Any] = {"chunks": (1, 1, frames, 2, width), "compression": compression}
                if compression is None:
                    options["dcpl"] = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                    options["dcpl"].set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
                    options["dcpl"].set_fill_time(h5py.h5d.FILL_TIME_NEVER)
                file.create_dataset(name, layout.shape(name), "<f4", **options)
            file.create_dataset("done", data=np.zeros((len(layout.labels), layout.clips), np.uint8))
            file.flush()
            os.fsync(file.id.get_vfd_handle())

    def write(self, genre: int, clip: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Write a clip, and then that it is there."""
        for name, array in arrays.items():
            self.arrays[name][genre, clip] = array
        self._to_disk()
        self._file["done"][genre, clip] = 1
        self._to_disk()
        self.done[genre, clip] = True

    def _to_disk(self) -> None:
        self._file.flush()
        os.fsync(self._file.id.get_vfd_handle())

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    @classmethod
    def compressed(cls, source: Path, target: Path, compression: str) -> None:
        """Write a compressed copy of a file."""
        given = cls(source)
        try:
            cls.make(target, given.layout, compression)
            copy = cls(target, writes=True)
            try:
                for genre, clip in np.argwhere(given.done):
                    for name, array in given.arrays.items():
                        copy.arrays[name][genre, clip] = array[genre, clip]
                copy._file["done"][...] = given.done
                copy._to_disk()
            finally:
                copy.close()
        finally:
            given.close()


class NpyArrays:
    """Arrays in a folder: one ``.npy`` file each, ``done.npy``, and ``attributes.json``.

    Args:
        path (Path): the folder.
        writes (bool): open the files for writing.

    Raises:
        DatasetError: it is no such folder.
    """

    def __init__(self, path: Path, writes: bool = False) -> None:
        mode: Any = "r+" if writes else "r"
        try:
            self.layout = _layout(json.loads((path / "attributes.json").read_text("utf-8"))["layout"])
            self.arrays: dict[str, Any] = {
                name: np.lib.format.open_memmap(path / f"{name}.npy", mode) for name in self.layout.widths
            }
            self._ledger = np.lib.format.open_memmap(path / "done.npy", mode)
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise DatasetError(
                f"{str(path)!r} holds no frames of clips: {error}; make it with export_frames"
            ) from error
        self.done: np.ndarray = np.array(self._ledger, bool)

    @staticmethod
    def make(path: Path, layout: Layout, compression: str | None = None) -> None:
        """Write a folder without clips."""
        path.mkdir()
        attributes = {"sr": layout.samplerate, "labels": list(layout.labels), "layout": asdict(layout)}
        (path / "attributes.json").write_text(json.dumps(attributes, indent=2), "utf-8")
        for name in layout.widths:
            np.lib.format.open_memmap(path / f"{name}.npy", "w+", np.dtype("<f4"), layout.shape(name))
        np.lib.format.open_memmap(path / "done.npy", "w+", np.dtype("u1"), (len(layout.labels), layout.clips))

    def write(self, genre: int, clip: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Write a clip, and then that it is there."""
        for name, array in arrays.items():
            self.arrays[name][genre, clip] = array
            self.arrays[name].flush()
        self._ledger[genre, clip] = 1
        self._ledger.flush()
        self.done[genre, clip] = True

    def close(self) -> None:
        """Let go of the files."""
        self.arrays = {}
        del self._ledger


Arrays = HDF5Arrays | NpyArrays


def kind_of(path: Path, compression: str | None = None) -> type[HDF5Arrays] | type[NpyArrays]:
    """Return how arrays of that name are kept.

    Raises:
        DeclarationError: the name says no format, or the compression is none.
    """
    if compression not in _COMPRESSIONS:
        raise DeclarationError(f"compression={compression!r}; allowed: None, 'gzip' or 'lzf'")
    if path.suffix.lower() in _SUFFIXES:
        return HDF5Arrays
    if path.suffix:
        raise DeclarationError(
            f"{str(path)!r}: its name says no format; allowed: {', '.join(_SUFFIXES)}, or a name without a suffix, for "
            "a folder of .npy files"
        )
    if compression is not None:
        raise DeclarationError(f"compression={compression!r} of a folder of .npy files; only HDF5 files are compressed")
    return NpyArrays


@contextmanager
def opened(path: Any) -> Iterator[Arrays]:
    """Open arrays that are complete.

    Raises:
        FileNotFoundError: there are none; the message says where a job is still under way.
        DatasetError: it is no such file or folder.
    """
    place = Path(path)
    aside = place.with_name(place.name + PARTIAL)
    if place.suffix == PARTIAL or (not place.exists() and aside.exists()):
        raise FileNotFoundError(f"{str(path)!r} is not complete; the export that made {PARTIAL} goes on when run again")
    if not place.exists():
        raise FileNotFoundError(f"{str(path)!r} is not there; make it with export_frames")
    arrays = kind_of(place)(place)
    try:
        yield arrays
    finally:
        arrays.close()


def begun(path: Path, layout: Layout) -> Arrays:
    """Open the arrays that are being filled, made where they are missing.

    Raises:
        OutputError: what is there was begun with other clips or settings, or cannot be written.
    """
    kind, aside = kind_of(path), path.with_name(path.name + PARTIAL)
    try:
        if not aside.exists():
            new = path.with_name(path.name + _NEW)
            remove(new)
            kind.make(new, layout)
            os.replace(new, aside)
        arrays = kind(aside, writes=True)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{str(path)!r} cannot be written: {error}") from error
    if arrays.layout.job != layout.job:
        arrays.close()
        raise OutputError(
            f"{str(aside)!r} was begun with other clips or settings; delete it to start anew, or choose another name"
        )
    return arrays


def finished(path: Path, compression: str | None) -> None:
    """Give complete arrays their own name.

    Raises:
        OutputError: it cannot be written; what was filled stays.
    """
    source = ready = path.with_name(path.name + PARTIAL)
    try:
        if compression is not None:
            ready = path.with_name(path.name + _NEW)
            remove(ready)
            HDF5Arrays.compressed(source, ready, compression)
        os.replace(ready, path)
        remove(source)
    except OSError as error:
        raise OutputError(f"{str(path)!r} cannot be written: {error}; the same call goes on") from error


def remove(path: Path) -> None:
    """Remove a file or a folder that may be there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _layout(stored: Mapping[str, Any]) -> Layout:
    return Layout(**{**stored, "labels": tuple(stored["labels"])})


def _h5py() -> Any:
    try:
        return optional("h5py")
    except OptionalDependencyError as error:
        raise OptionalDependencyError(
            f"{error}; or give a name without a suffix, for a folder of .npy files, which needs no library"
        ) from error
