"""Stretches of documents as files of their own, with a table of what each is: ``export_clips``.

Goal: sounds for listening tests, other programs, or a labelled corpus. Conventions: one folder; names that begin with
that of the recording; ``clips.csv`` says for each file its document, where it starts, how long it is, and the metadata
of the document, so that ``Manifest`` reads the folder as a dataset.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from zounds_lite._declared import describe_argument
from zounds_lite._declared.values import picoseconds
from zounds_lite._span import PICOSECONDS
from zounds_lite.datasets.exports.chosen import Chosen, choose, metadata_of
from zounds_lite.datasets.exports.label_tables import write_table
from zounds_lite.datasets.exports.replacing import ExportFolder, safe_name
from zounds_lite.datasets.exports.report import ExportReport, reported
from zounds_lite.datasets.manifest import RESERVED
from zounds_lite.datasets.stretches import STRETCH_COLUMNS
from zounds_lite.errors import DeclarationError, KeyNotFound, LineageError
from zounds_lite.media import AudioReader, encode
from zounds_lite.media.formats import formats
from zounds_lite.persistence import AudioSamplesFeature
from zounds_lite.timeseries import AudioSamples, TimeSlice

__all__ = ["export_clips"]

_TABLE = "clips.csv"
_OWN = ("path", "document", "starts_at_s", "lasts_s", "samplerate", "channels")
_TAKEN = {*_OWN, *RESERVED, *STRETCH_COLUMNS}
"""Columns that say something of the clip; what the metadata say under these names, of the recording, gets a ``_``."""

Slices = str | np.timedelta64 | Iterable[TimeSlice] | Callable[[Any], Iterable[TimeSlice]]


def export_clips(
    documents: Any,
    folder: Any,
    slices: Slices | None = None,
    audio: str | None = None,
    fmt: str = "wav",
    subtype: str | None = None,
    quality: float | None = None,
    progress: bool = True,
) -> ExportReport:
    """Write stretches of documents, or all of each, as audio files. The same call goes on where it was ended.

    Only what is written is decoded or computed. Samples are encoded in blocks, whatever the length of a stretch.

    Args:
        documents (type[BaseModel] | Selection): all documents of a class, or those that ``where`` found.
        folder (str | Path): where; empty, missing, or of the same export.
        slices (str | np.timedelta64 | Iterable[TimeSlice] | Callable | None): None: whole documents. A duration:
            stretches of that length, side by side. Slices: the same of each document. The name of a feature: its
            slices, such as those between onsets. A function: what it returns for a document.
        audio (str | None): the feature to write; None: the first one of samples, such as ``pcm``.
        fmt (str): ``"wav"``, ``"flac"``, ``"ogg"``, ``"mp3"`` and others.
        subtype (str | None): encoding, such as ``"PCM_24"``; None: the format's own.
        quality (float | None): 0 (small) to 1 (best), for Vorbis, Opus and MP3.
        progress (bool): show a bar on stderr, if that is a terminal.

    Returns:
        ExportReport: what became of each clip; ``document#n`` where there are several.

    Raises:
        EmptyDataset: there are no documents.
        KeyNotFound: there is no such feature.
        DeclarationError: an unknown format, or slices that are none.
        OutputError: the folder holds something else, or cannot be written.
    """
    if fmt.upper() not in formats():
        raise DeclarationError(f"fmt={fmt!r}; allowed: {', '.join(formats())}")
    chosen, report = choose(documents, ()), ExportReport(str(folder), "clip")
    audio = _audio_of(chosen.model, audio)
    stretches = _stretches(slices)
    job = Chosen(chosen.model, chosen.ids, (audio,)).job("clips", _described(slices), fmt, subtype, quality)
    files = ExportFolder(folder, job)
    rows: list[dict[str, Any]] = []
    for _, document in chosen.documents(report, progress):
        clips: list[TimeSlice | None] = []
        metadata: dict[str, Any] = {}
        with reported(report, document._id):
            clips, metadata = list(stretches(document)), metadata_of(document)
        about = {f"{name}_" if name.casefold() in _TAKEN else name: value for name, value in metadata.items()}
        for clip in _clips(document._id, clips, slices is None, fmt.lower()):
            with reported(report, clip.name):
                rows.append({**about, **_written(document, clip, files, audio, (fmt, subtype, quality), report)})
    names = dict.fromkeys(name for row in rows for name in row if name not in _OWN)
    write_table(files.path / _TABLE, [*_OWN, *names], rows)
    files.finish()
    return report


class _Clip(NamedTuple):
    name: str
    file: str
    timeslice: TimeSlice | None


def _clips(_id: str, slices: list[TimeSlice | None], is_whole: bool, suffix: str) -> Iterator[_Clip]:
    stem = safe_name(_id)
    for number, timeslice in enumerate(slices):
        name = _id if is_whole else f"{_id}#{number}"
        yield _Clip(name, f"{stem}.{suffix}" if is_whole else f"{stem}-{number:05d}.{suffix}", timeslice)


def _audio_of(model: Any, name: str | None) -> str:
    if name is not None:
        return str(model._feature(name).name)
    for found, feature in model.features.items():
        if isinstance(feature, AudioSamplesFeature):
            return str(found)
    raise KeyNotFound(f"{model.__name__} has no feature of samples; name one that has a sound: audio= (--audio)")


def _stretches(slices: Slices | None) -> Callable[[Any], Iterable[TimeSlice | None]]:
    if slices is None:
        return lambda document: [None]
    if callable(slices):
        return slices
    if isinstance(slices, str):
        return lambda document: [
            part if isinstance(part, TimeSlice) else part.timeslice for part in getattr(document, slices)
        ]
    if isinstance(slices, np.timedelta64):
        if picoseconds(slices) <= 0:
            raise DeclarationError(f"stretches of {slices!r}; allowed: durations above zero")
        return lambda document: [TimeSlice.from_span(part.index) for part in document.windows(slices)]
    fixed = list(slices)
    if not all(isinstance(part, TimeSlice) for part in fixed):
        raise DeclarationError(f"slices={slices!r}; allowed: TimeSlices, a duration, a feature's name, or a function")
    return lambda document: fixed


def _described(slices: Slices | None) -> Any:
    if isinstance(slices, str) or slices is None:
        return slices
    if isinstance(slices, np.timedelta64):
        return picoseconds(slices)
    if not callable(slices):
        return [repr(part) for part in slices]
    try:
        return describe_argument(slices)
    except LineageError:  # no source to read, as of functions that were typed into a prompt
        return getattr(slices, "__qualname__", type(slices).__qualname__)


def _written(
    document: Any, clip: _Clip, files: ExportFolder, audio: str, how: tuple[Any, ...], report: ExportReport
) -> dict[str, Any]:
    """Write a clip, unless it is there; return its row of the table."""
    if files.has(clip.file):
        with AudioReader(files.path / clip.file) as reader:
            frames, rate, channels = reader.info.frames, reader.info.samplerate, reader.info.channels
        report.kept.append(clip.name)
    else:
        whole = getattr(document if clip.timeslice is None else document[clip.timeslice], audio)
        sound: AudioSamples = whole if isinstance(whole, AudioSamples) else whole[:]
        frames, rate, channels = len(sound), sound.samples_per_second, sound.channels
        with files.file(clip.file) as path:
            encode(np.asarray(sound), rate, channels, path, *how)
        report.written.append(clip.name)
    start = 0 if clip.timeslice is None else picoseconds(clip.timeslice.start)
    lasts = None if frames is None else frames / rate
    row = (clip.file, document._id, start / PICOSECONDS, lasts, rate, channels)
    return dict(zip(_OWN, row, strict=True))
