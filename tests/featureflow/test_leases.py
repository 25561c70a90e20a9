"""Blobs that nobody names: whose they are, and when they go."""

import errno
import os
import signal
import time

import pytest

from zounds_lite.errors import CorruptValue
from zounds_lite.featureflow import FileSystemDatabase, LmdbDatabase
from zounds_lite.featureflow.stores import Damage, leases
from zounds_lite.featureflow.stores.leases import Leases, owner_tag
from zounds_lite.testing.contracts.records import blob_files, make_record, write_blob

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@pytest.fixture
def database(tmp_path):
    return LmdbDatabase(tmp_path / "store")


def _lease_files(database):
    return sorted((database.path / "blobs").glob("*.lease"))


def _lease(database):
    (file,) = _lease_files(database)
    return file.read_text().split()


def _wait(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.002)


def test_a_blob_is_in_the_lease_from_before_its_file_until_its_record_is_committed(database, monkeypatch):
    held = []
    hold = Leases.hold

    def watch(self, name):
        hold(self, name)
        held.append((name, blob_files(database.path)))

    monkeypatch.setattr(Leases, "hold", watch)
    _, named = write_blob(database, bytes(300_000))
    assert held == [(named[0], [])] and _lease(database) == [named[0]]
    database.put("other", make_record("other"))
    assert _lease(database) == [named[0]]
    database.put("a", make_record("a", blob=named, size=300_000))
    assert _lease(database) == []


def test_a_lease_stays_small(database):
    waiting, _ = write_blob(database, b"waiting")
    for number in range(50):
        _, named = write_blob(database, b"x")
        database.put("a", make_record("a", blob=named, size=1))
        writer, _ = write_blob(database, b"y")
        writer.discard()
        assert _lease_files(database)[0].stat().st_size <= 3 * 33, number
    waiting.discard()
    assert _lease(database) == []


def test_two_stores_on_one_folder_share_a_lease(database):
    again = LmdbDatabase(database.path)
    _, one = write_blob(database, b"one")
    _, two = write_blob(again, b"two")
    assert set(_lease(database)) == {one[0], two[0]}
    again.put("a", make_record("a", blob=one, size=3))
    assert two[0] in _lease(database) and again.collect_garbage().kept == 1


