"""Resampling of periods, and signals as sums of coarser ones."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings, strategies as st

from zounds_lite.dsp.decomposition import decompose, fft_resample, recompose
from zounds_lite.errors import DeclarationError, DimensionError


@settings(max_examples=100, deadline=None)
@given(n_in=st.integers(1, 40), n=st.integers(1, 40), is_complex=st.booleans())
def test_it_is_what_scipy_does(n_in, n, is_complex):
    rng = np.random.default_rng(n_in)
    x = rng.normal(size=(2, n_in, 3)) + (1j * rng.normal(size=(2, n_in, 3)) if is_complex else 0)
    assert np.allclose(fft_resample(x, n, axis=1), scipy.signal.resample(x, n, axis=1), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("n_in", "n"), [(64, 100), (64, 33), (64, 32), (63, 32), (10, 1000)])
def test_a_tone_keeps_its_level_and_its_place(n_in, n):
    def tone(size):
        return 0.7 + np.cos(2 * np.pi * 3 * np.arange(size) / size + 0.3)

    assert np.allclose(fft_resample(tone(n_in), n), tone(n), rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_precision_is_kept_and_silence_stays_silence(dtype):
    assert fft_resample(np.ones(10, dtype), 7).dtype == dtype
    assert not fft_resample(np.zeros(10, dtype), 13).any()
    assert fft_resample(np.ones((3, 0), dtype), 5).tolist() == np.zeros((3, 5)).tolist()
    assert fft_resample(np.ones((0, 3), dtype), 5).shape == (0, 5)


def test_the_same_size_is_a_copy():
    x = np.arange(5.0)
    fft_resample(x, 5)[:] = 7
    assert x.tolist() == [0, 1, 2, 3, 4]


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 300), data=st.data())
def test_parts_add_up_to_the_signal(n, data):
    sizes = data.draw(st.sets(st.integers(1, n), max_size=5)) | {n}
    x = np.random.default_rng(n).uniform(-1, 1, (3, n))
    before = x.copy()
    parts = decompose(x, sizes)
    assert [part.shape for part in parts] == [(3, size) for size in sorted(sizes)]
    assert np.abs(recompose(parts, n) - x).max() < 1e-12
    assert np.array_equal(x, before)


def test_each_part_has_its_own_band():
    n = 400
    t = np.arange(n) / n
    tones = [np.cos(2 * np.pi * k * t) for k in (5, 50, 150)]
    parts = decompose(sum(tones), [20, 200, 400])
    for part, tone in zip(parts, tones, strict=True):
        assert np.allclose(recompose([part], n), tone, atol=1e-12)


@pytest.mark.parametrize("sizes", [[], [0, 10], [5, 11], [5, 5, 10]])
def test_sizes_that_cannot_be_are_refused(sizes):
    with pytest.raises(DeclarationError, match="from 1 to 10"):
        decompose(np.ones(10), sizes)


def test_nothing_cannot_be_added_or_resampled_to():
    with pytest.raises(DimensionError, match="no parts"):
        recompose([], 10)
    with pytest.raises(DeclarationError, match="n=0"):
        fft_resample(np.ones(3), 0)
