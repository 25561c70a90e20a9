"""The constant-Q transform against its definition and librosa, its inverse on music, and the keys of a piano."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import zounds_lite as zounds
from benchmarks.accuracy.table import Row, at_least, at_most, snr_db
from zounds_lite.dsp import ConstantQ, cqt
from zounds_lite.dsp.constantq_atoms import atom

SR = 22050
MUSIC = Path(__file__).parents[3] / "shared" / "data" / "music"

_BANDS: dict[str, dict[str, Any]] = {
    "84 notes, hop 512": {"hop": 512},
    "96 quarter tones, hop 1024": {"hop": 1024, "start_hz": 65.4064, "n_bands": 96, "bands_per_octave": 24},
    "72 notes, hop 441": {"hop": 441, "n_bands": 72, "start_hz": 65.4064},
    "8 octaves in fifths, hop 64": {"hop": 64, "start_hz": 35.0, "n_bands": 14, "bands_per_octave": 12 / 7},
    "60 notes, Hamming, hop 300": {"hop": 300, "n_bands": 60, "window": "hamming"},
}


_USUAL = list(_BANDS)[:2]


def _sounds() -> dict[str, np.ndarray]:
    t = np.arange(3 * SR) / SR
    rng = np.random.default_rng(0)
    notes = np.zeros(len(t))
    for at in np.arange(0, 2.5, 0.25):
        hz, since = 55 * 2 ** (rng.integers(0, 48) / 12), np.maximum(0, t - at)
        tones = sum(np.sin(2 * np.pi * hz * k * since) / k for k in range(1, 9) if k * hz < SR / 2)
        notes += tones * np.exp(-4 * since) * np.minimum(1, 100 * since)
    sounds = {"noise": rng.normal(size=2 * SR), "made-up notes": notes}
    for path in sorted(MUSIC.glob("*.ogg")):
        whole = zounds.AudioSamples.from_file(path.open("rb")).mono
        part = whole[zounds.TimeSlice(zounds.Seconds(3), start=zounds.Seconds(3))]
        chunks = list(zounds.Resampler(zounds.SR22050()).run([part]))
        sounds[path.name[:24]] = np.concatenate([np.asarray(chunk) for chunk in chunks]).astype(np.float64)
    return sounds


def _direct(x: np.ndarray, bank: ConstantQ) -> np.ndarray:
    """Correlate with each atom, in float64; the signal is transformed once for all of them."""
    import scipy.fft

    out = np.empty((bank.frame_count(len(x)), bank.n_bands), complex)
    before = int(bank.lengths[0]) + 2
    size = scipy.fft.next_fast_len(len(x) + 2 * before + bank.hop)
    spectrum = scipy.fft.fft(np.concatenate([np.zeros(before), x]), size)
    for k, (hz, length) in enumerate(zip(bank.center_hz, bank.lengths, strict=True)):
        first, numbers = atom(hz, length, bank.sr, bank.window)
        correlation = scipy.fft.ifft(spectrum * np.conj(scipy.fft.fft(numbers.conj(), size)))
        out[:, k] = correlation[before + first + np.arange(len(out)) * bank.hop]
    return out


def rows() -> Iterator[Row]:
    """Errors are parts of the largest magnitude of all bands, or of each band's own; the worse of both precisions."""
    sounds = _sounds()
    for name, arguments in _BANDS.items():
        bank = ConstantQ(SR, **arguments)
        of_all = of_each = 0.0
        # the usual two on all pieces, the others on noise, notes and one recording
        pieces = list(sounds.values())[: None if name in _USUAL else 3]
        for x in pieces:
            wanted = _direct(x, bank)
            largest = np.abs(wanted).max(axis=0)
            for dtype in (np.float32, np.float64):
                error = np.abs(bank.transform(x.astype(dtype)) - wanted).max(axis=0)
                of_all = max(of_all, float(error.max() / largest.max()))
                of_each = max(of_each, float((error / largest).max()))
        what = f"CQT, {name}, {len(pieces)} pieces, against float64 correlation"
        yield at_most(f"{what}, of the largest", of_all, 1e-3)
        yield at_most(f"{what}, of each band's largest", of_each, 1e-3)
    yield from _strict_rows(sounds["made-up notes"])
    yield from _key_rows()
    yield from _inverse_rows(sounds)


