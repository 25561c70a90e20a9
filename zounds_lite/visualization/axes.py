"""The axes of a picture: where on it a second and a hertz lie.

Goal: every picture, with matplotlib or without, gets its labels and ticks from the dimensions of the array.
Conventions: positions count entries: 0 is the lower edge of entry 0, 0.5 its middle, and ``size`` the upper edge of the
last one. Entries are drawn side by side, each as wide as the next; so a window of time is drawn around its middle, a
band around its centre, and values between them are interpolated. That makes an axis of mel, bark or logarithmic bands
come out right without knowing its formula. Times are in seconds from the start of the signal, as far as the dimension
notes it; frequencies are in hertz. An axis without units counts its entries. Names: ``Axis``, ``axis_of`` (label and
ticks), ``Ruler``, ``ruler_of`` (positions of values, and back).
"""

from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, log10
from typing import Any

import numpy as np

from zounds_lite._declared.values import picoseconds
from zounds_lite._span import PICOSECONDS
from zounds_lite.core import Dimension
from zounds_lite.errors import DeclarationError
from zounds_lite.spectral import (
    ChromaScale,
    EllisChromaScale,
    ExplicitFrequencyDimension,
    FrequencyDimension,
    FrequencyScale,
)
from zounds_lite.timeseries import TimeDimension

__all__ = ["Axis", "Ruler", "axis_of", "covered_seconds", "ruler_of"]

_PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

_ROUND_DIGITS = ((1,), (1, 3), (1, 2, 5))
"""First digits of round numbers, one set per way of dividing an axis on which each decade takes about the same room."""

_CROWDED = 1.6
"""Ticks may lie this many times closer than if they divided the axis evenly."""


@dataclass(frozen=True)
class Axis:
    """What to write along one side of a picture.

    Args:
        label (str): the quantity and its unit, such as ``"time / s"``.
        size (int): entries along the axis.
        ticks (tuple[tuple[float, str], ...]): positions, in entries from the lower edge of the first one, and what to
            write there; positions rise, and lie within 0 and ``size``.
    """

    label: str
    size: int
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, eq=False)
class Ruler:
    """Positions along an axis and the values there, both rising; straight lines lie between the knots.

    Args:
        label (str): the quantity and its unit.
        size (int): entries along the axis.
        positions (np.ndarray): positions of the knots, in entries; at least two.
        values (np.ndarray): values at the knots, in the unit of the label.

    Examples:
        >>> ruler = Ruler("time / s", 4, np.array([0.0, 4.0]), np.array([3.0, 5.0]))
        >>> ruler.position_of(4.0), ruler.value_at(1.0)
        (2.0, 3.5)
    """

    label: str
    size: int
    positions: np.ndarray
    values: np.ndarray

    def position_of(self, value: Any) -> Any:
        """Return where values lie, in entries; beyond the knots the last line goes on.

        Args:
            value (float | np.ndarray): one value, or an array of any shape.
        """
        return _line(value, self.values, self.positions)

    def value_at(self, position: Any) -> Any:
        """Return the values at positions; the way back of ``position_of``.

        Args:
            position (float | np.ndarray): one position in entries, or an array of any shape.
        """
        return _line(position, self.positions, self.values)

    @cached_property
    def is_straight(self) -> bool:
        """Whether equal steps of the value are equal steps on the axis, to a thousandth of it."""
        ends = np.interp(self.values, self.values[[0, -1]], self.positions[[0, -1]])
        return bool(np.abs(ends - self.positions).max() <= 1e-3 * max(1, self.size))


def _line(at: Any, x: np.ndarray, y: np.ndarray) -> Any:
    """Interpolate between knots, and go on straight beyond them."""
    at = np.asarray(at, dtype=np.float64)
    k = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    result = y[k] + (at - x[k]) * (y[k + 1] - y[k]) / (x[k + 1] - x[k])
    return result if result.ndim else float(result)


def ruler_of(dimension: Dimension | None, size: int) -> Ruler | None:
    """Return where values lie along an axis.

    Args:
        dimension (Dimension | None): what the axis means; None, and any kind that is neither time nor frequency, is
            counted by index.
        size (int): entries along the axis, >= 0.

    Returns:
        Ruler | None: None for an axis whose entries have no order in hertz: pitch classes, and bands whose centres do
        not rise.

    Examples:
        >>> from zounds_lite.spectral import FFTScale
        >>> ruler = ruler_of(FrequencyDimension(FFTScale(8000, 256)), 129)
        >>> ruler.label, ruler.position_of(1000.0)
        ('frequency / Hz', 32.5)
    """
    if isinstance(dimension, TimeDimension):
        start, step = _clock(dimension)
        return Ruler("time / s", size, np.array([0.0, 1.0]), np.array([start, start + step]))
    if isinstance(dimension, (FrequencyDimension, ExplicitFrequencyDimension)):
        return _frequency_ruler(dimension, size)
    return Ruler("index", size, np.array([0.0, 1.0]), np.array([-0.5, 0.5]))


