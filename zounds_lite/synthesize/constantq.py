"""Inverse of the constant-Q transform.

Goal: the sound that constant-Q coefficients were made of, as far as their bands reach. Class: ``CQTSynthesizer``.
"""

from typing import Any

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.dsp.constantq_atoms import Window, window_of_size
from zounds_lite.dsp.constantq_inverse import icqt
from zounds_lite.errors import DeclarationError
from zounds_lite.spectral.functional.constantq import constant_q_of_axes
from zounds_lite.timeseries import AudioSamples, audio_sample_rate

__all__ = ["CQTSynthesizer"]


class CQTSynthesizer(Declared):
    """The inverse of ``cqt`` and ``CQT``, by least squares.

    Frequencies outside the bands are missing, and those at the edges of the first and the last band are weaker. Sounds
    of any length are made in stretches of some 2^20 samples.

    Args:
        window (str | Callable): the window of the analysis.
        steps (int): steps of the iteration at most, >= 1: four are enough for 40 dB in most sounds.
        allow_gaps (bool): invert even where the hop of the analysis is above half its shortest atom, so that the
            highest bands come back too weak and full of beats.

    Raises:
        DeclarationError: an unknown window, or no steps.

    Examples:
        >>> from zounds_lite.spectral import cqt
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> again = CQTSynthesizer().synthesize(cqt(tone, hop=64, n_bands=60))
        >>> len(again), bool(abs(again - tone)[1000:-1000].max() < 1e-3)
        (11025, True)

    See Also:
        cqt, CQT: the inverse.

    Sources:
        As ``dsp.icqt``.
    """

    window: Any
    steps: int
    allow_gaps: bool

    def __init__(self, window: Window = "hann", steps: int = 20, allow_gaps: bool = False) -> None:
        super().__init__(window=window, steps=steps, allow_gaps=allow_gaps)

    def validate(self) -> None:
        """Refuse unknown windows, and no steps."""
        window_of_size(self.window, 16)
        if isinstance(self.steps, bool) or not isinstance(self.steps, (int, np.integer)) or self.steps < 1:
            raise DeclarationError(f"steps={self.steps!r}; allowed: a whole number of steps, at least 1")

    def synthesize(self, spectra: Any, length: int | None = None) -> AudioSamples:
        """Return the sound that coefficients were made of.

        Args:
            spectra (ArrayWithUnits): the result of ``cqt``, with all its bands.
            length (int | None): samples in the result; None: as many as the sound had if the coefficients know it,
                otherwise a hop for each frame.

        Shape:
            [frames, bands, ...] -> [time, ...]

        Returns:
            AudioSamples: float32 for complex64, otherwise float64.

        Raises:
            DimensionError: axes that ``cqt`` does not give.
            DeclarationError: magnitudes, a negative length, or a hop that leaves gaps.
        """
        bank = constant_q_of_axes(spectra, self.window)
        if length is not None and length < 0:
            raise DeclarationError(f"length={length!r}; allowed: 0 or more samples")
        time = spectra.dimensions[0]
        moved = np.moveaxis(np.asarray(spectra), (0, 1), (-2, -1))
        found = np.moveaxis(icqt(moved, bank, time.n_samples, self.steps, self.allow_gaps), -1, 0)
        return AudioSamples(_fitted(found, length), audio_sample_rate(time.rate))


def _fitted(found: np.ndarray, length: int | None) -> np.ndarray:
    if length is None or length <= len(found):
        return np.ascontiguousarray(found[:length])
    return np.concatenate([found, np.zeros((length - len(found), *found.shape[1:]), found.dtype)])
