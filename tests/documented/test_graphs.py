"""The documented examples of whole graphs; only imports, prints and the source of the sound are changed.

The examples of single nodes stand in ``test_soundfile``; those of names that come later (learning, remote
archives) come with them. Where an example asks the network for recordings, a local folder takes its place.
"""

from random import choice

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import noise, sine, write
from zounds_lite import featureflow as ff


def snr_db(signal, other):
    """Return how far ``other`` is from ``signal``, in decibels."""
    signal, other = np.asarray(signal, np.float64), np.asarray(other, np.float64)
    return 10 * np.log10((signal**2).sum() / ((signal - other) ** 2).sum())


@pytest.fixture
def folders(tmp_path):
    """Two folders of short recordings."""
    for folder, names in (("first", ("a.wav", "b.flac")), ("second", ("c.ogg",))):
        (tmp_path / folder).mkdir()
        for i, name in enumerate(names):
            write(tmp_path / folder / name, noise(0.5, channels=2, seed=i))
    return tmp_path / "first", tmp_path / "second"


def test_sliding_window():
    Resampled = zounds.resampled(resample_to=zounds.SR11025())

    @zounds.simple_in_memory_settings
    class Sound(Resampled):
        windowed = zounds.ArrayWithUnitsFeature(
            zounds.SlidingWindow,
            needs=Resampled.resampled,
            wscheme=zounds.SampleRate(frequency=zounds.Milliseconds(250), duration=zounds.Milliseconds(500)),
            wfunc=zounds.OggVorbisWindowingFunc(),
            store=True,
        )

    synth = zounds.SineSynthesizer(zounds.SR44100())
    samples = synth.synthesize(zounds.Seconds(5), [220.0, 440.0, 880.0])

    # process the audio, and fetch features from our in-memory store
    _id = Sound.process(meta=samples.encode())
    sound = Sound(_id)

    assert repr(sound.windowed.dimensions[0]) == "TimeDimension(f=0.250068024879, d=0.500045346811)"
    assert repr(sound.windowed.dimensions[1]) == "TimeDimension(f=9.0702947e-05, d=9.0702947e-05)"
    assert sound.windowed.shape == (19, 5513)
    window = np.ones(5513) * zounds.OggVorbisWindowingFunc()
    assert np.allclose(sound.windowed[1], np.asarray(sound.resampled)[2757 : 2757 + 5513] * window, atol=1e-6)


def test_fft_synthesizer():
    STFT = zounds.stft(resample_to=zounds.SR11025(), store_fft=True)

    @zounds.simple_in_memory_settings
    class Sound(STFT):
        pass

    # produce some additive sine waves
    sine_synth = zounds.SineSynthesizer(zounds.SR22050())
    samples = sine_synth.synthesize(zounds.Seconds(4), freqs_in_hz=[220, 400, 880])

    # process the sound, including a short-time fourier transform feature
    _id = Sound.process(meta=samples.encode())
    snd = Sound(_id)

    # invert the frequency-domain feature to reover the original audio
    fft_synth = zounds.FFTSynthesizer()
    recon = fft_synth.synthesize(snd.fft)
    assert recon.__class__.__name__ == "AudioSamples"  # AudioSamples instance with reconstructed audio
    assert len(recon) == len(snd.resampled) == 44100
    assert recon.samplerate.__class__.__name__ == "SR11025"
    inside = slice(512, -512)  # the first and last half window are covered once only
    assert snr_db(snd.resampled[inside], recon[inside]) >= 120


def test_the_sound_of_the_learning_pipeline(folders):
    samplerate = zounds.SR44100()
    STFT = zounds.stft(resample_to=samplerate)

    @zounds.simple_in_memory_settings
    class Sound(STFT):
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, samplerate=samplerate, needs=STFT.fft, store=True)

    # apply the Sound processing graph to individual audio files
    for metadata in zounds.Directory(folders[0]):
        Sound.process(meta=metadata)

    snd = choice(list(Sound))
    # frames of 2 x 512 samples at 44.1 kHz, and the default of 100 bands
    assert snd.bark.shape == (len(snd.windowed), 100)
    assert isinstance(snd.bark.dimensions[0], zounds.TimeDimension)
    assert isinstance(snd.bark.dimensions[1].scale, zounds.BarkScale)
    assert [len(snd.bark) for snd in Sound] == [len(snd.fft) for snd in Sound]


