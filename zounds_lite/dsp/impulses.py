"""Impulse responses of band filters.

Goal: banks of filters to convolve a signal with, one row a band: wavelets, linear-phase filters of any band shape, and
filters of the ear.

Conventions: frequencies in Hz, sizes in samples; rows are float64. A filter of n taps cannot tell frequencies apart
that are closer than about sr / n.

Functions: ``morlet``, ``band_pass``, ``gammatone``, and ``peak_hz``, where a filter's response is largest.
"""

from collections.abc import Callable
from math import ceil, factorial, pi

import numpy as np
from numpy.typing import ArrayLike

from zounds_lite.dsp._checks import check_rate
from zounds_lite.dsp.windows import hamming
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["band_pass", "gammatone", "morlet", "peak_hz"]

_TAPS_AT_ONCE = 256

_POINTS = 65
"""Least points of a band's shape that its response is summed from."""


def morlet(sr: int, n_taps: int, center_hz: ArrayLike, scaling: ArrayLike, normalize: bool = True) -> np.ndarray:
    """Return the real part of Morlet wavelets, (cos(w x) - e^(-w^2 / 2)) e^(-x^2 / 2) pi^(-1/4).

    x runs from -2 pi s to 2 pi s over the taps, and w = f n / (2 s sr) makes the wavelet's frequency f.

    Args:
        sr (int): sample rate in Hz.
        n_taps (int): samples in a wavelet, >= 2.
        center_hz (ArrayLike): frequency of each wavelet in Hz.
        scaling (ArrayLike): s, one number or one per wavelet, > 0: small ones are long and sharp in frequency, large
            ones short and sharp in time.
        normalize (bool): scale each wavelet to a Euclidean norm of 1.

    Shape:
        [bands] -> [bands, n_taps] float64

    Raises:
        SampleRateError: a rate that is not a positive integer.
        DeclarationError: a size or scaling out of range, or another number of scalings than wavelets.

    Examples:
        >>> wavelets = morlet(11025, 512, [440.0, 880.0], 0.5)
        >>> wavelets.shape, np.linalg.norm(wavelets, axis=1).round(6).tolist()
        ((2, 512), [1.0, 1.0])

    Sources:
        D. Gabor, "Theory of communication", J. IEE 93 (1946); A. Grossmann, J. Morlet, "Decomposition of Hardy
        functions into square integrable wavelets of constant shape", SIAM J. Math. Anal. 15 (1984).
    """
    _check(sr, n_taps, 2)
    centers = _row(center_hz)
    scalings = np.asarray(scaling, dtype=np.float64)
    if scalings.shape not in ((), centers.shape):
        raise DeclarationError(f"scaling of shape {scalings.shape} for {len(centers)} wavelets; give one, or one each")
    if not ((scalings > 0) & np.isfinite(scalings)).all():
        raise DeclarationError(f"scaling={scaling!r}; allowed: above 0, usually up to 1")
    s = np.broadcast_to(scalings, centers.shape)[:, None]
    x = 2.0 * pi * s * np.linspace(-1.0, 1.0, n_taps)
    w = centers[:, None] * n_taps / (2.0 * s * sr)
    rows: np.ndarray = (np.cos(w * x) - np.exp(-0.5 * w**2)) * np.exp(-0.5 * x**2) * pi**-0.25
    if normalize:
        rows /= np.linalg.norm(rows, axis=1, keepdims=True) + 1e-8
    return rows


