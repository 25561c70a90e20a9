"""How exact time, inverses and streaming are: prints the figures and exits non-zero on a miss."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

import zounds_lite as zounds
from benchmarks import harness
from zounds_lite.spectral import stft

RATES = (8000, 11025, 16000, 22050, 41100, 44100, 48000, 96000)
Row = tuple[str, str, str, bool]


def exact_time() -> Iterator[Row]:
    """Slices of n seconds, at 0 s, 1 h and 10 h: their length, and their first sample. No audio is needed for that."""
    for hz in RATES:
        axis = zounds.TimeDimension(*zounds.audio_sample_rate(hz)).with_size(hz * 11 * 3600)
        checked = wrong = 0
        for start in (0, 3600, 36000):
            for n in (1, 2, 3, 7, 10, 30, 59, 60, 100, 1000, 3599):
                part = axis.integer_based_slice(zounds.TimeSlice(zounds.Seconds(n), start=zounds.Seconds(start)))
                checked += 1
                wrong += (part.start, part.stop) != (start * hz, (start + n) * hz)
        yield f"exact time at {hz} Hz", f"{wrong} of {checked} wrong", "0", wrong == 0


def _decibels(signal: np.ndarray, error: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(signal**2) / max(np.sum(error**2), 1e-300)))


def inverses() -> Iterator[Row]:
    """STFT and back, padded, over the whole signal: the worst of several lengths."""
    rate = zounds.SR22050()
    rng = np.random.default_rng(0)
    for dtype, bar in ((np.float32, 120), (np.float64, 250)):
        for window, hop in ((512, 256), (512, 128), (744, 372), (743, 371), (511, 128), (5513, 2757)):
            worst, lengths_right = np.inf, True
            for length in (30_000, 44_100, 44_101, 57_331):
                x = zounds.AudioSamples(rng.normal(size=length).astype(dtype), rate)
                spectrum = stft(x, rate.windowing_scheme(window, hop), zounds.OggVorbisWindowingFunc(), pad=True)
                back = zounds.FFTSynthesizer().synthesize(spectrum)
                lengths_right &= len(back) == length and back.dtype == dtype
                signal = np.asarray(x, np.float64)
                worst = min(worst, _decibels(signal, np.asarray(back, np.float64)[:length] - signal))
            name = f"STFT and back, {np.dtype(dtype).name}, window {window}, hop {hop}"
            yield name, f"{worst:.0f} dB", f">= {bar}, exact length", worst >= bar and lengths_right


def _pieces(x: Any, sizes: list[int]) -> Iterator[Any]:
    at, i = 0, 0
    while at < len(x):
        yield x[at : at + sizes[i % len(sizes)]]
        at, i = at + sizes[i % len(sizes)], i + 1


def streaming() -> Iterator[Row]:
    """Nodes fed in chunks against the same nodes fed the whole: the largest difference over several chunkings."""
    rng = np.random.default_rng(1)
    sound = zounds.AudioSamples(rng.normal(size=200_003).astype(np.float32), zounds.SR44100())
    chunkings = [[1000], [65_536], [1, 7, 4096, 13], rng.integers(1, 9000, 40).tolist()]
    frames = zounds.SlidingWindow(zounds.HalfLapped(), zounds.OggVorbisWindowingFunc())
    windows = zounds.core.ArrayWithUnits.concat(list(frames.run([sound])))
    spectra = zounds.core.ArrayWithUnits.concat(list(zounds.FFT().run([windows])))
    chain = {
        "Resampler": (lambda: zounds.Resampler(zounds.SR11025()), sound, 1e-6),
        "SlidingWindow": (lambda: zounds.SlidingWindow(zounds.HalfLapped()), sound, 0.0),
        "FFT": (zounds.FFT, windows, 0.0),
        "BarkBands": (zounds.BarkBands, spectra, 0.0),
        "MelBands": (zounds.MelBands, spectra, 0.0),
    }
    for name, (make, x, bar) in chain.items():
        whole = np.concatenate([np.asarray(part) for part in make().run([x])])
        worst, same_length = 0.0, True
        for sizes in chunkings:
            parts = np.concatenate([np.asarray(part) for part in make().run(_pieces(x, sizes))])
            same_length &= parts.shape == whole.shape
            if parts.shape == whole.shape:
                worst = max(worst, float(np.abs(parts - whole).max() / np.abs(whole).max()))
        yield f"{name} in chunks", f"{worst:.1e} off", f"<= {bar:.0e}, equal lengths", worst <= bar and same_length


def main() -> int:
    """Print the table; 1 if a figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="accepted for uniformity; the run is short anyway")
    parser.add_argument("--out", help="write the figures as JSON")
    arguments = parser.parse_args()
    rows = [row for section in (exact_time, inverses, streaming) for row in section()]
    table = [(what, figure + ("" if good else "  MISSED"), target) for what, figure, target, good in rows]
    harness.report("accuracy", table, harness.machine(), arguments.out)
    return 0 if all(good for *_, good in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
