"""Documents under fire: replaced, deleted, damaged or half made while they are read."""

import io
import threading

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.errors import (
    CorruptValue,
    DeclarationError,
    DimensionError,
    FeatureNotComputable,
    KeyNotFound,
    ModelExistsError,
    StoreLocked,
    UntrustedValue,
)
from zounds_lite.featureflow import model, snapshot
from zounds_lite.featureflow.lineage import Lineage


@pytest.fixture(params=["memory", "files", "lmdb"])
def database(request, tmp_path):
    if request.param == "memory":
        return ff.InMemoryDatabase()
    if request.param == "files":
        return ff.FileSystemDatabase(tmp_path / "store", createdirs=True)
    return ff.LmdbDatabase(tmp_path / "store")


def settings(database):
    class Settings(ff.PersistenceSettings):
        id_provider = ff.UserSpecifiedIdProvider("_id")

    Settings.database = database
    return Settings


def models(database):
    """A document, and the same with a stored feature that older documents lack."""

    class Document(ff.BaseModel, settings(database)):
        a = ff.Feature(ff.IteratorNode, store=False)
        s = ff.JSONFeature(lambda x: x, needs=a, store=True)
        large = ff.NumpyFeature(lambda x: np.full((200_000, 2), len(x)), needs=a, store=True)

    class Later(Document):
        t = ff.JSONFeature(lambda x: x + "!", needs=Document.a, store=True)
        lazy = ff.JSONFeature(lambda x: x + "?", needs=Document.a)

    return Document, Later


def test_a_lazy_value_never_mixes_two_attempts(database):
    Document, Later = models(database)
    Document.process(a=["old"], _id="d")
    document = Later("d")
    assert document.s == "old"
    Document.process(a=["new"], _id="d")
    assert document.t == "old!"  # this object shows the old document; what it computed is not stored in the new one
    assert "t" not in database.read("d").entries
    now = Later("d")
    assert (now.s, now.t, now.lazy) == ("new", "new!", "new?")


def test_a_lazy_value_never_brings_a_deleted_document_back(database):
    Document, Later = models(database)
    Document.process(a=["x"], _id="d")
    document = Later("d")
    assert document.s == "x"
    Document.delete("d")
    with pytest.raises(KeyNotFound, match="deleted while"):
        _ = document.t
    assert not Later.exists("d") and list(Later) == []


def test_reading_goes_on_while_a_document_is_replaced(database):
    Document, _ = models(database)
    Document.process(a=["x"], _id="d")
    document = Document("d")
    assert document.s == "x"
    Document.process(a=["longer"], _id="d")
    assert document.large[0, 0] == 1 and Document("d").large[0, 0] == 6
    Document.delete("d")
    assert document.large[0, 0] == 1


def test_an_object_never_mixes_two_attempts_where_blobs_cannot_be_held(database, monkeypatch):
    monkeypatch.setattr("zounds_lite.featureflow.snapshot._MOST_MAPS", 0)
    Document, _ = models(database)
    Document.process(a=["x"], _id="d")
    unread, read = Document("d"), Document("d")
    assert unread.explain("d", "s").stored and read.s == "x"
    Document.process(a=["longer"], _id="d")
    assert unread.large[0, 0] == 6
    with pytest.raises(StoreLocked, match="make a new Document"):
        _ = read.large


def test_update_goes_on_where_the_document_is_replaced_meanwhile(database, monkeypatch):
    Document, Later = models(database)
    Document.process(a=["x"], _id="d")
    real = Lineage.hash
    replaced = []

    def replace_once(self, feature):
        if not replaced and feature.name == "t":
            replaced.append(Document.process(a=["new"], _id="d"))
        return real(self, feature)

    monkeypatch.setattr(Lineage, "hash", replace_once)
    assert Later.update("d") == ["t"]
    assert Later("d").t == "new!"


def test_a_value_that_many_threads_want_is_right_in_all(database):
    Document, _ = models(database)
    Document.process(a=["x"], _id="d")

    class Wanted(Document):
        big = ff.NumpyFeature(lambda x: np.arange(300_000.0), needs=Document.a, store=True)

    errors, values = [], []

    def read():
        try:
            values.append(float(Wanted("d").big.sum()))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test names it
            errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and set(values) == {float(np.arange(300_000.0).sum())}


def _files(tmp_path):
    return [file for file in tmp_path.rglob("*") if file.suffix in (".part", ".blob")]


