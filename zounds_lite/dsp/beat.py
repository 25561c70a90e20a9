"""Tempo: how many beats a minute an onset detection function has.

Goal: a tempo that is more exact than the frames it is counted in. Conventions: the detection function is one real value
a frame; tempo is in beats per minute. Function: ``tempo``.

The method. A beat of period T shows as peaks of the autocorrelation at T, 2 T, 3 T, ... and of the spectrum at 1 / T,
2 / T, 3 / T, ...; only T itself is in both rows, so their product tells a beat from its half and its double (Peeters).
Candidates are the peaks of the spectrum, which are as exact at any number of frames a second; equally strong ones are
told apart by a prior around 120 beats. The multiples of the best one are then looked up in an autocorrelation that is
interpolated between the frames: the further away, the more exact.
"""

from typing import Any

import numpy as np

from zounds_lite.dsp._checks import check_real
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["tempo"]

_FINE = 16
"""Places between two frames at which the autocorrelation is read."""

_OVERLAP = 0.25
"""The least part of the signal that must overlap with its shifted self, for a lag to be believed."""

_MULTIPLES = 64
"""Beats over which a period is refined at most: longer stretches say more of how the tempo changes."""

_LEAST = 0.25
"""A multiple of the period counts if the autocorrelation there is at least this part of that at the period."""


def tempo(
    detection: np.ndarray,
    frames_per_s: float,
    start_bpm: float = 120.0,
    std_octaves: float = 1.0,
    min_bpm: float = 30.0,
    max_bpm: float = 320.0,
) -> float:
    """Estimate the tempo of an onset detection function.

    Args:
        detection (np.ndarray): one real value a frame, at least two beats of it.
        frames_per_s (float): frames per second, > 0.
        start_bpm (float): centre of the prior, in beats per minute.
        std_octaves (float): width of the prior, a normal distribution of log2 of the tempo, in octaves, > 0.
        min_bpm, max_bpm (float): bounds of the result, in beats per minute.

    Shape:
        [frames] -> scalar

    Returns:
        float: beats per minute; 0 where there is no beat, as in silence or less than two beats.

    Raises:
        DimensionError: not one axis.
        DeclarationError: complex values, or an argument out of its range.

    Examples:
        >>> beats = np.zeros(500)
        >>> beats[np.round(np.arange(0, 500, 21.53)).astype(int)] = 1  # 120 a minute, at 43.06 frames per second
        >>> round(tempo(beats, 43.06), 1)
        120.0

    Sources:
        G. Peeters, "Template-based estimation of time-varying tempo", EURASIP J. Advances in Signal Processing (2007),
        the section on combining spectrum and autocorrelation; D. Ellis, "Beat tracking by dynamic programming",
        J. New Music Research 36 (2007), the section on tempo (the prior).
    """
    detection = np.asarray(detection)
    if detection.ndim != 1:
        raise DimensionError(f"a detection function of shape {detection.shape}; needed: one value a frame")
    check_real(detection, "a detection function", "take magnitudes")
    if not (frames_per_s > 0 and std_octaves > 0 and start_bpm > 0 and 0 < min_bpm < max_bpm):
        raise DeclarationError(
            f"frames_per_s={frames_per_s!r}, std_octaves={std_octaves!r}, start_bpm={start_bpm!r}, "
            f"min_bpm={min_bpm!r}, max_bpm={max_bpm!r}; allowed: above 0, and min_bpm below max_bpm"
        )
    x = _centred(detection)
    first, last = 60 * frames_per_s / max_bpm, 60 * frames_per_s / min_bpm
    longest = int(min(len(x) * (1 - _OVERLAP), last * _MULTIPLES))
    if longest < max(first, 2) or not x.any():
        return 0.0
    correlation, magnitude = _correlation_and_spectrum(x, longest)
    # n / k is the period of bin k, whose peaks are as exact at any number of frames a second
    n = 2 * (len(magnitude) - 1)
    peaks = np.flatnonzero(_is_peak(magnitude))
    lags = n / (peaks + _vertex(magnitude[peaks - 1], magnitude[peaks], magnitude[peaks + 1]))
    inside = (lags >= first) & (lags <= min(last, longest))
    lags, peaks = lags[inside], peaks[inside]
    strength = magnitude[peaks] * np.maximum(correlation[np.round(lags * _FINE).astype(int)], 0)
    if not strength.any():
        return 0.0
    octaves = np.log2(60 * frames_per_s / lags / start_bpm) / std_octaves
    best = lags[np.argmax(strength * np.exp(-0.5 * octaves**2))]
    bpm = 60 * frames_per_s / _refined(best, correlation, longest)
    return float(min(max(bpm, min_bpm), max_bpm))


def _centred(detection: np.ndarray) -> np.ndarray:
    """Return the detection function as float64, about its mean; what is not finite is left out of both."""
    x = detection.astype(np.float64)
    known = np.isfinite(x)
    if not known.any():
        return np.zeros_like(x)
    x = np.where(known, x - x[known].mean(), 0.0)
    largest = np.abs(x).max()
    # rounding alone makes no beat
    return x / largest if largest > 1e-9 * np.abs(detection[known]).max() else np.zeros_like(x)


def _correlation_and_spectrum(x: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the autocorrelation up to a lag, at steps of 1 / ``_FINE`` frames, and the magnitude of the spectrum."""
    n = 1 << (4 * len(x) - 1).bit_length()
    magnitude = np.abs(np.fft.rfft(x, n))
    correlation = np.fft.irfft(magnitude**2, n)[: longest + 1] / (len(x) - np.arange(longest + 1))
    # mirrored it repeats without a step, so zeros above the highest frequency interpolate between the lags
    mirrored = np.concatenate([correlation, correlation[-2:0:-1]])
    fine = np.fft.irfft(np.fft.rfft(mirrored), len(mirrored) * _FINE) * _FINE
    return fine[: longest * _FINE + 1], magnitude


def _is_peak(x: np.ndarray) -> np.ndarray:
    return np.r_[False, (x[:-2] < x[1:-1]) & (x[1:-1] >= x[2:]), False]


def _refined(lag: float, correlation: np.ndarray, longest: int) -> float:
    """Return the period near ``lag`` that fits its multiples best, by least squares through the origin."""
    least = _LEAST * correlation[round(lag * _FINE)]
    # the peak of the spectrum is off by a tenth of its width at most, which a lag of the whole length makes a tenth
    reach = round(min(max(0.6, 0.1 * lag), 0.25 * lag) * _FINE)
    top = bottom = 0.0
    for m in range(1, min(_MULTIPLES, int(longest / lag)) + 1):
        centre = round(m * lag * _FINE)
        near = correlation[centre - reach : centre + reach + 1]
        i = int(np.argmax(near))
        if 0 < i < len(near) - 1 and near[i] >= least and near[i] > near[i - 1]:
            position = (centre - reach + i + _vertex(*near[i - 1 : i + 2])) / _FINE
            top, bottom = top + m * position, bottom + m * m
    return top / bottom if bottom else lag


def _vertex(left: Any, middle: Any, right: Any) -> Any:
    """Return where the parabola through three values around a peak has its top, counted from the middle one."""
    return 0.5 * (left - right) / (left - 2 * middle + right)
