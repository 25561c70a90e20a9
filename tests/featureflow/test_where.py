"""Documents found by their metadata: what users ask, and what an LMDB store does so that the answer is right.

What every store must answer is in the contract of stores (``testing.contracts.metadata``).
"""

import math
import multiprocessing
import os
import random
import signal
import time

import hypothesis
import pytest
from hypothesis import strategies

from zounds_lite import featureflow as ff
from zounds_lite.errors import DeclarationError, KeyNotFound, StoreLocked
from zounds_lite.featureflow.stores import upkeep
from zounds_lite.featureflow.stores.criteria import Criterion, between, wanted
from zounds_lite.featureflow.stores.notes import is_up_to_date, renew, sealed
from zounds_lite.featureflow.stores.terms import value_key, value_of
from zounds_lite.featureflow.stores.upkeep import Upkeep
from zounds_lite.testing.contracts.records import make_json_record


class Clip(ff.BaseModel):
    meta = ff.JSONFeature(ff.IteratorNode, store=True)
    tags = ff.JSONFeature(lambda meta: {"label": meta["label"], "size": len(meta)}, needs=meta, store=True)
    size = ff.JSONFeature(lambda meta: {"fields": len(meta)}, needs=meta, store=False)
    name = ff.TextFeature(lambda meta: str(meta), needs=meta, store=True)


class Digit(ff.BaseModel):
    meta = ff.JSONFeature(ff.IteratorNode, store=True)


def _digits(settings, count=100):
    cls = settings(Digit)
    for number in range(count):
        speaker = "theo" if number % 3 == 0 else "ann"
        cls.process(_id=f"{number:03d}", meta=[{"label": number % 10, "speaker": speaker, "seconds": number / 10}])
    return cls


@pytest.fixture(params=["memory", "lmdb"])
def digits(request, tmp_path):
    if request.param == "lmdb":
        return _digits(ff.simple_lmdb_settings(tmp_path / "store", user_supplied_id=True))

    class InMemory(ff.PersistenceSettings):
        id_provider = ff.UserSpecifiedIdProvider("_id")
        database = ff.InMemoryDatabase()

    return _digits(lambda cls: type("Digit", (cls, InMemory), {}))


def test_where_returns_a_sequence_of_documents(digits):
    found = digits.where(speaker="theo", label=6)
    assert sorted(found.ids) == ["006", "036", "066", "096"]
    assert len(found) == 4 and found and [document._id for document in found] == list(found.ids)
    assert [document.meta["label"] for document in found] == [6] * 4 == [document.meta["label"] for document in found]
    assert found[0]._id == found.ids[0] and found[-1]._id == found.ids[-1] and isinstance(found[1], digits)
    assert "006" in found and digits("006") in found and "007" not in found
    assert found[1:3].ids == found.ids[1:3] and len(found[:0]) == 0 and isinstance(found[::2], ff.Selection)
    with pytest.raises(IndexError):
        found[4]


def test_a_selection_says_what_it_is(digits):
    assert repr(digits.where(label=3, speaker="ann")) == "Digit.where(label=3, speaker='ann'): 6 documents"
    assert repr(digits.where("meta", label=3, seconds=between(0.3, 1))) == (
        "Digit.where('meta', label=3, seconds=between(0.3, 1)): 1 document"
    )
    assert repr(digits.where()) == "Digit.where(): 100 documents"
    assert repr(digits.where(label=3)[:2]) == "Digit.where(label=3)[...]: 2 documents"


def test_a_selection_can_be_narrowed(digits):
    theos = digits.where(speaker="theo")
    assert sorted(theos.where(label=[0, 3]).ids) == ["000", "003", "030", "033", "060", "063", "090", "093"]
    assert sorted(theos.where(label=0).where(seconds=ff.between(3, 6)).ids) == ["030", "060"]
    part = theos[:10]
    assert set(part.where(label=0).ids) == {_id for _id in part.ids if _id.endswith("0")}
    assert list(part.where(label=0).ids) == [_id for _id in part.ids if _id.endswith("0")]
    assert len(digits.where(label=3, speaker="nobody")) == 0 and not list(digits.where(speaker="nobody"))


def test_a_selection_stays_what_it_is(digits):
    found = digits.where(label=3)
    before = found.ids
    digits.delete("003")
    digits.process(_id="new", meta=[{"label": 3}])
    assert found.ids == before and "003" in found
    assert set(digits.where(label=3).ids) == {*before, "new"} - {"003"}


