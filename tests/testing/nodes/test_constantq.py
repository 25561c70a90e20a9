"""The node of the constant-Q transform keeps the contract of nodes."""

import numpy as np

import zounds_lite as zounds
from tests.testing.nodes.inputs import samples
from zounds_lite.spectral import cqt
from zounds_lite.testing.contracts import NodeContract


class TestCQT(NodeContract):
    node = zounds.CQT
    examples = 15
    kept = {"hop": 256, "start_hz": 200.0, "n_bands": 40}

    def arguments(self):
        return self.kept

    def changes(self):
        return {
            "hop": zounds.Milliseconds(20), "start_hz": 100.0, "n_bands": 12, "bands_per_octave": 24,
            "filter_scale": 0.5, "window": zounds.HanningWindowingFunc(), "exact": True,
        }  # fmt: skip

    def example(self):
        return samples(20_000)

    def dtype(self, dtype):
        return np.result_type(dtype, np.complex64)

    def offline(self, whole):
        return cqt(whole, **self.kept)


class TestCQTOfChannels(TestCQT):
    kept = {"hop": 441, "start_hz": 200.0, "n_bands": 20, "bands_per_octave": 8}

    def example(self):
        return samples(20_000, channels=2)


class TestExactCQT(TestCQT):
    kept = {"hop": zounds.Milliseconds(50), "start_hz": 400.0, "n_bands": 20, "exact": True}

    def changes(self):
        return {**super().changes(), "exact": False}


class TestCQTOfManyBlocks(TestCQT):
    """Regions begin at blocks: with this hop, one has 65,536 samples."""

    examples = 8
    kept = {"hop": 32, "start_hz": 400.0, "n_bands": 8, "bands_per_octave": 3}

    def example(self):
        return samples(300_000)
