"""Stores that others hold, that are damaged, of another format, or no stores at all."""

import gc
import os
import shutil
import tempfile
from pathlib import Path

import lmdb
import pytest

from tests.children import in_child
from zounds_lite import featureflow as ff
from zounds_lite.errors import CorruptValue, KeyNotFound, StoreFormatError, StoreLocked
from zounds_lite.featureflow import FileSystemDatabase, LmdbDatabase
from zounds_lite.featureflow.stores import locks
from zounds_lite.featureflow.stores.environment import Environment
from zounds_lite.featureflow.stores.opened import Opened
from zounds_lite.testing.contracts.records import make_record, write_blob

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def _files(path):
    return FileSystemDatabase(path, createdirs=True)


@pytest.fixture(params=[LmdbDatabase, _files], ids=["lmdb", "files"])
def make(request):
    return request.param


# others who hold the store, and rights that are missing


@posix
def test_a_store_that_another_program_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE", 0.2)
    database = LmdbDatabase(tmp_path / "store")
    database.put("a", make_record("a"))

    def refused():
        with pytest.raises(StoreLocked, match="held by another program"):
            LmdbDatabase(tmp_path / "store")

    def used():
        other = LmdbDatabase(tmp_path / "store")
        with pytest.raises(StoreLocked, match="used by another program"), other.alone():
            pass
        assert other.read("a").id == "a"

    in_child(used)
    with database.alone() as folder:
        assert folder == tmp_path / "store"
        in_child(refused)
    assert database.read("a").id == "a"
    database.close()
    in_child(lambda: LmdbDatabase(tmp_path / "store").put("b", make_record("b")))


@posix
def test_files_that_another_program_holds(tmp_path, monkeypatch):
    import fcntl

    monkeypatch.setattr(locks, "PATIENCE", 0.2)
    database = _files(tmp_path / "store")
    database.put("a", make_record("a"))
    with open(tmp_path / "store" / "lock", "ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoreLocked, match="held by another program"):
            database.put("b", make_record("b"))
        assert database.read("a").id == "a"
    database.put("b", make_record("b"))


@posix
def test_a_change_may_use_its_own_store(tmp_path):
    database = _files(tmp_path / "store")
    database.put("a", make_record("a"))

    def look(old):
        assert list(database) == ["a"] and len(database) == 1
        database.put("c", make_record("c"))
        return make_record("b")

    database.change({"b": look})
    assert sorted(database) == ["a", "b", "c"]


@posix
def test_a_store_that_is_read_only_can_be_read(make):
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        database = make(folder / "store")
        _, named = write_blob(database, bytes(1000))
        database.put("a", make_record("a", blob=named, size=1000))
        database.change({}, {"b": lambda old: b"why"})
        database.close()
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        in_child(lambda: _read_only(make, folder, named))
    finally:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755)
        shutil.rmtree(folder)


def _read_only(make, folder, named):
    if os.getuid() == 0:
        os.setuid(65534)  # the rights of others do not bind an administrator
    database = make(folder / "store")
    assert database.read("a").id == "a" and list(database) == ["a"] and len(database) == 1
    assert len(database.open_blob(named[0])) > 1000 and list(database.iter_failures()) == [b"why"]
    assert list(database.inspect()) == [] and database.collect_garbage().blobs == 0
    for action in (lambda: database.put("b", make_record("b")), database.create_blob, lambda: make(folder / "new")):
        with pytest.raises(StoreLocked, match="read-only"):
            action()


# formats


def _set_format(path, make, raw):
    if make is _files:
        make(path)
        (path / "format.json").write_bytes(raw)
        return
    database = make(path)
    database._environment.run(lambda txn, db: txn.put(b"format", raw, db=db[b"meta"]), write=True)
    database.close()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"format": 999}', "999.*upgrade"),
        (b'{"format": 0}', r"format 0.*\(it reads 1\).*copy the store with the version"),
        (b"", "damaged.*backup"),
        (b"nonsense", "damaged.*'?nonsense"),
        (b"\xff\xfe", "damaged"),
        (b"[1]", "damaged"),
        (b'{"format": true}', "damaged"),
        (b'{"format": 1.0}', "damaged"),
        (b"[" * 4000, "damaged"),
        (b'{"format": 1}' + b" " * 10_000, "damaged"),
    ],
)
def test_what_is_no_store_of_this_format_says_so(tmp_path, make, raw, message):
    _set_format(tmp_path / "store", make, raw)
    with pytest.raises(StoreFormatError, match=message):
        make(tmp_path / "store")


