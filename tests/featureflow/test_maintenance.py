"""Whole stores: copied, merged, made small."""

import json
import os
import shutil
import signal

import pytest

from tests.featureflow.stores_filled import (
    FORK,
    KINDS,
    LONG,
    NAMES,
    blob_file,
    contents,
    every_kind,
    fail,
    flip,
    kind_of,
    make,
    named,
    put,
)
from zounds_lite import featureflow as ff
from zounds_lite.errors import CorruptValue, DeclarationError, ModelExistsError, StoreFormatError, StoreLocked
from zounds_lite.featureflow.record import Record
from zounds_lite.featureflow.stores import compaction, locks, transfer
from zounds_lite.featureflow.stores.salvage import SalvagedDatabase
from zounds_lite.featureflow.stores.verification import open_store


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda path: None, "it is not there"),
        (lambda path: path.write_text("hello"), "it is a file"),
        (lambda path: path.mkdir(), "it is a folder without a store"),
    ],
)
@pytest.mark.parametrize("act", [lambda path: list(ff.verify(path)), ff.info, ff.compact, open_store])
def test_what_is_no_store_is_said(tmp_path, prepare, message, act):
    prepare(tmp_path / "store")
    with pytest.raises(StoreFormatError, match=message):
        act(tmp_path / "store")
    with pytest.raises(StoreFormatError, match=message):
        ff.copy(tmp_path / "store", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("kind", ["files", "lmdb"])
def test_a_newer_format_is_refused(filled, kind):
    newer = json.dumps({"format": 99}).encode()
    if kind == "files":
        (filled.path / "format.json").write_bytes(newer)
    else:
        filled._environment.run(lambda txn, db: txn.put(b"format", newer, db=db[b"meta"]), write=True)
    for act in (lambda path: list(ff.verify(path)), ff.info, lambda path: ff.copy(path, f"{path}.copy")):
        with pytest.raises(StoreFormatError, match="upgrade zounds_lite"):
            act(filled.path)
    if kind == "lmdb":
        with pytest.raises(StoreFormatError, match="upgrade zounds_lite"):
            SalvagedDatabase(filled.path)


# copy


@pytest.mark.parametrize("target", KINDS)
@every_kind
def test_a_copy_holds_the_same(filled, kind, target, tmp_path):
    copied = make(target, tmp_path / "copy")
    report = ff.copy(filled, copied)
    assert contents(copied) == contents(filled)
    assert (report.copied, report.blobs, report.failures, report.damaged) == (7, 7, 2, [])
    assert str(report).startswith("documents: 7 copied; 7 blobs, 2103111 bytes, 2 entries")
    assert list(ff.verify(copied)) == []
    with pytest.raises(ModelExistsError, match="copy to a new place, or use merge"):
        ff.copy(filled, copied)


@pytest.mark.parametrize("kind", ["files", "lmdb"])
def test_a_copy_to_a_path_is_of_the_same_kind_and_survives_the_original(filled, kind, tmp_path):
    wanted = contents(filled)
    (tmp_path / "copy").mkdir()
    ff.copy(filled.path, tmp_path / "copy")
    filled.close()
    shutil.rmtree(filled.path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy"]
    copied = open_store(tmp_path / "copy")
    assert kind_of(copied) == kind
    assert contents(copied) == wanted
    put(copied, "new")
    with pytest.raises(ModelExistsError, match="there is something at"):
        ff.copy(copied, tmp_path / "copy")
    with pytest.raises(DeclarationError, match="lies in the store"):
        ff.copy(copied.path, tmp_path / "copy" / "inside")


@every_kind
def test_damaged_values_are_left_out_only_if_asked_for(filled, kind, tmp_path):
    for _id, at in (("a", -1), ("b/c", 40)):
        raw = bytearray(filled.get(_id))
        raw[at] ^= 1
        filled.put(_id, bytes(raw))
    filled.remove_blob(filled.read("../d").entries["large"].blob)
    filled.change({}, {"bad.wav": lambda old: b"nonsense"})
    copied = make(kind, tmp_path / "copy")
    with pytest.raises(CorruptValue, match="skip_damaged=True .* leaves it out"):
        ff.copy(filled, copied)
    assert len(list(copied.iter_blobs())) == len(copied)
    copied = make(kind, tmp_path / "other")
    report = ff.copy(filled, copied, skip_damaged=True)
    assert named(report.damaged) == {("a", "small"), ("b/c", None), ("../d", "large"), (None, None)}
    assert str(report).count("\n  left out: ") == 4
    assert json.loads(json.dumps(report.to_dict()))["damaged"][0]["feature"] in ("small", "large", None)
    values, failures = contents(copied)
    assert values.keys() == set(NAMES) - {"b/c"}
    assert (values["a"][2].keys(), values["../d"][2].keys()) == ({"large"}, {"small"})
    assert len(failures) == 1
    assert list(ff.verify(copied)) == []


class Stop(Exception):
    pass


@pytest.mark.parametrize("kind", ["files", "lmdb"])
def test_a_copy_that_was_interrupted_goes_on(filled, kind, tmp_path, monkeypatch):
    for n in range(80):
        put(filled, f"more {n}", large=10)
    commits = []

    def commit(self, batch, real=transfer.Transfer._commit):
        commits.append(len(batch))
        if len(commits) == 2:
            raise Stop
        real(self, batch)

    monkeypatch.setattr(transfer.Transfer, "_commit", commit)
    with pytest.raises(Stop):
        ff.copy(filled, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    half = open_store(tmp_path / "copy.unfinished")
    assert len(half) == 32 == len(list(half.iter_blobs()))
    half.close()
    gone = next(iter(half))
    del filled[gone]
    report = ff.copy(filled, tmp_path / "copy")
    assert (report.same, report.copied) == (31, 87 - 32)
    assert contents(open_store(tmp_path / "copy")) == contents(filled)
    assert gone not in open_store(tmp_path / "copy")
    assert not (tmp_path / "copy.unfinished").exists()


def replace_for_ever(path, ready):
    database = ff.LmdbDatabase(path)
    version = 0
    while True:
        version += 1
        for _id in NAMES:
            put(database, _id, version, large=2000)
        database.change({"gone": lambda old: None})
        put(database, "gone", version, large=10)
        ready.set()


def test_copy_verify_and_info_while_others_write(tmp_path):
    database = ff.LmdbDatabase(tmp_path / "store")
    ready = FORK.Event()
    writer = FORK.Process(target=replace_for_ever, args=(tmp_path / "store", ready))
    writer.start()
    try:
        assert ready.wait(30)
        for number in range(8):
            assert list(ff.verify(database)) == []
            assert ff.info(database).documents in (7, 8)
            copied = ff.InMemoryDatabase()
            ff.copy(database, copied)
            for _id, (sources, _, values) in contents(copied)[0].items():
                version = int(sources["root"]["hash"])
                assert values["small"].endswith(f" {version}".encode())
                assert values["large"][:1] == bytes([version % 256]), (number, _id)
        assert writer.is_alive()
    finally:
        writer.kill()
        writer.join()


# merge


@every_kind
def test_merging(filled, kind, tmp_path):
    other = make(kind, tmp_path / "other")
    put(other, "a")  # the same
    put(other, "b/c", version=1)
    put(other, "new")
    fail(other, "bad.wav")
    fail(other, "worse.wav")
    before = contents(filled)
    with pytest.raises(ModelExistsError, match=r"1 documents differ .*'b/c'"):
        ff.merge([other], filled)
    assert contents(filled) == before
    report = ff.merge([other], filled, on_conflict="keep")
    assert (report.copied, report.same, report.kept, report.failures) == (1, 1, 1, 1)
    assert contents(filled)[0]["b/c"] == before[0]["b/c"]
    report = ff.merge([other], filled, on_conflict="replace")
    assert (report.copied, report.same, report.replaced) == (0, 2, 1)
    assert contents(filled)[0]["b/c"] == contents(other)[0]["b/c"]
    assert len(list(filled.iter_blobs())) == len(filled) == 8
    assert len(contents(filled)[1]) == 3
    assert ff.merge([other], filled).same == 3
    with pytest.raises(DeclarationError, match="on_conflict='merge': use one of refuse, keep, replace"):
        ff.merge([other], filled, on_conflict="merge")
    with pytest.raises(DeclarationError, match="is the target itself"):
        ff.merge([filled], filled)


def test_merging_several_stores_into_a_new_one(tmp_path):
    for number, ids in enumerate((["a", "b"], ["b", "c"], ["d"])):
        database = ff.LmdbDatabase(tmp_path / str(number))
        for _id in ids:
            put(database, _id, version=number, large=10)
    sources = [tmp_path / "0", tmp_path / "1", tmp_path / "2"]
    with pytest.raises(ModelExistsError, match="1 documents differ from those of the same id \\('b'\\)"):
        ff.merge(sources, tmp_path / "all")
    assert len(ff.LmdbDatabase(tmp_path / "all")) == 0
    report = ff.merge(sources, tmp_path / "all", on_conflict="keep")
    assert (report.copied, report.kept) == (4, 1)
    assert contents(open_store(tmp_path / "all"))[0]["b"][0]["root"]["hash"] == "0"
    ff.merge(sources, tmp_path / "all", on_conflict="replace")
    assert contents(open_store(tmp_path / "all"))[0]["b"][0]["root"]["hash"] == "1"
    with pytest.raises(DeclarationError, match="is the target itself"):
        ff.merge([tmp_path / "0"], tmp_path / "0")


@every_kind
def test_a_document_that_is_stored_leaves_the_ledger(filled, kind, tmp_path):
    other = make(kind, tmp_path / "other")
    put(other, "bad.wav")
    ff.merge([other], filled)
    assert filled.get_failure("bad.wav") is None


@pytest.mark.parametrize("kind", ["files", "lmdb"])
def test_damaged_documents_are_mended_from_a_copy(filled, kind, tmp_path):
    wanted = contents(filled)
    ff.copy(filled, tmp_path / "copy")
    flip(blob_file(filled, "a"), 10)
    blob_file(filled, LONG).unlink()
    raw = bytearray(filled.get("b/c"))
    raw[40 + len("b/c")] ^= 1
    filled.put("b/c", bytes(raw))
    assert len(list(ff.verify(filled))) == 3
    report = ff.merge([tmp_path / "copy"], filled, on_conflict="replace")
    assert (report.replaced, report.same) == (3, 4)
    assert list(ff.verify(filled)) == []
    assert contents(filled) == wanted


def test_another_writer_that_is_faster_is_never_overwritten_unasked(tmp_path, monkeypatch):
    source, target = ff.InMemoryDatabase(), ff.InMemoryDatabase()
    put(source, "a", large=10)
    real = transfer.Transfer._commit

    def commit(self, batch):
        if batch:
            put(target, "a", version=7, large=10)
        real(self, batch)

    monkeypatch.setattr(transfer.Transfer, "_commit", commit)
    with pytest.raises(ModelExistsError, match="made by another writer meanwhile"):
        ff.merge([source], target)
    assert contents(target)[0]["a"][0]["root"]["hash"] == "7"
    del target["a"]
    assert ff.merge([source], target, on_conflict="keep").kept == 1
    assert contents(target)[0]["a"][0]["root"]["hash"] == "7"
    assert len(list(target.iter_blobs())) == 1


# compact


def test_compacting_gives_room_back(tmp_path):
    database = ff.LmdbDatabase(tmp_path / "store")
    for n in range(100):
        put(database, f"{n}", large=100)
        database.put(
            f"large {n}", Record(f"large {n}", {"r": {"kind": "value", "hash": "x", "value": "x" * 50_000}}).to_bytes()
        )
    for n in range(100):
        del database[f"large {n}"]
    writer = database.create_blob()
    writer.write(b"never named")
    writer.finish()
    fail(database, "bad.wav")
    wanted, before = contents(database), (database.path / "data.mdb").stat().st_size
    result = ff.compact(database)
    after = (database.path / "data.mdb").stat().st_size
    assert after < before / 10
    assert result.after < result.before - 4_000_000
    assert contents(database) == wanted
    assert list(ff.verify(database)) == []
    put(database, "new")
    assert sorted(path.name for path in database.path.iterdir()) == ["blobs", "data.mdb", "lock.mdb", "users.lock"]
    assert "bytes before" in str(result)
    assert ff.compact(tmp_path / "store").blobs == 0


@pytest.mark.parametrize("kind", ["memory", "files"])
def test_compacting_other_stores_removes_garbage(filled, kind):
    wanted = contents(filled)
    result = ff.compact(filled)
    assert (result.blobs, contents(filled)) == (0, wanted)


def hold_open(path, ready, done):
    database = ff.LmdbDatabase(path)
    len(database)
    ready.set()
    done.wait(60)


def test_compacting_a_store_that_others_have_open_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE", 0.2)
    database = ff.LmdbDatabase(tmp_path / "store")
    put(database, "a")
    database.close()
    ready, done = FORK.Event(), FORK.Event()
    other = FORK.Process(target=hold_open, args=(tmp_path / "store", ready, done))
    other.start()
    try:
        assert ready.wait(30)
        with pytest.raises(StoreLocked, match="is used by another program"):
            ff.compact(database)
        assert list(ff.verify(database)) == []
    finally:
        done.set()
        other.join()
    assert ff.compact(database).after > 0


def die_at(path, step):
    """Compact, and end at a step as a crash would."""
    steps = []

    def crash(name, real):
        def call(*arguments, **options):
            steps.append(name)
            if len(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            result = real(*arguments, **options)
            steps.append(name)
            if len(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    compaction._copy = crash("copy", compaction._copy)
    compaction._sync_file = crash("sync", compaction._sync_file)
    os.replace = crash("replace", os.replace)
    compaction.sync_folder = crash("folder", compaction.sync_folder)
    compaction.shutil.rmtree = crash("rmtree", shutil.rmtree)
    ff.compact(path)
    os._exit(0)


def test_a_crash_at_any_moment_of_compacting_leaves_a_store_that_works(tmp_path):
    database = ff.LmdbDatabase(tmp_path / "store")
    for n in range(20):
        put(database, f"{n}", large=100)
    wanted = contents(database)
    database.close()
    for step in range(1, 30):
        child = FORK.Process(target=die_at, args=(tmp_path / "store", step))
        child.start()
        child.join(60)
        assert child.exitcode in (0, -signal.SIGKILL)
        assert list(ff.verify(tmp_path / "store")) == []
        opened = ff.LmdbDatabase(tmp_path / "store")
        assert contents(opened) == wanted
        put(opened, "written", version=step, large=10)
        del opened["written"]
        opened.close()
        if child.exitcode == 0:
            break
    assert child.exitcode == 0 and step > 8
    assert sorted(path.name for path in database.path.iterdir()) == ["blobs", "data.mdb", "lock.mdb", "users.lock"]
