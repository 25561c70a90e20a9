"""The ndarray methods of arrays with units.

Goal: ``x.mean(axis=0)`` does what ``np.mean(x, axis=0)`` does, units included. Conventions: arguments are those of the
ndarray method; every method calls its numpy function, whose rule (``rules``) knows the dimensions. Class: ``Methods``,
a base of ``ArrayWithUnits``.
"""

from typing import Any

import numpy as np

from zounds_lite.core import display, frames
from zounds_lite.core.dimension import IDENTITY, Dimension
from zounds_lite.core.rules import reshaped
from zounds_lite.core.windowing import Windowing

__all__ = ["Methods"]


class Methods(Windowing):
    """The ndarray methods that change axes, with units; see the numpy function of the same name."""

    def sum(self, *args: Any, **kwargs: Any) -> Any:
        """Sum over an axis, axes, or everything."""
        return np.sum(self, *args, **kwargs)

    def prod(self, *args: Any, **kwargs: Any) -> Any:
        """Multiply over an axis, axes, or everything."""
        return np.prod(self, *args, **kwargs)

    def max(self, *args: Any, **kwargs: Any) -> Any:
        """Largest element over an axis, axes, or everything."""
        return np.max(self, *args, **kwargs)

    def min(self, *args: Any, **kwargs: Any) -> Any:
        """Smallest element over an axis, axes, or everything."""
        return np.min(self, *args, **kwargs)

    def mean(self, *args: Any, **kwargs: Any) -> Any:
        """Mean over an axis, axes, or everything."""
        return np.mean(self, *args, **kwargs)

    def std(self, *args: Any, **kwargs: Any) -> Any:
        """Standard deviation over an axis, axes, or everything."""
        return np.std(self, *args, **kwargs)

    def var(self, *args: Any, **kwargs: Any) -> Any:
        """Variance over an axis, axes, or everything."""
        return np.var(self, *args, **kwargs)

    def any(self, *args: Any, **kwargs: Any) -> Any:
        """Tell whether any element is true."""
        return np.any(self, *args, **kwargs)

    def all(self, *args: Any, **kwargs: Any) -> Any:
        """Tell whether all elements are true."""
        return np.all(self, *args, **kwargs)

    def argmax(self, *args: Any, **kwargs: Any) -> Any:
        """Position of the largest element."""
        return np.argmax(self, *args, **kwargs)

    def argmin(self, *args: Any, **kwargs: Any) -> Any:
        """Position of the smallest element."""
        return np.argmin(self, *args, **kwargs)

    def cumsum(self, *args: Any, **kwargs: Any) -> Any:
        """Cumulative sum along an axis; over everything, flattened, by default."""
        return np.cumsum(self, *args, **kwargs)

    def cumprod(self, *args: Any, **kwargs: Any) -> Any:
        """Cumulative product along an axis; over everything, flattened, by default."""
        return np.cumprod(self, *args, **kwargs)

    def argsort(self, *args: Any, **kwargs: Any) -> Any:
        """Positions in sorted order; the axis loses its units."""
        return np.argsort(self, *args, **kwargs)

    def argpartition(self, *args: Any, **kwargs: Any) -> Any:
        """Positions in partitioned order; the axis loses its units."""
        return np.argpartition(self, *args, **kwargs)

    def sort(self, axis: int = -1, **kwargs: Any) -> None:
        """Sort in place; the axis loses its units."""
        np.asarray(self).sort(axis=axis, **kwargs)
        self._lose_units(axis)

    def partition(self, kth: Any, axis: int = -1, **kwargs: Any) -> None:
        """Partition in place; the axis loses its units."""
        np.asarray(self).partition(kth, axis=axis, **kwargs)
        self._lose_units(axis)

    def take(self, *args: Any, **kwargs: Any) -> Any:
        """Elements at positions; the axis loses its units."""
        return np.take(self, *args, **kwargs)

    def repeat(self, *args: Any, **kwargs: Any) -> Any:
        """Each element several times; the axis loses its units."""
        return np.repeat(self, *args, **kwargs)

    def compress(self, condition: Any, axis: int | None = None, out: Any = None) -> Any:
        """Elements where ``condition`` is true, as a plain array."""
        return np.asarray(self).compress(condition, axis=axis, out=out)

    def choose(self, *args: Any, **kwargs: Any) -> Any:
        """Elements chosen from several arrays, as a plain array."""
        return np.asarray(self).choose(*args, **kwargs)

    def diagonal(self, *args: Any, **kwargs: Any) -> Any:
        """Return a diagonal, as a plain array."""
        return np.asarray(self).diagonal(*args, **kwargs)

    def trace(self, *args: Any, **kwargs: Any) -> Any:
        """Return the sum of a diagonal, as a plain array."""
        return np.asarray(self).trace(*args, **kwargs)

    def round(self, *args: Any, **kwargs: Any) -> Any:
        """Round to decimals."""
        return np.round(self, *args, **kwargs)

    def clip(self, *args: Any, **kwargs: Any) -> Any:
        """Limit the elements to a range."""
        return np.clip(self, *args, **kwargs)

    def dot(self, b: Any, out: Any = None) -> Any:
        """Multiply as matrices: rows keep the dimension of this array, columns that of ``b``."""
        return np.dot(self, b, out=out)

    def packbits(self, axis: int | None = None, bitorder: Any = "big") -> Any:
        """Pack booleans into bytes along an axis, which loses its units."""
        return np.packbits(self, axis=axis, bitorder=bitorder)

    def transpose(self, *axes: Any) -> Any:
        """Permute the axes and their dimensions."""
        if len(axes) == 1 and (axes[0] is None or not np.isscalar(axes[0])):
            axes = axes[0]
        return np.transpose(self, axes or None)

    @property
    def T(self) -> Any:  # noqa: N802
        """The array with its axes, and their dimensions, in reverse order."""
        return np.transpose(self)

    @property
    def mT(self) -> Any:  # noqa: N802
        """The array with its last two axes, and their dimensions, swapped."""
        return np.swapaxes(self, -1, -2)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """Swap two axes and their dimensions."""
        return np.swapaxes(self, axis1, axis2)

    def reshape(self, *shape: Any, order: Any = "C", **kwargs: Any) -> Any:
        """Give the data another shape; dimensions survive where only axes of size 1 come or go.

        Args:
            shape (int | tuple[int, ...]): integers, or one tuple of them; one may be -1.
            order (str): 'C', 'F' or 'A', as in numpy.
            kwargs (dict): ``shape=`` and ``copy=``, as in numpy.
        """
        if shape:
            shape = shape[0] if len(shape) == 1 else shape
        else:
            shape = kwargs.pop("shape", ())
        return np.reshape(self, shape, order=order, **kwargs)

    def squeeze(self, axis: Any = None) -> Any:
        """Drop axes of size 1 and their dimensions."""
        return np.squeeze(self, axis=axis)

    def ravel(self, order: Any = "C") -> Any:
        """Flatten, without a copy where that is possible."""
        return np.ravel(self, order=order)

    def flatten(self, order: Any = "C") -> Any:
        """Flatten into a copy."""
        data = np.asarray(self).flatten(order)
        return self._rewrap(data, reshaped(self.dimensions, self.shape, data.shape))

    def plot(self, **kwargs: Any) -> Any:
        """Draw the array as its units suggest, with ``visualization.plot``, whose keywords are taken.

        Without matplotlib, the picture is that of ``to_html``: something to look at in a notebook, and text elsewhere.
        """
        return display.plot(self, **kwargs)

    def to_pandas(self) -> Any:
        """Return a pandas ``Series`` or ``DataFrame`` with its axes in seconds and hertz; see ``core.frames``."""
        return frames.to_pandas(self)

    def to_xarray(self, name: str | None = None) -> Any:
        """Return an xarray ``DataArray`` with its axes in seconds and hertz; see ``core.frames``."""
        return frames.to_xarray(self, name)

    def _repr_html_(self) -> str:
        return display.render(self).html

    def _lose_units(self, axis: int) -> None:
        dimensions = list(self.dimensions)
        dimensions[axis] = IDENTITY
        self._set_dimensions(tuple(dimensions))

    def _set_dimensions(self, dimensions: tuple[Dimension, ...]) -> None:
        raise NotImplementedError
