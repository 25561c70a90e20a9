"""A store in plain files: one file per record, one per blob, one per entry of the ledger.

Files are written aside, made durable and renamed; a lock file lets one writer in at a time. All files of a batch are
written before the first is renamed, and durable before ``change`` returns. But readers may come between two renames,
and a crash there keeps the first: use ``LmdbDatabase`` where a batch must be all or nothing. The ledger comes after the
records, so that a document may be stored and still stand in the ledger, and never neither.
"""

import errno
import hashlib
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue, StoreFormatError, StoreLocked
from zounds_lite.featureflow.record import read_id
from zounds_lite.featureflow.stores.base import BlobWriter, Change, Damage, Database, Garbage
from zounds_lite.featureflow.stores.blobs import BlobFolder
from zounds_lite.featureflow.stores.checks import (
    MAX_RECORD,
    blobs_in,
    check_id,
    check_own,
    check_size,
    own_record,
    released_blobs,
    short_id,
)
from zounds_lite.featureflow.stores.folders import disk_errors, make_folder, open_plain, remove_files, replace_files
from zounds_lite.featureflow.stores.formats import describe_format, read_format
from zounds_lite.featureflow.stores.gate import GATE
from zounds_lite.featureflow.stores.leases import owner_tag
from zounds_lite.featureflow.stores.locks import wait_for_lock

__all__ = ["FileSystemDatabase"]

_RECORDS = ("records", ".record")
_FAILURES = ("failed", ".failure")

_log = logging.getLogger(__name__)


