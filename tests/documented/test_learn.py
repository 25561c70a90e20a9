"""The documented example of the learn module: as it stands, and with the samples that it draws and forgets to use.

Only imports, prints and the source of the recordings are changed.
"""

from random import choice

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import noise, sine, write
from zounds_lite import featureflow as ff


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learn")
    write(folder / "a.wav", noise(1.5, seed=1))
    write(folder / "b.wav", noise(1, seed=2, amplitude=0.05))
    write(folder / "c.wav", sine(440, 1))

    samplerate = zounds.SR44100()
    STFT = zounds.stft(resample_to=samplerate)

    @zounds.simple_in_memory_settings
    class Sound(STFT):
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, samplerate=samplerate, needs=STFT.fft, store=True)

    # apply the Sound processing graph to individual audio files
    for metadata in zounds.Directory(folder):
        Sound.process(meta=metadata)
    return Sound


def pipeline_of(source):
    @zounds.simple_in_memory_settings
    class ExamplePipeline(ff.BaseModel):
        docs = ff.PickleFeature(ff.IteratorNode, needs=None)

        shuffled = ff.PickleFeature(zounds.ShuffledSamples, nsamples=100, needs=docs, store=False)

        meanstd = ff.PickleFeature(
            zounds.MeanStdNormalization, needs={"docs": docs, "shuffled": shuffled}[source], store=False
        )

        kmeans = ff.PickleFeature(zounds.KMeans, needs=meanstd, centroids=32)

        pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(meanstd, kmeans), store=True)

    return ExamplePipeline


@pytest.mark.parametrize("source", ["docs", "shuffled"])
def test_a_pipeline_is_learned_from_the_whole_corpus(sounds, source):
    ExamplePipeline = pipeline_of(source)

    # apply the ExamplePipeline processing graph to the entire corpus of audio
    _id = ExamplePipeline.process(docs=(snd.bark for snd in sounds))
    learned = ExamplePipeline(_id)

    snd = choice(list(sounds))
    result = learned.pipeline.transform(snd.bark)
    # the assigned centroids for each FFT frame
    assert result.data.shape == (len(snd.bark), 32)
    assert (np.asarray(result.data).sum(axis=1) == 1).all()
    assert result.data.dimensions[0] == snd.bark.dimensions[0]

    inverted = result.inverse_transform()
    # the reconstructed FFT frames
    assert (type(inverted), inverted.shape, inverted.dtype) == (type(snd.bark), snd.bark.shape, snd.bark.dtype)
    assert inverted.dimensions == snd.bark.dimensions

    # one result, of the statistics of all documents, not of the first one
    assert len(list(ExamplePipeline)) == 1
    whole = np.concatenate([np.asarray(snd.bark, np.float64) for snd in sounds])
    meanstd, kmeans = learned.pipeline
    if source == "docs":
        np.testing.assert_allclose(meanstd.mean, whole.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(meanstd.std, whole.std(axis=0), rtol=1e-6)
    else:
        assert (whole.min(axis=0) <= meanstd.mean).all() and (meanstd.mean <= whole.max(axis=0)).all()
    nearest = kmeans.codebook[np.asarray(result.data).argmax(axis=1)] * meanstd.std + meanstd.mean
    np.testing.assert_allclose(inverted, nearest, rtol=1e-5, atol=1e-6)
