"""Stretches of documents: which rows are computed, what is read, and what is refused."""

import logging
import pickle

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.errors import DeclarationError, DimensionError, KeyNotFound, UnitIndexError
from zounds_lite.featureflow.locality import Locality

SECOND = zounds.Seconds(1)
AXIS = zounds.TimeDimension(zounds.Milliseconds(100))


def rows(n=100, width=3):
    values = np.arange(float(n * width)).reshape(n, width)
    return zounds.ArrayWithUnits(values, [AXIS, zounds.IdentityDimension()])


class Counted(ff.Node):
    """Doubles, and counts the rows that it was given."""

    seen = 0

    def locality(self, example):
        return ff.Pointwise(block=8)

    def _process(self, data):
        Counted.seen += len(data)
        yield data * 2


class Unknown(ff.Node):
    """Says nothing about its locality."""

    def _process(self, data):
        yield data - 1


class Difference(ff.Node):
    """The difference to the row before; that before the first one is zero."""

    class _Back(Locality):
        def length(self, size):
            return size

        def needs(self, start, stop, size):
            return max(0, start - 1), stop

        def first(self, start):
            return start

    def locality(self, example):
        return self._Back()

    def _process(self, data):
        plain = np.asarray(data)
        last = getattr(self, "last", np.zeros((1, plain.shape[1])))
        self.last = plain[-1:] if len(plain) else last
        yield zounds.ArrayWithUnits(plain - np.concatenate([last, plain])[: len(plain)], data.dimensions)


class Slices(ff.Node):
    """A series of stretches."""

    def _process(self, data):
        entries = [(zounds.TimeSlice(SECOND, start=SECOND * i), np.array([i])) for i in range(10)]
        yield zounds.VariableRateTimeSeries(entries)


def made(n=100):
    @zounds.simple_in_memory_settings
    class Document(ff.BaseModel):
        source = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)
        doubled = zounds.ArrayWithUnitsFeature(Counted, needs=source, version="1")
        logs = zounds.ArrayWithUnitsFeature(np.log1p, needs=doubled)
        kept = zounds.ArrayWithUnitsFeature(Counted, needs=source, store=True, version="1")
        opaque = zounds.ArrayWithUnitsFeature(Unknown, needs=doubled)
        after = zounds.ArrayWithUnitsFeature(np.negative, needs=opaque)
        slopes = zounds.ArrayWithUnitsFeature(Difference, needs=doubled)
        slices = zounds.VariableRateTimeSeriesFeature(Slices, needs=source, store=True)
        note = ff.JSONFeature(lambda data: len(data), needs=source, store=True)
        both = zounds.ArrayWithUnitsFeature(Unknown, needs=[source])

    document = Document(Document.process(source=[rows(n)]))
    Counted.seen = 0
    return document


PIECE = zounds.TimeSlice(SECOND, start=zounds.Seconds(3))


@pytest.mark.parametrize("name", ["source", "doubled", "logs", "kept", "opaque", "after", "both"])
@pytest.mark.parametrize(
    "index",
    [
        PIECE, zounds.TimeSlice(SECOND), zounds.TimeSlice(zounds.Seconds(50), start=zounds.Seconds(9)),
        zounds.TimeSlice(start=zounds.Seconds(20)), slice(zounds.Seconds(-2), None), slice(None), slice(SECOND, SECOND),
    ],
    ids=str,
)  # fmt: skip
def test_a_stretch_is_that_part_of_the_whole(name, index):
    document = made()
    found, whole = getattr(document[index], name), getattr(document, name)
    wanted = whole[:] if index == slice(None) else whole[index]
    assert type(found) is type(whole) and found.dimensions == wanted.dimensions
    assert found.dtype == wanted.dtype and np.array_equal(found, wanted)


def test_only_the_stretch_is_computed():
    document = made()
    assert document[PIECE].logs.shape == (10, 3)
    # rows 30 to 40, in blocks of 8 from the first row of all: 24 to 40; and one that tells the units
    assert Counted.seen == 17


def test_a_stored_stretch_is_read_and_not_computed():
    document = made()
    assert np.array_equal(document[PIECE].kept, 2 * rows()[30:40])
    assert Counted.seen == 0


def test_what_a_node_needs_before_the_stretch_is_computed_too():
    assert np.array_equal(made()[PIECE].slopes, np.full((10, 3), 6.0))
    assert np.array_equal(made()[zounds.TimeSlice(SECOND)].slopes[0], [0.0, 2.0, 4.0])


