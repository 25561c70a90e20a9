"""Values of stretches of a stream.

Goal: one value for each stretch of time, such as the mean spectrum between two onsets. Conventions: stretches come in
order of their starts; no more rows are kept than stretches need that have not ended. This node stands apart from
``zounds_lite.timeseries`` itself, which knows nothing of graphs. Node: ``Pooled``.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, DimensionError, GraphError, NotEnoughData, UnitsError
from zounds_lite.featureflow import Node
from zounds_lite.timeseries.dimension import TimeDimension
from zounds_lite.timeseries.durations import from_picoseconds
from zounds_lite.timeseries.timeslice import TimeSlice
from zounds_lite.timeseries.variablerate import VariableRateTimeSeries

__all__ = ["Pooled"]


class Pooled(Node):
    """Reduces the rows of a series to one value for each stretch of time.

    The two inputs are told apart by their types, so their order does not matter, and their chunks may come in any order
    too. A stretch is pooled as soon as its last row is there; rows are kept from the start of the first stretch that
    still waits, or, while further stretches may come, from the start of the latest one. A stretch that no row touches
    has no value and is left out.

    Args:
        op (Callable): takes the rows of a stretch, and ``axis`` by name, such as ``np.max``.
        axis (int | None): what ``op`` reduces: 0 for one value per column; None for one number.
        needs (Sequence[Node]): two nodes: one gives arrays whose first dimension is a ``TimeDimension``, the other a
            ``VariableRateTimeSeries`` in parts, whose stretches count and whose values do not.

    Shape:
        [frames, ...] and n stretches -> n stretches with values [...]

    Raises:
        DeclarationError: ``op`` cannot be called.
        DimensionError: an array without a time axis, or values of different shapes.
        UnitsError: stretches that come later but start earlier.

    Examples:
        >>> from zounds_lite.core import ArrayWithUnits
        >>> from zounds_lite.timeseries import Seconds
        >>> stretches = VariableRateTimeSeries([(TimeSlice(Seconds(2)), 0), (TimeSlice(start=Seconds(2)), 0)])
        >>> rows, slices = Node(), Node()
        >>> node = Pooled(np.max, axis=0, needs=(rows, slices))
        >>> series = ArrayWithUnits(np.arange(8).reshape(4, 2), [TimeDimension(Seconds(1)), None])
        >>> parts = [*node.push(series, rows), *node.push(stretches, slices), *node.end(rows), *node.end(slices)]
        >>> [part.slicedata.tolist() for part in parts]
        [[[2, 3]], [[6, 7]]]
    """

    revision = 1

    def __init__(self, op: Callable[..., Any] | None = None, axis: int | None = None, needs: Any = None) -> None:
        super().__init__(needs=needs)
        if not callable(op):
            raise DeclarationError(f"op={op!r}; allowed: a function of an array and axis=, such as np.max")
        self.op = op
        self.axis = axis
        self._rows = _KeptRows()
        self._waiting: list[TimeSlice] = []
        self._latest: int | None = None
        self._gives_slices: Any = None
        self._no_more_slices = self._is_empty = False
        self._shape: tuple[int, ...] | None = None

    def _enqueue(self, data: Any, pusher: Node | None) -> None:
        if isinstance(data, VariableRateTimeSeries):
            self._gives_slices = pusher
            self._expect(data.slices)
            self._is_empty = True
        else:
            self._rows.push(data)
        self._cache = data

    def _expect(self, slices: list[TimeSlice]) -> None:
        for timeslice in slices:
            if self._latest is not None and timeslice.start_ps < self._latest:
                raise UnitsError(
                    f"{timeslice!r} comes after a stretch that starts at {self._latest} ps; "
                    "stretches must come in order of their starts, since rows are not kept for ever"
                )
            self._latest = timeslice.start_ps
            self._waiting.append(timeslice)

    def _finalize(self, pusher: Node | None) -> None:
        self._no_more_slices |= pusher is self._gives_slices and pusher is not None

    def _dequeue(self) -> Any:
        if self._rows.time is None or getattr(self, "_cache", None) is None:
            raise NotEnoughData()
        self._cache = None
        return self._rows.time

    def _process(self, data: Any) -> Iterator[Any]:
        yield from self._pooled(at_end=False)
        self._forget()

    def _last_chunk(self) -> Iterator[Any]:
        if self._rows.time is None and self._waiting:
            raise GraphError(f"{len(self._waiting)} stretches to pool, and no series of rows came")
        yield from self._pooled(at_end=True)
        if self._is_empty:
            yield VariableRateTimeSeries()

    def _pooled(self, at_end: bool) -> Iterator[Any]:
        found: list[tuple[TimeSlice, Any]] = []
        waiting: list[TimeSlice] = []
        for i, timeslice in enumerate(self._waiting):
            first, last = self._rows.span_of(timeslice)
            if not at_end and first >= self._rows.stop:
                waiting += self._waiting[i:]  # and so do all that start later
                break
            # of stretches that start together, none overtakes another: a series keeps their order
            together = bool(waiting) and waiting[-1].start_ps == timeslice.start_ps
            if not at_end and (together or last is None or last > self._rows.stop):
                waiting.append(timeslice)
            elif (rows := self._rows.part(first, last)) is not None:
                found.append((timeslice, self._value(rows)))
        self._waiting = waiting
        if found:
            self._is_empty = False
            yield VariableRateTimeSeries(found)

    def _value(self, rows: Any) -> np.ndarray:
        value = np.array(self.op(rows, axis=self.axis))
        if self._shape is None:
            self._shape = value.shape
        if value.shape != self._shape:
            raise DimensionError(
                f"a value of shape {value.shape} after values of shape {self._shape}; "
                "op must give one shape for any number of rows: check axis="
            )
        return value

    def _forget(self) -> None:
        """Drop the rows that no stretch needs any more."""
        if self._waiting:
            self._rows.drop(self._rows.span_of(self._waiting[0])[0])
        elif self._no_more_slices:
            self._rows.drop(self._rows.stop)
        elif self._latest is not None:
            self._rows.drop(self._rows.span_of(TimeSlice(start=from_picoseconds(self._latest)))[0])


class _KeptRows:
    """The rows of a stream from some row on."""

    def __init__(self) -> None:
        self.time: TimeDimension | None = None
        self.start = self.stop = 0
        self._pieces: list[Any] = []
        self._starts: list[int] = []
        self._held = 0  # rows in the memory that the first piece keeps alive

    def push(self, rows: Any) -> None:
        """Take rows in."""
        dimensions = getattr(rows, "dimensions", ())
        if not dimensions or not isinstance(dimensions[0], TimeDimension):
            raise DimensionError(
                f"{type(rows).__name__} with dimensions {dimensions!r}; Pooled takes arrays whose first dimension is "
                "a TimeDimension, and stretches as a VariableRateTimeSeries"
            )
        if self.time is None:
            self.time = dimensions[0].joined(0)
        if not len(rows):
            return
        if not self._pieces:
            self._held = len(rows)
        self._pieces.append(rows)
        self._starts.append(self.stop)
        self.stop += len(rows)

    def span_of(self, timeslice: TimeSlice) -> tuple[int, int | None]:
        """Return the rows that a stretch touches: the first, and the one after the last; None: to the end."""
        assert self.time is not None
        found = self.time.integer_based_slice(timeslice)
        return found.start, found.stop

    def part(self, first: int, last: int | None) -> Any:
        """Return rows in one piece of memory; None where there are none."""
        last = self.stop if last is None else min(last, self.stop)
        if first >= last:
            return None
        pieces = range(bisect_right(self._starts, first) - 1, bisect_left(self._starts, last))
        parts = [self._pieces[i][max(0, first - self._starts[i]) : last - self._starts[i]] for i in pieces]
        # contiguous in both cases, so that sums round alike
        data = np.concatenate([np.asarray(part) for part in parts]) if parts[1:] else np.asarray(parts[0])
        return type(parts[0]).from_example(np.ascontiguousarray(data), parts[0])

    def drop(self, before: int) -> None:
        """Forget the rows before one."""
        before = min(before, self.stop)
        gone = bisect_right(self._starts, before) - 1 if before < self.stop else len(self._pieces)
        if gone > 0:
            del self._pieces[:gone], self._starts[:gone]
            self._held = len(self._pieces[0]) if self._pieces else 0
        if not self._pieces or self._starts[0] >= before:
            return
        piece = self._pieces[0]
        rest = piece[before - self._starts[0] :]
        if 2 * len(rest) < self._held:  # a view would keep all of the chunk in memory
            rest = type(piece).from_example(np.array(rest), rest)
            self._held = len(rest)
        self._pieces[0], self._starts[0] = rest, before
