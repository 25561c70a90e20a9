"""The nodes of ``segment`` keep the contract of nodes."""

import numpy as np

import zounds_lite as zounds
from tests.testing.nodes.inputs import SCHEME, joined, spectra
from zounds_lite.segment import (
    complex_domain,
    measure_of_transience,
    relative_flux,
    spectral_distance,
    spectral_flux,
    tempo,
)
from zounds_lite.testing.contracts import NodeContract


def triples():
    return joined(zounds.SlidingWindow(SCHEME * zounds.Stride(1, 3), padwith=1).run([spectra()]))


def detection(size=20_000):
    return joined(zounds.SpectralFlux().run([spectra(size)]))


def surroundings():
    hop = SCHEME.frequency
    node = zounds.SlidingWindow(zounds.SampleRate(hop, hop * 11), padwith=5, padend=5)
    return joined(node.run([detection(40_000)]))


class _OfSpectra(NodeContract):
    def example(self):
        return np.abs(spectra())


class TestMeasureOfTransience(_OfSpectra):
    node = zounds.MeasureOfTransience

    def offline(self, whole):
        return measure_of_transience(whole)


class TestMeasureOfTransienceOfSpectra(TestMeasureOfTransience):
    def example(self):
        return spectra()


class TestSpectralFlux(_OfSpectra):
    node = zounds.SpectralFlux

    def changes(self):
        return {"gamma": 10.0, "reach": 0, "half_life": zounds.Seconds(1)}

    def offline(self, whole):
        return spectral_flux(whole)


class TestSpectralFluxOfSpectra(TestSpectralFlux):
    def arguments(self):
        return {"gamma": 100.0, "reach": 1}

    def example(self):
        return spectra()

    def offline(self, whole):
        return spectral_flux(whole, gamma=100.0, reach=1)


class TestRelativeFlux(TestSpectralFlux):
    def arguments(self):
        return {"half_life": zounds.Milliseconds(100)}

    def offline(self, whole):
        return relative_flux(whole, zounds.Milliseconds(100))[0]


class TestFlux(_OfSpectra):
    node = zounds.Flux

    def changes(self):
        return {"unit_norm": True}

    def offline(self, whole):
        return spectral_distance(whole)


class TestFluxOfShapes(TestFlux):
    def arguments(self):
        return {"unit_norm": True}

    def changes(self):
        return {"unit_norm": False}

    def offline(self, whole):
        return spectral_distance(whole, unit_norm=True)


class TestComplexDomain(NodeContract):
    node = zounds.ComplexDomain

    def example(self):
        return triples()

    def offline(self, whole):
        return complex_domain(whole)


class TestMovingAveragePeakPicker(NodeContract):
    """Slices come when they are known, so the results of two chunkings are cut elsewhere: all of them count."""

    node = zounds.MovingAveragePeakPicker

    def arguments(self):
        return {"factor": 1.0}

    def changes(self):
        return {"aggregate": np.median, "factor": 1.5, "delta": 0.1, "spacing": zounds.Seconds(1), "padding": 384}

    def example(self):
        return surroundings()

    def join(self, results):
        return zounds.VariableRateTimeSeries(entry for series in results for entry in series)


class TestPeaksAboveTheMedian(TestMovingAveragePeakPicker):
    def arguments(self):
        return {"aggregate": np.median, "factor": 1.05, "spacing": zounds.Milliseconds(30), "padding": 100}

    def changes(self):
        return {**super().changes(), "aggregate": np.mean}


class TestTempo(NodeContract):
    node = zounds.Tempo

    def changes(self):
        return {"start_bpm": 90.0, "std_octaves": 0.5, "min_bpm": 40.0, "max_bpm": 300.0}

    def example(self):
        return detection(60_000)

    def offline(self, whole):
        return [tempo(whole)]


def test_the_examples_have_something_to_find():
    series = TestMovingAveragePeakPicker().offline(surroundings())
    assert len(series) > 10
    assert tempo(detection(60_000)) > 30
