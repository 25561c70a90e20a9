"""What ufuncs do to dimensions.

Goal: ``x + y``, ``np.sqrt(x)``, ``np.add.reduce(x)`` and ``x @ y`` keep the units that can be known. Conventions: an
elementwise result has the dimensions and the class of the first array with units of its own rank; where the rank is
that of a plain array, the result is plain. Functions: ``apply``, ``check_operands``, ``reduced``,
``matmul_dimensions``, ``set_base``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zounds_lite.core.dimension import IDENTITY, Dimension, IdentityDimension
from zounds_lite.core.units import broadcast_dimensions, dimensions_of, has_units, wrap

__all__ = ["apply", "check_operands", "matmul_dimensions", "reduced", "set_base"]

_base: type[Any] = np.ndarray
_PLAIN = (np.ndarray, np.generic, int, float, complex, bool, list, tuple)


def set_base(base: type) -> None:
    """Set the class of arrays with units."""
    global _base
    _base = base


def apply(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a ufunc on plain views and give the result its units; the body of ``__array_ufunc__``."""
    raw = []
    arrays = []
    for value in inputs:
        if isinstance(value, _base):
            arrays.append(value)
            value = value.view(np.ndarray)
        elif not isinstance(value, _PLAIN) and _has_own_rule(value):
            return NotImplemented
        raw.append(value)
    check_operands(arrays)
    out = kwargs.get("out")
    if out is not None:
        kwargs["out"] = tuple(o.view(np.ndarray) if isinstance(o, _base) else o for o in out)
    if isinstance(kwargs.get("where"), _base):
        kwargs["where"] = kwargs["where"].view(np.ndarray)
    result = getattr(ufunc, method)(*raw, **kwargs)
    if out is not None:
        return _given_outputs(result, out, arrays)
    if not arrays or method == "at":
        return result
    if type(result) is tuple:
        return tuple(_with_units(ufunc, method, inputs, arrays, r, kwargs) for r in result)
    return _with_units(ufunc, method, inputs, arrays, result, kwargs)


def _has_own_rule(value: Any) -> bool:
    return hasattr(type(value), "__array_ufunc__")


def check_operands(arrays: Sequence[Any]) -> None:
    """Ask each array whether it may be combined with the others; an array that may not raises."""
    if len(arrays) > 1:
        for array in arrays:
            array._check_operands(arrays)


def _given_outputs(result: Any, out: tuple[Any, ...], arrays: Sequence[Any]) -> Any:
    if type(result) is not tuple:
        return out[0] if out[0] is not None else result
    return tuple(r if o is None else o for r, o in zip(result, out, strict=True))


def _with_units(
    ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], arrays: Sequence[Any], result: Any, kwargs: dict[str, Any]
) -> Any:
    if not isinstance(result, np.ndarray) or result.ndim == 0:
        return result
    if method == "__call__" and ufunc.signature is None:
        for array in arrays:
            if array.ndim == result.ndim:
                if array.shape == result.shape:
                    return array._alike(result)
                return array._rewrap(result, broadcast_dimensions(arrays, result.shape))
        return result
    if not has_units(inputs[0]) and method != "outer" and ufunc is not np.matmul:
        return result
    return wrap(arrays[0], result, _other_dimensions(ufunc, method, inputs, result, kwargs))


def _other_dimensions(
    ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], result: np.ndarray, kwargs: dict[str, Any]
) -> tuple[Dimension, ...] | None:
    if ufunc is np.matmul and method == "__call__":
        plain = "axes" not in kwargs and "axis" not in kwargs
        return matmul_dimensions(inputs[0], inputs[1], result.shape) if plain else None
    if ufunc.signature is not None:
        return None
    if method == "outer":
        return (*dimensions_of(inputs[0]), *dimensions_of(inputs[1]))
    x = inputs[0]
    axis = kwargs.get("axis", 0)
    if method == "accumulate":
        return x.dimensions
    if method == "reduceat":
        return tuple(IDENTITY if i == axis % x.ndim else d for i, d in enumerate(x.dimensions))
    return reduced(x.dimensions, axis, result.ndim) if method == "reduce" else None


def reduced(dimensions: Sequence[Dimension], axis: Any, ndim: int) -> tuple[Dimension, ...] | None:
    """Return the dimensions after a reduction over ``axis`` (int, tuple or None) to a result of ``ndim`` axes."""
    n = len(dimensions)
    if axis is None:
        axes = set(range(n))
    else:
        axes = {int(a) % n for a in (axis if isinstance(axis, (tuple, list)) else (axis,))}
    if ndim == n:  # keepdims
        return tuple(IDENTITY if i in axes else d for i, d in enumerate(dimensions))
    left = tuple(d for i, d in enumerate(dimensions) if i not in axes)
    return left if len(left) == ndim else None


def matmul_dimensions(a: Any, b: Any, shape: tuple[int, ...]) -> tuple[Dimension, ...]:
    """Return the dimensions of ``a @ b``: rows of ``a``, columns of ``b``, stacked axes as broadcast.

    Examples:
        >>> matmul_dimensions(np.ones((2, 3)), np.ones(3), (2,))
        (IdentityDimension(),)
    """
    rows = dimensions_of(a)[-2:-1]
    columns = dimensions_of(b)[-1:] if np.ndim(b) > 1 else ()
    n_stacked = len(shape) - len(rows) - len(columns)
    stacked: list[Dimension] = [IDENTITY] * n_stacked
    for operand in (b, a):
        if not has_units(operand):
            continue
        n_own = max(0, operand.ndim - 2)
        for axis, d, size in zip(
            range(n_stacked - n_own, n_stacked), operand.dimensions[:n_own], operand.shape[:n_own], strict=True
        ):
            if size == shape[axis] and not isinstance(d, IdentityDimension):
                stacked[axis] = d
    return (*stacked, *rows, *columns)
