"""Pictures of a fixed size: sound for image classifiers.

Goal: whatever was recorded becomes an array of one shape. Conventions: (rows, columns) or (rows, columns, 3) in 0..1,
row 0 at the top.

- ``music``: ``MusicPicture``, all that a recording can be drawn as; ``pixels_of``
- ``placing``: arrays brought to a size, bands from the middle outwards, tiles, rows of beats
- ``orders``: reading order, quadtree and Hilbert curve
- ``colour``, ``colourfeatures``: hue, saturation and lightness
- ``sound``, ``levels``: what pictures are made of
"""

from zounds_lite.visualization.layouts.colour import hsl_to_rgb
from zounds_lite.visualization.layouts.music import MusicPicture, pixels_of
from zounds_lite.visualization.layouts.orders import hilbert_curve, hilbert_order, quadtree_order, reading_order
from zounds_lite.visualization.layouts.placing import (
    assemble_tiles,
    centre_out,
    split_tiles,
    squeezed,
    upright,
    wrapping,
)

__all__ = [
    "MusicPicture",
    "assemble_tiles",
    "centre_out",
    "hilbert_curve",
    "hilbert_order",
    "hsl_to_rgb",
    "pixels_of",
    "quadtree_order",
    "reading_order",
    "split_tiles",
    "squeezed",
    "upright",
    "wrapping",
]
