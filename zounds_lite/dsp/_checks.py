"""Checks of arguments that several files here share.

Functions: ``check_rate``, ``check_real``, ``fit_length``.
"""

import numpy as np

from zounds_lite.errors import DeclarationError, SampleRateError

__all__ = ["check_rate", "check_real", "fit_length"]


def check_rate(name: str, sr: int) -> None:
    """Refuse a sample rate that is not a positive integer.

    Raises:
        SampleRateError: names the argument and the value.
    """
    if not isinstance(sr, (int, np.integer)) or isinstance(sr, bool) or sr < 1:
        raise SampleRateError(f"{name}={sr!r}: a sample rate is a positive integer, in Hz")


def check_real(x: np.ndarray, what: str, hint: str) -> None:
    """Refuse an array that does not hold real numbers.

    Raises:
        DeclarationError: names what was given, and what to do.
    """
    if x.dtype.kind not in "fiub":
        raise DeclarationError(f"{what} of {x.dtype}: only real numbers are taken here; {hint}")


def fit_length(x: np.ndarray, length: int) -> np.ndarray:
    """Cut an array, or fill it with zeros, to ``length`` along axis 0; a cut is a view."""
    if len(x) >= length:
        return x[:length]
    return np.concatenate([x, np.zeros((length - len(x), *x.shape[1:]), x.dtype)])
