"""Files that are complete or not there, of which what came is kept until the rest comes.

``sound.wav`` comes into ``.sound.wav.part``, beside which ``.sound.wav.part.json`` says which version of which URL it
is; once complete it is synced to the disk and renamed. Two processes never write one such file: the second one takes
one of its own. Class: ``Partial``.
"""

import contextlib
import hashlib
import json
import os
import uuid
from pathlib import Path
from typing import Any, BinaryIO, Self

from zounds_lite.errors import FetchError
from zounds_lite.featureflow.downloads import Download
from zounds_lite.featureflow.masking import masked
from zounds_lite.featureflow.stores.folders import is_same_file, sync_folder
from zounds_lite.featureflow.stores.leases import owner_tag
from zounds_lite.featureflow.stores.locks import lock_file

__all__ = ["Partial"]

_LONGEST_NAME = 200
_LONGEST_NOTE = 64 * 1024


class Partial:
    """A file that is being fetched; used as a context, at whose end it is gone unless ``complete`` was called.

    What came stays for another attempt where an error may pass, or the program was interrupted.

    Args:
        path (str | Path): where it stands once complete; a file that stands there is replaced.
        url (str): where it comes from.
        checksum (str | None): of the whole.
    """

    def __init__(self, path: str | os.PathLike[str], url: str, checksum: str | None) -> None:
        self.path = Path(path)
        self._note = {
            # not the URL itself, which may hold a secret that changes
            "url": hashlib.sha256(masked(url).encode("utf-8", "surrogatepass")).hexdigest(),
            "checksum": checksum,
            "boot": owner_tag().split("-")[1],
        }
        self._download: Download | None = None
        self._is_shared = False

    def __enter__(self) -> Self:
        name = self.path.name
        if len(os.fsencode(name)) > _LONGEST_NAME:
            name = hashlib.sha256(os.fsencode(name)).hexdigest()
        self.part = self.path.with_name(f".{name}.part")
        self.file = self._opened() or self._opened_apart(name)
        self.note = self.part.with_name(self.part.name + ".json")
        return self

    def _opened(self) -> BinaryIO | None:
        """Open the file that all processes know, if no other one is writing it."""
        while True:
            file = os.fdopen(os.open(self.part, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666), "r+b")
            if not lock_file(file.fileno(), wait=False):
                file.close()
                return None
            if is_same_file(file.fileno(), self.part):  # else it was finished while we waited for nothing
                return file
            file.close()

    def _opened_apart(self, name: str) -> BinaryIO:
        self._is_shared = True
        self.part = self.path.with_name(f".{name}.{uuid.uuid4().hex}.part")
        return open(self.part, "x+b")

    def download(self, limit: int) -> Download:
        """Return the download into the file, which goes on with what an earlier one left."""
        found = self._download = Download(self.file, limit, self._note["checksum"], self._begins)
        size = self.file.seek(0, os.SEEK_END)
        self.file.seek(0)
        note = self._read_note() if size else None
        if note is not None:
            found.go_on(size, note["total"], note["validator"])
        elif size:
            found.restart()
        return found

    def _read_note(self) -> dict[str, Any] | None:
        """Return what is known of the bytes that are there; None where they are of no use."""
        try:
            with open(self.note, "rb") as file:
                note = json.loads(file.read(_LONGEST_NOTE))
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(note, dict) or not isinstance(note.get("validator"), str):
            return None
        if not isinstance(note.get("total"), int | None) or isinstance(note["total"], bool):
            return None
        # what was written before the machine stopped may not all have reached the disk; only a checksum tells
        same = ("url", "checksum") if self._note["checksum"] else ("url", "checksum", "boot")
        return note if all(note.get(key) == self._note[key] for key in same) else None

    def _begins(self, download: Download) -> None:
        if self._is_shared or not (download.validator or download.checksum):
            self.note.unlink(missing_ok=True)
            return
        note = {**self._note, "validator": download.validator, "total": download.total}
        self.note.write_text(json.dumps(note), "ascii")

    def complete(self) -> None:
        """Make the file durable and give it its name."""
        self.file.flush()
        os.fsync(self.file.fileno())
        if os.name == "nt":  # no open file can be renamed there
            self.file.close()
        os.replace(self.part, self.path)
        sync_folder(self.path.parent)
        self.note.unlink(missing_ok=True)

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is not None and not self._is_worth_keeping(error):
            for left in (self.note, self.part):
                with contextlib.suppress(OSError):
                    left.unlink()
        with contextlib.suppress(OSError):  # a full disk, which has been said already
            self.file.close()

    def _is_worth_keeping(self, error: BaseException) -> bool:
        if self._is_shared or self._download is None or not self._download.can_go_on:
            return False
        return not isinstance(error, FetchError) or bool(getattr(error, "passing", False))
