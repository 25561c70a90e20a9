"""Arrays with units come back bit by bit, with the same units, however they were cut; a header that lies is refused."""

import json
import tracemalloc

import numpy as np
import pytest

from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import CorruptValue, DimensionError, UnknownTypeError
from zounds_lite.featureflow.codecs import StoredValue
from zounds_lite.persistence import (
    ArrayWithUnitsDecoder,
    ArrayWithUnitsEncoder,
    AudioSamplesDecoder,
    PackedArrayWithUnitsDecoder,
    PackedArrayWithUnitsEncoder,
)
from zounds_lite.spectral import (
    FFTScale,
    FrequencyBand,
    FrequencyDimension,
    LinearScale,
)
from zounds_lite.timeseries import (
    SR44100,
    Seconds,
    TimeDimension,
)


def stored(encoder, chunks):
    """Encode chunks and return the value as a store would give it back."""
    data = b"".join(bytes(part) for part in encoder.run(chunks))
    return StoredValue(json.loads(json.dumps(encoder.header, allow_nan=False)), np.frombuffer(data, np.uint8))


def time_chunks(n_chunks=3, **notes):
    """Chunks of windows whose last one carries what is known at the end of a stream."""
    scale = FrequencyDimension(FFTScale(11025, 8))
    chunks = []
    for i in range(n_chunks):
        last = i == n_chunks - 1
        time = TimeDimension.windowed(4, 8, 11025, **(notes if last else {}))
        if not i:
            time = time.replace(start=Seconds(3))
        chunks.append(ArrayWithUnits(np.full((2, 5), i, np.float32), [time, scale]))
    return chunks


@pytest.mark.parametrize("encoder", [ArrayWithUnitsEncoder, PackedArrayWithUnitsEncoder])
@pytest.mark.parametrize("n_chunks", [1, 3])
def test_what_a_stream_knows_at_its_end_is_kept(encoder, n_chunks):
    value = stored(encoder(), time_chunks(n_chunks, n_samples=21, padding=4))
    decoder = PackedArrayWithUnitsDecoder() if encoder is PackedArrayWithUnitsEncoder else ArrayWithUnitsDecoder()
    time = decoder.decode(value).dimensions[0]
    assert (time.n_samples, time.padding, time.hop, time.window, time.rate) == (21, 4, 4, 8, 11025)
    assert (time.start, time.size) == (Seconds(3), 2 * n_chunks)
    pieces = list(decoder.chunks(value))
    assert (pieces[-1].dimensions[0].n_samples, pieces[-1].dimensions[0].padding) == (21, 4)


def test_pieces_of_a_large_value_are_its_rows_and_the_last_knows_the_end():
    time = TimeDimension.windowed(4, 8, 11025, n_samples=7, padding=4)
    array = ArrayWithUnits(np.arange(600_000, dtype=np.float32).reshape(-1, 2), [time, None])
    pieces = list(ArrayWithUnitsDecoder().chunks(stored(ArrayWithUnitsEncoder(), [array])))
    assert len(pieces) == 3
    assert np.array_equal(np.concatenate([np.asarray(piece) for piece in pieces]), array)
    assert [piece.dimensions[0].n_samples for piece in pieces] == [None, None, 7]
    assert all(piece.dimensions == pieces[0].dimensions for piece in pieces)


A = ArrayWithUnits(np.zeros((4, 5), np.float32), [TimeDimension(Seconds(1)), FrequencyDimension(FFTScale(11025, 8))])


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (ArrayWithUnits(A, [TimeDimension(Seconds(2)), A.dimensions[1]]), "(?s)cannot follow.*need equal dimensions"),
        (ArrayWithUnits(A, [A.dimensions[0], None]), "(?s)IdentityDimension.*cannot follow.*equal dimensions"),
        (ArrayWithUnits(A, [A.dimensions[0], FrequencyDimension(FFTScale(44100, 8))]), "equal dimensions"),
        (A[:, 0], "equal dimensions"),
        (ArrayWithUnits(A.astype(np.float64), A.dimensions), "float64.*cannot follow.*float32.*same dtype"),
        (np.zeros((4, 5), np.float32), "equal dimensions"),
    ],
)
@pytest.mark.parametrize("encoder", [ArrayWithUnitsEncoder, PackedArrayWithUnitsEncoder])
def test_a_chunk_of_another_kind_is_refused(encoder, other, words):
    if encoder is PackedArrayWithUnitsEncoder and other.dtype == np.float64:
        return  # bits are bits, whatever they were before
    with pytest.raises(DimensionError, match=words):
        list(encoder().run([A, other]))


@pytest.mark.parametrize("encoder", [ArrayWithUnitsEncoder, PackedArrayWithUnitsEncoder])
def test_a_chunk_with_rows_of_another_length_is_refused(encoder):
    # 9 and 10 bits fill two bytes each, so only the number of bits tells them apart
    rows = [ArrayWithUnits(np.ones((3, n), bool), [None, None]) for n in (9, 10)]
    with pytest.raises(DimensionError, match="cannot follow.*row shape"):
        list(encoder().run(rows))


def test_bits_along_the_only_axis_are_one_chunk():
    for chunks in ([np.ones(3, bool)] * 2, [np.True_]):
        with pytest.raises(DimensionError, match="an array of one axis is one chunk"):
            list(PackedArrayWithUnitsEncoder().run(chunks))


def test_objects_are_refused_when_they_are_written():
    with pytest.raises(DimensionError, match="object.*allowed are numbers"):
        list(ArrayWithUnitsEncoder().run([ArrayWithUnits(np.array([{}, None]), [None])]))


GOOD = {
    "dtype": "<f4",
    "shape": [4, 5],
    "dimensions": [A.dimensions[0].to_dict(), A.dimensions[1].to_dict()],
}

