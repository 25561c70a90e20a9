"""How arrays with units show themselves.

Goal: ``array.plot()`` and notebooks draw pictures without this floor knowing who draws. Conventions: one slot holds the
renderer, a function from an array and options to HTML text; while it is empty, plain text is shown. Names:
``set_renderer``, ``render``, ``Picture``.
"""

import html
from collections.abc import Callable
from typing import Any

from zounds_lite._lazy import default_renderer

__all__ = ["Picture", "render", "set_renderer"]

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
