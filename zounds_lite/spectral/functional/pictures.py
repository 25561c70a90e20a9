"""Pictures of spectra: brightness is magnitude, and colour is what else there is to see. Function: ``rainbowgram``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.dsp.companding import log_modulus, unit_scale
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral.filters import frequency_scale

__all__ = ["rainbowgram"]

_CONTRAST = 1000.0


def rainbowgram(tf: Any, colormap: Callable[[np.ndarray], Any]) -> ArrayWithUnits:
    """Colour a spectrogram: how bright a point is tells its magnitude, and its hue how fast its phase turns.

    Tones keep one hue as long as they keep their frequency; noise has all hues.

    Args:
        tf (ArrayWithUnits): complex spectra (frames, bins), such as the result of ``stft``.
        colormap (Callable): from numbers in 0..1 to colours in 0..1 on a last axis, red, green and blue first: a
            colour map of matplotlib, or any function.

    Shape:
        [frames, bins] -> [frames, bins, 3]

    Returns:
        ArrayWithUnits: magnitude, scaled to 0..1 after ln(1 + 1000 |X|), times the colour of the gradient over time of
        the unwrapped phase, scaled to 0..1.

    Raises:
        DimensionError: other axes than time and frequency.
        DeclarationError: the colour map gives no colours.

    Examples:
        >>> from zounds_lite.spectral import stft
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> rainbowgram(stft(tone), lambda hue: np.stack([hue, 1 - hue, hue], axis=-1)).shape
        (43, 257, 3)

    Sources:
        J. Engel et al., "Neural audio synthesis of musical notes with WaveNet autoencoders" (2017), section 4.
    """
    frequency_scale(tf)
    if tf.ndim != 2:
        raise DimensionError(f"a picture of an array with {tf.ndim} axes; allowed: (frames, bins), of one channel")
    spectra = np.asarray(tf)
    hues = np.asarray(colormap(unit_scale(_turning(np.angle(spectra)))))
    if hues.ndim != 3 or hues.shape[:2] != spectra.shape or hues.shape[2] < 3:
        raise DeclarationError(
            f"the colour map gave shape {hues.shape} for {spectra.shape}; allowed: one red, green and blue per number"
        )
    magnitude = unit_scale(log_modulus(np.abs(spectra), _CONTRAST))
    return ArrayWithUnits(magnitude[..., None] * hues[..., :3], [*tf.dimensions, IdentityDimension()])


def _turning(angles: np.ndarray) -> np.ndarray:
    """Return the gradient over time of unwrapped angles.

    Steps are wrapped one by one instead of unwrapping sums of them, so that what is not a number stays where it is.
    """
    if len(angles) < 2:
        return np.zeros_like(angles)
    steps = np.diff(angles, axis=0)
    wrapped = np.mod(steps + np.pi, 2 * np.pi) - np.pi
    wrapped = np.where((wrapped == -np.pi) & (steps > 0), np.pi, wrapped)
    return np.concatenate([wrapped[:1], 0.5 * (wrapped[1:] + wrapped[:-1]), wrapped[-1:]])
