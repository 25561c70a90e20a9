"""What datasets from the internet share: addresses, items, and that they go to worker processes."""

import io
import json
import tarfile

import pytest
import requests
import urllib3

import zounds_lite as zounds
from tests.datasets.remote_documents import bound
from tests.sounds import encoded, noise
from tests.webserver import WebServer
from zounds_lite import (
    CompositeDataset,
    DataSetCache,
    FreeSoundSearch,
    InternetArchive,
    NSynth,
    PhatDrumLoops,
    featureflow as ff,
)
from zounds_lite.datasets.remote import recording, url_of

OGG, WAV = encoded(noise(0.3), fmt="OGG"), encoded(noise(0.2, rate=16000), rate=16000)
KEY = "sEcReT0123456789"


@pytest.fixture
def everything(tmp_path):
    """One of each, on one server."""
    with WebServer() as server:
        server.archive("item", {f"{i} ünder #.ogg": OGG + bytes(i) for i in range(3)})
        server.freesound(KEY, {f"guitar {i}": OGG + bytes(i + 3) for i in range(3)})
        server.add("/beats.php", b'<a href="one.wav"><a href="two.wav">', "text/html")
        server.add("/one.wav", WAV)
        server.add("/two.wav", WAV + b"\0")
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            for name, data in (("examples.json", b'{"a": {"pitch": 60}, "b": {}}'), ("a.wav", WAV), ("b.wav", WAV)):
                info = tarfile.TarInfo(f"nsynth-valid/{name}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        server.add("/nsynth-valid.jsonwav.tar.gz", out.getvalue())
        base = {"base_url": server.url}
        yield (
            server,
            CompositeDataset(
                InternetArchive("item", **base),
                FreeSoundSearch(KEY, "guitar", delay=0, **base),
                PhatDrumLoops(**base),
                NSynth(tmp_path / "nsynth", **base),
            ),
        )


@pytest.mark.parametrize("workers", [1, 2])
def test_all_of_them_become_documents_once(everything, tmp_path, workers):
    server, dataset = everything
    items = list(dataset)
    ids = [item.request.url for item in items]
    assert len(items) == len(set(ids)) == 10
    copies = bound(tmp_path / "s")
    report = zounds.ingest(dataset, copies, workers=workers, progress=False)
    assert sorted(report.processed) == sorted(ids) and not report.failed, str(report)
    by_id = {copy._id: copy for copy in copies}
    assert b"".join(by_id[ids[0]].raw) == OGG and by_id["nsynth:valid/a"].meta["pitch"] == 60
    fetched = len(server.requests)
    again = zounds.ingest(dataset, copies, workers=workers, progress=False)
    assert sorted(again.skipped) == sorted(ids) and not again.processed
    asked = [request.path for request in server.requests[fetched:]]
    assert sorted(asked) == ["/apiv2/search/text/", "/beats.php", "/metadata/item"]


def test_a_cache_of_all_of_them(everything, tmp_path):
    server, dataset = everything
    cache = DataSetCache(tmp_path / "copies", dataset)
    first = list(cache)
    fetched = (
        server.count("/download/*") + server.count("/data/*") + server.count("/one.wav") + server.count("/two.wav")
    )
    assert [str(item.uri).startswith(str(tmp_path)) for item in first] == [True] * 8 + [False] * 2
    assert fetched == 8 and len(list((tmp_path / "copies").iterdir())) == 8
    second = list(cache)
    assert second[:8] == first[:8] and server.count("/download/*") == 3
    with pytest.raises(TypeError):  # a search does not know before how much it finds
        len(cache)


def test_parts_of_a_path_stay_within_it():
    assert url_of("https://a/", "b c", "d/../e", "") == "https://a/b%20c/d/../e/"
    assert url_of("https://a/x", "ü", "?#%/é") == "https://a/x/%C3%BC/%3F%23%25/%C3%A9"


def test_a_catalogue_may_name_fields_as_it_likes():
    fields = {
        "self": 1,
        "uri": "b",
        "segment": "intro",
        "request": 2,
        "licensing": "x",
        "validate": 3,
        7: "number",
        "samplerate": 8000,
    }
    part = zounds.TimeSlice(start=zounds.Seconds(1))
    item = recording("a.wav", fields, {"licensing": None})
    assert (item.uri, item.licensing, item.samplerate, item.request) == ("a.wav", None, 8000, None)
    assert item.segment is None and recording("a.wav", {}, {"segment": part}).segment == part
    assert item.extras == {"request": 2, "validate": 3, "7": "number"}


class Played(requests.adapters.BaseAdapter):
    """Answers for all hosts, without a network."""

    def __init__(self, answers):
        super().__init__()
        self.answers, self.sent = answers, []

    def send(self, request, **given):
        self.sent.append(request)
        response = requests.Response()
        found = self.answers.get(request.url.partition("?")[0])
        response.status_code, response.url, response.request = 404 if found is None else 200, request.url, request
        body = b"" if found is None else found if isinstance(found, bytes) else json.dumps(found).encode()
        response.raw = urllib3.HTTPResponse(io.BytesIO(body), preload_content=False)
        response.headers["Content-Length"] = str(len(body))
        return response

    def close(self):
        pass


def test_the_services_themselves_are_asked_over_https_by_a_session_of_ones_own():
    listing = {"files": [{"name": "jfk.ogg", "format": "Ogg Vorbis", "creator": "John F. Kennedy"}], "metadata": {}}
    sound = {"id": 1, "samplerate": 44100.0, "previews": {"preview-hq-ogg": "https://cdn.freesound.org/1-hq.ogg"}}
    adapter = Played(
        {
            "https://archive.org/metadata/Greatest_Speeches_of_the_20th_Century": listing,
            "https://freesound.org/apiv2/search/text/": {"next": None, "results": [sound]},
            "http://phatdrumloops.com/beats.php": b'<a href="audio/x.wav">',
            "https://cdn.freesound.org/1-hq.ogg": OGG,
        }
    )
    session = requests.Session()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    undo = ff.set_fetcher(ff.Fetcher(session=session, retries=0))
    try:
        (speech,) = InternetArchive("Greatest_Speeches_of_the_20th_Century")
        (guitar,) = FreeSoundSearch(KEY, "guitar")
        (drums,) = PhatDrumLoops()
        assert b"".join(ff.ByteStream().run([guitar])) == OGG
    finally:
        undo()
    assert speech.request.url == "https://archive.org/download/Greatest_Speeches_of_the_20th_Century/jfk.ogg"
    assert speech.web_url == "https://archive.org/details/Greatest_Speeches_of_the_20th_Century"
    assert (guitar.samplerate, drums.request.url) == (44100, "http://phatdrumloops.com/audio/x.wav")
    with_key = [request.url.partition("?")[0] for request in adapter.sent if "Authorization" in request.headers]
    assert with_key == ["https://freesound.org/apiv2/search/text/"] and len(adapter.sent) == 4
    assert not any(KEY in request.url for request in adapter.sent)
