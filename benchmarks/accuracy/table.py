"""Measures that sections share, and rows of the table."""

import numpy as np

from benchmarks.harness import Row

__all__ = ["Row", "at_least", "at_most", "snr_db"]


def snr_db(signal: np.ndarray, found: np.ndarray) -> float:
    """Ratio of a signal's energy to that of the error of what was found instead, in decibels."""
    signal = np.asarray(signal, np.float64)
    error = np.asarray(found, np.float64) - signal
    return float(10 * np.log10(np.sum(signal**2) / max(np.sum(error**2), 1e-300)))


def at_least(what: str, figure: float, bar: float, unit: str = "", also: bool = True) -> Row:
    """A row whose figure must reach a bar; NaN never does."""
    row = Row.at_least(what, figure, bar, unit, digits=4)
    return row._replace(reached=row.reached and also)


def at_most(what: str, figure: float, bar: float, unit: str = "", also: bool = True) -> Row:
    """A row whose figure must stay below a bar; NaN never does."""
    row = Row.at_most(what, figure, bar, unit)
    return row._replace(reached=row.reached and also)
