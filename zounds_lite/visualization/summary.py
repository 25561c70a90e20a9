"""Values in one line of text, for listings and captions.

Goal: shape, type and units at a glance, where a ``repr`` takes many lines. Conventions: seconds and hertz. Functions:
``summary``, ``axis_summary``.
"""

import re
from typing import Any

import numpy as np

from zounds_lite.core import Dimension
from zounds_lite.spectral import ExplicitFrequencyDimension, FrequencyDimension
from zounds_lite.timeseries import TimeDimension

__all__ = ["axis_summary", "summary"]


def summary(value: Any, length: int = 200) -> str:
    """Return one line on a value: type, shape and axes of an array, the size of bytes, the start of all else.

    Args:
        value (Any): what to sum up.
        length (int): characters of a long ``repr`` that are shown.

    Examples:
        >>> from zounds_lite.timeseries import SR8000, AudioSamples
        >>> summary(AudioSamples(np.zeros(4000, np.float32), SR8000()))
        'AudioSamples float32 (4000,): 4000 samples at 8000 Hz, 0.5 s'
        >>> summary(np.zeros((2, 3))), summary(b"RIFF"), summary({"a": 1})
        ('ndarray float64 (2, 3)', '4 bytes', "{'a': 1}")
    """
    if isinstance(value, np.ndarray):
        text = f"{type(value).__name__} {value.dtype} {value.shape}"
        sizes_and_dimensions = zip(value.shape, getattr(value, "dimensions", ()), strict=False)
        axes = "; ".join(axis_summary(dimension, size) for size, dimension in sizes_and_dimensions)
        return f"{text}: {axes}" if axes else text
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"{len(value)} bytes"
    text = " ".join(repr(value).split())
    return text if len(text) <= length else f"{text[:length]}..."


def axis_summary(dimension: Dimension, size: int) -> str:
    """Return a few words on an axis.

    Args:
        dimension (Dimension): its units.
        size (int): its number of entries.

    Examples:
        >>> from zounds_lite.core import IdentityDimension
        >>> from zounds_lite.spectral import BarkScale, FrequencyBand
        >>> axis_summary(TimeDimension.windowed(512, 1024, 22050), 231)
        '231 frames, 0.02322 s apart, 0.04644 s long'
        >>> axis_summary(FrequencyDimension(BarkScale(FrequencyBand(20, 5000), 50)), 50)
        '50 bark bands, 20 to 5000 Hz'
        >>> axis_summary(IdentityDimension(), 3)
        '3 values'
    """
    if isinstance(dimension, TimeDimension):
        if dimension.is_audio:
            return f"{size} samples at {dimension.rate} Hz, {size / int(dimension.rate or 1):.4g} s"
        apart, long = (float(x / np.timedelta64(1, "s")) for x in (dimension.frequency, dimension.duration))
        return f"{size} frames, {apart:.4g} s apart, {long:.4g} s long"
    if isinstance(dimension, (FrequencyDimension, ExplicitFrequencyDimension)):
        scale = dimension.scale
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(scale).__name__.removesuffix("Scale"))
        kind = name if name.isupper() else name.lower()
        return f"{size} {kind} bands, {scale.start_hz:.6g} to {scale.stop_hz:.6g} Hz"
    return f"{size} values"
