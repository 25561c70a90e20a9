"""InternetArchive against a server that speaks its API: which files, what is known of them, and what is refused."""

import copy
import json
import logging
import pickle

import pytest
import requests

import zounds_lite as zounds
from tests.sounds import encoded, noise
from tests.webserver import WebServer
from tests.webserver.internetarchive import ArchiveFile
from zounds_lite import InternetArchive, errors, featureflow as ff

OGG, MP3 = encoded(noise(0.3), fmt="OGG"), encoded(noise(0.3, seed=1), fmt="MP3")
SPEECH = {
    "creator": "John F. Kennedy",
    "height": "0",
    "width": "0",
    "genre": "Folk",
    "album": "Great Speeches of the 20th Century [Box Set] Disc 2",
    "title": "The Cuban Missile Crisis",
    "track": "15",
    "artist": "John F. Kennedy",
    "external-identifier": ["urn:acoustid:ff850a0c", "urn:mb_recording_id:912cedd0"],
    "length": "454.03",
}


@pytest.fixture
def server():
    with WebServer() as server:
        yield server


@pytest.fixture
def speeches(server):
    """An item as people put them there: an original, what the archive made of it, and things that are no sound."""
    server.archive(
        "Greatest_Speeches",
        [
            ArchiveFile("disc 2/15 - Cuba #1?.mp3", MP3, "128Kbps MP3", fields={**SPEECH, "bitrate": "128"}),
            ArchiveFile("disc 2/15 - Cuba #1?.ogg", OGG, source="derivative", original="disc 2/15 - Cuba #1?.mp3"),
            ArchiveFile("Ünder.ogg", OGG, source="derivative", original="gone.mp3", fields={"title": "Müsli"}),
            ArchiveFile("cover.jpg", b"jpeg"),
        ],
    )
    return of(server, "Greatest_Speeches")


def of(server, identifier="Greatest_Speeches", *arguments, **given):
    return InternetArchive(identifier, *arguments, base_url=server.url, **given)


def test_files_of_the_default_format_in_the_order_of_the_catalogue(server, speeches):
    first, second = speeches
    assert isinstance(first, zounds.AudioMetaData) and isinstance(first.uri, requests.Request)
    assert first.request.url == f"{server.url}/download/Greatest_Speeches/disc%202/15%20-%20Cuba%20%231%3F.ogg"
    assert second.request.url == f"{server.url}/download/Greatest_Speeches/%C3%9Cnder.ogg"
    assert (first.format, first.source) == (second.format, second.source) == ("Ogg Vorbis", "derivative")


def test_a_derivative_has_what_is_known_of_its_original_but_what_is_of_one_file_alone(server, speeches):
    first, second = speeches
    assert {name: first.extras[name] for name in SPEECH} == SPEECH  # numbers of the catalogue stay text
    assert first.size == len(OGG)
    assert first.checksum == f"md5:{first.md5}" and first.sha1 != first.crc32
    assert "bitrate" not in first.extras
    assert second.title == "Müsli" and "album" not in second.extras  # its original is missing
    assert (first.samplerate, first.channels, first.description, first.tags) == (None, None, None, None)
    assert first.licensing == "http://creativecommons.org/licenses/by/3.0/"
    assert first.web_url == f"{server.url}/details/Greatest_Speeches"


@pytest.mark.parametrize(
    ("wanted", "formats"),
    [
        ("128Kbps MP3", ["128Kbps MP3"]),
        ("128kbps mp3", ["128Kbps MP3"]),
        (("128Kbps MP3", "ogg vorbis"), ["128Kbps MP3", "Ogg Vorbis", "Ogg Vorbis"]),
        ({"JPEG"}, ["JPEG"]),
        (lambda file: file.get("artist") == "John F. Kennedy", ["128Kbps MP3", "Ogg Vorbis"]),
        (lambda file: file["source"] == "derivative" and int(file["size"]) > 0, ["Ogg Vorbis", "Ogg Vorbis"]),
    ],
)
def test_filters(server, speeches, wanted, formats):
    assert [item.format for item in of(server, format_filter=wanted)] == formats
    assert len(of(server, "Greatest_Speeches", wanted)) == len(formats)


