"""Pipelines: composed, sliced, inverted with their units, stored as data and read in another process."""

import subprocess
import sys

import numpy as np
import pytest

import zounds_lite as zounds
from tests.learn.corpora import frames, rows, sounds, train
from zounds_lite import featureflow as ff
from zounds_lite.errors import (
    CorruptValue,
    DeclarationError,
    EmptyCorpus,
    GraphError,
    NonFiniteFeatures,
    NotInvertible,
    NotTrained,
    UnknownTypeError,
)
from zounds_lite.learn import Corpus, ForwardResult, Op, Pipeline, Preprocessor, PreprocessResult


def pipeline(*nodes, data=None):
    """Train nodes one after the other."""
    steps, corpus = [], Corpus([frames(rows(20)) if data is None else data])
    for node in nodes:
        [step] = node.run([corpus])
        corpus = step.data
        steps.append(step)
    return Pipeline(steps)


class Halved(Op):
    is_rowwise = keeps_units = True

    def __call__(self, data):
        return np.asarray(data) / 2


class Doubled(Op):
    def __call__(self, data, by=2):
        return np.asarray(data) * by


class Twice(Op):
    def __call__(self, data):
        return {"by": 2}


def test_steps_are_applied_in_order_and_learn_from_what_those_before_made():
    made = pipeline(zounds.Multiply(3.0), zounds.MeanStdNormalization(), zounds.Log())
    data = frames(rows(7, 1))
    scaled = 3.0 * np.asarray(data, np.float64)
    whole = 3.0 * rows(20).astype(np.float64)
    wanted = (scaled - whole.mean(0)) / whole.std(0)
    result = made.transform(data)
    np.testing.assert_allclose(result.data, np.sign(wanted) * np.log1p(np.abs(wanted)), atol=1e-5)
    assert result.data.dimensions == data.dimensions and result.data.dtype == np.float32
    back = result.inverse_transform()
    np.testing.assert_allclose(back, data, atol=1e-5)
    assert (type(back), back.dimensions, back.dtype) == (type(data), data.dimensions, data.dtype)


def test_parts_of_a_pipeline():
    made = pipeline(zounds.Multiply(3.0), zounds.UnitNorm(), zounds.Log())
    assert len(made) == 3 and list(made) == [made[0], made[1], made[2]] and made[-1] is made[2]
    assert isinstance(made[:2], Pipeline) and list(made[:2]) == [made[0], made[1]]
    assert list(made[[0, 2]]) == [made[0], made[2]] and list(made[np.array([1])]) == [made[1]]
    assert made[:1] + made[1:] == made and (made + made).version != made.version
    assert made[0].factor == 3.0
    with pytest.raises(TypeError, match="unsupported operand"):
        made + [1]
    with pytest.raises(IndexError):
        made[3]
    with pytest.raises(KeyError, match="no step is named 'log'"):
        made["log"]
    with pytest.raises(AttributeError, match="has 'codebook'"):
        _ = made[0].codebook


def test_a_wrapper_gets_the_result():
    made = pipeline(zounds.Multiply(3.0))
    assert made.transform(np.ones((1, 4)), wrapper=lambda data: data.tolist()).data == [[3.0] * 4]


def test_versions_tell_what_is_done():
    first, same = pipeline(zounds.Multiply(3.0)), pipeline(zounds.Multiply(3.0), data=rows(3, 9))
    assert first.version == same.version != pipeline(zounds.Multiply(4.0)).version
    assert (
        pipeline(zounds.MeanStdNormalization()).version
        != pipeline(zounds.MeanStdNormalization(), data=rows(3, 9)).version
    )


def test_what_cannot_be_inverted_says_so_before_anything_is_done():
    made = pipeline(zounds.Multiply(3.0), zounds.AbsoluteValue(), zounds.Log())
    result = made.transform(rows(3))
    assert not made.is_invertible and made[:1].is_invertible
    with pytest.raises(NotInvertible, match=r"step 1 \(Magnitude\) has no inverse; .* pipeline\[:1\]"):
        result.inverse_transform()
    with pytest.raises(NotImplementedError, match="Magnitude has no inverse"):
        made[1].op.inverse(rows(3))


