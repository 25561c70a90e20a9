"""Arrays over time and frequency, or over any two axes, as pictures with units.

Goal: a picture that says where it is in seconds and hertz, and how loud in decibels, from the dimensions of the array
alone. Conventions: time runs to the right; the lowest frequency, or the first entry, is at the bottom; 0 dB is the
loudest value unless a reference is named. Large arrays are reduced by the largest value of each pixel, block by block.
Functions: ``plot_spectrogram``, ``plot_chromagram``, ``plot_histogram``.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite._lazy import optional
from zounds_lite.core import Dimension, IdentityDimension
from zounds_lite.dsp.level import amplitude_to_db, power_to_db
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral import (
    ChromaScale,
    EllisChromaScale,
    ExplicitFrequencyDimension,
    FrequencyDimension,
)
from zounds_lite.timeseries import TimeDimension
from zounds_lite.visualization.histogram import amplitude_histogram
from zounds_lite.visualization.levels import reduced
from zounds_lite.visualization.plots.figure import columns_of, finish, on_axes
from zounds_lite.visualization.plots.image import (
    MOST_PIXELS,
    colour_bar as draw_colour_bar,
    draw_values,
    place,
    place_side,
    say_empty,
)

__all__ = ["plot_chromagram", "plot_histogram", "plot_spectrogram"]

_MEASURES = ("amplitude", "power", "value")

_BLOCK_VALUES = 1 << 20
"""Values read at a time."""


def dimensions_of(array: Any) -> tuple[Dimension | None, ...]:
    """Return the dimensions of an array; None for each axis of one without units."""
    return getattr(array, "dimensions", (None,) * np.ndim(array))


def is_frequency(dimension: Any) -> bool:
    """Tell whether an axis is one of frequencies."""
    return isinstance(dimension, (FrequencyDimension, ExplicitFrequencyDimension))


def check_numbers(array: Any, *ndim: int) -> None:
    """Refuse what is not an array of numbers with as many axes.

    Raises:
        DimensionError: another number of axes.
        DeclarationError: no numbers.
    """
    plain = np.asarray(array)
    if plain.dtype.kind not in "biufc":
        raise DeclarationError(f"an array of {plain.dtype} has no picture; allowed: numbers")
    if plain.ndim not in ndim:
        allowed = " or ".join(map(str, ndim))
        raise DimensionError(f"an array of shape {plain.shape}; allowed: {allowed} axes; take a part of it, or plot()")


def plot_spectrogram(
    array: Any,
    axes: Any = None,
    measure: str | None = None,
    floor_db: float = -80.0,
    ref: float | None = None,
    label: str | None = None,
    colour_bar: bool = True,
    title: str | None = None,
    path: str | Path | None = None,
) -> Any:
    """Draw an array over time and frequency, on any scale, or over any two axes.

    Args:
        array (ArrayWithUnits | np.ndarray): real or complex; frequency may come first or second. An array without
            units is drawn by index.
        axes (matplotlib.axes.Axes | None): where to draw; None: a new figure.
        measure (str | None): what the values are: ``"amplitude"`` and ``"power"`` are drawn in dB, ``"value"`` as they
            are. None: amplitudes if they are complex, and if none is negative where there is a frequency axis or no
            unit at all; otherwise values.
        floor_db (float): level that is darkest, in dB under 0 dB, < 0.
        ref (float | None): the amplitude or power at 0 dB, > 0, which is brightest; None: the loudest of all.
        label (str | None): what the colour bar says, quantity and unit; None: ``"level / dB"``, or ``"value"``.
        colour_bar (bool): write beside the picture which colour is which level.
        title (str | None): what to write above the picture.
        path (str | Path | None): write the figure to this file, too; see ``save``.

    Shape:
        ``[time, frequency]`` or ``[frequency, time]``, or any two axes, of which the first runs to the right

    Returns:
        matplotlib.axes.Axes: what was drawn on; it counts in seconds and hertz.

    Raises:
        DimensionError: not two axes.
        DeclarationError: no numbers, another measure, a floor that is not below 0, or a reference that is not above it.
        OptionalDependencyError: matplotlib is not installed.

    Examples:
        >>> from zounds_lite.spectral import stft
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> axes = plot_spectrogram(stft(tone), title="440 Hz")
        >>> axes.get_xlabel(), axes.get_ylabel(), axes.get_title()
        ('time / s', 'frequency / Hz', '440 Hz')

    See Also:
        spectrogram_png: a picture without axes, and without matplotlib.
    """
    check_numbers(array, 2)
    _check_levels(measure, floor_db, ref)
    axes = on_axes(axes)
    plain, extent = _placed(array, axes)
    if plain.size:
        if measure is None:
            measure = _measure_of(array)
        values = _in_units(plain, measure, floor_db, ref)
        limits, quantity = (_limits(values), "value") if measure == "value" else ((floor_db, 0.0), "level / dB")
        _draw(axes, values, extent, limits, (label or quantity) if colour_bar else None)
    return finish(axes, title, path)


def _placed(array: Any, axes: Any) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Give axes the units of an array; return its values, time or the first axis first, and where its image lies."""
    dimensions, plain = dimensions_of(array), np.asarray(array)
    is_time = [isinstance(dimension, TimeDimension) for dimension in dimensions]
    if (is_time[1] and not is_time[0]) or (is_frequency(dimensions[0]) and not is_frequency(dimensions[1])):
        dimensions, plain = dimensions[::-1], plain.T
    extent = place(axes, (dimensions[0], plain.shape[0]), (dimensions[1], plain.shape[1]))
    if not plain.size:
        say_empty(axes)
    return plain, extent


