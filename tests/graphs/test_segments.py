"""Documents of segments: all features are those of a recording that holds nothing else."""

import io
import zipfile

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import encoded, noise, write
from tests.webserver import WebServer
from zounds_lite import featureflow as ff
from zounds_lite.errors import EmptyAudio, FeatureNotComputable
from zounds_lite.featureflow import iter_zip, split
from zounds_lite.featureflow.ranges import BLOCK
from zounds_lite.timeseries import AudioSamples

SECONDS = 12
SEGMENT = zounds.TimeSlice(start=zounds.Seconds(3.3), duration=zounds.Seconds(2.7))
KINDS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", None),
    "ogg": ("OGG", "VORBIS"),
    "mp3": ("MP3", None),
    "rf64": ("RF64", "PCM_16"),
}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    paths = {}
    for name, kind in KINDS.items():
        paths[name] = folder / f"noise.{name}"
        paths[name].write_bytes(encoded(noise(SECONDS, 44100, 2), 44100, *kind))
    return paths


def features(**options):
    base = zounds.stft(resample_to=zounds.SR11025(), **{"store_ogg": False, "store_fft": True, **options})

    class Features(base):
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=30, needs=base.fft, store=True)
        loud = zounds.ArrayWithUnitsFeature(np.abs, needs=base.fft, store=False)

    return Features


def in_memory(**options):
    return zounds.simple_in_memory_settings(features(**options))


def made(document, uri, segment=SEGMENT, **options):
    return document(document.process(meta=zounds.AudioMetaData(uri=uri, segment=segment), **options))


def alone(path, segment=SEGMENT):
    """What is processed where the samples of the segment are all there is, without rounding."""
    samples = AudioSamples.from_file(path)[segment]
    return io.BytesIO(samples.encode(subtype="FLOAT").read())


def same(found, wanted, tolerance=0.0, names=("pcm", "resampled", "fft", "bark", "loud")):
    for name in names:
        a, b = getattr(found, name), getattr(wanted, name)
        assert type(a) is type(b) and a.shape == b.shape and a.dtype == b.dtype and a.dimensions == b.dimensions
        for note in ("start", "padding", "n_samples"):
            assert getattr(a.dimensions[0], note) == getattr(b.dimensions[0], note)
        assert np.abs(np.asarray(a) - np.asarray(b)).max() <= tolerance * np.abs(np.asarray(b)).max()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("kind", ["path", "bytes", "file", "member", "archive"])
def test_features_are_those_of_the_segment_alone(name, kind, recordings, tmp_path):
    path = recordings[name]
    uri = {"path": str(path), "bytes": path.read_bytes(), "file": io.BytesIO(path.read_bytes())}.get(kind)
    if uri is None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inside", path.read_bytes())
        (member,) = iter_zip(tmp_path / "a.zip")
        uri = member if kind == "member" else zounds.ArchiveMember(tmp_path / "a.zip", "inside")
    model = in_memory()
    found = made(model, uri)
    same(found, model(model.process(meta=alone(path))), 2e-6 if name == "mp3" else 0.0)
    assert (found.meta["duration"], found.meta["frames"], found.meta["recording_duration"]) == (2.7, 119070, SECONDS)
    assert found.meta["segment"]["start_ps"] == 3_300_000_000_000


def test_random_segments_of_all_formats(recordings):
    rng, model = np.random.default_rng(6), in_memory()
    for path in recordings.values():
        whole = AudioSamples.from_file(path).mono
        for start, length in rng.uniform(0, SECONDS, (4, 2)):
            segment = zounds.TimeSlice(start=zounds.Seconds(start), duration=zounds.Seconds(length))
            found = np.asarray(made(model, str(path), segment).pcm)
            assert found.shape == whole[segment].shape
            assert np.abs(found - np.asarray(whole[segment])).max() <= (2e-7 if path.suffix == ".mp3" else 0)


