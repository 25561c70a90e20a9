"""The atoms of the constant-Q transform: its definition, in numbers.

Goal: one place that says what a constant-Q coefficient is, so that the fast transform, the strict one and the inverse
all follow from it.

Definition. Band k of B in an octave lies at f_k = f_0 2^(k/B). The relative bandwidth that lets the neighbours on both
sides of a band meet is alpha = (2^(2/B) - 1) / (2^(2/B) + 1); Q = filter_scale / alpha, and an atom lasts
N_k = Q sr / f_k samples, which is no whole number as a rule. With c = ceil(N_k / 2) it stands on the samples
-c .. floor(N_k / 2) - 1, mirrored in time: sample m is weighted by w(-m), where w is the periodic window of that many
samples, scaled to a sum of magnitudes of 1. The coefficient of frame t is::

    X[t, k] = sqrt(N_k) sum_m x[t hop + m] w(-m) exp(-2 pi i f_k m / sr)

with zeros outside the signal. A sine of amplitude 1 at f_k gives sqrt(N_k) / 2.

Functions: ``band_centers``, ``atom_lengths``, ``atom``, ``relative_bandwidth``, ``check_bands``, ``window_of_size``.

Sources:
    J. C. Brown, "Calculation of a constant Q spectral transform", J. Acoust. Soc. Am. 89 (1991), eq. 5; alpha and the
    details (mirrored periodic window, length, scaling) as in librosa 0.11, ``librosa.vqt`` with gamma = 0 and
    ``scale=True``, at the full sample rate.
"""

import math
from collections.abc import Callable

import numpy as np

from zounds_lite.dsp._checks import check_rate
from zounds_lite.dsp.windows import hamming, hann
from zounds_lite.errors import DeclarationError

__all__ = [
    "C1_HZ",
    "Window",
    "atom",
    "atom_lengths",
    "band_centers",
    "check_bands",
    "relative_bandwidth",
    "window_of_size",
]

C1_HZ = 440.0 * 2.0 ** (-45 / 12)
"""The note C1, MIDI 24."""

Window = str | Callable[[int], np.ndarray]
"""The name of a window, or a function that makes one of a size."""

_WINDOWS: dict[str, Callable[[int], np.ndarray]] = {
    "hann": lambda n: hann(n, periodic=True),
    "hamming": lambda n: hamming(n, periodic=True),
}


def relative_bandwidth(bands_per_octave: float) -> float:
    """Return the width of a band as a part of its centre, 1 / Q for a filter scale of 1.

    Args:
        bands_per_octave (float): bands in an octave, > 0.

    Examples:
        >>> round(1 / relative_bandwidth(24), 4)
        34.6343
    """
    ratio = 4.0 ** (1.0 / bands_per_octave)
    return (ratio - 1.0) / (ratio + 1.0)


def band_centers(start_hz: float, n_bands: int, bands_per_octave: float) -> np.ndarray:
    """Return the centre of each band in Hz.

    Args:
        start_hz (float): centre of the first band in Hz.
        n_bands (int): number of bands.
        bands_per_octave (float): bands in an octave.

    Shape:
        -> [n_bands] float64

    Examples:
        >>> band_centers(55.0, 3, 1)
        array([ 55., 110., 220.])
    """
    return start_hz * 2.0 ** (np.arange(n_bands) / bands_per_octave)


def atom_lengths(center_hz: np.ndarray, sr: int, q: float) -> np.ndarray:
    """Return how long each atom lasts, in samples and their fractions.

    Args:
        center_hz (np.ndarray): centre of each band in Hz.
        sr (int): sample rate in Hz.
        q (float): centre over width of a band.

    Shape:
        [bands] -> [bands] float64
    """
    return q * sr / np.asarray(center_hz, np.float64)


def atom(center_hz: float, length: float, sr: int, window: Window = "hann") -> tuple[int, np.ndarray]:
    """Return an atom: the numbers that a signal around a frame's centre is multiplied with and summed.

    Args:
        center_hz (float): centre of the band in Hz.
        length (float): how long the atom lasts, in samples, > 0.
        sr (int): sample rate in Hz.
        window (str | Callable): "hann", "hamming", or a function of a size that returns that many numbers.

    Returns:
        tuple[int, np.ndarray]: the sample of its first number, counted from the frame's centre, and its numbers,
            complex128.

    Raises:
        DeclarationError: an unknown window, or one that gives other than that many finite numbers, or only zeros.

    Examples:
        >>> first, numbers = atom(1000.0, 8.0, 8000)
        >>> first, len(numbers), round(float(np.abs(numbers).sum() / np.sqrt(8)), 12)
        (-3, 8, 1.0)
    """
    before, after = math.ceil(length / 2), math.floor(length / 2)
    weights = window_of_size(window, before + after)[::-1]
    at = np.arange(1 - after, before + 1)
    weights = weights * (math.sqrt(length) / np.abs(weights).sum())
    return 1 - after, weights * np.exp(-2j * np.pi * center_hz / sr * at)


def window_of_size(window: Window, size: int) -> np.ndarray:
    """Return a window of a size.

    Args:
        window (str | Callable): as for ``atom``.
        size (int): samples, >= 1.

    Raises:
        DeclarationError: as for ``atom``.
    """
    if isinstance(window, str) and window not in _WINDOWS:
        allowed = ", ".join(map(repr, _WINDOWS))
        raise DeclarationError(f"window={window!r}; allowed: {allowed}, or a function of a size")
    make = _WINDOWS[window] if isinstance(window, str) else window
    if not callable(make):
        raise DeclarationError(f"window={window!r}; allowed: a name, or a function of a size such as np.hanning")
    weights = np.asarray(make(size), dtype=np.float64)
    if weights.shape != (size,) or not np.isfinite(weights).all() or not weights.any():
        raise DeclarationError(
            f"window={window!r} gave shape {weights.shape} for a size of {size}, numbers that are not finite, or only "
            "zeros: it must give one number per sample"
        )
    return weights


def check_bands(sr: int, start_hz: float, n_bands: int, bands_per_octave: float, filter_scale: float) -> None:
    """Refuse bands that no transform can have.

    Raises:
        SampleRateError: the rate is not a positive integer.
        DeclarationError: numbers out of range, or a band that reaches beyond half the sample rate; the message says
            how many bands there may be.
    """
    check_rate("sr", sr)
    if isinstance(n_bands, bool) or not isinstance(n_bands, (int, np.integer)) or n_bands < 1:
        raise DeclarationError(f"n_bands={n_bands!r}; allowed: a whole number of bands, at least 1")
    for name, value in (
        ("start_hz", start_hz),
        ("bands_per_octave", bands_per_octave),
        ("filter_scale", filter_scale),
    ):
        if not (isinstance(value, (int, float, np.number)) and 0 < value < math.inf):
            raise DeclarationError(f"{name}={value!r}; allowed: a finite number above 0")
    nyquist = sr / 2
    reach = 1.0 + relative_bandwidth(bands_per_octave) / (2.0 * filter_scale)
    most = max(0, 1 + math.floor(bands_per_octave * math.log2(nyquist / (reach * start_hz))))
    if n_bands > most:
        raise DeclarationError(
            f"n_bands={n_bands} of {bands_per_octave} per octave from {start_hz} Hz reach beyond {nyquist} Hz, half "
            f"the sample rate; allowed: at most {most}"
        )
