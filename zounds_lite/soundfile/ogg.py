"""Encoded audio that is decoded where it is looked at.

Goal: a stored Ogg recording of any length opens at once, and a slice of it costs its own length. Conventions: results
are ``AudioSamples`` in float32, (samples,) for one channel and (samples, channels) for more. Class:
``OggVorbisWrapper``.
"""

from collections.abc import Iterator
from functools import cached_property
from types import TracebackType
from typing import Any, Self

import numpy as np

from zounds_lite.core import display
from zounds_lite.errors import UnitIndexError
from zounds_lite.media import AudioReader
from zounds_lite.timeseries import AudioSamples, TimeDimension, TimeSlice, audio_sample_rate

__all__ = ["OggVorbisWrapper"]


class OggVorbisWrapper:
    """A recording that decodes the slices that it is asked for; safe to use from several threads.

    Index it by a ``TimeSlice``, by a slice of durations or of samples, or by ``[:]``; what lies behind the end is cut.

    Args:
        source (str | Path | bytes | BinaryIO): Ogg Vorbis, or any other audio that can be decoded.

    Raises:
        DecodeError: there is no audio in it that can be decoded.

    Examples:
        >>> import io
        >>> from zounds_lite.media import encode
        >>> from zounds_lite.timeseries import Seconds
        >>> file = io.BytesIO()
        >>> encode(np.zeros(22050), 11025, 1, file, "OGG")
        22050
        >>> ogg = OggVorbisWrapper(file)
        >>> ogg.samplerate, ogg.channels, ogg.duration_seconds
        (11025, 1, 2.0)
        >>> ogg[TimeSlice(Seconds(1))].shape, ogg[Seconds(1):].shape, ogg[100:300].shape, ogg[:].shape
        ((11025,), (11025,), (200,), (22050,))
    """

    def __init__(self, source: Any) -> None:
        self._reader = AudioReader(source)

    @property
    def samplerate(self) -> int:
        """Sample rate, hertz."""
        return self._reader.info.samplerate

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self._reader.info.channels

    @cached_property
    def _frames(self) -> int:
        frames = self._reader.info.frames
        return sum(map(len, self._reader.blocks())) if frames is None else frames

    def __len__(self) -> int:
        return self._frames

    @property
    def duration_seconds(self) -> float:
        """How long the recording lasts."""
        return len(self) / self.samplerate

    @cached_property
    def time_dimension(self) -> TimeDimension:
        """The time axis of the whole recording."""
        return TimeDimension.from_rate(audio_sample_rate(self.samplerate), size=len(self))

    def __getitem__(self, index: TimeSlice | slice) -> AudioSamples:
        wanted = index
        if isinstance(index, TimeSlice) or (isinstance(index, slice) and _holds_durations(index)):
            wanted = self.time_dimension.integer_based_slice(index)
        if not isinstance(wanted, slice) or wanted.step not in (None, 1):
            raise UnitIndexError(
                f"encoded audio cannot be indexed by {index!r}; allowed: a TimeSlice, a slice of durations such as "
                "[Seconds(1):Seconds(2)], or a slice of samples without a step"
            )
        start, stop, _ = wanted.indices(len(self))
        data = self._reader.read(start, max(start, stop))
        return AudioSamples(data[:, 0] if data.shape[1] == 1 else data, audio_sample_rate(self.samplerate))

    def iter_chunks(self, duration: np.timedelta64 | None = None) -> Iterator[AudioSamples]:
        """Yield the recording from its start in chunks of a second; the last one may be shorter, and none is empty.

        Args:
            duration (np.timedelta64 | None): another length of the chunks.
        """
        step = self.samplerate if duration is None else self.time_dimension.samples_in(duration)
        if step < 1:
            raise UnitIndexError(f"chunks of {duration!r} hold no sample; allowed: durations above zero")
        for start in range(0, len(self), step):
            yield self[start : start + step]

    def __iter__(self) -> Iterator[AudioSamples]:
        return self.iter_chunks()

    def close(self) -> None:
        """Release the decoder."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _repr_html_(self) -> str:
        return display.render(self).html

    def __repr__(self) -> str:
        return f"OggVorbisWrapper({self.samplerate} Hz, {self.channels} channels, {self.duration_seconds:.3f} s)"


def _holds_durations(index: slice) -> bool:
    return isinstance(index.start, np.timedelta64) or isinstance(index.stop, np.timedelta64)
