"""Spectra in colour: brightness is magnitude, and hue is how fast the phase turns. Function: ``plot_rainbowgram``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite._lazy import optional
from zounds_lite.errors import DimensionError
from zounds_lite.spectral import rainbowgram
from zounds_lite.visualization.levels import group_edges
from zounds_lite.visualization.plots.figure import finish, on_axes
from zounds_lite.visualization.plots.image import MOST_PIXELS, draw_image, place, repeated, say_empty
from zounds_lite.visualization.plots.spectrogram import check_numbers, dimensions_of

__all__ = ["plot_rainbowgram"]

_MOST_VALUES = 1 << 24
"""The hues of a rainbowgram are those of all its values, so all are held: so many take about half a gigabyte."""


def plot_rainbowgram(
    spectra: Any,
    axes: Any = None,
    colormap: Callable[[np.ndarray], Any] | None = None,
    title: str | None = None,
    path: str | Path | None = None,
) -> Any:
    """Draw spectra in colour: tones keep one hue as long as they keep their frequency, and noise has all hues.

    Args:
        spectra (ArrayWithUnits): complex spectra, such as the result of ``stft``, or what ``rainbowgram`` made of them.
        axes (matplotlib.axes.Axes | None): where to draw; None: a new figure.
        colormap (Callable | None): see ``rainbowgram``; None: ``hsv`` of matplotlib, which begins and ends with red.
        title (str | None): what to write above the picture.
        path (str | Path | None): write the figure to this file, too; see ``save``.

    Shape:
        ``[frames, bins]`` or ``[frames, bins, 3]``

    Returns:
        matplotlib.axes.Axes: what was drawn on; it counts in seconds and hertz.

    Raises:
        DimensionError: other axes, or more than 16 million values; take a stretch of time then.
        DeclarationError: the colour map gives no colours.
        OptionalDependencyError: matplotlib is not installed.

    Examples:
        >>> from zounds_lite.spectral import stft
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> plot_rainbowgram(stft(tone)).get_ylabel()
        'frequency / Hz'
    """
    check_numbers(spectra, 2, 3)
    shape = np.shape(spectra)
    if len(shape) == 3 and shape[2] != 3:
        raise DimensionError(f"a picture of shape {shape}; allowed: spectra (frames, bins), or colours (.., .., 3)")
    if shape[0] * shape[1] > _MOST_VALUES:
        raise DimensionError(
            f"a rainbowgram of {shape[0]} x {shape[1]} values; allowed: {_MOST_VALUES} in all; "
            "take a stretch of time, such as spectra[TimeSlice(Seconds(30))]"
        )
    axes = on_axes(axes)
    extent = place(axes, (dimensions_of(spectra)[0], shape[0]), (dimensions_of(spectra)[1], shape[1]))
    if not np.size(spectra):
        say_empty(axes)
        return finish(axes, title, path)
    if len(shape) == 2:
        spectra = rainbowgram(spectra, optional("matplotlib").colormaps["hsv"] if colormap is None else colormap)
    kept = _brightest(np.asarray(spectra), *MOST_PIXELS)

    def fit(columns: int, rows: int) -> np.ndarray:
        image = repeated(_brightest(kept, columns, rows), columns, rows)
        return _opaque(image).transpose(1, 0, 2)

    draw_image(axes, fit, extent)
    return finish(axes, title, path)


def _brightest(colours: np.ndarray, most_frames: int, most_bands: int) -> np.ndarray:
    """Reduce colours to what a picture has room for, by the brightest of each group along each axis."""
    for most in (most_frames, most_bands):
        edges = group_edges(len(colours), min(len(colours), most))
        parts = [_brightest_row(colours[start:stop]) for start, stop in zip(edges[:-1], edges[1:], strict=True)]
        colours = np.stack(parts).swapaxes(0, 1)  # twice, which leaves the axes as they were
    return colours


def _brightest_row(part: np.ndarray) -> np.ndarray:
    brightness = np.nan_to_num(part.max(axis=-1), nan=-1.0)
    return np.take_along_axis(part, brightness.argmax(axis=0)[None, :, None], axis=0)[0]


def _opaque(colours: np.ndarray) -> np.ndarray:
    """Add how opaque colours are: not at all where they are no numbers."""
    is_there = np.isfinite(colours).all(axis=-1, keepdims=True)
    return np.concatenate([np.clip(np.where(is_there, colours, 0.0), 0.0, 1.0), is_there], axis=-1)
