"""Samples, and what happens in them, over time.

Goal: hours of samples are drawn as fast as a second, and nothing in them is lost. Conventions: where there are more
samples than pixels, each pixel column reaches from its lowest to its highest sample; of complex numbers the magnitude
is drawn; channels lie in bands, the first at the top; NaN leaves a gap. Functions: ``plot_waveform``, ``plot_curve``
(any one-dimensional array), ``plot_onsets``.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.dsp.level import amplitude_to_db
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.timeseries import TimeDimension, TimeSlice, VariableRateTimeSeries
from zounds_lite.timeseries.durations import in_seconds
from zounds_lite.visualization.axes import Ruler, ruler_of
from zounds_lite.visualization.envelope import envelope
from zounds_lite.visualization.plots.figure import columns_of, finish, on_axes
from zounds_lite.visualization.plots.image import ink, place_side, say_empty
from zounds_lite.visualization.plots.spectrogram import check_numbers, dimensions_of, is_frequency

__all__ = ["plot_curve", "plot_onsets", "plot_waveform"]

_DOTS = 100
"""So few samples are marked one by one."""

_FLOOR_DB = -120.0

_ROOM = 1.05
"""Half the height of a band, over full scale."""


def plot_waveform(
    samples: Any, axes: Any = None, color: Any = None, title: str | None = None, path: str | Path | None = None
) -> Any:
    """Draw the envelope of samples: the lowest and the highest of each pixel.

    Args:
        samples (AudioSamples | np.ndarray): samples; an array without units is drawn by index.
        axes (matplotlib.axes.Axes | None): where to draw; None: a new figure.
        color (Any): of the ink, any that matplotlib knows; None: dark violet.
        title (str | None): what to write above the picture.
        path (str | Path | None): write the figure to this file, too; see ``save``.

    Shape:
        ``[time]`` or ``[time, channels]``

    Returns:
        matplotlib.axes.Axes: what was drawn on; it counts in seconds. One channel reaches from -1 to 1, or to the peak
        where that is higher, with a little room; each of several has a band of that height.

    Raises:
        DimensionError: more than two axes.
        DeclarationError: no numbers.
        OptionalDependencyError: matplotlib is not installed.

    Examples:
        >>> from zounds_lite.timeseries import SR8000, AudioSamples
        >>> axes = plot_waveform(AudioSamples(np.sin(np.arange(8000.0)), SR8000()))
        >>> axes.get_xlabel(), axes.get_ylabel()
        ('time / s', 'amplitude')

    See Also:
        waveform_png: a picture without axes, and without matplotlib.
    """
    check_numbers(samples, 1, 2)
    axes = on_axes(axes, height=2.5 if np.ndim(samples) == 1 else 1.5 + 1.2 * min(8, np.shape(samples)[1]))
    channels = np.asarray(samples)[None] if np.ndim(samples) == 1 else np.asarray(samples).T
    dimension = dimensions_of(samples)[0]
    place_side(axes, "x", (dimension, channels.shape[1]))
    axes.set_ylabel("amplitude")
    axes.set_ylim(-_ROOM, _ROOM)
    if not channels.size:
        say_empty(axes)
        return finish(axes, title, path)
    ruler = _ruler(dimension, channels.shape[1])
    outlines = [_outline(channel, columns_of(axes)) for channel in channels]
    height = _ROOM * max(1.0, *(_peak(low, high) for low, high in outlines))
    for band, outline in enumerate(outlines):
        # what is infinite ends with its band
        low, high = (np.clip(side, -height, height) - 2.0 * height * band for side in outline)
        _draw_outline(axes, ruler, low, high, ink() if color is None else color)
    axes.set_ylim(height * (1.0 - 2.0 * len(channels)), height)
    if len(channels) > 1:
        _name_bands(axes, height, len(channels))
    return finish(axes, title, path)


def _ruler(dimension: Any, size: int) -> Ruler:
    """Return the ruler of an axis; positions themselves where its values do not rise."""
    return ruler_of(dimension, size) or Ruler("", size, np.array([0.0, 1.0]), np.array([0.0, 1.0]))


def _outline(channel: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return low and high of each column; all samples, as both, where there is room for them."""
    return envelope(channel, columns if len(channel) > 2 * columns else len(channel))


def _peak(low: np.ndarray, high: np.ndarray) -> float:
    values = np.abs([low, high])
    return float(values[np.isfinite(values)].max(initial=0.0))


def _draw_outline(axes: Any, ruler: Ruler, low: np.ndarray, high: np.ndarray, color: Any) -> None:
    """Draw what lies between low and high; NaN leaves a gap."""
    if len(low) == ruler.size:
        at = ruler.value_at(np.arange(len(low)) + 0.5)
        marker = "." if len(low) <= _DOTS else None
        axes.plot(at, low, color=color, linewidth=0.8, marker=marker)
        return
    edges = ruler.value_at(np.linspace(0.0, ruler.size, len(low) + 1))
    axes.stairs(high, edges, baseline=low, fill=True, facecolor=color, edgecolor=color, linewidth=0.4)


def _name_bands(axes: Any, height: float, count: int) -> None:
    axes.set_ylabel("channel")
    middles = -2.0 * height * np.arange(count)
    names = ["left", "right"] if count == 2 else [str(k) for k in range(count)]
    axes.set_yticks(middles, names)
    for edge in middles[1:] + height:
        axes.axhline(edge, color="0.8", linewidth=0.8)


