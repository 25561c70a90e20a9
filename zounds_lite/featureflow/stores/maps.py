"""Read-only maps of files.

Why not plain ``mmap``: before Python 3.13 it keeps a descriptor of the file for as long as the map lives, and a process
may have no more than 1,024 of these, far fewer than the arrays that one can hold. So the object begins as a map of
nothing, and the file is mapped in its place. Function: ``map_file``; class ``ReadAhead``.
"""

import ctypes
import errno
import mmap
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue, StoreError
from zounds_lite.featureflow.stores.folders import open_plain

__all__ = ["ReadAhead", "map_file"]

_MAP_FIXED = 0x10
"""The same on Linux, macOS and the BSDs; Python does not name it."""
_BLOCK = 65_536
_MOST_AHEAD = 1 << 20
"""Bytes: what reaches further may be a view of which little is looked at."""


def map_file(file: Path, what: str) -> np.ndarray:
    """Map a file: read-only, pages come in as they are touched, nothing is read ahead.

    Args:
        file (Path): which one.
        what (str): names it in errors.

    Returns:
        np.ndarray: its bytes; the map ends with the last array that is a view of it.

    Raises:
        FileNotFoundError: there is no such file.
        CorruptValue: it is empty, or no plain file.
        StoreError: this process holds too many maps.
    """
    descriptor = open_plain(file, what)
    try:
        size = os.fstat(descriptor).st_size
        if not size:
            raise CorruptValue(f"{what} is empty: {str(file)!r}; process its document again to replace it")
        mapped = _map(descriptor, size)
    except OSError as error:
        if error.errno != errno.ENOMEM:
            raise
        raise StoreError(
            f"{what} cannot be mapped: {error}; this process holds too many arrays of stores, or may have too little "
            "address space: let go of some, or copy them"
        ) from error
    finally:
        os.close(descriptor)
    if hasattr(mmap, "MADV_RANDOM"):
        mapped.madvise(mmap.MADV_RANDOM)
    return np.frombuffer(mapped, np.uint8)


class ReadAhead:
    """Has the system read rows of a map at once, where it would otherwise wait for each page as it is touched.

    A stretch is asked for once: what the system dropped from memory since then comes page by page.

    Args:
        mapped (mmap.mmap): the map.
        start (int): where the rows begin in it, in bytes.
        rows (int): how many there are.
        row (int): bytes of one.
    """

    def __init__(self, mapped: mmap.mmap, start: int, rows: int, row: int) -> None:
        self._mapped, self._start, self._rows, self._row = mapped, start, rows, row
        self._step = max(1, _BLOCK // row)
        self._is_asked = bytearray(rows // self._step + 1)  # of each step of rows

    @classmethod
    def of(cls, rows: np.ndarray) -> "Callable[[Any], None] | None":
        """Return the ``announce`` of the rows of an array; None where it is no map of a file, or a small one."""
        below: Any = rows
        while isinstance(below, np.ndarray):
            below = below.base
        mapped = getattr(below, "obj", None)
        if not isinstance(mapped, mmap.mmap) or not hasattr(mmap, "MADV_WILLNEED") or rows.nbytes < _BLOCK:
            return None
        start = rows.__array_interface__["data"][0] - np.frombuffer(below, np.uint8).__array_interface__["data"][0]
        return cls(mapped, start, len(rows), rows.nbytes // len(rows)).announce

    def announce(self, rows: Any) -> None:
        """Have rows read that are about to be touched, if they are a slice of a moderate length."""
        # nearly every slice comes here, and most find that nothing is to be done
        if type(rows) is slice and type(rows.start) is int and type(rows.stop) is int:
            first, last, is_asked = rows.start // self._step, rows.stop // self._step, self._is_asked
            try:
                if is_asked[first] and is_asked[last] and last - first < 2:
                    return
            except IndexError:  # it reaches beyond the end
                pass
            if is_asked.find(0, first, last + 1) >= 0:
                self._ask(max(0, first), min(last + 1, len(is_asked)))

    def _ask(self, first: int, last: int) -> None:
        """Have the system read steps of rows."""
        begin = self._start + first * self._step * self._row
        begin -= begin % mmap.PAGESIZE
        end = self._start + min(self._rows, last * self._step) * self._row
        if begin < end <= begin + _MOST_AHEAD:
            self._is_asked[first:last] = b"\1" * (last - first)
            self._mapped.madvise(mmap.MADV_WILLNEED, begin, end - begin)


def _map(descriptor: int, size: int) -> mmap.mmap:
    if sys.version_info >= (3, 13):
        return mmap.mmap(descriptor, size, access=mmap.ACCESS_READ, trackfd=False)
    place = _system_mmap()
    if place is None:
        return mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
    mapped = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ)
    address = np.frombuffer(mapped, np.uint8).__array_interface__["data"][0]
    if place(address, size, mmap.PROT_READ, mmap.MAP_SHARED | _MAP_FIXED, descriptor, 0) != address:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return mapped


@cache
def _system_mmap() -> Any:
    """Return the system's function; None where there is none, or where its arguments are others."""
    if os.name != "posix" or sys.maxsize < 2**32:
        return None
    found = ctypes.CDLL(None, use_errno=True).mmap
    found.restype = ctypes.c_void_p
    found.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    return found
