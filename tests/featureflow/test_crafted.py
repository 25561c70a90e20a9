"""Values and headers that somebody made on purpose: typed errors, no code, no memory, whatever they claim."""

import bz2
import json
import sys
import tracemalloc

import numpy as np
import pytest
import xxhash

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.errors import CorruptValue, UnknownTypeError, UntrustedValue, ValueTooLarge, ZoundsError
from zounds_lite.featureflow.arrays import GreedyNumpyDecoder, NumpyMetaData, StreamingNumpyDecoder
from zounds_lite.featureflow.codecs import BZ2Decoder, BZ2Encoder, JSONDecoder, StoredValue, TextDecoder
from zounds_lite.featureflow.record import BLOCK, Entry, Record
from zounds_lite.featureflow.sources import restore_source
from zounds_lite.featureflow.typed import TypedDecoder
from zounds_lite.persistence import (
    ArrayWithUnitsDecoder,
    AudioSamplesDecoder,
    PackedArrayWithUnitsDecoder,
    VariableRateTimeSeriesDecoder,
)

CANARY = "this"
"""A module that nothing imports, unless a stored name is imported."""


def stored(data=b"", header=None):
    return StoredValue(header or {}, np.frombuffer(data, np.uint8))


def flipped(size, at):
    """A value whose checksums differ in the block around ``at``."""

    def check(start, stop):
        if start <= at < stop or start // BLOCK <= at // BLOCK <= (stop - 1) // BLOCK:
            raise CorruptValue("it fails its checksum")

    return StoredValue({"dtype": "<i4", "shape": [size // 4]}, np.zeros(size, np.uint8), "a value", check)


# arrays


@pytest.mark.parametrize(
    "dtype",
    [
        "|O", "O", "object", ["O"], [["a", "|O"]], [["a", "<f4"], ["b", "O"]], "V8", "f4,f4", "(2,)f4", "(9999,9999)f4",
        "S2147483647", "i4," * 500_000, [[f"f{i}", "<f4"] for i in range(2000)], [["a", "<f4", [10**9]]], "", [], [[]],
        [["a"]], [["a", ["b", "<f4"]]], {"names": ["a"]}, 7, None, f"{CANARY}.s", "<M8[x]", ">x3", "\0", "\ud800",
    ],
    ids=lambda dtype: str(dtype)[:30],
)  # fmt: skip
def test_a_dtype_is_a_plain_one_or_refused(dtype):
    tracemalloc.start()
    try:
        with pytest.raises(CorruptValue):
            NumpyMetaData.from_header({"dtype": dtype, "shape": [1]}).array(stored(bytes(8)))
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
    assert CANARY not in sys.modules


@pytest.mark.parametrize(
    "shape",
    [
        [-2], [2**40, 4], [2**61, 2**61], [10**30], [1.0, 2], ["2"], "2", [True, 2], [[2]], {"0": 2}, 2, None, [None],
        [1] * 65, [3], [1], [], [2**31, 0, 2**31], [2, 2],
    ],
    ids=str,
)  # fmt: skip
def test_a_shape_is_what_the_bytes_hold_or_refused(shape):
    with pytest.raises(CorruptValue):
        NumpyMetaData.from_header({"dtype": "<i4", "shape": shape}).array(stored(bytes(8)))


def test_text_beyond_the_last_character_is_refused():
    bad = b"\xff\xff\x10\x00\x00\x00\x11\x00"  # U+10FFFF is the last one
    assert NumpyMetaData("<U1", [1]).array(stored(bad[:4]))[0] == "\U0010ffff"
    for header in ({"dtype": "<U2", "shape": [1]}, {"dtype": [["a", "<U2"]], "shape": [1]}):
        with pytest.raises(CorruptValue, match="last character"):
            NumpyMetaData.from_header(header).array(stored(bad))


@pytest.mark.parametrize("decoder", [GreedyNumpyDecoder(), ArrayWithUnitsDecoder()])
def test_chunks_are_checked_before_they_are_handed_out(decoder):
    rows = decoder.chunks(flipped(4 * 2**20, at=2**20 + 5))
    assert not next(rows).any()
    with pytest.raises(CorruptValue, match="fails its checksum"):
        list(rows)


def test_blocks_that_are_streamed_are_checked():
    blocks = StreamingNumpyDecoder(1000).decode(flipped(2**20, at=2**19))
    assert len(next(blocks)) == 1000
    with pytest.raises(CorruptValue, match="fails its checksum"):
        list(blocks)


def test_a_recomputation_never_rests_on_a_flipped_bit(tmp_path):
    @zounds.simple_lmdb_settings(tmp_path / "store", user_supplied_id=True)
    class Document(ff.BaseModel):
        number = ff.JSONFeature(ff.IteratorNode, store=True)
        rows = ff.NumpyFeature(lambda n: np.full(10**6, n, np.int32), needs=number, store=True, version="1")
        most = ff.JSONFeature(lambda chunk: int(np.max(chunk)), needs=rows, store=True, version="1")

    Document.process(_id="a", number=[1])
    (blob,) = (tmp_path / "store" / "blobs").rglob("*.blob")
    raw = bytearray(blob.read_bytes())
    raw[3_000_002] ^= 8
    blob.write_bytes(raw)

    class Newer(Document):
        most = ff.JSONFeature(lambda chunk: int(np.max(chunk)), needs=Document.rows, store=True, version="2")

    with pytest.raises(CorruptValue, match="'rows' of document 'a' fails its checksum"):
        _ = Newer("a").most


# units


@pytest.mark.parametrize(
    "dimensions",
    [
        5, "x", {}, [], [None], [{"type": f"{CANARY}.Zen"}], [{"type": "os.system", "command": "true"}], [{"type": []}],
        [{"type": "FrequencyBand", "start_hz": 1, "stop_hz": 2}], [{"type": "IdentityDimension"}] * 2,
        [{"type": "TimeDimension", "frequency": {"type": "timedelta64", "ps": 10**30}}],
        [{"type": "TimeDimension", "frequency": {"type": "timedelta64", "ps": 1}, "rate": 0, "hop": 1, "window": 1}],
    ],
    ids=lambda dimensions: str(dimensions)[:50],
)  # fmt: skip
@pytest.mark.parametrize("decoder", [ArrayWithUnitsDecoder(), AudioSamplesDecoder()], ids=["units", "audio"])
def test_dimensions_fit_or_are_refused(decoder, dimensions):
    header = {"dtype": "<f4", "shape": [2], "dimensions": dimensions}
    with pytest.raises((CorruptValue, UnknownTypeError)):
        decoder.decode(stored(bytes(8), header))
    assert CANARY not in sys.modules


@pytest.mark.parametrize("bits", [10**12, -1, 0, 9, True, "8", None, 8.0])
def test_packed_bits_are_what_the_bytes_hold_or_refused(bits):
    with pytest.raises(CorruptValue):
        PackedArrayWithUnitsDecoder().decode(stored(bytes(2), {"dtype": "|u1", "shape": [2, 1], "bits": bits}))


ROW = [["start", "<i8"], ["stop", "<i8"], ["data", "<i8"]]


@pytest.mark.parametrize(
    ("dtype", "shape", "row"),
    [
        (ROW, [1], (-(2**63), -1, 0)), (ROW, [1, 1], (1, 2, 0)), (ROW, [], (1, 2, 0)),
        ("<i8", [3], (1, 2, 0)), ([["start", "<f8"], *ROW[1:]], [1], (1, 2, 0)),
        ([["a", "<i8"], *ROW[1:]], [1], (1, 2, 0)), (ROW, [2], (1, 2, 0)),
    ],
)  # fmt: skip
def test_a_series_is_one_or_refused(dtype, shape, row):
    data = np.array(row, "<i8").tobytes()
    with pytest.raises(CorruptValue):
        VariableRateTimeSeriesDecoder().decode(stored(data, {"dtype": dtype, "shape": shape}))


# text, JSON, compressed and typed values


@pytest.mark.parametrize("text", [b"NaN", b"[Infinity]", b"-1e999", b"{", b"", b"\xff", b"[" * 10**6, b"9" * 10_000])
def test_json_is_strict(text):
    with pytest.raises(CorruptValue, match="is no JSON"):
        JSONDecoder().decode(stored(text))


@pytest.mark.parametrize("chunks", [10**12, 3, True, "x", -1, [1]])
def test_chunks_of_json_are_as_many_as_its_header_says(chunks):
    assert list(JSONDecoder().chunks(stored(b"[1,2]", {"chunks": 2}))) == [1, 2]
    for text in (b"[1,2]", b"7", b'{"a":1}'):
        with pytest.raises(CorruptValue, match="chunks that its header promises"):
            list(JSONDecoder().chunks(stored(text, {"chunks": chunks})))


def test_text_is_text():
    for decoder, value in (
        (TextDecoder(), stored(b"\xff\xfe")),
        (BZ2Decoder(), stored(bz2.compress(b"\xff"), {"size": 1, "text": True})),
    ):
        with pytest.raises(CorruptValue, match="is no text"):
            decoder.decode(value)


@pytest.fixture(scope="module")
def bomb():
    """A hundred bytes that become 160 MB."""
    squeezer = bz2.BZ2Compressor()
    return b"".join(squeezer.compress(bytes(1 << 24)) for _ in range(10)) + squeezer.flush()


@pytest.mark.parametrize("size", [10, -5, 0, 160 << 20, 10**15, "x", None, True, 2.0, [1]])
def test_a_bomb_never_unfolds(bomb, size):
    tracemalloc.start()
    try:
        with pytest.raises(CorruptValue):
            BZ2Decoder().decode(stored(bomb, {"size": size}))
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


def test_what_would_be_taken_for_a_bomb_is_refused_when_written():
    pieces = list(BZ2Encoder().run([bytes(2**20)] * 4))
    assert sum(map(len, pieces)) < 1000
    with pytest.raises(ValueTooLarge, match="fill the memory of a reader; store it uncompressed"):
        list(BZ2Encoder().run([bytes(2**20)] * 17))


def test_compressed_bytes_that_are_missing_are_noticed():
    with pytest.raises(CorruptValue, match="lacks 3 of the bytes"):
        BZ2Decoder().decode(stored(bz2.compress(b"abc"), {"size": 6}))


def plain(value):
    return {"type": "value", "value": value}


def index(n):
    return {"type": "array", "index": n}


@pytest.mark.parametrize(
    "tree",
    [
        index(-1), index(1), index(10**12), index("0"), index(None), index(True), index(0.0), {}, None, 5, "x", [],
        {"type": ["list"]}, {"type": None}, {"type": "dict", "items": 5}, {"type": "tuple"}, {"type": f"{CANARY}.Zen"},
        {"type": "dict", "items": [[{"type": "list", "items": []}, plain(1)]]}, plain({"type": f"{CANARY}.Zen"}),
        {"type": "AudioSamples", "data": index(0), "keywords": {"samplerate": plain(5)}},
        {"type": "AudioSamples", "data": index(0), "keywords": {"__class__": plain(5)}},
        {"type": "ArrayWithUnits", "data": plain("x"), "keywords": {"dimensions": plain(7)}},
        {"type": "memmap", "data": plain("/etc/passwd"), "keywords": {}},
        plain({"type": "fraction", "numerator": 1, "denominator": 0}), plain({"type": "bytes", "base64": 5}),
        plain({"type": "ndarray", "dtype": "<f8", "shape": [2**40], "base64": "AAAA"}),
    ],
    ids=lambda tree: str(tree)[:60],
)  # fmt: skip
def test_a_typed_value_is_one_or_refused(tree):
    header = {"tree": tree, "arrays": [{"dtype": "<i8", "shape": [2]}]}
    with pytest.raises(ZoundsError):
        TypedDecoder().decode(stored(bytes(16), header))
    assert CANARY not in sys.modules


@pytest.mark.parametrize("arrays", [[], "x", None, {"dtype": 1}, [{}], [{"dtype": "O", "shape": [2]}], [[]], 5])
def test_the_arrays_of_a_typed_value_are_all_of_it(arrays):
    with pytest.raises(CorruptValue):
        TypedDecoder().decode(stored(bytes(16), {"tree": plain(1), "arrays": arrays}))


def test_pickle_needs_a_declaration(tmp_path):
    import pickle

    class Payload:
        def __reduce__(self):
            return (tmp_path / "canary").mkdir, ()

    with pytest.raises(UntrustedValue, match="trust=True"):
        TypedDecoder().decode(stored(pickle.dumps(Payload()), {"pickle": True}))
    assert not (tmp_path / "canary").exists()


# records


def packed(body):
    """A record with right checksums around any header."""
    good = Record("a").to_bytes()
    header = body if isinstance(body, bytes) else json.dumps(body).encode()
    size = len(Record("a").to_bytes()) - len(json.dumps(BODY, separators=(",", ":")))
    head = bytearray(good[:size])
    head[16:28] = len(header).to_bytes(4, "little") + xxhash.xxh3_64_intdigest(header).to_bytes(8, "little")
    return bytes(head) + header


BODY = {"format": 1, "sources": {}, "descriptions": {}, "values": {}}


def with_source(**source):
    return {**BODY, "sources": {"plan": {"hash": "h", **source}}}


FILE = {"kind": "file", "path": "x", "given": "x", "size": 1, "mtime_ns": 1}


def test_crafted_headers_are_packed_right():
    assert Record.from_bytes(packed(BODY)) == Record("a")
    assert Record.from_bytes(packed(with_source(**FILE))).sources["plan"]["path"] == "x"


@pytest.mark.parametrize(
    "body",
    [
        with_source(kind="file"), with_source(**{**FILE, "path": "\0"}), with_source(**{**FILE, "given": "\ud800"}),
        with_source(**{**FILE, "size": "1"}), with_source(kind="url"), with_source(kind="url", url=7),
        with_source(kind="value"), with_source(kind="bytes"), with_source(kind="wrapped", value={}),
        with_source(kind="wrapped", value=5, source={"kind": "opaque", "hash": "h"}),
        with_source(kind="wrapped", value={}, source={"kind": "url", "hash": "h"}),
        {**BODY, "descriptions": {"l": {}}}, {**BODY, "descriptions": {"l": {"needs": {"x": {}}}}},
        {**BODY, "marks": {"f": [1]}}, {**BODY, "marks": {"f": {}}},
    ],
    ids=lambda body: str(body)[25:80],
)  # fmt: skip
def test_what_a_record_says_of_its_making_is_checked(body):
    with pytest.raises(CorruptValue, match="does not follow the format"):
        Record.from_bytes(packed(body))


def values_of(*places, size=3):
    value = {"lineage": "l", "source": "s", "content_type": "t", "header": {}, "size": size, "checks": []}
    return {**BODY, "values": {str(i): {**value, "at": at} for i, at in enumerate(places)}}


@pytest.mark.parametrize("places", [(0, 0), (0, 2), (3, 0), (1,), (0, 3, 5), (0, 4), (-3, 0), (0,)])
def test_values_lie_one_after_another(places):
    assert len(Record.from_bytes(packed(values_of(0, 3)) + b"abcdef").entries) == 2
    with pytest.raises(CorruptValue, match="behind the value before it|outside the record|of 6 bytes"):
        Record.from_bytes(packed(values_of(*places)) + b"abcdef")


@pytest.mark.parametrize("part", [b"[],", b'{"a":1},', b'"ab",', b"1000,"])
def test_a_header_of_many_small_parts_takes_little_memory(part):
    text = b'{"format":1,"descriptions":{},"values":{},"sources":{"p":{"kind":"value","hash":"h","value":['
    raw = packed(text + part * (8_000_000 // len(part)) + b"0]}}}")
    tracemalloc.start()
    try:
        with pytest.raises(CorruptValue, match="too many parts"):
            Record.from_bytes(raw)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_a_header_of_many_parts_is_refused_when_it_is_written():
    made = Record("a", entries={"x": Entry("l", "s", "t", {"tree": [0] * 10**6}, 0, data=b"")})
    with pytest.raises(ValueTooLarge, match="800000 parts.*as arrays"):
        made.to_bytes()


@pytest.mark.parametrize("value", [{}, {"a": 1}, {"type": "path", "path": "x"}, {"type": "Seconds", "n": 1}])
def test_a_wrapped_source_is_wrapped_in_something_declared(value):
    source = {"kind": "wrapped", "value": value, "hash": "h", "source": {"kind": "url", "url": "u", "hash": "h"}}
    with pytest.raises(ZoundsError):
        restore_source(source)
