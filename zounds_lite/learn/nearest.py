"""Nearest: which of some centres each row is nearest to, the same for any number of rows at once.

Goal: the speed of one matrix product, and the answer of comparing every distance. A product of matrices rounds
differently for different numbers of rows, so where two centres are as near as its rounding, distances are computed
again, one by one, in 64 bits; of equal distances the first centre wins. Class: ``Centres``.

Method: ``|x - c|**2 = |x|**2 - 2 x.c + |c|**2``, so the nearest centre is that with the largest ``x.c - |c|**2 / 2``.
Centres are taken relative to their mean ``m``, which adds the same number for all of them and leaves smaller numbers to
round: ``x.(c - m) - (|c|**2 - |m|**2) / 2``.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np

__all__ = ["Centres"]

_BLOCK = 1 << 17
"""Scores that are worked on at once: they stay in the processor's cache."""


class Centres:
    """Centres to be near to.

    Args:
        centres (np.ndarray): one in each row, floating point.

    Examples:
        >>> Centres(np.array([[0.0], [10.0]])).nearest(np.array([[1.0], [5.0], [9.0]]))
        array([0, 0, 1])
    """

    def __init__(self, centres: np.ndarray) -> None:
        self.centres = centres.astype(np.float64)
        self._mean = self.centres.mean(axis=0)
        self._apart = self.centres - self._mean
        # (|c|^2 - |m|^2) / 2 as a product, which keeps the digits that the difference of two squares loses
        self._half = np.einsum("ij,ij->i", self._apart, self.centres + self._mean) / 2
        self._cast = cache(self._cast_to)

    def _cast_to(self, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray, float, float]:
        """Return what ``nearest`` needs for rows of a dtype: factors, offsets, and how far rounding reaches."""
        epsilon = float(np.finfo(dtype).eps) * (4 + self.centres.shape[1] ** 0.5)
        reach = epsilon * float(np.sqrt(np.einsum("ij,ij->i", self._apart, self._apart).max()))
        factors = np.ascontiguousarray(self._apart.T, dtype)
        return factors, self._half.astype(dtype), 2 * reach, 2 * epsilon * float(np.abs(self._half).max())

    def nearest(self, rows: np.ndarray) -> np.ndarray:
        """Return the number of the nearest centre of each row.

        Args:
            rows (np.ndarray): finite rows of floating point; they are worked on in their own dtype, at least 32 bits.

        Shape:
            ``[rows, features] -> [rows]``
        """
        out = np.empty(len(rows), np.intp)
        for part, _, found in self._searched(rows):
            out[part] = found
        return out

    def bounds(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the nearest centre of each row, no less than its distance, and no more than that of any other centre.

        Args:
            rows (np.ndarray): as for ``nearest``, of float64.
        """
        labels, upper, lower = np.empty(len(rows), np.intp), np.empty(len(rows)), np.empty(len(rows))
        for part, scores, found in self._searched(rows):
            rows_of = np.arange(len(found))
            best = scores[rows_of, found]
            scores[rows_of, found] = -np.inf
            second = scores[rows_of, scores.argmax(axis=1)]  # which is quicker than max
            apart = rows[part] - self._mean
            squares = np.einsum("ij,ij->i", apart, apart)  # less twice the score, it is the squared distance
            doubt = squares * 1e-13 * (4 + rows.shape[1])
            labels[part] = found
            upper[part] = np.sqrt(np.maximum(squares - 2 * best, 0) + doubt)
            lower[part] = np.sqrt(np.maximum(squares - 2 * second - doubt, 0))
        return labels, upper, lower

    def _searched(self, rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Yield, for some rows after the other, which they are, the scores of all centres, and the nearest centre."""
        dtype = np.dtype(np.float32 if rows.dtype == np.float32 else np.float64)
        factors, half, reach, least = self._cast(dtype)
        step, count = min(len(rows), max(1, _BLOCK // len(self.centres))) or 1, len(self.centres)
        buffer, near = np.empty((step, count), dtype), np.empty((step, count), bool)
        firsts = np.arange(step) * count
        for start in range(0, len(rows), step):
            block = np.ascontiguousarray(rows[start : start + step], dtype)
            scores = np.matmul(block, factors, out=buffer[: len(block)])
            scores -= half
            found = scores.argmax(axis=1)
            least_far = scores.reshape(-1).take(firsts[: len(block)] + found)
            # no row is longer than all of them together, whose length is quickly made
            flat = block.reshape(-1)
            least_far -= dtype.type(reach * float(np.dot(flat, flat)) ** 0.5 + least)
            close = np.greater_equal(scores, least_far[:, np.newaxis], out=near[: len(block)])
            if np.count_nonzero(close) > len(block):
                at = np.flatnonzero(close) // count
                doubtful = np.unique(at[1:][at[1:] == at[:-1]])
                found[doubtful] = self._settled(block[doubtful], close[doubtful])
            yield slice(start, start + len(block)), scores, found

    def _settled(self, doubtful: np.ndarray, close: np.ndarray) -> np.ndarray:
        """Return the nearest of the centres that are as near as rounding, comparing their distances one by one."""
        rows, centres = np.nonzero(close)
        distances = np.empty(len(rows))
        step = max(1, _BLOCK // doubtful.shape[1]) if doubtful.shape[1] else len(rows)
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            apart = doubtful[rows[part]].astype(np.float64) - self.centres[centres[part]]
            distances[part] = np.einsum("ij,ij->i", apart, apart)
        table = np.full(close.shape, np.inf)
        table[rows, centres] = distances
        return np.asarray(table.argmin(axis=1))

    def distances(self, rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return the squared distance of each row to the centre that it is labelled with."""
        out = np.empty(len(rows))
        step = max(1, _BLOCK // max(1, rows.shape[1]))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            apart = rows[part] - self.centres[labels[part]]
            out[part] = np.einsum("ij,ij->i", apart, apart)
        return out
