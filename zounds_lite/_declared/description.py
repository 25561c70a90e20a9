"""Descriptions for lineage: values and code as JSON that moves when an answer can.

Goal: the same value gives the same description in every process and Python version, and another one as soon as code
could tell the difference: the type of a number, list or tuple, the order of a mapping. Conventions: as in ``values``,
plus one describer per type, which other files register with ``describes``: ``functions``, ``classes``, ``objects``. A
type may describe itself: ``describe_lineage(self)`` returns what stands for it. Functions: ``describe``,
``describe_argument`` (of a ``Declared``, where equal values are alike), ``describes``, ``once``, ``refuse``.
"""

import enum
import functools
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from pathlib import PurePath
from typing import Any

import numpy as np

from zounds_lite._declared.library import is_library, name_of
from zounds_lite._declared.values import canonical, digest, digest_bytes, encode, picoseconds
from zounds_lite.errors import DeclarationError, LineageError

__all__ = ["describe", "describe_argument", "describes", "inside", "once", "refuse", "sees_subclasses", "unordered"]

Describer = Callable[[Any], Any]
_DESCRIBERS: dict[type, Describer] = {}
_EXACT: dict[type, Describer] = {}
_MAX_OBJECTS = 20000
"""Objects in one description; a web of more is refused rather than walked."""

_SHOWN = 64
"""Largest array, in elements, whose values are written out; larger ones are hashed."""

_LONG = 4096
"""Longest text or bytes that are written out; longer ones are hashed."""

_MANY = 1000
"""Longest container that is written out; longer ones are hashed, so that a description fits into a record."""

_DEEP = 40
"""Deepest call chain that is written out; what is below is hashed."""


class _Session:
    """What one description has met: code by order of first meeting, and the containers that it is inside of."""

    def __init__(self) -> None:
        self.seen: dict[int, tuple[int, Any]] = {}
        self.open: dict[int, int] = {}
        self.depth = 0
        self.objects = 0


_current: ContextVar[_Session | None] = ContextVar("_current", default=None)


def describes(*types: type, exact: bool = False) -> Callable[[Describer], Describer]:
    """Register the decorated function as the describer of ``types`` and, unless ``exact``, of their subclasses."""

    def register(describer: Describer) -> Describer:
        (_EXACT if exact else _DESCRIBERS).update(dict.fromkeys(types, describer))
        return describer

    return register


@functools.lru_cache(maxsize=4096)
def _describer(kind: Any) -> Describer:
    if kind in _EXACT:
        return _EXACT[kind]
    if hasattr(kind, "describe_lineage"):
        return lambda value: {"type": "described", "as": describe(value.describe_lineage())}
    for base in kind.__mro__[:-1]:
        # a user's subclass is more than its base, unless the describer looks at its code
        if base in _DESCRIBERS and (is_library(kind) or getattr(_DESCRIBERS[base], "sees_subclasses", False)):
            return _DESCRIBERS[base]
    return _DESCRIBERS[object]


def describe(value: Any) -> Any:
    """Describe ``value`` for lineage: data as JSON, and functions, classes and objects by what their code says.

    Raises:
        LineageError: something in it cannot be fingerprinted.

    Examples:
        >>> describe([1, (2.0, np.float32(1))])
        [1, {'type': 'tuple', 'items': [2.0, {'type': 'scalar', 'dtype': '<f4', 'value': 1.0}]}]
    """
    kind: Any = type(value)
    if _current.get() is not None:
        return _describer(kind)(value)
    token = _current.set(_Session())
    try:
        return _describer(kind)(value)
    except RecursionError:
        raise refuse(value, "it is nested too deeply") from None
    finally:
        _current.reset(token)


def refuse(value: Any, why: str = "") -> LineageError:
    """Make the error for a value that cannot be fingerprinted."""
    try:
        shown = repr(value)[:100]
    except Exception:  # noqa: BLE001 - a broken repr must not hide the message
        shown = "a value"
    return LineageError(
        f"{shown} ({type(value).__qualname__}) cannot be fingerprinted; pass plain values or declared types, "
        f'or name the code yourself: Feature(..., version="1"){"; " + why if why else ""}'
    )


