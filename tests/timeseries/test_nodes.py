"""Values of stretches of a stream."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.errors import DeclarationError, DimensionError, GraphError, UnitsError
from zounds_lite.featureflow import Node
from zounds_lite.testing.contracts.checks import cut
from zounds_lite.timeseries import TimeDimension

X = np.random.default_rng(0).normal(size=(100, 3))


def second(start, n=None):
    return zounds.TimeSlice(None if n is None else zounds.Milliseconds(n), start=zounds.Milliseconds(start))


def rows(x=X):
    return zounds.ArrayWithUnits(x, [TimeDimension(zounds.Seconds(1), zounds.Seconds(2)), zounds.IdentityDimension()])


def series(stretches):
    return zounds.VariableRateTimeSeries((ts, 0) for ts in stretches)


def pooling(op=np.max, axis=0):
    sides = Node(), Node()
    return (zounds.Pooled(op, axis, needs=sides), *sides)


def pooled(chunks, stretches, order, op=np.max, axis=0):
    """Pool chunks of rows with chunks of stretches; ``order`` says whose turn it is."""
    node, left, right = pooling(op, axis)
    queues = {left: list(chunks), right: list(stretches)}
    results = []
    for turn in [*order, *[False] * 1000, *[True] * 1000]:
        side = left if turn else right
        if queues[side]:
            results += node.push(queues[side].pop(0), side)
        if not any(queues.values()):
            break
    results += [*node.end(left), *node.end(right)]
    return zounds.VariableRateTimeSeries(entry for part in results for entry in part)


def test_the_documented_shape():
    spectrogram = zounds.ArrayWithUnits(
        np.random.default_rng(1).uniform(size=(400, 1025)),
        [TimeDimension.windowed(512, 2048, 22050), zounds.IdentityDimension()],
    )
    stretches = [second(0, 1000), second(1000, 2000), second(3000, 500), second(3500, 4000)]
    found = pooled([spectrogram], [series(stretches)], [])
    assert found.slicedata.shape == (4, 1025) and found.slices == stretches
    np.testing.assert_array_equal(found.slicedata[2], np.max(spectrogram[stretches[2]], axis=0))


stretch = st.tuples(st.integers(0, 120_000), st.one_of(st.none(), st.integers(0, 40_000)))


@settings(deadline=None)
@given(
    at=st.lists(st.integers(0, 100), max_size=8),
    wanted=st.lists(stretch, max_size=12).map(lambda found: sorted(found, key=lambda one: one[0])),
    parts=st.lists(st.integers(0, 12), max_size=4),
    order=st.lists(st.booleans(), max_size=20),
)
def test_it_equals_the_whole_whatever_comes_when(at, wanted, parts, order):
    slices = [second(*one) for one in wanted]
    edges = [0, *sorted(min(n, len(slices)) for n in parts), len(slices)]
    stretches = [series(slices[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
    found = pooled(cut(rows(), at), stretches, order, np.mean)
    whole = [(ts, np.mean(rows()[ts], axis=0)) for ts in slices if len(rows()[ts])]
    assert found.slices == [ts for ts, _ in whole]
    if whole:
        np.testing.assert_array_equal(found.slicedata, [value for _, value in whole])


def test_a_value_comes_as_soon_as_it_can():
    node, left, right = pooling()
    assert list(node.push(series([second(0, 3000), second(3000, 3000)]), right)) == []
    assert list(node.push(rows(X[:2]), left)) == []
    (first,) = node.push(rows(X[2:4]), left)
    assert first.slices == [second(0, 3000)]
    (other,) = node.push(rows(X[4:10]), left)
    assert other.slices == [second(3000, 3000)]


def test_only_the_rows_that_are_needed_are_kept():
    node, left, right = pooling()
    list(node.push(series([second(0, 5000)]), right))
    for start in range(0, 1000, 10):
        list(node.push(series([second(start * 1000, 25_000)]), right))
        list(node.push(rows(np.zeros((10, 3))), left))
        assert node._rows.stop - node._rows._starts[0] <= 30
    list(node.end(right))
    for _ in range(10):
        list(node.push(rows(np.zeros((10, 3))), left))
    assert not node._rows._pieces
    node, left, right = pooling()
    list(node.push(series([]), right))
    list(node.end(right))
    list(node.push(rows(), left))
    assert not node._rows._pieces


def test_one_long_chunk_is_let_go():
    node, left, right = pooling()
    list(node.push(rows(np.zeros((100_000, 3))), left))
    list(node.push(series([second(99_990_000, 50_000)]), right))
    (piece,) = node._rows._pieces
    assert len(piece) <= 11 and np.asarray(piece).base.size <= 33


def test_in_a_graph_with_channels_and_numbers():
    sound = zounds.AudioSamples(np.random.default_rng(2).normal(size=(8000, 2)), zounds.SR8000())

    @zounds.simple_in_memory_settings
    class Document(ff.BaseModel):
        sound = zounds.AudioSamplesFeature(ff.IteratorNode, store=True)
        stretches = zounds.VariableRateTimeSeriesFeature(ff.IteratorNode, store=True)
        peaks = zounds.VariableRateTimeSeriesFeature(
            zounds.Pooled, op=np.max, axis=0, needs=(stretches, sound), store=True
        )
        level = zounds.VariableRateTimeSeriesFeature(zounds.Pooled, op=np.std, needs=(sound, stretches), store=True)

    wanted = [second(0, 300), second(300, 700)]
    doc = Document(Document.process(sound=cut(sound, [100, 5000]), stretches=[series([one]) for one in wanted]))
    np.testing.assert_array_equal(doc.peaks.slicedata, [np.max(sound[ts], axis=0) for ts in wanted])
    np.testing.assert_array_equal(doc.level.slicedata, [np.std(sound[ts]) for ts in wanted])


def test_no_stretch_gives_an_empty_series():
    assert len(pooled([rows()], [series([])], [])) == 0
    node, left, right = pooling()
    (empty,) = [*node.push(series([]), right), *node.end(left), *node.end(right)]
    assert len(empty) == 0


def test_nan_stays_in_its_stretch():
    x = X.copy()
    x[50, 1] = np.nan
    found = pooled([rows(x)], [series([second(0, 20_000), second(45_000, 10_000), second(70_000)])], [])
    assert np.isnan(found.slicedata).tolist() == [[False] * 3, [False, True, False], [False] * 3]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: zounds.Pooled(), DeclarationError, "op=None"),
        (lambda: pooled([X], [], [True]), DimensionError, "first dimension is a TimeDimension"),
        (lambda: pooled([rows()], [series([second(5, 1)]), series([second(4, 1)])], []), UnitsError, "in order"),
        (lambda: pooled([], [series([second(5, 1)])], []), GraphError, "no series of rows came"),
        (
            lambda: pooled([rows()], [series([second(0, 5000), second(9000, 1000)])], [], axis=1),
            DimensionError,
            "check axis=",
        ),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
