"""Which samples of a recording a document is made from, where it is made from a stretch of it.

Goal: a document of a segment holds exactly the samples that slicing the whole, decoded recording would give, and
reads no more than it must. Conventions: a segment is a ``Span`` in picoseconds, frames are counted from the start of
the recording, and what lies outside of it is clipped, as arrays do. Functions: ``clipped``, ``frames_of``,
``read_segment``.
"""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite._span import PICOSECONDS, Span
from zounds_lite.errors import EmptyAudio
from zounds_lite.media import BLOCK, AudioReader
from zounds_lite.timeseries import TimeDimension, audio_sample_rate

__all__ = ["clipped", "frames_of", "read_segment"]

_LEAST, _MOST = 2 * BLOCK, 12 * BLOCK
"""Frames of a chunk. They grow with the recording: the chunks of a short one stay in the processor's cache and soon run
ahead, those of a long one seldom wait for Python. With more than two channels they are no larger in bytes."""


def clipped(span: Span, rate: int, frames: int | None) -> tuple[int, int | None]:
    """Return the first frame of a segment and the one behind its last, clipped to the recording; may be empty.

    Args:
        span (Span): the segment.
        rate (int): of the recording, hertz.
        frames (int | None): its length; None where it is not known.

    Examples:
        >>> clipped(Span(PICOSECONDS, 3 * PICOSECONDS), 8000, 20000), clipped(Span(PICOSECONDS), 8000, None)
        ((8000, 20000), (8000, None))
    """
    wanted = TimeDimension.from_rate(audio_sample_rate(rate)).integer_based_slice(span)
    if frames is None:
        return wanted.start, wanted.stop
    first, stop, _ = wanted.indices(frames)
    return first, max(first, stop)


def frames_of(span: Span, rate: int, frames: int | None, source: Any) -> tuple[int, int | None]:
    """Return the same as ``clipped``, of a segment that holds samples.

    Args:
        span, rate, frames: as for ``clipped``.
        source (Any): the recording, to be named in an error.

    Raises:
        EmptyAudio: it holds none; the message says how long the recording is.
    """
    first, stop = clipped(span, rate, frames)
    if stop is not None and first >= stop:
        raise _empty(span, rate, frames, source)
    return first, stop


def _empty(span: Span, rate: int, frames: int | None, source: Any) -> EmptyAudio:
    name = repr(os.fspath(source)) if isinstance(source, (str, os.PathLike)) else "the recording"
    until = "its end" if span.stop is None else f"{span.stop / PICOSECONDS:.12g} s"
    length = "" if frames is None else f"; {name} lasts {frames / rate:.12g} s ({frames} frames at {rate} Hz)"
    return EmptyAudio(
        f"the segment of {name} from {span.start / PICOSECONDS:.12g} s to {until} holds no samples{length}; "
        "allowed: a segment that begins before the end"
    )


def read_segment(reader: AudioReader, span: Span | None, source: Any, is_kept: bool = False) -> Iterator[np.ndarray]:
    """Decode a segment of a recording, block by block.

    Args:
        reader (AudioReader): the recording.
        span (Span | None): the segment; None: all of it.
        source (Any): the recording, to be named in an error.
        is_kept (bool): what is damaged is kept, so that only a reading from the start shows where the recording ends.

    Raises:
        EmptyAudio: it holds no samples.
    """
    info = reader.info
    most = min(_MOST, 2 * _MOST // max(1, info.channels))
    if span is None:
        yield from reader.blocks(block=_LEAST, most=most)
        return
    first, stop = frames_of(span, info.samplerate, info.frames, source)
    if info.frames is not None and not is_kept:
        yield from reader.blocks(first, stop, _LEAST, most)
        return
    at = 0
    for block in reader.blocks(0, stop, _LEAST, most):
        at += len(block)
        if at > first:
            yield block[max(0, first - at + len(block)) :]
    if at <= first and not reader.marks:
        raise _empty(span, info.samplerate, at, source)