def plot_curve(
    array: Any, axes: Any = None, label: str | None = None, title: str | None = None, path: str | Path | None = None
) -> Any:
    """Draw a one-dimensional array: a feature over time, a spectrum over frequency, or values by index.

    Args:
        array (ArrayWithUnits | np.ndarray): real or complex. Complex spectra, and those that are never negative, are
            drawn in dB under the loudest value, down to -120 dB.
        axes (matplotlib.axes.Axes | None): where to draw; None: a new figure.
        label (str | None): what the values are, quantity and unit; None: ``"value"``, or ``"level / dB"``.
        title (str | None): what to write above the picture.
        path (str | Path | None): write the figure to this file, too; see ``save``.

    Shape:
        ``[time]``, ``[frequency]`` or any axis

    Returns:
        matplotlib.axes.Axes: what was drawn on.

    Raises:
        DimensionError: not one axis.
        DeclarationError: no numbers.
        OptionalDependencyError: matplotlib is not installed.

    Examples:
        >>> plot_curve(np.arange(10)).get_xlabel()
        'index'
    """
    check_numbers(array, 1)
    axes = on_axes(axes, height=3.0)
    dimension, plain, quantity = dimensions_of(array)[0], np.asarray(array), "value"
    place_side(axes, "x", (dimension, len(plain)))
    if not plain.size:
        say_empty(axes)
    else:
        if is_frequency(dimension) and (plain.dtype.kind == "c" or not (plain < 0).any()):
            plain, quantity = _spectrum_db(plain), "level / dB"
        low, high = _outline(plain, columns_of(axes))
        bottom, top = _limits(low, high)
        _draw_outline(axes, _ruler(dimension, len(plain)), np.clip(low, bottom, top), np.clip(high, bottom, top), ink())
        axes.set_ylim(bottom, top)
    axes.set_ylabel(label or quantity)
    return finish(axes, title, path)


def _limits(low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """Return the lowest and the highest value that is one, with a little room around them."""
    values = np.concatenate([low, high])
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    bottom, top = float(finite.min()), float(finite.max())
    room = 0.05 * (top - bottom) or 0.5
    return bottom - room, top + room


def _spectrum_db(spectrum: np.ndarray) -> np.ndarray:
    magnitudes = np.abs(spectrum).astype(np.float64)
    top = float(magnitudes[np.isfinite(magnitudes)].max(initial=0.0)) or 1.0
    return amplitude_to_db(magnitudes, top, top * 10.0 ** (_FLOOR_DB / 20.0), None)


def plot_onsets(
    samples: Any,
    onsets: Any = (),
    beats: Any = (),
    axes: Any = None,
    title: str | None = None,
    path: str | Path | None = None,
) -> Any:
    """Draw onsets and beats as lines over a waveform.

    Args:
        samples (AudioSamples | np.ndarray): samples that have a time axis.
        onsets (VariableRateTimeSeries | Iterable): where sounds start: slices of time, durations such as
            ``Seconds(1)``, or numbers of seconds, from the start of ``samples``; solid lines.
        beats (VariableRateTimeSeries | Iterable): where beats fall, in the same units; dashed lines.
        axes (matplotlib.axes.Axes | None): where to draw; None: a new figure.
        title (str | None): what to write above the picture.
        path (str | Path | None): write the figure to this file, too; see ``save``.

    Shape:
        ``[time]`` or ``[time, channels]``

    Returns:
        matplotlib.axes.Axes: what was drawn on; it counts in seconds.

    Raises:
        DimensionError: the samples have no time axis.
        DeclarationError: something that is no moment in time.
        OptionalDependencyError: matplotlib is not installed.

    Examples:
        >>> from zounds_lite.timeseries import SR8000, AudioSamples, Seconds
        >>> silence = AudioSamples(np.zeros(8000), SR8000())
        >>> axes = plot_onsets(silence, onsets=[Seconds(0.25)], beats=[0.0, 0.5])
        >>> [text.get_text() for text in axes.get_legend().get_texts()]
        ['onsets (1)', 'beats (2)']
    """
    time = dimensions_of(samples)[0] if np.ndim(samples) else None
    if not isinstance(time, TimeDimension):
        raise DimensionError(f"samples with the axis {time!r}; onsets need a time axis, such as that of AudioSamples")
    moments = [("onsets", _seconds(onsets), "-", 0.9), ("beats", _seconds(beats), "--", 0.7)]
    start = 0.0 if time.start is None else in_seconds(time.start)
    axes = plot_waveform(samples, axes, color="0.65")
    for (name, seconds, line, part), step in zip(moments, (140, 40), strict=True):
        if len(seconds):
            style = {"color": ink(step), "linestyle": line, "linewidth": 1.2, "label": f"{name} ({len(seconds)})"}
            # of the axes' height upwards, of the seconds to the right
            axes.vlines(seconds + start, 0.5 - part / 2, 0.5 + part / 2, transform=axes.get_xaxis_transform(), **style)
    if any(len(seconds) for _, seconds, *_ in moments):
        # above the axes, where it hides no sample
        axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, borderaxespad=0.2)
    return finish(axes, title, path)


def _seconds(moments: Any) -> np.ndarray:
    """Return moments in seconds, in order."""
    if isinstance(moments, VariableRateTimeSeries):
        moments = moments.slices
    if not isinstance(moments, Iterable):
        raise DeclarationError(f"{moments!r} is no list of moments; allowed: TimeSlice, durations, or seconds")
    return np.sort(np.array([_second(moment) for moment in moments], dtype=np.float64))


def _second(moment: Any) -> float:
    if isinstance(moment, TimeSlice):
        moment = moment.start
    if isinstance(moment, np.timedelta64):
        return in_seconds(moment)
    if isinstance(moment, (int, float, np.integer, np.floating)) and np.isfinite(moment):
        return float(moment)
    raise DeclarationError(f"{moment!r} is no moment; allowed: TimeSlice, a duration such as Seconds(1), or seconds")
