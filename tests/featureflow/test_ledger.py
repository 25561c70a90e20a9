"""The ledger of failed documents: exact, checked, and never a reason to try for ever."""

import errno
import io
import json
import os
import struct

import pytest
import xxhash
from hypothesis import given, strategies as st

from zounds_lite import featureflow as ff
from zounds_lite.errors import CorruptValue, FetchError
from zounds_lite.featureflow.ledger import (
    FailedDocument,
    describe_failed_source,
    error_reason,
    error_traceback,
    is_passing,
    is_same_source,
    lineage_digest,
    read_failures,
)
from zounds_lite.soundfile import AudioMetaData

texts = st.text(max_size=50) | st.sampled_from(["\ud800", "a\0b", "中", "x" * 3000])


@given(texts.filter(bool), texts, texts, st.integers(0, 99), st.integers(0, 9), st.booleans(), st.booleans())
def test_entries_come_back_as_they_were(_id, reason, trace, attempts, deaths, quarantined, passing):
    source = {"kind": "file", "path": "/a", "hash": "0", "size": 3}
    entry = FailedDocument(_id, reason, trace, attempts, deaths, quarantined, passing, source, "line")
    again = FailedDocument.from_bytes(entry.to_bytes())
    if len(reason) <= 2000:
        assert again == entry
    assert again.id == _id
    assert again.is_open == (deaths > 0 and not quarantined)


def test_long_texts_keep_their_beginning_and_end():
    entry = FailedDocument("a", "begin" + "x" * 10**5 + "end", "first line\n" + "y" * 10**6 + "\nlast line")
    again = FailedDocument.from_bytes(entry.to_bytes())
    assert again.reason.startswith("begin")
    assert again.reason.endswith("end")
    assert again.traceback.startswith("first line\n")
    assert again.traceback.endswith("\nlast line")
    assert "characters left out" in again.traceback
    assert len(entry.to_bytes()) < 12000


def test_every_flipped_bit_is_found():
    raw = FailedDocument("a.wav", "EmptyAudio: nothing", attempts=3).to_bytes()
    for at in range(len(raw)):
        for bit in range(8):
            broken = bytearray(raw)
            broken[at] ^= 1 << bit
            with pytest.raises(CorruptValue):
                FailedDocument.from_bytes(bytes(broken))
    for length in range(len(raw)):
        with pytest.raises(CorruptValue):
            FailedDocument.from_bytes(raw[:length])


def written(body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return struct.pack("<4sQ", b"ZLF1", xxhash.xxh3_64_intdigest(data)) + data


GOOD = json.loads(FailedDocument("a", "b").to_bytes()[12:])


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"\xff", b"[" * 100_000, [], {}, {**GOOD, "more": 1}, {**GOOD, "id": ""}, {**GOOD, "id": 7},
        {**GOOD, "attempts": True}, {**GOOD, "attempts": -1}, {**GOOD, "deaths": 1.0}, {**GOOD, "source": []},
        {**GOOD, "source": {"kind": 1, "hash": ""}}, {**GOOD, "source": {"kind": "file"}}, {**GOOD, "quarantined": 0},
    ],
)  # fmt: skip
def test_entries_that_nobody_writes_are_refused(body):
    with pytest.raises(CorruptValue, match="ledger"):
        FailedDocument.from_bytes(written(body))
    assert FailedDocument.from_bytes(written(GOOD)).id == "a"


@pytest.fixture(params=["memory", "files", "lmdb"])
def database(request, tmp_path):
    kinds = {
        "memory": ff.InMemoryDatabase,
        "files": lambda: ff.FileSystemDatabase(tmp_path / "store", createdirs=True),
        "lmdb": lambda: ff.LmdbDatabase(tmp_path / "store"),
    }
    return kinds[request.param]()


def test_a_damaged_entry_hides_no_other(database, caplog):
    first, second = FailedDocument("a", "one"), FailedDocument("b", "two")
    database.change({}, {"a": lambda old: first.to_bytes(), "b": lambda old: second.to_bytes(), "c": lambda old: b"x"})
    assert sorted(read_failures(database), key=lambda entry: entry.id) == [first, second]
    assert "ledger" in caplog.text


def test_a_document_that_is_stored_leaves_the_ledger(database):
    class Settings(ff.PersistenceSettings):
        id_provider = ff.UserSpecifiedIdProvider("_id")

    class Document(ff.BaseModel, Settings.clone(database=database)):
        text = ff.TextFeature(ff.IteratorNode, store=True)

    for _id in ("a", "b"):
        database.change({}, {_id: lambda old, _id=_id: FailedDocument(_id, "reason").to_bytes()})
    Document.process(text=["x"], _id="a")
    assert [entry.id for entry in read_failures(database)] == ["b"]


