"""Spectra summed into bands, with units.

Goal: the filter banks of ``dsp`` on arrays that know hertz. Conventions: frequency is the last axis; magnitudes are
summed. Functions: ``apply_scale``, ``mel_bands``.
"""

from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DeclarationError
from zounds_lite.spectral.dimension import FrequencyDimension
from zounds_lite.spectral.filters import filter_bank, frequency_scale
from zounds_lite.spectral.perceptual import SlaneyMelScale
from zounds_lite.spectral.pitchclasses import ChromaScale
from zounds_lite.spectral.scales import FrequencyScale
from zounds_lite.spectral.windows import WindowingFunc

__all__ = ["apply_scale", "mel_bands"]


def apply_scale(tf: Any, scale: FrequencyScale, window: WindowingFunc | None = None) -> ArrayWithUnits:
    """Sum the magnitudes of a spectrum into the bands of a scale.

    Args:
        tf (ArrayWithUnits): a spectrum, complex or real; frequency is the last axis.
        scale (FrequencyScale): the bands to sum into.
        window (WindowingFunc | None): the shape of a band between its edges; None weights all of it alike.

    Shape:
        [..., bins] -> [..., bands]

    Raises:
        DimensionError: the last axis has no frequencies.
        DeclarationError: ``scale`` is no scale.

    Examples:
        >>> from zounds_lite.spectral import FrequencyBand, LinearScale
        >>> linear = FrequencyDimension(LinearScale(FrequencyBand(0, 1000), 4))
        >>> tf = ArrayWithUnits(np.array([3 + 4j, 1, 1j, -1]), [linear])
        >>> np.asarray(apply_scale(tf, LinearScale(FrequencyBand(0, 1000), 2)))
        array([6., 2.])
    """
    if not isinstance(scale, FrequencyScale):
        raise DeclarationError(f"scale={scale!r}; allowed: a scale such as BarkScale(FrequencyBand(20, 5000), 100)")
    bands = scale.apply(tf, window)
    # pitch classes gather all octaves, so their axis cannot be sliced in hertz
    last = IdentityDimension() if isinstance(scale, ChromaScale) else FrequencyDimension(scale)
    return ArrayWithUnits(bands, [*tf.dimensions[:-1], last])


def mel_bands(tf: Any, scale: SlaneyMelScale, power: float = 2.0) -> ArrayWithUnits:
    """Sum a spectrum into mel bands, as librosa does.

    Args:
        tf (ArrayWithUnits): the result of ``fft`` or ``stft``, or its magnitude; frequency is the last axis.
        scale (SlaneyMelScale): the bands to sum into.
        power (float): exponent of the magnitude, > 0: 1 for magnitude, 2 for power.

    Shape:
        [..., bins] -> [..., bands]

    Returns:
        ArrayWithUnits: values as for a transform without scaling, so ours times sqrt(n_fft).

    Raises:
        DimensionError: the last axis is none of a Fourier transform.
        DeclarationError: ``power`` is not positive.

    Sources:
        librosa 0.11, ``librosa.feature.melspectrogram``, for its conventions.
    """
    if not power > 0:
        raise DeclarationError(f"power={power!r}; allowed: above 0, such as 2 for power")
    axis = frequency_scale(tf)
    bank = filter_bank(scale, axis)  # refuses axes that are none of a transform
    bands = bank.apply(np.asarray(tf), power)
    bands *= bands.dtype.type(float(axis.n_fft) ** (power / 2))  # type: ignore[attr-defined]
    return ArrayWithUnits(bands, [*tf.dimensions[:-1], FrequencyDimension(scale)])
