"""Vectors: compared by Euclidean distance, by angle or by inner product.

Goal: the nearest rows of a matrix that may be larger than memory, exactly. Conventions: rows are ``float32``, and each
carries half of its squared norm in a last column, so that one matrix product gives any of the three measures. A product
in ``float32`` is only nearly right; so whatever it cannot rule out is measured again in ``float64``, and results are
those of a search in double precision. Smaller is nearer: an inner product counts with its sign turned. Functions:
``check_metric``, ``with_norms``, ``nearest_vectors``.
"""

from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.index.best import Nearest

__all__ = ["METRICS", "VALUE", "check_metric", "nearest_vectors", "with_norms"]

METRICS = ("euclidean", "cosine", "inner_product")
"""Names of the measures of distance between vectors."""

VALUE = np.dtype("<f4")
"""One value of a vector, as stored."""

_BLOCK = 16 * 1024 * 1024
"""Bytes of vectors that are looked at at a time."""

_QUERIES = 128
_UNIT = 2.0**-24
"""How far ``float32`` rounds, relative to the value."""

_EXACT = 1 << 22
"""Values that are measured again at a time."""


def check_metric(metric: Any) -> str:
    """Return the name of a metric.

    Raises:
        DeclarationError: there is none of that name.
    """
    if metric not in METRICS:
        raise DeclarationError(f"metric={metric!r}; allowed: {', '.join(METRICS)}")
    return str(metric)


def with_norms(data: Any, what: str = "vectors") -> np.ndarray:
    """Return rows as ``float32``, flattened, each followed by half of its squared norm.

    Args:
        data (np.ndarray): real numbers.
        what (str): names the data in errors.

    Shape:
        ``[rows, ...] -> [rows, values + 1]``

    Raises:
        DimensionError: complex numbers, or what is no number; NaN, infinities, or values whose squares overflow.

    Examples:
        >>> with_norms([[3, 4]])
        array([[ 3. ,  4. , 12.5]], dtype=float32)
    """
    array = np.asarray(data)
    if array.dtype.kind not in "biuf":
        raise DimensionError(f"{what}: values of {array.dtype}; allowed: real numbers, such as abs() of complex ones")
    if not array.ndim:
        raise DimensionError(f"{what}: a single number is no row; allowed: arrays whose first axis counts rows")
    rows = array.reshape(len(array), -1) if len(array) else array.reshape(0, int(np.prod(array.shape[1:])))
    out = np.empty((len(rows), rows.shape[1] + 1), VALUE)
    with np.errstate(over="ignore", invalid="ignore"):
        out[:, :-1] = rows
        out[:, -1] = 0.5 * np.einsum("ij,ij->i", out[:, :-1], out[:, :-1], dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(out[:, -1]))
    if len(bad):
        raise DimensionError(
            f"{what}: row {bad[0]} ({len(bad)} in all) holds NaN, infinities or values beyond 1e19; "
            "replace or scale them before"
        )
    return out