class FileSystemDatabase(Database):
    """Keeps documents in a folder.

    Args:
        path (str | Path): the folder.
        key_builder: accepted for compatibility; files are named by a hash of the id.
        createdirs (bool): make the folder where it is missing.

    Raises:
        FileNotFoundError: the folder is missing and ``createdirs`` is False.
        StoreFormatError: ``path`` is a file, or the folder holds a store of another format.
    """

    def __init__(self, path: Any, key_builder: Any = None, createdirs: bool = False) -> None:
        self.path = Path(path)
        self.key_builder = key_builder
        self.createdirs = createdirs
        self._root = Path(os.path.abspath(path))
        if self._root.exists() and not self._root.is_dir():
            raise StoreFormatError(f"{str(self.path)!r} is a file; a store is a folder: pass another path")
        if not self._root.is_dir() and not createdirs:
            raise FileNotFoundError(f"{str(self.path)!r} is no folder; make it, or pass createdirs=True")
        with disk_errors(self.path):
            if createdirs and not self._root.is_dir():
                make_folder(self._root)
        self._blobs = BlobFolder(self._root / "blobs")
        self._lock = threading.RLock()
        self._writers = 0  # how deep the thread that holds the lock is inside
        self._check_format()

    def _check_format(self) -> None:
        file = self._root / "format.json"
        with disk_errors(self.path):
            if not file.exists():
                with self._locked():
                    replace_files([{file: describe_format()}], owner_tag())
            with open(file, "rb") as found:
                self.format = read_format(found.read(MAX_RECORD), self.path)

    def _file(self, _id: str, kind: tuple[str, str]) -> Path:
        name = hashlib.blake2b(check_id(_id).encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
        return self._root / kind[0] / name[:2] / (name + kind[1])

    def _record_file(self, _id: str) -> Path:
        return self._file(_id, _RECORDS)

    @contextmanager
    def _locked(self, shared: bool = False) -> Iterator[None]:
        """Let one writer in, or many who list, over threads and, where the system has file locks, over processes."""
        with GATE.shared(), self._lock:
            lock = None if self._writers else self._open_lock(shared)
            with lock or nullcontext():
                if lock is not None and not wait_for_lock(lock.fileno(), shared):
                    raise StoreLocked(errno.EAGAIN, f"{str(self.path)!r} is held by another program; try again later")
                self._writers += not shared
                try:
                    yield
                finally:
                    self._writers -= not shared

    def _open_lock(self, shared: bool) -> Any:
        """Open the lock file; None for one who lists a store that nobody can write."""
        with disk_errors(self.path):
            try:
                return open(self._root / "lock", "ab")  # the caller closes it
            except OSError:
                if not shared:
                    raise
            with suppress(OSError):
                return open(self._root / "lock", "rb")
        return None

    def get(self, _id: str) -> bytes | None:
        raw = _read(self._record_file(_id), f"the record of {short_id(_id)}")
        if raw is not None:
            check_own(raw, _id)
        return raw

    def change(self, changes: Mapping[str, Change], failures: Mapping[str, Change] | None = None) -> None:
        self._blobs.make_durable()
        with self._locked():
            olds = {_id: own_record(_old(self._record_file(_id)), _id) for _id in changes}
            news = {_id: check_size(change(olds[_id]), _id) for _id, change in changes.items()}
            entries = {
                _id: check_size(change(_old(self._file(_id, _FAILURES))), _id)
                for _id, change in (failures or {}).items()
            }
            with disk_errors(self.path):
                kinds = ((_RECORDS, news), (_FAILURES, entries))
                groups = ({self._file(_id, kind): new for _id, new in values.items()} for kind, values in kinds)
                replace_files(groups, owner_tag())
            self._blobs.settle(news)
            for _id, new in news.items():
                for name in released_blobs(olds[_id], new):
                    self._blobs.remove(name)

    def _files(self, kind: tuple[str, str]) -> list[Path]:
        """All files of one kind; while it lists them nobody writes, so that no file is missed that is replaced."""
        with self._locked(shared=True):
            return sorted((self._root / kind[0]).glob(f"??/*{kind[1]}"))

    def iter_ids(self) -> Iterator[str]:
        for path in self._files(_RECORDS):
            try:
                _id = _id_in(path)
            except FileNotFoundError:  # deleted since the listing
                continue
            except CorruptValue as error:
                _log.warning("a document was passed over: %s", error)
                continue
            yield _id

    def __len__(self) -> int:
        return len(self._files(_RECORDS))

    def get_failure(self, _id: str) -> bytes | None:
        return _read(self._file(_id, _FAILURES), f"the ledger's entry of {short_id(_id)}")

    def iter_failures(self) -> Iterator[bytes]:
        for path in self._files(_FAILURES):
            raw = _old(path)
            if raw:
                yield raw

    def create_blob(self) -> BlobWriter:
        return self._blobs.create()

    def open_blob(self, name: str) -> np.ndarray:
        return self._blobs.open(name)

    def remove_blob(self, name: str) -> None:
        self._blobs.remove(name)

    def iter_blobs(self) -> Iterator[tuple[str, int]]:
        return self._blobs.files()

    def collect_garbage(self) -> Garbage:
        found = self._blobs.collect(self._named_blobs)
        patterns = ("*.part", *(f"{folder}/??/*.part" for folder, _ in (_RECORDS, _FAILURES)))
        aside = [path for pattern in patterns for path in self._root.glob(pattern)]
        size = 0
        if aside:
            with self._locked(), disk_errors(self.path):  # alone, so that nobody is writing one of them
                size = remove_files(aside)[1]
        return Garbage(found.blobs, found.bytes + size, found.kept)

    def inspect(self) -> Iterator[Damage]:
        for path in self._files(_RECORDS):
            try:
                _id = _id_in(path)
            except FileNotFoundError:  # deleted since the listing
                continue
            except CorruptValue as error:
                yield Damage(None, None, str(error))
                continue
            if self._record_file(_id) != path:
                yield Damage(_id, None, f"its record stands in {path.name}, so it cannot be found")

    def _named_blobs(self) -> set[str]:
        records = (_read(path) for path in self._files(_RECORDS))
        return blobs_in(raw for raw in records if raw is not None)

    def __reduce__(self) -> Any:
        return type(self), (str(self._root), self.key_builder, self.createdirs)

    def __repr__(self) -> str:
        return f"FileSystemDatabase({str(self.path)!r})"


def _read(path: Path, what: str | None = None) -> bytes | None:
    """Return what a file holds; None where there is none."""
    try:
        with open(open_plain(path, what or f"the file {str(path)!r}"), "rb") as file:
            raw = file.read(MAX_RECORD + 1)
    except FileNotFoundError:
        return None
    if len(raw) > MAX_RECORD and what is not None:
        raise CorruptValue(f"{what} is longer than any can be; process the document again to replace it")
    return raw


def _old(path: Path) -> bytes | None:
    """Return what a change gets to see; what cannot be read stands in nobody's way."""
    try:
        return _read(path)
    except CorruptValue as error:
        _log.warning("%s", error)
        return b""


def _id_in(path: Path) -> str:
    with open(open_plain(path, str(path)), "rb") as file:
        return read_id(lambda start, stop: file.read(stop - start), str(path))
