"""Spectral nodes: the functions of ``functional``, in streams.

Goal: features that are the same whether a sound comes whole or in chunks of any size. Conventions: chunks are arrays
with units whose first axis is time; each node does one thing.

- ``windows``: windows that may overlap
- ``fourier``: Fourier transforms
- ``bands``: sums into bands, and weights
"""

from zounds_lite.spectral.nodes.bands import BarkBands, FrequencyWeighting, MelBands
from zounds_lite.spectral.nodes.fourier import FFT
from zounds_lite.spectral.nodes.windows import SlidingWindow

__all__ = ["FFT", "BarkBands", "FrequencyWeighting", "MelBands", "SlidingWindow"]
