"""Documents: what is computed when, what is stored, and what is visible."""

import io
import logging
import threading

import numpy as np
import pytest

from zounds_lite import featureflow as ff
from zounds_lite.errors import (
    CorruptValue,
    DeclarationError,
    FeatureNotComputable,
    GraphError,
    InvalidId,
    KeyNotFound,
    MissingArgument,
    ModelExistsError,
    NoPersistenceSettingsError,
    UntrustedValue,
)

calls = []
log = logging.getLogger("calls")  # code that names a list depends on what the list holds; a logger counts by name


class Recorded(ff.Node):
    """Adds one, and remembers that it was called."""

    def __init__(self, name="", needs=None):
        super().__init__(needs=needs)
        self.name = name

    def _process(self, data):
        log.info(self.name)
        yield data + 1


class _Collect(logging.Handler):
    def emit(self, record):
        calls.append(record.getMessage())


@pytest.fixture(autouse=True)
def no_calls():
    calls.clear()
    handler = _Collect()
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield
    log.removeHandler(handler)


@pytest.fixture(params=["memory", "files", "lmdb"])
def database(request, tmp_path):
    if request.param == "memory":
        return ff.InMemoryDatabase()
    if request.param == "files":
        return ff.FileSystemDatabase(tmp_path / "store", createdirs=True)
    return ff.LmdbDatabase(tmp_path / "store")


def model(database):
    class Settings(ff.PersistenceSettings):
        pass

    Settings.database = database
    Settings.id_provider = ff.UserSpecifiedIdProvider("_id")

    class Document(ff.BaseModel, Settings):
        number = ff.JSONFeature(ff.IteratorNode, store=True)
        a = ff.JSONFeature(Recorded, name="a", needs=number, store=False)
        b = ff.JSONFeature(Recorded, name="b", needs=a, store=True)
        c = ff.JSONFeature(Recorded, name="c", needs=b, store=False)
        pruned = ff.JSONFeature(Recorded, name="pruned", needs=a, store=False)

    return Document


def test_only_what_stored_features_need_is_computed(database):
    Document = model(database)
    assert Document.process(number=[1], _id="d") == "d"
    assert calls == ["a", "b"]
    document = Document("d")
    assert (document.number, document.b) == (1, 3)
    assert calls == ["a", "b"]
    assert (document.c, document.c) == (4, 4)
    assert calls == ["a", "b", "c"]  # from the stored b, once for this instance
    assert Document("d").c == 4
    assert calls == ["a", "b", "c", "c"]


def test_a_stored_feature_that_is_added_later_is_computed_once(database):
    Document = model(database)
    Document.process(number=[1], _id="d")

    class More(Document):
        late = ff.JSONFeature(Recorded, name="late", needs=Document.c, store=True)

    calls.clear()
    assert More("d").late == 5
    assert calls == ["c", "late"]
    assert More("d").late == 5
    assert calls == ["c", "late"]


def test_a_failing_node_leaves_nothing_behind(database, tmp_path):
    class Settings(ff.PersistenceSettings):
        pass

    Settings.database = database
    Settings.id_provider = ff.UserSpecifiedIdProvider("_id")

    class Bad(ff.Node):
        def _process(self, data):
            yield np.zeros((200_000, 2))
            raise RuntimeError("at chunk 2")

    class Document(ff.BaseModel, Settings):
        number = ff.JSONFeature(ff.IteratorNode, store=True)
        large = ff.NumpyFeature(Bad, needs=number, store=True)

    with pytest.raises(RuntimeError, match="at chunk 2"):
        Document.process(number=[1], _id="d")
    assert not Document.exists("d") and list(Document) == []
    assert not [file for file in tmp_path.rglob("*") if file.suffix in (".part", ".blob")]


def test_processing_again_replaces_the_document(database):
    Document = model(database)
    Document.process(number=[1], _id="d")
    Document.process(number=[10], _id="d")
    assert Document("d").b == 12
    with pytest.raises(ModelExistsError, match="'d' exists"):
        Document.process(raise_if_exists=True, number=[1], _id="d")
    Document.delete("d")
    assert not Document.exists("d")
    with pytest.raises(KeyNotFound, match="no document 'd'"):
        Document.delete("d")


@pytest.mark.parametrize("rows", [0, 1, 1000, 300_000])
def test_arrays_come_back_bit_by_bit(database, rows):
    class Settings(ff.PersistenceSettings):
        pass

    Settings.database = database

    class Document(ff.BaseModel, Settings):
        array = ff.NumpyFeature(ff.IteratorNode, store=True)

    data = np.random.default_rng(rows).normal(size=(rows, 3)).astype(np.float32)
    document = Document(Document.process(array=np.array_split(data, 7) if rows else [data]))
    assert document.array.dtype == np.float32 and np.array_equal(document.array, data)
    with pytest.raises(ValueError, match="read-only"):
        document.array[...] = 0


