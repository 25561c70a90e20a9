"""Companding curves, scaling and quantised amplitudes.

Goal: amplitudes on scales that are closer to hearing than pressure is, and back.

Conventions: real arrays of any shape; float32 stays float32, and integers become float64. Curves are odd: the sign of
a number stays, and 0 stays 0. NaN stays where it is, and no other number becomes NaN.

Functions: ``log_modulus``, ``inverse_log_modulus``, ``mu_law``, ``inverse_mu_law``, ``instance_scale``,
``unit_scale``, ``inverse_one_hot``.
"""

from math import log1p
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from zounds_lite.dsp._checks import check_real
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = [
    "instance_scale",
    "inverse_log_modulus",
    "inverse_mu_law",
    "inverse_one_hot",
    "log_modulus",
    "mu_law",
    "unit_scale",
]

Axes = int | tuple[int, ...] | None


def log_modulus(x: ArrayLike, factor: float = 1.0) -> Any:
    """Compress numbers of any size and sign: sign(x) ln(1 + factor abs(x)).

    Args:
        x (ArrayLike): real numbers.
        factor (float): multiplies the numbers first, > 0.

    Shape:
        [...] -> [...]

    Raises:
        DeclarationError: a factor not above 0, or complex numbers.

    Examples:
        >>> log_modulus([-1.0, 0.0, 1.0])
        array([-0.69314718,  0.        ,  0.69314718])

    See Also:
        inverse_log_modulus (the inverse).

    Sources:
        J. A. John, N. R. Draper, "An alternative family of transformations", Applied Statistics 29 (1980), eq. 2.
    """
    _check_positive("factor", factor)
    x = _real(x)
    return np.copysign(np.log1p(np.abs(x) * x.dtype.type(factor)), x)[()]


def inverse_log_modulus(x: ArrayLike, factor: float = 1.0) -> Any:
    """Undo ``log_modulus``: sign(x) (exp(abs(x)) - 1) / factor.

    Args:
        x (ArrayLike): compressed numbers.
        factor (float): as it was for ``log_modulus``, > 0.

    Shape:
        [...] -> [...]

    Raises:
        DeclarationError: a factor not above 0, or complex numbers.

    Examples:
        >>> inverse_log_modulus(log_modulus([-3.0, 0.5]))
        array([-3. ,  0.5])
    """
    _check_positive("factor", factor)
    x = _real(x)
    return np.copysign(np.expm1(np.abs(x)) / x.dtype.type(factor), x)[()]


def mu_law(x: ArrayLike, mu: float = 255) -> Any:
    """Compress amplitudes by the continuous mu-law: sign(x) ln(1 + mu abs(x)) / ln(1 + mu).

    Args:
        x (ArrayLike): amplitudes; -1..1 fills -1..1, and numbers beyond follow the same curve.
        mu (float): how strong quiet sounds are raised, > 0; 255 in North American telephony.

    Shape:
        [...] -> [...]

    Raises:
        DeclarationError: mu not above 0, or complex numbers.

    Examples:
        >>> mu_law([-1.0, 0.0, 0.5]).round(6)
        array([-1.      ,  0.      ,  0.875703])

    See Also:
        inverse_mu_law (the inverse).

    Sources:
        B. Smith, "Instantaneous companding of quantized signals", Bell System Technical Journal 36 (1957), eq. 1;
        ITU-T G.711 is its approximation by line segments.
    """
    _check_positive("mu", mu)
    x = _real(x)
    return np.copysign(np.log1p(np.abs(x) * x.dtype.type(mu)) * x.dtype.type(1 / log1p(mu)), x)[()]


def inverse_mu_law(x: ArrayLike, mu: float = 255) -> Any:
    """Undo ``mu_law``: sign(x) ((1 + mu)^abs(x) - 1) / mu.

    Args:
        x (ArrayLike): compressed amplitudes.
        mu (float): as it was for ``mu_law``, > 0.

    Shape:
        [...] -> [...]

    Raises:
        DeclarationError: mu not above 0, or complex numbers.

    Examples:
        >>> inverse_mu_law([-1, 0, 1])
        array([-1.,  0.,  1.])
        >>> float(inverse_mu_law(0.875703).round(6))
        0.5
    """
    _check_positive("mu", mu)
    x = _real(x)
    return np.copysign(np.expm1(np.abs(x) * x.dtype.type(log1p(mu))) / x.dtype.type(mu), x)[()]


