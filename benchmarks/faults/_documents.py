"""Documents that the rows write and read, and what their values must be.

A ``Sound`` is decoded from a real file, whose first two samples tell its number and attempt; a ``Numbers`` is made
from a number and an attempt alone. Each value tells which attempt it belongs to, so that a mixture is seen.
"""

import fcntl
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.featureflow.record import Record
from zounds_lite.persistence import ArrayWithUnitsFeature, AudioSamplesFeature
from zounds_lite.soundfile import AudioMetaDataEncoder, AudioStream, MetaData

__all__ = ["LARGE", "Numbers", "Sound", "content", "digest", "kept_in", "leftovers", "sound_file", "stored_in"]

LARGE = (1 << 18) + (1 << 12)
"""Samples whose float32 values need a blob."""


class Label(ff.Node):
    """Yields the number and attempt that the first two samples tell, once the whole stream was read."""

    def _first_chunk(self, data: Any) -> Any:
        self._label = [round(float(sample) * 32768) for sample in np.asarray(data).reshape(-1)[:2]]
        return data

    def _process(self, data: Any) -> Iterator[Any]:
        yield from ()

    def _last_chunk(self) -> Iterator[Any]:
        yield self._label


class Sound(ff.BaseModel):
    """A recording: its samples, which are a blob where it is long, and small values."""

    meta = ff.JSONFeature(MetaData, store=True, encoder=AudioMetaDataEncoder)
    raw = ff.ByteStreamFeature(ff.ByteStream, needs=meta, store=False)
    pcm = AudioSamplesFeature(AudioStream, needs=raw, store=True)
    peak = ArrayWithUnitsFeature(lambda samples: np.abs(samples[:1000]), needs=pcm, store=True)
    label = ff.JSONFeature(Label, needs=pcm, store=True)


def sound_file(folder: Path, number: int, attempt: int, frames: int) -> Path:
    """Write a recording, if it is not there, and return its path."""
    import soundfile

    path = folder / f"{number}-{attempt}.wav"
    if not path.exists():
        samples = np.random.default_rng([number, attempt]).integers(-(2**14), 2**14, frames).astype(np.int16)
        samples[:2] = number, attempt
        soundfile.write(path, samples, 44100)
    return path


class Rows(ff.Node):
    """Yields rows that hold nothing but the number and the attempt, in several chunks; as bytes where asked."""

    def __init__(self, rows: int = 4, as_bytes: bool = False, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.rows = rows
        self.as_bytes = as_bytes

    def _process(self, spec: Any) -> Iterator[Any]:
        for _ in range(4):
            rows = np.full((self.rows // 4, 2), spec, "<i4")
            yield rows.tobytes() if self.as_bytes else rows


class Numbers(ff.BaseModel):
    """Values made from ``[number, attempt]``: JSON, a few rows, rows that need a blob, bytes that need one."""

    spec = ff.Feature(ff.Node, store=False)
    label = ff.JSONFeature(lambda spec: list(spec), needs=spec, store=True)
    small = ff.NumpyFeature(Rows, rows=200, needs=spec, store=True)
    large = ff.NumpyFeature(Rows, rows=LARGE // 2, needs=spec, store=True)
    packed = ff.Feature(Rows, rows=LARGE // 2, as_bytes=True, needs=spec, store=True)
    lazy = ff.JSONFeature(lambda rows: rows[-1].tolist(), needs=small, store=False)


def stored_in(path: Any, document: Any, map_size: float | None = None) -> Any:
    """Return the document class with an LMDB store at ``path``, taking ids from its caller."""
    return zounds.simple_lmdb_settings(path, map_size=map_size, user_supplied_id=True)(document)


def kept_in(database: Any, document: Any) -> Any:
    """Return the document class with a store, taking ids from its caller."""

    class Settings(ff.PersistenceSettings):
        id_provider = ff.UserSpecifiedIdProvider("_id")

    Settings.database = database
    return type(document.__name__, (document, Settings), {})


def digest(value: Any) -> str:
    """Hash a value as its reader gets it: type, units and content."""
    if isinstance(value, np.ndarray):
        head = f"{value.dtype} {value.shape} {getattr(value, 'dimensions', '')}"
        return xxhash.xxh3_64_hexdigest(head.encode() + np.ascontiguousarray(value).tobytes())
    if isinstance(value, zounds.AudioMetaData):
        value = value.parameters
    return xxhash.xxh3_64_hexdigest(json.dumps(value, sort_keys=True, default=str).encode())


def content(document: Any, _id: str, without: Iterable[str] = ("meta",)) -> dict[str, str]:
    """Hashes of all stored values of a document; '' for one that is not there.

    Args:
        document (type[BaseModel]): its class.
        _id (str): which one.
        without (Iterable[str]): features to leave out: by default what names the file it was made from.

    Raises:
        KeyNotFound: there is no such document.
    """
    names = [name for name, feature in document.features.items() if feature.store]
    entries = document.database.read(_id).entries  # asking the document would compute what is missing
    missing = {name: "" for name in names if document.features[name].key not in entries}
    found = document(_id)
    return missing or {name: digest(getattr(found, name)) for name in names if name not in without}


def leftovers(database: Any) -> list[str]:
    """Files below ``blobs`` that nothing needs: blobs that no record names, unfinished ones, leases of the dead."""
    named: set[str] = set()
    for _id in list(database):
        raw = database.get(_id)
        named |= Record.from_bytes(raw).blobs if raw is not None else set()
    files = [file for file in (Path(database.path) / "blobs").rglob("*") if file.is_file()]
    return [
        f"{file.name} ({file.stat().st_size} bytes)"
        for file in sorted(files)
        if not (file.suffix == ".blob" and file.stem in named) and not (file.suffix == ".lease" and _is_held(file))
    ]


def _is_held(lease: Path) -> bool:
    with open(lease, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
