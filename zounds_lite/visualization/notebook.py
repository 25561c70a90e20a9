"""Values as HTML, for notebooks: ``to_html``."""

import base64
import tempfile
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.featureflow import BaseModel
from zounds_lite.visualization.png import array_png

__all__ = ["to_html"]


def to_html(value: Any, **options: Any) -> str:
    """Draw a value: an array as its picture, a document as a table of its features, anything else as text.

    Args:
        value (Any): what to draw.
        options (Any): passed on to ``array_png``, for example ``floor_db``.

    Returns:
        str: HTML that holds all it shows.

    Examples:
        >>> to_html(np.eye(3)).startswith('<figure><img src="data:image/png;base64,')
        True
        >>> to_html("a < b")
        "<pre>'a &lt; b'</pre>"
    """
    if isinstance(value, np.ndarray) and value.size and value.ndim in (1, 2):
        return _picture(value, options)
    if isinstance(value, BaseModel):
        return _table(value)
    return f"<pre>{escape(repr(value))}</pre>"


def _picture(array: np.ndarray, options: dict[str, Any]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        data = array_png(array, Path(folder) / "picture.png", **options).read_bytes()
    axes = getattr(array, "dimensions", None)
    caption = f"{type(array).__name__} {array.dtype} {array.shape}" + (f" {axes!r}" if axes else "")
    encoded = base64.b64encode(data).decode("ascii")
    return f'<figure><img src="data:image/png;base64,{encoded}"/><figcaption>{escape(caption)}</figcaption></figure>'


def _table(document: BaseModel) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(type(feature).__name__)}</td>"
        f"<td>{'stored' if feature.store else 'computed on access'}</td></tr>"
        for name, feature in type(document).features.items()
    )
    return f"<table><caption>{escape(repr(document))}</caption>{rows}</table>"
