"""Samples: uniform, seeded, aligned, of any chunks."""

import numpy as np
import pytest
from scipy import stats

from zounds_lite import ArrayWithUnits, Seconds, TimeDimension
from zounds_lite.core import IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError, EmptyCorpus, GraphError, LabelError, RaggedCorpus
from zounds_lite.learn import (
    BalancedSamples,
    MeanStdNormalization,
    MultiplexedReservoir,
    Reservoir,
    ReservoirSampler,
    ShuffledSamples,
)

CHUNKINGS = [[20] * 5, [1] * 100, [100], [3, 0, 57, 40], [99, 1]]


def cut(rows, sizes):
    return np.split(rows, np.cumsum(sizes)[:-1])


@pytest.mark.parametrize("sizes", CHUNKINGS, ids=lambda sizes: f"{len(sizes)} chunks from {sizes[0]}")
@pytest.mark.parametrize("nsamples", [3, 30])
def test_every_position_is_as_likely_as_any_other(sizes, nsamples):
    counts, runs = np.zeros(100), 600 // nsamples
    for seed in range(runs):
        reservoir = Reservoir(nsamples, seed=seed)
        for chunk in cut(np.arange(100), sizes):
            reservoir.add(chunk)
        counts[reservoir.get()] += 1
    assert counts.sum() == nsamples * runs
    assert stats.chisquare(counts).pvalue > 1e-4


def test_pairs_are_uniform_too_and_so_is_the_order():
    pairs, first = np.zeros((6, 6)), np.zeros(6)
    for seed in range(1500):
        [sample] = ShuffledSamples(nsamples=2, seed=seed).run(cut(np.arange(6), [2, 3, 1]))
        pairs[tuple(sample)] += 1
        first[sample[0]] += 1
    ordered = pairs[~np.eye(6, dtype=bool)]
    assert stats.chisquare(ordered).pvalue > 1e-4
    assert stats.chisquare(first).pvalue > 1e-4


def test_many_more_rows_than_slots_are_uniform():
    reservoir = Reservoir(2000, seed=1)
    for start in range(0, 400_000, 1000):
        reservoir.add(np.arange(start, start + 1000))
    sample = reservoir.get()
    assert len(np.unique(sample)) == 2000
    assert stats.kstest(sample / 400_000, "uniform").pvalue > 1e-3
    assert len(reservoir._rows._rows) <= 2501  # memory is bounded by nsamples


@pytest.mark.parametrize("nsamples", [1, 7, 100, 250])
def test_one_seed_gives_one_sample_whatever_the_chunks(nsamples):
    rows = np.random.default_rng(0).normal(size=(100, 3))
    samples = []
    for sizes in CHUNKINGS:
        [sample] = ShuffledSamples(nsamples=nsamples, seed=3).run(cut(rows, sizes))
        assert len(sample) == min(nsamples, 100)
        samples.append(sample)
    assert all(np.array_equal(sample, samples[0]) for sample in samples)
    [sampled] = ReservoirSampler(nsamples=nsamples, seed=3).run([rows])
    assert np.array_equal(sampled, samples[0])
    [other] = ReservoirSampler(nsamples=nsamples, seed=4).run([rows])
    assert not np.array_equal(other, sampled)


def test_a_sample_may_be_looked_at_on_the_way():
    looked, not_looked = Reservoir(5), Reservoir(5)
    for chunk in cut(np.arange(100), [20] * 5):
        looked.add(chunk)
        not_looked.add(chunk)
        assert len(looked.get()) == 5
    assert np.array_equal(looked.get(), not_looked.get())


