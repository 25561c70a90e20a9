"""Commands on a whole store: what each says, leaves behind, and returns."""

import json
import os
import shutil

import pytest

import zounds_lite as zounds
from tests.sounds import noise, write
from zounds_lite.featureflow.ledger import FailedDocument
from zounds_lite.featureflow.stores.pages import PageFile, read_meta

MINE = ("--document", "mine:Sound")


@pytest.fixture
def store(workplace, cli, tmp_path):
    """A store with two documents, one of them with a blob, and a recording that failed."""
    write(tmp_path / "sounds" / "long.wav", noise(30.0))
    (tmp_path / "sounds" / "bad.wav").write_bytes(b"no audio")
    assert cli("ingest", "sounds", "--store", "s", *MINE)[0] == 1
    return tmp_path / "s"


def blobs(store):
    return sorted((store / "blobs").glob("??/*.blob"))


def spoil(file, at=100):
    raw = bytearray(file.read_bytes())
    raw[at] ^= 1
    file.write_bytes(raw)


def close(store):
    zounds.featureflow.LmdbDatabase(store).close()


def test_verify(store, cli, tmp_path):
    assert cli("verify", "s") == (0, "s: everything is whole\n", "")
    spoil(blobs(store)[0])
    code, out, err = cli("verify", "s")
    assert (code, out) == (
        1,
        "s: damaged in 1 place; delete what is damaged and ingest it again, or mend it from a copy: "
        "zounds-lite merge s COPY --on-conflict replace\n",
    )
    assert err.startswith(
        f"damaged: feature 'fft' of document '{tmp_path / 'sounds' / 'long.wav'}': it fails its checksum"
    )
    blobs(store)[0].unlink()
    code, out, err = cli("verify", "s")
    assert (code, "it is missing: no blob" in err) == (1, True)


def test_verify_of_a_damaged_index_never_opens_it(store, cli, tmp_path):
    close(store)
    with PageFile(store / "data.mdb") as file:
        meta, _ = read_meta(file)
    spoil(store / "data.mdb", meta.main.page * meta.page_size + 12)
    code, out, err = cli("verify", "s")
    assert code == 1
    assert "of the main tree" in err
    assert "long.wav': its record cannot be reached any more" in err
    code, out, err = cli("copy", "s", "t")
    assert (code, out, "--skip-damaged" in err, (tmp_path / "t").exists()) == (3, "", True, False)
    code, out, err = cli("copy", "s", "t", "--skip-damaged")
    assert (code, out.startswith("documents: 3 copied; 1 blobs, ")) == (1, True)
    assert err.count("left out: ") >= 1
    assert cli("verify", "t")[0] == 0
    assert len(cli("ls", "t")[1].splitlines()) == 3


def test_copy_and_merge(store, cli, tmp_path):
    code, out, err = cli("copy", "s", "t")
    assert (code, err) == (0, "")
    assert out.startswith("documents: 3 copied; 1 blobs, ") and out.endswith(" bytes, 1 entries of the ledger\n")
    assert cli("ls", "t")[1] == cli("ls", "s")[1]
    assert cli("failed", "t")[1] == cli("failed", "s")[1]
    assert cli("ingest", "sounds", "--store", "t", *MINE)[1].splitlines()[1] == "0 processed, 3 skipped, 1 failed"
    code, out, err = cli("copy", "s", "t")
    assert (code, out, "copy to a new place" in err) == (3, "", True)
    assert cli("delete", "t", "long.wav", *MINE)[0] == 0
    assert cli("merge", "t", "s")[1].startswith("documents: 1 copied, 2 there already; 1 blobs")
    write(tmp_path / "sounds" / "one.wav", noise(0.5))
    cli("ingest", "sounds", "--store", "t", *MINE)
    code, out, err = cli("merge", "t", "s")
    assert (code, out, "--on-conflict" in err) == (3, "", True)
    assert cli("merge", "t", "s", "--on-conflict", "keep")[1].startswith("documents: 0 copied, 1 kept as they were")
    assert cli("merge", "t", "s", "--on-conflict", "replace")[1].startswith("documents: 0 copied, 1 replaced")
    assert cli("merge", "new", "s", "t")[0] == 0
    assert cli("merge", "new", "s", "--on-conflict", "perhaps")[0] == 2
    blobs(tmp_path / "new")[0].unlink()
    assert cli("merge", "new", "s", "--on-conflict", "replace")[1].startswith(
        "documents: 0 copied, 1 replaced, 2 there"
    )
    assert cli("verify", "new")[0] == 0


