"""keep_source: which original bytes a document keeps, and what they are good for."""

import io
import zipfile

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import encoded, noise
from tests.webserver import WebServer, hostile
from zounds_lite import featureflow as ff
from zounds_lite.errors import DeclarationError, FeatureNotComputable, FetchError, NotAudio

RATE = zounds.SR11025()
WAV = encoded(noise(0.5, 11025), 11025)
KEPT = "source:meta"


@pytest.fixture(name="Sound")
def sound():
    class Settings(ff.PersistenceSettings):
        id_provider = ff.UserSpecifiedIdProvider("_id")
        database = ff.InMemoryDatabase()

    class Sound(zounds.stft(resample_to=RATE, store_resampled=True, store_ogg=False), Settings):
        pass

    return Sound


@pytest.fixture
def server():
    with WebServer() as made:
        yield made
        assert made.faults == []


def kept(model, _id="d"):
    file = model(_id).open_source("meta")
    return None if file is None else file.read()


def places(tmp_path, server):
    """One recording in each kind of place, and what it takes to remove it."""
    path, archive = tmp_path / "a.wav", tmp_path / "a.zip"
    path.write_bytes(WAV)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("in/a.wav", WAV)
    return {
        "path": (str(path), path.unlink),
        "file": (path, path.unlink),
        "url": (server.add("/a.wav", WAV), lambda: server.add("/a.wav", hostile.status(404))),
        "member": (ff.ArchiveMember(archive, "in/a.wav"), archive.unlink),
        "bytes": (WAV, lambda: None),
        "open file": (io.BytesIO(WAV), lambda: None),
    }


KINDS = ["path", "file", "url", "member", "bytes", "open file"]


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_outlives_its_place(Sound, tmp_path, server, kind, wrapped):
    source, remove = places(tmp_path, server)[kind]
    meta = zounds.AudioMetaData(uri=source, label=7) if wrapped else source
    Sound.process(meta=meta, _id="d", keep_source=True)
    assert kept(Sound) == WAV
    fetched = server.count("/a.wav", "GET")
    assert fetched == int(kind == "url")
    remove()
    document = Sound("d")
    assert np.array_equal(np.asarray(document.pcm), np.asarray(zounds.AudioSamples.from_file(io.BytesIO(WAV)).mono))
    assert document[zounds.TimeSlice(duration=zounds.Milliseconds(100))].pcm.shape == (1103,)
    assert not document.source_changed and document.meta.get("label") == (7 if wrapped else None)
    assert server.count("/a.wav", "GET") == fetched


@pytest.mark.parametrize("kind", KINDS)
def test_by_default_only_what_was_in_memory_is_kept_and_nothing_where_that_is_said(Sound, tmp_path, server, kind):
    source, remove = places(tmp_path, server)[kind]
    Sound.process(meta=source, _id="d")
    assert (kept(Sound) is not None) == (kind in ("bytes", "open file"))
    Sound.process(meta=source, _id="none", keep_source=False)
    assert kept(Sound, "none") is None
    remove()
    with pytest.raises((FeatureNotComputable, FetchError)):
        _ = Sound("none").pcm


def test_the_class_says_what_is_kept_and_a_call_goes_before_it(Sound, tmp_path, server):
    source = places(tmp_path, server)["path"][0]

    class Keeping(Sound):
        keep_source = True

    Keeping.process(meta=source, _id="d")
    assert kept(Keeping) == WAV
    Keeping.process(meta=source, _id="d", keep_source=False)
    assert kept(Keeping) is None
    with pytest.raises(DeclarationError, match="keep_source='yes'; allowed: None .*, True .*, False"):
        Keeping.process(meta=source, _id="d", keep_source="yes")


def test_a_file_that_is_still_there_is_read_and_one_that_changed_is_not_mixed_with_its_copy(Sound, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(WAV)
    Sound.process(meta=str(path), _id="d", keep_source=True)
    path.write_bytes(encoded(noise(1.0, 11025, seed=1), 11025))
    assert Sound("d").source_changed
    assert Sound("d").pcm.shape == (11025,)
    Sound.update("d")
    assert not Sound("d").source_changed
    path.unlink()
    with pytest.raises(FeatureNotComputable):  # the copy is of what the file held before
        _ = Sound("d").pcm


def test_what_fails_leaves_nothing(Sound, tmp_path, server):
    bad = server.add("/bad.wav", b"no audio at all" * 200_000)
    for source in (bad, server.add("/gone.wav", hostile.status(404))):
        with pytest.raises((NotAudio, FetchError)):
            Sound.process(meta=source, _id="d", keep_source=True)
    assert list(Sound.database.iter_blobs()) == [] and len(Sound.database) == 0


def test_large_originals_go_to_blobs(tmp_path, server):
    @zounds.simple_lmdb_settings(str(tmp_path / "s"), user_supplied_id=True)
    class Sound(zounds.stft(resample_to=RATE, store_resampled=True, store_ogg=False)):
        pass

    wav = encoded(noise(20.0, 44100), 44100)
    Sound.process(meta=server.add("/a.wav", wav), _id="d", keep_source=True)
    entry = Sound.database.read("d").entries[KEPT]
    assert entry.blob is not None and kept(Sound) == wav and server.count(method="GET") == 1
    assert list(ff.verify(tmp_path / "s")) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_long_recording_that_is_split_is_fetched_once(server, workers):
    @ff.simple_in_memory_settings
    class Sound(zounds.stft(resample_to=RATE, store_resampled=True, store_ogg=False)):
        pass

    wav = encoded(noise(100.0, 44100), 44100)
    _id = Sound.process(meta=server.add("/a.wav", wav), workers=workers, keep_source=True)
    assert kept(Sound, _id) == wav and [request.method for request in server.requests] == ["GET"]


def test_a_source_that_no_byte_stream_reads_is_kept_all_the_same(server):
    @ff.simple_in_memory_settings
    class Document(ff.BaseModel):
        meta = ff.TextFeature(lambda url: str(url), store=True)

    url = server.add("/a.txt", b"some text")
    _id = Document.process(meta=url, keep_source=True)
    assert (Document(_id).meta, kept(Document, _id)) == (url, b"some text")


def test_a_fetcher_of_a_run_is_used_and_no_other(Sound, server):
    class Counting(ff.Fetcher):
        count = 0

        def download(self, *arguments, **keywords):
            Counting.count += 1
            return super().download(*arguments, **keywords)

    url = server.add("/a.wav", WAV)
    zounds.ingest([url], Sound, fetcher=Counting(private_addresses=True))
    assert Counting.count == 1 and len(Sound.database) == 1
