"""Bodies that were fetched before, in a folder of limited size.

One file for each body, named by a digest of its URL; written under another name and renamed, so that whoever finds one
finds all of it. What was used longest ago goes first. Any number of processes may share a folder: none waits for
another, and one that reads a body which is just thrown out reads on undisturbed. Class: ``FetchCache``.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from zounds_lite._declared import Declared
from zounds_lite.errors import DeclarationError

__all__ = ["FetchCache"]

_SUFFIX = ".body"
_COMING = ".coming"
_ABANDONED_S = 24 * 3600.0


class FetchCache(Declared):
    """A folder of fetched bodies.

    A body is found again by its URL and the headers of its request. It is taken for what the URL holds until it is as
    old as ``max_age``; a checksum, where the source gives one, is compared at every use.

    Args:
        path (str | Path): the folder; it is made when the first body comes.
        max_bytes (int): of all bodies together, > 0.
        max_age (float | None): seconds after which a body is fetched anew; None: never.

    Raises:
        DeclarationError: a limit is out of range.

    Examples:
        >>> import io, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cache = FetchCache(folder, max_bytes=1000)
        ...     for key, body in [("one", b"1" * 600), ("two", b"2" * 300), ("three", b"3" * 300)]:
        ...         with cache.adding(key) as file:
        ...             _ = file.write(body)
        ...     cache.size, cache.find("one")
        (600, None)
    """

    def __init__(self, path: str | os.PathLike[str], max_bytes: int = 10 * 2**30, max_age: float | None = None) -> None:
        super().__init__(path=os.fspath(path), max_bytes=max_bytes, max_age=max_age)

    path: str
    max_bytes: int
    max_age: float | None

    def validate(self) -> None:
        if not self.max_bytes > 0 or (self.max_age is not None and not self.max_age >= 0):
            raise DeclarationError(f"{self!r}: max_bytes must be > 0, and max_age >= 0 or None")

    def find(self, key: str) -> BinaryIO | None:
        """Open a body, which counts as used now; None where there is none, or it is too old.

        Args:
            key (str): what it was added under, safe as a file name.
        """
        path = self._path(key)
        try:
            file = open(path, "rb")  # noqa: SIM115 - the caller closes it
        except FileNotFoundError:
            return None
        came = os.fstat(file.fileno()).st_mtime_ns
        if self.max_age is not None and time.time() - came / 1e9 >= self.max_age:
            file.close()
            return None
        with contextlib.suppress(OSError):  # thrown out meanwhile, or a folder that may only be read
            os.utime(path, ns=(time.time_ns(), came))
        return file

    @contextlib.contextmanager
    def adding(self, key: str) -> Iterator[BinaryIO]:
        """Give a file to write a body to; it is kept if the block ends well and there is room for it.

        Args:
            key (str): what it is found by.
        """
        folder = Path(self.path)
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(_COMING, ".", folder)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield file
                size = file.seek(0, os.SEEK_END)
                os.fsync(file.fileno())
            if size <= self.max_bytes:
                self._make_room(size)
                os.replace(name, self._path(key))
                self._make_room(0)  # others may have added some at the same time
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)

    def add(self, key: str, path: str | os.PathLike[str]) -> None:
        """Copy a file into the cache."""
        if os.path.getsize(path) <= self.max_bytes:
            with open(path, "rb") as source, self.adding(key) as file:
                shutil.copyfileobj(source, file, 2**20)

    def remove(self, key: str) -> None:
        """Throw a body out, if it is there."""
        self._path(key).unlink(missing_ok=True)

    def clear(self) -> None:
        """Throw all bodies out."""
        for _, _, path in self._bodies():
            Path(path).unlink(missing_ok=True)

    @property
    def size(self) -> int:
        """Bytes of all bodies."""
        return sum(size for _, size, _ in self._bodies())

    def __len__(self) -> int:
        return len(self._bodies())

    def __bool__(self) -> bool:
        return True

    def _path(self, key: str) -> Path:
        return Path(self.path) / f"{key}{_SUFFIX}"

    def _bodies(self) -> list[tuple[int, int, str]]:
        """Return when each body was used, how long it is, and where it is; remove what a killed process left."""
        found = []
        try:
            entries = list(os.scandir(self.path))
        except FileNotFoundError:
            return []
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # another process was faster
                now = entry.stat(follow_symlinks=False)
                if entry.name.endswith(_SUFFIX):
                    found.append((now.st_atime_ns, now.st_size, entry.path))
                elif entry.name.endswith(_COMING) and time.time() - now.st_mtime > _ABANDONED_S:
                    os.unlink(entry.path)
        return found

    def _make_room(self, size: int) -> None:
        bodies = sorted(self._bodies())
        total = sum(length for _, length, _ in bodies) + size
        for _, length, path in bodies:
            if total <= self.max_bytes:
                return
            Path(path).unlink(missing_ok=True)
            total -= length
