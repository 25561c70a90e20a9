"""DataSetCache, ensure_local_file and PreDownload: fetched once, complete or not there."""

import hashlib
import io
import logging
import pickle

import pytest
import requests

import zounds_lite as zounds
from tests.sounds import encoded, noise, write
from tests.webserver import WebServer
from zounds_lite import (
    AudioMetaData,
    DataSetCache,
    InternetArchive,
    PreDownload,
    ensure_local_file,
    errors,
    featureflow as ff,
)

WAV = encoded(noise(0.2))


@pytest.fixture
def server():
    with WebServer() as server:
        yield server


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def quick():
    return ff.Fetcher(retries=1, backoff=0.01, max_wait=1, private_addresses=True)


def test_each_item_is_fetched_once_into_a_file_named_by_its_url(server, tmp_path):
    server.archive("two", {"a.ogg": encoded(noise(0.2), fmt="OGG"), "b.ogg": encoded(noise(0.3), fmt="OGG")})
    dataset = InternetArchive("two", base_url=server.url, label="x")
    cache = DataSetCache(tmp_path / "new" / "folder", dataset)
    assert server.count() == 0 and not (tmp_path / "new").exists()
    items = list(cache)
    urls = [item.request.url for item in dataset]
    assert [item.uri for item in items] == [str(tmp_path / "new" / "folder" / md5(url)) for url in urls]
    assert [item.source_url for item in items] == urls
    assert [(item.label, item.name, item.size) for item in items] == [("x", i.name, i.size) for i in dataset]
    assert list(cache) == items and list(cache.paths()) == [item.uri for item in items] and len(cache) == 2
    assert server.count("/12/items/*", "GET") == 2
    assert pickle.loads(pickle.dumps(items)) == items


def test_urls_requests_and_local_things(server, tmp_path):
    url = server.add("/a.wav", WAV)
    local = write(tmp_path / "here.wav", noise(0.1))
    asked = requests.Request("GET", url, params={"take": 2})
    cache = DataSetCache(str(tmp_path / "c"), [url, requests.Request("GET", url), asked, str(local), io.BytesIO(WAV)])
    items = list(cache)
    assert [item.extras for item in items] == [{"source_url": url}] * 2 + [{"source_url": f"{url}?take=2"}, {}, {}]
    assert items[0].uri == items[1].uri != items[2].uri and items[3].uri == str(local)
    assert all(isinstance(item, AudioMetaData) for item in items)
    assert server.count() == 2
    assert repr(cache).startswith(f"DataSetCache({str(tmp_path / 'c')!r}, ['http://")


def test_what_cannot_be_fetched_passes_on_so_that_a_report_names_it(server, tmp_path, caplog):
    urls = [server.add("/a.wav", WAV), f"{server.url}/gone.wav"]

    @zounds.simple_lmdb_settings(str(tmp_path / "s"), user_supplied_id=True)
    class Sound(zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)):
        pass

    cache = DataSetCache(tmp_path / "c", urls, fetcher=quick())
    with caplog.at_level(logging.WARNING):
        report = zounds.ingest(cache, Sound, progress=False, id_of=lambda item: item.source_url)
    assert report.processed == urls[:1] and "passed on without a copy" in caplog.text
    assert [failure.id for failure in report.failed] == urls[1:] and "404" in report.failed[0].reason
    assert [path.name for path in (tmp_path / "c").iterdir()] == [md5(urls[0])]
    with pytest.raises(errors.FetchError, match="404"):
        list(cache.paths())


def test_a_pause_that_the_server_asks_for_ends_the_iteration(server, tmp_path):
    def wait(exchange):
        exchange.send(429, b"", {"Retry-After": "3600"})

    urls = [server.add("/a.wav", WAV), server.add("/b.wav", wait), server.add("/c.wav", WAV)]
    found = []
    with pytest.raises(errors.RateLimited):
        found.extend(DataSetCache(tmp_path, urls, fetcher=quick()))
    server.add("/b.wav", WAV)
    assert len(list(DataSetCache(tmp_path, urls, fetcher=quick()))) == 3
    assert server.count("/a.wav", "GET") == 1