def test_values_and_fields_are_counted(digits):
    assert digits.fields() == {"meta": {"label": 100, "seconds": 100, "speaker": 100}}
    assert digits.values("speaker") == {"ann": 66, "theo": 34}
    assert list(digits.values("label").items()) == [(label, 10) for label in range(10)]
    assert digits.where(label=[0, 1]).values("speaker") == {"ann": 13, "theo": 7}
    part = digits.where(label=0)[:5]
    assert sum(part.values("speaker").values()) == 5 and part.values("label") == {0: 5}
    digits.process(_id="odd", meta=[{"label": True}])
    assert digits.values("label")[1] == 11, "True is 1 in a dict"
    assert digits.where(label=True).ids == ("odd",) and len(digits.where(label=1)) == 10


def test_an_unknown_field_is_an_error(digits):
    with pytest.raises(KeyNotFound, match="no document of Digit has a field 'lable': meta has label, seconds, speaker"):
        digits.where(lable=3)
    with pytest.raises(KeyNotFound, match="lable"):
        digits.values("lable")


def test_an_empty_store_has_nothing():
    cls = ff.simple_in_memory_settings(Digit)
    assert len(cls.where(label=3)) == 0 and list(cls.where(label=3)) == [] and cls.fields() == {}
    assert cls.values("label") == {} and len(cls.where()) == 0
    assert repr(cls.where(label=3)) == "Digit.where(label=3): 0 documents"


def test_a_field_of_two_features_has_to_be_told_apart():
    cls = ff.simple_in_memory_settings(Clip)
    for label in ("rock", "jazz"):
        cls.process(meta=[{"label": label, "bpm": 120}])
    with pytest.raises(DeclarationError, match="meta, tags all have a field 'label': say which, as in where\\('meta'"):
        cls.where(label="rock")
    assert len(cls.where("tags", label="rock")) == len(cls.where(Clip.tags, label="rock")) == 1
    assert len(cls.where("tags", label="rock").where(bpm=120)) == len(cls.where(bpm=120, size=2)[:1]) == 1
    assert cls.values("label", "tags") == {"jazz": 1, "rock": 1}
    assert cls.fields() == {"meta": {"bpm": 2, "label": 2}, "tags": {"label": 2, "size": 2}}


def test_only_stored_json_has_fields():
    cls = ff.simple_in_memory_settings(Clip)
    for feature in ("size", "name"):
        with pytest.raises(DeclarationError, match=f"{feature} is no stored JSON feature"):
            cls.where(feature, fields=2)
    with pytest.raises(KeyNotFound, match="no feature 'nothing'"):
        cls.where("nothing", label=1)
    with pytest.raises(DeclarationError, match="names no field"):
        cls.where("meta")

    class Text(ff.BaseModel):
        name = ff.TextFeature(ff.IteratorNode, store=True)

    with pytest.raises(DeclarationError, match="has no stored JSON feature"):
        ff.simple_in_memory_settings(Text).where(label=1)


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": 1}, b"rock", [["rock"]], object()])
def test_a_value_that_no_field_can_hold_is_refused(digits, value):
    with pytest.raises(DeclarationError, match="a field cannot be compared with"):
        digits.where(label=value)


@pytest.mark.parametrize("ends", [(None, None), (1, "2"), (True, 2), (math.nan, 1), (b"a", b"b")])
def test_a_range_that_makes_no_sense_is_refused(ends):
    with pytest.raises(DeclarationError, match="between|compared"):
        between(*ends)


def test_a_feature_with_a_database_of_its_own_is_found(tmp_path):
    class Elsewhere(ff.PersistenceSettings):
        database = ff.LmdbDatabase(tmp_path / "other")

    class Split(ff.BaseModel):
        meta = ff.JSONFeature(ff.IteratorNode, store=True)
        extra = ff.JSONFeature(lambda meta: {"twice": 2 * meta["n"]}, needs=meta, store=True, persistence=Elsewhere)

    cls = ff.simple_lmdb_settings(tmp_path / "main", user_supplied_id=True)(Split)
    for number in range(10):
        cls.process(_id=f"{number}", meta=[{"n": number, "is_odd": bool(number % 2)}])
    assert cls.where(twice=6).ids == ("3",)
    assert sorted(cls.where(twice=[6, 8, 10], is_odd=True).ids) == ["3", "5"]
    assert cls.where(is_odd=True).values("twice") == {2: 1, 6: 1, 10: 1, 14: 1, 18: 1}
    cls.database.change({"3": lambda old: None})  # what is left elsewhere makes no document
    assert cls.where(twice=6).ids == ()