def test_a_pipeline_without_steps_is_not_trained():
    with pytest.raises(NotTrained, match="has no steps"):
        Pipeline([]).transform(rows(3))


def test_an_inverse_may_be_an_op_of_its_own():
    step = PreprocessResult(None, Halved(), inversion_data=Twice(), inverse=Doubled(), name="half")
    result = Pipeline([step]).transform(frames(rows(3)))
    np.testing.assert_array_equal(result.inverse_transform(), rows(3))
    assert result.inverse_transform().dimensions == frames(rows(3)).dimensions


def test_what_is_no_op_is_refused():
    for arguments in ({"op": np.abs}, {"op": Halved(), "inverse": np.abs}, {"op": Halved(), "inversion_data": np.abs}):
        with pytest.raises(DeclarationError, match="needed: an Op"):
            PreprocessResult(None, **arguments)
    with pytest.raises(DeclarationError, match="a pipeline is made of PreprocessResults"):
        Pipeline([Halved()])
    with pytest.raises(NotImplementedError, match="override __call__"):
        Op()(1)
    with pytest.raises(NotImplementedError, match="override _train"):
        list(Preprocessor().run([rows(1)]))
    assert ForwardResult(1, norms=2).inversion_data == {"norms": 2}


# as features of a document


def two_steps():
    @zounds.simple_in_memory_settings
    class Steps(ff.BaseModel):
        docs = ff.PickleFeature(ff.IteratorNode)
        meanstd = ff.PickleFeature(zounds.MeanStdNormalization, needs=docs)
        log = ff.PickleFeature(zounds.Log, needs=meanstd)
        pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(meanstd, log), store=True)

    return Steps


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_one_pipeline_of_all_documents_comes_out_whatever_their_order(order):
    features = [rows(n, n, scale=1 + n) for n in (4, 30, 11)]
    Sound, Steps = sounds(*features), two_steps()
    documents = list(Sound)
    found = Steps(Steps.process(docs=(documents[i].x for i in order))).pipeline
    whole = np.concatenate([np.asarray(sound.x) for sound in Sound]).astype(np.float64)
    assert found.names == ["meanstd", "log"]
    np.testing.assert_allclose(found["meanstd"].mean, whole.mean(0), rtol=1e-9)
    np.testing.assert_allclose(found[0].std, whole.std(0), rtol=1e-9)
    assert found["meanstd"].data is None


def test_a_stored_step_has_no_training_data():
    @zounds.simple_in_memory_settings
    class Steps(ff.BaseModel):
        docs = ff.PickleFeature(ff.IteratorNode)
        meanstd = ff.PickleFeature(zounds.MeanStdNormalization, needs=docs, store=True)

    found = Steps(Steps.process(docs=[rows(3)])).meanstd
    assert isinstance(found, PreprocessResult) and found.data is None
    with pytest.raises(EmptyCorpus, match="read from a store"):
        list(zounds.Log().run([found]))


def test_a_pipeline_of_one_step():
    @zounds.simple_in_memory_settings
    class Steps(ff.BaseModel):
        docs = ff.PickleFeature(ff.IteratorNode)
        scaled = ff.PickleFeature(zounds.InstanceScaling, needs=docs)
        pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=scaled, store=True)

    assert Steps(Steps.process(docs=[rows(3)])).pipeline.names == ["scaled"]


def test_a_pipeline_needs_preprocessors():
    @zounds.simple_in_memory_settings
    class Steps(ff.BaseModel):
        docs = ff.PickleFeature(ff.IteratorNode)
        pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=docs, store=True)

    with pytest.raises(GraphError, match="'docs' gave ndarray, not a PreprocessResult"):
        Steps.process(docs=[rows(3)])


