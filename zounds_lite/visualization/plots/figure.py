"""Figures to draw on, and the files they become.

Goal: pictures with matplotlib that leave no trace: ``pyplot`` and its list of open figures are never touched, and a
figure is forgotten with the last name that holds it. Conventions: matplotlib loads on first use; what is drawn on axes
of one's own is left to their figure; axes and figures made here show themselves in a notebook. Names: ``save``;
``on_axes`` and ``new_figure`` for who draws, ``finish`` for what all pictures do last.
"""

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from zounds_lite._lazy import optional
from zounds_lite.errors import DeclarationError, OutputError

__all__ = ["columns_of", "finish", "new_figure", "on_axes", "save"]

_DPI = 110

_UNDATED = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "svgz": {"Date": None}}
"""A picture of the same values is the same file on another day."""


@cache
def _kinds() -> tuple[Any, Any]:
    """The figure and the axes of matplotlib, showing themselves; classes made when matplotlib is first needed."""

    plain_figure: Any = optional("matplotlib.figure").Figure
    plain_axes: Any = optional("matplotlib.axes").Axes

    class ShownFigure(plain_figure):
        """A figure that a notebook shows as a picture, whatever its backend."""

        def _repr_png_(self) -> bytes:
            return _encoded(self, "png")

    class ShownAxes(plain_axes):
        """Axes that a notebook shows as the picture of their figure."""

        def _repr_png_(self) -> bytes:
            return _encoded(_root(self), "png")

    return ShownFigure, ShownAxes


def _root(drawn: Any) -> Any:
    """Return the figure of axes, of a part of a figure, or the figure itself."""
    return drawn.figure.canvas.figure


def new_figure(width: float, height: float) -> Any:
    """Return a figure that no list holds, with room for labels.

    Args:
        width (float): inches.
        height (float): inches.
    """
    figure, _ = _kinds()
    return figure(figsize=(width, height), dpi=_DPI, layout="constrained")


def on_axes(axes: Any, width: float = 10.0, height: float = 4.0) -> Any:
    """Return the axes that were given, or those of a new figure.

    Args:
        axes (matplotlib.axes.Axes | None): axes to draw on.
        width (float): inches, of a new figure.
        height (float): inches, of a new figure.

    Raises:
        DeclarationError: something that is no axes.
        OptionalDependencyError: matplotlib is not installed.
    """
    _, kind = _kinds()
    if axes is None:
        return new_figure(width, height).add_subplot(axes_class=kind)
    if not isinstance(axes, optional("matplotlib.axes").Axes):
        raise DeclarationError(
            f"axes={axes!r}; allowed: axes of matplotlib, such as those of figure.subplots(), or None for a new figure"
        )
    return axes


def columns_of(axes: Any) -> int:
    """Return about how many columns of pixels axes have; labels may still change it a little."""
    return max(1, round(axes.bbox.width))


def finish(drawn: Any, title: str | None, path: str | Path | None) -> Any:
    """Write the title and the file where they are asked for, and return what was drawn.

    Args:
        drawn (matplotlib.axes.Axes | matplotlib.figure.Figure): what was drawn.
        title (str | None): what to write above it.
        path (str | Path | None): see ``save``.
    """
    if title is not None:
        write = getattr(drawn, "set_title", None) or drawn.suptitle
        write(title)
    if path is not None:
        save(drawn, path)
    return drawn


def save(drawn: Any, path: str | Path, dpi: float | None = None) -> Path:
    """Write a figure to a file, whole or not at all.

    Args:
        drawn (matplotlib.axes.Axes | matplotlib.figure.Figure): a figure, or axes, whose whole figure is written.
        path (str | Path): the file; its ending says which format: ``.png``, ``.svg``, ``.pdf`` or another one that
            matplotlib knows.
        dpi (float | None): pixels per inch, > 0; None: those of the figure.

    Returns:
        Path: the file written.

    Raises:
        DeclarationError: an ending that matplotlib does not know, or none.
        OutputError: the file cannot be written.

    Examples:
        >>> import tempfile
        >>> import numpy as np
        >>> from zounds_lite.visualization import plot
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(plot(np.eye(8)), f"{folder}/diagonal.png").name
        'diagonal.png'
    """
    path = Path(path)
    figure = _root(drawn)
    known = figure.canvas.get_supported_filetypes()
    kind = path.suffix.lower().removeprefix(".")
    if kind not in known:
        raise DeclarationError(f"a picture as {path.name!r}; allowed: a name that ends in .{', .'.join(sorted(known))}")
    data = _encoded(figure, kind, dpi)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise OutputError(
            f"the picture {str(path)!r} cannot be written: {error.strerror or error}; name a file in a folder that is "
            "there and may be written to"
        ) from error
    return path


def _encoded(figure: Any, kind: str, dpi: float | None = None) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format=kind, dpi="figure" if dpi is None else dpi, metadata=_UNDATED.get(kind))
    return buffer.getvalue()
