"""The simple preprocessors: what they do, that they go back, and that nothing becomes NaN."""

import numpy as np
import pytest

import zounds_lite as zounds
from tests.learn.corpora import BANDS, frames, rows, train
from zounds_lite import ArrayWithUnits, FrequencyBand, Milliseconds, TimeDimension
from zounds_lite.errors import DeclarationError, DimensionError, NotInvertible
from zounds_lite.learn import Pipeline, example_wise_unit_norm
from zounds_lite.spectral import AWeighting, ExplicitFrequencyDimension, FrequencyAdaptive, LinearScale

INVERTIBLE = {
    "MeanStdNormalization": zounds.MeanStdNormalization,
    "UnitNorm": zounds.UnitNorm,
    "InstanceScaling": lambda: zounds.InstanceScaling(max_value=3),
    "Log": zounds.Log,
    "MuLawCompressed": zounds.MuLawCompressed,
    "Multiply": lambda: zounds.Multiply(factor=0.3),
    "Multiply by features": lambda: zounds.Multiply(factor=np.arange(1.0, 5)),
    "Slicer": zounds.Slicer,
    "Reshape": lambda: zounds.Reshape((2, -1)),
    "Weighted": lambda: zounds.Weighted(AWeighting()),
}
ONE_WAY = {
    "AbsoluteValue": zounds.AbsoluteValue,
    "Binarize": zounds.Binarize,
    "Sharpen": lambda: zounds.Sharpen([-1.0, 3.0, -1.0]),
}
invertible = pytest.mark.parametrize("make", INVERTIBLE.values(), ids=INVERTIBLE)
every_step = pytest.mark.parametrize("make", [*INVERTIBLE.values(), *ONE_WAY.values()], ids=[*INVERTIBLE, *ONE_WAY])

HARD = {
    "constants": np.full((6, 4), 0.1),
    "zeros": np.zeros((6, 4)),
    "one row": rows(1, 3, np.float64),
    "a row of zeros": np.concatenate([np.zeros((1, 4)), rows(3, 1, np.float64)]),
    "tiny": rows(6, 2, np.float64, scale=1e-200),
    "large": rows(6, 2, np.float64, scale=1e100),
    "no rows": np.zeros((0, 4)),
}


def round_trip(step, data):
    result = Pipeline([step]).transform(data)
    return result.data, result.inverse_transform()


@invertible
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_there_and_back(make, dtype):
    training, data = frames(rows(50, 0, dtype)), frames(rows(9, 1, dtype))  # of another number of rows
    before = np.array(data)
    forth, back = round_trip(train(make(), training), data)
    largest = max(1, np.abs(before.astype(np.float64)).max())
    np.testing.assert_allclose(np.asarray(back, np.float64), before, atol=1e-6 * largest)
    assert type(back) is ArrayWithUnits and back.dimensions == data.dimensions and back.dtype == dtype
    assert np.array_equal(data, before) and len(forth) == 9
    assert forth.dimensions[0] == data.dimensions[0]
    if dtype != np.int16:
        assert forth.dtype == dtype


@every_step
@pytest.mark.parametrize("data", HARD.values(), ids=HARD)
def test_hard_cases_stay_finite(make, data):
    step = train(make(), frames(data if len(data) else rows(3)))
    with np.errstate(divide="raise", invalid="raise"):
        forth = step.forward(frames(data))[0]
    assert np.isfinite(forth).all() and len(forth) == len(data)
    if step.is_invertible:
        back = round_trip(step, frames(data))[1]
        np.testing.assert_allclose(back, data, rtol=1e-6, atol=1e-12 * np.abs(data).max(initial=0))


@every_step
def test_plain_arrays_stay_plain(make):
    if "Weighted" in repr(make()):
        return
    step = train(make(), rows(5))
    assert type(step.forward(rows(5))[0]) is np.ndarray


def test_mean_std_normalization_is_that_of_the_whole_corpus():
    chunks = [rows(n, n, scale=n) for n in (3, 50, 1)]
    step = train(zounds.MeanStdNormalization(), *chunks)
    whole = np.concatenate(chunks).astype(np.float64)
    np.testing.assert_allclose(step.mean, whole.mean(0), rtol=1e-9)
    np.testing.assert_allclose(step.std, whole.std(0), rtol=1e-9)
    np.testing.assert_allclose(step.op(whole), (whole - whole.mean(0)) / whole.std(0))
    np.testing.assert_array_equal(step.data.concatenated(), step.op(np.concatenate(chunks)))


