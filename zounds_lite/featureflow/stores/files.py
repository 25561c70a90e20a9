"""A store in plain files: one file per record, one per blob.

Records are written aside, made durable and renamed; a lock file lets one writer in at a time. Batches are durable as a
whole before ``change`` returns, but a crash between two renames keeps the first: use ``LmdbDatabase`` where a batch
must be all or nothing.
"""

import hashlib
import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue, StoreFormatError, StoreLocked
from zounds_lite.featureflow.record import FORMAT, read_id
from zounds_lite.featureflow.stores.base import BlobWriter, Change, Database, check_id, released_blobs
from zounds_lite.featureflow.stores.blobs import BlobFolder, full_disk, owner_tag, sync_folder
from zounds_lite.featureflow.stores.gate import GATE

__all__ = ["FileSystemDatabase"]

_log = logging.getLogger(__name__)


class FileSystemDatabase(Database):
    """Keeps documents in a folder.

    Args:
        path (str | Path): the folder.
        key_builder: accepted for compatibility; files are named by a hash of the id.
        createdirs (bool): make the folder where it is missing.

    Raises:
        FileNotFoundError: the folder is missing and ``createdirs`` is False.
        StoreFormatError: the folder holds a store of a newer format.
    """

    def __init__(self, path: Any, key_builder: Any = None, createdirs: bool = False) -> None:
        self.path = Path(path)
        self.key_builder = key_builder
        self.createdirs = createdirs
        if createdirs:
            self.path.mkdir(parents=True, exist_ok=True)
        if not self.path.is_dir():
            raise FileNotFoundError(f"{str(self.path)!r} is no folder; make it, or pass createdirs=True")
        self._blobs = BlobFolder(self.path / "blobs")
        self._lock = threading.RLock()
        self._check_format()

    def _check_format(self) -> None:
        file = self.path / "format.json"
        if not file.exists():
            self._write(file, json.dumps({"format": FORMAT}).encode())
        found = json.loads(file.read_bytes()).get("format")
        if not isinstance(found, int) or found > FORMAT:
            raise StoreFormatError(
                f"{str(self.path)!r} has store format {found!r}; this version reads up to {FORMAT}: upgrade zounds_lite"
            )

    def _record_file(self, _id: str) -> Path:
        name = hashlib.blake2b(check_id(_id).encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
        return self.path / "records" / name[:2] / f"{name}.record"

    def _write(self, file: Path, data: bytes) -> None:
        aside = file.with_name(f"{owner_tag()}-{threading.get_ident()}.part")
        with full_disk(self.path):
            file.parent.mkdir(parents=True, exist_ok=True)
            with open(aside, "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            os.replace(aside, file)
            sync_folder(file.parent)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Let one writer in, over threads and, where the system has file locks, over processes."""
        with GATE.shared(), self._lock:
            try:
                lock = open(self.path / "lock", "ab")  # noqa: SIM115 - entered below
            except PermissionError as error:
                raise StoreLocked(f"{str(self.path)!r} is read-only for this user") from error
            with lock:
                if os.name == "posix":
                    import fcntl

                    fcntl.flock(lock, fcntl.LOCK_EX)
                yield

    def get(self, _id: str) -> bytes | None:
        try:
            return self._record_file(_id).read_bytes()
        except FileNotFoundError:
            return None

    def change(self, changes: Mapping[str, Change]) -> None:
        with self._writing():
            olds = {_id: self.get(_id) for _id in changes}
            news = {_id: change(olds[_id]) for _id, change in changes.items()}
            for _id, new in news.items():
                if new is None:
                    self._record_file(_id).unlink(missing_ok=True)
                else:
                    self._write(self._record_file(_id), new)
            for _id, new in news.items():
                for name in released_blobs(olds[_id], new):
                    self._blobs.remove(name)

    def iter_ids(self) -> Iterator[str]:
        for path in sorted((self.path / "records").glob("*/*.record")):
            try:
                _id = _id_in(path)
            except FileNotFoundError:  # deleted since the listing
                continue
            except CorruptValue as error:
                _log.warning("a document was passed over: %s", error)
                continue
            yield _id

    def __len__(self) -> int:
        return sum(1 for _ in (self.path / "records").glob("*/*.record"))

    def create_blob(self) -> BlobWriter:
        return self._blobs.create()

    def open_blob(self, name: str) -> np.ndarray:
        return self._blobs.open(name)

    def remove_blob(self, name: str) -> None:
        self._blobs.remove(name)

    def __reduce__(self) -> Any:
        return type(self), (str(self.path), self.key_builder, self.createdirs)

    def __repr__(self) -> str:
        return f"FileSystemDatabase({str(self.path)!r})"


def _id_in(path: Path) -> str:
    with open(path, "rb") as file:
        return read_id(lambda start, stop: file.read(stop - start), str(path))
