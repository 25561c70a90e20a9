"""Models that learn from samples of a corpus: once, or in rounds that end when they are told to."""

import numpy as np
import pytest

import zounds_lite as zounds
from tests.learn.corpora import rows, sounds
from zounds_lite import corpus_of, featureflow as ff
from zounds_lite.errors import DeclarationError, EmptyCorpus, FeatureNotComputable, MissingArgument
from zounds_lite.learn import InfiniteSampler, Op, Preprocessor, PreprocessResult


def test_learning_pipeline():
    Base = zounds.learning_pipeline()

    @zounds.simple_in_memory_settings
    class Scaled(Base):
        scaled = ff.PickleFeature(zounds.MeanStdNormalization, needs=Base.shuffled)
        pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=[scaled], store=True)

    data = [rows(20, i) for i in range(3)]
    found = Scaled(Scaled.process(samples=iter(data), nsamples=60, dtype=np.float32)).pipeline
    np.testing.assert_allclose(found["scaled"].mean, np.concatenate(data).mean(0), rtol=1e-5)
    assert Scaled(Scaled.process(samples=iter(data), nsamples=10)).pipeline["scaled"].mean.shape == (4,)


class Counted(Op):
    def __init__(self, rounds, network=None):
        super().__init__(rounds=rounds, network=network)

    def __call__(self, data):
        return data


class Trainer:
    """Does an epoch a round, and may be interrupted before one."""

    def __init__(self, epochs=3, interrupted_at=None):
        self.epochs = epochs
        self.epoch = 0
        self.interrupted_at = interrupted_at
        self.seen = []

    def train(self, data):
        if self.epoch == self.interrupted_at:
            raise KeyboardInterrupt
        self.epoch += 1
        self.seen.append(np.array(data))


class Trained(Preprocessor):
    neutral_parameters = ("trainer",)  # its state moves while it trains

    def __init__(self, trainer=None, needs=None):
        super().__init__(needs=needs)
        self.trainer = trainer

    def _train(self, corpus):
        self.trainer.train(corpus.concatenated())
        op = Counted(self.trainer.epoch, network=f"after {self.trainer.epoch}")
        return PreprocessResult(corpus, op)


def in_rounds(trainer):
    @zounds.simple_in_memory_settings
    @zounds.infinite_streaming_learning_pipeline
    class Model(ff.BaseModel):
        meanstd = ff.PickleFeature(zounds.MeanStdNormalization)
        trained = ff.PickleFeature(Trained, trainer=trainer, needs=meanstd, version="1")

    return Model


def test_rounds_end_when_the_trainer_is_finished():
    trainer = Trainer(epochs=3)
    Sound, Model = sounds(rows(40), rows(10, 1)), in_rounds(trainer)
    _id = Model.process(dataset=(Sound, Sound.x), nsamples=20, parallel=True)
    assert trainer.epoch == 3 and Model(_id).pipeline["trained"].rounds == 3
    assert Model(_id).load_network() == "after 3" and Model(_id).pipeline.names == ["meanstd", "trained"]
    assert [len(seen) for seen in trainer.seen] == [20] * 3
    assert not np.array_equal(trainer.seen[0], trainer.seen[1])


@pytest.mark.parametrize(("arguments", "epochs"), [({"rounds": 2}, 2), ({"epochs": 1}, 1), ({"rounds": 9}, 3)])
def test_rounds_end_when_told_to(arguments, epochs):
    trainer = Trainer(epochs=3)
    Sound, Model = sounds(rows(40)), in_rounds(trainer)
    Model.process(dataset=(Sound, Sound.x), nsamples=20, **arguments)
    assert trainer.epoch == epochs


def test_an_interrupt_ends_them_with_what_the_last_round_has_learned():
    Sound, Model = sounds(rows(40)), in_rounds(Trainer(interrupted_at=2))
    assert Model(Model.process(dataset=(Sound, Sound.x), nsamples=20)).pipeline["trained"].rounds == 2
    Model = in_rounds(Trainer(interrupted_at=0))
    with pytest.raises(KeyboardInterrupt):
        Model.process(dataset=(Sound, Sound.x), nsamples=20)
    assert list(Model) == []


