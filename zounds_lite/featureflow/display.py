"""How documents show themselves in notebooks, without this floor knowing about pictures.

One slot holds the renderer, a function from a value to HTML; while it is empty, the package's default is asked, and
then plain text is shown. Functions: ``set_renderer``, ``render_html``.
"""

from collections.abc import Callable
from html import escape
from typing import Any

from zounds_lite._lazy import default_renderer

__all__ = ["render_html", "set_renderer"]

_slot: list[Callable[..., str]] = []


def set_renderer(renderer: Callable[..., str] | None) -> None:
    """Fill the slot with a function from a value to HTML; None empties it."""
    _slot[:] = [renderer] if renderer else []


def render_html(value: Any) -> str:
    """Return HTML for ``value``: the renderer's, or its repr."""
    renderer = _slot[0] if _slot else default_renderer()
    return renderer(value) if renderer else f"<pre>{escape(repr(value))}</pre>"
