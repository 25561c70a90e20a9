"""Stores are verified: what is damaged is named, and what is whole can still be read."""

import os
import random
import shutil

import pytest

from tests.featureflow.stores_filled import (
    FORK,
    LONG,
    NAMES,
    blob_file,
    contents,
    every_kind,
    fail,
    flip,
    kind_of,
    named,
    put,
)
from zounds_lite import featureflow as ff
from zounds_lite.errors import CorruptValue, StoreLocked
from zounds_lite.featureflow.ledger import FailedDocument
from zounds_lite.featureflow.stores.pages import PageFile
from zounds_lite.featureflow.stores.salvage import SalvagedDatabase
from zounds_lite.featureflow.stores.verification import examined, read_verified
from zounds_lite.featureflow.stores.walk import Walk


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
