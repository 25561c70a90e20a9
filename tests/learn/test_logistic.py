"""Logistic regression: scikit-learn's coefficients, the slope at the result, storage, and bad input."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import check_grad

import zounds_lite as zounds
from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError, LabelError, NonFiniteFeatures, RaggedCorpus
from zounds_lite.learn import LogisticRegression, logistic
from zounds_lite.learn.logistic import LinearClassifier, fit_logistic, logistic_loss


def examples(classes=2, rows=60, features=5, seed=0, apart=1.0):
    random = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    return random.normal(size=(classes, features))[labels] * apart + random.normal(size=(rows, features)), labels


def train(rows, labels, cuts=(), **arguments):
    chunks = [
        {"data": data, "labels": part} for data, part in zip(np.split(rows, cuts), np.split(labels, cuts), strict=True)
    ]
    [step] = LogisticRegression(**arguments).run(chunks)
    return step


def oracle(rows, labels, C=1.0):
    linear_model = pytest.importorskip("sklearn.linear_model")
    return linear_model.LogisticRegression(C=C, tol=1e-10, max_iter=100_000).fit(rows.reshape(len(rows), -1), labels)


@pytest.mark.parametrize("classes", [2, 3, 8])
@pytest.mark.parametrize(("rows", "features"), [(60, 5), (24, 300)])
@pytest.mark.parametrize("C", [0.01, 1.0, 30.0])
def test_coefficients_are_scikit_learns(classes, rows, features, C):
    data, labels = examples(classes, rows, features)
    step, wanted = train(data, labels, C=C), oracle(data, labels, C)
    assert np.allclose(step.weights, wanted.coef_, atol=1e-3)
    assert np.allclose(step.intercepts, wanted.intercept_, atol=1e-3)
    other = examples(classes, 50, features, seed=1)[0]
    assert np.array_equal(step.op(other), wanted.predict(other))
    assert np.allclose(step.predict_proba(other), wanted.predict_proba(other), atol=1e-3)
    assert np.allclose(step.decision_function(other), wanted.decision_function(other), atol=1e-2)


def test_the_defaults_of_scikit_learn_stop_a_little_earlier():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rows, labels = examples(4, 200, 6)
    step, wanted = train(rows, labels), linear_model.LogisticRegression().fit(rows, labels)
    assert np.allclose(step.weights, wanted.coef_, atol=5e-3)
    assert np.array_equal(step.op(rows), wanted.predict(rows))


@given(st.integers(2, 5), st.integers(1, 8), st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_nothing_better_is_near(classes, features, seed):
    rows, labels = examples(classes, 30, features, seed)
    weights, intercepts = fit_logistic(lambda: [(rows, labels)], classes, features)

    def cost(w, b):
        return 0.5 * (w**2).sum() + logistic_loss(rows @ w.T + b, labels)[0]

    best, random = cost(weights, intercepts), np.random.default_rng(seed)
    for size in (1e-3, 1e-1):
        for _ in range(5):
            moved = (random.normal(size=x.shape) * size for x in (weights, intercepts))
            assert cost(*(x + dx for x, dx in zip((weights, intercepts), moved, strict=True))) >= best


@pytest.mark.parametrize("columns", [1, 3])
def test_the_slope_of_the_loss(columns):
    codes, shape = np.array([0, 1, 1, 0]), (4, columns)
    found = check_grad(
        lambda s: logistic_loss(s.reshape(shape), codes)[0],
        lambda s: logistic_loss(s.reshape(shape), codes)[1].ravel(),
        np.random.default_rng(0).normal(size=4 * columns) * 3,
    )
    assert found < 1e-5
    assert np.isfinite(logistic_loss(np.full(shape, 1e4), codes)[0])


def test_few_examples_of_many_numbers_have_the_weights_that_all_numbers_give():
    rows, labels = examples(3, 20, 200)
    direct, _ = fit_logistic(lambda: [(rows, labels)], 3, 200)
    assert np.allclose(train(rows, labels).weights, direct, atol=1e-5)


def test_chunks_and_a_corpus_that_does_not_fit_make_no_difference(monkeypatch):
    rows, labels = examples(3, 40, 12)
    whole = train(rows, labels)
    assert np.array_equal(train(rows, labels, cuts=[7, 8, 30]).weights, whole.weights)
    monkeypatch.setattr(logistic, "_MEMORY", 100)
    monkeypatch.setattr(logistic.np.linalg, "qr", None)
    assert np.allclose(train(rows, labels, cuts=[7, 8, 30]).weights, whole.weights, atol=1e-5)


@pytest.mark.parametrize("kind", [np.str_, np.int16, np.float64, np.bool_])
def test_classes_come_back_as_they_were(kind):
    rows, codes = examples(2, 30, 4, apart=9.0)
    names = np.array(["silence", "note"]) if kind is np.str_ else np.array([0, 1]).astype(kind)
    found = train(rows, names[codes]).op(rows)
    assert found.dtype.kind == np.dtype(kind).kind and np.array_equal(found, names[codes])


def test_methods_and_shapes():
    rows, labels = examples(3, 30, 12)
    pictures = ArrayWithUnits(rows.reshape(30, 3, 4), [IdentityDimension()] * 3)
    step = train(pictures, labels, method="predict_proba")
    assert step.weights.shape == (3, 12) and step.row_shape == (3, 4)
    chances = step.op(pictures)
    assert chances.shape == (30, 3) and np.allclose(chances.sum(axis=1), 1)
    assert np.array_equal(chances.argmax(axis=1), step.predict(pictures))
    assert step.op(np.zeros((0, 3, 4))).shape == (0, 3) and step.predict(np.zeros((0, 3, 4))).shape == (0,)
    assert step.data.concatenated().shape == (30, 3)
    with pytest.raises(DimensionError, match=r"shape \[3, 4\], as in training"):
        step.op(rows)


MODELS = """
import zounds_lite as zounds
from zounds_lite import featureflow as ff

