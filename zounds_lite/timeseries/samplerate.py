"""Rates: how often something is sampled, and how long each sample lasts.

Goal: one vocabulary for audio rates and for windows. Conventions: *frequency* is the period from one sample to the
next, and *duration* the length of each, both durations. Two rates are equal if both durations are. Names:
``SampleRate``, ``Stride``, ``HalfLapped``; the rates of audio stand in ``audiorate``.
"""

from collections import namedtuple
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite._declared.values import picoseconds
from zounds_lite._span import PICOSECONDS
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.timeseries.durations import in_seconds

__all__ = ["HalfLapped", "SampleRate", "Stride"]

Stride = namedtuple("Stride", "frequency duration")
Stride.__doc__ = """Multiples of a sample rate's frequency: ``sr * Stride(frequency=2, duration=4)``."""


def _ps(n: int) -> np.timedelta64:
    return np.timedelta64(n, "ps")


def _is_number(k: Any) -> bool:
    # numpy's timedelta64 calls itself a number
    return isinstance(k, (int, float, Fraction, np.number)) and not isinstance(k, np.timedelta64)


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

    @cached_property
    def _pair(self) -> tuple[int, int]:
        return picoseconds(self.frequency), picoseconds(self.duration)

    def _identity(self) -> tuple[int, int]:
        return self._pair

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
        if len(steps) not in (1, 2) or not all(map(_is_number, steps)):
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
