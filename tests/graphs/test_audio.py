"""The ready-made graphs: what they hold, what they store, and where what is not stored comes from."""

import io
import os
import zipfile

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import encoded, noise, write
from zounds_lite import featureflow as ff
from zounds_lite.errors import EmptyAudio, FeatureNotComputable, MissingArgument, NotAudio, TruncatedAudio

RATE = zounds.SR11025()


def with_settings(graph, database=None, keep_source=None):
    """Bind a graph to a store; ids come from the caller."""

    class Settings(ff.PersistenceSettings):
        id_provider = ff.UserSpecifiedIdProvider("_id")

    Settings.database = database if database is not None else ff.InMemoryDatabase()

    class Sound(graph, Settings):
        pass

    Sound.keep_source = keep_source
    return Sound


def stored_names(model, _id="d"):
    return {name for name in model.database.read(_id).entries if not name.startswith("source:")}


# what they hold


@pytest.mark.parametrize("source", [8000, 11025, 22050, 44100, 48000])
@pytest.mark.parametrize("target", [zounds.SR11025(), zounds.SR44100(), zounds.AudioSampleRate(24000)])
def test_shapes_and_units_at_several_rates(source, target):
    Sound = with_settings(zounds.stft(resample_to=target, store_ogg=False))
    Sound.process(meta=encoded(noise(2.0, source, channels=2), source), _id="d")
    sound = Sound("d")
    hop, window = zounds.HalfLapped().discrete_samples(zounds.TimeDimension(*target))
    n = 2 * target.rate
    assert window == 2 * hop
    assert sound.pcm.shape == (2 * source,)
    assert sound.pcm.samplerate.rate == source
    assert (sound.resampled.shape, sound.resampled.samplerate) == ((n,), target)
    frames = 1 + -(-(n - window) // hop)
    assert (sound.windowed.shape, sound.fft.shape) == ((frames, window), (frames, window // 2 + 1))
    assert (sound.resampled.dtype, sound.windowed.dtype, sound.fft.dtype) == (np.float32, np.float32, np.complex64)
    time, frequency = sound.fft.dimensions
    assert (time.hop, time.window, time.rate, time.n_samples) == (hop, window, target.rate, n)
    assert frequency == zounds.FrequencyDimension(zounds.LinearScale.from_sample_rate(target, window // 2 + 1))
    assert sound.fft[zounds.TimeSlice(zounds.Seconds(1)), zounds.FrequencyBand(200, 800)].shape[0] >= frames // 2


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_are_mixed_to_their_mean(channels):
    samples = noise(0.5, 11025, channels)
    data = encoded(samples, 11025, subtype="FLOAT")
    Sound = with_settings(zounds.resampled(resample_to=RATE))
    Sound.process(meta=data, _id="d")
    assert Sound("d").meta["channels"] == channels
    assert np.allclose(Sound("d").resampled, samples.reshape(len(samples), -1).mean(axis=1), atol=1e-7)
    found = Sound("d").ogg[:]  # the copy keeps its channels
    assert found.shape == ((len(samples),) if channels == 1 else (len(samples), channels))


@pytest.mark.parametrize("window", [255, 256, 511, 1001])
@pytest.mark.parametrize("part", [2, 4])
def test_transforms_of_odd_and_even_windows_invert(window, part):
    time = zounds.TimeDimension.windowed(window // part, window, RATE.rate)
    scheme = zounds.SampleRate(time.frequency, time.duration)
    Sound = with_settings(zounds.stft(resample_to=RATE, wscheme=scheme, store_fft=True, store_ogg=False, pad=True))
    samples = noise(1.0, 11025)
    Sound.process(meta=encoded(samples, 11025, subtype="FLOAT"), _id="d")
    fft = Sound("d").fft
    assert fft.shape[1] == window // 2 + 1
    assert fft.dimensions[0].padding == window - window // part
    recon = zounds.FFTSynthesizer().synthesize(fft)
    assert len(recon) == len(samples)
    error = np.asarray(recon, np.float64) - samples
    assert 10 * np.log10((samples.astype(np.float64) ** 2).sum() / (error**2).sum()) >= 120


def test_padding_of_the_transform_and_of_the_signal():
    plain = with_settings(zounds.stft(resample_to=RATE, store_ogg=False))
    padded = with_settings(zounds.stft(resample_to=RATE, store_ogg=False, fft_padding_samples=512, pad=True))
    data = encoded(noise(1.0, 11025), 11025)
    for model in (plain, padded):
        model.process(meta=data, _id="d")
    assert (plain("d").fft.shape[1], padded("d").fft.shape[1]) == (257, 513)
    assert (len(plain("d").windowed), len(padded("d").windowed)) == (43, 45)
    assert not np.asarray(padded("d").windowed[0, :256]).any()
    assert np.array_equal(padded("d").windowed[1:43], plain("d").windowed[:42])


def test_windowed_takes_a_scheme_and_a_window():
    scheme = zounds.SampleRate(frequency=zounds.Milliseconds(250), duration=zounds.Milliseconds(500))
    Sound = with_settings(zounds.windowed(scheme, resample_to=RATE, wfunc=zounds.HanningWindowingFunc()))
    Sound.process(meta=encoded(noise(3.0, 11025), 11025), _id="d")
    assert Sound("d").windowed.shape == (11, 5513)
    assert not np.asarray(Sound("d").windowed[:, 0]).any()  # a Hann window starts at zero


@pytest.mark.parametrize("seconds", [0.0005, 0.01, 0.046])
def test_recordings_shorter_than_a_window_give_one_frame(seconds):
    Sound = with_settings(zounds.stft(resample_to=RATE, store_fft=True, store_ogg=False))
    Sound.process(meta=encoded(noise(seconds, 44100), 44100), _id="d")
    assert Sound("d").fft.shape == (1, 257)
    n = round(seconds * 44100)
    assert Sound("d").fft.dimensions[0].n_samples == (2 * n * 11025 + 44100) // 88200


def test_the_document_of_the_command_line():
    @zounds.simple_in_memory_settings
    class Sound(zounds.Recording):
        pass

    sound = Sound(Sound.process(meta=encoded(noise(1.0, 44100, 2), 44100)))
    assert sound.mel.shape == (len(sound.fft), 128)
    assert sound.resampled.samplerate == zounds.SR22050()
    assert {"meta", "fft", "mel"} == {name for name, feature in Sound.features.items() if feature.store}


# what they store


@pytest.mark.parametrize(
    ("graph", "names"),
    [
        (zounds.resampled(), {"meta", "ogg"}),
        (zounds.resampled(store_ogg=False), {"meta"}),
        (zounds.resampled(store_ogg=False, store_resampled=True), {"meta", "resampled"}),
        (zounds.windowed(zounds.HalfLapped()), {"meta", "ogg", "resampled"}),
        (zounds.windowed(zounds.HalfLapped(), store_ogg=False, store_resampled=False), {"meta"}),
        (zounds.windowed(zounds.HalfLapped(), store_windowed=True), {"meta", "ogg", "resampled", "windowed"}),
        (zounds.stft(), {"meta", "ogg"}),
        (zounds.stft(store_ogg=False, store_fft=True), {"meta", "fft"}),
        (
            zounds.stft(store_fft=True, store_windowed=True, store_resampled=True),
            {"meta", "ogg", "resampled", "windowed", "fft"},
        ),
    ],
)
def test_what_is_stored_is_what_was_asked_for(graph, names):
    Sound = with_settings(graph)
    Sound.process(meta=encoded(noise(0.3)), _id="d")
    assert stored_names(Sound) == names
    for name in Sound.features:  # reading stores nothing that was not asked for
        _ = getattr(Sound("d"), name)
    assert stored_names(Sound) == names


# where what is not stored comes from


def sources(tmp_path):
    data = encoded(noise(0.7, channels=2))
    path = tmp_path / "sound.wav"
    path.write_bytes(data)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("inside/sound.wav", data)
    return {
        "path": str(path),
        "pathlib": path,
        "bytes": data,
        "file": io.BytesIO(data),
        "zip member": next(ff.iter_zip(archive)),
        "metadata": zounds.AudioMetaData(uri=str(path), licensing="CC0", take=3),
    }


@pytest.mark.parametrize("kind", ["path", "pathlib", "bytes", "file", "zip member", "metadata"])
def test_unstored_features_are_computed_from_the_source(tmp_path, kind):
    source = sources(tmp_path)[kind]
    graph = zounds.stft(resample_to=RATE, store_fft=True, store_ogg=False)
    Sound = with_settings(graph, ff.LmdbDatabase(tmp_path / "store"))
    Sound.process(meta=source, _id="d")
    del source
    sound = Sound("d")
    reference = with_settings(graph)
    reference.process(meta=encoded(noise(0.7, channels=2)), _id="d")
    for name in ("pcm", "resampled", "windowed", "fft"):
        assert getattr(sound, name).tobytes() == getattr(reference("d"), name).tobytes()
    assert b"".join(sound.raw) == encoded(noise(0.7, channels=2))
    assert (sound.meta["samplerate"], sound.meta["channels"]) == (44100, 2)
    if kind == "metadata":
        assert (sound.meta["licensing"], sound.meta["take"]) == ("CC0", 3)


def test_an_open_file_is_read_from_its_start_and_left_where_it_was(tmp_path):
    path = write(tmp_path / "sound.flac", noise(0.5, channels=2))
    Sound = with_settings(zounds.resampled(resample_to=RATE, store_ogg=False))
    with open(path, "rb") as file:
        file.seek(10)
        Sound.process(meta=file, _id="d")
    path.unlink()
    assert Sound("d").resampled.shape == (5513,)  # 22050 samples at a quarter of the rate, half up


@pytest.mark.parametrize("kind", ["path", "bytes"])
def test_without_its_source_a_document_computes_from_what_is_stored(tmp_path, kind):
    source = sources(tmp_path)[kind]
    Sound = with_settings(
        zounds.stft(resample_to=RATE, store_resampled=True, store_ogg=False),
        keep_source=False if kind == "bytes" else None,
    )
    Sound.process(meta=source, _id="d")
    (tmp_path / "sound.wav").unlink()
    sound = Sound("d")
    assert sound.fft.shape == (30, 257)
    assert sound.windowed.shape == (30, 512)
    for name in ("pcm", "raw"):
        with pytest.raises(FeatureNotComputable, match=f"{name} of document 'd'.*process the document again"):
            getattr(Sound("d"), name)


@pytest.mark.parametrize("kind", ["path", "bytes"])
def test_with_nothing_left_the_error_says_so(tmp_path, kind):
    source = sources(tmp_path)[kind]
    Sound = with_settings(zounds.stft(resample_to=RATE), keep_source=False if kind == "bytes" else None)
    Sound.process(meta=source, _id="d")
    (tmp_path / "sound.wav").unlink()
    sound = Sound("d")
    assert sound.meta["channels"] == 2
    assert sound.ogg[:].shape == (30870, 2)  # stored, and never the source of anything else: it is lossy
    with pytest.raises(FeatureNotComputable, match="fft of document 'd'.*process the document again") as caught:
        _ = sound.fft
    assert isinstance(caught.value, AttributeError)
    assert stored_names(Sound) == {"meta", "ogg"}


def test_a_file_that_changed_is_computed_anew(tmp_path):
    path = write(tmp_path / "sound.wav", noise(1.0, 11025), 11025)
    Sound = with_settings(zounds.stft(resample_to=RATE, store_fft=True, store_ogg=False))
    Sound.process(meta=str(path), _id="d")
    first = Sound("d").fft
    os.utime(path, (0, 0))  # another time and the same content is no change
    assert not Sound("d").source_changed
    write(path, noise(2.0, 11025, seed=1), 11025)
    assert Sound("d").source_changed
    assert "sound.wav" in str(Sound.explain("d", "fft"))
    second = Sound("d").fft
    assert (len(first), len(second)) == (43, 86)
    assert Sound("d").meta["duration"] == 2.0
    assert not Sound("d").source_changed


def test_explain_names_what_changed_and_where():
    def model(database, **changes):
        Base = zounds.stft(resample_to=RATE, store_fft=True, store_ogg=False, **changes)

        class Sound(Base):
            bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, needs=Base.fft, store=True)

        return with_settings(Sound, database)

    database = ff.InMemoryDatabase()
    before, after = model(database), model(database, fft_padding_samples=64)
    before.process(meta=encoded(noise(0.5)), _id="d")
    assert not before.explain("d", "bark").stale
    assert before.explain("d", "bark").reasons == []
    assert after.explain("d", "bark").reasons == ["padding_samples 0 -> 64 in fft, upstream of bark"]
    assert after.explain("d", "fft").reasons == ["padding_samples 0 -> 64 in fft"]
    assert not after.explain("d", "meta").stale
    assert after("d").fft.shape[1] == 289
    assert after("d").bark.shape[1] == 100
    assert after.explain("d", "bark").reasons == []
    assert before.explain("d", "bark").reasons == ["padding_samples 64 -> 0 in fft, upstream of bark"]


def test_how_bytes_are_cut_does_not_make_a_value_stale():
    database = ff.InMemoryDatabase()
    small, large = (
        with_settings(zounds.stft(n, resample_to=RATE, store_fft=True, store_ogg=False), database)
        for n in (1000, 10**9)
    )
    small.process(meta=encoded(noise(0.5)), _id="d")
    assert large.explain("d", "fft").reasons == []


def test_another_rate_and_another_scheme_make_what_is_below_stale():
    database = ff.InMemoryDatabase()
    options = {"store_fft": True, "store_ogg": False, "store_resampled": True}
    before = with_settings(zounds.stft(resample_to=RATE, **options), database)
    rate = with_settings(zounds.stft(resample_to=zounds.SR22050(), **options), database)
    scheme = with_settings(zounds.stft(resample_to=RATE, wscheme=zounds.HalfLapped(256, 64), **options), database)
    before.process(meta=encoded(noise(0.5)), _id="d")
    assert rate.explain("d", "resampled").stale
    assert "upstream of fft" in str(rate.explain("d", "fft"))
    assert not scheme.explain("d", "resampled").stale
    assert "in windowed, upstream of fft" in str(scheme.explain("d", "fft"))


# bad input


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        (b"", EmptyAudio, "no bytes|empty"),
        (encoded(noise(1.0)[:0]), EmptyAudio, "no samples|no audio"),
        (b"some text, not a sound" * 50, NotAudio, "no audio|not audio|no recording"),
    ],
)
def test_a_source_that_is_no_recording_is_refused_and_leaves_nothing(source, error, words):
    Sound = with_settings(zounds.stft(store_fft=True))
    with pytest.raises(error, match=words):
        Sound.process(meta=source, _id="d")
    assert not Sound.exists("d")


def test_a_missing_file_and_a_missing_argument_are_named():
    Sound = with_settings(zounds.stft())
    with pytest.raises(FileNotFoundError, match="nowhere.wav.*path, bytes"):
        Sound.process(meta="nowhere.wav", _id="d")
    with pytest.raises(MissingArgument, match="missing: meta"):
        Sound.process(_id="d")


@pytest.mark.parametrize("store_ogg", [True, False])
def test_the_ogg_copy_reads_alike_stored_or_not(store_ogg):
    Sound = with_settings(zounds.resampled(resample_to=RATE, store_ogg=store_ogg))
    sound = Sound(Sound.process(meta=encoded(noise(1.5, 22050, channels=2), 22050), _id="d"))
    assert sound.ogg[zounds.TimeSlice(zounds.Seconds(1))].shape == (22050, 2)
    assert (len(sound.ogg), sound.ogg.samplerate) == (33075, 22050)


# damaged recordings


@pytest.mark.parametrize("store_ogg", [False, True])
def test_a_damaged_recording_is_refused_or_kept_with_a_mark(tmp_path, store_ogg):
    whole = encoded(noise(2.0, 44100), 44100, "FLAC")
    path = tmp_path / "cut.flac"
    path.write_bytes(whole[: len(whole) // 2])
    graph = {
        damaged: with_settings(zounds.resampled(resample_to=RATE, store_ogg=store_ogg, damaged=damaged))
        for damaged in ("raise", "keep")
    }
    if store_ogg:
        with pytest.raises(TruncatedAudio):
            graph["raise"].process(meta=str(path), _id="d")
    graph["keep"].process(meta=str(path), _id="d")
    sound = graph["keep"]("d")
    assert 0 < len(sound.resampled) < 22050
    assert {note["kind"] for notes in sound.marks.values() for note in notes} == ({"truncated"} if store_ogg else set())


def test_a_mark_of_a_value_that_is_computed_later_is_kept_with_it(tmp_path):
    whole = encoded(noise(2.0, 44100), 44100, "FLAC")
    path = tmp_path / "cut.flac"
    path.write_bytes(whole[: len(whole) // 2])
    Sound = with_settings(zounds.stft(resample_to=RATE, store_ogg=False, store_fft=True, damaged="keep"))
    Sound.process(meta=str(path), _id="d")
    notes = Sound("d").marks
    assert notes.keys() == {"pcm"} and notes["pcm"][0]["kind"] == "truncated"
    assert "promises 88200 frames" in notes["pcm"][0]["message"]


def test_limits_do_not_change_what_is_decoded_nor_its_lineage():
    data = encoded(noise(1.0, 44100), 44100)
    limited, plain = (
        with_settings(zounds.resampled(resample_to=RATE, limits=limits)) for limits in (zounds.DecodeLimits(), None)
    )
    for model in (limited, plain):
        model.process(meta=data, _id="d")
    assert np.array_equal(limited("d").resampled, plain("d").resampled)
    assert limited.lineage().hash(limited.resampled) == plain.lineage().hash(plain.resampled)
