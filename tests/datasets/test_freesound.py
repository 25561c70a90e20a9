"""FreeSoundSearch against a server that speaks its API: pages, limits, and a key that goes nowhere else."""

import json
import logging
import pickle

import pytest

import zounds_lite as zounds
from tests.sounds import encoded, noise
from tests.webserver import WebServer
from tests.webserver.freesound import Sound as FreeSound
from zounds_lite import FreeSoundSearch, errors, featureflow as ff

KEY = "sEcReT0123456789"
OGG = encoded(noise(0.3), fmt="OGG")
SEARCH = "/apiv2/search/text/"


class Copy(ff.BaseModel):
    """The metadata and the bytes of a sound: nothing is decoded."""

    meta = ff.JSONFeature(zounds.MetaData, encoder=zounds.AudioMetaDataEncoder, store=True)
    raw = ff.ByteStreamFeature(ff.ByteStream, needs=meta, store=True)


@pytest.fixture
def server():
    with WebServer() as server:
        yield server


@pytest.fixture
def cdn():
    with WebServer() as server:
        yield server


def sounds(count):
    return {f"guitar {i}": OGG for i in range(count)}


def search(server, query="guitar", **given):
    quick = ff.Fetcher(retries=2, backoff=0.01, max_wait=2, private_addresses=True)
    return FreeSoundSearch(
        given.pop("key", KEY), query, **{"delay": 0, "base_url": server.url, "fetcher": quick, **given}
    )


def test_items_say_what_the_service_says(server):
    server.freesound(KEY, [FreeSound(123456, "Etude", OGG, fields={"pack": None})])
    (item,) = search(server, "etude")
    assert isinstance(item, zounds.AudioMetaData)
    assert item.request.url == f"{server.url}/data/previews/123/123456_1234-hq.ogg" and item.request.method == "GET"
    assert (item.samplerate, item.channels) == (44100, 2) and isinstance(item.samplerate, int)
    assert item.licensing == "http://creativecommons.org/licenses/by/3.0/"
    assert (item.description, item.tags) == ("A sound called Etude.", ["guitar", "test"])
    assert item.web_url == "https://freesound.org/people/somebody/sounds/123456/"
    assert (item.id, item.name, item.username, item.duration) == (123456, "Etude", "somebody", 1.5)
    assert {"previews", "license", "url", "size", "checksum"}.isdisjoint(item.extras)


