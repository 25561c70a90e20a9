"""Inverses of short-time cosine transforms.

Goal and conventions: as in ``shorttime``; windows default to the Vorbis window before and after, as in the ready-made
graphs. A window that is given stands for both sides unless ``analysis_windowing_func`` says otherwise; an explicit
``IdentityWindowingFunc()`` is for frames that were not windowed.

Classes: ``DCTSynthesizer``, ``DCTIVSynthesizer``, ``MDCTSynthesizer``.
"""

from typing import Any

import numpy as np

from zounds_lite.dsp.lapped import aliasing, divide_by_repeated_weights
from zounds_lite.dsp.transforms import dct4, idct, imdct
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral import FrequencyDimension
from zounds_lite.synthesize.shorttime import TransformSynthesizer

__all__ = ["DCTIVSynthesizer", "DCTSynthesizer", "MDCTSynthesizer"]

_AUDIBLE_ALIASING = 1e-6


class DCTSynthesizer(TransformSynthesizer):
    """The inverse of ``SlidingWindow`` and ``DCT``.

    Args:
        windowing_func (WindowingFunc): multiplies each frame before it is added; by default the Vorbis window.
        analysis_windowing_func (WindowingFunc | None): the window of the analysis; None: the same.

    Raises:
        DeclarationError: something else than windows.

    Examples:
        >>> from zounds_lite.spectral import OggVorbisWindowingFunc, dct
        >>> from zounds_lite.timeseries import SR11025, HalfLapped, Seconds
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> windows = tone.sliding_window(HalfLapped()) * OggVorbisWindowingFunc()
        >>> again = DCTSynthesizer().synthesize(dct(windows))
        >>> len(again), bool(abs(again - tone)[16:].max() < 1e-12)
        (11025, True)

    See Also:
        DCT: the inverse.
    """

    def _inverse(self, frames: np.ndarray, dimension: Any, window: int) -> np.ndarray:
        _check_coefficients(frames, dimension, window, window)
        return idct(frames, axis=1)


class DCTIVSynthesizer(TransformSynthesizer):
    """The inverse of ``SlidingWindow`` and ``DCTIV``.

    Args:
        windowing_func (WindowingFunc): multiplies each frame before it is added; by default the Vorbis window.
        analysis_windowing_func (WindowingFunc | None): the window of the analysis; None: the same.

    Raises:
        DeclarationError: something else than windows.

    See Also:
        DCTIV: the inverse.
    """

    def _inverse(self, frames: np.ndarray, dimension: Any, window: int) -> np.ndarray:
        _check_coefficients(frames, dimension, window, window)
        return dct4(frames, axis=1)


class MDCTSynthesizer(TransformSynthesizer):
    """The inverse of ``SlidingWindow`` and ``MDCT``.

    A frame of an MDCT holds aliasing, which only the frames around it cancel: so the hop must be half the window or an
    even part of that half, and the first and last window - hop samples of a signal are not recovered unless it was
    padded by as many when it was cut.

    Args:
        windowing_func (WindowingFunc): multiplies each frame before it is added; by default the Vorbis window.
        analysis_windowing_func (WindowingFunc | None): the window of the analysis; None: the same. Two windows must
            cancel aliasing: any symmetric window does with itself.

    Raises:
        DeclarationError: something else than windows.

    See Also:
        MDCT: the inverse.

    Sources:
        J. Princen, A. Bradley, "Analysis/synthesis filter bank design based on time domain aliasing cancellation", IEEE
        Trans. ASSP 34 (1986).
    """

    def _windows(self, size: int) -> tuple[np.ndarray | None, np.ndarray | None]:
        synthesis, analysis = self.windowing_func(size), self._analysis(size)
        left = aliasing(analysis, synthesis)
        if left > _AUDIBLE_ALIASING:
            raise DeclarationError(
                f"analysis window {self.analysis_windowing_func or self.windowing_func!r} and synthesis window "
                f"{self.windowing_func!r} leave aliasing of {left:.2g} at {size} samples; "
                "allowed: a symmetric window that is the same for both"
            )
        return synthesis, analysis * synthesis

    def _overlapped(self, frames: np.ndarray, dimension: Any, hop: int, size: int) -> np.ndarray:
        if size % 2:
            raise DimensionError(f"windows of {size} samples: an MDCT has windows of 2 N samples for N coefficients")
        if size // 2 % hop:
            raise DimensionError(
                f"windows of {size} samples, {hop} apart: aliasing cancels between frames half a window apart, so the "
                f"hop must divide {size // 2}; cut windows {size // 2} samples apart"
            )
        return super()._overlapped(frames, dimension, hop, size)

    def _divide(self, out: np.ndarray, divisor: np.ndarray, hop: int, n_frames: int) -> None:
        divide_by_repeated_weights(out, divisor, hop)

    def _inverse(self, frames: np.ndarray, dimension: Any, window: int) -> np.ndarray:
        _check_coefficients(frames, dimension, window // 2, window)
        return imdct(frames, axis=1)


def _check_coefficients(frames: np.ndarray, dimension: Any, needed: int, window: int) -> None:
    if not isinstance(dimension, FrequencyDimension):
        raise DimensionError(f"frames of {dimension!r}; needed: a FrequencyDimension, as cosine transforms give")
    if frames.shape[1] != needed:
        raise DimensionError(
            f"{frames.shape[1]} coefficients for windows of {window} samples; the inverse needs all {needed}: "
            "set the others to zero instead of slicing them away"
        )
