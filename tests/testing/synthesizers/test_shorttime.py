"""Synthesizers of short-time transforms keep their contract."""

from tests.testing.synthesizers.inputs import HANN, VORBIS, windows
from zounds_lite.spectral import FFT, HanningWindowingFunc, stft
from zounds_lite.synthesize import FFTSynthesizer, WindowedAudioSynthesizer
from zounds_lite.testing.contracts import SynthesizerContract
from zounds_lite.timeseries import SR8000


class TestFFT(SynthesizerContract):
    create = FFTSynthesizer
    snr_db = 250.0

    def others(self):
        return [FFTSynthesizer(HANN), FFTSynthesizer(VORBIS, HANN)]

    def analyse(self, samples):
        (spectra,) = FFT(axis=1).run([windows(samples, VORBIS)])
        return spectra


class TestFFTOfAnOddSize(TestFFT):
    def analyse(self, samples):
        (spectra,) = FFT(axis=1).run([windows(samples, VORBIS, 511, 200)])
        return spectra


class TestFFTOfWholeSounds(TestFFT):
    channels = (0,)

    def analyse(self, samples):
        return stft(samples, SR8000().windowing_scheme(512, 256), VORBIS, pad=True)


class TestFFTWithTwoWindows(TestFFT):
    def create(self):
        return FFTSynthesizer(VORBIS, HanningWindowingFunc(True))

    def others(self):
        return [FFTSynthesizer(VORBIS)]

    def analyse(self, samples):
        (spectra,) = FFT(axis=1, padding_samples=100).run([windows(samples, HanningWindowingFunc(True))])
        return spectra


class TestWindows(SynthesizerContract):
    snr_db = 250.0

    def create(self):
        return WindowedAudioSynthesizer(VORBIS)

    def others(self):
        return [WindowedAudioSynthesizer(), WindowedAudioSynthesizer(HANN)]

    def analyse(self, samples):
        return windows(samples, VORBIS)


class TestWindowsSideBySide(SynthesizerContract):
    snr_db = 1000.0

    def create(self):
        return WindowedAudioSynthesizer()

    def analyse(self, samples):
        return windows(samples, None, 300, 300)
