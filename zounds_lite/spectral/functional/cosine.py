"""Cosine transforms with units.

Goal: ``dsp.dct``, ``dct4``, ``mdct`` and their inverses on arrays that know seconds and hertz. Conventions: transforms
are orthonormal; float32 stays float32; the axis of coefficients is the documented ``LinearScale`` from 0 Hz to half the
sample rate, one band per coefficient. Arrays without units are taken too, and give arrays without units.

Functions: ``dct``, ``idct``, ``dct_iv``, ``mdct``, ``imdct``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp import transforms
from zounds_lite.errors import DimensionError
from zounds_lite.spectral.dimension import FrequencyDimension
from zounds_lite.spectral.functional.axes import number_of_axis, sample_rate_of
from zounds_lite.spectral.linear import LinearScale
from zounds_lite.timeseries import TimeDimension, audio_sample_rate

__all__ = ["dct", "dct_iv", "idct", "imdct", "mdct"]

_Transform = Callable[[np.ndarray, int], np.ndarray]


def dct(x: Any, axis: int = -1, scale_always_even: bool = False) -> Any:
    """Transform real samples by the cosine transform of type II.

    Args:
        x (ArrayWithUnits | np.ndarray): real samples, for example windows of audio.
        axis (int): the axis of samples; the others are kept.
        scale_always_even (bool): slices of the result in hertz always take an even number of coefficients.

    Shape:
        [..., time] -> [..., time]

    Raises:
        DimensionError: the axis is no axis of time, or holds no samples.
        SampleRateError: the axis is none of samples at a whole number of hertz.
        DeclarationError: complex samples.

    Examples:
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> coefficients = dct(tone)
        >>> coefficients.shape, bool(np.isclose(np.sum(coefficients**2), np.sum(tone**2)))
        ((11025,), True)

    See Also:
        DCT: the node. idct, DCTSynthesizer: the inverses.
    """
    return _to_bands(x, axis, transforms.dct, scale_always_even)


def idct(coefficients: Any, axis: int = -1) -> Any:
    """Undo ``dct``.

    Args:
        coefficients (ArrayWithUnits | np.ndarray): real coefficients.
        axis (int): the axis of frequency. It becomes one of time where another axis knows the sample rate, as that of
            windows does, and one without units otherwise.

    Shape:
        [..., bins] -> [..., bins]

    Raises:
        DimensionError: the axis is none of frequency, or only a part of one.
        DeclarationError: complex coefficients.

    Examples:
        >>> idct(dct(np.array([1.0, 2.0, 3.0])))
        array([1., 2., 3.])

    See Also:
        dct (the inverse).
    """
    return _to_time(coefficients, axis, transforms.idct)


def dct_iv(x: Any, axis: int = -1, scale_always_even: bool = False) -> Any:
    """Transform real samples by the cosine transform of type IV, or their coefficients back: it is its own inverse.

    Args:
        x (ArrayWithUnits | np.ndarray): real samples, or coefficients.
        axis (int): the axis of samples, or of frequency; then as for ``idct``.
        scale_always_even (bool): slices of the result in hertz always take an even number of coefficients.

    Shape:
        [..., time] -> [..., time]

    Raises:
        DimensionError: the axis is none of time or frequency, or holds no samples.
        SampleRateError: the axis is none of samples at a whole number of hertz.
        DeclarationError: complex samples.

    Examples:
        >>> dct_iv(dct_iv(np.array([1.0, 2.0, 3.0])))
        array([1., 2., 3.])

    See Also:
        DCTIV: the node. DCTIVSynthesizer: the inverse.
    """
    dimensions = getattr(x, "dimensions", None)
    if dimensions is not None and isinstance(dimensions[number_of_axis(x, axis)], FrequencyDimension):
        return _to_time(x, axis, transforms.dct4)
    return _to_bands(x, axis, transforms.dct4, scale_always_even)


def mdct(x: Any, axis: int = -1) -> Any:
    """Transform frames of 2N samples to N coefficients by the modified discrete cosine transform.

    Args:
        x (ArrayWithUnits | np.ndarray): real frames, windowed already.
        axis (int): the axis of samples, an even number of them; the other axes are kept.

    Shape:
        [..., 2 N] -> [..., N]

    Raises:
        DimensionError: the axis is no axis of time, or holds an odd number of samples, or none.
        SampleRateError: the axis is none of samples at a whole number of hertz.
        DeclarationError: complex samples.

    Examples:
        >>> mdct(np.ones((10, 512))).shape
        (10, 256)

    See Also:
        MDCT: the node. MDCTSynthesizer: the inverse.
    """
    return _to_bands(x, axis, transforms.mdct)


def imdct(coefficients: Any, axis: int = -1) -> Any:
    """Turn N coefficients of ``mdct`` into 2N samples, which still hold the aliasing that overlap-add cancels.

    Args:
        coefficients (ArrayWithUnits | np.ndarray): real coefficients.
        axis (int): the axis of frequency, as for ``idct``.

    Shape:
        [..., N] -> [..., 2 N]

    Raises:
        DimensionError: the axis is none of frequency, or only a part of one.
        DeclarationError: complex coefficients.

    Examples:
        >>> imdct(np.ones((10, 256))).shape
        (10, 512)

    See Also:
        mdct; MDCTSynthesizer, which overlaps and adds.
    """
    return _to_time(coefficients, axis, transforms.imdct)


def _to_bands(x: Any, axis: int, transform: _Transform, always_even: bool = False) -> Any:
    dimensions = getattr(x, "dimensions", None)
    if dimensions is None:
        return transform(x, axis)
    axis = number_of_axis(x, axis)
    rate = sample_rate_of(dimensions[axis], axis)
    values = transform(np.asarray(x), axis)
    scale = LinearScale.from_sample_rate(rate, values.shape[axis], always_even)
    return ArrayWithUnits(values, [*dimensions[:axis], FrequencyDimension(scale), *dimensions[axis + 1 :]])


def _to_time(x: Any, axis: int, transform: _Transform) -> Any:
    dimensions = getattr(x, "dimensions", None)
    if dimensions is None:
        return transform(x, axis)
    axis = number_of_axis(x, axis)
    scale = getattr(dimensions[axis], "scale", None)
    if not isinstance(scale, LinearScale) or scale.grid is not None:
        raise DimensionError(
            f"axis {axis} is {dimensions[axis]!r}; the inverse needs all coefficients of a cosine transform: "
            "name their axis with axis=, and set coefficients to zero instead of slicing them away"
        )
    # half the rate, as the scale has it, is rounded down, so the rate comes from an axis that counts samples
    others = [*dimensions[:axis], *dimensions[axis + 1 :]]
    rate = next((d.rate for d in others if isinstance(d, TimeDimension) and d.rate is not None), None)
    time = None if rate is None else TimeDimension.from_rate(audio_sample_rate(rate))
    return ArrayWithUnits(transform(np.asarray(x), axis), [*dimensions[:axis], time, *dimensions[axis + 1 :]])
