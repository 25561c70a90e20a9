"""Descriptors with units: one number for each frame.

Goal: the descriptors of ``dsp`` on arrays that know hertz and seconds. Conventions: frequency is the last axis, and
each of its elements counts at the centre of its band, so bands of any scale will do; the result keeps the other axes,
notes included. Results in hertz are plain numbers.

Functions: ``spectral_centroid``, ``spectral_spread``, ``spectral_rolloff``, ``spectral_flatness`` of spectra;
``zero_crossing_rate``, ``rms`` of windows of samples.
"""

from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp import descriptors as dsp
from zounds_lite.errors import DimensionError
from zounds_lite.spectral.filters import frequency_scale

__all__ = [
    "rms",
    "spectral_centroid",
    "spectral_flatness",
    "spectral_rolloff",
    "spectral_spread",
    "zero_crossing_rate",
]


def spectral_centroid(tf: Any) -> Any:
    """Return the mean frequency of spectra, weighted by magnitude: where brightness lies.

    Args:
        tf (ArrayWithUnits): spectra, complex or real; frequency is the last axis, of any scale.

    Shape:
        [..., bins] -> [...]

    Returns:
        ArrayWithUnits: in Hz; 0 for silence. A plain number for one spectrum.

    Raises:
        DimensionError: the last axis has no frequencies.

    Examples:
        >>> from zounds_lite.spectral import stft
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [1000.0])
        >>> round(float(spectral_centroid(stft(tone))[3]))
        1000

    See Also:
        SpectralCentroid: the node. spectral_spread: how far the spectrum reaches around it.
    """
    return _with_units(dsp.centroid(np.asarray(tf), _frequencies(tf)), tf, -1)


def spectral_spread(tf: Any) -> Any:
    """Return how far spectra reach around their centroid, the standard deviation of frequency.

    Args:
        tf (ArrayWithUnits): spectra, complex or real; frequency is the last axis, of any scale.

    Shape:
        [..., bins] -> [...]

    Returns:
        ArrayWithUnits: in Hz; 0 for silence. A plain number for one spectrum.

    Raises:
        DimensionError: the last axis has no frequencies.

    Examples:
        >>> from zounds_lite.spectral import FrequencyBand, FrequencyDimension, LinearScale
        >>> linear = FrequencyDimension(LinearScale(FrequencyBand(0, 400), 4))
        >>> float(spectral_spread(ArrayWithUnits(np.array([1.0, 0.0, 1.0, 0.0]), [linear])))
        100.0

    See Also:
        SpectralSpread: the node.
    """
    return _with_units(dsp.spread(np.asarray(tf), _frequencies(tf)), tf, -1)


def spectral_rolloff(tf: Any, roll_percent: float = 0.85) -> Any:
    """Return the frequency below which a part of all magnitude lies.

    Args:
        tf (ArrayWithUnits): spectra, complex or real; frequency is the last axis, of any scale.
        roll_percent (float): the part, between 0 and 1; a fraction, despite its name.

    Shape:
        [..., bins] -> [...]

    Returns:
        ArrayWithUnits: in Hz; 0 for silence. A plain number for one spectrum.

    Raises:
        DimensionError: the last axis has no frequencies.
        DeclarationError: a part that is not between 0 and 1.

    Examples:
        >>> from zounds_lite.spectral import FrequencyBand, FrequencyDimension, LinearScale
        >>> linear = FrequencyDimension(LinearScale(FrequencyBand(0, 400), 4))
        >>> float(spectral_rolloff(ArrayWithUnits(np.ones(4), [linear]), 0.5))
        150.0

    See Also:
        SpectralRolloff: the node.
    """
    return _with_units(dsp.rolloff(np.asarray(tf), _frequencies(tf), roll_percent), tf, -1)


def spectral_flatness(tf: Any, power: float = 1.0, amin: float = 0.0, db: bool = False) -> Any:
    """Return how noise-like spectra are: geometric over arithmetic mean of magnitudes, 0..1.

    Args:
        tf (ArrayWithUnits): spectra, complex or real; frequency is the last axis, of any scale.
        power (float): exponent of the magnitudes before they are averaged, > 0.
        amin (float): raised magnitudes below it count as ``amin``, >= 0. With 0, silence has flatness 0; above it, 1.
        db (bool): True gives decibels, 20 / power * log10, never below -100 dB.

    Shape:
        [..., bins] -> [...]

    Returns:
        ArrayWithUnits: 1 for a flat spectrum, near 0 for a tone. A plain number for one spectrum.

    Raises:
        DimensionError: the last axis has no frequencies.
        DeclarationError: power not above 0, or amin below it.

    Examples:
        >>> from zounds_lite.spectral import FrequencyBand, FrequencyDimension, LinearScale
        >>> linear = FrequencyDimension(LinearScale(FrequencyBand(0, 400), 4))
        >>> float(spectral_flatness(ArrayWithUnits(np.ones(4), [linear])))
        1.0

    See Also:
        SpectralFlatness: the node.

    Sources:
        librosa 0.11, ``spectral_flatness``, is power=2 and amin=1e-10 of an unscaled transform.
    """
    frequency_scale(tf)
    return _with_units(dsp.flatness(np.asarray(tf), power, amin, db), tf, -1)


def zero_crossing_rate(x: Any, axis: int = -1, threshold: float = 1e-10) -> Any:
    """Return how often the sign of samples changes, as a part of their number.

    Args:
        x (ArrayWithUnits): windows of real samples, not multiplied with a window, which changes no sign.
        axis (int): the axis of samples.
        threshold (float): samples as far as this from zero count as zero, >= 0.

    Shape:
        [frames, time] -> [frames]

    Returns:
        ArrayWithUnits: 0..1; a tone of f Hz has 2 f / rate. A plain number for one window.

    Raises:
        DimensionError: an array without units, or no such axis.
        DeclarationError: complex samples, or a negative threshold.

    Examples:
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> round(float(zero_crossing_rate(tone)) * 11025 / 2)
        440

    See Also:
        ZeroCrossingRate: the node.
    """
    return _with_units(dsp.zero_crossing_rate(np.asarray(x), axis, threshold), x, axis)


def rms(x: Any, axis: int = -1) -> Any:
    """Return the root of the mean square of samples.

    Args:
        x (ArrayWithUnits): windows of real samples.
        axis (int): the axis of samples.

    Shape:
        [frames, time] -> [frames]

    Returns:
        ArrayWithUnits: amplitude; a plain number for one window.

    Raises:
        DimensionError: an array without units, or no such axis.
        DeclarationError: complex samples.

    Examples:
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [441.0])
        >>> round(float(rms(tone)), 4)
        0.7071

    See Also:
        RMS: the node.
    """
    return _with_units(dsp.rms(np.asarray(x), axis), x, axis)


def _frequencies(tf: Any) -> np.ndarray:
    """Return the frequency of each element of the last axis; the elements of a band share its centre."""
    centers = frequency_scale(tf).center_frequencies
    return np.asarray(tf.dimensions[-1].weights(centers, tf, -1)).ravel()


def _with_units(values: Any, x: Any, axis: int) -> Any:
    dimensions = getattr(x, "dimensions", None)
    if dimensions is None:
        raise DimensionError(f"{type(x).__name__} has no units; give windows of AudioSamples, or an array with units")
    if x.ndim == 1:
        return values
    axis %= x.ndim
    return ArrayWithUnits(values, [*dimensions[:axis], *dimensions[axis + 1 :]])