def test_a_path_below_a_file_is_no_store(tmp_path, make):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreFormatError, match="is a file"):
        make(tmp_path / "file")
    with pytest.raises(StoreFormatError, match="below a file"):
        make(tmp_path / "file" / "store")


def test_a_relative_path_stays_where_it_was(tmp_path, make, monkeypatch):
    monkeypatch.chdir(tmp_path)
    database = make("store")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    _, named = write_blob(database, b"x")
    database.put("a", make_record("a", blob=named, size=1))
    database.close()
    assert list(database) == ["a"] and len(database.open_blob(named[0])) > 1
    assert not list((tmp_path / "elsewhere").iterdir())


# reading what is damaged


def _claim(folder, record, key, size):
    """Change the length that LMDB keeps of a record, wherever it stands in the file."""
    data = folder / "data.mdb"
    raw, at = bytearray(data.read_bytes()), -1
    big = (len(record) > 2000).to_bytes(2, "little")
    node = len(record).to_bytes(4, "little") + big + len(key).to_bytes(2, "little") + key
    assert raw.count(node) >= 1
    while (at := raw.find(node, at + 1)) >= 0:
        raw[at : at + 4] = size.to_bytes(4, "little")
    data.write_bytes(raw)


@posix
@pytest.mark.parametrize("size", [300, 30_000])
@pytest.mark.parametrize("claimed", [2**31 + 300, 60_000_000, 64 * 2**20 + 1])
def test_a_length_that_cannot_be_true_is_not_believed(tmp_path, size, claimed):
    database = LmdbDatabase(tmp_path / "store")
    database.put("a", make_record("a", bytes(size)))
    for _id in ("b", "z" * 1000):
        database.put(_id, make_record(_id))
    database.close()
    _claim(tmp_path / "store", make_record("a", bytes(size)), b"ia", claimed)

    def work():
        again = LmdbDatabase(tmp_path / "store")
        with pytest.raises(CorruptValue, match="the record of 'a': (it claims|the index)"):
            again.get("a")
        assert "a" in again
        if size > 2000:  # a short record spoils the page that it shares with others
            assert again.read("b").id == "b" and sorted(again) == ["a", "b", "z" * 1000]
            again.put("a", make_record("a", b"again"))
            assert bytes(again.read("a").entries["text"].data) == b"again"

    in_child(work)


@posix
@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_a_file_that_was_cut_short_is_not_read(tmp_path, part):
    database = LmdbDatabase(tmp_path / "store")
    for number in range(50):
        database.put(f"{number}", make_record(f"{number}", bytes(5000)))
    database.close()
    data = tmp_path / "store" / "data.mdb"
    pages = data.stat().st_size // 4096
    os.truncate(data, int(pages * part) * 4096)

    def work():
        with pytest.raises(CorruptValue, match="cut short.*zounds-lite copy"):
            LmdbDatabase(tmp_path / "store")

    in_child(work)
    os.truncate(data, 0)
    with pytest.raises(StoreFormatError, match="is empty.*backup"):
        LmdbDatabase(tmp_path / "store")


def test_a_key_that_is_no_id_is_passed_over(tmp_path, caplog):
    database = LmdbDatabase(tmp_path / "store")
    database.put("a", make_record("a"))
    database._environment.run(lambda txn, db: txn.put(b"i\xff", make_record("x"), db=db[b"records"]), write=True)
    assert list(database) == ["a"] and "69ff is no id" in caplog.text


def test_a_deleted_document_leaves_nothing_in_other_stores(tmp_path):
    other = LmdbDatabase(tmp_path / "other")

    class Elsewhere(ff.PersistenceSettings):
        database = other

    class Settings(ff.PersistenceSettings):
        database = LmdbDatabase(tmp_path / "main")
        id_provider = ff.UserSpecifiedIdProvider("_id")

    class Document(ff.BaseModel, Settings):
        a = ff.Feature(ff.Node)
        here = ff.JSONFeature(lambda x: x, needs=a, store=True)
        there = ff.JSONFeature(lambda x: [x], needs=a, store=True, persistence=Elsewhere)

    Document.process(a=1, _id="d")
    del Document.database["d"]  # as if its process had died between the two stores
    assert not Document.exists("d") and list(Document) == [] and list(other) == ["d"]
    with pytest.raises(KeyError, match="no document 'd'"):
        _ = Document("d").there
    Document.process(a=2, _id="d")
    assert (Document("d").here, Document("d").there) == (2, [2])
    Document.delete("d")
    assert list(other) == [] == list(Document.database)


