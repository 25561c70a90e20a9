"""Fourier transforms of real signals.

Goal: one place that calls the FFT, with one normalisation, and float32 in, complex64 out.

Conventions: plain arrays, the last axis by default; the transform and its inverse are orthonormal (1 / sqrt(n) each),
so that energy is kept: ``|X[0]|^2 + 2 sum |X[k]|^2 + |X[n/2]|^2 = sum x^2``. A row's result is the same whether it is
transformed alone or with others.

Functions: ``rfft``, ``irfft``.
"""

import numpy as np

from zounds_lite.dsp._checks import check_real
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["irfft", "rfft"]


def rfft(x: np.ndarray, n: int | None = None, axis: int = -1) -> np.ndarray:
    """Transform a real signal to its spectrum.

    Args:
        x (np.ndarray): real samples; float32 gives complex64, float64 and integers give complex128.
        n (int | None): samples to transform: the signal is cut or padded with zeros at its end. None: all.
        axis (int): the axis of time.

    Shape:
        [..., time] -> [..., n // 2 + 1]

    Raises:
        DeclarationError: a complex signal, or n below 1.
        DimensionError: no samples to transform.

    Examples:
        >>> rfft(np.array([1.0, 0.0, 0.0, 0.0]))
        array([0.5+0.j, 0.5+0.j, 0.5+0.j])

    See Also:
        irfft (the inverse).
    """
    x = np.asarray(x)
    check_real(x, "a signal", "transform real and imaginary part apart")
    _check(x, n, axis)
    import scipy.fft

    return scipy.fft.rfft(x, n=n, axis=axis, norm="ortho")


def irfft(spectrum: np.ndarray, n: int, axis: int = -1) -> np.ndarray:
    """Transform a spectrum back to its real signal.

    Args:
        spectrum (np.ndarray): complex or real coefficients; complex64 gives float32.
        n (int): samples of the signal. It cannot be told from the spectrum: n = 2m and n = 2m + 1 both have m + 1 bins.
        axis (int): the axis of frequency.

    Shape:
        [..., n // 2 + 1] -> [..., n]

    Raises:
        DeclarationError: n below 1.
        DimensionError: no coefficients, or another number of them than n // 2 + 1.

    Examples:
        >>> irfft(rfft(np.array([1.0, 2.0, 3.0])), n=3)
        array([1., 2., 3.])

    See Also:
        rfft (the inverse).
    """
    spectrum = np.asarray(spectrum)
    _check(spectrum, n, axis)
    if spectrum.shape[axis] != n // 2 + 1:
        raise DimensionError(
            f"{spectrum.shape[axis]} bins for a signal of n={n} samples, which has {n // 2 + 1}: "
            "give the n_fft of the analysis"
        )
    import scipy.fft

    return scipy.fft.irfft(spectrum, n=n, axis=axis, norm="ortho")


def _check(x: np.ndarray, n: int | None, axis: int) -> None:
    if n is not None and n < 1:
        raise DeclarationError(f"n={n}: a transform has at least 1 sample")
    if not -x.ndim <= axis < x.ndim:
        raise DimensionError(f"axis={axis} of an array of shape {x.shape}, which has {x.ndim} axes")
    if x.shape[axis] == 0:
        raise DimensionError(f"an array of shape {x.shape} has nothing to transform along axis {axis}")
