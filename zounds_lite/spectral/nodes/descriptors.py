"""One number for each frame of a stream.

Goal: the descriptors of ``functional``, in streams. Conventions: a chunk has frames first, and its time axis goes on as
it is, notes included; frames do not depend on each other. Spectra may have any scale; numbers in hertz are plain.

Nodes: ``SpectralCentroid``, ``SpectralSpread``, ``SpectralRolloff``, ``SpectralFlatness`` of spectra;
``ZeroCrossingRate``, ``RMS`` of windows of samples.
"""

from collections.abc import Iterator
from typing import Any

from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.featureflow import Node, Pointwise
from zounds_lite.spectral.functional.descriptors import (
    rms,
    spectral_centroid,
    spectral_flatness,
    spectral_rolloff,
    spectral_spread,
    zero_crossing_rate,
)

__all__ = ["RMS", "SpectralCentroid", "SpectralFlatness", "SpectralRolloff", "SpectralSpread", "ZeroCrossingRate"]


class _Descriptor(Node):
    """Turns each frame of a chunk into a number."""

    footprint = Pointwise()

    def _described(self, frames: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say what it describes")

    def _process(self, data: Any) -> Iterator[Any]:
        if getattr(data, "ndim", 0) < 2:
            raise DimensionError(
                f"{type(self).__name__} of {type(data).__name__}, shape {getattr(data, 'shape', ())}: frames are "
                "described one by one, so give the result of SlidingWindow, or of FFT"
            )
        yield self._described(data)


class SpectralCentroid(_Descriptor):
    """The mean frequency of a spectrum, weighted by magnitude: sum(f |X|) / sum(|X|), in Hz; 0 for silence.

    It says how bright a sound is. Of bands that follow the ear it is the centre of what is heard.

    Args:
        needs (Node): gives spectra, of any scale; frequency is the last axis.

    Shape:
        [frames, bins] -> [frames]

    Raises:
        DimensionError: the last axis has no frequencies.

    See Also:
        spectral_centroid: the function.
    """

    revision = 1

    def _described(self, frames: Any) -> Any:
        return spectral_centroid(frames)


class SpectralSpread(_Descriptor):
    """How far a spectrum reaches around its centroid: the standard deviation of frequency, in Hz; 0 for silence.

    Args:
        needs (Node): gives spectra, of any scale; frequency is the last axis.

    Shape:
        [frames, bins] -> [frames]

    Raises:
        DimensionError: the last axis has no frequencies.

    See Also:
        spectral_spread: the function.
    """

    revision = 1

    def _described(self, frames: Any) -> Any:
        return spectral_spread(frames)


class SpectralRolloff(_Descriptor):
    """The frequency below which a part of all magnitude lies, in Hz; 0 for silence.

    Args:
        roll_percent (float): the part, between 0 and 1; a fraction, despite its name.
        needs (Node): gives spectra, of any scale; frequency is the last axis.

    Shape:
        [frames, bins] -> [frames]

    Raises:
        DimensionError: the last axis has no frequencies.
        DeclarationError: a part that is not between 0 and 1.

    See Also:
        spectral_rolloff: the function.
    """

    revision = 1

    def __init__(self, roll_percent: float = 0.85, needs: Any = None) -> None:
        super().__init__(needs=needs)
        if not 0 < roll_percent < 1:
            raise DeclarationError(f"roll_percent={roll_percent!r}; allowed: between 0 and 1, such as 0.85")
        self.roll_percent = roll_percent

    def _described(self, frames: Any) -> Any:
        return spectral_rolloff(frames, self.roll_percent)


class SpectralFlatness(_Descriptor):
    """How noise-like a spectrum is: geometric over arithmetic mean of magnitudes, 1 for noise, near 0 for tones.

    Args:
        needs (Node): gives spectra, of any scale; frequency is the last axis.
        power (float): exponent of the magnitudes before they are averaged, > 0.
        amin (float): raised magnitudes below it count as ``amin``, >= 0. With 0, silence has flatness 0; above it, 1.
        db (bool): True gives decibels, 20 / power * log10, never below -100 dB.

    Shape:
        [frames, bins] -> [frames]

    Raises:
        DimensionError: the last axis has no frequencies.
        DeclarationError: power not above 0, or amin below it.

    See Also:
        spectral_flatness: the function; with power=2 and amin=1e-10 it is librosa's.
    """

    revision = 1

    def __init__(self, needs: Any = None, power: float = 1.0, amin: float = 0.0, db: bool = False) -> None:
        super().__init__(needs=needs)
        if not power > 0 or not amin >= 0:
            raise DeclarationError(f"power={power!r}, amin={amin!r}; allowed: above 0, and 0 or more")
        self.power = power
        self.amin = amin
        self.db = db

    def _described(self, frames: Any) -> Any:
        return spectral_flatness(frames, self.power, self.amin, self.db)


class _OfSamples(_Descriptor):
    """Describes windows of samples along one of their axes, which is not that of frames."""

    def __init__(self, axis: int, needs: Any) -> None:
        super().__init__(needs=needs)
        if axis == 0:
            raise DeclarationError("axis=0: that is the axis of frames, which come in chunks; allowed: an axis in them")
        self.axis = axis

    def _process(self, data: Any) -> Iterator[Any]:
        if self.axis < 0 and self.axis + getattr(data, "ndim", 0) == 0:
            raise DimensionError(f"axis={self.axis} of {data.ndim} axes is that of frames; give an axis in them")
        yield from super()._process(data)


class ZeroCrossingRate(_OfSamples):
    """How often the sign of a window's samples changes, as a part of their number.

    It tells noise and hiss, where it is high, from tones, whose frequency is half of it times the sample rate.

    Args:
        axis (int): the axis of samples, not the first one.
        threshold (float): samples as far as this from zero count as zero, >= 0.
        needs (Node): gives windows of samples.

    Shape:
        [frames, time] -> [frames]

    Raises:
        DimensionError: no such axis.
        DeclarationError: the first axis, or a negative threshold.

    See Also:
        zero_crossing_rate: the function.
    """

    revision = 1

    def __init__(self, axis: int = -1, threshold: float = 1e-10, needs: Any = None) -> None:
        super().__init__(axis, needs)
        if not threshold >= 0:
            raise DeclarationError(f"threshold={threshold!r}; allowed: 0 or more")
        self.threshold = threshold

    def _described(self, frames: Any) -> Any:
        return zero_crossing_rate(frames, self.axis, self.threshold)


class RMS(_OfSamples):
    """The root of the mean square of a window's samples: its level, as an amplitude.

    Args:
        axis (int): the axis of samples, not the first one.
        needs (Node): gives windows of samples.

    Shape:
        [frames, time] -> [frames]

    Raises:
        DimensionError: no such axis.
        DeclarationError: the first axis.

    See Also:
        rms: the function.
    """

    revision = 1

    def __init__(self, axis: int = -1, needs: Any = None) -> None:
        super().__init__(axis, needs)

    def _described(self, frames: Any) -> Any:
        return rms(frames, self.axis)
