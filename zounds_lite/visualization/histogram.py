"""Amplitudes over time, counted.

Goal: see how loud a recording is, and how its amplitudes are spread, in a picture of fixed size. Conventions: each
column is a stretch of time, and each row a range of amplitude, the lowest first. Function: ``amplitude_histogram``.
"""

from typing import Any

import numpy as np

from zounds_lite._declared.values import picoseconds
from zounds_lite.core import ArrayWithUnits, Dimension, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.timeseries import TimeDimension
from zounds_lite.timeseries.durations import from_picoseconds

__all__ = ["amplitude_histogram"]


def amplitude_histogram(
    samples: Any, n_frames: int = 1000, n_bins: int = 100, value_range: tuple[float, float] | None = (-1.0, 1.0)
) -> ArrayWithUnits:
    """Count the amplitudes in each of many stretches of a recording; the most frequent one of each stretch becomes 1.

    Args:
        samples (AudioSamples | np.ndarray): real samples; channels are averaged. The stretches are those of
            ``np.array_split``; where there are fewer samples than stretches, neighbours share samples.
        n_frames (int): stretches of time, >= 1.
        n_bins (int): ranges of amplitude, >= 1.
        value_range (tuple[float, float] | None): the lowest and the highest amplitude that count; what lies outside is
            left out. None: those of each stretch on its own, so that rows of different columns mean different
            amplitudes, and silence cannot be told from sound.

    Shape:
        [time] or [time, channels] -> [bins, frames]

    Returns:
        ArrayWithUnits: 0..1; a column without any sample inside the range is 0. NaN is counted nowhere.

    Raises:
        DimensionError: no samples, or more than two axes.
        DeclarationError: complex samples, or an argument out of its range.

    Examples:
        >>> from zounds_lite.timeseries import SR8000, AudioSamples
        >>> quiet_then_loud = AudioSamples(np.repeat([0.1, -0.9], 4000), SR8000())
        >>> amplitude_histogram(quiet_then_loud, n_frames=2, n_bins=4)
        ArrayWithUnits([[0., 1.],
                        [0., 0.],
                        [1., 0.],
                        [0., 0.]])
    """
    if not (n_frames >= 1 and n_bins >= 1):
        raise DeclarationError(f"n_frames={n_frames!r}, n_bins={n_bins!r}; allowed: 1 or more of each")
    if value_range is not None and not value_range[0] < value_range[1]:
        raise DeclarationError(f"value_range={value_range!r}; allowed: two rising amplitudes, or None")
    signal = np.asarray(samples)
    if signal.ndim not in (1, 2) or not signal.size:
        raise DimensionError(
            f"samples of shape {signal.shape}; allowed: (time,) or (time, channels), at least one of each"
        )
    if signal.dtype.kind not in "fiub":
        raise DeclarationError(
            f"samples of {signal.dtype}; only real ones have an amplitude, take np.abs(samples) first"
        )
    out = np.zeros((n_bins, n_frames))
    for column, (start, stop) in enumerate(_stretches(len(signal), n_frames)):
        part = signal[start:stop]
        with np.errstate(invalid="ignore"):  # infinite channels of different signs
            part = part.mean(axis=-1) if part.ndim == 2 else part
        counts, _ = np.histogram(part[np.isfinite(part)], n_bins, value_range)
        out[:, column] = counts / max(1, counts.max())
    return ArrayWithUnits(out, [IdentityDimension(), _time_of(samples, n_frames)])


def _stretches(length: int, count: int) -> list[tuple[int, int]]:
    """Return the bounds of stretches: those of ``np.array_split``, or of one sample where there are too few."""
    if length < count:
        starts = np.arange(count) * length // count
        return [(start, start + 1) for start in starts.tolist()]
    size, longer = divmod(length, count)
    edges = np.arange(count + 1) * size + np.minimum(np.arange(count + 1), longer)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _time_of(samples: Any, n_frames: int) -> Dimension:
    """Return the axis of the stretches, whose mean length is what they are apart."""
    time = getattr(samples, "dimensions", (None,))[0]
    if not isinstance(time, TimeDimension):
        return IdentityDimension()
    return TimeDimension(from_picoseconds(max(1, picoseconds(time.end) // n_frames)), start=time.start)
