"""Audio, series and spectra of one moment, as lines with axes.

Goal: a recording of any length in one figure, each channel in a band of its own. Conventions: amplitudes run upwards;
where there are more samples than columns, a column runs from the lowest to the highest of its samples; what is not a
number (NaN) is a gap, and infinity ends at the edge. Function: ``lines_svg``.
"""

import numpy as np

from zounds_lite.core import Dimension, IdentityDimension
from zounds_lite.spectral import ExplicitFrequencyDimension, FrequencyDimension
from zounds_lite.timeseries import AudioSamples
from zounds_lite.visualization.axes import Axis, axis_of
from zounds_lite.visualization.envelope import envelope
from zounds_lite.visualization.levels import LARGEST, levels_of
from zounds_lite.visualization.shapes import Frame, bottom_axis, left_axis, note, rectangle, round_values, svg, text
from zounds_lite.visualization.summary import summary

__all__ = ["lines_svg"]

_WIDTH, _LEFT, _TOP, _INNER = 760, 64, 10, 680
_ALONE, _OF_SEVERAL, _APART = 150, 90, 14
"""Height of a channel, alone and among others, and what is between two."""

_MOST_CHANNELS = 8
_QUIET = 0.1
"""Audio whose peak is lower is drawn larger than full scale."""

_MOST = 2 * LARGEST
"""Stands for infinity."""

_INK = "#2f6db5"
"""Reads on white and on black."""

_LINE, _DOT = 1.5, 5.0
"""How thick a line and a value alone are, in pixels."""


def lines_svg(array: np.ndarray, floor_db: float | None = None) -> str:
    """Draw an array of one axis, or audio of several channels.

    Args:
        array (np.ndarray): numbers; of complex ones the magnitudes are drawn.
        floor_db (float | None): lowest level of a spectrum, in dB under its loudest band, < 0; None chooses one.

    Shape:
        ``[time]``, ``[time, channels]`` or ``[bands]``

    Returns:
        str: an ``svg`` element.

    Examples:
        >>> lines_svg(np.arange(5.0)).count("<path")
        3
    """
    plain = np.asarray(array)
    plain = plain[:, None] if plain.ndim == 1 else plain
    channels = plain.T[:_MOST_CHANNELS]
    dimension = getattr(array, "dimensions", (IdentityDimension(),))[0]
    height = _ALONE if len(channels) < 2 else _OF_SEVERAL
    frames = [Frame(_LEFT, _TOP + k * (height + _APART), _INNER, height) for k in range(max(1, len(channels)))]
    parts = [rectangle(frame) for frame in frames]
    if plain.size:
        drawn = [_Drawn(channel, dimension, floor_db) for channel in channels]
        low, high, label = _range(array, drawn)
        parts += [part for one, frame in zip(drawn, frames, strict=True) for part in one.draw(low, high, frame)]
        middle = (frames[0].top + frames[-1].bottom) / 2
        parts.append(text(14, middle, label, turned=True))
        parts += _remarks(plain, drawn, frames[-1])
    else:
        parts.append(text(*frames[0].middle, "empty: no values"))
    parts.append(bottom_axis(axis_of(dimension, len(plain)), frames[-1]))
    return svg(_WIDTH, frames[-1].bottom + 44, summary(array), parts)


