"""Time series with a variable rate.

Goal: values that cover stretches of time of any length, such as what lies between two onsets. Conventions: sorted by
start; stretches may overlap. Names: ``VariableRateTimeSeries``, ``SlicedData``.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from zounds_lite._span import Span
from zounds_lite.core.indexing import is_integer
from zounds_lite.errors import DimensionError, UnitIndexError
from zounds_lite.timeseries.durations import from_picoseconds
from zounds_lite.timeseries.timeslice import TimeSlice

__all__ = ["SlicedData", "VariableRateTimeSeries"]

_END = 2**100
"""Later than everything: the end of an open slice, in picoseconds."""


class SlicedData(NamedTuple):
    """One entry of a variable-rate series: a stretch of time and its data."""

    timeslice: TimeSlice
    slicedata: np.ndarray


class VariableRateTimeSeries:
    """Values that each cover a stretch of time, sorted by start.

    Args:
        data (Iterable[tuple[TimeSlice, np.ndarray]]): stretches and their values, in any order, all of one shape.

    Raises:
        DimensionError: values of different shapes, or something that is no pair.

    Examples:
        >>> from zounds_lite.timeseries import Seconds
        >>> series = VariableRateTimeSeries(
        ...     [(TimeSlice(Seconds(1)), np.zeros(3)), (TimeSlice(Seconds(2), start=Seconds(1)), np.ones(3))]
        ... )
        >>> len(series), series.span, len(series[TimeSlice(Seconds(1))])
        (2, TimeSlice(start = 0.0, duration = 3.0), 1)
    """

    def __init__(self, data: Iterable[tuple[TimeSlice, Any]] = ()) -> None:
        entries = [_as_entry(item) for item in data]
        entries.sort(key=lambda entry: entry.timeslice.start_ps)
        shapes = {entry.slicedata.shape for entry in entries}
        if len(shapes) > 1:
            raise DimensionError(f"values of shapes {sorted(shapes)} in one series; allowed: one shape for all")
        self._entries = entries

    @cached_property
    def _starts(self) -> list[int]:
        return [entry.timeslice.start_ps for entry in self._entries]

    @cached_property
    def _latest_stops(self) -> list[int]:
        """The latest stop among each entry and those before it: never falls, so it can be bisected."""
        return list(accumulate((_stop(entry.timeslice) for entry in self._entries), max))

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[SlicedData]:
        return iter(self._entries)

    def __getitem__(self, index: Any) -> Any:
        """Return an entry by its number, or a series: of a slice of numbers, or of what overlaps a ``TimeSlice``."""
        if isinstance(index, TimeSlice):
            return VariableRateTimeSeries(self._overlapping(index.start_ps, _stop(index)))
        if isinstance(index, Span):
            return VariableRateTimeSeries(self._overlapping(index.start, _END if index.stop is None else index.stop))
        if isinstance(index, slice):
            return VariableRateTimeSeries(self._entries[index])
        if is_integer(index):
            return self._entries[int(index)]
        raise UnitIndexError(
            f"a series cannot be indexed by {index!r}; allowed: TimeSlice, integers, slices of integers"
        )

    def _overlapping(self, start: int, stop: int) -> list[SlicedData]:
        # entries from here on may end after the start, and those up to there start before the end
        first = bisect_left(self._latest_stops, start + 1)
        last = bisect_left(self._starts, stop)
        return [entry for entry in self._entries[first:last] if _stop(entry.timeslice) > start]

    @property
    def slices(self) -> list[TimeSlice]:
        """The stretches of time, in order."""
        return [entry.timeslice for entry in self._entries]

    @property
    def slicedata(self) -> np.ndarray:
        """The values, stacked: [entries, ...]."""
        return np.stack([entry.slicedata for entry in self._entries]) if self._entries else np.empty((0,))

    @property
    def raw_data(self) -> np.ndarray:
        """All entries as one record array, with the fields ``timeslice`` and ``slicedata``."""
        values = self.slicedata
        records = np.recarray(len(self), [("timeslice", object), ("slicedata", values.dtype, values.shape[1:])])
        records["timeslice"] = self.slices
        records["slicedata"] = values
        return records

    @property
    def span(self) -> TimeSlice:
        """The time from the first start to the last end; nothing, at zero, for an empty series."""
        if not self._entries:
            return TimeSlice(duration=np.timedelta64(0, "ps"))
        start, stop = self._starts[0], self._latest_stops[-1]
        duration = None if stop == _END else from_picoseconds(stop - start)
        return TimeSlice(duration=duration, start=from_picoseconds(start))

    @property
    def end(self) -> np.timedelta64:
        """The last end.

        Raises:
            DeclarationError: a stretch is open, so there is no end.
        """
        return self.span.end

    def iter_slices(self) -> Iterator[tuple[TimeSlice, np.ndarray]]:
        """Yield (stretch of time, value), in order."""
        for entry in self._entries:
            yield entry.timeslice, entry.slicedata

    def concat(self, other: "VariableRateTimeSeries") -> "VariableRateTimeSeries":
        """Return a series with the entries of both, sorted."""
        return VariableRateTimeSeries([*self._entries, *other._entries])

    def __repr__(self) -> str:
        return f"VariableRateTimeSeries({len(self)} entries, {self.span!r})"


def _stop(timeslice: TimeSlice) -> int:
    return _END if timeslice.stop_ps is None else timeslice.stop_ps


def _as_entry(item: Any) -> SlicedData:
    try:
        timeslice, value = item
    except (TypeError, ValueError) as error:
        raise DimensionError(f"{item!r} is no pair; allowed: (TimeSlice, array)") from error
    if not isinstance(timeslice, TimeSlice):
        raise DimensionError(f"{timeslice!r} is no TimeSlice; allowed: (TimeSlice, array)")
    return SlicedData(timeslice, np.asarray(value))
