"""Terms: what a store can be asked about a document, taken from the bytes of its record alone.

Goal: every top-level number, text, true, false and null of a stored JSON value is a term of its document, and the same
record always gives the same terms, so that an index can be kept, checked and made again from records.

Conventions: a value becomes a key of bytes. Keys are typed (7 is not "7", 1 is not true), equal for numbers that are
equal (7 and 7.0), ordered as numbers and texts are, and none begins another one. Long texts, and numbers beyond all
floats, keep their beginning and a hash. A value that is no JSON object has no fields. One that is too large to look at
on every write (64 KiB, 256 fields, or moved to a blob) has the one term ``left_out``, so that nobody misses it
unknowingly.

Classes: ``Term``; functions ``left_out``, ``scalars_of``, ``terms_of``, ``value_key``, ``value_of``.
"""

import hashlib
import json
import math
import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from zounds_lite.errors import CorruptValue
from zounds_lite.featureflow.record import _has_too_many_parts, _is_too_deep, _part, _split, verify

__all__ = ["LEFT_OUT", "Scalar", "Term", "escaped", "left_out", "scalars_of", "terms_of", "value_key", "value_of"]

Scalar = str | int | float | bool | None
"""What a field holds."""

LONGEST_TEXT = 200
"""Bytes of a text that stand in its key; of a longer one, the beginning and a hash of all."""

LEFT_OUT = b"x"
"""Key of the term of a value that is not looked into."""

_JSON = "application/json"
_MARK = b'"content_type":"application/json"'
_VALUES = b'"values":{'
_LONGEST_JSON = 64 * 1024
_MOST_FIELDS = 256
_LONGEST_REST = 32
_HASHED = 0xFF
_DOUBLE, _BITS = struct.Struct(">d"), struct.Struct(">Q")
_SIGN = 1 << 63
_EXACT = 1 << 53
_CONSTANTS = {None: b"0", False: b"1", True: b"2"}
_DECODER = json.JSONDecoder()


class Term(NamedTuple):
    """One field of a document: the feature that holds it, its name, and its value as a key."""

    feature: str
    field: str
    key: bytes


def left_out(feature: str) -> Term:
    """Return the term of a document whose value of a feature is too large to be looked into."""
    return Term("", feature, LEFT_OUT)


# records


def terms_of(raw: bytes, what: str = "a record") -> frozenset[Term]:
    """Return the terms of a record.

    Raises:
        CorruptValue: it is damaged, so that nobody can tell.
    """
    found: set[Term] = set()
    for feature, fields in _objects(raw, what):
        if fields is None:
            found.add(left_out(feature))
            continue
        found.update(Term(feature, field, value_key(value)) for field, value in fields.items())
    return frozenset(found)


def scalars_of(raw: bytes, what: str = "a record") -> dict[tuple[str, str], Scalar]:
    """Return the values of all fields of a record, by feature and name.

    Raises:
        CorruptValue: it is damaged.
    """
    objects = ((feature, fields) for feature, fields in _objects(raw, what) if fields is not None)
    return {(feature, name): value for feature, fields in objects for name, value in fields.items()}


def _objects(raw: bytes, what: str) -> Iterator[tuple[str, dict[str, Scalar] | None]]:
    """Yield each JSON object of a record with its scalars; None in their place where it is too large."""
    _, header, payload = _split(memoryview(raw), what)
    if _MARK not in header:
        return
    try:
        values = _values(header, what)
        for name in values:
            value = _part(values, name, dict, "the values")
            if value.get("content_type") != _JSON:
                continue
            if value.get("blob") is not None:
                yield name, None
                continue
            at, size = _part(value, "at", int, name), _part(value, "size", int, name)
            data = payload[at : at + size]
            verify(data, value.get("checks", []), f"feature {name!r} of {what}")
            fields = _scalars(data)
            if fields is None or fields:
                yield name, fields
    except (ValueError, TypeError, RecursionError) as error:
        if isinstance(error, CorruptValue):
            raise
        raise CorruptValue(f"the header of {what} does not follow the format: {str(error)[:200]}") from error


def _values(header: bytes, what: str) -> dict[str, Any]:
    """Return the part of a header that describes values, if possible without reading the rest, which is far longer."""
    if _has_too_many_parts(header) or _is_too_deep(header):
        raise CorruptValue(f"the header of {what} holds too many parts, or is nested too deeply")
    if header.count(_VALUES) == 1:  # every header has this part, so it is not a parameter that looks like it
        values: dict[str, Any] = _DECODER.raw_decode(header.decode("ascii"), header.index(_VALUES) + len(_VALUES) - 1)[
            0
        ]
        return values
    return _part(json.loads(header), "values", dict, "the header")