def _fork(work):
    """Run ``work(say)`` in a child; return its process id and what reads a byte that it said."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(reader)
            work(lambda: os.write(writer, b"."))
        finally:
            os._exit(9)
    os.close(writer)
    return pid, lambda: os.read(reader, 1)


@posix
def test_a_process_that_stands_still_keeps_its_blobs_and_one_that_was_killed_does_not(database):
    database.put("a", make_record("a"))

    def work(say):
        _, _ = write_blob(database, bytes(300_000))
        say()
        signal.pause()

    pid, heard = _fork(work)
    assert heard() == b"."
    os.kill(pid, signal.SIGSTOP)
    assert database.collect_garbage().kept == 1
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    found = database.collect_garbage()
    assert (found.blobs, found.kept) == (1, 0) and found.bytes > 300_000
    assert blob_files(database.path) == [] == _lease_files(database)


@posix
def test_a_child_does_not_keep_what_its_dead_parent_left(database):
    def work(say):
        write_blob(database, bytes(300_000))
        if not os.fork():
            say()  # the grandchild lives on
            signal.pause()
        signal.pause()

    reader, writer = os.pipe()
    children = []

    def with_group(say):
        os.setpgid(0, 0)
        work(say)

    pid, heard = _fork(with_group)
    children.append(pid)
    os.close(reader), os.close(writer)
    assert heard() == b"."
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    try:
        found = database.collect_garbage()
        assert (found.blobs, found.kept) == (1, 0)
    finally:
        os.killpg(pid, signal.SIGKILL)  # the grandchild


@posix
def test_the_child_of_a_fork_leaves_its_parents_blobs_alone(database):
    writer, named = write_blob(database, bytes(300_000))

    def work(say):
        writer.discard()
        write_blob(database, b"mine")
        say()

    pid, heard = _fork(work)
    assert heard() == b"."
    os.waitpid(pid, 0)
    assert _lease_files(database)[0].read_bytes() and len(database.open_blob(named[0])) > 300_000
    found = database.collect_garbage()
    assert (found.blobs, found.kept) == (1, 1)
    database.put("a", make_record("a", blob=named, size=300_000))
    assert database.collect_garbage().kept == 0


def test_where_there_are_no_locks_the_name_of_a_lease_tells(database, monkeypatch):
    writer, named = write_blob(database, bytes(1000))
    folder = database.path / "blobs"
    monkeypatch.setattr(leases, "lock_file", lambda descriptor, wait, shared=False: None)
    others = {"1": owner_tag().replace(f"{os.getpid()}-", "1-", 1), "dead": f"{2**22 + 1}-{leases._boot()}-77"}
    gone = [folder / f"{others['1']}.lease", folder / f"{others['dead']}.lease", folder / "5-otherboot-7.lease"]
    for file in gone:
        file.write_text(f"{named[0]}\n")
    names = Leases(folder).live()
    assert names == {named[0]}
    writer.discard()
    assert Leases(folder).live() == set()
    alive = folder / f"{os.getppid()}-{leases._boot()}-{leases._start(os.getppid())}.lease"
    alive.write_text(f"{'a' * 32}\n")
    assert Leases(folder).live() == {"a" * 32}
    Leases(folder).remove_dead()
    assert alive.exists() and not any(file.exists() for file in gone)


def test_a_folder_that_was_deleted_gets_a_new_lease(database):
    import shutil

    write_blob(database, b"x")
    shutil.rmtree(database.path)
    again = LmdbDatabase(database.path)
    _, named = write_blob(again, b"y")
    assert _lease(again) == [named[0]]
    again.put("a", make_record("a", blob=named, size=1))
    assert again.collect_garbage().kept == 0


def test_nothing_is_removed_from_a_store_whose_index_is_damaged(database, monkeypatch):
    writer, named = write_blob(database, bytes(1000))
    database._blobs._leases.release([named[0]])  # as if its process had died
    monkeypatch.setattr(database, "inspect", lambda: iter([Damage(None, None, "page 7 is used twice")]))
    with pytest.raises(CorruptValue, match="page 7.*zounds-lite verify"):
        database.collect_garbage()
    assert len(database.open_blob(named[0])) > 1000
    monkeypatch.undo()
    assert database.collect_garbage().blobs == 1


def test_what_a_dead_writer_left_of_record_files_goes(tmp_path):
    database = FileSystemDatabase(tmp_path / "store", createdirs=True)
    database.put("a", make_record("a"))
    left = database._record_file("a").with_name("77-boot-77-1.part")
    left.write_bytes(b"half a record")
    assert list(database) == ["a"] and len(database) == 1
    found = database.collect_garbage()
    assert found.bytes == 13 and not left.exists() and database.read("a").id == "a"


def test_what_processes_left_in_the_store_s_own_folder_goes(tmp_path):
    database, files = LmdbDatabase(tmp_path / "lmdb"), FileSystemDatabase(tmp_path / "files", createdirs=True)
    for store in (database, files):
        store.put("a", make_record("a"))
    for name in ("7-boot-7.new", "7-boot-7.compact"):
        (tmp_path / "lmdb" / name).mkdir()
        (tmp_path / "lmdb" / name / "data.mdb").write_bytes(b"half")
    (tmp_path / "lmdb" / "7-boot-7-7.room").write_bytes(bytes(100))
    (tmp_path / "files" / "format-7-boot-7-7.part").write_bytes(bytes(100))
    for store in (database, files):
        assert store.collect_garbage().bytes >= 100
        assert store.read("a").id == "a" and store.collect_garbage().bytes == 0
    assert not [path for end in ("new", "compact", "room", "part") for path in tmp_path.rglob(f"*.{end}")]


def test_a_folder_that_is_not_ours_stands_in_nobody_s_way(database):
    _, named = write_blob(database, bytes(1000))
    stranger = database._blobs._file("f" * 32)
    stranger.mkdir(parents=True)
    (stranger / "note").write_text("mine")
    database._blobs._leases.release([named[0]])
    assert database.collect_garbage().blobs == 1 and (stranger / "note").exists()


def test_a_lease_that_cannot_be_cut_undoes_no_commit(database, monkeypatch):
    _, named = write_blob(database, bytes(1000))

    def refuse(*arguments):
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(os, "ftruncate", refuse)
    database.put("a", make_record("a", blob=named, size=1000))
    assert len(database.open_blob(named[0])) > 1000


def test_leases_of_many_stores_are_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(leases, "_leases", {})
    stores = [FileSystemDatabase(tmp_path / str(number), createdirs=True) for number in range(leases._MOST + 5)]
    busy, _ = write_blob(stores[0], bytes(1000))
    for store in stores[1:]:
        _, named = write_blob(store, bytes(1000))
        store.put("a", make_record("a", blob=named, size=1000))
    assert len(leases._leases) <= leases._MOST and len(_lease_files(stores[1])) == 0
    assert stores[0].collect_garbage().kept == 1, "a lease that names a blob stays"
    busy.discard()
    leases._leave()


def test_two_containers_never_take_one_tag():
    tags = {leases._tag.__wrapped__(1) for _ in range(100)}
    assert len(tags) == 100 and owner_tag() == owner_tag()


def test_a_blob_of_the_old_record_that_could_not_be_removed_is_garbage(database, monkeypatch):
    _, named = write_blob(database, bytes(1000))
    database.put("a", make_record("a", blob=named, size=1000))
    monkeypatch.setattr(database._blobs, "remove", lambda name: None)
    database.put("a", make_record("a", b"replaced"))
    assert [name for name, _ in database.iter_blobs()] == [named[0]]
    assert database.collect_garbage().blobs == 1


def test_a_process_that_ends_takes_its_lease_along(database):
    import subprocess
    import sys

    database.put("a", make_record("a"))
    code = (
        "import sys; from zounds_lite.featureflow import LmdbDatabase\n"
        "from zounds_lite.testing.contracts.records import make_record, write_blob\n"
        "database = LmdbDatabase(sys.argv[1]); _, named = write_blob(database, b'x')\n"
        "database.put('b', make_record('b', blob=named, size=1)); assert list(database._root.glob('blobs/*.lease'))\n"
    )
    subprocess.run([sys.executable, "-c", code, str(database.path)], check=True, timeout=60)
    assert sorted(database) == ["a", "b"] and _lease_files(database) == []
