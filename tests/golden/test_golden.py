"""Stored outputs of nodes: if one moves on purpose, raise the node's revision and store the new output.

python tests/golden/test_golden.py NAME ...
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.testing.library import library_classes, names
from zounds_lite.core.nodes import Binarize, Max, Merge, Slice, Sum
from zounds_lite.featureflow import Encoder, FunctionalNode, Node
from zounds_lite.loudness import Decibel, LogModulus, MuLaw
from zounds_lite.segment import (
    ComplexDomain,
    Flux,
    MeasureOfTransience,
    MovingAveragePeakPicker,
    SpectralFlux,
    Tempo,
)
from zounds_lite.spectral import (
    BFCC,
    CQT,
    DCT,
    DCTIV,
    FFT,
    MDCT,
    MFCC,
    RMS,
    AWeighting,
    BarkBands,
    Chroma,
    ChromaSTFT,
    FrequencyAdaptiveTransform,
    FrequencyWeighting,
    GeometricScale,
    HanningWindowingFunc,
    LocalContrastNormalization,
    MelBands,
    OggVorbisWindowingFunc,
    SlidingWindow,
    SpectralCentroid,
    SpectralFlatness,
    SpectralRolloff,
    SpectralSpread,
    ZeroCrossingRate,
)
from zounds_lite.timeseries import SR11025, AudioSamples, HalfLapped, Milliseconds, TimeSlice, VariableRateTimeSeries
from zounds_lite.timeseries.nodes import Pooled

FOLDER = Path(__file__).parent

FRAMES = HalfLapped(512, 256)

CHAINS = {
    "LocalContrastNormalization": lambda: [
        *_spectra(),
        FunctionalNode(np.abs),
        LocalContrastNormalization((5, 9), 1.5),
    ],
    "SlidingWindow": lambda: [SlidingWindow(HalfLapped(), OggVorbisWindowingFunc(), padwith=256, padend=256)],
    "FFT": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT(padding_samples=10)],
    "DCT": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), DCT(scale_always_even=True)],
    "DCTIV": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), DCTIV()],
    "MDCT": lambda: [SlidingWindow(HalfLapped(), OggVorbisWindowingFunc()), MDCT()],
    "CQT": lambda: [CQT(256, start_hz=110.0, n_bands=60)],
    "BarkBands": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT(), BarkBands(n_bands=20)],
    "MelBands": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT(), MelBands(n_bands=20)],
    "FrequencyAdaptiveTransform": lambda: [
        SlidingWindow(HalfLapped(), HanningWindowingFunc()),
        FFT(),
        FrequencyAdaptiveTransform(np.fft.irfft, GeometricScale(300, 5000, 0.3, 10), np.hanning, residual=True),
    ],
    "FrequencyWeighting": lambda: [SlidingWindow(HalfLapped()), FFT(), FrequencyWeighting(AWeighting())],
    "MuLaw": lambda: [MuLaw()],
    "LogModulus": lambda: [SlidingWindow(HalfLapped()), LogModulus(factor=10)],
    "Decibel": lambda: [SlidingWindow(HalfLapped()), FFT(), Decibel()],
    "Chroma": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT(padding_samples=3584), Chroma()],
    "ChromaSTFT": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT(), ChromaSTFT()],
    "BFCC": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT(), BarkBands(n_bands=20), BFCC()],
    "MFCC": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT(), MelBands(n_bands=20), MFCC(lifter=22)],
    "SpectralCentroid": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT(), SpectralCentroid()],
    "SpectralSpread": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT(), SpectralSpread()],
    "SpectralRolloff": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT(), SpectralRolloff()],
    "SpectralFlatness": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT(), SpectralFlatness()],
    "ZeroCrossingRate": lambda: [SlidingWindow(HalfLapped()), ZeroCrossingRate()],
    "RMS": lambda: [SlidingWindow(HalfLapped()), RMS()],
    "Slice": lambda: [SlidingWindow(HalfLapped()), Slice(slice(100, 200))],
    "Sum": lambda: [SlidingWindow(HalfLapped()), FFT(), FunctionalNode(np.abs), Sum()],
    "Max": lambda: [SlidingWindow(HalfLapped()), Max(axis=1)],
    "Binarize": lambda: [Binarize(np.signbit)],
    "Merge": lambda: [SlidingWindow(HalfLapped()), Merge(needs=[Slice(slice(500, 512)), Slice(slice(0, 12))])],
    "MeasureOfTransience": lambda: [*_spectra(), MeasureOfTransience()],
    "ComplexDomain": lambda: [*_spectra(), SlidingWindow(FRAMES * (1, 3), padwith=1), ComplexDomain()],
    "SpectralFlux": lambda: [*_spectra(), SpectralFlux()],
    "Flux": lambda: [*_spectra(), Flux(unit_norm=True)],
    "MovingAveragePeakPicker": lambda: [
        *_spectra(),
        Flux(),
        SlidingWindow(FRAMES * (1, 4), padwith=2, padend=2),
        MovingAveragePeakPicker(factor=1.01),
    ],
    "Tempo": lambda: [*_spectra(), Flux(), Tempo(max_bpm=1e4)],
    "Pooled": lambda: [Pooled(np.std, needs=[Node(), FunctionalNode(_halves)])],
}


def _spectra():
    """Short frames, since the tone is short."""
    return [SlidingWindow(FRAMES, OggVorbisWindowingFunc()), FFT()]


def _halves(chunk):
    """Two stretches of the time of a chunk."""
    return VariableRateTimeSeries((TimeSlice(Milliseconds(200), start=n * Milliseconds(200)), 0) for n in range(2))


def _results(node, chunks):
    """What a node makes of chunks, of which each node that it needs gets all."""
    needs = list(node.needs.values())
    if len(needs) < 2:
        yield from node.run(chunks)
        return
    for need in needs:
        for result in need.run(chunks):
            yield from node.push(result, need)
    for need in needs:
        yield from node.end(need)


def output(name):
    """Return the node's class, and a few numbers of what it makes of a rising tone."""
    t = np.arange(4000) / 11025
    chunks = [AudioSamples(np.sin(2 * np.pi * (300 + 2000 * t) * t), SR11025())]
    for node in CHAINS[name]():
        chunks = list(_results(node, chunks))
    if isinstance(chunks[-1], VariableRateTimeSeries):
        units = [timeslice for series in chunks for timeslice in series.slices]
    else:
        units = getattr(chunks[-1], "dimensions", ())
    values = np.abs(np.concatenate([np.atleast_1d(getattr(chunk, "slicedata", chunk)) for chunk in chunks]))
    picked = values.ravel()[:: max(1, values.size // 40)]
    return {
        "revision": type(node).revision,
        "shape": list(values.shape),
        "sum": float(values.sum()),
        "values": [float(f"{v:.9g}") for v in picked],
        "units": [repr(unit) for unit in units],
    }


@pytest.mark.parametrize("name", CHAINS)
def test_output_stays_until_the_revision_rises(name):
    stored, now = json.loads((FOLDER / f"{name}.json").read_text()), output(name)
    assert now["revision"] == stored["revision"], "run this file to store the output of the new revision"
    assert (now["shape"], now["units"]) == (stored["shape"], stored["units"])
    assert now["sum"] == pytest.approx(stored["sum"], rel=1e-9)
    assert now["values"] == pytest.approx(stored["values"], rel=1e-7, abs=1e-9)


def test_every_node_that_computes_is_here():
    rooms = ("core", "timeseries", "spectral", "segment", "loudness")
    found = {cls for cls in library_classes(Node) if cls.__module__.split(".")[1] in rooms}
    found -= library_classes(Encoder)
    assert names(found - {type(make()[-1]) for make in CHAINS.values()}) == []


if __name__ == "__main__":
    for chosen in sys.argv[1:]:
        (FOLDER / f"{chosen}.json").write_text(json.dumps(output(chosen), indent=1) + "\n")
