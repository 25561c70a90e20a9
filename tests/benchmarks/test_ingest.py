"""The ingests that are measured do what they say: parts of ``ingest``, ``profile``, ``long`` and ``files``."""

import numpy as np
import pytest

from benchmarks import files, ingest, long, profile
from benchmarks.recordings import write_recording
from zounds_lite import ArrayWithUnits

librosa_loads = pytest.mark.filterwarnings("ignore:'.*' is deprecated and slated for removal:DeprecationWarning")
"""Its ``load`` imports audioread, which imports what leaves Python."""


@pytest.fixture
def recording(tmp_path):
    path = tmp_path / "recording.wav"
    write_recording(path, seconds=12)
    return str(path)


def test_decoding_alone_and_resampling_run(recording, tmp_path):
    assert ingest._decode(recording, str(tmp_path / "a")) > 0
    assert ingest._decode_resample(recording, str(tmp_path / "b")) > 0
    assert not (tmp_path / "a").exists()


@librosa_loads
def test_both_sides_give_the_same_decibels(recording, tmp_path):
    pytest.importorskip("h5py")
    pytest.importorskip("librosa")
    stores = str(tmp_path / "ours"), str(tmp_path / "librosa")
    assert ingest._ours(recording, stores[0]) > 0 and ingest._librosa(recording, stores[1]) > 0
    assert ingest.compared(*stores) < 1e-3


def test_other_decibels_are_refused(recording, tmp_path):
    h5py = pytest.importorskip("h5py")
    store = str(tmp_path / "ours")
    ingest._ours(recording, store)
    wrong = np.asarray(ingest.document(store)("recording").log_mel).T + 0.1
    with h5py.File(tmp_path / "features.h5", "w") as file:
        file["log_mel"] = wrong
    with pytest.raises(ValueError, match="differ from those of librosa by 0.1 dB"):
        ingest.compared(store, str(tmp_path))
    with h5py.File(tmp_path / "features.h5", "w") as file:
        file["log_mel"] = wrong[:, :-5]
    with pytest.raises(ValueError, match="frames against"):
        ingest.compared(store, str(tmp_path))


def test_a_profile_covers_the_whole_and_undoes_its_timers(recording, tmp_path):
    import scipy.fft

    before = scipy.fft.rfft
    found = profile.profile(recording, str(tmp_path / "store"))
    assert scipy.fft.rfft is before
    assert set(found) == {*profile.STAGES, profile.ELSE} and all(seconds > 0 for seconds in found.values())
    assert sum(profile.shares([found]).values()) == pytest.approx(100)


def test_a_stopwatch_counts_the_inner_stage_only(monkeypatch):
    now = iter(range(100))
    monkeypatch.setattr(profile.time, "perf_counter", lambda: next(now))
    watch = profile.Stopwatch()
    inner = watch.timed("resample", lambda: next(now))
    outer = watch.timed("decode", lambda: inner() and next(now))
    outer()  # starts at 0; 1 ends the outer's first part, 2 starts the inner, 3 in it, 4 ends it, 5 in the outer, 6
    assert (watch.seconds["decode"], watch.seconds["resample"]) == (1 + 2, 2)


def test_a_long_recording_is_complete_and_ends_with_its_last_tone(recording, tmp_path):
    assert long.ingest(recording, str(tmp_path / "store"), 12)["seconds"] > 0
    log_mel = long.document(str(tmp_path / "store"))("recording").log_mel
    with pytest.raises(ValueError, match="no tone of"):
        long.check(ArrayWithUnits(np.asarray(log_mel)[::-1], log_mel.dimensions), 12)
    with pytest.raises(ValueError, match="frames of 13 s; wanted"):
        long.check(log_mel, 13)


def test_lengths_are_named_for_people():
    assert [long._length(seconds) for seconds in (36000, 3600, 20)] == ["10 h", "1 h", "20 s"]


@librosa_loads
def test_log_mel_of_files_is_that_of_librosa(tmp_path):
    pytest.importorskip("librosa")
    write_recording(tmp_path / "a.flac", seconds=2, rate=22050)
    tasks = [str(tmp_path / "a.flac")] * 2
    stores = {side: tmp_path / side for side in files.SIDES}
    for side, store in stores.items():
        assert files.SIDES[side](tasks, str(store)) > 0
    assert files.difference(2, stores, 1e-3, ends=0) < 1e-3
    np.save(stores["librosa"] / "1.npy", np.load(stores["librosa"] / "1.npy") + 0.01)
    with pytest.raises(ValueError, match="by 0.01 dB; allowed: 0.001"):
        files.difference(2, stores, 1e-3, ends=0)
