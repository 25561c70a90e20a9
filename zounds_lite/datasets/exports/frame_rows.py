"""The frames of many clips as examples to learn from: ``open_frames``, ``FrameSet``, ``FrameRows``.

Goal: (N, n) out of [genre, clip, frame, 2, n], read as it is needed. Conventions: rows are in the order of the file:
genre, clip, time; clips that are not there are left out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from zounds_lite.datasets.exports.frame_arrays import Arrays, opened
from zounds_lite.errors import KeyNotFound

__all__ = ["FrameRows", "FrameSet", "open_frames"]


@contextmanager
def open_frames(path: Any) -> Iterator["FrameSet"]:
    """Open what ``export_frames`` wrote.

    Args:
        path (str | Path): the HDF5 file, or the folder.

    Raises:
        FileNotFoundError: it is not there, or not complete.
        DatasetError: it is something else.
        OptionalDependencyError: it is an HDF5 file, and h5py is missing.
    """
    with opened(path) as arrays:
        yield FrameSet(arrays)


class FrameSet:
    """The arrays of a file, by name.

    Args:
        arrays (HDF5Arrays | NpyArrays): the file.

    Attributes:
        samplerate (int): hertz.
        labels (tuple[str, ...]): of the genres.
        done (np.ndarray): [genre, clip], True where a clip is there.
    """

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self.samplerate = arrays.layout.samplerate
        self.labels = arrays.layout.labels
        self.done = arrays.done

    @property
    def names(self) -> list[str]:
        """Of the arrays."""
        return list(self._arrays.layout.widths)

    def array(self, name: str) -> Any:
        """Return an array as it is stored, [genre, clip, frame, 2, n]; slices of it are read from the disk.

        Raises:
            KeyNotFound: there is none of that name.
        """
        if name not in self._arrays.arrays:
            raise KeyNotFound(f"no array {name!r}; there are: {', '.join(self.names)}")
        return self._arrays.arrays[name]

    def rows(self, name: str) -> "FrameRows":
        """Return the rows of an array.

        Raises:
            KeyNotFound: there is none of that name.
        """
        return FrameRows(self.array(name), self.done)


class FrameRows:
    """Examples, (N, n): its length is N, slices and lists of numbers give rows, and iterating gives clip after clip.

    Args:
        array (Any): [genre, clip, frame, 2, n], a dataset or a memory map.
        done (np.ndarray): [genre, clip], which of them to take.

    Examples:
        >>> stored = np.arange(16.0).reshape(1, 2, 2, 2, 2)
        >>> rows = FrameRows(stored, np.array([[False, True]]))
        >>> rows.shape, rows[1:3].tolist(), rows.targets.tolist()
        ((4, 2), [[10.0, 11.0], [12.0, 13.0]], [0, 0, 0, 0])
        >>> [block.shape for block in rows]
        [(4, 2)]
    """

    def __init__(self, array: Any, done: np.ndarray) -> None:
        self._array = array
        self._places = np.argwhere(done)
        self._of_clip = array.shape[2] * array.shape[3]

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows there are, and how long they are."""
        return len(self), int(self._array.shape[-1])

    @property
    def dtype(self) -> np.dtype:
        """Of the numbers."""
        return np.dtype(self._array.dtype)

    @property
    def targets(self) -> np.ndarray:
        """The genre of each row, a number into the labels."""
        return np.repeat(self._places[:, 0], self._of_clip)

    def __len__(self) -> int:
        return len(self._places) * int(self._of_clip)

    def __iter__(self) -> Iterator[np.ndarray]:
        for at in range(len(self._places)):
            yield self._clip(at)

    def _clip(self, at: int) -> np.ndarray:
        genre, clip = self._places[at]
        return np.asarray(self._array[genre, clip]).reshape(self._of_clip, -1)

    def __getitem__(self, index: Any) -> np.ndarray:
        wanted = np.arange(len(self))[index]  # so all the rules of numpy hold
        flat = wanted.reshape(-1)
        found = np.empty((len(flat), self.shape[1]), self.dtype)
        for at in np.unique(flat // self._of_clip):
            here = flat // self._of_clip == at
            found[here] = self._clip(int(at))[flat[here] % self._of_clip]
        return found.reshape(*wanted.shape, self.shape[1])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        rows = np.concatenate(list(self)) if len(self) else np.empty(self.shape, self.dtype)
        return rows if dtype is None else rows.astype(dtype)

    def __repr__(self) -> str:
        return f"<{len(self):,} rows of {self.shape[1]}>"
