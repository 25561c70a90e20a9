"""Scales: which band of frequencies each bin of an axis stands for.

Goal: a frequency axis knows its bands, so it can be sliced in hertz and other spectra can be summed into it.
Conventions: bands have increasing starts; frequencies are in hertz. A slice in hertz takes every band that it touches:
from the first band whose stop lies at or above its start, up to those whose start lies below its stop. The axis of a
Fourier transform is the exception: its bins are points, and a slice takes those with start <= frequency < stop, so that
neighbouring slices never share a bin. A part of a scale keeps its bands exactly.

Types: ``FrequencyScale`` (the base), ``ExplicitScale`` (bands given one by one). Bands of equal width and the axis of a
Fourier transform are in ``linear``; scales that follow hearing and music are in ``perceptual``.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from operator import index as as_integer
from typing import Any

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.core import Coordinates
from zounds_lite.dsp.filterbank import band_matrix
from zounds_lite.errors import DeclarationError, FrequencyBandError, UnitIndexError
from zounds_lite.spectral.bands import FrequencyBand, Hertz
from zounds_lite.spectral.filters import sum_bands
from zounds_lite.spectral.windows import WindowingFunc

__all__ = ["ExplicitScale", "FrequencyScale", "check_count", "read_only"]


def read_only(values: Any) -> np.ndarray:
    """Return a float64 copy that cannot be written to, so that a frozen value may hand it out."""
    values = np.array(values, dtype=np.float64)
    values.flags.writeable = False
    return values


def _is_integer(bound: Any) -> bool:
    """Tell whether a slice's bound is an integer or absent; durations are integers to numpy, and not here."""
    return bound is None or (isinstance(bound, (int, np.integer)) and not isinstance(bound, np.timedelta64))


def check_count(n_bands: Any) -> None:
    """Refuse a number of bands that is no whole number, or below one."""
    try:
        count = as_integer(n_bands)
    except TypeError as error:
        raise DeclarationError(f"n_bands={n_bands!r}; allowed: a whole number of bands") from error
    if count < 1:
        raise DeclarationError(f"n_bands={n_bands!r}; a scale has at least one band")


