"""What a store holds, and what can be done with one that is read-only."""

import json
import os
import re
import time
from pathlib import Path

import numpy as np
import pytest

from tests.featureflow.stores_filled import (
    FORK,
    every_kind,
    fail,
    make,
    put,
)
from tests.markup import read_html
from zounds_lite import featureflow as ff
from zounds_lite.errors import DeclarationError, StoreLocked
from zounds_lite.featureflow.stores import maintenance
from zounds_lite.featureflow.stores.verification import open_store

# info


class Described(ff.BaseModel):
    words = ff.JSONFeature(ff.IteratorNode, store=True)
    count = ff.JSONFeature(lambda words: len(words), needs=words, store=True)
    large = ff.NumpyFeature(lambda words: np.zeros(300_000), needs=words, store=True)


class Changed(ff.BaseModel):
    words = ff.JSONFeature(ff.IteratorNode, store=True)
    count = ff.JSONFeature(lambda words: len(words) + 1, needs=words, store=True)
    size = ff.JSONFeature(lambda words: len(words), needs=words, store=True)


def test_a_document_that_is_replaced_meanwhile_is_read_again(tmp_path, monkeypatch):
    model = ff.simple_lmdb_settings(tmp_path / "store", user_supplied_id=True)(Described)
    model.process(_id="a", words=["a"])
    real = model.database.open_blob

    def replaced_first(name):
        monkeypatch.undo()
        model.process(_id="a", words=["b"])
        return real(name)

    monkeypatch.setattr(model.database, "open_blob", replaced_first)
    found = ff.info(model.database, model)
    assert found.documents == 1
    assert found.features["large"].stale_share == 0.0


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
def test_every_byte_is_on_one_line(kind, tmp_path):
    class Settings(ff.PersistenceSettings):
        id_provider = ff.UserSpecifiedIdProvider("_id")

    Settings.database = make(kind, tmp_path / "store")

    class Document(ff.BaseModel, Settings):
        raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=2**20, store=True)
        size = ff.JSONFeature(lambda chunk: len(chunk), needs=raw, store=True)

    path = tmp_path / "b.bin"
    path.write_bytes(bytes(2_000_000))
    Document.process(_id="small", raw=b"some bytes")
    Document.process(_id="large", raw=str(path), keep_source=True)
    Document.process(_id="without", raw=str(path), keep_source=False)
    found = ff.info(Document.database, Document, largest=2)
    assert found.kept == found.features["source:raw"].inline + found.features["source:raw"].blobs == 2_000_010
    values = sum(one.inline + one.blobs for one in found.features.values())
    assert found.bytes == values + found.headers + found.tables + found.orphan_bytes + found.rest
    blobs = sum(size for _, size in Document.database.iter_blobs())
    assert blobs == found.tables + sum(one.blobs for one in found.features.values())
    assert 0 < found.tables < 1000 and 0 < found.headers < 10_000
    assert 0 <= found.rest < 200_000
    assert [(one.id, one.kept) for one in found.largest] == [("large", 2_000_000), ("without", 0)]
    assert found.largest[0].features["raw"] == 2_000_000
    everything = ff.info(Document.database, largest=10)
    records = sum(len(Document.database.get(_id)) for _id in ("small", "large", "without"))
    assert sum(one.bytes for one in everything.largest) == records + blobs
    text = str(found)
    assert re.search(r"^kept source of raw +2 +10 B +2.0 MB$", text, re.M)
    assert re.search(r"^document +all +kept source +raw +size\nlarge +4.0 MB +2.0 MB +2.0 MB +\d+ B$", text, re.M)
    with pytest.raises(DeclarationError, match="largest=-1"):
        ff.info(Document.database, largest=-1)


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


def test_a_notebook_shows_the_overview_as_a_table():
    names = {"<img src=x onerror=alert(1)>": ff.JSONFeature(ff.IteratorNode, store=True)}
    names |= {f"f{k}": ff.JSONFeature(len, needs=next(iter(names.values())), store=True) for k in range(400)}
    model = ff.simple_in_memory_settings(type("Wide", (ff.BaseModel,), names))
    _id = model.process(**{next(iter(names)): ["a"]})
    found = ff.info(model.database, model, largest=1)
    elements, words = read_html(found._repr_html_())
    assert "1 documents, 0 of them damaged; 0 failed" in words and _id in words
    assert "the first 300 of 403 lines; print it to see all" in words
    assert [tag for tag, _ in elements].count("table") == 2


def test_a_notebook_shows_every_line_that_is_printed():
    model = ff.simple_in_memory_settings(type("Copy", (Described,), {}))
    model.process(words=["a"])
    found = ff.info(model.database, model)
    _, words = read_html(found._repr_html_())
    for line in str(found).splitlines():
        assert all(cell in words for cell in re.split("  +", line.strip()))
