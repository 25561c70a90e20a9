"""Non-negative least squares.

Goal: spectra from their sums in bands, which are far fewer: of the many answers, one without negative numbers.

Conventions: a matrix is (bands, bins), as of a filter bank; values have bands on the last axis. Function:
``nonnegative_least_squares``.
"""

import numpy as np
from numpy.typing import ArrayLike

from zounds_lite.dsp._checks import check_real
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["nonnegative_least_squares"]

_BLOCK = 256


def nonnegative_least_squares(matrix: ArrayLike, values: np.ndarray, n_iter: int = 64) -> np.ndarray:
    """Find x >= 0 with the least squared error of matrix @ x against values, by an accelerated projected gradient.

    The start is the answer of least norm, with its negative numbers cut off; each round comes closer. All vectors are
    worked on at once, but each by itself: NaN stays in its vector.

    Args:
        matrix (ArrayLike): weights; real and finite.
        values (np.ndarray): what the weighted sums should be; real.
        n_iter (int): rounds, >= 0.

    Shape:
        [bands, bins], [..., bands] -> [..., bins]

    Returns:
        np.ndarray: float32 for float32 values, otherwise float64; computed in float64.

    Raises:
        DimensionError: shapes that do not fit.
        DeclarationError: complex or non-finite weights, complex values, or rounds below 0.

    Examples:
        >>> weights = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
        >>> found = nonnegative_least_squares(weights, np.array([3.0, 1.0]))
        >>> (weights @ found).round(3)
        array([3., 1.])

    Sources:
        A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse problems", SIAM
        Journal on Imaging Sciences 2 (2009), section 4, with the projection on numbers >= 0 as its proximal step.
    """
    weights, given = np.asarray(matrix), np.asarray(values)
    check_real(weights, "weights", "give magnitudes")
    check_real(given, "values", "take np.abs(x) first")
    if n_iter < 0:
        raise DeclarationError(f"n_iter={n_iter}; allowed: 0 or more rounds")
    if weights.ndim != 2 or given.ndim < 1 or given.shape[-1] != len(weights):
        raise DimensionError(f"a matrix of shape {weights.shape} for values of shape {given.shape}: bands differ")
    weights = weights.astype(np.float64)
    if not np.isfinite(weights).all():
        raise DeclarationError("weights with NaN or infinities; allowed: finite weights")
    dtype = np.float32 if given.dtype in (np.float16, np.float32) else np.float64
    columns = given.reshape(-1, len(weights)).T
    out = np.empty((columns.shape[1], weights.shape[1]), dtype)
    solve = _Solver(weights, n_iter)
    for start in range(0, len(out), _BLOCK):
        block = columns[:, start : start + _BLOCK].astype(np.float64)
        out[start : start + _BLOCK] = solve(block).T
    return out.reshape(*given.shape[:-1], weights.shape[1])


class _Solver:
    """Solves for many vectors, the columns of a block."""

    def __init__(self, weights: np.ndarray, n_iter: int) -> None:
        from scipy.sparse import csr_array

        self._n_iter = n_iter
        # filters are mostly zeros, which sparse products skip
        self._weights, self._transposed = csr_array(weights), csr_array(weights.T)
        gram = weights @ weights.T
        self._inverse = weights.T @ np.linalg.pinv(gram, hermitian=True)
        self._steepest = float(np.linalg.eigvalsh(gram).max(initial=0.0))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        x = np.maximum(self._inverse @ values, 0)
        ahead, pace = x, 1.0
        for _ in range(self._n_iter if self._steepest > 0 else 0):
            gradient = self._transposed @ (self._weights @ ahead - values)
            closer = np.maximum(ahead - gradient / self._steepest, 0)
            next_pace = (1 + np.sqrt(1 + 4 * pace**2)) / 2
            ahead = closer + (pace - 1) / next_pace * (closer - x)
            x, pace = closer, next_pace
        return x