def test_attributes_go_before_what_the_catalogue_says(server, speeches):
    item = next(iter(of(server, label="speech", title="mine", licensing="PD", web_url=None)))
    assert (item.label, item.title, item.licensing, item.web_url) == ("speech", "mine", "PD", None)
    assert item.album == SPEECH["album"]


def test_each_iteration_asks_anew_and_len_asks_for_the_one_after_it(server, speeches):
    assert server.count() == 0  # a declaration asks nobody
    assert bool(speeches) and server.count() == 0
    assert len(list(speeches)) == 2
    assert server.count("/metadata/*") == 1  # list() asks for the length first
    server.archive("Greatest_Speeches", {"new.ogg": OGG})
    assert [item.name for item in speeches] == ["new.ogg"]
    assert server.count("/metadata/*") == 2
    assert len(speeches) == 1 and len(speeches) == 1
    assert server.count("/metadata/*") == 4
    assert server.count() == 4  # no recording was asked for


def test_an_unknown_item_and_one_that_was_taken_down_are_named(server):
    with pytest.raises(errors.UnknownDataset, match="InternetArchive.*'nobody'.*has no item of this identifier"):
        list(of(server, "nobody"))
    server.archive("dark", {}, is_dark=True)
    with pytest.raises(LookupError, match="'dark'.*shows this item to nobody"):
        len(of(server, "dark"))


def test_an_empty_result_says_which_formats_there_are(server, speeches):
    with pytest.raises(
        errors.EmptyDataset, match="no file fits 'Flac'; there are: .*'Ogg Vorbis' \\(2\\).*'JPEG' \\(1\\)"
    ):
        list(of(server, format_filter="Flac"))
    with pytest.raises(errors.EmptyDataset, match="no file fits <function"):
        list(of(server, format_filter=lambda file: False))


def test_private_files_are_passed_over_and_said(server, caplog):
    fields = {"private": "true"}
    server.archive("live", [ArchiveFile("a.ogg", OGG, fields=fields), ArchiveFile("b.ogg", OGG)])
    with caplog.at_level(logging.WARNING):
        assert [item.name for item in of(server, "live")] == ["b.ogg"]
    assert "passed over 1 files that the archive plays" in caplog.text
    server.archive("stream", [ArchiveFile("a.ogg", OGG, fields=fields), ArchiveFile("a.mp3", MP3)])
    with pytest.raises(errors.EmptyDataset, match="all 1 files that fit 'Ogg Vorbis' are private.*'VBR MP3'"):
        list(of(server, "stream"))


def test_names_that_lead_elsewhere_are_passed_over(server, caplog):
    names = ["../../x.ogg", "a/../b.ogg", "./c.ogg", "", "good..name.ogg", "..ogg"]
    server.archive("odd", [ArchiveFile(name, OGG, "Ogg Vorbis") for name in names])
    with caplog.at_level(logging.WARNING):
        assert [item.name for item in of(server, "odd")] == ["good..name.ogg", "..ogg"]
    assert caplog.text.count("strange name") == 4


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (b"[]", "gives no catalogue but \\[\\]"),
        (b'{"error": "come back later"}', "gives no catalogue but .*come back later"),
        (b'{"files": {"a": 1}}', "lists are no list of files"),
        (b'{"files": [1, 2]}', "lists are no list of files"),
    ],
)
def test_what_is_no_catalogue_is_refused(server, said, message):
    server.add("/metadata/x", said, "application/json")
    with pytest.raises(errors.DatasetError, match=f"InternetArchive.*'x'.*{message}"):
        list(of(server, "x"))


def test_sizes_and_checksums_that_are_none_are_left_alone(server):
    odd = [
        {"name": "a.ogg", "size": "many", "md5": None},
        {"name": "b.ogg", "size": "²", "md5": "d41d"},
        {"name": "c.ogg"},
        {"name": "d.ogg", "self": "x", "uri": "y", "request": "z", "original": ["a", "b"]},
    ]
    files = [{"format": "Ogg Vorbis", **file} for file in odd]
    server.add("/metadata/odd", json.dumps({"files": files, "metadata": None}).encode(), "application/json")
    items = list(of(server, "odd"))
    assert items[0].size == "many" and "checksum" not in items[0].extras
    assert (items[1].size, items[1].checksum) == ("²", "md5:d41d") and "size" not in items[2].extras
    assert items[3].request is items[3].uri and items[3].extras["request"] == "z"


