"""AudioMetaData, its JSON, and the node that probes sources."""

import copy
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import requests

from tests.sounds import bad_files, encoded, noise
from zounds_lite._declared import decode, encode
from zounds_lite.errors import DeclarationError, NotAudio
from zounds_lite.featureflow import iter_zip
from zounds_lite.soundfile import AudioMetaData, AudioMetaDataEncoder, ChunkSizeBytes, MetaData
from zounds_lite.timeseries import SR44100, AudioSampleRate, Hours, SampleRate, Seconds


def _meta(source):
    (meta,) = MetaData().run([source])
    return meta


def test_a_source_is_required():
    for uri in (None, ""):
        with pytest.raises(ValueError, match="metadata needs a source"):
            AudioMetaData(uri=uri)
    assert AudioMetaData(uri=b"").uri == b""


def test_extras_are_attributes_and_count_in_equality():
    one = AudioMetaData(
        uri="a.wav", samplerate=44100, web_url="http://x", type="song", replace="a field named as a method"
    )
    same = AudioMetaData(
        type="song", replace="a field named as a method", web_url="http://x", uri="a.wav", samplerate=44100
    )
    assert one == same
    assert hash(one) == hash(same)
    assert one != AudioMetaData(uri="a.wav", samplerate=44100)
    assert one.web_url == "http://x"
    assert one.extras["replace"] == "a field named as a method"
    assert one.replace(samplerate=8000).samplerate == 8000
    assert one.replace(samplerate=8000).web_url == "http://x"
    with pytest.raises(AttributeError, match="no 'artist'"):
        _ = one.artist
    assert copy.copy(one) == copy.deepcopy(one) == pickle.loads(pickle.dumps(one)) == one
    assert "web_url='http://x'" in repr(one)


def test_stored_headers():
    meta = AudioMetaData(uri="a.wav", tags=["a", "b"], type="song", counts={"type": 1}, plays=np.int64(7))
    header = json.loads(json.dumps(encode(meta)))
    assert header["type"] == "AudioMetaData"
    assert decode(header) == meta
    assert AudioMetaData(uri=Path("b.wav")).to_dict()["uri"] == "b.wav"
    request = requests.Request("GET", "http://example.com/a.ogg")
    assert AudioMetaData(uri=request).to_dict()["uri"] == "http://example.com/a.ogg"
    for uri in (b"RIFF", io.BytesIO(b"RIFF")):
        with pytest.raises(DeclarationError, match="in memory cannot stand in a stored header"):
            AudioMetaData(uri=uri).to_dict()
    assert "<4 bytes>" in repr(AudioMetaData(uri=b"RIFF"))


def test_requests():
    request = requests.Request("GET", "http://example.com/a.ogg")
    meta = AudioMetaData(uri=request)
    assert meta.request is request
    assert meta == AudioMetaData(uri=requests.Request("GET", "http://example.com/a.ogg"))
    assert meta != AudioMetaData(uri=requests.Request("GET", "http://example.com/b.ogg"))
    assert AudioMetaData(uri="a.wav").request is None


@pytest.mark.parametrize("fmt", ["WAV", "FLAC", "OGG", "MP3"])
def test_node_probes_every_kind_of_source(tmp_path, fmt):
    data = encoded(noise(0.5, channels=2), fmt=fmt)
    path = tmp_path / "a.bin"
    path.write_bytes(data)
    file = io.BytesIO(data)
    file.seek(11)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("inside.bin", data)
    (member,) = iter_zip(tmp_path / "a.zip")
    for source in (path, str(path), data, file, member, AudioMetaData(uri=path), AudioMetaData(uri=data)):
        meta = _meta(source)
        assert (meta.samplerate, meta.channels, meta.frames, meta.duration, meta.format) == (44100, 2, 22050, 0.5, fmt)
    assert file.tell() == 11
    assert _meta(file).uri is file


def test_metadata_that_is_complete_passes_as_it_is(tmp_path):
    for meta in (
        AudioMetaData(uri=tmp_path / "later.wav", samplerate=8000, channels=1),
        AudioMetaData(uri="http://example.com/a.ogg"),
        AudioMetaData(uri=requests.Request("GET", "http://example.com/a.ogg")),
    ):
        assert _meta(meta) is meta


