"""Inverses of short-time transforms.

Goal: the sound that a series of frames was made from, with the right length, for any window and overlap. Conventions:
frames are (frames, coefficients, ...) with time first; axes after the coefficients are channels. Frames are inverted,
multiplied by the synthesis window, added where they overlap, and divided by the sum of the products of both windows, so
that unchanged frames give back their signal. What the time axis knows of the whole signal (zeros put before it, number
of samples) decides what is trimmed.

Classes: ``ShortTimeSynthesizer`` (the base), ``TransformSynthesizer`` (the base of those that undo windows and a
transform), ``FFTSynthesizer``, ``WindowedAudioSynthesizer``; cosine transforms stand in ``cosine``.

Sources:
    D. W. Griffin, J. S. Lim, "Signal estimation from modified short-time Fourier transform", IEEE Trans. ASSP 32
    (1984), eq. 6: the inverse with least squared error when both windows are the same.
"""

from typing import Any

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.dsp.framing import divide_by_weights, overlap_add
from zounds_lite.dsp.transforms import irfft
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.spectral import FFTScale, FrequencyDimension, OggVorbisWindowingFunc, WindowingFunc
from zounds_lite.timeseries import AudioSamples, TimeDimension, audio_sample_rate

__all__ = [
    "FFTSynthesizer",
    "ShortTimeSynthesizer",
    "TransformSynthesizer",
    "WindowedAudioSynthesizer",
    "transform_size",
]

_BLOCK = 64
"""Frames that are inverted at once: a long sound is never held as frames."""

_VORBIS = OggVorbisWindowingFunc()


class ShortTimeSynthesizer(Declared):
    """Turns frames into sound by overlap-add; the base of all inverses of short-time transforms.

    A subclass overrides ``_inverse``, ``_windows`` where frames are windowed, and ``_divide`` where dividing by the sum
    of windows is not what recovers the signal.
    """

    def _inverse(self, frames: np.ndarray, dimension: Any, window: int) -> np.ndarray:
        """Return a block of frames in time.

        Args:
            frames (np.ndarray): a block of coefficients.
            dimension (Dimension): what the coefficients stand for.
            window (int): samples in a frame.

        Shape:
            [frames, coefficients, ...] -> [frames, window, ...]
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how it inverts a frame")

    def _windows(self, size: int) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return the synthesis window, and what the sum is divided by; None for either leaves it out."""
        return None, None

    def _divide(self, out: np.ndarray, divisor: np.ndarray, hop: int, n_frames: int) -> None:
        """Divide the sum of all frames, in place, by what ``_windows`` says."""
        divide_by_weights(out, divisor, hop, n_frames)

    def synthesize(self, frames: Any, length: int | None = None) -> AudioSamples:
        """Return the sound that the frames were made from.

        Samples that no frame, or almost no window, reaches cannot be recovered: with windows that fall to zero these
        are the first and last few of the signal, unless it was padded by window - hop samples when it was cut.

        Args:
            frames (ArrayWithUnits): coefficients; the first dimension is a ``TimeDimension`` of windows.
            length (int | None): samples in the result; None: as many as the signal had if the frames know it,
                otherwise as far as they reach.

        Shape:
            [frames, coefficients, ...] -> [time, ...]

        Returns:
            AudioSamples: float32 for float32 and complex64 frames, otherwise float64.

        Raises:
            DimensionError: the frames have no windows in time, or not the coefficients that the inverse needs.
            SampleRateError: time does not run at a whole number of hertz.
            DeclarationError: a negative length.
        """
        time = _time_of_windows(frames)
        assert time.rate is not None and time.hop is not None and time.window is not None
        if length is not None and length < 0:
            raise DeclarationError(f"length={length!r}; allowed: 0 or more samples")
        out = self._overlapped(np.asarray(frames), frames.dimensions[1], time.hop, time.window)
        samples = _trimmed(out, time.padding or 0, time.n_samples if length is None else length)
        return AudioSamples(samples, audio_sample_rate(time.rate))

    def _overlapped(self, frames: np.ndarray, dimension: Any, hop: int, size: int) -> np.ndarray:
        synthesis, divisor = self._windows(size)
        dtype = np.dtype(np.float32 if frames.dtype in (np.float32, np.complex64) else np.float64)
        total = (len(frames) - 1) * hop + size if len(frames) else 0
        out = np.zeros((total, *frames.shape[2:]), dtype)
        trailing = (-1, *[1] * (frames.ndim - 2))
        for start in range(0, len(frames), _BLOCK):
            block = self._inverse(frames[start : start + _BLOCK], dimension, size)
            if synthesis is not None:
                block = block * synthesis.astype(dtype).reshape(trailing)
            added = overlap_add(block, hop)
            out[start * hop : start * hop + len(added)] += added
        if divisor is not None and len(frames):
            self._divide(out, divisor, hop, len(frames))
        return out


def _time_of_windows(frames: Any) -> TimeDimension:
    dimensions: tuple[Any, ...] = getattr(frames, "dimensions", ())
    if len(dimensions) < 2 or not isinstance(dimensions[0], TimeDimension):
        raise DimensionError(
            f"{type(frames).__name__} with dimensions {dimensions!r}; needed: frames in time, as stft gives"
        )
    time = dimensions[0]
    if time.rate is None or time.hop is None or time.window is None:
        raise SampleRateError(
            f"{time!r} does not say how many samples a frame has; give frames that SlidingWindow or stft cut, "
            "or set TimeDimension.windowed(hop, window, rate)"
        )
    return time