def _strict_rows(x: np.ndarray) -> Iterator[Row]:
    """The exact transform against the correlation and librosa, which leaves out atoms at negative frequencies."""
    import librosa

    for dtype, bar in ((np.float32, 1e-5), (np.float64, 1e-12)):
        bank = ConstantQ(SR, exact=True)
        wanted = _direct(x, bank)
        error = np.abs(bank.transform(x.astype(dtype)) - wanted).max(axis=0) / np.abs(wanted).max(axis=0)
        yield at_most(f"CQT, exact, {np.dtype(dtype).name}, against float64 correlation", float(error.max()), bar)
    single = x.astype(np.float32)
    pairs = {
        "one octave at the full rate": ({"hop": 511, "start_hz": 1000.0, "n_bands": 12}, 1e-3),
        "84 notes, its own error included": ({"hop": 512}, 2e-2),
    }
    for name, (arguments, bar) in pairs.items():
        bank = ConstantQ(SR, **arguments, exact=True)
        theirs = librosa.vqt(
            single,
            sr=SR,
            hop_length=bank.hop,
            fmin=bank.center_hz[0],
            n_bins=bank.n_bands,
            tuning=0,
            gamma=0,
            sparsity=0,
        ).T
        ours = cqt(single, SR, **arguments, exact=True)
        error = np.abs(np.abs(ours) - np.abs(theirs)).max() / np.abs(ours).max()
        yield at_most(f"CQT, exact, magnitudes beside librosa, {name}", error, bar, also=ours.shape == theirs.shape)


def _key_rows() -> Iterator[Row]:
    bank = ConstantQ(44100, hop=2048, start_hz=27.5, n_bands=88)
    t, right = np.arange(2 * 44100) / 44100, 0
    for key, hz in enumerate(27.5 * 2.0 ** (np.arange(88) / 12)):
        magnitudes = np.abs(bank.transform(np.sin(2 * np.pi * hz * t).astype(np.float32)))
        right += bool((magnitudes[15:-15].argmax(axis=1) == key).all())
    yield at_least("CQT, piano keys whose band is the largest in every frame, of 88", right, 88)


def _inverse_rows(sounds: dict[str, np.ndarray]) -> Iterator[Row]:
    """Sound and what comes back, both between the centres of the first and the last band.

    Last, the recording with most sound outside of the bands, as it is: what leaks in from there is in the error.
    """
    layouts: dict[str, dict[str, Any]] = {
        "84 notes, hop 48": {"hop": 48},
        "96 quarter tones, hop 375": {"hop": 375, "start_hz": 65.4064, "n_bands": 96, "bands_per_octave": 24},
    }
    for name, arguments in layouts.items():
        bank = ConstantQ(SR, **arguments)
        pieces = [_inside(x, bank) for what, x in sounds.items() if what != "noise"]
        for dtype, chosen in ((np.float32, pieces), (np.float64, pieces[:2])):
            worst, is_right = np.inf, True
            for x in chosen:
                back, is_like_it = _returned(x.astype(dtype), arguments)
                is_right &= is_like_it
                worst = min(worst, snr_db(_inside(x, bank), _inside(back, bank)))
            what = f"CQT and back, {name}, {np.dtype(dtype).name}, worst of {len(chosen)} pieces"
            yield at_least(what, worst, 40, "dB", also=is_right)
        outside = {
            what: np.linalg.norm(x - _inside(x, bank)) / np.linalg.norm(_inside(x, bank)) for what, x in sounds.items()
        }
        loudest = max(outside, key=lambda what: outside[what])
        back, _ = _returned(sounds[loudest], arguments)
        found = snr_db(_inside(sounds[loudest], bank), _inside(back, bank))
        level = 20 * np.log10(outside[loudest])
        yield at_least(f"CQT and back, {name}, {loudest}, with {level:.0f} dB outside of the bands", found, 30, "dB")


def _returned(x: np.ndarray, arguments: dict[str, Any]) -> tuple[np.ndarray, bool]:
    """A sound after analysis and synthesis, and whether it has its length and dtype."""
    sound = zounds.AudioSamples(x, zounds.SR22050())
    back = zounds.CQTSynthesizer().synthesize(zounds.spectral.cqt(sound, **arguments))
    return np.asarray(back), len(back) == len(x) and back.dtype == x.dtype


def _inside(x: np.ndarray, bank: ConstantQ) -> np.ndarray:
    spectrum, hz = np.fft.rfft(x.astype(np.float64)), np.fft.rfftfreq(len(x), 1 / bank.sr)
    low, high = bank.center_hz[[0, -1]]
    return np.fft.irfft(np.where((hz >= low) & (hz <= high), spectrum, 0), len(x))