def test_nothing_is_left_of_a_document_that_fails(tmp_path):
    class Bad(ff.Node):
        def _process(self, data):
            raise RuntimeError("bad")
            yield

    class BadEncoder(ff.NumpyEncoder):
        @property
        def header(self):
            raise RuntimeError("bad header")

    for encoder, node in ((None, Bad), (BadEncoder, ff.Node)):

        class Document(ff.BaseModel, settings(ff.LmdbDatabase(tmp_path / "store"))):
            raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=4096, store=True)
            array = ff.NumpyFeature(lambda x: np.zeros(300_000), needs=raw, store=False)
            bad = ff.NumpyFeature(node, needs=array, store=True, encoder=encoder)

        with pytest.raises(RuntimeError, match="bad"):
            Document.process(raw=io.BytesIO(bytes(3_000_000)), _id="d")
        assert not Document.exists("d") and _files(tmp_path) == []


def test_nothing_is_left_where_the_store_is_full(tmp_path, monkeypatch):
    from zounds_lite.errors import StoreFull

    database = ff.LmdbDatabase(tmp_path / "store")
    Document, _ = models(database)

    def full(changes, failures=None):
        raise StoreFull("no room")

    monkeypatch.setattr(database, "change", full)
    with pytest.raises(StoreFull):
        Document.process(a=["x"], _id="d")
    assert _files(tmp_path) == []


@pytest.mark.parametrize(
    "kind", [ff.TextFeature, ff.CompressedFeature, ff.PickleFeature, ff.ByteStreamFeature, ff.Feature]
)
def test_a_flipped_bit_in_a_blob_is_found_by_every_copying_read(tmp_path, kind):
    rng = np.random.default_rng(0)
    text = "".join(chr(c) for c in rng.integers(32, 127, 3_000_000))

    class Document(ff.BaseModel, settings(ff.LmdbDatabase(tmp_path / "store"))):
        a = ff.Feature(ff.Node, store=False)
        b = (
            kind(lambda x: x.encode() if kind in (ff.Feature, ff.ByteStreamFeature) else x, needs=a, store=True)
            if (kind is not ff.ByteStreamFeature)
            else ff.ByteStreamFeature(
                ff.ByteStream, needs=ff.Feature(str.encode, needs=a), chunksize=100_000, store=True
            )
        )

    if kind is ff.PickleFeature:
        Document.process(a=[text, np.arange(300_000)], _id="d")
    else:
        Document.process(a=text, _id="d")
    for blob in _files(tmp_path):
        raw = bytearray(blob.read_bytes())
        raw[600_000] ^= 1
        blob.write_bytes(raw)

    def read():
        value = Document("d").b
        value.read() if hasattr(value, "read") else list(value) if kind is ff.ByteStreamFeature else value

    with pytest.raises(CorruptValue, match="feature 'b' of document 'd'"):
        read()


def test_values_reach_dependents_as_process_gave_them(database):
    """What is computed from a stored value is what process would have computed from the node's own chunks."""

    class Words(ff.Node):
        def _process(self, data):
            yield from data.split()

    class Document(ff.BaseModel, settings(database)):
        text = ff.Feature(ff.Node)
        raw = ff.Feature(lambda x: x.encode(), needs=text, store=True)
        words = ff.JSONFeature(Words, needs=text, store=True)
        squeezed = ff.CompressedFeature(Words, needs=text, store=True)
        empty = ff.NumpyFeature(lambda x: np.zeros((0, 3), np.float32), needs=text, store=True)
        scalar = ff.NumpyFeature(lambda x: np.array(3.0), needs=text, store=True)

    class Below(Document):
        from_raw = ff.JSONFeature(lambda x: len(x), needs=Document.raw)
        from_words = ff.JSONFeature(lambda x: x.upper(), needs=Document.words)
        from_squeezed = ff.TextFeature(lambda x: x + "", needs=Document.squeezed)
        from_empty = ff.JSONFeature(lambda x: list(x.shape), needs=Document.empty)
        from_scalar = ff.JSONFeature(lambda x: float(x) * 2, needs=Document.scalar)

    Document.process(text="one two three", _id="d")
    document = Below("d")
    assert document.from_raw == 13
    assert document.words == ["one", "two", "three"] and document.from_words == ["ONE", "TWO", "THREE"]
    assert document.from_squeezed == "onetwothree" == document.squeezed
    assert document.from_empty == [0, 3] and document.from_scalar == 6
    assert document.scalar.shape == () and document.empty.shape == (0, 3)


