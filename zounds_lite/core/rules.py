"""The dimensions of what numpy functions return, one rule per kind of function.

Goal: a table from numpy function to rule. Conventions: a rule takes a ``Call`` and returns one dimension per axis of
its result, or None where nothing is known; it never computes values. A dimension that does not fit the size of its axis
becomes ``IdentityDimension`` later, so rules need not check sizes. What a rule cannot prove has no units.
Names: ``Call``, ``RULES``, ``register``.
"""

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from zounds_lite.core.dimension import IDENTITY, Dimension
from zounds_lite.core.ufuncs import check_operands, matmul_dimensions, reduced
from zounds_lite.core.units import broadcast_dimensions, dimensions_of, find, has_units, identities

__all__ = ["RULES", "Call", "register"]

Dims = Sequence[Dimension] | None


class Call:
    """A call of a numpy function, after the fact.

    Attributes:
        args (tuple): its positional arguments; arrays still have their units.
        kwargs (dict): its keyword arguments.
        result (np.ndarray): the array that it returned, or one of several.
        number (int): which of several results it is, from 0.
    """

    __slots__ = ("args", "kwargs", "number", "result")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], result: np.ndarray, number: int = 0) -> None:
        self.args = args
        self.kwargs = kwargs
        self.result = result
        self.number = number

    def argument(self, position: int, name: str, default: Any = None) -> Any:
        """Return an argument by its position or its name."""
        return self.args[position] if len(self.args) > position else self.kwargs.get(name, default)

    @property
    def first(self) -> Any:
        """The first argument: in most functions the array."""
        return self.args[0] if self.args else next(iter(self.kwargs.values()))

    @property
    def arrays(self) -> list[Any]:
        """All arguments with units, also those in lists."""
        return list(find([*self.args, *self.kwargs.values()]))


Rule = Callable[[Call], Dims]

RULES: dict[Callable[..., Any], Rule] = {}
"""Numpy function to its rule."""


def register(names: str, rule: Rule) -> None:
    """Enter a rule for numpy functions, named with spaces between; those that this numpy lacks are passed over."""
    for name in names.split():
        target: Any = np
        for part in name.split("."):
            target = getattr(target, part, None)
        if target is not None:
            RULES[target] = rule


def _elementwise(call: Call) -> Dims:
    """Same shape as the broadcast arguments."""
    arrays, shape = call.arrays, call.result.shape
    check_operands(arrays)
    if not any(array.ndim == len(shape) for array in arrays):
        return None
    try:
        fits = np.broadcast_shapes(*(array.shape for array in arrays), shape) == shape
    except ValueError:
        return None
    return broadcast_dimensions(arrays, shape) if fits else None


def _where(call: Call) -> Dims:
    """Elementwise; with the condition alone the results are positions."""
    return _elementwise(call) if len(call.args) > 1 else None


def _same_shape(call: Call) -> Dims:
    """Same shape as the first argument, whatever the others are."""
    first = call.first
    return first.dimensions if has_units(first) and first.shape == call.result.shape else None


def _cumulative(call: Call) -> Dims:
    """Same shape, or everything flattened."""
    return _same_shape(call) or identities(call.result.ndim)


def _reduction(position: int, default: Any = None) -> Rule:
    """The axes in the argument at ``position`` go; with keepdims they stay and have no units."""

    def rule(call: Call) -> Dims:
        axis = call.argument(position, "axis", default)
        return reduced(dimensions_of(call.first), axis, call.result.ndim)

    return rule


def _quantile(call: Call) -> Dims:
    n_levels = np.ndim(call.argument(1, "q"))
    axis = call.argument(2, "axis")
    left = reduced(dimensions_of(call.first), axis, call.result.ndim - n_levels)
    return None if left is None else (*identities(n_levels), *left)


def _axis_loses_units(position: int, default: Any = None) -> Rule:
    """Elements along one axis are picked or reordered; no axis means all of them, flattened."""

    def rule(call: Call) -> Dims:
        first, ndim = call.first, call.result.ndim
        axis = call.argument(position, "axis", default)
        if not has_units(first):
            return None
        if axis is None:
            return identities(ndim)
        if isinstance(axis, (tuple, list)):
            return reduced(first.dimensions, axis, first.ndim)
        axis = int(axis) % first.ndim
        n_new = ndim - first.ndim + 1
        if n_new < 0:
            return None
        return (*first.dimensions[:axis], *identities(n_new), *first.dimensions[axis + 1 :])

    return rule


