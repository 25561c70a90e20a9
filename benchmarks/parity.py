"""Parity with librosa 0.11: each building block of the three workflows, on several signals, against librosa itself.

Signals are tones, a glide, noise, clicks and half silence, and, where they are there, recordings: ten seconds of each,
at 22,050 Hz. Both libraries get the same samples. A row shows the worst signal: relative differences are parts of the
oracle's own value, or of its largest where the row says so; decibels have librosa's range of 80 dB below the loudest.

Ours transforms float32 in float32, which rounds at a few 1e-7 of the loudest bin, librosa in float64 whatever it is
given. So what a chain of blocks makes of quiet bands has its limit in float64 on all signals, and in float32 on all but
pure tones, 80 dB under which there is nothing but rounding; levels of float32 are compared on the same spectra too.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import zounds_lite as zounds
from benchmarks import harness
from zounds_lite import dsp, segment, spectral

SR, N_FFT, HOP = 22050, 2048, 512
RATE = zounds.SR22050()
HANN = zounds.HanningWindowingFunc(periodic=True)
MEL = zounds.SlaneyMelScale(zounds.FrequencyBand(0, SR / 2), 128)
PICTURE_MEL = zounds.SlaneyMelScale(zounds.FrequencyBand(50, 8000), 24)
"""The bands of the third workflow."""
CQT_BANDS = {"start_hz": 65.4064, "n_bands": 96, "bands_per_octave": 24}
TEMPI = (60, 71.3, 90, 100, 112.3, 120, 128, 140, 150, 174)

RELATIVE, DECIBEL, CQT, TEMPO = 1e-4, 1e-3, 6e-3, 1.0
MUSIC = Path(__file__).parents[2] / "shared" / "data" / "music"


class Error(NamedTuple):
    """How far two results are apart, on the signal of that name."""

    size: float
    signal: str


class Block(NamedTuple):
    """A row of the table: how far each signal is from librosa, and how far it may be; None where it is only shown."""

    what: str
    errors: list[Error]
    bar: float | None = None
    unit: str = ""

    def row(self) -> harness.Row:
        """Return the worst error beside its limit."""
        # NaN, which stands for another shape, is the worst of all
        worst = max(self.errors, key=lambda error: np.inf if np.isnan(error.size) else error.size)
        if self.bar is None:
            figure = f"{worst.size:.2g} {self.unit}".rstrip()
            return harness.Row(self.what, f"{figure} ({worst.signal})", value=worst.size, unit=self.unit)
        return harness.Row.at_most(self.what, worst.size, self.bar, self.unit, f" ({worst.signal})", digits=2)


def of_each(found: Any, wanted: Any) -> float:
    """Return the largest difference as a part of the number itself; numbers 240 dB below the largest count as that."""
    found, wanted = np.asarray(found, np.complex128), np.asarray(wanted, np.complex128)
    if found.shape != wanted.shape:
        return float("nan")
    size = np.abs(wanted)
    return float((np.abs(found - wanted) / np.maximum(size, max(1e-12 * size.max(), 1e-300))).max())


def of_largest(found: Any, wanted: Any) -> float:
    """Return the largest difference as a part of the largest number."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    return float(np.abs(found - wanted).max() / np.abs(wanted).max()) if found.shape == wanted.shape else float("nan")


def apart(found: Any, wanted: Any) -> float:
    """Return the largest difference, in the unit of the numbers."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    return float(np.abs(found - wanted).max()) if found.shape == wanted.shape else float("nan")


def made_up() -> dict[str, np.ndarray]:
    """Return signals of three seconds, float64."""
    t, rng = np.arange(3 * SR) / SR, np.random.default_rng(0)
    clicks = np.zeros(len(t))
    clicks[:: int(60 / 128 * SR)] = 1.0
    chord = sum(0.2 * np.sin(2 * np.pi * hz * t + k) for k, hz in enumerate((110.0, 277.18, 440.0, 659.26, 2637.0)))
    return {
        "tones": chord * np.exp(-t),
        "glide": 0.5 * np.sin(2 * np.pi * (100 * t + 1200 * t**2)),
        "noise": 0.1 * rng.normal(size=len(t)),
        "clicks": clicks + 1e-3 * rng.normal(size=len(t)),
        "half silence": np.where(t < 1.5, 0.1 * rng.normal(size=len(t)), 0.0),
    }


def recorded(seconds: int = 10) -> dict[str, np.ndarray]:
    """Return what stands beside the repository, if anything does, float64 without a loss."""
    found = {}
    for path in sorted(MUSIC.glob("*.ogg")):
        sound = zounds.AudioSamples.from_file(str(path), duration=zounds.Seconds(seconds))
        found[path.name.partition(".hq")[0][-16:]] = np.asarray(sound.mono.resample(RATE), np.float64)
    return found


def stft(x: np.ndarray) -> Any:
    """Return librosa's short-time Fourier transform, [frames, bins]; ours is scaled to keep energy."""
    frames = RATE.windowing_scheme(N_FFT, HOP)
    return spectral.stft(zounds.AudioSamples(x, RATE), frames, HANN, pad="centre")


