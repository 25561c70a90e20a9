"""Records: what is written is read, limits are the same both ways, and damage is found, named, and nothing else."""

import json
import struct
import tracemalloc

import numpy as np
import pytest
import xxhash
from hypothesis import given, strategies as st

from zounds_lite.errors import CorruptValue, StoreError, ValueTooLarge
from zounds_lite.featureflow.record import BLOCK, Checksums, Entry, Record, blob_table, read_id, verified, verify

SOURCES = {
    "a": {"kind": "file", "path": "sound.wav", "given": "sound.wav", "size": 1, "mtime_ns": 1, "hash": "h"},
    "b": {"kind": "wrapped", "value": {}, "source": {"kind": "url", "url": "u", "hash": "h"}, "hash": "h"},
}
DESCRIPTIONS = {"l": {"node": "n", "needs": {"a": {"lineage": "m"}}}, "m": {"node": "o", "needs": {}}}


def record(_id="a", data=b"some value"):
    made = Record(_id, SOURCES, DESCRIPTIONS)
    checks = Checksums()
    checks.update(memoryview(data))
    made.entries["text"] = Entry("l", "s", "text/plain", {"x": [1, 2.5]}, len(data), data=data, checks=checks.finish())
    made.entries["large"] = Entry("m", "s", "x/y", {}, 10**9, blob="0123456789abcdef" * 2, checks=[2**64 - 1])
    return made


RAW = record().to_bytes()
HEAD = struct.Struct("<4sIQIQ")


def body_of(raw):
    _, id_size, _, size, _ = HEAD.unpack_from(raw)
    return raw[HEAD.size + id_size :][:size]


def pack(header, _id=b"a", payload=b"some value"):
    """Return a record around any header, with right checksums."""
    checks = xxhash.xxh3_64_intdigest(_id), xxhash.xxh3_64_intdigest(header)
    return HEAD.pack(b"ZLR1", len(_id), checks[0], len(header), checks[1]) + _id + header + payload


BODY = json.loads(body_of(RAW))


def read(raw):
    return read_id(lambda start, stop: raw[start:stop])


@pytest.mark.parametrize("_id", ["a", "\ud800", "\0", "y" * 100_000, "\u4e2d:/.."])
def test_what_is_written_is_read(_id):
    raw = record(_id).to_bytes()
    found = Record.from_bytes(raw)
    assert found == record(_id) and found.blobs == {"0123456789abcdef" * 2} and found.to_bytes() == raw
    assert read(raw) == _id
    assert pack(json.dumps(BODY, separators=(",", ":")).encode()) == RAW


@pytest.mark.parametrize("at", [0, 5, 9, 17, 21, 28, 40, -1])
def test_every_damaged_byte_of_a_record_is_found(at):
    raw = bytearray(RAW)
    raw[at] ^= 0x40
    with pytest.raises(CorruptValue, match="checksum|record must"):
        entry = Record.from_bytes(bytes(raw)).entries["text"]
        verify(entry.data, entry.checks, "the value")


@pytest.mark.parametrize("length", [0, 3, 16, 28, 60])
def test_a_cut_record_is_found(length):
    with pytest.raises(CorruptValue, match="cut short|record must"):
        Record.from_bytes(RAW[:length])


def test_the_id_can_be_read_from_a_record_whose_rest_is_lost():
    assert read(RAW[: HEAD.size + 1]) == "a"
    with pytest.raises(CorruptValue, match="id in a record fails its checksum"):
        read(RAW[: HEAD.size])
    for _id, words in ((b"", "id in a record fails"), (b"\xff", "is no text")):
        with pytest.raises(CorruptValue, match=words):
            read(pack(b"{}", _id))


# limits


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


def with_source(value):
    return Record("a", {"a": {"kind": "value", "value": value, "hash": "h"}})


@pytest.mark.parametrize("depth", [197, 198, 500, 100_000])
def test_nesting_has_the_same_limit_both_ways(depth):
    # two brackets around the sources, one around the source: 197 is the deepest value that fits
    made = with_source(nested(depth))
    if depth == 197:
        assert Record.from_bytes(made.to_bytes()).sources == made.sources
        return
    with pytest.raises(ValueTooLarge, match="the record of 'a' is nested more than 200 deep: flatten"):
        made.to_bytes()
    value = b"[" * depth + b"1" + b"]" * depth
    header = b'{"format":1,"sources":{"a":{"kind":"value","hash":"h","value":' + value + b'}},"descriptions":{},'
    with pytest.raises(CorruptValue, match="nested too deeply"):
        Record.from_bytes(pack(header + b'"values":{}}'))


