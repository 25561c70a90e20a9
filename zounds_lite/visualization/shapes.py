"""The shapes that SVG figures are made of.

Goal: text, pictures, frames and axes as elements of SVG, each written once. Conventions: places are in pixels from the
top left corner; every text is escaped. Names: ``Frame``, ``svg``, ``text``, ``image``, ``rectangle``, ``note``,
``bottom_axis``, ``left_axis``, ``right_ticks``, ``round_values``.

Sources:
    W3C, Scalable Vector Graphics (SVG) 2, 2018: 5.1 (svg), 11 (text), 12.3 (image).
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10

from zounds_lite.featureflow.display import escaped
from zounds_lite.visualization.axes import Axis

__all__ = [
    "Frame",
    "bottom_axis",
    "image",
    "left_axis",
    "note",
    "rectangle",
    "right_ticks",
    "round_values",
    "svg",
    "text",
]

_TICK = 4
_LINE = 'fill="none" stroke="currentColor" stroke-opacity="0.6"'


@dataclass(frozen=True)
class Frame:
    """A part of a figure, in pixels.

    Attributes:
        left (float): of its left edge.
        top (float): of its top edge.
        width (float): how wide it is.
        height (float): how high it is.
    """

    left: float
    top: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        """Where its bottom edge is."""
        return self.top + self.height

    @property
    def right(self) -> float:
        """Where its right edge is."""
        return self.left + self.width

    @property
    def middle(self) -> tuple[float, float]:
        """Where its middle is."""
        return self.left + self.width / 2, self.top + self.height / 2


def svg(width: float, height: float, title: str, parts: Iterable[str], fits: bool = True) -> str:
    """Put parts together to a figure.

    Args:
        width (float): pixels.
        height (float): pixels.
        title (str): says what is seen, to those who do not see it.
        parts (Iterable[str]): elements.
        fits (bool): where the page is narrower, so is the figure.

    Examples:
        >>> svg(2, 1, "a & b", [])[-30:]
        '<title>a &amp; b</title></svg>'
    """
    style = "max-width:100%;height:auto" if fits else "max-width:none"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" style="{style}" '
        f'font-family="sans-serif" font-size="11" fill="currentColor">'
        f"<title>{escaped(title)}</title>{''.join(parts)}</svg>"
    )


def text(x: float, y: float, words: str, anchor: str = "middle", turned: bool = False) -> str:
    """Write words.

    Args:
        x (float): where they are, by ``anchor``.
        y (float): their base line.
        words (str): what to write.
        anchor (str): "start", "middle" or "end" of the words is at x.
        turned (bool): write upwards.
    """
    turn = f' transform="rotate(-90 {x:.6g} {y:.6g})"' if turned else ""
    return f'<text x="{x:.6g}" y="{y:.6g}" text-anchor="{anchor}"{turn}>{escaped(words)}</text>'


def image(png: bytes, frame: Frame) -> str:
    """Fill a frame with a PNG picture, each pixel a sharp rectangle.

    Args:
        png (bytes): the picture.
        frame (Frame): where it goes.
    """
    data = base64.b64encode(png).decode("ascii")
    return (
        f'<image x="{frame.left:.6g}" y="{frame.top:.6g}" width="{frame.width:.6g}" height="{frame.height:.6g}" '
        f'preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
    )


def rectangle(frame: Frame, fill: str | None = None) -> str:
    """Draw a frame's border, or fill it with a colour."""
    look = _LINE if fill is None else f'fill="{fill}"'
    return (
        f'<rect x="{frame.left:.6g}" y="{frame.top:.6g}" width="{frame.width:.6g}" height="{frame.height:.6g}" {look}/>'
    )


def note(words: str, frame: Frame) -> str:
    """Write a remark under a frame, at its right, beside the label of the axis."""
    return text(frame.right, frame.bottom + 34, words, "end")


def bottom_axis(axis: Axis, frame: Frame) -> str:
    """Draw the axis under a frame: entries side by side fill its width."""
    scale = frame.width / max(1, axis.size)
    places = [(frame.left + at * scale, words) for at, words in axis.ticks]
    ticks = _ticks(f"M{x:.6g} {frame.bottom:.6g}v{_TICK}" for x, _ in places)
    numbers = "".join(text(x, frame.bottom + 16, words) for x, words in places)
    return ticks + numbers + text(frame.middle[0], frame.bottom + 34, axis.label)


def left_axis(axis: Axis, frame: Frame, label: bool = True) -> str:
    """Draw the axis beside a frame: entry 0 is at the bottom, and entries fill its height."""
    scale = frame.height / max(1, axis.size)
    places = [(frame.bottom - at * scale, words) for at, words in axis.ticks]
    ticks = _ticks(f"M{frame.left:.6g} {y:.6g}h-{_TICK}" for y, _ in places)
    numbers = "".join(text(frame.left - 7, y + 4, words, "end") for y, words in places)
    return ticks + numbers + (text(14, frame.middle[1], axis.label, turned=True) if label else "")


def right_ticks(low: float, high: float, label: str, frame: Frame) -> str:
    """Write round values beside a frame, at its right: ``low`` is at the bottom, ``high`` at the top."""
    places = [(frame.bottom - (v - low) / (high - low) * frame.height, words) for v, words in round_values(low, high)]
    ticks = _ticks(f"M{frame.right:.6g} {y:.6g}h{_TICK}" for y, _ in places)
    numbers = "".join(text(frame.right + 7, y + 4, words, "start") for y, words in places)
    return ticks + numbers + text(frame.right + 54, frame.middle[1], label, turned=True)


def _ticks(strokes: Iterable[str]) -> str:
    path = "".join(strokes)
    return f'<path d="{path}" {_LINE}/>' if path else ""


def round_values(low: float, high: float, most: int = 6) -> list[tuple[float, str]]:
    """Return round values from ``low`` to ``high``, and how they are written.

    Args:
        low (float): the lowest.
        high (float): the highest, above ``low``.
        most (int): how many there may be, >= 2.

    Examples:
        >>> [words for _, words in round_values(-83.0, 0.0)]
        ['-80', '-60', '-40', '-20', '0']
        >>> [words for _, words in round_values(-1.0, 1.0)]
        ['-1.0', '-0.5', '0.0', '0.5', '1.0']
    """
    exponent = floor(log10((high - low) / most))
    steps = (digit * 10.0**power for power in (exponent, exponent + 1) for digit in (1, 2, 5))
    step = next(step for step in steps if floor(high / step + 1e-9) - ceil(low / step - 1e-9) < most)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    decimals = max(0, -floor(log10(step)))
    values = [k * step for k in range(first, last + 1)]
    if decimals > 4 or max(abs(low), abs(high)) >= 1e7:
        return [(value, f"{value:.4g}") for value in values]
    return [(value, f"{value + 0.0:.{decimals}f}") for value in values]
