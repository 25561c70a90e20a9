"""A slot for a renderer: values show themselves in notebooks without this floor knowing about pictures.

``zounds_lite`` fills the slot with a lazy loader of ``visualization``. Functions: ``set_renderer``, ``render_html``.
"""

from collections.abc import Callable
from html import escape
from typing import Any

__all__ = ["render_html", "set_renderer"]

_renderer: list[Callable[[Any], str]] = []


def set_renderer(renderer: Callable[[Any], str] | None) -> None:
    """Fill the slot with a function from a value to HTML; None empties it."""
    _renderer[:] = [renderer] if renderer else []


def render_html(value: Any) -> str:
    """Return HTML for ``value``: the renderer's, or its repr."""
    return _renderer[0](value) if _renderer else f"<pre>{escape(repr(value))}</pre>"
