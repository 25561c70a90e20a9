"""Frames of labelled clips in one file, for learning: ``export_frames``.

Goal: the pre-processing of an energy-based auto-encoder (``clip_frames`` says what is computed), for corpora of any
size: one clip in memory for each process, several processes, and a job that goes on where it was ended. Conventions:
arrays ``Xa``, ``Xs``, ``Xn`` [genre, clip, frame, 2, n], float32; genres in the order of their labels, clips in that of
the dataset. Function: ``export_frames``.
"""

import os
from collections.abc import Generator, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from zounds_lite._declared import digest
from zounds_lite.datasets.exports.clip_frames import ClipFrames, ClipResult, name_of
from zounds_lite.datasets.exports.frame_arrays import Arrays, Layout, begun, finished, kind_of
from zounds_lite.datasets.exports.frame_process import FramePool
from zounds_lite.datasets.exports.report import ExportReport
from zounds_lite.datasets.failed import FailedItem
from zounds_lite.datasets.hdf5_clips import HDF5Clip
from zounds_lite.datasets.report import Failure
from zounds_lite.errors import DeclarationError, EmptyDataset, InvalidItem, OutputError
from zounds_lite.soundfile import AudioMetaData

__all__ = ["export_frames"]


class _Clip(NamedTuple):
    source: Any
    name: str
    genre: int
    number: int


def export_frames(
    dataset: Iterable[Any],
    path: Any,
    plan: ClipFrames | None = None,
    samples: int | None = None,
    compression: str | None = None,
    workers: int = 1,
    progress: bool = True,
) -> ExportReport:
    """Write frames, constant-Q magnitudes and their local contrast, of all clips of a labelled dataset.

    It may be ended at any time, also by force; the same call then goes on. A clip is in the file whole or not at all,
    and the file has its own name only when it is complete. What was complete before is left as it is.

    Args:
        dataset (Iterable[AudioMetaData]): clips on disk or in an HDF5 file, each with a ``label``: ``GTZAN(path)``.
        path (str | Path): an HDF5 file (``.h5``, ``.hdf5``), or a name without a suffix: a folder of ``.npy`` files,
            which needs no h5py.
        plan (ClipFrames | None): what is computed; None: frames of 1024 samples at 22,050 Hz, and 96 quarter tones.
        samples (int | None): how many samples to use of each clip, at the sample rate of the plan; shorter clips fail.
            None: all, and all clips must be as long as the first one.
        compression (str | None): ``"gzip"`` or ``"lzf"``, of an HDF5 file; it needs the room for an uncompressed one
            until the end.
        workers (int): processes; this one writes. 1 does all of the work here.
        progress (bool): show a bar on stderr, if that is a terminal.

    Returns:
        ExportReport: what became of each clip. One that cannot be read fails alone; its numbers are 0.

    Raises:
        EmptyDataset: there is no clip.
        InvalidItem: no clip at all can be read; the message is the reason of the first one. Or clips of different
            lengths, and no ``samples``.
        DeclarationError: an argument out of range, an item without a label, or one that is not on disk.
        OutputError: the file cannot be written, or was made of other clips or with other settings.
        OptionalDependencyError: h5py is missing.

    See Also:
        open_frames: reads it. LocalContrastNormalization, CQT: the same as features of documents.

    Sources:
        M. Henaff, K. Jarrett, K. Kavukcuoglu, Y. LeCun, "Unsupervised learning of sparse features for scalable audio
        classification", ISMIR 2011.
    """
    target, plan = Path(os.path.abspath(path)), plan or ClipFrames()
    kind_of(target, compression)
    if samples is not None and (isinstance(samples, bool) or not isinstance(samples, int) or samples < 1):
        raise DeclarationError(f"samples={samples!r}; allowed: a number of samples, at least 1, or None")
    report = ExportReport(str(path), "clip")
    pool = FramePool(plan, workers)
    labels, clips = _numbered(dataset, report)
    job = digest([plan.to_dict(), samples, labels, [_state(clip) for clip in clips]])
    if target.exists():
        _look_at(target, job, clips, report)
        return report
    with pool:
        first, exact = _length(plan, clips, samples, report)
        layout = Layout(
            plan.samplerate, labels, 1 + max(clip.number for clip in clips), plan.count(first), plan.widths, job,
            plan.to_dict(),
        )  # fmt: skip
        arrays = begun(target, layout)
        try:
            _fill(arrays, clips, pool.results, first, exact, report, progress)
        finally:
            arrays.close()
    finished(target, compression)
    return report