def clicks(bpm: float, seconds: int = 20) -> np.ndarray:
    """Return short bursts of a fading tone, at a tempo."""
    x, t = np.zeros(seconds * SR), np.arange(SR // 10) / SR
    burst = np.sin(2 * np.pi * 1000 * t) * np.exp(-60 * t)
    for at in np.arange(0, seconds - 0.2, 60 / bpm):
        start = round(at * SR)
        x[start : start + len(burst)] += burst
    return x


def tempo(x: np.ndarray) -> float:
    """Return the beats per minute of a sound: the flux of its spectra, and the period of that."""
    return float(segment.tempo(segment.spectral_flux(stft(x))))


def onset_strength(x: np.ndarray) -> np.ndarray:
    """Return the strength of onsets, with the zeros that librosa puts before it for half a window."""
    strength = dsp.onset_strength(dsp.power_to_db(np.asarray(spectral.mel_bands(stft(x), MEL))))
    return np.concatenate([np.zeros(N_FFT // HOP // 2), strength])[: len(strength)]


def blocks(signals: dict[str, np.ndarray], recordings: dict[str, np.ndarray]) -> Iterator[Block]:
    """Yield all rows."""
    yield from _loading()
    yield from _scales()
    yield from _spectra({**signals, **recordings})
    yield from _decibels("float64", {**signals, **recordings})
    pure = {name: x for name, x in signals.items() if name in ("tones", "glide")}
    noisy = {name: x for name, x in signals.items() if name not in pure}
    yield from _decibels("float32", {**noisy, **recordings})
    yield from _decibels("float32", pure, is_bound=False)
    yield from _descriptors({**signals, **recordings})
    yield from _constant_q({**signals, **recordings})
    yield from _tempograms({**signals, **recordings})
    yield from _tempi()


def _loading() -> Iterator[Block]:
    import librosa
    import soundfile

    rng, errors = np.random.default_rng(1), []
    with tempfile.TemporaryDirectory(prefix="zounds-parity-") as folder:
        for sr, channels, suffix in ((41100, 1, "wav"), (44100, 2, "wav"), (48000, 2, "flac"), (22050, 2, "wav")):
            path = f"{folder}/{sr}-{channels}.{suffix}"
            soundfile.write(path, 0.2 * rng.normal(size=(sr + 7, channels)), sr, subtype="PCM_16")
            errors.append(_loaded(librosa, path, f"{sr} Hz, {channels} channels"))
    for path in sorted(MUSIC.glob("*.ogg")):
        errors.append(_loaded(librosa, str(path), path.name.partition(".hq")[0][-16:]))
    yield Block("load, mono, 22,050 Hz, of the largest", errors, RELATIVE)


def _loaded(librosa: Any, path: str, name: str) -> Error:
    ours = np.asarray(zounds.AudioSamples.from_file(path, duration=zounds.Seconds(20)).mono.resample(RATE))
    theirs, _ = librosa.load(path, sr=SR, mono=True, duration=20)
    # a length that is no whole number is rounded by us, and rounded up with a zero by librosa
    longer = max(len(ours), len(theirs))
    if abs(len(ours) - len(theirs)) > 1:
        return Error(float("nan"), name)
    return Error(of_largest(*(np.pad(x, (0, longer - len(x))) for x in (ours, theirs))), name)


def _scales() -> Iterator[Block]:
    import librosa

    ranges = {
        "0..11,025 Hz": (128, 0.0, 11025.0),
        "50..8,000 Hz": (24, 50.0, 8000.0),
        "20..5,000 Hz": (40, 20.0, 5000.0),
    }
    frequencies, centres, banks = [], [], []
    for name, (n, low, high) in ranges.items():
        wanted = librosa.mel_frequencies(n_mels=n, fmin=low, fmax=high)
        found = dsp.slaney_mel_to_hz(np.linspace(dsp.hz_to_slaney_mel(low), dsp.hz_to_slaney_mel(high), n))
        frequencies.append(Error(of_each(found, wanted), name))
        scale = zounds.SlaneyMelScale(zounds.FrequencyBand(low, high), n)
        wanted = librosa.mel_frequencies(n_mels=n + 2, fmin=low, fmax=high)[1:-1]
        centres.append(Error(of_each(scale.center_frequencies, wanted), name))
        wanted = librosa.filters.mel(sr=SR, n_fft=N_FFT, n_mels=n, fmin=low, fmax=high, dtype=np.float64)
        banks.append(Error(of_each(dsp.slaney_mel_matrix(SR, N_FFT, n, low, high), wanted), name))
    yield Block("mel frequencies", frequencies, RELATIVE)
    yield Block("centres of mel filters", centres, RELATIVE)
    yield Block("mel filter bank", banks, RELATIVE)
    hz = np.geomspace(10, 20_000, 2000)
    difference = apart(dsp.a_weighting_db(hz), librosa.A_weighting(hz))
    yield Block("A-weighting", [Error(difference, "10..20,000 Hz")], DECIBEL, "dB")
    quarter_tones = dsp.ConstantQ(SR, HOP, **CQT_BANDS).center_hz
    wanted = librosa.cqt_frequencies(n_bins=96, fmin=librosa.note_to_hz("C2"), bins_per_octave=24)
    yield Block("CQT frequencies", [Error(of_each(quarter_tones, wanted), "96 quarter tones from C2")], RELATIVE)


def _spectra(signals: dict[str, np.ndarray]) -> Iterator[Block]:
    import librosa

    for dtype, measure, part in ((np.float64, of_each, ""), (np.float32, of_largest, ", of the largest")):
        plain, mel = [], []
        for name, x in signals.items():
            x = x.astype(dtype)
            tf = stft(x)
            plain.append(Error(of_largest(np.asarray(tf) * dtype(np.sqrt(N_FFT)), librosa.stft(x).T), name))
            wanted = librosa.feature.melspectrogram(y=x, sr=SR, dtype=dtype).T
            mel.append(Error(measure(spectral.mel_bands(tf, MEL), wanted), name))
        yield Block(f"STFT, {dtype.__name__}, of the largest", plain, RELATIVE)
        yield Block(f"mel spectrogram, {dtype.__name__}{part}", mel, RELATIVE)


def _decibels(dtype: str, signals: dict[str, np.ndarray], is_bound: bool = True) -> Iterator[Block]:
    import librosa

    errors: dict[str, list[Error]] = {}
    for name, x in signals.items():
        x = x.astype(dtype)
        tf, theirs = stft(x), np.abs(librosa.stft(x))
        ours = np.abs(np.asarray(tf)) * tf.real.dtype.type(np.sqrt(N_FFT))
        mel = np.asarray(spectral.mel_bands(tf, MEL))
        mel_theirs = librosa.feature.melspectrogram(S=theirs**2, sr=SR, dtype=dtype)
        few = np.asarray(spectral.mel_bands(tf, PICTURE_MEL))
        few_theirs = librosa.feature.melspectrogram(S=theirs**2, sr=SR, n_mels=24, fmin=50, fmax=8000, dtype=dtype)
        hz = librosa.mel_frequencies(n_mels=26, fmin=50, fmax=8000)[1:-1]
        heard = dsp.perceptual_weighting(few, PICTURE_MEL.center_frequencies, ref=np.max)
        pairs = {
            "power_to_db of mel bands": (dsp.power_to_db(mel), librosa.power_to_db(mel_theirs)),
            "power_to_db, ref=max": (dsp.power_to_db(mel, np.max), librosa.power_to_db(mel_theirs, ref=np.max)),
            "perceptual weighting, 24 bands": (heard, librosa.perceptual_weighting(few_theirs, hz, ref=np.max)),
            "amplitude_to_db of the STFT": (dsp.amplitude_to_db(ours), librosa.amplitude_to_db(theirs)),
            "amplitude_to_db of the same spectra": (dsp.amplitude_to_db(theirs.T), librosa.amplitude_to_db(theirs)),
        }
        for what, (found, wanted) in pairs.items():
            errors.setdefault(what, []).append(Error(apart(found, wanted.T), name))
    for what, found in errors.items():
        has_limit = is_bound and (dtype == "float64" or not what.endswith("of the STFT"))
        name = f"{what}, {dtype}" if is_bound else f"{what}, {dtype}, pure tones"
        yield Block(name, found, DECIBEL if has_limit else None, "dB")


def _descriptors(signals: dict[str, np.ndarray]) -> Iterator[Block]:
    import librosa

    feature, errors = librosa.feature, {}
    for name, x in signals.items():
        tf, magnitude = stft(x), np.abs(librosa.stft(x))
        pairs = {
            "spectral centroid": (spectral.spectral_centroid(tf), feature.spectral_centroid(S=magnitude, sr=SR)),
            "spectral bandwidth": (spectral.spectral_spread(tf), feature.spectral_bandwidth(S=magnitude, sr=SR)),
            "spectral rolloff": (spectral.spectral_rolloff(tf), feature.spectral_rolloff(S=magnitude, sr=SR)),
            "spectral flatness": (
                spectral.spectral_flatness(tf * np.sqrt(N_FFT), power=2.0, amin=1e-10),
                feature.spectral_flatness(S=magnitude),
            ),
        }
        for what, (found, wanted) in pairs.items():
            errors.setdefault(what, []).append(Error(of_each(found, wanted[0]), name))
    for what, found in errors.items():
        yield Block(what, found, RELATIVE)


def _constant_q(signals: dict[str, np.ndarray]) -> Iterator[Block]:
    import librosa

    bands = {"n_bins": 96, "bins_per_octave": 24, "fmin": CQT_BANDS["start_hz"]}
    ours, oracle, definition = [], [], []
    for name, x in signals.items():
        sound = zounds.AudioSamples(x, RATE)
        found = np.abs(spectral.cqt(sound, hop=1024, **CQT_BANDS))
        exact = np.abs(spectral.cqt(sound, hop=1024, exact=True, **CQT_BANDS))
        theirs = np.abs(librosa.cqt(x, sr=SR, hop_length=1024, **bands)).T
        ours.append(Error(of_largest(found, theirs), name))
        oracle.append(Error(of_largest(theirs, exact), name))
        definition.append(Error(of_largest(found, exact), name))
    what = "CQT magnitudes, of the largest"
    yield Block(f"{what}, against the definition", definition, CQT)
    close = [a for a, b in zip(ours, oracle, strict=True) if b.size <= CQT]
    if close:
        yield Block(f"{what}, against librosa, {len(close)} signals on which it is itself as close", close, CQT)
    yield Block(f"{what}, against librosa, all signals", ours)
    yield Block(f"{what}, librosa against the definition", oracle)


def _tempograms(signals: dict[str, np.ndarray]) -> Iterator[Block]:
    import librosa

    strengths, tempograms, tempi = [], [], []
    for name, x in signals.items():
        found, wanted = onset_strength(x), librosa.onset.onset_strength(y=x, sr=SR)
        strengths.append(Error(of_largest(found, wanted), name))
        theirs = librosa.feature.tempogram(onset_envelope=wanted, sr=SR)
        tempograms.append(Error(of_largest(dsp.tempogram(wanted, len(theirs)), theirs.T), name))
        bpm = float(librosa.feature.tempo(y=x, sr=SR)[0])
        tempi.append(Error(100 * abs(dsp.tempogram_tempo(found, SR / HOP, refined=False) / bpm - 1), name))
    yield Block("onset strength, of the largest", strengths, RELATIVE)
    yield Block("tempogram", tempograms, RELATIVE)
    yield Block("tempo by the tempogram, in whole lags", tempi, TEMPO, "%")


def _tempi() -> Iterator[Block]:
    import librosa

    true, oracle, by_tempogram = [], [], []
    for bpm in TEMPI:
        x = clicks(bpm)
        found, refined = tempo(x), dsp.tempogram_tempo(onset_strength(x), SR / HOP)
        by_tempogram.append(Error(100 * abs(refined / bpm - 1), f"{bpm} BPM"))
        true.append(Error(100 * abs(found / bpm - 1), f"{bpm} BPM"))
        # at its usual 512 samples, librosa's tempi are steps of 2 to 7 %; at 64 they are fine enough to compare with
        theirs = float(librosa.feature.tempo(y=x, sr=SR, hop_length=64)[0])
        oracle.append(Error(100 * abs(found / theirs - 1), f"{bpm} BPM"))
    yield Block("tempo of clicks, against librosa at hop 64", oracle, TEMPO, "%")
    yield Block("tempo of clicks, against the truth", true, TEMPO, "%")
    yield Block("tempo of clicks by the tempogram, refined, against the truth", by_tempogram, TEMPO, "%")


def main() -> int:
    """Print the table; 1 if a figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without recordings; limits bind all the same")
    parser.add_argument("--out", help="write the figures as JSON")
    arguments = parser.parse_args()
    table = harness.Table(binds=True)
    recordings = {} if arguments.quick else recorded()
    for block in blocks(made_up(), recordings):
        table.append(block.row())
    title = f"parity with librosa: the worst of {len(made_up())} made-up signals and {len(recordings)} recordings"
    harness.report(title, table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
