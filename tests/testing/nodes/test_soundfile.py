"""The nodes of ``soundfile`` keep the contract of nodes."""

import zounds_lite as zounds
from tests.sounds import encoded, noise, reference
from tests.testing.nodes.inputs import RATE, samples
from zounds_lite.media.guard import DecodeLimits
from zounds_lite.testing.contracts import NodeContract


class TestMetaData(NodeContract):
    node = zounds.MetaData
    atomic = True

    def changes(self):
        return {"damaged": "keep"}

    def example(self):
        return encoded(noise(0.1))


class _Bytes(NodeContract):
    fmt = "WAV"
    options = {}

    def example(self):
        return encoded(noise(0.2, channels=2), fmt=self.fmt)

    def another(self):
        return encoded(noise(0.1, 8000), 8000, self.fmt)

    def changes(self):
        return {"damaged": "keep", "limits": DecodeLimits(), **self.options}


class TestAudioStream(_Bytes):
    node = zounds.AudioStream
    options = {"sum_to_mono": False, "dtype": "float64"}

    def offline(self, whole):
        return zounds.AudioSamples(reference(whole).mean(axis=1), zounds.SR44100())


class TestAudioStreamOfChannels(_Bytes):
    node = zounds.AudioStream
    fmt = "FLAC"
    options = {"sum_to_mono": True, "dtype": "float32"}

    def arguments(self):
        return {"sum_to_mono": False, "dtype": "float64", "damaged": "raise"}


class TestOggVorbis(_Bytes):
    node = zounds.OggVorbis
    examples = 5
    options = {"quality": 0.2}

    def join(self, results):
        # each encoder numbers its stream at random, and the checksum of a page counts the number in
        return reference(b"".join(bytes(result) for result in results))


class TestOggVorbisOfOgg(TestOggVorbis):
    fmt = "OGG"


class TestResampler(NodeContract):
    node = zounds.Resampler
    tolerance = 1e-6
    region_tolerance = 2e-6
    old, channels = zounds.SR22050(), 1

    def arguments(self):
        return {"samplerate": RATE}

    def changes(self):
        return {"samplerate": zounds.SR44100()}

    def example(self):
        return samples(6000, self.channels, self.old)


class TestResamplerUpwards(TestResampler):
    old, channels = zounds.SR8000(), 2


class TestResamplerAtTheSameRate(TestResampler):
    tolerance = 0.0
    old = RATE
