"""Cosine transforms of streams. Nodes: ``DCT``, ``DCTIV``, ``MDCT``."""

from collections.abc import Iterator
from typing import Any

from zounds_lite.featureflow import Node, Pointwise
from zounds_lite.spectral.functional.cosine import dct, dct_iv, mdct

__all__ = ["DCT", "DCTIV", "MDCT"]


class DCT(Node):
    """Transforms windows by the cosine transform of type II, as ``dct``.

    Args:
        axis (int): the axis of samples.
        scale_always_even (bool): slices of the result in hertz always take an even number of coefficients, as
            ``FrequencyAdaptiveTransform`` likes them.
        needs (Node): gives real arrays with an axis of samples.

    Shape:
        [..., time] -> [..., time]

    Raises:
        DimensionError: the axis is none of time.
        SampleRateError: the axis is none of samples at a whole number of hertz.

    Examples:
        >>> from zounds_lite.spectral import SlidingWindow
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, HalfLapped, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> [chunk.shape for chunk in DCT().run(SlidingWindow(HalfLapped()).run([tone]))]
        [(43, 512)]

    See Also:
        DCTSynthesizer: the inverse.
    """

    revision = 1
    footprint = Pointwise()

    def __init__(self, axis: int = -1, scale_always_even: bool = False, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.axis = axis
        self.scale_always_even = scale_always_even

    def _process(self, data: Any) -> Iterator[Any]:
        yield dct(data, self.axis, self.scale_always_even)


class DCTIV(Node):
    """Transforms windows by the cosine transform of type IV, as ``dct_iv``; samples are the second axis.

    Args:
        scale_always_even (bool): slices of the result in hertz always take an even number of coefficients.
        needs (Node): gives windows of real samples.

    Shape:
        [frames, time, ...] -> [frames, time, ...]

    Raises:
        DimensionError: the second axis is none of time.
        SampleRateError: it is none of samples at a whole number of hertz.

    See Also:
        DCTIVSynthesizer: the inverse.
    """

    revision = 1
    footprint = Pointwise()

    def __init__(self, scale_always_even: bool = False, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.scale_always_even = scale_always_even

    def _process(self, data: Any) -> Iterator[Any]:
        yield dct_iv(data, 1, self.scale_always_even)


class MDCT(Node):
    """Transforms windows of 2N samples to N coefficients, as ``mdct``; samples are the second axis.

    Windows must be even and multiplied with a window function already. Where they overlap by half (or by 3/4, 5/6, ...)
    ``MDCTSynthesizer`` gives the signal back.

    Args:
        needs (Node): gives windows of real samples.

    Shape:
        [frames, 2 N, ...] -> [frames, N, ...]

    Raises:
        DimensionError: the second axis is none of time, or holds an odd number of samples.
        SampleRateError: it is none of samples at a whole number of hertz.

    See Also:
        MDCTSynthesizer: the inverse.
    """

    revision = 1
    footprint = Pointwise()

    def __init__(self, needs: Any = None) -> None:
        super().__init__(needs=needs)

    def _process(self, data: Any) -> Iterator[Any]:
        yield mdct(data, 1)