def test_preprocessors_of_several_inputs_get_dicts():
    class Regressed(Preprocessor):
        def _train(self, corpus):
            return PreprocessResult(corpus, zounds.Multiply(float(sum(chunk["y"].sum() for chunk in corpus)))._op())

    @zounds.simple_in_memory_settings
    class Steps(ff.BaseModel):
        x = ff.PickleFeature(ff.IteratorNode)
        y = ff.PickleFeature(ff.IteratorNode)
        scaled = ff.PickleFeature(zounds.MeanStdNormalization, needs=x)
        fitted = ff.PickleFeature(Regressed, needs={"x": scaled, "y": y})
        pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(scaled, fitted), store=True)

    found = Steps(Steps.process(x=[rows(2), rows(3)], y=[np.ones(2), np.ones(3)])).pipeline
    assert found["fitted"].factor == 5.0
    with pytest.raises(ValueError, match="'y' does not go with 'x'"):
        Steps.process(x=[rows(2)], y=[np.ones(3)])
    with pytest.raises(EmptyCorpus, match="no features came from y"):
        Steps.process(x=[rows(2)], y=[])


def test_bad_features_are_named_by_their_document():
    bad = rows(3)
    bad[1, 1] = np.nan
    Sound, Steps = sounds(rows(4), bad), two_steps()
    with pytest.raises(NonFiniteFeatures, match=r"feature 'x' of document '\w+' \(chunk \d, counted from 0\)"):
        Steps.process(docs=(sound.x for sound in Sound))
    assert list(Steps) == []
    with pytest.raises(EmptyCorpus, match="MeanStdNormalization has nothing to learn from: no features came from docs"):
        Steps.process(docs=iter(()))


def test_pipelines_read_in_another_process_without_unpickling(tmp_path):
    code = f"""
import sys
import numpy as np
import zounds_lite as zounds
from zounds_lite import featureflow as ff

@zounds.simple_lmdb_settings({str(tmp_path)!r}, user_supplied_id=True)
class Steps(ff.BaseModel):
    docs = ff.PickleFeature(ff.IteratorNode)
    meanstd = ff.PickleFeature(zounds.MeanStdNormalization, needs=docs)
    log = ff.PickleFeature(zounds.Log, needs=meanstd)
    pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(meanstd, log), store=True)

data = np.arange(12.0).reshape(3, 4)
if sys.argv[1] == "train":
    Steps.process(_id="a", docs=[data])
else:
    sys.modules["pickle"] = None  # nobody can import it from here on
result = Steps("a").pipeline.transform(data)
assert "torch" not in sys.modules and "sklearn" not in sys.modules
print(Steps("a").pipeline.version, result.data.tobytes().hex(), np.allclose(result.inverse_transform(), data))
"""
    first, second = (
        subprocess.run(
            [sys.executable, "-W", "error", "-c", code, what], capture_output=True, text=True, check=True, timeout=120
        ).stdout
        for what in ("train", "use")
    )
    assert first == second and first.endswith("True\n")


def test_a_type_that_is_not_loaded_is_named_with_its_module():
    class Local(Op):
        def __call__(self, data):
            return data

    encoder, decoder = ff.TypedEncoder(), ff.TypedDecoder()
    parts = list(encoder.run([PreprocessResult(None, Local())]))
    assert parts == []
    header = encoder.header
    header["tree"]["arguments"]["op"]["name"] = "LocalTypo"
    value = ff.StoredValue(header, np.zeros(0, np.uint8), "a value")
    with pytest.raises(UnknownTypeError, match=r"names the type 'LocalTypo'.* import the module .* 'tests.learn"):
        decoder.decode(value)
    header["tree"]["arguments"]["op"].update(name="Multiplied", arguments={"nonsense": {"type": "value", "value": 3}})
    with pytest.raises(CorruptValue, match="does not follow the format"):
        decoder.decode(value)


def test_declared_values_with_arrays_are_typed_data():
    step = train(zounds.MeanStdNormalization(), rows(30, shape=(300, 300)))
    encoder = ff.TypedEncoder()
    data = np.frombuffer(b"".join(map(bytes, encoder.run([{"steps": [step, 3]}]))), np.uint8)
    again = ff.TypedDecoder().decode(ff.StoredValue(encoder.header, data))
    assert again["steps"][1] == 3 and again["steps"][0].op == step.op and again["steps"][0].version == step.version
    assert again["steps"][0].mean.shape == (300, 300)
