"""Arguments as strict JSON, and back.

Goal: a closed set of plain values that can stand in a stored header, with no code in it. Conventions: a value that
JSON lacks is an object with the key ``type``; anything else is itself. Keys that start with ``~`` are notes for people
and do not count in a digest; a mapping with such a key is written as a list of pairs. What lineage needs beyond data is
in ``description``. Functions: ``encode``, ``decode``, ``canonical``, ``digest``.
"""

import base64
import enum
import hashlib
import json
import math
import struct
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import PurePath
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, UnknownTypeError, ZoundsError

__all__ = ["REGISTRY", "canonical", "check_registered", "decode", "digest", "digest_bytes", "encode", "picoseconds"]

REGISTRY: dict[str, type] = {}
"""Declared types by plain name; a stored header can name these and nothing else."""

_MAX_ARRAY = 65536
"""Largest array argument, in elements, that is written out in full."""

_MAX_BITS = 10000
"""Largest integer; Python refuses to write and read decimal numbers that are not much larger."""

_KINDS = "biufcSU"
"""Kinds of array data that a header may hold."""

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

_count = struct.Struct("=q").unpack
"""Reads the 64-bit count of units out of a duration, ten times as fast as a conversion does."""

_NAT = -(2**63)


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
    unit, multiple = np.datetime_data(duration.dtype)
    (count,) = _count(duration)  # type: ignore[arg-type]  # a scalar of numpy is a buffer, which its stubs leave out
    if unit not in _UNITS or count == _NAT:
        raise DeclarationError(f"{duration!r} has no fixed length; allowed units: {', '.join(_UNITS)}")
    return int(count * multiple * _UNITS[unit])


def check_registered(cls: type) -> None:
    """Refuse a declared type whose name, in a header, would be read back as another type.

    Raises:
        DeclarationError: another type is registered under its name.
    """
    known = REGISTRY.get(cls.__name__)
    if known is None or known is cls:
        return
    if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):  # equal: declared anew, reloaded
        raise DeclarationError(
            f"{cls.__module__}.{cls.__qualname__} cannot stand in a stored header: its name belongs to "
            f"{known.__module__}.{known.__qualname__}; rename one of the two"
        )


