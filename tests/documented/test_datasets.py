"""The documented examples of the datasets module, against a server that speaks the services' APIs.

Only imports, prints and ``.next()`` are changed, and the address of the server is passed.
"""

import pytest
import requests

import zounds_lite as zounds
from tests.datasets.internet import bound
from tests.sounds import encoded, noise
from tests.webserver import ArchiveFile, Sound, WebServer
from zounds_lite import featureflow as ff

OGG = encoded(noise(0.5, 22050), 22050, "OGG")
CUBA = {
    "creator": "John F. Kennedy",
    "height": "0",
    "genre": "Folk",
    "album": "Great Speeches of the 20th Century [Box Set] Disc 2",
    "title": "The Cuban Missile Crisis",
    "track": "15",
    "artist": "John F. Kennedy",
    "external-identifier": [
        "urn:acoustid:ff850a0c-2efa-450f-8034-efdb31a9b696",
        "urn:mb_recording_id:912cedd0-5530-4f26-972c-13d131fef06e",
    ],
    "length": "454.03",
    "width": "0",
}
ETUDE = {
    "description": "Etude of Electric Guitar in Dm. Used chorus and reverberation effects. Size 6/4. Tempo 100.",
    "tags": ["Etude", "Experemental", "Guitar", "guitar", "Electric", "Chorus"],
    "channels": 2,
    "license": "http://creativecommons.org/licenses/by/3.0/",
    "samplerate": 44100.0,
}


@pytest.fixture
def server():
    with WebServer() as made:
        yield made
    assert made.faults == []


def test_free_sound_search(server):
    from zounds_lite import FreeSoundSearch

    server.freesound("YOUR_API_KEY", [Sound(100, "etude", OGG, fields=ETUDE)])
    fss = FreeSoundSearch("YOUR_API_KEY", "guitar", base_url=server.url)
    found = next(iter(fss))
    assert (found.description, found.tags, found.channels) == (ETUDE["description"], ETUDE["tags"], 2)
    assert (found.licensing, found.samplerate) == (ETUDE["license"], 44100.0)
    assert isinstance(found.uri, requests.Request) and repr(found.uri) == "<Request [GET]>"
    assert found.request.url.endswith("100_1234-hq.ogg")


@pytest.mark.parametrize("arguments", [("", "guitar"), ("YOUR_API_KEY", "")])
def test_free_sound_search_without_a_key_or_a_query(arguments):
    with pytest.raises(ValueError, match="needed|api_key|query"):
        zounds.FreeSoundSearch(*arguments)


def test_internet_archive(server):
    from zounds_lite import InternetArchive

    files = [
        ArchiveFile("15 The Cuban Missile Crisis.mp3", b"mp3", format="128Kbps MP3", fields=CUBA),
        ArchiveFile(
            "15 The Cuban Missile Crisis.ogg", OGG, source="derivative", original="15 The Cuban Missile Crisis.mp3"
        ),
    ]
    server.archive("Greatest_Speeches_of_the_20th_Century", files)
    ia = InternetArchive("Greatest_Speeches_of_the_20th_Century", format_filter="128Kbps MP3", base_url=server.url)
    found = next(iter(ia))
    for name, value in CUBA.items():
        assert getattr(found, name) == value
    assert (found.format, found.source, found.mtime) == ("128Kbps MP3", "original", "1236666800")
    assert (found.channels, found.samplerate, found.description, found.tags) == (None, None, None, None)
    assert (len(found.md5), len(found.sha1), len(found.crc32)) == (32, 40, 8)
    assert isinstance(found.uri, requests.Request)
    # without a format, the file in Ogg Vorbis, with the metadata of what it was made from
    derived = next(iter(InternetArchive("Greatest_Speeches_of_the_20th_Century", base_url=server.url)))
    assert (derived.format, derived.source, derived.title) == ("Ogg Vorbis", "derivative", CUBA["title"])
    with pytest.raises(ValueError, match="archive_id"):
        InternetArchive("")


def test_phat_drum_loops(server):
    from zounds_lite import PhatDrumLoops

    wav = encoded(noise(0.5, 22050), 22050)
    links = "".join(f'<td><a href="audio/wav/{name}">{name}</a></td>' for name in ("amen.wav", "funky.wav"))
    server.add("/beats.php", f"<html><body><table><tr>{links}</tr></table></body></html>".encode(), "text/html")
    for name in ("amen.wav", "funky.wav"):
        server.add(f"/audio/wav/{name}", wav)
    pdl = PhatDrumLoops(base_url=server.url)
    found = next(iter(pdl))
    assert [found.description, found.tags, found.channels, found.licensing, found.samplerate] == [None] * 5
    assert isinstance(found.uri, requests.Request) and found.uri.url.endswith("amen.wav")


def test_composite_dataset(server, tmp_path):
    from zounds_lite import CompositeDataset, InternetArchive, ingest

    server.archive("beethoven_ingigong_850", {"a.ogg": OGG, "b.ogg": OGG})
    server.archive("The_Four_Seasons_Vivaldi-10361", {"spring.ogg": OGG})
    Sound = bound(tmp_path / "store")
    dataset1 = InternetArchive("beethoven_ingigong_850", base_url=server.url)
    dataset2 = InternetArchive("The_Four_Seasons_Vivaldi-10361", base_url=server.url)
    composite = CompositeDataset(dataset1, dataset2)
    report = ingest(composite, Sound, progress=False)  # ingest data from both datasets
    assert (len(report.processed), report.failed) == (3, [])
    assert sorted(snd.meta["name"] for snd in Sound) == ["a.ogg", "b.ogg", "spring.ogg"]
    assert {snd.pcm.samplerate.__class__.__name__ for snd in Sound} == {"SR22050"}


def test_the_loop_of_the_learn_chapter(server):
    server.archive("TheR.H.SFXLibrary", {"a.ogg": OGG, "b.ogg": OGG})
    samplerate = zounds.SR44100()
    STFT = zounds.stft(resample_to=samplerate)

    @zounds.simple_in_memory_settings
    class Sound(STFT):
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, samplerate=samplerate, needs=STFT.fft, store=True)

    urls = []
    for metadata in zounds.InternetArchive("TheR.H.SFXLibrary", base_url=server.url):
        urls.append(metadata.request.url)
        Sound.process(meta=metadata)
    assert [url.rpartition("/")[2] for url in urls] == ["a.ogg", "b.ogg"]
    assert len([snd.bark for snd in Sound]) == 2


def test_a_dataset_item_is_what_a_graph_runs_on(server):
    server.archive("item", {"a.ogg": OGG})

    @zounds.simple_in_memory_settings
    class Document(ff.BaseModel):
        meta = ff.JSONFeature(zounds.MetaData, store=True, encoder=zounds.AudioMetaDataEncoder)
        raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=4096, needs=meta, store=False)

    item = next(iter(zounds.InternetArchive("item", base_url=server.url)))
    doc = Document(Document.process(meta=item))
    assert b"".join(doc.raw) == OGG
    assert doc.meta["md5"] == item.md5
