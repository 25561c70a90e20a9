"""Samples of audio.

Goal: audio that knows its rate, is sliced by seconds, and reads, writes and resamples itself. Conventions: (samples,)
or (samples, channels), 1 to 64 channels; values -1 to 1 by convention; any operation whose result is still audio gives
``AudioSamples``. Class: ``AudioSamples``.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from zounds_lite.core import ArrayWithUnits, Dimension, IdentityDimension
from zounds_lite.core.dimension import IDENTITY
from zounds_lite.dsp.framing import frames
from zounds_lite.dsp.resample import resample
from zounds_lite.errors import DimensionError, SampleRateError
from zounds_lite.media import AudioReader, encode, formats, mix_to_mono
from zounds_lite.timeseries.audiorate import AudioSampleRate, audio_sample_rate
from zounds_lite.timeseries.dimension import TimeDimension
from zounds_lite.timeseries.durations import Seconds
from zounds_lite.timeseries.samplerate import SampleRate
from zounds_lite.timeseries.timeslice import TimeSlice

__all__ = ["AudioSamples"]

_MAX_CHANNELS = 64
_SUFFIXES = {"AIF": "AIFF", "AIFC": "AIFF", "OGA": "OGG", "OPUS": "OGG", "SND": "AU"}
_NOT_WRITTEN = ("AAC", "AMR", "M4A", "M4B", "MKA", "MP2", "MP4", "WEBM", "WMA")
"""Suffixes that promise a format which is never written."""


class AudioSamples(ArrayWithUnits):
    """Constant-rate samples of audio: an array whose first axis is time at an audio rate.

    Args:
        array (np.ndarray): (samples,) or (samples, channels), 1 to 64 channels.
        samplerate (AudioSampleRate): the rate, for example ``SR44100()``.

    Raises:
        DimensionError: more than two axes, or not 1 to 64 channels.
        TypeError: samplerate is no audio rate.

    Examples:
        >>> from zounds_lite.timeseries import SR44100
        >>> samples = AudioSamples(np.zeros(44100 * 10), SR44100())
        >>> samples.samples_per_second, samples.channels
        (44100, 1)
        >>> samples[TimeSlice(Seconds(2))].shape
        (88200,)
    """

    def __new__(cls, array: Any, samplerate: AudioSampleRate) -> "AudioSamples":
        """View ``array`` as audio."""
        if not isinstance(samplerate, AudioSampleRate):
            raise TypeError(f"{samplerate!r} is no audio rate; allowed: SR44100() and the like, or AudioSampleRate(hz)")
        data = np.asarray(array)
        if data.ndim not in (1, 2):
            raise DimensionError(f"audio of shape {data.shape}; allowed: (samples,) or (samples, channels)")
        if data.ndim == 2 and not 1 <= data.shape[1] <= _MAX_CHANNELS:
            raise DimensionError(
                f"audio of shape {data.shape} has {data.shape[1]} channels; allowed: 1 to {_MAX_CHANNELS}"
            )
        time = TimeDimension.from_rate(samplerate, size=len(data))
        return cls._view(data, (time,) if data.ndim == 1 else (time, IDENTITY))

    @classmethod
    def _class_for(cls, dimensions: tuple[Dimension, ...], shape: tuple[int, ...]) -> type[ArrayWithUnits]:
        time = dimensions[0]
        is_audio = type(time) is TimeDimension and time.is_audio
        if is_audio and len(dimensions) == 2:
            is_audio = type(dimensions[1]) is IdentityDimension and 1 <= shape[1] <= _MAX_CHANNELS
        return cls if is_audio and len(dimensions) <= 2 else ArrayWithUnits

    def _check_operands(self, arrays: Sequence[ArrayWithUnits]) -> None:
        for other in arrays:
            if isinstance(other, AudioSamples):
                self._check_rate(other)

    def _check_rate(self, other: "AudioSamples") -> None:
        times = self.dimensions[0], other.dimensions[0]
        # either may have lost its units, to another shape or another type of its elements
        if all(isinstance(time, TimeDimension) for time in times) and times[0] != times[1]:
            raise SampleRateError(
                f"audio at {self.samplerate!r} and at {other.samplerate!r} cannot be combined; "
                "bring one to the rate of the other with .resample(rate)"
            )

    @classmethod
    def _check_joinable(cls, first: ArrayWithUnits, other: ArrayWithUnits) -> None:
        if isinstance(first, AudioSamples) and isinstance(other, AudioSamples):
            first._check_rate(other)
        super()._check_joinable(first, other)

    @classmethod
    def from_example(cls, data: Any, example: ArrayWithUnits) -> "AudioSamples":
        """Give ``data`` the rate of ``example``.

        Raises:
            TypeError: the example has no audio rate.
        """
        return cls(data, getattr(example.dimensions[0], "samplerate", None))  # type: ignore[arg-type]  # checked there

    def kwargs(self) -> dict[str, Any]:
        """Return the keywords that, with raw data, make an array like this one."""
        return {"samplerate": self.samplerate}

    # --- what it is -------------------------------------------------------------------------------------------------

    @property
    def time_dimension(self) -> TimeDimension:
        """The time axis."""
        dimension = self.dimensions[0]
        if not isinstance(dimension, TimeDimension):
            raise DimensionError(f"the first axis has lost its units: {dimension!r}")
        return dimension

    @property
    def samplerate(self) -> AudioSampleRate:
        """The rate."""
        rate = self.time_dimension.rate
        assert rate is not None
        return audio_sample_rate(rate)

    @property
    def samples_per_second(self) -> int:
        """Samples per second, exactly."""
        return self.samplerate.rate

    @property
    def duration_in_seconds(self) -> float:
        """How long the audio lasts."""
        return len(self) / self.samples_per_second

    @property
    def frequency(self) -> np.timedelta64:
        """The period from one sample to the next, truncated to picoseconds."""
        return self.time_dimension.frequency

    @property
    def duration(self) -> np.timedelta64:
        """The duration of one sample, truncated to picoseconds."""
        return self.time_dimension.duration

    @property
    def overlap(self) -> np.timedelta64:
        """How long samples overlap: not at all."""
        return self.time_dimension.overlap

    @property
    def span(self) -> TimeSlice:
        """The time that the audio covers, from zero."""
        return self.time_dimension.span

    @property
    def end(self) -> np.timedelta64:
        """Where the audio ends, to the nearest picosecond."""
        return self.time_dimension.end

    @property
    def channels(self) -> int:
        """Number of channels."""
        return 1 if self.ndim == 1 else self.shape[1]

    # --- channels ---------------------------------------------------------------------------------------------------

    @property
    def mono(self) -> "AudioSamples":
        """The mean of the channels, (samples,); audio that is so already is returned as it is.

        Examples:
            >>> from zounds_lite.timeseries import SR8000
            >>> AudioSamples(np.ones((3, 2)), SR8000()).mono
            AudioSamples([1., 1., 1.])
        """
        if self.ndim == 1:
            return self
        if self.channels == 1:
            return self[:, 0]
        data = np.asarray(self)
        return AudioSamples(mix_to_mono(data if data.dtype.kind in "fc" else data.astype(np.float64)), self.samplerate)

    @property
    def stereo(self) -> "AudioSamples":
        """Two channels, (samples, 2); other than stereo audio is mixed to mono and put on both."""
        if self.ndim == 2 and self.channels == 2:
            return self
        return AudioSamples(np.repeat(np.asarray(self.mono)[:, None], 2, axis=1), self.samplerate)

    # --- silence ----------------------------------------------------------------------------------------------------

    @classmethod
    def silence(
        cls, samplerate: AudioSampleRate, duration: np.timedelta64, dtype: DTypeLike = np.float32, channels: int = 1
    ) -> "AudioSamples":
        """Return zeros.

        Args:
            samplerate (AudioSampleRate): the rate.
            duration (np.timedelta64): how long; a part of a sample is dropped.
            dtype (DTypeLike): the type of the samples.
            channels (int): 1 gives (samples,), more give (samples, channels).

        Examples:
            >>> from zounds_lite.timeseries import SR8000
            >>> AudioSamples.silence(SR8000(), Seconds(0.5), channels=2).shape
            (4000, 2)
        """
        if not isinstance(samplerate, AudioSampleRate):
            raise TypeError(f"{samplerate!r} is no audio rate; allowed: SR44100() and the like, or AudioSampleRate(hz)")
        n = max(0, TimeDimension.from_rate(samplerate).integer_based_slice(duration))
        return cls(np.zeros(n if channels == 1 else (n, channels), dtype), samplerate)

    def silence_like(self, duration: np.timedelta64) -> "AudioSamples":
        """Return zeros with the rate, dtype and channels of this audio."""
        n = len(AudioSamples.silence(self.samplerate, duration, np.int8))
        return AudioSamples(np.zeros((n, *self.shape[1:]), self.dtype), self.samplerate)

    def pad_with_silence(self, silence_duration: np.timedelta64 | None = None) -> "AudioSamples":
        """Return the audio followed by silence, a second of it unless told otherwise."""
        silence = self.silence_like(Seconds(1) if silence_duration is None else silence_duration)
        return AudioSamples(np.concatenate([np.asarray(self), np.asarray(silence)]), self.samplerate)

    # --- windows, rates and files -----------------------------------------------------------------------------------

    def sliding_window(self, samplerate: Any, padding: Any = True) -> Any:
        """Cut into windows.

        Args:
            samplerate (SampleRate): how often, and how long. Anything else, and ``padding`` as its step, is taken as in
                ``ArrayWithUnits.sliding_window``.
            padding (bool): fill up a last window with zeros, so that every sample is in one.

        Shape:
            [time, ...] -> [windows, window, ...]

        Examples:
            >>> from zounds_lite.timeseries import SR44100
            >>> AudioSamples(np.ones(44100), SR44100()).sliding_window(SR44100().half_lapped()).shape
            (43, 2048)
        """
        if not isinstance(samplerate, SampleRate):
            return super().sliding_window(samplerate, None if padding is True else padding)
        time = self.time_dimension
        hop, window = samplerate.discrete_samples(time)
        data = frames(np.asarray(self), window, hop)
        if not padding:
            data = data[: max(0, (len(self) - window) // hop + 1)]
        assert time.rate is not None
        notes = {"padding": 0, "n_samples": len(self)} if padding else {}
        windows = TimeDimension.windowed(hop, window, time.rate, **notes)
        return self._rewrap(data, (windows, time.joined(window), *self.dimensions[1:]))

    def resample(self, samplerate: AudioSampleRate | int) -> "AudioSamples":
        """Return the audio at another rate; the same rate returns it as it is.

        Args:
            samplerate (AudioSampleRate | int): the wanted rate.

        Examples:
            >>> from zounds_lite.timeseries import SR8000, SR16000
            >>> AudioSamples(np.zeros(8000, np.float32), SR8000()).resample(SR16000()).shape
            (16000,)
        """
        wanted = samplerate if isinstance(samplerate, AudioSampleRate) else audio_sample_rate(samplerate)
        if wanted == self.samplerate:
            return self
        return AudioSamples(resample(np.asarray(self), self.samplerate.rate, wanted.rate), wanted)

    @classmethod
    def from_file(
        cls, path_or_file: Any, start: np.timedelta64 | None = None, duration: np.timedelta64 | None = None
    ) -> "AudioSamples":
        """Read audio, or a stretch of it, as float32.

        Args:
            path_or_file (str | Path | bytes | BinaryIO): a path, the bytes of a file, or a seekable binary file.
            start (np.timedelta64 | None): where to start; None: at the beginning.
            duration (np.timedelta64 | None): how much to read; None: to the end.

        Raises:
            DecodeError: there is no audio in it that can be decoded.
        """
        with AudioReader(path_or_file) as reader:
            rate = audio_sample_rate(reader.info.samplerate)
            wanted = TimeDimension.from_rate(rate).integer_based_slice(TimeSlice(duration=duration, start=start))
            data = reader.read(wanted.start, wanted.stop)
        return cls(data[:, 0] if data.shape[1] == 1 else data, rate)

    def encode(self, flo: Any = None, fmt: str = "WAV", subtype: str | None = "PCM_16") -> Any:
        """Write the audio as an encoded file.

        Args:
            flo (BinaryIO | None): where to write; None: a new ``io.BytesIO``.
            fmt (str): a format of libsndfile, such as WAV, FLAC, OGG or MP3.
            subtype (str | None): its encoding, such as PCM_16, FLOAT or VORBIS; one that the format does not have, and
                None, stand for the format's own default.

        Returns:
            BinaryIO: what was written to, rewound to its start.

        Examples:
            >>> from zounds_lite.timeseries import SR11025
            >>> AudioSamples(np.zeros(11025 * 10), SR11025()).encode().read(10)
            b'RIFFx]\\x03\\x00WA'
        """
        out = io.BytesIO() if flo is None else flo
        encode(np.asarray(self), self.samples_per_second, self.channels, out, fmt, subtype)
        if flo is None or flo.seekable():
            out.seek(0)
        return out

    def save(self, filename: Any, fmt: str | None = None, subtype: str | None = "PCM_16") -> None:
        """Write the audio to a file, which appears only when it is complete.

        Args:
            filename (str | Path): where to write; an existing file is replaced.
            fmt (str | None): a format of libsndfile; None: what the name ends with, WAV if that says nothing.
            subtype (str | None): its encoding, as in ``encode``; Opus by default where the name ends with opus.

        Raises:
            UnsupportedCodec: a format or encoding that cannot be written, or a name that promises one, as m4a does.
            EncodeError: samples that the format cannot hold.
        """
        path = Path(filename)
        if fmt is None:
            suffix = path.suffix[1:].upper()
            if suffix == "OPUS" and subtype == "PCM_16":
                subtype = "OPUS"
            suffix = _SUFFIXES.get(suffix, suffix)
            fmt = suffix if suffix in formats() or suffix in _NOT_WRITTEN else "WAV"
        encode(np.asarray(self), self.samples_per_second, self.channels, path, fmt, subtype)
