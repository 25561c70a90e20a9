"""What the contracts share: properties that are tried many times, values that are cut, joined and compared.

Conventions: a failed check is an ``AssertionError`` that says what was asked. Functions: ``for_all``, ``allocated``,
``cut``, ``joined``, ``assert_same``, ``assert_typed``, ``private_copy``.
"""

import copy
import math
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from zounds_lite._lazy import optional
from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import ZoundsError
from zounds_lite.timeseries import TimeDimension, VariableRateTimeSeries

__all__ = ["allocated", "assert_same", "assert_typed", "cut", "for_all", "joined", "private_copy"]


def for_all(examples: int, test: Callable[..., None], **arguments: Any) -> None:
    """Try a property with many random arguments, and show the simplest that break it.

    Args:
        examples (int): how many arguments are tried.
        test (Callable): the property, a function of the named arguments that asserts.
        arguments: a hypothesis strategy for each.

    Raises:
        OptionalDependencyError: hypothesis is not installed.

    Examples:
        >>> from zounds_lite.testing import strategies
        >>> def is_positive(duration):
        ...     assert duration > 0
        >>> for_all(10, is_positive, duration=strategies.durations())
    """
    hypothesis = optional("hypothesis")
    slow = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.data_too_large]
    chosen = hypothesis.settings(max_examples=examples, deadline=None, suppress_health_check=slow)
    chosen(hypothesis.given(**arguments)(test))()


def allocated(action: Callable[[], Any]) -> tuple[Any, int]:
    """Call ``action``; return what it returned and how many bytes were held at most meanwhile, beyond those before."""
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        result = action()
        return result, tracemalloc.get_traced_memory()[1] - before
    finally:
        if not running:
            tracemalloc.stop()


def private_copy(value: Any) -> Any:
    """Copy a value, so that it can be compared later; what cannot be copied, such as a store, is returned itself."""
    try:
        return copy.deepcopy(value)
    except TypeError:  # a lock, a file
        return value


def cut(whole: Any, at: Iterable[int]) -> list[Any]:
    """Cut a value along its first axis; positions that are equal give empty pieces.

    What the time axis of an array knows of the end of its signal stays with the last piece, as in a stream.

    Args:
        whole (np.ndarray | bytes | str | list): what can be sliced.
        at (Iterable[int]): positions, in any order.

    Examples:
        >>> cut("abcdef", [4, 1, 4])
        ['a', 'bcd', '', 'ef']
    """
    edges = [0, *sorted(min(max(0, n), len(whole)) for n in at), len(whole)]
    pieces = [whole[start:stop] for start, stop in zip(edges, edges[1:], strict=False)]
    if isinstance(whole, ArrayWithUnits) and isinstance(whole.dimensions[0], TimeDimension):
        pieces[-1] = _ending(pieces[-1], whole.dimensions[0])
    return pieces


def _ending(piece: Any, time: TimeDimension) -> Any:
    if time.n_samples is None and time.padding is None:
        return piece
    dimensions = (time.replace(size=len(piece), start=None), *piece.dimensions[1:])
    return type(piece)._view(np.asarray(piece), dimensions)


def joined(results: Sequence[Any]) -> Any:
    """Join the results of a stream as a store would: bytes, text and arrays end to end, anything else as a list.

    Raises:
        AssertionError: arrays whose dimensions differ, so that no store would take them.
    """
    results = list(results)
    if results and all(isinstance(result, (bytes, bytearray, memoryview)) for result in results):
        return b"".join(bytes(result) for result in results)
    if results and all(isinstance(result, str) for result in results):
        return "".join(results)
    if not results or not all(isinstance(result, np.ndarray) and result.ndim for result in results):
        return results
    data = np.concatenate([np.asarray(result) for result in results])
    if not any(isinstance(result, ArrayWithUnits) for result in results):
        return data
    kinds = {result.dimensions for result in results}
    assert len(kinds) == 1, f"the results of one stream have different dimensions: {kinds}"
    # the last one knows what is known of the end
    dimensions = [dim.with_size(n) for dim, n in zip(results[-1].dimensions, data.shape, strict=True)]
    return type(results[-1])._view(data, tuple(dimensions))


