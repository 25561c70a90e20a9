"""Arrays with units.

Goal: a numpy array whose axes know what they mean, through every operation. Files: ``dimension`` (what an axis means),
``array`` (``ArrayWithUnits``), ``indexing`` (index arithmetic, without arrays), ``ufuncs``, ``functions`` and ``rules``
(dimensions through numpy), ``methods``, ``windowing`` (windows along any axis), ``display`` (the slot for a renderer),
``frames`` (other libraries' labelled arrays), ``buffers`` (rows held back by streaming nodes).
"""

from zounds_lite.core.array import ArrayWithUnits
from zounds_lite.core.dimension import Coordinates, Dimension, IdentityDimension
from zounds_lite.core.display import set_renderer
from zounds_lite.core.windowing import sliding_window

__all__ = ["ArrayWithUnits", "Coordinates", "Dimension", "IdentityDimension", "set_renderer", "sliding_window"]
