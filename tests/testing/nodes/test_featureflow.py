"""The nodes of the engine keep the contract of nodes."""

import numpy as np

from tests.testing.nodes.inputs import samples
from zounds_lite import featureflow as ff
from zounds_lite.featureflow import Node
from zounds_lite.featureflow.database_iterator import DatabaseIterator
from zounds_lite.featureflow.record import Record
from zounds_lite.testing.contracts import NodeContract


class TestNode(NodeContract):
    node = Node

    def example(self):
        return np.arange(20.0)


class TestFunctionalNode(NodeContract):
    node = ff.FunctionalNode

    def arguments(self):
        return {"func": np.abs}

    def changes(self):
        return {"func": np.square, "closure_fingerprint": len}

    def example(self):
        return samples()


class TestKeySelector(NodeContract):
    node = ff.KeySelector
    atomic = True

    def arguments(self):
        return {"key": "a"}

    def changes(self):
        return {"key": "b"}

    def declare(self, **changes):
        # features name it by an aspect of what they need
        return ff.Feature(Node, needs=ff.Feature(Node).aspect({**self.arguments(), **changes}["key"]))

    def example(self):
        return {"a": "value", "b": 1}


class TestIteratorNode(NodeContract):
    node = ff.IteratorNode

    def example(self):
        return list(range(20))


class TestByteStream(NodeContract):
    node = ff.ByteStream
    atomic = True

    def arguments(self):
        return {"chunksize": 7}

    def changes(self):
        return {"chunksize": 8}

    def example(self):
        return bytes(range(100))


class TestDatabaseIterator(NodeContract):
    node = DatabaseIterator
    atomic = True

    def arguments(self):
        return {"func": len}

    def changes(self):
        return {"func": str}

    def example(self):
        database = ff.InMemoryDatabase()
        for _id in ("a", "bcd"):
            database.put(_id, Record(_id).to_bytes())
        return database
