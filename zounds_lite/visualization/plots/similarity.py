"""How like a recording is to itself: repetition shows as stripes, sections as squares.

Function: ``plot_self_similarity``.
"""

from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite._lazy import optional
from zounds_lite.spectral import self_similarity
from zounds_lite.timeseries import TimeDimension
from zounds_lite.visualization.plots.figure import finish, on_axes
from zounds_lite.visualization.plots.image import (
    colour_bar as draw_colour_bar,
    draw_values,
    place,
    say_empty,
)
from zounds_lite.visualization.plots.spectrogram import check_numbers, dimensions_of

__all__ = ["is_similarity", "plot_self_similarity"]

_MOST_FRAMES = 600
"""Of features, about as many as there are pixels are compared."""


def is_similarity(array: Any) -> bool:
    """Tell whether an array compares the frames of one axis of time with each other."""
    dimensions, shape = dimensions_of(array), np.shape(array)
    return (
        len(shape) == 2
        and shape[0] == shape[1]
        and isinstance(dimensions[0], TimeDimension)
        and dimensions[0] == dimensions[1]
    )


def plot_self_similarity(
    value: Any,
    axes: Any = None,
    measure: str = "cosine",
    colour_bar: bool = True,
    title: str | None = None,
    path: str | Path | None = None,
) -> Any:
    """Draw how like each moment is to each other one.

    Args:
        value (ArrayWithUnits): the result of ``self_similarity``, or frames of features, which are compared first;
            where there are more than 600 of them, groups of frames are averaged.
        axes (matplotlib.axes.Axes | None): where to draw; None: a new figure.
        measure (str): how features are compared, see ``self_similarity``.
        colour_bar (bool): write beside the picture which colour is how similar.
        title (str | None): what to write above the picture.
        path (str | Path | None): write the figure to this file, too; see ``save``.

    Shape:
        ``[time, time]`` or ``[time, ...]``

    Returns:
        matplotlib.axes.Axes: what was drawn on; it counts in seconds to the right and upwards, and is square.

    Raises:
        DimensionError: samples of audio, which are no frames, or an array without axes.
        DeclarationError: no numbers, or another measure.
        OptionalDependencyError: matplotlib is not installed.

    Examples:
        >>> from zounds_lite.core import ArrayWithUnits
        >>> from zounds_lite.timeseries import Seconds
        >>> frames = ArrayWithUnits(np.eye(4)[[0, 1, 0, 1]], [TimeDimension(Seconds(1)), None])
        >>> axes = plot_self_similarity(frames)
        >>> axes.get_xlabel(), axes.get_ylabel()
        ('time / s', 'time / s')
    """
    check_numbers(value, *range(1, 33))
    axes = on_axes(axes, 5.8, 4.8)
    if np.size(value) and not is_similarity(value):
        value = self_similarity(value, measure, max_frames=_MOST_FRAMES)
    side = (dimensions_of(value)[0], len(value))
    extent = place(axes, side, side)
    axes.set_box_aspect(1)
    if not np.size(value):
        say_empty(axes)
        return finish(axes, title, path)
    low = min(0.0, float(np.nan_to_num(np.asarray(value)).min()))
    norm = optional("matplotlib.colors").Normalize(low, 1.0)
    if colour_bar:
        draw_colour_bar(axes, norm, f"similarity ({measure})" if measure != "cosine" else "similarity")
    draw_values(axes, np.asarray(value), extent, norm)
    return finish(axes, title, path)
