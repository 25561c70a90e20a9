"""Figures with axes, as SVG: without a plotting library, and in one piece.

Goal: ``figure_svg`` draws any array of one or two axes with ticks in seconds and hertz. Conventions: time runs to the
right, low frequencies and low amplitudes are at the bottom; values that are not numbers (NaN) are gaps; what is drawn
as text or lines has the colour of the text around it, so it reads on dark pages too. A figure refers to nothing
outside itself, and its size does not grow with the array's: a pixel shows the largest of its values. Functions:
``figure_svg``, ``has_figure``; the shapes that figures are made of stand in ``shapes``, lines in ``lines``.
"""

from typing import Any

import numpy as np

from zounds_lite.core import Dimension, IdentityDimension
from zounds_lite.errors import DimensionError
from zounds_lite.spectral import ExplicitFrequencyDimension, FrequencyDimension
from zounds_lite.timeseries import AudioSamples, TimeDimension
from zounds_lite.visualization.axes import Axis, axis_of, covered_seconds, ruler_of
from zounds_lite.visualization.colours import perceptual_colours
from zounds_lite.visualization.levels import Levels, levels_of, reduced
from zounds_lite.visualization.lines import lines_svg
from zounds_lite.visualization.png import png_bytes
from zounds_lite.visualization.shapes import (
    Frame,
    bottom_axis,
    image,
    left_axis,
    note,
    rectangle,
    right_ticks,
    round_values,
    svg,
    text,
)
from zounds_lite.visualization.summary import summary

__all__ = ["figure_svg", "has_figure"]

_WIDTH, _HEIGHT = 760, 330
_MOST_COLUMNS, _MOST_ROWS = 800, 320
_SPECTRUM = Frame(left=64, top=10, width=600, height=270)
_BAR = Frame(left=678, top=10, width=14, height=270)

_GAP = "#b9bfc7"
"""Grey, which is no colour of the map: what is no number."""

_FREQUENCY = (FrequencyDimension, ExplicitFrequencyDimension)


def has_figure(value: Any) -> bool:
    """Tell whether ``figure_svg`` draws a value: an array of numbers with one or two axes.

    Examples:
        >>> has_figure(np.zeros((2, 3))), has_figure(np.zeros((2, 2, 2))), has_figure("text")
        (True, False, False)
    """
    return isinstance(value, np.ndarray) and value.ndim in (1, 2) and value.dtype.kind in "biufc"


def figure_svg(array: np.ndarray, floor_db: float | None = None) -> str:
    """Draw an array with its axes: audio and series as lines, all other arrays of two axes as a picture of levels.

    Complex numbers, and values of bands that are never negative, are drawn in dB under the loudest; everything else as
    it is, from the lowest to the highest value.

    Args:
        array (np.ndarray): numbers; units are welcome and not needed: an axis without them counts.
        floor_db (float | None): level that is drawn darkest, in dB under the loudest value, < 0; None chooses one.

    Shape:
        ``[time]``, ``[time, channels]``, ``[bands]``, ``[frames, bands]`` or ``[bands, frames]``

    Returns:
        str: an ``svg`` element.

    Raises:
        DimensionError: no numbers, or more than two axes.

    Examples:
        >>> from zounds_lite.timeseries import SR8000
        >>> figure_svg(AudioSamples(np.zeros(8000), SR8000()))[:5]
        '<svg '

    See Also:
        spectrogram_png: the picture alone, as a file.
    """
    if not has_figure(array):
        raise DimensionError(
            f"no figure of {summary(array)}; allowed: arrays of numbers with one or two axes. Slice the array first"
        )
    if array.ndim == 1 or isinstance(array, AudioSamples):
        return lines_svg(array, floor_db)
    values, (across, up) = _upright(array)
    if not values.size:
        return _empty(array, across, up)
    small = reduced(values, _MOST_COLUMNS, _MOST_ROWS)
    return _picture(array, small, levels_of(small, floor_db, _is_db(array)), across, up)


def _dimensions(array: np.ndarray) -> tuple[Dimension, ...]:
    return getattr(array, "dimensions", (IdentityDimension(),) * array.ndim)


