"""The one module that may run stored bytes as code, and only for features declared with ``trust=True``.

Unpickling runs whatever the bytes say. Nothing else in the library imports pickle; a feature gets here by its own
declaration, never by what a store holds.
"""

import pickle
from typing import Any

__all__ = ["dumps", "loads"]


def dumps(value: Any) -> bytes:
    """Pickle ``value``; the caller has checked that its feature was declared with ``trust=True``."""
    return pickle.dumps(value, protocol=5)


def loads(data: bytes) -> Any:
    """Unpickle ``data``; the caller has checked that its feature was declared with ``trust=True``."""
    return pickle.loads(data)
