"""Ingest: what is done stays done, and one bad file never stops a run."""

import io
import json
import os
import sys

import numpy as np
import pytest

import zounds_lite as zounds
from tests.datasets.documents import bound, write_pages
from tests.sounds import DIGITS, MUSIC, bad_files, encoded, html, noise, sine, wav_header, write
from zounds_lite import CompositeDataset, Directory, featureflow as ff, ingest
from zounds_lite.errors import DeclarationError, LineageError, ValueTooLarge
from zounds_lite.featureflow.commit import Change
from zounds_lite.featureflow.ledger import read_failures

Base = zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)


@pytest.fixture(name="Sound")
def sound(tmp_path):
    @zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)
    class Sound(Base):
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=20, needs=Base.fft, store=True)

    return Sound


@pytest.fixture
def folder(tmp_path):
    """Four good recordings."""
    root = tmp_path / "sounds"
    (root / "sub").mkdir(parents=True)
    write(root / "a.wav", noise(0.4, channels=2))
    write(root / "b.flac", sine(440, 0.3, 22050), 22050)
    write(root / "sub" / "c.ogg", noise(0.5, seed=1))
    write(root / "sub" / "d.mp3", sine(880, 0.5))
    return root


def content(model):
    """Everything that a store holds, by id and feature."""
    return {
        document._id: {name: np.asarray(getattr(document, name)).tobytes() for name in ("fft", "bark")}
        for document in model
    }


def test_every_item_is_processed_and_reported(folder, Sound):
    report = ingest(Directory(folder), Sound)
    uris = [item.uri for item in Directory(folder)]
    assert (report.processed, report.skipped, report.failed, report.total) == (uris, [], [], 4)
    assert sorted(document._id for document in Sound) == sorted(uris)
    assert report.seconds > 0
    assert "4 of 4 processed, 0 skipped, 0 failed" in str(report)
    assert json.loads(json.dumps(report.to_dict()))["processed"] == uris


def test_what_is_done_is_skipped_and_what_changed_is_not(folder, Sound):
    ingest(Directory(folder), Sound)
    before = Sound(str(folder / "a.wav")).fft.shape
    write(folder / "a.wav", noise(0.8, channels=2))
    write(folder / "new.wav", noise(0.1))
    report = ingest(Directory(folder), Sound)
    assert report.processed == [str(folder / "a.wav"), str(folder / "new.wav")]
    assert (len(report.skipped), report.failed) == (3, [])
    assert Sound(str(folder / "a.wav")).fft.shape[0] > before[0]
    again = ingest(Directory(folder), Sound, skip_existing=False)
    assert (len(again.processed), again.skipped) == (5, [])