def test_the_result_says_where_it_starts():
    document = made()
    for name in ("source", "logs", "opaque"):
        assert getattr(document[PIECE], name).dimensions[0].start == zounds.Seconds(3)


def test_a_node_without_locality_is_read_whole_and_the_log_says_so(caplog):
    with caplog.at_level(logging.INFO, "zounds_lite"):
        made()[PIECE].after  # noqa: B018
    assert "after of document" in caplog.text and "read whole" in caplog.text


def test_series_give_what_overlaps():
    assert [int(entry.slicedata[0]) for entry in made()[PIECE].slices] == [3]
    assert len(made()[zounds.TimeSlice(start=zounds.Milliseconds(7500))].slices) == 3


@pytest.mark.parametrize("name", ["note"])
def test_features_without_an_axis_of_time_say_so(name):
    with pytest.raises(DimensionError, match=f"{name} of document .* has no axis of time"):
        getattr(made()[PIECE], name)


@pytest.mark.parametrize("index", [5, "a", zounds.Seconds(1), slice(None, None, 2), slice(1.5, 2)], ids=str)
def test_other_indices_are_refused(index):
    with pytest.raises((UnitIndexError, TypeError)):
        made()[index].logs  # noqa: B018


def test_unknown_features_are_attribute_errors():
    part = made()[PIECE]
    with pytest.raises(AttributeError, match="no feature 'nonsense'; it has: source"):
        part.nonsense  # noqa: B018
    assert not hasattr(part, "__deepcopy__")
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        pickle.dumps(part)


def test_a_stretch_is_computed_once():
    part = made()[PIECE]
    assert part.logs is part.logs
    assert Counted.seen == 17


def test_a_document_without_rows_gives_none():
    document = made(0)
    for name in ("source", "logs", "slopes", "kept"):
        found = getattr(document[PIECE], name)
        assert found.shape == (0, 3) and found.dimensions == getattr(document, name).dimensions


def test_windows_walk_along_the_document():
    document = made(25)
    found = [part.logs for part in document.windows(SECOND)]
    assert [len(part) for part in found] == [10, 10, 5]
    assert np.array_equal(np.concatenate(found), document.logs)
    assert [part.dimensions[0].start for part in found] == [SECOND * 0, SECOND, SECOND * 2]
    assert [len(part.source) for part in document.windows(SECOND, zounds.Milliseconds(500))] == [10, 10, 10, 10, 5]
    with pytest.raises(DeclarationError, match="above zero"):
        document.windows(SECOND, zounds.Seconds(0))


def test_windows_need_an_axis_of_time():
    @zounds.simple_in_memory_settings
    class Document(ff.BaseModel):
        words = ff.JSONFeature(ff.IteratorNode, store=True)

    with pytest.raises(DimensionError, match="no feature of document .* can be read in part"):
        Document(Document.process(words=[["a"]])).windows(SECOND)


def test_samples_are_stretches_of_documents_that_are_long_enough():
    document = type(made())
    ids = {document.process(source=[rows(n) + 1000 * n]) for n in (30, 60, 5)}
    crops = document.sample("doubled", SECOND, 200, np.random.default_rng(0))
    assert {crop.shape for crop in crops} == {(10, 3)} and len(ids) == 3
    starts = [(int(crop[0, 0]) // 2 // 1000, crop.dimensions[0].start) for crop in crops]
    assert {n for n, _ in starts} == {0, 30, 60}
    for crop in crops:
        at = int(crop.dimensions[0].start / zounds.Milliseconds(100))
        assert crop[0, 0] % 1000 == (2 * 3 * at) % 1000
    again = document.sample("doubled", SECOND, 200, np.random.default_rng(0))
    assert all(np.array_equal(a, b) for a, b in zip(crops, again, strict=True))
    assert document.sample(document.logs, SECOND, 0, np.random.default_rng(0)) == []
    with pytest.raises(KeyNotFound, match="no document of"):
        document.sample("doubled", zounds.Seconds(100), 1, np.random.default_rng(0))
    with pytest.raises(DimensionError):
        document.sample("note", SECOND, 1, np.random.default_rng(0))


def test_functions_can_be_said_to_work_row_by_row():
    @ff.pointwise
    def plus(data):
        plus.rows += len(data)
        return data + 1

    plus.rows = 0

    @zounds.simple_in_memory_settings
    class Document(ff.BaseModel):
        source = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)
        more = zounds.ArrayWithUnitsFeature(plus, needs=source, version="1")

    document = Document(Document.process(source=[rows()]))
    assert np.array_equal(document[PIECE].more, rows()[30:40] + 1)
    assert plus.rows < 20