class FrequencyScale(Declared):
    """A series of frequency bands with increasing starts; the base of all scales.

    A subclass overrides ``_edges``.

    Args:
        frequency_band (FrequencyBand): what the scale spans.
        n_bands (int): number of bands, >= 1.
        always_even (bool): slices in hertz always take an even number of bands.

    Raises:
        DeclarationError: no bands, or ``frequency_band`` is no band.
    """

    frequency_band: FrequencyBand
    n_bands: int
    always_even: bool

    def __init__(self, frequency_band: FrequencyBand, n_bands: int, always_even: bool = False) -> None:
        super().__init__(frequency_band=frequency_band, n_bands=n_bands, always_even=always_even)

    def validate(self) -> None:
        """Refuse scales without bands."""
        check_count(self.n_bands)
        if not isinstance(self.frequency_band, FrequencyBand):
            raise DeclarationError(
                f"frequency_band={self.frequency_band!r}; allowed: a FrequencyBand such as FrequencyBand(20, 20000)"
            )

    def _edges(self) -> tuple[Any, Any]:
        """Return the starts and the stops of all bands, in hertz; every subclass has its own."""
        raise NotImplementedError(f"{type(self).__name__} does not say where its bands are")

    @cached_property
    def _limits(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Starts, stops, and the highest stop so far, which is sorted even where the stops are not."""
        starts, stops = (read_only(edge) for edge in self._edges())
        return starts, stops, np.maximum.accumulate(stops) if len(stops) else stops

    @property
    def band_starts(self) -> np.ndarray:
        """Lower bound of each band in hertz."""
        return self._limits[0]

    @property
    def band_stops(self) -> np.ndarray:
        """Upper bound of each band in hertz."""
        return self._limits[1]

    @cached_property
    def bands(self) -> tuple[FrequencyBand, ...]:
        """All bands."""
        pairs = zip(self.band_starts.tolist(), self.band_stops.tolist(), strict=True)
        return tuple(FrequencyBand(start, stop) for start, stop in pairs)

    @cached_property
    def center_frequencies(self) -> np.ndarray:
        """Centre of each band in hertz."""
        return read_only(self.band_starts + self.bandwidths / 2)

    def coordinates(self) -> Coordinates:
        """Return the centres of the bands, in hertz."""
        return Coordinates("frequency", "Hz", self.center_frequencies)

    @cached_property
    def bandwidths(self) -> np.ndarray:
        """Width of each band in hertz."""
        return read_only(self.band_stops - self.band_starts)

    @property
    def Q(self) -> np.ndarray:  # noqa: N802 - the documented name
        """Quality factor of each band: centre over width."""
        return self.center_frequencies / self.bandwidths

    @property
    def start_hz(self) -> float:
        """Lower bound of the span in hertz."""
        return self.frequency_band.start_hz

    @property
    def stop_hz(self) -> float:
        """Upper bound of the span in hertz."""
        return self.frequency_band.stop_hz

    def __len__(self) -> int:
        return int(self.n_bands)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[FrequencyBand]:
        return iter(self.bands)

    def ensure_overlap_ratio(self, required_ratio: float = 0.5) -> None:
        """Check that each band shares enough of itself with the next one, as invertible transforms need.

        Args:
            required_ratio (float): smallest part of a band that its successor must hold, 0 to 1.

        Raises:
            AssertionError: two neighbours overlap less; the message names them.
        """
        overlap = np.minimum(self.band_stops[:-1], self.band_stops[1:]) - self.band_starts[1:]
        ratios = np.maximum(0.0, overlap) / self.bandwidths[:-1]
        short = np.flatnonzero(ratios < required_ratio)
        if len(short):
            i = int(short[0])
            raise AssertionError(
                f"band {i + 1} holds {ratios[i]:.4f} of band {i} ({self.bands[i]!r}); required: {required_ratio}; "
                "use more bands or wider ones"
            )

    def get_slice(self, index: Any) -> slice:
        """Turn a slice in hertz into a slice of bands.

        Args:
            index (FrequencyBand | slice): a band, a slice of ``Hertz`` (negative bounds count from ``stop_hz``), or a
                slice of integers, which is returned as it is.

        Raises:
            UnitIndexError: the index is in units that are no frequencies.

        Examples:
            >>> from zounds_lite.spectral import LinearScale
            >>> scale = LinearScale(FrequencyBand(0, 100), 10)
            >>> scale.get_slice(FrequencyBand(20, 80)), scale.get_slice(slice(Hertz(-20), None))
            (slice(1, 8, None), slice(7, 10, None))
        """
        if isinstance(index, FrequencyBand):
            start, stop = self._touched(index.start_hz, index.stop_hz)
            return self._even(start, stop) if self.always_even else slice(start, stop)
        if not isinstance(index, slice):
            raise self._wrong_units(index)
        if not any(isinstance(bound, Hertz) for bound in (index.start, index.stop)):
            if not all(_is_integer(bound) for bound in (index.start, index.stop, index.step)):
                raise self._wrong_units(index)
            return index
        if not _is_integer(index.step):
            raise self._wrong_units(index)
        bounds = self._even(*self._touched(self._bound(index.start, index), self._bound(index.stop, index)))
        return bounds if index.step is None else slice(bounds.start, bounds.stop, index.step)

    def _bound(self, bound: Any, index: slice) -> float | None:
        if bound is None:
            return None
        if not isinstance(bound, Hertz) or bound != bound:
            raise self._wrong_units(index)
        return bound.hz + self.stop_hz if bound.hz < 0 else bound.hz

    def _wrong_units(self, index: Any) -> UnitIndexError:
        return UnitIndexError(
            f"{index!r} on a frequency axis; allowed: FrequencyBand(200, 800), Hertz(200):Hertz(800), or integers"
        )

    def _touched(self, start_hz: float | None, stop_hz: float | None) -> tuple[int, int]:
        """Return the range of bands between two frequencies; None is an end of the scale."""
        starts, _, highest = self._limits
        start = 0 if start_hz is None else int(np.searchsorted(highest, start_hz, side="left"))
        stop = len(starts) if stop_hz is None else int(np.searchsorted(starts, stop_hz, side="left"))
        return start, max(start, stop)

    def _even(self, start: int, stop: int) -> slice:
        """Take one more band where ``always_even`` asks for it: above, else below; none is left, so one less."""
        if self.always_even and (stop - start) % 2:
            if stop < len(self):
                stop += 1
            elif start > 0:
                start -= 1
            else:
                stop -= 1
        return slice(start, stop)

    def index_of(self, hz: float) -> int:
        """Return the number of the band whose centre is nearest.

        Raises:
            UnitIndexError: the frequency lies outside the scale.
        """
        starts, _, highest = self._limits
        # the last band may end below another one
        if len(self) == 0 or not min(self.start_hz, starts[0]) <= hz <= max(self.stop_hz, highest[-1]):
            raise UnitIndexError(f"{float(hz)} Hz lies outside the scale, {self.start_hz} to {self.stop_hz} Hz")
        return int(np.argmin(np.abs(self.center_frequencies - hz)))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, Hertz):
            return self.bands[self.index_of(index.hz)]
        if not isinstance(index, (slice, FrequencyBand)):
            return self.bands[as_integer(index)]
        return self.part(self.get_slice(index))

    def part(self, index: slice) -> "FrequencyScale":
        """Return the bands of a slice of integers, exactly as they are here.

        Args:
            index (slice): integers; the step is positive, so that bands rise.
        """
        n = len(self)
        start, stop, step = index.indices(n)
        if step != 1:
            return ExplicitScale(self.bands[index], self.always_even)
        if (start, stop) == (0, n):
            return self
        return self._part(start, stop) if start < stop else ExplicitScale((), self.always_even)

    def _part(self, start: int, stop: int) -> "FrequencyScale":
        """Return the bands from start to stop, exactly as they are here; never asked for none or for all."""
        return ExplicitScale(self.bands[start:stop], self.always_even)

    def basis(self, other: "FrequencyScale", window: Any = None) -> np.ndarray:
        """Return the weights that sum an axis of another scale into the bands of this one.

        Args:
            other (FrequencyScale): the scale of the axis to sum.
            window (WindowingFunc | None): the shape of a band between its edges; None weights all of it alike.

        Shape:
            -> [len(self), len(other)]
        """
        window = WindowingFunc.of(window)
        shape = None if window.is_identity else window.at
        return band_matrix(self.band_starts, self.band_stops, other.center_frequencies, shape)

    def apply(self, tf: Any, window: Any = None) -> np.ndarray:
        """Sum the magnitudes of a spectrum into the bands of this scale.

        Args:
            tf (ArrayWithUnits): an array whose last dimension has frequencies.
            window (WindowingFunc | None): as for ``basis``.

        Shape:
            [..., bins] -> [..., bands], plain numbers; ``apply_scale`` adds units

        Raises:
            DimensionError: the last dimension has no frequencies.
        """
        return sum_bands(tf, self, window)

    def _identity(self) -> Any:
        return self._axis

    @cached_property
    def _axis(self) -> tuple[Any, ...]:
        # how slices are rounded does not change what the axis means
        parameters = {**self.parameters, "always_even": None}
        return tuple(parameters.values())

    def __repr__(self) -> str:
        return f"{type(self).__name__}(band={self.frequency_band!r}, n_bands={self.n_bands})"


class ExplicitScale(FrequencyScale):
    """Bands that are given one by one.

    Args:
        bands (Iterable[FrequencyBand]): bands with increasing starts, for example another scale; none are allowed, as
            a slice may hold nothing.
        always_even (bool): slices in hertz always take an even number of bands.

    Raises:
        DeclarationError: something else than bands, or starts that fall.

    Examples:
        >>> scale = ExplicitScale([FrequencyBand(20, 200), FrequencyBand(100, 500)])
        >>> len(scale), scale.stop_hz
        (2, 500)
    """

    bands: tuple[FrequencyBand, ...]

    def __init__(self, bands: Iterable[FrequencyBand], always_even: bool = False) -> None:
        try:
            bands = tuple(bands)
        except TypeError as error:
            raise DeclarationError(f"bands={bands!r}; allowed: FrequencyBands, in rising order") from error
        Declared.__init__(self, bands=bands, always_even=always_even)

    def validate(self) -> None:
        """Refuse anything but bands in rising order."""
        for band in self.bands:
            if not isinstance(band, FrequencyBand):
                raise DeclarationError(f"{band!r} in the bands of a scale; allowed: FrequencyBand(start_hz, stop_hz)")
        starts = [band.start_hz for band in self.bands]
        for i, (low, high) in enumerate(zip(starts, starts[1:], strict=False)):
            if high < low:
                raise DeclarationError(f"band {i + 1} starts at {high} Hz, below band {i} at {low} Hz; sort the bands")

    @property
    def n_bands(self) -> int:  # type: ignore[override]
        """Number of bands."""
        return len(self.bands)

    @cached_property
    def frequency_band(self) -> FrequencyBand:  # type: ignore[override]
        """From the start of the first band to the stop of the last one."""
        if not self.bands:
            raise FrequencyBandError("a scale without bands spans no frequencies; check len(scale) first")
        return FrequencyBand(self.bands[0].start_hz, self.bands[-1].stop_hz)

    @property
    def start_hz(self) -> float:
        """Start of the first band in hertz; 0 without bands."""
        return self.bands[0].start_hz if self.bands else 0.0

    @property
    def stop_hz(self) -> float:
        """Stop of the last band in hertz; 0 without bands."""
        return self.bands[-1].stop_hz if self.bands else 0.0

    def _edges(self) -> tuple[Any, Any]:
        return [band.start_hz for band in self.bands], [band.stop_hz for band in self.bands]

    def __repr__(self) -> str:
        return super().__repr__() if self.bands else "ExplicitScale(bands=(), n_bands=0)"
