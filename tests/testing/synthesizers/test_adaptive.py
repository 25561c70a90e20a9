"""Synthesizers of frequency-adaptive transforms keep their contract."""

import numpy as np
import scipy.fftpack

from tests.testing.synthesizers.inputs import HANN, VORBIS, windows
from zounds_lite.spectral import DCT, FFT, FrequencyAdaptiveTransform, GeometricScale
from zounds_lite.synthesize import (
    FrequencyAdaptiveDCTSynthesizer,
    FrequencyAdaptiveFFTSynthesizer,
    FrequencyDecompositionSynthesizer,
)
from zounds_lite.testing.contracts import DeclaredContract, SynthesizerContract
from zounds_lite.timeseries import SR8000, SR11025

SCALE = GeometricScale(200, 3500, bandwidth_ratio=0.2, n_bands=30)


class TestFrequencyAdaptiveFFT(SynthesizerContract):
    snr_db = 250.0
    channels = (0,)
    size, hop, padding = 512, 256, 0

    def create(self):
        return FrequencyAdaptiveFFTSynthesizer(SCALE, SR8000(), padding_samples=self.padding)

    def others(self):
        return [
            FrequencyAdaptiveFFTSynthesizer(GeometricScale(200, 3500, 0.2, 31), SR8000()),
            FrequencyAdaptiveFFTSynthesizer(SCALE, SR11025()),
            FrequencyAdaptiveFFTSynthesizer(SCALE, SR8000(), VORBIS),
            FrequencyAdaptiveFFTSynthesizer(SCALE, SR8000(), HANN, HANN),
            FrequencyAdaptiveFFTSynthesizer(SCALE, SR8000(), HANN, VORBIS, HANN),
            FrequencyAdaptiveFFTSynthesizer(SCALE, SR8000(), padding_samples=1),
        ]

    def analyse(self, samples):
        (spectra,) = FFT(padding_samples=self.padding).run([windows(samples, VORBIS, self.size, self.hop)])
        (bands,) = FrequencyAdaptiveTransform(np.fft.irfft, SCALE, np.hanning, residual=True).run([spectra])
        return bands


class TestFrequencyAdaptiveFFTOfAnOddSize(TestFrequencyAdaptiveFFT):
    size, hop = 511, 128


class TestFrequencyAdaptiveFFTOfPaddedFrames(TestFrequencyAdaptiveFFT):
    size, hop, padding = 400, 200, 113

    def others(self):
        return [FrequencyAdaptiveFFTSynthesizer(SCALE, SR8000())]


class TestFrequencyAdaptiveDCT(SynthesizerContract):
    snr_db = 250.0
    channels = (0,)
    size, hop, is_even = 512, 256, True

    def create(self):
        return FrequencyAdaptiveDCTSynthesizer(SCALE, SR8000())

    def others(self):
        return [
            FrequencyAdaptiveDCTSynthesizer(GeometricScale(200, 3500, 0.2, 31), SR8000()),
            FrequencyAdaptiveDCTSynthesizer(SCALE, SR8000(), None),
            FrequencyAdaptiveDCTSynthesizer(SCALE, SR8000(), HANN, HANN),
            FrequencyAdaptiveDCTSynthesizer(SCALE, SR8000(), HANN, VORBIS, HANN),
        ]

    def analyse(self, samples):
        (spectra,) = DCT(scale_always_even=self.is_even).run([windows(samples, VORBIS, self.size, self.hop)])
        (bands,) = FrequencyAdaptiveTransform(scipy.fftpack.idct, SCALE, np.hanning, residual=True).run([spectra])
        return bands


class TestFrequencyAdaptiveDCTOfAnOddSize(TestFrequencyAdaptiveDCT):
    size, hop, is_even = 511, 128, False


class TestFrequencyDecomposition(DeclaredContract):
    """What it gives back are the signals of a batch, or windows, and no sound."""

    def create(self):
        return FrequencyDecompositionSynthesizer(SR8000(), 100)

    def others(self):
        return [FrequencyDecompositionSynthesizer(SR8000(), 101), FrequencyDecompositionSynthesizer(SR11025(), 100)]
