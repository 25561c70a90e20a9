"""What is on the disk when, and what becomes of a store that finds no room."""

import errno
import os
from pathlib import Path

import lmdb
import pytest

from tests.children import in_child
from zounds_lite import featureflow as ff
from zounds_lite.errors import DeclarationError, StoreError, StoreFull
from zounds_lite.featureflow import FileSystemDatabase, LmdbDatabase
from zounds_lite.featureflow.stores import folders
from zounds_lite.testing.contracts.records import make_record, write_blob

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells what a descriptor is")


def _files(path):
    return FileSystemDatabase(path, createdirs=True)


@pytest.fixture(params=[LmdbDatabase, _files], ids=["lmdb", "files"])
def make(request):
    return request.param


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
    _, named = write_blob(database, bytes(1000))
    assert database.path in synced, "it holds the name of blobs/"
    synced.clear()
    database.put("a", make_record("a", blob=named, size=1000))
    shard = database.path / "blobs" / named[0][:2]
    file = shard / f"{named[0]}.blob"
    assert synced[:3] == [file, shard, shard.parent], "before anything of the record"
    synced.clear()
    database.put("b", make_record("b"))
    assert not {file, shard, shard.parent} & set(synced), "once is enough"


@linux
def test_blobs_of_many_documents_are_synced_before_their_one_commit(tmp_path, make, synced, monkeypatch):
    database = make(tmp_path / "store")
    named = {_id: write_blob(database, bytes(1000))[1] for _id in "abc"}
    discarded = database.create_blob()
    discarded.finish()
    discarded.discard()
    synced.clear()
    at_change = []

    def change(_id):
        def make_it(old):
            at_change.append({path.stem for path in synced if path.suffix == ".blob"})
            return make_record(_id, blob=named[_id], size=1000)

        return make_it

    database.change({_id: change(_id) for _id in named})
    assert at_change and all(found == {name for name, _ in named.values()} for found in at_change)


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
    _, (other, check) = write_blob(again, bytes(1000))
    again.put("b", make_record("b", blob=(other, check), size=1000))
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

    in_child(work)


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

    in_child(work)


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

    in_child(work)
