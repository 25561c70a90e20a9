"""One recording over several threads gives what one thread gives, or an error and nothing else."""

import errno
import io
import logging
import threading

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import encoded, noise
from zounds_lite import featureflow as ff
from zounds_lite.errors import DeclarationError, GraphError, StoreFull, ZoundsError
from zounds_lite.featureflow import split
from zounds_lite.featureflow.stores.blobs import _FileBlob, _FilePart
from zounds_lite.featureflow.stores.folders import disk_errors

SECONDS = 12


def features(pad=True, **options):
    base = zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_resampled=True, pad=pad, **options)

    class Features(base):
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=30, needs=base.fft, store=True)
        flux = zounds.ArrayWithUnitsFeature(zounds.SpectralFlux, needs=base.fft, store=True)
        loud = zounds.ArrayWithUnitsFeature(np.abs, needs=base.fft, store=False)

    return Features


@pytest.fixture(autouse=True)
def short_recordings_are_worth_it(monkeypatch):
    monkeypatch.setattr(split, "_LEAST", 30_000)
    monkeypatch.setattr(split, "_PIECE", 10_000)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    paths = {}
    for fmt in ("WAV", "FLAC", "OGG", "MP3"):
        paths[fmt] = folder / f"noise.{fmt.lower()}"
        paths[fmt].write_bytes(encoded(noise(SECONDS, 44100, 2), 44100, fmt))
    return paths


def model(tmp_path, **options):
    return zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)(features(**options))


def shares(monkeypatch):
    """Count the stretches that are computed."""
    made, original = [], split._Share.compute
    monkeypatch.setattr(split._Share, "compute", lambda self: (made.append(self), original(self))[1])
    return made


def same(found, wanted, tolerance):
    for name in ("resampled", "fft", "bark", "flux"):
        a, b = getattr(found, name), getattr(wanted, name)
        assert type(a) is type(b) and a.shape == b.shape and a.dtype == b.dtype and a.dimensions == b.dimensions
        for note in ("start", "padding", "n_samples"):
            assert getattr(a.dimensions[0], note) == getattr(b.dimensions[0], note)
        largest = np.abs(np.asarray(b)).max()
        assert np.abs(np.asarray(a) - np.asarray(b)).max() <= tolerance * largest


@pytest.mark.parametrize("pad", [True, False])
@pytest.mark.parametrize("fmt", ["WAV", "FLAC", "OGG", "MP3"])
def test_the_result_is_that_of_one_thread(fmt, pad, recordings, tmp_path, monkeypatch):
    made = shares(monkeypatch)
    document = model(tmp_path, pad=pad, store_ogg=False)
    document.process(meta=str(recordings[fmt]), _id="one")
    assert made == []
    for workers in (2, 3, 5):
        document.process(meta=str(recordings[fmt]), _id="several", workers=workers)
        assert len(made) == workers
        made.clear()
        same(document("several"), document("one"), 2e-6)
        assert document.explain("several", "bark").reasons == []
    assert list(zounds.verify(str(tmp_path / "store"))) == []


def test_a_recording_at_the_same_rate_gives_the_same_bits(tmp_path):
    path = tmp_path / "same.wav"
    path.write_bytes(encoded(noise(30, 11025), 11025))
    document = model(tmp_path, store_ogg=False)
    document.process(meta=str(path), _id="one")
    document.process(meta=str(path), _id="several", workers=4)
    same(document("several"), document("one"), 0.0)
    samples = zounds.FFTSynthesizer().synthesize(document("several").fft)
    assert len(samples) == 30 * 11025 and np.abs(samples - document("one").resampled).max() < 1e-5


@pytest.mark.parametrize("workers", [2, 3, 5, 9])
def test_frames_may_be_fewer_than_threads(workers, recordings, tmp_path):
    base = zounds.windowed(
        resample_to=zounds.SR11025(),
        wscheme=zounds.SampleRate(zounds.Seconds(4), zounds.Seconds(4)),
        store_windowed=True,
        store_resampled=True,
        store_ogg=False,
    )
    document = zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)(base)
    for _id, count in (("one", 1), ("several", workers)):
        document.process(meta=str(recordings["WAV"]), _id=_id, workers=count)
    one, several = document("one").windowed, document("several").windowed
    assert one.shape == several.shape and len(one) == SECONDS // 4
    assert np.abs(np.asarray(one) - np.asarray(several)).max() < 1e-5


@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("has_parts", [True, False])
def test_large_stretches_make_one_blob(has_parts, workers, tmp_path, monkeypatch):
    monkeypatch.setattr(_FileBlob, "can_part", has_parts)
    path = tmp_path / "noise.wav"
    path.write_bytes(encoded(noise(90, 11025), 11025))
    document = model(tmp_path, store_ogg=False)
    document.process(meta=str(path), _id="one")
    document.process(meta=str(path), _id="several", workers=workers)
    same(document("several"), document("one"), 0.0)
    assert list(zounds.verify(str(tmp_path / "store"))) == []
    blobs = [file.stat().st_size for file in (tmp_path / "store").rglob("*.blob")]
    assert len(blobs) == 4 and len(set(blobs)) == 2  # samples and spectra of each; bark is small


