"""NSynth and MusicNet, from archives as they are published and from folders, and what is wrong with them."""

import io
import json
import logging
import pickle
import tarfile

import pytest

import zounds_lite as zounds
from tests.sounds import encoded, noise
from tests.webserver import WebServer
from zounds_lite import MusicNet, NSynth, errors, featureflow as ff

NAMES = ["bass_synthetic_068-049-025", "flute_acoustic_002-077-100", "guitar_electronic_022-038-127"]
TABLE = (
    "id,composer,composition,movement,ensemble,source,transcriber,catalog_name,seconds\n"
    '1727,Schubert,"Piano Quintet in A major",2. Andante,Piano Quintet,European Archive,http://t.example,OP114,447\n'
    "1728,Schubert,Piano Quintet in A major,3. Scherzo,Piano Quintet,European Archive,http://t.example,OP114,251\n"
    "2106,Bach,Prelude,1. Prelude,Solo Piano,Museopen,http://u.example,BWV 846,\n"
)


def note(number):
    return {
        "note": 200000 + number,
        "note_str": NAMES[number],
        "sample_rate": 16000,
        "pitch": 49 + number,
        "velocity": 25,
        "instrument_family_str": NAMES[number].partition("_")[0],
        "qualities": [0, 1],
        "qualities_str": ["dark"],
    }


def wav(number):
    return encoded(noise(0.2, rate=16000, seed=number), rate=16000)


