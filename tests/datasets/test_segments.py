"""Datasets whose items are segments: an id for each, and what is done again when one changes."""

import json

import numpy as np
import pytest

import zounds_lite as zounds
from tests.datasets.documents_of_segments import bound
from tests.sounds import noise, write
from zounds_lite import ingest
from zounds_lite.timeseries import AudioSamples


def stretch(start, duration=None):
    return zounds.TimeSlice(
        start=zounds.Seconds(start), duration=None if duration is None else zounds.Seconds(duration)
    )


@pytest.fixture(params=["wav", "flac", "ogg", "mp3"])
def path(request, tmp_path):
    return write(tmp_path / f"long.{request.param}", noise(10, 22050), 22050)


@pytest.fixture
def flac(tmp_path):
    return write(tmp_path / "long.flac", noise(10, 22050), 22050)


def items(path, n=8):
    return [zounds.AudioMetaData(uri=str(path), segment=stretch(1.25 * i, 1.25), number=i) for i in range(n)]


@pytest.mark.parametrize("workers", [1, 2])
def test_segments_of_one_file_are_documents(workers, path, tmp_path):
    store = bound(tmp_path / "store")
    report = ingest(items(path), store, workers=workers)
    ids = [f"{path}#t={start:g},{start + 1.25:g}" for start in np.arange(8) * 1.25]
    assert sorted(report.processed) == sorted(ids) and report.failed == []
    assert report.audio_seconds == pytest.approx(10.0, abs=0.001)
    whole = AudioSamples.from_file(path)
    for i, _id in enumerate(ids):
        found, wanted = np.asarray(store(_id).pcm), np.asarray(whole[stretch(1.25 * i, 1.25)])
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).max() <= (2e-7 if path.suffix == ".mp3" else 0)
        assert (store(_id).meta["number"], store(_id).meta["duration"]) == (i, len(wanted) / 22050)
    again = ingest(items(path), store, workers=workers)
    assert sorted(again.skipped) == sorted(ids) and again.processed == again.failed == []


def test_ids_of_segments_and_of_the_whole_differ(flac, tmp_path):
    store = bound(tmp_path / "store")
    segments = [stretch(1), stretch(1, 2), stretch(1, 2.0000001), stretch(0, 1), None]
    report = ingest([zounds.AudioMetaData(uri=str(flac), segment=segment) for segment in segments], store)
    assert report.processed == [f"{flac}{end}" for end in ("#t=1", "#t=1,3", "#t=1,3.0000001", "#t=0,1", "")]
    twice = [zounds.AudioMetaData(uri=str(flac), segment=stretch(2, 1))] * 2
    assert len(ingest(twice, store).failed) == 1


def test_a_segment_behind_the_end_is_in_the_ledger_and_the_rest_goes_on(flac, tmp_path):
    store = bound(tmp_path / "store")
    wanted = [zounds.AudioMetaData(uri=str(flac), segment=stretch(start, 2)) for start in (20, 9)]
    report = ingest(wanted, store)
    assert report.processed == [f"{flac}#t=9,11"] and report.audio_seconds == pytest.approx(1.0)
    (failure,) = report.failed
    assert failure.id == f"{flac}#t=20,22" and "lasts 10 s" in failure.reason
    again = ingest(wanted, store)
    assert again.failed[0].known and again.skipped == report.processed


def test_an_id_whose_segment_changed_is_processed_again(flac, tmp_path):
    store = bound(tmp_path / "store")

    def run(segment, **extras):
        item = zounds.AudioMetaData(uri=str(flac), segment=segment, **extras)
        return ingest([item], store, id_of=lambda item: "clip")

    for segment, length in ((stretch(1, 2), 2), (stretch(1, 3), 3), (None, 10), (stretch(4), 6)):
        assert run(segment).processed == ["clip"]
        assert len(store("clip").pcm) == length * 22050
        assert run(segment).skipped == ["clip"]
        assert run(segment, plays=7).processed == run(segment, plays=7).skipped == ["clip"]


def test_a_failure_of_another_segment_is_no_reason_to_pass_over(flac, tmp_path):
    store = bound(tmp_path / "store")
    for segment, known in ((stretch(20), False), (stretch(20), True), (stretch(21), False)):
        report = ingest([zounds.AudioMetaData(uri=str(flac), segment=segment)], store, id_of=lambda item: "clip")
        assert report.failed[0].known is known
    assert ingest([zounds.AudioMetaData(uri=str(flac), segment=stretch(9))], store, id_of=lambda item: "clip").processed
    assert json.loads(json.dumps(store("clip").meta))["segment"]["start"] == 9.0
