"""How documents and tables show themselves in notebooks, without this floor knowing about pictures.

One slot holds the renderer, a function from a value to HTML; while it is empty, the package's default is asked, and
then plain text is shown. Conventions: every text that is shown goes through ``escaped``, so that a title or an id is
never code; ``Html`` marks what is HTML already. Names: ``set_renderer``, ``render_html``, ``Html``, ``escaped``,
``html_table``.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

from zounds_lite._lazy import default_renderer

__all__ = ["Html", "escaped", "html_table", "render_html", "set_renderer"]

_slot: list[Callable[..., str]] = []

_NO_XML = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]"
"""Control characters, halves of characters, and what no text may hold by the standard of XML."""

_TURNING = "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
"""Marks that turn the direction of writing, and with it what a reader takes a name for."""

_CELL = ' style="text-align:left;vertical-align:top;padding:2px 8px"'


def set_renderer(renderer: Callable[..., str] | None) -> None:
    """Fill the slot with a function from a value to HTML; None empties it."""
    _slot[:] = [renderer] if renderer else []


def render_html(value: Any) -> str:
    """Return HTML for ``value``: the renderer's, or its repr."""
    renderer = _slot[0] if _slot else default_renderer()
    return renderer(value) if renderer else f"<pre>{escape(repr(value))}</pre>"


class Html(str):
    """Text that is HTML already, and safe.

    Examples:
        >>> html_table(["a"], [["<b>"], [Html("<b>bold</b>")]]).count("<b>")
        1
    """

    __slots__ = ()


def escaped(value: Any, most: int | None = None) -> str:
    """Return text for HTML, XML and their attributes: nothing in it is markup, and it reads from left to right.

    Args:
        value (Any): what to show; its ``str``.
        most (int | None): characters after which the rest is cut off.

    Examples:
        >>> escaped('<img onerror="alert(1)">')
        '&lt;img onerror=&quot;alert(1)&quot;&gt;'
        >>> escaped("a\\0b"), escaped("a long title", 6)
        ('a\ufffdb', 'a long...')
    """
    text = str(value)
    if most is not None and len(text) > most:
        text = f"{text[:most]}..."
    return escape(re.sub(_TURNING, "\ufffd", re.sub(_NO_XML, "\ufffd", text)))


def html_table(header: Sequence[Any], rows: Iterable[Sequence[Any]], caption: str = "") -> str:
    """Return an HTML table.

    Args:
        header (Sequence): the heads of the columns.
        rows (Iterable[Sequence]): the cells; all but ``Html`` is escaped.
        caption (str): stands above the table; it is escaped.

    Examples:
        >>> html_table(["id"], [["a&b"]], "documents")[:51]
        '<table><caption style="text-align:left">documents</'
    """
    parts = [f'<caption style="text-align:left">{escaped(caption)}</caption>'] if caption else []
    parts.append(f"<thead><tr>{''.join(f'<th{_CELL}>{_cell(name)}</th>' for name in header)}</tr></thead>")
    lines = ("".join(f"<td{_CELL}>{_cell(cell)}</td>" for cell in row) for row in rows)
    parts.append(f"<tbody>{''.join(f'<tr>{line}</tr>' for line in lines)}</tbody>")
    return f"<table>{''.join(parts)}</table>"


def _cell(value: Any) -> str:
    return value if isinstance(value, Html) else escaped(value)
