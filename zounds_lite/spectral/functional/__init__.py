"""Transforms and filter banks with units: the mathematics of ``dsp`` on arrays that know seconds and hertz.

- ``adaptive``: bands whose resolution in time follows their width, and signals as sums of coarser ones
- ``axes``: axes of time, before and after a transform
- ``fourier``: Fourier transforms
- ``bands``: spectra summed into bands
- ``stretch``: delays in the spectrum, time stretching, pitch shifting
"""

from zounds_lite.spectral.functional.adaptive import frequency_adaptive_transform, frequency_decomposition
from zounds_lite.spectral.functional.axes import windowed_dimension
from zounds_lite.spectral.functional.bands import apply_scale, mel_bands
from zounds_lite.spectral.functional.fourier import fft, stft
from zounds_lite.spectral.functional.stretch import phase_shift, pitch_shift, time_stretch

__all__ = [
    "apply_scale",
    "fft",
    "frequency_adaptive_transform",
    "frequency_decomposition",
    "mel_bands",
    "phase_shift",
    "pitch_shift",
    "stft",
    "time_stretch",
    "windowed_dimension",
]