@pytest.mark.parametrize("text", ["[" * 300, "{" * 300, '"[' * 300, "\\[" * 300, '\\"[' * 300, '"' * 301 + "[" * 300])
def test_brackets_in_text_are_no_nesting(text):
    for made in (with_source(text), with_source({text: text}), with_source([text, nested(190)])):
        assert Record.from_bytes(made.to_bytes()).sources == made.sources


def test_long_headers_and_ids_are_refused_when_written_and_when_read():
    with pytest.raises(ValueTooLarge, match="header of 8388[0-9]+ bytes, at most 8388608.*path, as bytes") as caught:
        with_source("x" * 8 * 2**20).to_bytes()
    assert isinstance(caught.value, StoreError) and isinstance(caught.value, ValueError)
    with pytest.raises(ValueTooLarge, match="id of 9000000"):
        Record("x" * 9_000_000).to_bytes()
    for raw in (pack(b" " * 9_000_000), pack(b"{}", b"x" * 9_000_000)):
        with pytest.raises(CorruptValue, match="does not start as a record must"):
            Record.from_bytes(raw)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", {1, 2}, {(1, 2): 3}])
def test_what_is_no_json_is_refused_when_written(value):
    with pytest.raises(ValueTooLarge, match="cannot be written.*plain, finite JSON"):
        with_source(value).to_bytes()


def test_the_largest_header_is_read_in_little_memory():
    raw = with_source("x" * (8 * 2**20 - 1000)).to_bytes()
    brackets = pack(b"[" * 8 * 2**20)
    tracemalloc.start()
    try:
        Record.from_bytes(raw)
        with pytest.raises(CorruptValue, match="too many parts"):
            Record.from_bytes(brackets)
        assert tracemalloc.get_traced_memory()[1] < 6 * len(raw)
    finally:
        tracemalloc.stop()


# what is in the header


def changed(path, value):
    body = json.loads(json.dumps(BODY))
    at = body
    for key in path[:-1]:
        at = at[key]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return pack(json.dumps(body).encode())


TEXT, LARGE = ("values", "text"), ("values", "large")
WRONG = [
    (("format",), 2, "it has format 2"),
    (("format",), True, "'format' in the header must be int, found bool"),
    (("sources",), [], "'sources' in the header must be dict, found list"),
    (("sources", "a"), "x", "'a' in the sources must be dict, found str"),
    (("sources", "a", "kind"), None, "'kind' in source 'a' must be str, found nothing"),
    (("sources", "a", "hash"), 7, "'hash' in source 'a' must be str, found int"),
    (("sources", "b", "source"), {}, "'kind' in the wrapped source 'b'"),
    (("descriptions", "l"), [], "'l' in the descriptions must be dict"),
    (("descriptions", "l", "needs"), [], "'needs' in description 'l' must be dict"),
    (("descriptions", "l", "needs", "a", "lineage"), 1, "'lineage' in description 'l' must be str"),
    (("values",), None, "'values' in the header must be dict, found nothing"),
    ((*TEXT, "lineage"), 1, "'lineage' in value 'text' must be str"),
    ((*TEXT, "source"), {}, "'source' in value 'text' must be str"),
    ((*TEXT, "content_type"), None, "'content_type' in value 'text' must be str"),
    ((*TEXT, "header"), [], "'header' in value 'text' must be dict"),
    ((*TEXT, "size"), True, "'size' in value 'text' must be int, found bool"),
    ((*TEXT, "size"), -1, "the size of value 'text' is out of range"),
    ((*TEXT, "size"), 11, "value 'text' lies outside the record"),
    ((*TEXT, "at"), -1, "value 'text' lies outside the record"),
    ((*TEXT, "at"), False, "'at' in value 'text' must be int, found bool"),
    ((*TEXT, "checks"), ["x"], "'checks' in value 'text' must be unsigned"),
    ((*TEXT, "checks"), [2**64], "'checks' in value 'text' must be unsigned"),
    ((*TEXT, "checks"), [True], "'checks' in value 'text' must be unsigned"),
    ((*LARGE, "blob"), 5, "'blob' in value 'large' must be str, found int"),
    ((*LARGE, "blob"), "../../etc/passwd", "value 'large' must have the name of a blob"),
    ((*LARGE, "blob"), "A" * 32, "value 'large' must have the name of a blob"),
    ((*LARGE, "checks"), [], "value 'large' must have .* one checksum"),
    ((*LARGE, "size"), 2**63, "the size of value 'large' is out of range"),
]


