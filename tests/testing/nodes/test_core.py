"""The nodes of ``core`` keep the contract of nodes."""

import numpy as np

import zounds_lite as zounds
from tests.testing.nodes.inputs import samples, spectra
from zounds_lite.core.nodes import Binarize
from zounds_lite.featureflow import Feature, Node
from zounds_lite.testing.contracts import NodeContract


class TestSlice(NodeContract):
    node = zounds.Slice

    def arguments(self):
        return {"sl": slice(3, 20, 2)}

    def changes(self):
        return {"sl": slice(3, 20)}

    def example(self):
        return spectra()

    def dtype(self, dtype):
        return dtype

    def offline(self, whole):
        return whole[:, 3:20:2]


class TestSliceOfHertz(TestSlice):
    def arguments(self):
        return {"sl": zounds.FrequencyBand(500, 2000)}

    def example(self):
        return np.abs(spectra())

    def offline(self, whole):
        return whole[:, zounds.FrequencyBand(500, 2000)]


class TestSliceOfEverything(TestSlice):
    def arguments(self):
        return {}

    def offline(self, whole):
        return whole


class TestSum(NodeContract):
    node = zounds.Sum

    def changes(self):
        return {"axis": 1}

    def example(self):
        return np.abs(spectra())


class TestSumOfOneAxis(TestSum):
    def example(self):
        return samples(1000)


class TestSumOfRows(TestSum):
    def arguments(self):
        return {"axis": -1}

    def offline(self, whole):
        return np.sum(whole, axis=1)


class TestMax(TestSum):
    node = zounds.Max

    def offline(self, whole):
        return [*zounds.Max().run([whole])] if not len(whole) else np.max(whole, axis=0)


class TestMaxOfRows(TestMax):
    def arguments(self):
        return {"axis": 1}

    def changes(self):
        return {"axis": 0}

    def offline(self, whole):
        return np.max(whole, axis=1)


class TestBinarize(NodeContract):
    node = Binarize

    def arguments(self):
        return {"predicate": np.signbit}

    def changes(self):
        return {"predicate": np.isnan}

    def example(self):
        return samples(channels=2)

    def dtype(self, dtype):
        return np.dtype(bool)

    def offline(self, whole):
        return np.signbit(whole)


class Split(Node):
    """Feeds a Merge of two features with the parts of one."""

    def __init__(self, needs=None):
        super().__init__(needs=needs)
        self.left, self.right = Node(), Node()
        self.merge = zounds.Merge(needs=(self.left, self.right))

    def _process(self, data):
        yield from self.merge.push(data[:, 5:], self.left)
        yield from self.merge.push(data[:, :5], self.right)

    def _last_chunk(self):
        yield from self.merge.end(self.left)
        yield from self.merge.end(self.right)


class TestMerge(NodeContract):
    node = zounds.Merge

    def create(self, needs=None):
        return Split(needs)

    def declare(self, **changes):
        return Feature(zounds.Merge, needs=(Feature(Node), Feature(np.abs)))

    def example(self):
        return np.abs(spectra())

    def offline(self, whole):
        columns = np.concatenate([np.asarray(whole)[:, 5:], np.asarray(whole)[:, :5]], axis=1)
        return zounds.ArrayWithUnits(columns, [whole.dimensions[0], zounds.IdentityDimension()])


class TestMergeOfChannels(TestMerge):
    def example(self):
        return samples(channels=8)

    def offline(self, whole):
        columns = np.concatenate([np.asarray(whole)[:, 5:], np.asarray(whole)[:, :5]], axis=1)
        return zounds.AudioSamples(columns, whole.samplerate)
