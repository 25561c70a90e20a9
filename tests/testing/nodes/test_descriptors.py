"""The nodes of ``spectral`` for descriptors, cepstra and pitch classes keep the contract of nodes."""

import numpy as np

import zounds_lite as zounds
from tests.testing.nodes.inputs import HANN, RATE, SCHEME, joined, samples, spectra
from zounds_lite.spectral import (
    bfcc,
    chroma,
    chroma_stft,
    mfcc,
    rms,
    spectral_centroid,
    spectral_flatness,
    spectral_rolloff,
    spectral_spread,
    zero_crossing_rate,
)
from zounds_lite.testing.contracts import NodeContract

BAND = zounds.FrequencyBand(50, 5000)


def windows(channels=1):
    return joined(zounds.SlidingWindow(SCHEME).run([samples(20_000, channels)]))


def bands(node):
    return joined(node.run([spectra()]))


class _OfSpectra(NodeContract):
    def example(self):
        return spectra()


class TestSpectralCentroid(_OfSpectra):
    node = zounds.SpectralCentroid

    def offline(self, whole):
        return spectral_centroid(whole)


class TestSpectralCentroidOfBark(TestSpectralCentroid):
    def example(self):
        return bands(zounds.BarkBands(BAND, 20))


class TestSpectralSpread(_OfSpectra):
    node = zounds.SpectralSpread

    def offline(self, whole):
        return spectral_spread(whole)


class TestSpectralRolloff(NodeContract):
    node = zounds.SpectralRolloff

    def changes(self):
        return {"roll_percent": 0.5}

    def example(self):
        return np.abs(spectra())

    def offline(self, whole):
        return spectral_rolloff(whole)


class TestSpectralFlatness(_OfSpectra):
    node = zounds.SpectralFlatness

    def changes(self):
        return {"power": 2.0, "amin": 1e-10, "db": True}

    def offline(self, whole):
        return spectral_flatness(whole)


class TestSpectralFlatnessInDecibels(NodeContract):
    node = zounds.SpectralFlatness

    def arguments(self):
        return {"power": 2.0, "amin": 1e-10, "db": True}

    def changes(self):
        return {"power": 1.0, "amin": 0.0, "db": False}

    def example(self):
        return np.abs(spectra())


class TestZeroCrossingRate(NodeContract):
    node = zounds.ZeroCrossingRate

    def changes(self):
        return {"axis": 1, "threshold": 0.1}

    def example(self):
        return windows()

    def offline(self, whole):
        return zero_crossing_rate(whole)


class TestRMS(NodeContract):
    node = zounds.RMS

    def changes(self):
        return {"axis": 1}

    def example(self):
        return windows()

    def offline(self, whole):
        return rms(whole)


class TestRMSOfChannels(TestRMS):
    def arguments(self):
        return {"axis": 1}

    def changes(self):
        return {"axis": 2}

    def example(self):
        return windows(2)

    def offline(self, whole):
        return rms(whole, 1)


class TestBFCC(NodeContract):
    node = zounds.BFCC

    def changes(self):
        return {"n_coeffs": 5, "exclude": 0}

    def example(self):
        return bands(zounds.BarkBands(BAND, 20))

    def offline(self, whole):
        return bfcc(whole)


class TestMFCC(NodeContract):
    node = zounds.MFCC

    def arguments(self):
        return {"lifter": 22.0}

    def changes(self):
        return {"n_coeffs": 5, "lifter": 0.0, "amin": 1e-8, "top_db": 80.0}

    def example(self):
        return bands(zounds.MelBands(n_bands=40))

    def offline(self, whole):
        return mfcc(whole, lifter=22.0, top_db=None)


class TestMFCCOfTheLoudest(TestMFCC):
    """The loudest value of all is known at the end only."""

    def arguments(self):
        return {"top_db": 20.0}

    def changes(self):
        return {**super().changes(), "lifter": 3.0, "top_db": None}

    def offline(self, whole):
        return mfcc(whole, top_db=20.0)


class TestChroma(_OfSpectra):
    node = zounds.Chroma

    def arguments(self):
        return {"frequency_band": BAND}

    def changes(self):
        return {
            "frequency_band": zounds.FrequencyBand(50, 4000), "window": None, "first": "C",
            "weighting": zounds.AWeighting(gain=True),
        }  # fmt: skip

    def offline(self, whole):
        return chroma(whole, zounds.ChromaScale(BAND), HANN)


class TestChromaOfMagnitudes(NodeContract):
    node = zounds.Chroma

    def changes(self):
        return TestChroma().changes()

    def example(self):
        return np.abs(spectra())


class TestChromaSTFT(_OfSpectra):
    node = zounds.ChromaSTFT

    def changes(self):
        return {"scale": zounds.EllisChromaScale("A"), "power": 1.0}

    def offline(self, whole):
        return chroma_stft(whole)


class TestChromaSTFTOfMagnitudes(NodeContract):
    node = zounds.ChromaSTFT

    def changes(self):
        return TestChromaSTFT().changes()

    def example(self):
        return np.abs(spectra())


def test_results_keep_the_time_of_their_frames():
    whole = spectra()
    for node in (zounds.SpectralCentroid(), zounds.SpectralFlatness(), zounds.Chroma(BAND), zounds.ChromaSTFT()):
        result = joined(node.run([whole]))
        assert result.dimensions[0] == whole.dimensions[0] and result.dimensions[0].rate == RATE.rate
        assert result.dimensions[0].n_samples == 20_000
