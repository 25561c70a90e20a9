"""Descriptors: one number that says something of a spectrum, or of a stretch of sound.

Goal: brightness, width, tonality and loudness of each frame, by the definitions that librosa shares.

Conventions: plain arrays, the axis that is reduced is the last one by default; of complex spectra the magnitude counts.
Work is done in float64 and the result has the precision of the input, so float32 stays float32; integers give float64.
A frame's number does not depend on the frames beside it, to the last bit. Silence has a defined value, and NaN in a
frame gives NaN for that frame alone.

Functions: ``centroid``, ``spread``, ``rolloff``, ``flatness`` of spectra; ``zero_crossing_rate``, ``rms`` of samples.
"""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from zounds_lite.dsp._checks import check_real
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["centroid", "flatness", "rms", "rolloff", "spread", "zero_crossing_rate"]

_BLOCK = 64
"""Frames that are worked on at once: their float64 copies stay in the cache."""

_FLOOR_DB = -100.0


def centroid(spectra: ArrayLike, hz: ArrayLike) -> Any:
    """Return the mean frequency of spectra, weighted by magnitude: sum(f |X|) / sum(|X|).

    Args:
        spectra (ArrayLike): magnitudes, or complex.
        hz (ArrayLike): frequency of each bin in Hz.

    Shape:
        [..., bins], [bins] -> [...]

    Returns:
        np.ndarray: in Hz; 0 for silence.

    Raises:
        DimensionError: no axis of bins, or not one frequency per bin.

    Examples:
        >>> centroid([[1.0, 1.0, 0.0], [0.0, 0.0, 2.0], [0.0, 0.0, 0.0]], [100.0, 200.0, 300.0])
        array([150., 300.,   0.])

    Sources:
        G. Peeters, "A large set of audio features for sound description" (2004), IRCAM, section 6.1.1.
    """
    x, f = _with_frequencies(spectra, hz)
    return _per_frame(x, -1, lambda block: _centroid(np.abs(block), f))


def spread(spectra: ArrayLike, hz: ArrayLike) -> Any:
    """Return how far spectra reach around their centroid: sqrt(sum((f - centroid)^2 |X|) / sum(|X|)).

    Args:
        spectra (ArrayLike): magnitudes, or complex.
        hz (ArrayLike): frequency of each bin in Hz.

    Shape:
        [..., bins], [bins] -> [...]

    Returns:
        np.ndarray: in Hz; 0 for silence.

    Raises:
        DimensionError: no axis of bins, or not one frequency per bin.

    Examples:
        >>> spread([[1.0, 0.0, 1.0], [0.0, 5.0, 0.0]], [100.0, 200.0, 300.0])
        array([100.,   0.])

    Sources:
        G. Peeters, "A large set of audio features for sound description" (2004), IRCAM, section 6.1.2; librosa 0.11,
        ``spectral_bandwidth`` with p=2.
    """
    x, f = _with_frequencies(spectra, hz)

    def spread_of(block: np.ndarray) -> np.ndarray:
        weights = np.abs(block)
        distance = f - _centroid(weights, f)[:, None]
        return np.sqrt(_ratio((distance**2 * weights).sum(axis=-1), weights.sum(axis=-1)))

    return _per_frame(x, -1, spread_of)


def rolloff(spectra: ArrayLike, hz: ArrayLike, roll_percent: float = 0.85) -> Any:
    """Return the frequency below which a part of all magnitude lies: the first bin where their running sum reaches it.

    Args:
        spectra (ArrayLike): magnitudes, or complex.
        hz (ArrayLike): frequency of each bin in Hz, rising.
        roll_percent (float): the part, between 0 and 1; a fraction, despite its name.

    Shape:
        [..., bins], [bins] -> [...]

    Returns:
        np.ndarray: in Hz; 0 for silence.

    Raises:
        DimensionError: no axis of bins, or not one frequency per bin.
        DeclarationError: a part that is not between 0 and 1.

    Examples:
        >>> rolloff([[1.0, 1.0, 1.0, 1.0], [4.0, 0.0, 0.0, 1.0]], [100.0, 200.0, 300.0, 400.0], roll_percent=0.75)
        array([300., 100.])

    Sources:
        G. Peeters, "A large set of audio features for sound description" (2004), IRCAM, section 6.1.6; of magnitudes,
        as in librosa 0.11, ``spectral_rolloff``.
    """
    if not 0 < roll_percent < 1:
        raise DeclarationError(f"roll_percent={roll_percent!r}; allowed: between 0 and 1, such as 0.85")
    x, f = _with_frequencies(spectra, hz)

    def rolloff_of(block: np.ndarray) -> np.ndarray:
        if not block.shape[-1]:
            return np.zeros(len(block))
        running = np.cumsum(np.abs(block), axis=-1)
        total = running[:, -1]
        found = f[(running < roll_percent * total[:, None]).sum(axis=-1)]
        # a sum that is not a number is below nothing
        return np.where(np.isnan(total), np.nan, np.where(total > 0, found, 0.0))

    return _per_frame(x, -1, rolloff_of)