# sources


def test_a_file_counts_by_its_content(tmp_path, monkeypatch):
    path, other = tmp_path / "a.wav", tmp_path / "b.wav"
    path.write_bytes(b"one")
    other.write_bytes(b"one")
    for item in (str(path), path, AudioMetaData(uri=str(path), licensing="by")):
        source = describe_failed_source(item)
        assert is_same_source(source, item)
        with monkeypatch.context() as patch:  # the time says that there is nothing to read
            patch.setattr("zounds_lite.featureflow.sources.hash_file", None)
            assert is_same_source(source, item)
        os.utime(path, ns=(1, 1))
        assert is_same_source(source, item)  # touched
        path.write_bytes(b"two")
        assert not is_same_source(source, item)
        path.write_bytes(b"one")
    assert not is_same_source(
        describe_failed_source(AudioMetaData(uri=str(path))), AudioMetaData(uri=str(path), tags=1)
    )
    assert is_same_source(describe_failed_source(str(path)), str(other))


def test_a_file_that_was_missing_counts_when_it_comes(tmp_path):
    path = tmp_path / "late.wav"
    for item in (str(path), AudioMetaData(uri=str(path))):
        source = describe_failed_source(item)
        assert is_same_source(source, item)
        path.write_bytes(b"here")
        assert not is_same_source(source, item)
        path.unlink()


def test_sources_of_every_kind_can_be_compared(tmp_path):
    for one, other in [(b"a", b"b"), (io.BytesIO(b"a"), io.BytesIO(b"b")), ("http://a", "http://b"), ([1, 2], [1, 3])]:
        source = describe_failed_source(one)
        assert is_same_source(source, one)
        assert not is_same_source(source, other)
        FailedDocument.from_bytes(FailedDocument("a", "b", source=source).to_bytes())


def test_what_cannot_be_told_apart_is_not_tried_for_ever():
    assert is_same_source(describe_failed_source(iter([1])), iter([2]))
    assert is_same_source(describe_failed_source(AudioMetaData(uri=object())), AudioMetaData(uri=object()))

    class Broken(io.BytesIO):
        def seek(self, *args):
            raise OSError("no")

    assert is_same_source(describe_failed_source(Broken()), Broken())
    assert not is_same_source(describe_failed_source(Broken()), b"readable")


def test_large_sources_keep_their_hash_alone():
    item = AudioMetaData(uri="a.wav", tags=["x" * 100] * 1000)
    source = describe_failed_source(item)
    assert set(source) == {"kind", "hash"}
    assert is_same_source(source, item)
    assert not is_same_source(source, AudioMetaData(uri="a.wav", tags=["y" * 100] * 1000))


# errors


def fetch_error(passing):
    error = FetchError("x")
    error.passing = passing
    return error


class Timeout(OSError):
    """As HTTP clients name theirs."""


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (fetch_error(True), True), (fetch_error(False), False), (FetchError("x"), False), (ConnectionError(), True),
        (ConnectionResetError(), True), (TimeoutError(), True), (Timeout(), True), (OSError(errno.EMFILE, "x"), True),
        (OSError(errno.ENOSPC, "x"), True), (FileNotFoundError(), False), (ValueError(), False), (OSError(), False),
    ],
)  # fmt: skip
def test_failures_that_may_pass(error, passing):
    assert is_passing(error) is passing


def test_reasons_say_where_user_code_failed():
    def fails():
        raise ZeroDivisionError("of mine")

    with pytest.raises(ZeroDivisionError) as caught:
        fails()
    assert error_reason(caught.value).startswith("ZeroDivisionError: of mine (test_ledger.py, line ")
    assert "in fails" in error_traceback(caught.value)
    assert error_reason(FetchError("gone")) == "FetchError: gone"


def test_the_digest_moves_with_what_is_stored():
    class Document(ff.BaseModel):
        text = ff.TextFeature(ff.IteratorNode, store=True)
        size = ff.JSONFeature(len, needs=text, store=False)

    class Stored(Document):
        size = ff.JSONFeature(len, needs=Document.text, store=True)

    digests = [lineage_digest(cls.lineage(), cls.features.values()) for cls in (Document, Document, Stored)]
    assert digests[0] == digests[1] != digests[2]