@pytest.mark.parametrize(
    "source",
    [
        b"some bytes",
        "a text that is no file",
        7,
        [1, 2.5, None, {"a": "b"}],
        ["[" * 300],
        "x" * 100_000,
        io.BytesIO(b"file"),
    ],
)
def test_sources_come_back_as_they_were_given(database, source):
    class Document(ff.BaseModel, settings(database)):
        a = ff.Feature(ff.Node)
        stored = ff.JSONFeature(lambda x: type(x).__name__, needs=a, store=True)
        lazy = ff.PickleFeature(lambda x: x.read() if hasattr(x, "read") else x, needs=a)

    Document.process(a=source, _id="d")
    document = Document("d")
    assert document.lazy == (b"file" if isinstance(source, io.BytesIO) else source)
    assert type(document.lazy) is type(source) or isinstance(source, io.BytesIO)


def test_what_cannot_be_written_down_exactly_is_not_kept(database):
    class Document(ff.BaseModel, settings(database)):
        a = ff.Feature(ff.IteratorNode)
        stored = ff.JSONFeature(lambda x: x, needs=a, store=True)
        lazy = ff.JSONFeature(lambda x: x, needs=a)

    Document.process(a=iter([1]), _id="d")
    with pytest.raises(FeatureNotComputable, match="lazy of document 'd'.*process the document again"):
        _ = Document("d").lazy


def test_a_variable_that_cannot_be_kept_is_named():
    class Apply(ff.Node):
        def __init__(self, function=None, needs=None):
            super().__init__(needs=needs)
            self.function = function

        def _process(self, data):
            yield self.function(data)

    class Document(ff.BaseModel, settings(ff.InMemoryDatabase())):
        a = ff.Feature(ff.Node)
        stored = ff.JSONFeature(Apply, needs=a, function=ff.Var("k"), store=True)
        lazy = ff.JSONFeature(Apply, needs=a, function=ff.Var("k"))

    Document.process(a=1, k=lambda x: x + 1, _id="d")
    assert Document("d").stored == 2
    with pytest.raises(FeatureNotComputable, match="lazy needs 'k'"):
        _ = Document("d").lazy


@pytest.mark.parametrize(
    "kind", [ff.JSONFeature, ff.TextFeature, ff.NumpyFeature, ff.PickleFeature, ff.ClobberJSONFeature]
)
@pytest.mark.parametrize("store", [True, False])
def test_a_node_that_yields_nothing_is_named(kind, store):
    class Nothing(ff.Node):
        def _process(self, data):
            yield from ()

    class Document(ff.BaseModel, settings(ff.InMemoryDatabase())):
        a = ff.JSONFeature(ff.Node, store=True)
        empty = kind(Nothing, needs=a, store=store)

    with pytest.raises(FeatureNotComputable, match="empty.*yielded nothing"):
        Document.process(a=1, _id="d")
        _ = Document("d").empty
    assert Document.exists("d") == (not store)


def test_pickle_features_keep_units_and_refuse_look_alikes():
    from collections import namedtuple

    class Document(ff.BaseModel, settings(ff.InMemoryDatabase())):
        value = ff.PickleFeature(ff.Node, store=True)

    samples = zounds.SineSynthesizer(zounds.SR8000()).synthesize(zounds.Seconds(20))
    spectrum = zounds.spectral.stft(samples)
    Document.process(value=[samples, {"fft": spectrum}, np.array(3.0)], _id="d")
    back, inner, scalar = Document("d").value
    assert type(back) is zounds.AudioSamples and back.samplerate == samples.samplerate and np.array_equal(back, samples)
    assert inner["fft"].dimensions == spectrum.dimensions and scalar.shape == ()
    for value in (namedtuple("P", "x y")(1, 2), np.ma.masked_array([1, 2], [0, 1])):
        with pytest.raises(UntrustedValue, match="something else"):
            Document.process(value=value, _id="e")


def test_clobber_features_may_be_trusted():
    class Document(ff.BaseModel, settings(ff.InMemoryDatabase())):
        value = ff.ClobberPickleFeature(ff.IteratorNode, store=True, trust=True)

    Document.process(value=[1, {1, 2}, {3}], _id="d")
    assert Document("d").value == {3}


