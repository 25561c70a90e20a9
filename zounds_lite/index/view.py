"""What a search sees: the rows of an index at one moment, and whose they are.

Goal: searches and writers do not wait for each other, in this process or between processes. A view never changes; where
documents come, the next view maps a longer file, and where they go, their rows are marked as dead. Conventions: spans
are in the order of their rows, which is the order in which documents came. Class: ``IndexView``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

__all__ = ["IndexView"]


def _none() -> np.ndarray:
    return np.empty(0, np.int64)


@dataclass(frozen=True)
class IndexView:
    """The rows of an index at one moment.

    Args:
        generation (int): how many changes there were.
        epoch (int): how many of them took something away.
        size (int): rows in the file.
        n_dead (int): of these, rows of documents that are gone.
        file (int): which file.
        layout (dict | None): what a row is.
        numbers, starts, counts (np.ndarray): for each document with rows its number, its first row and how many.
        rows (np.ndarray | None): the rows, memory-mapped; None where they are not mapped yet.
    """

    generation: int = 0
    epoch: int = 0
    size: int = 0
    n_dead: int = 0
    file: int = 0
    layout: dict[str, Any] | None = None
    numbers: np.ndarray = field(default_factory=_none)
    starts: np.ndarray = field(default_factory=_none)
    counts: np.ndarray = field(default_factory=_none)
    rows: np.ndarray | None = None
    dead: np.ndarray | None = None
    """Which rows are dead, as bool; None where none is."""

    @property
    def alive(self) -> int:
        """Rows that can be found."""
        return self.size - self.n_dead

    def after(
        self, state: Mapping[str, Any], numbers: np.ndarray, starts: np.ndarray, counts: np.ndarray
    ) -> "IndexView":
        """Return the view of a later state, whose rows are still to be mapped.

        Args:
            state (Mapping): of the index.
            numbers, starts, counts (np.ndarray): of documents that are in no view yet.
        """
        has_rows = counts > 0
        view = IndexView(
            generation=state["generation"],
            epoch=state["epoch"],
            size=state["rows"],
            n_dead=state["dead"],
            file=state["file"],
            layout=state["layout"],
            numbers=np.concatenate([self.numbers, numbers[has_rows]]),
            starts=np.concatenate([self.starts, starts[has_rows]]),
            counts=np.concatenate([self.counts, counts[has_rows]]),
        )
        return replace(view, dead=view._find_dead()) if view.n_dead else view

    def _find_dead(self) -> np.ndarray:
        edges = np.zeros(self.size + 1, np.int8)
        edges[self.starts] += 1  # no two spans share a start, and no two an end
        edges[self.starts + self.counts] -= 1
        return np.cumsum(edges[:-1], dtype=np.int8) == 0

    def with_rows(self, rows: np.ndarray) -> "IndexView":
        """Return the same view, its rows mapped."""
        return replace(self, rows=rows)

    def locate(self, rows: np.ndarray) -> list[tuple[int, int]]:
        """Return for each row the number of its document, and the row within the document."""
        spans = np.searchsorted(self.starts, rows, side="right") - 1
        return list(zip(self.numbers[spans].tolist(), (rows - self.starts[spans]).tolist(), strict=True))

    def random_row(self, rng: np.random.Generator) -> int:
        """Return a row picked at random among those that can be found; there must be one."""
        choice = int(rng.integers(self.alive))
        if self.dead is None:
            return choice
        ends = np.cumsum(self.counts)
        span = int(np.searchsorted(ends, choice, side="right"))
        return int(self.starts[span] + choice - (ends[span] - self.counts[span]))