def _numbered(dataset: Iterable[Any], report: ExportReport) -> tuple[tuple[str, ...], list[_Clip]]:
    """Give each clip its place; what the dataset says of items that cannot be made goes to the report."""
    by_label: dict[str, list[Any]] = {}
    for item in dataset:
        if isinstance(item, FailedItem):
            report.failed.append(Failure(item.name, f"{type(item.error).__name__}: {item.reason}"))
            continue
        label = getattr(item, "label", None)
        if label is None:
            raise DeclarationError(f"{item!r} has no label; give items with one, such as GTZAN(path)")
        by_label.setdefault(str(label), []).append(_source_of(item))
    if not by_label:
        if report.failed:
            raise InvalidItem(f"no clip can be read; the first: {report.failed[0].id}: {report.failed[0].reason}")
        raise EmptyDataset(f"{dataset!r} has no clips; expected are items with a label, such as those of GTZAN(path)")
    labels = tuple(sorted(by_label))
    clips = [
        _Clip(source, name_of(source), genre, number)
        for genre, label in enumerate(labels)
        for number, source in enumerate(by_label[label])
    ]
    return labels, clips


def _source_of(item: AudioMetaData) -> Any:
    source = item.uri
    is_stretch = getattr(item, "segment", None) is not None
    if not isinstance(source, (str, os.PathLike, HDF5Clip)) or "://" in str(source) or is_stretch:
        raise DeclarationError(
            f"{item!r} is no whole recording on disk; allowed: paths, and clips of an HDF5 file; others can be saved "
            "first: PreDownload, export_clips"
        )
    return source if isinstance(source, HDF5Clip) else os.path.abspath(source)


def _state(clip: _Clip) -> list[Any]:
    """Return what tells a clip from another one, or from itself before a change."""
    file = clip.source.path if isinstance(clip.source, HDF5Clip) else clip.source
    try:
        found = os.stat(file)
    except OSError:
        return [clip.name, clip.genre, None]
    return [clip.name, clip.genre, [found.st_size, found.st_mtime_ns]]


def _length(plan: ClipFrames, clips: list[_Clip], samples: int | None, report: ExportReport) -> tuple[int, bool]:
    """Return how many samples are used of each clip, and whether all must have exactly as many."""
    if samples is not None:
        if not plan.count(samples):
            raise DeclarationError(f"samples={samples!r} is not a single frame; needed: {3 * plan.frame // 2} or more")
        return samples, False
    reasons = []
    for clip in clips:
        result = plan.compute(clip.source, frames=False)
        if not result.reason and result.samples is not None:
            return result.samples, True
        reasons.append(f"{clip.name}: {result.reason}")
    raise InvalidItem(f"no clip can be read; the first: {reasons[0]}")


def _fill(
    arrays: Arrays, clips: list[_Clip], results: Any, samples: int, exact: bool, report: ExportReport, progress: bool
) -> None:
    from tqdm import tqdm

    missing = [clip for clip in clips if not arrays.done[clip.genre, clip.number]]
    report.kept = [clip.name for clip in clips if arrays.done[clip.genre, clip.number]]
    found: Generator[ClipResult, None, None] = results((clip.source for clip in missing), samples)
    # disable=None: silent where stderr is no terminal
    bar = tqdm(missing, unit="clip", initial=len(report.kept), total=len(clips), disable=None if progress else True)
    with closing(found):
        for clip, result in zip(bar, found, strict=True):
            _take(arrays, clip, result, samples, exact, report)


def _take(arrays: Arrays, clip: _Clip, result: ClipResult, samples: int, exact: bool, report: ExportReport) -> None:
    """Write what came of a clip."""
    if exact and result.samples not in (None, samples):
        raise InvalidItem(
            f"{clip.name} has {result.samples:,} samples, and the first clip has {samples:,}; to use as many of "
            f"each: samples={min(result.samples or 0, samples)} (--samples), or less"
        )
    if result.reason:
        report.failed.append(Failure(clip.name, result.reason))
        return
    try:
        arrays.write(clip.genre, clip.number, result.arrays)
    except OSError as error:
        raise OutputError(f"{report.path!r} cannot be written: {error}; the same call goes on") from error
    report.written.append(clip.name)


def _look_at(target: Path, job: str, clips: list[_Clip], report: ExportReport) -> None:
    """Report what is complete already."""
    arrays = kind_of(target)(target)
    try:
        if arrays.layout.job != job:
            raise OutputError(
                f"{str(target)!r} is there, made of other clips or with other settings; delete it, or choose another "
                "name"
            )
        for clip in clips:
            if arrays.done[clip.genre, clip.number]:
                report.kept.append(clip.name)
            else:
                report.failed.append(Failure(clip.name, "it failed when the file was made; delete that to try again"))
    finally:
        arrays.close()
