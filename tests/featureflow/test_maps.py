"""Maps of blobs: how many can be held, and what is said where one cannot be made."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.featureflow.test_consistency import settings
from zounds_lite import featureflow as ff
from zounds_lite.errors import CorruptValue, StoreError
from zounds_lite.featureflow.stores import maps
from zounds_lite.featureflow.stores.maps import map_file
from zounds_lite.testing.contracts.records import make_record, write_blob

posix = pytest.mark.skipif(os.name != "posix", reason="limits are those of POSIX")


@pytest.fixture(params=["files", "lmdb"])
def database(request, tmp_path):
    if request.param == "files":
        return ff.FileSystemDatabase(tmp_path / "store", createdirs=True)
    return ff.LmdbDatabase(tmp_path / "store")


def test_a_map_shows_the_file_and_outlives_it(tmp_path):
    data = np.random.default_rng(0).integers(0, 256, 3 * 4096 + 5, dtype=np.uint8)
    file = tmp_path / "file"
    file.write_bytes(data.tobytes())
    found = map_file(file, "it")
    file.unlink()
    part = found[4000:]
    del found
    assert np.array_equal(part, data[4000:]) and not part.flags.writeable
    with pytest.raises(FileNotFoundError):
        map_file(file, "it")


@posix
def test_the_system_s_own_way_is_the_fallback(tmp_path, monkeypatch):
    monkeypatch.setattr(maps, "_system_mmap", lambda: None)
    (tmp_path / "file").write_bytes(b"abc")
    assert bytes(map_file(tmp_path / "file", "it")) == b"abc"


@posix
def test_arrays_that_are_held_take_no_descriptors(tmp_path):
    code = (
        "import resource, sys\n"
        "from zounds_lite import featureflow as ff\n"
        "from zounds_lite.testing.contracts.records import make_record, write_blob\n"
        "database = ff.LmdbDatabase(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\n"
        "names = [write_blob(database, bytes([i]) * 5000)[1][0] for i in range(100)]\n"
        "held = [database.open_blob(name) for name in names]\n"
        "print([int(array[0]) for array in held] == list(range(100)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "store")], capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_process_that_is_short_of_something_meets_no_damage(database, monkeypatch, number):
    _, named = write_blob(database, bytes(1000))
    database.put("a", make_record("a", blob=named, size=1000))
    real = os.open

    def short(path, flags, *rest, **how):
        if str(path).endswith(".blob"):
            raise OSError(number, os.strerror(number))
        return real(path, flags, *rest, **how)

    monkeypatch.setattr(os, "open", short)
    with pytest.raises(OSError) as caught:
        database.open_blob(named[0])
    assert not isinstance(caught.value, CorruptValue)
    with pytest.raises((OSError, StoreError)) as caught:
        list(ff.verify(database))
    assert not isinstance(caught.value, CorruptValue)


def test_too_many_maps_are_named_as_such(database, monkeypatch):
    _, named = write_blob(database, bytes(1000))

    def full(descriptor, size):
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(maps, "_map", full)
    with pytest.raises(StoreError, match="too many arrays.*copy them"):
        database.open_blob(named[0])


def test_a_damaged_blob_stands_in_the_way_of_its_own_feature_only(database, tmp_path):
    class Document(ff.BaseModel, settings(database)):
        a = ff.JSONFeature(ff.Node, store=True)
        b = ff.NumpyFeature(lambda x: np.full(300_000, x), needs=a, store=True)
        c = ff.NumpyFeature(lambda x: np.full(400_000, x), needs=a, store=True)

    Document.process(a=1, _id="d")
    file = next(path for path in tmp_path.rglob("*.blob") if path.stat().st_size < 3_000_000)
    file.write_bytes(b"")
    document = Document("d")
    assert document.a == 1 and document.c[-1] == 1
    with pytest.raises(CorruptValue, match="feature 'b' of document 'd'.*empty"):
        _ = document.b