CRAFTED = {
    "object dtype": {"dtype": "|O"},
    "object in a record": {"dtype": [["a", "|O"]]},
    "void dtype": {"dtype": "|V4"},
    "no dtype at all": {"dtype": "nonsense"},
    "a dtype that is a number": {"dtype": 7},
    "a dtype of no bytes": {"dtype": "|S0"},
    "a dtype of two gigabytes": {"dtype": "|S2147483648"},
    "one row too many": {"shape": [5, 5]},
    "one row too few": {"shape": [3, 5]},
    "another dtype": {"dtype": "<f8"},
    "one axis for two dimensions": {"shape": [20]},
    "three axes for two dimensions": {"shape": [4, 5, 1]},
    "negative sizes": {"shape": [-4, -5]},
    "a huge shape": {"shape": [2**62, 2**62]},
    "a shape whose product overflows to zero": {"shape": [2**32, 2**32]},
    "a shape of fractions": {"shape": [4.0, 5.0]},
    "a shape that is text": {"shape": "45"},
    "a shape that is a number": {"shape": 20},
    "no shape": {"shape": None},
    "dimensions that are a number": {"dimensions": 7},
    "dimensions that are numbers": {"dimensions": [1, 2]},
    "dimensions that are text": {"dimensions": "ab"},
    "too few dimensions": {"dimensions": GOOD["dimensions"][:1]},
    "a duration for a dimension": {"dimensions": [{"type": "timedelta64", "ps": 1}] * 2},
    "a scale for a dimension": {"dimensions": [GOOD["dimensions"][1]["scale"]] * 2},
    "a dimension without its arguments": {"dimensions": [{"type": "FrequencyDimension"}] * 2},
    "a dimension with another's arguments": {"dimensions": [{"type": "IdentityDimension", "size": 4}] * 2},
    "no time between samples": {"dimensions": [{"type": "TimeDimension", "frequency": None}, {}]},
    "bands that do not fit": {"dimensions": [GOOD["dimensions"][1], GOOD["dimensions"][0]]},
    "more bands than memory": {
        "dimensions": [
            GOOD["dimensions"][0],
            FrequencyDimension(LinearScale(FrequencyBand(0, 10), 10**15)).to_dict(),
        ]
    },
}


def crafted(change, size=80):
    return StoredValue({**GOOD, **change}, np.zeros(size, np.uint8), "feature 'fft' of document 'd'")


def test_the_header_that_the_crafted_ones_change_is_good():
    array = ArrayWithUnitsDecoder().decode(crafted({}))
    assert np.array_equal(array, np.zeros((4, 5)))
    assert not array.flags.writeable


@pytest.mark.parametrize("bits", [1, 8, 9, 20])
def test_bits_take_an_eighth_of_the_room(bits):
    rows = ArrayWithUnits(np.ones((3, bits), bool), [None, None])
    assert len(stored(PackedArrayWithUnitsEncoder(), [rows]).data) == 3 * -(-bits // 8)


@pytest.mark.parametrize("name", CRAFTED)
@pytest.mark.parametrize(
    "decoder", [ArrayWithUnitsDecoder(), AudioSamplesDecoder(), PackedArrayWithUnitsDecoder()], ids=lambda d: type(d)
)
def test_a_header_that_lies_is_refused_before_anything_is_allocated(name, decoder):
    value = crafted(CRAFTED[name])
    tracemalloc.start()
    try:
        with pytest.raises(CorruptValue, match="feature 'fft' of document 'd'|malformed"):
            decoder.decode(value)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("bits", [0, 5, 17, -1, 2**40, "9", None, 9.0, True])
def test_a_lie_about_the_number_of_bits_is_refused(bits):
    header = {"dtype": "|u1", "shape": [3, 2], "bits": bits, "dimensions": [{"type": "IdentityDimension"}] * 2}
    tracemalloc.start()
    try:
        with pytest.raises(CorruptValue, match="bits"):
            PackedArrayWithUnitsDecoder().decode(StoredValue(header, np.zeros(6, np.uint8)))
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_packed_bits_of_another_dtype_are_refused():
    header = {**GOOD, "bits": 40}
    with pytest.raises(CorruptValue, match="bits"):
        PackedArrayWithUnitsDecoder().decode(StoredValue(header, np.zeros(80, np.uint8)))


def test_a_type_that_is_not_known_here_says_what_to_import():
    for place in (
        [{"type": "TideDimension", "moon": 3}, GOOD["dimensions"][1]],
        [GOOD["dimensions"][0], {"type": "FrequencyDimension", "scale": {"type": "TideDimension"}}],
    ):
        with pytest.raises(UnknownTypeError, match="'TideDimension'.*import the module that declares it") as caught:
            ArrayWithUnitsDecoder().decode(crafted({"dimensions": place}))
        assert isinstance(caught.value, LookupError)


def test_audio_needs_an_axis_of_samples():
    windows = time_chunks(1)
    with pytest.raises(CorruptValue, match="is no audio: its first dimension is TimeDimension"):
        AudioSamplesDecoder().decode(stored(ArrayWithUnitsEncoder(), windows))
    plain = ArrayWithUnits(np.zeros(5), [None])
    with pytest.raises(CorruptValue, match="is no audio"):
        AudioSamplesDecoder().decode(stored(ArrayWithUnitsEncoder(), [plain]))
    many = {
        "dtype": "|u1",
        "shape": [1, 100],
        "dimensions": [TimeDimension.from_rate(SR44100()).to_dict(), {"type": "IdentityDimension"}],
    }
    with pytest.raises(CorruptValue, match="100 channels"):
        AudioSamplesDecoder().decode(StoredValue(many, np.zeros(100, np.uint8)))
