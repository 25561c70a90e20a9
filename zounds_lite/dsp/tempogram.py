"""Tempo after Ellis: the lag at which the strength of onsets is most like itself, near a usual tempo.

Goal: the tempo that librosa finds, for those who compare with it, and what it is found from. Conventions: time comes
first; one value a frame; lag k is k frames. ``beat.tempo`` is another method, which needs no usual tempo and is exact
where a beat is steady. Functions: ``onset_strength``, ``tempogram``, ``tempogram_tempo``.

The method. What levels of mel bands rise from frame to frame is their strength of onsets. Its autocorrelation in
windows of some seconds, each brought to a largest value of 1, is the tempogram; its mean over all frames, on a
logarithmic scale, is weighted by how usual the tempo of each lag is. The best lag is refined by a parabola through its
neighbours, since whole frames are steps of some per cent.
"""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from zounds_lite.dsp._checks import check_real
from zounds_lite.dsp.windows import hann
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["onset_strength", "tempogram", "tempogram_tempo"]

_STEEPNESS = 1e6
"""The mean autocorrelation counts as log(1 + this times it)."""

_BLOCK = 1024
"""Frames whose windows are transformed at once."""


def onset_strength(levels_db: ArrayLike) -> np.ndarray:
    """Return how much the levels of bands rise from one frame to the next, on average.

    Args:
        levels_db (ArrayLike): levels in dB, such as ``power_to_db`` of mel bands; real.

    Shape:
        [frames, bands] -> [frames]; the first is 0

    Raises:
        DimensionError: not frames of bands.
        DeclarationError: complex values.

    Examples:
        >>> onset_strength([[0.0, 0.0], [4.0, -9.0], [4.0, 1.0]])
        array([0., 2., 5.])

    See Also:
        spectral_flux: the same of magnitudes.

    Sources:
        D. Ellis, "Beat tracking by dynamic programming", J. New Music Research 36 (2007), section 3.1; librosa 0.11,
        ``onset_strength``, which puts half a window of zeros before it.
    """
    levels = np.asarray(levels_db)
    check_real(levels, "levels", "take decibels of their power")
    if levels.ndim != 2 or not levels.shape[1]:
        raise DimensionError(f"levels of shape {levels.shape}; needed: frames of bands, [frames, bands]")
    strength = np.zeros(len(levels), levels.dtype if levels.dtype.kind == "f" else np.float64)
    strength[1:] = np.maximum(np.diff(levels.astype(strength.dtype, copy=False), axis=0), 0).mean(axis=1)
    return strength


def tempogram(detection: ArrayLike, size: int) -> np.ndarray:
    """Return the autocorrelation of an onset detection function around each frame.

    Args:
        detection (ArrayLike): one real value a frame, such as ``onset_strength``.
        size (int): frames of a window, and lags, >= 1: as many as 8 seconds have, usually.

    Shape:
        [frames] -> [frames, size]

    Returns:
        np.ndarray: float64; the largest value of each frame is 1, all are 0 where nothing begins.

    Raises:
        DimensionError: not one axis.
        DeclarationError: complex values, or a size below 1.

    Examples:
        >>> beats = np.tile([1.0, 0.0, 0.0, 0.0], 16)
        >>> tempogram(beats, 16)[32].round(2)[:9]
        array([1.  , 0.  , 0.  , 0.  , 0.67, 0.  , 0.  , 0.  , 0.17])

    Sources:
        P. Grosche, M. Müller, F. Kurth, "Cyclic tempogram - a mid-level tempo representation for music signals", ICASSP
        (2010), section 2; librosa 0.11, ``tempogram``.
    """
    blocks = list(_autocorrelations(_checked(detection, size), size))
    return np.concatenate(blocks) if blocks else np.zeros((0, size))


