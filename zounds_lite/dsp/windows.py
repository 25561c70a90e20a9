"""Window functions.

Goal: the few windows that the library's transforms use, in the exact form of their sources.

Conventions: each function takes a size in samples, at least 1, and returns a read-only float64 array of that size,
which is computed once and shared. Windows are symmetric unless ``periodic=True``: a periodic window of n samples is the
first n of the symmetric one of n + 1, and is the one that adds up to a constant at the usual overlaps.

Functions: ``hann``, ``hamming``, ``vorbis``.
"""

from functools import lru_cache

import numpy as np

from zounds_lite.errors import DeclarationError

__all__ = ["hamming", "hann", "vorbis"]


def hann(n: int, periodic: bool = False) -> np.ndarray:
    """Return the Hann window, 0.5 - 0.5 cos(2 pi k / (n - 1)); zero at its ends.

    Args:
        n (int): size in samples, >= 1.
        periodic (bool): divide by n instead of n - 1.

    Shape:
        -> [n]

    Raises:
        DeclarationError: n below 1.

    Examples:
        >>> hann(5)
        array([0. , 0.5, 1. , 0.5, 0. ])
        >>> hann(4, periodic=True)
        array([0. , 0.5, 1. , 0.5])

    Sources:
        R. Blackman, J. Tukey, "The measurement of power spectra" (1958), B.5.
    """
    return _raised_cosine(_checked(n), 0.5, bool(periodic))


def hamming(n: int, periodic: bool = False) -> np.ndarray:
    """Return the Hamming window, 0.54 - 0.46 cos(2 pi k / (n - 1)).

    Args:
        n (int): size in samples, >= 1.
        periodic (bool): divide by n instead of n - 1.

    Shape:
        -> [n]

    Raises:
        DeclarationError: n below 1.

    Examples:
        >>> hamming(3)
        array([0.08, 1.  , 0.08])

    Sources:
        R. Blackman, J. Tukey, "The measurement of power spectra" (1958), B.5.
    """
    return _raised_cosine(_checked(n), 0.54, bool(periodic))


def vorbis(n: int) -> np.ndarray:
    """Return the power-complementary window of the Vorbis codec, sin(pi/2 sin^2(pi (k + 1/2) / n)).

    For even n its squares, half a window apart, add up to one: used for analysis and for synthesis at 50 % overlap it
    needs no normalisation. It is the form of the specification, not scaled to a maximum of one.

    Args:
        n (int): size in samples, >= 1.

    Shape:
        -> [n]

    Raises:
        DeclarationError: n below 1.

    Examples:
        >>> w = vorbis(8)
        >>> (w[:4] ** 2 + w[4:] ** 2).round(12)
        array([1., 1., 1., 1.])

    Sources:
        Xiph.Org, "Vorbis I specification", section 4.3.1.
    """
    return _vorbis(_checked(n))


def _checked(n: int) -> int:
    if n < 1:
        raise DeclarationError(f"n={n}: a window has at least 1 sample")
    return int(n)


@lru_cache(maxsize=64)
def _raised_cosine(n: int, mean: float, periodic: bool) -> np.ndarray:
    if n == 1:
        return _frozen(np.ones(1))
    period = n if periodic else n - 1
    # mirrored halves: symmetric to the last bit
    half = mean - (1.0 - mean) * np.cos(2.0 * np.pi / period * np.arange(period // 2 + 1))
    rest = half[1 : n - len(half) + 1] if periodic else half[: n - len(half)]
    return _frozen(np.concatenate([half, rest[::-1]]))


@lru_cache(maxsize=64)
def _vorbis(n: int) -> np.ndarray:
    return _frozen(np.sin(0.5 * np.pi * np.sin(np.pi / n * (np.arange(n) + 0.5)) ** 2))


def _frozen(window: np.ndarray) -> np.ndarray:
    window.setflags(write=False)
    return window
