"""Values as levels of brightness.

Goal: one way from an array to what a picture shows of it, whoever draws. Conventions: complex numbers and values that
are never negative are magnitudes, drawn in decibels under the loudest one; values with a sign, such as levels in dB,
are drawn as they are. Names: ``Levels``, ``levels_of``, ``reduced``, ``group_edges``.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["LARGEST", "Levels", "group_edges", "levels_of", "reduced"]

_DARK_PERCENT, _CHOSEN_FLOORS_DB = 20, (-160.0, -40.0)
"""A floor that nobody named leaves this part of the picture darkest, and lies between these levels."""

LARGEST = 1e300
"""What is larger is drawn like this, and what differs by less than one part of it is the same: numbers have ends."""

_BLOCK_VALUES = 1 << 20
"""Values read at a time: an hour of stored spectrum is a memory map that is never held whole."""


def group_edges(length: int, groups: int) -> np.ndarray:
    """Return the bounds of ``groups`` nearly equal groups of ``length`` items.

    Args:
        length (int): items, >= ``groups``.
        groups (int): groups, >= 1.

    Examples:
        >>> group_edges(10, 4).tolist()
        [0, 2, 5, 7, 10]
    """
    return np.arange(groups + 1, dtype=np.int64) * length // groups


def reduced(array: np.ndarray, most_frames: int, most_bands: int) -> np.ndarray:
    """Reduce an array to what a picture has room for, by the largest value of each group.

    Of complex numbers the magnitudes count; NaN counts only where a group holds nothing else. The array is read in
    blocks, so that a memory map of hours is never held whole.

    Args:
        array (np.ndarray): numbers.
        most_frames (int): groups along the first axis, >= 1.
        most_bands (int): groups along the second axis, >= 1.

    Shape:
        ``[frames, bands] -> [<= most_frames, <= most_bands]``, float64

    Examples:
        >>> reduced(np.arange(12.0).reshape(4, 3), 2, 2)
        array([[ 3.,  5.],
               [ 9., 11.]])
    """
    frames, bands = array.shape
    edges = group_edges(frames, min(frames, most_frames))
    rows = group_edges(bands, min(bands, most_bands))[:-1]
    step = max(1, _BLOCK_VALUES // bands)
    columns = []
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        parts = (array[at : min(at + step, stop)] for at in range(start, stop, step))
        blocks = [np.fmax.reduce(abs(part) if part.dtype.kind == "c" else part, axis=0) for part in parts]
        columns.append(np.fmax.reduceat(np.fmax.reduce(blocks, axis=0), rows))
    return np.asarray(columns, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Levels:
    """What a picture shows of an array.

    Attributes:
        steps (np.ndarray): uint8, 0 (darkest) to 255, in the shape of the values.
        low (float): the value that is darkest, and all below it.
        high (float): the value that is brightest.
        is_db (bool): whether ``low`` and ``high`` are dB under the loudest value, or values as they are.
    """

    steps: np.ndarray
    low: float
    high: float
    is_db: bool


def levels_of(values: np.ndarray, floor_db: float | None = None, is_db: bool | None = None) -> Levels:
    """Map values to 0..255.

    Args:
        values (np.ndarray): real; those that are not finite are drawn as the lowest, +inf as the highest.
        floor_db (float | None): the darkest level of magnitudes, in dB under the loudest, < 0; None chooses one between
            -160 and -40 that leaves a fifth darkest.
        is_db (bool | None): draw in dB under the loudest; None: if no value is negative.

    Examples:
        >>> levels_of(np.array([1.0, 0.1, 0.0]), -40.0).steps.tolist()
        [255, 128, 0]
        >>> levels_of(np.array([-1.0, 1.0])).low
        -1.0
    """
    values = np.asarray(values, np.float64)
    finite = np.clip(values[np.isfinite(values)], -LARGEST, LARGEST)
    peak = finite.max(initial=-np.inf)
    if not finite.size or peak == finite.min() == 0.0:
        return Levels(np.zeros(values.shape, np.uint8), 0.0, 0.0, False)
    values = np.clip(np.nan_to_num(values, nan=finite.min()), finite.min(), peak)
    is_db = finite.min() >= 0.0 if is_db is None else is_db
    if is_db:
        with np.errstate(divide="ignore"):
            values = 20.0 * np.log10(values / peak)
        low, peak = _chosen_floor(values) if floor_db is None else floor_db, 0.0
    else:
        low = finite.min() if peak - finite.min() > 1 / LARGEST else peak
    span = peak - low or 1.0  # one value everywhere is its own peak, and as bright
    steps = np.rint(255.0 * np.clip(1.0 - (peak - values) / span, 0.0, 1.0)).astype(np.uint8)
    return Levels(steps, float(low), float(peak), bool(is_db))


def _chosen_floor(db: np.ndarray) -> float:
    """Choose the darkest level: power needs twice the range of amplitude, and noise less than tones."""
    return float(np.clip(np.percentile(np.maximum(db, _CHOSEN_FLOORS_DB[0]), _DARK_PERCENT), *_CHOSEN_FLOORS_DB))