# keys


numbers = strategies.one_of(
    strategies.integers(), strategies.floats(allow_nan=False, allow_infinity=False), strategies.integers(-5, 5)
)


@hypothesis.given(numbers, numbers)
def test_keys_of_numbers_are_in_their_order(first, second):
    keys = value_key(first), value_key(second)
    assert (first < second) == (keys[0] < keys[1]) and (first == second) == (keys[0] == keys[1])
    assert value_of(keys[0]) == first


@hypothesis.given(strategies.text(max_size=40), strategies.text(max_size=40))
def test_keys_of_texts_are_in_their_order(first, second):
    keys = value_key(first), value_key(second)
    assert (first < second) == (keys[0] < keys[1]) and (first == second) == (keys[0] == keys[1])
    assert first == second or not keys[0].startswith(keys[1])
    assert value_of(keys[0]) == first


# the index of an LMDB store


def _criteria(**fields):
    return [Criterion("meta", name, wanted(value)) for name, value in fields.items()]


def _put(database, numbers, label="a"):
    news = {f"{n:04d}": make_json_record(f"{n:04d}", meta={"label": label, "n": n, "third": n % 3}) for n in numbers}
    database.change({_id: lambda old, new=new: new for _id, new in news.items()})


def _without_index(monkeypatch):
    """Write as a version that knows no index."""
    monkeypatch.setattr(Upkeep, "planned", lambda self, txn, db, changes: lambda: None)


def _is_current(database):
    return database._environment.run(lambda txn, db: is_up_to_date(txn, db[b"pending"]))


def _transaction(database):
    return database._environment.run(lambda txn, db: txn.id())


def _builds(monkeypatch):
    """Count how often documents are taken into the index."""
    calls = []
    build = Upkeep.build
    monkeypatch.setattr(Upkeep, "build", lambda self, anew=False: calls.append(anew) or build(self, anew))
    return calls


@pytest.fixture
def database(tmp_path):
    return ff.LmdbDatabase(tmp_path / "store")


def test_a_store_without_an_index_gets_one_when_it_is_asked(database, monkeypatch):
    with monkeypatch.context() as patch:
        _without_index(patch)
        _put(database, range(700))
    assert not _is_current(database)
    assert len(database.find(_criteria(third=0))) == 234 and _is_current(database)
    calls = _builds(monkeypatch)
    _put(database, range(700, 703))
    assert len(database.find(_criteria(third=0))) == 235 and calls == []
    _put(database, range(703, 900))
    assert len(database.find(_criteria(third=0))) == 300 and calls == [False]
    assert not list(database.inspect_index())


def test_writers_that_know_no_index_cause_no_misses(database, monkeypatch):
    _put(database, range(200))
    assert len(database.find(_criteria(label="a"))) == 200
    with monkeypatch.context() as patch:
        _without_index(patch)
        _put(database, range(50), label="b")
        del database["0199"]
    assert len(database.find(_criteria(label="a"))) == 149 and len(database.find(_criteria(label="b"))) == 50
    with monkeypatch.context() as patch:
        _without_index(patch)
        database.change({}, {"failed": lambda old: b"why"})
    _put(database, [7], label="c")
    assert database.find(_criteria(label="c")) == ["0007"] and not list(database.inspect_index())


def test_a_commit_stays_one_transaction(database):
    _put(database, [0])
    before = _transaction(database)
    for number in range(1, 5):
        _put(database, [number, 0])
    del database["0002"]
    database.change({}, {"failed": lambda old: b"why"})
    assert _transaction(database) == before + 6
    assert len(database.find(_criteria(label="a"))) == 4
    assert _transaction(database) == before + 6, "the few that wait are read, not written"


