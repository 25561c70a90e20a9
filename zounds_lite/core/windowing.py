"""Windows over arrays.

Goal: overlapping windows along one or several axes, as views, with the units of both the windows and what is in them.
Conventions: no padding unless asked; a tail that fills no window is dropped or handed back. Windows are read-only views
unless asked otherwise, since they share memory with each other and with the input. Names: ``sliding_window`` (plain
arrays), ``Windowing`` (the methods of arrays with units).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from zounds_lite.core.dimension import IDENTITY, Dimension
from zounds_lite.core.indexing import resolve
from zounds_lite.dsp.framing import frames
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["Windowing", "sliding_window"]


def sliding_window(a: np.ndarray, ws: Any, ss: Any = None, flatten: bool = True, writeable: bool = False) -> np.ndarray:
    """Cut windows out of an array; what is left over at the ends of the axes is dropped.

    Args:
        a (np.ndarray): any array.
        ws (int | Sequence[int]): window size per axis, 1 to the size of the axis.
        ss (int | Sequence[int] | None): step per axis, at least 1; None: the window sizes.
        flatten (bool): count all windows along one axis, instead of one axis of windows per axis.
        writeable (bool): allow writing; overlapping windows then change together, and with ``a``.

    Shape:
        [...] -> [windows, *ws], or [*counts, *ws] without ``flatten``

    Raises:
        DimensionError: not one window and step per axis, or a window larger than its axis.
        DeclarationError: a window or step below 1.

    Examples:
        >>> sliding_window(np.arange(5), 3, 1)
        array([[0, 1, 2],
               [1, 2, 3],
               [2, 3, 4]])
        >>> sliding_window(np.ones((10, 10)), (2, 5)).shape
        (10, 2, 5)
    """
    a = np.asarray(a)
    sizes = _per_axis(ws, a.ndim, "window")
    steps = sizes if ss is None else _per_axis(ss, a.ndim, "step")
    if any(size > n for size, n in zip(sizes, a.shape, strict=True)):
        raise DimensionError(f"windows of {sizes} in an array of shape {a.shape}: no window may exceed its axis")
    views = sliding_window_view(a, sizes, writeable=writeable)
    views = views[tuple(slice(None, None, step) for step in steps)]
    return views.reshape(-1, *sizes) if flatten and a.ndim > 1 else views


def _per_axis(values: Any, ndim: int, what: str) -> tuple[int, ...]:
    given = tuple(int(v) for v in values) if isinstance(values, (tuple, list)) else (int(values),)
    if len(given) != ndim:
        raise DimensionError(f"{len(given)} {what} sizes for an array of {ndim} axes: give one per axis")
    if any(value < 1 for value in given):
        raise DeclarationError(f"{what} sizes {given}: at least 1")
    return given


class Windowing(np.ndarray):
    """The windowing methods of arrays with units, and what they need of ``ArrayWithUnits``."""

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """The dimensions, one per axis."""
        raise NotImplementedError

    def _rewrap(self, data: np.ndarray, dimensions: Sequence[Dimension]) -> Any:
        raise NotImplementedError

    def sliding_window(self, windowsize: Any, stepsize: Any = None) -> Any:
        """Cut windows along every axis; tails that fill no window are dropped.

        Args:
            windowsize (int | slice | Any | tuple): one entry per axis: a size, ``slice(None)`` for the whole axis, or a
                slice in the axis's units, whose span is the size.
            stepsize (int | slice | Any | tuple | None): the same for the step; None: the window.

        Shape:
            [...] -> [windows, *windowsize]

        Returns:
            ArrayWithUnits: windows with the dimensions that each axis makes of itself; without units where one of them
            has no such dimension.

        Raises:
            DimensionError: not one entry per axis, or a window larger than its axis.

        Examples:
            >>> from zounds_lite.core import ArrayWithUnits
            >>> from zounds_lite.timeseries import Seconds, TimeDimension
            >>> ArrayWithUnits(np.zeros(10), [TimeDimension(Seconds(1))]).sliding_window(2).dimensions
            (TimeDimension(f=2.0, d=2.0), TimeDimension(f=1.0, d=1.0))
        """
        sizes = self._window_sizes(windowsize, "window")
        steps = sizes if stepsize is None else self._window_sizes(stepsize, "step")
        data = sliding_window(np.asarray(self), sizes, steps, writeable=self.flags.writeable)
        entries = windowsize if isinstance(windowsize, (tuple, list)) else (windowsize,)
        whole = [entry == slice(None) for entry in entries]
        return self._rewrap(data, self._window_dimensions(data, sizes, steps, whole))

    def sliding_window_with_leftovers(self, windowsize: Any, stepsize: Any = None, dopad: bool = False) -> Any:
        """Cut windows along the first axis, and hand back what starts after the last of them.

        Args:
            windowsize (int | slice | Any): the size of a window, or a slice in the axis's units with that span.
            stepsize (int | slice | Any | None): the same for the step; None: the window.
            dopad (bool): fill up a last window with zeros, so that every element is in one (see ``dsp.framing``).

        Shape:
            [time, ...] -> [time, ...], [windows, windowsize, ...]

        Returns:
            tuple: leftovers and windows. Without any window, the leftovers are the whole input.
        """
        rest = (slice(None),) * (self.ndim - 1)
        (size, *_) = self._window_sizes((windowsize, *rest), "window")
        step = size if stepsize is None else self._window_sizes((stepsize, *rest), "step")[0]
        plain = np.asarray(self)
        if dopad:
            data = frames(plain, size, step)
        elif len(plain) < size:
            data = np.empty((0, size, *plain.shape[1:]), plain.dtype)
        else:
            data = np.moveaxis(sliding_window_view(plain, size, axis=0)[::step], -1, 1)
        n = len(data)
        dimensions = self._first_axis_dimensions(n, size, step)
        windows = self._rewrap(data, (*dimensions, *self.dimensions[1:]))
        return self[n * step :], windows

    def _window_sizes(self, entries: Any, what: str) -> tuple[int, ...]:
        """Translate sizes, slices and slices in units to numbers of elements."""
        given = tuple(entries) if isinstance(entries, (tuple, list)) else (entries,)
        if len(given) != self.ndim:
            raise DimensionError(f"{len(given)} {what} sizes for an array of {self.ndim} axes: give one per axis")
        sizes = []
        for axis, (entry, length) in enumerate(zip(given, self.shape, strict=True)):
            if isinstance(entry, (int, np.integer)) and not isinstance(entry, np.timedelta64):
                sizes.append(int(entry))
            else:
                span = resolve((entry,), self.dimensions[axis : axis + 1]).raw[0]
                if not isinstance(span, slice):
                    raise DimensionError(f"{entry!r} is one element of axis {axis}; allowed: a size, or a slice")
                # a negative bound counts from the end, a positive one may lie beyond it
                bounds = (0 if span.start is None else span.start, length if span.stop is None else span.stop)
                start, stop = (bound + length if bound < 0 else bound for bound in bounds)
                sizes.append(stop - start)
        return _per_axis(sizes, self.ndim, what)

    def _window_dimensions(
        self, data: np.ndarray, sizes: Sequence[int], steps: Sequence[int], whole: Sequence[bool]
    ) -> list[Dimension]:
        dimensions: list[Dimension] = []
        try:
            for axis, dimension in enumerate(self.dimensions):
                # the first axis always makes an axis of windows
                is_whole = whole[axis] or (axis > 0 and sizes[axis] == self.shape[axis])
                size: Any = slice(None) if is_whole and (axis or self.ndim > 1) else sizes[axis]
                try:
                    dimensions.extend(dimension.modified_dimension(len(data), size, steps[axis]))
                except NotImplementedError:
                    dimensions.append(dimension.with_size(sizes[axis]))
        except ValueError:
            return [IDENTITY] * data.ndim
        return dimensions if len(dimensions) == data.ndim else [IDENTITY] * data.ndim

    def _first_axis_dimensions(self, n: int, size: int, step: int) -> list[Dimension]:
        dimension = self.dimensions[0]
        try:
            dimensions = list(dimension.modified_dimension(n, size, step))
        except (NotImplementedError, ValueError):
            return [IDENTITY, dimension.joined(size)]
        return dimensions if len(dimensions) == 2 else [IDENTITY, dimension.joined(size)]