def _session() -> _Session:
    session = _current.get()
    assert session is not None, "describe() opens one"
    return session


def once(describer: Describer) -> Describer:
    """Let ``describer`` describe each object once; where it is met again, its number stands for it."""

    @functools.wraps(describer)
    def described_once(value: Any) -> Any:
        session = _session()
        seen = session.seen
        if id(value) in seen:
            return {"recursive": seen[id(value)][0]}
        seen[id(value)] = (len(seen), value)
        session.depth += 1
        try:
            described = describer(value)
            return described if session.depth != _DEEP else {"hash": digest(described)}
        finally:
            session.depth -= 1

    return described_once


@contextmanager
def inside(value: Any) -> Iterator[int | None]:
    """Enter a container or an object; yields how far out it was entered before, or None."""
    session = _session()
    session.objects += 1
    if session.objects > _MAX_OBJECTS:
        raise refuse(value, f"more than {_MAX_OBJECTS} objects hang together")
    depth = len(session.open)
    if id(value) in session.open:
        yield depth - session.open[id(value)]
        return
    session.open[id(value)] = depth
    try:
        yield None
    finally:
        del session.open[id(value)]


def unordered(values: Any) -> list[Any]:
    """Describe values whose order is arbitrary, each by itself, and sort what comes out."""
    session, found = _session(), []
    seen = session.seen
    for value in values:
        session.seen = {}  # the numbers that ``once`` gives depend on the order
        found.append(describe(value))
    session.seen = seen
    return sorted(found, key=canonical)


# plain values


@describes(type(None), bool, exact=True)
def _itself(value: Any) -> Any:
    return value


@describes(str, exact=True)
def _describe_text(value: str) -> Any:
    return value if len(value) <= _LONG else {"type": "str", "length": len(value), "hash": digest(value)}


def _hashed(value: Any, described: Any) -> dict[str, Any]:
    return {"type": type(value).__name__, "length": len(value), "hash": digest(described)}


@describes(int, exact=True)
def _describe_int(value: int) -> Any:
    return value if value.bit_length() <= 10000 else {"type": "int", "hex": hex(value)}


@describes(float, complex, slice, Fraction, exact=True)
def _as_in_a_header(value: Any) -> Any:
    try:
        return encode(value)
    except DeclarationError:
        if not isinstance(value, slice):
            raise refuse(value) from None
        return {"type": "slice", "bounds": [describe(bound) for bound in (value.start, value.stop, value.step)]}


@describes(PurePath)
def _describe_path(value: PurePath) -> Any:
    return {"type": "path", "path": str(value)}


@describes(bytes, bytearray, memoryview, exact=True)
def _describe_bytes(value: Any) -> dict[str, Any]:
    if len(value) > _LONG:
        return {"type": type(value).__name__, "hash": digest_bytes(bytes(value))}
    return {"type": type(value).__name__, "base64": encode(bytes(value))["base64"]}


@describes(list, exact=True)
def _describe_list(value: list[Any]) -> Any:
    with inside(value) as again:
        if again:
            return {"type": "around", "depth": again}
        described = [describe(item) for item in value]
        return described if len(value) <= _MANY else _hashed(value, described)


@describes(tuple, exact=True)
def _describe_tuple(value: tuple[Any, ...]) -> dict[str, Any]:
    items = [describe(item) for item in value]
    return {"type": "tuple", "items": items} if len(items) <= _MANY else _hashed(value, items)


@describes(dict, exact=True)
def _describe_dict(value: Mapping[Any, Any]) -> dict[str, Any]:
    with inside(value) as again:
        if again:
            return {"type": "around", "depth": again}
        if len(value) > _MANY:
            return _hashed(value, [[describe(key), describe(item)] for key, item in value.items()])
        if all(type(key) is str and key not in ("type", "order", "items") and key[:1] != "~" for key in value):
            return {"type": "dict", "order": list(value), **{key: describe(item) for key, item in value.items()}}
        return {"type": "dict", "items": [[describe(key), describe(item)] for key, item in value.items()]}


