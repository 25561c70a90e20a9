"""The Fourier transform: numpy as reference, energy, inverse, and rows that do not depend on their neighbours."""

import numpy as np
import pytest

from zounds_lite.dsp import frames, irfft, rfft
from zounds_lite.errors import DeclarationError, DimensionError

SIZES = [1, 2, 3, 8, 100, 512, 743, 1021, 2048, 5513]


@pytest.mark.parametrize("size", SIZES)
def test_rfft_equals_numpy_and_keeps_energy(size):
    x = np.random.default_rng(0).standard_normal((5, size))
    spectra = rfft(x)
    np.testing.assert_allclose(spectra, np.fft.rfft(x, norm="ortho"), atol=1e-12)
    power = np.abs(spectra) ** 2
    doubled = power[:, 1 : (size + 1) // 2].sum(1)
    np.testing.assert_allclose(power.sum(1) + doubled, (x**2).sum(1), rtol=1e-12)
    np.testing.assert_allclose(irfft(spectra, size), x, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("n_rows", [1, 2, 3, 4, 5, 7, 8, 16, 33, 64])
def test_rows_are_bit_equal_in_any_batch(dtype, size, n_rows):
    x = np.random.default_rng(1).standard_normal((131, size)).astype(dtype)
    whole = rfft(x)
    parts = [rfft(x[i : i + n_rows]) for i in range(0, 131, n_rows)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    back = [irfft(whole[i : i + n_rows], size) for i in range(0, 131, n_rows)]
    np.testing.assert_array_equal(np.concatenate(back), irfft(whole, size))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_views_of_frames_are_bit_equal_to_copies(dtype):
    x = np.random.default_rng(2).standard_normal(5001).astype(dtype)
    view = frames(x, 743, 100)
    np.testing.assert_array_equal(rfft(view), rfft(view.copy()))


def test_dtypes_padding_and_axes():
    x = np.random.default_rng(3).standard_normal((6, 4)).astype("float32")
    assert rfft(x).dtype == np.complex64 and irfft(rfft(x), 4).dtype == np.float32
    assert rfft(np.arange(4)).dtype == np.complex128
    np.testing.assert_allclose(rfft(x, n=9, axis=0), np.fft.rfft(x, 9, axis=0, norm="ortho"), atol=1e-6)
    np.testing.assert_allclose(irfft(rfft(x, axis=0), 6, axis=0), x, atol=1e-6)
    assert rfft(np.zeros((0, 8))).shape == (0, 5)


def test_bad_input_is_refused():
    with pytest.raises(DeclarationError, match="real numbers"):
        rfft(np.zeros(4, complex))
    with pytest.raises(DeclarationError, match="n=0"):
        rfft(np.zeros(4), n=0)
    with pytest.raises(DimensionError, match="nothing to transform"):
        rfft(np.zeros((3, 0)))
    with pytest.raises(DimensionError, match="which has 1 axes"):
        rfft(np.zeros(4), axis=1)
    with pytest.raises(DimensionError, match="n_fft of the analysis"):
        irfft(np.zeros(5), n=10)
