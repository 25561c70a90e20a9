"""Banks of filters for the bands of scales: where they peak, bands at the edges, and too few taps."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.dsp import peak_hz
from zounds_lite.errors import DeclarationError, SampleRateError
from zounds_lite.spectral import (
    BarkScale,
    ERBScale,
    ExplicitScale,
    FrequencyBand,
    FrequencyDimension,
    GeometricScale,
    HanningWindowingFunc,
    LinearScale,
    MelScale,
    fir_filter_bank,
    gammatone_filter_bank,
    morlet_filter_bank,
)
from zounds_lite.timeseries import TimeDimension

RATE = zounds.SR11025()
HANN = HanningWindowingFunc()
WHOLE = FrequencyBand(20, 5512)


@pytest.mark.parametrize(
    "scale",
    [
        BarkScale(WHOLE, 40),
        MelScale(WHOLE, 40),
        ERBScale(WHOLE, 40),
        LinearScale(WHOLE, 10),
        GeometricScale(60, 5000, 0.5, 20),
    ],
    ids=lambda scale: type(scale).__name__,
)
def test_filters_peak_in_the_middle_of_their_bands(scale):
    bank = fir_filter_bank(scale, 2048, RATE, HANN)
    assert bank.dimensions == (FrequencyDimension(scale), TimeDimension.from_rate(RATE))
    assert bank.dtype == np.float64 and bank.shape == (len(scale), 2048)
    # what lies beyond half the sample rate cannot peak there
    centers = np.minimum(scale.center_frequencies, 5512.5)
    assert (np.abs(peak_hz(11025, np.asarray(bank)) - centers) <= 0.1 * scale.bandwidths + 11025 / 4096).all()
    assert np.allclose(np.abs(np.fft.rfft(bank, 1 << 14)).max(axis=1)[5:-1], 1.0, atol=0.1)


def test_windows_of_many_kinds():
    scale = LinearScale(FrequencyBand(500, 4500), 4)
    by_value = fir_filter_bank(scale, 256, RATE, HANN)
    for window in (np.hanning, np.hanning(4097), [np.hanning(4097)] * 4, np.tile(np.hanning(4097), (4, 1))):
        assert np.allclose(fir_filter_bank(scale, 256, 11025, window), by_value, atol=1e-6)
    flat = fir_filter_bank(scale, 256, RATE, None)
    assert np.allclose(fir_filter_bank(scale, 256, RATE, np.ones(7)), flat)
    # flat bands that lie side by side add up to a band that passes them all
    total = np.abs(np.fft.rfft(np.asarray(flat).sum(axis=0), 8192))[np.arange(700, 4300, 50) * 8192 // 11025]
    assert np.allclose(total, 1.0, atol=0.02)


def test_too_few_taps_warn_and_say_how_many_are_needed():
    with pytest.warns(UserWarning, match=r"64 taps cannot resolve 4 of 40 bands, .* use about 1642 taps"):
        bank = fir_filter_bank(BarkScale(WHOLE, 40), 64, RATE, HANN)
    assert np.isfinite(np.asarray(bank)).all()


def test_bands_below_zero_and_above_nyquist():
    scale = ExplicitScale([FrequencyBand(-300, 400), FrequencyBand(5000, 7000)])
    assert np.isfinite(np.asarray(fir_filter_bank(scale, 255, RATE, HANN))).all()
    for band in (FrequencyBand(-20, -10), FrequencyBand(6000, 7000)):
        with pytest.raises(DeclarationError, match="one that reaches"):
            fir_filter_bank(ExplicitScale([band]), 255, RATE, HANN)
    with pytest.raises(DeclarationError, match="allowed: in 0"):
        gammatone_filter_bank(RATE, 64, ExplicitScale([FrequencyBand(6000, 7000)]))


def test_one_band_and_none():
    one, none = ExplicitScale([FrequencyBand(800, 1200)]), ExplicitScale(())
    for scale in (one, none):
        assert fir_filter_bank(scale, 255, RATE, HANN).shape == (len(scale), 255)
        assert morlet_filter_bank(RATE, 255, scale, 0.5).shape == (len(scale), 255)
        assert gammatone_filter_bank(RATE, 255, scale).shape == (len(scale), 255)


def test_morlet_filters():
    scale = GeometricScale(100, 4000, 0.05, 5)
    bank = morlet_filter_bank(RATE, 512, scale, 0.5)
    assert bank.dimensions == (FrequencyDimension(scale), TimeDimension.from_rate(RATE))
    assert np.allclose(peak_hz(11025, np.asarray(bank)), [99.6, 251.7, 633.9, 1593.5, 4007.9], atol=0.1)
    assert np.allclose(np.linalg.norm(np.asarray(bank), axis=1), 1, atol=1e-7)
    assert np.linalg.norm(np.asarray(morlet_filter_bank(RATE, 512, scale, 0.5, normalize=False))[0]) > 1.1
    each = morlet_filter_bank(RATE, 512, scale, [0.5] * 5)
    assert np.array_equal(each, bank)


def test_gammatone_filters_are_as_wide_as_their_bands():
    scale = ERBScale(FrequencyBand(100, 4000), 12)
    bank = gammatone_filter_bank(RATE, 2048, scale)
    response = np.abs(np.fft.rfft(np.asarray(bank), 1 << 16))
    assert np.allclose(response.max(axis=1), 1, atol=1e-3)
    assert np.allclose(response.argmax(axis=1) * 11025 / (1 << 16), scale.center_frequencies, rtol=0.02)
    assert np.allclose((response**2).sum(axis=1) * 11025 / (1 << 16), scale.bandwidths, rtol=0.02)


def test_bad_arguments():
    scale = LinearScale(FrequencyBand(500, 4500), 4)
    for make in (
        lambda scale, rate: fir_filter_bank(scale, 64, rate, HANN),
        lambda scale, rate: morlet_filter_bank(rate, 64, scale, 0.5),
        lambda scale, rate: gammatone_filter_bank(rate, 64, scale),
    ):
        for rate in (zounds.HalfLapped(), 11025.0, None, True):
            with pytest.raises(SampleRateError, match="allowed: one of audio"):
                make(scale, rate)
        with pytest.raises(DeclarationError, match="allowed: a scale"):
            make([FrequencyBand(500, 4500)], RATE)
    for taps in (0, -1):
        with pytest.raises(DeclarationError, match="taps"):
            fir_filter_bank(scale, taps, RATE, HANN)
    with pytest.raises(DeclarationError, match="3 windows for 4 bands"):
        fir_filter_bank(scale, 64, RATE, [np.hanning(9)] * 3)
    with pytest.raises(TypeError, match="scaling_factor='narrow'"):
        morlet_filter_bank(RATE, 64, scale, "narrow")
    with pytest.raises(ValueError, match="one each"):
        morlet_filter_bank(RATE, 64, scale, [0.5, 0.5])
    with pytest.raises(DeclarationError, match="order=0"):
        gammatone_filter_bank(RATE, 64, scale, 0)