def band_pass(
    sr: int,
    n_taps: int,
    start_hz: float,
    stop_hz: float,
    shape: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """Return a linear-phase filter whose gain over a band follows a shape.

    The ideal response is the integral of the shape times a cosine over the band, h(t) = 2 / sr * int G(f) cos(2 pi f t)
    df; it is cut to the taps by a Hamming window. What lies below 0 Hz or above half the sample rate is left out, so
    the part of the shape that remains keeps its place.

    Args:
        sr (int): sample rate in Hz.
        n_taps (int): samples of the filter, >= 1; an odd number can pass half the sample rate, an even one cannot.
        start_hz (float): where the band starts in Hz; may lie below 0.
        stop_hz (float): where it stops, above its start; may lie above half the sample rate.
        shape (Callable | None): gain at relative positions in the band, 0..1. None: 1 all over.

    Shape:
        -> [n_taps] float64

    Raises:
        SampleRateError: a rate that is not a positive integer.
        DeclarationError: no taps, or a band that holds none of the frequencies from 0 to sr / 2.

    Examples:
        >>> h = band_pass(11025, 511, 800.0, 1200.0)
        >>> abs(peak_hz(11025, h[None])[0] - 1000.0) < 200.0, bool((h == h[::-1]).all())
        (np.True_, True)

    Sources:
        A. Oppenheim, R. Schafer, "Discrete-time signal processing", 3rd ed. (2010), section 7.5: design by windowing.
    """
    _check(sr, n_taps, 1)
    low, high = max(0.0, float(start_hz)), min(sr / 2.0, float(stop_hz))
    if not low < high:
        raise DeclarationError(
            f"a band of {start_hz}..{stop_hz} Hz at {sr} Hz; allowed: one that reaches 0..{sr / 2} Hz"
        )
    # enough points that a cosine at the last tap is sampled eight times a period
    n = max(_POINTS, ceil(4.0 * (high - low) * n_taps / sr) + 1)
    hz = np.linspace(low, high, n)
    gain = np.ones(n) if shape is None else np.asarray(shape((hz - start_hz) / (stop_hz - start_hz)), dtype=np.float64)
    gain = gain * ((high - low) / (n - 1) * 2.0 / sr)
    gain[[0, -1]] *= 0.5  # the trapezoidal rule
    time = np.abs(np.arange(n_taps) - 0.5 * (n_taps - 1))
    angles = 2.0 * pi / sr * hz
    taps = time[: (n_taps + 1) // 2]
    parts = [np.cos(np.outer(taps[i : i + _TAPS_AT_ONCE], angles)) @ gain for i in range(0, len(taps), _TAPS_AT_ONCE)]
    half = np.concatenate(parts)
    return np.concatenate([half, half[: n_taps // 2][::-1]]) * hamming(n_taps)


def gammatone(sr: int, n_taps: int, center_hz: ArrayLike, bandwidth_hz: ArrayLike, order: int = 4) -> np.ndarray:
    """Return filters of the ear, t^(order - 1) e^(-2 pi b t) cos(2 pi f t), with a gain of 1 at their centre.

    b is chosen so that the filter passes as much noise as a rectangle of the given bandwidth: for order 4 it is 1.019
    times the bandwidth.

    Args:
        sr (int): sample rate in Hz.
        n_taps (int): samples of a filter, >= 2; it should last several times 1 / bandwidth.
        center_hz (ArrayLike): f, in Hz, above 0 and at most half the sample rate.
        bandwidth_hz (ArrayLike): equivalent rectangular bandwidth of each filter in Hz, > 0.
        order (int): how steep the filters are, >= 1.

    Shape:
        [bands], [bands] -> [bands, n_taps] float64

    Raises:
        SampleRateError: a rate that is not a positive integer.
        DimensionError: not one bandwidth per centre.
        DeclarationError: sizes, centres or bandwidths out of range.

    Examples:
        >>> gammatone(16000, 1024, [500.0, 1000.0], [78.7, 132.7]).shape
        (2, 1024)

    Sources:
        R. Patterson, I. Nimmo-Smith, J. Holdsworth, P. Rice, "An efficient auditory filterbank based on the gammatone
        function", APU report 2341 (1987); M. Slaney, "An efficient implementation of the Patterson-Holdsworth auditory
        filter bank", Apple technical report 35 (1993).
    """
    _check(sr, n_taps, 2)
    centers, widths = _row(center_hz), _row(bandwidth_hz)
    if centers.shape != widths.shape:
        raise DimensionError(f"{len(centers)} centres and {len(widths)} bandwidths; give one bandwidth per centre")
    if not isinstance(order, (int, np.integer)) or order < 1:
        raise DeclarationError(f"order={order!r}; allowed: a whole number, 1 or more")
    if not ((centers > 0) & (centers <= sr / 2.0) & (widths > 0)).all():
        raise DeclarationError(f"centres {centers} Hz, bandwidths {widths} Hz; allowed: in 0..{sr / 2} Hz, above 0")
    decay = factorial(order - 1) ** 2 * 2.0 ** (2 * order - 2) / (pi * factorial(2 * order - 2)) * widths[:, None]
    time = np.arange(n_taps) / sr
    # the largest value of the envelope is put to 1, so that no order overflows
    envelope = np.exp((order - 1) * np.log(np.maximum(time, 1e-300)) - 2.0 * pi * decay * time)
    if order > 1:
        at = (order - 1) / (2.0 * pi * decay)
        envelope *= np.exp((order - 1) * (1.0 - np.log(at)))
        envelope[:, 0] = 0.0
    phase = 2.0 * pi * centers[:, None] * time
    rows: np.ndarray = envelope * np.cos(phase)
    gain = np.abs((rows * np.exp(-1j * phase)).sum(axis=1, keepdims=True))
    return rows / gain


def peak_hz(sr: int, filters: np.ndarray) -> np.ndarray:
    """Return where the responses of filters are largest, to a sixteenth of what their taps can resolve.

    Args:
        sr (int): sample rate in Hz.
        filters (np.ndarray): impulse responses.

    Shape:
        [bands, taps] -> [bands]

    Examples:
        >>> peak_hz(8000, np.cos(2 * np.pi * 1000 / 8000 * np.arange(64))[None])
        array([1000.])
    """
    check_rate("sr", sr)
    import scipy.fft

    n = 16 * filters.shape[-1]
    found = [int(np.abs(scipy.fft.rfft(row, n)).argmax()) for row in filters]
    return np.array(found, dtype=np.float64) * sr / n


def _check(sr: int, n_taps: int, least: int) -> None:
    check_rate("sr", sr)
    if not isinstance(n_taps, (int, np.integer)) or n_taps < least:
        raise DeclarationError(f"{n_taps!r} taps; allowed: a whole number, {least} or more")


def _row(values: ArrayLike) -> np.ndarray:
    row = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if row.ndim != 1 or not np.isfinite(row).all():
        raise DimensionError(f"frequencies of shape {row.shape}; give a row of finite numbers")
    return row
