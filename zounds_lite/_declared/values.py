"""Arguments as strict JSON, and back.

Goal: a closed set of plain values that can stand in a stored header, with no code in it. Conventions: a value that
JSON lacks is an object with the key ``type``; anything else is itself. Keys that start with ``~`` are notes for people
and do not count in a digest. Functions: ``encode``, ``decode`` (data only), ``describe`` (data and code, for lineage),
``canonical``, ``digest``.
"""

import base64
import enum
import hashlib
import json
import logging
import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import PurePath
from types import ModuleType
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, LineageError, UnknownTypeError

__all__ = ["REGISTRY", "canonical", "decode", "describe", "digest", "encode", "picoseconds"]

REGISTRY: dict[str, type] = {}
"""Declared types by plain name; a stored header can name these and nothing else."""

_MAX_ARRAY = 65536
"""Largest array argument, in elements, that is written out in full."""

_SECOND = 10**12
_UNITS = {
    "W": 604800 * _SECOND,
    "D": 86400 * _SECOND,
    "h": 3600 * _SECOND,
    "m": 60 * _SECOND,
    "s": _SECOND,
    "ms": 10**9,
    "us": 10**6,
    "ns": 1000,
    "ps": 1,
}


def picoseconds(duration: np.timedelta64) -> int:
    """Convert a duration to integer picoseconds, exactly and without overflow.

    Raises:
        DeclarationError: ``duration`` is no ``np.timedelta64``, is NaT, or has a unit without a fixed length.

    Examples:
        >>> picoseconds(np.timedelta64(10, "h"))
        36000000000000000
    """
    if not isinstance(duration, np.timedelta64):
        raise DeclarationError(f"expected a duration such as Seconds(1), got {duration!r}")
    unit, count = np.datetime_data(duration.dtype)
    if unit not in _UNITS or np.isnat(duration):
        raise DeclarationError(f"{duration!r} has no fixed length; allowed units: {', '.join(_UNITS)}")
    return int(duration.astype(np.int64)) * count * _UNITS[unit]


def encode(value: Any, code: Callable[[Any], Any] | None = None) -> Any:
    """Turn ``value`` into strict JSON.

    Args:
        value (Any): None, bool, int, float, complex, text, bytes, duration, fraction, slice, path, dtype, array, list,
            tuple, mapping, or a ``Declared``.
        code (Callable | None): what to do with anything else, such as functions; None refuses it.

    Raises:
        DeclarationError: the value is none of these.

    Examples:
        >>> encode((1, np.timedelta64(2, "s")))
        [1, {'type': 'timedelta64', 'ps': 2000000000000}]
    """
    if value is None or isinstance(value, (bool, str)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, np.timedelta64):
        return {"type": "timedelta64", "ps": picoseconds(value)}
    if isinstance(value, enum.Enum):
        return encode(value.value, code)
    if hasattr(type(value), "to_dict") and type(value).__name__ in REGISTRY:
        return value.to_dict() if code is None else value.describe()
    if isinstance(value, (np.bool_, np.number)):
        value = value.item()
    if isinstance(value, (bool, int)):
        return value if isinstance(value, bool) else int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"type": "float", "value": repr(float(value))}
    if isinstance(value, (list, tuple)):
        return [encode(item, code) for item in value]
    if isinstance(value, Mapping):
        return _encode_mapping(value, code)
    encoded = _encode_scalar(value)
    if encoded is not None:
        return encoded
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufcSU":
        return _encode_array(value)
    if code is not None:
        return code(value)
    raise DeclarationError(
        f"{value!r} ({type(value).__qualname__}) cannot stand in a stored header; "
        "allowed: numbers, text, bytes, durations, arrays, lists, dicts and declared types"
    )


def _encode_mapping(value: Mapping[Any, Any], code: Callable[[Any], Any] | None) -> Any:
    if all(isinstance(key, str) for key in value) and "type" not in value:
        return {str(key): encode(item, code) for key, item in value.items()}
    return {"type": "dict", "items": [[encode(key, code), encode(item, code)] for key, item in value.items()]}


def _encode_scalar(value: Any) -> Any:
    """Encode the scalars that JSON lacks; None where ``value`` is none of them."""
    if isinstance(value, complex):
        return {"type": "complex", "real": encode(value.real), "imag": encode(value.imag)}
    if isinstance(value, Fraction):
        return {"type": "fraction", "numerator": value.numerator, "denominator": value.denominator}
    if isinstance(value, slice):
        return {"type": "slice", "bounds": [encode(bound) for bound in (value.start, value.stop, value.step)]}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"type": "bytes", "base64": base64.b64encode(bytes(value)).decode("ascii")}
    if isinstance(value, PurePath):
        return {"type": "path", "path": str(value)}
    if isinstance(value, np.dtype) and not value.hasobject:
        return {"type": "dtype", "str": value.str}
    return None


