"""How arrays with units show themselves.

Goal: ``array.plot()`` and notebooks draw pictures without this floor knowing who draws. Conventions: one slot holds the
renderer, a function from an array and options to HTML text; while it is empty, the package's own draws, or plain text
is shown. Names: ``set_renderer``, ``render``, ``plot``, ``Picture``.
"""

import html
from collections.abc import Callable
from typing import Any

from zounds_lite._lazy import default_plotter, default_renderer
from zounds_lite.errors import OptionalDependencyError

__all__ = ["Picture", "plot", "render", "set_renderer"]

Renderer = Callable[..., str]

_renderer: Renderer | None = None


class Picture:
    """Something to look at: HTML in a notebook, text elsewhere.

    Args:
        html (str): what a notebook shows.
        text (str): what everything else shows.

    Examples:
        >>> Picture("<b>loud</b>", "loud")
        loud
    """

    def __init__(self, html: str, text: str) -> None:
        self.html = html
        self.text = text

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def set_renderer(function: Renderer | None) -> None:
    """Fill the slot; None empties it.

    Args:
        function (Callable): called as ``function(array, **options)``; returns HTML text.
    """
    global _renderer
    _renderer = function


def render(array: Any, **options: Any) -> Picture:
    """Draw ``array``, by the renderer in the slot or as plain text.

    Args:
        array (ArrayWithUnits): what to draw.
        options (Any): passed on to the renderer.
    """
    text = repr(array)
    renderer = _renderer or default_renderer()
    if renderer is None:
        return Picture(f"<pre>{html.escape(text)}</pre>", text)
    return Picture(renderer(array, **options), text)


def plot(array: Any, **options: Any) -> Any:
    """Draw ``array`` with the plotting library; without one, or where a renderer was set, by that.

    Args:
        array (ArrayWithUnits): what to draw.
        options (Any): passed on to ``visualization.plot``, or to the renderer that was set.

    Raises:
        OptionalDependencyError: options were given, and the plotting library that they are for is not installed.
    """
    plotter = default_plotter()
    if _renderer is not None or plotter is None:
        return render(array, **options)
    try:
        return plotter(array, **options)
    except OptionalDependencyError:
        if options:
            raise
        return render(array)
