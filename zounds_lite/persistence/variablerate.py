"""How variable-rate series are stored: one record an entry, with start and stop in picoseconds and the value.

An open stretch has a stop before its start: -1, or less where it starts before zero. An empty series is stored without
rows and reads back empty. Classes: ``VariableRateTimeSeriesEncoder``, ``VariableRateTimeSeriesDecoder``.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue, ValueTooLarge, ZoundsError
from zounds_lite.featureflow.arrays import BaseNumpyDecoder, NumpyEncoder
from zounds_lite.featureflow.codecs import StoredValue
from zounds_lite.timeseries import Picoseconds, TimeSlice, VariableRateTimeSeries

__all__ = ["VariableRateTimeSeriesDecoder", "VariableRateTimeSeriesEncoder"]

_TIME = np.dtype("<i8")


class VariableRateTimeSeriesEncoder(NumpyEncoder):
    """Entries as records; chunks are joined."""

    @property
    def header(self) -> dict[str, Any]:
        return self._header() if self._first is not None else {"empty": True}

    def _process(self, data: Any) -> Iterator[Any]:
        if len(data):  # an empty series does not know the shape of its values
            yield from super()._process(data)

    def _array(self, data: VariableRateTimeSeries) -> np.ndarray:
        values = data.slicedata
        records = np.empty(len(data), [("start", "<i8"), ("stop", "<i8"), ("data", values.dtype, values.shape[1:])])
        try:
            records["start"] = [timeslice.start_ps for timeslice in data.slices]
            records["stop"] = [_stop_of(timeslice) for timeslice in data.slices]
        except OverflowError as error:
            raise ValueTooLarge(f"{data!r} reaches beyond 2**63 picoseconds, which are 106 days") from error
        records["data"] = values
        return records


class VariableRateTimeSeriesDecoder(BaseNumpyDecoder):
    """A ``VariableRateTimeSeries``."""

    def decode(self, value: StoredValue) -> VariableRateTimeSeries:
        return VariableRateTimeSeries() if value.header.get("empty") else super().decode(value)

    def _wrap(self, array: np.ndarray, value: StoredValue) -> VariableRateTimeSeries:
        dtype = array.dtype
        if array.ndim != 1 or dtype.names != ("start", "stop", "data") or {dtype["start"], dtype["stop"]} != {_TIME}:
            raise CorruptValue(f"{value.what} is no series: {str(dtype)[:200]}{list(array.shape)}")
        value.verified()  # the entries are copied
        try:
            return VariableRateTimeSeries((_timeslice(row), row["data"]) for row in array)
        except ZoundsError as error:
            raise CorruptValue(f"{value.what} is no series: {error}") from error


def _timeslice(row: Any) -> TimeSlice:
    start, stop = int(row["start"]), int(row["stop"])
    return TimeSlice(start=Picoseconds(start), duration=None if stop < start else Picoseconds(stop - start))


def _stop_of(timeslice: TimeSlice) -> int:
    return min(-1, timeslice.start_ps - 1) if timeslice.stop_ps is None else timeslice.stop_ps
