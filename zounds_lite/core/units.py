"""Taking units off arrays and finding them again.

Goal: what ``ufuncs`` and ``functions`` share. Conventions: "an array with units" is a numpy array that has
``dimensions``; nothing here needs to know its class. Functions: ``has_units``, ``dimensions_of``, ``identities``,
``strip``, ``find``, ``wrap``, ``broadcast_dimensions``.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from zounds_lite.core.dimension import IDENTITY, Dimension, IdentityDimension

__all__ = ["broadcast_dimensions", "dimensions_of", "find", "has_units", "identities", "strip", "wrap"]


def has_units(value: Any) -> bool:
    """Tell whether ``value`` is an array with units."""
    return isinstance(value, np.ndarray) and hasattr(value, "dimensions")


def strip(value: Any) -> Any:
    """Return ``value`` with every array with units in it, also in lists, tuples and dicts, as a plain view."""
    if isinstance(value, np.ndarray):
        return value.view(np.ndarray) if has_units(value) else value
    if isinstance(value, (list, tuple)):  # also a subclass, whose constructor is its own affair
        return [*map(strip, value)] if isinstance(value, list) else (*map(strip, value),)
    if isinstance(value, dict):
        return {key: strip(item) for key, item in value.items()}
    return value


def find(values: Iterable[Any]) -> Iterator[Any]:
    """Yield the arrays with units among ``values``, also those in lists and tuples."""
    for value in values:
        if has_units(value):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from find(value)


def dimensions_of(value: Any) -> tuple[Dimension, ...]:
    """Return the dimensions of anything: those of an array with units, identities for all else."""
    return value.dimensions if has_units(value) else identities(np.ndim(value))


def identities(n: int) -> tuple[Dimension, ...]:
    """Return ``n`` axes without units."""
    return (IDENTITY,) * n


def wrap(source: Any, data: Any, dimensions: Sequence[Dimension] | None) -> Any:
    """Give a result units in the class that fits; scalars and results without known units stay plain."""
    if dimensions is None or not isinstance(data, np.ndarray) or data.ndim == 0:
        return data
    return source._rewrap(data, dimensions)


def broadcast_dimensions(arrays: Sequence[Any], shape: tuple[int, ...]) -> tuple[Dimension, ...]:
    """Return the dimensions of arrays that were broadcast to ``shape``.

    Each axis takes the dimension of the first array with units that has its full size there; an axis that none of them
    has, or that was stretched from size 1, has no units.
    """
    ndim = len(shape)
    dimensions: list[Dimension] = [IDENTITY] * ndim
    for array in reversed(arrays):
        offset = ndim - array.ndim
        for axis, (dimension, size) in enumerate(zip(array.dimensions, array.shape, strict=True), offset):
            if size == shape[axis] and not isinstance(dimension, IdentityDimension):
                dimensions[axis] = dimension
    return tuple(dimensions)
