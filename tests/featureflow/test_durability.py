"""What is on the disk when, and what becomes of a store that finds no room, no rights or no lock."""

import errno
import os
import shutil
import signal
import tempfile
from pathlib import Path

import lmdb
import pytest

from zounds_lite import featureflow as ff
from zounds_lite.errors import CorruptValue, DeclarationError, StoreError, StoreFormatError, StoreFull, StoreLocked
from zounds_lite.featureflow import FileSystemDatabase, LmdbDatabase
from zounds_lite.featureflow.stores import folders, locks
from zounds_lite.featureflow.stores.environment import Environment
from zounds_lite.featureflow.stores.opened import Opened
from zounds_lite.testing.contracts.records import make_record, write_blob

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells what a descriptor is")


def _files(path):
    return FileSystemDatabase(path, createdirs=True)


@pytest.fixture(params=[LmdbDatabase, _files], ids=["lmdb", "files"])
def make(request):
    return request.param


def _in_child(work, seconds=60):
    """Run ``work`` in a child of a fork; what it raises, and a signal that ends it, fail the test."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        code = 1
        try:
            signal.alarm(seconds)
            work()
            code = 0
        except BaseException as error:  # noqa: BLE001 - the parent reports it
            os.write(writer, repr(error).encode()[:4000])
        finally:
            os._exit(code)
    os.close(writer)
    with open(reader, "rb") as file:
        said = file.read().decode()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code == 0, f"the child ended with {code}: {said}"


# what is synced


@pytest.fixture
def synced(monkeypatch):
    """Paths of files and folders in the order in which they were synced."""
    found, fsync = [], os.fsync

    def watch(descriptor):
        found.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    monkeypatch.setattr(folders, "_durable", {})
    return found


@linux
def test_every_new_name_is_synced_from_the_top(tmp_path, make, synced):
    database = make(tmp_path / "a" / "b" / "store")
    above = [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]
    assert [path for path in synced if path in above][:3] == above
    assert database.path in synced, "the folder of data.mdb or format.json"
    synced.clear()
    _, (name, _) = write_blob(database, bytes(1000))
    shard = database.path / "blobs" / name[:2]
    found = [path.parent / "a file" if path.suffix == ".part" else path for path in synced]
    assert [path for path in found if path in (database.path, shard.parent, shard, shard.parent / "a file")] == [
        database.path,  # it holds the name of blobs/
        shard.parent / "a file",
        shard.parent,
        shard,
    ]


@linux
def test_a_folder_that_another_process_made_is_synced_again(tmp_path, make, synced):
    database = make(tmp_path / "store")
    _, (name, check) = write_blob(database, bytes(1000))
    database.put("a", make_record("a", blob=(name, check), size=1000))
    folders._durable.clear()  # as in a process that finds them all there
    database.close()
    synced.clear()
    again = make(tmp_path / "store")
    again.put("a", make_record("a"))
    _, (other, _) = write_blob(again, bytes(1000))
    assert database.path in synced and database.path / "blobs" in synced
    assert database.path / "blobs" / other[:2] in synced


def test_half_a_new_store_is_none(tmp_path):
    folder = tmp_path / "store"
    (folder / "77-boot-77.new").mkdir(parents=True)
    (folder / "77-boot-77.new" / "data.mdb").write_bytes(bytes(4096))
    database = LmdbDatabase(folder)
    database.put("a", make_record("a"))
    assert sorted(path.name for path in folder.iterdir()) == ["data.mdb", "lock.mdb", "users.lock"]
    assert list(database.inspect()) == []


class _Watched:
    """An LMDB environment that notes what it is asked for."""

    def __init__(self, env, errors=()):
        self.env, self.calls, self.errors = env, [], list(errors)

    def __getattr__(self, name):
        def call(*args, **kwargs):
            self.calls.append(name)
            if self.errors and name in ("begin", "set_mapsize"):
                raise self.errors.pop()
            return getattr(self.env, name)(*args, **kwargs)

        return call


def _watch(database, errors=()):
    opened = database._environment._opened()
    opened.env = _Watched(opened.env, errors)
    return opened.env


def test_relaxed_and_full_stores_share_a_folder(tmp_path):
    relaxed = LmdbDatabase(tmp_path / "store", durability="relaxed")
    assert relaxed._environment._opened().env.flags()["metasync"] is False
    full = LmdbDatabase(tmp_path / "store")
    watched = _watch(full)
    relaxed.put("a", make_record("a"))
    assert "sync" not in watched.calls
    full.put("a", make_record("a"))
    assert watched.calls[-1] == "sync"
    full.close()
    assert LmdbDatabase(tmp_path / "store")._environment._opened().env.flags()["metasync"] is True


def test_a_relaxed_store_is_synced_before_a_blob_goes(tmp_path, monkeypatch):
    database = LmdbDatabase(tmp_path / "store", durability="relaxed")
    _, named = write_blob(database, bytes(1000))
    database.put("a", make_record("a", blob=named, size=1000))
    watched = _watch(database)
    remove = database._blobs.remove
    monkeypatch.setattr(database._blobs, "remove", lambda name: (watched.calls.append("remove"), remove(name)))
    database.put("a", make_record("a", b"replaced"))
    assert watched.calls[-2:] == ["sync", "remove"]


def test_durability_is_a_setting(tmp_path):
    @ff.simple_lmdb_settings(tmp_path / "store", durability="relaxed", user_supplied_id=True)
    class Document(ff.BaseModel):
        text = ff.TextFeature(ff.IteratorNode, store=True)

    Document.process(text=["a"], _id="d")
    assert Document.database.durability == "relaxed" and Document("d").text == "a"
    with pytest.raises(DeclarationError, match="'full' or 'relaxed', got 'none'"):
        LmdbDatabase(tmp_path / "other", durability="none")
    assert not (tmp_path / "other").exists()


# no room


@posix
@pytest.mark.parametrize("limit", [6_000, 90_000, 300_000])
def test_a_store_that_finds_no_room_says_so_and_goes_on_when_there_is(tmp_path, make, limit):
    import resource

    def work():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        stored, opened, full = [], None, 0
        for number in range(100):
            _id = f"d{number}"
            try:
                opened = opened or make(tmp_path / "store")
                opened.put(_id, make_record(_id, bytes([number]) * (4_000 + 3_000 * number)))
                stored.append(number)
            except StoreFull as error:
                assert error.errno in (errno.ENOSPC, errno.EFBIG) and "free some space" in str(error)
                full += 1
            if opened is not None:
                assert sorted(opened) == sorted(f"d{n}" for n in stored)
        assert full
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        opened = opened or make(tmp_path / "store")
        opened.put("after", make_record("after"))
        for number in stored:
            data = opened.read(f"d{number}").entries["text"].data
            assert bytes(data) == bytes([number]) * (4_000 + 3_000 * number)
        assert list(opened.inspect()) == []

    _in_child(work)


@posix
def test_a_blob_that_finds_no_room_leaves_nothing(tmp_path, make):
    import resource

    def work():
        database = make(tmp_path / "store")
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))
        writer = database.create_blob()
        with pytest.raises(StoreFull, match="free some space"):
            writer.write(bytes(3_000_000))
        writer.discard()
        assert not [path for path in tmp_path.rglob("*") if path.suffix in (".part", ".blob")]
        assert database.collect_garbage().kept == 0

    _in_child(work)


def test_an_environment_that_gives_up_is_opened_again(tmp_path):
    database = LmdbDatabase(tmp_path / "store")
    database.put("a", make_record("a"))
    watched = _watch(database, [lmdb.PanicError("the meta page could not be written")])
    database.put("b", make_record("b"))
    assert sorted(database) == ["a", "b"] and database._environment._opened().env is not watched


def test_an_environment_that_always_gives_up_is_an_error(tmp_path, monkeypatch):
    database = LmdbDatabase(tmp_path / "store")
    real = lmdb.open
    monkeypatch.setattr(lmdb, "open", lambda *a, **k: _Panicking(real(*a, **k)))
    database.close()
    with pytest.raises(StoreError, match="gives up"):
        database.get("a")
    monkeypatch.setattr("zounds_lite.featureflow.stores.environment.has_room", lambda path: False)
    with pytest.raises(StoreFull, match="free some space"):
        database.get("a")
    monkeypatch.undo()
    database.close()
    assert database.get("a") is None


class _Panicking(_Watched):
    def begin(self, *args, **kwargs):
        raise lmdb.PanicError("no")


def test_a_map_that_cannot_grow_is_a_full_store(tmp_path):
    database = LmdbDatabase(tmp_path / "store", map_size=1 << 20)
    database.put("a", make_record("a"))
    _watch(database, [lmdb.MemoryError("mdb_env_set_mapsize"), lmdb.MapFullError("mdb_put")])
    with pytest.raises(StoreFull, match="cannot grow.*ulimit"):
        database.put("b", make_record("b"))
    database.put("b", make_record("b"))
    assert sorted(database) == ["a", "b"]


@linux
def test_a_process_with_little_address_space_gets_a_smaller_map(tmp_path):
    import resource

    def work():
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 8 * 2**30, resource.RLIM_INFINITY))
        database = LmdbDatabase(tmp_path / "store")
        database.put("a", make_record("a"))
        assert database.read("a").id == "a" and database._environment._opened().size <= 8 * 2**30

    _in_child(work)


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

    _in_child(used)
    with database.alone() as folder:
        assert folder == tmp_path / "store"
        _in_child(refused)
    assert database.read("a").id == "a"
    database.close()
    _in_child(lambda: LmdbDatabase(tmp_path / "store").put("b", make_record("b")))


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
        _in_child(lambda: _read_only(make, folder, named))
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

    _in_child(work)


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
