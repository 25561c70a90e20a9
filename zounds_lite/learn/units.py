"""Units of what a step makes: dimensions stay where they still mean the same.

Function: ``like`` (forwards). Class: ``Received`` (backwards).
"""

from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits, IdentityDimension

__all__ = ["Received", "like"]

_IDENTITY = IdentityDimension()


def like(output: Any, received: Any, op: Any) -> Any:
    """Give the result of an op the units of what it received, as far as they still hold.

    Args:
        output (np.ndarray): what the op made; where it has units already, they are its own matter.
        received (np.ndarray): what it was given.
        op (Op): says what it keeps: all dimensions (``keeps_units``), the first one (``is_rowwise``), or none.
    """
    if not isinstance(received, ArrayWithUnits) or isinstance(output, ArrayWithUnits):
        return output
    if not isinstance(output, np.ndarray) or not output.ndim:
        return output
    dimensions = received.dimensions
    if getattr(op, "keeps_units", False) and output.shape == received.shape:
        return received._rewrap(output, dimensions)
    if getattr(op, "is_rowwise", False) and len(output) == len(received):
        return ArrayWithUnits(output, (dimensions[0], *(_IDENTITY,) * (output.ndim - 1)))
    return output


class Received:
    """What a step was given, without its data: enough to give it back its units.

    Args:
        data (np.ndarray): what the step was given.
    """

    def __init__(self, data: Any) -> None:
        self.shape, self.dtype = np.shape(data), np.asarray(data).dtype
        self.kind = type(data)
        self.keywords = data.kwargs() if isinstance(data, ArrayWithUnits) else None

    def restore(self, data: Any) -> Any:
        """Give what an inverse made the dtype, the class and the dimensions of what its step was given."""
        plain = np.asarray(data)
        if plain.dtype != self.dtype:
            if plain.dtype.kind == "c" and self.dtype.kind != "c":
                plain = plain.real
            if self.dtype.kind in "iu" and plain.dtype.kind == "f":
                plain = np.rint(plain)  # 2.9999999 was a 3
            plain = plain.astype(self.dtype)
        if self.keywords is None or plain.shape != self.shape:
            return plain
        return self.kind(plain, **self.keywords)
