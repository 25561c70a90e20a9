"""Kernels against their peers, in memory: resampling, STFT, MDCT, mel bands with decibels, CQT.

A kernel is a function that yields what it is, its target, ours and the peer's, both ready to be called, after a check
that both give the same numbers. They are called in turn, round after round, with matrix products on one core. The
original's MDCT is written here from its definition, as a Fourier transform of 2N complex numbers between two twists.
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks import harness

RATE = 44_100
_ONE_CORE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Kernel(NamedTuple):
    """What is timed: its name, how many times faster than its peer it has to be (None: it is only shown), and both."""

    what: str
    target: float | None
    ours: Callable[[], Any]
    peer: Callable[[], Any]


def _sound(seconds: int, rate: int = RATE) -> np.ndarray:
    """Tones that glide, in noise: float32, at -1..1."""
    rng = np.random.default_rng(0)
    time = np.arange(seconds * rate) / rate
    tones = sum(np.sin(2 * np.pi * hz * time * (1 + 0.01 * time)) / 4 for hz in (110, 440, 1760))
    return (tones + rng.uniform(-0.25, 0.25, len(time))).astype(np.float32)


def stft(seconds: int) -> Iterator[Kernel]:
    """Windows of 2048 samples, half overlapped: our function, units included, against ``librosa.stft``."""
    import librosa

    import zounds_lite as zounds

    rate = zounds.SR44100()
    sound = zounds.AudioSamples(_sound(seconds), rate)
    plain, scheme, window = np.asarray(sound), rate.windowing_scheme(2048, 1024), zounds.HanningWindowingFunc(True)

    def ours() -> Any:
        return zounds.spectral.stft(sound, scheme, window)

    def peer() -> Any:
        return librosa.stft(plain, n_fft=2048, hop_length=1024, center=False)

    _check(ours()[: (len(plain) - 2048) // 1024 + 1] * np.float32(np.sqrt(2048)), peer().T)
    yield Kernel("STFT 2048/1024 against librosa", 1.7, ours, peer)


def original_mdct(frames: np.ndarray) -> np.ndarray:
    """The original's formula: cos((n + n0)(k + 1/2) pi / N) as the real part of twist, Fourier transform, twist."""
    n = frames.shape[-1] // 2
    before = np.exp(-1j * np.pi / (2 * n) * np.arange(2 * n))
    after = np.exp(-1j * np.pi / (2 * n) * (n + 1) * (np.arange(n) + 0.5))
    return np.sqrt(2 / n) * np.real(np.fft.fft(frames * before)[..., :n] * after)


