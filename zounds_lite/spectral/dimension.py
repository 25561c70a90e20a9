"""Frequency axes.

Goal: an axis that can be sliced in hertz. Conventions: slices are ``FrequencyBand(200, 800)`` or
``Hertz(200):Hertz(800)``; one ``Hertz`` takes the element whose centre is nearest; a part of an axis keeps its bands
exactly, and a slice that touches none leaves an empty axis. Types: ``FrequencyDimension`` (one element per band),
``ExplicitFrequencyDimension`` (several elements per band).
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from zounds_lite.core import Coordinates, Dimension, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral.bands import FrequencyBand, Hertz
from zounds_lite.spectral.scales import ExplicitScale, FrequencyScale

__all__ = ["ExplicitFrequencyDimension", "FrequencyDimension", "frequency_axis"]

_INDEXED_BY = "FrequencyBand(200, 800), Hertz(200):Hertz(800), Hertz(440)"


def _check_scale(scale: Any) -> None:
    if not isinstance(scale, FrequencyScale):
        raise DeclarationError(f"scale={scale!r}; allowed: a scale such as LinearScale(FrequencyBand(0, 4000), 100)")


class FrequencyDimension(Dimension):
    """An axis with one element per band of a scale.

    Args:
        scale (FrequencyScale): what the elements stand for.

    Raises:
        DeclarationError: ``scale`` is no scale.

    Examples:
        >>> import numpy as np
        >>> from zounds_lite.core import ArrayWithUnits
        >>> from zounds_lite.spectral import LinearScale
        >>> scale = LinearScale(FrequencyBand(20, 20000), 100)
        >>> arr = ArrayWithUnits(np.zeros(100), [FrequencyDimension(scale)])
        >>> arr[FrequencyBand(100, 1000)].shape
        (5,)
    """

    indexed_by = _INDEXED_BY

    scale: FrequencyScale

    def __init__(self, scale: FrequencyScale) -> None:
        super().__init__(scale=scale)

    def validate(self) -> None:
        """Refuse anything but scales."""
        _check_scale(self.scale)

    def validate_size(self, size: int) -> None:
        """Refuse an axis that does not have one element per band."""
        if size != len(self.scale):
            raise DimensionError(
                f"{size} elements for a {type(self.scale).__name__} of {len(self.scale)} bands; "
                "an axis has one element per band"
            )

    def coordinates(self, size: int) -> Coordinates:
        """Return the centres of the bands in hertz, or the names of pitch classes."""
        return self.scale.coordinates()

    def integer_based_slice(self, index: Any) -> Any:
        """Turn an index in hertz into integers."""
        return self.scale.index_of(index.hz) if isinstance(index, Hertz) else self.scale.get_slice(index)

    def metaslice(self, index: slice, size: int) -> Dimension:
        """Return the axis after slicing: the part of the scale that is left."""
        if index.step is not None and index.step < 0:
            # bands rise along a scale, so a reversed axis has none
            return IdentityDimension()
        return self._changed(scale=self.scale.part(index))

    def modified_dimension(self, size: int, windowsize: Any, stepsize: int | None = None) -> Iterator[Dimension]:
        """Yield itself for a window over the whole axis.

        Raises:
            DimensionError: the window is shorter than the axis.
        """
        if windowsize != slice(None) and windowsize != len(self.scale):
            raise DimensionError(f"windows of {windowsize} bands have no scale; allowed: all {len(self.scale)} bands")
        yield self

    def weights(self, weights: np.ndarray, arr: np.ndarray, axis: int) -> np.ndarray:
        """Shape one weight per band so that it multiplies along ``axis`` of ``arr``.

        Args:
            weights (np.ndarray): one factor per band.
            arr (np.ndarray): the array to weight.
            axis (int): the frequency axis.
        """
        return _along(np.asarray(weights), arr.ndim, axis)


def _along(weights: np.ndarray, ndim: int, axis: int) -> np.ndarray:
    return weights.reshape([-1 if i == axis % ndim else 1 for i in range(ndim)])


class ExplicitFrequencyDimension(Dimension):
    """An axis on which each band of a scale has a stretch of elements of its own.

    Args:
        scale (FrequencyScale): the bands.
        slices (Iterable[slice]): the elements of each band: one after the other, without gaps, from 0.

    Raises:
        DeclarationError: ``scale`` is no scale, or the slices do not follow each other.
        DimensionError: not one slice per band.

    Examples:
        >>> scale = ExplicitScale([FrequencyBand(0, 100), FrequencyBand(100, 400)])
        >>> dimension = ExplicitFrequencyDimension(scale, [slice(0, 2), slice(2, 8)])
        >>> dimension.integer_based_slice(FrequencyBand(100, 400))
        slice(2, 8, None)
    """

    indexed_by = _INDEXED_BY

    scale: FrequencyScale
    slices: tuple[slice, ...]

    def __init__(self, scale: FrequencyScale, slices: Iterable[slice]) -> None:
        super().__init__(scale=scale, slices=tuple(slices))

    def validate(self) -> None:
        """Refuse slices that do not cover the axis one after the other."""
        _check_scale(self.scale)
        if len(self.slices) != len(self.scale):
            raise DimensionError(
                f"{len(self.slices)} slices for {len(self.scale)} bands; give one slice of elements per band"
            )
        at = 0
        for part in self.slices:
            if not isinstance(part, slice) or part.start != at or part.stop is None or part.stop < at:
                raise DeclarationError(f"{part!r} where a slice from {at} is due; slices follow each other from 0")
            at = part.stop

    @property
    def _end(self) -> int:
        return self.slices[-1].stop if self.slices else 0

    def validate_size(self, size: int) -> None:
        """Refuse an axis that the slices do not cover exactly."""
        if size != self._end:
            raise DimensionError(f"{size} elements where the bands have {self._end}")

    def coordinates(self, size: int) -> Coordinates:
        """Return the centre of each element's band in hertz."""
        name, unit, centers = self.scale.coordinates()
        return Coordinates(name, unit, np.repeat(centers, [part.stop - part.start for part in self.slices]))

    def integer_based_slice(self, index: Any) -> Any:
        """Turn an index in hertz into the elements of the bands that it touches."""
        if isinstance(index, FrequencyBand) and index in self.scale.bands:
            return self.slices[self.scale.bands.index(index)]
        if isinstance(index, Hertz):
            return self.slices[self.scale.index_of(index.hz)]
        bands = self.slices[self.scale.get_slice(index)]
        return slice(bands[0].start, bands[-1].stop) if bands else slice(0, 0)

    def metaslice(self, index: slice, size: int) -> Dimension:
        """Return the axis after slicing: its bands again if whole bands are left, otherwise an axis without units."""
        start, stop, step = index.indices(self._end)
        inside = [i for i, part in enumerate(self.slices) if start <= part.start and part.stop <= stop]
        kept = [self.slices[i] for i in inside]
        if step != 1 or sum(part.stop - part.start for part in kept) != size:
            return IdentityDimension()
        scale = self.scale[inside[0] : inside[-1] + 1] if inside else ExplicitScale(())
        return ExplicitFrequencyDimension(scale, [slice(part.start - start, part.stop - start) for part in kept])

    def modified_dimension(self, size: int, windowsize: Any, stepsize: int | None = None) -> Iterator[Dimension]:
        """Yield itself for a window over the whole axis.

        Raises:
            DimensionError: the window is shorter than the axis.
        """
        if windowsize != slice(None) and windowsize != self._end:
            raise DimensionError(f"windows of {windowsize} elements cut through bands; allowed: all {self._end}")
        yield self

    def weights(self, weights: np.ndarray, arr: np.ndarray, axis: int) -> np.ndarray:
        """Repeat one weight per band over its elements, shaped to multiply along ``axis`` of ``arr``.

        Args:
            weights (np.ndarray): one factor per band.
            arr (np.ndarray): the array to weight.
            axis (int): the frequency axis.
        """
        sizes = [part.stop - part.start for part in self.slices]
        return _along(np.repeat(np.asarray(weights), sizes), arr.ndim, axis)


def frequency_axis(arr: Any) -> int:
    """Return the number of the axis that has frequencies.

    Raises:
        DimensionError: none has.
    """
    for axis, dimension in enumerate(getattr(arr, "dimensions", ())):
        if isinstance(dimension, (FrequencyDimension, ExplicitFrequencyDimension)):
            return axis
    raise DimensionError(
        f"{type(arr).__name__} has no frequency axis; give the result of fft, or set a FrequencyDimension"
    )
