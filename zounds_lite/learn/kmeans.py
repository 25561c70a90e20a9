"""K-means: each row becomes the one of k typical rows that it is nearest to.

Goal: exactly ``centroids`` typical rows of the whole corpus, the same for the same seed, however documents are cut into
chunks. Conventions: distances are Euclidean, over all axes of an example but the first; the result is one-hot. Nodes:
``KMeans``. Ops: ``NearestCentroid``.

Method: k-means++ and Lloyd's algorithm to the end on all rows, where they fit into 64 MB (as float64); else on a
uniform sample of as many, and then in passes over the whole corpus, a batch at a time, until centroids hardly move.
"""

from functools import cached_property
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, DimensionError, RaggedCorpus
from zounds_lite.learn.corpus import Corpus
from zounds_lite.learn.lloyd import distinct_rows, lloyd, moved, spread_out, sums
from zounds_lite.learn.nearest import Centres
from zounds_lite.learn.ops import Op, plain_rows
from zounds_lite.learn.pipeline import PreprocessResult
from zounds_lite.learn.preprocessor import Preprocessor
from zounds_lite.learn.reservoir import Reservoir, whole_number

__all__ = ["KMeans", "NearestCentroid"]

_MEMORY = 64 * 1024 * 1024
"""Bytes of rows, as float64, that are worked on at once."""

_BATCH = 8192
"""Rows of a batch in passes over the corpus."""

_TOLERANCE = 1e-4
"""Passes end when no centroid moves farther than this part of the spread of the data."""


def _flat(rows: np.ndarray) -> np.ndarray:
    """Return rows as a matrix."""
    return rows.reshape(len(rows), -1) if rows.size else np.zeros((len(rows), int(np.prod(rows.shape[1:]))), rows.dtype)


class NearestCentroid(Op):
    """One-hot of the nearest centroid; the inverse gives the centroid.

    Args:
        codebook (np.ndarray): the centroids, one in each row, each of the shape of an example.

    Examples:
        >>> op = NearestCentroid(np.array([[0.0, 0.0], [10.0, 10.0]]))
        >>> op(np.array([[9.0, 8.0], [1.0, 0.0]]))
        array([[0, 1],
               [1, 0]], dtype=uint8)
        >>> op.inverse(op(np.array([[9.0, 8.0]])))
        array([[10., 10.]])
    """

    is_rowwise = True

    def __init__(self, codebook: Any) -> None:
        super().__init__(codebook=np.asarray(codebook))

    codebook: np.ndarray

    def validate(self) -> None:
        if self.codebook.ndim < 1 or not len(self.codebook) or self.codebook.dtype.kind != "f":
            raise DeclarationError(
                f"codebook of {self.codebook.dtype} and shape {list(self.codebook.shape)}; needed: floating point, one "
                "centroid in each row"
            )

    @cached_property
    def _centres(self) -> Centres:
        return Centres(_flat(self.codebook))

    def labels(self, data: Any) -> np.ndarray:
        """Return the number of the nearest centroid of each row; of equally near ones, the first.

        Args:
            data (np.ndarray): examples along the first axis.
        """
        rows = plain_rows(data, self.codebook.shape[1:], "KMeans")
        return self._centres.nearest(_flat(rows))

    def __call__(self, data: Any) -> np.ndarray:
        labels = self.labels(data)
        out = np.zeros((len(labels), len(self.codebook)), np.uint8)
        out[np.arange(len(labels)), labels] = 1
        return out

    def inverse(self, data: Any) -> np.ndarray:
        codes = np.asarray(data)
        if codes.ndim != 2 or codes.shape[1] != len(self.codebook):
            raise DimensionError(
                f"the inverse of KMeans was given an array of shape {list(codes.shape)}; needed: one-hot rows of "
                f"{len(self.codebook)}"
            )
        return self.codebook[codes.argmax(axis=1)]


