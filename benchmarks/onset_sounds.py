"""Sounds whose onsets are known, because they were put there: ticks, tones, drums, and notes cut out of recordings.

Functions: ``ticks``, ``made_up``, ``recorded``; each yields or returns ``Labelled`` sounds.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from zounds_lite import dsp

MUSIC = Path(__file__).parents[2] / "shared" / "data" / "music"
PARTS = {
    "trumpet": ("*solo-trumpet*", "note"),
    "jazz": ("*Vibe_Ace*", "hit"),
    "celesta": ("*Sugar_Plum*", "hit"),
    "song": ("*Fishin*", "hit"),
}
"""Recordings, and what is cut out of them: notes that end before the next one, or the first moments of hits."""

_BLOCK_S = 0.005
_RATE = 44100


class Labelled(NamedTuple):
    """A sound and its onsets."""

    samples: np.ndarray
    rate: int
    onsets_s: np.ndarray


def ticks(bpm: float, rate: int, noise: float, seconds: int = 12) -> Labelled:
    """Ticks with a floor of noise."""
    rng = np.random.default_rng(round(bpm))
    x = dsp.ticks(seconds, rate, 60 / bpm, rng)
    return Labelled(x + noise * rng.normal(size=len(x)), rate, np.arange(0, seconds - 0.1, 60 / bpm))


def made_up(kind: str, overlap: float, seed: int) -> Labelled:
    """Forty tones with a soft attack and vibrato ("tones"), or drums, hats and kicks ("drums").

    Args:
        kind (str): which.
        overlap (float): length of a tone as a part of the time to the next.
        seed (int): of everything.
    """
    rng = np.random.default_rng(seed)
    gaps = rng.choice([0.15, 0.2, 0.3, 0.4, 0.6], 40)
    sounds = [_tone(rng, overlap * gap) if kind == "tones" else _drum(rng) for gap in gaps]
    return _placed(sounds, gaps, rng)


def _tone(rng: np.random.Generator, duration: float) -> np.ndarray:
    t = np.arange(int(duration * _RATE)) / _RATE
    f0, attack = 440 * 2 ** (rng.integers(-9, 12) / 12), rng.uniform(0.008, 0.03)
    phase = 2 * np.pi * f0 * (t + 1.2e-4 * np.sin(2 * np.pi * 5.5 * t))
    # the higher a partial, the later it comes and the weaker it is, as in brass
    rises = (np.minimum(1, t / (attack * (1 + 0.05 * k))) for k in range(1, 20))
    x = sum(np.sin(k * phase + rng.uniform(0, 6)) * k**-1.2 * rise for k, rise in enumerate(rises, 1))
    return x * np.minimum(1, (duration - t) / 0.05) * rng.uniform(0.5, 1)


def _drum(rng: np.random.Generator) -> np.ndarray:
    t = np.arange(int(0.3 * _RATE)) / _RATE
    noise = rng.normal(size=len(t))
    drums = [
        (0.5 * noise + 0.7 * np.sin(2 * np.pi * 190 * t)) * np.exp(-t / 0.05),
        np.sin(2 * np.pi * (50 * t + 8 * (1 - np.exp(-t / 0.02)))) * np.exp(-t / 0.1) * np.minimum(1, t / 0.002),
        0.5 * np.diff(noise, prepend=0) * np.exp(-t / 0.03),
    ]
    return drums[rng.integers(3)] * rng.uniform(0.4, 1)


def recorded(part: str, overlap: float, seed: int) -> Labelled | None:
    """Forty notes or hits of a recording, none twice in a row; None where the recordings are not there.

    Args:
        part (str): a key of ``PARTS``.
        overlap (float): length of a note as a part of the time to the next; hits come the faster.
        seed (int): of order, time and level.
    """
    pattern, kind = PARTS[part]
    path = next(iter(sorted(MUSIC.glob(f"{pattern}.ogg"))), None)
    if path is None:
        return None
    x, rate = soundfile.read(path)
    x = x if x.ndim == 1 else x.mean(axis=1)
    starts = _rises(x / np.abs(x).max(), rate, 25)
    cut = [_note(x[start:], rate) if kind == "note" else _hit(x[start:], rate) for start in starts]
    sounds = [sound / np.abs(sound).max() for sound in cut if len(sound) >= 0.12 * rate]
    rng = np.random.default_rng(seed)
    order = [0]
    while len(order) < 40:
        order += [i for i in rng.integers(0, len(sounds), 1) if i != order[-1]]
    chosen = [sounds[i] * rng.uniform(0.5, 1) for i in order]
    gaps = [max(0.14, len(s) / rate / overlap) if kind == "note" else rng.uniform(0.14, 0.23) / overlap for s in chosen]
    return _placed(chosen, np.array(gaps), rng, rate)


def _levels(x: np.ndarray, rate: int) -> np.ndarray:
    block = int(_BLOCK_S * rate)
    return np.sqrt((x[: len(x) // block * block].reshape(-1, block) ** 2).mean(axis=1))


def _rises(x: np.ndarray, rate: int, count: int) -> list[int]:
    """The samples where the level rises most, from less than a third of what it rises to."""
    level, near = _levels(x, rate), 10
    before = np.array([level[max(0, i - near) : i].mean() if i else 0 for i in range(len(level))])
    after = np.array([level[i : i + near].max() for i in range(len(level))])
    score = (after - before) * (after > 3 * before) * (after > 0.1 * level.max())
    chosen: list[int] = []
    for i in np.argsort(-score):
        if score[i] > 0 and i > near and all(abs(i - j) * _BLOCK_S > 0.12 for j in chosen) and len(chosen) < count:
            chosen.append(int(i))
    block = int(_BLOCK_S * rate)
    return sorted((i + int(np.argmax(level[i : i + near] >= 0.2 * after[i]))) * block for i in chosen)


def _note(x: np.ndarray, rate: int) -> np.ndarray:
    """From a start to where the level rises again, or 0.4 s."""
    level = np.convolve(_levels(x[: int(0.4 * rate)], rate), np.ones(3) / 3, "same")
    loudest = quietest = level[1]
    end = quietest_at = len(level)
    for i, now in enumerate(level[1:], 1):
        if now > loudest:
            loudest = quietest = now
        if now <= quietest:
            quietest, quietest_at = now, i
        if quietest < 0.7 * loudest and now > max(1.3 * quietest, 0.05 * loudest):
            end = quietest_at
            break
    return _faded(x[: end * int(_BLOCK_S * rate)], rate)


def _hit(x: np.ndarray, rate: int) -> np.ndarray:
    """The first quarter of a second, let fade fast, so that what else begins in it is not heard."""
    x = x[: rate // 4]
    return _faded(x * np.exp(-np.arange(len(x)) / rate / 0.05), rate)


def _faded(x: np.ndarray, rate: int) -> np.ndarray:
    t = np.arange(len(x)) / rate
    return x * np.minimum(1, t / 0.002) * np.minimum(1, (len(x) / rate - t) / 0.03)


def _placed(sounds: list[np.ndarray], gaps: np.ndarray, rng: np.random.Generator, rate: int = _RATE) -> Labelled:
    """Sounds, each ``gaps`` after the one before, with a little noise; the first one after 0.2 s."""
    onsets = 0.2 + np.concatenate([[0], np.cumsum(gaps[:-1])])
    x = np.zeros(round((onsets[-1] + 1) * rate))
    for sound, onset in zip(sounds, onsets, strict=True):
        start = round(onset * rate)
        x[start : start + len(sound)] += sound[: len(x) - start]
    return Labelled(0.8 * x / np.abs(x).max() + 1e-4 * rng.normal(size=len(x)), rate, onsets)


def all_made_up() -> Iterator[tuple[str, Labelled]]:
    """Tones apart, touching and overlapping, and drums."""
    for seed in range(3):
        for name, overlap in (("tones apart", 0.8), ("tones that touch", 1.0), ("tones that overlap", 1.15)):
            yield name, made_up("tones", overlap, seed)
        yield "drums", made_up("drums", 1.0, seed)
