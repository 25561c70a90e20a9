"""The notes of NSynth, as they are published. Class: ``NSynth``."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from zounds_lite._declared import Declared
from zounds_lite.datasets.cache import PreDownload, ensure_local_file
from zounds_lite.datasets.remote import RemoteDataset, check_base, naming, recording, url_of
from zounds_lite.datasets.tarred import members
from zounds_lite.errors import DatasetError, DeclarationError
from zounds_lite.soundfile import AudioMetaData

__all__ = ["NSynth"]

_SPLITS = ("train", "valid", "test")
_LARGEST = {".wav": 16 * 2**20, "examples.json": 4 * 2**30}
_SAID = {
    "channels": 1,
    "licensing": "https://creativecommons.org/licenses/by/4.0/",
    "web_url": "https://magenta.tensorflow.org/datasets/nsynth",
}
_log = logging.getLogger(__name__)


class NSynth(RemoteDataset, Declared):
    """The four-second notes of NSynth, each with what is known of it: pitch, velocity, instrument, qualities, ...

    Takes the folder ``nsynth-SPLIT`` in ``path``, where somebody has unpacked it; else reads the published archive in
    one pass, without unpacking it, and fetches it first where it is missing (the valid split is 1 GB; the train split
    needs ``Fetcher(max_bytes=..., total_timeout=...)``). A fetch that ends early goes on in the next call. Items of a
    folder have the path of their file as ``uri``; items of the archive hold their bytes and have the id
    ``nsynth:SPLIT/NOTE``.

    Args:
        path (str | Path): the folder where the archive is, or is to be.
        split (str): ``"train"``, ``"valid"`` or ``"test"``.
        fetcher (Fetcher | None): fetches the archive; None for ``default_fetcher()``.
        base_url (str): where it is published.
        attrs: put on each item; they go before what NSynth says.

    Raises:
        DeclarationError: there is no such split, or an argument is of the wrong kind.
        DatasetError: on iteration: the archive is damaged.
        FetchError: on iteration: the archive could not be fetched.

    Examples:
        >>> NSynth("nsynth", split="test")
        NSynth(path='nsynth', split='test')
    """

    def __init__(
        self,
        path: Any,
        split: str = "valid",
        *,
        fetcher: Any = None,
        base_url: str = "https://storage.googleapis.com/download.magenta.tensorflow.org/datasets/nsynth",
        **attrs: Any,
    ) -> None:
        self.__dict__["attributes"] = attrs
        super().__init__(path=os.fspath(path), split=split, fetcher=fetcher, base_url=base_url)

    path: str
    split: str

    def validate(self) -> None:
        if self.split not in _SPLITS:
            raise DeclarationError(f"split={self.split!r}; allowed: {', '.join(map(repr, _SPLITS))}")
        if "uri" in self.attributes:
            raise DeclarationError("uri= is where each note is, which NSynth says; leave it out")
        check_base(self.base_url)

    def __iter__(self) -> Iterator[AudioMetaData]:
        folder = self._folder()
        if folder is not None:
            for name, note in self._read(folder / "examples.json").items():
                yield self._item(str(folder / "audio" / f"{name}.wav"), note)
            return
        archive = self._archive()
        notes = self._notes(archive)
        for path, data in members(archive, ".wav", _LARGEST[".wav"]):
            name = PurePosixPath(path).stem
            if name in notes:
                yield self._item(PreDownload(data, f"nsynth:{self.split}/{name}"), notes[name])
            else:
                _log.warning("%r: passed over %r, of which examples.json does not know", self, path)

    def __len__(self) -> int:
        folder = self._folder()
        if folder is not None:
            return len(self._read(folder / "examples.json"))
        if not self._archive_path().exists():
            raise TypeError(f"{self!r} has no length before its archive is fetched; iterate over it")
        return len(self._notes(self._archive_path()))

    def _folder(self) -> Path | None:
        """The folder of an unpacked archive, if there is one."""
        here = (Path(self.path, f"nsynth-{self.split}"), Path(self.path))
        return next((folder for folder in here if (folder / "examples.json").is_file()), None)

    def _archive_path(self) -> Path:
        return Path(self.path, f"nsynth-{self.split}.jsonwav.tar.gz")

    def _archive(self) -> Path:
        with naming(self):
            url = url_of(self.base_url, self._archive_path().name)
            return Path(ensure_local_file(url, self.path, fetcher=self.fetcher))

    def _notes(self, archive: Path) -> dict[str, Any]:
        """What is known of the notes. Where that stands behind the sounds, it is found once and kept beside them."""
        kept = archive.with_name(f"nsynth-{self.split}.examples.json")
        if kept.is_file() and kept.stat().st_mtime_ns >= archive.stat().st_mtime_ns:
            return self._read(kept)
        for _, data in members(archive, "examples.json", _LARGEST["examples.json"]):
            notes = self._checked(data, archive)
            with suppress(OSError):  # a folder that cannot be written to: it is looked for again
                whole = kept.with_name(f".{kept.name}.{os.getpid()}")
                whole.write_bytes(data)
                whole.replace(kept)
            return notes
        raise DatasetError(f"{self!r}: {str(archive)!r} holds no examples.json; remove it, so that it is fetched anew")

    def _read(self, path: Path) -> dict[str, Any]:
        return self._checked(path.read_bytes(), path)

    def _checked(self, data: bytes, path: Path) -> dict[str, Any]:
        try:
            notes = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"{self!r}: examples.json in {str(path)!r} is no JSON: {error}") from error
        if not isinstance(notes, dict) or not all(isinstance(note, dict) for note in notes.values()):
            raise DatasetError(f"{self!r}: examples.json in {str(path)!r} does not describe notes by their names")
        return notes

    def _item(self, uri: Any, note: dict[str, Any]) -> AudioMetaData:
        return recording(uri, {**_SAID, "samplerate": note.get("sample_rate"), **note}, self.attributes)
