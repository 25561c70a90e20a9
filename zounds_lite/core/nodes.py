"""Small steps between features: parts, sums, maxima, columns side by side.

Goal: what numpy does in one call, in streams. Conventions: rows are axis 0, and each row is one moment; units are kept.
These nodes stand apart from ``zounds_lite.core`` itself, which knows nothing of graphs. Nodes: ``Slice``, ``Sum``,
``Max``, ``Merge``, ``Binarize``.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from zounds_lite.core.buffers import Aligned, Rows
from zounds_lite.core.dimension import IDENTITY
from zounds_lite.core.units import dimensions_of, has_units, wrap
from zounds_lite.errors import DeclarationError, DimensionError, NotEnoughData, SampleRateError
from zounds_lite.featureflow import Locality, Node, Pointwise

__all__ = ["Binarize", "Max", "Merge", "Slice", "Sum"]

_BLOCK = 64


class Slice(Node):
    """Takes a part of each row.

    Args:
        sl (Any): what selects on axis 1: a slice, an integer, or an index in the units of that axis, such as a
            ``FrequencyBand``; None: everything.
        needs (Node): gives arrays with at least two axes.

    Shape:
        [rows, columns, ...] -> [rows, part, ...]

    Raises:
        DimensionError: an array with one axis.

    Examples:
        >>> list(Slice(slice(0, 2)).run([np.arange(6).reshape(2, 3)]))
        [array([[0, 1],
               [3, 4]])]
    """

    revision = 1
    footprint = Pointwise()

    def __init__(self, sl: Any = None, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.sl = sl

    def _process(self, data: Any) -> Iterator[Any]:
        if data.ndim < 2:
            raise DimensionError(f"a part of rows of an array of shape {data.shape}; needed: two axes or more")
        yield data[:, slice(None) if self.sl is None else self.sl]


class _Reduction(Node):
    """Reduces each row as it comes, or all rows of the stream to one.

    With axis 0 the whole stream is one array: its result comes at the end, and is the same for chunks of any size.
    """

    def __init__(self, axis: int = 0, needs: Any = None) -> None:
        super().__init__(needs=needs)
        if not isinstance(axis, (int, np.integer)) or isinstance(axis, bool):
            raise DeclarationError(f"axis={axis!r}; allowed: the number of one axis, 0 for all rows of the stream")
        self.axis = axis

    def locality(self, example: Any) -> Locality | None:
        return Pointwise() if self.axis % max(1, example.ndim) else None

    def _of_rows(self, data: Any, axis: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say how it reduces rows")

    def _of_blocks(self, blocks: np.ndarray) -> np.ndarray:
        """Reduce (blocks, rows, ...) to (blocks, ...)."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it reduces blocks")

    def _combined(self, total: Any, part: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say how it combines")

    def _first_chunk(self, data: Any) -> Any:
        if not -data.ndim <= self.axis < data.ndim:
            raise DimensionError(f"axis={self.axis} of an array of shape {data.shape}, which has {data.ndim} axes")
        self._over = int(self.axis) % data.ndim
        self._example = data[:0].copy()
        self._blocks = Aligned(_BLOCK)
        self._total: Any = None
        return data

    def _process(self, data: Any) -> Iterator[Any]:
        if self._over == 0:
            self._add(self._blocks.push(np.asarray(data)))
        elif data.shape[self._over]:
            yield self._of_rows(data, self._over)

    def _add(self, rows: np.ndarray | None) -> None:
        if rows is None or not rows.size:
            return
        # blocks count from the first row of the stream, so rounding does not depend on the chunks
        size = min(_BLOCK, len(rows))
        for part in self._of_blocks(np.ascontiguousarray(rows).reshape(-1, size, *rows.shape[1:])):
            self._total = part.copy() if self._total is None else self._combined(self._total, part)

    def _last_chunk(self) -> Iterator[Any]:
        if not hasattr(self, "_over") or self._over:
            return
        self._add(self._blocks.finish())
        if self._total is not None:
            example, total = self._example, self._finished(self._total)
            yield wrap(example, total, example.dimensions[1:]) if has_units(example) else total

    def _finished(self, total: Any) -> Any:
        return total


class Sum(_Reduction):
    """Sums along an axis.

    Axis 0 gives one sum over all rows of the stream, at its end, equal for chunks of any size: floating point is summed
    in float64, 64 rows at a time. Any other axis gives the sum of each row as it comes. Nothing is yielded where there
    is nothing to sum.

    Args:
        axis (int): the axis that goes; negative ones count from the last.
        needs (Node): gives arrays.

    Shape:
        [rows, ...] -> [...] for axis 0; otherwise [rows, ...] without the axis

    Raises:
        DeclarationError: an axis that is no integer.
        DimensionError: an axis that the array does not have.

    Examples:
        >>> list(Sum().run([np.ones((2, 3)), np.ones((1, 3))]))
        [array([3., 3., 3.])]
        >>> list(Sum(axis=1).run([np.ones((2, 3)), np.ones((1, 3))]))
        [array([3., 3.]), array([3.])]
    """

    revision = 1

    def _of_rows(self, data: Any, axis: int) -> Any:
        return np.sum(data, axis=axis)

    def _of_blocks(self, blocks: np.ndarray) -> np.ndarray:
        wide = {"f": np.float64, "c": np.complex128}.get(blocks.dtype.kind)
        return np.asarray(np.sum(blocks, axis=1, dtype=wide))

    def _combined(self, total: Any, part: Any) -> Any:
        return total + part

    def _finished(self, total: Any) -> Any:
        dtype = self._example.dtype
        return total.astype(dtype) if dtype.kind in "fc" else total


class Max(_Reduction):
    """Takes the maximum along an axis; NaN wins, as everywhere in numpy.

    Axis 0 gives one maximum over all rows of the stream, at its end. Any other axis gives the maximum of each row as it
    comes. Nothing is yielded where there is nothing to compare.

    Args:
        axis (int): the axis that goes; negative ones count from the last.
        needs (Node): gives real arrays.

    Shape:
        [rows, ...] -> [...] for axis 0; otherwise [rows, ...] without the axis

    Raises:
        DeclarationError: an axis that is no integer.
        DimensionError: an axis that the array does not have.

    Examples:
        >>> list(Max().run([np.array([[1, 5]]), np.array([[3, 4]])]))
        [array([3, 5])]
    """

    revision = 1

    def _of_rows(self, data: Any, axis: int) -> Any:
        return np.max(data, axis=axis)

    def _of_blocks(self, blocks: np.ndarray) -> np.ndarray:
        return np.asarray(np.max(blocks, axis=1))

    def _combined(self, total: Any, part: Any) -> Any:
        return np.maximum(total, part)


class Merge(Node):
    """Puts the columns of several features side by side.

    Chunks of the features may be cut at other places; the result is as long as the shortest of them. A feature with one
    axis counts as one column. The time axis is that of the first feature.

    Args:
        needs (Sequence[Node]): two or more, which give rows at one rate.

    Shape:
        [rows, a, ...], [rows, b, ...], ... -> [rows, a + b + ..., ...]

    Raises:
        DeclarationError: fewer than two needs, or one of them twice.
        SampleRateError: rows come at different rates.
        DimensionError: axes after the columns differ.

    Examples:
        >>> left, right = Node(), Node()
        >>> merge = Merge(needs=(left, right))
        >>> list(merge.push(np.zeros((3, 2)), left)), [rows.shape for rows in merge.push(np.ones((2, 1)), right)]
        ([], [(2, 3)])
    """

    revision = 1

    def __init__(self, needs: Any = None) -> None:
        super().__init__(needs=needs)
        if len(self.needs) < 2:
            raise DeclarationError(f"Merge with {len(self.needs)} needs; allowed: two or more, as needs=(bark, chroma)")
        if len({id(need) for need in self.needs.values()}) < len(self.needs):
            raise DeclarationError("Merge of a feature with itself; allowed: different features")
        self._rows = {name: Rows() for name in self.needs}
        self._kinds: dict[str, Any] = {}

    def _enqueue(self, data: Any, pusher: Node | None) -> None:
        name = self._dependency_name(pusher)
        assert name is not None, "a graph pushes from what is needed"
        if name not in self._kinds:
            self._kinds[name] = data[:0].copy()
            self._check(name)
        self._rows[name].push(data)

    def _check(self, name: str) -> None:
        """Compare a feature with one that came before it."""
        new, old = self._kinds[name], next(iter(self._kinds.values()))
        if new.shape[2:] != old.shape[2:]:
            raise DimensionError(
                f"rows of shape {new.shape[1:]} beside rows of shape {old.shape[1:]}; only columns may differ in number"
            )
        periods = [getattr(dimensions_of(kind)[0], "frequency", None) for kind in (old, new)]
        if None not in periods and periods[0] != periods[1]:
            raise SampleRateError(
                f"rows every {periods[0]} beside rows every {periods[1]}; Merge takes features of one rate"
            )

    def _dequeue(self) -> Any:
        if len(self._kinds) < len(self.needs):
            raise NotEnoughData()
        count = min(len(rows) for rows in self._rows.values())
        first = next(iter(self._rows.values()))
        # no rows at all are an empty result, not none; and the end of the first feature may come without rows
        if not count and not (self._run["first"] or first.only_the_end):
            raise NotEnoughData()
        taken = {name: rows.take(count) for name, rows in self._rows.items()}
        return [self._kinds[name] if part is None else part for name, part in taken.items()]

    def _process(self, data: Any) -> Iterator[Any]:
        columns = [np.asarray(part) for part in data]
        joined = np.concatenate([part[:, None] if part.ndim == 1 else part for part in columns], axis=1)
        first = data[0]
        yield (
            wrap(first, joined, (first.dimensions[0], IDENTITY, *first.dimensions[2:])) if has_units(first) else joined
        )


class Binarize(Node):
    """Tells for each number whether a condition holds.

    Args:
        predicate (Callable): takes an array and returns an array of truth values of the same shape.
        needs (Node): gives arrays.

    Shape:
        [...] -> [...] of bool

    Raises:
        DeclarationError: the predicate cannot be called.
        DimensionError: it returned another shape.

    Examples:
        >>> list(Binarize(np.signbit).run([np.array([-1.0, 2.0])]))
        [array([ True, False])]
    """

    revision = 1
    footprint = Pointwise()

    def __init__(self, predicate: Callable[[Any], Any], needs: Any = None) -> None:
        super().__init__(needs=needs)
        if not callable(predicate):
            raise DeclarationError(f"predicate={predicate!r}; allowed: a function of an array")
        self.predicate = predicate

    def _process(self, data: Any) -> Iterator[Any]:
        holds = np.asarray(self.predicate(data), dtype=bool)
        if holds.shape != data.shape:
            raise DimensionError(f"the predicate gave shape {holds.shape} for {data.shape}; needed: one truth a number")
        yield wrap(data, holds, data.dimensions) if has_units(data) else holds