def archive(files, mode="w:gz"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def notes(described_last=False, split="valid"):
    described = [(f"nsynth-{split}/examples.json", json.dumps({NAMES[i]: note(i) for i in range(3)}).encode())]
    sounds = [(f"nsynth-{split}/audio/{NAMES[i]}.wav", wav(i)) for i in range(3)]
    return sounds + described if described_last else described + sounds


@pytest.fixture
def server():
    with WebServer() as server:
        yield server


def quick():
    return ff.Fetcher(retries=1, backoff=0.01, private_addresses=True)


@pytest.mark.parametrize("described_last", [False, True])
def test_notes_of_the_archive_which_is_fetched_once(server, tmp_path, described_last):
    server.add("/nsynth-valid.jsonwav.tar.gz", archive(notes(described_last)))
    dataset = NSynth(tmp_path / "new", base_url=server.url, label="x")
    with pytest.raises(TypeError, match="NSynth.*no length before its archive is fetched"):
        len(dataset)
    items = list(dataset)
    assert [item.request.url for item in items] == [f"nsynth:valid/{name}" for name in NAMES]
    assert [item.uri.getvalue() for item in items] == [wav(i) for i in range(3)]
    for i, item in enumerate(items):
        assert {name: item.extras[name] for name in note(i)} == note(i)
        assert (item.samplerate, item.channels, item.label) == (16000, 1, "x")
        assert item.licensing.startswith("https://creativecommons.org/licenses/by/")
        assert item.web_url == "https://magenta.tensorflow.org/datasets/nsynth"
    assert [item.pitch for item in dataset] == [49, 50, 51]
    assert server.count(method="GET") == 1 and len(dataset) == 3
    kept = tmp_path / "new" / "nsynth-valid.examples.json"
    assert kept.exists()
    assert pickle.loads(pickle.dumps(items))[1].uri.getvalue() == wav(1)


def test_a_folder_is_taken_before_an_archive(server, tmp_path):
    for name, data in notes(split="test"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for folder in (tmp_path, tmp_path / "nsynth-test"):
        dataset = NSynth(folder, "test", base_url=server.url)
        assert [item.uri for item in dataset] == [str(tmp_path / f"nsynth-test/audio/{name}.wav") for name in NAMES]
        assert len(dataset) == 3 and [item.pitch for item in dataset] == [49, 50, 51]
    assert server.count() == 0


def test_notes_become_documents_once(server, tmp_path):
    server.add("/nsynth-valid.jsonwav.tar.gz", archive(notes()))

    @zounds.simple_lmdb_settings(str(tmp_path / "s"), user_supplied_id=True)
    class Sound(zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)):
        pass

    dataset = NSynth(tmp_path, base_url=server.url)
    report = zounds.ingest(dataset, Sound, progress=False)
    assert report.processed == [f"nsynth:valid/{name}" for name in NAMES] and not report.failed
    assert Sound(report.processed[1]).meta["instrument_family_str"] == "flute"
    assert len(zounds.ingest(dataset, Sound, progress=False).skipped) == 3


def test_a_sound_that_is_not_described_is_passed_over_and_said(tmp_path, caplog):
    files = [*notes(), ("nsynth-valid/audio/stranger.wav", wav(0)), ("nsynth-valid/audio/readme.txt", b"x")]
    (tmp_path / "nsynth-valid.jsonwav.tar.gz").write_bytes(archive(files))
    with caplog.at_level(logging.WARNING):
        assert len(list(NSynth(tmp_path))) == 3
    assert "stranger.wav', of which examples.json does not know" in caplog.text


def damaged():
    whole = archive(notes())
    return {
        "cut": (whole[: len(whole) // 2], "is damaged"),
        "no archive": (b"<html>sorry</html>", "is damaged"),
        "empty": (b"", "is damaged|holds no examples.json"),
        "no description": (archive(notes()[1:]), "holds no examples.json"),
        "no JSON": (archive([("nsynth-valid/examples.json", b"{")]), "is no JSON"),
        "other JSON": (archive([("nsynth-valid/examples.json", b"[1]")]), "does not describe notes by their names"),
        "flipped": (whole[:200] + bytes([whole[200] ^ 0xFF]) + whole[201:], "is damaged|no JSON"),
    }


@pytest.mark.parametrize("kind", damaged())
def test_a_damaged_archive_is_named(tmp_path, kind):
    data, message = damaged()[kind]
    path = tmp_path / "nsynth-valid.jsonwav.tar.gz"
    path.write_bytes(data)
    with pytest.raises(errors.DatasetError, match=message) as caught:
        list(NSynth(tmp_path))
    assert str(path) in str(caught.value)


def test_a_member_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(zounds.datasets.nsynth._LARGEST, ".wav", 1000)
    (tmp_path / "nsynth-valid.jsonwav.tar.gz").write_bytes(archive(notes()))
    with pytest.raises(errors.DatasetError, match="has 6444 bytes; allowed: 1000"):
        list(NSynth(tmp_path))


def test_names_in_an_archive_lead_nowhere(tmp_path):
    (tmp_path / "in").mkdir()
    files = [(name.replace("nsynth-valid", "../../.."), data) for name, data in notes()]
    (tmp_path / "in" / "nsynth-valid.jsonwav.tar.gz").write_bytes(archive(files))
    assert len(list(NSynth(tmp_path / "in"))) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_archive_that_cannot_be_fetched_names_the_dataset_and_leaves_nothing(server, tmp_path):
    with pytest.raises(errors.FetchError, match="NSynth.*could not be listed.*404"):
        list(NSynth(tmp_path, base_url=server.url, fetcher=quick()))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cls", [NSynth, MusicNet])
def test_what_is_refused_at_once(cls):
    for split in ("Valid", "", None, 5, "../x"):
        with pytest.raises(errors.DeclarationError, match=f"split={split!r}; allowed: 'train', "):
            cls("x", split)
    with pytest.raises(errors.DeclarationError, match="uri= is where each"):
        cls("x", uri="y")
    with pytest.raises(errors.DeclarationError, match="is no address"):
        cls("x", base_url="y")
    assert cls.from_dict(cls("x", "test", label=7).to_dict()) == cls("x", "test", label=7)
    assert repr(cls("x", "test", label=7)) == f"{cls.__name__}(path='x', split='test', label=7)"


def recordings():
    return [
        ("musicnet/train_data/1727.wav", wav(0)),
        ("musicnet/train_labels/1727.csv", b"start_time,end_time"),
        ("musicnet/train_data/1728.wav", wav(1)),
        ("musicnet/test_data/2106.wav", wav(2)),
    ]


@pytest.mark.parametrize("inner", ["", "musicnet"])
def test_recordings_of_a_folder(tmp_path, inner):
    for name, data in recordings():
        path = tmp_path / name.replace("musicnet", inner, 1).lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (tmp_path / inner / "musicnet_metadata.csv").write_text(TABLE)
    dataset = MusicNet(tmp_path, label="x")
    first, second = dataset
    assert first.uri == str(tmp_path / inner / "train_data" / "1727.wav") and len(dataset) == 2
    assert (first.id, first.seconds, first.composer, first.catalog_name) == (1727, 447, "Schubert", "OP114")
    assert (second.movement, second.label, second.web_url) == ("3. Scherzo", "x", "https://zenodo.org/records/5120004")
    (third,) = MusicNet(tmp_path, "test")
    assert (third.id, third.composer, third.seconds) == (2106, "Bach", "")


def test_recordings_of_the_archive_which_is_fetched_on_demand_alone(server, tmp_path):
    server.add("/musicnet.tar.gz", archive(recordings()))
    server.add("/musicnet_metadata.csv", b"\xef\xbb\xbf" + TABLE.encode())
    with pytest.raises(FileNotFoundError, match="neither a folder train_data nor musicnet.tar.gz.*download=True"):
        list(MusicNet(tmp_path, base_url=server.url))
    assert server.count() == 0
    dataset = MusicNet(tmp_path, download=True, base_url=server.url)
    items = list(dataset)
    assert [(item.request.url, item.uri.getvalue()) for item in items] == [
        ("musicnet:train/1727", wav(0)),
        ("musicnet:train/1728", wav(1)),
    ]
    assert [item.id for item in MusicNet(tmp_path, "test", base_url=server.url)] == [2106]
    assert server.count(method="GET") == 2
    with pytest.raises(TypeError, match="MusicNet.*no length before its archive is read"):
        len(dataset)


@pytest.mark.parametrize(
    ("table", "message"),
    [(b"", "has no rows with a column 'id'"), (b"a,b\n1,2\n", "has no rows with"), (b"id\n\xff\xfe", "is no table")],
)
def test_a_table_that_is_none_is_named(tmp_path, table, message):
    (tmp_path / "train_data").mkdir()
    (tmp_path / "musicnet_metadata.csv").write_bytes(table)
    with pytest.raises(errors.DatasetError, match=f"musicnet_metadata.csv.*{message}"):
        list(MusicNet(tmp_path))


def test_a_recording_without_a_row_is_there_and_said(tmp_path, caplog):
    (tmp_path / "train_data").mkdir()
    (tmp_path / "train_data" / "99.wav").write_bytes(wav(0))
    (tmp_path / "musicnet_metadata.csv").write_text(TABLE + "99\n,,,,,,,,,,too,many\n")
    assert [item.id for item in MusicNet(tmp_path)] == [99]
    (tmp_path / "musicnet_metadata.csv").write_text(TABLE)
    with caplog.at_level(logging.WARNING):
        assert [item.id for item in MusicNet(tmp_path)] == [99]
    assert "the table has no row for 99" in caplog.text