def _diff(call: Call) -> Dims:
    first, axis = call.first, call.argument(2, "axis", -1)
    if not has_units(first):
        return None
    axis = int(axis) % first.ndim
    size = call.result.shape[axis]
    dimensions = list(first.dimensions)
    dimensions[axis] = dimensions[axis].metaslice(slice(0, size), size)
    return dimensions


def _transpose(call: Call) -> Dims:
    dimensions = dimensions_of(call.first)
    axes = call.argument(1, "axes")
    order = range(len(dimensions))[::-1] if axes is None else axes
    return [dimensions[axis] for axis in order]


def _matrix_transpose(call: Call) -> Dims:
    dimensions = dimensions_of(call.first)
    return (*dimensions[:-2], *dimensions[:-3:-1])


def _by_probe(function: Callable[..., Any]) -> Rule:
    """Permutations whose arguments only numpy should read: let it permute axes of sizes 1, 2, 3, ..."""

    def rule(call: Call) -> Dims:
        dimensions = dimensions_of(call.first)
        probe = np.broadcast_to(np.int8(0), range(1, len(dimensions) + 1))
        if not call.args:
            return None
        permuted = function(probe, *call.args[1:], **call.kwargs)
        return [dimensions[size - 1] for size in permuted.shape]

    return rule


def reshaped(dimensions: Sequence[Dimension], old: Sequence[int], new: Sequence[int]) -> Sequence[Dimension]:
    """Return dimensions after a reshape: they survive where only axes of size 1 come or go.

    Examples:
        >>> from zounds_lite.timeseries import Seconds, TimeDimension
        >>> reshaped([TimeDimension(Seconds(1))], (10,), (1, 10))
        [IdentityDimension(), TimeDimension(f=1.0, d=1.0)]
    """
    if [n for n in old if n != 1] != [n for n in new if n != 1]:
        return identities(len(new))
    left = list(zip(dimensions, old, strict=True))
    # where axes only come, the old ones of size 1 keep their units; where some go, those of size 1 have none
    kept = left if len(new) >= len(old) and _is_within(old, new) else [pair for pair in left if pair[1] != 1]
    result: list[Dimension] = []
    for size in new:
        if kept and kept[0][1] == size:
            result.append(kept.pop(0)[0])
        else:
            result.append(IDENTITY)
    return result


def _is_within(short: Sequence[int], long: Sequence[int]) -> bool:
    rest = iter(long)
    return all(size in rest for size in short)


def _reshape(call: Call) -> Dims:
    first = call.first
    return reshaped(first.dimensions, first.shape, call.result.shape) if has_units(first) else None


def _squeeze(call: Call) -> Dims:
    first, axis = call.first, call.argument(1, "axis")
    if axis is None:
        return [d for d, n in zip(first.dimensions, first.shape, strict=True) if n != 1]
    return reduced(first.dimensions, axis, call.result.ndim)


def _expand(call: Call) -> Dims:
    first, axis = call.first, call.argument(1, "axis")
    n = call.result.ndim
    new = {int(a) % n for a in (axis if isinstance(axis, (tuple, list)) else (axis,))}
    old = iter(first.dimensions)
    return [IDENTITY if a in new else next(old) for a in range(n)]


def _at_least(call: Call) -> Dims:
    """``atleast_1d`` and so on: one result per argument."""
    array = call.args[call.number]
    return reshaped(array.dimensions, array.shape, call.result.shape) if has_units(array) else None


def _merge(arrays: Sequence[Any], ndim: int) -> list[Dimension]:
    """Return the dimensions on which all arrays with units agree."""
    check_operands(arrays)
    merged: list[Dimension] = []
    for column in zip_longest(*(a.dimensions for a in arrays)):
        merged.append(column[0] if all(d == column[0] for d in column) and column[0] is not None else IDENTITY)
    return merged if len(merged) == ndim else list(identities(ndim))


def _join(arrays: Sequence[Any], axis: int, result: np.ndarray) -> Dims:
    dimensions = _merge(arrays, result.ndim)
    dimensions[axis] = dimensions[axis].joined(result.shape[axis])
    return dimensions


def _concatenate(call: Call) -> Dims:
    axis = call.argument(1, "axis", 0)
    return identities(1) if axis is None else _join(call.arrays, axis, call.result)


def _stack(call: Call) -> Dims:
    axis = int(call.argument(1, "axis", 0)) % call.result.ndim
    dimensions = _merge(call.arrays, call.result.ndim - 1)
    dimensions.insert(axis, IDENTITY)
    return dimensions


def _hstack(call: Call) -> Dims:
    return _join(call.arrays, 0 if call.result.ndim == 1 else 1, call.result)


