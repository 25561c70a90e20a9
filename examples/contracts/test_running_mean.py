"""A node of one's own, and its contract: run by ``pytest examples/contracts``."""

import numpy as np

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.core import ArrayWithUnits
from zounds_lite.testing.contracts import NodeContract


class RunningMean(ff.Node):
    """The mean of each sample and those before it, ``size`` in all; before the first one are zeros."""

    revision = 1

    def __init__(self, size=3, needs=None):
        super().__init__(needs=needs)
        self.size = size

    def _first_chunk(self, data):
        self._tail = np.zeros(self.size - 1, data.dtype)
        return data

    def _process(self, data):
        # the end of the chunk before belongs to the first sums of this one
        samples = np.concatenate([self._tail, np.asarray(data)])
        self._tail = samples[len(data) :]
        means = np.zeros(len(data), data.dtype)
        for shift in range(self.size):
            means += samples[shift : shift + len(data)] / self.size
        yield ArrayWithUnits(means, data.dimensions)


class TestRunningMean(NodeContract):
    node = RunningMean

    def arguments(self):
        return {"size": 5}

    def changes(self):
        return {"size": 6}

    def example(self):
        return zounds.NoiseSynthesizer(zounds.SR8000(), seed=1).synthesize(zounds.Milliseconds(100))
