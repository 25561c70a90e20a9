"""Whole stores: verified, salvaged, copied, merged, made small."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from zounds_lite import featureflow as ff
from zounds_lite.errors import CorruptValue, DeclarationError, ModelExistsError, StoreFormatError, StoreLocked
from zounds_lite.featureflow.ledger import FailedDocument
from zounds_lite.featureflow.record import Entry, Record
from zounds_lite.featureflow.stores import compaction, locks, maintenance, transfer
from zounds_lite.featureflow.stores.pages import PageFile
from zounds_lite.featureflow.stores.salvage import SalvagedDatabase
from zounds_lite.featureflow.stores.verification import examined, open_store, read_verified
from zounds_lite.featureflow.stores.walk import Walk

FORK = multiprocessing.get_context("fork")
LONG = "x" * 700
NAMES = ["a", "b/c", "../d", "e" * 300, LONG, "ümlaut", "\ud800 lone"]


def put(database, _id, version=0, large=300_000):
    """Store a document with a small value and a large one."""
    small = f"{_id} {version}".encode("utf-8", "surrogatepass") * 3
    writer = database.create_blob()
    data = (np.arange(large) + version).astype(np.uint8).tobytes()
    writer.write(data)
    name, check = writer.finish()
    record = Record(_id, {"root": {"kind": "value", "hash": str(version), "value": version}})
    record.entries["small"] = Entry("l", "s", "text/plain", {}, len(small), small, None, _checks(small))
    record.entries["large"] = Entry("l", "s", "application/octet-stream", {}, large, None, name, [check])
    record.marks = {"small": [{"kind": "truncated", "message": "short"}]}
    database.put(_id, record.to_bytes())
    return name


def _checks(data):
    from zounds_lite.featureflow.checksums import Checksums

    checks = Checksums()
    checks.update(memoryview(data))
    return checks.finish()


def fail(database, _id):
    entry = FailedDocument(_id, "NotAudio: no audio")
    database.change({}, {_id: lambda old: entry.to_bytes()})


def contents(database):
    """All values of a store by document and feature, checked as they are read, and its ledger."""
    values = {}
    for _id in database.iter_ids():
        record = database.read(_id)
        values[_id] = (
            record.sources,
            record.marks,
            {name: b"".join(read_verified(database, entry, "it")) for name, entry in record.entries.items()},
        )
    return values, sorted(database.iter_failures())


def make(kind, path):
    if kind == "memory":
        return ff.InMemoryDatabase()
    return ff.LmdbDatabase(path) if kind == "lmdb" else ff.FileSystemDatabase(path, createdirs=True)


KINDS = ["memory", "files", "lmdb"]
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def filled(tmp_path, kind):
    database = make(kind, tmp_path / "store")
    for _id in NAMES:
        put(database, _id)
    fail(database, "bad.wav")
    fail(database, LONG)
    return database


def blob_file(database, _id):
    name = database.read(_id).entries["large"].blob
    return database.path / "blobs" / name[:2] / f"{name}.blob"


def named(damage):
    return {(found.id, found.feature) for found in damage}


def flip(file, at):
    with open(file, "r+b") as opened:
        opened.seek(at)
        byte = opened.read(1)
        opened.seek(at)
        opened.write(bytes([byte[0] ^ 1]))


# verify


@every_kind
def test_a_whole_store_is_whole(filled):
    assert list(ff.verify(filled)) == []


@pytest.mark.parametrize("kind", ["files", "lmdb"])
@pytest.mark.parametrize("where", [0, 150_000, 299_999, 300_003, 300_020, -1])
def test_a_flip_in_a_blob_is_named(filled, where):
    file = blob_file(filled, "b/c")
    flip(file, where % file.stat().st_size)
    (damage,) = ff.verify(filled)
    assert (damage.id, damage.feature) == ("b/c", "large")
    assert str(damage).startswith("feature 'large' of document 'b/c': it")
    assert list(ff.verify(filled.path)) == [damage]


@pytest.mark.parametrize("kind", ["files", "lmdb"])
def test_blobs_that_are_missing_cut_or_too_long_are_named(filled):
    blob_file(filled, "a").unlink()
    os.truncate(blob_file(filled, "b/c"), 1000)
    os.truncate(blob_file(filled, "../d"), 0)
    with open(blob_file(filled, LONG), "ab") as file:
        file.write(b"more")
    found = list(ff.verify(filled))
    assert named(found) == {("a", "large"), ("b/c", "large"), ("../d", "large"), (LONG, "large")}
    assert "it is missing: no blob" in next(damage.what for damage in found if damage.id == "a")


@every_kind
def test_small_values_and_headers_are_checked(filled):
    for _id, at in (("a", -1), ("b/c", 40)):
        raw = bytearray(filled.get(_id))
        raw[at] ^= 1
        filled.put(_id, bytes(raw))
    found = list(ff.verify(filled))
    assert named(found) == {("a", "small"), ("b/c", None)}
    assert "the header of the record of 'b/c' fails its checksum" in " ".join(map(str, found))


@every_kind
def test_a_record_under_another_id_is_named(filled):
    if kind_of(filled) == "memory":
        filled._records["a"] = filled.get("b/c")
    elif kind_of(filled) == "files":
        shutil.copy(filled._record_file("b/c"), filled._record_file("a"))
    else:
        raw = filled.get("b/c")
        filled._environment.run(lambda txn, db: txn.put(b"ia", raw, db=db[b"records"]), write=True)
    found = list(ff.verify(filled))
    assert found and {damage.id for damage in found} <= {"a", "b/c"}
    assert all("b/c" in str(damage) for damage in found)


def kind_of(database):
    return {"InMemoryDatabase": "memory", "FileSystemDatabase": "files", "LmdbDatabase": "lmdb"}[
        type(database).__name__
    ]


@pytest.mark.parametrize("kind", ["files", "lmdb"])
def test_a_record_whose_id_cannot_be_read_is_named_as_far_as_possible(filled):
    def spoil(_id):
        raw = bytearray(filled.get(_id))
        raw[28] ^= 1
        return bytes(raw)

    if kind_of(filled) == "files":
        filled._record_file("a").write_bytes(spoil("a"))
        (damage,) = ff.verify(filled)
        assert damage.id is None and filled._record_file("a").name in damage.what
        return
    short, worse = spoil("a"), bytearray(spoil(LONG))
    worse[40] ^= 7
    for long, name in ((spoil(LONG), LONG), (bytes(worse), None)):  # the hash in its key tells what one bit was
        changed = {b"ia": short, ff.stores.lmdb._key(LONG): long}
        for key, raw in changed.items():
            filled._environment.run(lambda txn, db, k=key, r=raw: txn.put(k, r, db=db[b"records"]), write=True)
        found = list(ff.verify(filled))
        assert named(found) == {("a", None), (name, None)}
        assert all("the id in" in damage.what for damage in found)


@every_kind
def test_damage_in_the_ledger_is_found(filled):
    raw = bytearray(filled.get_failure("bad.wav"))
    raw[-3] ^= 1
    filled.change({}, {"bad.wav": lambda old: bytes(raw)})
    (damage,) = ff.verify(filled)
    assert (damage.id, damage.feature) == (None, None)
    assert "an entry of the ledger of failed documents" in damage.what
    filled.change({}, {"bad.wav": lambda old: FailedDocument("other", "r").to_bytes()})
    (damage,) = ff.verify(filled)
    assert damage.id == "other"


def flips(path, seed, count):
    """Flip bits all over a store: what is read must be right, or named."""
    rng = random.Random(seed)
    database = ff.LmdbDatabase(path)
    wanted = contents(database)[0]
    database.close()
    files = [path / "data.mdb"] * 3 + sorted((path / "blobs").glob("*/*.blob"))
    live = len((path / "data.mdb").read_bytes())
    wrong, loud = [], 0
    for number in range(count):
        file = rng.choice(files)
        at = rng.randrange(live if file.name == "data.mdb" else file.stat().st_size)
        if file.name == "data.mdb" and number % 2:
            at = at // 4096 * 4096 + rng.randrange(200)
        flip(file, at)
        found = list(ff.verify(path))
        loud += bool(found)
        reader, _ = examined(path)
        for _id, (sources, marks, values) in wanted.items():
            if (_id, None) in named(found):
                continue
            try:
                record = reader.read(_id)
                assert (record.sources, record.marks, record.entries.keys()) == (sources, marks, values.keys())
                for name, value in values.items():
                    if (_id, name) not in named(found):
                        assert b"".join(read_verified(reader, record.entries[name], "it")) == value
            except Exception as error:  # noqa: BLE001 - whatever it is, it was not named before
                wrong.append((number, file.name, at, _id[:20], repr(error)))
        reader.close()
        flip(file, at)
    assert wrong == []
    assert loud > count / 4


@pytest.mark.parametrize("seed", range(2))
def test_no_flipped_bit_gives_a_wrong_value(tmp_path, seed):
    database = ff.LmdbDatabase(tmp_path / "store")
    for _id in [*NAMES, *(f"document {n}" * 20 for n in range(40))]:
        put(database, _id, large=1000)
    for number in range(10):
        fail(database, f"failed {number}")
    database.close()
    child = FORK.Process(target=flips, args=(tmp_path / "store", seed, 150))
    child.start()
    child.join(120)
    assert child.exitcode == 0


def pages_of(database):
    with PageFile(database.path / "data.mdb") as file:
        walk = Walk(file)
        items = {item.key: item for item in walk.items() if getattr(item, "database", None) == b"records"}
        return walk.meta, items


@pytest.fixture
def deep(tmp_path):
    """A store whose tree of records has branches."""
    database = ff.LmdbDatabase(tmp_path / "store")
    for n in range(60):
        put(database, f"{n:02}" * 100, large=100)
    return database


def test_documents_that_cannot_be_reached_are_told_from_those_that_can(deep, tmp_path):
    wanted = contents(deep)[0]
    _, items = pages_of(deep)
    page = items[b"i" + b"30" * 100].value.start // 4096
    behind = {key[1:].decode() for key, item in items.items() if item.value.start // 4096 == page}
    assert 1 <= len(behind) < 60
    deep.close()
    flip(deep.path / "data.mdb", page * 4096)  # its number: a leaf that LMDB would still follow, and no check finds
    found = list(ff.verify(deep.path))
    assert {damage.id for damage in found if damage.id} == behind
    assert any("calls itself page" in damage.what for damage in found)
    assert all("copy the store, and the copy has it" in damage.what for damage in found if damage.id)
    reader = SalvagedDatabase(deep.path)
    assert contents(reader)[0] == wanted
    with pytest.raises(CorruptValue, match="calls itself page"):
        ff.copy(deep.path, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    report = ff.copy(deep.path, tmp_path / "copy", skip_damaged=True)
    assert (report.copied, len(report.damaged)) == (60, len(found))
    assert contents(ff.LmdbDatabase(tmp_path / "copy"))[0] == wanted
    assert list(ff.verify(tmp_path / "copy")) == []


def test_a_damaged_leaf_costs_only_what_stands_in_it(deep, tmp_path):
    wanted = contents(deep)[0]
    _, items = pages_of(deep)
    item = items[b"i" + b"30" * 100]
    page = item.value.start // 4096
    behind = {key[1:].decode() for key, found in items.items() if found.value.start // 4096 == page}
    deep.close()
    with open(deep.path / "data.mdb", "r+b") as file:  # half of the page is gone
        file.seek(page * 4096 + 2048)
        file.write(bytes(2048))
    found = list(ff.verify(deep.path))
    assert {damage.id for damage in found if damage.id} <= behind
    ff.copy(deep.path, tmp_path / "copy", skip_damaged=True)
    copied = contents(ff.LmdbDatabase(tmp_path / "copy"))[0]
    assert {_id: copied[_id] for _id in wanted.keys() - behind} == {_id: wanted[_id] for _id in wanted.keys() - behind}
    assert all(wanted[_id] == value for _id, value in copied.items())


def test_a_damaged_store_is_only_read(deep):
    deep.close()
    meta, _ = pages_of(deep)
    flip(deep.path / "data.mdb", meta.main.page * 4096 + 10)
    assert list(ff.verify(deep.path))
    reader, found = examined(deep.path)
    assert isinstance(reader, SalvagedDatabase) and found
    for act in (
        lambda: reader.put("a", b""), reader.create_blob, lambda: reader.remove_blob("a"), reader.collect_garbage,
    ):  # fmt: skip
        with pytest.raises(StoreLocked, match="is damaged and only read: copy it"):
            act()
    with pytest.raises(CorruptValue, match="a damaged store is not compacted: copy it"):
        ff.compact(deep.path)
    with pytest.raises(CorruptValue, match="a damaged store takes no documents"):
        ff.merge([], deep.path)
    assert ff.info(deep.path).documents == 60


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


# info


class Described(ff.BaseModel):
    words = ff.JSONFeature(ff.IteratorNode, store=True)
    count = ff.JSONFeature(lambda words: len(words), needs=words, store=True)
    large = ff.NumpyFeature(lambda words: np.zeros(300_000), needs=words, store=True)


class Changed(ff.BaseModel):
    words = ff.JSONFeature(ff.IteratorNode, store=True)
    count = ff.JSONFeature(lambda words: len(words) + 1, needs=words, store=True)
    size = ff.JSONFeature(lambda words: len(words), needs=words, store=True)


def test_what_a_store_holds(tmp_path):
    model = ff.simple_lmdb_settings(tmp_path / "store", user_supplied_id=True)(Described)
    for _id in "abc":
        model.process(_id=_id, words=[_id])
    fail(model.database, "bad")
    found = ff.info(model.database, model)
    assert (found.documents, found.damaged, found.failed, found.blobs, found.orphans) == (3, 0, 1, 3, 0)
    assert found.features["large"].blobs == 3 * (300_000 * 8)
    assert (found.features["count"].documents, found.features["count"].stale_share) == (3, 0.0)
    assert found.bytes > 7_200_000
    assert (found.format, found.durability, found.undeclared) == (1, "full", [])
    other = ff.simple_lmdb_settings(tmp_path / "store", user_supplied_id=True)(Changed)
    other.update("a", ["count"])
    writer = model.database.create_blob()
    writer.write(b"never named")
    writer.finish()
    found = ff.info(tmp_path / "store", other)
    assert found.features["count"].stale == 2
    assert found.undeclared == ["large"]
    assert (found.orphans, found.orphan_bytes > 0) == (1, True)
    assert json.loads(json.dumps(found.to_dict()))["features"]["count"]["stale_share"] == pytest.approx(2 / 3)
    lines = str(found).splitlines()
    assert lines[1] == "3 documents, 0 of them damaged; 1 failed"
    assert any(line.startswith("count") and line.endswith("67 %") for line in lines)
    assert any(line.startswith("large") and line.endswith("not declared") for line in lines)
    assert ff.info(tmp_path / "store").features["count"].stale_share is None
    with pytest.raises(DeclarationError, match="keeps its documents in"):
        ff.info(ff.InMemoryDatabase(), other)


@every_kind
def test_info_of_every_kind_of_store(filled, kind):
    raw = bytearray(filled.get("a"))
    raw[40] ^= 1
    filled.put("a", bytes(raw))
    found = ff.info(filled)
    assert (found.documents, found.damaged, found.failed) == (7, 1, 2)
    assert found.features["large"].blobs == 6 * 300_000
    assert found.bytes > 1_800_000
    assert str(ff.info(make(kind, filled.path.with_name("empty") if kind != "memory" else None))).count("\n") == 2


def read_only(path):
    if os.getuid() == 0:
        os.setuid(65534)  # the rights of others do not bind an administrator
    assert list(ff.verify(path)) == []
    assert ff.info(path).documents == 7
    report = ff.copy(path, ff.InMemoryDatabase())
    assert report.copied == 7
    assert open_store(path).collect_garbage().blobs == 0
    if (path / "data.mdb").exists():
        with pytest.raises(StoreLocked, match="read-only"):
            ff.compact(path)


@pytest.mark.parametrize("kind", ["files", "lmdb"])
def test_a_read_only_store_is_verified_described_and_copied(filled, kind, tmp_path):
    filled.close()
    for folder in [*tmp_path.parents][:3]:
        if folder.stat().st_uid == os.getuid() and folder != Path(folder.anchor):
            folder.chmod(0o755)
    tmp_path.chmod(0o755)
    places = [*filled.path.rglob("*"), filled.path]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    child = FORK.Process(target=read_only, args=(filled.path,))
    child.start()
    child.join(60)
    for place in reversed(places):
        place.chmod(0o755)
    assert child.exitcode == 0


def test_a_large_store_is_verified_at_the_speed_of_its_disk(tmp_path):
    database = ff.LmdbDatabase(tmp_path / "store")
    put(database, "a", large=50_000_000)
    began = time.monotonic()
    assert list(ff.verify(database)) == []
    assert time.monotonic() - began < 5
    assert maintenance.disk_bytes(database) > 50_000_000