def _scalars(data: memoryview) -> dict[str, Scalar] | None:
    """Return what can be asked for of a JSON value; nothing of what is no object, None of one that is too large."""
    if not bytes(data[:64]).lstrip().startswith(b"{"):
        return {}
    if len(data) > _LONGEST_JSON:
        return None
    try:
        body = json.loads(bytes(data))
    except (ValueError, RecursionError):  # what the codec of the user's own takes for JSON
        return {}
    found = {name: value for name, value in body.items() if _is_scalar(value)}
    return found if len(found) <= _MOST_FIELDS else None


def _is_scalar(value: Any) -> bool:
    return value is None or type(value) in (str, bool, int) or (type(value) is float and math.isfinite(value))


# keys


def value_key(value: Scalar) -> bytes:
    """Return the key of a value.

    Examples:
        >>> value_key(7) == value_key(7.0), value_key(7) == value_key("7"), value_key(1) == value_key(True)
        (True, False, False)
        >>> value_key(-2.5) < value_key(0) < value_key(1e300) < value_key(10**400), value_key("a") < value_key("b")
        (True, True)
    """
    if isinstance(value, str):
        return _text_key(value.encode("utf-8", "surrogatepass"))
    return _CONSTANTS[value] if value is None or isinstance(value, bool) else _number_key(value)


def escaped(raw: bytes) -> bytes:
    """Return bytes so that two zeros, or a zero and a one, can end them, and their order stays."""
    return raw.replace(b"\0", b"\0\xff")


def _text_key(raw: bytes) -> bytes:
    if len(raw) <= LONGEST_TEXT:
        return b"t" + escaped(raw) + b"\0\0"
    return b"t" + escaped(raw[:LONGEST_TEXT]) + b"\0\1" + hashlib.blake2b(raw, digest_size=32).digest()


@lru_cache(maxsize=4096)
def _number_key(value: float) -> bytes:
    """The nearest float below, its bits in order, then what an integer has beyond it: its length and its bytes."""
    below, rest = _below(value)
    bits = _BITS.unpack(_DOUBLE.pack(below + 0.0))[0]  # -0.0 is 0.0
    head = b"n" + _BITS.pack(bits ^ (_SIGN if bits < _SIGN else 2**64 - 1))
    size = (rest.bit_length() + 7) // 8
    if size <= _LONGEST_REST and math.isfinite(below):
        return head + bytes([size]) + rest.to_bytes(size, "big")
    return head + bytes([_HASHED]) + hashlib.blake2b(hex(int(value)).encode(), digest_size=32).digest()


def _below(value: float) -> tuple[float, int]:
    """Return the largest float that is not above a number, and what is missing."""
    if -_EXACT <= value <= _EXACT:
        return float(value), 0
    try:
        nearest = float(value)
    except OverflowError:
        nearest = math.inf if value > 0 else -math.inf
    if nearest > value:
        nearest = math.nextafter(nearest, -math.inf)
    return nearest, int(value) - int(nearest) if nearest != value and math.isfinite(nearest) else 0


def value_of(key: bytes) -> Scalar:
    """Return the value of a key.

    Raises:
        LookupError: it stands for a long text or number, of which it holds a hash.
        ValueError: it is no key.
    """
    kind, body = key[:1], key[1:]
    if kind == b"t" and body.endswith(b"\0\0"):
        return body[:-2].replace(b"\0\xff", b"\0").decode("utf-8", "surrogatepass")
    if kind == b"n" and len(body) >= 9 and body[8] != _HASHED:
        bits = _BITS.unpack(body[:8])[0]
        below = _DOUBLE.unpack(_BITS.pack(bits ^ (_SIGN if bits >= _SIGN else 2**64 - 1)))[0]
        rest = int.from_bytes(body[9:], "big")
        return int(below) + rest if rest or (below.is_integer() and abs(below) < _EXACT) else below
    if kind in (b"t", b"n"):
        raise LookupError("only a hash of the value is known")
    for value, constant in _CONSTANTS.items():
        if key == constant:
            return value
    raise ValueError(f"{key[:20]!r} is no key of a value")
