"""Typed values: what ``PickleFeature`` stores without pickle.

Goal: pipelines, arrays, numbers, text, lists, dicts and declared types are stored as typed data that no reader
executes. Layout: JSON in which each array is a reference, then the arrays. Only a feature declared with ``trust=True``
may hold anything else, by pickle, and is read back by the same declaration only. Classes: ``TypedEncoder``,
``TypedDecoder``; ``PickleEncoder`` and ``PickleDecoder`` are other names of them.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite._declared import Declared, decode, encode
from zounds_lite._declared.values import REGISTRY, check_registered
from zounds_lite.errors import CorruptValue, DeclarationError, UnknownTypeError, UntrustedValue, ZoundsError
from zounds_lite.featureflow.arrays import NumpyMetaData
from zounds_lite.featureflow.codecs import Decoder, Encoder, StoredValue
from zounds_lite.featureflow.node import Aggregator

__all__ = ["PickleDecoder", "PickleEncoder", "TypedDecoder", "TypedEncoder"]


class _Arrays:
    """Takes arrays out of a value while it is written, and puts them back while it is read."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []

    def encode(self, value: Any) -> Any:
        if hasattr(type(value), "for_storage"):
            value = value.for_storage()  # it knows what of it is not to be kept
        if isinstance(value, Declared) and _is_plain(type(value)):
            return self._encode_declared(value)
        if type(value) in (list, tuple):
            return {"type": type(value).__name__, "items": [self.encode(item) for item in value]}
        if type(value) is dict:
            return {"type": "dict", "items": [[self.encode(k), self.encode(v)] for k, v in value.items()]}
        if type(value) is np.ndarray and not value.dtype.hasobject:
            self.arrays.append(value)
            return {"type": "array", "index": len(self.arrays) - 1}
        if isinstance(value, np.ndarray) and hasattr(value, "kwargs"):
            return self._encode_units(value)
        if isinstance(value, (list, tuple, dict, np.ndarray)):
            raise DeclarationError(f"{type(value).__qualname__} would come back as something else")
        return {"type": "value", "value": encode(value)}

    def _encode_units(self, value: Any) -> Any:
        """Encode an array that can be made again from raw data and keywords, as arrays with units can."""
        keywords = {name: self.encode(item) for name, item in value.kwargs().items()}
        return {"type": type(value).__name__, "data": self.encode(np.asarray(value)), "keywords": keywords}

    def _encode_declared(self, value: Declared) -> Any:
        """Encode a declared value by its arguments, which may hold arrays of any size."""
        check_registered(type(value))
        arguments = {name: self.encode(item) for name, item in value.parameters.items()}
        return {
            "type": "declared",
            "name": type(value).__name__,
            "~module": type(value).__module__,
            "arguments": arguments,
        }

    def decode(self, value: Any) -> Any:
        kind = value["type"]
        if kind in ("list", "tuple"):
            items = [self.decode(item) for item in value["items"]]
            return tuple(items) if kind == "tuple" else items
        if kind == "dict":
            return {self.decode(key): self.decode(item) for key, item in value["items"]}
        if kind == "array":
            return self._array(value["index"])
        if kind == "value":
            return decode(value["value"])
        if kind == "declared":
            cls = _declared_type(value["name"], value.get("~module"))
            return cls(**{name: self.decode(item) for name, item in value["arguments"].items()})
        keywords = {name: self.decode(item) for name, item in value["keywords"].items()}
        return _array_type(kind)(self.decode(value["data"]), **keywords)

    def _array(self, index: Any) -> np.ndarray:
        if type(index) is not int or not 0 <= index < len(self.arrays):
            raise IndexError(f"there is no array {str(index)[:40]} among {len(self.arrays)}")
        return self.arrays[index]


def _is_plain(cls: type[Declared]) -> bool:
    """Tell whether a declared type is written by its arguments alone, as ``Declared`` itself would."""
    return cls.to_dict is Declared.to_dict and cls.from_dict.__func__ is Declared.from_dict.__func__  # type: ignore[attr-defined]


