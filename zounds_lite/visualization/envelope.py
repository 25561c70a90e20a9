"""The outline of a waveform.

Goal: hours of samples are drawn as fast as a second of them, and are never held. Convention: each pixel column shows
the lowest and the highest of its samples, so that no click falls between two of them. Function: ``envelope``.
"""

from typing import Any

import numpy as np

from zounds_lite.visualization.levels import group_edges

__all__ = ["envelope"]

_BLOCK_VALUES = 1 << 20
"""Samples read at a time."""


def envelope(samples: Any, most_columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest sample of each pixel column.

    The samples are read in blocks, so that a memory map of hours is never held whole. Of complex numbers the magnitudes
    count; NaN counts only where a column holds nothing else.

    Args:
        samples (np.ndarray): at least one sample.
        most_columns (int): columns, >= 1; fewer where there are fewer samples.

    Shape:
        ``[time] -> [<= most_columns]``, twice, float64

    Examples:
        >>> low, high = envelope(np.array([1, 5, 2, -4, 0, 3]), 2)
        >>> low.tolist(), high.tolist()
        ([1.0, -4.0], [5.0, 3.0])
    """
    samples = np.asarray(samples)
    edges = group_edges(len(samples), min(len(samples), most_columns))
    step = max(1, _BLOCK_VALUES * (len(edges) - 1) // len(samples))
    pairs = [_extremes(samples, edges[at : at + step + 1]) for at in range(0, len(edges) - 1, step)]
    return np.concatenate([low for low, _ in pairs]), np.concatenate([high for _, high in pairs])


def _extremes(samples: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the extremes between each edge and the next; a column longer than a block is read in several."""
    first, last = int(edges[0]), int(edges[-1])
    inside = edges[:-1] - first
    if len(inside) > 1:
        block = _real(samples[first:last])
        return np.fmin.reduceat(block, inside), np.fmax.reduceat(block, inside)
    blocks = [_real(samples[at : min(at + _BLOCK_VALUES, last)]) for at in range(first, last, _BLOCK_VALUES)]
    low = np.fmin.reduce([np.fmin.reduce(block) for block in blocks])
    high = np.fmax.reduce([np.fmax.reduce(block) for block in blocks])
    return np.array([low]), np.array([high])


def _real(block: np.ndarray) -> np.ndarray:
    return (abs(block) if block.dtype.kind == "c" else block).astype(np.float64)
