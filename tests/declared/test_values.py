"""Arguments as strict JSON and back: a closed set of plain values, and nothing that a header says is believed."""

import enum
import json
import math
import tracemalloc
from fractions import Fraction
from pathlib import PurePath

import numpy as np
import pytest
from hypothesis import given, strategies as st

from zounds_lite._declared import canonical, decode, describe, digest, encode
from zounds_lite._declared.values import picoseconds
from zounds_lite.errors import DeclarationError, LineageError, UnknownTypeError
from zounds_lite.timeseries import SR44100, Hours, Seconds, TimeSlice

texts = st.text(st.characters(), max_size=20)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    texts,
    st.binary(max_size=20),
    st.fractions(),
    st.integers(-(2**63) + 1, 2**63 - 1).map(lambda ps: np.timedelta64(ps, "ps")),
    st.builds(slice, st.none() | st.integers(), st.none() | st.integers(), st.none() | st.integers()),
    texts.map(PurePath),
    st.sampled_from(["<f4", "<c16", "|u1", "<U5"]).map(np.dtype),
    st.just(TimeSlice(Seconds(1))),
    st.just(SR44100()),
)
keys = st.one_of(texts, st.integers(), st.booleans())
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


def same(a, b):
    """Compare like ``==``, but NaN equals itself, and a duration equals only a duration."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (float, complex)):
        return repr(a) == repr(b)
    return a == b


@given(values)
def test_any_plain_value_comes_back(value):
    text = json.dumps(encode(value), allow_nan=False)
    assert same(decode(json.loads(text)), value)
    assert digest(encode(value)) == digest(json.loads(text))


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "<f8", ">f8", "complex64", "<U3", "S4"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3)])
def test_arrays_come_back(dtype, shape):
    array = np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)
    back = decode(json.loads(json.dumps(encode(array))))
    assert (back.dtype, back.shape) == (array.dtype.newbyteorder("<"), shape)
    assert np.array_equal(back, array)


def test_numpy_scalars_enums_and_subclasses_are_plain_values():
    class Kind(enum.Enum):
        LOUD = 3

    class Text(str):
        pass

    assert encode([np.float32(0.5), np.int64(7), np.bool_(True), Kind.LOUD, Text("a")]) == [0.5, 7, True, 3, "a"]
    assert [type(v) for v in encode([np.float32(0.5), np.int64(7), np.bool_(True), Text("a")])] == [
        float, int, bool, str
    ]  # fmt: skip
    assert decode(encode((1, 2))) == [1, 2]  # tuples become lists
    assert encode(bytearray(b"ab")) == encode(b"ab") == encode(memoryview(b"ab"))


def test_keys_that_would_be_taken_for_a_type_are_kept_apart():
    for value in ({"type": "os.system"}, {"type": 3, "a": 1}, {1: "a", "1": "b"}):
        encoded = json.loads(json.dumps(encode(value)))
        assert encoded["type"] == "dict"
        assert decode(encoded) == value


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, lambda x: x, int, np.add, open, np.zeros(2, object), np.array(["2020"], "M8[D]")]
)
def test_what_is_not_plain_is_refused(value):
    with pytest.raises(DeclarationError, match="cannot stand in a stored header; allowed: numbers, text"):
        encode([value])


def test_an_argument_that_is_too_large_is_refused():
    with pytest.raises(DeclarationError, match="65537 elements; allowed in a header: 65536"):
        encode(np.zeros(65537))
    assert describe(np.zeros(65537))["hash"] == describe(np.zeros(65537))["hash"]


HOSTILE = [
    {"type": "ndarray", "dtype": "|O", "shape": [1], "base64": "AAAAAAAAAAA="},
    {"type": "ndarray", "dtype": "|V8", "shape": [1], "base64": "AAAAAAAAAAA="},
    {"type": "ndarray", "dtype": "<f8", "shape": [2**62], "base64": ""},
    {"type": "ndarray", "dtype": "<f8", "shape": [2**31, 2**31], "base64": ""},
    {"type": "ndarray", "dtype": "<f8", "shape": [-1], "base64": "AAA="},
    {"type": "ndarray", "dtype": "<f8", "shape": "many", "base64": "AAAAAAAAAAA="},
    {"type": "ndarray", "dtype": "|S0", "shape": [1], "base64": "AAAA"},
    {"type": "ndarray", "dtype": "no dtype", "shape": [1], "base64": ""},
    {"type": "ndarray"},
    {"type": "dtype", "str": "|O"},
    {"type": "dtype", "str": "no dtype"},
    {"type": "dtype", "str": 7},
    {"type": "timedelta64"},
    {"type": "timedelta64", "ps": None},
    {"type": "timedelta64", "ps": "soon"},
    {"type": "timedelta64", "ps": 2**63},
    {"type": "timedelta64", "ps": float("inf")},
    {"type": "timedelta64", "ps": "9" * 10000},
    {"type": "fraction", "numerator": 1, "denominator": 0},
    {"type": "fraction", "numerator": "x", "denominator": 1},
    {"type": "float", "value": "seven"},
    {"type": "float", "value": [1]},
    {"type": "complex", "real": "x", "imag": 0},
    {"type": "slice", "bounds": [1, 2, 3, 4]},
    {"type": "slice", "bounds": 3},
    {"type": "bytes", "base64": "not base64!"},
    {"type": "bytes", "base64": 7},
    {"type": "path", "path": 7},
    {"type": "dict", "items": [[[], 1]]},
    {"type": "dict", "items": [[1]]},
    {"type": "dict", "items": 7},
    {"type": "SR44100", "hz": 44100},
    {"type": "TimeSlice", "duration": 7},
    {"type": "TimeSlice", "duration": {"type": "timedelta64", "ps": -1}},
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: json.dumps(value)[:60])
def test_a_header_that_lies_is_refused_without_allocation(value):
    tracemalloc.start()
    try:
        with pytest.raises(DeclarationError) as caught:
            decode({"inside": [value]})
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert not isinstance(caught.value, UnknownTypeError)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "name", ["os.system", "subprocess:run", "object", "Declared ", "", "__class__", None, 7, 1.5, True, [], ["a"], {}]
)
def test_an_unknown_type_is_refused(name):
    with pytest.raises(UnknownTypeError, match="names the type .* which this process does not know; import"):
        decode({"type": name, "x": 1})


def test_decoding_runs_nothing_and_imports_nothing():
    import sys

    before = set(sys.modules)
    for value in ({"type": "json.tool"}, {"type": "antigravity"}, {"type": "this:s"}):
        with pytest.raises(UnknownTypeError):
            decode(value)
    assert set(sys.modules) == before


def test_canonical_form():
    assert canonical({"b": [1, 2.5, None, True], "a": "\u00e9"}) == '{"a":"\\u00e9","b":[1,2.5,null,true]}'
    assert digest({"a": 1, "~note": "x"}) == digest({"a": 1, "~note": "y"}) == digest({"a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert len(digest(None)) == 32
    with pytest.raises(ValueError, match="Out of range"):
        canonical(math.nan)


def test_picoseconds_are_exact_and_refuse_what_has_no_length():
    assert picoseconds(Hours(10)) == 36_000 * 10**12
    assert picoseconds(np.timedelta64(2**62, "ps")) == 2**62
    assert picoseconds(np.timedelta64(10**7, "h")) == 36 * 10**9 * 10**12  # more than 64 bits hold
    for bad in (1.0, 1, np.timedelta64("NaT"), np.timedelta64(1, "M"), np.timedelta64(1, "Y"), np.timedelta64(1)):
        with pytest.raises(DeclarationError, match="duration|no fixed length"):
            picoseconds(bad)


def test_describe_takes_code_and_refuses_what_has_no_name():
    import re

    assert describe({"f": math.sin, "s": {2, 1}})["s"] == {"type": "set", "items": [1, 2]}
    assert describe(re.compile("a+"))["pattern"] == "a+"
    assert describe(lambda x: x)["code"] == describe(lambda x: x)["code"]
    with pytest.raises(LineageError, match="cannot be fingerprinted; pass plain values or declared types.*version="):
        describe([object()])
    assert encode(Fraction(1, 3)) == describe(Fraction(1, 3))
