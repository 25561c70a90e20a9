"""Stretches of recordings, as tables state them: ``start`` with ``duration``, ``end`` or ``stop``.

Conventions: seconds, or ``hh:mm:ss`` and ``mm:ss`` with a fraction; exact down to the picosecond. Functions
``seconds_of``, ``stretch_of``.
"""

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from zounds_lite.errors import DeclarationError, InvalidItem
from zounds_lite.timeseries import Seconds, TimeSlice

__all__ = ["STRETCH_COLUMNS", "seconds_of", "stretch_of"]

STRETCH_COLUMNS = ("start", "duration", "end", "stop")
"""Columns of a table that say which stretch of a recording a row means."""

_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{0,30})?(?:[eE][+-]?[0-9]{1,2})?|\.[0-9]{1,30}")
_CLOCK = re.compile(r"(?:([0-9]{1,6}):)?([0-9]{1,2}):([0-9]{1,2}(?:\.[0-9]{1,30})?)")
_AGREE_S = Fraction(1, 1000)
"""How far a duration and an end may be apart: tools round them."""


def seconds_of(name: str, value: Any) -> Fraction:
    """Return a time in seconds.

    Args:
        name (str): the column, for the message.
        value (Any): a number of seconds, or text: ``"90.5"``, ``"1:30.5"``, ``"00:01:30.5"``.

    Raises:
        InvalidItem: it is no time, or negative.

    Examples:
        >>> [float(seconds_of("start", value)) for value in (90.5, "90.5", "1:30.5", "00:01:30.5")]
        [90.5, 90.5, 90.5, 90.5]
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        seconds: Fraction | None = Fraction(repr(value))
    elif isinstance(value, str):
        text = value.strip()
        if text.startswith("-") and _parsed(text[1:]) is not None:
            raise InvalidItem(f"{name} is {text}, which is negative")
        seconds = _parsed(text)
    else:
        seconds = None
    if seconds is None:
        raise InvalidItem(
            f"{name} is {value!r}; allowed: seconds, or hh:mm:ss; pass segments=False where it means something else"
        )
    if seconds < 0:
        raise InvalidItem(f"{name} is {value!r}, which is negative")
    return seconds


def _parsed(text: str) -> Fraction | None:
    if _SECONDS.fullmatch(text):
        return Fraction(text)
    clock = _CLOCK.fullmatch(text)
    if clock is None or (clock[1] and int(clock[2]) > 59) or Fraction(clock[3]) >= 60:
        return None
    return 3600 * int(clock[1] or 0) + 60 * int(clock[2]) + Fraction(clock[3])


def stretch_of(values: Mapping[str, Any]) -> TimeSlice | None:
    """Return the stretch that a row states; None for all of its recording.

    Args:
        values (Mapping): by name: ``start``, and ``duration``, ``end`` or ``stop``; None for what is left empty.

    Raises:
        InvalidItem: one of them is no time, the stretch is empty, or they contradict each other.

    Examples:
        >>> stretch_of({"start": "1:00", "end": "1:02.5"})
        TimeSlice(start = 60.0, duration = 2.5)
        >>> stretch_of({"start": None, "duration": None}) is None
        True
    """
    given = {name: seconds_of(name, value) for name, value in values.items() if value is not None}
    if not given:
        return None
    start = given.get("start", Fraction(0))
    lengths = {name: given[name] - (0 if name == "duration" else start) for name in given if name != "start"}
    for name, length in lengths.items():
        if length <= 0:
            raise InvalidItem(
                f"{name} is {values[name]}, so the stretch is empty"
                + ("" if name == "duration" else f": it starts at {values.get('start')}")
            )
    if lengths and max(lengths.values()) - min(lengths.values()) > _AGREE_S:
        stated = ", ".join(f"{name} {values[name]}" for name in given)
        raise InvalidItem(f"{stated} contradict each other; give one of {', '.join(lengths)}")
    try:
        return TimeSlice(
            start=Seconds(start), duration=Seconds(next(iter(lengths.values()))) if lengths else None
        )  # fmt: skip
    except DeclarationError as error:
        raise InvalidItem(str(error)) from error
