"""HammingDb: the documented behaviour, and what the original could not do."""

import threading

import numpy as np
import pytest

import zounds_lite as zounds
from tests.index.documents import put, sound_class
from zounds_lite.errors import CorruptValue, DeclarationError, DimensionError, StoreFormatError, WriteOnlyIndex
from zounds_lite.index import HammingDb


@pytest.fixture
def db(tmp_path):
    with HammingDb(tmp_path / "db", map_size=1e6, code_size=8) as made:
        yield made


def code(n):
    return int(n).to_bytes(8, "little")


def test_payloads_come_nearest_first_with_distances(db):
    db.extend([(code(0b111), "far"), (code(0b1), b"near"), (code(0), "here"), (code(0b10), "near too")])
    results = db.search(code(0), 3)
    assert list(results) == [b"here", b"near", b"near too"] == list(results)  # as often as one likes
    assert results.distances.tolist() == [0, 1, 1] and results.query == code(0)
    assert list(db.search(code(0), 99, multithreaded=True, sort=True)) == [b"here", b"near", b"near too", b"far"]
    assert list(db.search(code(0), 0)) == [] and len(db) == 4


def test_an_empty_one_finds_nothing(db):
    assert list(db.search(code(1), 5)) == [] and len(db) == 0
    assert db.random_search(5)[0] is None and list(db.random_search(5)[1]) == []


def test_random_search_asks_for_a_code_that_is_there(db):
    db.extend([(code(n), str(n)) for n in range(20)])
    found, results = db.random_search(1, rng=np.random.default_rng(3))
    assert list(results) == [str(int.from_bytes(found, "little")).encode()]


@pytest.mark.parametrize("wrong", [b"", b"1234567", b"123456789"])
def test_codes_have_one_length_which_is_checked_at_once(db, wrong):
    with pytest.raises(DimensionError, match="allowed: 8 bytes"):
        db.append(wrong, "x")
    with pytest.raises(DimensionError, match="allowed: 8 bytes"):
        db.search(wrong, 1)
    with pytest.raises(DimensionError, match="allowed: 8 bytes"):
        db.extend([(code(1), "good"), (wrong, "bad")])
    assert len(db) == 0
    with pytest.raises(DimensionError, match="allowed: bytes or text"):
        db.append(8, "x")
    with pytest.raises(DeclarationError, match="n_results=-1"):
        db.search(code(1), -1)


def test_text_is_taken_as_utf8(db):
    db.append("abcdefgh", "füß")
    assert db.search(b"abcdefgh", 1)[0].decode() == "füß"


def test_the_size_of_codes_is_kept(tmp_path):
    with pytest.raises(ValueError, match="holds no codes yet"):
        HammingDb(tmp_path / "none", code_size=None)
    assert not (tmp_path / "none").exists()
    for wrong in (7, 12, 0):
        with pytest.raises(ValueError, match="multiple of 8"):
            HammingDb(tmp_path / "db", code_size=wrong)
    HammingDb(tmp_path / "db", code_size=16).close()
    with HammingDb(tmp_path / "db", code_size=None) as db:
        assert db.code_size == 16
    with pytest.raises(ValueError, match="holds codes of 16 bytes; code_size=8"):
        HammingDb(tmp_path / "db", code_size=8)


def test_a_database_that_is_only_written_is_not_searched(tmp_path):
    with HammingDb(tmp_path / "db", writeonly=True) as db:
        db.append(code(1), "x")
        for search in (lambda: db.search(code(1), 1), db.random_search):
            with pytest.raises(RuntimeError, match="writeonly=True") as caught:
                search()
            assert isinstance(caught.value, WriteOnlyIndex)
    with HammingDb(tmp_path / "db") as db:
        assert list(db.search(code(1), 1)) == [b"x"]


def test_metadata(db):
    assert db.get_metadata(b"key") is None
    db.set_metadata(b"key", b"value")
    assert db.get_metadata(b"key") == b"value"


def test_what_another_instance_appends_is_found(db, tmp_path):
    other = HammingDb(tmp_path / "db")
    assert len(other.search(code(1), 1)) == 0
    for n in range(3):
        db.append(code(n), str(n))
        assert list(other.search(code(n), 1)) == [str(n).encode()] and len(other) == n + 1


def test_many_threads_search_and_one_appends(db):
    db.extend([(code(n), str(n)) for n in range(100)])
    wrong = []

    def search(seed):
        for n in np.random.default_rng(seed).integers(0, 100, 50).tolist():
            if db.search(code(n), 1)[0] != str(n).encode():
                wrong.append(n)

    threads = [threading.Thread(target=search, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for n in range(100, 110):
        db.append(code(n), str(n))
    for thread in threads:
        thread.join()
    assert wrong == [] and len(db) == 110


def test_paths_in_use_are_refused_and_left_alone(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreFormatError, match="is a file"):
        HammingDb(tmp_path / "file")
    with pytest.raises(StoreFormatError, match="lies below a file"):
        HammingDb(tmp_path / "file" / "below")
    model = sound_class(tmp_path / "store")
    put(model, "a")
    with pytest.raises(StoreFormatError, match="holds a store that is no index"):
        HammingDb(tmp_path / "store")
    assert model("a").code.shape == (5, 64)
    zounds.HammingIndex(model, model.code, path=tmp_path).close()
    with pytest.raises(StoreFormatError, match="holds feature 'code', kind 'hamming'"):
        HammingDb(tmp_path / "index.code")


def test_damage_is_found(db, tmp_path):
    db.extend([(code(n), str(n)) for n in range(3)])
    (file,) = (tmp_path / "db").glob("rows-*.bin")
    db.close()
    raw = bytearray(file.read_bytes())
    raw[8] ^= 4
    file.write_bytes(raw)
    with pytest.raises(CorruptValue, match="code 1 of .* fails its checksum"):
        db.search(code(5), 1)
    db.close()
    file.write_bytes(raw[:-1])
    with pytest.raises(CorruptValue, match="cut short"):
        db.search(code(1), 1)
    db.close()
    file.unlink()
    with pytest.raises(CorruptValue, match="missing"):
        db.search(code(1), 1)


def test_what_was_appended_without_a_commit_is_overwritten(db, tmp_path):
    db.append(code(1), "one")
    (file,) = (tmp_path / "db").glob("rows-*.bin")
    with open(file, "ab") as out:  # of a process that died before its commit
        out.write(b"\xff" * 20)
    db.append(code(2), "two")
    assert list(db.search(code(2), 9)) == [b"two", b"one"] and file.stat().st_size >= 16