def _declared_type(name: Any, module: Any) -> Any:
    """Return the declared type of that name among those that are loaded; a name is never imported."""
    cls = REGISTRY.get(name) if isinstance(name, str) else None
    if cls is None:
        hint = f" (it was {module[:200]!r} when the value was written)" if isinstance(module, str) else ""
        raise UnknownTypeError(
            f"a stored value names the type {repr(name)[:100]}, which this process does not know; import the module "
            f"that declares it{hint}, then read again"
        )
    return cls


def _array_type(name: str) -> Any:
    """Return the array type of that name among those that are loaded; a name is never imported."""
    waiting: list[type] = [np.ndarray]
    while waiting:
        cls = waiting.pop()
        if cls.__name__ == name and hasattr(cls, "kwargs"):
            return cls
        waiting.extend(cls.__subclasses__())
    raise UnknownTypeError(f"a stored value names the array type {name!r}; import the module that declares it")


class TypedEncoder(Aggregator, Encoder):
    """One value as typed data; pickled only where ``trust`` is set and nothing else can hold it.

    Args:
        needs: as for ``Node``.
        trust (bool): the feature's declaration.
    """

    content_type = "application/x-typed"

    def __init__(self, needs: Any = None, trust: bool = False) -> None:
        super().__init__(needs=needs)
        self.trust = trust
        self._header: dict[str, Any] = {}

    def _process(self, data: Any) -> Iterator[Any]:
        arrays = _Arrays()
        try:
            tree = arrays.encode(data)
        except DeclarationError as error:
            if not self.trust:
                raise UntrustedValue(
                    f"{type(data).__qualname__} is no typed data ({error}); store numbers, text, arrays, lists, "
                    "dicts or declared types, or declare the feature with trust=True, which pickles"
                ) from error
            yield from self._pickled(data)
            return
        heads = [NumpyMetaData(array.dtype, array.shape) for array in arrays.arrays]
        self._header = {"tree": tree, "arrays": [head.header for head in heads]}
        for head, array in zip(heads, arrays.arrays, strict=True):
            little = np.asarray(array, head.dtype.newbyteorder("<"), order="C")
            yield little.reshape(-1).view(np.uint8).data if little.size else b""

    def _pickled(self, data: Any) -> Iterator[Any]:
        from zounds_lite.featureflow import trusted

        self._header = {"pickle": True}
        yield trusted.dumps(data)

    @property
    def header(self) -> dict[str, Any]:
        json.dumps(self._header, allow_nan=False)
        return self._header


class TypedDecoder(Decoder):
    """Reads what ``TypedEncoder`` wrote.

    Args:
        trust (bool): the feature's declaration; without it nothing is unpickled.
    """

    def __init__(self, trust: bool = False) -> None:
        self.trust = trust

    def decode(self, value: StoredValue) -> Any:
        if value.header.get("pickle"):
            if not self.trust:
                raise UntrustedValue(f"{value.what} is pickled; only a feature declared with trust=True reads it")
            from zounds_lite.featureflow import trusted

            return trusted.loads(value.bytes())
        try:
            return self._typed(value)
        except ZoundsError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
            text = repr(error)[:400]
            raise CorruptValue(f"{value.what} does not follow the format of typed values: {text}") from error

    def _typed(self, value: StoredValue) -> Any:
        arrays, at = _Arrays(), 0
        for header in value.header["arrays"]:
            head = NumpyMetaData.from_header(header)
            value.verified(at, at + head.size)
            arrays.arrays.append(head.array(StoredValue({}, value.data[at : at + head.size], value.what)))
            at += head.size
        if at != len(value.data):
            raise ValueError(f"its arrays take {at} of {len(value.data)} bytes")
        return arrays.decode(value.header["tree"])


PickleEncoder = TypedEncoder
PickleDecoder = TypedDecoder
