"""Fourier transforms of streams. Node: ``FFT``."""

from collections.abc import Iterator
from typing import Any

from zounds_lite.errors import DeclarationError
from zounds_lite.featureflow import Node, Pointwise
from zounds_lite.spectral.functional.fourier import fft

__all__ = ["FFT"]


class FFT(Node):
    """Transforms windows to spectra, as ``fft``.

    Args:
        needs (Node): gives real arrays with an axis of samples.
        axis (int): the axis of samples.
        padding_samples (int): zeros put after the samples, >= 0.

    Shape:
        [..., time] -> [..., (time + padding_samples) // 2 + 1]

    Raises:
        DimensionError: the axis is none of time.
        SampleRateError: the axis is none of samples at a whole number of hertz.
        DeclarationError: negative padding.

    See Also:
        FFTSynthesizer: the inverse.
    """

    revision = 1
    footprint = Pointwise()

    def __init__(self, needs: Any = None, axis: int = -1, padding_samples: int = 0) -> None:
        super().__init__(needs=needs)
        if padding_samples < 0:
            raise DeclarationError(f"padding_samples={padding_samples!r}; allowed: 0 or more")
        self.axis = axis
        self.padding_samples = padding_samples

    def _process(self, data: Any) -> Iterator[Any]:
        yield fft(data, self.axis, self.padding_samples)
