"""Onset detection: how much each frame of a sound differs from those before, and where that peaks.

Goal: from spectra to one number a frame, a *detection function*, and from there to the frames in which something
begins.

Conventions: spectra are (frames, bins), complex or magnitudes of an orthonormal transform (``dsp.rfft``) of samples
between -1 and 1. A value belongs to one frame, and the change that it measures lies near the middle of that frame.
Functions that look back take ``previous``, the spectrum before the first one, so that a stream gives the bits of the
whole; without it the first frame is compared with itself. Silence is no change, and never NaN; NaN stays in the frames
that it touches.

Detection functions: ``measure_of_transience``, ``complex_domain``, ``spectral_flux``, ``relative_flux``,
``spectral_distance``. Their peaks: ``moving_average_peaks`` (of windows that were cut already), ``pick_peaks`` (of a
whole detection function).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from zounds_lite.dsp._checks import check_real
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = [
    "complex_domain",
    "measure_of_transience",
    "moving_average_peaks",
    "pick_peaks",
    "relative_flux",
    "spectral_distance",
    "spectral_flux",
]

_SKIPPED = 2
"""Bins at the bottom that say nothing of transients: the mean, and the lowest tone."""

_NOTHING = 1e-12
"""Stands for an energy of zero, so that silence can be divided by silence."""


def measure_of_transience(spectra: np.ndarray, previous: np.ndarray | None = None) -> np.ndarray:
    """Measure how suddenly the high-frequency content rises.

    With E = sum |X_k|^2 and HFC = sum k |X_k|^2 over the bins k = 3, 4, ... (the first bin is k = 1), a frame t gives
    (HFC_t / HFC_(t-1)) (HFC_t / E_t). Sums that are zero count as 1e-12.

    Args:
        spectra (np.ndarray): complex spectra or their magnitudes.
        previous (np.ndarray | None): the spectrum before the first one; None: the first one.

    Shape:
        [frames, bins] -> [frames], real

    Raises:
        DimensionError: fewer than two axes.

    Examples:
        >>> quiet, loud = np.full(8, 0.1), np.ones(8)
        >>> measure_of_transience(np.stack([quiet, quiet, loud, loud])).round(1)
        array([  5.5,   5.5, 550. ,   5.5])

    Sources:
        P. Masri, A. Bateman, "Improved modelling of attack transients in music analysis-resynthesis", Proc. ICMC
        (1996), the section on high-frequency content (which sums from the second bin on).
    """
    spectra = _as_spectra(spectra)
    if not len(spectra):
        return np.empty(spectra.shape[:-1], _real_type(spectra))
    high, energy = _high_frequency_content(spectra)
    before = high[:1] if previous is None else _high_frequency_content(_as_spectra(previous[np.newaxis]))[0]
    last = np.concatenate([before, high[:-1]])
    with np.errstate(over="ignore"):  # from silence to full scale is beyond float32
        return (high / last * (high / energy)).astype(_real_type(spectra))


def _high_frequency_content(spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    magnitude = _magnitude(spectra)[..., _SKIPPED:].astype(np.float64)
    power = magnitude * magnitude
    k = np.arange(_SKIPPED + 1, _SKIPPED + 1 + power.shape[-1], dtype=np.float64)
    high, energy = (power * k).sum(axis=-1), power.sum(axis=-1)
    return np.where(high == 0, _NOTHING, high), np.where(energy == 0, _NOTHING, energy)


def complex_domain(windows: np.ndarray) -> np.ndarray:
    """Measure how badly two spectra predict the next one, in magnitude and phase.

    In a steady tone the magnitude stays and the phase goes on turning at the same speed, so bin k of the third frame
    is expected to be the second one, turned as far as from the first to the second: with u = X / |X|,
    X1 u1 conj(u0). The distance to that is sqrt(R^2 + S^2 - 2 R S cos d), with R = |X1|, S = |X2| and
    d = princarg(phase2 - 2 phase1 + phase0); it is |R - S| where d = 0. The value is the sum over bins. Multiplying by
    unit vectors spares the angles, whose differences lose digits, and the wrapping of them, which a turn ignores.

    Args:
        windows (np.ndarray): consecutive complex spectra; only the first three of each window count.

    Shape:
        [windows, 3 or more, bins] -> [windows], real

    Raises:
        DimensionError: not three axes, or fewer than three frames in a window.

    Examples:
        >>> steady = np.exp(2j * np.pi * 0.1 * np.arange(4))[:, np.newaxis]
        >>> complex_domain(np.stack([steady[:3], [[1], [1], [-1]]])).round(9)
        array([0., 2.])

    Sources:
        C. Duxbury, J. P. Bello, M. Davies, M. Sandler, "Complex domain onset detection for musical signals", Proc.
        DAFx (2003), the section on the complex domain; J. P. Bello, C. Duxbury, M. Davies, M. Sandler, "On the use of
        phase and energy for musical onset detection in the complex domain", IEEE Signal Processing Letters 11 (2004).
    """
    windows = np.asarray(windows)
    if windows.ndim != 3 or windows.shape[1] < 3:
        raise DimensionError(
            f"windows of shape {windows.shape}; needed: (windows, 3 or more frames, bins), as SlidingWindow cuts them "
            "from spectra"
        )
    # products of complex numbers are rounded in more than one way, by place and size, and a stream must give the bits
    # of the whole; sums, products and roots of real ones are rounded alike everywhere
    (a, b), (c, d), (e, f) = (_parts(windows[:, i]) for i in range(3))
    magnitude = np.sqrt(c * c + d * d)
    (a, b), (c, d) = _direction(a, b), _direction(c, d)
    c, d = c * c - d * d, 2 * c * d
    real, imaginary = e - magnitude * (c * a + d * b), f - magnitude * (d * a - c * b)
    return np.sqrt(real * real + imaginary * imaginary).sum(axis=-1)


def _parts(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x = x.astype(np.complex64 if x.dtype in (np.float32, np.complex64) else np.complex128, copy=False)
    return np.ascontiguousarray(x.real), np.ascontiguousarray(x.imag)


def _direction(real: np.ndarray, imaginary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale complex numbers to a magnitude of one; zero, whose phase counts as zero, becomes one."""
    magnitude = np.sqrt(real * real + imaginary * imaginary)
    known = magnitude != 0
    cosine = np.divide(real, magnitude, out=np.ones_like(real), where=known)
    return cosine, np.divide(imaginary, magnitude, out=np.zeros_like(real), where=known)


