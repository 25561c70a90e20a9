"""Localities: which rows of its input a node needs for which rows of its output.

Goal: from what each node states, a stretch of a feature is computed from that stretch of what it needs. Conventions:
rows are counted from the start of the whole document; ranges are half-open. A node that states nothing
(``Node.locality`` returns None) is taken to need the whole document: always right, only slower.

Classes: ``Locality`` (the base), ``Pointwise``, ``Recent``; function ``pointwise``. Windows and resampling are stated
by the nodes that do them.
"""

import abc
from collections.abc import Callable
from typing import Any, TypeVar

from zounds_lite.errors import DeclarationError

__all__ = ["Locality", "Pointwise", "Recent", "pointwise"]

_F = TypeVar("_F", bound=Callable[..., Any])


class Locality(abc.ABC):
    """How far a node reaches in its input; a run of the node over part of its input gives part of its output.

    A run over input rows from ``start`` on yields the output from row ``first(start)`` on; those that ``needs`` was
    asked for are then what they are in the whole.
    """

    @abc.abstractmethod
    def length(self, size: int) -> int:
        """Return how many rows the output has for ``size`` rows of input."""

    @abc.abstractmethod
    def needs(self, start: int, stop: int, size: int) -> tuple[int, int]:
        """Return the input rows, of ``size``, that a run needs for the output rows ``start`` to ``stop``.

        Args:
            start (int): first output row, >= 0.
            stop (int): row behind the last one, > ``start``, <= ``length(size)``.
            size (int): rows of the whole input, >= 1.
        """

    @abc.abstractmethod
    def first(self, start: int) -> int:
        """Return the output row with which a run begins that is fed from input row ``start``, as ``needs`` gave it."""


class Pointwise(Locality):
    """Each row of the output is made of the same row of the input.

    Args:
        block (int): rows that are worked on at once, >= 1: regions begin and end at multiples of it, so that the
            arithmetic, and with it the last bit, is that of the whole.

    Raises:
        DeclarationError: a block without rows.

    Examples:
        >>> Pointwise(block=64).needs(70, 80, size=1000)
        (64, 128)
    """

    def __init__(self, block: int = 1) -> None:
        if block < 1:
            raise DeclarationError(f"block={block!r}; allowed: at least one row")
        self.block = block

    def length(self, size: int) -> int:
        return size

    def needs(self, start: int, stop: int, size: int) -> tuple[int, int]:
        return start - start % self.block, min(size, -(-stop // self.block) * self.block)

    def first(self, start: int) -> int:
        return start


class Recent(Locality):
    """Each row of the output is made of the same row of the input and of some before it.

    Args:
        rows (int): how many before, >= 1.

    Raises:
        DeclarationError: less than one row.

    Examples:
        >>> Recent(1).needs(70, 80, size=1000)
        (69, 80)
    """

    def __init__(self, rows: int) -> None:
        if rows < 1:
            raise DeclarationError(f"rows={rows!r}; allowed: at least one row")
        self.rows = rows

    def length(self, size: int) -> int:
        return size

    def needs(self, start: int, stop: int, size: int) -> tuple[int, int]:
        return max(0, start - self.rows), stop

    def first(self, start: int) -> int:
        return start


def pointwise(func: _F) -> _F:
    """Say of a function that it makes each row of its result of the same row of its argument, and nothing else.

    A feature that is such a function can be computed for a stretch of time alone. Functions of numpy that work element
    by element (``np.abs``, ``np.log``) need not be told of.

    Args:
        func (Callable): takes a chunk and returns one of as many rows.

    Examples:
        >>> @pointwise
        ... def doubled(rows):
        ...     return 2 * rows
    """
    func.locality = Pointwise()  # type: ignore[attr-defined]
    return func