@pytest.mark.parametrize(("path", "value", "words"), WRONG)
def test_a_wrong_part_is_named(path, value, words):
    with pytest.raises(CorruptValue, match=f"the header of the record of 'a' does not follow the format: {words}"):
        Record.from_bytes(changed(path, value), "the record of 'a'")


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b"null",
        b"7",
        b"{",
        b'{"format":NaN}',
        b'{"format":1e999}',
        b"\xff",
        "{}".encode("utf-16"),
        b"\\\\[[",
    ],
)
def test_a_header_that_is_no_record_at_all(header):
    with pytest.raises(CorruptValue, match="does not follow the format"):
        Record.from_bytes(pack(header))


@given(st.lists(st.tuples(st.integers(0, len(RAW) - 1), st.integers(1, 255)), min_size=1, max_size=4))
def test_flipped_bits_are_corrupt_values_and_nothing_else(flips):
    raw = bytearray(RAW)
    for at, mask in flips:
        raw[at] ^= mask
    try:
        entry = Record.from_bytes(bytes(raw)).entries["text"]
        verify(entry.data, entry.checks, "the value")
    except CorruptValue:
        assert bytes(raw) != RAW
    else:
        assert bytes(raw) == RAW


def paths_in(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from paths_in(value[key], (*path, key))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)


@given(st.sampled_from(sorted(filter(None, paths_in(BODY)), key=str)), JSON, st.booleans())
def test_changed_headers_are_read_in_full_or_corrupt(path, value, delete):
    body = json.loads(json.dumps(BODY))
    at = body
    for key in path[:-1]:
        at = at[key]
    if delete:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    try:
        found = Record.from_bytes(pack(json.dumps(body).encode()))
    except CorruptValue:
        return
    assert Record.from_bytes(found.to_bytes()) == found
    for entry in found.entries.values():
        assert entry.blob is not None or len(entry.data) == entry.size


@given(st.binary(max_size=300))
def test_bytes_from_anywhere_are_corrupt_values(header):
    for raw in (header, b"ZLR1" + header, pack(header), pack(b'{"format":1,' + header)):
        with pytest.raises(CorruptValue):
            Record.from_bytes(raw)


# blobs


def blob_of(data):
    checks = Checksums()
    checks.update(memoryview(data))
    table = blob_table(checks.finish(), len(data))
    return bytearray(bytes(data) + table), xxhash.xxh3_64_intdigest(table[:-16])


DATA = np.random.default_rng(0).integers(0, 256, 3 * BLOCK + 1000, dtype=np.uint8).tobytes()


def test_a_verified_read_checks_only_the_blocks_that_it_touches():
    blob, check = blob_of(DATA)
    blob[2 * BLOCK + 5] ^= 1
    read = verified(memoryview(blob), len(DATA), check, "feature 'a'")
    assert bytes(read(BLOCK, 2 * BLOCK)) == DATA[BLOCK : 2 * BLOCK]
    assert bytes(read(0, 10)) == DATA[:10] and bytes(read(3 * BLOCK, len(DATA))) == DATA[3 * BLOCK :]
    for start, stop in ((2 * BLOCK, 2 * BLOCK + 1), (3 * BLOCK - 1, 3 * BLOCK + 1), (0, len(DATA))):
        with pytest.raises(CorruptValue, match=r"feature 'a' fails its checksum \(block 2 of 4\); process"):
            read(start, stop)


def test_a_block_is_verified_once():
    blob, check = blob_of(DATA)
    read = verified(memoryview(blob), len(DATA), check, "x")
    before = bytes(read(10, 20))
    blob[15] ^= 1
    assert bytes(read(10, 20)) != before


@given(st.integers(0, len(DATA) + 10), st.integers(0, len(DATA) + 10))
def test_verified_reads_are_slices(start, stop):
    blob, check = blob_of(DATA)
    assert verified(memoryview(blob), len(DATA), check, "x")(start, stop) == memoryview(DATA)[start:stop]


@pytest.mark.parametrize("size", [0, 1, BLOCK, BLOCK + 1])
def test_verified_reads_of_all_sizes(size):
    blob, check = blob_of(DATA[:size])
    assert verified(memoryview(blob), size, check, "x")(0, size) == DATA[:size]


def test_a_damaged_table_or_a_cut_blob_is_found_at_once():
    blob, check = blob_of(DATA)
    for damaged, words in ((blob[:10], "holds only 10"), (blob[:-1], "does not end"), (blob[1:], "does not end")):
        with pytest.raises(CorruptValue, match=words):
            verified(memoryview(damaged), len(DATA), check, "x")
    blob[-20] ^= 1
    with pytest.raises(CorruptValue, match="table of its blob is damaged"):
        verified(memoryview(blob), len(DATA), check, "x")
