"""Filters that sum a spectrum into pitch classes.

Goal: chroma as librosa computes it, for results that can be compared; the bank of notes that the library documents is a
list of bands, and needs no matrix of its own.

Conventions: pitch is counted in octaves above 27.5 Hz, the lowest A of a piano, so whole numbers are A; a bank is a
matrix (classes, bins) for ``FilterBank``.

Function: ``chroma_matrix``.
"""

from functools import lru_cache

import numpy as np

from zounds_lite.dsp._checks import check_rate
from zounds_lite.errors import DeclarationError

__all__ = ["chroma_matrix"]

_A0_HZ = 27.5
_FIRST = {"A": 0, "C": 3}
"""Semitones from A up to the class that comes first."""


def chroma_matrix(
    sr: int,
    n_fft: int,
    n_classes: int = 12,
    tuning: float = 0.0,
    center_octave: float = 5.0,
    octave_width: float | None = 2.0,
    first: str = "C",
) -> np.ndarray:
    """Build Ellis' filters of pitch classes, as ``librosa.filters.chroma`` does.

    With p the pitch of a bin in classes and w its width, at least one class, a bin's share of class c is
    exp(-2 ((p - c) / w)^2), where p - c is taken to the nearest octave. The shares of a bin have a Euclidean norm of 1;
    then bins are weighted by exp(-((octave - center_octave) / octave_width)^2 / 2).

    Args:
        sr (int): sample rate in Hz.
        n_fft (int): samples of the transform, >= 2; bin k lies at k * sr / n_fft.
        n_classes (int): classes in an octave, >= 1; 24 are quarter-tones.
        tuning (float): how far A lies above 440 Hz, in classes.
        center_octave (float): the octave that counts most, above 27.5 Hz.
        octave_width (float | None): standard deviation of that weight in octaves, > 0. None: all octaves alike.
        first (str): the class that comes first, "C" or "A".

    Shape:
        -> [n_classes, n_fft // 2 + 1] float64, read-only

    Raises:
        SampleRateError: a rate that is not a positive integer.
        DeclarationError: sizes or a width out of range, or another first class.

    Examples:
        >>> bank = chroma_matrix(22050, 4096)
        >>> bank.shape, int(bank[:, round(440 * 4096 / 22050)].argmax())
        ((12, 2049), 9)

    Sources:
        D. Ellis, "Chroma feature analysis and synthesis" (2007), LabROSA, Columbia University; librosa 0.11,
        ``filters.chroma``.
    """
    check_rate("sr", sr)
    if n_fft < 2 or n_classes < 1:
        raise DeclarationError(f"n_fft={n_fft}, n_classes={n_classes}; allowed: at least 2, and at least 1")
    if octave_width is not None and not octave_width > 0:
        raise DeclarationError(f"octave_width={octave_width!r}; allowed: above 0, or None")
    if first not in _FIRST:
        raise DeclarationError(f"first={first!r}; allowed: 'A', 'C'")
    width = None if octave_width is None else float(octave_width)
    return _chroma_matrix(int(sr), int(n_fft), int(n_classes), float(tuning), float(center_octave), width, first)


@lru_cache(maxsize=16)
def _chroma_matrix(
    sr: int, n_fft: int, n_classes: int, tuning: float, center_octave: float, octave_width: float | None, first: str
) -> np.ndarray:
    n_bins = n_fft // 2 + 1
    hz = np.arange(1, n_bins + 1) * (sr / n_fft)
    pitch = n_classes * np.log2(hz / (_A0_HZ * 2.0 ** (tuning / n_classes)))
    # 0 Hz has no pitch: it is put an octave and a half below the first bin, which makes it wide and faint
    pitch = np.concatenate([[pitch[0] - 1.5 * n_classes], pitch])
    width = np.maximum(np.diff(pitch), 1.0)
    pitch = pitch[:n_bins]
    half = np.round(n_classes / 2)
    distance = np.remainder(pitch - np.arange(n_classes)[:, None] + half, n_classes) - half
    matrix = np.exp(-2.0 * (distance / width) ** 2)
    matrix /= np.sqrt((matrix**2).sum(axis=0))
    if octave_width is not None:
        matrix *= np.exp(-0.5 * ((pitch / n_classes - center_octave) / octave_width) ** 2)
    matrix = np.roll(matrix, -_FIRST[first] * (n_classes // 12), axis=0)
    matrix.setflags(write=False)
    return matrix
