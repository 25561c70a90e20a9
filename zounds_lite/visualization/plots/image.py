"""Arrays as images on axes with units.

Goal: what lies at 440 Hz and 3 s is drawn where the axes say 440 Hz and 3 s, on any scale. Conventions: the axes
count in seconds and hertz, so that ``axes.axhline(440)`` and ``axes.plot(times, pitches)`` fall into place; every
entry is as wide and high as its neighbour, whatever it stands for, so that the scale of an axis of bands bends hertz
until its bands lie side by side. Each pixel shows the largest of its values, whatever size the picture has when it is
drawn; what is no number is left out, as background. Functions: ``place`` and ``place_side`` (axes get their units),
``draw_values``, ``draw_image``, ``colour_map``, ``ink``, ``colour_bar``, ``say_empty``.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from zounds_lite._lazy import optional
from zounds_lite.core import Dimension
from zounds_lite.timeseries import TimeDimension
from zounds_lite.visualization.axes import axis_of, covered_seconds, ruler_of
from zounds_lite.visualization.colours import perceptual_colours
from zounds_lite.visualization.levels import reduced

__all__ = [
    "Side",
    "colour_bar",
    "colour_map",
    "draw_image",
    "ink",
    "place",
    "place_side",
    "repeated",
    "say_empty",
]

MOST_PIXELS = (2400, 1200)
"""Columns and rows that are kept of an array: more than a picture has pixels, until it is drawn."""

Fit = Callable[[int, int], Any]
"""Columns and rows of pixels to an image of that size."""

Side = tuple[Dimension | None, int]
"""One side of a picture: what it means, and how many entries it has."""


@cache
def colour_map() -> Any:
    """Return the colour map of this package for matplotlib; what is no number is left to the background."""
    return optional("matplotlib.colors").ListedColormap(perceptual_colours() / 255.0, name="zounds_lite")


def ink(step: int = 64) -> Any:
    """Return the colour of lines: one of the colour map, 0 (dark) to 255 (light)."""
    return perceptual_colours()[step] / 255.0


def place(axes: Any, x: Side, y: Side) -> tuple[float, float, float, float]:
    """Give axes their units, limits, ticks and labels.

    Args:
        axes (matplotlib.axes.Axes): where to draw.
        x (Side): what runs to the right.
        y (Side): what runs upwards.

    Returns:
        tuple[float, float, float, float]: left, right, bottom and top of an image, for ``draw_image``.
    """
    return (*place_side(axes, "x", x), *place_side(axes, "y", y))


def place_side(axes: Any, name: str, side: Side) -> tuple[float, float]:
    """Give one side of axes its units, limits, ticks and label; see ``place``.

    Args:
        axes (matplotlib.axes.Axes): where to draw.
        name (str): ``"x"`` or ``"y"``.
        side (Side): what it means.

    Returns:
        tuple[float, float]: where the first entry begins and the last one ends, on the straight scale that images are
        drawn on; of windows of time, a little later than the axes and a little earlier.
    """
    ticker = optional("matplotlib.ticker")
    dimension, size = side
    ruler, end = ruler_of(dimension, size), float(max(1, size))
    written = axis_of(dimension, size, _most_ticks(axes, name))
    line = getattr(axes, f"{name}axis")
    set_scale, set_limits = getattr(axes, f"set_{name}scale"), getattr(axes, f"set_{name}lim")
    getattr(axes, f"set_{name}label")(written.label)
    if ruler is not None and ruler.is_straight:
        ends = ruler.value_at(0.0), ruler.value_at(end)
        set_scale("linear")
        set_limits(*(covered_seconds(dimension, size) if isinstance(dimension, TimeDimension) else ends))
        line.set_major_locator(ticker.MaxNLocator("auto", steps=[1, 2, 5, 10], integer=written.label == "index"))
        line.set_major_formatter(ticker.ScalarFormatter(useOffset=False))
        line.get_major_formatter().set_scientific(False)
        return ends
    positions = [position for position, _ in written.ticks]
    if ruler is None:
        set_scale("linear")
        set_limits(0.0, end)
    else:
        set_scale("function", functions=(ruler.position_of, ruler.value_at))
        set_limits(ruler.value_at(0.0), ruler.value_at(end))
        positions = np.ravel(ruler.value_at(positions)).tolist()
    line.set_major_locator(ticker.FixedLocator(positions))
    line.set_major_formatter(ticker.FixedFormatter([text for _, text in written.ticks]))
    line.set_minor_locator(ticker.NullLocator())
    return 0.0, end


def _most_ticks(axes: Any, name: str) -> int:
    """Return for how many ticks there is room: numbers are wider than high."""
    width, height = axes.bbox.size / axes.figure.dpi
    return int(np.clip(width / 0.65 if name == "x" else height / 0.35, 2, 10))


def repeated(values: np.ndarray, columns: int, rows: int) -> np.ndarray:
    """Repeat entries along the first two axes until there are as many as pixels, so that nothing is blended."""
    for axis, count in enumerate((columns, rows)):
        at = (2 * np.arange(count) + 1) * values.shape[axis] // (2 * count)
        values = values.take(at, axis=axis)
    return values


@cache
def _kind() -> Any:
    """The image of matplotlib, made anew for the pixels there are whenever it is drawn."""
    plain: Any = optional("matplotlib.image").AxesImage

    class FittedImage(plain):
        """An image of as many values as pixels, so that a layout, a size or a resolution may change afterwards."""

        def __init__(self, axes: Any, fit: Fit, **options: Any) -> None:
            super().__init__(axes, **options)
            self._fit = fit
            self.fit_to_pixels()

        def fit_to_pixels(self, magnification: float = 1.0) -> None:
            left, right, bottom, top = self.get_extent()
            corners = self.get_transform().transform([(left, bottom), (right, top)])
            columns, rows = np.maximum(1, np.rint(abs(corners[1] - corners[0]) * magnification)).astype(int).tolist()
            drawn = self.get_array()
            if drawn is None or drawn.shape[:2] != (rows, columns):
                self.set_data(self._fit(columns, rows))

        def make_image(self, renderer: Any, magnification: float = 1.0, unsampled: bool = False) -> Any:
            self.fit_to_pixels(magnification)
            return super().make_image(renderer, magnification, unsampled)

    return FittedImage


def draw_image(axes: Any, fit: Fit, extent: tuple[float, float, float, float], **options: Any) -> None:
    """Draw an image over the whole of axes that ``place`` has prepared.

    Args:
        axes (matplotlib.axes.Axes): where to draw.
        fit (Callable): gives the image for a number of columns and rows of pixels, the lowest row first: values, or
            colours in 0..1 and how opaque they are.
        extent (tuple[float, float, float, float]): what ``place`` returned.
        options (Any): passed on to ``matplotlib.image.AxesImage``.
    """
    # past the scale of the axes, which bends hertz, and through their limits: an image needs straight axes
    straight = axes.transLimits + axes.transAxes
    image = _kind()(axes, fit, origin="lower", extent=extent, transform=straight, **options)
    image.set_clip_path(axes.patch)
    axes.add_image(image)


def draw_values(axes: Any, values: np.ndarray, extent: tuple[float, float, float, float], norm: Any) -> None:
    """Draw one value per entry, in the colours of this package; what is no number is left to the background.

    Args:
        axes (matplotlib.axes.Axes): where to draw.
        values (np.ndarray): at least one.
        extent (tuple[float, float, float, float]): what ``place`` returned.
        norm (matplotlib.colors.Normalize): the values that are darkest and brightest.

    Shape:
        ``[to the right, upwards]``
    """

    kept = reduced(values, *MOST_PIXELS)

    def fit(columns: int, rows: int) -> Any:
        return np.ma.masked_invalid(repeated(reduced(kept, columns, rows), columns, rows).T)

    draw_image(axes, fit, extent, norm=norm, cmap=colour_map())


def colour_bar(axes: Any, norm: Any, label: str) -> None:
    """Write beside axes which colour stands for which value.

    Args:
        axes (matplotlib.axes.Axes): what was drawn on.
        norm (matplotlib.colors.Normalize): the values that are darkest and brightest.
        label (str): the quantity and its unit.
    """
    colours = optional("matplotlib.cm").ScalarMappable(norm=norm, cmap=colour_map())
    bar = axes.figure.colorbar(colours, ax=axes, label=label, pad=0.02)
    bar.outline.set_visible(False)


def say_empty(axes: Any) -> None:
    """Write in the middle of axes that there is nothing to draw.

    Args:
        axes (matplotlib.axes.Axes): what would have been drawn on.
    """
    axes.text(0.5, 0.5, "empty", transform=axes.transAxes, ha="center", va="center", color="0.5")
