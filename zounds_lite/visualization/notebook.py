"""Values as HTML: what notebooks show.

Goal: an array is looked at where it stands, without a file. Convention: the HTML refers to nothing outside itself.
Function: ``to_html``, which the package puts into the renderer slots of the floors below.
"""

import base64
import html
from typing import Any

import numpy as np

from zounds_lite.visualization.png import array_pixels, png_bytes
from zounds_lite.visualization.summary import summary

__all__ = ["to_html"]


def to_html(value: Any, floor_db: float | None = None) -> str:
    """Return HTML that shows a value: a picture of samples and of time-frequency arrays, and text for all else.

    Args:
        value (Any): what to show.
        floor_db (float | None): see ``spectrogram_png``.

    Examples:
        >>> to_html(np.eye(8))[:34]
        '<figure><img src="data:image/png;b'
        >>> to_html("<b>")
        '<pre>&#x27;&lt;b&gt;&#x27;</pre>'

    See Also:
        array_png: the same picture as a file.
    """
    if not _has_a_picture(value):
        return f"<pre>{html.escape(repr(value))}</pre>"
    data = base64.b64encode(png_bytes(array_pixels(value, floor_db))).decode("ascii")
    caption = html.escape(summary(value))
    picture = f'<img src="data:image/png;base64,{data}" alt="{caption}" style="max-width:100%">'
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _has_a_picture(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim in (1, 2) and value.size > 0 and value.dtype.kind in "biufc"
