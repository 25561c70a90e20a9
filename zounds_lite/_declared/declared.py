"""Declared: constructor arguments are the declaration."""

import inspect
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Self

import numpy as np

from zounds_lite._declared.description import describe, describe_argument, describes, sees_subclasses
from zounds_lite._declared.library import is_library, is_ours
from zounds_lite._declared.values import REGISTRY, check_registered, decode, digest, encode, picoseconds
from zounds_lite.errors import DeclarationError, UnknownTypeError, ZoundsError

__all__ = ["Declared", "key_of"]


@cache
def _parameter_names(cls: Any) -> tuple[str, ...]:
    parameters = inspect.signature(cls.__init__).parameters.values()
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return tuple(p.name for p in parameters if p.kind in plain)[1:]


_PLAIN = frozenset((int, float, str, bytes, type(None)))


@lru_cache(maxsize=1024)
def _is_library_type(cls: Any) -> bool:
    """Tell whether all code between ``cls`` and ``Declared`` is the library's."""
    return all(is_library(base) for base in cls.__mro__[: cls.__mro__.index(Declared)])


def key_of(value: Any) -> Any:
    """Make an argument hashable, so that equal arguments have equal keys."""
    if type(value) in _PLAIN or isinstance(value, Declared):  # nearly all arguments
        return value
    if isinstance(value, (bool, np.bool_)):
        return "bool", bool(value)
    if isinstance(value, np.timedelta64):
        return "timedelta64", picoseconds(value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (set, frozenset)):
        return frozenset(key_of(item) for item in value)
    if isinstance(value, np.ndarray):
        return "ndarray", value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, (list, tuple)):
        return tuple(key_of(item) for item in value)
    if isinstance(value, Mapping):
        return frozenset((key_of(name), key_of(item)) for name, item in value.items())
    if isinstance(value, slice):
        return "slice", value.start, value.stop, value.step
    return value


class Declared:
    """A frozen value that is nothing but its constructor arguments.

    A subclass passes its arguments on under their own names: ``super().__init__(start_hz=start_hz)``. They become
    attributes; repr, equality, hash, JSON and fingerprint follow. Override ``validate`` to refuse bad arguments; heavy
    work belongs in a ``functools.cached_property``.

    Raises:
        DeclarationError: from ``validate``, when an argument is out of range.

    Examples:
        >>> class Gain(Declared):
        ...     def __init__(self, factor=1.0):
        ...         super().__init__(factor=factor)
        >>> Gain(2), Gain(2) == Gain(2.0), len({Gain(2), Gain(2)})
        (Gain(factor=2), True, 1)
        >>> Gain(2).to_dict()
        {'type': 'Gain', 'factor': 2}
        >>> Declared.from_dict(Gain(2).to_dict())
        Gain(factor=2)
    """

    def __init__(self, **arguments: Any) -> None:
        self.__dict__.update(arguments)
        self.validate()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        known = REGISTRY.get(cls.__name__)
        # a user's type never takes the name of one of ours: stored headers would change their meaning
        if known is None or not is_ours(known.__module__) or is_ours(cls.__module__):
            REGISTRY[cls.__name__] = cls

    def validate(self) -> None:
        """Refuse arguments that are out of range, by raising ``DeclarationError``."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The constructor arguments by name."""
        return {name: self.__dict__[name] for name in _parameter_names(type(self))}  # type: ignore[arg-type]

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some arguments changed."""
        return type(self)(**{**self.parameters, **changes})

    def to_dict(self) -> dict[str, Any]:
        """Return strict JSON that ``from_dict`` reads back.

        Raises:
            DeclarationError: an argument is no plain value, for example a function; or another type has this name.
        """
        check_registered(type(self))
        return {"type": type(self).__name__, **{k: encode(v) for k, v in self.parameters.items()}}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Any:
        """Build the value that ``to_dict`` described.

        Raises:
            UnknownTypeError: the type is not registered in this process.
            DeclarationError: the arguments do not fit the type.
        """
        if cls is Declared:
            if "type" not in value:
                raise UnknownTypeError(f"the header of a declared value names its type; found {repr(value)[:100]}")
            return decode(dict(value))
        try:
            return cls(**{name: decode(item) for name, item in value.items() if name != "type"})
        except ZoundsError:
            raise
        except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as error:
            # a header comes from anywhere, so an argument may have any type
            raise DeclarationError(f"malformed {cls.__name__} in a stored header: {error}") from error

    def describe(self) -> dict[str, Any]:
        """Return JSON for lineage: like ``to_dict``, but functions are allowed and described by their code.

        A type that is not the library's counts with its code. Equal arguments, such as 2 and 2.0, are described alike.
        """
        described = {"type": type(self).__name__, **{k: describe_argument(v) for k, v in self.parameters.items()}}
        kind: Any = type(self)
        if not _is_library_type(kind):
            described["class"] = describe(kind)  # no argument can have this name
        return described

    def fingerprint(self) -> str:
        """Hash of the description; equal declarations have equal fingerprints in every process."""
        return digest(self.describe())

    def _identity(self) -> Any:
        """What equality and hash compare; override to ignore an argument."""
        return tuple(key_of(value) for value in self.parameters.values())

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        return bool(self._identity() == other._identity())

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._identity()))

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"{type(self).__name__}({arguments})"

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen; make another one with .replace({name}=...)")


@describes(Declared)
@sees_subclasses
def _describe_declared(value: Declared) -> dict[str, Any]:
    return value.describe()
