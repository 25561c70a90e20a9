"""Sounds for tests: arrays, encoded files of every format, and files that are broken in every way.

Encoded by soundfile itself, so that the package's own encoder is never its own reference. Use:
``from tests.sounds import sine, encoded, bad_files``.
"""

import io
import struct
from pathlib import Path

import numpy as np
import soundfile

from zounds_lite.errors import EmptyAudio, NotAudio, RejectedAudio, TruncatedAudio, UnsupportedCodec

MUSIC = Path(__file__).parents[2] / "shared" / "data" / "music"
DIGITS = Path(__file__).parents[2] / "shared" / "data" / "fsdd"

KINDS = [
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "FLOAT"),
    ("WAV", "ULAW"),
    ("RF64", "PCM_16"),
    ("W64", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
    ("AIFF", "PCM_16"),
    ("CAF", "PCM_16"),
    ("CAF", "ALAC_16"),
    ("AU", "PCM_16"),
]
"""Formats and subtypes that decoding must know."""

ID3 = b"ID3\x04\x00\x00" + bytes([0, 0, 1, 0]) + bytes(128)
"""An empty ID3v2.4 tag with 128 bytes of padding."""


def sine(hz=440.0, seconds=1.0, rate=44100, channels=1, amplitude=0.5):
    """Return a sine, (frames,) or (frames, channels); each channel is an octave above the one before."""
    time = np.arange(round(seconds * rate)) / rate
    x = np.stack([amplitude * np.sin(2 * np.pi * hz * 2**c * time) for c in range(channels)], axis=1)
    return (x[:, 0] if channels == 1 else x).astype(np.float32)


def noise(seconds=1.0, rate=44100, channels=1, amplitude=0.3, seed=0):
    """Return uniform noise, (frames,) or (frames, channels)."""
    shape = (round(seconds * rate),) if channels == 1 else (round(seconds * rate), channels)
    return np.random.default_rng(seed).uniform(-amplitude, amplitude, shape).astype(np.float32)


def ticks(seconds=1.0, rate=44100, every=0.25, amplitude=0.9):
    """Return single samples at regular times."""
    x = np.zeros(round(seconds * rate), np.float32)
    x[:: round(every * rate)] = amplitude
    return x


def encoded(samples, rate=44100, fmt="WAV", subtype=None):
    """Return the bytes of a file, written by soundfile in short blocks."""
    out = io.BytesIO()
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with soundfile.SoundFile(out, "w", rate, channels, subtype, format=fmt) as file:
        for start in range(0, len(samples), 16384):
            file.write(samples[start : start + 16384])
    return out.getvalue()


def write(path, samples, rate=44100, fmt=None, subtype=None):
    """Write a file, by default in the format of its suffix; returns its path."""
    path = Path(path)
    path.write_bytes(encoded(samples, rate, fmt or path.suffix[1:].upper(), subtype))
    return path


def reference(data):
    """Decode bytes by soundfile alone: (frames, channels) float32."""
    return soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0]


def wav_header(channels=1, rate=44100, frames=1000, bits=16, tag=1):
    """Return the 44 bytes that claim a WAV file, whatever follows them."""
    block = channels * bits // 8
    size = frames * block
    fmt = struct.pack("<HHIIHH", tag, channels & 0xFFFF, rate, rate * block & 0xFFFFFFFF, block & 0xFFFF, bits)
    head = b"RIFF" + struct.pack("<I", 36 + size & 0xFFFFFFFF) + b"WAVEfmt " + struct.pack("<I", 16) + fmt
    return head + b"data" + struct.pack("<I", size & 0xFFFFFFFF)


def without_xing(mp3):
    """Return an MP3 of 44.1 kHz without the frame that says how long it is."""
    rates = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
    return mp3[144000 * rates[mp3[2] >> 4] // 44100 + (mp3[2] >> 1 & 1) :]


def html():
    """Return an HTML page, as a failed download leaves it."""
    return b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>Not Found</body></html>\n"


def bad_files():
    """Return ten broken files: name -> (bytes, the error that tells why)."""
    stereo = noise(0.5, channels=2)
    whole = {fmt: encoded(stereo, 44100, fmt) for fmt in ("WAV", "FLAC", "OGG", "MP3")}
    return {
        "empty.wav": (b"", EmptyAudio),
        "no_samples.wav": (encoded(stereo[:0]), EmptyAudio),
        "truncated.wav": (whole["WAV"][: len(whole["WAV"]) // 2], TruncatedAudio),
        "truncated.flac": (whole["FLAC"][: len(whole["FLAC"]) // 2], TruncatedAudio),
        "truncated.ogg": (whole["OGG"][: len(whole["OGG"]) // 2], TruncatedAudio),
        "truncated.mp3": (whole["MP3"][: len(whole["MP3"]) // 2], TruncatedAudio),
        "page.mp3": (html(), NotAudio),
        "text.wav": (b"this is a shopping list: milk, bread, two apples\n" * 20, NotAudio),
        "thousand_channels.wav": (wav_header(channels=1024, frames=10) + bytes(20480), RejectedAudio),
        "song.m4a": (b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00" + bytes(500), UnsupportedCodec),
    }


def write_bad_files(folder):
    """Write the broken files into ``folder``; returns path -> error class."""
    folder = Path(folder)
    expected = {}
    for name, (data, error) in bad_files().items():
        (folder / name).write_bytes(data)
        expected[folder / name] = error
    return expected