def test_a_catalogue_that_cannot_be_fetched_names_the_dataset(server):
    server.add("/metadata/html", b"<html>maintenance</html>", "text/html")
    with pytest.raises(errors.FetchError, match="InternetArchive.*'html'.*could not be listed.*maintenance"):
        list(of(server, "html"))
    fetcher = ff.Fetcher(retries=0, connect_timeout=1, private_addresses=True)
    with pytest.raises(errors.FetchError, match="could not be listed") as caught:
        list(InternetArchive("x", base_url="http://127.0.0.1:9", fetcher=fetcher))
    assert caught.value.passing
    with pytest.raises(errors.ForbiddenAddress, match="could not be listed"):
        list(of(server, "x", fetcher=ff.Fetcher(retries=0)))
    assert server.count("/metadata/x") == 0


@pytest.mark.parametrize("archive_id", [None, "", 5, "a b", "https://archive.org/details/x", "a/b", "..", "x?y"])
def test_what_is_no_identifier_is_refused(archive_id):
    with pytest.raises(ValueError, match="archive_id=.*the part after archive.org/details/"):
        InternetArchive(archive_id)


@pytest.mark.parametrize("wanted", ["", 5, (), ["", "Flac"], [5], b"Flac", {"Flac": 1}])
def test_what_is_no_filter_is_refused(wanted):
    with pytest.raises(errors.DeclarationError, match="format_filter=.*allowed: the name of a format"):
        InternetArchive("x", wanted)


@pytest.mark.parametrize(
    "base_url",
    ["", None, "archive.org", "ftp://archive.org", "file:///etc", "https://", "https://a?b", "https://u:p@a"],
)
def test_what_is_no_address_is_refused(base_url):
    with pytest.raises(errors.DeclarationError, match="base_url") as caught:
        InternetArchive("x", base_url=base_url)
    assert "p@" not in str(caught.value)


def test_an_item_says_where_it_is():
    with pytest.raises(errors.DeclarationError, match="uri= is where"):
        InternetArchive("x", **{"uri": "a.wav"})


def test_it_is_a_declaration():
    one = InternetArchive("x", ["Flac", "WAVE"], label=7)
    assert one == InternetArchive("x", ["Flac", "WAVE"], label=7) != InternetArchive("x", "Flac", label=7)
    assert repr(one) == "InternetArchive(archive_id='x', format_filter=['Flac', 'WAVE'], label=7)"
    assert InternetArchive.from_dict(one.to_dict()) == one == copy.deepcopy(one) == pickle.loads(pickle.dumps(one))


def test_items_can_be_sent_and_become_documents(server, speeches, tmp_path):
    items = list(speeches)
    assert pickle.loads(pickle.dumps(items)) == items

    @zounds.simple_lmdb_settings(str(tmp_path / "s"), user_supplied_id=True)
    class Sound(zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)):
        pass

    report = zounds.ingest(speeches, Sound, progress=False)
    assert (report.processed, report.failed) == ([item.request.url for item in items], [])
    meta = Sound(items[0].request.url).meta
    assert (meta["title"], meta["size"], meta["web_url"]) == (SPEECH["title"], len(OGG), items[0].web_url)
    before = server.count("/download/*")
    assert len(zounds.ingest(speeches, Sound, progress=False).skipped) == 2
    assert server.count("/download/*") == before


def test_a_file_that_vanished_after_listing_is_reported_and_the_rest_goes_on(server, tmp_path):
    item = server.archive("two", {"a.ogg": OGG, "b.ogg": OGG})
    item.vanish("a.ogg")

    @zounds.simple_lmdb_settings(str(tmp_path / "s"), user_supplied_id=True)
    class Sound(zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)):
        pass

    report = zounds.ingest(of(server, "two"), Sound, progress=False)
    assert len(report.processed) == 1
    (failure,) = report.failed
    assert failure.id.endswith("/download/two/a.ogg") and "404" in failure.reason
