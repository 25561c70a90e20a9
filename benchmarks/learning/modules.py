"""torch modules against what they stand for: scales, filters, and the transforms of arrays."""

from collections.abc import Iterator

import numpy as np

import zounds_lite as zounds
from benchmarks.harness import Row
from zounds_lite import dsp
from zounds_lite.dsp.impulses import peak_hz
from zounds_lite.spectral import mel_bands, mel_to_magnitude, stft

RATE = zounds.SR22050()
SECONDS = 2
MEL = zounds.SlaneyMelScale(zounds.FrequencyBand(0, 11025), 64)


def rows(is_quick: bool = False) -> Iterator[Row]:
    """Yield the figures of the modules, in single precision where nothing else is said."""
    yield from sinc_bands()
    yield from filter_bank_peaks()
    for dtype, bar in ((np.float32, 1e-5), (np.float64, 1e-10)):
        yield from agreement(dtype, bar)
    yield from constant_q()
    yield from gradients()


def sinc_bands() -> Iterator[Row]:
    """Where the gain of untrained filters is a half, against the edges of the scale's bands."""
    documented = [zounds.FrequencyBand(100, 200), zounds.FrequencyBand(400, 500), zounds.FrequencyBand(3000, 4000)]
    cases = [
        ("100-200, 400-500, 3000-4000 Hz, 256 taps", zounds.ExplicitScale(documented), 256),
        ("16 linear bands from 0 Hz to half the rate, 255 taps", zounds.LinearScale.from_sample_rate(11025, 16), 255),
        ("32 mel bands of 100-5000 Hz, 1024 taps", zounds.MelScale(zounds.FrequencyBand(100, 5000), 32), 1024),
    ]
    for what, scale, taps in cases:
        filters = zounds.SincLayer(scale, taps, zounds.SR11025()).filters().detach().double().numpy()
        n = 2**17
        gains = np.abs(np.fft.rfft(filters, n))
        hz = np.arange(n // 2 + 1) * 11025 / n
        found = np.array([hz[np.flatnonzero(gain > 0.5)[[0, -1]]] for gain in gains])
        wanted = np.stack([scale.band_starts, scale.band_stops], axis=1)
        inside = (wanted > 0) & (wanted < 5512)
        worst = float(np.abs(found / np.where(inside, wanted, 1) - 1)[inside].max())
        yield Row.at_most(f"SincLayer, {what}: half-gain points off the edges", 100 * worst, 5, "%")
        peaks = gains.max(axis=1)
        yield Row(f"SincLayer, {what}: gain", f"{peaks.min():.3f} to {peaks.max():.3f}")


def filter_bank_peaks() -> Iterator[Row]:
    """Where the filters of ``FilterBank`` respond most, against the centres of the bands."""
    scale = zounds.GeometricScale(100, 4000, 0.05, 64)
    for factor in (0.1, 0.25, 0.5, 1.0):
        bank = zounds.FilterBank(zounds.SR11025(), 512, scale, factor)
        peaks = peak_hz(11025, bank.filter_bank[:, 0].numpy())
        worst = float(np.abs(peaks / scale.center_frequencies - 1).max())
        yield Row.at_most(f"FilterBank, scaling {factor}: peaks off the centres of 64 bands", 100 * worst, 2, "%")


def agreement(dtype: type, bar: float) -> Iterator[Row]:
    """The largest difference to the transforms of arrays, as a part of the largest value."""
    import torch

    sound = zounds.AudioSamples(_noise(dtype), RATE)
    x = torch.from_numpy(np.array(sound))
    fourier = zounds.ShortTimeFourier(RATE, pad=True).to(x.dtype)
    cosine = zounds.ModifiedCosine(RATE, pad=True).to(x.dtype)
    mel = zounds.MelBank(MEL, fourier.scale).to(x.dtype)
    spectra, wanted = fourier(x), stft(sound, pad=True)
    bands, mels = mel(spectra), mel_bands(wanted, MEL)
    window = zounds.OggVorbisWindowingFunc()
    cut = zounds.SlidingWindow(zounds.HalfLapped(), window, cosine.padding, cosine.padding)
    windows = np.concatenate([np.asarray(chunk) for chunk in cut.run([sound])])
    name = np.dtype(dtype).name
    pairs = {
        "STFT": (spectra, wanted),
        "mel bands": (bands, mels),
        "MDCT": (cosine(x), dsp.mdct(windows)),
        "STFT, inverse": (fourier.inverse(spectra, len(x)), sound),
        "MDCT, inverse": (cosine.inverse(cosine(x), len(x)), sound),
    }
    for what, (found, expected) in pairs.items():
        yield Row.at_most(f"{what}, {name}: torch against arrays, of the maximum", _off(found, expected), bar)
    if dtype is np.float64:
        inverse = mel.inverse(bands[:20])
        yield Row.at_most(
            f"magnitudes from mel bands, {name}: torch against arrays", _off(inverse, mel_to_magnitude(mels[:20])), bar
        )


def constant_q() -> Iterator[Row]:
    """The constant-Q transform against that of arrays, and against its definition."""
    import torch

    x = _noise(np.float32)
    found = zounds.ConstantQBank(RATE)(torch.from_numpy(x))
    exact = dsp.cqt(x.astype(np.float64), RATE.rate, exact=True)
    worst = np.abs(found.numpy() - exact).max(axis=0) / np.abs(exact).max(axis=0)
    yield Row.at_most("CQT, float32: torch against arrays, of the maximum", _off(found, dsp.cqt(x, RATE.rate)), 1e-5)
    yield Row.at_most("CQT: torch against the definition, of each band's maximum", float(worst.max()), 1e-3)


def gradients() -> Iterator[Row]:
    """Numerical against analytical gradients, in double precision."""
    import torch
    from torch.autograd import gradcheck

    scheme = zounds.SR8000().windowing_scheme(16, 8)
    fourier = zounds.ShortTimeFourier(8000, scheme, pad=True).double()
    mel = zounds.MelBank(zounds.SlaneyMelScale(zounds.FrequencyBand(0, 4000), 4), fourier.scale).double()
    two = zounds.LinearScale(zounds.FrequencyBand(500, 3500), 2)
    loss = zounds.PerceptualLoss(two, 8000, np.ones(2), basis_size=16).double()
    cosine = zounds.ModifiedCosine(8000, scheme, pad=True).double()
    constant = zounds.ConstantQBank(
        8000, hop=4, start_hz=1000, n_bands=6, bands_per_octave=6, filter_scale=0.5
    ).double()
    x = torch.from_numpy(_noise(np.float64)[:32].reshape(2, 16)).requires_grad_()
    y = torch.from_numpy(_noise(np.float64)[32:64].reshape(2, 16))
    modules = {
        "ShortTimeFourier": fourier,
        "its inverse": lambda given: fourier.inverse(fourier(given), 16),
        "ModifiedCosine": cosine,
        "its inverse, by aliasing": lambda given: cosine.inverse(cosine(given), 16),
        "MelBank": lambda given: mel(fourier(given)),
        "ConstantQBank": constant,
        "FilterBank": zounds.FilterBank(8000, 16, two, 0.5).double(),
        "SincLayer": zounds.SincLayer(two, 21, 8000).double(),
        "PerceptualLoss": lambda given: loss(given, y),
    }
    passed = sum(gradcheck(module, x, raise_exception=False) for module in modules.values())
    yield Row.at_least("gradients that gradcheck passes", passed, len(modules), f"of {len(modules)} modules")


def _noise(dtype: type) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(SECONDS * RATE.rate).astype(dtype)


def _off(found: object, wanted: object) -> float:
    """Return the largest difference as a part of the largest value."""
    expected = np.asarray(wanted)
    return float(np.abs(np.asarray(found.numpy()) - expected).max() / np.abs(expected).max())  # type: ignore[attr-defined]
