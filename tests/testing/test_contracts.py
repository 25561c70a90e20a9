"""The contracts can be used by strangers: what they need, and what they say when something is missing."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings

from zounds_lite import testing
from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import CorruptValue, OptionalDependencyError
from zounds_lite.testing import contracts, strategies
from zounds_lite.testing.contracts.checks import allocated, assert_same, assert_typed, cut, for_all, joined
from zounds_lite.timeseries import Seconds, TimeDimension

CONTRACTS = [getattr(contracts, name) for name in contracts.__all__ if name.endswith("Contract")]


def test_importing_them_needs_neither_hypothesis_nor_pytest():
    code = (
        "import sys; sys.modules['hypothesis'] = sys.modules['pytest'] = None\n"
        "from zounds_lite.testing import NodeContract, strategies\n"
        "from zounds_lite.errors import OptionalDependencyError\n"
        "try:\n    strategies.durations()\n"
        "except OptionalDependencyError as error:\n    assert 'zounds_lite[test]' in str(error), error\n"
        "else:\n    raise AssertionError('a strategy without hypothesis')\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)


def test_a_property_without_hypothesis_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(OptionalDependencyError, match=r"pip install 'zounds_lite\[test\]'"):
        for_all(1, lambda: None)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda cls: cls.__name__)
def test_a_stranger_learns_from_the_docstring_what_to_define(contract):
    assert contract in vars(testing).values()
    for name in contract.__abstractmethods__:
        words = "\n".join(base.__doc__ or "" for base in contract.__mro__)
        assert f"``{name}" in words, f"{contract.__name__} does not say that {name} is to be defined"
    with pytest.raises(TypeError, match="abstract"):
        contract()


def test_the_strategies_listed_are_those_there_are():
    for name in strategies.__all__:
        assert f"``{name}``" in strategies.__doc__


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (np.zeros(3), np.zeros(4)),
        (np.zeros(3, np.float32), np.zeros(3)),
        (np.array([0.0]), np.array([-0.0])),
        (np.zeros(2), [0, 0]),
        ([1, 2], (1, 2)),
        ({"a": 1}, {"a": 2}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (1.0, float("nan")),
        (np.zeros(2), ArrayWithUnits(np.zeros(2), [None])),
        (ArrayWithUnits(np.zeros(2), [TimeDimension(Seconds(1))]), ArrayWithUnits(np.zeros(2), [None])),
        (
            ArrayWithUnits(np.zeros(2), [TimeDimension(Seconds(1))]),
            ArrayWithUnits(np.zeros(2), [TimeDimension(Seconds(1), n_samples=2)]),
        ),
    ],
)
def test_what_differs_is_not_the_same(found, wanted):
    assert_same(wanted, wanted)
    with pytest.raises(AssertionError):
        assert_same(found, wanted)


def test_numbers_may_differ_within_the_tolerance_only():
    wanted = np.array([0.0, 10.0])
    assert_same(wanted + 1e-6, wanted, tolerance=1e-6)
    with pytest.raises(AssertionError, match="differ"):
        assert_same(wanted + 1e-4, wanted, tolerance=1e-6)


@settings(max_examples=50)
@given(array=strategies.arrays_with_units(strategies.shapes(min_axes=1)), at=strategies.chunkings(40))
def test_what_is_cut_and_joined_is_what_it_was(array, at):
    pieces = cut(array, at)
    # dimensions get the size of the whole
    whole = type(array)(array, [dim.with_size(n) for dim, n in zip(array.dimensions, array.shape, strict=True)])
    assert_same(joined(pieces), whole if len(array) else joined([array]))


def test_what_is_no_error_of_ours_is_a_failure():
    assert assert_typed(lambda: 7, "x") == 7

    def fail(error):
        raise error

    assert isinstance(assert_typed(lambda: fail(CorruptValue("x")), "x"), CorruptValue)
    with pytest.raises(AssertionError, match="no ZoundsError"):
        assert_typed(lambda: fail(KeyError("x")), "x")


def test_memory_is_counted():
    result, size = allocated(lambda: len(bytearray(10**7)))
    assert result == 10**7 <= size < 2 * 10**7
    assert allocated(lambda: None)[1] < 10**5
