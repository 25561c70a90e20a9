"""Constant-Q transforms of streams. Node: ``CQT``."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite.dsp.constantq import ConstantQStream
from zounds_lite.dsp.constantq_atoms import C1_HZ, Window, check_bands, window_of_size
from zounds_lite.errors import DeclarationError, UnitsError
from zounds_lite.featureflow import Locality, Node
from zounds_lite.spectral.functional.constantq import ConstantQAxes

__all__ = ["CQT"]


class CQT(Node):
    """Transforms a sound to bands that are spaced like notes, as ``cqt``: the same to the last bit.

    Frames come in blocks of some 130,000 samples, once those are there that the longest atom needs.

    Args:
        hop (int | np.timedelta64): from one frame to the next: samples, or a duration that is rounded up to samples.
        start_hz (float): centre of the first band in Hz; by default the note C1.
        n_bands (int): number of bands, >= 1.
        bands_per_octave (float): bands in an octave, > 0.
        filter_scale (float): factor of all lengths, > 0.
        window (str | Callable): "hann", "hamming", or a function of a size, such as a ``WindowingFunc``.
        exact (bool): compute the definition itself, many times slower.
        needs (Node): gives real samples; the first dimension is that of time.

    Shape:
        [time, ...] -> [frames, n_bands, ...]

    Raises:
        DimensionError: the first dimension is no axis of time.
        SampleRateError: it counts no samples at a whole number of hertz.
        UnitsError: a chunk has other dimensions than the first one.
        DeclarationError: numbers out of range, or bands beyond half the sample rate.

    Examples:
        >>> from zounds_lite.timeseries import SR11025, AudioSamples, Milliseconds
        >>> sound = AudioSamples(np.ones(11025), SR11025())
        >>> [spectra.shape for spectra in CQT(Milliseconds(100), n_bands=48).run([sound])]
        [(10, 48)]

    See Also:
        cqt: the function. CQTSynthesizer: the inverse.
    """

    revision = 1

    def __init__(
        self,
        hop: Any = 512,
        start_hz: float = C1_HZ,
        n_bands: int = 84,
        bands_per_octave: float = 12,
        filter_scale: float = 1.0,
        window: Window = "hann",
        exact: bool = False,
        needs: Any = None,
    ) -> None:
        super().__init__(needs=needs)
        # any rate will do: whether the bands lie below half of it is known when the first chunk comes
        check_bands(2**62, start_hz, n_bands, bands_per_octave, filter_scale)
        window_of_size(window, 16)
        if not (isinstance(hop, np.timedelta64) or _is_count(hop)) or hop <= type(hop)(0):
            raise DeclarationError(f"hop={hop!r}; allowed: samples, at least 1, or a duration such as Milliseconds(20)")
        self.hop = hop
        self.start_hz = start_hz
        self.n_bands = n_bands
        self.bands_per_octave = bands_per_octave
        self.filter_scale = filter_scale
        self.window = window
        self.exact = exact
        self._stream: ConstantQStream | None = None
        self._begin = 0

    def begin(self, row: int) -> None:
        self._begin = row

    def locality(self, example: Any) -> Locality:
        plan = self._axes_of(example).bank.plan(np.dtype(np.float32))
        return _CentredFrames(plan.hop, plan.samples, plan.reach)

    def _axes_of(self, data: Any) -> ConstantQAxes:
        bands = (self.start_hz, self.n_bands, self.bands_per_octave, self.filter_scale)
        return ConstantQAxes(data, self.hop, *bands, self.window, self.exact)

    def _first_chunk(self, data: Any) -> Any:
        self._axes = self._axes_of(data)
        self._stream = self._axes.bank.stream()
        self._dimensions = data.dimensions
        self._start: Any = None
        return data

    def _process(self, data: Any) -> Iterator[Any]:
        if data.dimensions != self._dimensions:
            raise UnitsError(
                f"a chunk with dimensions {data.dimensions!r} after chunks with {self._dimensions!r}; "
                "all chunks of a stream have the same"
            )
        assert self._stream is not None
        self._start = self._start if data.dimensions[0].start is None else data.dimensions[0].start
        samples = np.asarray(data)
        spectra = self._stream.push(samples if samples.ndim == 1 else np.moveaxis(samples, 0, -1))
        if spectra.shape[-2]:
            yield self._axes.with_units(spectra)

    def _last_chunk(self) -> Iterator[Any]:
        if self._stream is not None:
            # also without any samples: then there is an empty series of frames, not none
            spectra = self._stream.finish()
            yield self._axes.with_units(spectra, start=self._start, n_samples=self._begin + self._stream.n_samples)


def _is_count(hop: Any) -> bool:
    return isinstance(hop, (int, np.integer)) and not isinstance(hop, bool)


class _CentredFrames(Locality):
    """Frames around every ``hop``-th sample; regions begin at whole blocks, whose arithmetic is that of the whole."""

    def __init__(self, hop: int, block: int, reach: int) -> None:
        self.hop, self.block, self.reach = hop, block, reach

    def length(self, size: int) -> int:
        return 1 + size // self.hop if size else 0

    def needs(self, start: int, stop: int, size: int) -> tuple[int, int]:
        first = max(0, start * self.hop - self.reach)
        return first - first % self.block, min(size, (stop - 1) * self.hop + self.reach + 1)

    def first(self, start: int) -> int:
        return start // self.hop
