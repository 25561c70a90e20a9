"""Statistics of a whole corpus, in one pass over its chunks.

Goal: mean and variance of each feature over all rows of all documents, as exact as if all of them stood in one array,
whatever their order and chunking. Conventions: features are all axes but the first; numbers are accumulated in 64 bits.
Class: ``Moments``.

Sources:
    Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979, eq. 2.1.
"""

from typing import Any, Self

import numpy as np

from zounds_lite.errors import EmptyCorpus, RaggedCorpus

__all__ = ["Moments"]

_BLOCK = 1 << 16
"""Numbers that are worked on at once: half a megabyte, which stays in the processor's cache."""


class Moments:
    """Count, mean and sum of squared deviations of each feature.

    Rows are taken relative to the first one, so that a feature that never changes has a deviation of exactly 0 and its
    mean is its value, and what is far from 0 loses no digits.

    Attributes:
        count (int): rows so far.

    Examples:
        >>> moments = Moments()
        >>> for chunk in (np.array([[1.0, 7.0]]), np.array([[2.0, 7.0], [6.0, 7.0]])):
        ...     moments.update(chunk)
        >>> moments.count, moments.mean, moments.variance
        (3, array([3., 7.]), array([4.66666667, 0.        ]))
    """

    def __init__(self) -> None:
        self.count = 0
        self._origin: Any = None
        self._mean: Any = None
        self._squares: Any = None

    def update(self, rows: Any) -> None:
        """Take in rows.

        Args:
            rows (np.ndarray): examples along the first axis.

        Raises:
            RaggedCorpus: their shape differs from that of the rows before.
        """
        rows = np.asarray(rows)
        if not len(rows):
            return
        if self._origin is None:
            kind = np.complex128 if rows.dtype.kind == "c" else np.float64
            self._origin = rows[0].astype(kind)
            self._mean, self._squares = np.zeros_like(self._origin), np.zeros(self._origin.shape)
        if rows.shape[1:] != self._origin.shape:
            raise RaggedCorpus(f"rows of shape {rows.shape[1:]} cannot follow rows of shape {self._origin.shape}")
        size = max(1, _BLOCK // max(1, self._origin.size))
        for start in range(0, len(rows), size):
            shifted = np.subtract(rows[start : start + size], self._origin, dtype=self._origin.dtype)
            mean = shifted.mean(axis=0)
            shifted -= mean
            self._merge(len(shifted), mean, _sum_of_squares(shifted))

    def _merge(self, count: int, mean: Any, squares: Any) -> None:
        total = self.count + count
        apart = mean - self._mean
        self._mean = self._mean + apart * (count / total)
        self._squares = self._squares + squares + _squared(apart) * (self.count * count / total)
        self.count = total

    def merge(self, other: Self) -> None:
        """Take in all rows that another one has seen."""
        if not other.count:
            return
        if not self.count:
            self.__dict__.update(other.__dict__)
            return
        if other._origin.shape != self._origin.shape:
            raise RaggedCorpus(f"rows of shape {other._origin.shape} cannot follow rows of shape {self._origin.shape}")
        self._merge(other.count, other._mean + (other._origin - self._origin), other._squares)

    @property
    def mean(self) -> np.ndarray:
        """The mean of each feature.

        Raises:
            EmptyCorpus: no rows.
        """
        self._check()
        return np.asarray(self._origin + self._mean)

    @property
    def variance(self) -> np.ndarray:
        """The mean squared deviation of each feature (divided by the count, as ``np.var`` does).

        Raises:
            EmptyCorpus: no rows.
        """
        self._check()
        return np.asarray(self._squares / self.count)

    @property
    def std(self) -> np.ndarray:
        """The standard deviation of each feature, as ``np.std``; exactly 0 where it never changes."""
        return np.asarray(np.sqrt(self.variance))

    def _check(self) -> None:
        if not self.count:
            raise EmptyCorpus("there are no rows, so there is no mean; give at least one")


def _squared(values: np.ndarray) -> np.ndarray:
    return values * values if values.dtype.kind == "f" else values.real**2 + values.imag**2


def _sum_of_squares(values: np.ndarray) -> np.ndarray:
    """Return the sum over rows of squared magnitudes."""
    return np.asarray(np.einsum("i...,i...->...", values, values.conj() if values.dtype.kind == "c" else values).real)