def test_making_an_index_goes_on_where_it_was_interrupted(database, monkeypatch):
    with monkeypatch.context() as patch:
        _without_index(patch)
        _put(database, range(300))
    monkeypatch.setattr(upkeep, "_STEP", 40)
    step, steps = Upkeep._step, []

    def interrupted(self, txn, db):
        steps.append(len(steps))
        if len(steps) == 4:
            raise KeyboardInterrupt
        return step(self, txn, db)

    monkeypatch.setattr(Upkeep, "_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        database.find(_criteria(label="a"))
    # documents on both sides of where it stopped
    _put(database, [1, 299], label="b")
    del database["0002"], database["0298"]
    _put(database, [1000], label="b")
    assert len(database.find(_criteria(label="a"))) == 296 and 8 <= len(steps) <= 12
    assert sorted(database.find(_criteria(label="b"))) == ["0001", "0299", "1000"]
    assert not list(database.inspect_index())


def test_others_write_while_an_index_is_made(database, monkeypatch):
    with monkeypatch.context() as patch:
        _without_index(patch)
        _put(database, range(0, 400, 2))
    monkeypatch.setattr(upkeep, "_STEP", 20)
    step, rng = Upkeep._step, random.Random(0)
    expected = dict.fromkeys(range(0, 400, 2), "a")

    def between_steps(self):
        for _ in range(5):
            number, label = rng.randrange(400), rng.choice(["a", "b", None])
            expected[number] = label
            if label is None:
                database.change({f"{number:04d}": lambda old: None})
            else:
                _put(database, [number], label)

    run = database._environment.run

    def interleaved(action, **options):
        if getattr(action, "__func__", None) is step:
            between_steps(database)
        return run(action, **options)

    monkeypatch.setattr(database._environment, "run", interleaved)
    for label in ("a", "b"):
        wanted_ids = database.find(_criteria(label=label))
        assert sorted(wanted_ids) == sorted(f"{number:04d}" for number, found in expected.items() if found == label)
    assert not list(database.inspect_index())


def _spoil(database, change):
    """Change the index behind its back."""

    def spoil(txn, db):
        change(txn, db[b"index"])
        renew(txn, db[b"pending"], is_current=True)

    database._environment.run(spoil, write=True)
    assert _is_current(database)


def _entry(txn, index, start):
    with txn.cursor(index) as cursor:
        assert cursor.set_range(start)
        return bytes(cursor.key()), bytes(cursor.value())


def _drop(start):
    return lambda txn, index: txn.delete(_entry(txn, index, start)[0], db=index)


def _cut(start, is_sealed=True):
    """Cut an entry; its checksum tells, or does not where it was written that way."""

    def change(txn, index):
        key, value = _entry(txn, index, start)
        txn.put(key, sealed(key, value[4:-1]) if is_sealed else value[:-1], db=index)

    return change


def _flip(start):
    def change(txn, index):
        key, value = _entry(txn, index, start)
        txn.put(key, value[:-1] + bytes([value[-1] ^ 1]), db=index)

    return change


def _more(txn, index):
    """A term that no document has."""
    key, value = _entry(txn, index, b"p")
    more = key[:5] + value_key("zzz") + key[-4:]
    txn.put(more, sealed(more, value[4:]), db=index)


@pytest.mark.parametrize(
    "change", [_drop(b"p"), _drop(b"n"), _drop(b"d"), _cut(b"p"), _cut(b"n"), _cut(b"f\0"), _flip(b"p"), _more]
)
def test_an_index_that_is_wrong_is_seen_and_mended(database, change):
    _put(database, range(300))
    assert len(database.find(_criteria(label="a"))) == 300
    _spoil(database, change)
    found = list(ff.verify(database))
    assert found and all("zounds-lite compact" in str(damage) for damage in found)
    ff.compact(database)
    assert not list(ff.verify(database)) and _is_current(database)
    assert len(database.find(_criteria(label="a"))) == 300 and database.find(_criteria(label="zzz")) == []


@pytest.mark.parametrize(
    "change", [spoil(start) for start in (b"p", b"n", b"f\0") for spoil in (_cut, _flip, lambda at: _cut(at, False))]
)
def test_an_index_that_is_damaged_is_made_anew_when_it_is_asked(database, change):
    _put(database, range(300))
    assert len(database.find(_criteria(label="a"))) == 300
    _spoil(database, change)
    assert len(database.find(_criteria(label="a", third=[0, 1, 2], n=between(0, 1000)))) == 300
    assert database.count_fields() == {("meta", "label"): 300, ("meta", "n"): 300, ("meta", "third"): 300}
    assert not list(database.inspect_index())


@pytest.mark.parametrize(
    "change", [_drop(b"p"), _drop(b"n"), _cut(b"p"), _cut(b"n"), _cut(b"d"), _flip(b"d"), _flip(b"f")]
)
def test_records_are_written_whatever_the_index_is(database, change):
    _put(database, range(300))
    assert len(database.find(_criteria(label="a"))) == 300
    _spoil(database, change)
    for number in range(300):
        database.put(f"{number:04d}", make_json_record(f"{number:04d}", meta={"label": "b", "n": number, "third": 0}))
    assert len(database.find(_criteria(label="b"))) == 300 and database.find(_criteria(label="a")) == []
    assert database.count_fields()["meta", "n"] == 300 and not list(database.inspect_index())


def test_a_compacted_store_keeps_its_index(database, monkeypatch):
    _put(database, range(300))
    database.find(_criteria(label="a"))
    ff.compact(database)
    calls = _builds(monkeypatch)
    assert len(database.find(_criteria(label="a"))) == 300 and _is_current(database)
    _put(database, range(300, 310))
    assert len(database.find(_criteria(label="a"))) == 310 and calls == []


def test_copies_and_merged_stores_are_asked_alike(database, tmp_path):
    _put(database, range(150))
    ff.copy(database, tmp_path / "copy")
    copied = ff.LmdbDatabase(tmp_path / "copy")
    assert sorted(copied.find(_criteria(third=1))) == sorted(database.find(_criteria(third=1)))
    other = ff.LmdbDatabase(tmp_path / "other")
    _put(other, range(100, 200), label="b")
    ff.merge([other], copied, on_conflict="replace")
    assert len(copied.find(_criteria(label="b"))) == 100 and len(copied.find(_criteria(label="a"))) == 100
    assert not list(copied.inspect_index())


def test_a_store_that_cannot_be_written_is_read_instead(database, monkeypatch):
    with monkeypatch.context() as patch:
        _without_index(patch)
        _put(database, range(100))

    def refuse(self, anew=False):
        raise StoreLocked("read-only")

    monkeypatch.setattr(Upkeep, "build", refuse)
    assert len(database.find(_criteria(third=0))) == 34
    assert database.count_fields() == {("meta", "label"): 100, ("meta", "n"): 100, ("meta", "third"): 100}
    assert database.count_values("meta", "third", _criteria(n=between(0, 4))) == [(0, 2), (1, 2), (2, 1)]
    assert not _is_current(database)


def _write_and_ask(path, seed):
    database, rng = ff.LmdbDatabase(path), random.Random(seed)
    while True:
        _put(database, {rng.randrange(2000) for _ in range(rng.choice([1, 50]))}, rng.choice("abc"))
        database.find(_criteria(label="a"))
        database.change({f"{rng.randrange(2000):04d}": lambda old: None})


def test_nothing_is_missed_after_writers_are_killed(tmp_path):
    path = tmp_path / "store"
    database = ff.LmdbDatabase(path)
    context = multiprocessing.get_context("spawn")
    for seed in range(3):
        children = [context.Process(target=_write_and_ask, args=(path, 2 * seed + n)) for n in range(2)]
        for child in children:
            child.start()
        began, before = time.monotonic(), _transaction(database)
        while _transaction(database) < before + 40 and time.monotonic() < began + 30:
            time.sleep(0.01)
        for child in children:
            os.kill(child.pid, signal.SIGKILL)
            child.join()
        assert _transaction(database) >= before + 40
        assert not list(database.inspect_index()) and _is_current(database)
        records = {_id: bytes(database.read(_id).entries["meta"].data) for _id in database}
        for label in "abc":
            expected = [_id for _id, raw in records.items() if b'"label": "' + label.encode() in raw]
            assert sorted(database.find(_criteria(label=label))) == sorted(expected)
        assert not list(database.inspect_index())


def test_many_terms_are_in_order_over_many_blocks(database):
    for start in range(0, 5000, 1000):
        _put(database, range(start, start + 1000))
    assert database.find(_criteria(label="a")) == [f"{n:04d}" for n in range(5000)]
    assert database.find(_criteria(third=[2, 0], n=between(2040, 2055))) == [
        f"{n:04d}" for n in range(2040, 2056) if n % 3 != 1
    ]
    for start in range(0, 5000, 1000):
        database.change({f"{n:04d}": lambda old: None for n in range(start, start + 1000) if n % 2})
    assert database.find(_criteria(label="a")) == [f"{n:04d}" for n in range(0, 5000, 2)]
    assert database.count_values("meta", "third") == [(0, 834), (1, 833), (2, 833)]
    assert not list(database.inspect_index())
