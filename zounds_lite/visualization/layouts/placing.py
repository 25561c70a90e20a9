"""Arrays brought to a size, and put side by side.

Goal: pictures of exactly the wanted size from arrays of any size, without losing or repeating anything. Conventions: a
picture is (rows, columns) or (rows, columns, 3), row 0 at the top; values are kept, so what is in 0..1 stays there.
Functions: ``squeezed``, ``upright``, ``centre_out``, ``split_tiles``, ``assemble_tiles``, ``wrapping``.
"""

from math import ceil, floor, log2, sqrt
from typing import Any, NamedTuple

import numpy as np

from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["Wrapping", "assemble_tiles", "centre_out", "split_tiles", "squeezed", "upright", "wrapping"]

_LOWEST_ROW = 7
"""Pixels in a wrapped row, at least: fewer bands would say nothing of a sound."""


def squeezed(image: Any, rows: int, columns: int) -> np.ndarray:
    """Bring an array to a size: each pixel is the mean of what it covers, parts of elements included.

    Nothing is dropped, whatever the sizes; a smaller array is enlarged by the same rule. The mean of all is kept.

    Args:
        image (np.ndarray): real and finite; axes after the first two, such as colours, are kept.
        rows (int): rows of the result, >= 1.
        columns (int): columns of the result, >= 1.

    Shape:
        [any, any, ...] -> [rows, columns, ...]

    Returns:
        np.ndarray: float32 for float32, float64 otherwise.

    Raises:
        DimensionError: fewer than two axes, or an empty array.
        DeclarationError: complex, NaN or infinite values, or a size below 1.

    Examples:
        >>> squeezed([[0.0, 1.0, 2.0, 3.0]], 1, 2)
        array([[0.5, 2.5]])
        >>> squeezed([[0.0, 3.0]], 2, 3)
        array([[0. , 1.5, 3. ],
               [0. , 1.5, 3. ]])
    """
    x = np.asarray(image)
    if x.ndim < 2 or not x.size:
        raise DimensionError(f"a picture of shape {x.shape}; allowed: (rows, columns, ...), at least one of each")
    if not (rows >= 1 and columns >= 1):
        raise DeclarationError(f"rows={rows!r}, columns={columns!r}; allowed: 1 or more")
    if x.dtype.kind not in "fiub":
        raise DeclarationError(f"a picture of {x.dtype}; allowed: real numbers, take np.abs(x) first")
    missing = x.size - int(np.isfinite(x).sum())
    if missing:
        raise DeclarationError(
            f"{missing} of {x.size} values are NaN or infinite; a picture needs finite ones, such as np.nan_to_num(x)"
        )
    dtype = np.float32 if x.dtype in (np.float16, np.float32) else np.float64
    axes = [(0, int(rows)), (1, int(columns))]
    out = x
    for axis, count in sorted(axes, key=lambda item: item[1] / x.shape[item[0]]):  # what shrinks the most comes first
        out = _means(out, count, axis)
    return np.clip(out, x.min(), x.max()).astype(dtype)  # rounding leaves no range


def _means(x: np.ndarray, count: int, axis: int) -> np.ndarray:
    """Return the means of ``count`` equal parts of an axis, in float64."""
    size = x.shape[axis]
    if size == count:
        return x
    # in units in which elements and parts both have whole lengths: element i starts at i * count, part k at k * size
    edges = np.arange(count + 1) * size
    element, rest = edges // count, edges % count
    x = np.moveaxis(x, axis, 0)
    # part by part: all at once, numpy would copy the array to double precision first
    sums = np.stack([x[i:j].sum(axis=0, dtype=np.float64) for i, j in zip(element[:-1], element[1:], strict=True)])
    shape = (-1, *(1,) * (x.ndim - 1))
    cut = x[np.minimum(element, size - 1)] * (rest / count).reshape(shape)
    return np.moveaxis((sums - cut[:-1] + cut[1:]) * (count / size), 0, axis)


def upright(frames: Any) -> np.ndarray:
    """Turn frames of bands into a picture: time to the right, and low bands at the bottom.

    Args:
        frames (np.ndarray): time first; axes after the first two are kept.

    Shape:
        [frames, bands, ...] -> [bands, frames, ...]

    Raises:
        DimensionError: fewer than two axes.

    Examples:
        >>> upright([[1, 2, 3], [4, 5, 6]])
        array([[3, 6],
               [2, 5],
               [1, 4]])
    """
    x = np.asarray(frames)
    if x.ndim < 2:
        raise DimensionError(f"frames of shape {x.shape}; allowed: (frames, bands, ...)")
    return np.swapaxes(x, 0, 1)[::-1]


