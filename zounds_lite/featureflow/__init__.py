"""The dataflow engine: it runs graphs of nodes over chunks, stores what they make, and knows no audio.

``node`` and ``graph`` run; ``feature`` and ``model`` declare; ``run`` computes; ``lineage`` and ``sources`` say what
made a value; ``record`` and ``stores`` keep it; ``codecs`` and ``typed`` write and read it; ``bytestream`` and
``fetch`` bring bytes in. Users write ``from zounds_lite import featureflow as ff``.
Nothing loads before it is used: the names and where they come from stand in ``__init__.pyi``.
"""

from zounds_lite import _lazy

__getattr__, __dir__, __all__ = _lazy.attach(__name__, __file__)
