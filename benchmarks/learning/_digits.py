"""Spoken digits as a store: log-mel bands and cepstral coefficients with digit and speaker, computed once.

The recordings are those of ../shared/data where it is; otherwise made tones, two notes for each digit and a voice for
each speaker, which say nothing about speech.
"""

from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

import zounds_lite as zounds
from zounds_lite import featureflow as ff

RATE, WINDOW, HOP, BANDS, COEFFICIENTS = 8000, 256, 80, 40, 13
DIGITS = Path(__file__).parents[3] / "shared" / "data" / "fsdd"
_VOICES = {"ann": 1.0, "ben": 0.8, "cy": 1.1, "dot": 0.9, "eve": 1.2}


@ff.pointwise
def _decibels(power):
    return 10 * np.log10(np.maximum(power, 1e-10))


def digits(store: Any) -> Any:
    """Return the class of documents of a store."""
    rate = zounds.audio_sample_rate(RATE)
    base: Any = zounds.resampled(resample_to=rate, store_ogg=False)

    @zounds.simple_lmdb_settings(store, user_supplied_id=True)
    class Digit(base):
        """A digit, said once."""

        frames = zounds.ArrayWithUnitsFeature(
            zounds.SlidingWindow,
            needs=base.resampled,
            wscheme=rate.windowing_scheme(WINDOW, HOP),
            wfunc=zounds.HanningWindowingFunc(periodic=True),
            padwith=WINDOW // 2,
            padend=WINDOW // 2 - (HOP - 1),
            store=False,
        )
        fft = zounds.ArrayWithUnitsFeature(zounds.FFT, needs=frames, store=False)
        mel = zounds.ArrayWithUnitsFeature(zounds.MelBands, n_bands=BANDS, needs=fft, store=False)
        log_mel = zounds.ArrayWithUnitsFeature(_decibels, needs=mel, store=True)
        mfcc = zounds.ArrayWithUnitsFeature(zounds.MFCC, n_coeffs=COEFFICIENTS, top_db=80.0, needs=mel, store=True)

    return Digit


def write_made_digits(folder: Path, takes: int) -> None:
    """Write tones, named like recordings of digits."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    notes = list(permutations((300, 600, 1200, 2400), 2))
    for digit in range(10):
        for speaker, voice in _VOICES.items():
            for take in range(takes):
                time = np.arange(int(RATE * rng.uniform(0.3, 0.6))) / RATE
                first, second = (voice * hz * time for hz in notes[digit])
                tones = np.sin(2 * np.pi * np.where(time < time[-1] / 2, first, second))
                sound = tones * rng.uniform(0.05, 0.2) + 0.02 * rng.standard_normal(len(time))
                samples = zounds.AudioSamples(sound.astype(np.float32), zounds.SR8000())
                samples.save(str(folder / f"{digit}_{speaker}_{take}.wav"))


def stored_digits(folder: Path, is_quick: bool) -> tuple[Any, str]:
    """Return the documents of all digits in a store in ``folder``, and what they are; quick: few."""
    what, source = "spoken digits", DIGITS
    if not DIGITS.is_dir():
        what, source = "made tones (no ../shared/data)", folder / "made"
        write_made_digits(source, 4 if is_quick else 20)
    items = [item for item in zounds.SpokenDigits(source) if not is_quick or item.take < 4]
    model = digits(folder / "digits.zl")
    report = zounds.ingest(items, model, progress=False)
    if report.failed:
        raise RuntimeError(f"{len(report.failed)} recordings failed, the first: {report.failed[0]}")
    return model, what
