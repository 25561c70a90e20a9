"""Search in memory: frames of any documents, by any distance.

Goal: what a program has in its hands can be searched without anything being stored. Conventions: input is pairs of an
id and an array with units whose first axis is time. Classes: ``BruteForceSearch``, ``HammingDistanceBruteForceSearch``.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.index.best import Nearest
from zounds_lite.index.codes import nearest_codes, pack_codes, to_words
from zounds_lite.index.featureindex import check_count
from zounds_lite.index.results import SearchResults
from zounds_lite.index.vectors import nearest_vectors, with_norms
from zounds_lite.timeseries import TimeDimension, TimeSlice, VariableRateTimeSeries

__all__ = ["BruteForceSearch", "HammingDistanceBruteForceSearch"]

_OWN_METRICS = {
    "euclidean": "euclidean",
    "sqeuclidean": "euclidean",
    "cosine": "cosine",
    "inner_product": "inner_product",
}
_BLOCK = 16 * 1024
_OF_ALL_ROWS = ("seuclidean", "se", "s", "mahalanobis", "mahal", "mah")
"""Metrics that scipy scales by what it is given."""


class BruteForceSearch:
    """Compares a query with every frame.

    Args:
        gen (Iterable): pairs of an id and an array with units whose first axis is time; frames of several axes count
            as one row of all their numbers.
        distance_metric (str): a name that ``scipy.spatial.distance.cdist`` knows, or "inner_product", whose sign is
            turned. "euclidean", "sqeuclidean" and "cosine" are computed here, from ``float32``.
        document (type | None): the class of the documents, so that results play.

    Raises:
        DimensionError: an array has no axis of time, or frames of another size than the others; NaN among them.
        DeclarationError: there is no such metric.

    Examples:
        >>> from zounds_lite.core import ArrayWithUnits
        >>> from zounds_lite.timeseries import Seconds
        >>> frames = ArrayWithUnits([[0.0, 0], [3, 4]], [TimeDimension(Seconds(1)), None])
        >>> results = BruteForceSearch([("a.wav", frames)]).search(np.array([3.0, 4]), n_results=5)
        >>> list(results), results.distances
        ([('a.wav', TimeSlice(start = 1.0, duration = 1.0)), ('a.wav', TimeSlice(start = 0.0, duration = 1.0))],
         array([0., 5.]))
    """

    def __init__(
        self, gen: Iterable[tuple[str, Any]], distance_metric: str = "euclidean", document: Any = None
    ) -> None:
        self.distance_metric = self._check_metric(distance_metric)
        self.document = document
        self._places: list[tuple[str, Any]] = []
        parts: list[np.ndarray] = []
        starts = [0]
        for _id, value in gen:
            rows, times = self._rows_of(value, f"the frames of {_id!r}")
            if parts and rows.shape[1] != parts[0].shape[1]:
                raise DimensionError(
                    f"the frames of {_id!r} are of another size than those before; allowed: one size for all"
                )
            parts.append(rows)
            self._places.append((_id, times))
            starts.append(starts[-1] + len(rows))
        self._starts = np.array(starts[:-1], np.int64)
        self._rows = np.concatenate(parts) if parts else None

    def _check_metric(self, metric: Any) -> str:
        if metric in _OWN_METRICS:
            return str(metric)
        from scipy.spatial.distance import cdist

        try:
            cdist(np.ones((1, 2)), np.ones((1, 2)), metric)
        except (ValueError, TypeError) as error:
            raise DeclarationError(
                f"distance_metric={metric!r}; allowed: inner_product, and what scipy's cdist knows: {error}"
            ) from error
        return str(metric)

    def _rows_of(self, value: Any, what: str) -> tuple[np.ndarray, Any]:
        """Return rows as they are searched, and what gives the time of each."""
        if isinstance(value, VariableRateTimeSeries):
            return self._as_rows(value.slicedata, what), value.slices
        dimensions = getattr(value, "dimensions", ())
        if not dimensions or not isinstance(dimensions[0], TimeDimension):
            raise DimensionError(f"{what} have no axis of time; allowed: arrays with units whose first axis is time")
        return self._as_rows(value, what), dimensions[0]

    def _as_rows(self, data: Any, what: str) -> np.ndarray:
        return with_norms(data, what)

    def search(self, query: Any, n_results: int = 10) -> SearchResults:
        """Find the frames that are nearest to a query.

        Args:
            query (np.ndarray): one frame.
            n_results (int): how many to find, >= 0; fewer come where there are fewer.

        Returns:
            SearchResults: pairs of id and time slice, nearest first; equal distances in the order of the input.

        Raises:
            DimensionError: the query has another size than the frames.
        """
        array = np.asarray(query)
        return self._search(self._as_rows(array.reshape(1, -1), "query"), [query], n_results)[0]

    def search_batch(self, queries: Any, n_results: int = 10) -> list[SearchResults]:
        """Find what is nearest to each of several queries; faster than one by one.

        Args:
            queries (np.ndarray): frames, [queries, ...].
            n_results (int): as for ``search``.
        """
        return self._search(self._as_rows(queries, "queries"), list(queries), n_results)

    def random_search(self, n_results: int = 10, rng: np.random.Generator | None = None) -> SearchResults:
        """Search for a frame that is picked at random; nothing where there is none.

        Args:
            n_results (int): as for ``search``.
            rng (np.random.Generator | None): what chance comes from.
        """
        check_count(n_results)
        if self._rows is None or not len(self._rows):
            return SearchResults(None, [], [], self.document)
        row = int((np.random.default_rng() if rng is None else rng).integers(len(self._rows)))
        rows = self._rows[row : row + 1]
        return self._search(rows, [self._frame(rows[0])], n_results)[0]

    def _frame(self, row: np.ndarray) -> np.ndarray:
        return row[:-1].copy()

    def _search(self, queries: np.ndarray, shown: list[Any], n_results: int) -> list[SearchResults]:
        count = check_count(n_results)
        if self._rows is None:
            return [SearchResults(query, [], [], self.document) for query in shown]
        if queries.shape[1] != self._rows.shape[1]:
            raise DimensionError("the query is of another size than the frames; allowed: a frame of the same feature")
        found = self._nearest(queries, min(count, len(self._rows))) if count and len(self._rows) else None
        if found is None:
            return [SearchResults(query, [], [], self.document) for query in shown]
        return [
            SearchResults(query, [self._place(row) for row in nearest.rows.tolist()], nearest.distances, self.document)
            for query, nearest in zip(shown, found, strict=True)
        ]

    def _nearest(self, queries: np.ndarray, k: int) -> list[Nearest]:
        assert self._rows is not None
        metric = _OWN_METRICS.get(self.distance_metric)
        if metric is None:
            return self._nearest_by_scipy(queries, k)
        found = nearest_vectors(self._rows, queries, k, metric)
        if self.distance_metric == "sqeuclidean":
            for nearest in found:
                nearest.distances = nearest.distances**2
        return found

    def _nearest_by_scipy(self, queries: np.ndarray, k: int) -> list[Nearest]:
        from scipy.spatial.distance import cdist

        assert self._rows is not None
        metric: Any = self.distance_metric
        step = len(self._rows) if metric in _OF_ALL_ROWS else _BLOCK
        found = [Nearest(k, np.float64) for _ in queries]
        wanted = queries[:, :-1].astype(np.float64)
        for start in range(0, len(self._rows), step):
            block = self._rows[start : start + step, :-1].astype(np.float64)
            distances = np.nan_to_num(cdist(wanted, block, metric), nan=np.inf)  # such as 0 / 0
            for nearest, row in zip(found, distances, strict=True):
                nearest.offer(row, np.arange(start, start + len(block)))
        return found

    def _place(self, row: int) -> tuple[str, TimeSlice]:
        part = int(np.searchsorted(self._starts, row, side="right")) - 1
        _id, times = self._places[part]
        index = row - int(self._starts[part])
        return _id, times.slice_of(index) if isinstance(times, TimeDimension) else times[index]

    def __len__(self) -> int:
        return 0 if self._rows is None else len(self._rows)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} frames, {self.distance_metric})"


class HammingDistanceBruteForceSearch(BruteForceSearch):
    """Compares a binary code with every frame, by the bits in which they differ.

    Args:
        gen (Iterable): pairs of an id and an array with units whose first axis is time, of bits that are packed to
            ``uint64``, or of bits as bool or ``uint8``.
        document (type | None): the class of the documents, so that results play.

    Raises:
        DimensionError: as for ``BruteForceSearch``; or other dtypes.

    Examples:
        >>> from zounds_lite.core import ArrayWithUnits
        >>> from zounds_lite.timeseries import Seconds
        >>> codes = ArrayWithUnits(np.array([[0], [7]], np.uint64), [TimeDimension(Seconds(1)), None])
        >>> results = HammingDistanceBruteForceSearch([("a.wav", codes)]).search(np.array([6], np.uint64))
        >>> list(results)[0], results.distances
        (('a.wav', TimeSlice(start = 1.0, duration = 1.0)), array([1, 2], dtype=uint16))
    """

    def __init__(self, gen: Iterable[tuple[str, Any]], document: Any = None) -> None:
        self._code_size: int | None = None
        super().__init__(gen, "hamming", document)

    def _check_metric(self, metric: Any) -> str:
        return str(metric)

    def _as_rows(self, data: Any, what: str) -> np.ndarray:
        packed = pack_codes(data, what)
        if self._code_size not in (None, packed.shape[1]):
            raise DimensionError(f"{what}: codes of {packed.shape[1]} bytes; allowed: {self._code_size}, as the others")
        return to_words(packed)

    def _rows_of(self, value: Any, what: str) -> tuple[np.ndarray, Any]:
        found = super()._rows_of(value, what)
        if self._code_size is None:
            data = value.slicedata if isinstance(value, VariableRateTimeSeries) else value
            self._code_size = pack_codes(data[:1], what).shape[1]
        return found

    def _frame(self, row: np.ndarray) -> np.ndarray:
        return row.copy()

    def _nearest(self, queries: np.ndarray, k: int) -> list[Nearest]:
        assert self._rows is not None
        return nearest_codes(self._rows, queries, k)
