"""Criteria: what a document has to hold to be found.

Conventions: a criterion is about one field of one feature, and is met by any of its values and ranges; both ends of a
range belong to it. Classes: ``Between``, ``Criterion``; functions ``between``, ``meets``, ``wanted``.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError
from zounds_lite.featureflow.stores.terms import LONGEST_TEXT, Term, escaped, value_key

__all__ = ["Between", "Criterion", "between", "meets", "wanted"]

_ALLOWED = "allowed: text, finite numbers, True, False, None, a list of these, ff.between(low, high)"


@dataclass(frozen=True)
class Between:
    """A range of numbers or of texts; see ``between``."""

    low: Any
    high: Any

    def __repr__(self) -> str:
        return f"between({self.low!r}, {self.high!r})"

    def keys(self) -> tuple[bytes, bytes]:
        """Return the keys of its ends."""
        ends = [end for end in (self.low, self.high) if end is not None]
        if isinstance(ends[0], str):
            return (
                b"t" if self.low is None else _beginning(self.low),
                b"u" if self.high is None else _end(self.high),
            )
        return b"n" if self.low is None else value_key(self.low), b"o" if self.high is None else value_key(self.high)


def _beginning(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    return value_key(text) if len(raw) <= LONGEST_TEXT else b"t" + escaped(raw[:LONGEST_TEXT])


def _end(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    return value_key(text) if len(raw) <= LONGEST_TEXT else b"t" + escaped(raw[:LONGEST_TEXT]) + b"\0\2"


def between(low: Any = None, high: Any = None) -> Between:
    """Return a range, for ``Document.where``: from ``low`` to ``high``, both included.

    Args:
        low (float | int | str | None): where it begins; None: no limit.
        high (float | int | str | None): where it ends, of the same kind; None: no limit. Texts are ordered by their
            code points, and compared by their first 200 bytes.

    Raises:
        DeclarationError: ends of two kinds, none at all, or others than finite numbers and text.

    Examples:
        >>> between(1.0, 5.0)
        between(1.0, 5.0)
        >>> between("1960", None)
        between('1960', None)
    """
    low, high = _plain(low), _plain(high)
    ends = [end for end in (low, high) if end is not None]
    if not ends or any(isinstance(end, bool) for end in ends) or len({isinstance(end, str) for end in ends}) > 1:
        raise DeclarationError(
            f"between({low!r}, {high!r}); allowed: two numbers or two texts; one of them may be None"
        )
    return Between(low, high)


@dataclass(frozen=True)
class Criterion:
    """What one field has to hold.

    Args:
        feature (str): the key of the feature.
        field (str): the name of the field.
        ranges (tuple[tuple[bytes, bytes], ...]): keys of values, see ``terms``: first and last of each range.
    """

    feature: str
    field: str
    ranges: tuple[tuple[bytes, bytes], ...]

    def is_met_by(self, term: Term) -> bool:
        """Tell whether a term is one of those that are wanted."""
        return (term.feature, term.field) == (self.feature, self.field) and any(
            low <= term.key <= high for low, high in self.ranges
        )


def meets(terms: Iterable[Term], criteria: Sequence[Criterion]) -> bool:
    """Tell whether a document with these terms meets all criteria."""
    return all(any(criterion.is_met_by(term) for term in terms) for criterion in criteria)


def wanted(value: Any) -> tuple[tuple[bytes, bytes], ...]:
    """Return the ranges of keys that a value, several of them, or a range asks for.

    Raises:
        DeclarationError: it is none of these.

    Examples:
        >>> wanted(["rock", "jazz"]) == wanted({"jazz", "rock"}), wanted(7) == wanted(7.0), wanted(1) == wanted(True)
        (True, True, False)
    """
    several = list(value) if isinstance(value, (list, tuple, set, frozenset, range, np.ndarray)) else [value]
    found = set()
    for one in several:
        if isinstance(one, Between):
            found.add(one.keys())
        else:
            key = value_key(_plain(one))
            found.add((key, key))
    return tuple(sorted(found))


def _plain(value: Any) -> Any:
    """Return a value as JSON would bring it back."""
    plain = value.item() if isinstance(value, np.generic) else value
    is_number = isinstance(plain, (int, float)) and (isinstance(plain, int) or math.isfinite(plain))
    if plain is None or isinstance(plain, str) or is_number:
        return plain
    raise DeclarationError(f"a field cannot be compared with {value!r}; {_ALLOWED}")
