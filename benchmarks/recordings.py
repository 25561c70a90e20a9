"""Recordings that benchmarks make for themselves: tones in noise, written second by second, of any length."""

from pathlib import Path

import numpy as np

__all__ = ["RATE", "tone_hz", "write_recording"]

RATE = 44100


def tone_hz(second: int) -> int:
    """Frequency of the tone in a second of a recording."""
    return 220 + 20 * (second % 60)


def write_recording(path: Path, seconds: int, rate: int = RATE, noise: float = 0.05) -> None:
    """Write a stereo recording; its ending names the format, ``.wav`` beyond 4 GB is written as RF64.

    Args:
        path (Path): ends in .wav, .flac, .mp3 or .ogg.
        seconds (int): length.
        rate (int): in Hz.
        noise (float): standard deviation of the noise; less of it makes FLAC smaller.
    """
    import soundfile

    rng = np.random.default_rng(0)
    hiss = rng.normal(size=(rate, 2)) * noise
    t = np.arange(rate)[:, None] / rate
    is_large = path.suffix == ".wav" and seconds * rate * 4 > 2**32 - 2**20
    with soundfile.SoundFile(
        path,
        "w",
        rate,
        2,
        subtype="PCM_16" if path.suffix in (".wav", ".flac") else None,
        format="RF64" if is_large else None,
    ) as file:
        for second in range(seconds):
            tone = 0.3 * np.sin(2 * np.pi * tone_hz(second) * t + [0.0, 0.5])
            file.write(tone + np.roll(hiss, 97 * second, axis=0))
