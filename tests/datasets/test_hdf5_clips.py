"""Clips in HDF5 files: read one at a time, with the label of their dataset, and typed errors for what has none."""

import copy
import io
import pickle

import numpy as np
import pytest
import soundfile

import zounds_lite as zounds
from zounds_lite import GTZAN, FailedItem
from zounds_lite.datasets.hdf5_clips import HDF5Clip
from zounds_lite.errors import DatasetError, EmptyDataset, InvalidItem

h5py = pytest.importorskip("h5py")
RATE, SAMPLES, CLIPS = 22050, 4410, 3


@pytest.fixture
def signals():
    return np.random.default_rng(0).uniform(-0.5, 0.5, (SAMPLES, CLIPS)).astype(np.float32)


@pytest.fixture
def make(tmp_path):
    """Write a file from datasets and attributes; return its path."""

    def made(datasets, **attributes):
        path = tmp_path / "clips.h5"
        with h5py.File(path, "w") as file:
            file.attrs.update(attributes)
            for name, data in datasets.items():
                if isinstance(data, list):
                    stored = file.create_dataset(name, (len(data),), dtype=h5py.vlen_dtype(np.float32))
                    for at, clip in enumerate(data):
                        stored[at] = clip
                else:
                    file[name] = data
        return path

    return made


def decoded(item):
    item.uri.seek(0)
    return soundfile.read(io.BytesIO(item.uri.read()), dtype="float32")


def reasons(path):
    return {item.name.partition("#")[2]: item.reason for item in GTZAN(path) if isinstance(item, FailedItem)}


def test_the_documented_layout(make, signals):
    path = make({"rock": signals, "blues": signals[::-1]}, sr=RATE, Nsamples=SAMPLES, Nclips=CLIPS, Ngenres=2)
    dataset = GTZAN(path, licensing="none")
    items = list(dataset)
    assert [(item.label, item.track) for item in items] == [(g, c) for g in ("blues", "rock") for c in range(CLIPS)]
    assert len(dataset) == 6 and items[0].licensing == "none" and items == list(dataset)
    for item in items:
        samples, rate = decoded(item)
        wanted = signals[:, item.track] if item.label == "rock" else signals[::-1, item.track]
        assert rate == RATE and np.array_equal(samples, wanted)
    assert items[4].uri.filename == f"{path}#rock/1"


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f8", "<f2", "<i2", ">i2", "<i4"])
def test_samples_keep_their_precision(make, signals, dtype):
    scale = {"i2": 2**15, "i4": 2**31}.get(dtype[1:], 1)
    stored = (signals.astype(np.float64) * scale).astype(dtype)
    item = next(iter(GTZAN(make({"rock": stored}, sr=RATE))))
    samples, _ = soundfile.read(io.BytesIO(item.uri.read()), dtype="float64")
    assert np.array_equal(samples, stored[:, 0].astype(np.float64) / scale)


def test_other_layouts(make, signals):
    for datasets in (
        {"rock": signals.T},  # clips as rows, which the attributes show
        {"group/rock": signals},
        {"rock": list(signals.T)},
    ):
        path = make(datasets, sr=RATE, Nsamples=SAMPLES, Nclips=CLIPS)
        items = list(GTZAN(path))
        assert [item.label for item in items] == ["rock"] * CLIPS
        assert all(np.array_equal(decoded(item)[0], signals[:, item.track]) for item in items)


def test_the_rate_of_a_dataset_wins(make, signals):
    path = make({"rock": signals, "blues": signals}, sr=RATE)
    with h5py.File(path, "a") as file:
        file["rock"].attrs["sr"] = 8000.0
    assert {item.label: item.uri.samplerate for item in GTZAN(path)} == {"rock": 8000, "blues": RATE}


def test_datasets_that_give_no_clips_are_named(make, signals):
    path = make({"good": signals, "deep": np.zeros((2, 3, 4), "f4"), "names": np.array([b"a", b"b"]),
                 "short": signals[:-1], "few": signals[:, :-1]}, sr=RATE, Nsamples=SAMPLES, Nclips=CLIPS)  # fmt: skip
    found = reasons(path)
    assert "shape (2, 3, 4); expected are floats, int16 or int32 of shape (samples, clips)" in found.pop("deep")
    assert "it is |S1" in found.pop("names")
    assert found.pop("short") == "it has the shape (4409, 3); Nsamples says 4410, and Nclips 3"
    assert "it has the shape (4410, 2)" in found.pop("few") and found == {}
    assert sum(not isinstance(item, FailedItem) for item in GTZAN(path)) == CLIPS


