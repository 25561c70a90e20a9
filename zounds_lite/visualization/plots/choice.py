"""The picture that fits a value. Function: ``plot``."""

from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import DimensionError
from zounds_lite.timeseries import AudioSamples, TimeDimension, VariableRateTimeSeries
from zounds_lite.timeseries.durations import in_seconds
from zounds_lite.visualization.plots.figure import finish, new_figure, on_axes
from zounds_lite.visualization.plots.image import ink, say_empty
from zounds_lite.visualization.plots.rainbowgram import plot_rainbowgram
from zounds_lite.visualization.plots.similarity import is_similarity, plot_self_similarity
from zounds_lite.visualization.plots.spectrogram import (
    dimensions_of,
    is_chroma,
    is_frequency,
    levels_in_common,
    plot_chromagram,
    plot_spectrogram,
)
from zounds_lite.visualization.plots.waveform import plot_curve, plot_waveform

__all__ = ["plot"]

_MOST_PANELS = 16


def plot(value: Any, axes: Any = None, title: str | None = None, path: str | Path | None = None, **options: Any) -> Any:
    """Draw a value as its units suggest.

    Samples are drawn as a waveform, whatever their channels; arrays of one axis as a curve; of two axes as a
    spectrogram, a chromagram or a self-similarity, whichever their dimensions tell; colours that ``rainbowgram`` made
    as they are; arrays of more axes as several pictures over time and frequency, or over the last two axes; series of
    slices of time as stretches. Arrays without units are drawn by index.

    Args:
        value (ArrayWithUnits | np.ndarray | VariableRateTimeSeries): what to draw.
        axes (matplotlib.axes.Axes | None): where to draw; None: a new figure.
        title (str | None): what to write above the picture.
        path (str | Path | None): write the figure to this file, too; see ``save``.
        options (Any): those of the function that draws, such as ``floor_db`` of ``plot_spectrogram``.

    Returns:
        matplotlib.axes.Axes | matplotlib.figure.Figure: what was drawn on; the figure, where there are several
        pictures.

    Raises:
        DeclarationError: no numbers, or something that is no array.
        DimensionError: a number without axes, or axes given for an array of more than two axes.
        OptionalDependencyError: matplotlib is not installed.

    Examples:
        >>> from zounds_lite.timeseries import SR8000, AudioSamples
        >>> samples = AudioSamples(np.sin(np.arange(8000.0)), SR8000())
        >>> plot(samples).get_ylabel(), plot(np.eye(3)).get_ylabel()
        ('amplitude', 'index')
        >>> samples.plot().get_xlabel()
        'time / s'
    """
    if isinstance(value, VariableRateTimeSeries):
        return _plot_series(value, axes, title, path)
    if not isinstance(value, np.ndarray):
        value = np.asarray(value)
    if value.ndim == 0:
        raise DimensionError(f"{value!r} has no axes to draw along; give an array of at least one axis")
    if value.ndim == 3 and _is_colours(value):
        return plot_rainbowgram(value, axes, title=title, path=path, **options)
    if value.ndim > 2:
        return _plot_panels(value, axes, title, path, options)
    return _fitting(value)(value, axes, title=title, path=path, **options)


def _fitting(value: np.ndarray) -> Any:
    """Return the function that draws an array of one or two axes."""
    dimensions = dimensions_of(value)
    if isinstance(value, AudioSamples):
        return plot_waveform
    if value.ndim == 1:
        return plot_curve
    if any(is_chroma(dimension) for dimension in dimensions):
        return plot_chromagram
    return plot_self_similarity if is_similarity(value) else plot_spectrogram


def _is_colours(value: np.ndarray) -> bool:
    """Tell whether an array over time and frequency has red, green and blue in 0..1 on its last axis."""
    if value.shape[2] != 3 or value.dtype.kind != "f" or not any(map(is_frequency, dimensions_of(value)[:2])):
        return False
    return bool(value.size and np.nanmin(np.asarray(value)) >= 0 and np.nanmax(np.asarray(value)) <= 1)


def _plot_panels(value: np.ndarray, axes: Any, title: str | None, path: Any, options: dict[str, Any]) -> Any:
    """Draw an array of many axes as several pictures of two."""
    if axes is not None:
        raise DimensionError(
            f"an array of shape {value.shape} on one pair of axes; take a part of it with two axes, or give no axes"
        )
    dimensions = dimensions_of(value)
    shown = [next((k for k, d in enumerate(dimensions) if isinstance(d, TimeDimension)), value.ndim - 2)]
    shown += [next((k for k, d in enumerate(dimensions) if is_frequency(d) and k not in shown), value.ndim - 1)]
    if shown[0] == shown[1]:
        shown[1] = value.ndim - 2
    kinds = [dimensions[k] for k in shown]
    panels = np.moveaxis(np.asarray(value), shown, (-2, -1))
    places = list(np.ndindex(panels.shape[:-2]))
    count = min(len(places), _MOST_PANELS)
    if not count:
        raise DimensionError(f"an array of shape {value.shape} has nothing to draw; give at least one of each")
    parts = [
        panels[place] if kinds == [None, None] else ArrayWithUnits(panels[place], kinds) for place in places[:count]
    ]
    if _fitting(parts[0]) is plot_spectrogram and not {"measure", "ref"} & options.keys():
        options = {**options, **levels_in_common(parts)}
    figure = new_figure(10.0, 0.6 + 2.4 * count)
    grid = figure.subplots(count, 1, squeeze=False, sharex=True)[:, 0]
    for part, place, where in zip(parts, places, grid, strict=False):
        plot(part, where, title=_index(place, shown), **options)
        if where is not grid[-1]:
            where.set_xlabel("")
    if title is None and count < len(places):
        title = f"the first {count} of {len(places)}"
    return finish(figure, title, path)


def _index(place: tuple[int, ...], shown: list[int]) -> str:
    """Write what part of an array is drawn, as Python takes it."""
    parts = list(map(str, place))
    for axis in sorted(shown):
        parts.insert(axis, ":")
    return f"[{', '.join(parts)}]"


def _plot_series(series: VariableRateTimeSeries, axes: Any, title: str | None, path: Any) -> Any:
    """Draw numbers as levels over their stretches of time, and all else as the stretches alone."""
    axes = on_axes(axes, height=2.5)
    axes.set_xlabel("time / s")
    entries = [(stretch, value) for stretch, value in series if not stretch.is_open]
    starts = np.array([in_seconds(stretch.start) for stretch, _ in entries])
    lengths = np.array([in_seconds(stretch.end) for stretch, _ in entries]) - starts
    values = [value for _, value in entries]
    if not entries:
        say_empty(axes)
    elif all(value.ndim == 0 and value.dtype.kind in "biuf" for value in values):
        axes.set_ylabel("value")
        axes.hlines(np.array(values, dtype=np.float64), starts, starts + lengths, color=ink(), linewidth=2)
    else:
        axes.set_yticks([])
        spans = np.stack([starts, lengths], axis=1)
        for step, odd in ((64, 0), (140, 1)):
            axes.broken_barh(spans[odd::2], (0.0, 1.0), facecolors=ink(step))
    return finish(axes, title, path)
