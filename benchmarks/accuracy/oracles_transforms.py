"""Transforms against scipy's."""

from collections.abc import Iterator

import numpy as np

import zounds_lite as zounds
from benchmarks.accuracy.table import Row, at_most
from zounds_lite.spectral import dct, dct_iv, idct, mdct, stft

BAR = 1e-5
"""Largest difference, as a part of the largest value, in float64."""


def _difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(np.asarray(ours) - theirs).max() / np.abs(theirs).max())


def rows() -> Iterator[Row]:
    """The largest difference over sizes, odd and even, as a part of the largest value."""
    import scipy.fft

    rng = np.random.default_rng(2)
    worst = dict.fromkeys(("DCT-II", "DCT-III", "DCT-IV", "MDCT"), 0.0)
    for n in (1, 2, 255, 256, 743, 2048, 5513):
        x = rng.normal(size=(7, n))
        for kind, ours in ((2, dct(x)), (3, idct(x)), (4, dct_iv(x))):
            name = ("DCT-II", "DCT-III", "DCT-IV")[kind - 2]
            worst[name] = max(worst[name], _difference(ours, scipy.fft.dct(x, type=kind, norm="ortho")))
    for n in (1, 2, 255, 256, 743):
        x = rng.normal(size=(7, 2 * n))
        worst["MDCT"] = max(worst["MDCT"], _difference(mdct(x), x @ _mdct_matrix(n).T))
    for name, figure in worst.items():
        yield at_most(f"{name} against {'its definition' if name == 'MDCT' else 'scipy'}", figure, BAR)
    yield _stft(rng)


def _mdct_matrix(n: int) -> np.ndarray:
    k, j = np.arange(n)[:, None], np.arange(2 * n)
    return np.sqrt(2 / n) * np.cos(np.pi / n * (j + 0.5 + n / 2) * (k + 0.5))


def _stft(rng: np.random.Generator) -> Row:
    from scipy.signal import ShortTimeFFT

    worst = 0.0
    for size, hop in ((512, 256), (512, 128), (743, 186), (2048, 1024)):
        x = rng.normal(size=30_000)
        window = zounds.HanningWindowingFunc(periodic=True)
        ours = stft(zounds.AudioSamples(x, zounds.SR22050()), zounds.SR22050().windowing_scheme(size, hop), window)
        theirs = ShortTimeFFT(window(size), hop, 22050, fft_mode="onesided", phase_shift=None)
        # slice p of theirs is centred at p hops; ours start at 0, so they are centred half a window later
        shifted = np.concatenate([np.zeros(-(-size // hop) * hop - size // 2), x])
        first = -(-size // hop)
        spectra = theirs.stft(shifted, p0=first, p1=first + len(ours)).T / np.sqrt(size)
        complete = (len(x) - size) // hop + 1
        worst = max(worst, _difference(ours[:complete], spectra[:complete]))
    return at_most("STFT against scipy's ShortTimeFFT", worst, BAR)
