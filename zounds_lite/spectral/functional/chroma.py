"""Pitch classes with units.

Goal: which notes sound, from a spectrum. Conventions: frequency is the last axis, and twelve classes take its place,
without a unit. Functions: ``chroma`` (as documented), ``chroma_stft`` (as librosa).
"""

from functools import lru_cache
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.dsp.filterbank import FilterBank
from zounds_lite.errors import DeclarationError
from zounds_lite.spectral.filters import filter_bank, frequency_scale
from zounds_lite.spectral.pitchclasses import ChromaScale, EllisChromaScale
from zounds_lite.spectral.scales import FrequencyScale
from zounds_lite.spectral.weighting import AWeighting, FrequencyWeighting
from zounds_lite.spectral.windows import HanningWindowingFunc, WindowingFunc

__all__ = ["chroma", "chroma_stft"]

_HANN = HanningWindowingFunc()
_A_WEIGHTING = AWeighting()


def chroma(
    tf: Any,
    scale: ChromaScale,
    window: WindowingFunc | None = _HANN,
    weighting: FrequencyWeighting | None = _A_WEIGHTING,
) -> ArrayWithUnits:
    """Sum the weighted magnitudes of spectra into pitch classes.

    Args:
        tf (ArrayWithUnits): spectra, complex or real; frequency is the last axis.
        scale (ChromaScale): the notes that count, and the class that comes first.
        window (WindowingFunc | None): the shape of a note between its neighbours; None weights all of it alike.
        weighting (weighting.FrequencyWeighting | None): how much each frequency counts; None: all alike.

    Shape:
        [..., bins] -> [..., 12]

    Raises:
        DimensionError: the last axis has no frequencies.
        DeclarationError: ``scale`` has no pitch classes.

    Examples:
        >>> from zounds_lite.spectral import FrequencyBand, fft
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> int(chroma(fft(tone), ChromaScale(FrequencyBand(50, 5000))).argmax())
        0

    See Also:
        Chroma: the node. chroma_stft: as librosa.
    """
    if not isinstance(scale, ChromaScale):
        raise DeclarationError(f"scale={scale!r}; allowed: a ChromaScale, such as ChromaScale(FrequencyBand(50, 5000))")
    bank = _weighted_bank(scale, frequency_scale(tf), window, weighting)
    return _with_units(bank.apply(np.abs(np.asarray(tf))), tf)


def chroma_stft(tf: Any, scale: EllisChromaScale | None = None, power: float = 2.0) -> ArrayWithUnits:
    """Sum spectra into pitch classes, as ``librosa.feature.chroma_stft``; each frame's largest value is 1.

    Args:
        tf (ArrayWithUnits): the result of ``fft`` or ``stft``, or its magnitude; frequency is the last axis.
        scale (EllisChromaScale | None): the filters; None: those of librosa, from C, tuned to 440 Hz.
        power (float): exponent of the magnitude, > 0: 1 for magnitude, 2 for power.

    Shape:
        [..., bins] -> [..., 12]

    Returns:
        ArrayWithUnits: 0..1; all 0 for silence.

    Raises:
        DimensionError: the last axis is none of a Fourier transform.
        DeclarationError: ``power`` is not positive.

    Examples:
        >>> from zounds_lite.spectral import fft
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> int(chroma_stft(fft(tone)).argmax())
        9

    See Also:
        ChromaSTFT: the node.

    Sources:
        librosa 0.11, ``librosa.feature.chroma_stft``, with ``tuning`` given.
    """
    if not power > 0:
        raise DeclarationError(f"power={power!r}; allowed: above 0, such as 2 for power")
    bank = filter_bank(EllisChromaScale() if scale is None else scale, frequency_scale(tf))
    classes = bank.apply(np.asarray(tf), power)
    largest = classes.max(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):  # what is infinite shows in the result
        np.divide(classes, largest, out=classes, where=~(largest <= np.finfo(classes.dtype).tiny))
    return _with_units(classes, tf)


# typed: the axis of a transform equals the linear scale that documents it, but its bins lie elsewhere
@lru_cache(maxsize=16, typed=True)
def _weighted_bank(
    scale: ChromaScale, axis: FrequencyScale, window: WindowingFunc | None, weighting: FrequencyWeighting | None
) -> FilterBank:
    weights = np.ones(len(axis)) if weighting is None else weighting.weights(axis)
    return FilterBank(scale.basis(axis, window) * weights)


def _with_units(classes: np.ndarray, tf: Any) -> ArrayWithUnits:
    return ArrayWithUnits(classes, [*tf.dimensions[:-1], IdentityDimension()])
