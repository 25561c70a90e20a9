"""zounds_lite: machine learning on sound, with features declared once.

Declare features as a graph on a document class, ingest recordings of any length into a store, and read any feature by
time and by frequency. Users write ``import zounds_lite as zounds`` and ``from zounds_lite import featureflow as ff``.

Nothing loads before it is used: the names and where they come from stand in ``__init__.pyi``.
"""

from zounds_lite import _lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach(__name__, __file__)

_lazy.set_default_renderer("zounds_lite.visualization:to_html")
_lazy.set_default_plotter("zounds_lite.visualization:plot")
