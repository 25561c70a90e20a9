"""Time series with a constant rate.

Goal: walk along an array with units, moment by moment. Conventions: the first axis is time. Class:
``ConstantRateTimeSeries``.
"""

from collections.abc import Iterator
from typing import Any

from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import DimensionError
from zounds_lite.timeseries.dimension import TimeDimension
from zounds_lite.timeseries.timeslice import TimeSlice

__all__ = ["ConstantRateTimeSeries"]


class ConstantRateTimeSeries(ArrayWithUnits):
    """An array whose first axis is time.

    Args:
        array (ArrayWithUnits): an array whose first dimension is a ``TimeDimension``.

    Raises:
        DimensionError: it has no dimensions, or the first one is not time.

    Examples:
        >>> from zounds_lite.timeseries import Seconds
        >>> series = ConstantRateTimeSeries(ArrayWithUnits([7, 8], [TimeDimension(Seconds(1))]))
        >>> [(ts, int(value)) for ts, value in series.iter_slices()]
        [(TimeSlice(start = 0.0, duration = 1.0), 7), (TimeSlice(start = 1.0, duration = 1.0), 8)]
    """

    def __new__(cls, array: ArrayWithUnits) -> "ConstantRateTimeSeries":
        """View ``array`` as a time series."""
        dimensions = getattr(array, "dimensions", ())
        if not dimensions or not isinstance(dimensions[0], TimeDimension):
            raise DimensionError(
                f"a time series needs an array with units whose first dimension is a TimeDimension, got {dimensions!r}"
            )
        return cls._view(array, dimensions)

    @classmethod
    def from_example(cls, data: Any, example: ArrayWithUnits) -> "ConstantRateTimeSeries":
        """Give ``data`` the dimensions of ``example``.

        Raises:
            DimensionError: the dimensions do not fit the data, or the first one is not time.
        """
        return cls(ArrayWithUnits(data, example.dimensions))

    @classmethod
    def _class_for(cls, dimensions: Any, shape: tuple[int, ...]) -> type[ArrayWithUnits]:
        return cls if isinstance(dimensions[0], TimeDimension) else ArrayWithUnits

    @property
    def time_dimension(self) -> TimeDimension:
        """The time axis."""
        dimension = self.dimensions[0]
        assert isinstance(dimension, TimeDimension)
        return dimension

    def iter_slices(self) -> Iterator[tuple[TimeSlice, Any]]:
        """Yield (the time that an element covers, the element), in order."""
        time = self.time_dimension
        for index, row in enumerate(self):
            yield time.slice_of(index), row