def test_gc_and_compact(store, cli):
    assert cli("gc", "s") == (0, "0 blobs removed, 0 bytes; 0 kept, which are being written\n", "")
    left = store / "blobs" / "ab" / ("ab" * 16 + ".blob")
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(bytes(1000))
    assert cli("info", "s")[1].splitlines()[2].endswith("2 blobs, 1 of them (1.0 kB) named by no document")
    assert cli("gc", "s") == (0, "1 blobs removed, 1000 bytes; 0 kept, which are being written\n", "")
    left.write_bytes(bytes(1000))
    code, out, err = cli("compact", "s")
    assert (code, err) == (0, "")
    assert out.endswith("; 1 blobs that no document names were removed\n")
    assert cli("verify", "s")[0] == 0
    assert len(cli("ls", "s")[1].splitlines()) == 3


def test_info(store, workplace, cli):
    code, out, err = cli("info", "s")
    assert (code, err) == (0, "")
    assert out.splitlines()[:2] == ["s: format 1, durability full", "3 documents, 0 of them damaged; 1 failed"]
    assert "stale" in out.splitlines()[3] and "%" not in out
    workplace(("n_bands=20", "n_bands=30"), ("mean = ", "average = "))
    code, out, err = cli("info", "s", *MINE)
    assert (code, err) == (0, "")
    lines = {line.split()[0]: line for line in out.splitlines()[4:]}
    assert lines["bark"].endswith("100 %") and lines["fft"].endswith(" 0 %")
    assert out.splitlines()[-1] == "stored, and not by this document class: mean"
    found = json.loads(cli("info", "s", "--json", *MINE)[1])
    assert (found["documents"], found["failed"], found["undeclared"]) == (3, 1, ["mean"])
    assert found["features"]["bark"]["stale_share"] == 1.0
    assert found["features"]["fft"]["blobs"] > 1_000_000
    assert found["largest"] == []


def test_info_of_documents(store, cli):
    code, out, err = cli("info", "s", "--documents", "2")
    assert (code, err) == (0, "")
    table = out.partition("\n\n")[2].splitlines()
    assert len(table) == 3 and table[0].split()[:2] == ["document", "all"]
    largest = json.loads(cli("info", "s", "--documents", "--json")[1])["largest"]
    assert len(largest) == 3 and largest == sorted(largest, key=lambda one: -one["bytes"])
    assert cli("info", "s", "--documents", "-1")[0] == 3


def test_failed(store, cli, tmp_path):
    code, out, err = cli("failed", "s")
    assert (code, err) == (0, "")
    bad = str(tmp_path / "sounds" / "bad.wav")
    assert out.splitlines()[0].startswith(f"{bad}: NotAudio: ") and out.splitlines()[0].endswith(" (tried once)")
    assert out.splitlines()[-1] == "1 documents failed"
    assert "    " in cli("failed", "s", "--traceback")[1]
    (entry,) = json.loads(cli("failed", "s", "--json")[1])
    assert (entry["id"], entry["attempts"]) == (bad, 1)
    database = zounds.featureflow.LmdbDatabase(store)
    worse = FailedDocument("worse", "it died", attempts=2, deaths=2, quarantined=True).to_bytes()
    database.change({}, {"worse": lambda old: worse, "broken": lambda old: b"nonsense"})
    code, out, err = cli("failed", "s")
    assert (code, err.startswith("damaged: the store: an entry of the ledger")) == (1, True)
    assert "worse: it died (tried 2 times; 2 workers died of it, not tried again by itself)\n" in out


