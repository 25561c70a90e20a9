"""The inverse of the constant-Q transform keeps the contract of synthesizers."""

import numpy as np

from zounds_lite.spectral import HanningWindowingFunc, cqt
from zounds_lite.synthesize import CQTSynthesizer
from zounds_lite.testing.contracts import SynthesizerContract
from zounds_lite.timeseries import SR8000, AudioSamples


class TestCQT(SynthesizerContract):
    """Its sounds lie inside the bands: tones that swell and fade."""

    create = CQTSynthesizer
    snr_db = 40.0
    longest = 3000
    examples = 10

    def others(self):
        return [CQTSynthesizer("hamming"), CQTSynthesizer(steps=3), CQTSynthesizer(allow_gaps=True)]

    def _sound(self, size, channels=0, dtype=np.float64):
        t = np.arange(size)[:, None] / 8000
        hz = np.random.default_rng(size).uniform(500, 2000, (1, 6))
        parts = np.sin(2 * np.pi * hz * t) * np.sin(np.pi * (np.arange(size)[:, None] + 0.5) / max(1, size)) ** 2
        x = parts.sum(axis=1) if not channels else np.stack([parts[:, : c + 2].sum(axis=1) for c in range(channels)], 1)
        return AudioSamples(x.astype(dtype), SR8000())

    def analyse(self, samples):
        return cqt(samples, hop=8, start_hz=100.0, n_bands=30, bands_per_octave=6)


class TestCQTWithAnotherWindow(TestCQT):
    def create(self):
        return CQTSynthesizer(HanningWindowingFunc())

    def others(self):
        return [CQTSynthesizer()]

    def analyse(self, samples):
        return cqt(samples, 8, 100.0, 30, 6, window=HanningWindowingFunc())
