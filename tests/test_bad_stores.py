"""Bad stores, one line of the list each: through the public names, and on the command line.

A store that another program holds, a folder that is a file, a store that may only be read, a newer format, a value that
is missing, and a document class that has changed since. Each says what is wrong and what to do; the rest stays usable.
"""

import contextlib
import io
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

import zounds_lite as zounds
from tests.children import in_child
from tests.sounds import noise, write
from zounds_lite import errors, featureflow as ff
from zounds_lite.cli import main
from zounds_lite.featureflow.stores import locks

Base = zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)


class Sound(Base):
    """What the stores here are made with."""

    bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=20, needs=Base.fft, store=True)


class Renamed(Base):
    """The same, with another name for its last feature."""

    barks = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=20, needs=Base.fft, store=True)


class Removed(Base):
    """The same, without its last feature."""


class Squared(Base):
    """One with another large feature, whose function any user can read."""

    power = zounds.ArrayWithUnitsFeature(np.square, needs=Base.fft, store=True)


def bound(cls, path):
    return zounds.simple_lmdb_settings(path, user_supplied_id=True)(cls)


def named(cls):
    return ["--document", f"tests.test_bad_stores:{cls.__name__}"]


@pytest.fixture
def place(monkeypatch):
    """A current folder that any user can look into, with a store of two recordings and one that failed."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    monkeypatch.chdir(folder)
    (folder / "in").mkdir()
    write(folder / "in" / "long.wav", noise(30.0))  # its fft is a blob
    write(folder / "in" / "short.wav", noise(0.5))
    (folder / "in" / "bad.wav").write_bytes(b"no sound")
    zounds.ingest(zounds.Directory("in"), bound(Sound, "s"))
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


def cli(*words):
    """Run a command; returns its exit code and what it wrote to stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(words))
    return code, out.getvalue(), err.getvalue()


def long_id(place):
    return str(place / "in" / "long.wav")


WRITING = [
    ["ingest", "in", "--store", "s", "--retry-failed", *named(Sound)],
    ["update", "s", *named(Renamed)],
    ["delete", "s", "short.wav", *named(Sound)],
    ["compact", "s"],
]
READING = [
    ["ls", "s"],
    ["show", "s", "short.wav", *named(Sound)],
    ["show", "s", "long.wav", "meta", *named(Sound)],
    ["explain", "s", "long.wav", "fft", *named(Sound)],
    ["info", "s", *named(Sound)],
    ["verify", "s"],
    ["failed", "s"],
]


# a store that another program holds