def test_without_a_seed_samples_differ():
    first, second = ([*ReservoirSampler(nsamples=20, seed=None).run([np.arange(10_000)])][0] for _ in range(2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("nsamples", [0, -1, 1.5, "5", None, True, np.nan, np.inf])
def test_numbers_of_samples_are_whole(nsamples):
    for make in (Reservoir, MultiplexedReservoir, ShuffledSamples, ReservoirSampler, BalancedSamples):
        with pytest.raises(DeclarationError, match="nsamples="):
            make(nsamples)
    with pytest.raises(ValueError, match="whole numbers from 1"):
        Reservoir(nsamples)


@pytest.mark.parametrize("nsamples", [1e3, 1000, np.int32(1000), np.float32(1000)])
def test_whole_floats_will_do(nsamples):
    [sample] = ReservoirSampler(nsamples=nsamples).run([np.arange(5000)])
    assert len(sample) == 1000


def test_units_of_rows_stay():
    rows = ArrayWithUnits(np.ones((10, 4)), [TimeDimension(Seconds(1)), IdentityDimension()])
    [sample] = ShuffledSamples(nsamples=3).run([rows, rows])
    assert isinstance(sample, ArrayWithUnits)
    assert sample.dimensions == (IdentityDimension(), IdentityDimension())


def test_dtypes_are_kept_asked_for_or_joined():
    rows = np.ones((4, 2), np.float32)
    assert next(ShuffledSamples(nsamples=3).run([rows])).dtype == np.float32
    assert next(ShuffledSamples(nsamples=3, dtype=np.float16).run([rows])).dtype == np.float16
    for order in ([rows, rows.astype(np.float64)], [rows.astype(np.float64), rows]):
        assert next(ShuffledSamples(nsamples=9).run(order)).dtype == np.float64
    words = next(ShuffledSamples(nsamples=9).run([np.array(["a"]), np.array(["bcd"])]))
    assert sorted(words.tolist()) == ["a", "bcd"]


def test_rows_that_do_not_fit_are_refused():
    reservoir = Reservoir(5)
    reservoir.add(np.ones((2, 3)))
    with pytest.raises(RaggedCorpus, match=r"shape \[4\], after rows of shape \[3\]"):
        reservoir.add(np.ones((2, 4)))
    with pytest.raises(RaggedCorpus, match="after rows of float64"):
        reservoir.add(np.full((2, 3), "a"))
    with pytest.raises(DimensionError, match="first axis counts rows"):
        reservoir.add(np.float64(1))
    with pytest.raises(DimensionError, match="object"):
        Reservoir(5).add(np.array([None]))


def test_indices_are_the_slots_to_write_to():
    reservoir = Reservoir(4)
    with pytest.raises(ValueError, match="one whole number for each row"):
        reservoir.add(np.arange(3), [0, 1])
    reservoir.add(np.array([10, 11, 12]), [3, 0, 1])
    assert reservoir.get().tolist() == [11, 12, 10]
    reservoir.add(np.array([20]), [0])
    assert (reservoir.get().tolist(), len(reservoir), reservoir.percent_full()) == ([20, 12, 10], 3, 0.75)
    with pytest.raises(DeclarationError, match="allowed: 0 to 3"):
        reservoir.add(np.array([1]), [4])
    with pytest.raises(DeclarationError, match="filled by indices"):
        reservoir.add(np.array([1]))
    chose = Reservoir(4)
    chose.add(np.array([1]))
    with pytest.raises(DeclarationError, match="chose its rows"):
        chose.add(np.array([1]), [0])


def test_batches_are_drawn_with_replacement_and_change_nothing():
    reservoir = Reservoir(10)
    with pytest.raises(DeclarationError, match="empty"):
        reservoir.get()
    reservoir.add(np.arange(5))
    before = reservoir.get()
    drawn = [reservoir.get_batch(5) for _ in range(20)]
    assert min(len(np.unique(batch)) for batch in drawn) < 5  # with replacement
    assert np.isin(drawn, before).all()
    assert len(np.unique(drawn)) == 5
    assert np.array_equal(reservoir.get(), before)
    with pytest.raises(ValueError, match="batch_size=6 is more than the 5 rows"):
        reservoir.get_batch(6)
    with pytest.raises(ValueError, match="batch_size=11"):
        reservoir.get_batch(11)
    both = MultiplexedReservoir(10)
    both.add({"a": np.arange(8), "b": -np.arange(8)})
    batch = both.get_batch(6)
    assert np.array_equal(batch["a"], -batch["b"])


@pytest.mark.parametrize("sizes", CHUNKINGS, ids=lambda sizes: f"{len(sizes)} chunks from {sizes[0]}")
def test_what_is_multiplexed_stays_aligned(sizes):
    rows = np.arange(100)
    chunks = [{"data": np.stack([c, c], 1) * 1.0, "labels": c, "text": c.astype("U3")} for c in cut(rows, sizes)]
    [sample] = ShuffledSamples(nsamples=17, multiplexed=True).run(chunks)
    assert np.array_equal(sample["data"][:, 0], sample["labels"])
    assert np.array_equal(sample["text"], sample["labels"].astype("U3"))
    [alone] = ShuffledSamples(nsamples=17).run(cut(rows, sizes))
    assert np.array_equal(alone, sample["labels"])


def test_what_cannot_be_multiplexed_is_refused():
    reservoir = MultiplexedReservoir(3)
    with pytest.raises(ValueError, match="needed: a dict"):
        reservoir.add(np.ones(3))
    with pytest.raises(ValueError, match="different numbers of rows"):
        reservoir.add({"a": np.ones(3), "b": np.ones(2)})
    reservoir.add({"a": np.ones(3), "b": np.ones(3)})
    with pytest.raises(ValueError, match=r"got \['a'\], after \['a', 'b'\]"):
        reservoir.add({"a": np.ones(3)})
    with pytest.raises(DeclarationError, match="multiplexed=True"):
        list(ShuffledSamples(nsamples=3).run([{"a": np.ones(3)}]))


def test_several_inputs_are_multiplexed():
    import zounds_lite as zounds
    from zounds_lite import featureflow as ff

    @zounds.simple_in_memory_settings
    class Sampled(ff.BaseModel):
        data = ff.PickleFeature(ff.IteratorNode)
        labels = ff.PickleFeature(ff.IteratorNode)
        both = ff.PickleFeature(
            ShuffledSamples, nsamples=4, multiplexed=True, needs={"data": data, "labels": labels}, store=True
        )

    rows = cut(np.arange(20), [5, 15])
    _id = Sampled.process(data=[row * 2.0 for row in rows], labels=rows)
    both = Sampled(_id).both
    assert np.array_equal(both["data"], both["labels"] * 2.0)
    with pytest.raises(GraphError, match="different numbers of chunks"):
        Sampled.process(data=rows, labels=rows[:1])


def test_no_rows_are_said():
    for node in (ShuffledSamples(nsamples=3), ReservoirSampler(nsamples=3), BalancedSamples(nsamples=3)):
        with pytest.raises(EmptyCorpus, match="no rows came"):
            list(node.run([]))
    with pytest.raises(EmptyCorpus, match="no rows came"):
        list(ShuffledSamples(nsamples=3).run([np.empty((0, 2))]))


def test_transformed_training_data_can_be_sampled():
    [step] = MeanStdNormalization().run([np.arange(10.0)[:, None]])
    [sample] = ShuffledSamples(nsamples=4).run([step])
    assert sample.shape == (4, 1)
    assert np.isin(sample, step.data.concatenated()).all()


# balanced


def labelled(sizes, labels):
    rows = np.arange(len(labels))
    return [{"data": rows[part], "labels": labels[part]} for part in cut(rows, sizes)]


def test_labels_are_balanced_and_uniform_within():
    labels = np.repeat(["a", "b", "c"], [70, 20, 10])
    counts = np.zeros(100)
    for seed in range(150):
        [sample] = BalancedSamples(nsamples=5, seed=seed).run(labelled([40, 1, 59], labels))
        assert sorted(sample["labels"].tolist()) == ["a"] * 5 + ["b"] * 5 + ["c"] * 5
        assert np.array_equal(labels[sample["data"]], sample["labels"])
        counts[sample["data"]] += 1
    for label in "abc":
        assert stats.chisquare(counts[labels == label]).pvalue > 1e-4


def test_balance_is_cut_down_to_the_rarest_label_and_the_same_for_any_chunks():
    labels = np.repeat([7, 8], [90, 10])
    samples = [next(BalancedSamples(nsamples=50, seed=2).run(labelled(sizes, labels))) for sizes in CHUNKINGS]
    assert np.bincount(samples[0]["labels"])[7:].tolist() == [10, 10]
    assert all(np.array_equal(sample["data"], samples[0]["data"]) for sample in samples)


def test_absent_labels_are_said():
    chunks = labelled([100], np.repeat(["a", "b"], 50))
    with pytest.raises(LabelError, match=r"no rows are labelled \['c'\]; there are \['a', 'b'\]"):
        list(BalancedSamples(nsamples=5, labels=["a", "b", "c"]).run(chunks))


def test_labels_that_are_none_are_refused():
    with pytest.raises(DeclarationError, match="needs=dict"):
        list(BalancedSamples(nsamples=5).run([np.ones(3)]))
    with pytest.raises(DeclarationError, match="different numbers of rows"):
        list(BalancedSamples(nsamples=5).run([{"data": np.ones(3), "labels": np.ones(2, int)}]))
    with pytest.raises(LabelError, match="labels of float64"):
        list(BalancedSamples(nsamples=5).run([{"data": np.ones(3), "labels": np.ones(3)}]))
    with pytest.raises(LabelError, match="one for each row"):
        list(BalancedSamples(nsamples=5).run([{"data": np.ones(3), "labels": np.ones((3, 1), int)}]))
    mixed = [{"data": np.ones(1), "labels": np.array([1])}, {"data": np.ones(1), "labels": np.array(["one"])}]
    with pytest.raises(LabelError, match="mixed type"):
        list(BalancedSamples(nsamples=5).run(mixed))
