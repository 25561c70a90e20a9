"""Every codec of the library keeps the contract of codecs, and the contract refuses codecs that do not."""

import numpy as np
import pytest
from hypothesis import strategies as st

import zounds_lite as zounds
from tests.sounds import encoded, noise
from tests.testing.library import library_classes, names, refusals, suites
from zounds_lite import featureflow as ff
from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import CorruptValue, ValueTooLarge
from zounds_lite.featureflow import arrays as plain, codecs, kinds, typed
from zounds_lite.featureflow.database_iterator import DatabaseIterator  # noqa: F401 - loaded for the walk
from zounds_lite.persistence import codecs as units, variablerate
from zounds_lite.segment import TimeSliceEncoder
from zounds_lite.soundfile import features as ogg
from zounds_lite.spectral import features as bands
from zounds_lite.testing import strategies
from zounds_lite.testing.contracts import CodecContract

TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=50)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
TIME = zounds.TimeDimension.windowed(5513, 11025, 11025)
FLAGS = st.sampled_from(["bool", "uint8", "float32"]).map(np.dtype)


class TestBytes(CodecContract):
    sized = False
    encoder, decoder = codecs.IdentityEncoder, codecs.BytesDecoder

    def values(self):
        return st.binary(max_size=200)

    def read(self, decoded):
        return decoded if isinstance(decoded, bytes) else decoded.read()

    def join(self, pieces):
        return b"".join(pieces)


class TestFile(TestBytes):
    """What a decoder does that says nothing of its own."""

    decoder = codecs.Decoder

    def join(self, pieces):
        return b"".join(map(self.read, pieces))


class TestByteChunks(TestBytes):
    def decoder(self):
        return kinds._ByteChunks(7)

    def read(self, decoded):
        return decoded if isinstance(decoded, bytes) else b"".join(decoded)


class TestText(CodecContract):
    sized = False
    encoder, decoder = codecs.TextEncoder, codecs.TextDecoder

    def values(self):
        return TEXT


class TestJSON(CodecContract):
    sized = splits = False
    growth = 50.0
    encoder, decoder = codecs.JSONEncoder, codecs.JSONDecoder

    def values(self):
        return JSON


class TestLatestJSON(TestJSON):
    encoder = kinds._LatestJSON


class TestBZ2(CodecContract):
    growth = None
    encoder, decoder = codecs.BZ2Encoder, codecs.BZ2Decoder

    def values(self):
        return st.binary(max_size=2000) | TEXT

    def join(self, pieces):
        return b"".join(pieces) if not pieces or isinstance(pieces[0], bytes) else "".join(pieces)


class TestNumpy(CodecContract):
    encoder, decoder = plain.NumpyEncoder, plain.GreedyNumpyDecoder

    def values(self):
        return strategies.arrays()


class TestNumpyAtOnce(TestNumpy):
    decoder = plain.BaseNumpyDecoder


class TestNumpyInBlocks(TestNumpy):
    def decoder(self):
        return plain.StreamingNumpyDecoder(7)

    def read(self, decoded):
        blocks = list(decoded)
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def join(self, pieces):
        return self.read(pieces)


class TestPackedNumpy(TestNumpy):
    encoder = plain.PackedNumpyEncoder

    def values(self):
        return strategies.arrays(
            strategies.shapes(min_axes=2), st.sampled_from(["bool", "uint8", "float32"]).map(np.dtype)
        )

    def expected(self, value):
        return plain.packed(value)


class TestTyped(CodecContract):
    splits = False
    growth = 100.0
    encoder, decoder = typed.TypedEncoder, typed.TypedDecoder

    def values(self):
        leaves = JSON | strategies.arrays() | strategies.arrays_with_units() | st.floats() | st.binary(max_size=20)
        keys = st.text(max_size=5) | st.integers() | st.tuples(st.integers(), st.booleans())
        values = leaves | st.tuples(leaves, leaves) | st.dictionaries(keys, leaves, max_size=3)
        return values | st.lists(values, max_size=3)


class TestLatestTyped(TestTyped):
    examples = 20
    encoder = kinds._LatestTyped


class TestArrayWithUnits(CodecContract):
    encoder, decoder = units.ArrayWithUnitsEncoder, units.ArrayWithUnitsDecoder

    def values(self):
        return strategies.arrays_with_units().map(with_sizes)


def with_sizes(array):
    """The array with the sizes of its axes in its dimensions, as a stored value has them."""
    return ArrayWithUnits(
        np.asarray(array), [d.with_size(n) for d, n in zip(array.dimensions, array.shape, strict=True)]
    )


def ending(array):
    """The array with what a stream knows of its end."""
    first = array.dimensions[0]
    if not isinstance(first, zounds.TimeDimension):
        return array
    return ArrayWithUnits(np.asarray(array), [first.replace(padding=3, n_samples=1000), *array.dimensions[1:]])