def _upright(array: np.ndarray) -> tuple[np.ndarray, tuple[Dimension, Dimension]]:
    """Return the plain values with the axis that runs to the right first: time, where only the second one is time."""
    values, dimensions = np.asarray(array), _dimensions(array)
    is_time = [isinstance(dimension, TimeDimension) for dimension in dimensions]
    if is_time == [False, True]:
        return values.T, (dimensions[1], dimensions[0])
    return values, (dimensions[0], dimensions[1])


def _is_db(array: np.ndarray) -> bool | None:
    """Tell whether values are levels: None where their signs decide, False where they are no magnitudes of a spectrum.

    Truth values, and what has time on an axis but no bands, such as similarities, are drawn as they are.
    """
    dimensions = _dimensions(array)
    has_bands = any(isinstance(dimension, _FREQUENCY) for dimension in dimensions)
    is_spectrum = has_bands or all(isinstance(dimension, IdentityDimension) for dimension in dimensions)
    return None if array.dtype.kind == "c" or (is_spectrum and array.dtype.kind != "b") else False


def _picture(array: np.ndarray, values: np.ndarray, levels: Levels, across: Dimension, up: Dimension) -> str:
    gaps = np.isnan(values)
    # colour 0 is no colour, so that what lies behind the picture is seen in the gaps
    numbers = np.where(gaps, 0, 1 + np.rint(levels.steps * (254 / 255))).astype(np.uint8)
    colours = np.full((256, 4), 255, np.uint8)
    colours[1:, :3] = perceptual_colours(255)
    colours[0] = 0
    shape = _upright(array)[0].shape
    place, axis = _placed(across, shape[0])
    parts = [rectangle(place, fill=_GAP)] if gaps.any() else []
    parts += [
        image(png_bytes(numbers.T[::-1], colours), place),
        rectangle(_SPECTRUM),
        bottom_axis(axis, _SPECTRUM),
        left_axis(axis_of(up, shape[1]), _SPECTRUM),
        *([] if gaps.all() else _colour_bar(levels)),
    ]
    if gaps.any():
        parts.append(note("grey: no number (NaN)", _SPECTRUM))
    return svg(_WIDTH, _HEIGHT, summary(array), parts)


def _placed(across: Dimension, size: int) -> tuple[Frame, Axis]:
    """Return where the picture goes, and the axis under it.

    A window of time is drawn around its middle, so the picture begins a little later than the first window does; the
    axis begins with the window.
    """
    if not isinstance(across, TimeDimension):
        return _SPECTRUM, axis_of(across, size)
    ruler = ruler_of(across, size)
    assert ruler is not None
    first, last = ruler.value_at(0.0), ruler.value_at(float(size))
    covered = covered_seconds(across, size)
    low, high = min(first, covered[0]), max(last, covered[1])
    scale = _SPECTRUM.width / (high - low)
    place = Frame(_SPECTRUM.left + (first - low) * scale, _SPECTRUM.top, (last - first) * scale, _SPECTRUM.height)
    ticks = tuple(((value - low) * scale, words) for value, words in round_values(low, high, 10))
    return place, Axis(ruler.label, int(_SPECTRUM.width), ticks)


def _colour_bar(levels: Levels) -> list[str]:
    if levels.low == levels.high:
        at = _BAR.left + 4, _BAR.top + 12
        return [text(*at, "all values are", "start"), text(at[0], at[1] + 14, f"{levels.high:.4g}", "start")]
    bar = np.arange(255, -1, -1, dtype=np.uint8)[:, None]
    label = "dB under the loudest" if levels.is_db else "value"
    return [
        image(png_bytes(bar, perceptual_colours()), _BAR),
        right_ticks(levels.low, levels.high, label, _BAR),
    ]


def _empty(array: np.ndarray, across: Dimension, up: Dimension) -> str:
    labels = [axis_of(dimension, 0).label for dimension in (across, up)]
    parts = [
        rectangle(_SPECTRUM),
        text(*_SPECTRUM.middle, "empty: no values"),
        text(_SPECTRUM.middle[0], _HEIGHT - 8, labels[0]),
        text(14, _SPECTRUM.middle[1], labels[1], turned=True),
    ]
    return svg(_WIDTH, _HEIGHT, summary(array), parts)
