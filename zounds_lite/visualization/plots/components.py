"""What was learned, side by side.

Goal: centroids, principal components, atoms of a dictionary or filters of a network at one glance. Conventions: one
small picture per component, in order, from the upper left; all share their axes and their range of values, so that they
can be compared. Function: ``plot_components``.
"""

from collections.abc import Iterable
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite._lazy import optional
from zounds_lite.core import Dimension
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.visualization.axes import axis_of, ruler_of
from zounds_lite.visualization.plots.figure import finish, new_figure
from zounds_lite.visualization.plots.image import colour_map, draw_values, ink, place, place_side
from zounds_lite.visualization.plots.spectrogram import check_numbers, dimensions_of, is_frequency

__all__ = ["plot_components"]

_WIDTH, _HEIGHT = 1.9, 1.4
"""Inches of a small picture."""


def plot_components(
    components: Any,
    dimensions: Iterable[Dimension | None] | None = None,
    figure: Any = None,
    most: int = 64,
    label: str = "value",
    title: str | None = None,
    path: str | Path | None = None,
) -> Any:
    """Draw learned components as small pictures: curves of vectors, images of matrices.

    Args:
        components (ArrayWithUnits | np.ndarray): real; one component per row, such as ``codebook`` of a ``KMeans`` or
            ``components_`` of a model of scikit-learn.
        dimensions (Iterable[Dimension | None] | None): what the axes of one component mean, such as the frequency
            dimension of the spectra that it was learned from; None: those of the array, or none.
        figure (matplotlib.figure.Figure | None): where to draw, also a part of a figure; None: a new one.
        most (int): how many are drawn, >= 1; the title says how many there are.
        label (str): what the values are, quantity and unit.
        title (str | None): what to write above the pictures.
        path (str | Path | None): write the figure to this file, too; see ``save``.

    Shape:
        ``[components, features]``, or ``[components, time, frequency]`` in any order

    Returns:
        matplotlib.figure.Figure: what was drawn on.

    Raises:
        DimensionError: other axes, or another number of dimensions than a component has axes.
        DeclarationError: no real numbers, or ``most`` below 1.
        OptionalDependencyError: matplotlib is not installed.

    Examples:
        >>> figure = plot_components(np.eye(5))
        >>> [axes.get_title() for axes in figure.axes]
        ['0', '1', '2', '3', '4']
    """
    check_numbers(components, 2, 3)
    plain = np.asarray(components)
    if plain.dtype.kind == "c" or most < 1:
        raise DeclarationError(f"components of {plain.dtype}, most={most!r}; allowed: real numbers, and most >= 1")
    kinds = dimensions_of(components)[1:] if dimensions is None else tuple(dimensions)
    if len(kinds) != plain.ndim - 1:
        raise DimensionError(f"{len(kinds)} dimensions for components of shape {plain.shape[1:]}; one per axis is due")
    if not plain.size:
        raise DimensionError(f"components of shape {plain.shape}: there is nothing to draw")
    if plain.ndim == 3 and is_frequency(kinds[0]) and not is_frequency(kinds[1]):
        plain, kinds = plain.swapaxes(1, 2), kinds[::-1]
    count = min(len(plain), most)
    columns = min(count, ceil(sqrt(1.5 * count)))
    rows = ceil(count / columns)
    if figure is None:
        figure = new_figure(0.8 + _WIDTH * columns, 0.8 + _HEIGHT * rows)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    _draw_all(figure, grid, plain[:count], kinds, label)
    if title is None and count < len(plain):
        title = f"the first {count} of {len(plain)}"
    return finish(figure, title, path)


def _draw_all(figure: Any, grid: Any, plain: np.ndarray, kinds: tuple[Dimension | None, ...], label: str) -> None:
    """Draw one component on each of the axes, and leave the rest of them out."""
    finite = plain[np.isfinite(plain)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    norm = optional("matplotlib.colors").Normalize(low, high)
    places = grid.ravel()
    for k, (axes, component) in enumerate(zip(places, plain, strict=False)):
        axes.set_title(str(k), fontsize="small", pad=2)
        axes.tick_params(labelsize="small")
        if component.ndim == 1:
            _draw_curve(axes, component, kinds[0], (low, high))
        else:
            _draw_matrix(axes, component, kinds, norm)
        axes.set_xlabel("")
        axes.set_ylabel("")
    for axes in places[len(plain) :]:
        axes.remove()
    for axes in places[: len(plain)][-grid.shape[1] :]:
        axes.tick_params(labelbottom=True)  # also above a place that is left empty
    names = [axis_of(kind, size).label for kind, size in zip(kinds, plain.shape[1:], strict=True)]
    figure.supxlabel(names[0], fontsize="medium")
    figure.supylabel(names[1] if len(names) == 2 else label, fontsize="medium")
    if plain.ndim == 3:
        colours = optional("matplotlib.cm").ScalarMappable(norm=norm, cmap=colour_map())
        figure.colorbar(colours, ax=list(places[: len(plain)]), label=label, pad=0.01)


def _draw_curve(axes: Any, component: np.ndarray, kind: Dimension | None, limits: tuple[float, float]) -> None:
    place_side(axes, "x", (kind, len(component)))
    at: Any = np.arange(len(component)) + 0.5
    ruler = ruler_of(kind, len(component))
    room = 0.05 * (limits[1] - limits[0])
    axes.set_ylim(limits[0] - room, limits[1] + room)
    axes.plot(at if ruler is None else ruler.value_at(at), component, color=ink(), linewidth=1)


def _draw_matrix(axes: Any, component: np.ndarray, kinds: tuple[Dimension | None, ...], norm: Any) -> None:
    extent = place(axes, *zip(kinds, component.shape, strict=True))
    axes.set_xlim(*extent[:2])
    draw_values(axes, component, extent, norm)
