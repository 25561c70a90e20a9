"""Sources of sound keep their contract."""

from zounds_lite.synthesize import NoiseSynthesizer, SilenceSynthesizer, SineSynthesizer, TickSynthesizer
from zounds_lite.testing.contracts import SignalContract
from zounds_lite.timeseries import SR8000, SR11025, Milliseconds


class _Signal(SignalContract):
    rate = SR11025()


class TestSine(_Signal):
    def create(self, samplerate=None):
        return SineSynthesizer(samplerate or self.rate)

    def others(self):
        return [SineSynthesizer(SR8000())]

    def keywords(self):
        return {"freqs_in_hz": [440.0, 660.0]}


class TestSilence(_Signal):
    def create(self, samplerate=None):
        return SilenceSynthesizer(samplerate or self.rate)


class TestNoise(_Signal):
    def create(self, samplerate=None):
        return NoiseSynthesizer(samplerate or self.rate, seed=1)

    def others(self):
        return [NoiseSynthesizer(self.rate, seed=2), NoiseSynthesizer(self.rate), NoiseSynthesizer(SR8000(), seed=1)]


class TestTicks(_Signal):
    def create(self, samplerate=None):
        return TickSynthesizer(samplerate or self.rate, seed=1)

    def keywords(self):
        return {"tick_frequency": Milliseconds(100)}
