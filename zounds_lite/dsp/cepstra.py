"""Cepstra: the shape of a spectrum in a few numbers.

Goal: cosine transforms of the logarithm of bands, which tell the envelope of a spectrum from its details.

Conventions: bands are on the last axis, frames before it; float32 stays float32, integers become float64. Silence is
finite, since logarithms have a floor.

Functions: ``log_cepstrum`` (of magnitudes, unnormalised), ``power_cepstrum`` (of power in dB, orthonormal, as MFCC).
"""

import numpy as np
from numpy.typing import ArrayLike

from zounds_lite.dsp._checks import check_real
from zounds_lite.dsp.level import power_to_db
from zounds_lite.dsp.transforms import dct
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["log_cepstrum", "power_cepstrum"]

_LOG_FLOOR = 1e-12


def log_cepstrum(bands: ArrayLike, n_coeffs: int = 13, exclude: int = 1) -> np.ndarray:
    """Return cepstral coefficients of magnitudes, 2 sum_j ln(|x_j| + 1e-12) cos(pi k (j + 1/2) / n).

    Args:
        bands (ArrayLike): magnitudes, or complex.
        n_coeffs (int): coefficients to return, >= 1.
        exclude (int): coefficients to leave out before those, >= 0; the first one is the level.

    Shape:
        [..., bands] -> [..., n_coeffs]

    Raises:
        DimensionError: fewer bands than coefficients.
        DeclarationError: counts out of range.

    Examples:
        >>> log_cepstrum([np.exp([0.0, 1.0, 2.0, 3.0])], n_coeffs=3, exclude=0).round(3)
        array([[12.   , -6.309,  0.   ]])

    Sources:
        N. Ahmed, T. Natarajan, K. Rao, "Discrete cosine transform", IEEE Trans. Computers C-23 (1974), for the
        transform; S. Davis, P. Mermelstein, "Comparison of parametric representations for monosyllabic word
        recognition", IEEE Trans. ASSP 28 (1980), for cepstra of bands that follow the ear.
    """
    x = np.asarray(bands)
    check_coefficients(n_coeffs, exclude)
    _check_bands(x, n_coeffs + exclude)
    logs = np.log(np.abs(x if x.dtype.kind in "fc" else x.astype(np.float64)) + _LOG_FLOOR)
    coeffs = dct(logs)[..., exclude : exclude + n_coeffs]
    # back to sums without scaling, of which the one for k = 0 has another norm
    factors = np.full(n_coeffs, np.sqrt(2.0 * x.shape[-1]))
    factors[: 1 if exclude == 0 else 0] *= np.sqrt(2.0)
    return coeffs * factors.astype(coeffs.dtype)


def power_cepstrum(
    power: ArrayLike,
    n_coeffs: int = 13,
    lifter: float = 0.0,
    amin: float = 1e-10,
    top_db: float | None = 80.0,
) -> np.ndarray:
    """Return cepstral coefficients of power, the orthonormal cosine transform of its level in dB.

    Args:
        power (ArrayLike): power of each band, >= 0; real.
        n_coeffs (int): coefficients to return, >= 1.
        lifter (float): length of a half sine that raises the coefficients in the middle, > 0; 0 leaves them alone.
        amin (float): smallest power, > 0.
        top_db (float | None): range below the loudest value of the whole array, in dB. None: no limit.

    Shape:
        [..., bands] -> [..., n_coeffs]

    Raises:
        DimensionError: fewer bands than coefficients.
        DeclarationError: counts, ``lifter``, ``amin`` or ``top_db`` out of range, or complex values.

    Examples:
        >>> power_cepstrum([[1.0, 10.0, 100.0, 1000.0]], n_coeffs=3).round(3)
        array([[ 30.   , -22.304,  -0.   ]])

    Sources:
        S. Davis, P. Mermelstein, "Comparison of parametric representations for monosyllabic word recognition", IEEE
        Trans. ASSP 28 (1980); B. Juang, L. Rabiner, J. Wilpon, "On the use of bandpass liftering in speech
        recognition", IEEE Trans. ASSP 35 (1987), for the lifter; librosa 0.11, ``mfcc``, for the conventions.
    """
    x = np.asarray(power)
    check_real(x, "power", "take np.abs(x) ** 2 first")
    check_coefficients(n_coeffs, lifter=lifter)
    _check_bands(x, n_coeffs)
    coeffs = np.ascontiguousarray(dct(np.asarray(power_to_db(x, amin=amin, top_db=top_db)))[..., :n_coeffs])
    if lifter > 0:
        raised = 1.0 + lifter / 2.0 * np.sin(np.pi * np.arange(1, n_coeffs + 1) / lifter)
        coeffs = coeffs * raised.astype(coeffs.dtype)
    return coeffs


def check_coefficients(n_coeffs: int, exclude: int = 0, lifter: float = 0.0) -> None:
    """Refuse numbers of coefficients that cannot be.

    Raises:
        DeclarationError: no coefficients, fewer than none left out, or a negative lifter.
    """
    for name, value, least in (("n_coeffs", n_coeffs, 1), ("exclude", exclude, 0)):
        if not isinstance(value, (int, np.integer)) or value < least:
            raise DeclarationError(f"{name}={value!r}; allowed: a whole number, {least} or more")
    if not 0 <= lifter < np.inf:
        raise DeclarationError(f"lifter={lifter!r}; allowed: 0 or more, such as 22")


def _check_bands(x: np.ndarray, needed: int) -> None:
    if x.ndim == 0 or x.shape[-1] < needed:
        raise DimensionError(
            f"bands of shape {x.shape} for {needed} coefficients: as many bands are needed, on the last axis"
        )