class _Measure:
    """One query: roughly in ``float32``, by a product with ``weights``, and exactly."""

    def __init__(self, query: np.ndarray, metric: str) -> None:
        self.metric = metric
        self.query = query[:-1].astype(np.float64)
        self.norm = float(np.sqrt(self.query @ self.query))
        self.weights = np.append(-query[:-1], VALUE.type(metric == "euclidean"))
        if metric == "cosine" and self.norm:
            self.weights = (self.weights / self.norm).astype(VALUE)

    def error(self, largest: float) -> float:
        """Return by how much a product may be wrong, at most.

        Args:
            largest (float): the largest half of a squared norm among the rows.
        """
        size = (len(self.query) + 8) * _UNIT
        if self.metric == "cosine":
            return 2 * size
        return size * (np.sqrt(2 * largest) * self.norm + largest * (self.metric == "euclidean"))

    def rough_limit(self, limit: float) -> float:
        """Translate an exact distance to what the product gives."""
        if self.metric == "euclidean":
            return (limit - self.norm**2) / 2
        return limit - 1 if self.metric == "cosine" else limit

    def exact(self, rows: np.ndarray) -> np.ndarray:
        """Measure rows in double precision: the square of a Euclidean distance, 1 - cosine, or - inner product."""
        found = np.empty(len(rows))
        step = max(1, _EXACT // rows.shape[1])
        for start in range(0, len(rows), step):
            part = rows[start : start + step, :-1].astype(np.float64)
            found[start : start + step] = self._exact(part)
        return found

    def _exact(self, part: np.ndarray) -> np.ndarray:
        if self.metric == "euclidean":
            part -= self.query
            return np.einsum("ij,ij->i", part, part)
        inner = np.einsum("ij,j->i", part, self.query)
        if self.metric == "inner_product":
            return -inner
        norms = np.sqrt(np.einsum("ij,ij->i", part, part)) * self.norm
        cosine = np.divide(inner, norms, out=np.zeros_like(inner), where=norms > 0)
        return np.maximum(0.0, 1.0 - cosine)


def _offer(
    nearest: Nearest, measure: _Measure, rough: np.ndarray, largest: float, block: np.ndarray, alive: Any, start: int
) -> None:
    """Offer what the products of a block with a query cannot rule out."""
    error = measure.error(largest)
    if alive is not None:
        rough = rough[alive]
    limit = np.inf if nearest.limit is None else measure.rough_limit(float(nearest.limit)) + error
    hits = np.flatnonzero(rough <= limit) if limit < np.inf else np.arange(len(rough))
    if len(hits) > 4 * nearest.k:
        candidates = rough[hits]
        hits = hits[candidates <= np.partition(candidates, nearest.k - 1)[nearest.k - 1] + 2 * error]
    if not len(hits):
        return
    rows = hits if alive is None else alive[hits]
    exact = measure.exact(block[rows])
    if nearest.limit is not None:
        nearer = exact < nearest.limit
        exact, rows = exact[nearer], rows[nearer]
    nearest.offer(exact, rows + start)


def nearest_vectors(
    rows: np.ndarray, queries: np.ndarray, k: int, metric: str, dead: np.ndarray | None = None
) -> list[Nearest]:
    """Find the nearest rows of each query, exactly.

    Args:
        rows (np.ndarray): what ``with_norms`` returns; read a block at a time, so it may be a memory map.
        queries (np.ndarray): the same, one row a query.
        k (int): how many to find, >= 1; fewer come where there are fewer.
        metric (str): "euclidean", "cosine" (1 - the cosine of the angle; 1 for a row of zeros) or "inner_product"
            (its sign turned).
        dead (np.ndarray | None): rows that do not count, as bool.

    Shape:
        rows ``[rows, values + 1]``, queries ``[queries, values + 1]``

    Returns:
        list[Nearest]: for each query the distances, ascending, and the rows; equal distances in their order.

    Raises:
        DimensionError: the queries are not as long as the rows.

    Examples:
        >>> rows = with_norms([[0, 0], [3, 4], [6, 8]])
        >>> found, = nearest_vectors(rows, with_norms([[3, 4]]), k=2, metric="euclidean")
        >>> found.rows, found.distances
        (array([1, 0]), array([0., 5.]))
    """
    if queries.ndim != 2 or queries.shape[1] != rows.shape[1]:
        raise DimensionError(
            f"queries of {queries.shape[1] - 1} values for rows of {rows.shape[1] - 1} values; allowed: as many"
        )
    found = []
    for first in range(0, len(queries), _QUERIES):
        measures = [_Measure(query, metric) for query in queries[first : first + _QUERIES]]
        found += _walk(rows, measures, k, dead)
    if metric == "euclidean":
        for nearest in found:
            nearest.distances = np.sqrt(nearest.distances)
    return found


def _walk(rows: np.ndarray, measures: list[_Measure], k: int, dead: np.ndarray | None) -> list[Nearest]:
    found = [Nearest(k, np.float64) for _ in measures]
    weights = np.stack([measure.weights for measure in measures])
    step = max(64, _BLOCK // (rows.shape[1] * VALUE.itemsize))
    products = np.empty((len(measures), min(step, len(rows))), VALUE)
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        product = products if len(block) == products.shape[1] else np.empty((len(measures), len(block)), VALUE)
        np.matmul(weights, block.T, out=product)
        half_norms = np.ascontiguousarray(block[:, -1])
        if measures[0].metric == "cosine":
            norms = np.sqrt(2 * half_norms)
            product *= np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)
        alive = None if dead is None else np.flatnonzero(~dead[start : start + step])
        largest = float(half_norms.max())
        for nearest, measure, row in zip(found, measures, product, strict=True):
            _offer(nearest, measure, row, largest, block, alive, start)
    return found
