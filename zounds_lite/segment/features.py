"""How slices of time are stored.

Classes: ``TimeSliceFeature``, and its codec, ``TimeSliceEncoder`` with the decoder of variable-rate series.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite.persistence import VariableRateTimeSeriesEncoder, VariableRateTimeSeriesFeature
from zounds_lite.timeseries import VariableRateTimeSeries

__all__ = ["TimeSliceEncoder", "TimeSliceFeature"]

_NO_DATA = np.empty(0)


class TimeSliceEncoder(VariableRateTimeSeriesEncoder):
    """Slices as records of start and stop; data that came with them is left out.

    Chunks are series, or iterables of ``TimeSlice``.
    """

    def _process(self, data: Any) -> Iterator[Any]:
        slices = data.slices if isinstance(data, VariableRateTimeSeries) else data
        yield from super()._process(slices_only(slices))


def slices_only(slices: Any) -> VariableRateTimeSeries:
    """Return a series of slices whose values hold no numbers.

    Args:
        slices (Iterable[TimeSlice]): the slices.

    Examples:
        >>> from zounds_lite.timeseries import Seconds, TimeSlice
        >>> series = slices_only([TimeSlice(Seconds(1))])
        >>> series.slices, series.slicedata.shape
        ([TimeSlice(start = 0.0, duration = 1.0)], (1, 0))
    """
    return VariableRateTimeSeries((timeslice, _NO_DATA) for timeslice in slices)


class TimeSliceFeature(VariableRateTimeSeriesFeature):
    """A feature whose chunks are slices of time; reads back as one ``VariableRateTimeSeries`` without data.

    Args: as for ``featureflow.Feature``.

    Examples:
        >>> import zounds_lite as zounds
        >>> from zounds_lite import featureflow as ff
        >>> @zounds.simple_in_memory_settings
        ... class Document(ff.BaseModel):
        ...     slices = zounds.TimeSliceFeature(ff.IteratorNode, store=True)
        >>> whole = zounds.TimeSlice(zounds.Seconds(2))
        >>> Document(Document.process(slices=[[whole]])).slices.slices
        [TimeSlice(start = 0.0, duration = 2.0)]
    """

    encoder = TimeSliceEncoder
