"""A pipeline is learned from a corpus, stored, and applied to new sounds, forwards and backwards.

The program makes a few recordings, learns how to normalize and cluster their Bark bands, reads the pipeline back as
another process would, turns a new sound into codes and the codes into bands again, and keeps learned features beside
the others: they go stale when the pipeline is trained to something else.
"""

from pathlib import Path

import numpy as np

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.visualization import figure_svg

STFT = zounds.stft(resample_to=zounds.SR11025(), store_ogg=False)
STORE = Path("learned.zl")


@zounds.simple_in_memory_settings
class Sound(STFT):
    """Bark bands of each recording."""

    bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=32, needs=STFT.fft, store=True)


@zounds.simple_lmdb_settings(str(STORE), user_supplied_id=True)
class Codes(ff.BaseModel):
    """What is learned from them."""

    docs = ff.PickleFeature(ff.IteratorNode)
    log = ff.PickleFeature(zounds.Log, needs=docs)
    meanstd = ff.PickleFeature(zounds.MeanStdNormalization, needs=log)
    kmeans = ff.PickleFeature(zounds.KMeans, centroids=8, needs=meanstd)
    pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(log, meanstd, kmeans), store=True)


@zounds.simple_in_memory_settings
class Coded(Sound):
    """A sound with learned codes."""

    codes = zounds.ArrayWithUnitsFeature(zounds.Learned, learned=Codes("codes"), needs=Sound.bark, store=True)


def chord(*freqs_in_hz):
    return zounds.SineSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(2), freqs_in_hz).encode()


def main():
    for freqs_in_hz in ([220], [440, 660], [880], [1760, 220], [3520]):
        Sound.process(meta=chord(*freqs_in_hz))

    # corpus_of knows which feature it reads, so the pipeline is stale as soon as bark is made another way
    Codes.process(_id="codes", docs=zounds.corpus_of(Sound, "bark"))
    pipeline = Codes("codes").pipeline
    whole = np.concatenate([np.log1p(snd.bark) for snd in Sound])
    apart = np.abs(pipeline["meanstd"].mean - whole.mean(axis=0)).max()
    print(f"{pipeline}, {len(whole)} frames; the mean is numpy's within 1e-6: {apart < 1e-6}")

    snd = next(iter(Sound))
    result = pipeline.transform(snd.bark)
    bark = result.inverse_transform()
    print(f"codes {result.data.shape}, bands again {bark.shape}; same units: {bark.dimensions == snd.bark.dimensions}")
    Path("bands.svg").write_text(figure_svg(snd.bark), "utf-8")
    Path("bands again.svg").write_text(figure_svg(bark), "utf-8")
    back = pipeline[:2].transform(snd.bark).inverse_transform()
    print(f"without the clusters nothing is lost: {np.allclose(back, snd.bark, atol=1e-6)}")

    coded = Coded(Coded.process(meta=chord(440, 660)))
    second = coded[zounds.TimeSlice(start=zounds.Seconds(1), duration=zounds.Seconds(1))]
    print(f"codes of the second second: {second.codes.shape}")
    Codes.process(_id="codes", docs=zounds.corpus_of(Sound.where(), "bark"))
    print(f"trained to the same again, codes are stale: {Coded.explain(coded._id, 'codes').stale}")
    Codes.process(_id="codes", docs=[2 * snd.bark for snd in Sound])
    print(f"trained to something else, codes are stale: {Coded.explain(coded._id, 'codes').stale}")


if __name__ == "__main__":
    main()
