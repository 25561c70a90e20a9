"""Index arithmetic: from any index to what numpy understands, and to the dimensions of the result.

Goal: an index is normalised once, item by item, into named kinds; dimensions translate only their own units. Pure
functions: no arrays with units in here. Conventions: ``items`` is the index as a tuple, ``dimensions`` one per axis.
Names: ``resolve`` (any index) and its outcome ``Resolved``; ``integers`` and ``sliced`` (integers, slices and units
alone, in a fraction of the time); ``check_dimensions``, ``is_integer``, ``is_mask``.

How dimensions follow an index: an integer drops its axis; a slice asks the dimension's ``metaslice``; ``None`` inserts
an axis without units; a list, an integer array or a boolean mask leaves an axis without units; a tuple within the index
is a list that keeps the dimension, where its size fits. Several arrays in one index are broadcast together, and their
axes land where numpy puts them.

Sources:
    NumPy user guide, "Indexing on ndarrays": combining advanced and basic indexing.
"""

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from zounds_lite.core.dimension import IDENTITY, Dimension
from zounds_lite.errors import DimensionError, UnitIndexError

__all__ = ["Resolved", "check_dimensions", "integers", "is_integer", "is_mask", "resolve", "sliced"]

_FULL = slice(None)
_INTEGER_INDEXES = "integers, slices and lists of integers, boolean masks, None, Ellipsis"

Kept = tuple[Dimension, slice | None]
"""A dimension of the result: the dimension of the axis, and the slice taken of it, if any."""


def is_integer(value: Any) -> bool:
    """Tell whether ``value`` is an integer index: any integer type, but no bool and no duration.

    Examples:
        >>> [is_integer(v) for v in (3, np.int64(3), np.uint8(3), True, 3.0, np.timedelta64(3, "s"))]
        [True, True, True, False, False, False]
    """
    kind = type(value)
    if kind is int:
        return True
    # numpy's timedelta64 calls itself an integer
    return isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.timedelta64))


def is_mask(index: Any) -> bool:
    """Tell whether a whole index is a boolean mask, which yields plain numbers.

    Examples:
        >>> is_mask(np.array([True, False])), is_mask([True, False]), is_mask([0, 1])
        (True, True, False)
    """
    if isinstance(index, (bool, np.bool_)):
        return True
    if isinstance(index, list):
        return bool(index) and np.asarray(index).dtype == np.bool_
    return isinstance(index, np.ndarray) and index.dtype == np.bool_


class Resolved:
    """An index that numpy understands, with what it does to the dimensions.

    Attributes:
        raw (tuple): the index in integers.
        kept (list): the axes of the result that slices leave, in order.
        fancy (list): (axis, array, keeps its dimension) of each array in the index.
        at (int): the position in ``kept`` before which the axes of the arrays land.
    """

    __slots__ = ("at", "fancy", "kept", "raw")

    def __init__(self) -> None:
        self.raw: list[Any] = []
        self.kept: list[Kept] = []
        self.fancy: list[tuple[Dimension, np.ndarray, bool]] = []
        self.at = 0

    def dimensions(self, shape: tuple[int, ...]) -> tuple[Dimension, ...]:
        """Return the dimensions of a result of ``shape``."""
        kept = self.kept
        if not self.fancy:
            return tuple([d if s is None else d.metaslice(s, n) for (d, s), n in zip(kept, shape, strict=True)])
        n_fancy = len(shape) - len(kept)
        sizes = shape[: self.at] + shape[self.at + n_fancy :]
        plain = [d if s is None else d.metaslice(s, n) for (d, s), n in zip(kept, sizes, strict=True)]
        return (*plain[: self.at], *self._fancy_dimensions(shape, n_fancy), *plain[self.at :])

    def _fancy_dimensions(self, shape: tuple[int, ...], n_fancy: int) -> list[Dimension]:
        arrays = [(dimension, keeps) for dimension, array, keeps in self.fancy if array.ndim]
        if n_fancy == 1 and len(arrays) == 1 and arrays[0][1]:
            return [arrays[0][0].joined(shape[self.at])]
        return [IDENTITY] * n_fancy


