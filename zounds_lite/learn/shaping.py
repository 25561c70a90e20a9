"""Shaping: preprocessors that choose, arrange or reduce what an example holds.

Conventions: the first axis counts examples, and any number of them can be transformed, however many there were in
training. Nodes: ``Slicer``, ``Reshape`` (invertible); ``AbsoluteValue``, ``Binarize``, ``Sharpen`` (one way).
"""

import math
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.learn.ops import ForwardResult, Op, floating, plain_rows
from zounds_lite.learn.untrained import Untrained

__all__ = ["AbsoluteValue", "Binarize", "Reshape", "Sharpen", "Slicer"]


class Sliced(Op):
    """``data[..., slicex]``.

    Args:
        slicex (slice | FrequencyBand | Sequence[int] | None): what to keep of the last axis; None keeps all.
    """

    is_rowwise = True

    def __init__(self, slicex: Any = None) -> None:
        super().__init__(slicex=slicex)

    slicex: Any

    def __call__(self, data: Any) -> Any:
        if np.ndim(data) < 2:
            raise DimensionError(f"Slicer takes a part of the last of 2 axes or more; got an array of {np.ndim(data)}")
        index = slice(None) if self.slicex is None else self.slicex
        numbers: Any = np.arange(data.shape[-1])
        if isinstance(data, ArrayWithUnits):
            numbers = ArrayWithUnits(numbers, [data.dimensions[-1]])
        return ForwardResult(data[..., index], size=len(numbers), kept=np.asarray(numbers[index]))

    def inverse(self, data: Any, size: int, kept: np.ndarray) -> Any:
        part = np.asarray(data)
        before = part.shape[:-1] if kept.ndim else part.shape
        out = np.zeros((*before, size), part.dtype)
        out[..., kept] = part
        return out


