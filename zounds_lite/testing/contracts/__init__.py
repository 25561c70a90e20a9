"""Contract suites: what every implementation must pass, as classes of tests to inherit.

Goal: a stranger writes a node or a store, names it in a subclass, and pytest does the rest. Conventions: a contract is
a class of plain tests; it asks its subclass for what it needs by methods to define and attributes to set, which its
docstring lists. One file per interface: ``database``, ``node``, ``codec``, ``declared``, ``dimension``, ``scale``,
``synthesizer``; what they share is in ``checks``.
"""

from zounds_lite.testing.contracts.codec import CodecContract
from zounds_lite.testing.contracts.database import NASTY_IDS, DatabaseContract
from zounds_lite.testing.contracts.declared import DeclaredContract
from zounds_lite.testing.contracts.dimension import DimensionContract
from zounds_lite.testing.contracts.node import NodeContract
from zounds_lite.testing.contracts.scale import ScaleContract
from zounds_lite.testing.contracts.synthesizer import SignalContract, SynthesizerContract

__all__ = [
    "NASTY_IDS",
    "CodecContract",
    "DatabaseContract",
    "DeclaredContract",
    "DimensionContract",
    "NodeContract",
    "ScaleContract",
    "SignalContract",
    "SynthesizerContract",
]