def assert_same(found: Any, wanted: Any, tolerance: float = 0.0, what: str = "the value") -> None:
    """Check that two values are the same: type, dtype, shape, bits, dimensions and what they note.

    Args:
        found, wanted (Any): the values.
        tolerance (float): how far numbers may differ, as a part of the largest magnitude; 0 asks for equal bits.
        what (str): names the value in the error.

    Examples:
        >>> assert_same([1, "a"], [1, "a"])
        >>> assert_same(np.zeros(3, "float32"), np.zeros(3))
        Traceback (most recent call last):
        AssertionError: the value: dtype float32 instead of float64
    """
    if isinstance(wanted, np.ndarray):
        _assert_same_array(found, wanted, tolerance, what)
    elif isinstance(wanted, VariableRateTimeSeries):
        assert isinstance(found, VariableRateTimeSeries), f"{what}: {type(found).__name__} instead of a series"
        assert found.slices == wanted.slices, f"{what}: {found.slices} instead of {wanted.slices}"
        if len(wanted):
            _assert_same_array(found.slicedata, wanted.slicedata, tolerance, what)
    elif isinstance(wanted, (list, tuple)):
        assert type(found) is type(wanted), f"{what}: {type(found).__name__} instead of {type(wanted).__name__}"
        assert len(found) == len(wanted), f"{what}: {len(found)} items instead of {len(wanted)}"
        for i, (a, b) in enumerate(zip(found, wanted, strict=True)):
            assert_same(a, b, tolerance, f"{what}[{i}]")
    elif isinstance(wanted, dict):
        assert type(found) is dict, f"{what}: {type(found).__name__} instead of a dict"
        assert list(found) == list(wanted), f"{what}: keys {list(found)} instead of {list(wanted)}"
        for key, value in wanted.items():
            assert_same(found[key], value, tolerance, f"{what}[{key!r}]")
    elif isinstance(wanted, float) and math.isnan(wanted):
        assert isinstance(found, float) and math.isnan(found), f"{what}: {found!r} instead of nan"
    else:
        assert found == wanted, f"{what}: {_short(found)} instead of {_short(wanted)}"


def _short(value: Any) -> str:
    return repr(value)[:200]


def _assert_same_array(found: Any, wanted: np.ndarray, tolerance: float, what: str) -> None:
    assert isinstance(found, np.ndarray), f"{what}: {type(found).__name__} instead of an array"
    assert found.shape == wanted.shape, f"{what}: shape {found.shape} instead of {wanted.shape}"
    little = wanted.dtype.newbyteorder("<")
    assert found.dtype in (wanted.dtype, little), f"{what}: dtype {found.dtype} instead of {wanted.dtype}"
    ours, theirs = np.asarray(found, little), np.asarray(wanted, little)
    if not tolerance or little.kind == "b":
        assert ours.tobytes() == theirs.tobytes(), f"{what}: other numbers{_where(ours, theirs)}"
    elif theirs.size:
        difference, largest = np.abs(ours - theirs).max(), np.abs(theirs).max()
        assert difference <= tolerance * largest, f"{what}: numbers differ by {difference} of {largest}"
    if isinstance(wanted, ArrayWithUnits):
        assert type(found) is type(wanted), f"{what}: {type(found).__name__} instead of {type(wanted).__name__}"
        ours_are, theirs_are = _exact(found), _exact(wanted)
        assert ours_are == theirs_are, f"{what}: dimensions {ours_are} instead of {theirs_are}"


def _where(found: np.ndarray, wanted: np.ndarray) -> str:
    if not wanted.ndim or found.dtype.names is not None:
        return ""
    rows = np.flatnonzero((found != wanted).reshape(len(wanted), -1).any(axis=1))
    return f", first in row {rows[0]} of {len(wanted)}" if len(rows) else ", in their bits"


def _exact(array: Any) -> list[Any]:
    """Everything that the dimensions hold, also what ``==`` ignores."""
    return [
        (type(dimension).__name__, vars(dimension).get("size"), dimension.to_dict()) for dimension in array.dimensions
    ]


def assert_typed(action: Callable[[], Any], what: str) -> Any:
    """Call ``action``; return its result, or the ``ZoundsError`` that it raised. Any other exception is a failure."""
    try:
        return action()
    except ZoundsError as error:
        return error
    except Exception as error:
        raise AssertionError(f"{what} raised {type(error).__name__}, which is no ZoundsError: {error}") from error
