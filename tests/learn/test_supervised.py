"""Labelled examples from documents, splits that keep together what belongs together, reports and confusion matrices."""

import json

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.errors import (
    DeclarationError,
    EmptyCorpus,
    KeyNotFound,
    LabelError,
    NonFiniteFeatures,
    RaggedCorpus,
)
from zounds_lite.learn.labels import field_values, selected

RNG = np.random.default_rng(0)


def model_of(*documents):
    """Return a class with these documents, each of metadata and rows."""

    @zounds.simple_in_memory_settings
    class Sound(ff.BaseModel):
        meta = ff.JSONFeature(ff.IteratorNode, store=True)
        bands = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)

    for meta, rows in documents:
        Sound.process(meta=[meta], bands=[np.asarray(rows, np.float32)])
    return Sound


SPOKEN = [
    ({"label": label, "speaker": speaker, "n": n}, RNG.normal(size=(3 + n, 4)))
    for label in ("no", "yes")
    for speaker in ("ann", "ben")
    for n in range(2)
]


def test_a_document_is_an_example_by_its_summary():
    model = model_of(*SPOKEN)
    data = zounds.labelled(model, "bands", group="speaker", summary="mean_std")
    assert data.data.shape == (8, 8) and type(data.data) is np.ndarray and data.data.dtype == np.float32
    assert data.classes == ("no", "yes") and sorted(data.groups.tolist()) == ["ann"] * 4 + ["ben"] * 4
    for i, _id in enumerate(data.documents):
        rows = np.asarray(model(_id).bands)
        np.testing.assert_array_equal(data.data[i], np.concatenate([rows.mean(axis=0), rows.std(axis=0)]))
        assert data.labels[i] == model(_id).meta["label"]
    peaks = zounds.labelled(model, model.bands, summary=lambda rows: rows.max(axis=0))
    np.testing.assert_array_equal(peaks.data[0], np.asarray(model(peaks.documents[0]).bands).max(axis=0))


def test_each_frame_is_an_example_of_its_document():
    model = model_of(*SPOKEN)
    data = zounds.labelled(model.where(speaker="ann"), "bands", summary=None)
    assert data.data.shape == (2 * 3 + 2 * 4, 4) and len(set(data.documents.tolist())) == 4
    part = data[data.labels == "yes"]
    assert len(part) == 7 and part.classes == ("yes",) and part.groups is None
    assert repr(data) == "<Labelled: 14 examples of shape (4,) from 4 documents, 2 classes>"


def test_labels_keep_their_type():
    ones = np.ones((1, 2))
    assert zounds.labelled(model_of(({"label": 7}, ones), ({"label": 8}, ones)), "bands").labels.dtype == np.int64
    assert zounds.labelled(model_of(({"label": 7}, ones), ({"label": 8.5}, ones)), "bands").labels.dtype == np.float64
    assert zounds.labelled(model_of(({"label": True}, ones)), "bands").labels.dtype == np.bool_


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            [7, "7"],
            r"(?=.*a whole number in 1 document \('\S+' has 7\)).*text .*\('\S+' has '7'\).*one type",
        ),
        ([7, True], "true or false in 1 document"),
        ([7, None], "missing in 1 document .*has None"),
        ([7, [1]], "list in 1 document"),
    ],
)
def test_labels_of_mixed_type_are_named(labels, message):
    model = model_of(*(({"label": label}, np.ones((1, 2))) for label in labels))
    with pytest.raises(LabelError, match=message):
        zounds.labelled(model, "bands")