def test_a_store_that_another_program_holds(place, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    cls = bound(Sound, "s")

    def others():
        with pytest.raises(errors.StoreLocked, match="held by another program") as caught:
            bound(Sound, "s")
        assert isinstance(caught.value, OSError)
        for words in (*READING, *WRITING):
            code, out, err = cli(*words)
            assert (code, out, err.count("\n")) == (3, "", 1), words
            assert f"zounds-lite {words[0]}: " in err and "held by another program" in err

    with cls.database.alone():
        cls.database.close()
        in_child(others)
    assert len(cls.database) == 2


def test_compacting_needs_the_store_for_itself_and_others_do_not(place, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    cls = bound(Sound, "s")

    def others():
        code, out, err = cli("compact", "s")
        assert (code, out, "used by another program" in err) == (3, "", True)
        assert [cli(*words)[0] for words in READING] == [0] * len(READING)
        assert cli("ingest", "in", "--store", "s", *named(Sound))[0] == 1
        assert cli("gc", "s")[0] == 0

    assert len(cls.database) == 2
    in_child(others)


# a folder that is a file


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_a_store_folder_that_is_a_file(place, path):
    Path("file").write_text("text")
    with pytest.raises(errors.StoreFormatError, match="a store is a folder: pass another path"):
        bound(Sound, path)
    for words in (["ls", path], ["verify", path], ["merge", "t", path], ["copy", path, "t"]):
        code, out, err = cli(*words)
        assert (code, out, "is no store; make one with: zounds-lite ingest FOLDER" in err) == (3, "", True)
    code, out, err = cli("ingest", "in", "--store", path)
    assert (code, out, "a store is a folder: pass another path" in err) == (3, "", True)
    code, out, err = cli("merge", path, "s")
    assert (code, out, "a store is a folder: pass another path" in err) == (3, "", True)
    code, out, err = cli("copy", "s", path)
    assert (code, out) == (3, "")
    assert "copy to a new place" in err or "pass another path" in err
    assert Path("file").read_text() == "text"


# a store that may only be read


def as_anybody(place, work):
    """Do something as a user who may not write into the store."""
    bound(Sound, "s").database.close()
    for path in [place, *place.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)

    def child():
        if os.getuid() == 0:
            os.setuid(65534)  # the rights of others do not bind an administrator
        work()

    in_child(child)


def test_a_read_only_store_can_be_read(place):
    def work():
        cls = bound(Sound, "s")
        assert {len(sound.fft) for sound in cls} == {21, 1291}
        assert not cls.explain(long_id(place), "fft").stale
        for words in READING:
            code, _, err = cli(*words)
            assert (code, err) == (0, ""), words
        assert cli("copy", "s", "/nowhere/t")[0] == 3

    as_anybody(place, work)


def test_a_read_only_store_says_why_it_cannot_be_written(place):
    def work():
        cls = bound(Sound, "s")
        for act in (
            lambda: cls.process(meta=long_id(place), _id="new"),
            lambda: cls.delete(long_id(place)),
            lambda: zounds.ingest([long_id(place)], cls, skip_existing=False),
        ):
            with pytest.raises(errors.StoreLocked, match="is read-only for this user: reading works, writing does not"):
                act()
        # what is new in the class is computed, handed out, and kept nowhere: small values and large ones
        for _ in range(2):
            assert bound(Renamed, "s")(long_id(place)).barks.shape == (1291, 20)
            assert bound(Squared, "s")(long_id(place)).power.shape == (1291, 257)
        for words in WRITING:
            code, _, err = cli(*words)
            assert (code, "is read-only for this user" in err) == (3, True), (words, err)
        assert cli("ingest", "in", "--store", "new")[0] == 3

    as_anybody(place, work)


def test_merging_one_path(place):
    assert zounds.merge("s", "t").copied == 2
    assert zounds.merge(Path("s"), "t").copied == 0


# a newer format


def test_a_newer_format(place):
    database = bound(Sound, "s").database
    newer = json.dumps({"format": 99}).encode()
    database._environment.run(lambda txn, db: txn.put(b"format", newer, db=db[b"meta"]), write=True)
    database.close()
    before = (place / "s" / "data.mdb").read_bytes()
    with pytest.raises(errors.StoreFormatError, match="format 99; this version reads up to 1: upgrade zounds_lite"):
        bound(Sound, "s")
    for words in (*READING, *WRITING, ["gc", "s"], ["copy", "s", "t"], ["merge", "t", "s"], ["merge", "s", "s"]):
        code, out, err = cli(*words)
        assert (code, out, "upgrade zounds_lite" in err) == (3, "", True), words
    assert (place / "s" / "data.mdb").read_bytes() == before


# a value that is missing


@pytest.fixture
def incomplete(place):
    """The store without the blob of its long recording, and a copy that is whole."""
    zounds.copy("s", "whole")
    (blob,) = (place / "s" / "blobs").glob("??/*.blob")
    blob.unlink()
    return bound(Sound, "s")


def test_a_missing_blob_is_named_and_costs_nothing_else(place, incomplete):
    sound = incomplete(long_id(place))
    with pytest.raises(errors.CorruptValue, match="feature 'fft' of document .*long.wav.*process the document again"):
        _ = sound.fft
    assert sound.meta["channels"] == 1
    assert incomplete(str(place / "in" / "short.wav")).fft.shape == (21, 257)
    code, out, err = cli("show", "s", "long.wav", "fft", *named(Sound))
    assert (code, out) == (3, "")
    assert "feature 'fft' of document" in err and "process the document again" in err
    assert cli("show", "s", "short.wav", *named(Sound))[0] == 0
    (damage,) = zounds.verify("s")
    assert (damage.id, damage.feature) == (long_id(place), "fft")
    code, out, err = cli("verify", "s")
    assert (code, "long.wav': it is missing" in err) == (1, True)
    assert out == (
        "s: damaged in 1 place; delete what is damaged and ingest it again, or mend it from a copy: "
        "zounds-lite merge s COPY --on-conflict replace\n"
    )


def test_a_missing_blob_is_mended_as_verify_says(place, incomplete):
    assert cli("merge", "s", "whole", "--on-conflict", "replace")[0] == 0
    assert cli("verify", "s")[0] == 0
    next((place / "s" / "blobs").glob("??/*.blob")).unlink()
    assert cli("delete", "s", "long.wav", *named(Sound))[0] == 0
    assert cli("ingest", "in", "--store", "s", *named(Sound))[1].splitlines()[1].startswith("1 processed, 1 skipped")
    assert cli("verify", "s")[0] == 0
    assert len(bound(Sound, "s")(long_id(place)).fft) == 1291


# a document class that has changed since


def test_a_feature_that_was_renamed_since(place):
    cls = bound(Renamed, "s")
    assert not cls.explain(long_id(place), "fft").stale
    assert "not stored: it is computed on access" in cli("explain", "s", "long.wav", "barks", *named(Renamed))[1]
    code, _, err = cli("explain", "s", "long.wav", "bark", *named(Renamed))
    assert (code, "Renamed has no feature 'bark'; it has: meta, raw" in err) == (3, True)
    assert "stored, and not by this document class: bark\n" in cli("info", "s", *named(Renamed))[1]
    assert cli("update", "s", *named(Renamed))[1].startswith("2 of 2 documents had something stale")
    assert cli("update", "s", *named(Renamed))[1].startswith("0 of 2 documents")
    sound = cls(long_id(place))
    assert sound.barks.shape == bound(Sound, "s")(long_id(place)).bark.shape
    assert cli("ingest", "in", "--store", "s", *named(Renamed))[1].splitlines()[1].startswith("0 processed, 2 skipped")
    assert cli("verify", "s")[0] == 0


def test_a_feature_that_was_removed_since(place):
    sound = bound(Removed, "s")(long_id(place))
    assert len(sound.fft) == 1291
    with pytest.raises(AttributeError):
        _ = sound.bark
    with pytest.raises(errors.KeyNotFound, match="Removed has no feature 'bark'; it has: meta"):
        bound(Removed, "s").update(long_id(place), "bark")
    assert cli("update", "s", *named(Removed))[1].startswith("0 of 2 documents")
    assert "bark: ArrayWithUnits float32 (21, 20)" in cli("show", "s", "short.wav", *named(Removed))[1]  # as stored
    code, out, _ = cli("show", "s", "short.wav", "bark", "--out", "bark.png", *named(Removed))
    assert (code, out.startswith("bark: ArrayWithUnits")) == (0, True)
    assert list(zounds.info("s", bound(Removed, "s")).undeclared) == ["bark"]


def test_a_renamed_feature_without_its_source(place):
    """What is left to compute it from is said."""
    bound(Sound, "s")
    os.unlink("in/long.wav")

    class Other(Base):
        loudness = zounds.ArrayWithUnitsFeature(lambda pcm: abs(pcm), needs=Base.pcm, store=True)

    with pytest.raises(errors.FeatureNotComputable, match="long.wav' is gone; process the document again"):
        _ = bound(Other, "s")(long_id(place)).loudness
    assert len(bound(Other, "s")(long_id(place)).fft) == 1291
    assert issubclass(Other, ff.BaseModel)
