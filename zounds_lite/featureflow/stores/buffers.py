"""Copying out of LMDB's map without leaving the file.

Why: LMDB hands out a view whose length it read from the page itself. One flipped bit there, and a copy would read past
the end of the file, which ends the process with a signal. Class: ``Bounds``.
"""

import os
from pathlib import Path

import numpy as np

from zounds_lite.errors import CorruptValue
from zounds_lite.featureflow.stores.base import MAX_RECORD

__all__ = ["Bounds"]


class Bounds:
    """Where a file is mapped in this process, and how much of it there is.

    Args:
        file (Path): the file, mapped.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.start, self.end = _mapping(file)
        self.stop = self.start + self._size()

    def _size(self) -> int:
        try:
            return self.file.stat().st_size
        except FileNotFoundError:
            return 0

    def copy(self, view: memoryview, stop: int | None = None) -> bytes:
        """Return the bytes of a view, or the first ``stop`` of them.

        Raises:
            CorruptValue: it is longer than a record can be, or reaches past the end of the file.
        """
        length = len(view)
        if not length:
            return b""
        if length > MAX_RECORD:
            raise CorruptValue(f"a record claims to have {length} bytes, at most {MAX_RECORD} are possible")
        length = length if stop is None else min(length, stop)
        at = np.frombuffer(view, np.uint8).__array_interface__["data"][0]
        if at + length > self.stop and self.start <= at < self.end:
            self.stop = self.start + self._size()  # it may have grown
            if at + length > self.stop:
                raise CorruptValue(f"a record claims {length} bytes where the file has {max(0, self.stop - at)} left")
        return bytes(view[:length])


def _mapping(file: Path) -> tuple[int, int]:
    """Return where a file is mapped, first byte and last byte plus one; (0, 0) where the system does not tell."""
    try:
        inode = os.stat(file).st_ino
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                fields = line.split(maxsplit=5)
                shared = len(fields) == 6 and fields[1].endswith("s") and int(fields[2], 16) == 0
                if shared and int(fields[4]) == inode and fields[5].rstrip("\n").endswith(file.name):
                    start, end = fields[0].split("-")
                    return int(start, 16), int(end, 16)
    except (OSError, ValueError):
        pass
    return 0, 0