def _clock(dimension: TimeDimension) -> tuple[float, float]:
    """Return where the picture of the first element begins, and how far it is to the next one, in seconds."""
    start = 0.0 if dimension.start is None else picoseconds(dimension.start) / PICOSECONDS
    if dimension.rate is None or dimension.hop is None or dimension.window is None:
        step = picoseconds(dimension.frequency) / PICOSECONDS
        return start + (picoseconds(dimension.duration) / PICOSECONDS - step) / 2, step
    samples = (dimension.window - dimension.hop) / 2 - (dimension.padding or 0)
    return start + samples / dimension.rate, dimension.hop / dimension.rate


def covered_seconds(dimension: TimeDimension, size: int) -> tuple[float, float]:
    """Return where the signal begins and ends of which an axis holds windows, in seconds.

    The first window is drawn around its middle, so its picture begins later; one that was padded begins earlier.

    Args:
        dimension (TimeDimension): the axis.
        size (int): its elements, >= 0.

    Examples:
        >>> covered_seconds(TimeDimension.windowed(hop=50, window=100, rate=100), 5)
        (0.0, 3.0)
    """
    start = 0.0 if dimension.start is None else picoseconds(dimension.start) / PICOSECONDS
    if dimension.rate is None or dimension.hop is None or dimension.window is None:
        step, length = (picoseconds(x) / PICOSECONDS for x in (dimension.frequency, dimension.duration))
        return start, start + max(step, (size - 1) * step + length)
    samples = (size - 1) * dimension.hop + dimension.window - (dimension.padding or 0)
    whole = dimension.n_samples
    if whole is not None and abs(whole - samples) <= max(dimension.hop, dimension.window):
        samples = whole  # the last window reaches a little further than the signal, or not quite as far
    return start, start + max(1, samples) / dimension.rate


