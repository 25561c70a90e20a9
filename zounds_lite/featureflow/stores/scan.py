"""Questions about metadata, answered by reading every record; stores that keep an index answer from that.

Functions: ``count_fields``, ``count_values``, ``find``.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from zounds_lite.errors import CorruptValue
from zounds_lite.featureflow.stores.checks import short_id
from zounds_lite.featureflow.stores.criteria import Criterion, meets
from zounds_lite.featureflow.stores.terms import Scalar, Term, scalars_of, terms_of

if TYPE_CHECKING:
    from zounds_lite.featureflow.stores.base import Database

__all__ = ["count_fields", "count_values", "find"]

_log = logging.getLogger(__name__)


def _terms(database: "Database") -> Iterator[tuple[str, bytes, frozenset[Term]]]:
    """Yield every document with its record and its terms; one that is damaged is passed over."""
    for _id in dict.fromkeys(database.iter_ids()):  # a record that is misplaced may come twice
        try:
            raw = database.get(_id)
            if raw is not None:  # else it was deleted since it was listed
                yield _id, raw, terms_of(raw, f"the record of {short_id(_id)}")
        except CorruptValue as error:
            _log.warning("a document was passed over: %s", error)


def find(database: "Database", criteria: Sequence[Criterion]) -> list[str]:
    """Return the ids of the documents that meet all criteria."""
    return [_id for _id, _, terms in _terms(database) if meets(terms, criteria)]


def count_fields(database: "Database") -> dict[tuple[str, str], int]:
    """Return how many documents have each field, by feature and name."""
    return dict(Counter((term.feature, term.field) for _, _, terms in _terms(database) for term in terms))


def count_values(
    database: "Database", feature: str, field: str, criteria: Sequence[Criterion]
) -> list[tuple[Scalar, int]]:
    """Return the values of a field among the documents that meet all criteria, in order, each with their number."""
    counts: Counter[bytes] = Counter()
    values: dict[bytes, Scalar] = {}
    for _, raw, terms in _terms(database):
        key = next((term.key for term in terms if (term.feature, term.field) == (feature, field)), None)
        if key is not None and meets(terms, criteria):
            counts[key] += 1
            if key not in values:
                values[key] = scalars_of(raw)[feature, field]
    return [(values[key], counts[key]) for key in sorted(counts)]