def test_json_refuses_nan_and_arrays_refuse_what_they_cannot_read_back():
    class Document(ff.BaseModel, settings(ff.InMemoryDatabase())):
        value = ff.JSONFeature(ff.Node, store=True)

    class Arrays(ff.BaseModel, settings(ff.InMemoryDatabase())):
        value = ff.NumpyFeature(ff.Node, store=True)

    with pytest.raises(UntrustedValue, match="NaN.*None"):
        Document.process(value=float("nan"), _id="d")
    aligned = np.zeros(3, np.dtype([("a", "u1"), ("b", "f8")], align=True))
    nested = np.zeros(3, [("a", [("b", "f8")])])
    for array in (aligned, nested, np.array([object()])):
        with pytest.raises(DimensionError, match="packed records"):
            Arrays.process(value=array, _id="d")
    for array in (np.zeros(3, [("a", "f8", (2,))]), np.arange(3, dtype=">i4"), np.array(["a", "bc"]), np.ones(2, bool)):
        Arrays.process(value=array, _id="d")
        assert np.array_equal(Arrays("d").value, array)


def test_many_lazy_features_do_not_make_a_record_too_large(tmp_path):
    from zounds_lite.featureflow.record import INLINE_LIMIT

    names = [f"f{i}" for i in range(6)]
    base = {"a": ff.Feature(ff.Node)}
    features = {
        name: ff.NumpyFeature(lambda x, i=i: np.full(100_000, i), needs=base["a"], store=True)
        for i, name in enumerate(names)
    }
    database = ff.LmdbDatabase(tmp_path / "store")
    small = type(ff.BaseModel)("Document", (ff.BaseModel, settings(database)), dict(base))
    small.process(a=1, _id="d")
    model = type(ff.BaseModel)("Document", (ff.BaseModel, settings(database)), {**base, **features})
    for i, name in enumerate(names):
        assert getattr(model("d"), name)[0] == i
    assert len(database.get("d")) < 2 * INLINE_LIMIT
    assert [getattr(model("d"), name)[0] for name in names] == list(range(6))


def test_delete_reaches_every_store(tmp_path):
    other = ff.LmdbDatabase(tmp_path / "other")

    class Document(ff.BaseModel, settings(ff.InMemoryDatabase())):
        a = ff.JSONFeature(ff.Node, store=True)
        b = ff.NumpyFeature(lambda x: np.zeros(300_000), needs=a, store=True, persistence=settings(other))

    Document.process(a=1, _id="d")
    assert Document("d").b.shape == (300_000,) and len(_files(tmp_path)) == 1
    Document.delete("d")
    assert len(other) == 0 and _files(tmp_path) == []


@pytest.mark.parametrize("name", ["update", "process", "features", "lineage", "explain", "__class__"])
def test_a_feature_cannot_take_a_name_of_the_model(name):
    with pytest.raises(DeclarationError, match="belongs to every document"):
        type(ff.BaseModel)("Document", (ff.BaseModel,), {name: ff.JSONFeature(ff.Node)})


def test_keys_are_unique():
    with pytest.raises(DeclarationError, match="key 'x' is taken"):

        class Document(ff.BaseModel):
            x = ff.JSONFeature(ff.Node)
            y = ff.JSONFeature(ff.Node, key="x")


def test_raise_if_exists_lets_one_writer_win(database):
    Document, _ = models(database)
    outcomes = []

    def write():
        try:
            Document.process(raise_if_exists=True, a=["x"], _id="d")
            outcomes.append("stored")
        except ModelExistsError:
            outcomes.append("refused")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 3 + ["stored"]


def test_unknown_names_are_errors():
    Document, _ = models(ff.InMemoryDatabase())
    Document.process(a=["x"], _id="d")
    for action in (lambda: Document.update("d", ["nope"]), lambda: Document.update("d", "nope")):
        with pytest.raises(KeyNotFound, match="no feature 'nope'"):
            action()
    with pytest.raises(KeyNotFound, match="no feature 'nope'"):
        Document.exists("d", "nope")


def test_counted_ids_never_replace_a_document():
    class Document(ff.BaseModel, settings(ff.InMemoryDatabase())):
        id_provider = ff.IntegerIdProvider()
        a = ff.JSONFeature(ff.Node, store=True)

    assert [Document.process(a=i) for i in range(2)] == ["0", "1"]
    Document.id_provider = ff.IntegerIdProvider()  # as in a new process
    assert Document.process(a=2) == "2"


def test_a_large_source_in_memory_is_streamed(tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(5_000_000))

    class Document(ff.BaseModel, settings(ff.LmdbDatabase(tmp_path / "store"))):
        raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=1_000_000)
        size = ff.JSONFeature(lambda x: x.total_length, needs=raw, store=True)

    with open(path, "rb") as file:
        Document.process(raw=file, _id="d")
    record = Document.database.read("d")
    assert record.sources["raw"]["kind"] == "bytes" and len(record.blobs) == 1  # its path may mean another file later
    Document.process(raw=str(path), _id="d")
    assert Document.database.read("d").blobs == set()  # a path needs no copy
    Document.process(raw=b"small", _id="d")
    assert _files(tmp_path) == []


