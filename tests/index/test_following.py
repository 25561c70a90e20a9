"""Indexes of a feature follow the store: what is added, made anew and deleted, and never twice."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

import zounds_lite as zounds
from tests.index.documents import frames, put, random_bits, sound_class
from zounds_lite import featureflow as ff
from zounds_lite.errors import DeclarationError, DimensionError, KeyNotFound, StoreFormatError, WriteOnlyIndex
from zounds_lite.index import HammingIndex, VectorIndex


@pytest.fixture
def model(tmp_path):
    made = sound_class(tmp_path / "store")
    yield made
    made.database.close()


@pytest.fixture(params=[HammingIndex, VectorIndex])
def index(request, model):
    feature = model.code if request.param is HammingIndex else model.numbers
    with request.param(model, feature) as made:
        yield made


def rows_of(index, _id):
    return np.asarray(getattr(index.document(_id), index.feature.name))


def where(results):
    return [(_id, int(timeslice.start_ps // 10**12)) for _id, timeslice in results]


def test_update_adds_replaces_and_deletes(index, model):
    assert str(index.update()) == "0 added, 0 replaced, 0 deleted, 0 unchanged, 0 failed"
    assert list(index.search(random_bits(1)[0], 3)) == [] and len(index) == 0
    put(model, "a")
    put(model, "b")
    assert sorted(index.update().added) == ["a", "b"] and len(index) == 10
    assert index.update().unchanged == 2
    assert where(index.search(rows_of(index, "b")[3], 1)) == [("b", 3)]

    old = rows_of(index, "a")[2]
    put(model, "a", random_bits(4, seed=99))
    model.delete("b")
    put(model, "c")
    report = index.update()
    assert (report.added, report.replaced, report.deleted) == (["c"], ["a"], ["b"]) and len(index) == 9
    assert where(index.search(rows_of(index, "a")[3], 1)) == [("a", 3)]
    assert index.search(old, 1).distances[0] > 0
    everything = index.search(old, 99)
    assert len(everything) == 9 and {_id for _id, _ in everything} == {"a", "c"}
    assert "a" in index and "b" not in index
    assert index.compact() == 10 and index.compact() == 0
    assert where(index.search(old, 99)) == where(everything) and index.verify() == []


def test_adding_a_document_again_adds_nothing(index, model):
    put(model, "a")
    assert index.add("a") and not index.add("a") and len(index) == 5
    index.add_all()
    index.add_all()
    assert len(index) == 5
    index.remove("a")
    assert len(index) == 0 and list(index.search(rows_of(index, "a")[0])) == []
    with pytest.raises(KeyNotFound, match="no document 'a'"):
        index.remove("a")
    with pytest.raises(KeyNotFound, match="no document 'missing'"):
        index.add("missing")


def test_equal_distances_come_in_the_order_of_the_index(index, model):
    for _id in ("a", "b"):
        put(model, _id, np.tile(random_bits(1), (3, 1)))
        index.add(_id)
    wanted = [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1), ("b", 2)]
    for n in range(1, 8):
        assert where(index.search(rows_of(index, "a")[0], n, multithreaded=True)) == wanted[:n]


def test_an_index_is_there_after_the_process_and_beside_the_store(index, model, tmp_path):
    put(model, "a")
    index.update()
    query = rows_of(index, "a")[1]
    assert index.path == tmp_path / "store.index" / f"index.{index.feature.key}"
    index.close()
    with type(index)(model, index.feature) as again:
        assert where(again.search(query, 1)) == [("a", 1)] and again.update().unchanged == 1


def test_what_another_process_indexes_is_found(tmp_path, model):
    put(model, "a")
    with HammingIndex(model, model.code) as index:
        assert list(index.search(random_bits(1)[0])) == []
        code = (
            f"from tests.index.documents import *; from zounds_lite.index import HammingIndex\n"
            f"model = sound_class({str(tmp_path / 'store')!r}); index = HammingIndex(model, model.code)\n"
            "assert len(index.update().added) == 1\n"
            "put(model, 'b'); index.add('b')\n"
        )
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
        assert len(index) == 10 and where(index.search(model("b").code[4], 1)) == [("b", 4)]
        assert index.update().unchanged == 2


def test_a_batch_of_queries_finds_what_each_finds(index, model):
    for _id in "abc":
        put(model, _id)
    index.update()
    queries = rows_of(index, "b")
    for query, results in zip(queries, index.search_batch(queries, 4), strict=True):
        alone = index.search(query, 4)
        assert list(alone) == list(results) and alone.query == results.query


def test_queries_go_to_bytes_and_back(index, model):
    put(model, "a")
    index.update()
    query = rows_of(index, "a")[1]
    raw = index.encode_query(query)
    assert index.encode_query(raw if index.kind == "hamming" else index.decode_query(raw)) == raw
    np.testing.assert_array_equal(index.decode_query(raw), query)
    results = index.search(raw, 1)
    assert where(results) == [("a", 1)] and results.query == raw
    found = index.random_search(1, rng=np.random.default_rng(0))
    assert found.distances[0] == 0 and list(index.search(found.query, 1)) == list(found)


def test_random_search_reaches_every_row_that_is_alive_and_no_other(index, model):
    for _id in "abc":
        put(model, _id)
    index.update()
    index.remove("b")
    rng = np.random.default_rng(0)
    found = {where(index.random_search(1, rng=rng))[0] for _ in range(200)}
    assert found == {(_id, n) for _id in "ac" for n in range(5)}


def test_packed_codes_and_bits_are_the_same(tmp_path):
    bits = random_bits(6, 72)
    with HammingIndex(sound_class(), "code", path=tmp_path) as index:
        put(index.document, "a", bits)
        index.update()
        assert index.code_size == 9
        assert index.search(bits[2], 1).distances[0] == 0
        assert index.search(bits[2].astype(np.uint8), 1).query == np.packbits(bits[2]).tobytes()
    words = np.packbits(random_bits(6, 128), axis=1).view(np.uint64)
    with HammingIndex(sound_class(), "code", version="packed", path=tmp_path) as index:
        index.document.process(_id="a", code=[frames(words)], numbers=[frames(words * 1.0)])
        index.update()
        assert index.code_size == 16 and where(index.search(words[4], 1)) == [("a", 4)]


def test_features_that_are_not_stored_can_be_indexed(model):
    put(model, "a", numbers=np.eye(5, 64))
    with VectorIndex(model, model.halved) as index:
        assert index.update().added == ["a"] and index.update().unchanged == 1
        assert where(index.search(np.eye(5, 64)[2] / 2, 1)) == [("a", 2)]


def test_extra_data_are_kept_for_each_frame(model):
    put(model, "a")
    extra = {"second": lambda document, timeslice: [document._id, timeslice.start_ps // 10**12]}
    with HammingIndex(model, model.code, **extra) as index:
        index.update()
        ((_id, timeslice, data),) = index.search(model("a").code[3], 1)
        assert data == {"second": ["a", 3]} and (_id, timeslice.start_ps) == ("a", 3 * 10**12)
        assert index.search(model("a").code[3], 1)[0].extra == data
        put(model, "a", random_bits(2))
        index.update()
        assert index.search(model("a").code[1], 1)[0].extra == {"second": ["a", 1]}
    with HammingIndex(model, model.code) as index:
        assert len(index.search(model("a").code[1], 1)[0]) == 2
    with HammingIndex(model, model.code, path=model.database.path.parent, wrong=lambda d, t: np.zeros(3)) as index:
        with pytest.raises(DeclarationError, match="extra data of document 'a' at .*; allowed: what JSON can hold"):
            index.add("a")
        assert "extra data" in index.update().failed["a"] and len(index) == 0
    with pytest.raises(DeclarationError, match="needs functions"):
        HammingIndex(model, model.code, label="x")


def test_series_with_a_variable_rate_are_indexed_by_their_stretches(tmp_path):
    @zounds.simple_in_memory_settings
    class Sound(ff.BaseModel):
        parts = zounds.VariableRateTimeSeriesFeature(ff.IteratorNode, store=True)

    seconds = zounds.Seconds
    slices = [zounds.TimeSlice(seconds(2)), zounds.TimeSlice(seconds(3), start=seconds(2))]
    series = zounds.VariableRateTimeSeries(zip(slices, np.eye(2, dtype=np.float32), strict=True))
    Sound.process(parts=[series])
    Sound.process(parts=[zounds.VariableRateTimeSeries()])
    with VectorIndex(Sound, Sound.parts, path=tmp_path) as index:
        assert len(index.update().added) == 2 and len(index) == 2
        assert index.search(np.float32([0, 1]), 1)[0].timeslice == slices[1]
        assert index.update().unchanged == 2


def test_one_document_that_cannot_be_indexed_keeps_no_other_out(model):
    put(model, "a", numbers=np.ones((2, 3)))
    put(model, "bad", numbers=np.array([[1, 2, np.nan]]))
    put(model, "other", numbers=np.ones((2, 7)))
    model.process(_id="no time", code=[frames(random_bits(2))], numbers=[np.ones((2, 3))])
    with VectorIndex(model, model.numbers) as index:
        report = index.update()
        assert report.added == ["a"] and len(index) == 2
        assert "numbers of document 'bad': row 0 (1 in all) holds NaN" in report.failed["bad"]
        assert "the index holds rows" in report.failed["other"]
        assert "no axis of time" in report.failed["no time"]
        put(model, "a", numbers=np.array([[np.inf, 0, 0]]))
        assert "a" in index.update().failed and len(index) == 0  # what the index had of it is not served


def test_rows_of_another_size_replace_all_when_the_code_changes(tmp_path):
    def make(bits):
        class Sound(ff.BaseModel):
            raw = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)
            code = zounds.ArrayWithUnitsFeature(lambda x: x[:, :bits] > 0, needs=raw, store=True)

        return zounds.simple_lmdb_settings(tmp_path / "store", map_size=1e7, user_supplied_id=True)(Sound)

    first = make(8)
    for _id in "ab":
        first.process(_id=_id, raw=[frames(np.ones((3, 32)))])
    with HammingIndex(first, first.code) as index:
        index.update()
        assert index.code_size == 1
    second = make(16)
    with HammingIndex(second, second.code) as index:
        with pytest.raises(StoreFormatError, match="code_size 1.*given.*code_size 2"):
            index.add("a")
        report = index.update()
        assert sorted(report.replaced) == ["a", "b"] and not report.failed and index.code_size == 2 and len(index) == 6


def test_bad_queries_are_refused_at_once(index, model):
    put(model, "a")
    index.update()
    wrong = [np.ones(3), np.array(["x"]), b"123", b"", np.zeros((2, 64))]
    for query in wrong if index.kind == "vectors" else [*wrong, "text", random_bits(1, 12)[0], random_bits(1, 128)[0]]:
        with pytest.raises(DimensionError, match="allowed"):
            index.search(query)
    for count in (-1, 1.5, "3", True):
        with pytest.raises(DeclarationError, match="n_results"):
            index.search(rows_of(index, "a")[0], count)


def test_folders_are_named_by_feature_and_version_and_hold_one_index(model, tmp_path):
    with HammingIndex(model, model.code, version="v1/../2", path=tmp_path, db_size_bytes=3 * 2**20) as index:
        assert index.path == tmp_path / "index.code.v1%2F..%2F2" and index.path.is_dir()
        assert index._store.map_size == 3 * 2**20
    with HammingIndex(model, model.code, version="x" * 1000, path=tmp_path) as index:
        assert len(index.path.name) < 200
    (tmp_path / "index.code.v1%2F..%2F2").rename(tmp_path / "index.code.other")
    with pytest.raises(StoreFormatError, match=r"holds feature 'code', kind 'hamming', version 'v1/\.\./2'; asked for"):
        HammingIndex(model, model.code, version="other", path=tmp_path)
    with (
        HammingIndex(model, model.numbers, path=tmp_path),
        pytest.raises(StoreFormatError, match="asked for: .*vectors"),
    ):
        VectorIndex(model, model.numbers, path=tmp_path)
    with pytest.raises(KeyNotFound, match="no feature 'missing'"):
        HammingIndex(model, "missing", path=tmp_path)


def test_an_index_that_is_only_written_is_not_searched(model):
    put(model, "a")
    with HammingIndex(model, model.code, writeonly=True) as index:
        index.update()
        for search in (lambda: index.search(b"x"), lambda: index.search_batch([]), index.random_search):
            with pytest.raises(RuntimeError, match="writeonly=True") as caught:
                search()
            assert isinstance(caught.value, WriteOnlyIndex)
        assert len(index) == 5


def test_documents_in_memory_have_an_index_that_goes_away_with_them():
    model = sound_class()
    put(model, "a")
    index = HammingIndex(model, model.code)
    index.update()
    path = index.path
    assert len(index) == 5 and path.is_dir()
    index.close()
    del index
    assert not path.exists()


def test_an_interrupted_update_goes_on_where_it_stopped(model, monkeypatch):
    monkeypatch.setattr("zounds_lite.index.following._BATCH", 2)
    for n in range(6):
        put(model, str(n))
    with HammingIndex(model, model.code) as index:
        real, seen = index._rows, []

        def interrupted(data, what):
            seen.append(what)
            if len(seen) == 5:
                raise KeyboardInterrupt
            return real(data, what)

        monkeypatch.setattr(index, "_rows", interrupted)
        with pytest.raises(KeyboardInterrupt):
            index.update()
        assert len(index) == 20
        monkeypatch.setattr(index, "_rows", real)
        report = index.update()
        assert report.unchanged == 4 and len(report.added) == 2


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_index_listens_and_goes_on_where_it_stopped(tmp_path):
    model = sound_class(tmp_path / "store", ff.EventLog(tmp_path / "log", ff.InMemoryChannel(), map_size=1e7))
    put(model, "before")
    with HammingIndex(model, model.code, listen=True) as index:
        wait_for(lambda: "before" in index)
        put(model, "live")
        put(model, "before", random_bits(2))
        wait_for(lambda: len(index) == 7)
    put(model, "away")
    put(model, "gone")
    model.delete("gone")
    put(model, "bad", random_bits(3, 8))
    model.event_log.append("no json")
    model.event_log.append(json.dumps({"_id": 3}))
    put(model, "last")
    with HammingIndex(model, model.code) as index:
        heard = []
        real = index._heard
        index._heard = lambda _id, key, timestamp: (heard.append((_id, key)), real(_id, key, timestamp))
        index.listen()
        index.listen()
        wait_for(lambda: "last" in index)
        index.stop()
        assert [_id for _id, key in heard if key == "code"] == ["away", "gone", "bad", "last"] and len(index) == 17
        assert list(index.failed) == ["bad"] and "code_size 1" in index.failed["bad"]
    model.event_log.close()
    model.database.close()


def test_listening_needs_an_event_log_and_tells_what_ended_it(tmp_path, monkeypatch):
    with pytest.raises(DeclarationError, match="has no event log"):
        HammingIndex(sound_class(), "code", path=tmp_path, listen=True)
    model = sound_class(None, ff.EventLog(tmp_path / "log", ff.InMemoryChannel(), map_size=1e7))
    index = HammingIndex(model, model.code, path=tmp_path)
    monkeypatch.setattr(index, "_heard", lambda *_: 1 / 0)
    index.listen()
    put(model, "a")
    wait_for(lambda: not index._listener.is_alive)
    with pytest.raises(ZeroDivisionError):
        index.stop()
    index.close()
    model.event_log.close()


def test_damaged_rows_are_named_by_document(model):
    for _id in "ab":
        put(model, _id)
    with HammingIndex(model, model.code) as index:
        index.update()
        (file,) = index.path.glob("rows-*.bin")
        raw = bytearray(file.read_bytes())
        raw[-1] ^= 1
        file.write_bytes(raw)
        assert len(index.verify()) == 1 and index.verify()[0] in "ab"


def test_ids_may_be_of_any_length(tmp_path):
    model = sound_class()
    names = ["http://host/a:b/../c?d#e", "é" * 5000, "\ud800"]
    for _id in names:
        put(model, _id)
    with HammingIndex(model, model.code, path=tmp_path) as index:
        assert index.update().added == list(model.database.iter_ids())
        for _id in names:
            assert index.search(model(_id).code[0], 1)[0].id == _id
