"""Exact time."""

from collections.abc import Iterator

import zounds_lite as zounds
from benchmarks.accuracy.table import Row

RATES = (8000, 11025, 16000, 22050, 41100, 44100, 48000, 96000)


def rows() -> Iterator[Row]:
    """Slices of n seconds, at 0 s, 1 h and 10 h: their length, and their first sample. No audio is needed for that."""
    for hz in RATES:
        axis = zounds.TimeDimension(*zounds.audio_sample_rate(hz)).with_size(hz * 11 * 3600)
        checked = wrong = 0
        for start in (0, 3600, 36000):
            for n in (1, 2, 3, 7, 10, 30, 59, 60, 100, 1000, 3599):
                part = axis.integer_based_slice(zounds.TimeSlice(zounds.Seconds(n), start=zounds.Seconds(start)))
                checked += 1
                wrong += (part.start, part.stop) != (start * hz, (start + n) * hz)
        yield Row(f"exact time at {hz} Hz", f"{wrong} of {checked} wrong", "0", wrong == 0)