def centre_out(bands: Any) -> np.ndarray:
    """Order bands from the middle outwards: the lowest in the middle, the next ones in turn above and below it.

    What is loud is mostly low, so it comes together in the middle and leaves the edges dark: tiles and rows that lie
    side by side stay apart. The notebook's ``centerize``.

    Args:
        bands (np.ndarray): the lowest band first.

    Shape:
        [bands, ...] -> [bands, ...]

    Raises:
        DimensionError: no axes.

    Examples:
        >>> centre_out(np.arange(8)), centre_out(np.arange(7)), centre_out(np.arange(1))
        (array([7, 5, 3, 1, 0, 2, 4, 6]), array([5, 3, 1, 0, 2, 4, 6]), array([0]))
    """
    x = np.asarray(bands)
    if not x.ndim:
        raise DimensionError("bands without an axis; give at least one axis, bands first")
    return np.concatenate([x[1::2][::-1], x[0::2]])


def split_tiles(strip: Any, count: int) -> np.ndarray:
    """Cut a long strip into tiles that follow each other.

    Args:
        strip (np.ndarray): time from left to right.
        count (int): the number of tiles, >= 1, of which the columns are a multiple.

    Shape:
        [rows, count * columns, ...] -> [count, rows, columns, ...]

    Raises:
        DimensionError: fewer than two axes, or columns that are no multiple.

    Examples:
        >>> split_tiles(np.arange(4).reshape(1, 4), 2).tolist()
        [[[0, 1]], [[2, 3]]]

    See Also:
        assemble_tiles: puts them into a picture.
    """
    x = np.asarray(strip)
    if x.ndim < 2 or count < 1 or x.shape[1] % count:
        raise DimensionError(f"a strip of shape {x.shape} in {count} tiles; allowed: columns that are a multiple")
    return np.moveaxis(x.reshape(len(x), count, -1, *x.shape[2:]), 1, 0)


def assemble_tiles(tiles: Any, order: Any) -> np.ndarray:
    """Put tiles into a picture as blocks.

    Args:
        tiles (np.ndarray): tiles of one size, as many as ``order`` has cells.
        order (np.ndarray): the number of the tile in each cell, such as ``hilbert_order(16)``.

    Shape:
        [tiles, rows, columns, ...], [grid rows, grid columns] -> [grid rows * rows, grid columns * columns, ...]

    Raises:
        DimensionError: no tiles of two axes, or an order that is no matrix.
        DeclarationError: an order that does not place each tile once.

    Examples:
        >>> assemble_tiles(np.arange(8).reshape(4, 1, 2), [[0, 1], [3, 2]])
        array([[0, 1, 2, 3],
               [6, 7, 4, 5]])

    See Also:
        split_tiles; reading_order, quadtree_order and hilbert_order.
    """
    x, cells = np.asarray(tiles), np.asarray(order)
    if x.ndim < 3 or cells.ndim != 2:
        raise DimensionError(
            f"tiles of shape {x.shape} in an order of shape {cells.shape}; allowed: (tiles, rows, columns, ...) and "
            "(grid rows, grid columns)"
        )
    if not np.array_equal(np.sort(cells, axis=None), np.arange(len(x))):
        raise DeclarationError(f"an order of {cells.size} cells for {len(x)} tiles; allowed: each tile's number once")
    blocks = np.swapaxes(x[cells], 1, 2)  # (grid rows, rows, grid columns, columns, ...)
    return blocks.reshape(cells.shape[0] * x.shape[1], cells.shape[1] * x.shape[2], *x.shape[3:])


class Wrapping(NamedTuple):
    """How a recording is wrapped into rows.

    Args:
        rows (int): how many rows, one below the other.
        pixels_per_row (int): pixels from one row to the next; the last ones of a picture may be left.
        beats_per_row (float): beats in a row, a power of two; below 1 only for less than a beat.
    """

    rows: int
    pixels_per_row: int
    beats_per_row: float


def wrapping(total_beats: float, size: int) -> Wrapping:
    """Choose how many beats a row shows, so that a picture is about as wide in beats as it is high.

    Args:
        total_beats (float): beats in the recording, > 0.
        size (int): rows and columns of the picture, in pixels, >= 1.

    Raises:
        DeclarationError: an argument is out of range.

    Examples:
        >>> wrapping(400, 224), wrapping(2, 224), wrapping(0.4, 224)
        ... # doctest: +NORMALIZE_WHITESPACE
        (Wrapping(rows=18, pixels_per_row=12, beats_per_row=16.0),
         Wrapping(rows=1, pixels_per_row=159, beats_per_row=2.0),
         Wrapping(rows=1, pixels_per_row=224, beats_per_row=0.25))
    """
    if not (0 < total_beats < np.inf and size >= 1):
        raise DeclarationError(f"total_beats={total_beats!r}, size={size!r}; allowed: above 0, and 1 or more")
    pixels = min(size, max(_LOWEST_ROW, ceil(size / sqrt(total_beats))))
    rows = size // pixels
    return Wrapping(rows, pixels, 2.0 ** floor(log2(total_beats / rows)))