def test_a_first_stretch_may_be_small_where_a_later_one_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(split, "_part", lambda size, i, n: ((0, 64), (64, size))[i])
    path = tmp_path / "noise.wav"
    path.write_bytes(encoded(noise(90, 11025), 11025))
    document = model(tmp_path, store_ogg=False)
    document.process(meta=str(path), _id="one")
    document.process(meta=str(path), _id="several", workers=2)
    same(document("several"), document("one"), 0.0)
    assert list(zounds.verify(str(tmp_path / "store"))) == []


def test_a_node_that_makes_fewer_rows_than_it_says_is_named(tmp_path):
    class Lies(ff.Node):
        footprint = ff.Pointwise()

        def _process(self, data):
            yield data[:-1]

    base = features(store_ogg=False)

    class Lying(base):
        lies = zounds.ArrayWithUnitsFeature(Lies, needs=base.fft, store=True)

    path = tmp_path / "noise.wav"
    path.write_bytes(encoded(noise(90, 11025), 11025))
    document = zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)(Lying)
    with pytest.raises(GraphError, match="the locality of Lies is wrong"):
        document.process(meta=str(path), _id="lies", workers=2)
    assert not document.exists("lies")
    assert not [file for file in (tmp_path / "store").rglob("*") if file.suffix in (".part", ".blob")]


def test_what_cannot_be_split_is_computed_beside(recordings, tmp_path, monkeypatch):
    made = shares(monkeypatch)
    document = model(tmp_path, store_ogg=True)
    document.process(meta=str(recordings["WAV"]), _id="several", workers=2)
    assert len(made) == 2
    assert document("several").meta["frames"] == SECONDS * 44100
    assert document("several").ogg[zounds.TimeSlice(zounds.Seconds(1))].shape == (44100, 2)


@pytest.mark.parametrize("case", ["memory", "damaged", "whole", "short"])
def test_otherwise_one_thread_computes_all(case, recordings, tmp_path, monkeypatch, caplog):
    made, source, options = shares(monkeypatch), str(recordings["FLAC"]), {}
    document = model(tmp_path, store_ogg=False, **({"damaged": "keep"} if case == "damaged" else options))
    if case == "memory":
        source = io.BytesIO(recordings["FLAC"].read_bytes())
    if case == "short":
        monkeypatch.setattr(split, "_LEAST", 10**9)
    if case == "whole":

        class WithTempo(document):
            tempo = zounds.ArrayWithUnitsFeature(zounds.Tempo, needs=document.flux, store=True)

        document = WithTempo
    with caplog.at_level(logging.INFO, "zounds_lite"):
        document.process(meta=source, _id="one", workers=4)
    assert made == [] and len(document("one").bark) > 0
    assert ("cannot be split" in caplog.text) == (case == "whole")


def test_an_error_in_one_stretch_leaves_nothing(recordings, tmp_path):
    path = tmp_path / "broken.flac"
    data = bytearray(recordings["FLAC"].read_bytes())
    data[len(data) * 3 // 4 : len(data) * 3 // 4 + 5000] = bytes(5000)
    path.write_bytes(data)
    document = model(tmp_path, store_ogg=False)
    with pytest.raises(ZoundsError):
        document.process(meta=str(path), _id="broken", workers=2)
    assert not document.exists("broken")
    assert not list((tmp_path / "store").rglob("*.blob"))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("zounds_lite ")]


def test_a_disk_that_is_full_for_a_later_stretch_leaves_nothing(tmp_path, monkeypatch):
    def append(self, data):
        if self.at:
            with disk_errors(self._folder):
                raise OSError(errno.ENOSPC, "No space left on device")
        append_to_file(self, data)

    append_to_file = _FilePart._append
    path = tmp_path / "noise.wav"
    path.write_bytes(encoded(noise(90, 11025), 11025))
    document = model(tmp_path, store_ogg=False)
    with monkeypatch.context() as full:
        full.setattr(_FilePart, "_append", append)
        with pytest.raises(StoreFull):
            document.process(meta=str(path), _id="full", workers=2)
    assert not document.exists("full")
    assert not [file for file in (tmp_path / "store").rglob("*") if file.suffix in (".part", ".blob")]
    document.process(meta=str(path), _id="full", workers=2)
    assert document("full").fft.shape[0] > 900


def test_an_error_of_a_node_ends_all_threads(recordings, tmp_path):
    class Fails(ff.Node):
        footprint = ff.Pointwise()

        def _process(self, data):
            if np.abs(data).max() > 0:
                raise ZeroDivisionError("on purpose")
            yield data

    base = features(store_ogg=False)

    class Broken(base):
        fails = zounds.ArrayWithUnitsFeature(Fails, needs=base.fft, store=True)

    document = zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)(Broken)
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        document.process(meta=str(recordings["WAV"]), _id="broken", workers=3)
    assert not document.exists("broken")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("zounds_lite ")]


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2", None])
def test_workers_are_a_number(workers, recordings, tmp_path):
    with pytest.raises(DeclarationError, match="workers="):
        model(tmp_path).process(meta=str(recordings["WAV"]), _id="x", workers=workers)