def test_a_round_that_fails_leaves_what_the_one_before_has_stored():
    Sound, Model = sounds(rows(40)), in_rounds(Trainer())
    Model.id_provider = ff.StaticIdProvider("model")
    Model.process(dataset=(Sound, Sound.x), nsamples=20, rounds=1)
    with pytest.raises(ZeroDivisionError):
        Model.process(dataset=(Sound, Sound.x), nsamples=20, rounds=1, feature_filter=lambda x: 1 / 0)
    assert Model("model").pipeline["trained"].rounds == 1


def test_what_was_learned_in_rounds_is_not_learned_again_by_reading_it():
    Sound, trainer = sounds(rows(40)), Trainer(epochs=1)
    Model = in_rounds(trainer)
    _id = Model.process(dataset=corpus_of(Sound, "x"), nsamples=20)

    class Changed(Model):
        meanstd = ff.PickleFeature(zounds.InstanceScaling, needs=Model.dataset)

    with pytest.raises(FeatureNotComputable, match="process the document again"):
        _ = Changed(_id).pipeline
    assert trainer.epoch == 1


def test_bad_rounds():
    Sound = sounds(rows(4))

    @zounds.simple_in_memory_settings
    @zounds.infinite_streaming_learning_pipeline
    class Endless(ff.BaseModel):
        meanstd = ff.PickleFeature(zounds.MeanStdNormalization)

    with pytest.raises(DeclarationError, match="nothing says when to end; give rounds="):
        Endless.process(dataset=(Sound, Sound.x), nsamples=3)
    with pytest.raises(DeclarationError, match="rounds=0; allowed: 1 or more"):
        Endless.process(dataset=(Sound, Sound.x), nsamples=3, rounds=0)
    with pytest.raises(MissingArgument, match="dataset="):
        Endless.process(nsamples=3, rounds=1)
    with pytest.raises(MissingArgument, match="missing: nsamples"):
        Endless.process(dataset=(Sound, Sound.x), rounds=1)
    with pytest.raises(DeclarationError, match="needed: \\(Model, Model.feature\\)"):
        Endless.process(dataset=Sound, nsamples=3, rounds=1)
    with pytest.raises(EmptyCorpus, match="have no rows"):
        Endless.process(dataset=(sounds(), "x"), nsamples=3, rounds=1)
    with pytest.raises(RuntimeError, match="holds no network"):
        Endless(Endless.process(dataset=(Sound, Sound.x), nsamples=3, rounds=1)).load_network()
    with pytest.raises(DeclarationError, match=r"roots \['a', 'b'\]; needed: exactly one"):

        @zounds.infinite_streaming_learning_pipeline
        class Two(ff.BaseModel):
            a = ff.PickleFeature(zounds.MeanStdNormalization)
            b = ff.PickleFeature(zounds.MeanStdNormalization)


def test_infinite_sampler_draws_from_all_documents():
    features = [np.full((60, 1), 0.0), np.full((30, 1), 1.0), np.full((2, 1), 2.0), np.zeros((0, 1))]
    Sound = sounds(*features)
    node = InfiniteSampler(nsamples=46, dtype=np.float32, rounds=3, seed=1)
    first, second, third = node.run([(Sound, "x")])
    assert first.dtype == np.float32 and [int((first == i).sum()) for i in range(3)] == [30, 15, 1]
    assert not np.array_equal(first, second) and not np.array_equal(second, third)
    [again] = InfiniteSampler(nsamples=46, dtype=np.float32, rounds=1, seed=1, parallel=False).run([(Sound, "x")])
    np.testing.assert_array_equal(again, first)
    endless = InfiniteSampler(nsamples=5).run([(Sound, "x")])
    assert [len(next(endless)) for _ in range(5)] == [5] * 5
    [all_of_it] = InfiniteSampler(nsamples=1000, rounds=1).run([(Sound, "x")])
    assert len(all_of_it) == 92
    for nsamples in (0, 1.5):
        with pytest.raises(DeclarationError, match="1 or more"):
            InfiniteSampler(nsamples=nsamples)