def test_a_value_counts_the_variables_it_was_made_with(tmp_path):
    """A store of its own may keep a value of an attempt whose main record was never written."""

    class Times(ff.Node):
        def __init__(self, factor=1, needs=None):
            super().__init__(needs=needs)
            self.factor = factor

        def _process(self, data):
            yield data * self.factor

    other = ff.LmdbDatabase(tmp_path / "other")

    class Document(ff.BaseModel, settings(ff.InMemoryDatabase())):
        a = ff.JSONFeature(ff.Node, store=True)
        b = ff.JSONFeature(Times, needs=a, factor=ff.Var("k"), store=True, persistence=settings(other))
        c = ff.JSONFeature(Times, needs=b, factor=1, store=True)

    Document.process(a=10, k=2, _id="d")
    main = Document.database.get("d")
    Document.process(a=10, k=3, _id="d")
    Document.database.put("d", main)  # as if the second attempt had died between the two stores
    assert (Document("d").b, Document("d").c) == (20, 20)


def test_nothing_is_left_of_a_source_that_breaks_while_it_is_read(tmp_path):
    class Breaking(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 2_000_000:
                raise OSError("the cable was pulled")
            return super().read(size)

    Document, _ = models(ff.LmdbDatabase(tmp_path / "store"))
    with pytest.raises(OSError, match="cable"):
        Document.process(a=Breaking(bytes(4_000_000)), _id="d")
    assert _files(tmp_path) == []


def test_threads_that_read_one_document_share_one_snapshot(database, monkeypatch):
    Document, _ = models(database)
    Document.process(a=["x"], _id="d")
    both, found = threading.Barrier(2, timeout=30), []

    class Met(snapshot.Snapshot):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            both.wait()  # the other thread found none either, and makes its own

    monkeypatch.setattr(model, "Snapshot", Met)
    document = Document("d")
    threads = [threading.Thread(target=lambda: found.append(document._read(lambda taken: taken))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2 and found[0] is found[1]


def test_a_value_that_was_computed_on_the_way_stays_readable(tmp_path):
    database = ff.LmdbDatabase(tmp_path / "store")

    class Document(ff.BaseModel, settings(database)):
        a = ff.JSONFeature(ff.Node, store=True)

    class Later(Document):
        large = ff.NumpyFeature(lambda x: np.full(300_000, x), needs=Document.a, store=True)
        last = ff.JSONFeature(lambda x: int(x[0]), needs=large, store=True)

    Document.process(a=1, _id="d")
    document = Later("d")
    assert document.last == 1
    Later.delete("d")
    assert document.large[-1] == 1


def _in_two_stores(tmp_path):
    other = ff.LmdbDatabase(tmp_path / "other")

    class Document(ff.BaseModel, settings(ff.LmdbDatabase(tmp_path / "store"))):
        keep_source = False
        a = ff.JSONFeature(ff.Node, store=True)
        b = ff.NumpyFeature(lambda x: np.full(300_000, x), needs=a, store=True, persistence=settings(other))

    return Document, other


def test_a_refused_document_changes_no_other_store(tmp_path):
    Document, other = _in_two_stores(tmp_path)
    refused = Document._prepare("d", {"a": 2}, raise_if_exists=True)
    Document.process(a=1, _id="d")
    before = other.get("d")
    with pytest.raises(ModelExistsError):
        Document._commit([refused])
    assert other.get("d") == before and Document("d").b[-1] == 1
    assert len(list(other.iter_blobs())) == 1


def test_what_died_between_two_stores_is_not_there(tmp_path):
    Document, other = _in_two_stores(tmp_path)
    Document.process(a=1, _id="d")
    Document.database.change({"d": lambda old: None})  # as if it had died before the model's own record was written
    assert not Document.exists("d", "b") and not Document.exists("d") and list(Document) == []
    with pytest.raises(KeyNotFound):
        _ = Document("d").b
    Document.process(a=2, _id="d")
    assert Document.exists("d", "b") and Document("d").b[-1] == 2
    assert len(list(other.iter_blobs())) == 1


def test_an_attempt_that_died_between_two_stores_is_never_served(tmp_path):
    Document, _ = _in_two_stores(tmp_path)
    Document.process(a=1, _id="d")
    before = Document.database.get("d")
    Document.process(a=2, _id="d")
    Document.database.put("d", before)
    document = Document("d")
    assert (document.a, document.b[-1]) == (1, 1)
