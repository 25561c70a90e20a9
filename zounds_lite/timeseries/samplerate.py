"""Rates: how often something is sampled, and how long each sample lasts.

Goal: one vocabulary for audio rates and for windows. Conventions: *frequency* is the period from one sample to the
next, and *duration* the length of each, both durations; audio rates are exact integers in Hz, and their period is a
truncated view in picoseconds. Two rates are equal if both durations are. Names: ``SampleRate``, ``Stride``,
``AudioSampleRate``, ``SR8000`` ... ``SR192000``, ``HalfLapped``, ``audio_sample_rate``, ``nearest_audio_sample_rate``.
"""

from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite._declared.values import picoseconds
from zounds_lite._span import PICOSECONDS
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.timeseries.durations import in_seconds

__all__ = [
    "SR8000",
    "SR11025",
    "SR16000",
    "SR22050",
    "SR24000",
    "SR32000",
    "SR44100",
    "SR48000",
    "SR88200",
    "SR96000",
    "SR192000",
    "AudioSampleRate",
    "HalfLapped",
    "SampleRate",
    "Stride",
    "audio_sample_rate",
    "nearest_audio_sample_rate",
]

Stride = namedtuple("Stride", "frequency duration")
Stride.__doc__ = """Multiples of a sample rate's frequency: ``sr * Stride(frequency=2, duration=4)``."""


def _ps(n: int) -> np.timedelta64:
    return np.timedelta64(n, "ps")


def _times(duration: np.timedelta64, k: Any) -> np.timedelta64:
    # numpy would truncate a fraction of a second to whole seconds
    return duration * int(k) if int(k) == k else _ps(round(picoseconds(duration) * k))


class SampleRate(Declared):
    """A constant rate: the period between samples, and the duration of each sample.

    Args:
        frequency (np.timedelta64): time from one sample to the next, > 0. A period, despite its name.
        duration (np.timedelta64): time that each sample covers, > 0.

    Raises:
        DeclarationError: one of them is no duration, or not positive.

    Examples:
        >>> from zounds_lite.timeseries import Seconds
        >>> sr = SampleRate(Seconds(1), Seconds(2))
        >>> sr.overlap, sr.overlap_ratio
        (np.timedelta64(1,'s'), 0.5)
        >>> sr * 2 == SampleRate(Seconds(2), Seconds(3))
        True
    """

    frequency: np.timedelta64
    duration: np.timedelta64

    def __init__(self, frequency: np.timedelta64, duration: np.timedelta64) -> None:
        super().__init__(frequency=frequency, duration=duration)

    def validate(self) -> None:
        """Refuse what is no positive duration."""
        for name in ("frequency", "duration"):
            value = getattr(self, name)
            if not isinstance(value, np.timedelta64) or picoseconds(value) <= 0:
                raise DeclarationError(f"{name}={value!r}: needs a positive duration, such as Seconds(1)")

    def __iter__(self) -> Iterator[np.timedelta64]:
        return iter((self.frequency, self.duration))

    def __len__(self) -> int:
        return 2

    def __int__(self) -> int:
        return self.samples_per_second

    def _identity(self) -> tuple[int, int]:
        return picoseconds(self.frequency), picoseconds(self.duration)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SampleRate):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"{type(self).__name__}(f={in_seconds(self.frequency)}, d={in_seconds(self.duration)})"

    @property
    def overlap(self) -> np.timedelta64:
        """How long each sample overlaps with the next."""
        return self.duration - self.frequency

    @property
    def overlap_ratio(self) -> float:
        """The overlap as a part of the duration."""
        frequency, duration = self._identity()
        return (duration - frequency) / duration

    @property
    def samples_per_second(self) -> int:
        """Whole samples in a second."""
        return PICOSECONDS // picoseconds(self.frequency)

    @property
    def nyquist(self) -> int:
        """Half the samples per second, in Hz, rounded down."""
        return self.samples_per_second // 2

    def __mul__(self, stride: Any) -> "SampleRate":
        """Multiply by an int, a tuple of one or two, or a ``Stride``: frequency * k1, frequency * k2 + overlap."""
        steps = tuple(stride) if isinstance(stride, (tuple, list)) else (stride,)
        if len(steps) not in (1, 2):
            raise DeclarationError(f"{stride!r}: multiply by one number, or by two (frequency, duration)")
        k1, k2 = steps[0], steps[-1]
        return SampleRate(_times(self.frequency, k1), _times(self.frequency, k2) + self.overlap)

    def resample(self, ratio: float) -> "SampleRate":
        """Return a rate whose frequency and duration are ``ratio`` times as long, rounded to picoseconds."""
        frequency, duration = self._identity()
        return SampleRate(_ps(round(frequency * ratio)), _ps(round(duration * ratio)))

    def discrete_samples(self, ts: Any) -> tuple[int, int]:
        """Count the samples of ``ts`` from one window to the next, and in a window.

        This is the one rule from a scheme in time to numbers of samples: times are rounded up to whole samples, after
        snapping to a sample that is nearer than 0.005.

        Args:
            ts (ArrayWithUnits | TimeDimension): what windows are cut from; of an array, the first time axis counts.

        Returns:
            tuple[int, int]: (hop, window).

        Raises:
            DimensionError: ``ts`` has no time axis.

        Examples:
            >>> from zounds_lite.timeseries import Milliseconds, SR11025, TimeDimension
            >>> SampleRate(Milliseconds(250), Milliseconds(500)).discrete_samples(TimeDimension(*SR11025()))
            (2757, 5513)
        """
        dimension = _time_dimension_of(ts)
        return dimension.samples_in(self.frequency), dimension.samples_in(self.duration)


