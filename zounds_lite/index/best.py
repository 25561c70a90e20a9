"""The nearest so far: what a search keeps while it walks over rows.

Goal: a search looks at a block of rows at a time and never holds the distances of all of them. Conventions: smaller is
nearer; of equal distances the row that came first is nearer, so results are the same for blocks of any size. Class:
``Nearest``.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

__all__ = ["Nearest"]

_MANY = 4
"""So many times ``k`` new rows are cut down before they are sorted."""


class Nearest:
    """The ``k`` nearest of the rows that were offered.

    Args:
        k (int): how many to keep, >= 1.
        dtype (Any): of the distances.

    Examples:
        >>> nearest = Nearest(2, np.uint16)
        >>> nearest.offer(np.array([5, 3, 3], np.uint16), np.array([0, 1, 2]))
        >>> nearest.distances, nearest.rows
        (array([3, 3], dtype=uint16), array([1, 2]))
    """

    def __init__(self, k: int, dtype: Any) -> None:
        self.k = k
        self.distances = np.empty(0, dtype)
        self.rows = np.empty(0, np.int64)

    @property
    def limit(self) -> Any:
        """The distance that a new row must undercut; None while any row is welcome."""
        return self.distances[-1] if len(self.distances) == self.k else None

    def offer(self, distances: np.ndarray, rows: np.ndarray) -> None:
        """Take the nearest of some more rows.

        Args:
            distances (np.ndarray): of the new rows.
            rows (np.ndarray): their numbers, ascending, and above those of all rows before.
        """
        if len(distances) > _MANY * self.k:
            within = np.flatnonzero(distances <= np.partition(distances, self.k - 1)[self.k - 1])
            distances, rows = distances[within], rows[within]
        if not len(distances):
            return
        together = np.concatenate([self.distances, distances])
        order = np.argsort(together, kind="stable")[: self.k]
        self.distances = together[order]
        self.rows = np.concatenate([self.rows, rows])[order]

    @classmethod
    def merged(cls, parts: Iterable["Nearest"]) -> "Nearest":
        """Return the nearest of several, each of the rows after those of the one before."""
        first, *others = parts
        for other in others:
            first.offer(other.distances, other.rows)
        return first