class _Drawn:
    """The lowest and highest value of each column of a channel.

    Args:
        channel (np.ndarray): its values, (n,), at least one.
        dimension (Dimension): what its axis means.
        floor_db (float | None): the lowest level of a spectrum.
    """

    def __init__(self, channel: np.ndarray, dimension: Dimension, floor_db: float | None) -> None:
        self.n = len(channel)
        self.level: tuple[float, float] | None = None
        if isinstance(dimension, (FrequencyDimension, ExplicitFrequencyDimension)):
            channel = self._levels(np.abs(channel) if channel.dtype.kind == "c" else channel.astype(float), floor_db)
        self.low, self.high = (np.clip(values, -_MOST, _MOST) for values in envelope(channel, _INNER))

    def _levels(self, values: np.ndarray, floor_db: float | None) -> np.ndarray:
        """Return a spectrum in dB, where its values are magnitudes."""
        found = levels_of(values, floor_db)
        if not found.is_db:
            return values
        self.level = found.low, found.high
        with np.errstate(divide="ignore"):
            return np.maximum(20 * np.log10(values / np.nanmax(values[np.isfinite(values)])), found.low)

    @property
    def finite(self) -> np.ndarray:
        """The lowest and highest values that are finite."""
        both = np.concatenate([self.low, self.high])
        return both[abs(both) < _MOST]

    def draw(self, low: float, high: float, frame: Frame) -> list[str]:
        """Draw it between two amplitudes."""
        scale = frame.height / (high - low)
        # what is infinite ends at the edge, as does nothing else
        tops, bottoms = (frame.bottom - (np.clip(v, low, high) - low) * scale for v in (self.high, self.low))
        x = frame.left + (np.arange(len(tops)) + 0.5) * frame.width / len(tops)
        ticks = tuple(
            ((v - low) * scale, words) for v, words in round_values(low, high, 5 if frame.height == _ALONE else 3)
        )
        shape = _strokes(x, tops) if self.n <= _INNER else _area(x, tops, bottoms)
        return [shape, left_axis(Axis("", int(frame.height), ticks), frame, label=False)]


def _runs(values: np.ndarray) -> list[slice]:
    """Return where values are numbers, one slice for each run of them."""
    is_there = np.concatenate([[False], ~np.isnan(values), [False]])
    edges = np.flatnonzero(is_there[1:] != is_there[:-1])
    return [slice(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _points(x: np.ndarray, y: np.ndarray) -> str:
    return "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))


def _strokes(x: np.ndarray, y: np.ndarray) -> str:
    """A line through all values of each run; one value alone is a dot."""
    runs = _runs(y)
    lines = "".join(f"M{_points(x[run], y[run])}" for run in runs if run.stop - run.start > 1)
    dots = "".join(f"M{_points(x[run], y[run])}h0" for run in runs if run.stop - run.start == 1)
    look = f'fill="none" stroke="{_INK}" stroke-linejoin="round" stroke-linecap="round"'
    paths = ((lines, _LINE), (dots, _DOT))
    return "".join(f'<path d="{path}" {look} stroke-width="{width:g}"/>' for path, width in paths if path)


def _area(x: np.ndarray, tops: np.ndarray, bottoms: np.ndarray) -> str:
    """The area between the lowest and highest values of each run; silence is a thin line."""
    path = ""
    for run in _runs(tops):
        upper, lower = tops[run] - _LINE / 2.5, bottoms[run] + _LINE / 2.5
        at = x[run]
        if len(at) == 1:  # one column has a width too
            at, upper, lower = at + np.array([-0.5, 0.5]), upper.repeat(2), lower.repeat(2)
        path += f"M{_points(at, upper)}L{_points(at[::-1], lower[::-1])}Z"
    return f'<path d="{path}" fill="{_INK}"/>' if path else ""


def _range(array: np.ndarray, drawn: list[_Drawn]) -> tuple[float, float, str]:
    """Return the lowest and highest amplitude of the figure, and what they mean."""
    if drawn[0].level is not None:
        return *drawn[0].level, "dB under the loudest"
    finite = np.concatenate([one.finite for one in drawn])
    low, high = float(finite.min(initial=0.0)), float(finite.max(initial=0.0))
    if isinstance(array, AudioSamples) and array.dtype.kind in "fi":
        full = 1.0 if array.dtype.kind == "f" else float(np.iinfo(array.dtype).max)
        peak = max(-low, high)
        peak = full if peak < 1 / LARGEST or _QUIET * full <= peak <= full else peak * 1.05
        return -peak, peak, "amplitude"
    if finite.size:
        low, high = float(finite.min()), float(finite.max())
    room = next(room for room in ((high - low) * 0.05, abs(high) * 0.05, 1.0) if room > 1 / LARGEST)
    return low - room, high + room, "value"


def _remarks(plain: np.ndarray, drawn: list[_Drawn], frame: Frame) -> list[str]:
    said = []
    if plain.shape[1] > len(drawn):
        said.append(f"the first {len(drawn)} of {plain.shape[1]} channels")
    if any(np.isnan(one.high).any() for one in drawn):
        said.append("gaps: no number (NaN)")
    return [note("; ".join(said), frame)] if said else []
