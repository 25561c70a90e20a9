"""Contracts that every implementation of an interface has to pass.

Goal: whoever writes a node, store, codec, dimension, scale or synthesizer inherits its tests instead of writing them.
The room is empty so far; ``contracts`` will hold one suite per interface, for example "chunks of any size give what
the whole file gives" for nodes, and "what was written reads back bit by bit" for stores. The suites use no test
framework beyond plain assertions, so that other projects can run them too.
"""

__all__: list[str] = []
