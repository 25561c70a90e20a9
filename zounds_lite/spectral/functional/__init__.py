"""Transforms and filter banks with units: the mathematics of ``dsp`` on arrays that know seconds and hertz.

- ``adaptive``: bands whose resolution in time follows their width, and signals as sums of coarser ones
- ``axes``: axes of time, before and after a transform
- ``constantq``: the constant-Q transform
- ``contrast``: what stands out from its neighbourhood
- ``cosine``: cosine transforms
- ``fourier``: Fourier transforms
- ``banks``: filters to convolve with, one per band
- ``bands``, ``chroma``: spectra summed into bands, and into pitch classes
- ``cepstra``, ``descriptors``: the shape of a spectrum in a few numbers, or in one
- ``inverse``: spectra from bands
- ``pictures``: spectra in colour
- ``similarity``: how alike frames are
- ``stretch``: delays in the spectrum, time stretching, pitch shifting
"""

from zounds_lite.spectral.functional.adaptive import frequency_adaptive_transform, frequency_decomposition
from zounds_lite.spectral.functional.axes import windowed_dimension
from zounds_lite.spectral.functional.bands import apply_scale, mel_bands
from zounds_lite.spectral.functional.banks import fir_filter_bank, gammatone_filter_bank, morlet_filter_bank
from zounds_lite.spectral.functional.cepstra import bfcc, mfcc
from zounds_lite.spectral.functional.chroma import chroma, chroma_stft
from zounds_lite.spectral.functional.constantq import cqt
from zounds_lite.spectral.functional.contrast import local_contrast_normalization
from zounds_lite.spectral.functional.cosine import dct, dct_iv, idct, imdct, mdct
from zounds_lite.spectral.functional.descriptors import (
    rms,
    spectral_centroid,
    spectral_flatness,
    spectral_rolloff,
    spectral_spread,
    zero_crossing_rate,
)
from zounds_lite.spectral.functional.fourier import fft, stft
from zounds_lite.spectral.functional.inverse import mel_to_magnitude
from zounds_lite.spectral.functional.pictures import rainbowgram
from zounds_lite.spectral.functional.similarity import self_similarity
from zounds_lite.spectral.functional.stretch import phase_shift, pitch_shift, time_stretch

__all__ = [
    "apply_scale",
    "bfcc",
    "chroma",
    "chroma_stft",
    "cqt",
    "dct",
    "dct_iv",
    "fft",
    "fir_filter_bank",
    "frequency_adaptive_transform",
    "frequency_decomposition",
    "gammatone_filter_bank",
    "idct",
    "imdct",
    "local_contrast_normalization",
    "mdct",
    "mel_bands",
    "mel_to_magnitude",
    "mfcc",
    "morlet_filter_bank",
    "phase_shift",
    "pitch_shift",
    "rainbowgram",
    "rms",
    "self_similarity",
    "spectral_centroid",
    "spectral_flatness",
    "spectral_rolloff",
    "spectral_spread",
    "stft",
    "time_stretch",
    "windowed_dimension",
    "zero_crossing_rate",
]
