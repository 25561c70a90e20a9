"""Levels in decibels.

Goal: power and amplitude to dB and back, by librosa's conventions.

Conventions: arrays of any shape; float32 stays float32. A level is relative to ``ref``, which is 0 dB; what lies below
``amin`` counts as ``amin``, so silence is finite; nothing lies further than ``top_db`` below the loudest value of the
whole array.

Functions: ``power_to_db``, ``amplitude_to_db``, ``db_to_power``, ``db_to_amplitude``, ``perceptual_weighting``.
"""

from collections.abc import Callable
from math import log
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from zounds_lite.dsp._checks import check_real
from zounds_lite.dsp.curves import a_weighting_db
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["amplitude_to_db", "db_to_amplitude", "db_to_power", "perceptual_weighting", "power_to_db"]

_BLOCK = 1 << 15

Reference = float | Callable[[np.ndarray], Any]


def power_to_db(power: ArrayLike, ref: Reference = 1.0, amin: float = 1e-10, top_db: float | None = 80.0) -> Any:
    """Convert power to dB, 10 log10(power / ref).

    Args:
        power (ArrayLike): power, >= 0; real.
        ref (float | Callable): the power at 0 dB, or a function of the array that gives it, such as ``np.max``.
        amin (float): smallest power, > 0, of the signal and of ``ref``.
        top_db (float | None): range below the loudest value, >= 0, in dB. None: no limit.

    Shape:
        [...] -> [...]

    Raises:
        DeclarationError: amin not above 0, top_db below 0, or complex values.

    Examples:
        >>> power_to_db([1.0, 0.1, 0.0], top_db=None)
        array([   0.,  -10., -100.])
        >>> power_to_db([100.0, 0.0], ref=np.max)
        array([  0., -80.])

    See Also:
        db_to_power (the inverse), amplitude_to_db.

    Sources:
        librosa 0.11, ``power_to_db``.
    """
    x = np.asarray(power)
    check_real(x, "power", "take np.abs(x) ** 2 first")
    return _to_db(x, ref, amin, top_db, 10.0)


def amplitude_to_db(amplitude: ArrayLike, ref: Reference = 1.0, amin: float = 1e-5, top_db: float | None = 80.0) -> Any:
    """Convert amplitude to dB, 20 log10(abs(amplitude) / ref).

    Args:
        amplitude (ArrayLike): amplitude; of negative and complex values the magnitude counts.
        ref (float | Callable): the amplitude at 0 dB, or a function of the magnitudes that gives it (``np.max``).
        amin (float): smallest amplitude, > 0, of the signal and of ``ref``.
        top_db (float | None): range below the loudest value, >= 0, in dB. None: no limit.

    Shape:
        [...] -> [...]

    Raises:
        DeclarationError: amin not above 0, or top_db below 0.

    Examples:
        >>> amplitude_to_db([1.0, -0.1, 0.0], top_db=None)
        array([   0.,  -20., -100.])

    See Also:
        db_to_amplitude (the inverse), power_to_db.

    Sources:
        librosa 0.11, ``amplitude_to_db``.
    """
    x = np.asarray(amplitude)
    if x.dtype.kind in "iub":
        x = x.astype(np.float64)  # the magnitude of the lowest integer is none
    return _to_db(np.abs(x), ref, amin, top_db, 20.0)


def db_to_power(db: ArrayLike, ref: float = 1.0) -> Any:
    """Convert dB to power, ref * 10^(db / 10).

    Args:
        db (ArrayLike): levels in dB.
        ref (float): the power at 0 dB.

    Examples:
        >>> db_to_power([0.0, -10.0])
        array([1. , 0.1])
    """
    return ref * np.power(10.0, 0.1 * np.asarray(db)[()])


def db_to_amplitude(db: ArrayLike, ref: float = 1.0) -> Any:
    """Convert dB to amplitude, ref * 10^(db / 20).

    Args:
        db (ArrayLike): levels in dB.
        ref (float): the amplitude at 0 dB.

    Examples:
        >>> db_to_amplitude([0.0, -20.0])
        array([1. , 0.1])
    """
    return ref * np.power(10.0, 0.05 * np.asarray(db)[()])


def perceptual_weighting(
    power: ArrayLike, hz: ArrayLike, ref: Reference = 1.0, amin: float = 1e-10, top_db: float | None = 80.0
) -> Any:
    """Convert a power spectrum to dB and add the A-weighting of each band's frequency.

    Use the frequencies that bands are centred on (``scale.center_frequencies``). ``ref`` and ``top_db`` see the power
    before it is weighted, so that the weighted level may lie further than ``top_db`` below the loudest.

    Args:
        power (ArrayLike): power, >= 0; real; bands are the last axis.
        hz (ArrayLike): the frequency of each band in Hz, >= 0.
        ref (float | Callable): the power at 0 dB, or a function of the array that gives it, such as ``np.max``.
        amin (float): smallest power, > 0, of the signal and of ``ref``.
        top_db (float | None): range below the loudest value, >= 0, in dB. None: no limit.

    Shape:
        [..., bands], [bands] -> [..., bands]

    Raises:
        DimensionError: ``hz`` has not one frequency for each band.
        DeclarationError: frequencies that are negative or not finite, amin not above 0, top_db below 0, or complex
            values.

    Examples:
        >>> perceptual_weighting([[1.0, 1.0], [0.0, 0.1]], [100.0, 1000.0]).round(2)
        array([[-19.14,   0.  ],
               [-99.14, -10.  ]])

    See Also:
        power_to_db, a_weighting_db.

    Sources:
        librosa 0.11, ``perceptual_weighting``, whose arrays have the bands first.
    """
    db = np.asarray(power_to_db(power, ref, amin, top_db))
    centres = np.asarray(hz, dtype=np.float64)
    if not db.ndim or centres.shape != db.shape[-1:]:
        raise DimensionError(
            f"hz of shape {list(centres.shape)} for power of shape {list(db.shape)}; needed: one frequency for each "
            "band, and bands as the last axis"
        )
    if not (np.isfinite(centres) & (centres >= 0)).all():
        raise DeclarationError("hz has a frequency that is negative or not finite; allowed: 0 Hz and above")
    db += np.asarray(a_weighting_db(centres), dtype=db.dtype)
    return db


def _to_db(x: np.ndarray, ref: Reference, amin: float, top_db: float | None, factor: float) -> Any:
    if not amin > 0:
        raise DeclarationError(f"amin={amin}: the smallest value must be above 0")
    if top_db is not None and not top_db >= 0:
        raise DeclarationError(f"top_db={top_db}: a range in dB is 0 or more, or None")
    zero = max(amin, abs(float(ref(x) if callable(ref) else ref)))
    if x.dtype not in (np.float32, np.float64):
        x = x.astype(np.float32 if x.dtype == np.float16 else np.float64)
    smallest = max(amin, float(np.finfo(x.dtype).tiny))
    db = np.empty(x.shape, x.dtype)
    source, target = x.reshape(-1), db.reshape(-1)
    offset = factor / log(10.0) * log(zero)
    # all steps on one block while it is in the cache; the natural logarithm is vectorised on more machines than log10
    for start in range(0, len(target), _BLOCK):
        part = target[start : start + _BLOCK]
        np.maximum(source[start : start + _BLOCK], x.dtype.type(smallest), out=part)
        np.log(part, out=part)
        part *= factor / log(10.0)
        if offset:
            part -= offset
    if top_db is not None and db.size:
        # NaN is not the loudest: it stays where it is
        loudest = np.fmax.reduce(db, axis=None)
        np.maximum(db, loudest - db.dtype.type(top_db), out=db)
    return db[()]
