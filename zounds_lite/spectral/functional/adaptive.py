"""Frequency-adaptive representations with units.

Goal: the bands of a long transform, each back in time at a rate of its own; and signals as sums of coarser ones.
Conventions: frames come first; the bands are those of a scale, residual bands before and behind them. Functions:
``frequency_adaptive_transform``, ``frequency_decomposition``, and ``band_layout``, which the inverses share; it gives
a ``BandLayout``.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from zounds_lite.core import IdentityDimension
from zounds_lite.dsp.adaptive import BandSplit
from zounds_lite.dsp.decomposition import decompose
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral.bands import FrequencyBand
from zounds_lite.spectral.dimension import FrequencyDimension
from zounds_lite.spectral.frequencyadaptive import FrequencyAdaptive
from zounds_lite.spectral.functional.axes import sample_rate_of
from zounds_lite.spectral.scales import ExplicitScale, FrequencyScale
from zounds_lite.spectral.windows import WindowingFunc
from zounds_lite.timeseries import TimeDimension

__all__ = ["BandLayout", "band_layout", "frequency_adaptive_transform", "frequency_decomposition"]


class BandLayout:
    """Where the bands of a scale lie on the axis of a transform: what analysis and synthesis must agree on.

    A band takes the bins that slicing the axis with it takes; what lies below 0 Hz or above the Nyquist frequency does
    not exist. A band between two bins takes the bin nearest to its centre; one that lies outside takes none.

    Args:
        scale (FrequencyScale): the bands.
        axis (FrequencyScale): the scale of the transform's axis, one bin per band of it.
        window (WindowingFunc): the shape of a band.
        residual (bool): add what lies below and above the scale, and in its gaps, so that nothing is lost.

    Attributes:
        scale (FrequencyScale): the bands, residual ones included.
        split (BandSplit): cuts and joins the numbers.
    """

    def __init__(self, scale: FrequencyScale, axis: FrequencyScale, window: WindowingFunc, residual: bool) -> None:
        bins = [_bins_of(band, axis) for band in scale]
        self.split = BandSplit(bins, len(axis), None if window.is_identity else window, residual)
        bands = list(scale)
        if self.split.has_below:
            stop = float(axis.band_stops[self.split.bins[0].stop - 1])
            start = min([0.0, *(band.start_hz for band in bands[:1])])
            bands.insert(0, FrequencyBand(start, max(stop, start + 1.0)))
        if self.split.has_above:
            # starts rise along a scale: where a gap within it belongs to this band too, its name says less than it has
            start = max([float(axis.band_starts[self.split.bins[-1].start]), *(band.start_hz for band in bands[-1:])])
            bands.append(FrequencyBand(start, max(float(axis.band_stops[-1]), start + 1.0)))
        self.scale = scale if len(bands) == len(scale) else ExplicitScale(bands)


def band_layout(scale: FrequencyScale, axis: FrequencyScale, window: WindowingFunc, residual: bool) -> BandLayout:
    """Return a layout, made once: the windows of a hundred bands take longer than a frame. Arguments as for it."""
    # scales that round their slices differently are equal
    return _cached_layout(scale, axis, window, residual, bool(axis.always_even))


# typed: the axis of a transform equals the linear scale that documents it, but its bins lie elsewhere
@lru_cache(maxsize=32, typed=True)
def _cached_layout(
    scale: FrequencyScale, axis: FrequencyScale, window: WindowingFunc, residual: bool, always_even: bool
) -> BandLayout:
    return BandLayout(scale, axis, window, residual)


def _bins_of(band: FrequencyBand, axis: FrequencyScale) -> slice:
    found = axis.get_slice(band)
    if found.stop > found.start or band.stop_hz <= 0 or band.start_hz >= axis.stop_hz:
        return slice(found.start, max(found.start, found.stop))
    nearest = int(np.argmin(np.abs(axis.center_frequencies - band.center_frequency)))
    return slice(nearest, nearest + 1)


def frequency_adaptive_transform(
    x: Any,
    transform: Callable[..., np.ndarray],
    scale: FrequencyScale,
    window_func: Any = None,
    residual: bool = False,
) -> FrequencyAdaptive:
    """Transform each band of a series of spectra on its own, so that its resolution in time follows its width.

    Args:
        x (ArrayWithUnits): spectra in time, the result of ``FFT`` or ``DCT`` of long windows.
        transform (Callable): called as ``transform(band, norm="ortho")`` with the bins of a band on the last axis;
            ``np.fft.irfft`` for Fourier transforms, ``scipy.fftpack.idct`` (or ``scipy.fft.idct``) for cosine
            transforms.
        scale (FrequencyScale): the bands; what they have below 0 Hz or above the Nyquist frequency is left out.
        window_func (Callable | WindowingFunc | None): takes a number of bins and returns as many factors, for example
            ``np.hanning``; None: all ones.
        residual (bool): add a band below and one above the scale, where its windows sum up to less than a half, so that
            the whole spectrum can be recovered. What gaps within the scale hold is in them too.

    Shape:
        [frames, bins] -> [frames, coefficients]; a band of n bins has 2 (n - 1) coefficients after ``irfft`` where its
        window is zero at both ends, else 2 (n + 1), so that nothing of its outer bins is lost; and n after ``idct``

    Raises:
        DimensionError: other dimensions than time and frequency, or a transform that does not give a row per frame.
        DeclarationError: ``scale`` is no scale, or ``window_func`` gives other than one finite factor per bin.

    Examples:
        >>> from zounds_lite.spectral import GeometricScale, stft
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Milliseconds, SampleRate, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(3), [440.0])
        >>> spectra = stft(tone, SampleRate(Milliseconds(500), Seconds(1)))
        >>> scale = GeometricScale(100, 5000, bandwidth_ratio=0.089, n_bands=100)
        >>> fa = frequency_adaptive_transform(spectra, np.fft.irfft, scale, np.hanning)
        >>> fa.shape, [band.shape[1] for band in fa.iter_bands()][::33]
        ((5, 22336), [16, 62, 240, 888])

    See Also:
        FrequencyAdaptiveTransform: the node. FrequencyAdaptiveFFTSynthesizer, FrequencyAdaptiveDCTSynthesizer: the
        inverses.
    """
    if not isinstance(scale, FrequencyScale):
        raise DeclarationError(f"scale={scale!r}; allowed: a scale such as GeometricScale(100, 5000, 0.089, 100)")
    dimensions: tuple[Any, ...] = getattr(x, "dimensions", ())
    kinds = (TimeDimension, FrequencyDimension)
    if len(dimensions) != 2 or not all(isinstance(d, kind) for d, kind in zip(dimensions, kinds, strict=True)):
        raise DimensionError(
            f"{type(x).__name__} with dimensions {dimensions!r}; needed: spectra in time (TimeDimension, "
            "FrequencyDimension), as FFT and DCT of windows give"
        )
    layout = band_layout(scale, dimensions[1].scale, WindowingFunc.of(window_func), bool(residual))
    return FrequencyAdaptive(layout.split.split(np.asarray(x), transform), dimensions[0], layout.scale)


def frequency_decomposition(x: Any, sizes: Iterable[int]) -> FrequencyAdaptive:
    """Take signals apart into bands of frequency, each at the rate that it needs.

    From coarse to fine: what is left of the signal is resampled to each size in turn, and subtracted. A band reaches
    from the stop of the one before to the Nyquist frequency of its own rate.

    Args:
        x (ArrayWithUnits): one signal (time,), or windows or a batch of signals (..., time), with real samples. The
            signals of a batch without time follow one another.
        sizes (Iterable[int]): samples of each band, each once, 1 to the samples of a signal. With that as the largest
            one, the inverse is exact.

    Shape:
        [time] -> [1, coefficients]; [frames, time] -> [frames, coefficients]

    Raises:
        DimensionError: other dimensions than these.
        SampleRateError: time does not run at a whole number of hertz.
        DeclarationError: no sizes, one twice, or one beyond the signal.

    Examples:
        >>> from zounds_lite.synthesize import NoiseSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> noise = NoiseSynthesizer(SR11025(), seed=1).synthesize(Seconds(1))
        >>> fa = frequency_decomposition(noise, [1000, 3000, 11025])
        >>> [(band.stop_hz, part.shape) for band, part in zip(fa.scale, fa.iter_bands())]
        [(500.0, (1, 1000)), (1500.0, (1, 3000)), (5512.5, (1, 11025))]

    See Also:
        FrequencyDecompositionSynthesizer: the inverse.
    """
    dimensions: tuple[Any, ...] = getattr(x, "dimensions", ())
    if len(dimensions) not in (1, 2) or not isinstance(dimensions[0], (TimeDimension, IdentityDimension)):
        raise DimensionError(
            f"{type(x).__name__} with dimensions {dimensions!r}; needed: a signal (time,), or signals (frames, time)"
        )
    rate = sample_rate_of(dimensions[-1], len(dimensions) - 1)
    samples = np.atleast_2d(np.asarray(x))
    n = samples.shape[1]
    wanted = sorted(int(size) for size in sizes)
    parts = decompose(samples, wanted)
    edges = [0.0, *(size * rate / (2 * n) for size in wanted)]
    scale = ExplicitScale([FrequencyBand(low, high) for low, high in zip(edges, edges[1:], strict=False)])
    frames: Any = dimensions[0] if len(dimensions) == 2 else None
    is_framed = isinstance(frames, TimeDimension)
    return FrequencyAdaptive(parts, frames if is_framed else TimeDimension.windowed(n, n, rate), scale)
