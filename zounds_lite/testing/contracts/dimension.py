"""The contract of dimensions: what the meaning of an axis promises to the arrays that carry it.

Class: ``DimensionContract``.
"""

import abc
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits, Dimension, IdentityDimension
from zounds_lite.errors import DimensionError, UnitIndexError
from zounds_lite.featureflow import StoredValue
from zounds_lite.persistence import ArrayWithUnitsDecoder, ArrayWithUnitsEncoder
from zounds_lite.testing import strategies
from zounds_lite.testing.contracts.checks import for_all
from zounds_lite.testing.contracts.declared import DeclaredContract

__all__ = ["DimensionContract"]


class DimensionContract(DeclaredContract):
    """What every dimension must do. Inherit it in a class whose name starts with ``Test``.

    An index in the dimension's units selects what the integers select that it is translated to. Whatever an axis goes
    through (a slice, a step, a window, arithmetic, a store), the dimension of the result is valid for its size, and the
    first array is left as it was. Slices that lie side by side in units give the whole axis, without a gap. A dimension
    is a declared value, so ``DeclaredContract`` holds too.

    Define:

    - ``create()``: a new dimension that fits an axis of ``size`` elements;
    - ``indices()``: indices in its units, of any kind that it takes: slices, single moments, bands.

    Where the defaults do not fit, set or override:

    - ``partition()``: slices in its units that lie side by side and together cover the axis; none by default;
    - ``shares_edges = True`` where neighbours in the partition may have elements in common, as overlapping windows do;
    - ``size``: the size of the axis;
    - ``foreign``: an index in units that it does not have.
    """

    size = 24
    shares_edges = False
    foreign: Any = "a name"

    @abc.abstractmethod
    def create(self) -> Dimension:
        """Return a new dimension that fits an axis of ``size`` elements."""

    def indices(self) -> Sequence[Any]:
        """Return indices in the dimension's own units."""
        return []

    def partition(self) -> Sequence[Any]:
        """Return slices in units that lie side by side and cover the axis."""
        return []

    def _array(self) -> ArrayWithUnits:
        return ArrayWithUnits(np.arange(self.size * 2).reshape(self.size, 2), [self.create(), None])

    def test_an_index_in_units_selects_what_its_integers_do(self) -> None:
        array, numbers = self._array(), np.arange(self.size)
        for index in self.indices():
            found = array[index]
            wanted = numbers[array.dimensions[0].integer_based_slice(index)]
            assert np.array_equal(np.asarray(found)[..., 0] // 2, wanted), f"{index!r} selects other elements"
            assert np.array_equal(np.asarray(array[index, 1]), np.asarray(found)[..., 1])
            if found.ndim == 2:
                _assert_valid(found, f"[{index!r}]")

    def test_a_slice_outside_selects_nothing_and_keeps_valid_units(self) -> None:
        array = self._array()
        for index in (slice(3, 3), slice(self.size, None), slice(self.size + 7, self.size + 9), slice(5, 2)):
            empty = array[index]
            assert empty.shape == (0, 2), f"[{index}] selects {len(empty)} elements"
            _assert_valid(empty, f"[{index}]")

    def test_neighbours_cover_the_axis(self) -> None:
        parts = [np.asarray(self._array()[index])[:, 0] // 2 for index in self.partition()]
        if not parts:
            return
        found = np.concatenate(parts)
        assert set(found.tolist()) == set(range(self.size)), "slices that lie side by side leave elements out"
        for part in parts:
            assert np.array_equal(part, np.arange(part[0], part[0] + len(part)) if len(part) else part)
        if not self.shares_edges:
            assert found.tolist() == list(range(self.size)), "slices that lie side by side share elements"

    def test_slices_of_integers_keep_valid_units(self) -> None:
        array = self._array()

        def stays_valid(start: int, length: int, step: int) -> None:
            index = slice(start, start + length, step)
            part = array[index]
            assert np.array_equal(np.asarray(part), np.asarray(array)[index])
            _assert_valid(part, f"[{index}]")

        position = strategies.counts(0, self.size)
        for_all(50, stays_valid, start=position, length=position, step=strategies.counts(1, 4))

    def test_a_slice_of_a_slice_is_a_slice(self) -> None:
        array = self._array()

        def is_one(first: int, second: int, length: int) -> None:
            rest = array[first:]
            if isinstance(rest.dimensions[0], IdentityDimension):
                return  # a slice that leaves no units, such as one through a band, gives none to a slice of it
            twice, once = rest[second : second + length], array[first + second : first + second + length]
            assert np.array_equal(np.asarray(twice), np.asarray(once))
            assert twice.dimensions == once.dimensions, (
                f"two slices give {twice.dimensions}, one gives {once.dimensions}"
            )

        position = strategies.counts(0, self.size)
        for_all(50, is_one, first=position, second=position, length=position)

    def test_a_reversed_axis_keeps_valid_units(self) -> None:
        part = self._array()[::-1]
        assert np.array_equal(np.asarray(part), np.asarray(self._array())[::-1])
        _assert_valid(part, "[::-1]")

    def test_parts_can_be_put_together_again(self) -> None:
        array = self._array()
        for at in (1, self.size // 2, self.size - 1):
            head, tail = array[:at], array[at:]
            if head.dimensions != tail.dimensions:
                continue  # parts that are not alike, such as bands, cannot follow each other
            whole = ArrayWithUnits.concat([head, tail])
            assert np.array_equal(np.asarray(whole), np.asarray(array))
            _assert_valid(whole, "parts put together")
            if not isinstance(whole.dimensions[0], IdentityDimension):
                assert whole.dimensions == array.dimensions

    def test_windows_have_valid_units(self) -> None:
        array = self._array()
        for window, step in ((4, 4), (4, 2), (self.size, self.size), (1, 1)):
            windows = array.sliding_window((window, 2), (step, 2))
            assert windows.shape[1:] == (window, 2)
            _assert_valid(windows, f"windows of {window}")
        leftovers, windows = array.sliding_window_with_leftovers(5, 5)
        _assert_valid(leftovers, "leftovers")
        _assert_valid(windows, "windows with leftovers")

    def test_arithmetic_and_copies_keep_it(self) -> None:
        array: Any = self._array()
        for result in (array + 1, array * array, np.abs(array), array.copy(), array.astype(float), np.sqrt(array)):
            assert result.dimensions == array.dimensions
            _assert_valid(result, "arithmetic")
        _assert_valid(array.T, ".T")
        _assert_valid(array.sum(axis=1), ".sum(axis=1)")

    def test_it_reads_back_from_a_store(self) -> None:
        encoder = ArrayWithUnitsEncoder()
        data = b"".join(bytes(part) for part in encoder.run([self._array()]))
        header = json.loads(json.dumps(encoder.header, allow_nan=False))
        again = ArrayWithUnitsDecoder().decode(StoredValue(header, np.frombuffer(data, np.uint8)))
        assert again.dimensions == self._array().dimensions
        assert again.dimensions[0].to_dict() == self._array().dimensions[0].to_dict()

    def test_units_that_it_does_not_have_are_refused(self) -> None:
        try:
            self._array()[self.foreign]
        except (UnitIndexError, IndexError):
            return
        raise AssertionError(f"an index {self.foreign!r} must raise UnitIndexError")

    def test_a_size_that_does_not_fit_is_refused(self) -> None:
        dimension = self.create()
        assert dimension.with_size(self.size) == dimension
        for size in (0, self.size + 1, 10**9):
            try:
                dimension.validate_size(size)
            except DimensionError:
                continue
            fitted = dimension.with_size(size)
            assert fitted.size in (None, size), f"with_size({size}) gives a dimension of {fitted.size} elements"

    def test_slicing_leaves_it_as_it_was(self) -> None:
        array, before = self._array(), self.create()
        for index in (*self.indices(), *self.partition(), slice(2, 5), slice(None, None, 2)):
            array[index].dimensions if array[index].ndim else None
        assert array.dimensions[0] == before and array.dimensions[0].to_dict() == self._array().dimensions[0].to_dict()


def _assert_valid(array: Any, what: str) -> None:
    """Check that an array has one dimension per axis, and each the size of its axis."""
    assert isinstance(array, ArrayWithUnits), f"{what} lost its units altogether"
    assert len(array.dimensions) == array.ndim, f"{what}: {len(array.dimensions)} dimensions for {array.ndim} axes"
    for axis, (dimension, size) in enumerate(zip(array.dimensions, array.shape, strict=True)):
        assert isinstance(dimension, Dimension)
        assert dimension.size in (None, size), f"{what}: axis {axis} of {size} elements says {dimension.size}"
        dimension.validate_size(size)
