"""What the user documentation says of descriptors, bands, banks of filters and the graph of them all.

Only imports, prints and the source of the sound are changed.
"""

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import encoded, noise, sine


@pytest.fixture(scope="module")
def sound():
    @zounds.simple_in_memory_settings
    class Sound(zounds.audio_graph(resample_to=zounds.SR22050(), store_fft=True)):
        pass

    samples = zounds.SineSynthesizer(zounds.SR22050()).synthesize(zounds.Seconds(5), [220.0, 440.0, 880.0])
    return Sound(Sound.process(meta=samples.encode()))


def test_audio_graph(sound):
    assert list(type(sound).features) == [
        "meta", "raw", "ogg", "pcm", "resampled", "windowed", "fft", "dct", "bark", "centroid", "chroma", "bfcc",
    ]  # fmt: skip
    shapes = {"dct": (215, 1024), "bark": (215, 100), "centroid": (215,), "chroma": (215, 12), "bfcc": (215, 13)}
    for name, shape in shapes.items():
        feature = getattr(sound, name)
        assert feature.shape == shape
        assert feature.dimensions[0].frequency == np.timedelta64(23219954176, "ps")
        assert np.isfinite(np.asarray(feature)).all()
        assert type(sound).features[name].store
    assert sound.fft.shape == (215, 513)
    scale = sound.bark.dimensions[1].scale
    assert (type(scale), scale.start_hz, scale.stop_hz) == (zounds.BarkScale, 20, 11025)


def test_audio_graph_says_what_sounds(sound):
    inside = slice(1, -1)
    assert (np.asarray(sound.chroma)[inside].argmax(axis=1) == 0).all()
    # three tones of equal amplitude: their mean frequency is 513 Hz, and bands near them count too
    assert np.asarray(sound.centroid)[inside] == pytest.approx(513, abs=150)
    again = zounds.spectral.spectral_centroid(sound.bark)
    assert np.array_equal(sound.centroid, again)
    part = sound.centroid[zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(2))]
    assert part.shape == (45,)


def test_audio_graph_takes_a_scheme_of_windows_and_silence():
    @zounds.simple_in_memory_settings
    class Sound(
        zounds.audio_graph(
            resample_to=zounds.SR11025(),
            wscheme=zounds.SR11025().windowing_scheme(2048, 512),
            store_ogg=False,
            pad=True,
        )
    ):
        pass

    snd = Sound(Sound.process(meta=encoded(np.zeros(22050, np.float32), 22050)))
    for name in ("dct", "bark", "centroid", "chroma", "bfcc"):
        assert np.isfinite(np.asarray(getattr(snd, name))).all()
    assert snd.dct.shape[1] == 2048
    assert not np.asarray(snd.centroid).any() and not np.asarray(snd.chroma).any()


def test_spectral_centroid_is_the_weighted_mean_of_the_frequencies():
    # "the weighted mean of the frequencies present in the signal ... with their magnitudes as the weights"
    tf = zounds.spectral.stft(zounds.AudioSamples(noise(1.0, 11025), zounds.SR11025()))
    (centroid,) = zounds.SpectralCentroid().run([tf])
    magnitude, hz = np.abs(np.asarray(tf, np.complex128)), np.arange(257) * 11025 / 512
    assert np.allclose(centroid, (magnitude * hz).sum(axis=1) / magnitude.sum(axis=1), rtol=1e-6)
    (quiet,) = zounds.SpectralCentroid().run([tf * 0.5])
    assert np.allclose(quiet, centroid, rtol=1e-6)


def test_spectral_flatness_tells_noise_from_tones():
    # "a way to quantify how tone-like a sound is, as opposed to being noise-like"
    rate = zounds.SR11025()
    levels = []
    for mixture in (0.0, 0.1, 0.5, 1.0):
        x = (1 - mixture) * sine(440.0, 1.0, 11025) + mixture * noise(1.0, 11025)
        (flatness,) = zounds.SpectralFlatness().run([zounds.spectral.stft(zounds.AudioSamples(x, rate))])
        levels.append(float(np.asarray(flatness).mean()))
    assert levels == sorted(levels)
    assert 0 <= levels[0] < 0.05 and 0.8 < levels[-1] <= 1
    # "typically measured in decibels"
    tf = zounds.spectral.stft(zounds.AudioSamples(noise(1.0, 11025), rate))
    (db,) = zounds.SpectralFlatness(power=2.0, db=True).run([tf])
    assert ((np.asarray(db) < 0) & (np.asarray(db) > -6)).all()


