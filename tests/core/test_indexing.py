"""Every kind of index, against the same index on a plain array."""

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from zounds_lite.core import ArrayWithUnits, Dimension, IdentityDimension, indexing
from zounds_lite.core.indexing import is_integer, is_mask, resolve, sliced
from zounds_lite.errors import DimensionError, UnitIndexError
from zounds_lite.timeseries import Seconds, TimeDimension, TimeSlice

IDENTITY = IdentityDimension()


class Tagged(Dimension):
    """Says which axis it was: what comes out of an index can be traced."""

    def __init__(self, tag):
        super().__init__(tag=tag)


class Fixed(Dimension):
    """Fits one size only."""

    def __init__(self, n):
        super().__init__(n=n)

    def validate_size(self, size):
        if size != self.n:
            raise DimensionError(f"{size} is not {self.n}")


def tagged(shape):
    data = np.arange(np.prod(shape)).reshape(shape)
    return data, ArrayWithUnits(data, [Tagged(i) for i in range(len(shape))])


def check(result, expected):
    """The invariant: numpy's values, and either no units or one valid dimension per axis."""
    np.testing.assert_array_equal(np.asarray(result), expected)
    assert np.asarray(result).dtype == np.asarray(expected).dtype
    if isinstance(result, ArrayWithUnits):
        assert len(result.dimensions) == result.ndim > 0
        for dimension, size in zip(result.dimensions, result.shape, strict=True):
            dimension.validate_size(size)
            assert dimension.size in (None, size)


def tags(result):
    return [getattr(d, "tag", None) for d in result.dimensions]


SHAPE = (4, 5, 6)


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (0, [1, 2]),
        (-1, [1, 2]),
        (np.int64(2), [1, 2]),
        (np.uint8(2), [1, 2]),
        (np.array(2), [1, 2]),
        ((0, 1), [2]),
        ((slice(None), 1), [0, 2]),
        ((slice(None), np.int32(1)), [0, 2]),
        (slice(0, 2), [0, 1, 2]),
        (slice(np.int64(0), np.int64(2), np.int64(1)), [0, 1, 2]),
        (slice(None, None, 2), [0, 1, 2]),
        (Ellipsis, [0, 1, 2]),
        ((Ellipsis, 0), [0, 1]),
        ((0, Ellipsis, 0), [1]),
        ((0, Ellipsis), [1, 2]),
        (None, [None, 0, 1, 2]),
        ((Ellipsis, None), [0, 1, 2, None]),
        ((slice(None), None, 0, None), [0, None, None, 2]),
        ([0, 2], [None, 1, 2]),
        (np.array([1, 2]), [None, 1, 2]),
        (np.array([[1, 2], [0, 1]]), [None, None, 1, 2]),
        ((slice(None), [0, 2, 4]), [0, None, 2]),
        (((0, 2), Ellipsis), [0, 1, 2]),
        ((slice(None), (0, 2, 4)), [0, 1, 2]),
        ((slice(None), np.array([True, False, True, False, True])), [0, None, 2]),
        ((slice(None), [True, False, True, False, True]), [0, None, 2]),
        (([0, 1], [2, 3]), [None, 2]),
        ((slice(None), [0, 1], [2, 3]), [0, None]),
        (([0, 1], slice(None), [2, 3]), [None, 1]),
        ((0, slice(None), [2, 3]), [None, 1]),
        ((slice(None), 0, [2, 3]), [0, None]),
        (([0, 1], Ellipsis, [2, 3]), [None, 1]),
        ((slice(None), [0, 1], Ellipsis, [2, 3]), [None, 0]),
        ((slice(None), [0, 1], None, [2, 3]), [None, 0, None]),
        ((np.ones((4, 5), bool), slice(None)), [None, 2]),
        ((slice(None), np.ones((5, 6), bool)), [0, None]),
        (([], slice(None)), [None, 1, 2]),
        ((True, slice(None)), [None, 0, 1, 2]),
    ],
)
def test_dimensions_follow_the_index(index, expected):
    plain, units = tagged(SHAPE)
    result = units[index]
    check(result, plain[index])
    assert tags(result) == expected


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "c8", "?"])
def test_an_integer_on_one_axis_gives_a_scalar_of_the_dtype(dtype):
    x = ArrayWithUnits(np.ones(3, dtype), [IDENTITY])
    for index in (1, np.int64(1), (1,), (1, Ellipsis), np.array(1)):
        assert type(x[index]) is np.dtype(dtype).type


