"""Windows against their definitions, numpy and scipy."""

import numpy as np
import pytest
import scipy.signal.windows as oracle

from zounds_lite.dsp import hamming, hann, vorbis
from zounds_lite.errors import DeclarationError

SIZES = [1, 2, 3, 4, 5, 8, 9, 512, 743, 1024]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("periodic", [False, True])
def test_hann_and_hamming_equal_scipy(n, periodic):
    np.testing.assert_allclose(hann(n, periodic), oracle.hann(n, sym=not periodic), atol=1e-14)
    np.testing.assert_allclose(hamming(n, periodic), oracle.hamming(n, sym=not periodic), atol=1e-14)


@pytest.mark.parametrize("n", SIZES)
def test_windows_are_symmetric_to_the_last_bit_where_mirrored(n):
    for window in (hann(n), hamming(n)):
        np.testing.assert_array_equal(window, window[::-1])
        assert window.shape == (n,)


def test_documented_hann_values():
    np.testing.assert_allclose(hann(5), [0, 0.5, 1, 0.5, 0], atol=1e-15)
    np.testing.assert_allclose(hann(10)[:5], [0, 0.11697778, 0.41317591, 0.75, 0.96984631], atol=1e-8)


@pytest.mark.parametrize("n", [2, 4, 8, 512, 2048])
def test_vorbis_is_power_complementary(n):
    w = vorbis(n)
    assert np.abs(w[: n // 2] ** 2 + w[n // 2 :] ** 2 - 1).max() < 1e-15
    assert w.max() <= 1


def test_periodic_hann_adds_up_to_one():
    w = hann(512, periodic=True)
    np.testing.assert_allclose(w[:256] + w[256:], 1.0, atol=1e-15)


def test_windows_are_shared_and_read_only():
    assert hann(64) is hann(64)
    with pytest.raises(ValueError, match="read-only"):
        vorbis(64)[0] = 1.0


def test_an_empty_window_is_refused():
    for window in (hann, hamming, vorbis):
        with pytest.raises(DeclarationError, match="at least 1 sample"):
            window(0)
