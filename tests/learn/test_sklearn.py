"""Models of scikit-learn as steps: stored without pickle, read in a new process, inverted with units."""

import json
import pickle
import subprocess
import sys
import zipfile
from io import BytesIO

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("skops")

import sklearn
import skops.io
from sklearn.cluster import KMeans as SklearnKMeans, MiniBatchKMeans
from sklearn.decomposition import NMF, PCA, DictionaryLearning, IncrementalPCA
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.manifold import TSNE
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite._lazy import optional
from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import (
    CorruptValue,
    DeclarationError,
    DimensionError,
    EmptyCorpus,
    ModelVersionError,
    NotInvertible,
    OptionalDependencyError,
    RaggedCorpus,
    UntrustedValue,
)
from zounds_lite.learn import (
    KMeans,
    Pipeline,
    PreprocessingPipeline,
    SklearnModel,
    WithComponents,
    dump_estimator,
    load_estimator,
    sklearn_models,
)
from zounds_lite.learn.sklearn_models import FittedEstimator


def rows_of(rows=120, features=6, seed=0):
    return np.abs(np.random.default_rng(seed).normal(size=(rows, features)))


def labels_of(rows):
    return (rows[:, 0] > rows[:, 1]).astype(int) + (rows[:, 2] > 1)


def train(model, chunks, node=SklearnModel, **arguments):
    [step] = node(model, **arguments).run(chunks)
    return step


def train_labelled(model, rows, **arguments):
    return train(model, [{"data": part, "labels": labels_of(part)} for part in np.split(rows, [50])], **arguments)


TRANSFORMERS = {
    "PCA": PCA(3, random_state=0),
    "whitened PCA": PCA(6, whiten=True, random_state=0),
    "KMeans": SklearnKMeans(3, n_init=1, random_state=0),
    "scaler": StandardScaler(),
    "NMF": NMF(2, init="nndsvda", max_iter=2000, random_state=0),
    "pipeline": make_pipeline(StandardScaler(), PCA(3, random_state=0)),
}
CLASSIFIERS = {
    "LogisticRegression": LogisticRegression(),
    "SVC": SVC(),
    "RandomForest": RandomForestClassifier(10, random_state=0),
    "GradientBoosting": GradientBoostingClassifier(n_estimators=5, random_state=0),
    "pipeline": make_pipeline(StandardScaler(), SVC()),
}


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformers_do_what_they_do_alone(name):
    rows, other = rows_of(), rows_of(seed=1)
    model = TRANSFORMERS[name]
    reference = sklearn.clone(model).fit(rows)
    step = train(model, np.split(rows, [1, 60]))
    assert np.array_equal(step.op(other), reference.transform(other))
    assert np.array_equal(
        step.data.concatenated(), np.concatenate([reference.transform(p) for p in np.split(rows, [1, 60])])
    )
    assert step.is_invertible == hasattr(reference, "inverse_transform")
    if step.is_invertible:
        expected = reference.inverse_transform(reference.transform(other))
        assert np.array_equal(Pipeline([step]).transform(other).inverse_transform(), expected)
    assert not hasattr(model, "n_features_in_")  # a copy has learned
    assert step.op(other[:0]).shape == (0, reference.transform(other).shape[1])


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_predict(name):
    rows, other = rows_of(), rows_of(seed=1)
    reference = sklearn.clone(CLASSIFIERS[name]).fit(rows, labels_of(rows))
    step = train_labelled(CLASSIFIERS[name], rows)
    assert np.array_equal(step.op(other), reference.predict(other))
    with pytest.raises(NotInvertible, match="has no way back"):
        step.op.inverse(step.op(other))
    method = "predict_proba" if hasattr(reference, "predict_proba") else "decision_function"
    chosen = train_labelled(CLASSIFIERS[name], rows, method=method)
    assert np.array_equal(chosen.op(other), getattr(reference, method)(other))
    assert load_estimator(dump_estimator(reference)).score(other, labels_of(other)) == reference.score(
        other, labels_of(other)
    )


