"""Scaling: preprocessors that change how large numbers are, element by element or row by row.

Conventions: the first axis counts examples; an example is everything else, whatever its axes; dtype and units stay
(integers become float64); an example of zeros stays one, and everything finite stays finite. All are invertible, with
what they need of the forward pass (the norm or the peak of each example) kept beside their result.

Nodes: ``UnitNorm``, ``InstanceScaling``, ``Log``, ``MuLawCompressed``, ``Multiply``, ``Weighted``. Functions:
``example_wise_unit_norm``.
"""

from typing import Any

import numpy as np

from zounds_lite.dsp.companding import inverse_log_modulus, inverse_mu_law, log_modulus, mu_law
from zounds_lite.errors import DeclarationError, DimensionError, NotInvertible
from zounds_lite.learn.ops import ForwardResult, Op, floating, plain_rows
from zounds_lite.learn.untrained import Untrained

__all__ = [
    "InstanceScaling",
    "Log",
    "MuLawCompressed",
    "Multiply",
    "UnitNorm",
    "Weighted",
    "example_wise_unit_norm",
]


_SMALLEST = 1e-140
"""The square of it is still a number of full precision."""


def _per_row(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Shape one number per row so that it combines with the rows."""
    return values.reshape(-1, *(1,) * (rows.ndim - 1))


def _divisor(values: np.ndarray) -> np.ndarray:
    """Return ``values`` with 1 in place of 0."""
    return np.where(values > 0, values, values.dtype.type(1))


def _norms(rows: np.ndarray) -> np.ndarray:
    """Return the L2 norm of each row, in 64 bits."""
    flat = rows.reshape(len(rows), -1) if rows.size else np.zeros((len(rows), 1))
    if flat.dtype.kind == "c":
        return np.hypot(_norms(flat.real), _norms(flat.imag))
    with np.errstate(over="ignore"):
        norms = np.sqrt(np.einsum("ij,ij->i", flat, flat, dtype=np.float64))
    # squares of very large numbers are too large, and those of very small ones are 0
    hard = np.flatnonzero(~((norms > _SMALLEST) & (norms < np.inf)))
    if len(hard):
        peaks = np.abs(flat[hard]).max(axis=1).astype(np.float64)
        norms[hard] = peaks * np.linalg.norm(flat[hard] / _divisor(peaks)[:, np.newaxis], axis=1)
    return np.asarray(norms)


def example_wise_unit_norm(x: Any, return_norms: bool = False) -> Any:
    """Divide each example by its L2 norm; an example of zeros stays one.

    Args:
        x (np.ndarray): examples along the first axis.
        return_norms (bool): return the norms too.

    Shape:
        [examples, ...] -> [examples, ...], and [examples, 1, ...] norms

    Raises:
        DimensionError: no axis of examples.

    Examples:
        >>> example_wise_unit_norm(np.array([[3.0, 4.0], [0.0, 0.0]]))
        array([[0.6, 0.8],
               [0. , 0. ]])
    """
    rows = plain_rows(x, None, "example_wise_unit_norm")
    dtype = floating(rows.dtype)
    norms = _per_row(_norms(rows), rows)
    out = np.divide(rows, _divisor(norms), dtype=dtype, casting="same_kind")
    return (out, norms) if return_norms else out


class UnitNormalized(Op):
    """Each example over its L2 norm."""

    is_rowwise = keeps_units = True

    def __call__(self, data: Any) -> Any:
        out, norms = example_wise_unit_norm(data, return_norms=True)
        return ForwardResult(out, norms=norms)

    def inverse(self, data: Any, norms: Any) -> Any:
        return np.multiply(data, norms, dtype=floating(np.asarray(data).dtype), casting="same_kind")


class UnitNorm(Untrained):
    """Divides each example by its L2 norm.

    Args:
        needs (Node): where the features come from.

    Examples:
        >>> [step] = UnitNorm().run([np.array([[3.0, 4.0]])])
        >>> step.data.concatenated()
        array([[0.6, 0.8]])
    """

    def _op(self) -> Op:
        return UnitNormalized()


class InstanceScaled(Op):
    """Each example such that its largest magnitude is ``max_value``.

    Args:
        max_value (float): the magnitude, > 0.
    """

    is_rowwise = keeps_units = True

    def __init__(self, max_value: float = 1) -> None:
        super().__init__(max_value=max_value)

    max_value: float

    def validate(self) -> None:
        if not 0 < self.max_value < np.inf:
            raise DeclarationError(f"max_value={self.max_value!r}; allowed: a number above 0")

    def __call__(self, data: Any) -> Any:
        rows = plain_rows(data, None, "InstanceScaling")
        dtype = floating(rows.dtype)
        axes = tuple(range(1, rows.ndim))
        peaks = np.abs(rows).max(axis=axes, initial=0, keepdims=True).astype(np.zeros(0, dtype).real.dtype)
        out = np.divide(rows, _divisor(peaks), dtype=dtype)
        if self.max_value != 1:
            out *= out.dtype.type(self.max_value)
        return ForwardResult(out, peaks=peaks)

    def inverse(self, data: Any, peaks: Any) -> Any:
        out = np.multiply(data, peaks, dtype=floating(np.asarray(data).dtype), casting="same_kind")
        if self.max_value != 1:
            out /= out.dtype.type(self.max_value)
        return out


class InstanceScaling(Untrained):
    """Scales each example such that its largest magnitude is ``max_value``.

    Args:
        max_value (float): the magnitude, > 0.
        needs (Node): where the features come from.

    Raises:
        DeclarationError: ``max_value`` is not above 0.

    Examples:
        >>> [step] = InstanceScaling(max_value=2).run([np.array([[1.0, -4.0]])])
        >>> step.data.concatenated()
        array([[ 0.5, -2. ]])
    """

    def __init__(self, max_value: float = 1, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.max_value = max_value
        self._op()

    def _op(self) -> Op:
        return InstanceScaled(self.max_value)


class Logarithmic(Op):
    """sign(x) ln(1 + abs(x))."""

    is_rowwise = keeps_units = True

    def __call__(self, data: Any) -> Any:
        return log_modulus(plain_rows(data, None, "Log"))

    def inverse(self, data: Any) -> Any:
        return inverse_log_modulus(plain_rows(data, None, "the inverse of Log"))


class Log(Untrained):
    """Compresses numbers of any size and sign: sign(x) ln(1 + abs(x)).

    Args:
        needs (Node): where the features come from.

    Examples:
        >>> [step] = Log().run([np.array([[0.0, -1.0]])])
        >>> step.data.concatenated().round(3)
        array([[ 0.   , -0.693]])

    See Also:
        zounds_lite.dsp.log_modulus
    """

    def _op(self) -> Op:
        return Logarithmic()


class MuLawCurve(Op):
    """Mu-law, with mu = 255."""

    is_rowwise = keeps_units = True

    def __call__(self, data: Any) -> Any:
        return mu_law(plain_rows(data, None, "MuLawCompressed"))

    def inverse(self, data: Any) -> Any:
        return inverse_mu_law(plain_rows(data, None, "the inverse of MuLawCompressed"))


class MuLawCompressed(Untrained):
    """Compresses samples from -1 to 1 by the mu-law of telephony, mu = 255; larger ones are compressed too.

    Args:
        needs (Node): where the samples come from.

    Examples:
        >>> [step] = MuLawCompressed().run([np.array([[0.0, 0.1, 1.0]])])
        >>> step.data.concatenated().round(3)
        array([[0.   , 0.591, 1.   ]])

    See Also:
        zounds_lite.dsp.mu_law
    """

    def _op(self) -> Op:
        return MuLawCurve()


class Multiplied(Op):
    """``data * factor``.

    Args:
        factor (float | np.ndarray): a number, or one per feature.
    """

    is_rowwise = keeps_units = True

    def __init__(self, factor: Any = 1) -> None:
        super().__init__(factor=factor)

    factor: Any

    def validate(self) -> None:
        factor = np.asarray(self.factor)
        if factor.dtype.kind not in "biufc" or not np.isfinite(factor).all():
            raise DeclarationError(f"factor={self.factor!r:.100}; allowed: finite numbers")

    @property
    def is_invertible(self) -> bool:
        return bool(np.all(np.asarray(self.factor) != 0))

    def _apply(self, ufunc: np.ufunc, data: Any) -> Any:
        rows = plain_rows(data, None, "Multiply")
        factor = np.asarray(self.factor)
        dtype = floating(rows.dtype) if factor.dtype.kind in "fc" or ufunc is np.divide else rows.dtype
        if factor.dtype.kind == "c":
            dtype = np.result_type(dtype, np.complex64)
        if factor.ndim >= rows.ndim or any(
            n not in (1, size) for n, size in zip(factor.shape[::-1], rows.shape[::-1], strict=False)
        ):
            raise DimensionError(
                f"a factor of shape {list(factor.shape)} does not fit examples of shape {list(rows.shape[1:])}"
            )
        return ufunc(rows, factor, dtype=dtype, casting="unsafe")

    def __call__(self, data: Any) -> Any:
        return self._apply(np.multiply, data)

    def inverse(self, data: Any) -> Any:
        if not self.is_invertible:
            raise NotInvertible("Multiply by a factor that holds a 0 has no inverse")
        return self._apply(np.divide, data)


class Multiply(Untrained):
    """Multiplies with a number, or with one per feature.

    Args:
        factor (float | np.ndarray): the number; an array is of the shape of an example, or broadcasts to it.
        needs (Node): where the features come from.

    Raises:
        DeclarationError: a factor that is not finite.

    Examples:
        >>> [step] = Multiply(factor=np.array([1.0, 10.0])).run([np.array([[2.0, 3.0]])])
        >>> step.data.concatenated()
        array([[ 2., 30.]])
    """

    def __init__(self, factor: Any = 1, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.factor = factor
        self._op()

    def _op(self) -> Op:
        return Multiplied(self.factor)


class WeightedBands(Op):
    """Data with a frequency axis, times a weighting of frequencies.

    Args:
        weighting (AWeighting): such as ``AWeighting()``.
    """

    is_rowwise = keeps_units = True

    def __init__(self, weighting: Any) -> None:
        super().__init__(weighting=weighting)

    weighting: Any

    def validate(self) -> None:
        if not hasattr(self.weighting, "weights"):
            raise DeclarationError(f"weighting={self.weighting!r}; needed: a FrequencyWeighting, such as AWeighting()")

    def _check(self, data: Any) -> None:
        if not hasattr(data, "dimensions"):
            raise DimensionError("Weighted needs data with a frequency axis; a plain array has no units")

    def __call__(self, data: Any) -> Any:
        self._check(data)
        return data * self.weighting

    def inverse(self, data: Any) -> Any:
        self._check(data)
        return data / self.weighting


class Weighted(Untrained):
    """Multiplies spectra with how much each frequency counts.

    Args:
        weighting (AWeighting): such as ``AWeighting()``.
        needs (Node): where spectra with a frequency axis, frequency-adaptive ones too, come from.

    Raises:
        DeclarationError: no weighting.

    See Also:
        zounds_lite.spectral.AWeighting
    """

    def __init__(self, weighting: Any, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.weighting = weighting
        self._op()

    def _op(self) -> Op:
        return WeightedBands(self.weighting)
