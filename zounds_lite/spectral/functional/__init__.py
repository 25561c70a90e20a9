"""Transforms and filter banks with units: the mathematics of ``dsp`` on arrays that know seconds and hertz.

- ``axes``: axes of time, before and after a transform
- ``fourier``: Fourier transforms
- ``bands``: spectra summed into bands
"""

from zounds_lite.spectral.functional.axes import windowed_dimension
from zounds_lite.spectral.functional.bands import apply_scale, mel_bands
from zounds_lite.spectral.functional.fourier import fft, stft

__all__ = ["apply_scale", "fft", "mel_bands", "stft", "windowed_dimension"]
