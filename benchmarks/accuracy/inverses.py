"""Short-time transforms and back."""

from collections.abc import Iterator

import numpy as np

import zounds_lite as zounds
from benchmarks.accuracy.table import Row, at_least, snr_db
from zounds_lite.spectral import stft


def rows() -> Iterator[Row]:
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
                worst = min(worst, snr_db(x, back[:length]))
            name = f"STFT and back, {np.dtype(dtype).name}, window {window}, hop {hop}"
            yield at_least(name, worst, bar, "dB", also=lengths_right)