@pytest.mark.parametrize("name", KINDS)
def test_stretches_of_a_segment_count_from_its_start(name, recordings):
    found = made(in_memory(store_fft=False), str(recordings[name]))
    for start, duration in ((0.5, 1.0), (0.0, 0.3), (2.5, 9.0), (1.0, None)):
        length = None if duration is None else zounds.Seconds(duration)
        index = zounds.TimeSlice(start=zounds.Seconds(start), duration=length)
        for feature in ("pcm", "resampled", "fft", "bark", "loud"):
            part, whole = getattr(found[index], feature), getattr(found, feature)
            assert part.shape == whole[index].shape
            assert np.abs(np.asarray(part) - np.asarray(whole[index])).max() <= 2e-6 * np.abs(np.asarray(whole)).max()
    assert found[zounds.Seconds(-1) :].pcm.shape == (44100,)
    assert found[zounds.TimeSlice(start=zounds.Seconds(3))].pcm.shape == (0,)
    assert [len(window.pcm) for window in found.windows(zounds.Seconds(1))] == [44100, 44100, 30870]


@pytest.mark.parametrize("name", KINDS)
def test_a_segment_is_shared_out_among_threads(name, recordings, tmp_path, monkeypatch):
    monkeypatch.setattr(split, "_LEAST", 30_000)
    monkeypatch.setattr(split, "_PIECE", 10_000)
    shares, original = [], split._Share.compute
    monkeypatch.setattr(split._Share, "compute", lambda self: (shares.append(self), original(self))[1])
    model = zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)(features(store_resampled=True))
    segment = zounds.TimeSlice(start=zounds.Seconds(2.3))
    one = made(model, str(recordings[name]), segment, _id="one")
    several = made(model, str(recordings[name]), segment, _id="several", workers=3)
    assert len(shares) == 3
    same(several, one, 2e-6)


def test_bytes_are_kept_and_their_segment_is_computed_again(recordings):
    data, first = recordings["flac"].read_bytes(), in_memory(store_fft=False)
    found = made(first, data)
    pcm = found.pcm
    assert np.array_equal(pcm, AudioSamples.from_file(recordings["flac"]).mono[SEGMENT])
    assert np.array_equal(found[zounds.TimeSlice(zounds.Seconds(1))].pcm, pcm[:44100])

    @zounds.simple_in_memory_settings
    class Forgets(features(store_fft=False)):
        keep_source = False

    forgot = made(Forgets, data)
    assert forgot.bark.shape == found.bark.shape
    with pytest.raises(FeatureNotComputable):
        forgot.pcm  # noqa: B018


def test_a_kept_file_that_is_gone_gives_the_same_segment(tmp_path):
    path, model = write(tmp_path / "a.flac", noise(SECONDS, 44100, 2)), in_memory(store_fft=False)
    found = made(model, str(path), keep_source=True)
    pcm = np.asarray(found.pcm)
    path.unlink()
    assert np.array_equal(model(found._id).pcm, pcm)


def test_the_copy_in_ogg_holds_the_segment_alone(recordings):
    for name in ("wav", "ogg"):
        found = made(in_memory(store_ogg=True), str(recordings[name]))
        assert (len(found.ogg), found.ogg.channels) == (119070, 2)
        assert found.ogg[zounds.TimeSlice(start=zounds.Seconds(1))].shape == (74970, 2)
        assert np.array_equal(found.pcm, AudioSamples.from_file(recordings[name]).mono[SEGMENT])