def _bands(dimension: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles of the bands that have elements, as positions and in hertz."""
    centers = np.asarray(dimension.scale.center_frequencies)
    if isinstance(dimension, FrequencyDimension):
        return np.arange(len(centers)) + 0.5, centers
    slices = [(part.start, part.stop) for part in dimension.slices]
    edges = np.array(slices, dtype=np.float64).reshape(-1, 2)
    is_there = edges[:, 1] > edges[:, 0]
    return edges[is_there].mean(axis=1), centers[is_there]


def _frequency_ruler(dimension: Any, size: int) -> Ruler | None:
    label = "frequency / Hz"
    if isinstance(dimension.scale, (ChromaScale, EllisChromaScale)):
        return None
    positions, hertz = _bands(dimension)
    if len(hertz) == 0:
        return Ruler(label, size, np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    if len(hertz) == 1:
        band = dimension.scale.bands[0]
        width = band.bandwidth / max(1, size)
        return Ruler(label, size, positions[0] + np.array([-0.5, 0.5]), hertz[0] + width * np.array([-0.5, 0.5]))
    if np.diff(hertz).min() <= 0:
        return None
    return Ruler(label, size, positions, hertz)


def axis_of(dimension: Dimension | None, size: int, max_ticks: int = 8) -> Axis:
    """Return what to write along one side of a picture.

    Args:
        dimension (Dimension | None): what the axis means; None is an axis without units.
        size (int): entries along the axis, >= 0; without any there are no ticks.
        max_ticks (int): how many ticks there is room for, >= 1.

    Returns:
        Axis: ticks at round seconds, round frequencies, names of pitch classes, or indices.

    Raises:
        DeclarationError: no room for any tick, or a negative size.

    Examples:
        >>> from zounds_lite.spectral import FrequencyBand, MelScale
        >>> axis = axis_of(TimeDimension.windowed(512, 512, 1024), 6)
        >>> axis.label, axis.ticks[:3]
        ('time / s', ((0.0, '0.0'), (1.0, '0.5'), (2.0, '1.0')))
        >>> mel = axis_of(FrequencyDimension(MelScale(FrequencyBand(20, 8000), 128)), 128)
        >>> [text for _, text in mel.ticks]
        ['100', '500', '1000', '2000', '5000']
        >>> axis_of(None, 3)
        Axis(label='index', size=3, ticks=((0.5, '0'), (1.5, '1'), (2.5, '2')))
    """
    if max_ticks < 1 or size < 0:
        raise DeclarationError(f"max_ticks={max_ticks} on an axis of size={size}; allowed: max_ticks >= 1, size >= 0")
    ruler = ruler_of(dimension, size)
    if ruler is None:
        return _named(dimension, size, max_ticks)
    if size == 0:
        return Axis(ruler.label, 0, ())
    low, high = ruler.value_at(0.0), ruler.value_at(float(size))
    whole = ruler.label == "index"
    values = _evenly(low, high, max_ticks, whole)
    if not ruler.is_straight:
        # equal steps with one left out are no longer equal
        ways = [
            even
            for even in (values, _evenly(low, high, (max_ticks + 1) // 2, whole))
            if _has_room(ruler, even, max_ticks)
        ]
        ways += [_thinned(ruler, _by_decade(digits, low, high), max_ticks) for digits in _ROUND_DIGITS]
        values = min(ways, key=lambda values: _widest_gap(ruler, values))
    texts = _texts(values)
    return Axis(ruler.label, size, tuple(zip(np.ravel(ruler.position_of(values)).tolist(), texts, strict=True)))


def _named(dimension: Any, size: int, max_ticks: int) -> Axis:
    """Name each band by its pitch class, or by its own centre."""
    scale: FrequencyScale = dimension.scale
    if isinstance(scale, (ChromaScale, EllisChromaScale)):
        first = _PITCH_CLASSES.index(scale.first)
        names = [_PITCH_CLASSES[(first + k) % 12] for k in range(size)]
        return Axis("pitch class", size, _spread([(k + 0.5, name) for k, name in enumerate(names)], max(12, max_ticks)))
    positions, hertz = _bands(dimension)
    named = [(float(at), f"{value:.4g}") for at, value in zip(positions, hertz, strict=True)]
    return Axis("frequency / Hz", size, _spread(named, max_ticks))


def _spread(ticks: list[tuple[float, str]], max_ticks: int) -> tuple[tuple[float, str], ...]:
    """Keep every n-th of too many ticks."""
    return tuple(ticks[:: max(1, ceil(len(ticks) / max_ticks))])


def _evenly(low: float, high: float, max_ticks: int, whole: bool) -> list[float]:
    """Return multiples of a round step, the smallest that gives no more than ``max_ticks``."""
    exponent = floor(log10((high - low) / max_ticks))
    exponent = max(exponent, 0) if whole else exponent
    for digit in (1, 2, 5, 10, 20, 50):
        first, last = ceil(low / (digit * 10.0**exponent) - 1e-9), floor(high / (digit * 10.0**exponent) + 1e-9)
        if last - first < max_ticks:
            break
    # multiplied or divided by a whole number, so that 0.3 is the nearest number to 0.3
    scaled = (lambda k: k * digit * 10**exponent) if exponent >= 0 else (lambda k: k * digit / 10**-exponent)
    return [float(scaled(k)) for k in range(first, last + 1)]


def _by_decade(digits: tuple[int, ...], low: float, high: float) -> list[float]:
    """Return numbers with one round digit between two bounds, the roundest first."""
    values = [0.0] if low <= 0 <= high else []
    if high > 0:
        top = floor(log10(high))
        bottom = floor(log10(low)) if low > 0 else top - 5
        values += [float(d * 10.0**e) for d in digits for e in range(top, bottom - 1, -1)]
    return [value for value in values if low <= value <= high]


def _thinned(ruler: Ruler, values: list[float], max_ticks: int) -> list[float]:
    """Drop values, the later the sooner, until there is room for each."""
    room = ruler.size / (max_ticks * _CROWDED)
    kept: list[float] = []
    for value in values:
        at = ruler.position_of(value)
        if len(kept) < max_ticks and all(abs(at - ruler.position_of(other)) >= room for other in kept):
            kept.append(value)
    return sorted(kept)


def _has_room(ruler: Ruler, values: list[float], max_ticks: int) -> bool:
    return len(_thinned(ruler, values, max_ticks)) == len(values)


def _widest_gap(ruler: Ruler, values: list[float]) -> float:
    positions = [0.0, *np.ravel(ruler.position_of(values)).tolist(), float(ruler.size)]
    return float(np.diff(positions).max())


def _texts(values: list[float]) -> list[str]:
    """Write all values with as many decimals as the finest needs."""
    texts = [np.format_float_positional(value, trim="-") for value in values]
    decimals = max((len(text.partition(".")[2]) for text in texts), default=0)
    return [f"{value + 0.0:.{decimals}f}" for value in values]
