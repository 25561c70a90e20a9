"""Contracts that every implementation of an interface has to pass.

Goal: whoever writes a store inherits its tests instead of writing them: name it in a subclass, and the test runner does
the rest. The suites use no test framework beyond plain assertions, so that other projects can run them too. File:
``contracts``. Nodes, codecs, dimensions, scales and synthesizers will get their suites here as well, for example
"chunks of any size give what the whole file gives" for nodes.
"""

from zounds_lite.testing.contracts import NASTY_IDS, DatabaseContract

__all__ = ["NASTY_IDS", "DatabaseContract"]
