"""K-means: exactly k centroids, as good as scikit-learn's, the same for any chunks and order."""

import numpy as np
import pytest
from scipy.cluster.vq import vq

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError, EmptyCorpus, NonFiniteFeatures, RaggedCorpus
from zounds_lite.learn import KMeans, MeanStdNormalization, Pipeline, kmeans
from zounds_lite.learn.kmeans import NearestCentroid
from zounds_lite.learn.lloyd import distinct_rows, lloyd, spread_out
from zounds_lite.learn.nearest import Centres


def clusters(rows=900, features=5, count=6, seed=0, apart=8.0):
    random = np.random.default_rng(seed)
    centres = random.normal(size=(count, features)) * apart
    return centres[random.integers(0, count, rows)] + random.normal(size=(rows, features))


def train(chunks, **arguments):
    [step] = KMeans(**arguments).run(chunks)
    return step


def inertia(rows, codebook):
    return float((vq(rows, codebook)[1] ** 2).sum())


def test_the_nearest_centroid_is_the_nearest():
    rows = clusters()
    step = train([rows], centroids=6)
    result = step.op(rows)
    assert (result.dtype, result.shape) == (np.uint8, (900, 6))
    assert result.sum() == 900
    assert np.array_equal(result.argmax(1), vq(rows, step.codebook)[0])
    assert np.array_equal(step.op.inverse(result), step.codebook[result.argmax(1)])


@pytest.mark.parametrize("apart", [0.0, 8.0])
def test_centroids_are_at_rest(apart):
    rows = clusters(apart=apart)
    codebook = train([rows], centroids=6).codebook
    labels = vq(rows, codebook)[0]
    means = np.array([rows[labels == i].mean(axis=0) for i in range(6)])
    assert np.allclose(means, codebook, atol=1e-12)


def test_lloyd_agrees_with_a_plain_one():
    rows = clusters(apart=0.0)
    expected = rows[:6].copy()
    for _ in range(300):
        labels = ((rows[:, None] - expected) ** 2).sum(axis=2).argmin(axis=1)
        before, expected = expected, np.array([rows[labels == i].mean(axis=0) for i in range(6)])
        if np.array_equal(before, expected):
            break
    different, counts = distinct_rows(rows)
    found, rests = lloyd(different, counts, rows[:6], 300)
    assert rests
    assert np.allclose(found, expected, atol=1e-12)


def test_rows_that_come_often_weigh_as_much():
    rows = clusters(rows=60, count=3, apart=1.0)
    often = np.repeat(rows, np.arange(60) % 5 + 1, axis=0)
    different, counts = distinct_rows(often)
    assert (len(different), counts.sum()) == (60, len(often))
    one, _ = lloyd(different, counts, rows[:3], 300)
    other, _ = lloyd(often, np.ones(len(often)), rows[:3], 300)
    assert np.allclose(one, other, atol=1e-12)


def test_order_and_chunks_make_no_difference():
    rows = clusters(apart=1.0)
    codebook = train([rows], centroids=7).codebook
    assert np.array_equal(train(np.split(rows, [1, 100, 450]), centroids=7).codebook, codebook)
    shuffled = rows[np.random.default_rng(3).permutation(len(rows))]
    assert np.array_equal(train([shuffled], centroids=7).codebook, codebook)
    assert not np.array_equal(train([rows], centroids=7, seed=1).codebook, codebook)


def test_a_corpus_larger_than_memory_is_learned_in_passes(monkeypatch):
    rows = clusters(rows=20_000, apart=3.0)
    whole = train(np.split(rows, 7 * [0] + [9000]), centroids=6)
    monkeypatch.setattr(kmeans, "_MEMORY", 500 * 5 * 8)
    streamed = train(np.split(rows, [9000, 9001]), centroids=6)
    assert inertia(rows, streamed.codebook) < 1.001 * inertia(rows, whole.codebook)
    labels = vq(rows, streamed.codebook)[0]
    means = np.array([rows[labels == i].mean(axis=0) for i in range(6)])
    assert np.abs(means - streamed.codebook).max() < 0.02  # at rest on all rows, not on the sample
    again = train(np.split(rows, 4), centroids=6)
    assert np.allclose(again.codebook, streamed.codebook, atol=1e-9)


@pytest.mark.parametrize("count", [1, 2, 31, 32])
def test_there_are_exactly_as_many_as_asked_for(count):
    rows = np.repeat(np.arange(32.0)[:, None] ** 2, 10, axis=0)
    step = train([rows], centroids=count)
    assert step.codebook.shape == (count, 1)
    assert len(np.unique(step.codebook)) == count
    assert step.data.concatenated().any(axis=0).all()  # each has rows


def test_fewer_different_rows_than_centroids_are_an_error():
    rows = np.repeat([[0.0, 1.0], [-0.0, 1.0], [2.0, 1.0]], 100, axis=0)
    with pytest.raises(RaggedCorpus, match="2 different rows .of 300., fewer than centroids=3"):
        train([rows], centroids=3)
    assert sorted(train([rows], centroids=2).codebook.tolist()) == [[0.0, 1.0], [2.0, 1.0]]
    with pytest.raises(RaggedCorpus, match="1 different rows"):
        train([np.zeros((5, 3))], centroids=2)