def test_features_from_which_nothing_can_be_learned_name_the_document():
    good, bad = ({"label": 1}, np.ones((2, 2))), ({"label": 1}, [[np.nan, 1]])
    with pytest.raises(NonFiniteFeatures, match="bands of document '.*' has NaN"):
        zounds.labelled(model_of(good, bad), "bands")
    with pytest.raises(RaggedCorpus, match="has no frames"):
        zounds.labelled(model_of(good, ({"label": 1}, np.ones((0, 2)))), "bands")
    with pytest.raises(RaggedCorpus, match="examples of shape"):
        zounds.labelled(model_of(good, ({"label": 1}, np.ones((2, 3)))), "bands")
    with pytest.raises(EmptyCorpus, match="no frames"):
        zounds.labelled(model_of(({"label": 1}, np.ones((0, 2)))), "bands", summary=None)
    with pytest.raises(EmptyCorpus, match="has no documents"):
        zounds.labelled(model_of(), "bands")
    with pytest.raises(KeyNotFound, match="no document of Sound has a field 'mood': meta has label"):
        zounds.labelled(model_of(good), "bands", label="mood")
    with pytest.raises(DeclarationError, match="summary='median'"):
        zounds.labelled(model_of(good), "bands", summary="median")
    with pytest.raises(DeclarationError, match="a Document class"):
        zounds.labelled([1, 2], "bands")


def test_a_field_that_several_features_have_is_named_with_its_feature():
    @zounds.simple_in_memory_settings
    class Two(ff.BaseModel):
        meta = ff.JSONFeature(ff.IteratorNode, store=True)
        other = ff.JSONFeature(ff.IteratorNode, store=True)

    Two.process(meta=[{"label": 1}], other=[{"label": 2}])
    ids = selected(Two)[1]
    with pytest.raises(DeclarationError, match="say which: 'meta.label'"):
        field_values(Two, ids, "label")
    assert field_values(Two, ids, "meta.label") == [1] and field_values(Two, ids, "other.label") == [2]


LABELS = np.array(["a", "b"] * 30)
GROUPS = np.repeat(["ann", "ben", "cy", "dot", "eve"], 12)


def test_each_group_is_left_out_once():
    splits = list(zounds.leave_one_group_out(LABELS, GROUPS))
    assert [split.groups for split in splits] == [("ann",), ("ben",), ("cy",), ("dot",), ("eve",)]
    for split in splits:
        train, test = split
        assert set(GROUPS[test].tolist()) == set(split.groups)
        assert not set(GROUPS[train].tolist()) & set(split.groups)
        assert sorted([*train, *test]) == list(range(60))
    with pytest.raises(DeclarationError, match="at least two"):
        zounds.leave_one_group_out(["a", "b"], ["ann", "ann"])
    with pytest.raises(DeclarationError, match="no groups"):
        zounds.leave_one_group_out(LABELS)
    with pytest.raises(DeclarationError, match="one for each of 60"):
        zounds.leave_one_group_out(LABELS, ["ann"])


@pytest.mark.parametrize("share", [0.05, 0.2, 0.45, 0.99])
def test_groups_stay_together(share):
    split = zounds.split_by_group(LABELS, GROUPS, test=share, seed=3)
    assert not set(GROUPS[split.train].tolist()) & set(GROUPS[split.test].tolist())
    assert len(split.train) and len(split.test) and len(split.train) + len(split.test) == 60
    assert abs(len(split.test) / 60 - np.clip(share, 0.2, 0.8)) <= 0.11
    again = zounds.split_by_group(LABELS, GROUPS, test=share, seed=3)
    np.testing.assert_array_equal(again.test, split.test)
    assert len({zounds.split_by_group(LABELS, GROUPS, seed=seed).groups for seed in range(20)}) > 2


def test_a_class_that_is_absent_from_a_part_is_said():
    labels = ["a", "b", "a", "c"]
    groups = ["ann", "ann", "ben", "ben"]
    with pytest.raises(LabelError, match="no example to learn from has the classes 'b', .*tested on 'ann'"):
        next(zounds.leave_one_group_out(labels, groups))
    split = next(zounds.leave_one_group_out(labels, groups, absent="allow"))
    assert split.absent_from_train == ("b",) and split.absent_from_test == ("c",)
    assert "absent from the training set: 'b'; absent from the test set: 'c'" in repr(split)
    with pytest.raises(DeclarationError, match="absent='hide'"):
        zounds.split_by_group(labels, groups, absent="hide")


