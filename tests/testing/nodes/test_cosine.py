"""The nodes of cosine transforms keep the contract of nodes."""

import zounds_lite as zounds
from tests.testing.nodes.inputs import SCHEME, joined, samples, windows
from zounds_lite.spectral import dct, dct_iv, mdct
from zounds_lite.testing.contracts import NodeContract


def channels():
    return joined(zounds.SlidingWindow(SCHEME).run([samples(channels=2)]))


class TestDCT(NodeContract):
    node = zounds.DCT

    def changes(self):
        return {"axis": 1, "scale_always_even": True}

    def example(self):
        return windows()

    def offline(self, whole):
        return dct(whole)


class TestDCTOfChannels(TestDCT):
    def arguments(self):
        return {"axis": 1, "scale_always_even": True}

    def changes(self):
        return {"axis": 2, "scale_always_even": False}

    def example(self):
        return channels()

    def offline(self, whole):
        return dct(whole, 1, True)


class TestDCTIV(NodeContract):
    node = zounds.DCTIV

    def changes(self):
        return {"scale_always_even": True}

    def example(self):
        return windows()

    def offline(self, whole):
        return dct_iv(whole)


class TestDCTIVOfChannels(TestDCTIV):
    def example(self):
        return channels()

    def offline(self, whole):
        return dct_iv(whole, 1)


class TestMDCT(NodeContract):
    node = zounds.MDCT

    def example(self):
        return windows()

    def offline(self, whole):
        return mdct(whole)


class TestMDCTOfChannels(TestMDCT):
    def example(self):
        return channels()

    def offline(self, whole):
        return mdct(whole, 1)
