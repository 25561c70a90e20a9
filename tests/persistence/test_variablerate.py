"""Variable-rate series come back as they were, empty and open ones too."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.errors import DimensionError, ValueTooLarge


@zounds.simple_in_memory_settings
class Document(ff.BaseModel):
    series = zounds.VariableRateTimeSeriesFeature(ff.IteratorNode, store=True)


def _series(starts, shape=(3,)):
    rng = np.random.default_rng(0)
    return zounds.VariableRateTimeSeries(
        [(zounds.TimeSlice(zounds.Seconds(1.5), start=zounds.Seconds(s)), rng.normal(size=shape)) for s in starts]
    )


def test_chunks_are_joined_and_sorted():
    parts = [_series([4, 5]), _series([0, 2])]
    back = Document(Document.process(series=parts)).series
    whole = parts[0].concat(parts[1])
    assert back.slices == whole.slices
    assert np.array_equal(back.slicedata, whole.slicedata)


@pytest.mark.parametrize("parts", [[zounds.VariableRateTimeSeries()], [zounds.VariableRateTimeSeries()] * 2])
def test_an_empty_series(parts):
    back = Document(Document.process(series=parts)).series
    assert len(back) == 0
    assert len(back.concat(_series([1]))) == 1


def test_an_open_stretch_stays_open():
    series = zounds.VariableRateTimeSeries([(zounds.TimeSlice(start=zounds.Seconds(3)), np.ones(2))])
    assert Document(Document.process(series=[series])).series.slices == series.slices


@pytest.mark.parametrize("start_ps", [-3, -1, 0])
@pytest.mark.parametrize("duration_ps", [None, 0, 1, 2])
def test_a_stretch_around_zero_is_open_only_if_it_was(start_ps, duration_ps):
    duration = None if duration_ps is None else zounds.Picoseconds(duration_ps)
    series = zounds.VariableRateTimeSeries([(zounds.TimeSlice(duration, zounds.Picoseconds(start_ps)), np.ones(2))])
    assert Document(Document.process(series=[series])).series.slices == series.slices


def test_a_time_beyond_what_is_stored_is_refused():
    late = zounds.TimeSlice(zounds.Seconds(1), start=zounds.Hours(24 * 200))
    with pytest.raises(ValueTooLarge, match="106 days"):
        Document.process(series=[zounds.VariableRateTimeSeries([(late, np.ones(2))])])


def test_chunks_of_other_shapes_are_refused():
    with pytest.raises(DimensionError, match="cannot follow"):
        Document.process(series=[_series([0]), _series([1], (4,))])
