"""What an axis of an array means.

Goal: a dimension gives an axis its units: it translates an index in those units to integers, and says what remains of
itself after slicing or windowing. Conventions: dimensions are immutable values with ``==`` and ``hash``; ``None`` in a
list of dimensions means ``IdentityDimension``. Classes: ``Dimension`` (the contract), ``IdentityDimension``,
``Coordinates``.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.errors import DimensionError

__all__ = ["IDENTITY", "Coordinates", "Dimension", "IdentityDimension"]


class Coordinates(NamedTuple):
    """Where the elements of an axis are, for libraries that label axes.

    Attributes:
        name (str): what the axis is, such as "time".
        unit (str): the unit of the values; empty where they have none.
        values (np.ndarray): one per element.
    """

    name: str
    unit: str
    values: np.ndarray


class Dimension(Declared):
    """The meaning of one axis. Subclasses make indices in seconds, hertz or any other unit possible.

    A subclass passes its arguments to ``super().__init__`` by name (see ``Declared``) and overrides what it needs:

    - ``integer_based_slice(index)``: translate an index in own units to what numpy understands;
    - ``metaslice(index, size)``: what is left of the dimension after an integer slice;
    - ``modified_dimension(size, windowsize, stepsize)``: the dimensions after windowing;
    - ``validate_size(size)``: refuse a size that does not fit, with ``DimensionError``;
    - ``coordinates(size)``: where the elements are, in the axis' own unit;
    - ``indexed_by``: one line on the indices it takes, shown in errors.

    A subclass with an argument ``size`` carries the size of its axis: arrays set it on a copy of their own.

    Examples:
        >>> class Note(Dimension):
        ...     indexed_by = "names of notes"
        ...     def integer_based_slice(self, index):
        ...         return "CDEFGAB".index(index)
        >>> from zounds_lite.core import ArrayWithUnits
        >>> int(ArrayWithUnits([10, 20, 30, 40, 50, 60, 70], [Note()])["E"])
        30
    """

    size: int | None = None
    """The size of the axis, where the dimension carries one."""

    indexed_by: str = ""
    """What an axis of this kind can be indexed by, beside integers; one line for error messages."""

    def integer_based_slice(self, index: Any) -> Any:
        """Translate an index in own units to an integer, a slice of integers, or an array of integers or booleans.

        Called only for what numpy does not understand itself. Integers within a slice count from the start of the axis.

        Raises:
            NotImplementedError: this dimension knows no units; the array turns it into a ``UnitIndexError``, which
                names the axis. Raise ``UnitIndexError`` yourself to say more.
        """
        raise NotImplementedError(f"{type(self).__name__} has no units to index by")

    def metaslice(self, index: slice, size: int) -> "Dimension":
        """Return the dimension of the axis after slicing.

        Args:
            index (slice): a slice of *integers*, already translated by ``integer_based_slice``; never the full slice.
            size (int): number of elements that the slice selected.

        Returns:
            Dimension: one that is valid for ``size``. By default the dimension itself, or ``IdentityDimension`` where
            the size does not fit.
        """
        return self.joined(size)

    def modified_dimension(self, size: int, windowsize: Any, stepsize: int | None = None) -> Iterator["Dimension"]:
        """Yield the dimensions that replace this one after windowing: windows first, then the inside of a window.

        Args:
            size (int): number of windows.
            windowsize (int | slice): elements in a window, or ``slice(None)`` for the whole axis.
            stepsize (int | None): elements from one window to the next; None: the window size.

        Raises:
            NotImplementedError: keep the dimension as it is.
            ValueError: there is no such dimension; the whole result then has identity dimensions.
        """
        raise NotImplementedError(f"{type(self).__name__} does not change when windowed")

    def validate_size(self, size: int) -> None:
        """Refuse a size that does not fit, by raising ``DimensionError``; any size fits by default."""

    def coordinates(self, size: int) -> Coordinates | None:
        """Return where the elements of an axis of ``size`` are; None, the default, where they are only counted."""
        return None

    def with_size(self, size: int) -> Self:
        """Return the dimension of an axis of ``size`` elements.

        Raises:
            DimensionError: the size does not fit.
        """
        self.validate_size(size)
        # only those that declare a size carry one
        if self.size == size or "size" not in self.__dict__:
            return self
        return self._changed(size=size)

    def joined(self, size: int) -> "Dimension":
        """Return the dimension of another such axis, of ``size`` elements; ``IdentityDimension`` if that cannot be."""
        try:
            return self.with_size(size)
        except DimensionError:
            return IDENTITY

    def copy(self) -> Self:
        """Return the dimension itself: it is immutable."""
        return self

    def _changed(self, **changes: Any) -> Self:
        """Copy with changed attributes; many times faster than ``replace``, and unchecked."""
        new = object.__new__(type(self))
        values = new.__dict__
        values.update(self.__dict__)
        values.update(changes)
        return new


class IdentityDimension(Dimension):
    """An axis without units: indices pass through.

    Examples:
        >>> import numpy as np
        >>> from zounds_lite.core import ArrayWithUnits
        >>> arr = ArrayWithUnits(np.zeros(100), [IdentityDimension()])
        >>> arr[4:6].shape
        (2,)
    """

    def __init__(self) -> None:
        super().__init__()

    def integer_based_slice(self, index: Any) -> Any:
        """Return the index as it is."""
        return index

    def metaslice(self, index: slice, size: int) -> "IdentityDimension":
        """Return the dimension itself."""
        return self

    def with_size(self, size: int) -> "IdentityDimension":
        """Return the one that all arrays share."""
        return IDENTITY

    def modified_dimension(self, size: int, windowsize: Any, stepsize: int | None = None) -> Iterator[Dimension]:
        """Yield itself for a window over the whole axis.

        Raises:
            DimensionError: the window is shorter than the axis.
        """
        if windowsize != slice(None):
            raise DimensionError(f"an axis without units has no windows of {windowsize}; allowed: the whole axis")
        yield self


IDENTITY = IdentityDimension()
"""The one identity dimension that arrays share."""