@pytest.mark.parametrize("kind", [ff.ByteStreamFeature, ff.Feature])
def test_stored_bytes_remember_the_segment(kind, tmp_path):
    path = write(tmp_path / "a.flac", noise(SECONDS, 44100, 2))
    wanted = AudioSamples.from_file(path).mono[SEGMENT]
    bytes_of_it = kind(ff.ByteStream, chunksize=50_000, store=True)

    @zounds.simple_in_memory_settings
    class Sound(ff.BaseModel):
        raw = bytes_of_it
        pcm = zounds.AudioSamplesFeature(zounds.AudioStream, needs=raw)

    _id = Sound.process(raw=zounds.AudioMetaData(uri=str(path), segment=SEGMENT))
    path.unlink()
    assert np.array_equal(Sound(_id).pcm, wanted)
    assert np.array_equal(Sound(_id)[zounds.TimeSlice(zounds.Seconds(1))].pcm, wanted[:44100])


def test_what_is_stale_is_recomputed_from_the_segment(recordings, tmp_path):
    def model(bands):
        class Bands(zounds.stft(resample_to=zounds.SR11025(), store_ogg=False)):
            pass

        class Sound(Bands):
            bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=bands, needs=Bands.fft, store=True)

        return zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)(Sound)

    path = str(recordings["ogg"])
    made(model(20), path, _id="a")
    later = model(30)
    assert "n_bands 20 -> 30" in str(later.explain("a", "bark"))
    assert later.update("a") == ["bark"]
    assert np.array_equal(later("a").bark, made(later, path, _id="b").bark)


def test_two_segments_are_two_sources_and_a_changed_file_changes_both(tmp_path):
    path = write(tmp_path / "a.wav", noise(SECONDS))
    model = zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)(features())
    first = made(model, str(path), _id="first")
    second = made(model, str(path), SEGMENT + zounds.Seconds(1), _id="second")
    sources = [found._read(lambda snapshot: snapshot.record.sources["meta"]) for found in (first, second)]
    assert sources[0]["hash"] != sources[1]["hash"] and sources[0]["source"] == sources[1]["source"]
    restored = [found._read(lambda snapshot: snapshot._inputs()["meta"]) for found in (first, second)]
    assert restored == [
        zounds.AudioMetaData(uri=str(path), segment=SEGMENT),
        zounds.AudioMetaData(uri=str(path), segment=SEGMENT + zounds.Seconds(1)),
    ]
    assert not first.source_changed
    write(path, noise(SECONDS, seed=1))
    assert model("first").source_changed and model("second").source_changed
    wanted = AudioSamples.from_file(path).mono[SEGMENT]
    assert np.array_equal(model("first").pcm, wanted)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_segment_behind_the_end_stores_nothing(workers, recordings, tmp_path):
    model = zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)(features())
    with pytest.raises(EmptyAudio, match=r"noise.flac' lasts 12 s \(529200 frames at 44100 Hz\)"):
        made(model, str(recordings["flac"]), zounds.TimeSlice(start=zounds.Minutes(1)), _id="a", workers=workers)
    assert list(model) == []


def test_a_segment_on_a_server_is_fetched_in_parts(recordings):
    data = recordings["wav"].read_bytes()
    with WebServer() as server:
        server.add("/a.wav", data, content_type="audio/wav")
        fetcher = ff.Fetcher(private_addresses=True)
        undo = ff.set_fetcher(fetcher)
        try:
            apart = made(in_memory(limits=None, store_ogg=True), f"{server.url}/a.wav")
            asked = [request.headers.get("range") or request.headers.get("Range") for request in server.requests]
            assert asked and all(asked) and len(asked) * BLOCK < len(data)
            whole = made(in_memory(), f"{server.url}/a.wav")
            same(apart, whole)
            assert np.array_equal(apart.pcm, AudioSamples.from_file(recordings["wav"]).mono[SEGMENT])
            assert len(apart.ogg) == 119070
            assert np.array_equal(apart[zounds.TimeSlice(zounds.Seconds(1))].pcm, apart.pcm[:44100])
            with pytest.raises(EmptyAudio, match=r"a\.wav.* lasts 12 s"):
                made(in_memory(), f"{server.url}/a.wav", zounds.TimeSlice(start=zounds.Minutes(1)))
        finally:
            undo()
