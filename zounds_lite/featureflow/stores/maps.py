"""Read-only maps of files.

Why not plain ``mmap``: before Python 3.13 it keeps a descriptor of the file for as long as the map lives, and a process
may have no more than 1,024 of these, far fewer than the arrays that one can hold. So the object begins as a map of
nothing, and the file is mapped in its place. Function: ``map_file``.
"""

import ctypes
import errno
import mmap
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue, StoreError
from zounds_lite.featureflow.stores.folders import open_plain

__all__ = ["map_file"]

_MAP_FIXED = 0x10
"""The same on Linux, macOS and the BSDs; Python does not name it."""


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