def test_an_environment_is_opened_once(tmp_path):
    one = Environment(tmp_path / "store", 1 << 20, (b"a",))
    two = Environment(tmp_path / "store", 1 << 20, (b"b",))
    one.run(lambda txn, db: txn.put(b"k", b"v", db=db[b"a"]), write=True)
    assert two.run(lambda txn, db: sorted(db)) == [b"a", b"b"]
    assert one._opened() is two._opened() is Opened.by_path[os.path.realpath(tmp_path / "store")]


# what others put into the folder


def _link(file, folder):
    (folder / "elsewhere").write_bytes(b"x" * 2000)
    file.symlink_to(folder / "elsewhere")


@posix
@pytest.mark.parametrize(
    "put",
    [lambda file, folder: os.mkfifo(file), _link, lambda file, folder: file.mkdir(), lambda file, folder: file.touch()],
    ids=["pipe", "link", "folder", "empty"],
)
def test_a_blob_that_is_no_plain_file_is_refused_at_once(tmp_path, make, put):
    database = make(tmp_path / "store")
    _, named = write_blob(database, bytes(1000))
    database.put("a", make_record("a", blob=named, size=1000))
    (file,) = (tmp_path / "store").rglob("*.blob")
    file.unlink()
    with pytest.raises(KeyNotFound, match="no blob"):
        database.open_blob(named[0])
    put(file, tmp_path)
    with pytest.raises(CorruptValue, match=f"the blob '{named[0]}'.*process its document again"):
        database.open_blob(named[0])
    assert database.collect_garbage().blobs == 0
    database.put("a", make_record("a", b"again"))
    database.collect_garbage()
    assert not list((tmp_path / "store").rglob("*.blob")) and len(list(tmp_path.glob("elsewhere"))) <= 1


@posix
@pytest.mark.parametrize("put", [lambda file, folder: os.mkfifo(file), _link], ids=["pipe", "link"])
def test_a_record_that_is_no_plain_file_is_refused_at_once(tmp_path, put):
    database = _files(tmp_path / "store")
    for _id in "ab":
        database.put(_id, make_record(_id))
    file = database._record_file("a")
    file.unlink()
    put(file, tmp_path)
    with pytest.raises(CorruptValue, match="the record of 'a'"):
        database.get("a")
    assert "a" in database and list(database) == ["b"]
    database.put("a", make_record("a"))
    assert database.read("a").id == "a" and not file.is_symlink()


def test_a_map_that_is_larger_than_asked_for_grows_too(tmp_path, monkeypatch):
    environment = Environment(tmp_path / "store", 1 << 20, (b"a",))
    environment.run(lambda txn, db: txn.put(b"key", b"value", db=db[b"a"]), write=True)
    environment._resize(1 << 24)  # as where another process had made it so large
    real = environment._opened

    def full_when_opened(databases=None):
        opened = real(databases)
        if opened.size < 1 << 25:
            raise lmdb.MapFullError("full")
        return opened

    monkeypatch.setattr(environment, "_opened", full_when_opened)
    assert environment.run(lambda txn, db: bytes(txn.get(b"key", db=db[b"a"]))) == b"value"
    assert Opened.by_path[str(tmp_path / "store")].size == 1 << 25
    environment.close()


def test_stores_that_nobody_has_any_more_are_closed(tmp_path):
    kept = LmdbDatabase(tmp_path / "kept")
    kept.put("a", make_record("a"))
    for number in range(20):
        LmdbDatabase(tmp_path / str(number)).put("a", make_record("a"))
    gc.collect()
    last = LmdbDatabase(tmp_path / "last")
    here = [path for path in Opened.by_path if Path(path).parent == tmp_path]
    assert sorted(here) == [str(tmp_path / "kept"), str(tmp_path / "last")]
    assert kept.read("a").id == "a" and LmdbDatabase(tmp_path / "7").read("a").id == "a" and len(last) == 0
