"""Stretches of recordings: what is not stored is computed for a second of it, and is that second of the whole."""

import gc
import io
import logging
import os
import threading

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import zounds_lite as zounds
from tests.sounds import encoded, noise
from zounds_lite.errors import FeatureNotComputable, ZoundsError
from zounds_lite.media import AudioReader
from zounds_lite.soundfile.nodes import rows as rows_module
from zounds_lite.soundfile.nodes.rows import AudioRows

SECONDS = 8
STFT = zounds.stft(resample_to=zounds.SR11025(), store_ogg=False, pad=True)
FEATURES = ["pcm", "resampled", "windowed", "fft", "bark", "mel", "log"]
TOLERANCE = {"pcm": 2e-7, "log": 1e-4}  # a logarithm enlarges what is small


class Features(STFT):
    """What is asked for in stretches; nothing of it is stored."""

    bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=40, needs=STFT.fft)
    mel = zounds.ArrayWithUnitsFeature(zounds.MelBands, n_bands=40, needs=STFT.fft)
    log = zounds.ArrayWithUnitsFeature(np.log1p, needs=mel)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    paths = {}
    for fmt in ("WAV", "FLAC", "OGG", "MP3"):
        paths[fmt] = folder / f"noise.{fmt.lower()}"
        paths[fmt].write_bytes(encoded(noise(SECONDS, 44100, 2), 44100, fmt))
    return paths


@pytest.fixture(scope="module")
def documents(recordings, tmp_path_factory):
    model = zounds.simple_lmdb_settings(str(tmp_path_factory.mktemp("store")), user_supplied_id=True)(Features)
    for fmt, path in recordings.items():
        model.process(meta=str(path), _id=fmt)
    return model


def same(part, wanted, name):
    assert part.dimensions == wanted.dimensions and part.dtype == wanted.dtype and part.shape == wanted.shape
    largest = np.abs(np.asarray(wanted)).max(initial=1e-30)
    assert np.abs(np.asarray(part) - np.asarray(wanted)).max(initial=0) <= TOLERANCE.get(name, 2e-6) * largest


@pytest.mark.parametrize("fmt", ["WAV", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("name", FEATURES)
def test_a_stretch_equals_that_part_of_the_whole(documents, fmt, name):
    whole = getattr(documents(fmt), name)

    @settings(max_examples=8)
    @given(start=st.integers(0, SECONDS * 1000 + 500), length=st.integers(0, 2500))
    def check(start, length):
        index = zounds.TimeSlice(zounds.Milliseconds(length), start=zounds.Milliseconds(start))
        part = getattr(documents(fmt)[index], name)
        same(part, whole[index], name)
        if len(part):
            first = whole.dimensions[0].integer_based_slice(index).start
            assert part.dimensions[0].start == whole.dimensions[0].time_of(first)

    check()


def test_both_ends_and_times_from_the_end(documents):
    document = documents("FLAC")
    for index in (slice(zounds.Seconds(-1), None), slice(None, zounds.Seconds(1)), slice(None)):
        for name in FEATURES:
            whole = getattr(document, name)
            same(getattr(document[index], name), whole[index] if index != slice(None) else whole, name)
    assert documents("FLAC")[zounds.TimeSlice(start=zounds.Seconds(100))].bark.shape == (0, 40)


def test_bands_of_a_stretch(documents):
    piece = documents("OGG")[zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(2))]
    assert piece.fft[:, zounds.FrequencyBand(200, 800)].shape == (len(piece.fft), 28)


def test_channels_and_rates_that_stay(recordings):
    @zounds.simple_in_memory_settings
    class Document(zounds.featureflow.BaseModel):
        meta = zounds.featureflow.JSONFeature(zounds.MetaData, encoder=zounds.AudioMetaDataEncoder, store=True)
        raw = zounds.featureflow.ByteStreamFeature(zounds.featureflow.ByteStream, chunksize=4096, needs=meta)
        pcm = zounds.AudioSamplesFeature(zounds.AudioStream, sum_to_mono=False, dtype="float64", needs=raw)
        same = zounds.AudioSamplesFeature(zounds.Resampler, samplerate=zounds.SR44100(), needs=pcm)
        up = zounds.AudioSamplesFeature(zounds.Resampler, samplerate=zounds.SR48000(), needs=pcm)

    document = Document(Document.process(meta=str(recordings["FLAC"])))
    index = zounds.TimeSlice(zounds.Milliseconds(300), start=zounds.Milliseconds(4321))
    for name in ("pcm", "same", "up"):
        part = getattr(document[index], name)
        assert part.shape[1] == 2 and part.dtype == np.float64
        same(part, getattr(document, name)[index], name)


def test_a_source_in_memory_that_was_kept_and_a_stored_ogg_copy(recordings):
    @zounds.simple_in_memory_settings
    class Document(Features):
        pass

    with_copy = zounds.simple_in_memory_settings(zounds.resampled(resample_to=zounds.SR11025()))
    index = zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(3))
    for source in (recordings["OGG"].read_bytes(), io.BytesIO(recordings["WAV"].read_bytes())):
        document = Document(Document.process(meta=source))
        same(document[index].bark, document.bark[index], "bark")
    document = with_copy(with_copy.process(meta=str(recordings["WAV"])))
    assert document[index].ogg.shape == (44100, 2)


