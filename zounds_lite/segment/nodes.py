"""Onset detection in streams.

Goal: slices of time that begin where something begins to sound, the same for any chunks. Conventions: the first
dimension is time. A detection function is cut into windows by ``SlidingWindow``, with half a window (``w // 2``) of
padding before and after it, so that each of its values is once in the centre.

Nodes: ``MeasureOfTransience``, ``ComplexDomain``, ``SpectralFlux``, ``Flux`` (detection functions),
``MovingAveragePeakPicker`` (slices), ``Tempo`` (a number).
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from zounds_lite._declared.values import picoseconds
from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp.onset import moving_average_peaks
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.featureflow import Locality, Node, Pointwise, Recent
from zounds_lite.segment.features import slices_only
from zounds_lite.segment.functional import (
    complex_domain,
    measure_of_transience,
    relative_flux,
    spectral_distance,
    spectral_flux,
    tempo,
)
from zounds_lite.segment.slices import SliceStream
from zounds_lite.timeseries import TimeDimension, TimeSlice

__all__ = ["ComplexDomain", "Flux", "MeasureOfTransience", "MovingAveragePeakPicker", "SpectralFlux", "Tempo"]


class _FrameByFrame(Node):
    """Compares each spectrum with the one before, also with the last one of the chunk before."""

    footprint = Recent(1)

    def _compared(self, spectra: Any, previous: np.ndarray | None) -> ArrayWithUnits:
        raise NotImplementedError(f"{type(self).__name__} does not say how it compares")

    def _first_chunk(self, data: Any) -> Any:
        self._previous: np.ndarray | None = None
        return data

    def _process(self, data: Any) -> Iterator[Any]:
        yield self._compared(data, self._previous)
        if len(data):
            self._previous = np.array(data[-1])


class MeasureOfTransience(_FrameByFrame):
    """Measures how suddenly the high-frequency content of spectra rises.

    Args:
        needs (Node): gives complex spectra or their magnitudes.

    Shape:
        [frames, bins] -> [frames], real

    Raises:
        DimensionError: the first dimension is none of time, or there is no axis of bins.

    Sources:
        As for ``dsp.onset.measure_of_transience``.
    """

    revision = 1

    def _compared(self, spectra: Any, previous: np.ndarray | None) -> ArrayWithUnits:
        return measure_of_transience(spectra, previous)


class SpectralFlux(_FrameByFrame):
    """Measures how much the bins of spectra rise, on average: the detection function for music.

    Args:
        gamma (float): compression of magnitudes, log(1 + gamma |X|), >= 0; 0: none.
        reach (int): neighbours on each side of a bin that may explain a rise, >= 0.
        half_life (np.timedelta64 | None): divide by how loud it has been lately, which is forgotten by half in this
            time; None: the values grow with the level.
        needs (Node): gives complex spectra or their magnitudes.

    Shape:
        [frames, bins] -> [frames], real

    Raises:
        DimensionError: the first dimension is none of time, or there is no axis of bins.
        DeclarationError: ``gamma`` or ``reach`` is negative, or ``half_life`` is no positive duration.

    Sources:
        As for ``dsp.onset.spectral_flux``.
    """

    revision = 1

    def __init__(
        self, gamma: float = 0.0, reach: int = 2, half_life: np.timedelta64 | None = None, needs: Any = None
    ) -> None:
        super().__init__(needs=needs)
        if not gamma >= 0 or reach < 0:
            raise DeclarationError(f"gamma={gamma!r}, reach={reach!r}; allowed: 0 or more")
        _check_duration("half_life", half_life)
        self.gamma = gamma
        self.reach = reach
        self.half_life = half_life
        self._loudest = 0.0

    def locality(self, example: Any) -> Locality | None:
        return self.footprint if self.half_life is None else None  # the loudest frame may lie far back

    def _compared(self, spectra: Any, previous: np.ndarray | None) -> ArrayWithUnits:
        if self.half_life is None:
            return spectral_flux(spectra, previous, self.gamma, self.reach)
        values, self._loudest = relative_flux(spectra, self.half_life, previous, self.gamma, self.reach, self._loudest)
        return values


def _check_duration(name: str, value: Any) -> None:
    if value is not None and (not isinstance(value, np.timedelta64) or picoseconds(value) <= 0):
        raise DeclarationError(f"{name}={value!r}; allowed: a positive duration such as Milliseconds(50), or None")


class Flux(_FrameByFrame):
    """Measures the Euclidean distance from each magnitude spectrum to the one before.

    Args:
        unit_norm (bool): scale each spectrum to a length of one first, so that only its shape counts.
        needs (Node): gives complex spectra or their magnitudes.

    Shape:
        [frames, bins] -> [frames], real

    Raises:
        DimensionError: the first dimension is none of time, or there is no axis of bins.
    """

    revision = 1

    def __init__(self, unit_norm: bool = False, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.unit_norm = unit_norm

    def _compared(self, spectra: Any, previous: np.ndarray | None) -> ArrayWithUnits:
        return spectral_distance(spectra, previous, self.unit_norm)


class ComplexDomain(Node):
    """Measures how badly two spectra predict the next one, in magnitude and phase.

    Args:
        needs (Node): gives windows of complex spectra: a ``SlidingWindow`` over the frames of an ``FFT``, with three
            frames or more, of which three count. With one frame of padding before (``padwith=1``), value k lies at
            frame k; without it, the values lie one frame early.

    Shape:
        [windows, 3 or more, bins] -> [windows], real

    Raises:
        DimensionError: the first two dimensions are none of time, or there are fewer than three frames in a window.

    Sources:
        As for ``dsp.onset.complex_domain``.
    """

    revision = 1
    footprint = Pointwise()

    def _process(self, data: Any) -> Iterator[Any]:
        yield complex_domain(data)


class MovingAveragePeakPicker(Node):
    """Cuts time into slices that begin at the peaks of a detection function.

    A peak is a local maximum in the centre of its window, column w // 2, that exceeds ``factor`` * aggregate(window) +
    ``delta``. The slices follow each other: the first one starts at zero, and the last one ends where the sound ends,
    if the stream knows how many samples it had, as all that began with ``SlidingWindow`` does.

    Args:
        aggregate (Callable): of windows, called with ``axis=1``, such as ``np.mean`` or ``np.median``.
        needs (Node): gives windows of a detection function, cut by ``SlidingWindow`` with ``padwith = w // 2``, so that
            window k has value k in its centre; with the same ``padend``, the last values are looked at, too.
        factor (float): how far a peak must stand out of its surroundings.
        delta (float): by how much a peak must exceed them besides, in the unit of the detection function.
        spacing (np.timedelta64 | None): what begins sooner than this after an onset belongs to it; None: nothing does.
        padding (int): samples before the signal that the first frame covers: ``padwith`` of the ``SlidingWindow``
            that cut the sound.

    Shape:
        [windows, w] -> ``VariableRateTimeSeries`` without data

    Raises:
        DimensionError: not two dimensions, both of time, or fewer than three columns.
        DeclarationError: ``aggregate`` cannot be called, ``spacing`` is no positive duration, or ``padding`` is
            negative.

    See Also:
        with_onsets, with_flux_onsets: graphs that use it. TimeSliceFeature: stores the slices.
    """

    revision = 1

    def __init__(
        self,
        aggregate: Callable[..., Any] = np.mean,
        needs: Any = None,
        factor: float = 1.25,
        delta: float = 0.0,
        spacing: np.timedelta64 | None = None,
        padding: int = 0,
    ) -> None:
        super().__init__(needs=needs)
        if not callable(aggregate):
            raise DeclarationError(f"aggregate={aggregate!r}; allowed: a function such as np.mean")
        _check_duration("spacing", spacing)
        if padding < 0:
            raise DeclarationError(f"padding={padding!r}; allowed: a whole number of samples, 0 or more")
        self.aggregate = aggregate
        self.factor = factor
        self.delta = delta
        self.spacing = spacing
        self.padding = padding

    def _first_chunk(self, data: Any) -> Any:
        dimensions: Any = getattr(data, "dimensions", ())
        if len(dimensions) != 2 or not all(isinstance(dimension, TimeDimension) for dimension in dimensions):
            raise DimensionError(
                f"{type(data).__name__} with dimensions {dimensions!r}; needed: windows of a detection function, as "
                "SlidingWindow cuts them"
            )
        self._slices = SliceStream(dimensions[0], dimensions[1], self.padding, self.spacing)
        self._frame, self._centre = dimensions[1], data.shape[1] // 2
        self._ending = dimensions[0]
        self._held = np.asarray(data)[:0]
        self._outside = self._centre  # columns of the next window that lie before the detection function
        return data

    def _process(self, data: Any) -> Iterator[Any]:
        self._ending = data.dimensions[0]
        windows = np.concatenate([self._held, np.asarray(data)])
        # as many windows as may reach beyond the end, if it is near
        known = max(0, len(windows) - self._centre - 1)
        self._held = windows[known:].copy()
        slices = self._slices_of(windows[:known])
        if slices:
            yield slices_only(slices)

    def _slices_of(self, windows: np.ndarray, after: int = 0) -> list[TimeSlice]:
        before, self._outside = self._outside, max(0, self._outside - len(windows))
        peaks = moving_average_peaks(windows, self.aggregate, self.factor, self.delta, before, after)
        return self._slices.push(peaks)

    def _last_chunk(self) -> Iterator[Any]:
        if not hasattr(self, "_slices"):
            return
        self._check_padding()
        slices = self._slices_of(self._held, self._zeros_at_the_end())
        slices += self._slices.finish(self._ending.n_samples)
        if slices:
            yield slices_only(slices)

    def _zeros_at_the_end(self) -> int:
        """Count the last columns of the last window that hold nothing, whether they are padding or silence."""
        filled = np.flatnonzero(self._held[-1]) if len(self._held) else [0]
        return self._held.shape[1] - 1 - int(filled[-1]) if len(filled) else 0

    def _check_padding(self) -> None:
        """Note it where the slices lie beside the sound, which is known only now."""
        if self._ending.padding is None or self._frame.hop is None:
            return
        shift = self._ending.padding - self.padding - self._centre * self._frame.hop
        if shift:
            self.mark(
                "shifted",
                f"the slices are {shift} samples late: windows of a detection function need padwith={self._centre}, "
                "and the picker needs the padding of the SlidingWindow that cut the sound, padding=",
            )


class Tempo(Node):
    """Estimates the tempo of a detection function: one number of beats per minute, at the end.

    Args:
        start_bpm (float): centre of the prior.
        std_octaves (float): width of the prior, in octaves, > 0.
        min_bpm, max_bpm (float): bounds of the result.
        needs (Node): gives a detection function, such as ``SpectralFlux``.

    Shape:
        [frames] -> float; 0.0 where there is no beat

    Raises:
        DimensionError: not one dimension, of time.
        DeclarationError: an argument is out of its range.

    Sources:
        As for ``dsp.beat.tempo``.
    """

    revision = 1

    def __init__(
        self,
        start_bpm: float = 120.0,
        std_octaves: float = 1.0,
        min_bpm: float = 30.0,
        max_bpm: float = 320.0,
        needs: Any = None,
    ) -> None:
        super().__init__(needs=needs)
        if not (start_bpm > 0 and std_octaves > 0 and 0 < min_bpm < max_bpm):
            raise DeclarationError(
                f"start_bpm={start_bpm!r}, std_octaves={std_octaves!r}, min_bpm={min_bpm!r}, max_bpm={max_bpm!r}; "
                "allowed: above 0, and min_bpm below max_bpm"
            )
        self.start_bpm = start_bpm
        self.std_octaves = std_octaves
        self.min_bpm = min_bpm
        self.max_bpm = max_bpm

    def _first_chunk(self, data: Any) -> Any:
        self._dimensions = data.dimensions if hasattr(data, "dimensions") else ()
        self._values: list[np.ndarray] = []
        return data

    def _process(self, data: Any) -> Iterator[Any]:
        self._values.append(np.array(data))
        yield from ()

    def _last_chunk(self) -> Iterator[Any]:
        if hasattr(self, "_values"):
            detection = ArrayWithUnits(np.concatenate(self._values), self._dimensions)
            yield tempo(detection, self.start_bpm, self.std_octaves, self.min_bpm, self.max_bpm)
