"""Parts, sums, maxima and columns side by side, in streams."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.core.nodes import Binarize
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.featureflow import Node
from zounds_lite.testing.contracts.checks import cut
from zounds_lite.timeseries import TimeDimension

FRAMES = TimeDimension.windowed(128, 256, 8000, n_samples=999)
X = np.random.default_rng(0).normal(size=(200, 10))


def frames(x=X, time=FRAMES):
    return zounds.ArrayWithUnits(x, [time, *[zounds.IdentityDimension()] * (x.ndim - 1)])


def merged(*features):
    """Merge features, each a list of chunks, which come in turn."""
    needs = [Node() for _ in features]
    node, results = zounds.Merge(needs=needs), []
    for i in range(max(map(len, features))):
        for need, chunks in zip(needs, features, strict=True):
            results += node.push(chunks[i], need) if i < len(chunks) else []
    for need in needs:
        results += node.end(need)
    return results


def test_a_slice_keeps_time_and_its_notes():
    (part,) = zounds.Slice(slice(2, 5)).run([frames()])
    np.testing.assert_array_equal(part, X[:, 2:5])
    assert part.dimensions[0] == FRAMES and part.dimensions[0].n_samples == 999
    (column,) = zounds.Slice(3).run([frames()])
    assert column.shape == (200,) and column.dimensions == (FRAMES,)


def test_sums_and_maxima_of_the_whole_stream():
    for node, wanted in ((zounds.Sum(), X.sum(axis=0)), (zounds.Max(), X.max(axis=0))):
        (found,) = node.run(cut(frames(), [3, 70, 150]))
        assert found.dimensions == (zounds.IdentityDimension(),)
        np.testing.assert_allclose(found, wanted, rtol=1e-13)


@given(at=st.lists(st.integers(0, 1000), max_size=12))
def test_sums_do_not_depend_on_chunks(at):
    x = np.random.default_rng(1).normal(size=(1000, 3)).astype(np.float32) * 1e6
    (whole,) = zounds.Sum().run([x])
    (found,) = zounds.Sum().run(cut(x, at))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, whole)
    np.testing.assert_allclose(found, x.sum(axis=0, dtype=np.float64), rtol=1e-6)


def test_sums_of_integers_and_of_one_axis():
    (found,) = zounds.Sum().run([np.full(100, 127, np.int8)])
    assert found == 12700
    (found,) = zounds.Max().run([np.arange(100, dtype=np.int8), np.array([-1], np.int8)])
    assert found == 99 and found.dtype == np.int8


def test_any_axis_of_rows():
    x = np.random.default_rng(2).normal(size=(5, 6, 7))
    for axis in (1, 2, -1, -2):
        (found,) = zounds.Sum(axis).run([x])
        np.testing.assert_array_equal(found, x.sum(axis=axis))
    (found,) = zounds.Sum(axis=-3).run([x])
    np.testing.assert_allclose(found, x.sum(axis=0), rtol=1e-13)


@pytest.mark.parametrize("node", [zounds.Sum, zounds.Max])
def test_nothing_to_reduce_gives_nothing(node):
    assert list(node().run([X[:0]])) == []
    assert list(node().run([X[:, :0]])) == []
    assert list(node(axis=1).run([X[:, :0]])) == []


def test_nan_and_silence():
    x = np.zeros((100, 2))
    x[70, 1] = np.nan
    for node in (zounds.Sum, zounds.Max):
        (found,) = node().run([x])
        assert found[0] == 0 and np.isnan(found[1])
        (found,) = node(axis=1).run([x])
        assert np.flatnonzero(np.isnan(found)).tolist() == [70]


def test_merge_as_documented():
    (found,) = merged([frames()], [frames(-X)])
    assert found.shape == (200, 20) and found.dimensions[0].n_samples == 999
    np.testing.assert_array_equal(found, np.hstack([X, -X]))


@given(a=st.lists(st.integers(0, 200), max_size=8), b=st.lists(st.integers(0, 150), max_size=8))
def test_features_may_be_cut_at_other_places(a, b):
    results = merged(cut(frames(), a), cut(frames(X[:150]), b))
    np.testing.assert_array_equal(np.concatenate(results), np.hstack([X[:150], X[:150]]))
    results = merged(cut(frames(X[:150]), b), cut(frames(), a), cut(frames(X[:, 0]), a))
    np.testing.assert_array_equal(np.concatenate(results), np.hstack([X[:150], X[:150], X[:150, :1]]))
    assert results[-1].dimensions[0].n_samples == 999


def test_series_are_columns_and_the_shortest_counts():
    (found,) = merged([frames(X[:, 0])], [frames(X[:7, 1:3])])
    assert found.shape == (7, 3) and found.dimensions == (FRAMES, zounds.IdentityDimension())
    (found,) = merged([X[:, :1]], [X[:0]])
    assert type(found) is np.ndarray and found.shape == (0, 11)


def test_channels_become_one_sound():
    left, right = (zounds.AudioSamples(X[:, i].astype(np.float32), zounds.SR8000()) for i in (0, 1))
    (found,) = merged([left], [right])
    assert isinstance(found, zounds.AudioSamples) and found.channels == 2 and found.dtype == np.float32


def test_features_of_a_document():
    @zounds.simple_in_memory_settings
    class Document(ff.BaseModel):
        rows = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)
        part = zounds.ArrayWithUnitsFeature(zounds.Slice, needs=rows, sl=slice(0, 3), store=True)
        merged = zounds.ArrayWithUnitsFeature(zounds.Merge, needs=(part, rows), store=True)

    doc = Document(Document.process(rows=cut(frames(), [20, 90])))
    np.testing.assert_array_equal(doc.merged, np.hstack([X[:, :3], X]))


def test_truth_keeps_units():
    (found,) = Binarize(np.signbit).run([frames()])
    assert found.dtype == bool and found.dimensions[0] == FRAMES
    np.testing.assert_array_equal(found, X < 0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: zounds.Merge(), DeclarationError, "Merge with 0 needs"),
        (lambda: zounds.Merge(needs=Node()), ValueError, "Merge with 1 needs"),
        (lambda: zounds.Merge(needs=[Node()] * 2), DeclarationError, "with itself"),
        (lambda: merged([frames()], [frames(X, TimeDimension.windowed(64, 256, 8000))]), SampleRateError, "one rate"),
        (lambda: merged([X[:, :, None]], [np.zeros((200, 10, 2))]), DimensionError, "only columns"),
        (lambda: zounds.Sum(axis=None), DeclarationError, "axis=None"),
        (lambda: list(zounds.Max(axis=2).run([X])), DimensionError, "axis=2"),
        (lambda: list(zounds.Slice().run([X[0]])), DimensionError, "two axes"),
        (lambda: Binarize(3), DeclarationError, "predicate=3"),
        (lambda: list(Binarize(np.any).run([X])), DimensionError, "one truth a number"),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