def tempogram_tempo(
    detection: ArrayLike,
    frames_per_s: float,
    start_bpm: float = 120.0,
    std_octaves: float = 1.0,
    max_bpm: float = 320.0,
    window_s: float = 8.0,
    refined: bool = True,
) -> float:
    """Return the tempo of an onset detection function, as librosa finds it.

    Args:
        detection (ArrayLike): one real value a frame, such as ``onset_strength``.
        frames_per_s (float): frames per second, > 0.
        start_bpm (float): the most usual tempo, in beats per minute, > 0.
        std_octaves (float): how far from it tempi are usual, in octaves, > 0.
        max_bpm (float): no tempo is faster, in beats per minute, > 0.
        window_s (float): windows of the tempogram, in seconds, > 0; no tempo is slower than one beat in a window.
        refined (bool): between the frames, by a parabola; False gives whole lags, as librosa does.

    Shape:
        [frames] -> scalar

    Returns:
        float: beats per minute; 0 where nothing begins.

    Raises:
        DimensionError: not one axis.
        DeclarationError: complex values, or an argument out of its range.

    Examples:
        >>> beats = np.zeros(860)
        >>> beats[np.arange(0, 860, 20)] = 1
        >>> round(tempogram_tempo(beats, 43.066), 2)
        129.2

    See Also:
        tempo: without windows and whole lags.

    Sources:
        D. Ellis, "Beat tracking by dynamic programming", J. New Music Research 36 (2007), section 3.2; librosa 0.11,
        ``librosa.feature.tempo``.
    """
    if not (frames_per_s > 0 and start_bpm > 0 and std_octaves > 0 and max_bpm > 0 and window_s > 0):
        raise DeclarationError(
            f"frames_per_s={frames_per_s!r}, start_bpm={start_bpm!r}, std_octaves={std_octaves!r}, "
            f"max_bpm={max_bpm!r}, window_s={window_s!r}; allowed: above 0"
        )
    size = max(1, int(window_s * frames_per_s))
    x = _checked(detection, size)
    total = np.zeros(size)
    for block in _autocorrelations(x, size):
        total += block.sum(axis=0)
    lags = np.arange(1, size)
    bpm = 60.0 * frames_per_s / lags
    usual = np.where(bpm < max_bpm, -0.5 * ((np.log2(bpm) - np.log2(start_bpm)) / std_octaves) ** 2, -np.inf)
    if not total.any() or not np.isfinite(usual).any():
        return 0.0
    mean = total / len(x)
    best = int(np.argmax(np.log1p(_STEEPNESS * mean[1:]) + usual)) + 1
    return 60.0 * frames_per_s / (best + (_offset(mean, best) if refined else 0.0))


def _checked(detection: ArrayLike, size: int) -> np.ndarray:
    x = np.asarray(detection)
    if x.ndim != 1:
        raise DimensionError(f"a detection function of shape {x.shape}; needed: one value a frame")
    check_real(x, "a detection function", "take magnitudes")
    if size < 1:
        raise DeclarationError(f"size={size!r}; allowed: 1 frame or more")
    return np.nan_to_num(x.astype(np.float64), posinf=0.0, neginf=0.0)


def _autocorrelations(x: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Yield the tempogram, block by block."""
    if not len(x):
        return
    # the ends slope down to zero, so that no step is taken for an onset
    padded = np.pad(x, size // 2, mode="linear_ramp", end_values=0.0)
    if len(padded) < len(x) + size - 1:
        padded = np.concatenate([padded, np.zeros(len(x) + size - 1 - len(padded))])
    windows, window = sliding_window_view(padded, size)[: len(x)], hann(size, periodic=True)
    n = 1 << (2 * size - 1).bit_length()
    for start in range(0, len(x), _BLOCK):
        spectra = np.fft.rfft(windows[start : start + _BLOCK] * window, n)
        found = np.fft.irfft(spectra.real**2 + spectra.imag**2, n)[:, :size]
        largest = np.abs(found).max(axis=1, keepdims=True)
        yield np.divide(found, largest, out=np.zeros_like(found), where=largest > np.finfo(np.float64).tiny)


def _offset(mean: np.ndarray, best: int) -> float:
    """Return where the parabola through a peak and its neighbours is highest, in lags from it."""
    if not 0 < best < len(mean) - 1:
        return 0.0
    left, middle, right = (float(value) for value in mean[best - 1 : best + 2])
    bend = left - 2 * middle + right
    is_peak = middle >= left and middle >= right and bend < 0
    return 0.5 * (left - right) / bend if is_peak else 0.0
