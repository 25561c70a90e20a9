"""Cosine transforms: their formulas as reference, inverses, aliasing that cancels, rows alone or with others."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite.dsp import dct, dct4, dct_basis, frames, idct, imdct, mdct, overlap_add, rfft, vorbis, windowed_rfft
from zounds_lite.errors import DeclarationError, DimensionError

SIZES = [1, 2, 3, 4, 7, 16, 101, 256, 743]
FORWARD = {"dct": dct, "idct": idct, "dct4": dct4, "imdct": imdct}


def noise(*shape, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def mdct_matrix(n):
    """The definition: rows are coefficients, columns the 2 n samples."""
    k, j = np.arange(n)[:, None], np.arange(2 * n)
    return np.sqrt(2 / n) * np.cos(np.pi / n * (j + 0.5 + n / 2) * (k + 0.5))


@pytest.mark.parametrize("n", SIZES)
def test_the_formulas(n):
    x, j, k = noise(3, n), np.arange(n), np.arange(n)[:, None]
    scale = np.sqrt(np.where(k == 0, 1, 2) / n)
    assert np.allclose(dct(x), x @ (scale * np.cos(np.pi / n * (j + 0.5) * k)).T, atol=1e-12)
    assert np.allclose(dct4(x), x @ (np.sqrt(2 / n) * np.cos(np.pi / n * (j + 0.5) * (k + 0.5))).T, atol=1e-12)
    assert np.allclose(dct(x), scale[:, 0] * (x @ dct_basis(n).T), atol=1e-12)
    lapped = noise(3, 2 * n)
    assert np.allclose(mdct(lapped), lapped @ mdct_matrix(n).T, atol=1e-11)
    assert np.allclose(imdct(x), x @ mdct_matrix(n), atol=1e-11)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("dtype", "near"), [(np.float32, 3e-6), (np.float64, 5e-15)])
def test_inverses_and_energy(n, dtype, near):
    x = noise(4, n, dtype=dtype)
    size = np.abs(x).max()
    for there, back in ((dct, idct), (idct, dct), (dct4, dct4)):
        assert there(x).dtype == dtype
        assert np.abs(back(there(x)) - x).max() <= near * size
        assert np.sum(there(x) ** 2) == pytest.approx(np.sum(x**2), rel=1e-4 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("n", [1, 3, 4, 6, 51, 128, 2757])
def test_aliasing_cancels(n):
    window, x = vorbis(2 * n), noise(2 * n + 7 * n + 3)
    padded = np.concatenate([np.zeros(n), x, np.zeros(2 * n)])
    back = overlap_add(imdct(mdct(frames(padded, 2 * n, n) * window)) * window, n)[n : n + len(x)]
    assert np.abs(back - x).max() < 1e-13


@pytest.mark.parametrize("name", [*FORWARD, "mdct"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 2, 5, 8, 100, 256, 743])
def test_rows_are_bit_equal_in_any_batch(name, dtype, n):
    x = noise(37, 2 * n if name == "mdct" else n, dtype=dtype)
    transform = FORWARD.get(name, mdct)
    whole = transform(x)
    for rows in (1, 2, 3, 5, 8, 16):
        parts = [transform(x[i : i + rows]) for i in range(0, 37, rows)]
        assert np.array_equal(np.concatenate(parts), whole)
    assert np.array_equal(transform(x[3]), whole[3])
    assert np.array_equal(transform(np.asfortranarray(x)), whole)
    assert np.array_equal(transform(np.stack([x, x], axis=2), axis=1)[:, :, 1], whole)
    assert np.array_equal(transform(x.reshape(37, 1, -1))[:, 0], whole)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 40), st.integers(1, 3000))
def test_blocks_are_invisible(n, rows):
    x = noise(rows, 2 * n)
    assert np.allclose(mdct(x), x @ mdct_matrix(n).T, atol=1e-11)


def test_other_numbers():
    for transform in [*FORWARD.values(), mdct]:
        x = np.arange(8, dtype=np.uint8)
        assert transform(x).dtype == np.float64
        assert np.array_equal(transform(x), transform(x.astype(np.float64)))
        assert transform(np.arange(8, dtype=np.float16)).dtype == np.float32
        assert transform(np.zeros((0, 8))).shape[0] == 0
        assert not transform(np.zeros(8)).any()


def test_the_input_stays_as_it_is():
    x = noise(5, 16)
    for transform in [*FORWARD.values(), mdct, windowed_rfft]:
        before = x.copy()
        x.flags.writeable = False
        transform(x)
        assert np.array_equal(x, before)


def test_nan_and_infinity_stay_in_their_row():
    x = noise(5, 16)
    clean = {transform: transform(x) for transform in [*FORWARD.values(), mdct]}
    x[2, 3], x[3, 0], x[3, 9] = np.nan, np.inf, -np.inf
    for transform, wanted in clean.items():
        found = transform(x)
        assert np.array_equal(found[[0, 1, 4]], wanted[[0, 1, 4]])
        assert np.isnan(found[2]).any() and not np.isfinite(found[3]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("n", [0, 1, 31, 32, 33, 100])
def test_windowed_frames(dtype, n):
    x = (100 * noise(n * 10 + 20)).astype(dtype)
    view, window = frames(x, 30, 10)[:n], vorbis(30)
    real = np.float32 if dtype == np.float32 else np.float64
    assert np.array_equal(windowed_rfft(view, window), rfft(view.astype(real) * window.astype(real)))
    assert np.array_equal(windowed_rfft(view), rfft(view))


def test_the_basis():
    basis = dct_basis(1000)
    assert np.allclose(basis @ basis.T, np.diag([1000.0] + [500.0] * 999), atol=1e-9)
    assert dct_basis(1).tolist() == [[1.0]]
    with pytest.raises(DeclarationError, match="n=0"):
        dct_basis(0)


def test_bad_input_is_refused():
    for odd in (1, 3, 5513):
        with pytest.raises(DimensionError, match="window one sample longer or shorter"):
            mdct(np.zeros((2, odd)))
    for transform in [*FORWARD.values(), mdct]:
        with pytest.raises(DeclarationError, match="real numbers"):
            transform(np.zeros(4, complex))
        with pytest.raises(DimensionError, match="nothing to transform"):
            transform(np.zeros((3, 0)))
        with pytest.raises(DimensionError, match="which has 1 axes"):
            transform(np.zeros(4), axis=1)
        with pytest.raises(DimensionError, match="which has 0 axes"):
            transform(np.float64(1))
    for bad, window in ((np.zeros(4), None), (np.zeros((2, 4)), np.ones(3))):
        with pytest.raises(DimensionError, match="give \\(frames, w\\)"):
            windowed_rfft(bad, window)
    with pytest.raises(DimensionError, match="nothing to transform"):
        windowed_rfft(np.zeros((2, 0)))
    with pytest.raises(DeclarationError, match="real numbers"):
        windowed_rfft(np.zeros((2, 4), complex))