@zounds.simple_lmdb_settings("models.zl", map_size=1e7, user_supplied_id=True)
class Model(ff.BaseModel):
    data = ff.PickleFeature(ff.IteratorNode)
    labels = ff.PickleFeature(ff.IteratorNode)
    scaled = ff.PickleFeature(zounds.MeanStdNormalization, needs=data)
    classes = ff.PickleFeature(zounds.LogisticRegression, needs={"data": scaled, "labels": labels})
    pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(scaled, classes), store=True)
"""
READER = """
import sys
import numpy as np
from models_of_words import Model

print(Model("words").pipeline.transform(np.load("rows.npy")).data.tolist())
assert not {"sklearn", "torch", "scipy.optimize"} & set(sys.modules)
"""


def test_a_stored_model_predicts_the_same_in_another_process(tmp_path, monkeypatch):
    rows, codes = examples(3, 30, 6)
    words = np.array(["no", "perhaps", "yes"])[codes]
    (tmp_path / "models_of_words.py").write_text(MODELS)
    np.save(tmp_path / "rows.npy", rows)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path(zounds.__file__).parents[1])]))
    model = importlib.import_module("models_of_words").Model
    model.process(data=[rows], labels=[words], _id="words")
    here = model("words").pipeline.transform(rows).data
    assert (here == words).mean() > 0.7
    printed = subprocess.run([sys.executable, "-c", READER], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == str(here.tolist())
    op = model("words").pipeline["classes"].op
    assert isinstance(op, LinearClassifier) and op.classes == ["no", "perhaps", "yes"]


def test_a_step_too_few_is_said():
    rows, labels = examples(2, 60, 5)
    with pytest.warns(UserWarning, match="has not come to rest after 2 steps"):
        train(rows, labels, iterations=2)


def test_bad_arguments():
    for bad in (0, -1.0, np.nan, np.inf):
        with pytest.raises(DeclarationError, match="C="):
            LogisticRegression(C=bad)
    with pytest.raises(DeclarationError, match="method='transform'; allowed: predict"):
        LogisticRegression(method="transform")
    with pytest.raises(DeclarationError, match="iterations"):
        LogisticRegression(iterations=0)


def test_bad_examples():
    rows, labels = examples(2, 10, 3)
    with pytest.raises(DeclarationError, match="one input; needed: needs=dict"):
        list(LogisticRegression().run([rows]))
    with pytest.raises(LabelError, match="all 10 examples are of the class 1"):
        train(rows, np.ones(10, int))
    with pytest.raises(RaggedCorpus, match="complex128"):
        train(rows * 1j, labels)
    with pytest.raises(RaggedCorpus, match="one for each example"):
        train(rows, np.stack([labels, labels], axis=1))
    with pytest.raises(NonFiniteFeatures):
        train(np.where(rows > 1, np.nan, rows), labels)


def test_a_classifier_whose_sizes_do_not_fit_is_refused():
    with pytest.raises(DeclarationError, match="needed: two classes or more, weights"):
        LinearClassifier(np.ones((1, 3)), [0.0], ["a"], [3])
    for weights, intercepts in ((np.ones((2, 3)), [0.0]), (np.ones((1, 4)), [0.0]), (np.ones((1, 3)), [0.0, 1.0])):
        with pytest.raises(DeclarationError, match=r"weights of shape \[1, 3\], and 1 intercepts"):
            LinearClassifier(weights, intercepts, ["a", "b"], [3])
    with pytest.raises(DeclarationError, match="method='fit'"):
        LinearClassifier(np.ones((1, 3)), [0.0], ["a", "b"], [3], "fit")
