"""Standardization: each feature minus its mean, over its deviation, of the whole corpus.

Classes: ``MeanStdNormalization`` (the node), ``Standardized`` (what it learns).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite.learn.corpus import Corpus
from zounds_lite.learn.ops import Op, floating, plain_rows
from zounds_lite.learn.pipeline import PreprocessResult
from zounds_lite.learn.preprocessor import Preprocessor
from zounds_lite.learn.statistics import Moments

__all__ = ["MeanStdNormalization", "Standardized"]

_BLOCK = 1 << 17
"""Numbers that are worked on at once."""


class Standardized(Op):
    """``(data - mean) / std``, feature by feature; a feature whose std is 0 is only shifted.

    Args:
        mean (np.ndarray): of the shape of one example.
        std (np.ndarray): of the same shape.
    """

    is_rowwise = keeps_units = True

    def __init__(self, mean: Any, std: Any) -> None:
        super().__init__(mean=np.asarray(mean), std=np.asarray(std))

    mean: np.ndarray
    std: np.ndarray

    def _cast(self, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean and the divisor as rows of a dtype are worked on, which is their own where it is floating."""
        made: dict[np.dtype, tuple[np.ndarray, np.ndarray]] = self.__dict__.setdefault("_made", {})
        if dtype not in made:
            working = floating(dtype)
            if self.mean.dtype.kind == "c":
                working = np.result_type(working, np.complex64)
            std = self.std.astype(np.zeros(0, working).real.dtype)
            made[dtype] = self.mean.astype(working), np.where(std > 0, std, std.dtype.type(1))
        return made[dtype]

    def __call__(self, data: Any) -> Any:
        rows = plain_rows(data, self.mean.shape, "MeanStdNormalization")
        mean, divisor = self._cast(rows.dtype)
        out = np.empty(rows.shape, mean.dtype)
        for part in _blocks(rows):
            np.subtract(rows[part], mean, out=out[part])
            np.divide(out[part], divisor, out=out[part])
        return out

    def inverse(self, data: Any) -> Any:
        rows = plain_rows(data, self.mean.shape, "the inverse of MeanStdNormalization")
        mean, divisor = self._cast(rows.dtype)
        out = np.empty(rows.shape, mean.dtype)
        for part in _blocks(rows):
            np.multiply(rows[part], divisor, out=out[part])
            np.add(out[part], mean, out=out[part])
        return out


def _blocks(rows: np.ndarray) -> Iterator[slice]:
    """Yield slices of rows that stay in the processor's cache from one operation to the next."""
    step = max(1, _BLOCK // max(1, rows[:1].size))
    for start in range(0, len(rows), step):
        yield slice(start, start + step)


class MeanStdNormalization(Preprocessor):
    """Learns the mean and the standard deviation of each feature, and standardizes with them.

    The statistics are those of all rows of all documents, in one pass and 64 bits, whatever their order. A feature that
    never changes gives 0. Invertible.

    Args:
        needs (Node): where the features come from.

    Shape: ``[examples, ...] -> [examples, ...]``, units kept.

    Examples:
        >>> [result] = MeanStdNormalization().run([np.array([[1.0, 7.0]]), np.array([[3.0, 7.0]])])
        >>> result.mean, result.std
        (array([2., 7.]), array([1., 0.]))
        >>> result.op(np.array([[4.0, 7.0]]))
        array([[2., 0.]])
    """

    def _train(self, corpus: Corpus) -> PreprocessResult:
        moments = Moments()
        for block in corpus.blocks():
            moments.update(block)
        op = Standardized(moments.mean, moments.std)
        return PreprocessResult(corpus.map(op), op)
