"""The orders in which a line of time fills a square or a rectangle.

Goal: what is near in time stays near in the picture, and every cell is filled once. Conventions: an order is a matrix
of ranks, row 0 at the top; the cell with rank k shows the k-th stretch of time. Functions: ``reading_order``,
``quadtree_order``, ``hilbert_order`` and ``hilbert_curve``, the path itself.
"""

import numpy as np

from zounds_lite.errors import DeclarationError

__all__ = ["hilbert_curve", "hilbert_order", "quadtree_order", "reading_order"]

_MOST_ROWS = 1 << 15
"""A larger order would not fit into memory."""

_DEEPEST = 12
"""The finest Hilbert curve: 4096 x 4096 cells."""


def reading_order(rows: int, columns: int | None = None) -> np.ndarray:
    """Return the order of text: from left to right, then the next row.

    Args:
        rows (int): rows of cells, >= 1.
        columns (int | None): cells in a row, >= 1; None: as many as rows.

    Shape:
        -> [rows, columns]

    Raises:
        DeclarationError: no rows or no columns, or more than 32768.

    Examples:
        >>> reading_order(2, 3)
        array([[0, 1, 2],
               [3, 4, 5]])
    """
    rows, columns = _sizes(rows, columns)
    return np.arange(rows * columns).reshape(rows, columns)


def quadtree_order(rows: int, columns: int | None = None) -> np.ndarray:
    """Return the order of a quadtree: each quarter of a square is filled before the next one, and so are its quarters.

    Cells are ranked by their Morton code, the bits of row and column in turn, among those that are inside. So it is a
    permutation for every rectangle; for squares of a power of two it is the order that doubling gives.

    Args:
        rows (int): rows of cells, >= 1.
        columns (int | None): cells in a row, >= 1; None: as many as rows.

    Shape:
        -> [rows, columns]

    Raises:
        DeclarationError: no rows or no columns, or more than 32768.

    Examples:
        >>> quadtree_order(4)
        array([[ 0,  1,  4,  5],
               [ 2,  3,  6,  7],
               [ 8,  9, 12, 13],
               [10, 11, 14, 15]])
        >>> quadtree_order(3, 2)
        array([[0, 1],
               [2, 3],
               [4, 5]])

    See Also:
        hilbert_order: in which consecutive cells always touch.

    Sources:
        G. M. Morton, "A computer oriented geodetic data base and a new technique in file sequencing", IBM (1966).
    """
    rows, columns = _sizes(rows, columns)
    codes = 2 * _spread_bits(np.arange(rows))[:, None] + _spread_bits(np.arange(columns))
    ranks = np.empty(rows * columns, np.int64)
    ranks[np.argsort(codes, axis=None)] = np.arange(rows * columns)
    return ranks.reshape(rows, columns)


def hilbert_curve(order: int) -> np.ndarray:
    """Return the Hilbert curve as a path: the cells of a square of 2^order rows, each beside the one before.

    Four copies of the next coarser curve, the first and the last one mirrored so that their ends meet.

    Args:
        order (int): how many times the square is quartered, 0 to 12.

    Shape:
        -> [4^order, 2], (row, column) of cells around the centre: odd numbers from -(2^order - 1) to 2^order - 1; 0 for
        the only cell of order 0

    Raises:
        DeclarationError: an order that is out of range.

    Examples:
        >>> hilbert_curve(1).tolist()
        [[-1, -1], [-1, 1], [1, 1], [1, -1]]

    See Also:
        hilbert_order: the same as ranks.

    Sources:
        D. Hilbert, "Ueber die stetige Abbildung einer Linie auf ein Flächenstück", Mathematische Annalen 38 (1891).
    """
    if not isinstance(order, (int, np.integer)) or not 0 <= order <= _DEEPEST:
        raise DeclarationError(f"order={order!r} of a Hilbert curve; allowed: 0 to {_DEEPEST}")
    path = np.zeros((1, 2), np.int64)
    for level in range(int(order)):
        half, turned = 1 << level, path[:, ::-1]
        path = np.concatenate([turned + (-half, -half), path + (-half, half), path + half, -turned + (half, -half)])
    return path


def hilbert_order(rows: int) -> np.ndarray:
    """Return the order of the Hilbert curve: consecutive ranks are always in cells that share an edge.

    Args:
        rows (int): rows and columns of cells, a power of two from 1 to 4096.

    Shape:
        -> [rows, rows]

    Raises:
        DeclarationError: another number of rows.

    Examples:
        >>> hilbert_order(4)
        array([[ 0,  3,  4,  5],
               [ 1,  2,  7,  6],
               [14, 13,  8,  9],
               [15, 12, 11, 10]])

    See Also:
        quadtree_order: for rectangles of any size.
    """
    rows, _ = _sizes(rows, None)
    order = rows.bit_length() - 1
    if rows != 1 << order or order > _DEEPEST:
        raise DeclarationError(
            f"a Hilbert curve of {rows} rows; allowed: powers of two from 1 to {1 << _DEEPEST}; quadtree_order takes "
            "every rectangle"
        )
    cells = (hilbert_curve(order) + rows - 1) // 2
    ranks = np.empty((rows, rows), np.int64)
    ranks[cells[:, 0], cells[:, 1]] = np.arange(len(cells))
    return ranks


def _sizes(rows: int, columns: int | None) -> tuple[int, int]:
    columns = rows if columns is None else columns
    for name, size in (("rows", rows), ("columns", columns)):
        if not isinstance(size, (int, np.integer)) or not 1 <= size <= _MOST_ROWS:
            raise DeclarationError(f"{name}={size!r} of an order; allowed: a whole number from 1 to {_MOST_ROWS}")
    return int(rows), int(columns)


def _spread_bits(numbers: np.ndarray) -> np.ndarray:
    """Put a zero before each bit of numbers below 2^15."""
    out = np.zeros_like(numbers)
    for bit in range(15):
        out |= (numbers >> bit & 1) << (2 * bit)
    return out
