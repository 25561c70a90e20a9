"""Spill: chunks of a corpus that would fill the memory, in a temporary file.

Goal: a corpus can be read as often as training needs it, whatever the machine's memory. Conventions: what is a memory
map already is kept as it is and costs none; the rest stays in memory up to a limit, and goes to a file without a name
behind it, in ``tempfile.gettempdir()`` (the environment's TMPDIR), which is gone with its corpus. Class: ``Spill``;
functions: ``is_mapped``, ``read_ahead``.
"""

import mmap
import os
import tempfile
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from zounds_lite.errors import StoreFull

__all__ = ["MEMORY", "Spill", "is_mapped", "read_ahead"]

MEMORY = 64 * 1024 * 1024
"""Bytes of chunks that own their memory and stay in it."""

_MOST_AHEAD = 64 * 1024 * 1024
"""Bytes that are read ahead at once, at most."""

_MOST_MAPS = 8192
"""Memory maps that a corpus holds; an operating system allows some 65,000 in a process."""


def _map_of(array: Any) -> Any:
    """Return the memory map that an array is a view of; None where it is none."""
    while isinstance(array, (np.ndarray, memoryview)):
        array = array.base if isinstance(array, np.ndarray) else array.obj
    return array if isinstance(array, mmap.mmap) else None


def is_mapped(array: Any) -> bool:
    """Tell whether an array is a view of a memory map."""
    return _map_of(array) is not None


def read_ahead(array: np.ndarray) -> None:
    """Have the system read what an array maps, as all of it is wanted soon; maps of stores are read page by page else.

    Args:
        array (np.ndarray): any; nothing is done where it is no map, or not in one piece.
    """
    mapped = _map_of(array)
    if mapped is None or not hasattr(mmap, "MADV_WILLNEED") or not array.flags.c_contiguous or not array.nbytes:
        return
    start = array.__array_interface__["data"][0] - np.frombuffer(mapped, np.uint8).__array_interface__["data"][0]
    page = start - start % mmap.PAGESIZE
    mapped.madvise(mmap.MADV_WILLNEED, page, min(start + array.nbytes - page, _MOST_AHEAD))


class Spill:
    """Takes arrays, and gives each back as often as it is asked for.

    Args:
        memory (int): bytes to keep in memory.
    """

    def __init__(self, memory: int = MEMORY) -> None:
        self._room = memory
        self._maps = 0
        self._file: Any = None
        self._at = 0

    def keep(self, array: np.ndarray) -> Callable[[], np.ndarray]:
        """Keep an array.

        Args:
            array (np.ndarray): a plain array.

        Returns:
            Callable: returns it, read-only where it was written to the file.

        Raises:
            StoreFull: there is no room for the temporary file.
        """
        if is_mapped(array) and self._maps < _MOST_MAPS:
            self._maps += 1
            return lambda: array
        if array.nbytes <= self._room:
            self._room -= array.nbytes
            return lambda: array
        return self._written(np.ascontiguousarray(array))

    def _written(self, array: np.ndarray) -> Callable[[], np.ndarray]:
        at, dtype, shape = self._at, array.dtype, array.shape
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="zounds-corpus-")  # noqa: SIM115  # it lives as long as we
                weakref.finalize(self, self._file.close)
            data = array.reshape(-1).view(np.uint8).data
            while data:
                data = data[os.pwrite(self._file.fileno(), data, self._at) :]
                self._at = at + array.nbytes - len(data)
        except OSError as error:
            raise StoreFull(
                f"no room for a temporary copy of the corpus in {tempfile.gettempdir()}, after {self._at} bytes "
                f"({error}); store the features that you train on, or set TMPDIR to a folder with more room"
            ) from error
        return lambda: self._read(at, shape, dtype)

    def _read(self, at: int, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        out = np.empty(shape, dtype)
        left = out.reshape(-1).view(np.uint8).data
        while left:
            size = os.preadv(self._file.fileno(), [left], at)
            if not size:
                raise OSError(f"the temporary copy of the corpus ends at byte {at}")
            left, at = left[size:], at + size
        return out