class TestTheEndOfAStream(TestArrayWithUnits):
    def values(self):
        return strategies.arrays_with_units(strategies.shapes(min_axes=1)).map(with_sizes).map(ending)


class TestAudioSamples(CodecContract):
    encoder, decoder = units.ArrayWithUnitsEncoder, units.AudioSamplesDecoder

    def values(self):
        shape = strategies.shapes(max_axes=2, min_axes=1)
        samples = strategies.arrays(shape, strategies.dtypes("if").filter(lambda dtype: dtype.itemsize > 1))
        return st.builds(zounds.AudioSamples, samples.map(np.nan_to_num), strategies.sample_rates()).map(
            lambda audio: zounds.AudioSamples(np.asarray(audio), audio.samplerate)
        )


class TestFrequencyAdaptive(TestArrayWithUnits):
    encoder, decoder = units.ArrayWithUnitsEncoder, bands.FrequencyAdaptiveDecoder

    def values(self):
        def adaptive(data, widths, time):
            edges = np.cumsum([0, *widths])
            parts = [np.asarray(data)[:, start:stop] for start, stop in zip(edges, edges[1:], strict=False)]
            scale = zounds.ExplicitScale([zounds.FrequencyBand(i, i + 2) for i in range(len(widths))])
            return zounds.FrequencyAdaptive(parts, time.with_size(len(data)), scale)

        def of(widths):
            shape = st.integers(0, 5).map(lambda n: (n, sum(widths)))
            times = st.sampled_from([TIME, TIME.replace(padding=3, n_samples=1000)])
            return st.builds(adaptive, strategies.arrays(shape, strategies.dtypes("fc")), st.just(widths), times)

        return st.lists(st.integers(0, 4), min_size=1, max_size=4).flatmap(of)


class TestPackedArrayWithUnits(TestArrayWithUnits):
    growth = 20.0
    encoder, decoder = units.PackedArrayWithUnitsEncoder, units.PackedArrayWithUnitsDecoder

    def values(self):
        return strategies.arrays_with_units(strategies.shapes(min_axes=2), FLAGS).map(with_sizes)

    def expected(self, value):
        with np.errstate(invalid="ignore"):
            return ArrayWithUnits(np.asarray(value).astype(bool), value.dimensions)


class TestVariableRate(CodecContract):
    growth = 200.0
    encoder, decoder = variablerate.VariableRateTimeSeriesEncoder, variablerate.VariableRateTimeSeriesDecoder

    def values(self):
        def series(parts):
            slices, data = parts
            return zounds.VariableRateTimeSeries(zip(slices, data, strict=False))

        data = strategies.arrays(strategies.shapes(min_axes=1, max_rows=8), strategies.dtypes("biufc"))
        return st.tuples(st.lists(strategies.time_slices(), max_size=8), data).map(series)


class TestTimeSlices(CodecContract):
    growth = 200.0
    encoder, decoder = TimeSliceEncoder, variablerate.VariableRateTimeSeriesDecoder

    def values(self):
        return TestVariableRate().values()

    def expected(self, value):
        return zounds.VariableRateTimeSeries((timeslice, np.empty(0)) for timeslice in value.slices)


class TestOggVorbis(CodecContract):
    sized = splits = False
    growth = None
    examples = 10
    encoder, decoder = ogg.OggVorbisEncoder, ogg.OggVorbisDecoder
    sounds = [encoded(noise(0.05, channels=channels), fmt="OGG") for channels in (1, 2)]

    def values(self):
        return st.sampled_from(self.sounds)

    def read(self, decoded):
        return b"" if isinstance(decoded, bytes) else np.asarray(decoded[:])

    def expected(self, value):
        import io

        import soundfile

        return soundfile.read(io.BytesIO(value), dtype="float32")[0]

    def join(self, pieces):
        assert b"".join(pieces) in self.sounds
        return self.expected(b"".join(pieces))


class TestAudioMetaData(CodecContract):
    sized = splits = False
    growth = 50.0
    encoder, decoder = zounds.soundfile.AudioMetaDataEncoder, codecs.JSONDecoder

    def values(self):
        return st.builds(
            zounds.AudioMetaData, uri=st.text(min_size=1), samplerate=strategies.sample_rates(),
            channels=st.none() | st.integers(1, 8), licensing=st.none() | TEXT, tags=st.lists(TEXT, max_size=2),
        )  # fmt: skip

    def expected(self, value):
        said = {name: item for name, item in value.parameters.items() if name != "segment"}  # all of the recording
        return {**said, "samplerate": int(value.samplerate)}


SUITES = suites(CodecContract, globals())