@pytest.mark.parametrize("n_results", [1, 14, 15, 16, 30, 37, 40, 200])
def test_as_many_as_were_asked_for_over_pages_of_any_size(server, n_results):
    server.freesound(KEY, sounds(37))
    for page_size in (150, 15):
        server.clear()
        dataset = search(server, n_results=n_results)
        dataset._largest_page = page_size
        found = [item.name for item in dataset]
        assert found == [f"guitar {i}" for i in range(min(n_results, 37))]
        assert server.count() == server.count(SEARCH) == -(-min(n_results, 37) // min(page_size, n_results))


def test_each_iteration_asks_anew_and_none_before_it(server):
    service = server.freesound(KEY, sounds(2))
    dataset = search(server, label="x")
    assert server.count() == 0 and not hasattr(dataset, "__len__")
    assert [item.label for item in dataset] == ["x", "x"]
    service.sounds.popitem()
    assert [item.name for item in dataset] == ["guitar 0"]
    assert service.previews_fetched() == 0


def test_the_key_goes_to_the_api_alone(server, cdn, tmp_path, caplog):
    server.freesound(KEY, sounds(20), cdn=cdn)

    @zounds.simple_lmdb_settings(str(tmp_path / "s"), user_supplied_id=True)
    class Sound(Copy):
        pass

    dataset = search(server, n_results=20)
    with caplog.at_level(logging.DEBUG):
        report = zounds.ingest(dataset, Sound, progress=False)
    assert len(report.processed) == 20 and not report.failed
    asked = [request for request in server.requests if request.path.startswith("/apiv2")]
    assert asked and all(request.headers["Authorization"] == f"Token {KEY}" for request in asked)
    assert all(KEY not in request.target for request in server.requests)
    assert cdn.count("*") >= 20 and all(KEY not in request.said for request in cdn.requests)
    items = list(dataset)
    everything = [repr(dataset), str(vars(dataset)), repr(items), pickle.dumps(items).decode("latin-1"), caplog.text]
    everything += [json.dumps(Sound(_id).meta) for _id in report.processed] + report.processed
    everything += [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(KEY in text for text in everything)


def test_the_key_is_not_sent_where_next_leads(server, cdn):
    """Neither the place nor the token of a link is taken, only which page it is."""
    service = server.freesound(KEY, sounds(20), page_size=15)
    evil = f"{cdn.url}/apiv2/search/text/?query=guitar&page=2&page_size=15&token=other"
    results = [service._json(sound) for sound in service.sounds.values()]

    def answer(exchange):
        page = int(exchange.request.query.get("page", 1))
        exchange.send_json({"next": evil if page == 1 else None, "results": results[(page - 1) * 15 : page * 15]})

    server.add(SEARCH, answer)
    assert len(list(search(server, n_results=20))) == 20
    assert cdn.count() == 0
    assert [request.query.get("page") for request in server.requests] == [None, "2"]
    assert all(request.query["fields"] and "token" not in request.query for request in server.requests)


def test_the_key_does_not_follow_a_redirect_to_another_host(server):
    with WebServer("127.0.0.2") as other:
        other.freesound(KEY, sounds(3))
        server.add(
            SEARCH, lambda exchange: exchange.start(302, {"Location": other.url + SEARCH, "Content-Length": "0"})
        )
        with pytest.raises(errors.FetchError, match="401.*the service refuses this api_key"):
            list(search(server))
        assert other.count() == 1 and KEY not in other.requests[0].said


@pytest.mark.parametrize("body", [b"<html>your key " + KEY.encode() + b"</html>", b'["' + KEY.encode() + b'"]',
                                  b'{"results": "' + KEY.encode() + b'"}'])  # fmt: skip
def test_a_server_that_repeats_the_key_does_not_bring_it_into_a_message(server, body):
    server.add(SEARCH, body)
    with pytest.raises((errors.FetchError, errors.DatasetError), match="FreeSoundSearch.*query='guitar'") as caught:
        list(search(server))
    assert KEY not in str(caught.value)


def test_a_wrong_key_is_said(server):
    server.freesound("another", sounds(3))
    with pytest.raises(errors.FetchError, match="could not be listed.*401.*the service refuses this api_key") as caught:
        list(search(server))
    assert KEY not in str(caught.value) and not caught.value.passing
    assert server.count() == 1


def test_nothing_found_is_said(server):
    server.freesound(KEY, sounds(3))
    with pytest.raises(errors.EmptyDataset, match="FreeSoundSearch.*'trombone'.*no sound was found; try other"):
        list(search(server, "trombone"))


def test_details_are_asked_for_only_where_a_page_does_not_tell(server, caplog):
    service = server.freesound(KEY, [FreeSound(1, "guitar", OGG), FreeSound(2, "guitar", OGG, fields={"previews": {}})])
    results = [{"id": 1, "name": "guitar"}, service._json(service.sounds[1]), service._json(service.sounds[2])]
    server.add(SEARCH, lambda exchange: exchange.send_json({"next": None, "results": results}))
    with caplog.at_level(logging.WARNING):
        first, second = search(server)
    assert first == second and first.samplerate == 44100
    assert server.count("/apiv2/sounds/1/") == server.count("/apiv2/sounds/2/") == 1
    assert "passed over the sound 2, which has no preview" in caplog.text


def test_one_sound_by_its_number(server):
    server.freesound(KEY, [FreeSound(7, "one", OGG), FreeSound(8, "mute", OGG, fields={"previews": None})])
    item = search(server, label="x").get_by_id(7)
    assert (item.name, item.label) == ("one", "x") and item == search(server, label="x").get_by_id("7")
    assert server.count("/apiv2/sounds/7/") == server.count() == 2
    with pytest.raises(errors.UnknownDataset, match="there is no sound 9"):
        search(server).get_by_id(9)
    with pytest.raises(errors.UnknownDataset, match="the sound 8 has no preview"):
        search(server).get_by_id(8)
    for wrong in ("", "x", None, -1, "../1", 1.5):
        with pytest.raises(errors.DeclarationError, match="a sound has a number"):
            search(server).get_by_id(wrong)


def test_requests_to_the_api_are_spaced(server, monkeypatch):
    slept = []
    monkeypatch.setattr("zounds_lite.datasets.freesound.time.sleep", slept.append)
    server.freesound(KEY, sounds(40))
    dataset = search(server, n_results=40, delay=0.25)
    dataset._largest_page = 15
    assert len(list(dataset)) == 40
    assert slept == [0.25, 0.25] and server.count() == 3


def test_a_short_pause_is_kept_and_a_long_one_ends_the_iteration_with_what_was_yielded(server):
    service = server.freesound(KEY, sounds(40))
    service.throttle(after=0, seconds=1)
    assert len(list(search(server, n_results=3))) == 3
    assert server.count() == 2
    dataset = search(server, n_results=40)
    dataset._largest_page = 15
    service.throttle(after=2, seconds=3600)
    found = []
    with pytest.raises(errors.RateLimited, match="30 of at most 40 sounds were yielded; run it again later") as caught:
        found.extend(item.name for item in dataset)
    assert caught.value.retry_after_s == pytest.approx(3600, abs=5) and caught.value.passing
    assert "FreeSoundSearch" in str(caught.value) and KEY not in str(caught.value)
    assert len(list(dataset)) == 40


def test_running_a_search_again_goes_on_after_the_limit_of_the_day(server, tmp_path):
    service = server.freesound(KEY, sounds(20))

    @zounds.simple_lmdb_settings(str(tmp_path / "s"), user_supplied_id=True)
    class Sound(Copy):
        pass

    dataset = search(server, n_results=20)
    dataset._largest_page = 15
    service.daily_limit = 1
    report = zounds.ingest(dataset, Sound, progress=False)
    assert len(report.processed) == 15
    assert "RateLimited" in report.failed[0].reason and "15 of at most 20" in report.failed[0].reason
    service.daily_limit = None
    again = zounds.ingest(dataset, Sound, progress=False)
    assert (len(again.processed), len(again.skipped), again.failed) == (5, 15, [])
    with pytest.raises(errors.RateLimited, match="0 of at most 20"):
        service.daily_limit = 0
        zounds.ingest(dataset, Sound, progress=False)


def test_the_newer_place_of_searches_is_asked_where_there_is_none_at_the_older_one(server):
    server.freesound(KEY, sounds(20))
    server.remove(SEARCH)
    dataset = search(server, n_results=20)
    dataset._largest_page = 15
    assert len(list(dataset)) == 20
    assert [request.path for request in server.requests] == [SEARCH, "/apiv2/search/", "/apiv2/search/"]
    server.remove("/apiv2/search/")
    with pytest.raises(errors.FetchError, match="404"):
        list(search(server))


def test_pages_that_lead_in_a_circle_or_to_nothing_end(server):
    server.freesound(KEY, sounds(1))
    results = [{"id": 1}]
    server.add(SEARCH, lambda exchange: exchange.send_json({"next": server.url, "results": []}))
    with pytest.raises(errors.EmptyDataset):
        list(search(server))
    assert server.count() == 1
    server.add("/apiv2/sounds/1/", b'{"id": 1}', "application/json")
    server.add(SEARCH, lambda exchange: exchange.send_json({"next": server.url, "results": results}))
    with pytest.raises(errors.EmptyDataset):
        list(search(server))
    assert server.count(SEARCH) <= 12


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"key": ""}, "api_key: a key of freesound.org is needed"),
        ({"key": None}, "api_key: a key of freesound.org is needed"),
        ({"key": "a\r\nHost: b"}, "api_key: a key has only letters and digits"),
        ({"key": "a b"}, "api_key: a key has only letters and digits"),
        ({"key": "schlüssel"}, "api_key: a key has only letters and digits"),
        ({"query": ""}, "query='': words to look for are needed"),
        ({"query": None}, "query=None: words"),
        ({"query": " "}, "query=' ': words"),
        ({"n_results": 0}, "n_results=0: needs at least 1"),
        ({"n_results": 1.5}, "n_results=1.5"),
        ({"n_results": True}, "n_results=True"),
        ({"delay": -1}, "delay=-1: seconds"),
        ({"delay": float("nan")}, "delay=nan: seconds"),
        ({"delay": None}, "delay=None: seconds"),
        ({"base_url": "http://freesound.org"}, "a key is sent over https only"),
        ({"base_url": "http://10.0.0.1"}, "a key is sent over https only"),
        ({"base_url": "freesound.org"}, "is no address of a service"),
        ({"uri": "a.wav"}, "uri= is where each sound is"),
    ],
)
def test_what_cannot_be_asked_is_refused(given, message):
    key, query = given.pop("key", KEY), given.pop("query", "guitar")
    with pytest.raises(ValueError, match=message) as caught:
        FreeSoundSearch(key, query, **given)
    assert not key or key not in str(caught.value)


def test_http_is_for_this_machine_and_for_those_who_allow_it(server):
    with pytest.raises(errors.ForbiddenAddress, match="could not be listed"):
        list(FreeSoundSearch(KEY, "guitar", base_url=server.url, fetcher=ff.Fetcher(retries=0)))
    assert server.count() == 0
    FreeSoundSearch(KEY, "guitar", base_url="http://localhost:80")
    FreeSoundSearch(KEY, "guitar", base_url="http://[::1]:80")
