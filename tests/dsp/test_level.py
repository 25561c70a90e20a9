"""Decibels against librosa, and their inverse."""

import numpy as np
import pytest

from zounds_lite.dsp import (
    a_weighting_db,
    amplitude_to_db,
    db_to_amplitude,
    db_to_power,
    perceptual_weighting,
    power_to_db,
)
from zounds_lite.errors import DeclarationError, DimensionError

X = np.random.default_rng(0).standard_normal((40, 30)) ** 3
X[3] = 0.0


@pytest.mark.parametrize(("dtype", "atol"), [("float64", 1e-10), ("float32", 3e-5)])
@pytest.mark.parametrize("ref", [1.0, 0.01, np.max, np.median])
@pytest.mark.parametrize("top_db", [80.0, 20.0, None])
def test_levels_equal_librosa(dtype, atol, ref, top_db):
    librosa = pytest.importorskip("librosa")
    power, amplitude = (X**2).astype(dtype), np.abs(X).astype(dtype)
    kept = power.copy()
    got = power_to_db(power, ref=ref, top_db=top_db)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, librosa.power_to_db(power, ref=ref, top_db=top_db), atol=atol)
    np.testing.assert_array_equal(power, kept)
    got = amplitude_to_db(amplitude, ref=ref, top_db=top_db)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, librosa.amplitude_to_db(amplitude, ref=ref, top_db=top_db), atol=atol)


def test_factors_of_ten():
    assert power_to_db(100.0) == pytest.approx(20.0) and amplitude_to_db(100.0) == pytest.approx(40.0)
    assert amplitude_to_db(3 + 4j) == pytest.approx(20 * np.log10(5))
    np.testing.assert_allclose(amplitude_to_db([-10, 1], top_db=5), [20, 15])
    assert power_to_db(np.zeros((0, 4))).shape == (0, 4)


def test_silence_is_finite_in_every_dtype():
    for dtype in ("float16", "float32", "float64", "int16"):
        assert np.isfinite(power_to_db(np.zeros(3, dtype), top_db=None)).all()
    assert np.isfinite(power_to_db(np.zeros(3, "float32"), amin=1e-60, top_db=None)).all()


def test_inverse():
    x = np.geomspace(1e-6, 1e3, 50)
    np.testing.assert_allclose(db_to_power(power_to_db(x, ref=2.0, top_db=None), ref=2.0), x, rtol=1e-12)
    x = np.geomspace(1e-4, 1e3, 50).astype("float32")
    back = db_to_amplitude(amplitude_to_db(x, top_db=None))
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, x, rtol=2e-5)


def test_nan_is_not_the_loudest():
    found = power_to_db([1.0, np.nan, 1e-9], top_db=50)
    assert found[0] == 0 and np.isnan(found[1]) and found[2] == -50


def test_the_lowest_integer_has_a_magnitude():
    assert amplitude_to_db(np.array([-32768], np.int16), ref=32768.0)[0] == 0


def test_bad_arguments_are_refused():
    with pytest.raises(DeclarationError, match="amin=0"):
        power_to_db(X, amin=0)
    with pytest.raises(DeclarationError, match="top_db=-1"):
        amplitude_to_db(X, top_db=-1)
    with pytest.raises(DeclarationError, match=r"np\.abs"):
        power_to_db(X.astype(complex))


@pytest.mark.parametrize(("dtype", "atol"), [("float64", 1e-10), ("float32", 5e-5)])
@pytest.mark.parametrize("ref", [1.0, 0.01, np.max])
@pytest.mark.parametrize("top_db", [80.0, None])
def test_perceptual_weighting_equals_librosa_with_bands_last(dtype, atol, ref, top_db):
    librosa = pytest.importorskip("librosa")
    power, hz = (X**2).astype(dtype), np.linspace(10.0, 11025.0, X.shape[1])
    kept = power.copy()
    got = perceptual_weighting(power, hz, ref=ref, top_db=top_db)
    assert got.dtype == dtype and got.shape == power.shape
    np.testing.assert_allclose(got, librosa.perceptual_weighting(power.T, hz, ref=ref, top_db=top_db).T, atol=atol)
    np.testing.assert_array_equal(power, kept)


def test_perceptual_weighting_takes_any_number_of_axes_before_the_bands():
    hz = np.array([50.0, 1000.0, 4000.0])
    power = np.ones((2, 5, 3))
    np.testing.assert_array_equal(perceptual_weighting(power, hz), np.broadcast_to(a_weighting_db(hz), power.shape))
    np.testing.assert_array_equal(perceptual_weighting(np.ones(3), hz), a_weighting_db(hz))
    assert perceptual_weighting(np.ones((0, 3)), hz).shape == (0, 3)
    assert perceptual_weighting(np.ones(2), [0.0, 1000.0])[0] == -80.0


def test_perceptual_weighting_wants_a_frequency_for_each_band():
    for power, hz in ((np.ones((4, 3)), np.ones(4)), (np.ones((4, 3)), [[1.0, 2.0, 3.0]]), (1.0, 100.0)):
        with pytest.raises(DimensionError, match="one frequency for each band"):
            perceptual_weighting(power, hz)
    for wrong in (-1.0, np.nan, np.inf):
        with pytest.raises(DeclarationError, match="negative or not finite"):
            perceptual_weighting(np.ones(2), [100.0, wrong])