def test_every_codec_is_here():
    encoders = {type(suite().encoder()) for suite in SUITES}
    decoders = {type(suite().decoder()) for suite in SUITES}
    assert names(library_classes(ff.Encoder) - encoders - {codecs.Encoder}) == []
    assert names(library_classes(ff.Decoder) - decoders) == []


# what the contract refuses


class DropsTheLastRow(plain.NumpyEncoder):
    def _process(self, data):
        yield from super()._process(data[:-1] if np.ndim(data) and len(data) > 3 else data)


class WritesTuples(plain.NumpyEncoder):
    @property
    def header(self):
        header = super().header
        return {**header, "shape": tuple(header["shape"])}


class WritesNaN(plain.NumpyEncoder):
    @property
    def header(self):
        return {**super().header, "scale": float("nan")}


class Sorts(plain.NumpyEncoder):
    def _process(self, data):
        if np.ndim(data) and data.dtype.names is None:
            data.sort()
        yield from super()._process(data)


class MarksChunks(plain.NumpyEncoder):
    def _process(self, data):
        for part in super()._process(data):
            yield part
            self.parts = getattr(self, "parts", 0) + 1

    @property
    def header(self):
        return {**super().header, "parts": self.parts}


class BelievesTheShape(plain.GreedyNumpyDecoder):
    def decode(self, value):
        array = np.zeros([n % 2**22 for n in value.header["shape"]], value.header["dtype"])
        array.reshape(-1).view(np.uint8)[:] = value.data
        return array


class FillsUp(plain.GreedyNumpyDecoder):
    """Reads what is there, and makes up the rest."""

    def decode(self, value):
        head = plain.NumpyMetaData.from_header(value.header)
        data = np.resize(value.data, head.size % 2**16)
        return super().decode(codecs.StoredValue(value.header, data, value.what))


class NeedsAlignment(plain.GreedyNumpyDecoder):
    def decode(self, value):
        assert value.data.ctypes.data % 8 == 0 or not len(value.data)
        return super().decode(value)


class ForgetsUnits(units.ArrayWithUnitsDecoder):
    def _wrap(self, array, value):
        return array


class NaiveText(codecs.TextDecoder):
    def decode(self, value):
        return value.bytes().decode("utf-8", "surrogatepass")


class _OfArrays(TestNumpy):
    examples = 40
    encoder, decoder = plain.NumpyEncoder, plain.GreedyNumpyDecoder


BROKEN = {
    DropsTheLastRow: (_OfArrays, {"what_was_written_reads_back", "chunks_are_written_as_the_whole_is"}),
    WritesTuples: (_OfArrays, {"a_header_is_strict_json_and_plain_data"}),
    WritesNaN: (_OfArrays, {"a_header_is_strict_json_and_plain_data"}),
    Sorts: (_OfArrays, {"chunks_are_never_changed"}),
    MarksChunks: (_OfArrays, {"chunks_are_written_as_the_whole_is"}),
    BelievesTheShape: (_OfArrays, {"a_damaged_header_is_an_error_or_a_value"}),
    FillsUp: (_OfArrays, {"a_value_that_was_cut_is_noticed"}),
    NeedsAlignment: (_OfArrays, {"bytes_may_stand_anywhere"}),
    ForgetsUnits: (TestArrayWithUnits, {"what_was_written_reads_back"}),
    NaiveText: (TestText, {"damaged_bytes_are_an_error_or_a_value", "made_up_headers_are_an_error_or_a_value"}),
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda cls: cls.__name__)
def test_the_contract_refuses(broken):
    suite, tests = BROKEN[broken]
    side = "decoder" if issubclass(broken, codecs.Decoder) else "encoder"
    assert refusals(type("Broken", (suite,), {side: broken}), tests) == tests


def test_the_contract_refuses_memory_that_a_header_asks_for():
    class Allocates(codecs.JSONDecoder):
        def decode(self, value):
            bytearray(16 * 1024 * 1024)
            return super().decode(value)

    assert refusals(type("Broken", (TestJSON,), {"decoder": Allocates}), {"a_damaged_header_is_an_error_or_a_value"})


def test_the_contract_takes_a_codec_that_does_nothing_wrong():
    assert refusals(_OfArrays) == set()


def test_json_that_is_nested_too_deeply_is_refused_by_name():
    value = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueTooLarge, match="nested too deeply"):
        list(codecs.JSONEncoder().run([value]))
    while value:  # the interpreter would free them one within the other
        value = value[0]


def test_compressed_bytes_that_go_on_after_their_end_are_noticed():
    encoder = codecs.BZ2Encoder()
    data = b"".join(encoder.run([b"some bytes"]))
    for tail in (b"x", data):
        value = codecs.StoredValue(encoder.header, np.frombuffer(data + tail, np.uint8), "feature 'a'")
        with pytest.raises(CorruptValue, match="feature 'a' (goes on|decompresses to more)"):
            codecs.BZ2Decoder().decode(value)
