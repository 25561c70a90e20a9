"""The file of rows of an index: it grows at its end, and is read through a memory map.

Conventions: files are ``rows-N.bin``; what lies behind the committed rows counts for nothing. Class: ``RowFiles``.
"""

import mmap
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from zounds_lite.errors import CorruptValue
from zounds_lite.featureflow.stores.folders import disk_errors, open_plain, sync_folder

__all__ = ["RowFiles"]

_CREATE = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class RowFiles:
    """The files of rows in a folder, of which one is in use.

    Args:
        folder (Path): the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, number: int) -> Path:
        """Where a file stands."""
        return self.folder / f"rows-{number}.bin"

    def write(self, number: int, at: int, parts: Iterable[np.ndarray]) -> int:
        """Write arrays one after the other, and return where they end; they are durable when this returns.

        Args:
            number (int): which file; made where it is missing.
            at (int): where to begin, in bytes.
            parts (Iterable[np.ndarray]): what to write.

        Raises:
            StoreFull: there is no room left.
        """
        path = self.path(number)
        with disk_errors(self.folder):
            is_new = not path.exists()
            with open(os.open(path, _CREATE, 0o666), "r+b", buffering=0) as file:
                file.seek(at)
                for part in parts:
                    data = np.ascontiguousarray(part).reshape(-1).view(np.uint8).data
                    at += len(data)
                    while len(data):
                        data = data[file.write(data) :]
                os.fsync(file.fileno())
            if is_new:
                sync_folder(self.folder)
        return at

    def map(self, number: int, dtype: np.dtype, rows: int, columns: int) -> np.ndarray:
        """Return the committed rows, read-only; they stay readable when the file is removed.

        Raises:
            FileNotFoundError: there is no such file.
            CorruptValue: it is too short.
        """
        size = rows * columns * dtype.itemsize
        if not size:
            return np.empty((rows, columns), dtype)
        path = self.path(number)
        descriptor = open_plain(path, f"the file of rows {str(path)!r}")
        try:
            if os.fstat(descriptor).st_size < size:
                raise CorruptValue(
                    f"{str(path)!r} is cut short, to {os.fstat(descriptor).st_size} of {size} bytes; delete the folder "
                    "of the index, and index again"
                )
            data = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
        finally:
            os.close(descriptor)
        return np.frombuffer(data, dtype).reshape(rows, columns)

    def remove_others(self, number: int) -> None:
        """Remove all files but one; what cannot be removed, as it is mapped, is left to the next time."""
        for path in self.folder.glob("rows-*.bin"):
            if path != self.path(number):
                with suppress(FileNotFoundError, PermissionError):
                    path.unlink()
