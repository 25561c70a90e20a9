import json

import numpy as np
import pytest

from zounds_lite._declared import Declared
from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError, UnitIndexError
from zounds_lite.spectral import (
    ExplicitFrequencyDimension,
    ExplicitScale,
    FFTScale,
    FrequencyBand,
    FrequencyDimension,
    GeometricScale,
    Hertz,
    LinearScale,
    Mel,
)
from zounds_lite.timeseries import Seconds, TimeDimension, TimeSlice

LINEAR = LinearScale(FrequencyBand(0, 100), 10)


def array(scale, rows=4):
    data = np.arange(rows * len(scale), dtype=float).reshape(rows, len(scale))
    return ArrayWithUnits(data, [TimeDimension(Seconds(1)), FrequencyDimension(scale)])


def test_slices_in_hertz_keep_bands():
    x = array(LINEAR)
    part = x[:, FrequencyBand(20, 80)]
    assert np.array_equal(part, np.asarray(x)[:, 1:8])
    assert part.dimensions[1].scale.bands == LINEAR.bands[1:8]
    again = part[:, Hertz(31) : Hertz(39)]
    assert again.dimensions[1].scale.bands == LINEAR.bands[3:4]
    assert np.array_equal(again, np.asarray(x)[:, 3:4])
    assert x[TimeSlice(Seconds(2)), Hertz(-20) :].shape == (2, 3)
    assert x[:, Mel(10) : Mel(50)].shape == (4, 4)


def test_one_frequency_takes_one_element():
    x = array(FFTScale(8000, 16))
    assert np.array_equal(x[:, Hertz(1100)], np.asarray(x)[:, 2])
    assert x[:, Hertz(1100)].dimensions == x.dimensions[:1]


def test_nothing_is_an_empty_array_with_units():
    nothing = array(LINEAR)[:, FrequencyBand(500, 600)]
    assert nothing.shape == (4, 0)
    assert nothing.dimensions[1] == FrequencyDimension(ExplicitScale([]))
    assert nothing[:, FrequencyBand(1, 2)].shape == (4, 0)


def test_integer_slices():
    x = array(GeometricScale(20, 2000, 0.1, 12))
    scale = x.dimensions[1].scale
    assert x[:, 2:5].dimensions[1].scale.bands == scale.bands[2:5]
    assert x[:, ::3].dimensions[1].scale.bands == scale.bands[::3]
    assert x[:, ::-1].dimensions[1] == IdentityDimension()
    assert x[:, [1, 3]].dimensions[1] == IdentityDimension()
    assert x[1, np.int64(3)] == 15


def test_assignment_by_band():
    x = array(LINEAR)
    x[:, FrequencyBand(0, 20)] = 0
    assert (np.asarray(x)[:, :2] == 0).all()
    assert np.count_nonzero(x) == 32


@pytest.mark.parametrize("index", [slice(Seconds(0), Seconds(1)), TimeSlice(Seconds(1)), slice(0.5, 2.0)])
def test_wrong_units(index):
    with pytest.raises(UnitIndexError, match="FrequencyBand"):
        array(LINEAR)[:, index]


def test_outside_frequency():
    with pytest.raises(IndexError, match="outside the scale"):
        array(LINEAR)[:, Hertz(500)]


def test_sizes_must_fit():
    with pytest.raises(DimensionError, match="11 elements for a LinearScale of 10 bands"):
        ArrayWithUnits(np.zeros(11), [FrequencyDimension(LINEAR)])
    with pytest.raises(DeclarationError, match="allowed: a scale"):
        FrequencyDimension(10)
    with pytest.raises(ValueError):
        FrequencyDimension(None)


def test_dimensions_are_values():
    for scale in (LINEAR, FFTScale(44100, 2048)[10:38], ExplicitScale([])):
        dimension = FrequencyDimension(scale)
        assert Declared.from_dict(json.loads(json.dumps(dimension.to_dict()))) == dimension
        assert hash(dimension) == hash(FrequencyDimension(scale))
    assert FrequencyDimension(FFTScale(44100, 2048)) == FrequencyDimension(LinearScale.from_sample_rate(44100, 1025))


def test_windows_over_the_whole_axis():
    x = array(LINEAR, rows=10)
    assert x.sliding_window((2, 10)).dimensions[-1] == x.dimensions[1]
    with pytest.raises(DimensionError, match="allowed: all 10 bands"):
        list(FrequencyDimension(LINEAR).modified_dimension(5, 2))


SCALE = ExplicitScale([FrequencyBand(0, 100), FrequencyBand(100, 300), FrequencyBand(300, 1000)])


def explicit(rows=2):
    dimension = ExplicitFrequencyDimension(SCALE, [slice(0, 2), slice(2, 6), slice(6, 14)])
    return ArrayWithUnits(np.arange(rows * 14.0).reshape(rows, 14), [IdentityDimension(), dimension])


def test_explicit_bands_hold_several_elements():
    x = explicit()
    assert np.array_equal(x[:, FrequencyBand(100, 300)], np.asarray(x)[:, 2:6])
    assert x[:, FrequencyBand(100, 300)].dimensions[1].scale.bands == SCALE.bands[1:2]
    assert np.array_equal(x[:, FrequencyBand(101, 400)], np.asarray(x)[:, 2:14])
    assert x[:, Hertz(50)].shape == (2, 2)
    assert x[:, FrequencyBand(5000, 6000)].shape == (2, 0)


def test_explicit_slices_start_anew():
    x = explicit()
    part = x[:, FrequencyBand(101, 400)]
    assert part.dimensions[1].slices == (slice(0, 4), slice(4, 12))
    assert np.array_equal(part[:, FrequencyBand(300, 1000)], np.asarray(x)[:, 6:14])
    assert x[:, 2:6].dimensions[1].scale.bands == SCALE.bands[1:2]
    for cut in (slice(1, 6), slice(2, 5), slice(0, 14, 2)):
        assert x[:, cut].dimensions[1] == IdentityDimension()


def test_explicit_dimensions_are_values():
    dimension = explicit().dimensions[1]
    assert Declared.from_dict(json.loads(json.dumps(dimension.to_dict()))) == dimension
    assert hash(dimension) == hash(explicit().dimensions[1])
    assert list(dimension.modified_dimension(1, slice(None))) == [dimension]


def test_explicit_sizes_must_fit():
    with pytest.raises(DimensionError, match="1 slices for 3 bands"):
        ExplicitFrequencyDimension(SCALE, [slice(0, 2)])
    with pytest.raises(DeclarationError, match="a slice from 2 is due"):
        ExplicitFrequencyDimension(SCALE, [slice(0, 2), slice(3, 6), slice(6, 14)])
    with pytest.raises(DimensionError, match="13 elements where the bands have 14"):
        ArrayWithUnits(np.zeros(13), [explicit().dimensions[1]])
    with pytest.raises(DimensionError, match="cut through bands"):
        list(explicit().dimensions[1].modified_dimension(5, 2))
