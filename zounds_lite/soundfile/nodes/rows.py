"""Encoded audio that can be read from anywhere, with decoders that stay open.

Goal: a second out of an hour of compressed audio costs what the second costs, again and again. Conventions: samples are
counted from the start of the recording, or of the segment of it that is read. A file that changed on disk is opened
anew. Class: ``AudioRows``; functions ``open_rows``, ``lent_reader``.
"""

import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from zounds_lite._span import Span
from zounds_lite.featureflow import Rows
from zounds_lite.media import AudioReader
from zounds_lite.soundfile.segments import clipped
from zounds_lite.timeseries import AudioSamples, audio_sample_rate

__all__ = ["AudioRows", "lent_reader", "open_rows"]

_MOST_OPEN = 32
"""Files that are kept open at once in a process."""


class _Reader:
    """A decoder that is closed with the last one who holds it, or at the end of the program."""

    def __init__(self, source: Any, *arguments: Any) -> None:
        self.audio = AudioReader(source, *arguments)
        weakref.finalize(self, self.audio.close)


class _OpenFiles:
    """The decoders of the files that were read last, each by what it decodes and how."""

    def __init__(self) -> None:
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_again)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._readers: OrderedDict[tuple[Any, ...], _Reader] = OrderedDict()

    def _begin_again(self) -> None:
        """Leave to the parent what it opened: positions in files are shared with it, and locks may be held for ever."""
        self._of_the_parent = self._readers  # closing them would wait for such a lock
        self._begin()

    def get(self, path: str, *arguments: Any) -> _Reader:
        """Return the decoder of a file, opened now if it is not open yet, or not as the file is now."""
        key = _key(path, *arguments)
        with self._lock:
            reader = self._readers.get(key)
            if reader is None:
                reader = _Reader(path, *arguments)
            self._keep(key, reader)
        return reader

    def _keep(self, key: tuple[Any, ...], reader: _Reader) -> None:
        self._readers[key] = reader
        self._readers.move_to_end(key)
        while len(self._readers) > _MOST_OPEN:
            self._readers.popitem(last=False)

    @contextmanager
    def lent(self, path: str, *arguments: Any) -> Iterator[AudioReader]:
        """Lend a decoder of a file that nobody else uses meanwhile; one that met an error is not lent again."""
        key = ("alone", *_key(path, *arguments))
        with self._lock:
            reader = self._readers.pop(key, None)
        if reader is None:
            reader = _Reader(path, *arguments)
        yield reader.audio
        with self._lock:
            self._keep(key, reader)


def _key(path: str, *arguments: Any) -> tuple[Any, ...]:
    """Return what tells a file as it is now, and how it is decoded, from all others."""
    now = os.stat(path)
    return (os.path.abspath(path), now.st_size, now.st_mtime_ns, now.st_ino, *arguments)


_OPEN_FILES = _OpenFiles()


def lent_reader(path: str, *arguments: Any) -> AbstractContextManager[AudioReader]:
    """Lend a decoder that stays open for the next segment of the same file.

    Args:
        path (str): the file.
        arguments (Any): how to decode: dtype, damaged, limits, mono, as for ``AudioReader``.
    """
    return _OPEN_FILES.lent(path, *arguments)


class AudioRows(Rows):
    """The samples of a recording, decoded where they are read.

    Args:
        source (str | BinaryIO): a path, or a seekable file.
        arguments (Any): how to decode: dtype, damaged, limits, mono, as for ``AudioReader``.
        span (Span | None): the segment of the recording whose samples these are; None: all of it.
    """

    def __init__(self, source: Any, *arguments: Any, span: Span | None = None) -> None:
        self._source, self._arguments, self._span = source, arguments, span
        # a file object has one position, which two decoders would fight for, unless it can be had again
        self.can_part = isinstance(source, str) or hasattr(source, "again")
        self._kept = None if isinstance(source, str) else _Reader(source, *arguments)
        info = self._reader.audio.info
        self._rate, self._is_flat = audio_sample_rate(info.samplerate), info.channels == 1
        frames = info.frames or 0
        self._first, stop = (0, frames) if span is None else clipped(span, info.samplerate, frames)
        self.size = (stop or 0) - self._first

    @property
    def _reader(self) -> _Reader:
        return self._kept or _OPEN_FILES.get(self._source, *self._arguments)

    def apart(self) -> "AudioRows":
        other = AudioRows(self._source, *self._arguments, span=self._span)
        other._kept = _Reader(self._source, *self._arguments)
        return other

    def read(self, start: int, stop: int) -> AudioSamples:
        reader = self._reader  # held while it reads: others may push it out of the open files meanwhile
        first = self._first + min(start, self.size)  # behind a segment the recording goes on
        block = reader.audio.read(first, max(first, self._first + min(stop, self.size)))
        return AudioSamples(block.reshape(-1) if self._is_flat else block, self._rate)

    @property
    def example(self) -> AudioSamples:
        """No samples at all, which takes no decoding."""
        return self.read(0, 0)


def open_rows(chunk: Any, *arguments: Any) -> AudioRows | None:
    """Open the recording that a chunk of bytes names.

    Args:
        chunk (Chunk | None): the first chunk of the recording.
        arguments (Any): how to decode: dtype, damaged, limits, mono, as for ``AudioReader``.

    Returns:
        AudioRows | None: None where the bytes name no source, or one whose length is not known, or a segment of it
            that holds no samples.
    """
    source = getattr(chunk, "source", None)
    if source is None:
        return None
    rows = AudioRows(source, *arguments, span=getattr(chunk, "span", None))
    return rows if rows.size else None