def test_a_mask_as_the_whole_index_gives_plain_numbers():
    plain, units = tagged((3, 4))
    for mask in (units > 5, plain > 5, np.array([True, False, True]), [True, False, True], True):
        result = units[mask]
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, plain[np.asarray(mask)])
    units[units > 5] = -1
    assert plain.max() == 5  # a view: the data itself was set


def test_iteration_yields_rows_without_the_first_dimension():
    plain, units = tagged((3, 4))
    rows = list(units)
    assert [tags(row) for row in rows] == [[1]] * 3
    np.testing.assert_array_equal(np.stack([np.asarray(row) for row in rows]), plain)
    assert all(type(value) is np.int64 for value in units[0])


def test_out_of_range_is_an_index_error_and_too_many_indices_too():
    _, units = tagged((3, 4))
    with pytest.raises(IndexError, match="out of bounds"):
        units[3]
    with pytest.raises(IndexError, match="too many indices"):
        units[0, 0, 0]
    with pytest.raises(IndexError, match="ellipsis"):
        units[..., 0, ...]


def test_a_slice_keeps_a_dimension_only_where_its_size_fits():
    x = ArrayWithUnits(np.zeros((3, 4)), [Fixed(3), Fixed(4)])
    assert x[:, 1:3].dimensions == (Fixed(3), IDENTITY)
    assert x[:, :].dimensions == (Fixed(3), Fixed(4))
    assert x[:, (0, 1)].dimensions == (Fixed(3), IDENTITY)
    assert x[:, (3, 2, 1, 0)].dimensions == (Fixed(3), Fixed(4))


@pytest.mark.parametrize("index", [TimeSlice(Seconds(1)), Seconds(1), slice(Seconds(1), None), 1.5, slice(0.5, 2), "a"])
def test_wrong_units_name_axis_dimension_index_and_what_is_allowed(index):
    x = ArrayWithUnits(np.zeros((3, 4)), [TimeDimension(Seconds(1)), IDENTITY])
    with pytest.raises(UnitIndexError, match="axis 1 is IdentityDimension.*cannot be indexed by.*allowed: integers"):
        x[:, index]
    with pytest.raises(UnitIndexError, match="axis 1"):
        x[:, index] = 0


def test_wrong_units_on_a_time_axis_say_what_time_takes():
    x = ArrayWithUnits(np.zeros(3), [TimeDimension(Seconds(1))])
    for index in (1.5, "a", slice(1, Seconds(2)), [0.5], slice(Seconds(0), Seconds(2), Seconds(1))):
        with pytest.raises(UnitIndexError, match="axis 0.*TimeSlice") as info:
            x[index]
        assert isinstance(info.value, IndexError) and isinstance(info.value, ValueError)


def test_custom_indices_go_to_their_dimension():
    class Note(Dimension):
        def integer_based_slice(self, index):
            if isinstance(index, slice):
                return slice("CDEFGAB".index(index.start), "CDEFGAB".index(index.stop))
            return ["CDEFGAB".index(letter) for letter in index] if len(index) > 1 else "CDEFGAB".index(index)

    x = ArrayWithUnits(np.arange(14).reshape(2, 7), [IDENTITY, Note()])
    assert x[:, "E"].tolist() == [2, 9]
    assert x[0, "E":"G"].tolist() == [2, 3]
    assert x[0, "CEG"].tolist() == [0, 2, 4]
    x[:, "E":"G"] = 0
    assert np.asarray(x)[:, 2:4].tolist() == [[0, 0], [0, 0]]


