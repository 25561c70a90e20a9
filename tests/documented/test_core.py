"""The documented values of core: the user documentation, run with today's Python."""

import numpy as np
import pytest

from zounds_lite import ArrayWithUnits, IdentityDimension, Seconds, TimeDimension, TimeSlice


def test_array_with_units_is_sliced_by_time():
    data = np.zeros(100)
    awu = ArrayWithUnits(data, [TimeDimension(Seconds(1))])
    sliced = awu[TimeSlice(Seconds(10))]
    assert sliced.shape == (10,)


def test_array_with_units_needs_one_dimension_per_axis():
    with pytest.raises(ValueError, match="one dimension per axis"):
        ArrayWithUnits(np.zeros((10, 10)), [TimeDimension(Seconds(1))])


def test_from_example_takes_the_dimensions_of_the_example():
    example = ArrayWithUnits(np.zeros(100), [TimeDimension(Seconds(1))])
    arr = ArrayWithUnits.from_example(np.ones(50), example)
    assert arr.dimensions == example.dimensions
    assert arr.shape == (50,)


def test_identity_dimension_passes_indices_through():
    data = np.zeros(100)
    arr = ArrayWithUnits(data, [IdentityDimension()])
    sliced = arr[4:6]
    assert sliced.shape == (2,)
