"""Frames of clips: what is computed, how it is kept, and what becomes of a job that is ended by force."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.dsp.test_contrast import by_definition
from tests.sounds import write
from zounds_lite import GTZAN, AudioMetaData, FailedItem
from zounds_lite.datasets.exports import ClipFrames, FrameRows, export_frames, frame_arrays, open_frames
from zounds_lite.datasets.exports.frame_process import FramePool
from zounds_lite.dsp.constantq_atoms import atom_lengths, band_centers
from zounds_lite.errors import (
    DatasetError,
    DeclarationError,
    EmptyDataset,
    InvalidItem,
    KeyNotFound,
    OptionalDependencyError,
    OutputError,
)

RATE, SAMPLES, CLIPS = 22_050, 9_000, 3
SMALL = ClipFrames(frame=512, n_bands=12, bands_per_octave=12, start_hz=440.0, size=(3, 5), sigma=1.0)


def signal_of(size=SAMPLES, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, size).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    """Recordings by genre, of one length."""
    for genre in ("blues", "rock"):
        (tmp_path / "in" / genre).mkdir(parents=True)
        for clip in range(CLIPS):
            name = f"{genre}.{clip:05d}.wav"
            write(tmp_path / "in" / genre / name, signal_of(seed=clip + 10 * (genre == "rock")), RATE)
    return tmp_path / "in"


def everything(path):
    with open_frames(path) as found:
        return {name: np.array(found.array(name)) for name in found.names}, found.done.copy()


def assert_equal(path, other):
    (arrays, done), (wanted, wanted_done) = everything(path), everything(other)
    assert np.array_equal(done, wanted_done)
    assert all(np.array_equal(arrays[name], wanted[name]) for name in wanted)


# what is computed


@pytest.mark.parametrize(("n", "count"), [(660_000, 644), (10_240, 9), (1536, 1), (1535, 0), (0, 0), (2559, 1)])
def test_how_many_frames(n, count):
    assert ClipFrames().count(n) == count == max(0, min(n // 1024, int(np.floor(n / 1024 - 0.5))))


@pytest.mark.parametrize("size", [10_240, 12_345, 1536])
def test_frames_are_slices_of_the_clip(size):
    y, plan = signal_of(size), ClipFrames()
    found = plan.of(y)
    assert {name: array.shape for name, array in found.items()} == {
        name: (plan.count(size), 2, width) for name, width in plan.widths.items()
    }
    for f in range(plan.count(size)):
        assert np.array_equal(found["Xa"][f, 0], y[f * 1024 : (f + 1) * 1024])
        assert np.array_equal(found["Xa"][f, 1], y[512 + f * 1024 : 512 + (f + 1) * 1024])


def test_magnitudes_are_direct_sums():
    y, plan = signal_of(40_000), ClipFrames()
    found, alpha = plan.of(y)["Xs"], (2 ** (2 / 24) - 1) / (2 ** (2 / 24) + 1)
    assert plan.start_hz == pytest.approx(65.4064, abs=1e-4)
    lengths = RATE / (alpha * plan.start_hz * 2 ** (np.arange(96) / 24))
    assert lengths[[0, 95]] == pytest.approx([11676.022, 751.13], rel=1e-5)
    assert np.allclose(lengths, atom_lengths(band_centers(plan.start_hz, 96, 24), RATE, 1 / alpha))
    for band, frame, later in [(0, 20, 0), (0, 0, 1), (40, 30, 1), (95, 5, 0), (95, 37, 1), (70, 0, 0)]:
        n = lengths[band]
        m = np.arange(1 - int(n / 2), int(np.ceil(n / 2)) + 1)
        window = np.hanning(len(m) + 1)[:-1][::-1]
        padded = np.pad(y[512 * later :], 20_000)
        part = padded[20_000 + frame * 1024 + m]
        frequency = plan.start_hz * 2 ** (band / 24)
        wanted = np.sqrt(n) * abs(np.sum(part * window * np.exp(-2j * np.pi * frequency * m / RATE))) / window.sum()
        assert found[frame, later, band] == pytest.approx(wanted, abs=2e-3 * float(found.max()))


def test_contrast_is_that_of_both_kinds_of_frames_in_turn():
    y = signal_of(9_000)
    found = SMALL.of(y)
    in_time = found["Xs"].reshape(-1, 12)
    assert np.array_equal(in_time[1], found["Xs"][0, 1]) and np.array_equal(in_time[2], found["Xs"][1, 0])
    wanted = by_definition(in_time.astype(float), (3, 5), (1.0, 1.0)).reshape(found["Xn"].shape)
    assert np.allclose(found["Xn"], wanted, atol=1e-5)


def test_octaves():
    plan = ClipFrames()
    assert plan.octaves == 4 and plan.stop_hz / plan.start_hz == pytest.approx(2**plan.octaves, rel=1e-12)
    assert plan.stop_hz == pytest.approx(1046.5023, abs=1e-4)


def test_silence_is_finite():
    found = ClipFrames().of(np.zeros(20_000))
    assert all(not array.any() and array.dtype == np.float32 for array in found.values())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"frame": 1023}, "even number"), ({"frame": 0}, "even number"), ({"n_bands": 400}, "half"),
     ({"size": (2, 2)}, "odd"), ({"size": 9}, "odd"), ({"floor": -1}, "floor")],
)  # fmt: skip
def test_plans_that_cannot_be(arguments, words):
    with pytest.raises(DeclarationError, match=words):
        ClipFrames(**arguments)


# a job


def test_a_folder_of_arrays(folder, tmp_path):
    report = export_frames(GTZAN(folder), tmp_path / "out", SMALL, progress=False)
    assert len(report.written) == 2 * CLIPS and not report.failed and str(report).endswith("out: 6 clips, 0 failed")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "Xa.npy", "Xn.npy", "Xs.npy", "attributes.json", "done.npy",
    ]  # fmt: skip
    attributes = json.loads((tmp_path / "out" / "attributes.json").read_text())
    assert (attributes["sr"], attributes["labels"]) == (RATE, ["blues", "rock"])
    frames = SMALL.count(SAMPLES)
    wanted = SMALL.of(samples_of(folder / "rock" / "rock.00001.wav"))
    arrays, done = everything(tmp_path / "out")
    assert {name: array.shape for name, array in arrays.items()} == {
        "Xa": (2, CLIPS, frames, 2, 512), "Xs": (2, CLIPS, frames, 2, 12), "Xn": (2, CLIPS, frames, 2, 12),
    }  # fmt: skip
    assert done.all() and all(array.dtype == "<f4" for array in arrays.values())
    assert all(np.array_equal(arrays[name][1, 1], wanted[name]) for name in wanted)


def samples_of(path):
    return soundfile.read(path, dtype="float32")[0]


def test_an_hdf5_file_holds_the_same(folder, tmp_path):
    h5py = pytest.importorskip("h5py")
    export_frames(GTZAN(folder), tmp_path / "npy", SMALL, progress=False)
    for name, compression in (("plain.h5", None), ("small.hdf5", "gzip"), ("fast.h5", "lzf")):
        export_frames(GTZAN(folder), tmp_path / name, SMALL, compression=compression, progress=False)
        assert_equal(tmp_path / name, tmp_path / "npy")
        with h5py.File(tmp_path / name) as file:
            assert file.attrs["sr"] == RATE and file.attrs["labels"].tolist() == [b"blues", b"rock"]
            assert file["Xa"].chunks == (1, 1, SMALL.count(SAMPLES), 2, 512) and file["Xa"].dtype == "<f4"
            assert file["Xn"].compression == compression and file["Xs"].ndim == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fast.h5", "in", "npy", "plain.h5", "small.hdf5"]


def test_clips_of_an_hdf5_file(tmp_path):
    h5py = pytest.importorskip("h5py")
    signals = {genre: np.stack([signal_of(seed=n + ord(genre[0])) for n in range(2)], 1) for genre in ("jazz", "pop")}
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file.attrs.update(sr=RATE, Nsamples=SAMPLES, Nclips=2, Ngenres=2)
        for genre, data in signals.items():
            file[genre] = data
    report = export_frames(GTZAN(tmp_path / "in.h5"), tmp_path / "out", SMALL, progress=False)
    assert report.written[1] == f"{tmp_path}/in.h5#jazz/1"
    export_frames(GTZAN(tmp_path / "in.h5"), tmp_path / "both", SMALL, workers=2, progress=False)
    assert_equal(tmp_path / "both", tmp_path / "out")
    arrays, _ = everything(tmp_path / "out")
    assert np.array_equal(arrays["Xs"][1, 0], SMALL.of(signals["pop"][:, 0])["Xs"])
    with h5py.File(tmp_path / "in.h5", "a") as file:
        del file.attrs["sr"]
    with pytest.raises(InvalidItem, match=r"in.h5#jazz: InvalidItem: neither it nor its file has the attribute 'sr'"):
        export_frames(GTZAN(tmp_path / "in.h5"), tmp_path / "other", SMALL, progress=False)


def test_workers_give_the_same_bits(folder, tmp_path, monkeypatch):
    (folder / "rock" / "rock.00002.wav").write_bytes(b"no audio")
    reports = [
        export_frames(GTZAN(folder), tmp_path / f"out{n}", SMALL, workers=n, progress=False) for n in (1, 2)
    ]  # fmt: skip
    assert reports[0].written == reports[1].written and reports[0].failed == reports[1].failed
    assert [failure.id for failure in reports[0].failed] == [f"{folder}/rock/rock.00002.wav"]
    assert reports[0].failed[0].reason.startswith("NotAudio: ")
    assert_equal(tmp_path / "out2", tmp_path / "out1")
    arrays, done = everything(tmp_path / "out1")
    assert done.tolist() == [[True] * 3, [True, True, False]] and not arrays["Xa"][1, 2].any()


def test_no_clips_are_read_ahead_of_the_workers_and_one_that_dies_is_replaced(folder):
    paths = sorted(str(path) for path in folder.rglob("*.wav"))
    read = []

    def sources():
        for path in paths:
            read.append(path)
            yield path

    with FramePool(SMALL, 1) as pool:
        next(pool.results(sources(), None))
        assert len(read) == 1
    with FramePool(SMALL, 2) as pool:
        found = pool.results(sources(), None)
        results = [next(found)]
        assert len(read) == 1 + 3
        os.kill(pool._all[0].pid, signal.SIGKILL)
        results += found
        assert len(pool._all) == 2
    assert len(results) == len(paths)
    (reason,) = [result.reason for result in results if result.reason]
    assert reason.startswith("WorkerError: worker died (signal 9)")
    for path, result in zip(paths, results, strict=True):
        assert result.reason or np.array_equal(result.arrays["Xs"], SMALL.compute(path).arrays["Xs"])
    with pytest.raises(DeclarationError, match="workers=0"):
        FramePool(SMALL, 0)


# ended before its time


class Ended(BaseException):
    pass


@pytest.mark.parametrize("name", ["out", "out.h5"])
def test_a_job_goes_on_where_it_was_ended(folder, tmp_path, monkeypatch, name):
    if name.endswith("h5"):
        pytest.importorskip("h5py")
    kind = frame_arrays.kind_of(Path(name))
    write_clip, count = kind.write, 0

    def interrupted(self, genre, clip, arrays):
        nonlocal count
        count += 1
        if count == 4:
            self.arrays["Xa"][genre, clip] = 7.0  # torn
            raise Ended
        write_clip(self, genre, clip, arrays)

    monkeypatch.setattr(kind, "write", interrupted)
    with pytest.raises(Ended):
        export_frames(GTZAN(folder), tmp_path / name, SMALL, progress=False)
    assert not (tmp_path / name).exists()
    for place in (tmp_path / name, tmp_path / f"{name}.partial"):
        with (
            pytest.raises(FileNotFoundError, match="is not complete; the export that made .partial goes on"),
            open_frames(place),
        ):
            pass  # fmt: skip
    with pytest.raises(OutputError, match="begun with other clips or settings; delete it"):
        export_frames(GTZAN(folder), tmp_path / name, SMALL.replace(sigma=2.0), progress=False)
    report = export_frames(GTZAN(folder), tmp_path / name, SMALL, progress=False)
    assert len(report.kept) == 3 and len(report.written) == 3
    assert_equal(tmp_path / name, _unbroken(folder, tmp_path))
    again = export_frames(GTZAN(folder), tmp_path / name, SMALL, progress=False)
    assert len(again.kept) == 6 and not again.written
    with pytest.raises(OutputError, match="made of other clips or with other settings"):
        export_frames(GTZAN(folder), tmp_path / name, SMALL, samples=8000, progress=False)


def _unbroken(folder, tmp_path):
    export_frames(GTZAN(folder), tmp_path / "unbroken", SMALL, progress=False)
    return tmp_path / "unbroken"


KILLED = """
    import os, signal, sys
    from zounds_lite import GTZAN
    from zounds_lite.datasets.exports import ClipFrames, export_frames, frame_arrays
    place, target, step = sys.argv[1], sys.argv[2], int(sys.argv[3])
    kind, steps = frame_arrays.kind_of(frame_arrays.Path(target)), 0

    def kills(function):
        def wrapped(*arguments):
            global steps
            function(*arguments)
            steps += 1
            if steps == step:
                os.kill(os.getpid(), signal.SIGKILL)
        return wrapped

    kind._to_disk = kills(kind._to_disk)  # twice for each clip
    plan = ClipFrames(frame=512, n_bands=12, bands_per_octave=12, start_hz=440.0, size=(3, 5), sigma=1.0)
    export_frames(GTZAN(place), target, plan, progress=False)