def spectral_flux(
    spectra: np.ndarray, previous: np.ndarray | None = None, gamma: float = 0.0, reach: int = 2
) -> np.ndarray:
    """Measure how much the bins rise, on average.

    What a bin rises above the largest of its neighbours in the frame before counts, and the value is the mean over
    bins. The neighbours keep vibrato, whose partials move from bin to bin, from looking like new notes. Magnitudes may
    be compressed to log(1 + gamma |X|) first, so that quiet onsets count beside loud ones; without that, twice the
    level gives twice the value.

    Args:
        spectra (np.ndarray): complex spectra or their magnitudes.
        previous (np.ndarray | None): the spectrum before the first one; None: the first one.
        gamma (float): compression, >= 0; 0: none.
        reach (int): neighbours on each side of a bin, >= 0.

    Shape:
        [frames, bins] -> [frames], real

    Raises:
        DimensionError: fewer than two axes.
        DeclarationError: ``gamma`` or ``reach`` is negative.

    Examples:
        >>> quiet, loud = np.zeros(8), np.ones(8)
        >>> spectral_flux(np.stack([quiet, loud, loud, quiet]))
        array([0., 1., 0., 0.])

    Sources:
        S. Dixon, "Onset detection revisited", Proc. DAFx (2006), spectral flux (half-wave rectified, there a sum);
        M. Müller, "Fundamentals of Music Processing" (2015), section 6.1.2 (compression); S. Böck, G. Widmer, "Maximum
        filter vibrato suppression for onset detection", Proc. DAFx (2013) (neighbours).
    """
    if not gamma >= 0 or reach < 0:
        raise DeclarationError(f"gamma={gamma!r}, reach={reach!r}; allowed: 0 or more")
    after, before = _pairs(spectra, previous)
    if gamma:
        after, before = (np.log1p(gamma * x) for x in (after, before))
    rise = after - _maximum_of_neighbours(before, reach)
    return np.maximum(rise, 0, out=rise).mean(axis=-1) if rise.shape[-1] else rise.sum(axis=-1)


