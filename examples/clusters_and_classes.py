"""Clusters, hashes and classes: what can be learned from the sounds of a store.

The program makes forty short sounds of two kinds, notes and drums, and stores their Bark bands. Then it samples frames
of both kinds, equally many of each; learns clusters, binary codes and a classifier of scikit-learn from the sample; and
stores all three as pipelines, which hold data and no code. At last it asks them about sounds that they have not seen.
"""

from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.visualization import figure_svg

RATE = zounds.SR11025()
KINDS = ("note", "drum")
STFT = zounds.stft(resample_to=RATE, store_ogg=False)


@zounds.simple_in_memory_settings
class Sound(STFT):
    """A recording, and the logarithm of its Bark bands."""

    bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=32, needs=STFT.fft)
    loud = zounds.ArrayWithUnitsFeature(zounds.LogModulus, needs=bark, store=True)


def frames_of(sample):
    """Return the frames of a sample, without their labels."""
    return sample["data"]


@zounds.simple_in_memory_settings
class Learned(ff.BaseModel):
    """What is learned from a sample that has equally many frames of each kind."""

    data = ff.PickleFeature(ff.IteratorNode)
    labels = ff.PickleFeature(ff.IteratorNode)
    balanced = ff.PickleFeature(
        zounds.BalancedSamples, nsamples=300, labels=[0, 1], needs={"data": data, "labels": labels}
    )
    frames = ff.PickleFeature(frames_of, needs=balanced)
    norm = ff.PickleFeature(zounds.UnitNorm, needs=frames)
    kmeans = ff.PickleFeature(zounds.KMeans, centroids=4, needs=norm)
    simhash = ff.PickleFeature(zounds.SimHash, bits=128, packbits=True, needs=frames)
    model = ff.PickleFeature(
        zounds.SklearnModel, model=make_pipeline(StandardScaler(), LogisticRegression()), needs=balanced
    )
    clusters = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(norm, kmeans), store=True)
    codes = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(simhash,), store=True)
    classes = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(model,), store=True)


def recording(kind, seed):
    """Return half a second of a note, or of a drum, which fades away."""
    rng = np.random.default_rng(seed)
    time = np.arange(RATE.rate // 2) / RATE.rate
    sound = np.sin(2 * np.pi * rng.uniform(200, 800) * time) if kind == "note" else rng.standard_normal(len(time))
    sound = (0.3 * sound + 0.01 * rng.standard_normal(len(time))) * np.exp(-4 * time)
    return zounds.AudioSamples(sound.astype(np.float32), RATE)


def main():
    for seed in range(20):
        for kind in KINDS:
            Sound.process(meta=zounds.AudioMetaData(uri=recording(kind, seed).encode(), kind=kind))
    sounds = list(Sound)
    kinds = [KINDS.index(sound.meta["kind"]) for sound in sounds]

    features = [sound.loud for sound in sounds]
    labels = [np.full(len(frames), kind) for frames, kind in zip(features, kinds, strict=True)]
    learned = Learned(Learned.process(data=features, labels=labels))

    for kind in KINDS:
        unseen = Sound(Sound.process(meta=recording(kind, 1000).encode())).loud
        clusters = learned.clusters.transform(unseen)
        used = np.flatnonzero(np.asarray(clusters.data).any(axis=0))
        codes = learned.codes.transform(unseen)
        predicted = np.asarray(learned.classes.transform(unseen).data)
        Path(f"a {kind}.svg").write_text(figure_svg(unseen), "utf-8")
        print(f"a {kind} of {len(unseen)} frames")
        print(f"  lies in the clusters {used.tolist()} of {len(learned.clusters['kmeans'].codebook)}")
        print(f"  is hashed to {len(codes.data)} codes of {codes.data.shape[1]} words")
        print(f"  is taken for a {KINDS[int(np.bincount(predicted).argmax())]}")


if __name__ == "__main__":
    main()
