"""The node of local contrast keeps the contract of nodes, with either floor."""

import numpy as np

import zounds_lite as zounds
from tests.testing.nodes.inputs import samples
from zounds_lite.core import ArrayWithUnits
from zounds_lite.spectral import cqt, local_contrast_normalization
from zounds_lite.testing.contracts import NodeContract


class TestLocalContrast(NodeContract):
    node = zounds.LocalContrastNormalization
    examples = 15
    kept = {"floor": 0.05}

    def arguments(self):
        return self.kept

    def changes(self):
        return {"size": (5, 5), "sigma": 1.0, "floor": 0.1}

    def example(self):
        return np.abs(cqt(samples(20_000), hop=256, start_hz=200.0, n_bands=40))

    def offline(self, whole):
        return local_contrast_normalization(whole, **self.kept)


class TestLocalContrastWithAMean(TestLocalContrast):
    kept = {}


class TestLocalContrastOfEachFrame(TestLocalContrast):
    kept = {"size": (1, 7), "sigma": (1.0, 3.0), "floor": 0.05}


class TestLocalContrastOfChannels(TestLocalContrast):
    kept = {"size": (3, 5), "floor": 0.05}

    def example(self):
        one = super().example()
        return ArrayWithUnits(np.stack([one, 3 * np.asarray(one)[::-1]], axis=2), [*one.dimensions, None])
