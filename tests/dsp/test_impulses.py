"""Impulse responses: where they peak, how wide they are, and SciPy's filters as reference."""

import numpy as np
import pytest
import scipy.signal

from zounds_lite.dsp import band_pass, erb, gammatone, morlet, peak_hz
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError


def test_morlet_wavelets_are_their_formula():
    f, n, sr, s = 440.0, 400, 11025, 0.7
    x = np.linspace(-2 * np.pi * s, 2 * np.pi * s, n)
    w = f * n / (2 * s * sr)
    wavelet = (np.exp(1j * w * x) - np.exp(-(w**2) / 2)) * np.exp(-(x**2) / 2) * np.pi**-0.25
    assert np.allclose(morlet(sr, n, [f], s, normalize=False)[0], wavelet.real, atol=1e-12)
    assert np.allclose(morlet(sr, n, f, s)[0], wavelet.real / np.linalg.norm(wavelet.real), atol=1e-8)


def test_morlet_wavelets_peak_at_their_frequency_and_have_no_mean():
    centers = np.geomspace(100, 4000, 5)
    bank = morlet(11025, 512, centers, 0.5)
    assert np.allclose(peak_hz(11025, bank), centers, rtol=0.007)
    assert np.abs(bank[1:].sum(axis=1)).max() < 0.02
    assert np.allclose(np.linalg.norm(bank, axis=1), 1.0, atol=1e-7)


def test_a_small_scaling_is_sharp_in_frequency():
    widths = []
    for s in (0.2, 0.5, 1.0):
        power = np.abs(np.fft.rfft(morlet(11025, 512, 1000.0, s)[0], 1 << 14)) ** 2
        widths.append(power.sum() / power.max())
    assert widths == sorted(widths)
    each = morlet(11025, 512, [1000.0, 1000.0], [0.2, 1.0])
    assert np.array_equal(each[0], morlet(11025, 512, 1000.0, 0.2)[0])


@pytest.mark.parametrize("taps", [512, 513])
@pytest.mark.parametrize("band", [(800, 1200), (0, 400), (300, 5000)])
def test_band_filters_are_those_of_firwin2(taps, band):
    def hann(position):
        return np.sin(np.pi * np.asarray(position)) ** 2

    start, stop = band
    at = np.linspace(0, 1, 400)
    hz = start + at * (stop - start)
    grid, gain = (hz, hann(at)) if start == 0 else (np.r_[0, hz], np.r_[0, hann(at)])
    wanted = scipy.signal.firwin2(taps, np.r_[grid, 5512.5], np.r_[gain, 0], nfreqs=2**15 + 1, fs=11025)
    found = band_pass(11025, taps, start, stop, hann)
    assert np.abs(found - wanted).max() <= 2e-4 * np.abs(wanted).max()
    assert np.array_equal(found, found[::-1])


def test_bands_may_reach_beyond_what_there_is():
    for start, stop in ((-50, 30), (5000, 6000), (-100, 9000)):
        for taps in (1, 2, 511, 512):
            assert np.isfinite(band_pass(11025, taps, start, stop)).all()
    low = band_pass(11025, 8001, -30, 50, lambda p: np.sin(np.pi * p) ** 2)
    assert peak_hz(11025, low[None])[0] == pytest.approx(10, abs=2)
    all_pass = np.abs(np.fft.rfft(band_pass(11025, 501, -1, 6000)))
    assert np.allclose(all_pass, 1.0, atol=1e-3)


def test_gammatone_filters_are_those_of_scipy():
    for center in (100.0, 1000.0, 4000.0):
        wanted, _ = scipy.signal.gammatone(center, "fir", order=4, numtaps=2048, fs=16000)
        found = gammatone(16000, 2048, center, erb(center))[0]
        # SciPy rounds the width of an ERB in another place
        assert np.corrcoef(found, wanted)[0, 1] > 1 - 1e-6


@pytest.mark.parametrize("order", [1, 2, 4, 8])
def test_gammatone_filters_pass_their_bandwidth(order):
    response = np.abs(np.fft.rfft(gammatone(16000, 4096, 2000.0, 240.0, order)[0], 1 << 16))
    assert response.max() == pytest.approx(1, abs=0.01)
    assert abs(np.argmax(response) * 16000 / (1 << 16) - 2000) < 12
    width = (response**2).sum() * 16000 / (1 << 16)
    # the tails of a filter of order 1 fall off so slowly that they reach half the sample rate
    assert width == pytest.approx(240, rel=0.1 if order == 1 else 0.01)


def test_bad_arguments():
    for make in (
        lambda sr: morlet(sr, 10, 100.0, 0.5),
        lambda sr: band_pass(sr, 10, 100.0, 200.0),
        lambda sr: gammatone(sr, 10, 100.0, 50.0),
    ):
        with pytest.raises(SampleRateError, match=r"sr=11025\.0"):
            make(11025.0)
    with pytest.raises(DeclarationError, match="1 taps"):
        morlet(11025, 1, 100.0, 0.5)
    with pytest.raises(DeclarationError, match="0 taps"):
        band_pass(11025, 0, 100.0, 200.0)
    with pytest.raises(DeclarationError, match="one each"):
        morlet(11025, 10, [100.0, 200.0], [0.5, 0.5, 0.5])
    for scaling in (0, -1, np.nan):
        with pytest.raises(DeclarationError, match="above 0"):
            morlet(11025, 10, 100.0, scaling)
    for band in ((-20, -10), (5512.5, 6000), (9000, 9100)):
        with pytest.raises(DeclarationError, match="one that reaches"):
            band_pass(11025, 10, *band)
    with pytest.raises(DimensionError, match="one bandwidth per centre"):
        gammatone(11025, 10, [100.0], [50.0, 50.0])
    with pytest.raises(DimensionError, match="finite"):
        gammatone(11025, 10, [np.nan], [50.0])
    for center, width in ((0, 50), (6000, 50), (100, 0)):
        with pytest.raises(DeclarationError, match="allowed: in 0"):
            gammatone(11025, 10, center, width)
    with pytest.raises(DeclarationError, match="order=0"):
        gammatone(11025, 10, 100, 50, 0)
