"""How alike the frames of a signal are.

Goal: the matrix that shows what comes back in a piece, and where it changes. Conventions: plain arrays, frames first;
of complex values the magnitude counts; float32 stays float32, and everything else is worked on in float64. The matrix
is symmetric to the last bit, and its diagonal is 1. Function: ``self_similarity``.
"""

import numpy as np
from numpy.typing import ArrayLike

from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["self_similarity"]

_BLOCK = 512
"""Rows of the matrix that are worked on at once."""

_SAMPLE = 1024
"""Frames, evenly spaced, whose distances choose the width of the Gaussian."""

_NARROWEST, _WIDEST = 1e-15, 1e15
"""Bounds of the width, as a part of the largest value: beyond them affinities are 0, or 1, and exponents no float32."""


def self_similarity(frames: ArrayLike, measure: str = "cosine", sigma: float | None = None) -> np.ndarray:
    """Compare every frame with every other one.

    Args:
        frames (ArrayLike): spectra, bands or any numbers, frames first.
        measure (str): ``"cosine"``, the cosine of the angle between two frames, which the level does not change: 0..1
            where no value is negative, -1..1 otherwise; or ``"gaussian"``, exp(-d^2 / (2 sigma^2)) of the distance d,
            0..1.
        sigma (float | None): the distance at which the Gaussian has fallen to 0.61, in the unit of the values, > 0;
            None: the median of the distances that are not 0, among 1024 frames at most. The cosine has none.

    Shape:
        [frames, ...] -> [frames, frames]

    Returns:
        np.ndarray: symmetric, 1 on its diagonal. Frames of zeros, which have no angle, are like each other (1) and
        like no other frame (0). A frame with NaN or infinite values gives a row and a column of NaN.

    Raises:
        DimensionError: an array without axes.
        DeclarationError: another measure, a sigma that is not above 0, or one for the cosine.

    Examples:
        >>> self_similarity([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [0.0, 0.0]]).round(3)
        array([[1.   , 0.   , 0.707, 0.   ],
               [0.   , 1.   , 0.707, 0.   ],
               [0.707, 0.707, 1.   , 0.   ],
               [0.   , 0.   , 0.   , 1.   ]])
        >>> self_similarity([[0.0], [1.0], [3.0]], measure="gaussian", sigma=1.0).round(3)
        array([[1.   , 0.607, 0.011],
               [0.607, 1.   , 0.135],
               [0.011, 0.135, 1.   ]])

    Sources:
        J. Foote, "Visualizing music and audio using self-similarity", Proc. ACM Multimedia (1999), sections 2 and 3
        (the cosine); U. von Luxburg, "A tutorial on spectral clustering", Statistics and Computing 17 (2007), section
        2.2 (the Gaussian).
    """
    if measure not in ("cosine", "gaussian"):
        raise DeclarationError(f'measure={measure!r}; allowed: "cosine" or "gaussian"')
    if sigma is not None and (measure == "cosine" or not sigma > 0):
        raise DeclarationError(f'sigma={sigma!r} of measure={measure!r}; allowed: above 0, and only for "gaussian"')
    rows = _rows(frames)
    known = np.isfinite(rows).all(axis=-1)
    rows[~known] = 0
    scale = float(np.abs(rows).max(initial=0.0)) or 1.0
    out = _cosine(rows) if measure == "cosine" else _gaussian(rows / rows.dtype.type(scale), known, sigma, scale)
    np.fill_diagonal(out, 1)
    out[~known] = np.nan
    out[:, ~known] = np.nan
    return out


def _rows(frames: ArrayLike) -> np.ndarray:
    """Return a copy of the frames as rows of real numbers."""
    x = np.asarray(frames)
    if not x.ndim:
        raise DimensionError("frames without an axis; give at least one axis, frames first")
    x = x.reshape(len(x), -1) if len(x) else x.reshape(0, 1)
    x = np.abs(x) if x.dtype.kind == "c" else x
    return x.astype(np.float32 if x.dtype in (np.float16, np.float32) else np.float64, order="C")


def _products(rows: np.ndarray) -> np.ndarray:
    """Return the products of all pairs of rows; those below the diagonal are the ones above it."""
    out = np.empty((len(rows), len(rows)), rows.dtype)
    for start in range(0, len(rows), _BLOCK):
        block = slice(start, start + _BLOCK)
        np.matmul(rows[block], rows[: start + _BLOCK].T, out=out[block, : start + _BLOCK])
        out[:start, block] = out[block, :start].T
        square = out[block, block]
        square[:] = np.tril(square) + np.tril(square, -1).T
    return out


def _cosine(rows: np.ndarray) -> np.ndarray:
    # each frame by its own largest value first: squares of very small and very large numbers are none
    largest = np.abs(rows).max(axis=-1, keepdims=True, initial=0.0)
    rows = np.divide(rows, largest, out=rows, where=largest > 0)
    length = np.sqrt((rows * rows).sum(axis=-1, keepdims=True))
    rows = np.divide(rows, length, out=rows, where=length > 0)
    out = _products(rows)
    np.clip(out, -1, 1, out=out)
    silent = np.flatnonzero(largest.ravel() == 0)
    out[np.ix_(silent, silent)] = 1
    return out


def _gaussian(rows: np.ndarray, known: np.ndarray, sigma: float | None, scale: float) -> np.ndarray:
    """Return the affinities of rows that were divided by ``scale``, as ``sigma`` is still to be."""
    if known.any():
        rows = rows - rows[known].mean(axis=0)  # differences of smaller numbers lose fewer digits
    width = _usual_distance(rows[known]) if sigma is None else sigma / scale
    out = _squared_distances(rows)
    out *= -0.5 / min(max(width, _NARROWEST), _WIDEST) ** 2
    return np.exp(out, out=out)


def _squared_distances(rows: np.ndarray) -> np.ndarray:
    squares = (rows * rows).sum(axis=-1)
    out = _products(rows)
    for start in range(0, len(rows), _BLOCK):
        block = slice(start, start + _BLOCK)
        out[block] = np.maximum((squares[block, None] + squares) - 2 * out[block], 0)
    np.fill_diagonal(out, 0)
    return out


def _usual_distance(rows: np.ndarray) -> float:
    """Return the median of the distances that are not 0; 1 where all are."""
    some = rows[:: max(1, -(-len(rows) // _SAMPLE))].astype(np.float64)
    squared = _squared_distances(some)
    apart = squared[squared > np.finfo(rows.dtype).eps ** 2]
    return float(np.sqrt(np.median(apart))) if len(apart) else 1.0
