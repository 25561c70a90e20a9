"""Every store passes the same contract; what is special to one stands below it."""

import errno
import multiprocessing
import os
import pickle
import shutil
import signal
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from zounds_lite.errors import StoreFormatError, StoreFull
from zounds_lite.featureflow import FileSystemDatabase, InMemoryDatabase, LmdbDatabase
from zounds_lite.featureflow.record import Entry, Record
from zounds_lite.featureflow.stores import Database, blobs, folders
from zounds_lite.featureflow.stores.checks import released_blobs
from zounds_lite.featureflow.stores.gate import Gate
from zounds_lite.testing.contracts import DatabaseContract
from zounds_lite.testing.contracts.records import make_record


class TestInMemory(DatabaseContract):
    def create(self, path: Path) -> Database:
        return InMemoryDatabase()


class TestFiles(DatabaseContract):
    def create(self, path: Path) -> Database:
        return FileSystemDatabase(path / "store", createdirs=True)


class TestLmdb(DatabaseContract):
    def create(self, path: Path) -> Database:
        return LmdbDatabase(path / "store")


class TestLmdbWithATinyMap(DatabaseContract):
    """The map grows by itself, so a small one behaves like a large one."""

    def create(self, path: Path) -> Database:
        return LmdbDatabase(path / "store", map_size=1e6)


def _record(_id, data=b"value"):
    record = Record(_id)
    record.entries["text"] = Entry("lineage", "source", "text/plain", {}, len(data), data=data)
    return record.to_bytes()


@pytest.mark.parametrize("make", [LmdbDatabase, lambda path: FileSystemDatabase(path, createdirs=True)])
def test_a_store_on_disk_is_there_for_the_next_process(tmp_path, make):
    database = make(tmp_path / "store")
    database.put("a", _record("a"))
    again = pickle.loads(pickle.dumps(database))
    assert again.get("a") == database.get("a")


def _read_in_child(database, connection):
    connection.send(len(database.get("a")))
    connection.close()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_an_lmdb_store_works_in_child_processes(tmp_path, method):
    context = multiprocessing.get_context(method)
    database = LmdbDatabase(tmp_path / "store")
    database.put("a", _record("a"))
    ours, theirs = context.Pipe()
    child = context.Process(target=_read_in_child, args=(database, theirs))
    child.start()
    assert ours.poll(30) and ours.recv() == len(database.get("a"))
    child.join(30)
    assert child.exitcode == 0


def test_a_path_that_is_a_file_or_holds_something_else_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreFormatError, match="is a file"):
        LmdbDatabase(tmp_path / "file")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "data.mdb").write_bytes(b"this is no LMDB file" * 1000)
    with pytest.raises(StoreFormatError, match="no store"):
        LmdbDatabase(tmp_path / "other")
    with pytest.raises(FileNotFoundError, match="createdirs"):
        FileSystemDatabase(tmp_path / "missing")


def test_more_values_than_the_first_map_holds(tmp_path):
    database = LmdbDatabase(tmp_path / "store", map_size=1 << 20)
    for i in range(60):
        database.put(str(i), _record(str(i), bytes(100_000)))
    assert len(database) == 60


def test_a_store_whose_folder_was_deleted_begins_anew(tmp_path):
    LmdbDatabase(tmp_path / "store").put("a", _record("a"))
    shutil.rmtree(tmp_path / "store")
    database = LmdbDatabase(tmp_path / "store")
    assert list(database) == []
    database.put("b", _record("b"))
    database.close()
    assert list(LmdbDatabase(tmp_path / "store")) == ["b"]


def _put_many(path, prefix, count):
    database = LmdbDatabase(path, map_size=1 << 20)
    for i in range(count):
        database.put(f"{prefix}{i}", _record(f"{prefix}{i}", bytes(10_000)))


def test_several_processes_grow_the_map_together(tmp_path):
    context = multiprocessing.get_context("spawn")
    database = LmdbDatabase(tmp_path / "store", map_size=1 << 20)
    workers = [context.Process(target=_put_many, args=(tmp_path / "store", name, 300)) for name in "abc"]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        assert all(database.get(_id) is not None for _id in database.iter_ids())
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert set(database.iter_ids()) == {f"{name}{i}" for name in "abc" for i in range(300)}


