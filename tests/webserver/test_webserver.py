"""The test server itself: it speaks HTTP, writes down what came, and ends at once."""

import gzip
import threading
import time

import pytest
import requests

from tests.webserver import CERTIFICATE, ArchiveFile, Sound, WebServer, hostile

DATA = bytes(range(256)) * 40


@pytest.fixture
def server():
    with WebServer() as made:
        yield made
    assert made.faults == []


def test_bytes_are_served_whole_in_part_and_as_headers_alone(server):
    url = server.add("/a b/ü.bin", DATA)
    with requests.Session() as session:
        whole, head = session.get(url), session.head(url)
        assert (whole.content, whole.headers["Accept-Ranges"]) == (DATA, "bytes")
        assert (head.content, head.headers["Content-Length"]) == (b"", str(len(DATA)))
        for asked, wanted in [("10-19", DATA[10:20]), ("100-", DATA[100:]), ("-7", DATA[-7:])]:
            part = session.get(url, headers={"Range": f"bytes={asked}", "If-Range": whole.headers["ETag"]})
            assert (part.status_code, part.content) == (206, wanted)
        assert session.get(url, headers={"Range": "bytes=10-19", "If-Range": '"old"'}).content == DATA
        beyond = session.get(url, headers={"Range": f"bytes={len(DATA)}-"})
        assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(DATA)}")
        assert session.get(server.url + "/nothing").status_code == 404
    assert server.count("/a b/ü.bin") == 7 and server.count("/a b/*", "HEAD") == 1
    assert server.requests[2].headers["range"] == "bytes=10-19"


def test_one_connection_takes_many_requests(server):
    url = server.add("/a", lambda exchange: exchange.send(200, str(exchange._connection.client_address[1])))
    with requests.Session() as session:
        assert len({session.get(url).text for _ in range(5)}) == 1


def test_it_speaks_tls_for_those_who_trust_it():
    with WebServer(tls=True, name="localhost") as server, requests.Session() as session:
        url = server.add("/a", DATA)
        assert url.startswith("https://localhost:")
        assert session.get(url, verify=CERTIFICATE).content == DATA
        with pytest.raises(requests.exceptions.SSLError, match="self-signed"):
            requests.get(url)
        server.add("/b", hostile.silent())
        with pytest.raises(requests.Timeout):
            requests.get(server.url + "/b", verify=CERTIFICATE, timeout=0.2)
    assert server.count("/a") == 1 and server.faults == []