def _check_levels(measure: str | None, floor_db: float, ref: float | None) -> None:
    if measure is not None and measure not in _MEASURES:
        raise DeclarationError(f"measure={measure!r}; allowed: {', '.join(map(repr, _MEASURES))}, or None")
    if not -np.inf < floor_db < 0:
        raise DeclarationError(f"floor_db={floor_db}: a level under 0 dB is wanted, for example -80")
    if ref is not None and not 0 < ref < np.inf:
        raise DeclarationError(f"ref={ref}: the value at 0 dB is above 0; None takes the loudest")


def _measure_of(array: Any) -> str:
    """Tell what values are: those of spectra, and those without any units, are amplitudes unless they have a sign."""
    dimensions, plain = dimensions_of(array), np.asarray(array)
    is_plain = all(dimension is None or isinstance(dimension, IdentityDimension) for dimension in dimensions)
    is_spectrum = plain.dtype.kind != "b" and (is_plain or any(map(is_frequency, dimensions)))
    return "amplitude" if plain.dtype.kind == "c" or (is_spectrum and not _is_signed(plain)) else "value"


def _is_signed(plain: np.ndarray) -> bool:
    """Tell whether any value is negative, reading block by block."""
    if plain.dtype.kind in "cub":
        return False
    step = max(1, _BLOCK_VALUES // max(1, plain[:1].size))
    return any(bool((plain[at : at + step] < 0).any()) for at in range(0, len(plain), step))


class _Magnitudes:
    """The magnitudes of an array, taken when a block is read."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.shape = array.shape

    def __getitem__(self, index: Any) -> np.ndarray:
        part = self._array[index]
        # the lowest integer has no magnitude among integers
        return np.abs(part.astype(np.float64) if part.dtype.kind == "i" else part)


def _in_units(plain: np.ndarray, measure: str, floor_db: float, ref: float | None) -> np.ndarray:
    """Return one value per pixel: a level in dB, or the value itself; what is no number stays NaN."""
    if measure == "value":
        values = reduced(plain, *MOST_PIXELS)
        return np.clip(values, *_limits(values))
    values = reduced(_Magnitudes(plain), *MOST_PIXELS)  # type: ignore[arg-type]  # read like an array
    # silence has no loudest value: all of it is at the floor
    top = ref or float(values[np.isfinite(values)].max(initial=0.0)) or 1.0
    if measure == "amplitude":
        db = amplitude_to_db(values, top, top * 10.0 ** (floor_db / 20.0), None)
    else:
        db = power_to_db(values, top, top * 10.0 ** (floor_db / 10.0), None)
    return np.clip(db, floor_db, 0.0)


def levels_in_common(arrays: Iterable[Any]) -> dict[str, Any]:
    """Return ``measure`` and ``ref`` with which several arrays are drawn so that their levels can be compared."""
    arrays = list(arrays)
    if any(_measure_of(array) == "value" for array in arrays):
        return {"measure": "value"}
    # read like arrays, block by block
    parts = [_Magnitudes(np.asarray(array)) for array in arrays if np.size(array)]
    peaks = np.array([reduced(part, 1, 1) for part in parts])  # type: ignore[arg-type]
    return {"measure": "amplitude", "ref": float(peaks[np.isfinite(peaks)].max(initial=0.0)) or None}


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Return the lowest and the highest value that is one, and never the same."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _draw(axes: Any, values: np.ndarray, extent: Any, limits: tuple[float, float], label: str | None) -> None:
    """Draw one value per pixel, and what the colours mean where there is a label for it."""
    norm = optional("matplotlib.colors").Normalize(*limits)
    if label is not None:
        draw_colour_bar(axes, norm, label)
    draw_values(axes, values, extent, norm)


def plot_chromagram(
    chroma: Any,
    axes: Any = None,
    first: str = "C",
    colour_bar: bool = True,
    title: str | None = None,
    path: str | Path | None = None,
) -> Any:
    """Draw how strong each of the twelve pitch classes is, over time.

    Args:
        chroma (ArrayWithUnits): the result of ``chroma_stft`` or ``chroma``; it is drawn as it is.
        axes (matplotlib.axes.Axes | None): where to draw; None: a new figure.
        first (str): the class that comes first: "C", as ``chroma_stft`` has it, or "A", as a ``ChromaScale`` has it
            unless told otherwise. An axis that knows its scale is named by that.
        colour_bar (bool): write beside the picture which colour is which strength.
        title (str | None): what to write above the picture.
        path (str | Path | None): write the figure to this file, too; see ``save``.

    Shape:
        ``[time, 12]``

    Returns:
        matplotlib.axes.Axes: what was drawn on; the first class is at the bottom.

    Raises:
        DimensionError: not twelve pitch classes.
        DeclarationError: no numbers, or a class that cannot come first.
        OptionalDependencyError: matplotlib is not installed.

    Examples:
        >>> from zounds_lite.spectral import chroma_stft, stft
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> axes = plot_chromagram(chroma_stft(stft(tone)))
        >>> [label.get_text() for label in axes.get_yticklabels()][9]
        'A'
    """
    check_numbers(chroma, 2)
    plain, (time, classes) = np.asarray(chroma), dimensions_of(chroma)
    if plain.shape[1] != 12:
        raise DimensionError(f"a chromagram of shape {plain.shape}; allowed: (time, 12), as chroma_stft gives it")
    if not is_chroma(classes):
        classes = FrequencyDimension(EllisChromaScale(first=first))
    axes = on_axes(axes)
    extent = place(axes, (time, len(plain)), (classes, 12))
    if not plain.size:
        say_empty(axes)
        return finish(axes, title, path)
    values = _in_units(plain, "value", -1.0, None)
    low, high = _limits(values)
    _draw(axes, values, extent, (min(0.0, low), high), "strength" if colour_bar else None)
    return finish(axes, title, path)


def is_chroma(dimension: Any) -> bool:
    """Tell whether an axis is one of pitch classes."""
    return is_frequency(dimension) and isinstance(dimension.scale, (ChromaScale, EllisChromaScale))


def plot_histogram(
    samples: Any,
    axes: Any = None,
    n_bins: int = 200,
    value_range: tuple[float, float] = (-1.0, 1.0),
    colour_bar: bool = True,
    title: str | None = None,
    path: str | Path | None = None,
) -> Any:
    """Draw how often each amplitude occurs, over time: loudness, clipping and offsets at one glance.

    Args:
        samples (AudioSamples | np.ndarray): real samples; channels are averaged.
        axes (matplotlib.axes.Axes | None): where to draw; None: a new figure.
        n_bins (int): ranges of amplitude, >= 1.
        value_range (tuple[float, float]): lowest and highest amplitude.
        colour_bar (bool): write beside the picture which colour is how frequent.
        title (str | None): what to write above the picture.
        path (str | Path | None): write the figure to this file, too; see ``save``.

    Shape:
        ``[time]`` or ``[time, channels]``

    Returns:
        matplotlib.axes.Axes: what was drawn on; it counts in seconds and amplitudes.

    Raises:
        DimensionError: more than two axes.
        DeclarationError: complex samples, no bins, or a range that does not rise.
        OptionalDependencyError: matplotlib is not installed.

    Examples:
        >>> from zounds_lite.timeseries import SR8000, AudioSamples
        >>> axes = plot_histogram(AudioSamples(np.sin(np.arange(8000.0)), SR8000()))
        >>> axes.get_ylabel()
        'amplitude'

    See Also:
        amplitude_histogram: the numbers.
    """
    check_numbers(samples, 1, 2)
    axes = on_axes(axes)
    bottom, top = map(float, value_range)
    time = (dimensions_of(samples)[0], len(samples))
    extent = (*place_side(axes, "x", time), bottom, top)
    axes.set_ylim(bottom, top)
    axes.set_ylabel("amplitude")
    if not np.size(samples):
        say_empty(axes)
        return finish(axes, title, path)
    norm = optional("matplotlib.colors").Normalize(0.0, 1.0)
    if colour_bar:
        draw_colour_bar(axes, norm, "count / largest count")
    # a few columns less than pixels, for none is then lost between two
    columns = max(1, columns_of(axes) * 2 // 3)
    counts = np.asarray(amplitude_histogram(samples, min(columns, len(samples)), n_bins, (bottom, top)))
    draw_values(axes, counts.T, extent, norm)
    return finish(axes, title, path)
