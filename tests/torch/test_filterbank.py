"""``FilterBank``: wavelets at the right frequencies, and what convolving with them gives."""

import numpy as np
import pytest
import torch
from scipy.signal import correlate
from torch.autograd import gradcheck

import zounds_lite as zounds
from zounds_lite.dsp.impulses import peak_hz
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.spectral import AWeighting, GeometricScale, morlet_filter_bank

RATE = zounds.SR11025()
SCALE = GeometricScale(100, 4000, 0.05, 24)


def _noise(*shape, dtype=torch.float32):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("scaling", [0.1, 0.5, list(np.linspace(0.1, 0.9, 24))], ids=["sharp", "blunt", "mixed"])
@pytest.mark.parametrize("taps", [511, 1024])
def test_responses_peak_at_the_centres_of_the_bands(taps, scaling):
    bank = zounds.FilterBank(RATE, taps, SCALE, scaling)
    found = peak_hz(11025, bank.filter_bank[:, 0].numpy())
    np.testing.assert_allclose(found, SCALE.center_frequencies, rtol=0.02)
    tones = np.sin(2 * np.pi * SCALE.center_frequencies[::4, None] / 11025 * np.arange(4096))
    plain = zounds.FilterBank(RATE, taps, SCALE, scaling, a_weighting=False)
    heard = plain.convolve(torch.from_numpy(tones.astype(np.float32))).square().mean(dim=-1)
    assert heard.argmax(dim=1).tolist() == list(range(24))[::4]


@pytest.mark.parametrize("taps", [64, 65, 400, 401])
def test_bands_are_correlations_as_long_as_the_signal(taps):
    bank = zounds.FilterBank(RATE, taps, SCALE, 0.5).double()
    x = _noise(2, 1, 300, dtype=torch.float64)
    found = bank.convolve(x)
    assert found.shape == (2, 24, 300)
    wavelets = np.asarray(morlet_filter_bank(RATE, taps, SCALE, 0.5) * AWeighting())
    padded = np.pad(x[1, 0].numpy(), (taps // 2, (taps - 1) // 2))
    for band in (0, 11, 23):
        np.testing.assert_allclose(found[1, band], correlate(padded, wavelets[band], "valid"), rtol=0, atol=1e-11)


@pytest.mark.parametrize("taps", [64, 65, 400, 401])
def test_the_transpose_is_the_transpose(taps):
    bank = zounds.FilterBank(RATE, taps, SCALE, 0.5).double()
    x, y = _noise(2, 200, dtype=torch.float64), _noise(2, 24, 200, dtype=torch.float64)
    back = bank.transposed_convolve(y)
    assert back.shape == (2, 1, 200)
    torch.testing.assert_close((bank.convolve(x) * y).sum(), (back[:, 0] * x).sum())


def test_filters_are_normalized_and_weighted_as_asked():
    plain = zounds.FilterBank(RATE, 512, SCALE, 0.5, a_weighting=False)
    torch.testing.assert_close(plain.filter_bank[:, 0].norm(dim=1), torch.ones(24))
    weighted = zounds.FilterBank(RATE, 512, SCALE, 0.5)
    factors = torch.from_numpy(AWeighting().weights(SCALE)).float()
    torch.testing.assert_close(weighted.filter_bank, plain.filter_bank * factors[:, None, None])
    raw = zounds.FilterBank(RATE, 512, SCALE, 0.5, normalize_filters=False, a_weighting=False)
    np.testing.assert_allclose(
        raw.filter_bank[:, 0], morlet_filter_bank(RATE, 512, SCALE, 0.5, normalize=False), atol=1e-6
    )


def test_forward_is_the_normalised_log_magnitude():
    bank = zounds.FilterBank(RATE, 128, SCALE, 0.5)
    x = _noise(3, 1, 500)
    found = bank(x)
    assert found.shape == (3, 24, 500)
    torch.testing.assert_close(found.mean(dim=(1, 2)), torch.zeros(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(found.std(dim=(1, 2)), torch.ones(3))
    logs = 20 * torch.log10(1 + bank.convolve(x).clamp_min(0))
    torch.testing.assert_close(bank(x, normalize=False), logs)
    torch.testing.assert_close(bank(x[:, 0]), found)


def test_silence_stays_silent_with_finite_gradients():
    bank = zounds.FilterBank(RATE, 128, SCALE, 0.5)
    x = torch.zeros(2, 300, requires_grad=True)
    out = bank(x)
    out.sum().backward()
    assert not out.any() and torch.isfinite(x.grad).all()
    assert bank(torch.zeros(2, 0)).shape == (2, 24, 0)


@pytest.mark.parametrize("taps", [16, 200])
def test_gradients_flow(taps):
    bank = zounds.FilterBank(RATE, taps, GeometricScale(500, 4000, 0.1, 3), 0.5).double()
    x = _noise(2, 20, dtype=torch.float64).requires_grad_()
    assert gradcheck(bank, x)
    assert gradcheck(bank.transposed_convolve, bank.convolve(x).detach().requires_grad_())


def test_a_sound_is_transformed_to_frames_with_units():
    bank = zounds.FilterBank(RATE, 256, SCALE, 0.25)
    tone = zounds.SineSynthesizer(RATE).synthesize(zounds.Seconds(2), [float(SCALE.center_frequencies[12])])
    frames = bank.transform(tone, 512, 256)
    time, frequency = frames.dimensions
    assert frames.shape == (87, 24) and frequency.scale == SCALE
    assert time == zounds.TimeDimension(RATE.frequency * 256, RATE.frequency * 512)
    assert len(frames[zounds.TimeSlice(zounds.Seconds(1))]) == pytest.approx(43, abs=2)
    band = SCALE.bands[12]
    assert frames[:, band].shape[1] >= 1
    pooled = torch.nn.functional.avg_pool1d(bank(torch.tensor(np.asarray(tone)).float(), False), 512, 256, 256)
    np.testing.assert_allclose(np.asarray(frames), pooled[0].T.numpy(), atol=1e-6)
    assert bank.double().transform(tone, 512, 256).dtype == np.float64


def test_arguments_and_sounds_that_do_not_fit():
    bank = zounds.FilterBank(RATE, 64, SCALE, 0.5)
    with pytest.raises(SampleRateError, match="samplerate='x'"):
        zounds.FilterBank("x", 64, SCALE, 0.5)
    with pytest.raises(DeclarationError, match="scale='x'"):
        zounds.FilterBank(RATE, 64, "x", 0.5)
    with pytest.raises(DeclarationError, match="scaling of shape"):
        zounds.FilterBank(RATE, 64, SCALE, [0.5, 0.5])
    with pytest.raises(DimensionError, match="needed: AudioSamples"):
        bank.transform(np.ones(100), 10, 5)
    with pytest.raises(DeclarationError, match="resample them first"):
        bank.transform(zounds.AudioSamples(np.ones(100), zounds.SR8000()), 10, 5)
    with pytest.raises(DeclarationError, match="stride=0"):
        bank.transform(zounds.AudioSamples(np.ones(100), RATE), 10, 0)
    with pytest.raises(DimensionError, match=r"needed: \(signals, 24, time\)"):
        bank.transposed_convolve(torch.ones(24, 100))
    with pytest.raises(DimensionError, match="needed: 24 bands"):
        bank.transposed_convolve(torch.ones(1, 23, 100))
    with pytest.raises(DeclarationError, match="for a module of torch.float32"):
        bank(torch.ones(100, dtype=torch.float64))
