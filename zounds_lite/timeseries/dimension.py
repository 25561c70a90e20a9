"""Axes that are time.

Goal: index an axis by seconds, exactly, at any rate and any hour. Conventions: sample k of an axis starts at k periods
(``frequency``) and lasts one ``duration``; a slice of time selects every element that touches it. Axes made from audio
count in integer samples: ``hop`` and ``window`` at ``rate``; their periods are a view of that, truncated to
picoseconds. Class: ``TimeDimension``.
"""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from zounds_lite._declared.values import picoseconds
from zounds_lite._span import PICOSECONDS, Span
from zounds_lite.core.dimension import IDENTITY, Coordinates, Dimension
from zounds_lite.core.indexing import is_integer
from zounds_lite.errors import DeclarationError, DimensionError, UnitIndexError
from zounds_lite.timeseries.audiorate import AudioSampleRate, audio_sample_rate
from zounds_lite.timeseries.clock import position, time_of, touching
from zounds_lite.timeseries.durations import from_picoseconds, in_seconds
from zounds_lite.timeseries.samplerate import SampleRate
from zounds_lite.timeseries.timeslice import TimeSlice

__all__ = ["TimeDimension"]


class TimeDimension(Dimension):
    """An axis of samples, or of windows of samples, at a constant rate.

    Args:
        frequency (np.timedelta64): time from one element to the next, > 0. A period, despite its name.
        duration (np.timedelta64 | None): time that each element covers; None: the frequency.
        size (int | None): number of elements.
        hop (int | None): samples from one element to the next; follows from the period of a whole number of hertz.
        window (int | None): samples in an element.
        rate (int | None): samples per second, exactly.
        start (np.timedelta64 | None): where the axis starts within its signal. A note: indices always count from the
            start of the axis.
        padding (int | None): zeros that were put before the signal, in samples. A note.
        n_samples (int | None): real samples in the whole signal, without padding. A note.

    The three notes are set when a stream ends; they do not count in ``==``, and slicing drops them.

    Raises:
        DeclarationError: frequency or duration is no positive duration, or hop, window and rate contradict them.

    Examples:
        >>> from zounds_lite.core import ArrayWithUnits
        >>> from zounds_lite.timeseries import Seconds
        >>> timeseries = ArrayWithUnits(np.zeros(100), [TimeDimension(Seconds(1))])
        >>> timeseries.dimensions[0], timeseries.dimensions[0].end_seconds
        (TimeDimension(f=1.0, d=1.0), 100.0)
        >>> timeseries[TimeSlice(Seconds(50))].shape
        (50,)
    """

    frequency: np.timedelta64
    duration: np.timedelta64
    hop: int | None
    window: int | None
    rate: int | None
    start: np.timedelta64 | None
    padding: int | None
    n_samples: int | None

    indexed_by = "TimeSlice, a duration such as Seconds(1), a slice of durations"

    def __init__(
        self,
        frequency: np.timedelta64 | None = None,
        duration: np.timedelta64 | None = None,
        size: int | None = None,
        hop: int | None = None,
        window: int | None = None,
        rate: int | None = None,
        start: np.timedelta64 | None = None,
        padding: int | None = None,
        n_samples: int | None = None,
    ) -> None:
        duration = frequency if duration is None else duration
        if rate is None and hop is None and window is None:
            hop, window, rate = _inferred(frequency, duration)
        super().__init__(
            frequency=frequency,
            duration=duration,
            size=size,
            hop=hop,
            window=window,
            rate=rate,
            start=start,
            padding=padding,
            n_samples=n_samples,
        )

    @classmethod
    def windowed(cls, hop: int, window: int, rate: int, **notes: Any) -> "TimeDimension":
        """Return the axis of windows over samples.

        Args:
            hop (int): samples from one window to the next, >= 1.
            window (int): samples in a window, >= 1.
            rate (int): samples per second.
            notes (Any): ``size``, ``start``, ``padding``, ``n_samples``.

        Examples:
            >>> TimeDimension.windowed(hop=2757, window=5513, rate=11025)
            TimeDimension(f=0.250068024879, d=0.500045346811)
        """
        _check_counts(hop, window, rate)
        period = PICOSECONDS // int(rate)
        frequency, duration = (np.timedelta64(int(n) * period, "ps") for n in (hop, window))
        return cls(frequency, duration, hop=int(hop), window=int(window), rate=int(rate), **notes)

    @classmethod
    def from_rate(cls, samplerate: AudioSampleRate, size: int | None = None) -> "TimeDimension":
        """Return the axis of audio samples at a rate."""
        return _audio_axis(samplerate.rate, size)

    def validate(self) -> None:
        """Refuse what is no duration, and integers that contradict the durations."""
        for name in ("frequency", "duration"):
            value = getattr(self, name)
            if not isinstance(value, np.timedelta64) or picoseconds(value) <= 0:
                raise DeclarationError(f"{name}={value!r}: needs a positive duration, such as Seconds(1)")
        if self.size is not None and self.size < 0:
            raise DeclarationError(f"size={self.size}: needs 0 or more elements")
        if self.rate is None and self.hop is None and self.window is None:
            return
        _check_counts(self.hop, self.window, self.rate)
        period = PICOSECONDS // self.rate  # type: ignore[operator]  # checked
        if (self._frequency_ps, self._duration_ps) != (self.hop * period, self.window * period):  # type: ignore[operator]
            raise DeclarationError(
                f"hop={self.hop}, window={self.window} at {self.rate} Hz contradict frequency={self.frequency!r}, "
                f"duration={self.duration!r}; use TimeDimension.windowed(hop, window, rate)"
            )

    @cached_property
    def _frequency_ps(self) -> int:
        return picoseconds(self.frequency)

    @cached_property
    def _duration_ps(self) -> int:
        return picoseconds(self.duration)

    @cached_property
    def _scheme(self) -> tuple[int, int | None, int, int]:
        """The clock: period and rate of its ticks, and hop and window in ticks."""
        if self.rate is None:
            return 1, None, self._frequency_ps, self._duration_ps
        assert self.hop is not None and self.window is not None
        return PICOSECONDS // self.rate, self.rate, self.hop, self.window

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, TimeDimension):
            return NotImplemented
        return self._frequency_ps == other._frequency_ps and self._duration_ps == other._duration_ps

    def __hash__(self) -> int:
        return hash((self._frequency_ps, self._duration_ps))

    def __repr__(self) -> str:
        return f"TimeDimension(f={in_seconds(self.frequency)}, d={in_seconds(self.duration)})"

    # --- what the axis is -------------------------------------------------------------------------------------------

    @property
    def samplerate(self) -> SampleRate:
        """The rate: an ``AudioSampleRate`` for an axis of audio samples."""
        if self.rate is not None and self.hop == self.window == 1:
            return audio_sample_rate(self.rate)
        return SampleRate(self.frequency, self.duration)

    @property
    def is_audio(self) -> bool:
        """Whether the axis counts single samples at a whole number of hertz."""
        return self.rate is not None and self.hop == 1 and self.window == 1

    @property
    def overlap(self) -> np.timedelta64:
        """How long each element overlaps with the next."""
        return self.duration - self.frequency

    @property
    def overlap_ratio(self) -> float:
        """The overlap as a part of the duration."""
        return (self._duration_ps - self._frequency_ps) / self._duration_ps

    @property
    def duration_in_seconds(self) -> float:
        """The duration of one element."""
        return self._duration_ps / PICOSECONDS

    @property
    def samples_per_second(self) -> int:
        """Whole elements in a second."""
        return self.samplerate.samples_per_second

    @property
    def end(self) -> np.timedelta64:
        """Where the last element ends, to the nearest picosecond.

        Raises:
            DimensionError: the axis has no size.
        """
        period, rate, _, _ = self._scheme
        return from_picoseconds(time_of(self._length(), period, rate))

    @property
    def end_seconds(self) -> float:
        """Where the last element ends, in seconds."""
        return in_seconds(self.end)

    @property
    def span(self) -> TimeSlice:
        """The time that the axis covers, from zero."""
        return TimeSlice(duration=self.end)

    def time_of(self, index: int) -> np.timedelta64:
        """Return where element ``index`` starts, to the nearest picosecond.

        Examples:
            >>> from zounds_lite.timeseries import SR44100
            >>> TimeDimension(*SR44100()).time_of(3600 * 44100)
            np.timedelta64(3600000000000000,'ps')
        """
        period, rate, hop, _ = self._scheme
        return from_picoseconds(time_of(int(index) * hop, period, rate))

    def slice_of(self, index: int) -> TimeSlice:
        """Return the time that element ``index`` covers, to the nearest picosecond at both ends."""
        period, rate, hop, window = self._scheme
        first = time_of(int(index) * hop, period, rate)
        last = time_of(int(index) * hop + window, period, rate)
        return TimeSlice(duration=from_picoseconds(last - first), start=from_picoseconds(first))

    def samples_in(self, duration: np.timedelta64) -> int:
        """Count the elements that start within ``duration``: its length in hops, rounded up, exactly.

        Examples:
            >>> from zounds_lite.timeseries import Milliseconds, SR11025
            >>> TimeDimension(*SR11025()).samples_in(Milliseconds(250))
            2757
        """
        period, rate, hop, _ = self._scheme
        if rate is None:
            return position(picoseconds(duration), hop, None)[1]
        return -(-position(picoseconds(duration), period, rate)[1] // hop)

    def _length(self) -> int:
        """All ticks from the start of the first element to the end of the last."""
        if self.size is None:
            raise DimensionError(f"{self!r} has no size; take it from an array, or use with_size(n)")
        _, _, hop, window = self._scheme
        return self.size * hop + window - hop if self.size else 0

    # --- the contract of dimensions ---------------------------------------------------------------------------------

    def coordinates(self, size: int) -> Coordinates:
        """Return where the elements start, in seconds, from the start of the signal as far as the axis notes it.

        Examples:
            >>> TimeDimension.windowed(512, 1024, 8192).coordinates(3)
            Coordinates(name='time', unit='s', values=array([0.    , 0.0625, 0.125 ]))
        """
        period, rate, hop, _ = self._scheme
        start = 0.0 if self.start is None else picoseconds(self.start) / PICOSECONDS
        ticks = np.arange(size, dtype=np.float64) * hop
        return Coordinates("time", "s", start + (ticks * period / PICOSECONDS if rate is None else ticks / rate))

    def integer_based_slice(self, index: Any) -> Any:
        """Translate time to integers: a slice to the elements that touch it, a moment to the element at it.

        Args:
            index (TimeSlice | Span | slice | np.timedelta64): durations within a plain slice, and single ones, count
                from the end where they are negative.

        Raises:
            UnitIndexError: anything else, or a negative duration on an axis without size.

        Examples:
            >>> from zounds_lite.timeseries import Hours, Seconds, SR44100
            >>> TimeDimension(*SR44100()).integer_based_slice(TimeSlice(Seconds(1), start=Hours(10)))
            slice(1587600000, 1587644100, None)
        """
        if isinstance(index, TimeSlice):
            return self._touching(index.start_ps, index.stop_ps)
        if isinstance(index, Span):
            return self._touching(index.start, index.stop)
        if isinstance(index, np.timedelta64):
            period, rate, hop, _ = self._scheme
            if rate is None:
                return position(picoseconds(index), hop, None)[0]
            return position(picoseconds(index), period, rate)[0] // hop
        if isinstance(index, slice) and _is_slice_of_time(index):
            start = 0 if index.start is None else self._from_end(index.start)
            stop = None if index.stop is None else self._from_end(index.stop)
            found = self._touching(start, stop)
            return slice(found.start, found.stop, index.step)
        raise UnitIndexError(f"{self!r} cannot be indexed by {index!r}; allowed: {self.indexed_by}, integers")

    def _touching(self, start_ps: int, stop_ps: int | None) -> slice:
        period, rate, hop, window = self._scheme
        if rate is None:
            # overlaps reach back; both ends are snapped in units of the period, like everything without a rate
            first = max(0, position(start_ps - window, hop, None)[0] + 1)
            if stop_ps is None:
                return slice(first, None)
            last = position(stop_ps, hop, None)[1]
            return slice(first, max(first, last) if stop_ps > start_ps else first)
        start = position(start_ps, period, rate)[0]
        if stop_ps is None:
            return slice(max(0, (start - window) // hop + 1), None)
        stop = position(stop_ps, period, rate)[1]
        # no time touches nothing; some time, though shorter than the snap, touches its sample
        if stop_ps <= start_ps:
            stop = start
        elif stop <= start:
            stop = start + 1
        first, last = touching(start, stop, hop, window)
        return slice(first, last)

    def _from_end(self, moment: np.timedelta64) -> int:
        ps = picoseconds(moment)
        if ps >= 0:
            return ps
        period, rate, _, _ = self._scheme
        return time_of(self._length(), period, rate) + ps

    def metaslice(self, index: slice, size: int) -> Dimension:
        """Return the axis after slicing: a step stretches the period, and keeps the duration of each element."""
        step = index.step
        if step is None or step == 1:
            return self.joined(size)
        if step < 0:
            return IDENTITY
        step = int(step)
        if self.rate is None:
            return TimeDimension(self.frequency * step, self.duration, size=size)
        assert self.hop is not None and self.window is not None
        return TimeDimension.windowed(self.hop * step, self.window, self.rate, size=size)

    def part(self, start: int, size: int) -> "TimeDimension":
        """Return the axis of ``size`` elements from element ``start`` on, with the note of where that is."""
        before = picoseconds(self.start) if self.start is not None else 0
        begins = from_picoseconds(before + picoseconds(self.time_of(start)))
        return self._changed(size=size, start=begins, padding=None, n_samples=None)

    def joined(self, size: int) -> "TimeDimension":
        """Return the same axis with ``size`` elements, without notes."""
        if self.start is self.padding is self.n_samples is None:
            return self if self.size == size else self._changed(size=size)
        return self._changed(size=size, start=None, padding=None, n_samples=None)

    def with_size(self, size: int) -> "TimeDimension":
        """Return the same axis with ``size`` elements."""
        return self if self.size == size else self._changed(size=size)

    def modified_dimension(self, size: int, windowsize: Any, stepsize: int | None = None) -> Iterator[Dimension]:
        """Yield the axis of windows, then the axis within each; only the first for a window over the whole axis."""
        whole = windowsize == slice(None)
        count = (self.size or 1) if whole else windowsize
        step = count if stepsize is None else stepsize
        if self.rate is None:
            frequency = self.frequency * step
            yield TimeDimension(frequency, self.frequency * count + self.overlap, size=size)
        else:
            assert self.hop is not None and self.window is not None
            window = self.hop * count + self.window - self.hop
            yield TimeDimension.windowed(self.hop * step, window, self.rate, size=size)
        if not whole:
            yield self.joined(count)

    def resample(self, ratio: float) -> "TimeDimension":
        """Return an axis whose periods and durations are ``ratio`` times as long, rounded to picoseconds."""
        return TimeDimension(*SampleRate(self.frequency, self.duration).resample(ratio))


@lru_cache(maxsize=256, typed=True)  # or an axis would get its size as the type that another one was given
def _audio_axis(rate: int, size: int | None) -> TimeDimension:
    """Return the axis of a rate; every chunk of a stream has one, so it is made and checked once and not for each."""
    if size is None:
        return TimeDimension.windowed(hop=1, window=1, rate=rate)
    return _audio_axis(rate, None).with_size(size)


def _inferred(frequency: Any, duration: Any) -> tuple[int | None, int | None, int | None]:
    """Return (hop, window, rate) of an axis whose period is that of a whole number of hertz."""
    if not isinstance(frequency, np.timedelta64) or not isinstance(duration, np.timedelta64):
        return None, None, None
    period = picoseconds(frequency)
    if period <= 0 or period > PICOSECONDS or picoseconds(duration) != period:
        return None, None, None
    rate = PICOSECONDS // period
    return (1, 1, rate) if PICOSECONDS // rate == period else (None, None, None)


def _check_counts(hop: Any, window: Any, rate: Any) -> None:
    for name, value in (("hop", hop), ("window", window), ("rate", rate)):
        if not is_integer(value) or value < 1:
            raise DeclarationError(f"{name}={value!r}: hop, window and rate are integers >= 1, all three or none")


def _is_slice_of_time(index: slice) -> bool:
    bounds = [bound for bound in (index.start, index.stop) if bound is not None]
    forward = index.step is None or (is_integer(index.step) and index.step > 0)
    return bool(bounds and forward) and all(isinstance(bound, np.timedelta64) for bound in bounds)