def _maximum_of_neighbours(x: np.ndarray, reach: int) -> np.ndarray:
    out = x.copy()
    for shift in range(1, min(reach, x.shape[-1] - 1) + 1):
        np.maximum(out[..., shift:], x[..., :-shift], out=out[..., shift:])
        np.maximum(out[..., :-shift], x[..., shift:], out=out[..., :-shift])
    return out


def relative_flux(
    spectra: np.ndarray,
    half_life: float,
    previous: np.ndarray | None = None,
    gamma: float = 0.0,
    reach: int = 2,
    loudest: float = 0.0,
) -> tuple[np.ndarray, float]:
    """Measure the spectral flux as a part of how loud it has been lately.

    The flux of each frame is divided by the largest mean magnitude so far, each of which is forgotten by half in
    ``half_life`` frames. So the values are between 0 and 1 whatever the level of a recording, and what moves in a
    steady sound, or in the noise behind it, stays small.

    Args:
        spectra (np.ndarray): complex spectra or their magnitudes.
        half_life (float): frames, > 0.
        previous, gamma, reach: as for ``spectral_flux``.
        loudest (float): what is left of the largest mean at the frame before the first one; for streams.

    Shape:
        [frames, bins] -> [frames], real

    Returns:
        tuple[np.ndarray, float]: the values, and what is left of the largest mean at the last frame.

    Raises:
        DimensionError: not two axes.
        DeclarationError: an argument is out of its range.

    Examples:
        >>> quiet, loud = np.full(8, 0.01), np.ones(8)
        >>> values, loudest = relative_flux(np.stack([quiet, loud, quiet, loud]), half_life=2)
        >>> values.round(2), loudest
        (array([0.  , 0.99, 0.  , 0.99]), 1.0)
    """
    if not half_life > 0:
        raise DeclarationError(f"half_life={half_life!r}; allowed: above 0, in frames")
    magnitude = _magnitude(_as_spectra(spectra))
    if magnitude.ndim != 2:
        raise DimensionError(f"spectra of shape {magnitude.shape}; needed: (frames, bins)")
    flux = spectral_flux(spectra, previous, gamma, reach)
    compressed = np.log1p(gamma * magnitude) if gamma else magnitude
    kept = 0.5 ** (1.0 / half_life)
    levels = np.zeros(len(flux))
    for i, level in enumerate(compressed.mean(axis=-1).tolist() if magnitude.shape[-1] else levels):
        loudest = max(loudest * kept, level)  # which is not NaN, where the level is
        levels[i] = loudest
    return np.divide(flux, levels.astype(flux.dtype), out=np.zeros_like(flux), where=flux != 0), loudest


def spectral_distance(spectra: np.ndarray, previous: np.ndarray | None = None, unit_norm: bool = False) -> np.ndarray:
    """Measure the Euclidean distance from each magnitude spectrum to the one before.

    Args:
        spectra (np.ndarray): complex spectra or their magnitudes.
        previous (np.ndarray | None): the spectrum before the first one; None: the first one.
        unit_norm (bool): scale each spectrum to a length of one first, so that only its shape counts; silence stays
            zero.

    Shape:
        [frames, bins] -> [frames], real

    Raises:
        DimensionError: fewer than two axes.

    Examples:
        >>> spectral_distance(np.array([[3.0, 0.0], [3.0, 4.0], [3.0, 4.0]]))
        array([0., 4., 0.])

    Sources:
        C. Duxbury, M. Sandler, M. Davies, "A hybrid approach to musical note onset detection", Proc. DAFx (2002),
        where only rises count.
    """
    after, before = _pairs(spectra, previous)
    if unit_norm:
        after, before = (_unit_length(x) for x in (after, before))
    difference = after - before
    return np.sqrt((difference * difference).sum(axis=-1))


def _unit_length(x: np.ndarray) -> np.ndarray:
    length = np.sqrt((x * x).sum(axis=-1, keepdims=True))
    return np.divide(x, length, out=np.zeros_like(x), where=length != 0)


