"""Companding curves and scaling of plain arrays."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from zounds_lite.dsp import (
    instance_scale,
    inverse_log_modulus,
    inverse_mu_law,
    inverse_one_hot,
    log_modulus,
    mu_law,
    unit_scale,
)
from zounds_lite.errors import DeclarationError, DimensionError

PAIRS = [(log_modulus, inverse_log_modulus), (mu_law, inverse_mu_law)]
CURVES = [function for pair in PAIRS for function in pair]


def test_the_documented_value():
    assert mu_law(0.5) == pytest.approx(0.875703, abs=5e-7)
    assert inverse_mu_law(0.875703) == pytest.approx(0.5, abs=5e-6)


def test_curves_by_their_formulas():
    x = np.linspace(-2, 2, 401)
    np.testing.assert_allclose(log_modulus(x), np.sign(x) * np.log(1 + np.abs(x)), atol=1e-15)
    np.testing.assert_allclose(log_modulus(x, 10), np.sign(x) * np.log(1 + 10 * np.abs(x)), atol=1e-15)
    np.testing.assert_allclose(mu_law(x, 100), np.sign(x) * np.log(1 + 100 * np.abs(x)) / np.log(101), atol=1e-15)
    np.testing.assert_allclose(inverse_mu_law(x), np.sign(x) * (256 ** np.abs(x) - 1) / 255, rtol=1e-13)


@pytest.mark.parametrize(("curve", "inverse"), PAIRS)
@given(x=st.floats(-100, 100), strength=st.sampled_from([0.1, 1, 10, 255]))
def test_inverses(curve, inverse, x, strength):
    assert inverse(curve(x, strength), strength) == pytest.approx(x, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("curve", CURVES)
def test_curves_rise_are_odd_and_start_at_zero(curve):
    x = np.linspace(-1, 1, 1001)
    y = curve(x)
    assert (np.diff(y) > 0).all() and curve(0.0) == 0
    np.testing.assert_array_equal(curve(-x), -y)


@pytest.mark.parametrize("curve", [mu_law, inverse_mu_law])
def test_the_mu_law_fills_full_scale(curve):
    np.testing.assert_allclose(curve([-1.0, 1.0], 17), [-1, 1], rtol=1e-15)


@pytest.mark.parametrize("function", [*CURVES, instance_scale, unit_scale])
def test_dtypes(function):
    assert function(np.ones(3, np.float32)).dtype == np.float32
    for dtype in ("float64", "int16", "uint8", "bool"):
        x = np.array([0, 1, 1], dtype)
        kept = x.copy()
        y = function(x)
        assert y.dtype == np.float64
        np.testing.assert_array_equal(y, function(x.astype(float)))
        np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize("function", [*CURVES, instance_scale, unit_scale])
def test_silence_nan_and_nothing(function):
    np.testing.assert_array_equal(function(np.zeros((2, 3))), np.zeros((2, 3)))
    assert function(np.zeros((0, 3))).shape == (0, 3) and function(np.zeros((3, 0))).shape == (3, 0)
    found = function(np.array([0.5, np.nan, -0.5]))
    assert np.isnan(found).tolist() == [False, True, False]


def test_the_lowest_integer_has_a_magnitude():
    assert instance_scale(np.array([-32768, 0], np.int16))[0] == pytest.approx(-1)
    assert log_modulus(np.array([-128], np.int8))[0] == pytest.approx(-np.log(129))


def test_instances_are_scaled_each_by_itself():
    x = np.random.default_rng(0).normal(size=(4, 5, 6))
    peaks, scaled = instance_scale(x, return_maxes=True)
    assert peaks.shape == (4, 5, 1)
    np.testing.assert_allclose(np.abs(scaled).max(axis=-1), 1, rtol=1e-6)
    np.testing.assert_allclose(scaled * (peaks + 1e-8), x, rtol=1e-14)
    np.testing.assert_allclose(instance_scale(x, axis=(1, 2))[2], x[2] / np.abs(x[2]).max(), rtol=1e-6)
    np.testing.assert_allclose(instance_scale(x, axis=None), x / np.abs(x).max(), rtol=1e-6)
    tiny = instance_scale(np.array([1e-7, 0], np.float16))
    assert np.isfinite(tiny).all()


def test_unit_scale_spans_zero_to_one():
    x = np.random.default_rng(1).normal(5, 3, (10, 7))
    y = unit_scale(x)
    assert (y.min(), y.max()) == (0, 1)
    np.testing.assert_allclose(y, (x - x.min()) / np.ptp(x), rtol=1e-14)
    each = unit_scale(x, axis=0)
    assert (each.min(axis=0) == 0).all() and (each.max(axis=0) == 1).all()
    np.testing.assert_array_equal(unit_scale(np.array([[1.0, 1.0], [1.0, 3.0]]), axis=1), [[0, 0], [0, 1]])


@pytest.mark.parametrize("n", [1, 2, 255, 256])
def test_classes_lie_on_an_even_grid(n):
    np.testing.assert_allclose(inverse_one_hot(np.eye(n)), np.linspace(-1, 1, n, endpoint=False), atol=1e-15)


def test_classes_along_any_axis():
    x = np.random.default_rng(2).uniform(size=(3, 8, 4)).astype(np.float32)
    y = inverse_one_hot(x, axis=1)
    assert y.shape == (3, 4) and y.dtype == np.float32
    np.testing.assert_allclose(y, 2 * (x.argmax(axis=1) / 8 - 0.5), atol=1e-7)
    assert inverse_one_hot(np.eye(3, dtype=np.uint8)).dtype == np.float64
    assert inverse_one_hot(np.zeros((0, 4))).shape == (0,)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mu_law(1.0, mu=0), DeclarationError, "mu=0"),
        (lambda: inverse_mu_law(1.0, mu=np.inf), DeclarationError, "mu=inf"),
        (lambda: log_modulus(1.0, factor=-1), DeclarationError, "factor=-1"),
        (lambda: inverse_log_modulus(1.0, factor=np.nan), DeclarationError, "factor=nan"),
        (lambda: mu_law(1j), DeclarationError, r"np\.abs"),
        (lambda: instance_scale([1.0], epsilon=0), DeclarationError, "epsilon=0"),
        (lambda: instance_scale([1.0], axis=1), DimensionError, "axis=1"),
        (lambda: unit_scale([1.0], axis=(0, 2)), DimensionError, "which has 1 axes"),
        (lambda: inverse_one_hot([1.0], axis=-2), DimensionError, "axis=-2"),
        (lambda: inverse_one_hot(np.zeros((3, 0))), DimensionError, "no classes"),
        (lambda: inverse_one_hot(1.0), DimensionError, "no classes"),
    ],
)
def test_bad_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