def resolve(items: tuple[Any, ...], dimensions: Sequence[Dimension]) -> Resolved:
    """Translate an index.

    Args:
        items (tuple): the index, as a tuple.
        dimensions (Sequence[Dimension]): the dimensions of the array, one per axis.

    Raises:
        UnitIndexError: an item has units that its axis does not have.
        IndexError: more items than axes, or more than one Ellipsis.

    Examples:
        >>> resolve((None, 3, slice(1, 5)), [IDENTITY] * 2).raw
        [None, 3, slice(1, 5, None)]
    """
    resolved = Resolved()
    raw, kept = resolved.raw, resolved.kept
    ndim = len(dimensions)
    axis = 0
    spans: list[tuple[int, int]] = []  # (position in items, position in kept) of integers and arrays
    for position, item in enumerate(items):
        if item is None:
            raw.append(None)
            kept.append((IDENTITY, None))
            continue
        if item is Ellipsis:
            stop = ndim - sum(_n_axes(later) for later in items[position + 1 :])
            kept.extend([(d, None) for d in dimensions[axis:stop]])
            raw.append(item)
            axis = max(axis, stop)
            continue
        if axis < ndim:
            dimension = dimensions[axis]
        elif isinstance(item, (bool, np.bool_)):  # a single boolean takes up no axis
            dimension = IDENTITY
        else:
            raise IndexError(f"too many indices: {items!r} for an array with {ndim} axes")
        item = _translate(item, dimension, axis)
        kind = type(item)
        if kind is slice:
            kept.append((dimension, None if item == _FULL else item))
            axis += 1
        else:
            spans.append((position, len(kept)))
            if kind is int:
                axis += 1
            else:
                axis += _add_array(resolved, item, dimension)
                item = item.array if kind is _Listed else item
        raw.append(item)
    kept.extend([(d, None) for d in dimensions[axis:]])
    if resolved.fancy:
        # the axes of several arrays stay together in place only if nothing stands between them
        together = spans[-1][0] - spans[0][0] == len(spans) - 1
        resolved.at = spans[0][1] if together else 0
    return resolved


def integers(items: tuple[Any, ...], dimensions: Sequence[Dimension]) -> tuple[Any, ...] | None:
    """Translate an index of integers, slices and units alone, the most frequent kind, fast; None for any other.

    Args:
        items (tuple): the index, as a tuple.
        dimensions (Sequence[Dimension]): the dimensions of the array, one per axis.

    Returns:
        tuple | None: ints and slices of integers; ``sliced`` tells what they do to the dimensions.

    Raises:
        UnitIndexError: an item has units that its axis does not have.

    Examples:
        >>> integers((np.int64(3), slice(1, 5)), [IDENTITY] * 2), integers((None, 3), [IDENTITY])
        ((3, slice(1, 5, None)), None)
    """
    if len(items) > len(dimensions):
        return None
    raw: list[Any] = []
    for axis, item in enumerate(items):
        kind = type(item)
        if kind is slice:
            if not _is_integer_slice(item):
                item = _from_units(item, dimensions[axis], axis)
        elif kind is not int:
            sort = _SORTS[kind]
            if sort == "other":
                return None
            item = operator.index(item) if sort == "integer" else _from_units(item, dimensions[axis], axis)
            if type(item) is not slice and type(item) is not int:
                return None
        raw.append(item)
    return tuple(raw)


def sliced(index: tuple[Any, ...], dimensions: Sequence[Dimension], shape: tuple[int, ...]) -> tuple[Dimension, ...]:
    """Return the dimensions of a result of ``shape`` that ``index``, which ``integers`` gave, has selected."""
    kept = [*zip(dimensions, index, strict=False), *((dimension, _FULL) for dimension in dimensions[len(index) :])]
    slices = [(dimension, item) for dimension, item in kept if type(item) is slice]
    return tuple([d if s == _FULL else d.metaslice(s, n) for (d, s), n in zip(slices, shape, strict=True)])


class _Sorts(dict[type, str]):
    """Types of index, but for slices, by sort: integer, units, or other (which needs a closer look)."""

    def __missing__(self, kind: type) -> str:
        if issubclass(kind, (np.ndarray, list, tuple, bool, np.bool_, type(None), type(Ellipsis))):
            sort = "other"
        elif hasattr(kind, "__index__") and not issubclass(kind, np.timedelta64):
            sort = "integer"
        else:
            sort = "units"
        if len(self) < _MOST_SORTS:
            self[kind] = sort
        return sort


_MOST_SORTS = 256
_SORTS = _Sorts()


class _Listed:
    """Integers given as a tuple within the index: the axis keeps its dimension."""

    __slots__ = ("array",)

    def __init__(self, array: np.ndarray) -> None:
        self.array = array


