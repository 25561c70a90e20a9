"""How frequency-adaptive frames are stored and read back.

Goal: ``FrequencyAdaptive`` in a store, as rows of which only what is touched is read. Conventions: stored as every
array with units is; what reads back has its own class. Classes: ``FrequencyAdaptiveFeature``,
``FrequencyAdaptiveDecoder``.
"""

from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue, DimensionError
from zounds_lite.featureflow import StoredValue
from zounds_lite.persistence import ArrayWithUnitsDecoder, ArrayWithUnitsFeature
from zounds_lite.spectral.frequencyadaptive import FrequencyAdaptive

__all__ = ["FrequencyAdaptiveDecoder", "FrequencyAdaptiveFeature"]


class FrequencyAdaptiveDecoder(ArrayWithUnitsDecoder):
    """A ``FrequencyAdaptive``, read-only; a large one is a memory map of which only what is touched is read."""

    def _wrap(self, array: np.ndarray, value: StoredValue) -> Any:
        units = super()._wrap(array, value)
        try:
            return FrequencyAdaptive.from_array_with_units(units)
        except DimensionError as error:
            raise CorruptValue(f"{value.what} is not frequency-adaptive: {error}") from error

    def _last_rows(self, array: Any, start: int) -> Any:
        part = super()._last_rows(array, start)
        return FrequencyAdaptive.from_array_with_units(part) if isinstance(array, FrequencyAdaptive) else part


class FrequencyAdaptiveFeature(ArrayWithUnitsFeature):
    """A feature whose chunks are ``FrequencyAdaptive``; reads back as one.

    Args: as for ``ArrayWithUnitsFeature``.

    Examples:
        >>> import zounds_lite as zounds
        >>> scale = zounds.GeometricScale(100, 5000, bandwidth_ratio=0.089, n_bands=100)
        >>> long = zounds.SampleRate(frequency=zounds.Milliseconds(500), duration=zounds.Seconds(1))
        >>> STFT = zounds.stft(resample_to=zounds.SR11025(), wscheme=long)
        >>> @zounds.simple_in_memory_settings
        ... class Sound(STFT):
        ...     freq_adaptive = FrequencyAdaptiveFeature(
        ...         zounds.FrequencyAdaptiveTransform,
        ...         transform=np.fft.irfft, window_func=np.hanning, scale=scale, needs=STFT.fft, store=True,
        ...     )
        >>> tone = zounds.SineSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(3), [440.0])
        >>> sound = Sound(Sound.process(meta=tone.encode()))
        >>> type(sound.freq_adaptive).__name__, sound.freq_adaptive.n_bands
        ('FrequencyAdaptive', 100)
    """

    decoder = FrequencyAdaptiveDecoder()
