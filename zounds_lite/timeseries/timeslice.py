"""A stretch of time.

Goal: ``x[TimeSlice(duration=Seconds(2), start=Minutes(1))]``. Conventions: half-open; no duration means to the end;
time counts from the start of what is sliced. Class: ``TimeSlice``.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite._declared.values import picoseconds
from zounds_lite._span import PICOSECONDS, Span
from zounds_lite.errors import DeclarationError
from zounds_lite.timeseries.durations import from_picoseconds

__all__ = ["TimeSlice"]

_ZERO = np.timedelta64(0, "ps")


class TimeSlice(Declared):
    """A stretch of time: an index for axes with a ``TimeDimension``.

    Args:
        duration (np.timedelta64 | None): how long it lasts, >= 0; None: to the end.
        start (np.timedelta64 | None): where it starts; None: at zero. What lies before zero selects nothing.

    Raises:
        DeclarationError: one of them is no duration, or the duration is negative.

    Examples:
        >>> from zounds_lite.timeseries import Seconds
        >>> ts = TimeSlice(duration=Seconds(2), start=Seconds(1))
        >>> ts, Seconds(1.5) in ts
        (TimeSlice(start = 1.0, duration = 2.0), True)
        >>> ts & TimeSlice(Seconds(2))
        TimeSlice(start = 1.0, duration = 1.0)
    """

    duration: np.timedelta64 | None
    start: np.timedelta64
    start_ps: int
    stop_ps: int | None

    def __init__(self, duration: np.timedelta64 | None = None, start: np.timedelta64 | None = None) -> None:
        super().__init__(duration=duration, start=_ZERO if start is None else start)

    def validate(self) -> None:
        """Refuse what is no duration; notes both ends in picoseconds on the way."""
        length = None if self.duration is None else _checked("duration", self.duration)
        if length is not None and length < 0:
            raise DeclarationError(f"duration={self.duration!r}: needs 0 or more; set start to slice from later on")
        start_ps = 0 if self.start is _ZERO else _checked("start", self.start)
        self.__dict__.update(start_ps=start_ps, stop_ps=None if length is None else start_ps + length)

    @property
    def end(self) -> np.timedelta64:
        """Where the slice ends.

        Raises:
            DeclarationError: the slice is open and has no end.
        """
        if self.stop_ps is None:
            raise DeclarationError(f"{self!r} has no end: it was made without a duration")
        # not start + duration, which numpy lets overflow after 106 days
        return from_picoseconds(self.stop_ps)

    @property
    def is_open(self) -> bool:
        """Whether the slice reaches to the end of whatever is sliced."""
        return self.duration is None

    def to_span(self) -> Span:
        """Return the slice as a ``Span`` of the graph engine; what lies before zero is left out."""
        return Span(max(0, self.start_ps), None if self.stop_ps is None else max(0, self.stop_ps))

    @classmethod
    def from_span(cls, span: Span) -> "TimeSlice":
        """Return the slice that covers ``span``."""
        return _from_ps(span.start, span.stop)

    @classmethod
    def slices(cls, timestamps: Iterable[np.timedelta64]) -> Iterator["TimeSlice"]:
        """Yield the slices between timestamps, in order: one less than there are timestamps.

        Examples:
            >>> from zounds_lite.timeseries import Seconds
            >>> list(TimeSlice.slices([Seconds(3), Seconds(1)]))
            [TimeSlice(start = 1.0, duration = 2.0)]
        """
        times = sorted(timestamps)
        for start, stop in zip(times, times[1:], strict=False):
            yield cls(duration=stop - start, start=start)

    def contains(self, other: Any) -> bool:
        """Tell whether a moment or a slice lies within this one, half-open: the start is in, the end is not.

        Args:
            other (np.timedelta64 | TimeSlice): a moment, or a slice, which may share both ends.

        Examples:
            >>> from zounds_lite.timeseries import Seconds
            >>> ts = TimeSlice(Seconds(2))
            >>> ts.contains(Seconds(0)), ts.contains(Seconds(2)), ts.contains(ts)
            (True, False, True)
        """
        if isinstance(other, TimeSlice):
            ends = self.stop_ps is None or (other.stop_ps is not None and other.stop_ps <= self.stop_ps)
            return self.start_ps <= other.start_ps and ends
        moment = _moment(other)
        return self.start_ps <= moment and (self.stop_ps is None or moment < self.stop_ps)

    def __contains__(self, other: Any) -> bool:
        # strict on both sides, as documented; `contains` is the half-open one
        if isinstance(other, TimeSlice):
            ends = self.stop_ps is None or (other.stop_ps is not None and other.stop_ps < self.stop_ps)
            return self.start_ps < other.start_ps and ends
        moment = _moment(other)
        return self.start_ps < moment and (self.stop_ps is None or moment < self.stop_ps)

    def __add__(self, shift: Any) -> "TimeSlice":
        if not isinstance(shift, np.timedelta64):
            return NotImplemented
        return TimeSlice(duration=self.duration, start=from_picoseconds(self.start_ps + picoseconds(shift)))

    # numpy asks here before it tries to add a duration itself
    __array_ufunc__ = None
    __radd__ = __add__

    def __and__(self, other: Any) -> "TimeSlice":
        if not isinstance(other, TimeSlice):
            return NotImplemented
        start = max(self.start_ps, other.start_ps)
        stops = [stop for stop in (self.stop_ps, other.stop_ps) if stop is not None]
        return _from_ps(start, max(start, min(stops)) if stops else None)

    def __lt__(self, other: Any) -> bool:
        return self.start_ps < _start_of(other)

    def __gt__(self, other: Any) -> bool:
        return self.start_ps > _start_of(other)

    def __le__(self, other: Any) -> bool:
        return self.start_ps <= _start_of(other)

    def __ge__(self, other: Any) -> bool:
        return self.start_ps >= _start_of(other)

    def _identity(self) -> tuple[int, int | None]:
        return self.start_ps, self.stop_ps

    def __repr__(self) -> str:
        duration = None if self.stop_ps is None else (self.stop_ps - self.start_ps) / PICOSECONDS
        return f"TimeSlice(start = {self.start_ps / PICOSECONDS}, duration = {duration})"


def _from_ps(start: int, stop: int | None) -> TimeSlice:
    duration = None if stop is None else from_picoseconds(stop - start)
    return TimeSlice(duration=duration, start=from_picoseconds(start))


def _checked(name: str, value: Any) -> int:
    if not isinstance(value, np.timedelta64):
        raise DeclarationError(f"{name}={value!r}: needs a duration, such as Seconds(1)")
    return picoseconds(value)


def _moment(value: Any) -> int:
    if not isinstance(value, np.timedelta64):
        raise DeclarationError(
            f"{value!r} is no moment in time; allowed: a duration such as Seconds(1), or a TimeSlice"
        )
    return picoseconds(value)


def _start_of(value: Any) -> int:
    return value.start_ps if isinstance(value, TimeSlice) else _moment(value)