def flatness(spectra: ArrayLike, power: float = 1.0, amin: float = 0.0, db: bool = False) -> Any:
    """Return how noise-like spectra are: geometric over arithmetic mean, 1 for a flat spectrum, near 0 for a tone.

    Args:
        spectra (ArrayLike): magnitudes, or complex.
        power (float): exponent of the magnitudes before they are averaged, > 0: 1 for magnitude, 2 for power.
        amin (float): raised magnitudes below it count as ``amin``, >= 0. With 0 one empty bin makes a frame's flatness
            0, and silence is 0; above it, silence is 1.
        db (bool): True gives decibels, 20 / power * log10, never below -100 dB.

    Shape:
        [..., bins] -> [...]

    Raises:
        DimensionError: no axis of bins.
        DeclarationError: power not above 0, or amin below it.

    Examples:
        >>> flatness([[1.0, 1.0, 1.0, 1.0], [16.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]]).round(4)
        array([1.    , 0.4211, 0.    ])
        >>> flatness([[16.0, 1.0, 1.0, 1.0]], power=2.0, amin=1e-10, db=True).round(2)
        array([-12.09])

    Sources:
        J. Johnston, "Transform coding of audio signals using perceptual noise criteria", IEEE J. Sel. Areas Commun. 6
        (1988), eq. 9; librosa 0.11, ``spectral_flatness``, is power=2 and amin=1e-10.
    """
    if not power > 0 or not amin >= 0:
        raise DeclarationError(f"power={power!r}, amin={amin!r}; allowed: above 0, and 0 or more")
    x = _with_axis(spectra, -1)

    def flatness_of(block: np.ndarray) -> np.ndarray:
        if not block.shape[-1]:
            ratio = np.zeros(len(block))
        else:
            raised = np.maximum(amin, np.abs(block) ** power)
            ratio = np.minimum(1.0, _ratio(np.exp(np.log(raised).mean(axis=-1)), raised.mean(axis=-1)))
        return np.maximum(_FLOOR_DB, 20.0 / power * np.log10(ratio)) if db else ratio

    return _per_frame(x, -1, flatness_of)


def zero_crossing_rate(x: ArrayLike, axis: int = -1, threshold: float = 1e-10) -> Any:
    """Return how often the sign of samples changes, as a part of their number.

    Zero counts as positive, and the first sample as no change.

    Args:
        x (ArrayLike): frames of real samples.
        axis (int): the axis of samples.
        threshold (float): samples as far as this from zero count as zero, >= 0.

    Shape:
        [..., time] -> [...]

    Raises:
        DimensionError: no such axis.
        DeclarationError: complex samples, or a negative threshold.

    Examples:
        >>> zero_crossing_rate([[1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0], [0.0, 0.0, 0.0, 0.0]])
        array([0.75, 0.25, 0.  ])

    Sources:
        librosa 0.11, ``zero_crossing_rate``, for frames that are not padded.
    """
    if not threshold >= 0:
        raise DeclarationError(f"threshold={threshold!r}; allowed: 0 or more")
    samples = _with_axis(x, axis)
    check_real(samples, "samples", "take their real part first")

    def rate_of(block: np.ndarray) -> np.ndarray:
        changes = np.diff(block < -threshold, axis=-1).sum(axis=-1)
        return np.where(np.isnan(block).any(axis=-1), np.nan, changes / max(1, block.shape[-1]))

    return _per_frame(samples, axis, rate_of)


def rms(x: ArrayLike, axis: int = -1) -> Any:
    """Return the root of the mean square of samples.

    Args:
        x (ArrayLike): frames of real samples.
        axis (int): the axis of samples.

    Shape:
        [..., time] -> [...]

    Raises:
        DimensionError: no such axis.
        DeclarationError: complex samples.

    Examples:
        >>> rms([[3.0, -3.0], [0.0, 0.0]])
        array([3., 0.])

    Sources:
        librosa 0.11, ``rms``, of frames of samples.
    """
    samples = _with_axis(x, axis)
    check_real(samples, "samples", "take their real part first")
    return _per_frame(samples, axis, lambda block: np.sqrt((block**2).sum(axis=-1) / max(1, block.shape[-1])))


def _centroid(weights: np.ndarray, hz: np.ndarray) -> np.ndarray:
    return _ratio((weights * hz).sum(axis=-1), weights.sum(axis=-1))


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide, and let nothing of nothing be zero."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator != 0)


def _with_axis(x: ArrayLike, axis: int) -> np.ndarray:
    x = np.asarray(x)
    if not -x.ndim <= axis < x.ndim:
        raise DimensionError(f"axis={axis} of an array of shape {x.shape}, which has {x.ndim} axes")
    return x


def _with_frequencies(spectra: ArrayLike, hz: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, f = _with_axis(spectra, -1), np.asarray(hz, dtype=np.float64)
    if f.shape != x.shape[-1:]:
        raise DimensionError(f"frequencies of shape {f.shape} for {x.shape[-1]} bins; give one per bin")
    return x, f


def _per_frame(x: np.ndarray, axis: int, reduce: Callable[[np.ndarray], np.ndarray]) -> Any:
    """Reduce one axis, block by block: ``reduce`` gets rows of float64, of complex spectra the magnitudes."""
    frames = np.moveaxis(x, axis, -1)
    frames = frames if frames.ndim > 1 else frames[None]
    out = np.empty(frames.shape[:-1], np.float32 if x.dtype in (np.float16, np.float32, np.complex64) else np.float64)
    # what is not a number, or overflows, shows in the result
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        for start in range(0, len(frames), _BLOCK):
            block = frames[start : start + _BLOCK]
            real = np.abs(block) if block.dtype.kind == "c" else block
            rows = np.ascontiguousarray(real, dtype=np.float64).reshape(prod(block.shape[:-1]), block.shape[-1])
            out[start : start + _BLOCK] = reduce(rows).reshape(block.shape[:-1])
    return out if x.ndim > 1 else out[0]
