"""Rounds: whether training goes on in rounds, each on new samples, or is done in one go.

A model that learns in rounds says so while it runs one, and nodes that train ask. Functions: ``in_rounds``,
``learns_in_rounds``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["in_rounds", "learns_in_rounds"]

_IN_ROUNDS: ContextVar[bool] = ContextVar("in_rounds", default=False)


@contextmanager
def in_rounds() -> Iterator[None]:
    """Say that what is trained inside is one round of several."""
    token = _IN_ROUNDS.set(True)
    try:
        yield
    finally:
        _IN_ROUNDS.reset(token)


def learns_in_rounds() -> bool:
    """Tell whether training is one round of several.

    Examples:
        >>> learns_in_rounds()
        False
        >>> with in_rounds():
        ...     learns_in_rounds()
        True
    """
    return _IN_ROUNDS.get()