def _trimmed(out: np.ndarray, padding: int, length: int | None) -> np.ndarray:
    """Drop what was put before the signal; cut or fill to its length."""
    out = out[padding:]
    if length is None or length == len(out):
        return out
    if length < len(out):
        return out[:length]
    return np.concatenate([out, np.zeros((length - len(out), *out.shape[1:]), out.dtype)])


class TransformSynthesizer(ShortTimeSynthesizer):
    """Turns windowed and transformed frames into sound; a subclass overrides ``_inverse``.

    Args:
        windowing_func (WindowingFunc): multiplies each frame before it is added; by default the Vorbis window.
        analysis_windowing_func (WindowingFunc | None): the window of the analysis; None: the same.

    Raises:
        DeclarationError: something else than windows.
    """

    windowing_func: WindowingFunc
    analysis_windowing_func: WindowingFunc | None

    def __init__(
        self, windowing_func: WindowingFunc = _VORBIS, analysis_windowing_func: WindowingFunc | None = None
    ) -> None:
        super().__init__(windowing_func=windowing_func, analysis_windowing_func=analysis_windowing_func)

    def validate(self) -> None:
        """Refuse anything but windows."""
        for window in (self.windowing_func, self.analysis_windowing_func or self.windowing_func):
            if not isinstance(window, WindowingFunc):
                raise DeclarationError(f"{window!r}; allowed: a window such as OggVorbisWindowingFunc()")

    def _windows(self, size: int) -> tuple[np.ndarray | None, np.ndarray | None]:
        synthesis = self.windowing_func(size)
        return synthesis, self._analysis(size) * synthesis

    def _analysis(self, size: int) -> np.ndarray:
        return (self.analysis_windowing_func or self.windowing_func)(size)


class FFTSynthesizer(TransformSynthesizer):
    """The inverse of ``stft``, and of ``SlidingWindow`` and ``FFT``.

    Args:
        windowing_func (WindowingFunc): multiplies each frame before it is added; by default the Vorbis window, as in
            the ready-made ``stft`` graph.
        analysis_windowing_func (WindowingFunc | None): the window of the analysis; None: the same.

    Raises:
        DeclarationError: something else than windows.

    Examples:
        >>> from zounds_lite.spectral import HanningWindowingFunc, stft
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> again = FFTSynthesizer(HanningWindowingFunc()).synthesize(stft(tone, pad=True))
        >>> len(again), bool(abs(again - tone).max() < 1e-12)
        (11025, True)

    See Also:
        stft, FFT: the inverse.
    """

    def _inverse(self, frames: np.ndarray, dimension: Any, window: int) -> np.ndarray:
        n_fft = transform_size(dimension, frames.shape[1], window)
        # what a transform had beyond its window were zeros
        return irfft(frames, n=n_fft, axis=1)[:, :window]


def transform_size(dimension: Any, bins: int, window: int) -> int:
    """Return how many samples a transform had, which its number of bins alone does not tell.

    Args:
        dimension (Dimension): the axis of bins.
        bins (int): how many there are.
        window (int): samples in a frame, which the transform holds.

    Raises:
        DimensionError: an axis without frequencies, or a part of the bins, or a transform shorter than the window.
    """
    if not isinstance(dimension, FrequencyDimension):
        raise DimensionError(f"frames of {dimension!r}; needed: a FrequencyDimension, as the result of fft has")
    scale = dimension.scale
    if isinstance(scale, FFTScale) and not scale.is_whole:
        raise DimensionError(
            f"bins {scale.start} to {scale.stop} of a transform; the inverse needs all: "
            "set the others to zero instead of slicing them away"
        )
    n_fft = scale.n_fft if isinstance(scale, FFTScale) else window if window // 2 + 1 == bins else 2 * (bins - 1)
    if n_fft < window or n_fft < 1:
        raise DimensionError(f"a transform of {n_fft} samples for windows of {window}; it must hold the whole window")
    return int(n_fft)


class WindowedAudioSynthesizer(ShortTimeSynthesizer):
    """Adds frames of sound where they overlap, without a transform.

    Args:
        windowing_func (WindowingFunc | None): the window that the frames carry, whose sum is divided out; None: the
            frames are added as they are, for windows that add up to one.

    Raises:
        DeclarationError: something else than a window.

    Examples:
        >>> from zounds_lite.core import ArrayWithUnits
        >>> from zounds_lite.timeseries import SR11025
        >>> time = TimeDimension.windowed(2, 2, 11025)
        >>> frames = ArrayWithUnits(np.arange(6.0).reshape(3, 2), [time, TimeDimension(*SR11025())])
        >>> np.asarray(WindowedAudioSynthesizer().synthesize(frames))
        array([0., 1., 2., 3., 4., 5.])

    See Also:
        SlidingWindow: the inverse.
    """

    windowing_func: WindowingFunc | None

    def __init__(self, windowing_func: WindowingFunc | None = None) -> None:
        super().__init__(windowing_func=windowing_func)

    def validate(self) -> None:
        """Refuse anything but a window."""
        if self.windowing_func is not None and not isinstance(self.windowing_func, WindowingFunc):
            raise DeclarationError(f"{self.windowing_func!r}; allowed: a window such as OggVorbisWindowingFunc()")

    def _windows(self, size: int) -> tuple[np.ndarray | None, np.ndarray | None]:
        return None, None if self.windowing_func is None else self.windowing_func(size)

    def _inverse(self, frames: np.ndarray, dimension: Any, window: int) -> np.ndarray:
        if not isinstance(dimension, TimeDimension) or frames.shape[1] != window:
            raise DimensionError(
                f"frames of {frames.shape[1]} elements of {dimension!r} for windows of {window} samples; "
                "needed: the result of SlidingWindow"
            )
        return frames
