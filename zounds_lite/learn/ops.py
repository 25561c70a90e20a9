"""Ops: transformations that are data.

Goal: what a step has learned is stored, compared and applied in another process without running any stored code.
Conventions: an op is its constructor arguments, which are plain values, arrays, and lists and dicts of them; it is
called with rows (the first axis counts examples) and leaves them as they are; a step that needs something of the
forward pass to go back returns it in a ``ForwardResult``. Classes: ``Op``, ``ForwardResult``.
"""

from functools import cached_property
from typing import Any

import numpy as np

from zounds_lite._declared import Declared, digest
from zounds_lite.errors import DimensionError, NotInvertible

__all__ = ["ForwardResult", "Op", "floating", "plain_rows"]


class ForwardResult:
    """What an op made, and what its inverse will need of this very pass.

    Args:
        output (np.ndarray): the transformed data.
        inversion_data: keywords of the inverse, such as the norm of each row.
    """

    def __init__(self, output: Any, **inversion_data: Any) -> None:
        self.output = output
        self.inversion_data = inversion_data


class Op(Declared):
    """A transformation that is nothing but its constructor arguments.

    Subclass it for a preprocessor of your own: pass the arguments on under their own names, override ``__call__`` and,
    where there is a way back, ``inverse``. The class is found again by its name, so a process that reads a stored op
    must have imported the module that declares it.

    Examples:
        >>> class Shifted(Op):
        ...     is_rowwise = keeps_units = True
        ...     def __init__(self, by):
        ...         super().__init__(by=by)
        ...     def __call__(self, data):
        ...         return data + self.by
        ...     def inverse(self, data):
        ...         return data - self.by
        >>> op = Shifted(np.array([1.0, 2.0]))
        >>> op(np.zeros((1, 2))), op.inverse(op(np.zeros((1, 2)))), op.is_invertible
        (array([[1., 2.]]), array([[0., 0.]]), True)
        >>> op.version == Shifted([1.0, 2.0]).version, op.version == Shifted(2.0).version
        (False, False)
    """

    revision = 1
    """Raised when the output changes on purpose: it is part of ``version``."""

    is_rowwise = False
    """True where each row of the result is made of the same row of the data and of nothing else: the first dimension
    stays, and a stretch of time can be computed alone."""

    keeps_units = False
    """True where each element of the result stands for the same element of the data: all dimensions stay."""

    def __call__(self, data: Any, *args: Any, **extra: Any) -> Any:
        """Transform rows.

        Args:
            data (np.ndarray): examples along the first axis.
            args: none; subclasses name what they take.
            extra: inversion data, where the op is the inverse of another.

        Returns:
            np.ndarray | ForwardResult: the result.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what it does: override __call__")

    def inverse(self, data: Any, *args: Any, **inversion_data: Any) -> Any:
        """Go back from what ``__call__`` returned.

        Raises:
            NotInvertible: there is no way back.
        """
        raise NotInvertible(f"{type(self).__name__} has no inverse")

    @property
    def is_invertible(self) -> bool:
        """Whether there is a way back."""
        return type(self).inverse is not Op.inverse

    @cached_property
    def version(self) -> str:
        """Hash of the type's name, its revision and its arguments; for a user's type, of its code too."""
        return digest({**self.describe(), "revision": self.revision})


def plain_rows(data: Any, shape: tuple[int, ...] | None, what: str) -> np.ndarray:
    """Return data without units, after checking that it has the rows that a step was trained on.

    Args:
        data (np.ndarray): examples along the first axis.
        shape (tuple[int, ...] | None): shape of one example; None allows any.
        what (str): names the step in the error.

    Raises:
        DimensionError: no rows, or rows of another shape.
    """
    rows = np.asarray(data)
    if not rows.ndim or (shape is not None and rows.shape[1:] != shape):
        wanted = "any" if shape is None else list(shape)
        raise DimensionError(
            f"{what} was given an array of shape {list(rows.shape)}; needed: examples along the first axis, "
            f"each of shape {wanted}, as in training"
        )
    return rows


def floating(dtype: np.dtype) -> np.dtype:
    """Return the dtype in which numbers of another are worked on: floating point and complex stay, others: float64."""
    return dtype.newbyteorder("=") if dtype.kind in "fc" else np.dtype(np.float64)
