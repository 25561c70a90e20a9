"""The document that the command line uses where none is named."""

from typing import Any

from zounds_lite.graphs.audio import stft
from zounds_lite.persistence import ArrayWithUnitsFeature
from zounds_lite.spectral import MelBands
from zounds_lite.timeseries import SR22050

__all__ = ["Recording"]

_Base: Any = stft(resample_to=SR22050(), store_fft=True, store_ogg=False, pad=True)


class Recording(_Base):
    """A recording at 22.05 kHz with its short-time Fourier transform and 128 mel bands, both stored."""

    mel = ArrayWithUnitsFeature(MelBands, n_bands=128, needs=_Base.fft, store=True)