def test_classes_keep_their_shares():
    labels = np.repeat(["a", "b", "c"], [80, 40, 4])
    split = zounds.stratified_split(labels, test=0.25)
    assert [int((labels[split.test] == name).sum()) for name in "abc"] == [20, 10, 1]
    assert sorted([*split.train, *split.test]) == list(range(124))
    other = zounds.stratified_split(labels, test=0.25, seed=1)
    assert not np.array_equal(split.test, other.test)
    with pytest.raises(LabelError, match="the class 'b' has a single example"):
        zounds.stratified_split(["a", "a", "b"])
    with pytest.raises(EmptyCorpus, match="no examples"):
        zounds.stratified_split([])
    with pytest.raises(DeclarationError, match="test=1.5"):
        zounds.stratified_split(labels, test=1.5)


def test_frames_of_a_document_are_never_on_both_sides():
    data = zounds.labelled(model_of(*SPOKEN), "bands", summary=None)
    split = zounds.stratified_split(data, test=0.25)
    assert not set(data.documents[split.train].tolist()) & set(data.documents[split.test].tolist())
    assert len(set(data.documents[split.test].tolist())) == 2


def test_the_report_is_that_of_sklearn():
    metrics = pytest.importorskip("sklearn.metrics")
    true, guessed = RNG.integers(5, size=300), RNG.integers(5, size=300)
    guessed = np.where(RNG.random(300) < 0.6, true, guessed)
    true[true == 4], guessed[guessed == 3] = 0, 1  # a class without examples, and one that is never predicted
    report = zounds.classification_report(true, guessed)
    names = range(5)
    wanted = metrics.precision_recall_fscore_support(true, guessed, labels=names, zero_division=0)
    for found, expected in zip((report.precision, report.recall, report.f1, report.support), wanted, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert report.accuracy == metrics.accuracy_score(true, guessed)
    macro = metrics.precision_recall_fscore_support(true, guessed, labels=names, zero_division=0, average="macro")
    np.testing.assert_allclose((report.macro_precision, report.macro_recall, report.macro_f1), macro[:3], rtol=1e-12)
    np.testing.assert_array_equal(report.matrix.array(), metrics.confusion_matrix(true, guessed))
    for by, name in (("true", "true"), ("predicted", "pred"), ("all", "all")):
        wanted = metrics.confusion_matrix(true, guessed, normalize=name)
        np.testing.assert_allclose(report.matrix.normalised(by), wanted, rtol=1e-12)
    assert report.absent == [4] and "not tested: 4" in str(report)


def test_reports_are_data():
    report = zounds.classification_report(["a", "b"], np.array(["a", "a"]), classes=["b", "a"])
    assert zounds.ClassificationReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report
    figures = report.figures()
    assert figures["classes"]["b"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1}
    assert figures["accuracy"] == 0.5 and json.dumps(figures)
    assert report.labels == ["b", "a"]


def test_predictions_that_do_not_fit_are_refused():
    with pytest.raises(DeclarationError, match="2 labels and 1 predictions"):
        zounds.classification_report([1, 2], [1])
    with pytest.raises(EmptyCorpus, match="no predictions"):
        zounds.classification_report([], [])
    with pytest.raises(LabelError, match=r"prediction 0.* has '1'"):
        zounds.classification_report([1], ["1"])
    with pytest.raises(LabelError, match="prediction 1 is 3, which is none of the classes"):
        zounds.classification_report([1, 2], [1, 3], classes=[1, 2])
    with pytest.raises(DeclarationError, match="by='rows'"):
        zounds.confusion_matrix([1], [1]).normalised("rows")
    with pytest.raises(DeclarationError, match="a row and a column for each"):
        zounds.ConfusionMatrix(["a", "b"], [[1, 2]])
    with pytest.raises(DeclarationError, match="whole numbers"):
        zounds.ConfusionMatrix(["a"], [[0.5]])


def test_a_confusion_matrix_shows_itself(tmp_path):
    matrix = zounds.confusion_matrix(["<b>", "x", "x"], ["<b>", "x", "<b>"])
    assert matrix.accuracy == 2 / 3 and matrix.total == 3
    assert str(matrix).splitlines()[1].split() == ["<b>", "1", "0"]
    shown = matrix._repr_html_()
    assert "<b>" not in shown and "&lt;b&gt;" in shown and shown.count("<td") == 4
    assert matrix.to_png(tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")
    assert "&lt;b&gt;" in zounds.ClassificationReport(matrix)._repr_html_()
