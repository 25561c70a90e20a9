"""Spectra from bands, with units.

Goal: magnitudes whose sums in bands are the given ones, so that what was only kept in bands can be heard. Function:
``mel_to_magnitude``.
"""

from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp.nonnegative import nonnegative_least_squares
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.spectral.dimension import FrequencyDimension
from zounds_lite.spectral.filters import filter_bank, frequency_scale
from zounds_lite.spectral.linear import FFTScale
from zounds_lite.spectral.perceptual import SlaneyMelScale
from zounds_lite.timeseries import TimeDimension

__all__ = ["mel_to_magnitude"]


def mel_to_magnitude(mel: Any, n_fft: int | None = None, power: float = 2.0, n_iter: int = 64) -> ArrayWithUnits:
    """Find magnitudes of a Fourier transform whose mel bands are the given ones.

    Bands are fewer than bins, so many spectra fit; this one has no negative numbers, starts from the answer of least
    norm, and comes close to the bands in a fixed number of rounds.

    Args:
        mel (ArrayWithUnits): the result of ``mel_bands`` or ``MelBands``, >= 0; windows in time first, bands last.
        n_fft (int | None): samples of the transform; None: those of a window.
        power (float): the exponent of the magnitude that was summed, > 0.
        n_iter (int): rounds, >= 0.

    Shape:
        [frames, ..., bands] -> [frames, ..., n_fft // 2 + 1]

    Returns:
        ArrayWithUnits: magnitudes as ``np.abs(fft(...))`` has them, float32 for float32.

    Raises:
        DimensionError: the last axis has no mel bands.
        SampleRateError: the first axis does not say how many samples a frame has.
        DeclarationError: negative bands, or an argument out of its range.

    Examples:
        >>> from zounds_lite.spectral import FrequencyBand, HanningWindowingFunc, mel_bands, stft
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> spectra = stft(SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0]))
        >>> scale = SlaneyMelScale(FrequencyBand(0, 5512.5), 64)
        >>> found = mel_to_magnitude(mel_bands(spectra, scale))
        >>> found.shape == spectra.shape, bool(np.allclose(mel_bands(found, scale), mel_bands(spectra, scale), atol=1))
        (True, True)

    See Also:
        mel_bands: the inverse. GriffinLimSynthesizer: from magnitudes to sound.

    Sources:
        librosa 0.11, ``feature.inverse.mel_to_stft``, for the idea; for the method, ``dsp.nonnegative``.
    """
    scale = frequency_scale(mel)
    if not isinstance(scale, SlaneyMelScale):
        raise DimensionError(f"bands of a {type(scale).__name__}; allowed: the result of mel_bands")
    if not power > 0:
        raise DeclarationError(f"power={power!r}; allowed: above 0, such as 2 for power")
    time = mel.dimensions[0]
    if not isinstance(time, TimeDimension) or time.rate is None or time.window is None:
        raise SampleRateError(f"{time!r} does not say how many samples a frame has; give bands of what stft cut")
    values = np.asarray(mel)
    if (values < 0).any():
        raise DeclarationError("negative bands; allowed: 0 or more. Levels in dB: take db_to_power first")
    axis = FFTScale(time.rate, time.window if n_fft is None else n_fft)
    bank = filter_bank(scale, axis)
    raised = nonnegative_least_squares(bank.matrix, values, n_iter)
    magnitude = raised ** raised.dtype.type(1 / power)
    magnitude *= magnitude.dtype.type(float(axis.n_fft) ** -0.5)
    return ArrayWithUnits(magnitude, [*mel.dimensions[:-1], FrequencyDimension(axis)])