def test_a_new_process_predicts_the_same_without_unpickling(tmp_path):
    rows, other = rows_of(), rows_of(seed=1)
    steps = [train(model, [rows]) for model in TRANSFORMERS.values()]
    steps += [train_labelled(model, rows) for model in CLASSIFIERS.values()]
    np.savez(tmp_path / "in.npz", other=other, **{f"state{i}": step.op.state for i, step in enumerate(steps)})
    (tmp_path / "methods.json").write_text(json.dumps([step.op.method for step in steps]))
    code = """
import json, pickle, sys
import numpy as np
from zounds_lite.learn.sklearn_models import FittedEstimator

def refuse(*args, **kwargs):
    raise AssertionError("something was unpickled")

pickle.loads = pickle.load = pickle.Unpickler = refuse
data = np.load(sys.argv[1] + "/in.npz")
methods = json.load(open(sys.argv[1] + "/methods.json"))
out = {f"out{i}": FittedEstimator(data[f"state{i}"], m, (6,))(data["other"]) for i, m in enumerate(methods)}
np.savez(sys.argv[1] + "/out.npz", **out)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code, str(tmp_path)], check=True)
    with np.load(tmp_path / "out.npz") as made:
        for i, step in enumerate(steps):
            assert np.array_equal(made[f"out{i}"], step.op(other))


def test_pipelines_are_stored_with_models():
    @zounds.simple_in_memory_settings
    class Learned(ff.BaseModel):
        docs = ff.PickleFeature(ff.IteratorNode)
        pca = ff.PickleFeature(SklearnModel, model=PCA(3), needs=docs, store=False)
        kmeans = ff.PickleFeature(KMeans, centroids=2, needs=pca, store=False)
        pipeline = ff.PickleFeature(PreprocessingPipeline, needs=(pca, kmeans), store=True)

    rows = rows_of()
    pipeline = Learned(Learned.process(docs=np.split(rows, [50]))).pipeline
    again = Learned(Learned.process(docs=np.split(rows, [50]))).pipeline
    assert pipeline.version == again.version  # equal models are equal bytes
    assert pipeline.names == ["pca", "kmeans"]
    result = pipeline.transform(rows)
    assert result.data.shape == (120, 2)
    assert result.inverse_transform().shape == rows.shape
    assert pipeline["pca"].model.components_.shape == (3, 6)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_equal_models_are_equal_bytes(name):
    rows = rows_of()
    model = sklearn.clone(CLASSIFIERS[name]).fit(rows, labels_of(rows))
    data = dump_estimator(model)
    assert dump_estimator(sklearn.clone(model).fit(rows, labels_of(rows))) == data
    assert dump_estimator(load_estimator(data)) == data


def test_training_is_repeated_by_the_seed():
    rows = rows_of()
    forest = RandomForestClassifier(3)
    assert train_labelled(forest, rows).version == train_labelled(forest, rows).version
    assert train_labelled(forest, rows).version != train_labelled(forest, rows, seed=1).version
    assert train_labelled(forest, rows, seed=None).op.model.random_state is None
    nested = train_labelled(make_pipeline(StandardScaler(), RandomForestClassifier(3)), rows)
    assert nested.op.model[-1].random_state == 0


def test_shapes_and_units_come_back():
    time = zounds.TimeDimension(zounds.Seconds(1))
    rows = ArrayWithUnits(rows_of(11, 15).reshape(11, 5, 3), [time, IdentityDimension(), IdentityDimension()])
    step = train(PCA(11, random_state=0), [rows])
    result = Pipeline([step]).transform(rows)
    assert result.data.shape == (11, 11)
    assert result.data.dimensions == (time, IdentityDimension())
    assert next(iter(step.data)).dimensions[0] == time
    inverted = result.inverse_transform()
    assert inverted.dimensions == rows.dimensions
    assert np.allclose(inverted, rows, atol=1e-12)
    assert train(StandardScaler(), [rows]).op(rows).shape == (11, 15)
    with pytest.raises(DimensionError, match=r"each of shape \[5, 3\]"):
        step.op(np.ones((2, 15)))


def test_components_are_the_way_back():
    rows = rows_of()
    model = DictionaryLearning(6, random_state=0, max_iter=5, transform_algorithm="lasso_lars")
    step = train(model, [rows.reshape(-1, 2, 3)], node=WithComponents)
    codes = step.op(rows.reshape(-1, 2, 3))
    assert np.allclose(step.op.inverse(codes).reshape(-1, 6), codes @ step.op.model.components_)
    with pytest.raises(DimensionError, match="each of the 6 components"):
        step.op.inverse(codes[:, 1:])
    with pytest.raises(DeclarationError, match="StandardScaler has no components_"):
        train(StandardScaler(), [rows], node=WithComponents)


def test_sparse_results_are_arrays():
    rows = np.arange(12.0).reshape(6, 2) % 3
    assert train(OneHotEncoder(), [rows]).op(rows).shape == (6, 6)


@pytest.mark.parametrize(
    "model", [StandardScaler(), IncrementalPCA(3), MiniBatchKMeans(3, n_init=1, random_state=0)], ids=str
)
def test_what_does_not_fit_into_memory_is_streamed(model, monkeypatch):
    rows = rows_of(500)
    monkeypatch.setattr(sklearn_models, "_MEMORY", 1000)
    monkeypatch.setattr(sklearn_models, "_BATCH", 100)
    step = train(model, np.split(rows, [1, 3, 250]))
    assert step.op(rows).shape[0] == 500
    if isinstance(model, StandardScaler):
        assert np.allclose(step.op(rows), (rows - rows.mean(axis=0)) / rows.std(axis=0), atol=1e-12)
    sizes = [len(batch) for batch in sklearn_models._batches(zounds.Corpus(np.split(rows, [1, 3, 250])))]
    assert (sum(sizes), min(sizes) >= 100, max(sizes) < 200) == (500, True, True)


def test_classes_are_known_before_they_are_streamed(monkeypatch):
    rows = np.sort(rows_of(500), axis=0)
    monkeypatch.setattr(sklearn_models, "_MEMORY", 1000)
    monkeypatch.setattr(sklearn_models, "_BATCH", 100)
    labels = np.repeat([0, 1, 2, 3, 4], 100)
    step = train(
        SGDClassifier(), [{"data": rows[:300], "labels": labels[:300]}, {"data": rows[300:], "labels": labels[300:]}]
    )
    assert step.op.model.classes_.tolist() == [0, 1, 2, 3, 4]


# bad input


def test_what_is_no_estimator_is_refused():
    for model in (None, 3, PCA, "PCA"):
        with pytest.raises(DeclarationError, match="needed: an estimator"):
            SklearnModel(model)
    with pytest.raises(DeclarationError, match="method='fit'; allowed: transform"):
        SklearnModel(PCA(), method="fit")
    with pytest.raises(DeclarationError, match="method='__class__'"):
        FittedEstimator(np.zeros(0, np.uint8), "__class__", (3,))
    with pytest.raises(DeclarationError, match="array of bytes"):
        FittedEstimator(np.zeros(3), "transform", (3,))
    with pytest.raises(DeclarationError, match="PCA has no method 'predict'"):
        train(PCA(2), [rows_of()], method="predict")
    with pytest.raises(DeclarationError, match="TSNE has no method 'predict' for rows that it was not trained on"):
        train(TSNE(2, perplexity=3, max_iter=250, init="random"), [rows_of(12)])


def test_what_cannot_be_learned_from_is_refused():
    with pytest.raises(EmptyCorpus):
        train(PCA(2), [])
    with pytest.raises(RaggedCorpus, match="AbsoluteValue"):
        train(PCA(2), [rows_of() * 1j])
    with pytest.raises(DeclarationError, match=r"\['features', 'labels'\]; needed: needs=dict"):
        train(PCA(2), [{"features": rows_of(), "labels": labels_of(rows_of())}])


class Evil:
    def __reduce__(self):
        return (exec, ("raise AssertionError('a pickle was run')",))


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_is_refused(tmp_path, protocol):
    data = pickle.dumps(Evil(), protocol=protocol)
    with pytest.raises(UntrustedValue, match="is a pickle"):
        load_estimator(data)
    path = tmp_path / "model.skops"
    path.write_bytes(data)
    with pytest.raises(UntrustedValue, match=r"model.skops is a pickle, which runs"):
        load_estimator(path)
    with pytest.raises(UntrustedValue, match="is a pickle"):
        FittedEstimator(np.frombuffer(data, np.uint8), "transform", (3,))(np.ones((1, 3)))


def test_other_types_are_refused_by_name(tmp_path):
    with pytest.raises(UntrustedValue, match=r"FunctionTransformer holds .*join"):
        dump_estimator(FunctionTransformer(np.testing.assert_allclose.__globals__["os"].path.join).fit(rows_of()))
    harmful = skops.io.dumps(FunctionTransformer(eval).fit(rows_of()))
    with pytest.raises(UntrustedValue, match=r"holds builtins.eval; allowed: estimators of scikit-learn"):
        load_estimator(harmful)

    class Own(StandardScaler):
        pass

    with pytest.raises(UntrustedValue, match="Own"):
        train(Own(), [rows_of()])
    with pytest.raises(UntrustedValue, match="dict, which is no estimator"):
        load_estimator(skops.io.dumps({"a": 1}))
    with pytest.raises(DeclarationError, match="dict is no estimator"):
        dump_estimator({"a": 1})


def rewritten(data, change):
    """A model whose schema was changed."""
    buffer = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as archive, zipfile.ZipFile(buffer, "w") as made:
        for name in archive.namelist():
            content = archive.read(name)
            made.writestr(name, change(content.decode()).encode() if name == "schema.json" else content)
    return buffer.getvalue()


def test_another_version_is_refused_with_both_versions():
    data = dump_estimator(StandardScaler().fit(rows_of()))
    installed = sklearn.__version__
    older = rewritten(data, lambda schema: schema.replace(installed, "1.2.3"))
    with pytest.raises(ModelVersionError, match=f"stored by scikit-learn 1.2.3, and {installed} is installed; train"):
        load_estimator(older)
    newer = rewritten(data, lambda schema: schema.replace('"protocol":', '"protocol":9'))
    with pytest.raises(ModelVersionError, match=r"stored by skops .*pip install --upgrade skops"):
        load_estimator(newer)


def test_damage_is_typed():
    data = dump_estimator(StandardScaler().fit(rows_of()))
    for bad in (data[:100], data[:-30], b"", b"no model", rewritten(data, lambda schema: schema[:200])):
        with pytest.raises(CorruptValue):
            load_estimator(bad)
    for bad in ("[]", "{}", '{"protocol": 2}', "[" * 100_000):
        with pytest.raises(CorruptValue, match="no model that can be read"):
            load_estimator(rewritten(data, lambda schema, bad=bad: bad))
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("schema.json", b" " * 10**7)
    with pytest.raises(CorruptValue, match="claim to unpack"):
        load_estimator(buffer.getvalue())


@pytest.mark.parametrize("field, value", [("left_child", 0), ("right_child", 10**6), ("feature", 77)])
def test_trees_that_lead_nowhere_are_refused(field, value):
    rows = rows_of()
    forest = RandomForestClassifier(2, random_state=0).fit(rows, labels_of(rows))
    assert np.array_equal(load_estimator(dump_estimator(forest)).predict(rows), forest.predict(rows))
    state = forest.estimators_[1].tree_.__getstate__()
    state["nodes"] = state["nodes"].copy()
    state["nodes"][field][0] = value
    forest.estimators_[1].tree_.__setstate__(state)
    with pytest.raises(CorruptValue, match="nodes lead nowhere"):
        load_estimator(dump_estimator(forest))


def test_trees_of_other_features_than_their_forest_are_refused():
    rows = rows_of()
    forest = RandomForestClassifier(2, random_state=0).fit(rows, labels_of(rows))
    forest.estimators_[1] = RandomForestClassifier(2).fit(rows_of(features=9), labels_of(rows)).estimators_[0]
    with pytest.raises(CorruptValue, match="other features than its forest"):
        load_estimator(dump_estimator(forest))


def test_a_missing_library_is_said_with_the_install_line(monkeypatch):
    data = dump_estimator(StandardScaler().fit(rows_of()))
    monkeypatch.setitem(sys.modules, "skops", None)
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(OptionalDependencyError, match=r"pip install 'zounds_lite\[learn\]'"):
        optional("skops.io")
    with pytest.raises(OptionalDependencyError, match="skops is not installed"):
        load_estimator(data)


def test_inertia_of_our_kmeans_is_that_of_scikit_learn():
    from scipy.cluster.vq import vq

    from zounds_lite.learn.lloyd import distinct_rows, lloyd

    rows = np.random.default_rng(0).normal(size=(900, 5)) + np.random.default_rng(1).integers(0, 3, (900, 1))

    def inertia(codebook):
        return float((vq(rows, codebook)[1] ** 2).sum())

    reference = SklearnKMeans(7, init=rows[:7], n_init=1, tol=0, max_iter=300).fit(rows)
    different, counts = distinct_rows(rows)
    codebook, _ = lloyd(different, counts, rows[:7], 300)
    assert inertia(codebook) == pytest.approx(reference.inertia_, rel=1e-12)
    best = min(SklearnKMeans(7, n_init=1, random_state=seed).fit(rows).inertia_ for seed in range(3))
    [step] = KMeans(centroids=7).run([rows])
    assert inertia(step.codebook) < 1.03 * best
