"""Every node of the library keeps the contract of nodes; what it refuses stands in ``test_node_refused``."""

import numpy as np

import zounds_lite as zounds
from tests.sounds import encoded, noise, reference
from tests.testing.library import library_classes, names, suites
from zounds_lite import featureflow as ff
from zounds_lite.core import ArrayWithUnits
from zounds_lite.featureflow import Node
from zounds_lite.featureflow.database_iterator import DatabaseIterator
from zounds_lite.featureflow.record import Record
from zounds_lite.media.guard import DecodeLimits
from zounds_lite.spectral import apply_scale, fft, mel_bands, stft
from zounds_lite.testing.contracts import NodeContract

RATE = zounds.SR11025()
SCHEME = RATE.windowing_scheme(512, 128)
WINDOW = zounds.OggVorbisWindowingFunc()
HANN = zounds.HanningWindowingFunc()


def samples(size=5000, channels=1, rate=RATE):
    return zounds.AudioSamples(noise(size / rate.rate, rate.rate, channels, seed=size)[:size], rate)


def windows(size=20_000):
    return ff_joined(zounds.SlidingWindow(SCHEME, WINDOW).run([samples(size)]))


def spectra(size=20_000):
    return ff_joined(zounds.FFT().run([windows(size)]))


def ff_joined(chunks):
    chunks = list(chunks)
    return ArrayWithUnits(np.concatenate([np.asarray(chunk) for chunk in chunks]), chunks[-1].dimensions)


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


class TestSlidingWindow(NodeContract):
    node = zounds.SlidingWindow

    def arguments(self):
        return {"wscheme": SCHEME, "wfunc": zounds.OggVorbisWindowingFunc()}

    def changes(self):
        return {"wscheme": zounds.HalfLapped(), "wfunc": HANN, "padwith": 384, "padend": 384}

    def example(self):
        return samples()


class TestPaddedSlidingWindow(TestSlidingWindow):
    def arguments(self):
        return {"wscheme": SCHEME, "padwith": 384, "padend": 384}

    def changes(self):
        return {**super().changes(), "padwith": 0, "padend": 0}

    def example(self):
        return samples(channels=2)


class TestSlidingWindowOverFrames(TestSlidingWindow):
    def arguments(self):
        return {"wscheme": SCHEME * zounds.Stride(2, 4)}

    def example(self):
        return np.abs(spectra())


class TestFFT(NodeContract):
    node = zounds.FFT

    def changes(self):
        return {"axis": 1, "padding_samples": 2}

    def example(self):
        return windows()

    def dtype(self, dtype):
        return np.result_type(dtype, np.complex64)

    def offline(self, whole):
        return fft(whole)


class TestFFTOfChannels(TestFFT):
    def arguments(self):
        return {"axis": 1, "padding_samples": 3}

    def changes(self):
        return {"axis": 2, "padding_samples": 2}

    def example(self):
        return ff_joined(zounds.SlidingWindow(SCHEME).run([samples(channels=2)]))

    def offline(self, whole):
        return fft(whole, 1, 3)


class TestBarkBands(NodeContract):
    node = zounds.BarkBands

    def arguments(self):
        return {"frequency_band": zounds.FrequencyBand(50, 5000), "n_bands": 20}

    def changes(self):
        return {
            "frequency_band": zounds.FrequencyBand(50, 4000), "n_bands": 21, "window": None,
            "samplerate": zounds.SR8000(),
        }  # fmt: skip

    def example(self):
        return spectra()

    def offline(self, whole):
        bands = apply_scale(whole, zounds.BarkScale(zounds.FrequencyBand(50, 5000), 20), HANN)
        return ArrayWithUnits(bands, (whole.dimensions[0], bands.dimensions[1]))


class TestBarkBandsOfMagnitudes(NodeContract):
    node = zounds.BarkBands

    def changes(self):
        return TestBarkBands().changes()

    def example(self):
        return np.abs(spectra())


class TestBarkBandsOfWholeBlocks(TestBarkBands):
    """Nothing waits for the end, which an empty chunk may bring."""

    def example(self):
        whole = spectra()
        return ArrayWithUnits(np.asarray(whole)[:128], whole.dimensions)


class TestMelBands(NodeContract):
    node = zounds.MelBands

    def arguments(self):
        return {"n_bands": 20}

    def changes(self):
        return {"frequency_band": zounds.FrequencyBand(50, 4000), "n_bands": 21, "power": 1.0}

    def example(self):
        return np.abs(spectra())

    def offline(self, whole):
        return mel_bands(whole, zounds.SlaneyMelScale(zounds.FrequencyBand(0, RATE.rate / 2), 20), 2.0)


class TestFrequencyWeighting(NodeContract):
    node = zounds.spectral.nodes.FrequencyWeighting

    def changes(self):
        return {"weighting": zounds.AWeighting(gain=True)}

    def example(self):
        return np.abs(spectra())


SUITES = suites(NodeContract, globals())


def test_every_node_is_here():
    nodes = {cls for cls in library_classes(Node) if not issubclass(cls, ff.Encoder)}  # those are in test_codec
    assert names(nodes - {suite.node for suite in SUITES}) == []


def test_the_whole_chain_is_the_function_of_the_whole():
    wanted = stft(samples(20_000), SCHEME, WINDOW)
    assert np.asarray(spectra()).tobytes() == np.asarray(wanted).tobytes()