def test_chroma():
    band, window = zounds.FrequencyBand(50, 5000), zounds.HanningWindowingFunc()
    tone = zounds.SineSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(2), [440.0])
    scheme = zounds.SR11025().windowing_scheme(4096, 2048)
    tf = zounds.spectral.stft(tone, scheme)
    (chroma,) = zounds.Chroma(band, window).run([tf])
    assert chroma.shape == (len(tf), 12)
    assert (np.asarray(chroma).argmax(axis=1) == 0).all()


def test_bark_bands():
    tf = zounds.spectral.stft(zounds.AudioSamples(noise(1.0, 44100), zounds.SR44100()))
    (bark,) = zounds.BarkBands(zounds.FrequencyBand(20, 22050)).run([tf])
    (by_rate,) = zounds.BarkBands(samplerate=zounds.SR44100()).run([tf])
    assert bark.shape == (len(tf), 100)
    assert np.array_equal(bark, by_rate)
    (bfcc,) = zounds.BFCC().run([bark])
    assert bfcc.shape == (len(tf), 13)


def test_morlet_filter_bank():
    scale = zounds.GeometricScale(100, 4000, 0.05, 20)
    bank = zounds.spectral.morlet_filter_bank(zounds.SR11025(), 512, scale, 0.25)
    # "an ArrayWithUnits instance with a TimeDimension and a FrequencyDimension"
    assert isinstance(bank, zounds.ArrayWithUnits)
    assert [type(dimension) for dimension in bank.dimensions] == [zounds.FrequencyDimension, zounds.TimeDimension]
    # "when true, ensure that each filter in the bank has unit norm"
    assert np.allclose(np.linalg.norm(np.asarray(bank), axis=1), 1, atol=1e-7)
    # "smaller numbers achieving better frequency resolution, and larger numbers better time resolution"
    spans = [
        np.abs(np.asarray(zounds.spectral.morlet_filter_bank(zounds.SR11025(), 512, scale, s))[10]).sum()
        for s in (0.1, 0.25, 0.5, 1.0)
    ]
    assert spans == sorted(spans, reverse=True)
    assert bank[zounds.FrequencyBand(900, 1100)].shape == (len(scale[zounds.FrequencyBand(900, 1100)]), 512)


def test_fir_filter_bank():
    scale = zounds.BarkScale(zounds.FrequencyBand(50, 5512), 24)
    bank = zounds.fir_filter_bank(scale, 512, zounds.SR11025(), zounds.HanningWindowingFunc())
    assert bank.shape == (24, 512)
    assert [type(dimension) for dimension in bank.dimensions] == [zounds.FrequencyDimension, zounds.TimeDimension]
    hz = np.abs(np.fft.rfft(np.asarray(bank), 1 << 14)).argmax(axis=1) * 11025 / (1 << 14)
    assert ((hz >= scale.band_starts) & (hz <= scale.band_stops)).all()


def test_rainbowgram():
    tf = zounds.spectral.stft(zounds.SineSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(1), [440.0]))
    picture = zounds.spectral.rainbowgram(tf, lambda hue: np.stack([hue, hue, 1 - hue, np.ones_like(hue)], axis=-1))
    assert picture.shape == (*tf.shape, 3)


def test_the_names_are_at_the_top_level():
    for name in (
        "AWeighting", "BFCC", "BarkBands", "Chroma", "ChromaScale", "SpectralCentroid", "SpectralFlatness",
        "audio_graph", "fir_filter_bank",
    ):  # fmt: skip
        assert getattr(zounds, name).__name__ == name
    for name in ("apply_scale", "fir_filter_bank", "morlet_filter_bank", "rainbowgram"):
        assert getattr(zounds.spectral, name).__name__ == name