def test_missing_and_wrong_attributes(make, signals):
    assert reasons(make({"rock": signals})) == {
        "rock": "neither it nor its file has the attribute 'sr', the sample rate in hertz; add it"
    }
    for wrong in (0, -1, 22050.5, "fast", np.array([1, 2])):
        assert "its attribute 'sr' is" in reasons(make({"rock": signals}, sr=wrong))["rock"]


def test_ragged_clips(make, signals, tmp_path):
    path = make({"rock": [signals[:, 0], signals[:10, 1], signals[:0, 2]]}, sr=RATE, Nsamples=SAMPLES)
    first, short, empty = GTZAN(path)
    assert np.array_equal(decoded(first)[0], signals[:, 0])
    with pytest.raises(InvalidItem, match=r"clips.h5#rock/1' has 10 samples; Nsamples says 4410"):
        short.uri.read()
    with pytest.raises(InvalidItem, match=r"rock/2' has 0 samples"):
        empty.uri.read()
    path = make({"rock": [signals[:, 0], signals[:10, 1], signals[:0, 2]]}, sr=RATE)
    report = zounds.ingest(GTZAN(path), store(tmp_path), progress=False)
    assert len(report.processed) == 2
    assert [failure.reason for failure in report.failed] == [
        f"InvalidItem: '{path}#rock/2' has 0 samples; at least one is needed"
    ]


def store(folder, **settings):
    @zounds.simple_lmdb_settings(str(folder / "store"), user_supplied_id=True, **settings)
    class Sound(zounds.resampled(resample_to=zounds.SR11025(), store_ogg=False)):
        pass

    return Sound


def test_clips_become_documents_that_can_be_recomputed(make, signals, tmp_path):
    path = make({"rock": signals}, sr=RATE)
    cls = store(tmp_path)
    report = zounds.ingest(GTZAN(path), cls, progress=False)
    assert report.processed == [f"{path}#rock/{track}" for track in range(CLIPS)] and not report.failed
    document = cls(f"{path}#rock/1")
    meta = {name: document.meta[name] for name in ("label", "track", "samplerate", "frames", "uri")}
    assert meta == {"label": "rock", "track": 1, "samplerate": RATE, "frames": SAMPLES, "uri": None}
    path.unlink()  # what was in memory is kept
    assert len(document.resampled) == pytest.approx(SAMPLES / 2, abs=2)
    assert zounds.ingest([], cls, progress=False).total == 0


def test_a_second_run_skips_them(make, signals, tmp_path):
    path = make({"rock": signals}, sr=RATE)
    cls = store(tmp_path)
    zounds.ingest(GTZAN(path), cls, progress=False)
    assert len(zounds.ingest(GTZAN(path), cls, progress=False).skipped) == CLIPS


def test_a_clip_is_a_file_that_can_be_sent(make, signals):
    path = make({"rock": signals}, sr=RATE)
    clip = next(iter(GTZAN(path))).uri
    data = clip.read()
    assert clip.tell() == len(data) and clip.seekable() and clip.seek(0) == 0
    assert clip.read(4) == b"RIFF"
    for other in (pickle.loads(pickle.dumps(clip)), copy.copy(clip), HDF5Clip.from_dict(clip.to_dict())):
        assert other == clip and other.tell() == 0 and other.read() == data
    assert len(pickle.dumps(clip)) < 1000
    clip.close()
    assert clip.read() == data  # the same bytes whenever they are made


def test_what_vanishes_between_listing_and_reading(make, signals):
    path = make({"rock": signals}, sr=RATE)
    items = list(GTZAN(path))
    make({"rock": signals[:, :1], "jazz": signals}, sr=RATE)
    with pytest.raises(InvalidItem, match="rock/1' cannot be read"):
        items[1].uri.read()
    make({"jazz": signals}, sr=RATE)
    with pytest.raises(InvalidItem, match="rock/0' cannot be read"):
        items[0].uri.read()
    path.unlink()
    with pytest.raises(FileNotFoundError, match="clips.h5' is no file"):
        items[2].uri.read()


def test_files_without_clips(make, tmp_path):
    with pytest.raises(EmptyDataset, match="holds no clips; expected is a dataset for each genre"):
        list(GTZAN(make({}, sr=RATE)))
    (tmp_path / "x.h5").write_bytes(b"these bytes are no HDF5 file")
    with pytest.raises(DatasetError, match="x.h5' cannot be opened as an HDF5 file"):
        list(GTZAN(tmp_path / "x.h5"))


def test_without_h5py(make, signals, monkeypatch):
    path = make({"rock": signals}, sr=RATE)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(zounds.errors.OptionalDependencyError, match=r"pip install 'zounds_lite\[hdf5\]'"):
        list(GTZAN(path))