@pytest.mark.parametrize("shape", [(), (3, 2)])
def test_mean_std_normalization_of_any_rank(shape):
    data = rows(20, 0, np.float64, shape=shape)
    step = train(zounds.MeanStdNormalization(), data)
    np.testing.assert_allclose(step.op(data).std(0), np.ones(shape))


def test_mean_std_normalization_of_complex_numbers():
    data = rows(20, 0, np.complex128) * 1j + rows(20, 1, np.float64)
    step = train(zounds.MeanStdNormalization(), data)
    forth, back = round_trip(step, data)
    np.testing.assert_allclose(forth, (data - data.mean(0)) / data.std(0))
    np.testing.assert_allclose(back, data)


def test_a_feature_that_never_changed_gives_zero_and_comes_back():
    data = np.array([[1.0, 0.1], [2.0, 0.1]], np.float32)
    step = train(zounds.MeanStdNormalization(), data)
    forth, back = round_trip(step, data)
    assert forth[:, 1].tolist() == [0.0, 0.0]
    np.testing.assert_array_equal(back, data)
    assert round_trip(step, np.array([[1.0, 5.0]]))[1].tolist() == [[1.0, 5.0]]


def test_unit_norm_takes_all_axes_of_an_example():
    data = rows(4, 0, np.float64, shape=(2, 3))
    forth, norms = example_wise_unit_norm(data, return_norms=True)
    np.testing.assert_allclose(np.linalg.norm(forth.reshape(4, -1), axis=1), np.ones(4))
    np.testing.assert_allclose(norms.ravel(), np.linalg.norm(data.reshape(4, -1), axis=1))
    np.testing.assert_allclose(example_wise_unit_norm(np.array([[3e200, 4e200]])), [[0.6, 0.8]])
    np.testing.assert_allclose(example_wise_unit_norm(np.array([[3j, 4.0]])), [[0.6j, 0.8]])
    assert example_wise_unit_norm(np.array([[3, 4]])).tolist() == [[0.6, 0.8]]
    with pytest.raises(DimensionError, match="examples along the first axis"):
        example_wise_unit_norm(np.float64(3))


def test_instance_scaling():
    step = train(zounds.InstanceScaling(max_value=2), rows(3))
    forth, _ = round_trip(step, np.array([[[1.0, -4.0]], [[0.0, 0.0]]]))
    assert forth.tolist() == [[[0.5, -2.0]], [[0.0, 0.0]]]


@pytest.mark.parametrize("value", [0, -1, np.inf, np.nan])
def test_instance_scaling_to_nothing(value):
    with pytest.raises(DeclarationError, match="allowed: a number above 0"):
        zounds.InstanceScaling(max_value=value)


def test_log_and_mu_law():
    data = np.array([[0.0, -1.0, 3.0]])
    np.testing.assert_allclose(train(zounds.Log(), data).op(data), np.sign(data) * np.log1p(np.abs(data)))
    mu = np.sign(data) * np.log1p(255 * np.abs(data)) / np.log(256)
    np.testing.assert_allclose(train(zounds.MuLawCompressed(), data).op(data), mu)


def test_multiply():
    assert train(zounds.Multiply(2), rows(2)).op(np.array([[1, 2]])).tolist() == [[2, 4]]
    step = train(zounds.Multiply(np.array([1.0, 0.0])), np.ones((1, 2)))
    assert not step.is_invertible
    with pytest.raises(NotInvertible, match="holds a 0"):
        step.op.inverse(np.ones((1, 2)))
    with pytest.raises(DimensionError, match=r"a factor of shape \[2\] does not fit examples of shape \[3\]"):
        step.op(np.ones((5, 3)))
    for factor in (np.nan, "two", [np.inf]):
        with pytest.raises(DeclarationError, match="allowed: finite numbers"):
            zounds.Multiply(factor)
    np.testing.assert_allclose(train(zounds.Multiply(2j), rows(2)).op(np.ones((1, 2))), [[2j, 2j]])


def test_weighted():
    data = frames(rows(3, 0, np.float64))
    step = train(zounds.Weighted(AWeighting()), data)
    np.testing.assert_array_equal(step.forward(data)[0], data * AWeighting())
    with pytest.raises(DimensionError, match="needs data with a frequency axis"):
        step.op(rows(3))
    with pytest.raises(DeclarationError, match="needed: a FrequencyWeighting"):
        zounds.Weighted(3)


