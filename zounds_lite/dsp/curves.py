"""Curves of hearing: pitch scales, critical bandwidth and loudness weighting over frequency.

Goal: the conversions that scales and weightings are built from, each in the exact form of one source.

Conventions: functions take a number or an array of any shape and return float64 of the same shape (a number for a
number). Frequencies are in Hz.

Functions: ``hz_to_mel`` and ``mel_to_hz`` (logarithmic), ``hz_to_slaney_mel`` and ``slaney_mel_to_hz`` (linear up to 1
kHz), ``hz_to_bark`` and ``bark_to_hz``, ``erb``, ``hz_to_erb_rate`` and ``erb_rate_to_hz``, ``hz_to_midi`` and
``midi_to_hz``, ``a_weighting_db``, ``a_weighting_factor_db``.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = [
    "a_weighting_db",
    "a_weighting_factor_db",
    "bark_to_hz",
    "erb",
    "erb_rate_to_hz",
    "hz_to_bark",
    "hz_to_erb_rate",
    "hz_to_mel",
    "hz_to_midi",
    "hz_to_slaney_mel",
    "mel_to_hz",
    "midi_to_hz",
    "slaney_mel_to_hz",
]

# Slaney's scale: 200/3 Hz per mel up to 1000 Hz (mel 15), then 27 mels for each factor of 6.4
_SLANEY_HZ_PER_MEL = 200.0 / 3.0
_SLANEY_CORNER_HZ = 1000.0
_SLANEY_CORNER_MEL = _SLANEY_CORNER_HZ / _SLANEY_HZ_PER_MEL
_SLANEY_LOG_STEP = np.log(6.4) / 27.0

# the ERB-rate of Glasberg and Moore: 21.4 log10(1 + 0.00437 f)
_ERB_RATE_PER_NEPER = 21.4 / np.log(10.0)
_ERB_RATE_CORNER_HZ = 1.0 / 0.00437


def hz_to_mel(hz: ArrayLike) -> Any:
    """Convert Hz to mel, 1127 ln(1 + f / 700).

    Args:
        hz (ArrayLike): frequencies in Hz, >= 0.

    Examples:
        >>> round(float(hz_to_mel(1000.0)), 2)
        999.99

    See Also:
        mel_to_hz (the inverse), hz_to_slaney_mel (another scale of that name).

    Sources:
        D. O'Shaughnessy, "Speech communication" (1987), p. 150; S. Young et al., "The HTK book", eq. 5.13.
    """
    return 1127.0 * np.log1p(_floats(hz) / 700.0)


def mel_to_hz(mel: ArrayLike) -> Any:
    """Convert mel to Hz, 700 (e^(m / 1127) - 1).

    Args:
        mel (ArrayLike): pitches in mel.

    Examples:
        >>> round(float(mel_to_hz(hz_to_mel(440.0))), 9)
        440.0
    """
    return 700.0 * np.expm1(_floats(mel) / 1127.0)


def hz_to_slaney_mel(hz: ArrayLike) -> Any:
    """Convert Hz to Slaney's mel: 3 f / 200 up to 1000 Hz, logarithmic above.

    Args:
        hz (ArrayLike): frequencies in Hz, >= 0.

    Examples:
        >>> hz_to_slaney_mel([0.0, 200.0, 1000.0, 6400.0]).round(9)
        array([ 0.,  3., 15., 42.])

    See Also:
        slaney_mel_to_hz (the inverse), hz_to_mel (another scale of that name).

    Sources:
        M. Slaney, "Auditory Toolbox, version 2", Interval Research technical report 1998-010.
    """
    f = _floats(hz)
    above = _SLANEY_CORNER_MEL + np.log(np.maximum(f, _SLANEY_CORNER_HZ) / _SLANEY_CORNER_HZ) / _SLANEY_LOG_STEP
    return np.where(f < _SLANEY_CORNER_HZ, f / _SLANEY_HZ_PER_MEL, above)[()]


def slaney_mel_to_hz(mel: ArrayLike) -> Any:
    """Convert Slaney's mel to Hz.

    Args:
        mel (ArrayLike): pitches in mel.

    Examples:
        >>> slaney_mel_to_hz([3.0, 15.0, 42.0]).round(9)
        array([ 200., 1000., 6400.])
    """
    m = _floats(mel)
    above = _SLANEY_CORNER_HZ * np.exp(_SLANEY_LOG_STEP * (np.maximum(m, _SLANEY_CORNER_MEL) - _SLANEY_CORNER_MEL))
    return np.where(m < _SLANEY_CORNER_MEL, m * _SLANEY_HZ_PER_MEL, above)[()]


def hz_to_bark(hz: ArrayLike) -> Any:
    """Convert Hz to bark, 6 asinh(f / 600).

    Args:
        hz (ArrayLike): frequencies in Hz.

    Examples:
        >>> round(float(hz_to_bark(1000.0)), 4)
        7.7028

    See Also:
        bark_to_hz (the inverse).

    Sources:
        M. Schroeder, B. Atal, J. Hall, "Optimizing digital speech coders by exploiting masking properties of the human
        ear", J. Acoust. Soc. Am. 66 (1979); here with a corner of 600 Hz and 6 bark, after H. Hermansky, "Perceptual
        linear predictive (PLP) analysis of speech", J. Acoust. Soc. Am. 87 (1990).
    """
    return 6.0 * np.arcsinh(_floats(hz) / 600.0)


def bark_to_hz(bark: ArrayLike) -> Any:
    """Convert bark to Hz, 600 sinh(b / 6).

    Args:
        bark (ArrayLike): pitches in bark.

    Examples:
        >>> round(float(bark_to_hz(hz_to_bark(440.0))), 9)
        440.0
    """
    return 600.0 * np.sinh(_floats(bark) / 6.0)


def erb(hz: ArrayLike) -> Any:
    """Return the equivalent rectangular bandwidth of hearing at a frequency, 0.108 f + 24.7, in Hz.

    Args:
        hz (ArrayLike): centre frequencies in Hz.

    Examples:
        >>> round(float(erb(1000.0)), 9)
        132.7

    Sources:
        B. Glasberg, B. Moore, "Derivation of auditory filter shapes from notched-noise data", Hearing Research 47
        (1990), in the rounded form 24.7 + 0.108 f.
    """
    return 0.108 * _floats(hz) + 24.7


def hz_to_erb_rate(hz: ArrayLike) -> Any:
    """Convert Hz to ERB-rate, 21.4 log10(1 + 0.00437 f): the number of the ear's filters that fit below a frequency.

    Args:
        hz (ArrayLike): frequencies in Hz, > -228.8.

    Examples:
        >>> round(float(hz_to_erb_rate(1000.0)), 4)
        15.6214

    See Also:
        erb_rate_to_hz (the inverse), erb (the width of one such filter).

    Sources:
        B. Glasberg, B. Moore, "Derivation of auditory filter shapes from notched-noise data", Hearing Research 47
        (1990), eq. 4.
    """
    return _ERB_RATE_PER_NEPER * np.log1p(_floats(hz) / _ERB_RATE_CORNER_HZ)


def erb_rate_to_hz(rate: ArrayLike) -> Any:
    """Convert ERB-rate to Hz.

    Args:
        rate (ArrayLike): numbers of filters.

    Examples:
        >>> round(float(erb_rate_to_hz(hz_to_erb_rate(440.0))), 9)
        440.0
    """
    return _ERB_RATE_CORNER_HZ * np.expm1(_floats(rate) / _ERB_RATE_PER_NEPER)


def hz_to_midi(hz: ArrayLike) -> Any:
    """Convert Hz to MIDI note numbers, 69 + 12 log2(f / 440); 0 Hz gives -inf.

    Args:
        hz (ArrayLike): frequencies in Hz, >= 0.

    Examples:
        >>> hz_to_midi([220.0, 440.0, 880.0])
        array([57., 69., 81.])

    Sources:
        MIDI Manufacturers Association, "MIDI tuning standard": note 69 is A at 440 Hz.
    """
    with np.errstate(divide="ignore"):
        return 69.0 + 12.0 * np.log2(_floats(hz) / 440.0)


def midi_to_hz(note: ArrayLike) -> Any:
    """Convert MIDI note numbers to Hz.

    Args:
        note (ArrayLike): note numbers, fractions allowed.

    Examples:
        >>> midi_to_hz([57.0, 69.0])
        array([220., 440.])
    """
    return 440.0 * np.exp2((_floats(note) - 69.0) / 12.0)


def a_weighting_db(hz: ArrayLike, min_db: float | None = -80.0) -> Any:
    """Return the A-weighting of a sound level meter in dB: 0 dB at 1 kHz.

    Args:
        hz (ArrayLike): frequencies in Hz, >= 0.
        min_db (float | None): floor in dB. None: none, so that 0 Hz gives -inf.

    Examples:
        >>> a_weighting_db([0.0, 100.0, 1000.0, 10000.0]).round(2)
        array([-80.  , -19.14,   0.  ,  -2.49])

    See Also:
        a_weighting_factor_db (the same curve with rounded constants).

    Sources:
        IEC 61672-1:2013, annex E: the pole frequencies; librosa 0.11, ``A_weighting``.
    """
    return _a_weighting(hz, (20.598997, 107.65265, 737.86223, 12194.217), min_db)


def a_weighting_factor_db(hz: ArrayLike, min_db: float | None = None) -> Any:
    """Return the A-weighting in dB with the rounded pole frequencies that zounds documents its weights with.

    Args:
        hz (ArrayLike): frequencies in Hz, >= 0.
        min_db (float | None): floor in dB. None: none, so that 0 Hz gives -inf.

    Examples:
        >>> db = a_weighting_factor_db([20.0, 20.0 * 1000 ** (1 / 9), 20000.0])
        >>> (1 + db - db[0]).round(6)
        array([ 1.      , 18.317257, 42.054092])

    Sources:
        IEC 651:1979, in its rounded form with poles at 20.6, 107.7, 737.9 and 12200 Hz.
    """
    return _a_weighting(hz, (20.6, 107.7, 737.9, 12200.0), min_db)


def _a_weighting(hz: ArrayLike, poles_hz: tuple[float, float, float, float], min_db: float | None) -> Any:
    # gain = p4^2 f^4 / ((f^2 + p1^2) sqrt((f^2 + p2^2) (f^2 + p3^2)) (f^2 + p4^2)), 2 dB up so that 1 kHz is at 0
    f2 = _floats(hz) ** 2
    p1, p2, p3, p4 = (pole**2 for pole in poles_hz)
    with np.errstate(divide="ignore"):
        db = 2.0 + 20.0 * (
            np.log10(p4)
            + 2.0 * np.log10(f2)
            - np.log10(f2 + p1)
            - 0.5 * np.log10(f2 + p2)
            - 0.5 * np.log10(f2 + p3)
            - np.log10(f2 + p4)
        )
    return db if min_db is None else np.maximum(db, min_db)


def _floats(values: ArrayLike) -> Any:
    return np.asarray(values, dtype=np.float64)[()]