def test_many_ask_at_once(server):
    url = server.add("/slow", lambda exchange: exchange.wait(0.2) and exchange.send(200, b"done"))
    found, began = [], time.monotonic()
    threads = [threading.Thread(target=lambda: found.append(requests.get(url).content)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b"done"] * 10 and time.monotonic() - began < 1.5
    assert server.count("/slow") == 10 and server.sent == 40


def test_what_a_client_has_is_counted(server, monkeypatch):
    note_sent = server.note_sent
    monkeypatch.setattr(server, "note_sent", lambda count, era: time.sleep(0.1) or note_sent(count, era))
    assert requests.get(server.add("/a", DATA)).content == DATA
    assert server.sent == len(DATA)


@pytest.mark.parametrize(
    "answer",
    [
        hostile.silent(),
        hostile.drips(),
        hostile.slow_headers(),
        hostile.endless(),
        hostile.endless(chunked=True),
        hostile.stalls(DATA, 9),
        hostile.endless_continue(),
        hostile.endless_trailers(),
    ],
    ids=["silent", "drips", "slow_headers", "endless", "endless_chunks", "stalls", "continue", "trailers"],
)
def test_it_ends_at_once_whatever_its_clients_do(answer):
    with WebServer() as server:
        url = server.add("/a", answer)
        ended = threading.Event()

        def ask():
            try:
                for _ in requests.get(url, stream=True, timeout=10).iter_content(1000):
                    pass
            except requests.RequestException:
                pass
            ended.set()

        threading.Thread(target=ask, daemon=True).start()
        while not server.requests:
            time.sleep(0.01)
        began = time.monotonic()
    assert time.monotonic() - began < 1
    assert ended.wait(2)
    assert not [thread for thread in threading.enumerate() if "process_request" in thread.name]


def test_hostile_answers_are_what_they_say(server):
    get = lambda answer, **options: requests.get(server.add("/h", answer), timeout=5, **options)  # noqa: E731
    assert get(hostile.failing(503, times=1)).status_code == 503
    assert requests.get(server.url + "/h").content == b"fine"
    limited = get(hostile.rate_limited(("date", 60)))
    assert (limited.status_code, limited.headers["Retry-After"][-3:]) == (429, "GMT")
    assert "<html" in get(hostile.page()).text
    assert get(hostile.gzip_bomb(2**20)).content == bytes(2**20)
    assert get(hostile.gzip_bomb(2**20, layers=2)).content == bytes(2**20)
    assert len(gzip.compress(bytes(2**20))) < 2**12
    assert get(hostile.drips(b"slow", 0.01)).content == b"slow"
    part = get(hostile.wrong_range(DATA), headers={"Range": "bytes=10-"})
    assert (part.status_code, part.content) == (206, DATA[110:])
    assert get(hostile.changing(b"one", b"two")).content == b"one" and requests.get(server.url + "/h").content == b"two"
    with pytest.raises(requests.TooManyRedirects):
        requests.get(server.add("/chain/*", hostile.redirect_chain())[:-3] + "0")


@pytest.mark.parametrize(
    "answer",
    [hostile.cut(DATA, 1000), hostile.lying_length(DATA, 10**6), hostile.hang_up(), hostile.garbage(),
     hostile.bad_chunks(), hostile.bad_gzip(), hostile.endless_headers()],
)  # fmt: skip
def test_broken_answers_break(server, answer):
    with pytest.raises(requests.RequestException):
        requests.get(server.add("/h", answer), timeout=5)


def test_an_archive_lists_and_gives_its_files(server):
    files = [
        ArchiveFile("Größe 1.wav", b"RIFF", fields={"title": "Größe", "length": "454.03"}),
        ArchiveFile("Größe 1.ogg", b"OggS", source="derivative", original="Größe 1.wav"),
        ArchiveFile("b.ogg", b"OggS2", fields={"creator": None, "external-identifier": ["urn:1", "urn:2"]}),
    ]
    item = server.archive("Some_Item", files, {"title": "Speeches"}, private=["b.ogg"])
    found = requests.get(f"{server.url}/metadata/Some_Item").json()
    assert found["metadata"]["title"] == "Speeches" and found["files_count"] == len(found["files"]) == 5
    assert [file["format"] for file in found["files"]] == ["WAVE", "Ogg Vorbis", "Ogg Vorbis", "Metadata", "Metadata"]
    assert found["files"][1]["original"] == "Größe 1.wav" and found["files"][0]["size"] == "4"
    assert requests.get(f"{server.url}/metadata/other").json() == {}
    url = server.url_of("/download/Some_Item/Größe 1.ogg")
    assert requests.get(url).content == b"OggS" and requests.get(url).history[0].status_code == 302
    assert requests.get(server.url_of("/download/Some_Item/b.ogg")).status_code == 403
    item.vanish("Größe 1.ogg")
    assert requests.get(url).status_code == 404
    assert requests.get(f"{server.url}/metadata/Some_Item").json() == found
    assert item.fetched() == 4 and item.fetched("b.ogg") == 1
    item.is_dark = True
    assert requests.get(f"{server.url}/metadata/Some_Item").json()["is_dark"] is True


def test_freesound_searches_in_pages_and_asks_for_the_key(server):
    with WebServer() as cdn:
        sounds = [Sound(1000 + i, f"guitar {i}", b"OggS%d" % i) for i in range(7)] + [Sound(5, "drum", None)]
        service = server.freesound("secret", sounds, page_size=3, cdn=cdn)
        sounds[7].fields = {"tags": []}
        search, header = f"{server.url}/apiv2/search/text/", {"Authorization": "Token secret"}
        assert requests.get(search, {"query": "guitar"}).json()["detail"].startswith("Authentication credentials")
        assert requests.get(search, {"query": "guitar", "token": "wrong"}).status_code == 401
        found, url = [], f"{search}?query=guitar"
        while url:
            page = requests.get(url, headers=header).json()
            found, url = found + page["results"], page["next"]
            assert page["count"] == 7
        assert [sound["id"] for sound in found] == list(range(1000, 1007))
        assert set(found[0]) == {"id", "name", "tags", "license", "username"}
        details = requests.get(f"{server.url}/apiv2/sounds/1003/", {"token": "secret"}).json()
        assert requests.get(details["previews"]["preview-hq-ogg"]).content == b"OggS3"
        assert requests.get(details["previews"]["preview-hq-mp3"]).status_code == 404
        assert service.previews_fetched() == 2
        assert requests.get(search, {"query": "nothing"}, headers=header).json()["results"] == []
        assert requests.get(search, {"page": 9}, headers=header).json() == {"detail": "Not found."}
        service.throttle(after=1, seconds=42)
        assert [requests.get(search, headers=header).status_code for _ in range(3)] == [200, 429, 200]
        service.daily_limit = 0
        assert "/day" in requests.get(search, headers=header).json()["detail"]


def test_what_is_still_sent_for_forgotten_requests_does_not_count(server):
    def late(exchange):
        exchange.start(200, {"Content-Length": "4"})
        exchange.write(b"ab")
        server.clear()
        exchange.write(b"cd")

    assert requests.get(server.add("/late", late), timeout=5).content == b"abcd"
    assert server.sent == 0 and server.requests == []
