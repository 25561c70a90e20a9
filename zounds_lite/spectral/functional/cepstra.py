"""Cepstra with units.

Goal: the cepstra of ``dsp`` on bands that know hertz. Conventions: bands are the last axis; coefficients have no unit.
Functions: ``bfcc``, ``mfcc``.
"""

from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.dsp.cepstra import log_cepstrum, power_cepstrum
from zounds_lite.spectral.filters import frequency_scale

__all__ = ["bfcc", "mfcc"]


def bfcc(bands: Any, n_coeffs: int = 13, exclude: int = 1) -> ArrayWithUnits:
    """Return the cepstrum of bands that follow the ear: an unnormalised cosine transform of their logarithm.

    Args:
        bands (ArrayWithUnits): magnitudes, such as the result of ``BarkBands``; frequency is the last axis.
        n_coeffs (int): coefficients to return, >= 1.
        exclude (int): coefficients to leave out before those, >= 0; the first one is the level.

    Shape:
        [..., bands] -> [..., n_coeffs]

    Raises:
        DimensionError: the last axis has no frequencies, or fewer bands than coefficients.
        DeclarationError: counts out of range.

    Examples:
        >>> from zounds_lite.spectral import BarkScale, FrequencyBand, FrequencyDimension
        >>> axis = FrequencyDimension(BarkScale(FrequencyBand(20, 5000), 20))
        >>> bfcc(ArrayWithUnits(np.ones((3, 20)), [None, axis])).shape
        (3, 13)

    See Also:
        BFCC: the node. mfcc: of mel bands, as librosa does.
    """
    frequency_scale(bands)
    return _with_units(log_cepstrum(np.asarray(bands), n_coeffs, exclude), bands)


def mfcc(
    mel: Any, n_coeffs: int = 13, lifter: float = 0.0, amin: float = 1e-10, top_db: float | None = 80.0
) -> ArrayWithUnits:
    """Return the cepstrum of mel bands, as ``librosa.feature.mfcc``: an orthonormal cosine transform of their level.

    Args:
        mel (ArrayWithUnits): power, such as the result of ``mel_bands``; frequency is the last axis.
        n_coeffs (int): coefficients to return, >= 1.
        lifter (float): length of a half sine that raises the coefficients in the middle, > 0; 0 leaves them alone.
        amin (float): smallest power, > 0.
        top_db (float | None): range below the loudest value of the whole array, in dB. None: no limit.

    Shape:
        [..., bands] -> [..., n_coeffs]

    Raises:
        DimensionError: the last axis has no frequencies, or fewer bands than coefficients.
        DeclarationError: counts, ``lifter``, ``amin`` or ``top_db`` out of range, or complex values.

    Examples:
        >>> from zounds_lite.spectral import FrequencyBand, FrequencyDimension, SlaneyMelScale
        >>> axis = FrequencyDimension(SlaneyMelScale(FrequencyBand(0, 5000), 40))
        >>> mfcc(ArrayWithUnits(np.ones((3, 40)), [None, axis])).shape
        (3, 13)

    See Also:
        MFCC: the node. mel_bands: what it takes.

    Sources:
        librosa 0.11, ``librosa.feature.mfcc``, for its conventions.
    """
    frequency_scale(mel)
    return _with_units(power_cepstrum(np.asarray(mel), n_coeffs, lifter, amin, top_db), mel)


def _with_units(coeffs: np.ndarray, bands: Any) -> ArrayWithUnits:
    return ArrayWithUnits(coeffs, [*bands.dimensions[:-1], IdentityDimension()])
