"""Arrays that know the units of their axes.

Goal: a numpy array whose axes carry dimensions through indexing, ufuncs, numpy functions, copies and pickles.
Conventions: every result is either a plain array or scalar, or an array with one valid dimension per axis; its values
are always those of the same call on a plain array. Class: ``ArrayWithUnits``; what numpy functions do to dimensions
stands in ``functions``, what an index does in ``indexing``.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

import numpy as np

from zounds_lite.core import functions, ufuncs
from zounds_lite.core.dimension import IDENTITY, Dimension
from zounds_lite.core.indexing import Resolved, check_dimensions, integers, is_mask, resolve, sliced
from zounds_lite.core.methods import Methods
from zounds_lite.errors import DimensionError

__all__ = ["ArrayWithUnits"]

_getitem = np.ndarray.__getitem__
_MASKS = (np.ndarray, list, bool, np.bool_)


class ArrayWithUnits(Methods):
    """A numpy array with one ``Dimension`` per axis; a view of the data it is given, never a copy.

    Args:
        arr (np.ndarray): the data; anything that ``np.asarray`` takes.
        dimensions (Iterable[Dimension | None]): one per axis; None means ``IdentityDimension``.

    Raises:
        DimensionError: the number of dimensions differs from that of the axes, or a size does not fit its axis.

    Examples:
        >>> from zounds_lite.timeseries import Seconds, TimeDimension, TimeSlice
        >>> arr = ArrayWithUnits(np.zeros(100), [TimeDimension(Seconds(1))])
        >>> arr[TimeSlice(Seconds(10))].shape
        (10,)
        >>> arr[TimeSlice(Seconds(10))].dimensions
        (TimeDimension(f=1.0, d=1.0),)
    """

    # the dimensions, the shape that they are for, and the index that is still to be taken of them
    _units: tuple[tuple[Dimension, ...], tuple[int, ...], tuple[Any, ...] | None] | None = None
    # what is told of the rows that a slice will read, where the array is a map of a file
    _ahead: Callable[[Any], None] | None = None
    origin: str | None = None
    """What the array was read from, such as ``feature 'bark' of document 'a'``, for errors; parts do not keep it."""

    def __new__(cls, arr: Any, dimensions: Iterable[Dimension | None]) -> Self:
        """View ``arr`` with units."""
        data = np.asarray(arr)
        return cls._view(data, check_dimensions(dimensions, data.shape))

    @classmethod
    def _view(cls, data: np.ndarray, dimensions: tuple[Dimension, ...]) -> Self:
        """View data with dimensions that are known to fit."""
        array = data.view(cls)
        array._units = dimensions, array.shape, None
        return array

    @classmethod
    def _class_for(cls, dimensions: tuple[Dimension, ...], shape: tuple[int, ...]) -> "type[ArrayWithUnits]":
        """Return the class of a result with these dimensions; override where a class needs certain dimensions."""
        return cls

    def _rewrap(self, data: np.ndarray, dimensions: Sequence[Dimension]) -> "ArrayWithUnits":
        """Give a plain result units, in the class that fits them. Sizes are checked; what does not fit is Identity."""
        fitted = tuple([_fit(d, n) for d, n in zip(dimensions, data.shape, strict=True)])
        return self._class_for(fitted, data.shape)._view(data, fitted)

    def _alike(self, data: np.ndarray) -> "ArrayWithUnits":
        """Give a plain result of the same shape the same units."""
        units = self._units
        if units is None or units[1] != self.shape:
            return self._rewrap(data, self.dimensions)
        array = data.view(type(self))
        array._units = units
        return array

    def __array_finalize__(self, obj: Any) -> None:
        # A view or a copy of the same shape keeps the units. Where numpy changes the shape later, `dimensions` notices.
        self._units = getattr(obj, "_units", None)

    def _check_operands(self, arrays: Sequence["ArrayWithUnits"]) -> None:
        """Refuse to be combined elementwise with ``arrays``; override where units must agree."""

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """The dimensions, one per axis, each with the size of its axis."""
        units = self._units
        if units is not None and units[1] == self.shape:
            dimensions, shape, index = units
            if index is not None:
                dimensions = sliced(index, dimensions, shape)
                self._units = dimensions, shape, None
            return dimensions
        return (IDENTITY,) * self.ndim

    def _set_dimensions(self, dimensions: tuple[Dimension, ...]) -> None:
        self._units = dimensions, self.shape, None

    @classmethod
    def from_example(cls, data: Any, example: "ArrayWithUnits") -> "ArrayWithUnits":
        """Give ``data`` the dimensions of ``example``, which is left as it is.

        Raises:
            DimensionError: the dimensions do not fit the data.

        Examples:
            >>> from zounds_lite.core import IdentityDimension
            >>> example = ArrayWithUnits([1, 2, 3], [IdentityDimension()])
            >>> ArrayWithUnits.from_example([4, 5], example).dimensions
            (IdentityDimension(),)
        """
        return cls(data, dimensions=example.dimensions)

    @classmethod
    def concat(cls, arrs: Iterable["ArrayWithUnits"], axis: int = 0) -> "ArrayWithUnits":
        """Put arrays end to end.

        Args:
            arrs (Iterable[ArrayWithUnits]): arrays with equal dimensions.
            axis (int): the axis that grows. A dimension that cannot grow becomes ``IdentityDimension``.

        Raises:
            DimensionError: no arrays, or their dimensions differ.
        """
        arrays = list(arrs)
        if not arrays:
            raise DimensionError("nothing to concatenate: give at least one array")
        first = arrays[0]
        for other in arrays[1:]:
            cls._check_joinable(first, other)
        data = np.concatenate([np.asarray(array) for array in arrays], axis=axis)
        dimensions = list(first.dimensions)
        dimensions[axis] = dimensions[axis].joined(data.shape[axis])
        return first._rewrap(data, dimensions)

    @classmethod
    def _check_joinable(cls, first: "ArrayWithUnits", other: "ArrayWithUnits") -> None:
        if first.dimensions != other.dimensions:
            raise DimensionError(
                f"cannot concatenate arrays with dimensions {first.dimensions} and {other.dimensions}; "
                "allowed: equal dimensions on all axes"
            )

    @classmethod
    def zeros(cls, example: "ArrayWithUnits") -> "ArrayWithUnits":
        """Return zeros with the shape, dtype and dimensions of ``example``."""
        return cls.from_example(np.zeros(example.shape, example.dtype), example)

    def zeros_like(self) -> "ArrayWithUnits":
        """Return zeros with the same shape, dtype and dimensions."""
        return self._rewrap(np.zeros(self.shape, self.dtype), self.dimensions)

    def concatenate(self, other: "ArrayWithUnits") -> "ArrayWithUnits":
        """Put ``other`` behind this array, along the first axis.

        Raises:
            DimensionError: the dimensions differ.
        """
        return type(self).concat([self, other])

    def placed(self, axis: Dimension) -> "ArrayWithUnits":
        """Return the same array with another dimension for its first axis; nothing is copied."""
        return self._view(self, (axis, *self.dimensions[1:]))

    def reading_ahead(self, ahead: Callable[[Any], None] | None) -> Self:
        """Return this array, which from now on tells ``ahead`` of the rows of each slice, an int or a slice of ints."""
        self._ahead = ahead
        return self

    def kwargs(self) -> dict[str, Any]:
        """Return the keywords that, with raw data, make an array like this one."""
        return {"dimensions": self.dimensions}

    def __getitem__(self, index: Any) -> Any:
        if type(index) is not tuple:
            if isinstance(index, _MASKS) and is_mask(index):
                return _getitem(self, np.asarray(index)).view(np.ndarray)
            index = (index,)
        dimensions = self.dimensions
        raw = integers(index, dimensions)
        if raw is None:
            return self._taken(resolve(index, dimensions))
        if self._ahead is not None and raw:
            self._ahead(raw[0])
        result = _getitem(self, raw)
        if type(result) is ArrayWithUnits:
            # most slices are only read: their dimensions are made when somebody asks
            result._units = dimensions, result.shape, raw
            return result
        if not isinstance(result, ArrayWithUnits):
            return result
        return self._in_class(result, sliced(raw, dimensions, result.shape))

    def _taken(self, index: Resolved) -> Any:
        """Return what an index of any kind selects."""
        result = _getitem(self, tuple(index.raw))
        if not isinstance(result, ArrayWithUnits):
            return result
        if not result.shape:
            return result.view(np.ndarray)[()]
        return self._in_class(result, index.dimensions(result.shape))

    def _in_class(self, result: "ArrayWithUnits", dimensions: tuple[Dimension, ...]) -> "ArrayWithUnits":
        """Return a result of indexing with its dimensions, in the class that fits them."""
        cls = self._class_for(dimensions, result.shape)
        if type(result) is not cls:
            return cls._view(result.view(np.ndarray), dimensions)
        result._set_dimensions(dimensions)
        return result

    def __setitem__(self, index: Any, value: Any) -> None:
        if type(index) is not tuple:
            if is_mask(index):
                self.view(np.ndarray)[np.asarray(index)] = value
                return
            index = (index,)
        # through a plain view, since numpy itself indexes what it sets where there is an Ellipsis
        self.view(np.ndarray)[tuple(resolve(index, self.dimensions).raw)] = value

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return ufuncs.apply(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if not all(issubclass(kind, np.ndarray) for kind in types):
            return NotImplemented
        return functions.apply(func, args, kwargs)

    def __array_wrap__(self, array: np.ndarray, context: Any = None, return_scalar: bool = False) -> Any:
        data = array.view(np.ndarray)
        if data.ndim == 0:
            return data[()] if return_scalar else data
        return self._rewrap(data, self.dimensions) if data.shape == self.shape else data

    def __reduce__(self) -> Any:
        reconstruct, arguments, state = tuple(super().__reduce__())
        return reconstruct, arguments, (*state, self.dimensions)

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state[:-1])
        self._set_dimensions(state[-1])


def _fit(dimension: Dimension, size: int) -> Dimension:
    try:
        return dimension.with_size(size)
    except DimensionError:
        return IDENTITY


ufuncs.set_base(ArrayWithUnits)
