"""What the columns of a table hold: text, whole numbers, numbers or truth values.

Goal: the label 7 of a CSV file arrives as the number 7, and the code "007" as text. Conventions: a column is of a kind
only if every value in it is; an empty cell is ``None`` and says nothing about its column; one that holds whole numbers
and fractions holds numbers. Kinds go by the names of Python's types. Class: ``ColumnKinds``; functions ``converted``,
``kind_name``, ``kind_of``, ``whole_number``.
"""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from zounds_lite.errors import DeclarationError, InvalidItem

__all__ = ["ColumnKinds", "converted", "kind_name", "kind_of", "whole_number"]

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
"""No leading zeros, and not longer than 64 bits: the rest are codes, not numbers."""
_NUMBER = re.compile(r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DIGITS = re.compile(r"-?[0-9]+")
_TRUTH = {"true": True, "false": False}


def kind_of(text: str) -> str:
    """Return the kind of one value: "bool", "int", "float" or "str".

    Examples:
        >>> [kind_of(text) for text in ("7", "-7.5", "1e-3", "True", "007", "nan", "1,5")]
        ['int', 'float', 'float', 'bool', 'str', 'str', 'str']
    """
    text = text.strip()
    if _WHOLE.fullmatch(text):
        return "int"
    if _NUMBER.fullmatch(text) and not _DIGITS.fullmatch(text) and math.isfinite(float(text)):
        return "float"
    return "bool" if text.lower() in _TRUTH else "str"


class ColumnKinds:
    """Finds the kinds of all columns, row by row.

    Args:
        count (int): number of columns.

    Examples:
        >>> kinds = ColumnKinds(4)
        >>> for row in (["7", "1", "True", "007"], ["8", "2.5", "", "12"]):
        ...     kinds.add(row)
        >>> kinds.kinds
        ['int', 'float', 'bool', 'str']
    """

    def __init__(self, count: int) -> None:
        self._found: list[str | None] = [None] * count
        self._open = list(range(count))

    def add(self, cells: Sequence[str]) -> None:
        """Look at the cells of one more row."""
        settled = False
        for column in self._open:
            if cells[column].strip():
                self._found[column] = _joined(self._found[column], kind_of(cells[column]))
                settled = settled or self._found[column] == "str"
        if settled:  # nothing that follows can change that
            self._open = [column for column in self._open if self._found[column] != "str"]

    @property
    def kinds(self) -> list[str]:
        """The kind of each column; one without any value counts as text."""
        return [kind or "str" for kind in self._found]


def _joined(one: str | None, other: str) -> str:
    if one in (None, other):
        return other
    return "float" if {one, other} == {"int", "float"} else "str"


def kind_name(kind: Any) -> str:
    """Return the name of a kind that a user gave.

    Args:
        kind (type | str): ``str``, ``int``, ``float``, ``bool``, or the name of one of them.

    Raises:
        DeclarationError: it is none of these.
    """
    name = kind.__name__ if isinstance(kind, type) else kind
    if not isinstance(name, str) or name not in _CONVERTERS:
        raise DeclarationError(f"types: {kind!r} is no kind of column; allowed: {', '.join(_CONVERTERS)}")
    return name


def converted(value: Any, kind: str) -> Any:
    """Return a value as one of a kind.

    Args:
        value (Any): text of a cell, or what JSON holds.
        kind (str): "str", "int", "float" or "bool".

    Raises:
        InvalidItem: it is none of that kind.

    Examples:
        >>> converted("7", "int"), converted(7, "str"), converted("false", "bool"), converted("007", "int")
        (7, '7', False, 7)
    """
    if value is None:
        return None
    try:
        return _CONVERTERS[kind](value)
    except (TypeError, ValueError, OverflowError, KeyError) as error:
        raise InvalidItem(f"{_shown(value)} is no {_WORDS[kind]}") from error


def whole_number(value: Any) -> int:
    """Return a whole number, from text or from a float without a fraction.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()) and len(value) < 100:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = _number(value)
    if not number.is_integer():
        raise ValueError(value)
    return int(number)


def _number(value: Any) -> float:
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMBER_LIKE.fullmatch(value.strip())):
        raise ValueError(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


_NUMBER_LIKE = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""Where a column is said to hold numbers, leading zeros and a plus are no reason against it."""


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {**_TRUTH, "1": True, "0": False, "1.0": True, "0.0": False}[str(value).strip().lower()]


def _text(value: Any) -> str:
    if isinstance(value, (list, dict)):
        raise TypeError(value)
    return str(value)


_CONVERTERS: dict[str, Callable[[Any], Any]] = {"str": _text, "int": whole_number, "float": _number, "bool": _truth}
_WORDS = {"str": "text", "int": "whole number", "float": "finite number", "bool": "truth value (true or false)"}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