def test_a_file_that_is_not_what_its_source_promises_is_not_kept(server, tmp_path):
    url = server.add("/a.wav", WAV)
    items = [AudioMetaData(url, checksum="md5:" + md5("something else"))]
    assert [item.uri for item in DataSetCache(tmp_path / "c", items, fetcher=quick())] == [url]
    assert not (tmp_path / "c" / md5(url)).exists()


@pytest.mark.parametrize("dataset", ["http://a/b.wav", b"x", None, 5])
def test_what_is_no_dataset_is_refused(dataset):
    with pytest.raises(errors.DeclarationError, match="is no dataset; pass a dataset, or a list of URLs"):
        DataSetCache("c", dataset)


def test_a_dataset_without_a_length_gives_none(tmp_path):
    cache = DataSetCache(tmp_path, iter([]))
    assert bool(cache) and list(cache) == []
    with pytest.raises(TypeError):
        len(cache)


def test_a_local_file_is_fetched_once_and_named_by_the_url(server, tmp_path):
    url = server.add("/files/a b.wav", WAV)
    path = ensure_local_file(url + "?x=1", tmp_path / "new", 100)
    assert path == str(tmp_path / "new" / "a b.wav") and (tmp_path / "new" / "a b.wav").read_bytes() == WAV
    assert ensure_local_file(url, tmp_path / "new") == path and server.count() == 1


def test_a_bar_shows_on_a_terminal_alone(server, tmp_path, monkeypatch, capsys):
    url = server.add("/a.wav", WAV)
    ensure_local_file(url, tmp_path / "1")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("zounds_lite.datasets.cache._GLANCE_S", 0.001)
    ensure_local_file(url, tmp_path / "2")
    shown = capsys.readouterr().err
    assert "a.wav" in shown and f"{len(WAV) / 1000:.1f}k" in shown
    ensure_local_file(url, tmp_path / "2")
    with pytest.raises(errors.FetchError, match="404"):
        ensure_local_file(f"{server.url}/gone.wav", tmp_path / "2", fetcher=quick())


def test_a_local_file_that_cannot_be_fetched_is_not_there(server, tmp_path):
    with pytest.raises(errors.FetchError, match="404"):
        ensure_local_file(f"{server.url}/gone.wav", tmp_path, fetcher=quick())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["", None, "http://a", "http://a/b/", "http://a/..", "http://a/b%5C..%5Cc", "http://a/x%2F.."]
)
def test_what_names_no_file_is_refused(url, tmp_path):
    with pytest.raises(ValueError, match="remote_url=.* names no file"):
        ensure_local_file(url, tmp_path)


def test_bytes_that_know_where_they_came_from(tmp_path):
    file = PreDownload(WAV, "nsynth:valid/x")
    assert (file.read(4), file.tell(), file.url) == (b"RIFF", 4, "nsynth:valid/x")
    again = pickle.loads(pickle.dumps(file))
    assert (again.url, again.tell(), again.getvalue()) == (file.url, 4, WAV)
    assert repr(file) == f"PreDownload(<{len(WAV)} bytes>, 'nsynth:valid/x')"
    for url in ("", None, 5):
        with pytest.raises(ValueError, match="url=.*say where the bytes came from"):
            PreDownload(WAV, url)
    with pytest.raises(ValueError, match="say where"):
        PreDownload(WAV, url="")


def test_bytes_with_a_url_become_a_document_that_can_be_made_again(tmp_path):
    @zounds.simple_lmdb_settings(str(tmp_path / "s"), user_supplied_id=True)
    class Sound(zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)):
        pass

    items = [AudioMetaData(PreDownload(WAV, "https://example.org/none.tar.gz#a.wav"), label=7)]
    report = zounds.ingest(items, Sound, progress=False)
    assert report.processed == ["https://example.org/none.tar.gz#a.wav"] and not report.failed
    sound = Sound(report.processed[0])
    assert sound.meta["label"] == 7
    assert len(sound.resampled) == len(noise(0.2)) * 11025 // 44100  # from the kept bytes; nothing is fetched
