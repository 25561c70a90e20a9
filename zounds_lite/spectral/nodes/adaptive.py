"""Bands of long transforms of streams. Node: ``FrequencyAdaptiveTransform``."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError
from zounds_lite.featureflow import Node, Pointwise
from zounds_lite.spectral.functional.adaptive import frequency_adaptive_transform
from zounds_lite.spectral.scales import FrequencyScale
from zounds_lite.spectral.windows import WindowingFunc

__all__ = ["FrequencyAdaptiveTransform"]


class FrequencyAdaptiveTransform(Node):
    """Transforms each band of long spectra on its own, as ``frequency_adaptive_transform``.

    Args:
        transform (Callable): called as ``transform(band, norm="ortho")``; ``np.fft.irfft`` for the result of ``FFT``,
            ``scipy.fftpack.idct`` for that of ``DCT``.
        scale (FrequencyScale): the bands.
        window_func (Callable | WindowingFunc | None): the shape of a band: takes a number of bins and returns as many
            factors, for example ``np.hanning``; None: all ones.
        check_scale_overlap_ratio (bool): refuse a scale whose bands share less than half of themselves with the next
            one, which would leave gaps that cannot be recovered.
        needs (Node): gives the result of ``FFT`` or ``DCT``.
        residual (bool): add a band below and one above the scale, so that the whole spectrum can be recovered.

    Shape:
        [frames, bins] -> [frames, coefficients]

    Raises:
        DeclarationError: no transform or scale, or a scale that overlaps too little.
        DimensionError: chunks that are no spectra in time.

    Examples:
        >>> from zounds_lite.spectral import GeometricScale
        >>> scale = GeometricScale(100, 5000, bandwidth_ratio=0.089, n_bands=20)
        >>> FrequencyAdaptiveTransform(np.fft.irfft, scale, np.hanning, check_scale_overlap_ratio=True)
        Traceback (most recent call last):
        zounds_lite.errors.DeclarationError: band 1 holds 0.0000 of band 0 ...

    See Also:
        FrequencyAdaptiveFFTSynthesizer, FrequencyAdaptiveDCTSynthesizer: the inverses.
    """

    revision = 1
    footprint = Pointwise()

    def __init__(
        self,
        transform: Callable[..., np.ndarray] | None = None,
        scale: FrequencyScale | None = None,
        window_func: Any = None,
        check_scale_overlap_ratio: bool = False,
        needs: Any = None,
        residual: bool = False,
    ) -> None:
        super().__init__(needs=needs)
        if not callable(transform):
            raise DeclarationError(f"transform={transform!r}; allowed: a function such as np.fft.irfft")
        if not isinstance(scale, FrequencyScale):
            raise DeclarationError(f"scale={scale!r}; allowed: a scale such as GeometricScale(100, 5000, 0.089, 100)")
        WindowingFunc.of(window_func)  # a wrong argument is an error here, not one of each chunk later
        if check_scale_overlap_ratio:
            _check_overlap(scale)
        self.transform = transform
        self.scale = scale
        self.window_func = window_func
        self.check_scale_overlap_ratio = check_scale_overlap_ratio
        self.residual = residual

    def _process(self, data: Any) -> Iterator[Any]:
        yield frequency_adaptive_transform(data, self.transform, self.scale, self.window_func, self.residual)


def _check_overlap(scale: FrequencyScale) -> None:
    try:
        scale.ensure_overlap_ratio(0.5)
    except AssertionError as error:
        raise DeclarationError(str(error)) from error
