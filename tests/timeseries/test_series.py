"""Series of constant and of variable rate."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DimensionError, UnitIndexError
from zounds_lite.timeseries import (
    SR44100,
    ConstantRateTimeSeries,
    Seconds,
    TimeDimension,
    TimeSlice,
    VariableRateTimeSeries,
)

TIME = TimeDimension(Seconds(1), Seconds(2))


def test_constant_rate_walks_along_time():
    series = ConstantRateTimeSeries(ArrayWithUnits(np.arange(6).reshape(3, 2), [TIME, None]))
    found = [(ts, row.tolist()) for ts, row in series.iter_slices()]
    assert found == [(TimeSlice(Seconds(2), start=Seconds(k)), [2 * k, 2 * k + 1]) for k in range(3)]
    assert series.time_dimension == TIME
    assert type(series[TimeSlice(Seconds(1))]) is ConstantRateTimeSeries
    assert type(series[0]) is ArrayWithUnits
    assert type(series.T) is ArrayWithUnits


def test_constant_rate_does_not_drift():
    last = ArrayWithUnits(np.broadcast_to(np.int8(0), 44100 * 3 + 1), [TimeDimension(*SR44100())])
    *_, (ts, _) = ConstantRateTimeSeries(last).iter_slices()
    assert ts.start == Seconds(3)


@pytest.mark.parametrize("array", [np.zeros(3), ArrayWithUnits(np.zeros((3, 2)), [None, TIME]), [1, 2]])
def test_constant_rate_needs_time_first(array):
    with pytest.raises(ValueError, match="first dimension is a TimeDimension"):
        ConstantRateTimeSeries(array)


def entries(*pairs):
    return [(TimeSlice(None if d is None else Seconds(d), start=Seconds(s)), np.array([s])) for s, d in pairs]


def test_variable_rate_sorts_and_spans():
    series = VariableRateTimeSeries(entries((4, 1), (0, 2), (2, 2)))
    assert [int(v[0]) for _, v in series.iter_slices()] == [0, 2, 4]
    assert (len(series), series.span, series.end) == (3, TimeSlice(Seconds(5)), Seconds(5))
    assert series.slicedata.tolist() == [[0], [2], [4]]
    assert series.slices == [ts for ts, _ in series]
    record = series.raw_data[1]
    assert (record.timeslice, record.slicedata.tolist()) == (TimeSlice(Seconds(2), start=Seconds(2)), [2])
    assert series[1].timeslice == record.timeslice
    assert series[np.int64(-1)].slicedata.tolist() == [4]
    assert len(series[1:]) == 2
    assert "3 entries" in repr(series)


def test_variable_rate_overlap_is_strict():
    series = VariableRateTimeSeries(entries((0, 2), (2, 2), (4, 1)))
    assert series[TimeSlice(Seconds(2), start=Seconds(2))].slices == series.slices[1:2]
    assert len(series[TimeSlice(Seconds(1), start=Seconds(1.5))]) == 2
    assert len(series[TimeSlice(start=Seconds(3))]) == 2
    assert len(series[TimeSlice(start=Seconds(9))]) == 0


def test_empty_series_are_legal_and_join():
    empty = VariableRateTimeSeries([])
    assert (len(empty), empty.span.duration, empty.slicedata.shape, len(empty.raw_data)) == (0, Seconds(0), (0,), 0)
    one = VariableRateTimeSeries(entries((1, 1)))
    assert len(empty.concat(one)) == len(one.concat(empty)) == 1
    assert len(empty[TimeSlice(Seconds(1))]) == 0


def test_open_entries():
    series = VariableRateTimeSeries(entries((0, 1), (2, None)))
    assert series.span.duration is None
    assert len(series[TimeSlice(Seconds(1), start=Seconds(100))]) == 1


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20)), max_size=20), st.integers(0, 40), st.integers(0, 40))
def test_variable_rate_against_a_full_search(pairs, start, length):
    series = VariableRateTimeSeries(entries(*pairs))
    wanted = TimeSlice(Seconds(length), start=Seconds(start))
    expected = [ts for ts in series.slices if ts.end > wanted.start and ts.start < wanted.end]
    assert series[wanted].slices == expected


def test_variable_rate_refuses_what_does_not_fit():
    with pytest.raises(DimensionError, match="one shape for all"):
        VariableRateTimeSeries([(TimeSlice(Seconds(1)), np.zeros(2)), (TimeSlice(Seconds(1)), np.zeros(3))])
    with pytest.raises(DimensionError, match="no pair"):
        VariableRateTimeSeries([3])
    with pytest.raises(DimensionError, match="no TimeSlice"):
        VariableRateTimeSeries([(1, np.zeros(2))])
    with pytest.raises(UnitIndexError, match="cannot be indexed by 'x'"):
        VariableRateTimeSeries([])["x"]


def test_identity_stays_identity():
    assert ConstantRateTimeSeries(ArrayWithUnits(np.zeros((2, 2)), [TIME, None])).dimensions[1] == IdentityDimension()


def test_constant_rate_from_example():
    series = ConstantRateTimeSeries(ArrayWithUnits(np.ones((3, 2)), [TIME, None]))
    for other in (ConstantRateTimeSeries.from_example(np.zeros((5, 2)), series), ConstantRateTimeSeries.zeros(series)):
        assert type(other) is ConstantRateTimeSeries
        assert other.dimensions == series.dimensions
        assert not other.any()
