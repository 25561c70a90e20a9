"""Lloyd's algorithm: centroids of rows that have weights, exactly as many as were asked for.

Goal: k-means as a function of plain arrays, the same for rows in any order. Conventions: rows are float64 and distinct,
each with how often it stands in the data. Method: a row whose centroid is nearer than any other can be, after all that
they have moved since it was last looked at, is not looked at again; the result is that of looking at all of them.
Functions: ``distinct_rows``, ``spread_out``, ``lloyd``, ``moved``, ``sums``.

Sources:
    Lloyd, "Least squares quantization in PCM", 1982; Arthur and Vassilvitskii, "k-means++: the advantages of careful
    seeding", 2007, with the best of several draws in each step, as they suggest in section 7; Hamerly, "Making k-means
    even faster", 2010 (the bounds).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from zounds_lite.learn.nearest import Centres

__all__ = ["distinct_rows", "lloyd", "moved", "spread_out", "sums"]


def distinct_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row that stands in the data once, and how often it does.

    Rows are compared by their bytes, so the order of the result is of no meaning, but always the same.

    Examples:
        >>> distinct_rows(np.array([[2.0, 1.0], [0.0, 3.0], [2.0, 1.0]]))[1].tolist()
        [1, 2]
    """
    rows = np.ascontiguousarray(rows, np.float64) + 0.0  # -0.0 is 0.0
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).reshape(-1)
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    return rows[first], counts


def spread_out(rows: np.ndarray, weights: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Choose distinct rows that lie far apart, to begin with (k-means++).

    Args:
        rows (np.ndarray): distinct rows, at least ``count``.
        weights (np.ndarray): how often each stands in the data.
        count (int): how many to choose.
        random (np.random.Generator): chooses.
    """
    tries = 2 + int(np.log(count))
    chosen = [int(random.choice(len(rows), p=weights / weights.sum()))]
    squares = np.einsum("ij,ij->i", rows, rows)
    nearest = _squared(rows, squares, chosen)[0]
    for _ in range(count - 1):
        nearest[chosen] = 0.0
        chance = np.cumsum(nearest * weights)
        if not chance[-1] > 0:  # all others are as near as rounding: any will do
            chance = np.cumsum(~np.isin(np.arange(len(rows)), chosen), dtype=np.float64)
        drawn = np.searchsorted(chance, random.random(tries) * chance[-1], side="right")
        drawn = np.setdiff1d(np.minimum(drawn, len(rows) - 1), chosen)
        if not len(drawn):
            drawn = np.setdiff1d(np.arange(len(rows)), chosen)[:1]
        closer = np.minimum(_squared(rows, squares, drawn), nearest)
        best = int((closer @ weights).argmin())
        nearest = closer[best]
        chosen.append(int(drawn[best]))
    return rows[chosen]


def _squared(rows: np.ndarray, squares: np.ndarray, chosen: Any) -> np.ndarray:
    """Return the squared distances of all rows to some of them: ``[chosen, rows]``."""
    product = rows[chosen] @ rows.T
    product *= -2
    product += squares
    product += squares[chosen][:, None]
    return np.maximum(product, 0, out=product)


def sums(rows: np.ndarray, weights: np.ndarray | None, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of the rows of each label, and how many they are."""
    from scipy.sparse import csc_array

    factors = np.ones(len(rows)) if weights is None else np.asarray(weights, np.float64)
    members = csc_array((factors, labels, np.arange(len(rows) + 1)), shape=(count, len(rows)))
    return members @ rows, np.bincount(labels, factors, count)


def lloyd(rows: np.ndarray, weights: np.ndarray, centroids: np.ndarray, iterations: int) -> tuple[np.ndarray, bool]:
    """Move centroids to the mean of the rows that are nearest to them, until no row changes its centroid.

    Args:
        rows (np.ndarray): distinct rows.
        weights (np.ndarray): how often each stands in the data.
        centroids (np.ndarray): where to begin.
        iterations (int): how often to move them at most.

    Returns:
        tuple[np.ndarray, bool]: the centroids, and whether they came to rest.
    """
    from tqdm import tqdm

    labels, upper, lower = Centres(centroids).bounds(rows)
    for _ in tqdm(range(iterations), unit="move", desc="k-means", disable=None, delay=2, leave=False):
        total, counts = sums(rows, weights, labels, len(centroids))
        before, centroids = centroids, moved(centroids, total, counts, partial(_farthest, rows, centroids, labels))
        shift = np.linalg.norm(centroids - before, axis=1)
        if not shift.any():
            return centroids, True
        upper += shift[labels]
        lower -= shift.max()
        doubtful = np.flatnonzero(upper >= lower * (1 - 1e-9))
        found, upper[doubtful], lower[doubtful] = Centres(centroids).bounds(rows[doubtful])
        if np.array_equal(found, labels[doubtful]):
            return centroids, True
        labels[doubtful] = found
    return centroids, False


def moved(centroids: np.ndarray, total: np.ndarray, counts: np.ndarray, farthest: Callable[[], Any]) -> np.ndarray:
    """Return the means, and for a centroid that no row is nearest to, a row far from its own.

    Args:
        centroids (np.ndarray): where they were.
        total (np.ndarray): the sum of the rows of each.
        counts (np.ndarray): how many they are.
        farthest (Callable): yields rows, the farthest from their centroids first; called only where one is needed.
    """
    new = total / np.where(counts > 0, counts, 1)[:, None]
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        for i, row in zip(empty, farthest(), strict=False):
            new[i] = row
    return new


def _farthest(rows: np.ndarray, centroids: np.ndarray, labels: np.ndarray) -> np.ndarray:
    distances = Centres(centroids).distances(rows, labels)
    return rows[np.argsort(-distances, kind="stable")[: len(centroids)]]
