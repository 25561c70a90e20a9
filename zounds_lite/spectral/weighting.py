"""Weights along a frequency axis.

Goal: multiply a spectrum with how well each frequency is heard. Conventions: a weighting multiplies or divides any
array that has a frequency axis, wherever that axis is; units and dtype stay. Types: ``FrequencyWeighting`` (the base;
the name at the top of the library is the node's), ``AWeighting``.
"""

from typing import Any

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.dsp.curves import a_weighting_db, a_weighting_factor_db
from zounds_lite.spectral.dimension import frequency_axis
from zounds_lite.spectral.scales import FrequencyScale

__all__ = ["AWeighting", "FrequencyWeighting"]


def _scale_of(scale_or_array: Any) -> FrequencyScale:
    if isinstance(scale_or_array, FrequencyScale):
        return scale_or_array
    scale: FrequencyScale = scale_or_array.dimensions[frequency_axis(scale_or_array)].scale
    return scale


class FrequencyWeighting(Declared):
    """One factor per band; the base of all weightings weights every band alike.

    A subclass overrides ``_factors``.

    Examples:
        >>> from zounds_lite.spectral import FrequencyBand, LinearScale
        >>> FrequencyWeighting().weights(LinearScale(FrequencyBand(0, 4000), 4))
        array([1., 1., 1., 1.])
    """

    # arrays leave products to __rmul__ and __rtruediv__; any other ufunc is a TypeError
    __array_ufunc__ = None

    def _factors(self, scale: FrequencyScale) -> np.ndarray:
        return np.ones(len(scale))

    def weights(self, scale_or_array: Any) -> np.ndarray:
        """Return one factor per band.

        Args:
            scale_or_array (FrequencyScale | ArrayWithUnits): a scale, or an array with a frequency axis.

        Shape:
            -> [bands]

        Raises:
            DimensionError: an array without a frequency axis.
        """
        scale = _scale_of(scale_or_array)
        return self._factors(scale) if len(scale) else np.ones(0)

    def _along(self, arr: Any) -> np.ndarray:
        axis = frequency_axis(arr)
        weights: np.ndarray = arr.dimensions[axis].weights(self.weights(arr), arr, axis)
        return weights.astype(arr.real.dtype) if arr.dtype.kind in "fc" else weights

    def __mul__(self, arr: Any) -> Any:
        return arr * self._along(arr)

    __rmul__ = __mul__

    def __rtruediv__(self, arr: Any) -> Any:
        return arr / self._along(arr)


class AWeighting(FrequencyWeighting):
    """A-weighting: low and very high frequencies count less, as for ears at moderate levels.

    The documented factors are positive and shaped like decibels: one for the weakest band of the scale, and one more
    for each decibel above it; so the factor of a frequency depends on the scale. Where levels should be true, use
    ``gain=True`` or ``db``.

    Args:
        gain (bool): True multiplies amplitudes by the true A-weighting, 10^(dB/20), which is one at 1 kHz.

    Examples:
        >>> import numpy as np
        >>> from zounds_lite.core import ArrayWithUnits
        >>> from zounds_lite.spectral import FrequencyDimension, GeometricScale
        >>> scale = GeometricScale(20, 20000, 0.05, 10)
        >>> arr = ArrayWithUnits(np.ones(10), [FrequencyDimension(scale)])
        >>> [round(float(w), 4) for w in arr * AWeighting()][:3]
        [1.0, 18.3173, 31.1992]

    Sources:
        IEC 61672-1:2013, annex E, for ``gain`` and ``db``; the documented factors use rounded pole frequencies.
    """

    gain: bool

    def __init__(self, gain: bool = False) -> None:
        super().__init__(gain=gain)

    def db(self, scale_or_array: Any) -> np.ndarray:
        """Return the true A-weighting of each band's centre, in decibels.

        Args:
            scale_or_array (FrequencyScale | ArrayWithUnits): a scale, or an array with a frequency axis.

        Shape:
            -> [bands], 0 dB at 1 kHz, never below -80 dB

        Examples:
            >>> from zounds_lite.spectral import FFTScale
            >>> AWeighting().db(FFTScale(20000, 200))[[1, 10, 100]].round(2).tolist()
            [-19.14, 0.0, -2.49]
        """
        return np.asarray(a_weighting_db(_scale_of(scale_or_array).center_frequencies))

    def _factors(self, scale: FrequencyScale) -> np.ndarray:
        if self.gain:
            return np.asarray(10 ** (self.db(scale) / 20))
        db = np.asarray(a_weighting_factor_db(scale.center_frequencies))
        heard = np.isfinite(db)
        # 0 Hz is not heard at all: it counts as the weakest band that is
        weakest = db[heard].min() if heard.any() else 0.0
        return 1 + np.where(heard, db, weakest) - weakest