def mdct(seconds: int) -> Iterator[Kernel]:
    """Windowed frames, of the documented size and of a usual one: our function against the original's formula."""
    from zounds_lite import dsp

    for size in (512, 2048):
        frames = dsp.frames(_sound(seconds), size, size // 2) * dsp.vorbis(size).astype(np.float32)
        ours, peer = lambda x=frames: dsp.mdct(x), lambda x=frames: original_mdct(x)
        _check(ours(), peer())
        yield Kernel(f"MDCT {size}/{size // 2} against the original's formula", 35.0, ours, peer)


def mel(seconds: int) -> Iterator[Kernel]:
    """128 mel bands in decibels of the power of an STFT, and of the STFT itself, units included, against librosa."""
    import librosa

    import zounds_lite as zounds
    from zounds_lite.dsp import FilterBank, power_to_db, slaney_mel_matrix
    from zounds_lite.spectral import SlaneyMelScale, mel_bands

    sound = zounds.AudioSamples(_sound(seconds), zounds.SR44100())
    scheme = zounds.SR44100().windowing_scheme(2048, 1024)
    spectra = zounds.spectral.stft(sound, scheme, zounds.HanningWindowingFunc(True))
    spectra *= np.float32(np.sqrt(2048))
    power = np.abs(np.asarray(spectra)) ** 2
    bank, scale = FilterBank(slaney_mel_matrix(RATE, 2048)), SlaneyMelScale(zounds.FrequencyBand(0, RATE / 2), 128)

    def ours() -> Any:
        return power_to_db(bank.apply(power))

    def peer() -> Any:
        return librosa.power_to_db(librosa.feature.melspectrogram(S=power.T, sr=RATE))

    def ours_with_units() -> Any:
        return power_to_db(mel_bands(spectra, scale), ref=2048)

    def peer_with_power() -> Any:
        return librosa.power_to_db(librosa.feature.melspectrogram(S=np.abs(np.asarray(spectra).T) ** 2, sr=RATE))

    _check(ours(), peer().T)
    _check(ours_with_units(), peer().T)
    yield Kernel("mel + log of the power of an STFT against librosa", 3.0, ours, peer)
    yield Kernel("mel + log of an STFT, with units, against librosa", None, ours_with_units, peer_with_power)


def resample(seconds: int) -> Iterator[Kernel]:
    """To a quarter of the rate, in chunks as recordings are decoded: our node with units against its bare engine."""
    import soxr

    import zounds_lite as zounds

    block, sound = 131_072, _sound(seconds)
    blocks = [sound[at : at + block] for at in range(0, len(sound), block)]
    chunks = [zounds.AudioSamples(part, zounds.SR44100()) for part in blocks]

    def ours() -> Any:
        return list(zounds.Resampler(zounds.SR11025()).run(chunks))

    def peer() -> Any:
        stream = soxr.ResampleStream(RATE, 11_025, 1, dtype="float32", quality="HQ")
        return [stream.resample_chunk(part, last=part is blocks[-1]) for part in blocks]

    whole, found = np.concatenate(peer()), np.concatenate(ours())
    _check(found[: len(whole)], whole[: len(found)])
    yield Kernel("resample 44.1 to 11.025 kHz, bare soxr", 0.9, ours, peer)


def cqt(seconds: int) -> Iterator[Kernel]:
    """Notes, and the quarter tones of the energy auto-encoder: our function, units included, against ``librosa.cqt``.

    Both are first held against the transform itself, which is computed without decimation: librosa's differs from it by
    what going down octave by octave costs.
    """
    import librosa

    import zounds_lite as zounds

    sound = zounds.AudioSamples(_sound(seconds, 22_050), zounds.SR22050())
    plain, c1 = np.asarray(sound), float(librosa.note_to_hz("C1"))
    for name, hop, start_hz, n_bands, octave in (
        ("84 notes, hop 512", 512, c1, 84, 12),
        ("96 quarter tones, hop 1024", 1024, 2 * c1, 96, 24),
    ):
        ours = partial(zounds.spectral.cqt, sound, hop, start_hz, n_bands, octave)
        peer = partial(
            librosa.cqt, plain, sr=22_050, hop_length=hop, fmin=start_hz, n_bins=n_bands, bins_per_octave=octave
        )
        exact = ours(exact=True)
        _check(ours(), exact, 1e-3)
        _check(np.abs(exact), np.abs(peer().T), 3e-2)
        yield Kernel(f"CQT, {name}, with units, against librosa", 6.0, ours, peer)


KERNELS: tuple[Callable[[int], Iterator[Kernel]], ...] = (resample, stft, mdct, mel, cqt)
"""To add a kernel, write a function of the seconds of sound that yields it, and name it here."""


def _check(ours: Any, theirs: Any, part: float = 1e-4) -> None:
    """Stop where both do not give the same numbers, but for a part of the largest."""
    difference = float(np.abs(np.asarray(ours) - theirs).max() / np.abs(theirs).max())
    if not difference < part:
        raise ValueError(f"the peer gives other numbers: they differ by {difference:.2g} of the largest")


def main() -> int:
    """Time all kernels; 1 if one of them misses its target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 seconds of audio and 3 rounds; targets are only shown")
    parser.add_argument("--seconds", type=int, default=60, help="seconds of audio")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", choices=[kernel.__name__ for kernel in KERNELS], help="one kernel")
    parser.add_argument("--out", help="write the figures as JSON")
    arguments = parser.parse_args()
    if any(os.environ.get(name) != count for name, count in _ONE_CORE.items()):  # read when numpy loads
        command = [sys.executable, "-m", "benchmarks.kernels", *sys.argv[1:]]
        return subprocess.run(command, env={**os.environ, **_ONE_CORE}).returncode
    seconds, rounds = (5, 3) if arguments.quick else (arguments.seconds, arguments.rounds)
    table = harness.Table(binds=not arguments.quick)
    for make in KERNELS:
        if arguments.only not in (None, make.__name__):
            continue
        for what, target, ours, peer in make(seconds):
            times = harness.interleave({"ours": ours, "peer": peer}, rounds)
            ratio = harness.median_ratio(times["peer"], times["ours"])
            took = f" in {1e3 * statistics.median(times['ours']):.1f} ms"
            if target is None:
                table.add(what, f"{ratio:.3g} x{took}", value=ratio, unit="x")
            else:
                table.at_least(what, ratio, target, "x", took)
    harness.report(f"kernels: {seconds} s of audio, one core", table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
