"""Contracts that every implementation of an interface has to pass.

Goal: whoever writes a node, a store, a codec, a dimension, a scale or a synthesizer inherits its tests instead of
writing them: name it in a subclass, and the test runner does the rest. The suites are plain classes with plain
assertions, so that other projects can run them too. Files: ``contracts`` (a class of tests per interface) and
``strategies`` (random units, shapes, chunkings and ids). Random tests need hypothesis, from the extra ``test``; nothing
here needs it to be imported.
"""

from zounds_lite.testing.contracts import (
    NASTY_IDS,
    CodecContract,
    DatabaseContract,
    DeclaredContract,
    DimensionContract,
    NodeContract,
    ScaleContract,
    SignalContract,
    SynthesizerContract,
)

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
