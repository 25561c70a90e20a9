"""Time-frequency data whose resolution in time varies with frequency.

Goal: frames in which each band of a scale has as many coefficients as it needs, as one array with units. Conventions:
the first axis is time, one row per frame; the second one has the coefficients of all bands, one band after the other,
each a signal that runs through the frame. Type: ``FrequencyAdaptive``.
"""

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from zounds_lite._declared.values import picoseconds
from zounds_lite.core import ArrayWithUnits, Dimension
from zounds_lite.dsp.adaptive import overlap_add_at
from zounds_lite.dsp.decomposition import fft_resample
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral.dimension import ExplicitFrequencyDimension, FrequencyDimension
from zounds_lite.spectral.scales import FrequencyScale
from zounds_lite.spectral.windows import OggVorbisWindowingFunc, WindowingFunc
from zounds_lite.timeseries import Picoseconds, TimeDimension

__all__ = ["FrequencyAdaptive"]

_VORBIS = OggVorbisWindowingFunc()


class FrequencyAdaptive(ArrayWithUnits):
    """Frames of bands, each band with a number of coefficients of its own.

    ``fa[:, band]`` is a band, or several, of all frames; ``fa[:, band] = x`` sets it.

    Args:
        arrs (list[np.ndarray] | np.ndarray): one array (frames, coefficients) per band; with
            ``explicit_freq_dimension`` one array with the coefficients of all bands side by side.
        time_dimension (TimeDimension): the frames.
        scale (FrequencyScale | None): the bands.
        explicit_freq_dimension (ExplicitFrequencyDimension | None): the bands and where they are, instead of ``scale``.

    Raises:
        DimensionError: no time, both a scale and a dimension or neither, not one array per band, or arrays whose sizes
            do not fit.

    Examples:
        >>> from zounds_lite.spectral import FrequencyBand, LinearScale
        >>> from zounds_lite.timeseries import Seconds
        >>> scale = LinearScale(FrequencyBand(0, 200), 2)
        >>> fa = FrequencyAdaptive([np.zeros((3, 4)), np.ones((3, 8))], TimeDimension(Seconds(1)), scale)
        >>> fa.shape, fa[:, FrequencyBand(100, 200)].shape, fa.square(6).shape
        ((3, 12), (3, 8), (3, 6, 2))

    See Also:
        FrequencyAdaptiveTransform: makes it from spectra. FrequencyAdaptiveFFTSynthesizer: the way back to sound.
    """

    def __new__(
        cls,
        arrs: Any,
        time_dimension: TimeDimension | None = None,
        scale: FrequencyScale | None = None,
        explicit_freq_dimension: ExplicitFrequencyDimension | None = None,
    ) -> Self:
        """Join the bands, or view joined ones with units."""
        if not isinstance(time_dimension, TimeDimension):
            raise DimensionError(f"time_dimension={time_dimension!r}; needed: a TimeDimension, one element per frame")
        if (scale is None) == (explicit_freq_dimension is None):
            raise DimensionError(
                "give either scale and an array per band, or explicit_freq_dimension and one array of all bands; "
                f"found scale={scale!r}, explicit_freq_dimension={explicit_freq_dimension!r}"
            )
        if explicit_freq_dimension is not None:
            if not isinstance(arrs, np.ndarray) or arrs.ndim != 2:
                raise DimensionError(f"{type(arrs).__name__} with explicit_freq_dimension; needed: one array of 2 axes")
            return super().__new__(cls, arrs, [time_dimension, explicit_freq_dimension])
        data, slices = _side_by_side([np.asarray(arr) for arr in arrs], time_dimension)
        return super().__new__(cls, data, [time_dimension, ExplicitFrequencyDimension(scale, slices)])  # type: ignore[arg-type]

    @classmethod
    def _class_for(cls, dimensions: tuple[Dimension, ...], shape: tuple[int, ...]) -> type[ArrayWithUnits]:
        fits = len(dimensions) == 2 and isinstance(dimensions[0], TimeDimension)
        return cls if fits and isinstance(dimensions[1], ExplicitFrequencyDimension) else ArrayWithUnits

    @classmethod
    def from_array_with_units(cls, arr: ArrayWithUnits) -> Self:
        """View an array with the dimensions (TimeDimension, ExplicitFrequencyDimension) as frequency-adaptive.

        Raises:
            DimensionError: other dimensions.
        """
        dimensions: tuple[Any, ...] = getattr(arr, "dimensions", ())
        if cls._class_for(dimensions, np.shape(arr)) is not cls:
            raise DimensionError(
                f"{type(arr).__name__} with dimensions {dimensions!r}; needed: a TimeDimension and an "
                "ExplicitFrequencyDimension"
            )
        return cls(np.asarray(arr), dimensions[0], explicit_freq_dimension=dimensions[1])

    @classmethod
    def from_example(cls, data: Any, example: ArrayWithUnits) -> "FrequencyAdaptive":
        """Give ``data`` the dimensions of ``example``.

        Raises:
            DimensionError: the dimensions are no frequency-adaptive ones, or do not fit.
        """
        return cls.from_array_with_units(ArrayWithUnits(data, example.dimensions))

    def like_dims(self, arr: Any) -> "FrequencyAdaptive":
        """Give other coefficients the dimensions of these.

        Args:
            arr (np.ndarray): (frames, coefficients), with the coefficients of all bands side by side.

        Raises:
            DimensionError: another number of coefficients.
        """
        return type(self).from_example(arr, self)

    def kwargs(self) -> dict[str, Any]:
        """Return the keywords that, with raw data, make an array like this one."""
        return {"time_dimension": self.time_dimension, "explicit_freq_dimension": self.frequency_dimension}

    # --- what it is -------------------------------------------------------------------------------------------------

    @property
    def time_dimension(self) -> TimeDimension:
        """The frames."""
        return self._checked_dimensions()[0]

    @property
    def frequency_dimension(self) -> ExplicitFrequencyDimension:
        """The bands, and where they are."""
        return self._checked_dimensions()[1]

    def _checked_dimensions(self) -> tuple[TimeDimension, ExplicitFrequencyDimension]:
        dimensions = self.dimensions
        if self._class_for(dimensions, self.shape) is not type(self):
            raise DimensionError(f"the axes have lost their units: {dimensions!r}")
        return dimensions  # type: ignore[return-value]  # checked

    @property
    def scale(self) -> FrequencyScale:
        """The bands."""
        return self.frequency_dimension.scale

    @property
    def n_bands(self) -> int:
        """The number of bands."""
        return len(self.scale)

    def iter_bands(self) -> Iterator["FrequencyAdaptive"]:
        """Yield each band of all frames, (frames, coefficients), as a view.

        Examples:
            >>> from zounds_lite.spectral import FrequencyBand, LinearScale
            >>> from zounds_lite.timeseries import Seconds
            >>> scale = LinearScale(FrequencyBand(0, 200), 2)
            >>> fa = FrequencyAdaptive([np.zeros((3, 4)), np.ones((3, 8))], TimeDimension(Seconds(1)), scale)
            >>> [band.shape for band in fa.iter_bands()]
            [(3, 4), (3, 8)]
        """
        time, frequency = self._checked_dimensions()
        data = np.asarray(self)
        for i, part in enumerate(frequency.slices):
            band = ExplicitFrequencyDimension(frequency.scale.part(slice(i, i + 1)), [slice(0, part.stop - part.start)])
            yield self._view(data[:, part], (time.joined(len(data)), band))

    # --- the same resolution everywhere -----------------------------------------------------------------------------

    def square(
        self, n_coeffs: int, do_overlap_add: bool = False, windowing_func: WindowingFunc | None = _VORBIS
    ) -> ArrayWithUnits:
        """Bring all bands to the same number of coefficients per frame.

        Each band is resampled along its coefficients, which keeps its level: no band is scaled to another one, and a
        silent band stays silent.

        With overlap-add, frame k lies at k hops, where a hop is ``n_coeffs * (1 - overlap_ratio)`` rows, to the nearest
        row. Frames are taken to carry the window that they were multiplied with before their long transform: the sum
        of these windows is divided out, so that the level of a sound does not depend on the overlap. The first and last
        rows, where that sum is less than a tenth of its largest value, fade.

        Args:
            n_coeffs (int): coefficients per band and frame, >= 1.
            do_overlap_add (bool): add the frames where they overlap in time.
            windowing_func (WindowingFunc | None): the window that the frames carry, for overlap-add; by default the
                Vorbis window, as in the ready-made ``frequency_adaptive`` graph; None: none, so rows that several
                frames cover are their mean.

        Shape:
            [frames, coefficients] -> [frames, n_coeffs, bands]; with overlap-add -> [rows, bands]

        Returns:
            ArrayWithUnits: dimensions (frames, time within a frame, bands), or (time, bands) with overlap-add.

        Raises:
            DeclarationError: ``n_coeffs`` below 1.

        Examples:
            >>> from zounds_lite.spectral import FrequencyBand, LinearScale
            >>> from zounds_lite.timeseries import Milliseconds, Seconds
            >>> time = TimeDimension(Milliseconds(500), Seconds(1))
            >>> scale = LinearScale(FrequencyBand(0, 200), 2)
            >>> fa = FrequencyAdaptive([np.ones((10, 4)), np.ones((10, 8))], time, scale)
            >>> rows = fa.square(50, do_overlap_add=True)
            >>> rows.shape, rows.dimensions[0].end_seconds
            ((275, 2), 5.5)
        """
        if n_coeffs < 1:
            raise DeclarationError(f"n_coeffs={n_coeffs!r}; allowed: at least 1 coefficient per band and frame")
        time, frequency = self._checked_dimensions()
        data = np.asarray(self)
        dtype = data.dtype if data.dtype.kind in "fc" else np.dtype(np.float64)
        cube = np.zeros((len(data), n_coeffs, self.n_bands), dtype)
        for i, part in enumerate(frequency.slices):
            cube[:, :, i] = fft_resample(data[:, part], n_coeffs)
        bands = FrequencyDimension(frequency.scale)
        inside = TimeDimension(Picoseconds(_nearest(picoseconds(time.duration), n_coeffs)))
        if not do_overlap_add:
            return ArrayWithUnits(cube, [time, inside, bands])
        starts = _rows_of_frames(time, len(data), n_coeffs)
        weights = None if windowing_func is None else WindowingFunc.of(windowing_func)(n_coeffs)
        return ArrayWithUnits(overlap_add_at(cube, starts, weights), [inside, bands])

    def rasterize(self, n_coeffs: int) -> ArrayWithUnits:
        """Bring all bands to the same number of coefficients, frame by frame; ``square`` without overlap-add."""
        return self.square(n_coeffs)