def test_rows_far_from_zero_and_close_together_are_told_apart():
    rows = 1e6 + clusters(rows=300, count=3, features=2, apart=1e-3) * 1e-3
    step = train([rows], centroids=3)
    truth = ((rows[:, None] - step.codebook) ** 2).sum(axis=2).argmin(axis=1)
    assert np.array_equal(step.op.labels(rows), truth)
    nearly = 1.0 + np.arange(4.0)[:, None] * 2e-16
    assert len(np.unique(train([nearly], centroids=3).codebook)) <= 3


def test_spread_out_chooses_different_rows():
    rows = np.concatenate([np.full((50, 2), 1e8) + np.arange(50)[:, None] * 1e-7, np.zeros((1, 2))])
    for seed in range(5):
        chosen = spread_out(rows, np.ones(51), 51, np.random.default_rng(seed))
        assert len(np.unique(chosen, axis=0)) == 51


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8])
def test_dtypes(dtype):
    rows = np.rint(clusters() + 60).astype(dtype)
    step = train([rows], centroids=4)
    assert step.codebook.dtype == (np.float32 if dtype == np.float32 else np.float64)
    truth = ((rows[:, None].astype(float) - step.codebook) ** 2).sum(axis=2).argmin(axis=1)
    assert np.array_equal(step.op.labels(rows), truth)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ties_go_to_the_first_whatever_the_number_of_rows(dtype):
    random = np.random.default_rng(0)
    codebook = random.integers(-3, 4, size=(50, 17)).astype(dtype) / 7 + 100
    rows = np.concatenate([(codebook[:25] + codebook[25:]) / 2, codebook, random.normal(size=(3000, 17)) + 100])
    rows = rows.astype(dtype)
    truth = ((rows[:, None].astype(np.float64) - codebook.astype(np.float64)) ** 2).sum(axis=2).argmin(axis=1)
    centres = Centres(codebook)
    assert np.array_equal(centres.nearest(rows), truth)
    for step in (1, 7, 1000):
        parts = [centres.nearest(rows[i : i + step]) for i in range(0, len(rows), step)]
        assert np.array_equal(np.concatenate(parts), truth)
    twice = NearestCentroid(np.repeat(codebook, 2, axis=0))
    assert not (twice.labels(rows) % 2).any()


def test_examples_of_any_shape_and_their_units():
    rows = clusters(features=6).reshape(900, 2, 3)
    step = train([rows], centroids=3)
    assert step.codebook.shape == (3, 2, 3)
    assert step.op.inverse(step.op(rows)).shape == rows.shape
    time = zounds.TimeDimension(zounds.Seconds(1))
    with_units = ArrayWithUnits(rows, [time, IdentityDimension(), IdentityDimension()])
    result = Pipeline([step]).transform(with_units)
    assert result.data.dimensions == (time, IdentityDimension())
    assert result.inverse_transform().dimensions == with_units.dimensions
    with pytest.raises(DimensionError, match=r"shape of \[5\]|each of shape \[2, 3\]"):
        step.op(np.ones((4, 5)))
    with pytest.raises(DimensionError, match="one-hot rows of 3"):
        step.op.inverse(np.ones((4, 5)))
    assert train([np.arange(4.0)], centroids=2).codebook.shape == (2,)
    assert step.op(rows[:0]).shape == (0, 3)


@pytest.mark.parametrize("centroids", [None, 0, -1, 2.5, "2"])
def test_numbers_of_centroids_are_whole(centroids):
    with pytest.raises(DeclarationError, match="centroids="):
        KMeans(centroids)


def test_what_cannot_be_learned_from_is_refused():
    with pytest.raises(EmptyCorpus):
        train([], centroids=2)
    with pytest.raises(NonFiniteFeatures, match="chunk 0"):
        train([np.array([[1.0], [np.nan]])], centroids=1)
    with pytest.raises(RaggedCorpus, match="AbsoluteValue"):
        train([np.ones((2, 2), complex)], centroids=1)


def test_the_documented_pipeline_is_stored_and_inverted():
    @zounds.simple_in_memory_settings
    class Learned(ff.BaseModel):
        docs = ff.PickleFeature(ff.IteratorNode, needs=None)
        meanstd = ff.PickleFeature(MeanStdNormalization, needs=docs, store=False)
        kmeans = ff.PickleFeature(KMeans, needs=meanstd, centroids=4, store=False)
        pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(meanstd, kmeans), store=True)

    rows = clusters(count=4)
    _id = Learned.process(docs=iter(np.split(rows, [100, 101])))
    pipeline = Learned(_id).pipeline
    result = pipeline.transform(rows)
    assert result.data.sum() == 900
    inverted = result.inverse_transform()
    assert len(np.unique(inverted, axis=0)) == 4
    assert np.abs(inverted - rows).max() < 8
    assert pipeline[-1].codebook.shape == (4, 5)
