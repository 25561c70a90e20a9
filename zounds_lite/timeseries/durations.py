"""Durations, written as numbers of a unit.

Goal: ``Seconds(1.5)`` instead of ``np.timedelta64(1500, "ms")``. Conventions: every duration is a plain
``np.timedelta64``; whole numbers keep their unit, fractions are exact down to the picosecond and take the coarsest unit
that holds them. Names: ``Hours``, ``Minutes``, ``Seconds``, ``Milliseconds``, ``Microseconds``, ``Nanoseconds``,
``Picoseconds``, ``in_seconds``.
"""

from fractions import Fraction
from numbers import Integral, Rational
from typing import Any

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


class _Unit(type):
    """Makes ``Seconds(2)`` a plain ``np.timedelta64``, and ``isinstance(Seconds(2), Seconds)`` true."""

    unit: str

    def __call__(cls, n: Any) -> np.timedelta64:
        count = _as_rational(n)
        if count.denominator == 1 and abs(count.numerator) < _LIMIT:
            return np.timedelta64(int(count.numerator), cls.unit)
        total = round(Fraction(count) * _UNITS[cls.unit])
        for unit, size in _UNITS.items():
            if size <= _UNITS[cls.unit] and total % size == 0 and abs(total // size) < _LIMIT:
                return np.timedelta64(total // size, unit)
        raise DeclarationError(f"{cls.__name__}({n!r}) is too long for its precision; allowed: 2**63 picoseconds")

    def __instancecheck__(cls, value: Any) -> bool:
        # what this unit could have made: numbers of itself, or of a finer unit for its fractions
        if not isinstance(value, np.timedelta64):
            return False
        size = _UNITS.get(np.datetime_data(value.dtype)[0])
        return size is not None and size <= _UNITS[cls.unit]


def _as_rational(n: Any) -> Rational:
    """Return the number that was written: 0.1 is a tenth, not its nearest binary fraction."""
    if isinstance(n, (bool, np.bool_, np.timedelta64)):
        raise DeclarationError(f"a duration needs a number, got {n!r}")
    if isinstance(n, (Integral, Rational)):
        return n if isinstance(n, Fraction) else Fraction(int(n))
    if isinstance(n, (float, np.floating)) and np.isfinite(n):
        # a subclass of float may have a repr of its own
        return Fraction(str(n) if isinstance(n, np.floating) else float.__repr__(n))
    raise DeclarationError(f"a duration needs a finite number (int, float or Fraction), got {n!r}")


class Hours(metaclass=_Unit):
    """A duration in hours.

    Args:
        n (int | float | Fraction): number of hours.

    Examples:
        >>> Hours(3)
        np.timedelta64(3,'h')
    """

    unit = "h"


class Minutes(metaclass=_Unit):
    """A duration in minutes.

    Args:
        n (int | float | Fraction): number of minutes.

    Examples:
        >>> Minutes(3)
        np.timedelta64(3,'m')
    """

    unit = "m"


class Seconds(metaclass=_Unit):
    """A duration in seconds.

    Args:
        n (int | float | Fraction): number of seconds.

    Examples:
        >>> Seconds(3), Seconds(1.5)
        (np.timedelta64(3,'s'), np.timedelta64(1500,'ms'))
        >>> isinstance(Seconds(3), Seconds)
        True
    """

    unit = "s"


class Milliseconds(metaclass=_Unit):
    """A duration in milliseconds.

    Args:
        n (int | float | Fraction): number of milliseconds.

    Examples:
        >>> Milliseconds(250) == Seconds(0.25)
        np.True_
    """

    unit = "ms"


class Microseconds(metaclass=_Unit):
    """A duration in microseconds.

    Args:
        n (int | float | Fraction): number of microseconds.

    Examples:
        >>> Microseconds(3)
        np.timedelta64(3,'us')
    """

    unit = "us"


class Nanoseconds(metaclass=_Unit):
    """A duration in nanoseconds.

    Args:
        n (int | float | Fraction): number of nanoseconds.

    Examples:
        >>> Nanoseconds(3)
        np.timedelta64(3,'ns')
    """

    unit = "ns"


class Picoseconds(metaclass=_Unit):
    """A duration in picoseconds, the finest there is; fractions are rounded.

    Args:
        n (int | float | Fraction): number of picoseconds.

    Examples:
        >>> Picoseconds(1e12) == Seconds(1)
        np.True_
    """

    unit = "ps"


def in_seconds(duration: np.timedelta64) -> float:
    """Return a duration as a number of seconds.

    Examples:
        >>> in_seconds(Milliseconds(1500))
        1.5
    """
    return picoseconds(duration) / PICOSECONDS
