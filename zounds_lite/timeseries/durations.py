"""Durations, written as numbers of a unit.

Goal: ``Seconds(1.5)`` instead of ``np.timedelta64(1500, "ms")``. Conventions: every duration is a plain
``np.timedelta64``; whole numbers keep their unit, fractions are exact down to the picosecond and take the coarsest unit
that holds them. Names: ``Hours``, ``Minutes``, ``Seconds``, ``Milliseconds``, ``Microseconds``, ``Nanoseconds``,
``Picoseconds``, ``in_seconds``, ``from_picoseconds``.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from zounds_lite._declared.values import picoseconds
from zounds_lite._span import PICOSECONDS
from zounds_lite.errors import DeclarationError

__all__ = [
    "Hours",
    "Microseconds",
    "Milliseconds",
    "Minutes",
    "Nanoseconds",
    "Picoseconds",
    "Seconds",
    "from_picoseconds",
    "in_seconds",
]

_UNITS = {
    "h": 3600 * PICOSECONDS,
    "m": 60 * PICOSECONDS,
    "s": PICOSECONDS,
    "ms": 10**9,
    "us": 10**6,
    "ns": 1000,
    "ps": 1,
}
"""Picoseconds in each unit, coarsest first."""

_LIMIT = 2**63

Number = int | float | Fraction | np.integer | np.floating
_F = TypeVar("_F", bound=Callable[..., Any])


class _Factory(type):
    """The type of the units: calling one makes a plain duration, and ``isinstance`` knows it again."""

    unit: str
    make: Callable[[Any], np.timedelta64]

    def __call__(cls, n: Any) -> np.timedelta64:
        if type(n) is int and -_LIMIT < n < _LIMIT:
            return np.timedelta64(n, cls.unit)  # type: ignore[call-overload]  # its units are literals
        return cls.make(n)

    def __instancecheck__(cls, value: Any) -> bool:
        # what this unit could have made: numbers of itself, or of a finer unit for its fractions
        if not isinstance(value, np.timedelta64):
            return False
        size = _UNITS.get(np.datetime_data(value.dtype)[0])
        return size is not None and size <= _UNITS[cls.unit]


def _unit(unit: str) -> Callable[[_F], _F]:
    """Turn a function that makes durations of a unit into a class, so that ``isinstance`` works with it."""

    def as_class(function: Any) -> Any:
        names = {"__doc__": function.__doc__, "__module__": function.__module__, "unit": unit}
        return _Factory(function.__name__, (), {**names, "make": staticmethod(function)})

    return as_class


def _duration(n: Any, unit: Any) -> np.timedelta64:
    count = _as_fraction(n)
    if count.denominator == 1 and abs(count.numerator) < _LIMIT:
        return np.timedelta64(count.numerator, unit)
    total = round(count * _UNITS[unit])
    for finer, size in _UNITS.items():
        if size <= _UNITS[unit] and total % size == 0 and abs(total // size) < _LIMIT:
            return np.timedelta64(total // size, finer)  # type: ignore[call-overload]  # its units are literals
    raise DeclarationError(f"a duration of {n!r} {unit} is too long for its precision; allowed: 2**63 picoseconds")


def _as_fraction(n: Any) -> Fraction:
    """Return the number that was written: 0.1 is a tenth, not its nearest binary fraction."""
    if isinstance(n, (bool, np.bool_, np.timedelta64)):
        raise DeclarationError(f"a duration needs a number, got {n!r}")
    if isinstance(n, Fraction):
        return n
    if isinstance(n, (int, np.integer)):
        return Fraction(int(n))
    if isinstance(n, (float, np.floating)) and np.isfinite(n):
        # a subclass of float may have a text of its own
        return Fraction(str(n) if isinstance(n, np.floating) else float.__repr__(n))
    raise DeclarationError(f"a duration needs a finite number (int, float or Fraction), got {n!r}")


@_unit("h")
def Hours(n: Number) -> np.timedelta64:  # noqa: N802
    """Make a duration in hours.

    Args:
        n (int | float | Fraction): number of hours.

    Examples:
        >>> Hours(3)
        np.timedelta64(3,'h')
    """
    return _duration(n, "h")


@_unit("m")
def Minutes(n: Number) -> np.timedelta64:  # noqa: N802
    """Make a duration in minutes.

    Args:
        n (int | float | Fraction): number of minutes.

    Examples:
        >>> Minutes(3)
        np.timedelta64(3,'m')
    """
    return _duration(n, "m")


@_unit("s")
def Seconds(n: Number) -> np.timedelta64:  # noqa: N802
    """Make a duration in seconds.

    Args:
        n (int | float | Fraction): number of seconds.

    Examples:
        >>> Seconds(3), Seconds(1.5)
        (np.timedelta64(3,'s'), np.timedelta64(1500,'ms'))
        >>> isinstance(Seconds(3), Seconds)
        True
    """
    return _duration(n, "s")


@_unit("ms")
def Milliseconds(n: Number) -> np.timedelta64:  # noqa: N802
    """Make a duration in milliseconds.

    Args:
        n (int | float | Fraction): number of milliseconds.

    Examples:
        >>> bool(Milliseconds(250) == Seconds(0.25))
        True
    """
    return _duration(n, "ms")


@_unit("us")
def Microseconds(n: Number) -> np.timedelta64:  # noqa: N802
    """Make a duration in microseconds.

    Args:
        n (int | float | Fraction): number of microseconds.

    Examples:
        >>> Microseconds(3)
        np.timedelta64(3,'us')
    """
    return _duration(n, "us")


@_unit("ns")
def Nanoseconds(n: Number) -> np.timedelta64:  # noqa: N802
    """Make a duration in nanoseconds.

    Args:
        n (int | float | Fraction): number of nanoseconds.

    Examples:
        >>> Nanoseconds(3)
        np.timedelta64(3,'ns')
    """
    return _duration(n, "ns")


@_unit("ps")
def Picoseconds(n: Number) -> np.timedelta64:  # noqa: N802
    """Make a duration in picoseconds, the finest there is; fractions are rounded.

    Args:
        n (int | float | Fraction): number of picoseconds.

    Examples:
        >>> bool(Picoseconds(1e12) == Seconds(1))
        True
    """
    return _duration(n, "ps")


def in_seconds(duration: np.timedelta64) -> float:
    """Return a duration as a number of seconds.

    Examples:
        >>> in_seconds(Milliseconds(1500))
        1.5
    """
    return picoseconds(duration) / PICOSECONDS


def from_picoseconds(ps: int) -> np.timedelta64:
    """Return a number of picoseconds as a duration.

    Beyond 2**63 picoseconds, which are 106 days, the duration is rounded to the finest unit that holds it.

    Raises:
        DeclarationError: no unit holds it.

    Examples:
        >>> from_picoseconds(1500), from_picoseconds(200 * 86400 * 10**12)
        (np.timedelta64(1500,'ps'), np.timedelta64(17280000000000000,'ns'))
    """
    if -_LIMIT < ps < _LIMIT:
        return np.timedelta64(ps, "ps")
    for unit, size in reversed(_UNITS.items()):
        count = (2 * ps + size) // (2 * size)
        if -_LIMIT < count < _LIMIT:
            return np.timedelta64(count, unit)  # type: ignore[call-overload]  # its units are literals
    raise DeclarationError(f"a duration of {ps} ps; allowed: below 2**63 hours")