class KMeans(Preprocessor):
    """Learns typical rows, and says which of them each row is nearest to.

    Args:
        centroids (int): how many, 1 or more; there are always exactly as many.
        seed (int): of the random choices; another one may find other centroids.
        iterations (int): how often centroids are moved at most.
        passes (int): over the whole corpus, at most, where it does not fit into memory.
        needs (Node): where the features come from.

    Shape: ``[examples, ...] -> [examples, centroids]``, ``uint8``, one-hot, the first dimension kept

    Raises:
        DeclarationError: ``centroids`` is no whole number, or less than 1.
        RaggedCorpus: there are fewer different rows than centroids.

    Examples:
        >>> chunks = [np.array([[0.0], [1.0]]), np.array([[10.0], [11.0]])]
        >>> [step] = KMeans(centroids=2).run(chunks)
        >>> sorted(step.codebook.tolist())
        [[0.5], [10.5]]
        >>> step.data.concatenated().sum(axis=0)
        array([2, 2], dtype=uint64)

    See Also:
        ``SklearnModel``, for the k-means of scikit-learn and all else that it has.
    """

    def __init__(
        self, centroids: Any = None, seed: int = 0, iterations: int = 300, passes: int = 10, needs: Any = None
    ) -> None:
        super().__init__(needs=needs)
        self.centroids = whole_number(centroids, "centroids")
        self.seed = whole_number(seed, "seed", least=0)
        self.iterations = whole_number(iterations, "iterations")
        self.passes = whole_number(passes, "passes", least=0)

    def _train(self, corpus: Corpus) -> PreprocessResult:
        example = np.asarray(corpus.example)
        if example.dtype.kind not in "biuf":
            raise RaggedCorpus(f"features are {example.dtype}; KMeans needs real numbers: take AbsoluteValue first")
        shape = example.shape[1:]
        capacity = max(_MEMORY // (8 * max(1, int(np.prod(shape)))), 10 * self.centroids)
        if corpus.rows <= capacity:
            rows = np.concatenate([_flat(np.asarray(chunk)).astype(np.float64) for chunk in corpus])
            centroids = self._centroids(rows)
        else:
            centroids = self._streamed(corpus, capacity)
        dtype = example.dtype if example.dtype in (np.float32, np.float64) else np.dtype(np.float64)
        op = NearestCentroid(centroids.astype(dtype).reshape(self.centroids, *shape))
        return PreprocessResult(corpus.map(op), op)

    def _centroids(self, rows: np.ndarray) -> np.ndarray:
        """Return the centroids of rows that are all in memory."""
        different, counts = distinct_rows(rows)
        if len(different) < self.centroids:
            raise RaggedCorpus(
                f"there are {len(different)} different rows (of {len(rows)}), fewer than centroids={self.centroids}; "
                "ask for fewer, or add documents"
            )
        # far from 0, products would lose the digits in which rows differ
        origin = different.mean(axis=0)
        different -= origin
        start = spread_out(different, counts, self.centroids, np.random.default_rng(self.seed))
        return lloyd(different, counts, start, self.iterations)[0] + origin

    def _streamed(self, corpus: Corpus, capacity: int) -> np.ndarray:
        """Return the centroids of a corpus that does not fit into memory."""
        reservoir = Reservoir(capacity, np.float64, self.seed)
        for block in corpus.blocks(_BATCH):
            reservoir.add(_flat(np.asarray(block)))
        sample = reservoir.get()
        from tqdm import tqdm

        spread = float(np.sqrt(sample.var(axis=0).mean()))
        centroids = self._centroids(sample)
        for _ in tqdm(range(self.passes), unit="pass", desc="k-means", disable=None, leave=False):
            before = centroids
            centroids = self._pass(corpus, centroids, sample)
            if np.abs(centroids - before).max() <= _TOLERANCE * spread:
                break
        return centroids

    def _pass(self, corpus: Corpus, centroids: np.ndarray, sample: np.ndarray) -> np.ndarray:
        """Move the centroids to the means of all rows of the corpus that are nearest to them."""
        centres, origin = Centres(centroids), centroids.mean(axis=0)
        total, counts = np.zeros_like(centroids), np.zeros(len(centroids))
        for block in corpus.blocks(_BATCH):
            rows = _flat(np.asarray(block)).astype(np.float64)
            labels = centres.nearest(rows)
            rows -= origin
            added, members = sums(rows, None, labels, len(centroids))
            total += added
            counts += members
        means = moved(centroids, total, counts, lambda: sample - origin)
        return means + origin
