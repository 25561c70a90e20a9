"""Every store passes the same contract; what is special to one stands below it."""

import json
import multiprocessing
import pickle
from pathlib import Path

import pytest

from zounds_lite.errors import CorruptValue, StoreFormatError
from zounds_lite.featureflow import FileSystemDatabase, InMemoryDatabase, LmdbDatabase
from zounds_lite.featureflow.record import Checksums, Entry, Record, verify
from zounds_lite.featureflow.stores import Database
from zounds_lite.testing.contracts import DatabaseContract


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


def test_a_newer_format_is_refused(tmp_path):
    folder = tmp_path / "files"
    FileSystemDatabase(folder, createdirs=True)
    (folder / "format.json").write_text(json.dumps({"format": 999}))
    with pytest.raises(StoreFormatError, match="999.*upgrade"):
        FileSystemDatabase(folder)
    database = LmdbDatabase(tmp_path / "lmdb")
    database._writing(lambda txn, db: txn.put(b"format", b'{"format": 999}', db=db[b"meta"]))
    with pytest.raises(StoreFormatError, match="999.*upgrade"):
        LmdbDatabase(tmp_path / "lmdb")


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


@pytest.mark.parametrize("at", [0, 5, 9, 40, -1])
def test_every_damaged_byte_of_a_record_is_found(at):
    checks = Checksums()
    checks.update(memoryview(b"some value"))
    raw = bytearray(_record("a", b"some value"))
    raw[at] ^= 0x40
    with pytest.raises(CorruptValue, match="checksum|record must"):
        verify(Record.from_bytes(bytes(raw)).entries["text"].data, checks.finish(), "the value")


@pytest.mark.parametrize("length", [0, 3, 16, 60])
def test_a_cut_record_is_found(length):
    with pytest.raises(CorruptValue, match="cut short|record must|follow the format"):
        Record.from_bytes(_record("a", b"some value")[:length])
