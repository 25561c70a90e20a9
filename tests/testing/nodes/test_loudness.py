"""The nodes of ``loudness`` keep the contract of nodes."""

import numpy as np

import zounds_lite as zounds
from tests.testing.nodes.inputs import samples, spectra
from zounds_lite.testing.contracts import NodeContract


class TestMuLaw(NodeContract):
    node = zounds.MuLaw

    def changes(self):
        return {"mu": 100}

    def example(self):
        return samples(channels=2)

    def offline(self, whole):
        return zounds.mu_law(whole)


class TestLogModulus(NodeContract):
    node = zounds.LogModulus

    def arguments(self):
        return {"factor": 3}

    def changes(self):
        return {"factor": 4}

    def example(self):
        return np.abs(spectra())

    def offline(self, whole):
        return zounds.log_modulus(whole, 3)


class TestDecibel(NodeContract):
    node = zounds.Decibel

    def arguments(self):
        return {"ref": 0.5, "floor_db": -80}

    def changes(self):
        return {"ref": 1.0, "floor_db": -100.0}

    def example(self):
        return np.abs(spectra())

    def offline(self, whole):
        return zounds.decibel(whole, 0.5, -80)


class TestDecibelOfSpectra(TestDecibel):
    def example(self):
        return spectra()

    def dtype(self, dtype):
        return dtype
