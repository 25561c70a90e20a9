"""Search by example: which stretches of which recordings sound most like this one.

The program makes twelve recordings of short notes, stores their spectra and a binary code of each frame, and indexes
both. Then it searches with an excerpt that is in none of them: by the angle between spectra, and by the bits in which
codes differ. What is found plays: each result gives the samples of exactly its stretch. At last recordings are deleted
and made anew, and the indexes follow.
"""

from collections import Counter
from pathlib import Path

import numpy as np

import zounds_lite as zounds
from zounds_lite.visualization import figure_svg

STORE, RATE = Path("search.zl"), zounds.SR11025()
NOTES = {"low": 110.0, "middle": 440.0, "high": 1760.0}
STFT = zounds.stft(resample_to=RATE, store_ogg=False)

PLANES = np.random.default_rng(7).standard_normal((64, 128))
"""A frame's code says on which side of each of these planes its spectrum lies."""


def code_of(bark):
    """Return 128 bits for each frame: similar spectra lie on the same side of most planes."""
    loud = np.log1p(100 * np.asarray(bark))
    bits = (loud - loud.mean(axis=1, keepdims=True)) @ PLANES > 0
    return zounds.ArrayWithUnits(bits, [bark.dimensions[0], None])


class Analysed(STFT):
    """What is computed of recordings and of excerpts alike."""

    bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=64, needs=STFT.fft, store=True)
    code = zounds.ArrayWithUnitsFeature(code_of, needs=bark, store=True)


@zounds.simple_lmdb_settings(STORE, map_size=1e8, user_supplied_id=True)
class Sound(Analysed):
    """The recordings, in a store on disk."""


@zounds.simple_in_memory_settings
class Excerpt(Analysed):
    """What is searched for, in memory."""


def recording(hz, seed, seconds=3.0):
    """Return a note with four overtones and some noise, which begins after half a second."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE.rate)) / RATE.rate
    sound = sum(rng.uniform(0.3, 1) * np.sin(2 * np.pi * k * hz * time) / k for k in range(1, 6))
    sound = 0.2 * sound * (time > 0.5) + 0.002 * rng.standard_normal(len(time))
    return zounds.AudioSamples(sound.astype(np.float32), RATE)


def main():
    for name, hz in NOTES.items():
        for take in range(4):
            Sound.process(meta=recording(hz, take).encode(), _id=f"{name} {take}")

    by_angle = zounds.VectorIndex(Sound, Sound.bark, metric="cosine")
    by_bits = zounds.HammingIndex(Sound, Sound.code)
    print(f"spectra: {by_angle.update()}")
    print(f"codes: {by_bits.update()}")
    print(f"{len(by_angle)} frames, each of {by_bits.code_size} bytes as a code")

    excerpt = Excerpt(Excerpt.process(meta=recording(NOTES["middle"], seed=99, seconds=1.5).encode()))
    for index, feature in ((by_angle, excerpt.bark), (by_bits, excerpt.code)):
        results = index.search(feature[len(feature) // 2 + 10], n_results=20)
        found = Counter(_id.split()[0] for _id, _ in results)
        print(f"{type(index).__name__}: {dict(found)}, distances up to {results.distances.max():.3g}")

    # every frame of the excerpt asks at once, and each answer counts as a vote
    answers = by_angle.search_batch(excerpt.bark[zounds.TimeSlice(start=zounds.Seconds(0.75))], n_results=5)
    votes = Counter(_id for results in answers for _id, _ in results)
    print(f"most alike: {votes.most_common(1)[0][0].split()[0]}")

    best = results[0]
    samples = best.samples()
    Sound(best.id).resampled.save("found.wav")
    Path("asked for.svg").write_text(figure_svg(excerpt.bark), "utf-8")
    Path("found.svg").write_text(figure_svg(Sound(best.id).bark), "utf-8")
    print(f"the best of them plays: {len(samples)} samples of {best.id.split()[0]!r}, peak {abs(samples).max():.1f}")

    Sound.delete("middle 0")
    Sound.process(meta=recording(NOTES["high"], seed=5).encode(), _id="middle 1")
    print(f"spectra: {by_angle.update()}")
    by_angle.close()
    by_bits.close()


if __name__ == "__main__":
    main()
