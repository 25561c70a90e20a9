"""PhatDrumLoops against a page with links as people write them."""

import pickle

import pytest

from tests.sounds import encoded, noise
from tests.webserver import WebServer
from zounds_lite import PhatDrumLoops, errors, featureflow as ff

PAGE = """<HTML><head><title>beats &amp; breaks</title></head><body background=x.gif>
<A HREF="audio/wav/amen.wav">amen</A> <a href='/audio/wav/funky%20drummer.WAV'>funky
<a href="audio/wav/caf\u00e9 #2.wav">no such name</a>
<a href=audio/wav/amen.wav>again</a> <a href="audio/wav/amen.wav#t=1">and again</a>
<a href="audio/wav/a&amp;b.wav?x=1">query</a> <a href="beats.php">a page</a> <a>nothing</a> <a href>empty</a>
<a href="http://[broken/x.wav">no address</a> <a href="javascript:play('x.wav')">a program</a>
<a href="ftp://example.org/x.wav">ftp</a> <a href="mp3/x.mp3">mp3</a>
<audio src="//cdn.example.org/last.wave"></audio> text that names audio/wav/text.wav
<!-- <a href="hidden.wav"> --> <a href="cut.wav
"""


@pytest.fixture
def server():
    with WebServer() as server:
        server.add("/beats.php", PAGE.encode(), "text/html; charset=utf-8")
        yield server


def test_wav_links_in_the_order_of_the_page_each_once(server):
    items = list(PhatDrumLoops(base_url=server.url))
    assert [item.request.url for item in items] == [
        f"{server.url}/audio/wav/amen.wav",
        f"{server.url}/audio/wav/funky%20drummer.WAV",
        f"{server.url}/audio/wav/a&b.wav?x=1",
        "http://cdn.example.org/last.wave",
    ]
    assert (items[0].samplerate, items[0].channels, items[0].licensing) == (None, None, None)
    assert {item.web_url for item in items} == {f"{server.url}/beats.php"}


def test_a_base_moves_links(server):
    server.add("/beats.php", b'<base href="/else/where/"><a href="a b.wav">x</a>', "text/html")
    (item,) = PhatDrumLoops(base_url=f"{server.url}/", label="drums")
    assert item.request.url == f"{server.url}/else/where/a%20b.wav" and item.label == "drums"


def test_restart_length_and_pickles(server):
    dataset = PhatDrumLoops(base_url=server.url)
    assert len(list(dataset)) == 4 and server.count() == 1
    assert len(dataset) == 4 and len(list(dataset)) == 4
    items = list(dataset)
    assert pickle.loads(pickle.dumps(items)) == items


@pytest.mark.parametrize("page", [b"", b"<html>under construction</html>", bytes(range(256)) * 10])
def test_a_page_without_links_is_said(server, page):
    server.add("/beats.php", page, "text/html")
    with pytest.raises(errors.EmptyDataset, match="PhatDrumLoops.*beats.php links to no WAV file"):
        list(PhatDrumLoops(base_url=server.url))


def test_a_page_that_is_gone_names_the_dataset(server):
    server.remove("/beats.php")
    with pytest.raises(errors.FetchError, match="PhatDrumLoops.*could not be listed.*404"):
        list(PhatDrumLoops(base_url=server.url))
    with pytest.raises(errors.ForbiddenAddress):
        list(PhatDrumLoops(base_url=server.url, fetcher=ff.Fetcher(retries=0)))


def test_it_is_a_declaration():
    assert repr(PhatDrumLoops()) == "PhatDrumLoops()"
    assert PhatDrumLoops.from_dict(PhatDrumLoops(licensing="?").to_dict()) == PhatDrumLoops(licensing="?")
    with pytest.raises(errors.DeclarationError, match="uri= is where each drum break is"):
        PhatDrumLoops(uri="a.wav")
    with pytest.raises(errors.DeclarationError, match="base_url='x' is no address"):
        PhatDrumLoops(base_url="x")


def test_a_recording_of_it_is_read(server):
    server.add("/beats.php", b'<a href="one.wav">', "text/html")
    wav = encoded(noise(0.1))
    server.add("/one.wav", wav)
    (item,) = PhatDrumLoops(base_url=server.url)
    assert b"".join(ff.ByteStream().run([item])) == wav