"""


def test_a_job_that_is_killed_goes_on(folder, tmp_path):
    h5py = pytest.importorskip("h5py")
    kept = 0
    for step in (3, 4):  # after the samples of the second clip and before its ledger; after a ledger
        words = [sys.executable, "-c", textwrap.dedent(KILLED), folder, tmp_path / "out.h5", str(step)]
        assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
        assert not (tmp_path / "out.h5").exists()
        with h5py.File(tmp_path / "out.h5.partial") as file:
            kept += 1 if step == 3 else 2
            assert file["done"][()].sum() == kept
    report = export_frames(GTZAN(folder), tmp_path / "out.h5", SMALL, progress=False)
    assert len(report.kept) == 3 and len(report.written) == 3
    assert_equal(tmp_path / "out.h5", _unbroken(folder, tmp_path))


def test_writing_a_clip_touches_nothing_but_its_chunks_and_the_ledger(tmp_path):
    """So that no clip under way can damage the file: all that says where something lies stays as it is."""
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "x.h5"
    layout = frame_arrays.Layout(RATE, ("a", "b"), 3, SMALL.count(SAMPLES), SMALL.widths, "job", {})
    frame_arrays.HDF5Arrays.make(path, layout)
    before = np.fromfile(path, np.uint8)
    arrays = frame_arrays.HDF5Arrays(path, writes=True)
    clip = SMALL.of(signal_of())
    arrays.write(1, 2, clip)
    arrays.close()
    after = np.fromfile(path, np.uint8)
    assert len(after) == len(before)
    may_differ = np.zeros(len(after), bool)
    with h5py.File(path) as file:
        for name in clip:
            at = file[name].id.get_chunk_info_by_coord((1, 2, 0, 0, 0))
            may_differ[at.byte_offset : at.byte_offset + at.size] = True
            assert np.array_equal(file[name][1, 2], clip[name]) and file[name].id.get_num_chunks() == 6
        ledger = file["done"].id.get_offset()
        may_differ[ledger : ledger + 6] = True
    assert np.array_equal(after[~may_differ], before[~may_differ]) and (after != before).any()


def test_what_is_left_of_the_very_beginning_is_no_job(folder, tmp_path):
    (tmp_path / "out.new").mkdir()
    (tmp_path / "out.new" / "Xa.npy").write_bytes(b"half")
    report = export_frames(GTZAN(folder), tmp_path / "out", SMALL, progress=False)
    assert len(report.written) == 6 and not (tmp_path / "out.new").exists()


def test_two_jobs_never_write_one_file(folder, tmp_path):
    pytest.importorskip("h5py")
    export_frames(GTZAN(folder), tmp_path / "out.h5", SMALL, progress=False)
    (tmp_path / "out.h5").rename(tmp_path / "out.h5.partial")
    with open(tmp_path / "out.h5.partial", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="is being written by another program"):
            export_frames(GTZAN(folder), tmp_path / "out.h5", SMALL, progress=False)


# bad input


def test_clips_of_different_lengths(folder, tmp_path):
    write(folder / "rock" / "rock.00001.wav", signal_of(8_000), RATE)
    with pytest.raises(InvalidItem, match=r"00001.wav has 8,000 samples, and the first clip has 9,000.*samples=8000"):
        export_frames(GTZAN(folder), tmp_path / "out", SMALL, progress=False)
    report = export_frames(GTZAN(folder), tmp_path / "cut", SMALL, samples=8_000, progress=False)
    assert len(report.written) == 6 and not report.failed
    report = export_frames(GTZAN(folder), tmp_path / "short", SMALL, samples=8_500, progress=False)
    (failure,) = report.failed
    assert failure.reason == "InvalidItem: it has 8,000 samples at 22050 Hz; 8,500 are wanted of each"
    with pytest.raises(DeclarationError, match="samples=700 is not a single frame; needed: 768 or more"):
        export_frames(GTZAN(folder), tmp_path / "none", SMALL, samples=700, progress=False)
    with pytest.raises(DeclarationError, match="samples=0"):
        export_frames(GTZAN(folder), tmp_path / "none", SMALL, samples=0, progress=False)


def test_other_rates_and_channels_are_brought_to_one(tmp_path):
    both = np.stack([signal_of(44_100), signal_of(44_100, 1)], 1)
    write(tmp_path / "a.wav", both, 44_100)
    report = export_frames([AudioMetaData(uri=tmp_path / "a.wav", label=5)], tmp_path / "out", SMALL, progress=False)
    assert len(report.written) == 1
    with open_frames(tmp_path / "out") as found:
        assert found.labels == ("5",) and found.array("Xs").shape[2] == SMALL.count(22_050)


def test_a_clip_that_is_no_number(tmp_path):
    for name, value in (("a", 0.0), ("b", np.nan)):
        sound = signal_of()
        sound[50] = value
        soundfile.write(tmp_path / f"{name}.wav", sound, RATE, "FLOAT")
    items = [AudioMetaData(uri=tmp_path / f"{name}.wav", label="x") for name in "ab"]
    report = export_frames(items, tmp_path / "out", SMALL, progress=False)
    assert [failure.reason.partition(":")[0] for failure in report.failed] == ["NonFiniteAudio"]
    with open_frames(tmp_path / "out") as found:
        assert found.done.tolist() == [[True, False]] and np.isfinite(np.asarray(found.rows("Xn"))).all()


def test_a_clip_that_is_too_short(tmp_path):
    write(tmp_path / "a.wav", signal_of(700), RATE)
    with pytest.raises(InvalidItem, match=r"a.wav: InvalidItem: a clip of shape \(700,\) has no frame.*768 samples"):
        export_frames([AudioMetaData(uri=tmp_path / "a.wav", label=5)], tmp_path / "out", SMALL, progress=False)


def test_items_that_are_no_labelled_clips(folder, tmp_path):
    path = str(folder / "rock" / "rock.00001.wav")

    def refused(error, words, *items):
        with pytest.raises(error, match=words):
            export_frames(list(items), tmp_path / "out", SMALL, progress=False)

    refused(EmptyDataset, "has no clips")
    refused(DeclarationError, "has no label; give items with one, such as GTZAN", AudioMetaData(uri=path))
    refused(DeclarationError, "is no whole recording on disk", AudioMetaData(uri="http://a.b/c.wav", label=1))
    refused(DeclarationError, "is no whole recording on disk", AudioMetaData(uri=b"RIFF", label=1))
    refused(
        InvalidItem, "no clip can be read; the first: x: InvalidItem: no such", FailedItem("x", InvalidItem("no such"))
    )
    report = export_frames(
        [AudioMetaData(uri=path, label=1), FailedItem("x", InvalidItem("no such"))], tmp_path / "out", SMALL,
        progress=False,
    )  # fmt: skip
    assert [(failure.id, failure.reason) for failure in report.failed] == [("x", "InvalidItem: no such")]


def test_places_that_cannot_be_written(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        export_frames(GTZAN(folder), tmp_path / "file" / "out", SMALL, progress=False)
    with pytest.raises(DeclarationError, match="its name says no format; allowed: .h5"):
        export_frames(GTZAN(folder), tmp_path / "out.mat", SMALL, progress=False)
    with pytest.raises(DeclarationError, match="compression='zip'"):
        export_frames(GTZAN(folder), tmp_path / "out.h5", SMALL, compression="zip", progress=False)
    with pytest.raises(DeclarationError, match="only HDF5 files are compressed"):
        export_frames(GTZAN(folder), tmp_path / "out", SMALL, compression="gzip", progress=False)


def test_files_of_others(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(DatasetError, match="holds no frames of clips"), open_frames(tmp_path / "out"):
        pass
    with pytest.raises(FileNotFoundError, match="is not there; make it with export_frames"), open_frames("nowhere"):
        pass
    h5py = pytest.importorskip("h5py")
    (tmp_path / "x.h5").write_bytes(b"these bytes are no HDF5 file")
    h5py.File(tmp_path / "y.h5", "w").close()
    for name, words in (("x.h5", "cannot be opened as an HDF5 file"), ("y.h5", "holds no frames of clips")):
        with pytest.raises(DatasetError, match=words), open_frames(tmp_path / name):
            pass


def test_without_h5py(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(OptionalDependencyError, match=r"zounds_lite\[hdf5\]'; or give a name without a suffix"):
        export_frames(GTZAN(folder), tmp_path / "out.h5", SMALL, progress=False)
    assert len(export_frames(GTZAN(folder), tmp_path / "out", SMALL, progress=False).written) == 6


# rows


def test_rows():
    stored = np.random.default_rng(0).normal(size=(3, 4, 5, 2, 6)).astype(np.float32)
    done = np.ones((3, 4), bool)
    done[1, 2] = done[2, 0] = False
    rows, wanted = FrameRows(stored, done), stored[done].reshape(-1, 6)
    assert rows.shape == wanted.shape == (100, 6) and len(rows) == 100 and rows.dtype == np.float32
    assert np.array_equal(np.asarray(rows), wanted) and np.asarray(rows, np.float64).dtype == np.float64
    assert np.array_equal(np.concatenate(list(rows)), wanted) and len(list(rows)) == 10
    for index in (
        0,
        -1,
        37,
        slice(5, 33),
        slice(None, None, -7),
        [3, 99, 3, 0],
        np.arange(4).reshape(2, 2),
        slice(0, 0),
    ):
        assert np.array_equal(rows[index], wanted[index])
    with pytest.raises(IndexError):
        rows[100]
    assert rows.targets.tolist() == [0] * 40 + [1] * 30 + [2] * 30
    assert np.asarray(FrameRows(stored, np.zeros((3, 4), bool))).shape == (0, 6)
    assert repr(rows) == "<100 rows of 6>"


def test_arrays_by_name(folder, tmp_path):
    with open_frames(_unbroken(folder, tmp_path)) as found:
        assert found.names == ["Xa", "Xs", "Xn"] and found.samplerate == RATE
        assert found.rows("Xn").shape == (2 * CLIPS * SMALL.count(SAMPLES) * 2, 12)
        with pytest.raises(KeyNotFound, match="no array 'Xb'; there are: Xa, Xs, Xn"):
            found.rows("Xb")
