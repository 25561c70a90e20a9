"""Axes of time, before and after a transform.

Goal: what a transform asks of the time axis it consumes, and the axis of the frames it gives. Functions:
``number_of_axis``, ``sample_rate_of``, ``windowed_dimension``.
"""

from typing import Any

from zounds_lite.errors import DimensionError, SampleRateError
from zounds_lite.timeseries import TimeDimension

__all__ = ["number_of_axis", "sample_rate_of", "windowed_dimension"]


def number_of_axis(x: Any, axis: int) -> int:
    """Return the number of an axis, counted from the first one.

    Args:
        x (np.ndarray): an array.
        axis (int): an axis of it; negative numbers count from the last one.

    Raises:
        DimensionError: the array has no such axis.
    """
    if not -x.ndim <= axis < x.ndim:
        raise DimensionError(f"axis={axis} of an array with {x.ndim} axes")
    return int(axis % x.ndim)


def sample_rate_of(dimension: Any, axis: int) -> int:
    """Return the samples per second of an axis of samples.

    Args:
        dimension (Dimension): the axis.
        axis (int): its number, for the error.

    Raises:
        DimensionError: it is no axis of time.
        SampleRateError: it is none of samples at a whole number of hertz.
    """
    if not isinstance(dimension, TimeDimension):
        raise DimensionError(f"axis {axis} is {dimension!r}; a transform needs an axis of time, name it with axis=")
    if dimension.rate is None or not dimension.is_audio:
        raise SampleRateError(
            f"axis {axis} is {dimension!r}, which is no axis of samples at a whole number of hertz; "
            "give AudioSamples, or windows of them"
        )
    return int(dimension.rate)


def windowed_dimension(dimension: TimeDimension, hop: int, window: int, **notes: Any) -> TimeDimension:
    """Return the time axis of windows that are cut from another time axis.

    Args:
        dimension (TimeDimension): the axis that is cut.
        hop (int): elements of it from one window to the next, >= 1.
        window (int): elements of it in a window, >= 1.
        notes (Any): what is known of the whole signal: ``start``, ``padding``, ``n_samples``.
    """
    if dimension.rate is None or dimension.hop is None or dimension.window is None:
        frequency, duration = dimension.frequency, dimension.duration
        return TimeDimension(frequency * hop, frequency * (window - 1) + duration, start=notes.get("start"))
    # n windows that overlap reach as far as n - 1 hops and one window
    span = (window - 1) * dimension.hop + dimension.window
    if not dimension.is_audio:
        notes = _notes_of_frames(dimension, **notes) if notes else {}
    return TimeDimension.windowed(dimension.hop * hop, span, dimension.rate, **notes)


def _notes_of_frames(dimension: TimeDimension, **notes: Any) -> dict[str, Any]:
    """Return what windows of frames know: the signal is still the one that the frames were cut from."""
    assert dimension.hop is not None
    padding = dimension.padding
    if padding is not None:
        padding += dimension.hop * (notes.get("padding") or 0)
    return {"start": notes.get("start"), "padding": padding, "n_samples": dimension.n_samples}