def test_composite_dataset(folders, tmp_path):
    @zounds.simple_lmdb_settings(str(tmp_path / "sounds"), map_size=1e10, user_supplied_id=True)
    class Sound(zounds.stft(resample_to=zounds.SR11025(), store_fft=True)):
        pass

    dataset1 = zounds.Directory(folders[0])
    dataset2 = zounds.Directory(folders[1])
    composite = zounds.CompositeDataset(dataset1, dataset2)
    report = zounds.ingest(composite, Sound)  # ingest data from both datasets
    assert (len(report.processed), report.failed) == (3, [])
    assert sorted(snd._id for snd in Sound) == sorted(item.uri for item in composite)


@pytest.mark.parametrize(
    ("graph", "names"),
    [
        (zounds.resampled(resample_to=zounds.SR11025()), ["meta", "raw", "ogg", "pcm", "resampled"]),
        (
            zounds.windowed(zounds.HalfLapped(), resample_to=zounds.SR11025()),
            ["meta", "raw", "ogg", "pcm", "resampled", "windowed"],
        ),
        (
            zounds.stft(resample_to=zounds.SR11025()),
            ["meta", "raw", "ogg", "pcm", "resampled", "windowed", "fft"],
        ),
    ],
)
def test_the_ready_made_graphs_have_the_documented_features(graph, names):
    @zounds.simple_in_memory_settings
    class Sound(graph):
        pass

    assert list(Sound.features) == names
    snd = Sound(Sound.process(meta=zounds.NoiseSynthesizer(zounds.SR22050()).synthesize(zounds.Seconds(1)).encode()))
    assert snd.meta["samplerate"] == 22050
    assert snd.ogg[zounds.TimeSlice(zounds.Seconds(1))].shape == (22050,)
    assert b"".join(snd.raw)[:4] == b"RIFF"
    assert (snd.pcm.samplerate.__class__.__name__, snd.resampled.samplerate.__class__.__name__) == (
        "SR22050",
        "SR11025",
    )


def test_the_names_that_the_examples_use_are_at_the_top_level():
    for name in (
        "ArrayWithUnits", "ArrayWithUnitsFeature", "AudioMetaData", "AudioMetaDataEncoder", "AudioSamples",
        "AudioSamplesFeature", "AudioStream", "AWeighting", "BarkBands", "ChunkSizeBytes", "CompositeDataset",
        "Directory", "FFT", "FFTSynthesizer", "FrequencyBand", "FrequencyDimension", "FrequencyWeighting",
        "GeometricScale", "HalfLapped", "Hours", "IdentityDimension", "LinearScale", "MetaData", "Microseconds",
        "Milliseconds", "Minutes", "NoiseSynthesizer", "OggVorbis", "OggVorbisFeature", "OggVorbisWindowingFunc",
        "Resampler", "SR11025", "SR22050", "SR44100", "SR48000", "SR96000", "SampleRate", "Seconds",
        "SilenceSynthesizer", "SineSynthesizer", "SlidingWindow", "TickSynthesizer", "TimeDimension", "TimeSlice",
        "WindowingFunc", "ingest", "resampled", "simple_in_memory_settings", "simple_lmdb_settings", "stft", "windowed",
    ):  # fmt: skip
        assert getattr(zounds, name).__name__ == name
    for path in ("spectral.fft", "spectral.stft", "timeseries.AudioSamples", "soundfile.AudioMetaData"):
        room, name = path.split(".")
        assert getattr(getattr(zounds, room), name)
    for name in ("BaseModel", "ByteStream", "ByteStreamFeature", "IteratorNode", "JSONFeature", "PickleFeature"):
        assert getattr(ff, name).__name__ == name


def test_audio_samples_and_a_file(tmp_path):
    # what the tutorial pages do with a recording of one's own
    path = write(tmp_path / "tone.wav", sine(440.0, 3.0, 22050), 22050)
    samples = zounds.AudioSamples.from_file(str(path))
    assert (samples.samples_per_second, samples.channels) == (22050, 1)
    assert samples[zounds.TimeSlice(zounds.Seconds(2))].shape == (44100,)
    spectra = zounds.spectral.stft(samples, zounds.HalfLapped(), zounds.OggVorbisWindowingFunc())
    loudest = np.asarray(abs(spectra)).mean(axis=0).argmax()
    band = spectra.dimensions[1].scale[int(loudest)]
    assert abs(band.center_frequency - 440) < 22050 / 512