def _n_axes(item: Any) -> int:
    """Count the axes that an item of an index takes up."""
    if item is None:
        return 0
    if isinstance(item, (bool, np.bool_)):
        return 0
    if isinstance(item, (np.ndarray, list)):
        array = np.asarray(item)
        return array.ndim if array.dtype == np.bool_ else 1
    return 1


def _add_array(resolved: Resolved, item: Any, dimension: Dimension) -> int:
    """Note an array of the index and return the number of axes that it takes up."""
    if type(item) is _Listed:
        resolved.fancy.append((dimension, item.array, True))
        return 1
    if item.dtype != np.bool_:
        resolved.fancy.append((dimension, item, False))
        return 1
    # a mask stands for the positions of its true elements, one row of them per axis
    resolved.fancy.append((dimension, np.empty(0) if item.ndim else np.empty(()), False))
    return int(item.ndim)


def _translate(item: Any, dimension: Dimension, axis: int) -> Any:
    """Turn one item into a slice of integers, an int, or an array; units are the dimension's business."""
    kind = type(item)
    if kind is int:
        return item
    if kind is slice:
        if _is_integer_slice(item):
            return item
    elif kind is tuple:
        return _Listed(_as_index_array(item, dimension, axis))
    elif kind is list or isinstance(item, np.ndarray):
        return _as_index_array(item, dimension, axis)
    elif isinstance(item, (bool, np.bool_)):
        return np.asarray(item)
    elif is_integer(item) or hasattr(kind, "__index__"):
        return operator.index(item)
    return _from_units(item, dimension, axis)


def _is_integer_slice(item: slice) -> bool:
    start, stop, step = item.start, item.stop, item.step
    return (
        (type(start) is int or start is None or is_integer(start))
        and (type(stop) is int or stop is None or is_integer(stop))
        and (step is None or is_integer(step))
    )


def _as_index_array(item: Any, dimension: Dimension, axis: int) -> Any:
    array = np.asarray(item)
    if array.size == 0 and not isinstance(item, np.ndarray):
        array = array.astype(np.intp)
    if array.dtype.kind not in "iub":
        raise _wrong_units(item, dimension, axis)
    return int(array) if array.ndim == 0 and array.dtype.kind != "b" else array


def _from_units(item: Any, dimension: Dimension, axis: int) -> Any:
    try:
        index = dimension.integer_based_slice(item)
    except UnitIndexError as error:
        raise UnitIndexError(f"axis {axis}: {error}") from error
    except (NotImplementedError, TypeError) as error:
        raise _wrong_units(item, dimension, axis) from error
    if type(index) is slice and (
        (type(index.start) is int and type(index.stop) is int and index.step is None) or _is_integer_slice(index)
    ):
        return index
    if is_integer(index):
        return int(index)
    if isinstance(index, (np.ndarray, list)):
        return _as_index_array(index, dimension, axis)
    raise _wrong_units(item, dimension, axis)


def _wrong_units(item: Any, dimension: Dimension, axis: int) -> UnitIndexError:
    own = f"{dimension.indexed_by}, " if dimension.indexed_by else ""
    return UnitIndexError(
        f"axis {axis} is {dimension!r}, which cannot be indexed by {item!r}; allowed: {own}{_INTEGER_INDEXES}"
    )


def check_dimensions(dimensions: Any, shape: tuple[int, ...]) -> tuple[Dimension, ...]:
    """Fit dimensions to the axes of an array.

    Args:
        dimensions (Iterable[Dimension | None]): one per axis; None means ``IdentityDimension``.
        shape (tuple[int, ...]): the shape of the array.

    Returns:
        tuple[Dimension, ...]: the dimensions, each with the size of its axis.

    Raises:
        DimensionError: their number, a kind or a size does not fit.
    """
    given = tuple(dimensions)
    if len(given) != len(shape):
        raise DimensionError(
            f"{len(given)} dimensions for an array of shape {shape}, which has {len(shape)} axes; "
            "give one dimension per axis, None where an axis has no units"
        )
    fitted: list[Dimension] = []
    for axis, (dimension, size) in enumerate(zip(given, shape, strict=True)):
        if dimension is None:
            fitted.append(IDENTITY)
            continue
        if not isinstance(dimension, Dimension):
            raise DimensionError(f"axis {axis}: {dimension!r} is no Dimension; allowed: a Dimension, or None")
        try:
            fitted.append(dimension.with_size(size))
        except DimensionError as error:
            raise DimensionError(f"axis {axis} of an array of shape {shape}: {error}") from error
    return tuple(fitted)
