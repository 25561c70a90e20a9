"""Every node of the library keeps the contract of nodes; what it refuses stands in ``test_node_refused``.

The suites stand in ``nodes``, a file a room.
"""

import importlib
from pathlib import Path

from tests.testing.library import library_classes, names, suites
from zounds_lite import featureflow as ff
from zounds_lite.testing.contracts import NodeContract

SUITES = [
    suite
    for path in sorted((Path(__file__).parent / "nodes").glob("test_*.py"))
    for suite in suites(NodeContract, vars(importlib.import_module(f"tests.testing.nodes.{path.stem}")))
]


def is_offered(cls):
    """Tell a node that users declare from the parts of the engine."""
    return not cls.__module__.startswith(ff.__name__) or cls.__name__ in ff.__all__


def test_every_node_is_here():
    # encoders are in test_codec; what needs an extra is tested where that is
    extras = ("zounds_lite.learn.nets", "zounds_lite.learn.sklearn_models")
    nodes = {cls for cls in library_classes(ff.Node) if is_offered(cls) and not issubclass(cls, ff.Encoder)}
    nodes -= {cls for cls in nodes if cls.__module__.startswith(extras)}
    assert names(nodes - {suite.node for suite in SUITES}) == []
