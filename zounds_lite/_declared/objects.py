"""Describers of objects: by what they hold, and by the code of their class.

Conventions: an instance of a user's class is its class and its attributes; an installed one is what ``copy`` would
rebuild it from, described and never pickled; what only coordinates (locks, loggers, caches) counts by type or name.
What has no content to describe (open files, sockets, generators) is refused.
"""

import contextvars
import copyreg
import datetime
import decimal
import functools
import logging
import re
import struct
import sys
import threading
import types
import typing
import weakref
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any

import numpy as np

from zounds_lite._declared.description import describe, describes, inside, refuse
from zounds_lite._declared.library import is_library, library_name, name_of
from zounds_lite.errors import LineageError

__all__: list[str] = []

_HEAP_TYPE = 1 << 9
"""Flag of types that Python code made."""

_LOCKS = (
    type(threading.Lock()), type(threading.RLock()), threading.local, threading.Condition, threading.Event,
    threading.Semaphore, threading.Barrier, weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakSet,
)  # fmt: skip


@describes(object, exact=True)
def _describe_bare(value: object) -> Any:
    raise refuse(value)


@describes(types.EllipsisType, types.NotImplementedType)
def _describe_constant(value: Any) -> dict[str, Any]:
    return {"constant": repr(value)}


@describes(range)
def _describe_range(value: range) -> dict[str, Any]:
    return {"type": "range", "bounds": [value.start, value.stop, value.step]}


@describes(decimal.Decimal)
def _describe_decimal(value: decimal.Decimal) -> dict[str, Any]:
    return {"type": "decimal", "value": str(value)}


@describes(datetime.date, datetime.datetime, datetime.time, exact=True)
def _describe_date(value: Any) -> dict[str, Any]:
    zone = getattr(value, "tzinfo", None)
    described = {"type": type(value).__name__, "value": value.isoformat(), "fold": getattr(value, "fold", 0)}
    return described if zone is None else {**described, "zone": describe(zone)}


@describes(datetime.timedelta, exact=True)
def _describe_timedelta(value: datetime.timedelta) -> dict[str, Any]:
    return {"type": "timedelta", "value": [value.days, value.seconds, value.microseconds]}


@describes(types.SimpleNamespace)
def _describe_namespace(value: types.SimpleNamespace) -> dict[str, Any]:
    with inside(value) as again:
        return {"namespace": again if again else {k: describe(v) for k, v in sorted(vars(value).items())}}


@describes(types.MappingProxyType)
def _describe_view(value: Any) -> dict[str, Any]:
    return {"view": describe(dict(value))}


@describes(re.Pattern)
def _describe_pattern(value: re.Pattern) -> dict[str, Any]:
    return {"type": "pattern", "pattern": describe(value.pattern), "flags": int(value.flags)}


@describes(struct.Struct)
def _describe_struct(value: struct.Struct) -> dict[str, Any]:
    return {"struct": value.format}


@describes(logging.Logger)
def _describe_logger(value: logging.Logger) -> dict[str, Any]:
    return {"logger": value.name}


@describes(logging.LoggerAdapter)
def _describe_adapter(value: Any) -> dict[str, Any]:
    return {"logger": value.logger.name, "adapter": name_of(type(value))}


@describes(*_LOCKS)
def _describe_by_type(value: Any) -> dict[str, Any]:
    return {"any": name_of(type(value))}


@describes(contextvars.ContextVar)
def _describe_context(value: contextvars.ContextVar) -> dict[str, Any]:
    return {"context": value.name}


@describes(np.random.Generator, np.random.RandomState)
def _describe_generator(value: Any) -> dict[str, Any]:
    name = library_name(value)  # numpy's own, which its functions share
    if name:
        return {"object": name}
    state = value.bit_generator.state if isinstance(value, np.random.Generator) else value.get_state(legacy=False)
    return {"generator": name_of(type(value)), "state": describe(state)}


# types that are no classes


