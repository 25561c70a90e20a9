"""Values as HTML: what notebooks show.

Goal: an array, a document and its class are looked at where they stand, without a file. Conventions: the HTML refers to
nothing outside itself, every text in it is escaped, and it stays under a megabyte however long the recording is.
Function: ``to_html``, which the package puts into the renderer slots of the floors below. Figures are drawn in ``svg``,
sound is in ``players``, documents are in ``documents``.
"""

from typing import Any

import numpy as np

from zounds_lite.featureflow import BaseModel
from zounds_lite.featureflow.declaredgraph import FeatureGraph
from zounds_lite.featureflow.display import escaped
from zounds_lite.soundfile import OggVorbisWrapper
from zounds_lite.timeseries import AudioSamples, TimeDimension
from zounds_lite.visualization.documents import document_html
from zounds_lite.visualization.graph import graph_svg
from zounds_lite.visualization.players import clip_of, player_html, wrapped_clip
from zounds_lite.visualization.summary import summary
from zounds_lite.visualization.svg import figure_svg, has_figure

__all__ = ["to_html"]

_MOST_TEXT = 20_000
"""Characters of a value's repr that are shown."""


def to_html(value: Any, floor_db: float | None = None) -> str:
    """Return HTML that shows a value.

    ======================================= =======================================================================
    value                                   what is shown
    ======================================= =======================================================================
    ``AudioSamples``                        the waveform, a player of the first 30 seconds, and a line of text
    stored Ogg Vorbis                       a player of the first 30 seconds
    numbers with one or two axes            a figure with axes, ticks and a colour bar, and a line of text
    a document                              a table of its features
    a document class, and its ``graph()``   the graph of its features, as an SVG picture
    all else                                its repr
    ======================================= =======================================================================

    Args:
        value (Any): what to show.
        floor_db (float | None): see ``figure_svg``.

    Examples:
        >>> to_html(np.eye(8))[:29]
        '<figure style="margin:0"><svg'
        >>> to_html("<b>")
        '<pre>&#x27;&lt;b&gt;&#x27;</pre>'

    See Also:
        figure_svg: the figure alone. array_png: a picture as a file.
    """
    if isinstance(value, FeatureGraph):
        return graph_svg(value)
    if isinstance(value, type) and issubclass(value, BaseModel):
        return FeatureGraph(value.__name__, value.features)._repr_html_()
    if isinstance(value, BaseModel):
        return document_html(value)
    if isinstance(value, OggVorbisWrapper):
        return _figure("", value, player_html(wrapped_clip(value)))
    if isinstance(value, np.ndarray) and has_figure(value):
        # an array that was given another shape in place has lost its rate
        if isinstance(value, AudioSamples) and isinstance(value.dimensions[0], TimeDimension):
            player = player_html(clip_of(value))
        else:
            player = ""
        return _figure(figure_svg(value, floor_db), value, player)
    return f"<pre>{escaped(repr(value), _MOST_TEXT)}</pre>"


def _figure(picture: str, value: Any, player: str) -> str:
    return f'<figure style="margin:0">{picture}{player}<figcaption>{escaped(summary(value))}</figcaption></figure>'
