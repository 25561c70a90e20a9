"""Row buffers for streaming nodes.

Goal: blocks of a fixed number of rows, however a stream was cut, so that arithmetic that depends on the number of rows
(matrix products) gives the same bits for a stream as for the whole. Conventions: rows are axis 0; units are kept. Type:
``Aligned``.
"""

from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError

__all__ = ["Aligned"]


class Aligned:
    """Hands rows on in multiples of ``block``, counted from the first one.

    Units stay with the rows: what a dimension says of the whole stream (how many samples it had) stays with its end.

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
        joined = self._joined()
        rest = self._rows - ready
        self._tail = [_like(np.asarray(joined)[ready:], joined)] if rest else []
        self._rows = rest
        # slicing drops what a dimension says of the end of the stream, which belongs to the rows that stay here
        return joined[:ready] if rest else joined

    def finish(self) -> Any:
        """Return the rows that are left, or None; no rows, where the last chunk had none but may know of the end."""
        rows = self._joined() if self._tail else None
        self._tail, self._rows = [], 0
        return rows

    def _joined(self) -> Any:
        if len(self._tail) == 1:
            return self._tail[0]
        return _like(np.concatenate([np.asarray(rows) for rows in self._tail]), self._tail[-1])


def _like(rows: np.ndarray, example: Any) -> Any:
    """Give plain rows the class and units of ``example``, where it has any."""
    from_example = getattr(type(example), "from_example", None)
    return rows if from_example is None else from_example(rows, example)
