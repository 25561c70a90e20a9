"""Learned features are features like any other: stored, sliced, computed when needed, and stale when trained anew."""

import numpy as np
import pytest

import zounds_lite as zounds
from tests.learn.corpora import frames, rows, sounds, train
from zounds_lite import Milliseconds, TimeSlice, corpus_of, featureflow as ff
from zounds_lite.errors import DeclarationError, LineageError, NotTrained
from zounds_lite.featureflow.lineage import Lineage
from zounds_lite.learn import Learned, Op, Pipeline, PreprocessResult


def steps_model():
    @zounds.simple_in_memory_settings
    class Steps(ff.BaseModel):
        docs = ff.PickleFeature(ff.IteratorNode)
        meanstd = ff.PickleFeature(zounds.MeanStdNormalization, needs=docs)
        pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=meanstd, store=True)

    Steps.id_provider = ff.StaticIdProvider("steps")
    return Steps


def with_learned(Sound, **arguments):
    @zounds.simple_in_memory_settings
    class Normalized(Sound):
        stored = zounds.ArrayWithUnitsFeature(Learned, needs=Sound.x, store=True, **arguments)
        lazy = zounds.ArrayWithUnitsFeature(Learned, needs=Sound.x, **arguments)

    return Normalized


def test_learned_features_are_stored_sliced_and_computed_for_a_stretch():
    Sound, Steps = sounds(rows(50), rows(80, 1)), steps_model()
    Steps.process(docs=corpus_of(Sound, "x"))
    Normalized = with_learned(Sound, learned=Steps)
    document = Normalized(Normalized.process(x=[frames(rows(30, 2)), frames(rows(30, 3))]))
    wanted = Steps().pipeline.transform(document.x).data
    np.testing.assert_array_equal(document.stored, wanted)
    np.testing.assert_array_equal(document.lazy, wanted)
    assert document.stored.dimensions == document.x.dimensions
    stretch = TimeSlice(Milliseconds(500), start=Milliseconds(1000))
    np.testing.assert_array_equal(document[stretch].lazy, wanted[10:15])
    np.testing.assert_array_equal(document[stretch].stored, document.stored[stretch])
    assert document[stretch].lazy.dimensions[0].start == Milliseconds(1000)


def test_they_are_stale_when_the_pipeline_was_trained_to_something_else():
    Sound, Steps = sounds(rows(50)), steps_model()
    Steps.process(docs=[rows(50)])
    Normalized = with_learned(Sound, learned=Steps())
    _id = Normalized.process(x=[frames(rows(30, 2))])
    before = np.array(Normalized(_id).stored)
    Steps.process(docs=[rows(50)])  # to the same
    assert not Normalized.explain(_id, "stored").stale
    Steps.process(docs=[3 * rows(50)])
    assert "pipeline '" in str(Normalized.explain(_id, "stored")) and Normalized.explain(_id, "stored").stale
    after = Normalized(_id).stored
    assert not np.array_equal(before, after)
    np.testing.assert_array_equal(after, Steps().pipeline.transform(Normalized(_id).x).data)
    assert not Normalized.explain(_id, "stored").stale and not Normalized.explain(_id, "x").stale


def lineage(**arguments):
    feature = ff.Feature(Learned, **arguments)
    feature.name = "learned"
    return Lineage({"learned": feature}).hash(feature)


def test_what_counts_is_what_the_pipeline_does():
    one, same, other = (Pipeline([train(zounds.Multiply(factor), rows(1)).for_storage()]) for factor in (2.0, 2.0, 3.0))
    assert lineage(learned=one) == lineage(learned=same) != lineage(learned=other)
    assert lineage(learned=one, version="1") == lineage(learned=other, version="1") != lineage(learned=one)
    assert lineage(learned=one, dtype=np.float32) == lineage(learned=one, dtype="float32") != lineage(learned=one)
    assert lineage(learned=one, wrapper=np.asarray) != lineage(learned=one)
    assert lineage(learned={"a": one}, pipeline_func=lambda found: found["a"]) == lineage(learned=one)


def test_arguments_of_learned():
    pipeline = Pipeline([train(zounds.Multiply(2.0), rows(1)), train(zounds.Log(), rows(1))])
    [found] = Learned(pipeline, pipeline_func=lambda p: p[:1], dtype=np.float64, wrapper=frames).run([rows(3)])
    np.testing.assert_array_equal(found, 2.0 * rows(3).astype(np.float64))
    assert found.dimensions == frames(rows(3)).dimensions


class Cumulated(Op):
    keeps_units = True

    def __call__(self, data):
        return np.cumsum(np.asarray(data), axis=0)


def test_a_step_that_looks_at_several_rows_gets_all_of_them():
    Sound = sounds()
    Normalized = with_learned(Sound, learned=Pipeline([PreprocessResult(None, Cumulated())]))
    document = Normalized(Normalized.process(x=[frames(rows(30)), frames(rows(30, 3))]))
    np.testing.assert_array_equal(document.stored, np.cumsum(document.x, axis=0))
    stretch = TimeSlice(Milliseconds(500), start=Milliseconds(1000))
    np.testing.assert_array_equal(document[stretch].lazy, document.stored[10:15])


def test_what_is_not_trained_says_so():
    Sound, Steps = sounds(rows(3)), steps_model()
    with pytest.raises(NotTrained, match=r"Steps\('steps'\) is not trained yet: .* process it before what needs it"):
        with_learned(Sound, learned=Steps).process(x=[frames(rows(3))])
    Steps.id_provider = ff.UuidProvider()
    with pytest.raises(NotTrained, match=r"Steps\(\) was made without an id"):
        list(Learned(Steps).run([rows(3)]))
    with pytest.raises(NotTrained, match="None has no pipeline"):
        list(Learned().run([rows(3)]))
    with pytest.raises(DeclarationError, match="is int; needed: a Pipeline"):
        list(Learned(rows(1), pipeline_func=len).run([rows(3)]))


def test_a_pipeline_whose_features_are_gone_is_not_applied():
    Sound, Steps = sounds(rows(50)), steps_model()
    _id = Steps.process(docs=(sound.x for sound in Sound))

    @zounds.simple_in_memory_settings
    class Changed(Steps):
        meanstd = ff.PickleFeature(zounds.InstanceScaling, needs=Steps.docs)

    Changed.database = Steps.database
    with pytest.raises(NotTrained, match="has no pipeline that is up to date: .* process the document again"):
        list(Learned(Changed(_id)).run([rows(3)]))


def test_a_pipeline_cannot_be_learned_from_what_needs_it():
    Steps = steps_model()

    @zounds.simple_in_memory_settings
    class Round(ff.BaseModel):
        x = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)
        learned = zounds.ArrayWithUnitsFeature(Learned, learned=Steps, needs=x)

    Steps.process(docs=[rows(3)])
    Round.process(x=[frames(rows(3))])
    Steps.process(docs=corpus_of(Round, "learned"))
    with pytest.raises(LineageError, match="is learned from features that need it"):
        _ = next(iter(Round)).learned