@describes(types.GenericAlias, types.UnionType)
def _describe_alias(value: Any) -> dict[str, Any]:
    origin = getattr(value, "__origin__", None)
    described = {"generic": "union" if origin is None else describe(origin)}
    return {**described, "args": [describe(argument) for argument in typing.get_args(value)]}


def _describe_typing(value: Any) -> dict[str, Any]:
    """Describe what ``typing`` offers: by its repr, and by the user's classes in it."""
    arguments = getattr(value, "__args__", None)
    if isinstance(arguments, tuple) and arguments:
        origin = getattr(value, "__origin__", None)
        return {"generic": describe(origin), "args": [describe(argument) for argument in arguments]}
    if isinstance(value, typing.NewType):
        return {"typing": value.__name__, "of": describe(value.__supertype__)}
    return {"typing": repr(value)}


# all other objects


@describes(object)
def _describe_object(value: Any) -> dict[str, Any]:
    kind = type(value)
    if kind.__module__ in ("typing", "typing_extensions"):
        return _describe_typing(value)
    with inside(value) as again:
        if again:
            return {"type": "around", "depth": again}
        if kind.__module__.startswith(("_cython_", "uarray")):
            return _describe_compiled(value)
        if not is_library(kind):
            return _describe_instance(value)
        name = library_name(value)
        if name:
            return {"object": name}
        wrapped = getattr(value, "__wrapped__", None)
        if isinstance(wrapped, types.FunctionType):
            return {"wrapper": name_of(kind), "wrapped": describe(wrapped)}
        return _describe_state(value)


def _describe_compiled(value: Any) -> dict[str, Any]:
    """Describe a function that Cython compiled, or one of ``scipy.fft``: their types belong to no module."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    if module is None or not is_library(module):
        raise refuse(value, "it is compiled code")
    return {"function": name_of(value)}


def _describe_instance(value: Any) -> dict[str, Any]:
    kind = type(value)
    compiled = next(base for base in kind.__mro__ if not base.__flags__ & _HEAP_TYPE)
    if compiled is not object:
        return _describe_state(value)
    found = {**getattr(value, "__dict__", {}), **dict(_slots(value))}
    return {"instance": describe(kind), "attributes": _attributes(value, found)}


def _slots(value: Any) -> Iterator[tuple[str, Any]]:
    for base in type(value).__mro__:
        for name, member in vars(base).items():
            if isinstance(member, types.MemberDescriptorType) and hasattr(value, name):
                yield name, getattr(value, name)


def _attributes(value: Any, found: Mapping[Any, Any]) -> dict[str, Any]:
    """Describe attributes by name, without the memory of cached properties."""
    described = {}
    for name, item in sorted(((str(name), item) for name, item in found.items()), key=itemgetter(0)):
        if not isinstance(getattr(type(value), name, None), functools.cached_property):
            try:
                described[name] = describe(item)
            except LineageError as error:
                raise LineageError(f"its attribute {name}: {error}") from error
    return described


def _describe_state(value: Any) -> dict[str, Any]:
    """Describe an object by what ``copy.copy`` would rebuild it from."""
    try:
        reduced = value.__reduce_ex__(2)
    except RecursionError:
        raise
    except Exception as error:
        raise refuse(value, "it has no content that could be copied") from error
    kind = type(value)
    if isinstance(reduced, str):
        return {"object": f"{kind.__module__}:{reduced}"}
    make, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    described: dict[str, Any] = {"instance": describe(kind)}
    if make is not kind and make is not copyreg.__newobj__:  # type: ignore[attr-defined]
        described["made by"] = describe(make)
    described["arguments"] = [describe(argument) for argument in arguments if argument is not kind]
    if isinstance(state, dict):
        described["attributes"] = _attributes(value, state)
    elif state is not None:
        described["state"] = describe(state)
    if items is not None:
        described["items"] = [describe(item) for item in items]
    if pairs is not None:
        described["pairs"] = [[describe(key), describe(item)] for key, item in pairs]
    return described
