"""Streaming equals offline."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import zounds_lite as zounds
from benchmarks.accuracy.table import Row, at_most


def _pieces(x: Any, sizes: list[int]) -> Iterator[Any]:
    at, i = 0, 0
    while at < len(x):
        yield x[at : at + sizes[i % len(sizes)]]
        at, i = at + sizes[i % len(sizes)], i + 1


def rows() -> Iterator[Row]:
    """Nodes fed in chunks against the same nodes fed the whole: the largest difference over several chunkings."""
    rng = np.random.default_rng(1)
    sound = zounds.AudioSamples(rng.normal(size=200_003).astype(np.float32), zounds.SR44100())
    chunkings = [[1000], [65_536], [1, 7, 4096, 13], rng.integers(1, 9000, 40).tolist()]
    frames = zounds.SlidingWindow(zounds.HalfLapped(), zounds.OggVorbisWindowingFunc())
    windows = zounds.core.ArrayWithUnits.concat(list(frames.run([sound])))
    spectra = zounds.core.ArrayWithUnits.concat(list(zounds.FFT().run([windows])))
    bark = zounds.core.ArrayWithUnits.concat(list(zounds.BarkBands().run([spectra])))
    chain = {
        "Resampler": (lambda: zounds.Resampler(zounds.SR11025()), sound, 1e-6),
        "SlidingWindow": (lambda: zounds.SlidingWindow(zounds.HalfLapped()), sound, 0.0),
        "FFT": (zounds.FFT, windows, 0.0),
        "DCT": (zounds.DCT, windows, 0.0),
        "DCTIV": (zounds.DCTIV, windows, 0.0),
        "MDCT": (zounds.MDCT, windows, 0.0),
        "BarkBands": (zounds.BarkBands, spectra, 0.0),
        "MelBands": (zounds.MelBands, spectra, 0.0),
        "Chroma": (zounds.Chroma, spectra, 0.0),
        "ChromaSTFT": (zounds.ChromaSTFT, spectra, 0.0),
        "BFCC": (zounds.BFCC, bark, 0.0),
        "MFCC": (zounds.MFCC, bark, 0.0),
        "SpectralCentroid": (zounds.SpectralCentroid, spectra, 0.0),
        "SpectralSpread": (zounds.SpectralSpread, spectra, 0.0),
        "SpectralRolloff": (zounds.SpectralRolloff, spectra, 0.0),
        "SpectralFlatness": (zounds.SpectralFlatness, spectra, 0.0),
        "ZeroCrossingRate": (zounds.ZeroCrossingRate, windows, 0.0),
        "RMS": (zounds.RMS, windows, 0.0),
    }
    for name, (make, x, bar) in chain.items():
        whole = np.concatenate([np.asarray(part) for part in make().run([x])])
        worst, same_length = 0.0, True
        for sizes in chunkings:
            parts = np.concatenate([np.asarray(part) for part in make().run(_pieces(x, sizes))])
            same_length &= parts.shape == whole.shape
            if parts.shape == whole.shape:
                worst = max(worst, float(np.abs(parts - whole).max() / np.abs(whole).max()))
        yield at_most(f"{name} in chunks, part of the largest", worst, bar, also=same_length)
