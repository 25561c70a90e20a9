"""The nodes of ``spectral`` for windows, Fourier transforms and bands keep the contract of nodes."""

import numpy as np

import zounds_lite as zounds
from tests.testing.nodes.inputs import HANN, RATE, SCHEME, WINDOW, joined, samples, spectra, windows
from zounds_lite.core import ArrayWithUnits
from zounds_lite.spectral import apply_scale, fft, mel_bands, stft
from zounds_lite.testing.contracts import NodeContract


class TestSlidingWindow(NodeContract):
    node = zounds.SlidingWindow

    def arguments(self):
        return {"wscheme": SCHEME, "wfunc": zounds.OggVorbisWindowingFunc()}

    def changes(self):
        return {"wscheme": zounds.HalfLapped(), "wfunc": HANN, "padwith": 384, "padend": 384}

    def example(self):
        return samples()


class TestPaddedSlidingWindow(TestSlidingWindow):
    def arguments(self):
        return {"wscheme": SCHEME, "padwith": 384, "padend": 384}

    def changes(self):
        return {**super().changes(), "padwith": 0, "padend": 0}

    def example(self):
        return samples(channels=2)


class TestSlidingWindowOverFrames(TestSlidingWindow):
    def arguments(self):
        return {"wscheme": SCHEME * zounds.Stride(2, 4)}

    def example(self):
        return np.abs(spectra())


class TestFFT(NodeContract):
    node = zounds.FFT

    def changes(self):
        return {"axis": 1, "padding_samples": 2}

    def example(self):
        return windows()

    def dtype(self, dtype):
        return np.result_type(dtype, np.complex64)

    def offline(self, whole):
        return fft(whole)


class TestFFTOfChannels(TestFFT):
    def arguments(self):
        return {"axis": 1, "padding_samples": 3}

    def changes(self):
        return {"axis": 2, "padding_samples": 2}

    def example(self):
        return joined(zounds.SlidingWindow(SCHEME).run([samples(channels=2)]))

    def offline(self, whole):
        return fft(whole, 1, 3)


class TestBarkBands(NodeContract):
    node = zounds.BarkBands

    def arguments(self):
        return {"frequency_band": zounds.FrequencyBand(50, 5000), "n_bands": 20}

    def changes(self):
        return {
            "frequency_band": zounds.FrequencyBand(50, 4000), "n_bands": 21, "window": None,
            "samplerate": zounds.SR8000(),
        }  # fmt: skip

    def example(self):
        return spectra()

    def offline(self, whole):
        bands = apply_scale(whole, zounds.BarkScale(zounds.FrequencyBand(50, 5000), 20), HANN)
        return ArrayWithUnits(bands, (whole.dimensions[0], bands.dimensions[1]))


class TestBarkBandsOfMagnitudes(NodeContract):
    node = zounds.BarkBands

    def changes(self):
        return TestBarkBands().changes()

    def example(self):
        return np.abs(spectra())


class TestBarkBandsOfWholeBlocks(TestBarkBands):
    """Nothing waits for the end, which an empty chunk may bring."""

    def example(self):
        whole = spectra()
        return ArrayWithUnits(np.asarray(whole)[:128], whole.dimensions)


class TestMelBands(NodeContract):
    node = zounds.MelBands

    def arguments(self):
        return {"n_bands": 20}

    def changes(self):
        return {"frequency_band": zounds.FrequencyBand(50, 4000), "n_bands": 21, "power": 1.0}

    def example(self):
        return np.abs(spectra())

    def offline(self, whole):
        return mel_bands(whole, zounds.SlaneyMelScale(zounds.FrequencyBand(0, RATE.rate / 2), 20), 2.0)


class TestFrequencyWeighting(NodeContract):
    node = zounds.spectral.nodes.FrequencyWeighting

    def changes(self):
        return {"weighting": zounds.AWeighting(gain=True)}

    def example(self):
        return np.abs(spectra())


def test_the_whole_chain_is_the_function_of_the_whole():
    wanted = stft(samples(20_000), SCHEME, WINDOW)
    assert np.asarray(spectra()).tobytes() == np.asarray(wanted).tobytes()