def test_decoders_stay_open_and_follow_the_file(documents, recordings, tmp_path):
    path = tmp_path / "changes.wav"
    path.write_bytes(recordings["WAV"].read_bytes())
    documents.process(meta=str(path), _id="changes")
    index = zounds.TimeSlice(zounds.Seconds(1))
    before = documents("changes")[index].pcm
    path.write_bytes(encoded(noise(2.0, 44100, seed=9), 44100))
    after = documents("changes")[index].pcm
    same(after, documents("changes").pcm[index], "pcm")
    assert not np.array_equal(before, after)
    path.unlink()
    with pytest.raises((FeatureNotComputable, FileNotFoundError)):
        documents("changes")[index].pcm  # noqa: B018


def test_many_files_do_not_stay_open(documents, tmp_path):
    for i in range(60):
        path = tmp_path / f"{i}.flac"
        path.write_bytes(encoded(noise(0.5, 44100, seed=i), 44100, "FLAC"))
        documents.process(meta=str(path), _id=f"many {i}")
        assert len(documents(f"many {i}")[zounds.TimeSlice(zounds.Milliseconds(100))].pcm) == 4410
    held = [
        os.readlink(f"/proc/self/fd/{fd}")
        for fd in os.listdir("/proc/self/fd")
        if os.path.lexists(f"/proc/self/fd/{fd}")
    ]
    assert sum(str(tmp_path) in name for name in held) <= 40


def test_threads_read_stretches_of_one_file_at_the_same_time(documents):
    whole, failures = documents("MP3").bark, []

    def read(seed):
        rng = np.random.default_rng(seed)
        for _ in range(10):
            index = zounds.TimeSlice(zounds.Milliseconds(700), start=zounds.Milliseconds(int(rng.integers(7000))))
            part = documents("MP3")[index].bark
            if np.abs(np.asarray(part) - np.asarray(whole[index])).max() > 2e-6 * np.abs(whole).max():
                failures.append(index)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_decoder_that_is_pushed_out_stays_open_while_it_reads(recordings, monkeypatch):
    rows = AudioRows(str(recordings["FLAC"]), "float32", "raise", None, True)
    wanted, original = np.asarray(rows.read(0, 200_000)), AudioReader.read

    def pushed_out(self, *stretch):
        monkeypatch.setattr(AudioReader, "read", original)
        rows_module._OPEN_FILES._readers.clear()
        gc.collect()
        return original(self, *stretch)

    monkeypatch.setattr(AudioReader, "read", pushed_out)
    assert np.array_equal(rows.read(0, 200_000), wanted)


def test_a_fork_opens_files_anew(recordings):
    rows = AudioRows(str(recordings["FLAC"]), "float32", "raise", None, True)
    wanted = np.asarray(rows.read(1000, 2000))
    with rows_module._OPEN_FILES._lock:  # as when another thread is opening a file
        child = os.fork()
        if not child:
            os._exit(0 if np.array_equal(rows.read(1000, 2000), wanted) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert np.array_equal(rows.read(1000, 2000), wanted)


def test_a_source_that_only_goes_forward_is_read_through(recordings, caplog):
    @zounds.simple_in_memory_settings
    class Pushed(zounds.featureflow.BaseModel):
        raw = zounds.featureflow.Feature(zounds.featureflow.IteratorNode, store=True)
        pcm = zounds.AudioSamplesFeature(zounds.AudioStream, needs=raw)

    data = recordings["WAV"].read_bytes()
    document = Pushed(Pushed.process(raw=[data[:1000], data[1000:]]))
    index = zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(3))
    with caplog.at_level(logging.INFO, "zounds_lite"):
        part = document[index].pcm
    same(part, document.pcm[index], "pcm")
    assert "read whole" in caplog.text


def test_windows_of_a_recording_are_its_whole(documents):
    document = documents("WAV")
    parts = [part.resampled for part in document.windows(zounds.Milliseconds(800))]
    joined = np.concatenate([np.asarray(part) for part in parts])
    assert len(parts) == 10 and len(joined) == len(document.resampled)
    assert np.abs(joined - np.asarray(document.resampled)).max() < 2e-6


def test_crops_for_training(documents):
    found = documents.sample("mel", zounds.Seconds(1), 6, np.random.default_rng(0))
    assert {crop.shape for crop in found} == {(44, 40)}
    assert len({float(crop[0, 0]) for crop in found}) == 6


def test_damaged_recordings_are_the_same_errors(recordings, tmp_path):
    path = tmp_path / "cut.flac"
    path.write_bytes(recordings["FLAC"].read_bytes())
    model = zounds.simple_in_memory_settings(Features)
    document = model(model.process(meta=str(path)))
    stat = path.stat()
    path.write_bytes(recordings["FLAC"].read_bytes()[:100_000])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    with pytest.raises(ZoundsError):
        document[zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(6))].bark  # noqa: B018
