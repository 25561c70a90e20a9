"""The picture in README: a melody over its chords, made and drawn by the library.

``python docs/readme_picture.py`` writes ``docs/readme.png`` anew; it needs the extra ``plot``, which brings Pillow.
"""

from pathlib import Path

import numpy as np
from PIL import Image

import zounds_lite as zounds
from zounds_lite.visualization import plot, save

RATE = zounds.SR16000()
CHORDS = ((110.0, 3, 7), (87.31, 4, 7), (130.81, 4, 7), (98.0, 4, 7))
"""Roots in Hz, and semitones above them: A minor, F, C, G."""
MELODY = (12, 16, 19, 24, 12, 16, 19, 21, 12, 16, 19, 24, 14, 17, 19, 26)
"""Semitones above A at 110 Hz, a quarter of a second each."""


def tone(seconds, hz, fade, vibrato=0.0):
    """A note with overtones that fade the faster the higher they are."""
    t = np.arange(round(seconds * RATE.rate)) / RATE.rate
    phase = 2 * np.pi * hz * t + vibrato * np.sin(2 * np.pi * 6 * t)
    attack = np.minimum(1, t / 0.01) * np.minimum(1, (seconds - t) / 0.02)
    return attack * sum(np.sin(k * phase) / k * np.exp(-fade * k * t) for k in range(1, 9))


def music():
    """Four seconds of it."""
    chords = [sum(tone(1, root * 2 ** (n / 12), 1.0) for n in (0, *steps)) for root, *steps in CHORDS]
    melody = [tone(0.25, 220 * 2 ** (n / 12), 1.5, vibrato=0.6) for n in MELODY]
    return zounds.AudioSamples(0.1 * np.concatenate(chords) + 0.1 * np.concatenate(melody), RATE)


if __name__ == "__main__":
    spectra = zounds.spectral.cqt(music(), hop=256, start_hz=65.406, n_bands=144, bands_per_octave=24)
    path = save(plot(spectra, floor_db=-55), Path(__file__).with_name("readme.png"), dpi=80)
    # few colours, so that a clone stays small
    Image.open(path).convert("RGB").quantize(48, dither=Image.Dither.NONE).save(path, optimize=True)