integers = st.integers(-3, 2)
items = st.one_of(
    st.none(),
    st.just(Ellipsis),
    integers,
    integers.map(np.int64),
    st.slices(3),
    st.lists(integers, min_size=1, max_size=4),
    st.tuples(integers, integers),
    st.lists(st.booleans(), min_size=3, max_size=3).map(np.array),
    st.lists(integers, min_size=2, max_size=2).map(np.array),
    st.just(np.array([[0, 1], [2, 0]])),
    st.just(np.eye(3, dtype=bool)),
    st.booleans(),
)


@given(st.lists(items, max_size=5).map(tuple), st.integers(1, 4))
def test_any_index_gives_numpys_values_with_one_valid_dimension_per_axis(index, ndim):
    # all axes alike, so that any mask fits any axis
    plain, units = tagged((3,) * ndim)
    raw = tuple(list(i) if isinstance(i, tuple) else i for i in index)
    try:
        expected = plain[raw]
    except IndexError:
        with pytest.raises(IndexError):
            units[index]
        return
    check(units[index], expected)


@given(st.lists(items, min_size=1, max_size=4).map(tuple), st.integers(1, 3))
def test_setting_and_getting_use_the_same_translation(index, ndim):
    plain, units = tagged((3,) * ndim)
    raw = tuple(list(i) if isinstance(i, tuple) else i for i in index)
    expected = plain.copy()
    try:
        expected[raw] = -1
    except IndexError:
        assume(False)
    units[index] = -1
    np.testing.assert_array_equal(plain, expected)


@given(st.lists(items, max_size=4).map(tuple), st.integers(1, 3))
def test_kept_dimensions_are_those_of_the_axes_that_they_came_from(index, ndim):
    plain, units = tagged((3,) * ndim)
    raw = tuple(list(i) if isinstance(i, tuple) else i for i in index)
    try:
        result = units[index]
    except IndexError:
        assume(False)
    assume(isinstance(result, ArrayWithUnits))
    for tag, coordinate in enumerate(np.indices(plain.shape)):
        # the position along an axis may vary only along what claims to be that axis
        found = coordinate[raw]
        others = [axis for axis, other in enumerate(tags(result)) if other not in (tag, None)]
        assert all(np.all(np.diff(found, axis=axis) == 0) for axis in others)


def test_resolving_needs_no_array():
    resolved = resolve((None, 2, slice(1, 3)), [Tagged(0), Tagged(1), Tagged(2)])
    assert resolved.raw == [None, 2, slice(1, 3)]
    assert [getattr(d, "tag", None) for d in resolved.dimensions((1, 2, 9))] == [None, 1, 2]


def test_a_duration_is_no_integer_and_a_list_of_numbers_no_mask():
    assert not is_integer(np.timedelta64(3, "s"))
    assert not is_mask([0, 1])
    assert not is_mask([])
    assert is_mask(np.True_)


@pytest.mark.parametrize("index", [(), (2,), (slice(1, 3),), (slice(None), slice(0, 9)), (2, slice(1, 3)), (2, 3, 4)])
def test_the_fast_way_finds_the_dimensions_of_the_general_one(index):
    axes = [Tagged(0), Tagged(1), Tagged(2)]
    shape = np.empty((5, 9, 7))[index].shape
    found = sliced(indexing.integers(index, axes), axes, shape)
    assert [d.tag for d in found] == [d.tag for d in resolve(index, axes).dimensions(shape)]


@pytest.mark.parametrize("index", [(None,), (Ellipsis,), ([1, 2],), (np.array([1]),), (True,), ((0, 1),), (0, 0, 0, 0)])
def test_the_fast_way_leaves_other_indexes_alone(index):
    assert indexing.integers(index, [Tagged(0), Tagged(1), Tagged(2)]) is None