class Slicer(Untrained):
    """Keeps a part of the last axis; its inverse puts it back among zeros.

    Args:
        slicex (slice | FrequencyBand | None): the part, in elements or in hertz; None keeps all.
        needs (Node): where the features come from.

    Examples:
        >>> from zounds_lite.learn import Pipeline
        >>> [step] = Slicer(slice(1, 3)).run([np.ones((1, 4))])
        >>> result = Pipeline([step]).transform(np.array([[1.0, 2.0, 3.0, 4.0]]))
        >>> result.data, result.inverse_transform()
        (array([[2., 3.]]), array([[0., 2., 3., 0.]]))
    """

    def __init__(self, slicex: Any = None, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.slicex = slicex

    def _op(self) -> Op:
        return Sliced(self.slicex)


class Reshaped(Op):
    """Each example in another shape.

    Args:
        new_shape (Sequence[int]): the shape of one example; -1 once, for whatever is left.
    """

    is_rowwise = True

    def __init__(self, new_shape: Any) -> None:
        shape = (new_shape,) if isinstance(new_shape, (int, np.integer)) else new_shape
        super().__init__(new_shape=tuple(int(size) for size in shape))

    new_shape: tuple[int, ...]

    def validate(self) -> None:
        if any(size < -1 for size in self.new_shape) or self.new_shape.count(-1) > 1:
            raise DeclarationError(f"new_shape={self.new_shape}; allowed: sizes, and -1 once")

    def __call__(self, data: Any) -> Any:
        rows = plain_rows(data, None, "Reshape")
        before = rows.shape[1:]
        size, known = math.prod(before), math.prod(n for n in self.new_shape if n >= 0)
        after = tuple(size // max(known, 1) if n < 0 else n for n in self.new_shape)
        if math.prod(after) != size:
            raise DimensionError(f"examples of shape {list(before)} cannot take the shape {list(self.new_shape)}")
        return ForwardResult(rows.reshape(len(rows), *after), row_shape=before)

    def inverse(self, data: Any, row_shape: tuple[int, ...]) -> Any:
        rows = np.asarray(data)
        return rows.reshape(len(rows), *row_shape)


class Reshape(Untrained):
    """Gives each example another shape; its inverse gives it its own again.

    Args:
        new_shape (Sequence[int]): the shape of one example, without the axis of examples; -1 once.
        needs (Node): where the features come from.

    Raises:
        DeclarationError: sizes below -1, or -1 twice.

    Examples:
        >>> [step] = Reshape((2, -1)).run([np.zeros((5, 6))])
        >>> step.data.concatenated().shape
        (5, 2, 3)
    """

    def __init__(self, new_shape: Any, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.new_shape = new_shape
        self._op()

    def _op(self) -> Op:
        return Reshaped(self.new_shape)


class Magnitude(Op):
    """``abs(data)``."""

    is_rowwise = keeps_units = True

    def __call__(self, data: Any) -> Any:
        return np.abs(plain_rows(data, None, "AbsoluteValue"))


class AbsoluteValue(Untrained):
    """Takes magnitudes; of complex numbers too. It has no inverse.

    Args:
        needs (Node): where the features come from.

    Examples:
        >>> [step] = AbsoluteValue().run([np.array([[-1.0, 2.0]])])
        >>> step.data.concatenated()
        array([[1., 2.]])
    """

    def _op(self) -> Op:
        return Magnitude()


class Thresholded(Op):
    """1 where data are above a threshold, else 0, as uint8.

    Args:
        threshold (float): the threshold.
    """

    is_rowwise = keeps_units = True

    def __init__(self, threshold: float = 0.5) -> None:
        super().__init__(threshold=threshold)

    threshold: float

    def __call__(self, data: Any) -> Any:
        return (plain_rows(data, None, "Binarize") > self.threshold).view(np.uint8)


class Binarize(Untrained):
    """Gives 1 where a number is above a threshold, else 0. It has no inverse.

    Args:
        threshold (float): what is equal to it gives 0.
        needs (Node): where the features come from.

    Examples:
        >>> [step] = Binarize(threshold=0.5).run([np.array([[0.4, 0.5, 0.6]])])
        >>> step.data.concatenated()
        array([[0, 0, 1]], dtype=uint8)
    """

    def __init__(self, threshold: float = 0.5, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.threshold = threshold

    def _op(self) -> Op:
        return Thresholded(self.threshold)


class Sharpened(Op):
    """Each example convolved with a kernel, zeros around it; what is negative then becomes 0.

    Args:
        kernel (np.ndarray | None): as many axes as an example has; None: an unsharp mask three elements wide.
    """

    is_rowwise = keeps_units = True

    def __init__(self, kernel: Any = None) -> None:
        super().__init__(kernel=None if kernel is None else np.asarray(kernel))

    kernel: Any

    def validate(self) -> None:
        if self.kernel is not None and (self.kernel.dtype.kind not in "biuf" or not self.kernel.size):
            raise DeclarationError(f"kernel={self.kernel!r:.100}; allowed: an array of real numbers")

    def __call__(self, data: Any) -> Any:
        from scipy.signal import convolve  # slow to import

        rows = plain_rows(data, None, "Sharpen")
        axes = rows.ndim - 1
        kernel = _unsharp(axes) if self.kernel is None else self.kernel
        if kernel.ndim != axes:
            raise DimensionError(f"a kernel of {kernel.ndim} axes does not fit examples of {axes}")
        if not rows.size:
            return rows
        dtype = floating(rows.dtype)
        out = convolve(rows.astype(dtype, copy=False), kernel[np.newaxis].astype(dtype), mode="same")
        return np.maximum(out, 0, out=out)


def _unsharp(axes: int) -> np.ndarray:
    kernel = np.full((3,) * axes, -1 / 3**axes)
    kernel[(1,) * axes] += 2
    return kernel


class Sharpen(Untrained):
    """Convolves each example with a kernel, zeros around it, and sets what is negative to 0. It has no inverse.

    Args:
        kernel (np.ndarray | None): as many axes as an example has; None: an unsharp mask three elements wide.
        needs (Node): where the features come from.

    Raises:
        DeclarationError: a kernel that is empty or holds no real numbers.

    Examples:
        >>> [step] = Sharpen(kernel=[-1, 2, -1]).run([np.array([[0.0, 1.0, 0.0, 0.0]])])
        >>> step.data.concatenated().round(12) + 0.0
        array([[0., 2., 0., 0.]])
    """

    def __init__(self, kernel: Any = None, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.kernel = kernel
        self._op()

    def _op(self) -> Op:
        return Sharpened(self.kernel)
