"""Banks of filters to convolve with, one per band of a scale.

Goal: the impulse responses of ``dsp`` for the bands of any scale. Conventions: results are (bands, taps), float64, with
frequency and time as dimensions. Functions: ``morlet_filter_bank``, ``fir_filter_bank``, ``gammatone_filter_bank``.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp.impulses import band_pass, gammatone, morlet, peak_hz
from zounds_lite.errors import DeclarationError, SampleRateError
from zounds_lite.spectral.dimension import FrequencyDimension
from zounds_lite.spectral.scales import FrequencyScale
from zounds_lite.spectral.windows import WindowingFunc
from zounds_lite.timeseries import AudioSampleRate, TimeDimension, audio_sample_rate

__all__ = ["fir_filter_bank", "gammatone_filter_bank", "morlet_filter_bank"]


def morlet_filter_bank(
    samplerate: Any, kernel_size: int, scale: FrequencyScale, scaling_factor: Any, normalize: bool = True
) -> ArrayWithUnits:
    """Return Morlet wavelets at the centres of a scale's bands.

    Args:
        samplerate (AudioSampleRate | int): of the signal that will be filtered.
        kernel_size (int): samples in a wavelet, >= 2.
        scale (FrequencyScale): whose centres are the wavelets' frequencies.
        scaling_factor (float | Sequence[float]): one for all or one per band, 0 to 1: small ones tell frequencies
            apart, large ones times.
        normalize (bool): scale each wavelet to a Euclidean norm of 1.

    Shape:
        -> [bands, kernel_size]

    Raises:
        SampleRateError: no sample rate of audio.
        DeclarationError: ``scale`` is no scale, a size or factor out of range, or not one factor per band.
        TypeError: factors that are no numbers.

    Examples:
        >>> from zounds_lite.spectral import GeometricScale
        >>> from zounds_lite.timeseries import SR11025
        >>> bank = morlet_filter_bank(SR11025(), 512, GeometricScale(100, 4000, 0.05, 5), 0.5)
        >>> bank.shape, round(float(np.linalg.norm(bank[0])), 6)
        ((5, 512), 1.0)

    Sources:
        See ``dsp.impulses.morlet``.
    """
    rate, scale = _rate(samplerate), _scale(scale)
    try:
        factors = np.asarray(scaling_factor, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"scaling_factor={scaling_factor!r}; allowed: a number, or a list of one per band") from error
    return _with_units(morlet(rate, kernel_size, scale.center_frequencies, factors, normalize), scale, rate)


def fir_filter_bank(scale: FrequencyScale, taps: int, samplerate: Any, window: Any) -> ArrayWithUnits:
    """Return linear-phase filters that pass the bands of a scale, with a gain of ``window`` over each of them.

    A band may start below 0 Hz or reach beyond half the sample rate, as the outer ones of Bark and mel scales do; what
    is left of it keeps its shape. Filters with too few taps to reach their band warn.

    Args:
        scale (FrequencyScale): the bands.
        taps (int): samples in a filter, >= 1. A band is resolved by about 4 * samplerate / bandwidth of them.
        samplerate (AudioSampleRate | int): of the signal that will be filtered.
        window (WindowingFunc | Callable | np.ndarray | Sequence[np.ndarray] | None): the gain over a band: a window, a
            row of numbers that spans the band, or one such row per band; None: 1.

    Shape:
        -> [bands, taps]

    Raises:
        SampleRateError: no sample rate of audio.
        DeclarationError: ``scale`` is no scale, no taps, a window of another kind, or a band that lies wholly below 0
            Hz or above half the sample rate.

    Warns:
        UserWarning: the response of a filter is largest outside its band; more taps are needed.

    Examples:
        >>> from zounds_lite.spectral import FrequencyBand, HanningWindowingFunc, MelScale
        >>> from zounds_lite.timeseries import SR11025
        >>> scale = MelScale(FrequencyBand(200, 4000), 12)
        >>> bank = fir_filter_bank(scale, 512, SR11025(), HanningWindowingFunc())
        >>> bank.shape, bank.dimensions[0].scale == scale
        ((12, 512), True)

    Sources:
        See ``dsp.impulses.band_pass``.
    """
    rate, scale = _rate(samplerate), _scale(scale)
    shapes = _shapes(window, len(scale))
    rows = np.empty((len(scale), taps) if taps > 0 else (len(scale), 0))
    for i, (start, stop, shape) in enumerate(zip(scale.band_starts, scale.band_stops, shapes, strict=True)):
        rows[i] = band_pass(rate, taps, float(start), float(stop), shape)
    _warn_of_unresolved(rows, scale, rate)
    return _with_units(rows, scale, rate)


def gammatone_filter_bank(samplerate: Any, kernel_size: int, scale: FrequencyScale, order: int = 4) -> ArrayWithUnits:
    """Return filters of the ear at the centres of a scale's bands, each as wide as its band, with a gain of 1.

    Args:
        samplerate (AudioSampleRate | int): of the signal that will be filtered.
        kernel_size (int): samples in a filter, >= 2; several times samplerate / bandwidth of the narrowest band.
        scale (FrequencyScale): the bands; those of ``ERBScale`` have the widths of the ear's filters.
        order (int): how steep the filters are, >= 1.

    Shape:
        -> [bands, kernel_size]

    Raises:
        SampleRateError: no sample rate of audio.
        DeclarationError: ``scale`` is no scale, sizes out of range, or centres that are not in 0 Hz to half the rate.

    Examples:
        >>> from zounds_lite.spectral import ERBScale, FrequencyBand
        >>> from zounds_lite.timeseries import SR11025
        >>> gammatone_filter_bank(SR11025(), 1024, ERBScale(FrequencyBand(50, 5000), 30)).shape
        (30, 1024)

    Sources:
        See ``dsp.impulses.gammatone``.
    """
    rate, scale = _rate(samplerate), _scale(scale)
    rows = gammatone(rate, kernel_size, scale.center_frequencies, scale.bandwidths, order)
    return _with_units(rows, scale, rate)


def _rate(samplerate: Any) -> int:
    rate = samplerate if isinstance(samplerate, AudioSampleRate) else None
    if rate is None and isinstance(samplerate, (int, np.integer)) and not isinstance(samplerate, bool):
        rate = audio_sample_rate(int(samplerate))
    if rate is None:
        raise SampleRateError(f"samplerate={samplerate!r}; allowed: one of audio, such as SR44100(), or 44100")
    return int(rate.rate)


def _scale(scale: Any) -> FrequencyScale:
    if not isinstance(scale, FrequencyScale):
        raise DeclarationError(f"scale={scale!r}; allowed: a scale such as ERBScale(FrequencyBand(50, 5000), 30)")
    return scale


def _shapes(window: Any, n_bands: int) -> list[Callable[[np.ndarray], np.ndarray] | None]:
    """Return the shape of each band, as a function of the position in it."""
    if window is None or callable(window):
        windowing = WindowingFunc.of(window)
        return [None if windowing.is_identity else windowing.at] * n_bands
    rows = [window] * n_bands if np.ndim(window[0]) == 0 else list(window)
    rows = [np.asarray(row, dtype=np.float64) for row in rows]
    if len(rows) != n_bands or any(row.ndim != 1 or not len(row) for row in rows):
        raise DeclarationError(f"{len(rows)} windows for {n_bands} bands; allowed: one row of numbers, or one per band")
    return [_interpolated(row) for row in rows]


def _interpolated(row: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda position: np.interp(position, np.linspace(0.0, 1.0, len(row)), row)


def _warn_of_unresolved(rows: np.ndarray, scale: FrequencyScale, rate: int) -> None:
    peaks = peak_hz(rate, rows)
    astray = np.flatnonzero((peaks < scale.band_starts) | (peaks > scale.band_stops))
    if len(astray):
        narrowest = int(astray[np.argmin(scale.bandwidths[astray])])
        needed = int(np.ceil(4.0 * rate / scale.bandwidths[narrowest]))
        warnings.warn(
            f"{rows.shape[1]} taps cannot resolve {len(astray)} of {len(scale)} bands, such as band {narrowest} at "
            f"{scale.center_frequencies[narrowest]:.1f} Hz, whose filter peaks at {peaks[narrowest]:.1f} Hz; "
            f"use about {needed} taps, or wider bands",
            stacklevel=3,
        )


def _with_units(rows: np.ndarray, scale: FrequencyScale, rate: int) -> ArrayWithUnits:
    return ArrayWithUnits(rows, [FrequencyDimension(scale), TimeDimension.from_rate(audio_sample_rate(rate))])
