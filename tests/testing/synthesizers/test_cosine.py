"""Synthesizers of short-time cosine transforms keep their contract."""

from tests.testing.synthesizers.inputs import HANN, VORBIS, windows
from zounds_lite.spectral import IdentityWindowingFunc, dct, dct_iv, mdct
from zounds_lite.synthesize import DCTIVSynthesizer, DCTSynthesizer, MDCTSynthesizer
from zounds_lite.testing.contracts import SynthesizerContract


class TestDCT(SynthesizerContract):
    create = DCTSynthesizer
    snr_db = 250.0

    def others(self):
        return [DCTSynthesizer(HANN), DCTSynthesizer(VORBIS, HANN)]

    def analyse(self, samples):
        return dct(windows(samples, VORBIS), axis=1)


class TestDCTOfAnOddSize(TestDCT):
    def create(self):
        return DCTSynthesizer(IdentityWindowingFunc())

    def analyse(self, samples):
        return dct(windows(samples, None, 511, 200), axis=1)


class TestDCTIV(SynthesizerContract):
    create = DCTIVSynthesizer
    snr_db = 250.0

    def others(self):
        return [DCTIVSynthesizer(HANN), DCTIVSynthesizer(VORBIS, HANN)]

    def analyse(self, samples):
        return dct_iv(windows(samples, VORBIS, 511, 128), axis=1)


class TestMDCT(SynthesizerContract):
    create = MDCTSynthesizer
    snr_db = 250.0

    def others(self):
        return [MDCTSynthesizer(HANN), MDCTSynthesizer(VORBIS, HANN)]

    def analyse(self, samples):
        return mdct(windows(samples, VORBIS), axis=1)


class TestMDCTOfAnOddHalf(TestMDCT):
    def analyse(self, samples):
        return mdct(windows(samples, VORBIS, 510, 255), axis=1)


class TestMDCTWithMuchOverlap(TestMDCT):
    def create(self):
        return MDCTSynthesizer(HANN)

    def others(self):
        return [MDCTSynthesizer()]

    def analyse(self, samples):
        return mdct(windows(samples, HANN, 512, 64), axis=1)
