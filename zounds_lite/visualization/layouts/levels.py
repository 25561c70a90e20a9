"""Bands of a recording, and their levels as brightness.

Goal: bands that are never empty, at every rate, and a brightness that means the same in every picture. Conventions:
frames first; power relative to a tone with the peak of the recording; 0 is black and 1 is white. Types: ``Bands``;
functions: ``levels``, ``bands_of``.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from zounds_lite.dsp import FilterBank, perceptual_weighting, power_to_db, slaney_mel_matrix
from zounds_lite.dsp.curves import hz_to_slaney_mel, slaney_mel_to_hz
from zounds_lite.visualization.layouts.sound import Sound

__all__ = ["Bands", "bands_of", "levels"]

_QUIET_DB = -80.0
"""What is quieter than this below full scale is noise of the format, and is not made brighter."""

_LOBE_OF_POWER, _LOBE_OF_MAGNITUDE = 1.5, 2.0
"""What a tone is, summed over the bins of a Hann window: 1 in its own, and half the magnitude on either side."""

_SMALLEST = 1e-30


class Bands(NamedTuple):
    """Mel bands on the bins of a transform.

    Args:
        bank (dsp.FilterBank): the triangles of ``slaney_mel_matrix``, scaled so that those below 1 kHz peak at 1.
        hz (np.ndarray): the frequency of each band's peak, in Hz.
    """

    bank: FilterBank
    hz: np.ndarray

    def of_power(self, spectra: np.ndarray) -> np.ndarray:
        """Sum power: [frames, bins] -> [frames, bands]; a tone in the middle of a band has its power."""
        return self.bank.apply(spectra, power=2) / np.float32(_LOBE_OF_POWER)

    def of_magnitude(self, spectra: np.ndarray) -> np.ndarray:
        """Sum magnitudes, and square: [frames, bins] -> [frames, bands], as ``of_power``."""
        return (self.bank.apply(spectra, power=1) / np.float32(_LOBE_OF_MAGNITUDE)) ** 2


def bands_of(sound: Sound, count: int, start_hz: float, stop_hz: float) -> Bands:
    """Return mel bands, as many as wanted, or as are at least as far apart as the bins of a transform.

    Args:
        sound (Sound): whose rate bounds the frequencies.
        count (int): bands, >= 1.
        start_hz, stop_hz (float): where the first triangle starts and the last one stops.
    """
    stop = min(stop_hz, sound.rate / 2)
    return _bands(sound.rate, sound.n_fft, count, min(start_hz, stop / 2), stop)


@lru_cache(maxsize=16)
def _bands(rate: int, n_fft: int, count: int, start: float, stop: float) -> Bands:
    low, high = hz_to_slaney_mel(start), hz_to_slaney_mel(stop)
    while count > 1 and slaney_mel_to_hz(low + (high - low) / (count + 1)) - start < rate / n_fft:
        count -= 1
    corners = slaney_mel_to_hz(np.linspace(low, high, count + 2))
    matrix = slaney_mel_matrix(rate, n_fft, count, start, stop) * ((corners[2] - corners[0]) / 2)
    return Bands(FilterBank(matrix), corners[1:-1])


def levels(
    power: np.ndarray,
    sound: Sound,
    hz: np.ndarray | None,
    range_db: float,
    white_db: float | None = None,
    exponent: float = 1.0,
) -> np.ndarray:
    """Turn power into brightness: decibels as they are heard, from black to white.

    The loudest is white, so a recording looks the same at any volume; one whose peak lies below -80 dB is as much
    darker as it lies below that, so silence is black and not the brightest of all.

    Args:
        power (np.ndarray): power of bands, relative to a tone with the peak of the recording.
        sound (Sound): the recording.
        hz (np.ndarray | None): the frequency of each band, for A-weighting; None: unweighted.
        range_db (float): from black to white, in dB, > 0.
        white_db (float | None): the level that is white, in dB relative to a tone of full scale; None: the loudest.
        exponent (float): power is raised to it, > 0.

    Shape:
        [frames, bands] -> [frames, bands], 0..1
    """
    if not sound.peak:
        return np.zeros(power.shape)
    raised = power**exponent
    if hz is None:
        db = power_to_db(raised, amin=_SMALLEST, top_db=None)
    else:
        db = perceptual_weighting(raised, hz, amin=_SMALLEST, top_db=None)
    peak_db = 20 * np.log10(sound.peak)
    white = db.max() + max(0.0, _QUIET_DB - peak_db) if white_db is None else white_db - exponent * peak_db
    return np.clip(1 + (db - white) / range_db, 0, 1)