def _side_by_side(arrays: list[np.ndarray], time: TimeDimension) -> tuple[np.ndarray, list[slice]]:
    """Join arrays along their second axis, and return where each one lies."""
    for array in arrays:
        if array.ndim != 2 or len(array) != len(arrays[0]):
            raise DimensionError(
                f"bands of shapes {[array.shape for array in arrays]}; needed: (frames, coefficients), with the same "
                "number of frames"
            )
    edges = np.cumsum([0, *(array.shape[1] for array in arrays)]).tolist()
    slices = [slice(start, stop) for start, stop in zip(edges, edges[1:], strict=False)]
    return np.concatenate(arrays, axis=1) if arrays else np.zeros((time.size or 0, 0)), slices


def _rows_of_frames(time: TimeDimension, n_frames: int, n_coeffs: int) -> list[int]:
    """Return the row at which each frame starts, to the nearest: k hops of n_coeffs * hop / window, in integers."""
    hop, window = (
        (time.hop, time.window)
        if time.hop is not None and time.window is not None
        else (picoseconds(time.frequency), picoseconds(time.duration))
    )
    return [_nearest(k * n_coeffs * hop, window) for k in range(n_frames)]


def _nearest(a: int, b: int) -> int:
    return (2 * a + b) // (2 * b)