def test_weighted_frequency_adaptive():
    scale = LinearScale(FrequencyBand(20, 4000), 2)
    data = FrequencyAdaptive([np.ones((3, 4)), np.ones((3, 8))], TimeDimension(Milliseconds(100)), scale)
    forth, back = round_trip(train(zounds.Weighted(AWeighting()), data), data)
    assert type(forth) is type(back) is FrequencyAdaptive
    assert isinstance(back.dimensions[1], ExplicitFrequencyDimension)
    np.testing.assert_allclose(back, data)


@pytest.mark.parametrize("slicex", [slice(1, 3), FrequencyBand(1100, 2900), [1, 2]], ids=["slice", "band", "list"])
@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_slicer(slicex, dtype):
    data = frames(rows(5, 0, dtype))
    forth, back = round_trip(train(zounds.Slicer(slicex), data), data)
    wanted = np.zeros_like(np.asarray(data))
    wanted[:, 1:3] = data[:, 1:3]
    np.testing.assert_array_equal(np.asarray(forth), np.asarray(data)[:, 1:3])
    np.testing.assert_array_equal(np.asarray(back), wanted)
    assert back.dimensions == data.dimensions and back.dtype == dtype
    assert forth.dimensions[0] == data.dimensions[0]


def test_slicer_of_one_element_and_of_one_axis():
    _, back = round_trip(train(zounds.Slicer(1), rows(3)), np.array([[1.0, 2.0]]))
    assert back.tolist() == [[0.0, 2.0]]
    with pytest.raises(DimensionError, match="last of 2 axes or more; got an array of 1"):
        train(zounds.Slicer(1), rows(3)).op(np.zeros(3))


def test_reshape():
    data = rows(5, shape=(2, 6))
    forth, back = round_trip(train(zounds.Reshape((3, -1)), data[:2]), data)
    assert forth.shape == (5, 3, 4) and np.array_equal(back, data)
    assert train(zounds.Reshape(12), data).op(data).output.shape == (5, 12)
    assert train(zounds.Reshape(-1), data).op(data[:0]).output.shape == (0, 12)
    with pytest.raises(DimensionError, match=r"shape \[2, 6\] cannot take the shape \[5\]"):
        train(zounds.Reshape(5), data).op(data)
    for shape in ((-1, -1), (-2,)):
        with pytest.raises(DeclarationError, match="-1 once"):
            zounds.Reshape(shape)


def test_one_way_steps():
    data = frames(np.array([[-1.0, 0.5, 0.0, 2.0]]))
    absolute, binary, sharp = (train(make(), data).forward(data)[0] for make in ONE_WAY.values())
    assert absolute.tolist() == [[1.0, 0.5, 0.0, 2.0]] and absolute.dimensions == (data.dimensions[0], BANDS)
    assert binary.tolist() == [[0, 0, 0, 1]] and binary.dtype == np.uint8
    np.testing.assert_allclose(sharp, [[0, 2.5, 0, 6.0]], atol=1e-12)


def test_sharpen():
    data = rows(3, 0, np.float64, shape=(5, 4))
    kernel = np.array([[0.0, -1, 0], [-1, 5, -1]])
    from scipy.signal import convolve

    wanted = np.maximum([convolve(row, kernel, "same") for row in data], 0)
    np.testing.assert_allclose(train(zounds.Sharpen(kernel), data).op(data), wanted, atol=1e-9)
    flat = np.full((2, 9), 3.0)
    np.testing.assert_allclose(train(zounds.Sharpen(), flat).op(flat)[:, 1:-1], flat[:, 1:-1])
    with pytest.raises(DimensionError, match="a kernel of 2 axes does not fit examples of 1"):
        train(zounds.Sharpen(kernel), flat).op(flat)
    with pytest.raises(DeclarationError, match="an array of real numbers"):
        zounds.Sharpen([])


def test_another_number_of_features_is_refused():
    step = train(zounds.MeanStdNormalization(), rows(3))
    with pytest.raises(DimensionError, match=r"given an array of shape \[2, 5\]; needed: .* each of shape \[4\]"):
        step.op(np.zeros((2, 5)))
    with pytest.raises(DimensionError, match=r"shape \[4\]"):
        step.op(np.zeros(4))