def test_inherited_features_follow_an_override(database):
    Document = model(database)

    class Other(Document):
        a = ff.JSONFeature(lambda x: x * 100, needs=Document.number, store=False)

    assert Other(Other.process(number=[2], _id="d")).b == 201
    assert Document(Document.process(number=[2], _id="d")).b == 4
    assert Document.features["a"] is not Other.features["a"]


def test_a_feature_may_have_several_bases():
    class Left(ff.BaseModel):
        x = ff.JSONFeature(ff.IteratorNode, store=True)
        left = ff.JSONFeature(lambda x: x + 1, needs=x, store=True)

    class Right(ff.BaseModel):
        y = ff.JSONFeature(ff.IteratorNode, store=True)
        right = ff.JSONFeature(lambda y: y * 2, needs=y, store=True)

    @ff.simple_in_memory_settings
    class Both(Left, Right):
        total = ff.JSONFeature(lambda d: d["left"] + d["right"], needs=(Left.left, Right.right), store=True)

    assert Both(Both.process(x=[1], y=[10])).total == 22


def test_aspects_and_variables():
    class Split(ff.Node):
        def _process(self, data):
            yield {"even": [x for x in data if x % 2 == 0], "odd": [x for x in data if x % 2]}

    class Power(ff.Node):
        def __init__(self, exponent=1, needs=None):
            super().__init__(needs=needs)
            self.exponent = exponent

        def _process(self, data):
            yield [x**self.exponent for x in data]

    @ff.simple_in_memory_settings
    class Document(ff.BaseModel):
        numbers = ff.JSONFeature(ff.Node, store=True)
        split = ff.JSONFeature(Split, needs=numbers)
        powers = ff.JSONFeature(Power, needs=split.aspect("odd"), exponent=ff.Var("exponent"), store=True)
        lazy = ff.JSONFeature(Power, needs=split.aspect("even"), exponent=ff.Var("exponent"))

    document = Document(Document.process(numbers=[1, 2, 3], exponent=2))
    assert (document.powers, document.lazy) == ([1, 9], [4])
    with pytest.raises(MissingArgument, match="missing: exponent"):
        Document.process(numbers=[1])


def test_sources_in_memory_are_kept_unless_told_otherwise(database):
    class Settings(ff.PersistenceSettings):
        pass

    Settings.database = database

    class Document(ff.BaseModel, Settings):
        raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=4, store=False)
        head = ff.TextFeature(lambda chunk: chunk.decode(), needs=raw, store=False)

    class Forgetful(Document):
        keep_source = False

    for source in (b"some bytes", io.BytesIO(b"some bytes")):
        assert Document(Document.process(raw=source)).head == "some bytes"
        forgotten = Forgetful(Forgetful.process(raw=source))
        with pytest.raises(FeatureNotComputable, match="head.*cannot be computed.*process the document again"):
            _ = forgotten.head


def test_pickle_features_hold_typed_data_and_refuse_the_rest():
    class Odd:
        pass

    @ff.simple_in_memory_settings
    class Document(ff.BaseModel):
        value = ff.PickleFeature(ff.IteratorNode, store=True)

    value = {"a": [1, (2.5, None)], 3: np.arange(6).reshape(2, 3), "b": {"type": "x"}}
    back = Document(Document.process(value=[value])).value
    assert back["a"] == value["a"] and isinstance(back["a"][1], tuple) and back["b"] == value["b"]
    assert np.array_equal(back[3], value[3])
    with pytest.raises(UntrustedValue, match="trust=True"):
        Document.process(value=[Odd()])


class Plain:
    """What only pickle can hold."""

    def __init__(self, x):
        self.x = x


def test_pickle_needs_trust_to_write_and_to_read():
    @ff.simple_in_memory_settings
    class Trusting(ff.BaseModel):
        value = ff.PickleFeature(ff.IteratorNode, store=True, trust=True)

    _id = Trusting.process(value=[Plain(7)])
    assert Trusting(_id).value.x == 7
    entry = Trusting.database.read(_id).entries["value"]
    stored = Trusting(_id)._read(lambda snapshot: snapshot.value(entry, "value", Trusting.database))
    with pytest.raises(UntrustedValue, match="only a feature declared with trust=True"):
        ff.TypedDecoder().decode(stored)


def test_other_kinds_of_features(database):
    class Settings(ff.PersistenceSettings):
        pass

    Settings.database = database

    class Document(ff.BaseModel, Settings):
        text = ff.TextFeature(ff.IteratorNode, store=True)
        squeezed = ff.CompressedFeature(lambda x: x, needs=text, store=True)
        raw = ff.Feature(lambda x: x.encode(), needs=text, store=True)
        latest = ff.ClobberJSONFeature(lambda x: {"seen": x}, needs=text, store=True)
        plain = ff.Feature(lambda x: {"not": "bytes"}, needs=text, store=False)

    document = Document(Document.process(text=["one ", "two"]))
    assert document.text == "one two"
    assert document.squeezed == "one two"
    assert document.raw.read() == b"one two"
    assert document.latest == {"seen": "two"}
    assert Document(document._id).plain == {"not": "bytes"} or len(document.plain) == 2


