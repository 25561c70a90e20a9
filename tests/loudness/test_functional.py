"""Loudness with units."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.dsp import companding
from zounds_lite.errors import DeclarationError
from zounds_lite.loudness import unit_scale
from zounds_lite.timeseries import TimeDimension

RATE = zounds.SR8000()
X = np.random.default_rng(0).uniform(-1, 1, (50, 2)).astype(np.float32)
FUNCTIONS = ["log_modulus", "inverse_log_modulus", "mu_law", "inverse_mu_law", "instance_scale", "unit_scale"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_units_and_numbers(name):
    function, plain = getattr(zounds.loudness, name), getattr(companding, name)(X)
    sound = function(zounds.AudioSamples(X, RATE))
    assert isinstance(sound, zounds.AudioSamples) and sound.samplerate == RATE and sound.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(sound), plain)
    frames = zounds.ArrayWithUnits(X, [TimeDimension.windowed(4, 8, 8000, n_samples=7), zounds.IdentityDimension()])
    found = function(frames)
    assert type(found) is zounds.ArrayWithUnits and found.dimensions == frames.dimensions
    assert found.dimensions[0].n_samples == 7
    assert type(function(X)) is np.ndarray


def test_peaks_have_no_units_along_the_axis():
    frames = zounds.ArrayWithUnits(X, [TimeDimension.windowed(4, 8, 8000), TimeDimension(*RATE)])
    peaks, scaled = zounds.instance_scale(frames, return_maxes=True)
    assert peaks.shape == (50, 1) and peaks.dimensions == (frames.dimensions[0], zounds.IdentityDimension())
    assert scaled.dimensions == frames.dimensions
    peaks, _ = zounds.instance_scale(X, return_maxes=True)
    assert type(peaks) is np.ndarray


def test_classes_lose_their_axis():
    classes = zounds.ArrayWithUnits(np.eye(4), [TimeDimension(*RATE), zounds.IdentityDimension()])
    found = zounds.inverse_one_hot(classes)
    assert found.dimensions == (TimeDimension(*RATE),)
    np.testing.assert_array_equal(found, [-1, -0.5, 0, 0.5])


def test_decibel_is_what_is_documented():
    x = np.geomspace(1e-9, 1e9, 100)
    np.testing.assert_allclose(zounds.decibel(x), 20 * np.log10(x), atol=1e-12)
    np.testing.assert_allclose(zounds.decibel(-x, ref=0.1), 20 * np.log10(x) + 20, atol=1e-12)
    assert zounds.decibel(3 + 4j) == pytest.approx(20 * np.log10(5))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16])
def test_silence_is_at_the_floor(dtype):
    assert zounds.decibel(np.zeros(2, dtype)).tolist() == pytest.approx([-200, -200], abs=1e-3)
    assert zounds.decibel(np.zeros(2, dtype), ref=np.max).tolist() == pytest.approx([-200, -200], abs=1e-3)
    assert zounds.decibel(np.zeros(2, dtype), ref=2.0, floor_db=-60).tolist() == pytest.approx([-60, -60], abs=1e-4)


def test_a_range_below_the_loudest():
    assert zounds.decibel([2.0, 0.02, 0.0], ref=np.max, top_db=30).tolist() == pytest.approx([0, -30, -30])
    assert zounds.decibel(np.zeros((0, 3)), ref=np.max, top_db=30).shape == (0, 3)


def test_nan_stays_where_it_is():
    for ref in (1.0, np.max):
        found = zounds.decibel(np.array([0.5, np.nan, 0.0]), ref=ref, top_db=80)
        assert np.isnan(found).tolist() == [False, True, False]


def test_integers_have_a_magnitude_too():
    assert zounds.decibel(np.array([-32768], np.int16), ref=32768) == pytest.approx([0])


def test_decibel_keeps_units():
    level = zounds.decibel(zounds.AudioSamples(X, RATE))
    assert isinstance(level, zounds.AudioSamples) and level.dtype == np.float32


def test_unit_scale_of_a_constant():
    assert not unit_scale(zounds.AudioSamples(np.full(5, 3.0), RATE)).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: zounds.decibel(1.0, ref=0), "ref=0"),
        (lambda: zounds.decibel(1.0, floor_db=-np.inf), "floor_db=-inf"),
        (lambda: zounds.decibel(1.0, top_db=-1), "top_db=-1"),
        (lambda: zounds.MuLaw(mu=-1), "mu=-1"),
        (lambda: zounds.LogModulus(factor=0), "factor=0"),
        (lambda: zounds.Decibel(ref=np.max), "stored feature"),
        (lambda: zounds.Decibel(ref=-1), "ref=-1"),
        (lambda: zounds.Decibel(floor_db=np.nan), "floor_db=nan"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(DeclarationError, match=message):
        call()
