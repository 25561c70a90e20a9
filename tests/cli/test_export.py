"""The command ``export``: each format from a store, frames from a corpus, and options that mean nothing."""

import csv
import json
import tarfile

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import noise, write
from zounds_lite.datasets.exports import open_frames

MINE = ("--document", "mine:Sound")


@pytest.fixture
def store(workplace, cli, tmp_path):
    assert cli("ingest", "sounds", "--store", "s", *MINE)[0] == 0
    return tmp_path / "s"


@pytest.fixture
def corpus(workplace, tmp_path):
    for genre in ("jazz", "rock"):
        (tmp_path / "gtzan" / genre).mkdir(parents=True)
        for clip in range(2):
            write(tmp_path / "gtzan" / genre / f"{genre}.{clip:05d}.wav", noise(0.3, 22050, seed=clip), 22050)
    return tmp_path / "gtzan"


def test_npz(store, cli, tmp_path):
    code, out, err = cli("export", "s", "--npz", "out", "--feature", "bark", *MINE)
    assert (code, out, err) == (0, "out: 2 documents, 0 failed\n", "")
    (one, two) = sorted((tmp_path / "out").glob("*.npz"))
    with np.load(one) as found:
        assert found["bark"].shape[1] == 20 and str(found["id"]).endswith("one.wav")


def test_csv(store, cli, tmp_path):
    code, out, _ = cli("export", "s", "--csv", "labels.csv", "--for-spreadsheets")
    assert (code, out) == (0, "labels.csv: 2 documents, 0 failed\n")
    with open(tmp_path / "labels.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"].rpartition("/")[2] for row in rows] == ["one.wav", "two.flac"] and rows[0][
        "samplerate"
    ] == "22050"


def test_clips(store, cli, tmp_path):
    code, out, _ = cli("export", "s", "--clips", "out", "--seconds", "0.5", "--format", "flac", *MINE)
    assert (code, out) == (0, "out: 3 clips, 0 failed\n")
    (first, *_) = zounds.Manifest(tmp_path / "out" / "clips.csv")
    assert zounds.AudioSamples.from_file(first.uri).duration_in_seconds == 0.5
    code, _, err = cli("export", "s", "--clips", "other", "--slices", "mean", *MINE)
    assert code == 1 and err.count("failed: ") == 2


def test_webdataset(store, cli, tmp_path):
    code, out, _ = cli(
        "export", "s", "--webdataset", "out", "--feature", "bark", "--audio", "pcm", "--per-shard", "1", *MINE
    )
    assert (code, out) == (0, "out: 2 documents, 0 failed\n")
    with tarfile.open(tmp_path / "out" / "shard-000001.tar") as tar:
        assert tar.getnames() == ["000000001.json", "000000001.bark.npy", "000000001.flac"]


def test_hdf5_of_some_documents(store, cli, tmp_path):
    h5py = pytest.importorskip("h5py")
    code, out, _ = cli("export", "s", "--hdf5", "x.h5", "--where", "samplerate=22050", "--compression", "gzip", *MINE)
    assert (code, out) == (0, "x.h5: 1 document, 0 failed\n")
    with h5py.File(tmp_path / "x.h5") as file:
        assert sorted(file["features"]) == ["bark", "fft", "loud"]
        assert np.array_equal(file["features/loud"], 2 * file["features/bark"][()])


def test_parquet(store, cli, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    assert cli("export", "s", "--parquet", "x.parquet", "--feature", "bark", *MINE)[0] == 0
    assert parquet.read_table(tmp_path / "x.parquet").num_rows == 2


def test_frames_of_a_corpus(corpus, cli, tmp_path):
    code, out, _ = cli("export", "gtzan:gtzan", "--npy", "out")
    assert (code, out) == (0, "out: 4 clips, 0 failed\n")
    with open_frames(tmp_path / "out") as found:
        assert found.labels == ("jazz", "rock") and found.rows("Xn").shape == (2 * 2 * 5 * 2, 96)
    assert cli("export", "gtzan:gtzan", "--npy", "out")[1] == "out: 4 clips (4 of an earlier run), 0 failed\n"
    (corpus / "rock" / "rock.00001.wav").write_bytes(b"no audio")
    code, out, err = cli("export", "gtzan:gtzan", "--npy", "some", "--samples", 6000, "--workers", 1)
    assert (code, out) == (1, "some: 3 clips, 1 failed\n") and "rock.00001.wav: NotAudio" in err


def test_frames_of_an_hdf5_file(cli, tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    monkeypatch.chdir(tmp_path)
    with h5py.File("in.h5", "w") as file:
        file["rock"] = noise(0.3, 22050).astype(np.float32)[:, None]
    code, _, err = cli("export", "in.h5", "--hdf5", "out.h5")
    assert code == 3 and "has the attribute 'sr', the sample rate in hertz; add it" in err
    with h5py.File("in.h5", "a") as file:
        file.attrs["sr"] = 22050
    assert cli("export", "in.h5", "--hdf5", "out.h5", "--compression", "lzf")[:2] == (0, "out.h5: 1 clip, 0 failed\n")
    with h5py.File("out.h5") as file:
        assert file["Xa"].shape == (1, 1, 5, 2, 1024) and file["Xs"].compression == "lzf"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("s", "--npy", "out"), "--npy is for gtzan:PATH; allowed for a store: --npz out"),
        (("s", "--csv", "x.csv", "--feature", "bark"), "--feature does nothing here; allowed are: --where"),
        (("s", "--npz", "out", "--samples", "5"), "--samples does nothing here"),
        (("s", "--npz", "out", "--workers", "2"), "--workers does nothing here"),
        (("s", "--clips", "out", "--seconds", "1", "--slices", "x", *MINE), "--slices and --seconds are both given"),
        (("gtzan:gtzan", "--clips", "out"), "allowed for a corpus: --hdf5, --npy"),
        (("gtzan:gtzan", "--npy", "out.h5"), "a folder's name has no suffix here"),
        (("gtzan:gtzan", "--hdf5", "out"), "a name that ends with .h5"),
        (("gtzan:gtzan", "--npy", "out", "--where", "a=1"), "--where does nothing here"),
        (("gtzan:nowhere", "--npy", "out"), "nowhere"),
        (("nowhere", "--npz", "out"), "is no store"),
        (("s", "--npz", "out"), "another document class than the default"),
        (("s", "--npz", "out", "--feature", "nothing", *MINE), "nothing"),
        (("s", "--csv", "no/such/x.csv"), "cannot be written"),
        (("s", "--csv", "x.csv", "--where", "samplerate=1"), "holds no documents"),
    ],
)  # fmt: skip
def test_what_cannot_be_done(store, corpus, cli, tmp_path, words, message):
    code, out, err = cli("export", *words)
    assert (code, out) == (3, "") and message in err
    assert not (tmp_path / "out").exists()


def test_words_that_are_not_understood(cli):
    assert cli("export", "s")[0] == 2 and cli("export", "s", "--csv", "a", "--npz", "b")[0] == 2


def test_an_export_says_what_it_made(store, cli, tmp_path):
    cli("export", "s", "--npz", "out", "--feature", "bark", *MINE)
    note = json.loads((tmp_path / "out" / "export.json").read_text())
    assert len(note["files"]) == 2