@describes(set, frozenset, exact=True)
def _describe_set(value: Any) -> dict[str, Any]:
    items = unordered(value)
    return {"type": type(value).__name__, "items": items} if len(items) <= _MANY else _hashed(value, items)


# numpy


def _dtype_text(dtype: np.dtype) -> str:
    return dtype.str if dtype.names is None and dtype.subdtype is None else str(dtype)


@describes(np.dtype)
def _describe_dtype(value: np.dtype) -> dict[str, Any]:
    return {"type": "dtype", "str": _dtype_text(value)}


@describes(np.timedelta64)
def _describe_duration(value: np.timedelta64) -> dict[str, Any]:
    try:
        return {"type": "timedelta64", "ps": picoseconds(value)}
    except DeclarationError:  # months have no fixed length
        return _describe_scalar(value)


@describes(np.generic)
def _describe_scalar(value: Any) -> dict[str, Any]:
    if value.dtype.kind in "mM":
        plain: Any = int(value.astype(np.int64))
    else:
        plain = value.item() if isinstance(value.item(), (bool, int, float, complex, str, bytes)) else str(value)
    return {"type": "scalar", "dtype": _dtype_text(value.dtype), "value": describe(plain)}


@describes(np.ndarray, np.memmap, exact=True)
def _describe_array(value: np.ndarray) -> dict[str, Any]:
    described: dict[str, Any] = {"type": "ndarray", "dtype": _dtype_text(value.dtype), "shape": list(value.shape)}
    if value.dtype.hasobject or (value.size <= _SHOWN and value.dtype.kind in "biufcU"):
        with inside(value) as again:
            return described | {"values": again if again else [describe(item) for item in value.ravel().tolist()]}
    return described | {"hash": digest_bytes(np.ascontiguousarray(value).tobytes())}


# arguments of declared types


def describe_argument(value: Any) -> Any:
    """Describe an argument of a ``Declared``: like ``describe``, but equal arguments have equal descriptions.

    2 and 2.0, a list and a tuple of the same items, and mappings in any order are equal, so that a declaration that is
    read back from JSON keeps its fingerprint.
    """
    if isinstance(value, np.timedelta64):
        return describe(value)
    if isinstance(value, (np.bool_, np.number)):
        value = value.item()
    if isinstance(value, enum.Enum) and is_library(type(value)):
        return describe_argument(value.value)
    if isinstance(value, (float, Fraction)) and math.isfinite(value) and value == int(value):
        return describe(int(value))
    if type(value) is complex and value.imag == 0:
        return describe_argument(value.real)
    if type(value) in (list, tuple):
        return [describe_argument(item) for item in value]
    if type(value) in (bytearray, memoryview):
        return describe(bytes(value))
    if type(value) in (set, frozenset):
        return describe(set(value))
    if isinstance(value, slice):
        return {"type": "slice", "bounds": [describe_argument(b) for b in (value.start, value.stop, value.step)]}
    if type(value) is dict:
        pairs = [[describe_argument(key), describe_argument(item)] for key, item in value.items()]
        return {"type": "mapping", "items": sorted(pairs, key=canonical)}
    return describe(value)


def sees_subclasses(describer: Describer) -> Describer:
    """Mark a describer that looks at the code of a user's subclasses."""
    describer.sees_subclasses = True  # type: ignore[attr-defined]
    return describer


@describes(enum.Enum)
@sees_subclasses
def _describe_member(value: enum.Enum) -> dict[str, Any]:
    kind = type(value)
    named = {"enum": name_of(kind), "value": describe(value.value)}
    return named if is_library(kind) else {"member": describe(value.value), "class": describe(kind)}