def test_what_failed_is_not_tried_again_unless_asked_for(store, cli, tmp_path):
    code, out, err = cli("ingest", "sounds", "--store", "s", *MINE)
    assert (code, err) == (1, "")
    assert out.splitlines()[1:] == [
        "0 processed, 3 skipped, 1 failed",
        "1 failed in earlier runs and were not tried again, as nothing changed since: see zounds-lite failed s, or try "
        "them with --retry-failed",
    ]
    code, out, err = cli("ingest", "sounds", "--store", "s", "--retry-failed", *MINE)
    assert (code, err.count("failed: ")) == (1, 1)
    assert "(tried 2 times)" in cli("failed", "s")[1]
    write(tmp_path / "sounds" / "bad.wav", noise(0.1))
    assert cli("ingest", "sounds", "--store", "s", *MINE)[0] == 0
    assert cli("failed", "s") == (0, "0 documents failed\n", "")


def test_the_report_of_an_ingest_as_json(store, cli, tmp_path):
    code, _, _ = cli("ingest", "sounds", "--store", "t", "--json", "report.json", "--workers", "2", *MINE)
    found = json.loads((tmp_path / "report.json").read_text())
    assert (code, len(found["processed"]), found["failed"][0]["attempts"]) == (1, 3, 1)
    code, _, err = cli("ingest", "sounds", "--store", "u", "--json", "no/such/folder.json")
    assert (code, "no/such/folder.json" in err) == (3, True)


def test_delete(store, cli, tmp_path):
    code, out, err = cli("delete", "s", "long.wav", *MINE)
    assert (code, out, err) == (0, f"deleted: {tmp_path / 'sounds' / 'long.wav'}\n", "")
    assert blobs(store) == []
    code, out, err = cli("delete", "s", "long.wav")
    assert (code, "no id is or ends with it" in err) == (3, True)


def test_a_damaged_document_stands_in_nobodys_way(store, cli, tmp_path):
    database = zounds.featureflow.LmdbDatabase(store)
    _id = next(iter(database))
    raw = bytearray(database.get(_id))
    raw[len(_id) + 60] ^= 1
    database.put(_id, bytes(raw))
    assert cli("verify", "s")[0] == 1
    assert "1 of them damaged" in cli("info", "s", *MINE)[1]
    code, _, err = cli("update", "s", *MINE)
    assert (code, err.count("failed: ")) == (1, 1)
    assert cli("ingest", "sounds", "--store", "s", *MINE)[1].splitlines()[1] == "1 processed, 2 skipped, 1 failed"
    assert cli("verify", "s")[0] == 0


@pytest.mark.parametrize("command", ["verify", "gc", "copy", "compact", "merge", "info", "failed", "delete"])
@pytest.mark.parametrize("path", ["nowhere", "sounds", "mine.py"])
def test_what_is_no_store_is_said_with_exit_code_3(workplace, cli, tmp_path, command, path):
    words = {"copy": (path, "t"), "merge": ("t", path), "delete": (path, "x")}.get(command, (path,))
    code, out, err = cli(command, *words)
    assert (code, out) == (3, "")
    assert err == (
        f"zounds-lite {command}: {path!r} is no store; make one with: zounds-lite ingest FOLDER --store PATH\n"
    )
    assert not (tmp_path / "t").exists()


def test_a_newer_store_is_refused(store, cli):
    newer = json.dumps({"format": 99}).encode()
    database = zounds.featureflow.LmdbDatabase(store)
    database._environment.run(lambda txn, db: txn.put(b"format", newer, db=db[b"meta"]), write=True)
    database.close()
    for words in (("verify", "s"), ("info", "s"), ("gc", "s"), ("copy", "s", "t"), ("compact", "s"), ("failed", "s")):
        code, out, err = cli(*words)
        assert (code, out, "upgrade zounds_lite" in err) == (3, "", True)


def test_a_store_that_was_moved_is_the_same(store, cli, tmp_path):
    close(store)
    shutil.move(store, tmp_path / "moved")
    assert cli("verify", "moved")[0] == 0
    assert len(cli("ls", "moved")[1].splitlines()) == 3
    assert os.listdir(tmp_path / "moved" / "blobs")
