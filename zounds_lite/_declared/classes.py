"""Describers of classes: the user's by their members, installed ones by name and ``revision``.

Conventions: only what a class body binds counts, and what was added to the class by its own names: the machinery of
enums, protocols, dataclasses and tuples with names differs between Python versions. Methods count like functions.
"""

import dataclasses
import enum
import functools
import sys
import types
from collections.abc import Iterator
from typing import Any

from zounds_lite._declared.description import describe, describes, once, sees_subclasses
from zounds_lite._declared.functions import describe_named
from zounds_lite._declared.library import is_library, name_of
from zounds_lite._declared.source import class_body
from zounds_lite.errors import LineageError

__all__: list[str] = []

_MACHINERY = {
    "__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__firstlineno__",
    "__static_attributes__", "__abstractmethods__", "_abc_impl", "__parameters__", "__orig_bases__", "__annotate__",
    "__annotate_func__", "__annotations_cache__", "__type_params__", "__dataclass_fields__", "__dataclass_params__",
    "__match_args__", "_is_protocol", "_is_runtime_protocol", "_fields", "_field_defaults", "_make", "_replace",
    "_asdict", "_generate_next_value_",
}  # fmt: skip
_FLAGS = ("init", "repr", "eq", "order", "unsafe_hash", "frozen")
_FIELD = ("name", "default", "default_factory", "init", "repr", "hash", "compare", "kw_only")


@describes(type)
@sees_subclasses
@once
def _describe_class(cls: type) -> dict[str, Any]:
    if is_library(cls):
        revision = getattr(cls, "revision", None)
        return {"class": name_of(cls), **({"revision": revision} if type(revision) is int else {})}
    described: dict[str, Any] = {"class": cls.__name__, "~class": name_of(cls)}
    bases = [describe(base) for base in cls.__bases__ if base is not object]
    if bases:
        described["bases"] = bases
    if not is_library(type(cls)):
        described["metaclass"] = describe(type(cls))
    if dataclasses.is_dataclass(cls):
        described["dataclass"] = _describe_dataclass(cls)
    if issubclass(cls, enum.Enum):
        described["enum"] = describe({name: member.value for name, member in cls.__members__.items()})
    members = vars(cls)
    if issubclass(cls, tuple) and "_fields" in members:
        described["fields"] = describe([members["_fields"], members.get("_field_defaults", {})])
    if "__attrs_attrs__" in members:
        described["fields"] = [[field.name, describe(field.default)] for field in members["__attrs_attrs__"]]
    described["members"] = {name: _describe_member(cls, name, member) for name, member in sorted(_members(cls))}
    return described


def _describe_dataclass(cls: Any) -> dict[str, Any]:
    flags = {name: getattr(cls.__dataclass_params__, name) for name in _FLAGS}
    fields = [{name: describe(getattr(field, name)) for name in _FIELD} for field in dataclasses.fields(cls)]
    return {**flags, "fields": fields}


def _member_file(cls: type) -> str:
    """The file that a class comes from: that of a method of its own, as its module may have been loaded anew."""
    for member in vars(cls).values():
        function = getattr(member, "__func__", getattr(member, "fget", getattr(member, "func", member)))
        if not isinstance(function, types.FunctionType) or function.__code__.co_filename.startswith("<string>"):
            continue
        if function.__qualname__ == f"{cls.__qualname__}.{function.__name__}":
            return function.__code__.co_filename
    return str(getattr(sys.modules.get(cls.__module__), "__file__", None) or "")


def _is_made(member: Any) -> bool:
    """Tell whether a method was written by no person: a dataclass's ``__init__``, or one of a package."""
    return not isinstance(member, types.FunctionType) or (
        member.__code__.co_filename.startswith("<string>") or is_library(member)
    )


def _members(cls: type) -> Iterator[tuple[str, Any]]:
    file = _member_file(cls)
    body = class_body(cls, file) if file else None
    skipped = {*_MACHINERY, *(getattr(cls, "_fields", ()) if issubclass(cls, tuple) else ())}
    if issubclass(cls, enum.Enum):
        skipped.update(cls.__members__)
    made = dataclasses.is_dataclass(cls) or issubclass(cls, tuple)
    for name, member in vars(cls).items():
        if name in skipped or isinstance(member, (types.GetSetDescriptorType, types.MemberDescriptorType)):
            continue
        private = name.startswith("_")
        sunder = private and name.endswith("_")
        if body is None and not (made and sunder) and not (sunder and _is_made(member) and issubclass(cls, enum.Enum)):
            yield name, member
        elif body is not None and (name in body or not sunder or not _is_made(member)):
            yield name, _as_written(cls, name, member)


def _as_written(cls: type, name: str, member: Any) -> Any:
    """Return the ``__new__`` that an enum's body gives, which its class hides."""
    if name == "__new__" and issubclass(cls, enum.Enum):
        return vars(cls).get("_new_member_", vars(cls).get("__new_member__", member))
    return member


def _describe_member(cls: type, name: str, member: Any) -> Any:
    try:
        scope = vars(sys.modules.get(cls.__module__, object))
        return describe_named(name, member, {**scope, **vars(cls)} if type(member) is object else {})
    except LineageError as error:
        raise LineageError(f"{name_of(cls)}.{name}: {error}") from error


@describes(staticmethod, classmethod)
def _describe_bound_later(value: Any) -> dict[str, Any]:
    return {type(value).__name__: describe(value.__func__)}


@describes(property)
def _describe_property(value: property) -> dict[str, Any]:
    return {"property": [describe(part) for part in (value.fget, value.fset, value.fdel)]}


@describes(functools.cached_property)
def _describe_cached_property(value: Any) -> dict[str, Any]:
    return {"cached_property": describe(value.func)}


@describes(functools.singledispatchmethod)
def _describe_dispatched(value: Any) -> dict[str, Any]:
    return {"singledispatchmethod": describe(value.dispatcher)}