def test_metadata_that_is_incomplete_keeps_what_it_says():
    meta = _meta(AudioMetaData(uri=encoded(noise(0.5)), channels=7, licensing="CC0", artist="Ann"))
    assert (meta.samplerate, meta.channels, meta.licensing, meta.artist) == (44100, 7, "CC0", "Ann")


def test_urls_become_requests_for_the_whole():
    meta = _meta("https://example.com/a.ogg")
    assert (meta.request.method, meta.request.url) == ("GET", "https://example.com/a.ogg")
    assert meta.request.headers["Range"] == "bytes=0-"
    request = requests.Request("POST", "http://example.com", headers={"X": "1"})
    assert _meta(request).uri is request
    assert request.headers == {"X": "1", "Range": "bytes=0-"}
    ranged = requests.Request("GET", "http://example.com", headers={"Range": "bytes=5-"})
    assert _meta(ranged).request.headers["Range"] == "bytes=5-"


def test_what_is_no_source(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.wav' is no file"):
        _meta(str(tmp_path / "nowhere.wav"))
    with pytest.raises(FileNotFoundError, match=r"nowhere\.wav"):
        _meta(tmp_path / "nowhere.wav")
    with pytest.raises(DeclarationError, match="no source of audio"):
        _meta(42)
    with pytest.raises(NotAudio, match="HTML"):
        _meta(bad_files()["page.mp3"][0])


@pytest.mark.parametrize(
    ("uri", "stored"),
    [
        ("a.wav", "a.wav"),
        (Path("b") / "a.wav", str(Path("b") / "a.wav")),
        (requests.Request("GET", "http://example.com/a"), "http://example.com/a"),
        (b"RIFF", None),
        (io.BytesIO(), None),
    ],
    ids=["text", "path", "request", "bytes", "file"],
)
def test_encoder(uri, stored):
    meta = AudioMetaData(
        uri=uri, samplerate=SR44100(), tags=["a"], peak=np.float32(0.5), hops=np.arange(3), folder=Path("x")
    )
    (data,) = AudioMetaDataEncoder().run([meta])
    assert AudioMetaDataEncoder.content_type == "application/json"
    assert json.loads(data) == {
        "uri": stored,
        "samplerate": 44100,
        "channels": None,
        "licensing": None,
        "description": None,
        "tags": ["a"],
        "peak": 0.5,
        "hops": [0, 1, 2],
        "folder": "x",
    }


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}])
def test_encoder_refuses_what_is_no_json(value):
    with pytest.raises(DeclarationError, match="is no JSON"):
        list(AudioMetaDataEncoder().run([AudioMetaData(uri="a.wav", odd=value)]))


def test_chunk_sizes():
    size = ChunkSizeBytes(SR44100(), Seconds(30))
    assert int(size) == 5292000
    assert repr(size) == (
        "ChunkSizeBytes(samplerate=SR44100(f=2.2675736e-05, d=2.2675736e-05), "
        "duration=30 seconds, channels=2, bit_depth=16)"
    )
    assert size == ChunkSizeBytes(samplerate=SR44100(), duration=Seconds(30), channels=2, bit_depth=16)
    assert ChunkSizeBytes.from_dict(size.to_dict()) == size
    # exact where the truncated period of 44.1 kHz would drift
    assert int(ChunkSizeBytes(SR44100(), Hours(10), channels=1)) == 36000 * 44100 * 2
    assert int(ChunkSizeBytes(AudioSampleRate(41100), Seconds(1), channels=3, bit_depth=24)) == 41100 * 9
    assert int(ChunkSizeBytes(SampleRate(Seconds(1), Seconds(2)), Seconds(10))) == 40
    assert list(range(10))[ChunkSizeBytes(SampleRate(Seconds(1), Seconds(1)), Seconds(2), 1, 8)] == 2


@pytest.mark.parametrize(
    "arguments", [(SR44100(), 30), (44100, Seconds(1)), (SR44100(), Seconds(0)), (SR44100(), Seconds(1), 0)]
)
def test_bad_chunk_sizes(arguments):
    with pytest.raises(DeclarationError, match="allowed|longer"):
        ChunkSizeBytes(*arguments)
