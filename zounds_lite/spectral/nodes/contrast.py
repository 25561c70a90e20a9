"""Local contrast of streams. Node: ``LocalContrastNormalization``."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.core.buffers import Aligned
from zounds_lite.dsp.contrast import LocalContrast
from zounds_lite.errors import UnitsError
from zounds_lite.featureflow import Locality, Node
from zounds_lite.spectral.functional.contrast import check_picture, local_contrast_normalization

__all__ = ["LocalContrastNormalization"]

_NEVER_FULL = 2**62
"""Rows of a block that no stream completes."""


class LocalContrastNormalization(Node):
    """Takes from each magnitude the mean of its neighbourhood, and divides by how much that varies.

    The same as ``local_contrast_normalization``, to the last bit. With the mean as floor, a result depends on the whole
    document: all frames are kept until the end, and a stretch of time cannot be computed alone. With a number, results
    follow their frames by twice half the neighbourhood, and a stretch needs as much more on both sides.

    Args:
        size (tuple[int, int]): frames and bands of the neighbourhood, both odd; (1, n) looks at each frame alone.
        sigma (float | tuple[float, float]): standard deviation of the Gaussian weights, in frames and bands, > 0.
        floor (float | str): what to divide by at least: ``"mean"``, the mean deviation of the document, or a number
            above 0, in units of the input.
        needs (Node): gives magnitudes, power or decibels: frames, then bands.

    Shape:
        [frames, bands, ...] -> [frames, bands, ...]

    Raises:
        DimensionError: chunks without units, or of one axis.
        UnitsError: a chunk has other dimensions than the first one.
        DeclarationError: an argument out of range, or complex values.

    Examples:
        >>> from zounds_lite.spectral import cqt
        >>> from zounds_lite.timeseries import SR11025, AudioSamples
        >>> sound = AudioSamples(np.random.default_rng(0).normal(size=11025), SR11025())
        >>> chunks = [np.abs(cqt(sound, n_bands=48))]
        >>> [part.shape for part in LocalContrastNormalization(floor=1e-4).run(chunks)]
        [(14, 48), (8, 48)]

    See Also:
        local_contrast_normalization: the function.
    """

    revision = 1

    def __init__(
        self,
        size: tuple[int, int] = (9, 9),
        sigma: float | tuple[float, float] = 2.0,
        floor: float | str = "mean",
        needs: Any = None,
    ) -> None:
        super().__init__(needs=needs)
        self._contrast = LocalContrast(size, sigma, floor)
        self.size = size
        self.sigma = sigma
        self.floor = floor
        self._chunk: Any = None

    def locality(self, example: Any) -> Locality | None:
        return None if self.floor == "mean" else _Neighbourhood(self._contrast.reach)

    def _first_chunk(self, data: Any) -> Any:
        check_picture(data)
        self._dimensions = data.dimensions
        if self.floor == "mean":
            self._kept = Aligned(_NEVER_FULL)
        else:
            self._stream = self._contrast.stream()
        return data

    def _process(self, data: Any) -> Iterator[Any]:
        if getattr(data, "dimensions", None) != self._dimensions:
            raise UnitsError(
                f"a chunk with dimensions {getattr(data, 'dimensions', None)!r} after chunks with "
                f"{self._dimensions!r}; all chunks of a stream have the same"
            )
        self._chunk = data
        if self.floor == "mean":
            self._kept.push(data)
            return
        ready = _frames_first(self._stream.push(_frames_behind(data)))
        if len(ready):
            # slicing drops what a dimension says of the end of the stream, which belongs to the last frames
            yield ArrayWithUnits(ready, data[:0].dimensions)

    def _last_chunk(self) -> Iterator[Any]:
        if self._chunk is None:
            return
        if self.floor == "mean":
            yield local_contrast_normalization(self._kept.finish(), self.size, self.sigma, self.floor)
        else:
            yield ArrayWithUnits(_frames_first(self._stream.finish()), self._chunk.dimensions)


def _frames_behind(x: Any) -> np.ndarray:
    return np.moveaxis(np.asarray(x), (0, 1), (-2, -1))


def _frames_first(x: np.ndarray) -> np.ndarray:
    return np.moveaxis(x, (-2, -1), (0, 1))


class _Neighbourhood(Locality):
    """Each frame of the result is made of some frames on both sides."""

    def __init__(self, reach: int) -> None:
        self.reach = reach

    def length(self, size: int) -> int:
        return size

    def needs(self, start: int, stop: int, size: int) -> tuple[int, int]:
        return max(0, start - self.reach), min(size, stop + self.reach)

    def first(self, start: int) -> int:
        return start