def _encode_array(value: np.ndarray) -> dict[str, Any]:
    data = np.ascontiguousarray(value)
    if data.dtype.byteorder == ">" or (data.dtype.byteorder == "=" and not np.little_endian):
        data = data.astype(data.dtype.newbyteorder("<"))
    encoded = {"type": "ndarray", "dtype": data.dtype.newbyteorder("<").str, "shape": list(value.shape)}
    if value.size > _MAX_ARRAY:
        raise DeclarationError(f"an array argument of {value.size} elements; allowed in a header: {_MAX_ARRAY}")
    return encoded | {"base64": base64.b64encode(data.tobytes()).decode("ascii")}


def decode(value: Any) -> Any:
    """Turn what ``encode`` wrote back into values; lists stay lists.

    Raises:
        UnknownTypeError: the JSON names a type that is not registered in this process.
        DeclarationError: the JSON does not follow the format.

    Examples:
        >>> decode(encode({"start": np.timedelta64(2, "s")}))
        {'start': np.timedelta64(2000000000000,'ps')}
    """
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "type" not in value:
        return {key: decode(item) for key, item in value.items()}
    name = value["type"]
    if name in _DECODERS:
        try:
            return _DECODERS[name](value)
        except (KeyError, ValueError, TypeError) as error:
            raise DeclarationError(f"malformed {name!r} in a stored header: {error}") from error
    if not isinstance(name, str) or name not in REGISTRY:
        raise UnknownTypeError(
            f"a stored header names the type {name!r}, which this process does not know; "
            "import the module that declares it, then read again"
        )
    return REGISTRY[name].from_dict(value)  # type: ignore[attr-defined]


def _decode_array(value: dict[str, Any]) -> np.ndarray:
    dtype = np.dtype(value["dtype"])
    if dtype.kind not in "biufcSU":
        raise ValueError(f"dtype {value['dtype']!r} is not allowed")
    data = base64.b64decode(value["base64"], validate=True)
    return np.frombuffer(data, dtype).reshape(value["shape"])


_DECODERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "timedelta64": lambda v: np.timedelta64(int(v["ps"]), "ps"),
    "float": lambda v: float(v["value"]),
    "complex": lambda v: complex(decode(v["real"]), decode(v["imag"])),
    "fraction": lambda v: Fraction(int(v["numerator"]), int(v["denominator"])),
    "slice": lambda v: slice(*decode(v["bounds"])),
    "bytes": lambda v: base64.b64decode(v["base64"], validate=True),
    "path": lambda v: PurePath(v["path"]),
    "dtype": lambda v: np.dtype(v["str"]),
    "dict": lambda v: {decode(key): decode(item) for key, item in v["items"]},
    "ndarray": _decode_array,
}


def describe(value: Any) -> Any:
    """Describe ``value`` for lineage: like ``encode``, and functions and classes by what their code says.

    Raises:
        LineageError: something in it cannot be fingerprinted.
    """
    return encode(value, _describe_other)


def _describe_other(value: Any) -> Any:
    from zounds_lite._declared.source import describe_code  # the two describe each other

    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        data = np.ascontiguousarray(value)
        return {"type": "ndarray", "dtype": data.dtype.str, "shape": list(data.shape), "hash": digest_bytes(data)}
    if isinstance(value, (set, frozenset)):
        return {"type": "set", "items": sorted((describe(item) for item in value), key=canonical)}
    if isinstance(value, re.Pattern):
        return {"type": "pattern", "pattern": encode(value.pattern), "flags": int(value.flags)}
    if isinstance(value, ModuleType):
        return {"module": value.__name__}
    if isinstance(value, logging.Logger):
        return {"logger": value.name}
    if isinstance(value, (type, np.ufunc)) or callable(value):
        return describe_code(value)
    raise LineageError(
        f"{value!r} ({type(value).__qualname__}) cannot be fingerprinted; pass plain values or declared types, "
        'or name the code yourself: Feature(..., version="1")'
    )


def _without_notes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_notes(item) for key, item in value.items() if not key.startswith("~")}
    if isinstance(value, list):
        return [_without_notes(item) for item in value]
    return value


def canonical(value: Any) -> str:
    """Write JSON in its one canonical form: sorted keys, no spaces, ASCII, no notes.

    Examples:
        >>> canonical({"b": 1, "a": [True, None], "~note": "for people"})
        '{"a":[true,null],"b":1}'
    """
    return json.dumps(_without_notes(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_bytes(data: Any) -> str:
    """Hash bytes to 32 hexadecimal digits (BLAKE2b, 128 bits)."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def digest(value: Any) -> str:
    """Hash the canonical form of JSON to 32 hexadecimal digits (BLAKE2b, 128 bits)."""
    return digest_bytes(canonical(value).encode("ascii"))
