"""Amplitudes on other scales, units kept.

Goal: the curves of ``dsp.companding`` and ``dsp.level`` on arrays that know their units. Conventions: what comes in
with units goes out with units, in its own class, so ``AudioSamples`` stay ``AudioSamples``; anything else becomes a
plain array. float32 stays float32, integers become float64. Functions: ``log_modulus``, ``inverse_log_modulus``,
``decibel``, ``mu_law``, ``inverse_mu_law``, ``instance_scale``, ``unit_scale``, ``inverse_one_hot``.
"""

from typing import Any

import numpy as np

from zounds_lite.core.ufuncs import reduced
from zounds_lite.core.units import dimensions_of, has_units, wrap
from zounds_lite.dsp import companding, level
from zounds_lite.errors import DeclarationError

__all__ = [
    "decibel",
    "instance_scale",
    "inverse_log_modulus",
    "inverse_mu_law",
    "inverse_one_hot",
    "log_modulus",
    "mu_law",
    "unit_scale",
]


def log_modulus(x: Any, factor: float = 1.0) -> Any:
    """Compress numbers of any size and sign: sign(x) ln(1 + factor abs(x)).

    Args:
        x (ArrayLike): real numbers.
        factor (float): multiplies the numbers first, > 0; the larger, the more quiet detail is raised.

    Shape:
        [...] -> [...]

    Raises:
        DeclarationError: a factor not above 0, or complex numbers.

    Examples:
        >>> log_modulus([-1.0, 0.0, 1.0])
        array([-0.69314718,  0.        ,  0.69314718])

    See Also:
        inverse_log_modulus: the inverse. LogModulus: the node.
    """
    return _with_units(x, companding.log_modulus(_plain(x), factor))


def inverse_log_modulus(x: Any, factor: float = 1.0) -> Any:
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
    return _with_units(x, companding.inverse_log_modulus(_plain(x), factor))


def decibel(x: Any, ref: level.Reference = 1.0, floor_db: float = -200.0, top_db: float | None = None) -> Any:
    """Return the level of amplitudes: 20 log10(abs(x) / ref).

    Args:
        x (ArrayLike): amplitudes; of negative and complex numbers the magnitude counts.
        ref (float | Callable): the amplitude at 0 dB, > 0, or a function of the magnitudes that gives it (``np.max``).
        floor_db (float): the lowest level, in dB; silence has it.
        top_db (float | None): range below the loudest number of the whole array, >= 0, in dB. None: no limit.

    Shape:
        [...] -> [...]

    Raises:
        DeclarationError: a reference not above 0, a floor that is no number, or top_db below 0.

    Examples:
        >>> decibel([1.0, -0.1, 0.0])
        array([   0.,  -20., -200.])
        >>> decibel([10.0, 1.0, 0.0], ref=np.max, top_db=80)
        array([  0., -20., -80.])

    See Also:
        Decibel: the node. dsp.power_to_db: levels of power.
    """
    if not np.isfinite(floor_db):
        raise DeclarationError(f"floor_db={floor_db!r}; allowed: a number of dB, such as -200")
    plain = _plain(x)
    if callable(ref):
        ref = float(ref(np.abs(plain))) if np.size(plain) else 1.0
        # silence and NaN say nothing about what is loud
        ref = ref if ref > 0 and np.isfinite(ref) else 1.0
    if not ref > 0:
        raise DeclarationError(f"ref={ref!r}; allowed: an amplitude above 0, such as 1 for full scale")
    amin = ref * 10.0 ** (floor_db / 20)
    return _with_units(x, level.amplitude_to_db(plain, ref, amin, top_db))


def mu_law(x: Any, mu: float = 255) -> Any:
    """Compress amplitudes by the continuous mu-law: sign(x) ln(1 + mu abs(x)) / ln(1 + mu).

    Args:
        x (ArrayLike): amplitudes; -1..1 fills -1..1, and numbers beyond follow the same curve.
        mu (float): how strong quiet sounds are raised, > 0.

    Shape:
        [...] -> [...]

    Raises:
        DeclarationError: mu not above 0, or complex numbers.

    Examples:
        >>> mu_law([-1.0, 0.0, 0.5]).round(6)
        array([-1.      ,  0.      ,  0.875703])

    See Also:
        inverse_mu_law: the inverse. MuLaw: the node.

    Sources:
        B. Smith, "Instantaneous companding of quantized signals", Bell System Technical Journal 36 (1957), eq. 1.
    """
    return _with_units(x, companding.mu_law(_plain(x), mu))


def inverse_mu_law(x: Any, mu: float = 255) -> Any:
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
    """
    return _with_units(x, companding.inverse_mu_law(_plain(x), mu))


def instance_scale(x: Any, axis: companding.Axes = -1, epsilon: float = 1e-8, return_maxes: bool = False) -> Any:
    """Scale each instance to a peak of one: x / (max(abs(x)) + epsilon).

    Args:
        x (ArrayLike): instances, for example frames.
        axis (int | tuple[int, ...] | None): the axes of one instance; None: all.
        epsilon (float): added to each peak, > 0, so that silence stays zero.
        return_maxes (bool): also return the peaks.

    Shape:
        [..., samples] -> [..., samples]; peaks [..., 1]

    Returns:
        ArrayWithUnits | np.ndarray | tuple: the scaled instances; with ``return_maxes`` (peaks, scaled), so that
        ``scaled * (peaks + epsilon)`` gives the instances back.

    Raises:
        DeclarationError: an epsilon not above 0, or complex numbers.
        DimensionError: an axis that the array does not have.

    Examples:
        >>> instance_scale(np.array([[1.0, -2.0], [0.0, 0.0]])).round(6)
        array([[ 0.5, -1. ],
               [ 0. ,  0. ]])
    """
    peaks, scaled = companding.instance_scale(_plain(x), axis, epsilon, return_maxes=True)
    scaled = _with_units(x, scaled)
    if not return_maxes:
        return scaled
    return (wrap(x, peaks, reduced(x.dimensions, axis, x.ndim)) if has_units(x) else peaks), scaled


def unit_scale(x: Any, axis: companding.Axes = None) -> Any:
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
    """
    return _with_units(x, companding.unit_scale(_plain(x), axis))


def inverse_one_hot(x: Any, axis: int = -1) -> Any:
    """Turn classes back to amplitudes: the place of the largest of n numbers, on a scale from -1 to just below 1.

    Args:
        x (ArrayLike): one-hot vectors, or the probability of each class.
        axis (int): the axis of classes.

    Shape:
        [..., classes] -> [...]

    Raises:
        DeclarationError: complex numbers.
        DimensionError: an axis that the array does not have, or that has no classes.

    Examples:
        >>> inverse_one_hot(np.eye(4))
        array([-1. , -0.5,  0. ,  0.5])
    """
    result = companding.inverse_one_hot(_plain(x), axis)
    return wrap(x, result, reduced(x.dimensions, axis, result.ndim)) if has_units(x) else result


def _plain(x: Any) -> np.ndarray:
    return np.asarray(x)


def _with_units(x: Any, result: Any) -> Any:
    """Give a result of the shape of ``x`` the units of ``x``, where it has any."""
    return wrap(x, result, dimensions_of(x)) if has_units(x) else result
