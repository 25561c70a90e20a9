"""Windows along any axis."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from zounds_lite.core import ArrayWithUnits, IdentityDimension, sliding_window
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.timeseries import SampleRate, Seconds, TimeDimension, TimeSlice

ID = IdentityDimension()
TIME = TimeDimension(Seconds(1))


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4)), min_size=1, max_size=3), st.booleans()
)
def test_against_numpys_view(axes, flatten):
    shape = tuple(max(n, w) for n, w, _ in axes)
    ws, ss = tuple(w for _, w, _ in axes), tuple(s for _, _, s in axes)
    a = np.arange(np.prod(shape)).reshape(shape)
    expected = np.lib.stride_tricks.sliding_window_view(a, ws)[tuple(slice(None, None, s) for s in ss)]
    result = sliding_window(a, ws, ss, flatten=flatten)
    np.testing.assert_array_equal(result, expected.reshape(-1, *ws) if flatten else expected)
    counts = tuple((n - w) // s + 1 for n, w, s in zip(shape, ws, ss, strict=True))
    assert result.shape == ((int(np.prod(counts)),) if flatten else counts) + ws


def test_views_are_read_only_unless_asked():
    a = np.zeros(5)
    with pytest.raises(ValueError, match="read-only"):
        sliding_window(a, 3, 1)[0, 0] = 1
    sliding_window(a, 3, 1, writeable=True)[0, 0] = 1
    assert a[0] == 1


def test_bad_windows():
    with pytest.raises(DimensionError, match="no window may exceed its axis"):
        sliding_window(np.zeros(3), 4)
    with pytest.raises(DimensionError, match="one per axis"):
        sliding_window(np.zeros((3, 3)), 2)
    with pytest.raises(ValueError, match="step sizes"):
        sliding_window(np.zeros(3), 2, (1, 1))
    with pytest.raises(DeclarationError, match="at least 1"):
        sliding_window(np.zeros(3), 0)


def test_windows_have_the_units_that_the_axis_makes_of_itself():
    x = ArrayWithUnits(np.arange(10), [TIME])
    windows = x.sliding_window(2)
    assert windows.shape == (5, 2)
    assert windows.dimensions == (TimeDimension(Seconds(2)), TIME)
    assert x.sliding_window(TimeSlice(Seconds(3)), TimeSlice(Seconds(1))).shape == (8, 3)
    assert x.sliding_window(slice(0, 3), 1).dimensions[0] == TimeDimension(Seconds(1), Seconds(3))


def test_two_axes():
    x = ArrayWithUnits(np.zeros((10, 10)), [TIME, ID])
    for whole in (10, slice(None)):
        windows = x.sliding_window((2, whole))
        assert windows.shape == (5, 2, 10)
        assert windows.dimensions == (TimeDimension(Seconds(2)), TIME, ID)
    small = x.sliding_window((2, 2))
    assert small.shape == (25, 2, 2)
    assert small.dimensions == (ID, ID, ID)
    with pytest.raises(DimensionError, match="one per axis"):
        x.sliding_window(2)


@pytest.mark.parametrize(("length", "left", "n"), [(10, 2, 4), (3, 3, 0), (4, 2, 1), (11, 3, 4), (0, 0, 0)])
def test_leftovers(length, left, n):
    data = np.arange(length * 2).reshape(length, 2)
    x = ArrayWithUnits(data, [TIME, ID])
    leftovers, windows = x.sliding_window_with_leftovers(4, 2)
    assert (len(leftovers), windows.shape) == (left, (n, 4, 2))
    assert windows.dimensions == (TimeDimension(Seconds(2), Seconds(4)), TIME, ID)
    for k in range(n):
        np.testing.assert_array_equal(windows[k], data[2 * k : 2 * k + 4])
    if length:
        np.testing.assert_array_equal(leftovers, data[n * 2 :])
        assert leftovers.dimensions[0] == TIME


def test_padded_windows_hold_every_sample():
    x = ArrayWithUnits(np.arange(1, 12), [TIME])
    leftovers, windows = x.sliding_window_with_leftovers(4, 3, dopad=True)
    assert windows[-1].tolist() == [10, 11, 0, 0]
    assert set(np.asarray(windows).ravel()) == set(range(12))
    assert len(leftovers) == 0
    assert len(ArrayWithUnits(np.zeros(0), [TIME]).sliding_window_with_leftovers(4, dopad=True)[1]) == 0


def test_windows_of_windows_count_the_overlap():
    frames = ArrayWithUnits(np.zeros((10, 3)), [TimeDimension(*SampleRate(Seconds(1), Seconds(2))), ID])
    _, windows = frames.sliding_window_with_leftovers(5, 2)
    assert windows.dimensions[0] == TimeDimension(Seconds(2), Seconds(6))


def test_sizes_in_units_and_from_the_end():
    x = ArrayWithUnits(np.arange(10), [TIME])
    assert x.sliding_window(TimeSlice(Seconds(3))).shape == (3, 3)
    assert x.sliding_window(slice(-3, None)).shape == (3, 3)
    assert x.sliding_window(slice(-4, -2)).shape == (5, 2)
    for size in (slice(0, 11), slice(2, 2)):
        with pytest.raises(ValueError, match="window"):
            x.sliding_window(size)
    with pytest.raises(DimensionError, match="a size, or a slice"):
        x.sliding_window(Seconds(2))