def _time_dimension_of(ts: Any) -> Any:
    for dimension in getattr(ts, "dimensions", (ts,)):
        if hasattr(dimension, "samples_in"):
            return dimension
    raise DimensionError(f"{ts!r} has no TimeDimension; give an array that has one, or the dimension itself")


class AudioSampleRate(SampleRate):
    """A rate of audio samples: an exact number per second, without overlap.

    Args:
        hz (int): samples per second, any positive integer.

    Raises:
        SampleRateError: hz is no positive integer.

    Examples:
        >>> sr = AudioSampleRate(41100)
        >>> sr.rate, sr.nyquist, sr.frequency
        (41100, 20550, np.timedelta64(24330900,'ps'))
        >>> sr.suggested_window, sr.suggested_hop
        (1024, 512)
    """

    hz: int

    def __init__(self, hz: int) -> None:
        period = _ps(PICOSECONDS // _as_rate(hz))
        Declared.__init__(self, hz=int(hz), frequency=period, duration=period)

    def validate(self) -> None:
        """Nothing is left to check: the rate was, and the period follows from it."""

    @property
    def rate(self) -> int:
        """Samples per second, exactly."""
        return self.hz

    @property
    def samples_per_second(self) -> int:
        """Samples per second, exactly."""
        return self.hz

    @property
    def one_sample(self) -> np.timedelta64:
        """The period of one sample, truncated to picoseconds."""
        return self.frequency

    @property
    def suggested_window(self) -> int:
        """A good window for spectra, in samples: the largest power of two up to 2048 / 44100 s."""
        return max(2, 1 << ((2048 * self.hz // 44100).bit_length() - 1)) if self.hz >= 44 else 2

    @property
    def suggested_hop(self) -> int:
        """Half the suggested window, in samples."""
        return self.suggested_window // 2

    def half_lapped(self) -> SampleRate:
        """Return the scheme of suggested windows with half overlap."""
        return self.windowing_scheme(self.suggested_window, self.suggested_hop)

    def windowing_scheme(self, duration_samples: int, frequency_samples: int | None = None) -> SampleRate:
        """Return a scheme of windows, from samples.

        Args:
            duration_samples (int): samples in a window.
            frequency_samples (int | None): samples from one window to the next; None: no overlap.
        """
        hop = duration_samples if frequency_samples is None else frequency_samples
        return SampleRate(self.frequency * int(hop), self.frequency * int(duration_samples))


def _as_rate(hz: Any) -> int:
    valid = isinstance(hz, (int, float, np.number)) and not isinstance(hz, (bool, np.timedelta64, np.complexfloating))
    if not valid or hz != hz or hz in (float("inf"), float("-inf")) or int(hz) != hz or not 1 <= hz <= PICOSECONDS:
        raise SampleRateError(f"{hz!r} is no sample rate; allowed: any positive integer, in Hz")
    return int(hz)


class _NamedRate(AudioSampleRate):
    """An audio rate that its class names."""

    RATE = 0

    def __init__(self) -> None:
        super().__init__(self.RATE)


class SR8000(_NamedRate):
    """8 kHz.

    Examples:
        >>> SR8000().samples_per_second
        8000
    """

    RATE = 8000


class SR11025(_NamedRate):
    """11.025 kHz.

    Examples:
        >>> sr = SR11025()
        >>> sr.samples_per_second, int(sr), sr.nyquist
        (11025, 11025, 5512)
    """

    RATE = 11025


class SR16000(_NamedRate):
    """16 kHz.

    Examples:
        >>> SR16000().suggested_window
        512
    """

    RATE = 16000


class SR22050(_NamedRate):
    """22.05 kHz.

    Examples:
        >>> SR22050().nyquist
        11025
    """

    RATE = 22050


class SR24000(_NamedRate):
    """24 kHz.

    Examples:
        >>> SR24000().nyquist
        12000
    """

    RATE = 24000


class SR32000(_NamedRate):
    """32 kHz.

    Examples:
        >>> SR32000().nyquist
        16000
    """

    RATE = 32000


class SR44100(_NamedRate):
    """44.1 kHz.

    Examples:
        >>> SR44100()
        SR44100(f=2.2675736e-05, d=2.2675736e-05)
    """

    RATE = 44100


class SR48000(_NamedRate):
    """48 kHz.

    Examples:
        >>> SR48000().nyquist
        24000
    """

    RATE = 48000


class SR88200(_NamedRate):
    """88.2 kHz.

    Examples:
        >>> SR88200().suggested_hop
        2048
    """

    RATE = 88200


class SR96000(_NamedRate):
    """96 kHz.

    Examples:
        >>> SR96000().nyquist
        48000
    """

    RATE = 96000


class SR192000(_NamedRate):
    """192 kHz.

    Examples:
        >>> SR192000().nyquist
        96000
    """

    RATE = 192000


_NAMED: dict[int, type[_NamedRate]] = {
    kind.RATE: kind
    for kind in (
        SR8000, SR11025, SR16000, SR22050, SR24000, SR32000, SR44100, SR48000, SR88200, SR96000, SR192000,
    )
}  # fmt: skip


def audio_sample_rate(hz: int) -> AudioSampleRate:
    """Return the audio rate of ``hz`` samples per second: a named one where there is one.

    Raises:
        SampleRateError: hz is no positive integer.

    Examples:
        >>> audio_sample_rate(22050), audio_sample_rate(41100).rate
        (SR22050(f=4.5351473e-05, d=4.5351473e-05), 41100)
    """
    rate = _as_rate(hz)
    return _NAMED[rate]() if rate in _NAMED else AudioSampleRate(rate)


def nearest_audio_sample_rate(hz: float) -> AudioSampleRate:
    """Return the named audio rate that is nearest to ``hz``; the lower one of two.

    Examples:
        >>> nearest_audio_sample_rate(43000).rate
        44100
    """
    return _NAMED[min(_NAMED, key=lambda rate: abs(rate - hz))]()


class HalfLapped(SampleRate):
    """Windows of half overlap, given in samples at 44.1 kHz and lasting as long at any other rate.

    ``discrete_samples`` rounds the hop up to whole samples, and makes the window a multiple of it, so that every rate
    can be inverted.

    Args:
        window_at_44100 (int): samples in a window at 44.1 kHz.
        hop_at_44100 (int): samples from one window to the next at 44.1 kHz.

    Examples:
        >>> from zounds_lite.timeseries import SR48000, TimeDimension
        >>> HalfLapped().discrete_samples(TimeDimension(*SR48000()))
        (1115, 2230)
    """

    window_at_44100: int
    hop_at_44100: int

    def __init__(self, window_at_44100: int = 2048, hop_at_44100: int = 1024) -> None:
        sample = PICOSECONDS // 44100
        Declared.__init__(
            self,
            window_at_44100=window_at_44100,
            hop_at_44100=hop_at_44100,
            frequency=_ps(sample * int(hop_at_44100)),
            duration=_ps(sample * int(window_at_44100)),
        )

    def discrete_samples(self, ts: Any) -> tuple[int, int]:
        """Count samples (hop, window); the window is a whole number of hops if it is one at 44.1 kHz."""
        hop, window = super().discrete_samples(ts)
        times, rest = divmod(self.window_at_44100, self.hop_at_44100)
        return hop, window if rest else hop * times