def bad_ones():
    """Ten files that are no recordings, by name: bytes, and what their report must say."""
    tone = noise(0.3, channels=2)
    whole = {fmt: encoded(tone, 44100, fmt) for fmt in ("WAV", "FLAC", "OGG", "MP3")}
    return {
        "empty.wav": (b"", "EmptyAudio"),
        "cut.wav": (whole["WAV"][: len(whole["WAV"]) // 2], "TruncatedAudio"),
        "cut.flac": (whole["FLAC"][: len(whole["FLAC"]) // 2], "TruncatedAudio"),
        "cut.ogg": (whole["OGG"][: len(whole["OGG"]) // 2], "TruncatedAudio"),
        "cut.mp3": (whole["MP3"][: len(whole["MP3"]) // 2], "TruncatedAudio"),
        "page.mp3": (html(), "NotAudio"),
        "list.wav": (b"milk, bread, two apples\n" * 50, "NotAudio"),
        "thousand.wav": (wav_header(channels=1024, frames=10) + bytes(20480), "RejectedAudio"),
        "nothing.wav": (wav_header(frames=0), "EmptyAudio"),
        "random.flac": (np.random.default_rng(0).bytes(5000), "NotAudio"),
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_ten_bad_files_are_each_reported_and_the_rest_is_stored(folder, Sound, workers):
    for name, (data, _) in bad_ones().items():
        (folder / name).write_bytes(data)
    report = ingest(Directory(folder), Sound, workers=workers)
    assert (len(report.processed), len(report.skipped), len(report.failed)) == (4, 0, 10)
    reasons = {failure.id: failure for failure in report.failed}
    for name, (_, error) in bad_ones().items():
        failure = reasons[str(folder / name)]
        assert failure.reason.startswith(f"{error}: "), failure.reason
        assert len(failure.reason) > len(error) + 20  # and says more than its name
        assert f"{error}:" in failure.traceback
        assert failure.reason in str(report)
    assert len(list(Sound)) == 4
    assert set(content(Sound)) == set(report.processed)
    assert not [path for path in (folder.parent / "store").rglob("*") if path.suffix == ".part"]


def test_the_other_bad_files_are_reported_too(tmp_path, Sound):
    root = tmp_path / "bad"
    root.mkdir()
    for name, (data, _) in bad_files().items():
        (root / name).write_bytes(data)
    write(root / "good.wav", noise(0.1))
    report = ingest(Directory(root), Sound)
    assert report.processed == [str(root / "good.wav")]
    assert {failure.id.rpartition("/")[2]: failure.reason.partition(":")[0] for failure in report.failed} == {
        name: error.__name__ for name, (_, error) in bad_files().items()
    }


def test_two_workers_store_what_one_does(folder, Sound, tmp_path):
    for i in range(12):
        write(folder / f"more{i}.wav", noise(0.2 + 0.02 * i, seed=i))

    @zounds.simple_lmdb_settings(str(tmp_path / "other"), user_supplied_id=True)
    class Other(Base):
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=20, needs=Base.fft, store=True)

    one, two = ingest(Directory(folder), Sound), ingest(Directory(folder), Other, workers=2)
    assert sorted(one.processed) == sorted(two.processed)
    assert len(one.processed) == 16
    assert content(Sound) == content(Other)


class Fails(ff.Node):
    """User code with a fault of its own."""

    def _process(self, data):
        yield data
        raise ZeroDivisionError("in user code")


FAULT = Fails._process.__code__.co_firstlineno + 2


def test_a_fault_in_user_code_is_that_items_own(folder, tmp_path):
    @zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)
    class Sound(Base):
        bad = zounds.ArrayWithUnitsFeature(Fails, needs=Base.fft, store=True)

    report = ingest(Directory(folder), Sound)
    assert len(report.failed) == 4
    assert {failure.reason for failure in report.failed} == {
        f"ZeroDivisionError: in user code (test_ingest.py, line {FAULT}, in _process)"
    }
    assert "Fails" in report.failed[0].traceback or "_process" in report.failed[0].traceback
    assert list(Sound) == []


@pytest.mark.parametrize(
    "name",
    ["with space.wav", "a:b.wav", "tab\there.wav", "line\nbreak.wav", "é ü 中.wav", "%41.wav", "'quote\".wav", "-x.wav",
     "#1.wav", os.fsdecode(b"latin \xe9.wav"), "b" * 200 + ".wav"],
)  # fmt: skip
def test_ids_of_paths_with_odd_characters(tmp_path, Sound, name):
    root = tmp_path / "odd"
    root.mkdir()
    write(root / name, noise(0.05), fmt="WAV")
    report = ingest(Directory(root), Sound)
    assert report.failed == []
    assert report.processed == [str(root / name)]
    assert Sound(str(root / name)).fft.shape == (2, 257)
    assert [document._id for document in Sound] == [str(root / name)]
    assert ingest(Directory(root), Sound).skipped == [str(root / name)]


def test_items_of_other_kinds_and_ids_of_ones_own(folder, Sound):
    data = encoded(noise(0.1))
    report = ingest([data, io.BytesIO(data), str(folder / "a.wav"), folder / "b.flac"], Sound)
    assert report.processed == [str(folder / "a.wav"), str(folder / "b.flac")]
    assert len(report.failed) == 2
    assert all("DeclarationError" in failure.reason and "id_of=" in failure.reason for failure in report.failed)
    numbers = iter(range(9))
    named = ingest([data, io.BytesIO(data)], Sound, id_of=lambda item: f"take {next(numbers)}")
    assert named.processed == ["take 0", "take 1"]
    assert Sound("take 0").fft.tobytes() == Sound("take 1").fft.tobytes()


def test_an_id_that_no_store_holds_fails_alone(folder, Sound):
    report = ingest(Directory(folder), Sound, id_of=lambda item: "" if item.uri.endswith("a.wav") else item.uri)
    assert len(report.processed) == 3
    (failure,) = report.failed
    assert failure.reason.startswith("InvalidId: ")


def test_a_path_that_is_gone_is_reported(folder, Sound):
    report = ingest([zounds.AudioMetaData(uri=str(folder / "gone.wav")), *Directory(folder)], Sound)
    assert len(report.processed) == 4
    (failure,) = report.failed
    assert (failure.id, "gone.wav" in failure.reason) == (str(folder / "gone.wav"), True)
    assert failure.reason.startswith("FileNotFoundError: ")


def test_models_that_make_their_own_ids_and_bad_arguments_are_refused(folder):
    @zounds.simple_in_memory_settings
    class Uuids(Base):
        pass

    with pytest.raises(DeclarationError, match="makes its own ids.*user_supplied_id=True"):
        ingest(Directory(folder), Uuids)
    with pytest.raises(DeclarationError, match="has no store to go to.*user_supplied_id=True"):
        ingest(Directory(folder), Base)  # no settings at all
    with pytest.raises(DeclarationError, match="workers=0.*at least 1"):
        ingest(Directory(folder), Uuids, workers=0)


def test_a_missing_folder_is_an_error_of_the_call(tmp_path, Sound):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        ingest(Directory(tmp_path / "nowhere"), Sound)


class Terminal(io.StringIO):
    """A stderr that says that it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize(("progress", "shown"), [(True, True), (False, False)])
def test_progress_is_shown_on_stderr_of_a_terminal(folder, Sound, monkeypatch, capsys, progress, shown):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    ingest(Directory(folder), Sound, progress=progress)
    assert ("4/4" in terminal.getvalue()) is shown
    assert capsys.readouterr().out == ""


def test_progress_is_silent_where_there_is_no_terminal(folder, Sound, capsys):
    ingest(Directory(folder), Sound)
    ingest(iter(Directory(folder)), Sound)  # an iterator has no length
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_dataset_is_not_read_far_ahead(tmp_path):
    paths, cls = write_pages(tmp_path / "in", [str(i) for i in range(200)]), bound(tmp_path / "store")

    def items():
        for i, path in enumerate(paths):
            yield path
            # per worker: 4 that wait, and 32 that wait for their commit
            assert i <= len(list(cls)) + 2 * (4 + 32) + 2

    assert len(ingest(items(), cls, workers=2).processed) == 200


def test_a_document_that_cannot_be_written_spoils_no_other_of_its_batch(tmp_path, monkeypatch):
    monkeypatch.setattr("zounds_lite.datasets.desk._SHARE", 0.0)
    paths = write_pages(tmp_path / "in", ["a", "b", "c_large", "d"])
    cls = bound(tmp_path / "store")
    apply = Change.apply

    def refusing(self, old, values, is_main):
        if self.id == paths[1]:
            raise ValueTooLarge("more than a record can hold")
        return apply(self, old, values, is_main)

    monkeypatch.setattr(Change, "apply", refusing)
    report = ingest(paths, cls)
    assert report.processed == [paths[0], paths[2], paths[3]]
    (failure,) = report.failed
    assert (failure.id, failure.reason) == (paths[1], "ValueTooLarge: more than a record can hold")
    assert len(cls(paths[2]).meta) > 1024 * 1024
    assert [entry.id for entry in read_failures(cls.database)] == [paths[1]]


def test_an_interrupt_in_this_process_keeps_what_is_finished(tmp_path):
    paths, cls = write_pages(tmp_path / "in", [str(i) for i in range(20)]), bound(tmp_path / "store")

    def items():
        yield from paths[:10]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        ingest(items(), cls)
    assert caught.value.report.processed == paths[:10]
    assert caught.value.report.seconds > 0
    assert sorted(page._id for page in cls) == sorted(paths[:10])
    report = ingest(paths, cls)
    assert (report.processed, report.skipped) == (paths[10:], paths[:10])


@pytest.mark.parametrize("workers", [1, 2])
def test_seconds_of_audio_are_counted(folder, Sound, workers):
    report = ingest(Directory(folder), Sound, workers=workers)
    assert report.audio_seconds == pytest.approx(0.4 + 0.3 + 0.5 + 0.5, abs=0.06)  # MP3 pads
    assert report.audio_seconds_per_second == report.audio_seconds / report.seconds
    assert ingest(Directory(folder), Sound, workers=workers).audio_seconds == 0


def test_failures_are_known_in_the_next_run_until_their_code_changes(folder, tmp_path):
    def document(code):
        class Sound(Base):
            value = zounds.ArrayWithUnitsFeature(code, needs=Base.fft, store=True)

        return zounds.simple_lmdb_settings(tmp_path / "store", user_supplied_id=True)(Sound)

    def works(x):
        return abs(x)

    report = ingest(Directory(folder), document(Fails))
    assert [(failure.attempts, failure.known) for failure in report.failed] == [(1, False)] * 4
    report = ingest(Directory(folder), document(Fails))
    assert [(failure.attempts, failure.known) for failure in report.failed] == [(1, True)] * 4
    report = ingest(Directory(folder), document(Fails), retry_failed=True)
    assert [(failure.attempts, failure.known) for failure in report.failed] == [(2, False)] * 4
    assert len(ingest(Directory(folder), document(works)).processed) == 4
    assert list(read_failures(document(works).database)) == []


def test_what_cannot_be_fingerprinted_is_an_error_of_the_call(folder, tmp_path):
    @zounds.simple_lmdb_settings(tmp_path / "store", user_supplied_id=True)
    class Sound(Base):
        value = zounds.ArrayWithUnitsFeature(eval("lambda x: x"), needs=Base.fft, store=True)

    with pytest.raises(LineageError, match="version="):
        ingest(Directory(folder), Sound)


def test_composites_are_ingested_in_order(folder, Sound):
    composite = CompositeDataset(Directory(folder / "sub"), Directory(folder, recursive=False))
    report = ingest(composite, Sound)
    assert [_id.rpartition("/")[2] for _id in report.processed] == ["c.ogg", "d.mp3", "a.wav", "b.flac"]
    assert ingest(composite, Sound).total == 4


@pytest.mark.skipif(not MUSIC.is_dir(), reason="the shared recordings are not here")
def test_the_music_folder(tmp_path):
    @zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)
    class Sound(Base):
        pass

    report = ingest(Directory(MUSIC), Sound, workers=2)
    assert (len(report.processed), report.failed) == (8, [])
    for document in Sound:
        seconds = document.meta["frames"] / document.meta["samplerate"]
        assert document.fft.dimensions[0].n_samples == pytest.approx(seconds * 11025, abs=1)


@pytest.mark.skipif(not DIGITS.is_dir(), reason="the shared recordings are not here")
def test_some_spoken_digits(Sound):
    items = list(Directory(DIGITS))
    report = ingest(items[::50], Sound, workers=2)
    assert (len(report.processed), report.failed) == (len(items[::50]), [])
    assert len(items) == 2500
    assert {document.meta["samplerate"] for document in Sound} == {8000}