def encode(value: Any) -> Any:
    """Turn ``value`` into strict JSON.

    Args:
        value (Any): None, bool, int, float, complex, text, bytes, duration, fraction, slice, path, dtype, array, list,
            tuple, mapping, or a ``Declared``.

    Raises:
        DeclarationError: the value is none of these, or a declared type whose name another type holds.

    Examples:
        >>> encode((1, np.timedelta64(2, "s")))
        [1, {'type': 'timedelta64', 'ps': 2000000000000}]
    """
    if value is None or isinstance(value, (bool, str)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, np.timedelta64):
        return {"type": "timedelta64", "ps": _int64(picoseconds(value), "a duration in picoseconds")}
    if isinstance(value, enum.Enum):
        return encode(value.value)
    if hasattr(type(value), "to_dict") and type(value).__name__ in REGISTRY:
        check_registered(type(value))
        return value.to_dict()
    if isinstance(value, (np.bool_, np.number)):
        value = value.item()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _short(int(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"type": "float", "value": repr(float(value))}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return _encode_mapping(value)
    encoded = _encode_scalar(value)
    if encoded is not None:
        return encoded
    if isinstance(value, np.ndarray) and value.dtype.kind in _KINDS:
        return _encode_array(value)
    raise DeclarationError(
        f"{repr(value)[:200]} ({type(value).__qualname__}) cannot stand in a stored header; "
        "allowed: numbers, text, bytes, durations, arrays, lists, dicts and declared types"
    )


def _int64(value: int, what: str) -> int:
    if not -(2**63) < value < 2**63:
        raise DeclarationError(f"{what} needs more than 64 bits; allowed: up to 2**63 - 1")
    return value


def _short(value: int) -> int:
    if value.bit_length() > _MAX_BITS:
        raise DeclarationError(f"an integer of {value.bit_length()} bits; allowed in a header: {_MAX_BITS}")
    return value


def _encode_mapping(value: Mapping[Any, Any]) -> Any:
    if "type" not in value and all(isinstance(key, str) and not key.startswith("~") for key in value):
        return {str(key): encode(item) for key, item in value.items()}
    return {"type": "dict", "items": [[encode(key), encode(item)] for key, item in value.items()]}


def _encode_scalar(value: Any) -> Any:
    """Encode the scalars that JSON lacks; None where ``value`` is none of them."""
    if isinstance(value, complex):
        return {"type": "complex", "real": encode(value.real), "imag": encode(value.imag)}
    if isinstance(value, Fraction):
        return {"type": "fraction", "numerator": _short(value.numerator), "denominator": _short(value.denominator)}
    if isinstance(value, slice):
        return {"type": "slice", "bounds": [encode(bound) for bound in (value.start, value.stop, value.step)]}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"type": "bytes", "base64": base64.b64encode(bytes(value)).decode("ascii")}
    if isinstance(value, PurePath):
        return {"type": "path", "path": str(value)}
    if isinstance(value, np.dtype) and value.kind in _KINDS + "mM":
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

    Nothing that the JSON says is believed: sizes are checked against the data before anything is allocated.

    Raises:
        UnknownTypeError: the JSON names a type that is not registered in this process.
        DeclarationError: the JSON does not follow the format.

    Examples:
        >>> decode(encode({"start": np.timedelta64(2, "s")}))
        {'start': np.timedelta64(2000000000000,'ps')}
    """
    try:
        return _decode(value)
    except RecursionError:
        raise DeclarationError("a stored header is nested too deeply") from None


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise DeclarationError(f"a stored header holds the bare number {value}, which is not JSON")
    if not isinstance(value, dict):
        return value
    if "type" not in value:
        return {key: _decode(item) for key, item in value.items()}
    name = value["type"]
    if not isinstance(name, str) or (name not in _DECODERS and name not in REGISTRY):
        raise UnknownTypeError(
            f"a stored header names the type {repr(name)[:100]}, which this process does not know; "
            "import the module that declares it, then read again"
        )
    try:
        read: Any = _DECODERS[name] if name in _DECODERS else REGISTRY[name].from_dict  # type: ignore[attr-defined]
        return read(value)
    except (ZoundsError, RecursionError):
        raise
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as error:
        raise DeclarationError(f"malformed {name!r} in a stored header: {str(error)[:200]}") from error


def _integer(value: Any) -> int:
    if type(value) is not int:  # bool is an int too
        raise TypeError(f"expected an integer, got {type(value).__name__}")
    return _short(value)


def _number(value: Any) -> float:
    value = _decode(value)
    if type(value) not in (int, float):
        raise TypeError(f"expected a number, got {type(value).__name__}")
    return float(value)


def _decode_float(value: dict[str, Any]) -> float:
    if value["value"] not in ("nan", "inf", "-inf"):
        raise ValueError("the value must be 'nan', 'inf' or '-inf'")
    return float(value["value"])


def _decode_dtype(text: Any, kinds: str) -> np.dtype:
    if not isinstance(text, str):
        raise TypeError(f"a dtype is text, got {type(text).__name__}")
    dtype = np.dtype(text)
    if dtype.kind not in kinds or dtype.subdtype is not None or dtype.itemsize == 0:
        raise ValueError(f"dtype {text[:50]!r} is not allowed")
    return dtype


def _decode_slice(value: dict[str, Any]) -> slice:
    bounds = value["bounds"]
    if not isinstance(bounds, list) or len(bounds) != 3:
        raise ValueError("a slice has three bounds")
    return slice(*_decode(bounds))


def _decode_array(value: dict[str, Any]) -> np.ndarray:
    dtype = _decode_dtype(value["dtype"], _KINDS)
    shape = value["shape"]
    if not isinstance(shape, list) or len(shape) > 64 or any(_integer(size) < 0 for size in shape):
        raise ValueError("a shape is a list of up to 64 sizes")
    data = base64.b64decode(value["base64"], validate=True)
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"{len(data)} bytes do not fill the shape {str(shape)[:100]}")
    return np.frombuffer(data, dtype).reshape(shape)


def _decode_items(value: dict[str, Any]) -> dict[Any, Any]:
    return {_decode(key): _decode(item) for key, item in value["items"]}


_DECODERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "timedelta64": lambda v: np.timedelta64(_int64(_integer(v["ps"]), "ps"), "ps"),
    "float": _decode_float,
    "complex": lambda v: complex(_number(v["real"]), _number(v["imag"])),
    "fraction": lambda v: Fraction(_integer(v["numerator"]), _integer(v["denominator"])),
    "slice": _decode_slice,
    "bytes": lambda v: base64.b64decode(v["base64"], validate=True),
    "path": lambda v: PurePath(v["path"]),
    "dtype": lambda v: _decode_dtype(v["str"], _KINDS + "mM"),
    "dict": _decode_items,
    "ndarray": _decode_array,
}


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
