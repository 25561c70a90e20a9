"""Row buffers for streaming nodes.

Goal: rows handed on in other portions than they came in. Conventions: rows are axis 0; units are kept, and what a
dimension says of the whole stream (how many samples it had) stays with its end. Types: ``Aligned`` (blocks of a fixed
number of rows, so that arithmetic that depends on the number of rows, such as matrix products, gives the same bits for
a stream as for the whole), ``Rows`` (any number of rows at a time, so that streams can be joined).
"""

from collections import deque
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError

__all__ = ["Aligned", "Rows"]


class Aligned:
    """Hands rows on in multiples of ``block``, counted from the first one.

    Args:
        block (int): rows in a block, >= 1.

    Raises:
        DeclarationError: a block without rows.

    Examples:
        >>> buffer = Aligned(block=4)
        >>> buffer.push(np.arange(3)) is None
        True
        >>> buffer.push(np.arange(3, 10)), buffer.finish()
        (array([0, 1, 2, 3, 4, 5, 6, 7]), array([8, 9]))
    """

    def __init__(self, block: int = 64) -> None:
        if block < 1:
            raise DeclarationError(f"block={block!r}; allowed: at least one row")
        self._block = int(block)
        self._tail: list[Any] = []
        self._rows = 0

    def push(self, rows: Any) -> Any:
        """Take rows in, and return all complete blocks.

        Args:
            rows (np.ndarray): rows of one stream, with or without units; they are not copied, so they must not be
                changed until they were returned.

        Returns:
            np.ndarray | None: a multiple of ``block`` rows, or None.
        """
        if self._tail and not len(self._tail[-1]):
            self._tail.pop()  # chunks without rows say nothing but what the last of them knows of the end
        self._tail.append(rows)
        self._rows += len(rows)
        ready = self._rows - self._rows % self._block
        if ready == 0:
            return None
        joined = _joined(self._tail)
        rest = self._rows - ready
        self._tail = [_like(np.asarray(joined)[ready:], joined)] if rest else []
        self._rows = rest
        # slicing drops what a dimension says of the end of the stream, which belongs to the rows that stay here
        return joined[:ready] if rest else joined

    def finish(self) -> Any:
        """Return the rows that are left, or None; no rows, where the last chunk had none but may know of the end."""
        rows = _joined(self._tail) if self._tail else None
        self._tail, self._rows = [], 0
        return rows


class Rows:
    """A queue of rows, taken out in any number.

    Examples:
        >>> rows = Rows()
        >>> rows.push(np.arange(3))
        >>> rows.push(np.arange(3, 5))
        >>> len(rows), rows.take(4), len(rows)
        (5, array([0, 1, 2, 3]), 1)
    """

    def __init__(self) -> None:
        self._pieces: deque[Any] = deque()
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    @property
    def only_the_end(self) -> bool:
        """True where no rows are left, but a chunk without rows, which may know of the end."""
        return not self._rows and bool(self._pieces)

    def push(self, rows: Any) -> None:
        """Put rows at the end; they are not copied, so they must not be changed until they were taken."""
        self._pieces.append(rows)
        self._rows += len(rows)

    def take(self, count: int) -> Any:
        """Take rows from the front.

        The last of all rows, and what their dimensions say of the end, are taken together.

        Args:
            count (int): how many, 0 to all.

        Returns:
            np.ndarray | None: the rows; None where nothing was pushed.
        """
        taken: list[Any] = []
        left = count
        while self._pieces and (left or not len(self._pieces[0])):
            piece = self._pieces.popleft()
            if len(piece) > left:
                self._pieces.appendleft(_like(np.asarray(piece)[left:], piece))
                piece = piece[:left]
            taken.append(piece)
            left -= len(piece)
        self._rows -= count - left
        return _joined(taken) if taken else None


def _joined(pieces: list[Any]) -> Any:
    if len(pieces) == 1:
        return pieces[0]
    return _like(np.concatenate([np.asarray(rows) for rows in pieces]), pieces[-1])


def _like(rows: np.ndarray, example: Any) -> Any:
    """Give plain rows the class and units of ``example``, where it has any."""
    from_example = getattr(type(example), "from_example", None)
    return rows if from_example is None else from_example(rows, example)