def moving_average_peaks(
    windows: np.ndarray,
    aggregate: Callable[..., Any] = np.mean,
    factor: float = 1.25,
    delta: float = 0.0,
    before: int = 0,
    after: int = 0,
) -> np.ndarray:
    """Tell for each window of a detection function whether there is a peak at its centre.

    The centre is column c = w // 2. It is a peak where it is above the column before, not below the one after, and
    above ``factor`` * aggregate(window) + ``delta``. Windows that follow each other value by value reach beyond the
    detection function at its ends; what they hold there is left out of the aggregate, which zeros would lower.

    Args:
        windows (np.ndarray): windows of a detection function, real.
        aggregate (Callable): called with windows and ``axis=1``, such as ``np.mean`` or ``np.median``.
        factor (float): how far a peak must stand out of its surroundings.
        delta (float): by how much a peak must exceed them besides, in the unit of the detection function.
        before (int): columns of the first window that lie before the detection function, >= 0; one less in each next.
        after (int): columns of the last window that lie after it, >= 0.

    Shape:
        [windows, w] -> [windows], bool

    Raises:
        DimensionError: not two axes, or fewer than three columns.
        DeclarationError: complex values.

    Examples:
        >>> moving_average_peaks(np.array([[0, 0, 1, 0, 0], [0, 1, 0, 0, 0], [1, 1, 1, 1, 1]]))
        array([ True, False, False])
    """
    windows = np.ascontiguousarray(windows)
    if windows.ndim != 2 or windows.shape[1] < 3:
        raise DimensionError(
            f"windows of shape {windows.shape}; needed: (windows, 3 or more values), as SlidingWindow cuts them from a "
            "detection function"
        )
    check_real(windows, "a detection function", "take magnitudes")
    count, width = windows.shape
    if not count:
        return np.zeros(0, bool)
    level = np.array(aggregate(windows, axis=1), np.float64)
    for i in {*range(min(before, count)), *range(max(0, count - after), count)}:
        inside = slice(min(max(0, before - i), width // 2), width - min(max(0, after - (count - 1 - i)), width // 2))
        level[i] = aggregate(windows[i : i + 1, inside], axis=1)[0]
    last, centre, following = (windows[:, width // 2 + i] for i in (-1, 0, 1))
    return (last < centre) & (centre >= following) & (centre > level * factor + delta)


def pick_peaks(
    detection: np.ndarray,
    size: int = 11,
    aggregate: Callable[..., Any] = np.mean,
    factor: float = 1.25,
    delta: float = 0.0,
) -> np.ndarray:
    """Find the peaks of a whole detection function; each value is the centre of a window, zeros lie around the whole.

    Args:
        detection (np.ndarray): one real value a frame.
        size (int): values in a window, >= 3.
        aggregate, factor, delta: as for ``moving_average_peaks``.

    Shape:
        [frames] -> [peaks], the numbers of their frames, rising

    Raises:
        DimensionError: not one axis.
        DeclarationError: complex values, or a window of fewer than three of them.

    Examples:
        >>> pick_peaks(np.array([0.0, 0, 0, 1, 0, 0, 0, 3, 0]), size=5)
        array([3, 7])
    """
    detection = np.asarray(detection)
    if detection.ndim != 1:
        raise DimensionError(f"a detection function of shape {detection.shape}; needed: one value a frame")
    if size < 3:
        raise DeclarationError(f"size={size!r}; allowed: 3 values or more")
    if not len(detection):
        return np.zeros(0, np.intp)
    before, after = size // 2, size - 1 - size // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(detection, (before, after)), size)
    return np.flatnonzero(moving_average_peaks(windows, aggregate, factor, delta, before, after))


def _as_spectra(spectra: np.ndarray) -> np.ndarray:
    spectra = np.asarray(spectra)
    if spectra.ndim < 2:
        raise DimensionError(f"spectra of shape {spectra.shape}; needed: (frames, bins)")
    return spectra


def _real_type(spectra: np.ndarray) -> Any:
    return np.float32 if spectra.dtype in (np.float32, np.complex64) else np.float64


def _pairs(spectra: np.ndarray, previous: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the magnitudes of frames, and of those before them."""
    after = _magnitude(_as_spectra(spectra))
    if not len(after):
        return after, after
    first = after[:1] if previous is None else _magnitude(np.asarray(previous)[np.newaxis]).astype(after.dtype)
    return after, np.concatenate([first, after[:-1]])


def _magnitude(x: np.ndarray) -> np.ndarray:
    if np.iscomplexobj(x):
        real, imaginary = _parts(x)
        return np.sqrt(real * real + imaginary * imaginary)
    return np.abs(x).astype(_real_type(x), copy=False)
