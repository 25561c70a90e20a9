"""Spectral nodes: the functions of ``functional``, in streams.

Goal: features that are the same whether a sound comes whole or in chunks of any size. Conventions: chunks are arrays
with units whose first axis is time; each node does one thing.

- ``adaptive``: bands of long transforms, each at a rate of its own
- ``windows``: windows that may overlap
- ``constantq``: the constant-Q transform
- ``cosine``: cosine transforms
- ``fourier``: Fourier transforms
- ``bands``: sums into bands and pitch classes, and weights
- ``cepstra``, ``descriptors``: the shape of a spectrum in a few numbers, or in one
- ``contrast``: what stands out from its neighbourhood
"""

from zounds_lite.spectral.nodes.adaptive import FrequencyAdaptiveTransform
from zounds_lite.spectral.nodes.bands import BarkBands, Chroma, ChromaSTFT, FrequencyWeighting, MelBands
from zounds_lite.spectral.nodes.cepstra import BFCC, MFCC
from zounds_lite.spectral.nodes.constantq import CQT
from zounds_lite.spectral.nodes.contrast import LocalContrastNormalization
from zounds_lite.spectral.nodes.cosine import DCT, DCTIV, MDCT
from zounds_lite.spectral.nodes.descriptors import (
    RMS,
    SpectralCentroid,
    SpectralFlatness,
    SpectralRolloff,
    SpectralSpread,
    ZeroCrossingRate,
)
from zounds_lite.spectral.nodes.fourier import FFT
from zounds_lite.spectral.nodes.windows import SlidingWindow

__all__ = [
    "BFCC",
    "CQT",
    "DCT",
    "DCTIV",
    "FFT",
    "MDCT",
    "MFCC",
    "RMS",
    "BarkBands",
    "Chroma",
    "ChromaSTFT",
    "FrequencyAdaptiveTransform",
    "FrequencyWeighting",
    "LocalContrastNormalization",
    "MelBands",
    "SlidingWindow",
    "SpectralCentroid",
    "SpectralFlatness",
    "SpectralRolloff",
    "SpectralSpread",
    "ZeroCrossingRate",
]
