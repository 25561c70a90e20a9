"""Pure tones of all keys of a piano: the pitch class that is found."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import zounds_lite as zounds
from benchmarks.accuracy.table import Row
from zounds_lite import spectral

KEYS = 88
SECONDS = 0.75


def _right(find: Callable[[Any], Any], rate: Any, first: int) -> int:
    """Count the keys whose class is the largest in every frame of a short-time transform."""
    size = int(SECONDS * rate.rate)
    t = np.arange(3 * size) / rate.rate
    right = 0
    for key in range(KEYS):
        tone = zounds.AudioSamples(np.sin(2 * np.pi * 27.5 * 2 ** (key / 12) * t), rate)
        spectra = spectral.stft(tone, rate.windowing_scheme(size, size // 2))[:-1]
        classes = np.asarray(find(spectra)).argmax(axis=-1)
        right += bool((classes == (key - first) % 12).all())
    return right


def rows() -> Iterator[Row]:
    """The keys from A0 to C8, in windows of three quarters of a second; every frame must be right."""
    scale = spectral.ChromaScale(spectral.FrequencyBand(27.5, 4186.01))
    ways: dict[str, tuple[Callable[[Any], Any], int]] = {
        "Chroma": (lambda tf: spectral.chroma(tf, scale), 0),
        "Chroma, true A-weighting": (
            lambda tf: spectral.chroma(tf, scale, weighting=spectral.AWeighting(gain=True)),
            0,
        ),
        "Chroma, no weighting": (lambda tf: spectral.chroma(tf, scale, weighting=None), 0),
        "ChromaSTFT": (spectral.chroma_stft, 3),
    }
    for rate in (zounds.SR11025(), zounds.SR44100()):
        for name, (find, first) in ways.items():
            right = _right(find, rate, first)
            yield Row(f"{name} at {rate.rate} Hz, piano keys", f"{right} of {KEYS}", f"{KEYS} of {KEYS}", right == KEYS)