def _exit_code_of_child(pid, seconds=20.0):
    """Wait for a child that may hang; a child that does is killed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "hangs"


def _fork_and_use(database):
    pid = os.fork()
    if not pid:
        try:
            database.put("child", _record("child"))
            ok = database.read("a").id == "a" and "child" in set(database.iter_ids())
            os._exit(0 if ok else 3)
        except BaseException as error:  # noqa: BLE001 - the child must not go on
            os.write(2, repr(error).encode())
            os._exit(4)
    return _exit_code_of_child(pid)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("write", [False, True], ids=["readers", "writers"])
@pytest.mark.parametrize(
    "make", [LmdbDatabase, lambda path: FileSystemDatabase(path, createdirs=True), lambda path: InMemoryDatabase()]
)
def test_a_fork_while_threads_use_the_store(tmp_path, make, write):
    database = make(tmp_path / "store")
    database.put("a", _record("a"))
    ended, failures = threading.Event(), []

    def work():
        while not ended.is_set():
            try:
                assert database.get("a") is not None
                if write:
                    database.put("b", _record("b"))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is reported below
                failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        codes = [_fork_and_use(database) for _ in range(10)]
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert codes == [0] * 10
    assert not failures, failures[0]
    assert database.read("a").id == "a"


def test_the_gate_lets_a_thread_in_again_while_another_waits_to_be_alone():
    gate, alone = Gate(), threading.Event()

    def be_alone():
        with gate.alone():
            alone.set()

    with gate.shared():
        waiting = threading.Thread(target=be_alone)
        waiting.start()
        while not gate._wanting:
            time.sleep(0.001)
        with gate.shared():
            assert not alone.is_set()
    waiting.join(20)
    assert alone.is_set()


def test_who_wants_to_be_alone_is_not_kept_out_by_a_stream_of_others():
    gate, ended = Gate(), threading.Event()

    def come_and_go():
        while not ended.is_set():
            with gate.shared():
                time.sleep(0.001)

    threads = [threading.Thread(target=come_and_go) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            with gate.alone():
                assert not gate._inside
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_a_change_may_read_another_store(tmp_path):
    one, other = LmdbDatabase(tmp_path / "one"), LmdbDatabase(tmp_path / "other", map_size=1 << 20)
    other.put("a", _record("a"))

    def copy(old):
        other.put("large", _record("large", bytes(900_000)))  # its map grows meanwhile
        return other.get("a")

    one.change({"a": copy})
    assert one.read("a").id == "a" and other.read("large").id == "large"


def test_a_damaged_record_file_is_passed_over_with_a_warning(tmp_path, caplog):
    database = FileSystemDatabase(tmp_path, createdirs=True)
    for _id in "ab":
        database.put(_id, _record(_id))
    for damage in (b"", b"ZLR1", b"x" * 100):
        database._record_file("a").write_bytes(damage)
        caplog.clear()
        assert list(database.iter_ids()) == ["b"]
        assert "passed over" in caplog.text and database._record_file("a").name in caplog.text


def test_blobs_of_a_damaged_record_are_left_with_a_warning(caplog):
    assert released_blobs(b"no record", None) == released_blobs(_record("a"), b"no record") == set()
    assert "gc will find them" in caplog.text


def test_a_blob_can_be_discarded_where_publishing_failed(tmp_path, monkeypatch):
    database = LmdbDatabase(tmp_path / "store")
    writer = database.create_blob()
    writer.write(b"x" * 2_000_000)

    def full(*paths):
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.raises(StoreFull, match="free some space"):
            writer.finish()
    writer.discard()
    assert not [file for file in tmp_path.rglob("*") if file.suffix in (".part", ".blob")]


@pytest.mark.parametrize("is_removed", [True, False], ids=["removed", "discarded"])
@pytest.mark.parametrize("missing", ["sync_file", "sync_names"])
@pytest.mark.parametrize("kind", [LmdbDatabase, partial(FileSystemDatabase, createdirs=True)], ids=["lmdb", "files"])
def test_no_record_names_a_blob_that_the_disk_did_not_take(tmp_path, monkeypatch, kind, missing, is_removed):
    database = kind(tmp_path / "store")

    def made():
        writer = database.create_blob()
        writer.write(b"x" * 2_000_000)
        named = writer.finish()
        return writer, named[0], make_record("a", blob=named, size=2_000_000)

    def full(path):
        raise OSError(errno.ENOSPC, "no space")

    writer, name, record = made()
    with monkeypatch.context() as patched:
        patched.setattr(blobs, missing, full)
        with pytest.raises(StoreFull, match="free some space"):
            database.put("a", record)
    # the system may say only once that it lost what was written, so the next sync proves nothing
    for _ in range(2):
        with pytest.raises(StoreFull, match="free some space"):
            database.put("a", record)
    assert database.get("a") is None
    if is_removed:
        database.remove_blob(name)
    else:
        writer.discard()
    _, _, record = made()
    database.put("a", record)
    assert database.get("a") == record


def test_a_commit_of_another_thread_leaves_a_blob_that_is_being_published_to_its_own(tmp_path, monkeypatch):
    database = LmdbDatabase(tmp_path / "store")
    writer = database.create_blob()
    writer.write(b"x" * 2_000_000)
    replace, synced = os.replace, []

    def slowly(source, target):
        database.put("other", _record("other"))
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", slowly)
        named = writer.finish()
    monkeypatch.setattr(blobs, "sync_file", lambda file: synced.append(file.stem))
    database.put("a", make_record("a", blob=named, size=2_000_000))
    assert synced == [named[0]]


def test_a_disk_that_is_full_in_the_middle_of_a_batch_changes_nothing(tmp_path, monkeypatch):
    database = FileSystemDatabase(tmp_path / "store", createdirs=True)
    before = {_id: _record(_id, b"before") for _id in "ab"}
    database.change({_id: lambda old, _id=_id: before[_id] for _id in before})
    real, left = folders._write, [1]

    def full(file, data):
        if not left:
            raise OSError(errno.ENOSPC, "no space")
        real(file, data)
        left.pop()

    monkeypatch.setattr(folders, "_write", full)
    with pytest.raises(StoreFull):
        database.change({_id: lambda old, _id=_id: _record(_id, b"after") for _id in "abc"}, {"d": lambda old: b"why"})
    assert {_id: database.get(_id) for _id in database} == before and database.get_failure("d") is None
    assert not list(tmp_path.rglob("*.part"))