def _vstack(call: Call) -> Dims:
    if all(array.ndim == 1 for array in call.arrays):
        return [IDENTITY, *_merge(call.arrays, 1)]
    return _join(call.arrays, 0, call.result)


def _broadcast_to(call: Call) -> Dims:
    return broadcast_dimensions([call.first], call.result.shape) if has_units(call.first) else None


def _broadcast_arrays(call: Call) -> Dims:
    array = call.args[call.number]
    return broadcast_dimensions([array], call.result.shape) if has_units(array) else None


def _dot(call: Call) -> Dims:
    a, b = call.argument(0, "a"), call.argument(1, "b")
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return _elementwise(call)
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return matmul_dimensions(a, b, call.result.shape)
    right = dimensions_of(b)
    return (*dimensions_of(a)[:-1], *right[:-2], *right[-1:]) if np.ndim(b) > 1 else dimensions_of(a)[:-1]


def _einsum(call: Call) -> Dims:
    """Each output letter takes the dimension of the first operand that has it; sums drop theirs."""
    subscripts, *operands = call.args
    if not isinstance(subscripts, str):
        return None
    subscripts = subscripts.replace(" ", "")
    inputs, arrow, output = subscripts.partition("->")
    terms = [_letters(term, np.ndim(operand)) for term, operand in zip(inputs.split(","), operands, strict=True)]
    if arrow:
        letters = _letters(output, call.result.ndim)
    else:
        flat = [letter for term in terms for letter in term]
        dots = sorted({letter for letter in flat if isinstance(letter, int)})
        letters = [*dots, *sorted({c for c in flat if isinstance(c, str) and flat.count(c) == 1})]
    found: dict[Any, Dimension] = {}
    for term, operand in zip(terms, operands, strict=True):
        if not has_units(operand):
            continue
        for letter, dimension, size in zip(term, operand.dimensions, operand.shape, strict=True):
            if letter in letters and size == call.result.shape[letters.index(letter)]:
                found.setdefault(letter, dimension)
    return [found.get(letter, IDENTITY) for letter in letters]


def _letters(term: str, ndim: int) -> list[Any]:
    """Split one term of an einsum; the axes of an ellipsis are numbered -n ... -1, so that they align at the right."""
    if "..." not in term:
        return list(term)
    before, after = term.split("...")
    n_dots = ndim - len(before) - len(after)
    return [*before, *range(-n_dots, 0), *after]


def _packbits(call: Call) -> Dims:
    return _axis_loses_units(1)(call)


register(
    "clip round around nan_to_num real imag angle real_if_close isclose fix sinc i0 copy isreal iscomplex "
    "isposinf isneginf zeros_like ones_like empty_like full_like select choose",
    _elementwise,
)
register("where", _where)
register("cumsum cumprod nancumsum nancumprod cumulative_sum cumulative_prod", _cumulative)
register("unwrap gradient tril triu isin digitize piecewise", _same_shape)
register(
    "sum prod max amax min amin mean std var median any all ptp argmax argmin count_nonzero nansum nanprod nanmax "
    "nanmin nanmean nanstd nanvar nanmedian nanargmax nanargmin average",
    _reduction(1),
)
register("linalg.norm", _reduction(2))
register("trapezoid trapz", _reduction(3, -1))
register("percentile quantile nanpercentile nanquantile", _quantile)
register("sort argsort", _axis_loses_units(1, -1))
register("sort_complex", _axis_loses_units(1, -1))
register("partition argpartition", _axis_loses_units(2, -1))
register("flip packbits unpackbits", _axis_loses_units(1))
register("roll take repeat delete", _axis_loses_units(2))
register("insert", _axis_loses_units(3))
register("fft.fftshift fft.ifftshift", _axis_loses_units(1))
register("diff", _diff)
register("transpose permute_dims", _transpose)
register("matrix_transpose linalg.matrix_transpose", _matrix_transpose)
register("swapaxes", _by_probe(np.swapaxes))
register("moveaxis", _by_probe(np.moveaxis))
register("rollaxis", _by_probe(np.rollaxis))
register("reshape ravel", _reshape)
register("squeeze", _squeeze)
register("expand_dims", _expand)
register("atleast_1d atleast_2d atleast_3d", _at_least)
register("concatenate concat", _concatenate)
register("stack", _stack)
register("hstack", _hstack)
register("vstack row_stack", _vstack)
register("broadcast_to", _broadcast_to)
register("broadcast_arrays", _broadcast_arrays)
register("dot", _dot)
register("einsum", _einsum)
