"""A row of the table, and measures that sections share."""

from typing import NamedTuple

import numpy as np


class Row(NamedTuple):
    """One line: what was measured, the figure, the figure that is asked for, and whether it is reached."""

    what: str
    figure: str
    target: str
    good: bool


def snr_db(signal: np.ndarray, found: np.ndarray) -> float:
    """Ratio of a signal's energy to that of the error of what was found instead, in decibels."""
    signal = np.asarray(signal, np.float64)
    error = np.asarray(found, np.float64) - signal
    return float(10 * np.log10(np.sum(signal**2) / max(np.sum(error**2), 1e-300)))


def at_least(what: str, figure: float, bar: float, unit: str = "", also: bool = True) -> Row:
    """A row whose figure must reach a bar; NaN never does."""
    return Row(what, f"{figure:.4g} {unit}".rstrip(), f">= {bar:g} {unit}".rstrip(), bool(figure >= bar) and also)


def at_most(what: str, figure: float, bar: float, unit: str = "", also: bool = True) -> Row:
    """A row whose figure must stay below a bar; NaN never does."""
    return Row(what, f"{figure:.3g} {unit}".rstrip(), f"<= {bar:g} {unit}".rstrip(), bool(figure <= bar) and also)
