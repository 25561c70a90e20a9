"""Arrays with units: construction, arithmetic, and the contract with numpy."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from zounds_lite._declared import Declared
from zounds_lite.core import ArrayWithUnits, Dimension, IdentityDimension, display, set_renderer
from zounds_lite.errors import DimensionError
from zounds_lite.timeseries import SR8000, AudioSamples, Seconds, TimeDimension, TimeSlice

ID = IdentityDimension()
TIME = TimeDimension(Seconds(1))


class Tag(Dimension):
    """Tells axes apart."""

    def __init__(self, name, size=None):
        super().__init__(name=name, size=size)


class Fixed(Dimension):
    """Fits one size only, as a scale does."""

    def __init__(self, n):
        super().__init__(n=n)

    def validate_size(self, size):
        if size != self.n:
            raise DimensionError(f"{size} elements where {self.n} are due")


def make(*shape):
    data = np.random.default_rng(0).standard_normal(shape)
    return data, ArrayWithUnits(data, [Tag("abcdef"[i]) for i in range(len(shape))])


def names(x):
    return "".join(getattr(d, "name", "-") for d in x.dimensions)


def check(result, expected, dims=None):
    if isinstance(expected, tuple | list):
        assert type(result) is type(expected)
        for one, other in zip(result, expected, strict=True):
            check(one, other)
        return
    np.testing.assert_array_equal(np.asarray(result), expected)
    if isinstance(result, ArrayWithUnits):
        assert len(result.dimensions) == result.ndim > 0
        for dimension, size in zip(result.dimensions, result.shape, strict=True):
            dimension.validate_size(size)
            assert dimension.size in (None, size)
    if dims is not None:
        assert (names(result) if isinstance(result, ArrayWithUnits) else None) == dims


# --- construction -------------------------------------------------------------------------------------------------


def test_it_is_a_view_and_never_changes_its_arguments():
    data, example = np.zeros(10), TimeDimension(Seconds(1), size=3)
    x = ArrayWithUnits(data, [example])
    x[0] = 1
    assert data[0] == 1
    assert example.size == 3
    assert x.dimensions[0].size == 10
    longer = ArrayWithUnits.from_example(np.zeros(20), x)
    assert (x.dimensions[0].size, longer.dimensions[0].size) == (10, 20)


def test_lists_and_none_are_welcome():
    x = ArrayWithUnits([[1, 2]], [None, None])
    assert x.dimensions == (ID, ID)


def test_dimensions_must_fit():
    with pytest.raises(DimensionError, match="1 dimensions for an array of shape .2, 3., which has 2 axes"):
        ArrayWithUnits(np.zeros((2, 3)), [ID])
    with pytest.raises(ValueError, match="axis 1 of an array of shape .2, 3.: 3 elements where 4 are due"):
        ArrayWithUnits(np.zeros((2, 3)), [ID, Fixed(4)])
    with pytest.raises(DimensionError, match="axis 0: 'time' is no Dimension"):
        ArrayWithUnits(np.zeros(2), ["time"])


def test_zeros_and_zeros_like():
    _, x = make(2, 3)
    for zeros in (ArrayWithUnits.zeros(x), x.zeros_like(), np.zeros_like(x)):
        check(zeros, np.zeros((2, 3)), "ab")


def test_kwargs_wrap_raw_data_again():
    data, x = make(2, 3)
    check(ArrayWithUnits(data, **x.kwargs()), data, "ab")


def test_repr_keeps_its_documented_form():
    assert repr(ArrayWithUnits(np.ones(3), [ID])) == "ArrayWithUnits([1., 1., 1.])"
    assert np.array_repr(ArrayWithUnits(np.ones(3), [ID])) == "ArrayWithUnits([1., 1., 1.])"
    assert str(ArrayWithUnits(np.ones(3), [ID])) == "[1. 1. 1.]"
    assert "..." in repr(ArrayWithUnits(np.ones(3000), [ID]))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_and_copies_keep_units(protocol):
    data, x = make(2, 3)
    for again in (pickle.loads(pickle.dumps(x, protocol)), copy.copy(x), copy.deepcopy(x), x.copy(), np.copy(x)):
        check(again, data, "ab")
        assert type(again) is ArrayWithUnits
    audio = AudioSamples(np.zeros((4, 2)), SR8000())
    assert pickle.loads(pickle.dumps(audio, protocol)).samplerate == SR8000()


def test_reading_a_memory_map_stays_a_memory_map(tmp_path):
    np.arange(1000.0).tofile(tmp_path / "x")
    stored = np.memmap(tmp_path / "x", dtype="f8", mode="r")
    x = ArrayWithUnits(stored, [TIME])[TimeSlice(Seconds(5), start=Seconds(10))]
    assert np.shares_memory(x, stored)
    assert not x.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 1


def test_a_shape_set_in_place_never_leaves_stale_dimensions():
    _, x = make(2, 3)
    y = x.copy()
    y.resize((3, 2), refcheck=False)
    assert y.dimensions == (ID, ID)
    assert x.view(np.uint8).dimensions == (ID, ID) or x.view(np.uint8).shape == (2, 24)
    assert len(x.view(np.uint8).dimensions) == 2


# --- reductions -----------------------------------------------------------------------------------------------------

REDUCTIONS = [
    "sum",
    "prod",
    "max",
    "min",
    "mean",
    "std",
    "var",
    "median",
    "any",
    "all",
    "ptp",
    "argmax",
    "argmin",
    "nansum",
    "nanprod",
    "nanmax",
    "nanmin",
    "nanmean",
]
REDUCTIONS += ["nanstd", "nanvar", "nanmedian", "nanargmax", "nanargmin", "count_nonzero", "average"]
ONE_AXIS = {"argmax", "argmin", "nanargmax", "nanargmin"}


AXES = [(0, "bc"), (1, "ac"), (-1, "ab"), ((0, 2), "b"), ((-1, 0), "b"), (None, None), ((0, 1, 2), None)]


@pytest.mark.parametrize(
    ("name", "axis", "dims"),
    [
        (name, axis, dims)
        for name in REDUCTIONS
        for axis, dims in AXES
        if not (name in ONE_AXIS and type(axis) is tuple)
    ],
)
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions_drop_the_dimensions_of_their_axes(name, axis, dims, keepdims):
    data, x = make(2, 3, 4)
    options = {"keepdims": True} if keepdims else {}
    if keepdims:
        axes = range(3) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        gone = {a % 3 for a in axes}
        dims = "".join("-" if i in gone else c for i, c in enumerate("abc"))
    function = getattr(np, name)
    check(function(x, axis=axis, **options), function(data, axis=axis, **options), dims)
    if hasattr(data, name):
        check(getattr(x, name)(axis=axis, **options), function(data, axis=axis, **options), dims)


def test_a_whole_sum_is_a_number():
    _, x = make(2, 3)
    assert isinstance(x.sum(), float)
    assert not isinstance(x.sum(), ArrayWithUnits)
    assert type(ArrayWithUnits(np.ones(3, np.float32), [ID]).sum()) is np.float32


def test_outputs_and_positional_arguments_are_numpys():
    data, x = make(2, 3)
    out = np.empty(3)
    assert np.sum(x, 0, None, out) is out
    np.testing.assert_array_equal(out, data.sum(0))
    check(x.sum(1, np.float32), data.sum(1, np.float32), "a")
    kept = ArrayWithUnits(np.empty(3), [ID])
    assert np.sum(x, axis=0, out=kept) is kept
    np.testing.assert_array_equal(kept, data.sum(0))


@pytest.mark.parametrize("q", [0.5, [0.1, 0.9]])
@pytest.mark.parametrize(("axis", "dims"), [(0, "b"), (1, "a")])
def test_quantiles_put_their_levels_first(q, axis, dims):
    data, x = make(4, 5)
    lead = "-" if isinstance(q, list) else ""
    check(np.quantile(x, q, axis=axis), np.quantile(data, q, axis=axis), lead + dims)
    check(np.nanpercentile(x, q, axis), np.nanpercentile(data, q, axis), lead + dims)
    wide = np.quantile(x, q, axis=axis, keepdims=True)
    check(wide, np.quantile(data, q, axis=axis, keepdims=True), lead + ("-b" if axis == 0 else "a-"))


# --- other functions ------------------------------------------------------------------------------------------------

CALLS = [
    (lambda x: np.sort(x, 1), "a-c"),
    (lambda x: np.argsort(x), "ab-"),
    (lambda x: np.partition(x, 1, axis=0), "-bc"),
    (lambda x: np.flip(x, 0), "-bc"),
    (lambda x: np.flip(x), "---"),
    (lambda x: np.roll(x, 1, (0, 2)), "-b-"),
    (lambda x: np.take(x, [0, 0], 1), "a-c"),
    (lambda x: np.take(x, [[0, 0], [1, 1]], 1), "a--c"),
    (lambda x: np.take(x, 0, 1), "ac"),
    (lambda x: x.take([1, 0], axis=0), "-bc"),
    (lambda x: np.repeat(x, 2, 1), "a-c"),
    (lambda x: np.diff(x, axis=0), "abc"),
    (lambda x: np.cumsum(x, axis=0), "abc"),
    (lambda x: np.cumsum(x), "-"),
    (lambda x: x.cumprod(axis=1), "abc"),
    (lambda x: np.gradient(x, axis=0), "abc"),
    (lambda x: np.gradient(x), None),
    (lambda x: x.T, "cba"),
    (lambda x: x.mT, "acb"),
    (lambda x: np.matrix_transpose(x), "acb"),
    (lambda x: x.transpose(), "cba"),
    (lambda x: x.transpose(1, 0, 2), "bac"),
    (lambda x: x.transpose((1, 0, -1)), "bac"),
    (lambda x: np.transpose(x, axes=(2, 0, 1)), "cab"),
    (lambda x: x.swapaxes(0, 2), "cba"),
    (lambda x: np.moveaxis(x, 0, -1), "bca"),
    (lambda x: np.rollaxis(x, 2), "cab"),
    (lambda x: x.flatten(), "-"),
    (lambda x: x.ravel(), "-"),
    (lambda x: x.reshape(24), "-"),
    (lambda x: x.reshape(6, 4), "--"),
    (lambda x: x.reshape((4, -1)), "--"),
    (lambda x: x.reshape(2, 3, 4), "abc"),
    (lambda x: x.reshape(1, 2, 3, 4, 1), "-abc-"),
    (lambda x: x.reshape(2, 3, -1, 4), "ab-c"),
    (lambda x: np.expand_dims(x, (0, 2)), "-a-bc"),
    (lambda x: np.atleast_3d(x[0, 0]), "-c-"),
    (lambda x: np.squeeze(x[:1]), "bc"),
    (lambda x: x[:1, :, :1].squeeze(0), "bc"),
    (lambda x: x[:1, :, :1].reshape(3), "b"),
    (lambda x: x[:1].reshape(1, 3, 4), "abc"),
    (lambda x: np.concatenate([x, x], axis=1), "abc"),
    (lambda x: np.concatenate([x, x], axis=None), "-"),
    (lambda x: np.concatenate([x, x.swapaxes(0, 0)[..., ::1]]), "abc"),
    (lambda x: np.stack([x, x], axis=1), "a-bc"),
    (lambda x: np.vstack([x, x]), "abc"),
    (lambda x: np.hstack([x, x]), "abc"),
    (lambda x: np.vstack([x[0, 0], x[0, 1]]), "-c"),
    (lambda x: np.where(x > 0, x, 0), "abc"),
    (lambda x: np.where(x > 0), None),
    (lambda x: np.clip(x, 0, 1), "abc"),
    (lambda x: x.clip(0, 1), "abc"),
    (lambda x: x.round(1), "abc"),
    (lambda x: np.nan_to_num(x), "abc"),
    (lambda x: np.broadcast_to(x, (5, 2, 3, 4)), "-abc"),
    (lambda x: np.broadcast_to(x[:, :1], (2, 3, 4)), "a-c"),
    (lambda x: np.broadcast_arrays(x, np.ones(4)), None),
    (lambda x: np.linalg.norm(x, axis=-1), "ab"),
    (lambda x: np.trapezoid(x, axis=0), "bc"),
    (lambda x: x.real, "abc"),
    (lambda x: x.imag, "abc"),
    (lambda x: x.astype(np.float32), "abc"),
    (lambda x: np.fft.rfft(x), None),
    (lambda x: np.packbits(x > 0, axis=2), "ab-"),
    (lambda x: x.diagonal(), None),
    (lambda x: x.compress([True, False], axis=0), None),
    (lambda x: np.histogram(x), None),
    (lambda x: np.unique(x), None),
    (lambda x: np.split(x, 2), None),
    (lambda x: np.full_like(x, 3), "abc"),
    (lambda x: np.angle(x), "abc"),
    (lambda x: np.sum(a=x, axis=0), "bc"),
    (lambda x: np.flip(m=x, axis=0), "-bc"),
    (lambda x: np.delete(x, 0, axis=1), "a-c"),
]


@pytest.mark.parametrize(("call", "dims"), CALLS)
def test_functions_and_methods(call, dims):
    data, x = make(2, 3, 4)
    check(call(x), call(data), dims if dims is not None and isinstance(call(x), np.ndarray) else None)
    if dims is None:
        assert not isinstance(call(x), ArrayWithUnits)


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_packing_bits(axis):
    bits = np.random.default_rng(0).random((10, 256)) > 0.5
    x = ArrayWithUnits(bits, [TIME, Fixed(256)])
    packed = x.packbits(axis=axis)
    check(packed, np.packbits(bits, axis=axis))
    if axis == 1:
        assert packed.shape == (10, 32)
        assert packed.dimensions == (TIME, ID)


def test_sorting_in_place_drops_the_units_of_the_axis():
    data, x = make(2, 3)
    x = x.copy()
    x.sort(axis=0)
    check(x, np.sort(data, 0), "-b")
    y = make(2, 3)[1].copy()
    y.partition(1)
    check(y, np.partition(data, 1), "a-")


def test_joining_needs_agreement():
    data, x = make(2, 3)
    other = ArrayWithUnits(data, [Tag("a"), Tag("z")])
    check(np.concatenate([x, other]), np.concatenate([data, data]), "a-")
    check(np.stack([x, other]), np.stack([data, data]), "-a-")
    check(np.concatenate([data, x]), np.concatenate([data, data]), "ab")
    with pytest.raises(DimensionError, match="cannot concatenate"):
        ArrayWithUnits.concat([x, other])
    with pytest.raises(ValueError, match="cannot concatenate"):
        x.concatenate(other)
    with pytest.raises(DimensionError, match="at least one"):
        ArrayWithUnits.concat([])


def test_a_list_of_another_class_is_joined_like_any_list():
    class Chunks(list):
        pass

    data, x = make(2, 3)
    joined = np.concatenate(Chunks([x, x]))
    check(joined, np.concatenate([data, data]), "ab")
    assert isinstance(joined, ArrayWithUnits)


def test_concat_grows_what_can_grow():
    x = ArrayWithUnits(np.ones((2, 3)), [TIME, Fixed(3)])
    assert ArrayWithUnits.concat([x, x]).dimensions[0].size == 4
    assert ArrayWithUnits.concat([x, x], axis=1).dimensions == (TIME, ID)
    assert ArrayWithUnits.concat([x, x], axis=-1).shape == (2, 6)
    assert x.concatenate(x).dimensions == (TIME, Fixed(3))


# --- products -------------------------------------------------------------------------------------------------------


def test_products_keep_rows_of_the_left_and_columns_of_the_right():
    data, x = make(3, 4)
    right = ArrayWithUnits(np.ones((4, 5)), [Tag("x"), Tag("y")])
    plain = np.ones((4, 5))
    for product in (lambda a, b: a @ b, np.matmul, np.dot, lambda a, b: a.dot(b)):
        check(product(x, right), product(data, plain), "ay")
        check(product(x, plain), product(data, plain), "a-")
        check(product(x, np.ones(4)), product(data, np.ones(4)), "a")
    check(np.ones(3) @ x, np.ones(3) @ data, "b")
    check(np.ones((2, 3)) @ x, np.ones((2, 3)) @ data, "-b")
    assert isinstance(x[0] @ np.ones(4), np.float64)
    check(np.dot(x, 2), data * 2, "ab")


def test_a_product_never_keeps_a_dimension_that_does_not_fit():
    x = ArrayWithUnits(np.ones((6, 10)), [TIME, Fixed(10)])
    assert (x @ np.ones((10, 4))).dimensions == (TIME, ID)
    assert x.dot(np.ones((10, 4))).dimensions == (TIME, ID)


def test_stacked_products():
    data, x = make(2, 3, 4)
    check(x @ np.ones((4, 5)), data @ np.ones((4, 5)), "ab-")
    check(np.ones((7, 1, 2, 3)) @ x, np.ones((7, 1, 2, 3)) @ data, "-a-c")
    check(np.dot(x, np.ones((6, 4, 5))), np.dot(data, np.ones((6, 4, 5))), "ab--")


@pytest.mark.parametrize(
    ("subscripts", "dims"),
    [
        ("ij->ji", "ba"), ("ij->i", "a"), ("ij", "ab"), ("ji", "ba"), ("...j->j...", "ba"), ("ij->", None),
        ("i j -> j", "b"),
    ],
)  # fmt: skip
def test_einsum_of_one(subscripts, dims):
    data, x = make(3, 4)
    check(np.einsum(subscripts, x), np.einsum(subscripts, data), dims)


@pytest.mark.parametrize(
    ("subscripts", "dims"), [("ij,jk->ik", "ay"), ("ij,jk", "ay"), ("ij,jk->kji", "yba"), ("...j,jk->...k", "ay")]
)
def test_einsum_of_two(subscripts, dims):
    data, x = make(3, 4)
    right = ArrayWithUnits(np.ones((4, 5)), [Tag("x"), Tag("y")])
    check(np.einsum(subscripts, x, right), np.einsum(subscripts, data, np.ones((4, 5))), dims)
    square = ArrayWithUnits(np.ones((3, 3)), [Tag("p"), Tag("q")])
    check(np.einsum("ii->i", square), np.ones(3), "p")


# --- ufuncs ---------------------------------------------------------------------------------------------------------


def test_elementwise_results_keep_the_left_dimensions():
    data, x = make(2, 3)
    other = ArrayWithUnits(data, [Tag("x"), Tag("y")])
    check(x + other, data + data, "ab")
    check(other + x, data + data, "xy")
    check(data + x, data + data, "ab")
    check(2 * x, 2 * data, "ab")
    check(x > 0, data > 0, "ab")
    check(-x, -data, "ab")
    check(x + [1, 2, 3], data + [1, 2, 3], "ab")
    check(np.sqrt(np.abs(x)), np.sqrt(np.abs(data)), "ab")
    check(x + np.ones(3), data + 1, "ab")
    check(x + np.ones((2, 1)), data + 1, "ab")
    check(np.divmod(x, 2), np.divmod(data, 2))
    check(np.modf(x)[0], np.modf(data)[0], "ab")


def test_broadcasting_takes_each_dimension_from_where_it_has_its_size():
    data, x = make(2, 3)
    row = ArrayWithUnits(np.ones(3), [Tag("w")])
    check(row * x, data, "ab")  # the first of the same rank
    check(x[:1] + x[:, :1], data[:1] + data[:, :1], "ab")
    check(x[:1] + np.ones((5, 1)), data[:1] + np.ones((5, 1)), "-b")
    result = x + np.ones((4, 1, 1))
    assert type(result) is np.ndarray  # the rank is that of the plain array
    np.testing.assert_array_equal(result, data + np.ones((4, 1, 1)))


def test_ufunc_methods():
    data, x = make(2, 3)
    check(np.add.reduce(x), np.add.reduce(data), "b")
    check(np.add.reduce(x, axis=1, keepdims=True), data.sum(1, keepdims=True), "a-")
    assert isinstance(np.add.reduce(x, axis=None), np.float64)
    check(np.add.accumulate(x, axis=1), np.add.accumulate(data, axis=1), "ab")
    check(np.add.reduceat(x, [0, 2], axis=1), np.add.reduceat(data, [0, 2], axis=1), "a-")
    check(np.multiply.outer(x, [1, 2]), np.multiply.outer(data, [1, 2]), "ab-")
    check(np.multiply.outer([1, 2], x), np.multiply.outer([1, 2], data), "-ab")
    y = x.copy()
    np.add.at(y, (0, 0), 5)
    assert y[0, 0] == data[0, 0] + 5


def test_in_place_arithmetic_and_outputs():
    data, x = make(2, 3)
    y = x.copy()
    same = y
    y += 1
    assert y is same
    check(y, data + 1, "ab")
    out = np.empty((2, 3))
    assert np.add(x, 1, out=out) is out
    check(np.add(x, 1, where=x > 0, out=x.copy()), np.where(data > 0, data + 1, data), "ab")


def test_scalars_are_scalars():
    _, x = make(2, 3)
    assert type(x[0, 0] + 1) is np.float64
    assert type(np.add(ArrayWithUnits(np.float32(1), []), np.float32(1))) is np.float32


def test_other_types_may_have_their_own_rule():
    class Weight:
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            return "mine"

    _, x = make(2, 3)
    assert x * Weight() == "mine"
    assert Weight() is not None

    class Plain:
        __array_ufunc__ = None

        def __rmul__(self, other):
            return "reflected"

    assert x * Plain() == "reflected"


FUNCTIONS = [
    np.sum,
    np.mean,
    np.max,
    np.any,
    np.cumsum,
    np.sort,
    np.argmax,
    np.flip,
    np.median,
    np.std,
    np.argsort,
    np.diff,
]


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple),
    st.sampled_from(FUNCTIONS),
    st.data(),
)
def test_any_call_gives_numpys_values_and_valid_dimensions(shape, function, data):
    plain = np.random.default_rng(1).standard_normal(shape)
    dims = [data.draw(st.sampled_from([ID, TIME, Fixed(n), Tag("t")])) for n in shape]
    x = ArrayWithUnits(plain, dims)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    check(function(x, axis=axis), function(plain, axis=axis))
    again = function(x, axis=axis)
    if isinstance(again, ArrayWithUnits):
        check(again * 2 + again, function(plain, axis=axis) * 2 + function(plain, axis=axis))
        check(again.reshape(-1), function(plain, axis=axis).reshape(-1))


@given(
    st.lists(st.sampled_from([1, 1, 2, 3]), min_size=1, max_size=5).map(tuple),
    st.lists(st.sampled_from([1, 1, 2, 3]), min_size=1, max_size=5).map(tuple),
)
def test_any_reshape_and_any_broadcast(old, new):
    plain = np.arange(np.prod(old)).reshape(old)
    x = ArrayWithUnits(plain, [Fixed(n) for n in old])
    if np.prod(old) == np.prod(new):
        check(x.reshape(new), plain.reshape(new))
    try:
        expected = plain + np.ones(new)
    except ValueError:
        return
    check(x + np.ones(new), expected)
    check(x + ArrayWithUnits(np.ones(new), [Fixed(n) for n in new]), expected)


# --- dimensions, display --------------------------------------------------------------------------------------------


def test_dimensions_are_values():
    assert Tag("a") == Tag("a") != Tag("b")
    assert len({Tag("a"), Tag("a"), ID, IdentityDimension()}) == 2
    assert Tag("a").with_size(3).size == 3
    assert Tag("a").copy() == Tag("a")
    assert Declared.from_dict(ID.to_dict()) == ID
    assert repr(ID) == "IdentityDimension()"
    assert list(ID.modified_dimension(1, slice(None))) == [ID]
    with pytest.raises(ValueError, match="the whole axis"):
        list(ID.modified_dimension(2, 3))
    with pytest.raises(NotImplementedError):
        list(Tag("a").modified_dimension(2, 3))
    with pytest.raises(NotImplementedError):
        Tag("a").integer_based_slice("x")


def test_the_renderer_slot(monkeypatch):
    _, x = make(2, 3)
    monkeypatch.setattr(display, "default_renderer", lambda: None)
    monkeypatch.setattr(display, "default_plotter", lambda: None)
    before = display._renderer
    try:
        set_renderer(None)
        assert x._repr_html_().startswith("<pre>ArrayWithUnits(")
        assert repr(x.plot()) == repr(x)
        set_renderer(lambda array, **options: f"<img {array.shape} {options}>")
        assert x._repr_html_() == "<img (2, 3) {}>"
        assert x.plot(width=3)._repr_html_() == "<img (2, 3) {'width': 3}>"
    finally:
        set_renderer(before)