def instance_scale(x: ArrayLike, axis: Axes = -1, epsilon: float = 1e-8, return_maxes: bool = False) -> Any:
    """Scale each instance to a peak of one: x / (max(abs(x)) + epsilon).

    Args:
        x (ArrayLike): instances, for example frames.
        axis (int | tuple[int, ...] | None): the axes of one instance; None: all.
        epsilon (float): added to each peak, > 0, so that silence stays zero.
        return_maxes (bool): also return the peaks.

    Shape:
        [..., samples] -> [..., samples]; peaks [..., 1]

    Returns:
        np.ndarray | tuple: the scaled instances; with ``return_maxes`` (peaks, scaled), so that
        ``scaled * (peaks + epsilon)`` gives the instances back.

    Raises:
        DeclarationError: an epsilon not above 0, or complex numbers.
        DimensionError: an axis that the array does not have.

    Examples:
        >>> instance_scale(np.array([[1.0, -2.0], [0.0, 0.0]])).round(6)
        array([[ 0.5, -1. ],
               [ 0. ,  0. ]])
    """
    _check_positive("epsilon", epsilon)
    x = _real(x)
    peaks = np.fmax.reduce(np.abs(x), axis=_checked(axis, x), keepdims=True, initial=0)
    # where the smallest numbers of the dtype are larger than epsilon, it must not vanish
    scaled = x / (peaks + x.dtype.type(max(epsilon, float(np.finfo(x.dtype).tiny))))
    return (peaks, scaled) if return_maxes else scaled


def unit_scale(x: ArrayLike, axis: Axes = None) -> Any:
    """Scale numbers to 0..1: the smallest becomes 0 and the largest 1.

    Args:
        x (ArrayLike): real numbers; where all are the same, they become 0.
        axis (int | tuple[int, ...] | None): the axes that share one scale; None: all.

    Shape:
        [...] -> [...]

    Raises:
        DeclarationError: complex numbers.
        DimensionError: an axis that the array does not have.

    Examples:
        >>> unit_scale([-1, 0, 3])
        array([0.  , 0.25, 1.  ])
        >>> unit_scale([5.0, 5.0])
        array([0., 0.])
    """
    x = _real(x)
    axis = _checked(axis, x)
    if not x.size:
        return x.copy()
    risen = x - np.fmin.reduce(x, axis=axis, keepdims=True)
    peaks = np.fmax.reduce(risen, axis=axis, keepdims=True)
    return (risen / np.where(peaks > 0, peaks, peaks.dtype.type(1)))[()]


def inverse_one_hot(x: ArrayLike, axis: int = -1) -> Any:
    """Turn classes back to amplitudes: the place of the largest of n numbers, on a scale from -1 to just below 1.

    Args:
        x (ArrayLike): one-hot vectors, or the probability of each class.
        axis (int): the axis of classes.

    Shape:
        [..., classes] -> [...]

    Returns:
        np.ndarray: amplitudes 2 (k / n - 1/2) for class k; float32 for float32.

    Raises:
        DeclarationError: complex numbers.
        DimensionError: an axis that the array does not have, or that has no classes.

    Examples:
        >>> inverse_one_hot(np.eye(4))
        array([-1. , -0.5,  0. ,  0.5])
    """
    x = _real(x)
    _checked(axis, x)
    if x.ndim == 0 or x.shape[axis] == 0:
        raise DimensionError(f"an array of shape {x.shape} has no classes along axis {axis}; needed: at least one")
    places = np.argmax(x, axis=axis).astype(x.dtype)
    return (2 * (places / x.dtype.type(x.shape[axis])) - 1)[()]


def _real(x: ArrayLike) -> np.ndarray:
    """Return real numbers in floating point."""
    array = np.asarray(x)
    check_real(array, "amplitudes", "take np.abs(x), or real and imaginary part apart")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _check_positive(name: str, value: float) -> None:
    if not (value > 0 and np.isfinite(value)):
        raise DeclarationError(f"{name}={value!r}; allowed: a number above 0")


def _checked(axis: Axes, x: np.ndarray) -> Axes:
    for one in () if axis is None else (axis,) if isinstance(axis, (int, np.integer)) else axis:
        if not -x.ndim <= one < x.ndim and x.ndim:
            raise DimensionError(f"axis={axis} of an array of shape {x.shape}, which has {x.ndim} axes")
    return axis if x.ndim else None