def test_a_plain_feature_refuses_to_store_objects():
    @ff.simple_in_memory_settings
    class Document(ff.BaseModel):
        value = ff.Feature(ff.IteratorNode, store=True)

    with pytest.raises(UntrustedValue, match="stores bytes, got dict.*JSONFeature"):
        Document.process(value=[{}])


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({}, MissingArgument, "needs number; missing: number; given: nothing"),
        ({"number": [1], "wrong": 2}, GraphError, "got wrong; allowed: _id, number"),
        ({"number": [1]}, MissingArgument, "takes ids from its caller"),
        ({"number": [1], "_id": ""}, InvalidId, "non-empty text, got ''"),
        ({"number": [1], "_id": 7}, InvalidId, "non-empty text, got 7"),
    ],
)
def test_wrong_arguments_of_process(arguments, error, words):
    with pytest.raises(error, match=words):
        model(ff.InMemoryDatabase()).process(**arguments)


def test_wrong_declarations_and_reads():
    with pytest.raises(DeclarationError, match="Node class or a function, got 7"):
        ff.Feature(7)
    with pytest.raises(DeclarationError, match="encoder is a Node class"):
        ff.Feature(ff.IteratorNode, encoder=str)

    class Unsettled(ff.BaseModel):
        number = ff.JSONFeature(ff.IteratorNode, store=True)

    for action in (lambda: Unsettled.process(number=[1]), lambda: Unsettled("d").number, lambda: list(Unsettled)):
        with pytest.raises(NoPersistenceSettingsError, match="decorate it"):
            action()
    Document = model(ff.InMemoryDatabase())
    with pytest.raises(KeyNotFound, match="no document 'nothing'"):
        _ = Document("nothing").b
    with pytest.raises(DeclarationError, match="needs the id"):
        Document.exists()
    with pytest.raises(DeclarationError, match="not stored"):
        Document.exists("d", "a")
    with pytest.raises(AttributeError, match="without an id"):
        _ = Document().b


def test_exists_random_and_iteration():
    Document = model(ff.InMemoryDatabase())
    with pytest.raises(KeyNotFound, match="no documents"):
        Document.random()
    for _id in "abc":
        Document.process(number=[1], _id=_id)
    assert Document.exists("a") and Document.exists("a", "b") and not Document.exists("x")
    assert sorted(document._id for document in Document) == ["a", "b", "c"]
    assert Document.random()._id in "abc"


def test_static_ids_need_no_id():
    class Settings(ff.PersistenceSettings):
        id_provider = ff.StaticIdProvider("only")

    class Single(ff.BaseModel, Settings):
        number = ff.JSONFeature(ff.IteratorNode, store=True)

    assert not Single.exists()
    Single.process(number=[5])
    assert Single.exists() and Single().number == 5


def test_a_flipped_bit_in_a_small_value_is_found():
    database = ff.InMemoryDatabase()
    Document = model(database)
    Document.process(number=[1], _id="d")
    raw = bytearray(database._records["d"])
    raw[-1] ^= 1
    database._records["d"] = bytes(raw)
    with pytest.raises(CorruptValue, match="feature 'b' of document 'd' fails its checksum"):
        _ = Document("d").b


def test_several_threads_process_the_same_class(database):
    Document = model(database)
    threads = [threading.Thread(target=lambda i=i: Document.process(number=[i], _id=str(i))) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {document._id: document.b for document in Document} == {str(i): i + 2 for i in range(20)}


def test_a_feature_may_have_a_store_of_its_own(tmp_path):
    other = ff.LmdbDatabase(tmp_path / "other")

    class Elsewhere(ff.PersistenceSettings):
        database = other

    @ff.simple_in_memory_settings
    class Document(ff.BaseModel):
        number = ff.JSONFeature(ff.IteratorNode, store=True)
        there = ff.JSONFeature(Recorded, name="there", needs=number, store=True, persistence=Elsewhere)

    _id = Document.process(number=[1])
    assert Document(_id).there == 2 and calls == ["there"]
    assert "there" in other.read(_id).entries and "there" not in Document.database.read(_id).entries


def test_the_event_log_replays_and_follows(tmp_path):
    log = ff.EventLog(tmp_path / "log", ff.InMemoryChannel())

    class Settings(ff.PersistenceSettings):
        event_log = log

    class Document(ff.BaseModel, Settings):
        number = ff.JSONFeature(ff.IteratorNode, store=True)

    first = Document.process(number=[1])
    entries = list(log.subscribe(raise_when_empty=True))
    second = Document.process(number=[2])
    rest = list(log.subscribe(last_id=entries[-1][0], raise_when_empty=True))
    assert [first in entries[0][1], len(entries), second in rest[0][1], len(rest)] == [True, 1, True, 1]
    log.close()


def test_database_iterator():
    Document = model(ff.InMemoryDatabase())
    for i in range(3):
        Document.process(number=[i], _id=str(i))
    assert sorted(ff.DatabaseIterator(func=lambda _id: Document(_id).b).run([Document.database])) == [2, 3, 4]
