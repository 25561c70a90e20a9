"""Samples of audio."""

import io
import wave

import numpy as np
import pytest
import soundfile
from hypothesis import given, strategies as st

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DecodeError, DimensionError, SampleRateError, UnsupportedCodec
from zounds_lite.timeseries import (
    SR8000,
    SR11025,
    SR16000,
    SR22050,
    SR44100,
    SR48000,
    AudioSampleRate,
    AudioSamples,
    HalfLapped,
    Milliseconds,
    SampleRate,
    Seconds,
    TimeDimension,
    TimeSlice,
)

ID = IdentityDimension()


def noise(n=1000, channels=1, rate=None, dtype=np.float32):
    shape = n if channels == 1 else (n, channels)
    data = np.random.default_rng(0).uniform(-1, 1, shape).astype(dtype)
    return AudioSamples(data, rate or SR8000())


def test_what_it_knows_of_itself():
    x = noise(44100 * 2, 2, SR44100())
    assert (x.samples_per_second, x.samplerate, x.channels, x.duration_in_seconds) == (44100, SR44100(), 2, 2.0)
    assert (x.frequency, x.duration, x.overlap) == (SR44100().frequency, SR44100().frequency, Seconds(0))
    assert (x.end, x.span) == (Seconds(2), TimeSlice(Seconds(2)))
    assert noise().channels == 1
    assert x.dimensions == (TimeDimension(*SR44100()), ID)
    assert AudioSamples(np.zeros(5), AudioSampleRate(41100)).samplerate.rate == 41100
    assert repr(AudioSamples(np.zeros(2), SR8000())) == "AudioSamples([0., 0.])"


def test_what_it_refuses():
    with pytest.raises(ValueError, match="shape .2, 2, 2."):
        AudioSamples(np.zeros((2, 2, 2)), SR8000())
    with pytest.raises(ValueError, match="shape .."):
        AudioSamples(np.float32(1), SR8000())
    for channels in (0, 65):
        with pytest.raises(DimensionError, match=f"has {channels} channels; allowed: 1 to 64"):
            AudioSamples(np.zeros((2, channels)), SR8000())
    assert AudioSamples(np.zeros((2, 64)), SR8000()).channels == 64
    for rate in (44100, SampleRate(*SR44100()), None):
        with pytest.raises(TypeError, match="no audio rate"):
            AudioSamples(np.zeros(3), rate)
        with pytest.raises(TypeError, match="no audio rate"):
            AudioSamples.silence(rate, Seconds(1))


# --- the class of results -------------------------------------------------------------------------------------------


def test_what_is_still_audio_stays_audio():
    mono, stereo = noise(), noise(channels=2)
    audio = [
        mono[TimeSlice(Milliseconds(10))], mono[3:7], mono * 2, mono + mono, 1 - mono, np.abs(mono), mono > 0,
        mono.copy(),
        stereo[:, 0], stereo[:, :1], stereo[10:], stereo.sum(axis=1), stereo.mean(axis=1),
        stereo[:, [1, 0]], stereo.mono,
        np.concatenate([mono, mono]), np.clip(mono, -0.5, 0.5), mono.astype(np.float64), np.zeros_like(mono),
        mono.zeros_like(), AudioSamples.zeros(stereo), AudioSamples.concat([mono, mono]), mono.concatenate(mono),
    ]  # fmt: skip
    for x in audio:
        assert type(x) is AudioSamples
        assert x.samplerate == SR8000()


def test_what_is_no_longer_audio_is_an_array_with_units():
    mono, stereo = noise(), noise(channels=2)
    others = [
        mono[None], mono[::2], mono[::-1], mono[[1, 2]], stereo[0], stereo.T, stereo.sum(axis=0), mono.reshape(10, 100),
        np.sort(mono), stereo @ np.ones((2, 65)), mono.sliding_window(HalfLapped()),
    ]  # fmt: skip
    for x in others:
        assert type(x) is ArrayWithUnits
        assert len(x.dimensions) == x.ndim
    assert mono[None].dimensions == (ID, TimeDimension(*SR8000()))
    assert type(mono[5]) is np.float32
    assert isinstance(mono.sum(), np.float32)
    assert type(mono[np.asarray(mono) > 0]) is np.ndarray


def test_rates_must_agree():
    a, b = noise(), noise(rate=SR16000())
    for combine in (lambda: a + b, lambda: a * b, lambda: np.subtract(a, b), lambda: AudioSamples.concat([a, b])):
        with pytest.raises(SampleRateError, match=r"SR8000.*SR16000.*resample"):
            combine()
    with pytest.raises(ValueError, match="cannot be combined"):
        a.concatenate(b)
    x = a.copy()
    with pytest.raises(SampleRateError):
        x += b
    assert type(a + np.ones(1000, np.float32)) is AudioSamples


def test_from_example():
    x = AudioSamples.from_example(np.ones(5), noise())
    assert (type(x), x.samplerate, len(x)) == (AudioSamples, SR8000(), 5)
    assert AudioSamples(np.ones(3), **noise().kwargs()).samplerate == SR8000()
    assert type(ArrayWithUnits.from_example(np.ones(3), noise())) is ArrayWithUnits
    with pytest.raises(TypeError, match="no audio rate"):
        AudioSamples.from_example(np.ones(5), ArrayWithUnits(np.ones(5), [ID]))


# --- channels -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [2, 3, 6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mono_is_the_mean(channels, dtype):
    ones = AudioSamples(np.ones((5, channels), dtype), SR8000()).mono
    assert ones.dtype == dtype
    assert np.array_equal(ones, np.ones(5))
    x = noise(channels=channels, dtype=dtype)
    before = np.array(x)
    np.testing.assert_allclose(x.mono, np.asarray(x).mean(axis=1), rtol=0, atol=1e-6)
    assert np.array_equal(x, before)


def test_mono_of_mono_and_of_integers():
    x = noise()
    assert x.mono is x
    assert noise().mono[:, None].shape == (1000, 1)
    one = AudioSamples(np.ones((4, 1)), SR8000()).mono
    assert (one.shape, type(one)) == ((4,), AudioSamples)
    assert AudioSamples(np.full((2, 2), 32767, np.int16), SR8000()).mono.tolist() == [32767.0, 32767.0]


def test_stereo():
    x = noise()
    assert x.stereo.shape == (1000, 2)
    assert np.array_equal(x.stereo[:, 0], x) and np.array_equal(x.stereo[:, 1], x)
    both = noise(channels=2)
    assert both.stereo is both
    assert np.array_equal(noise(channels=3).stereo[:, 0], noise(channels=3).mono)


# --- silence --------------------------------------------------------------------------------------------------------


def test_silence_is_zeros():
    x = AudioSamples.silence(SR44100(), Seconds(10))
    assert (x.shape, x.dtype, x.any()) == ((441000,), np.float32, False)
    assert AudioSamples.silence(SR8000(), Seconds(1), np.float64, 2).shape == (8000, 2)
    assert AudioSamples.silence(SR8000(), Milliseconds(0.3)).shape == (2,)
    assert len(AudioSamples.silence(SR8000(), Seconds(0))) == 0
    like = noise(channels=2).silence_like(Seconds(1))
    assert (like.shape, like.dtype, like.any()) == ((8000, 2), np.float32, False)


@pytest.mark.parametrize("channels", [1, 2])
def test_padding_with_silence(channels):
    x = noise(channels=channels)
    padded = x.pad_with_silence()
    assert (len(padded), padded.dtype, type(padded)) == (9000, np.float32, AudioSamples)
    assert np.array_equal(padded[:1000], x)
    assert not padded[1000:].any()
    assert len(x.pad_with_silence(Milliseconds(500))) == 5000


# --- windows --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [SR11025(), SR22050(), SR44100(), SR48000()])
def test_windows_of_a_scheme(rate):
    x = noise(10 * 2048, rate=rate)
    hop, window = HalfLapped().discrete_samples(x)
    windows = x.sliding_window(HalfLapped())
    assert windows.shape[1] == window == 2 * hop
    assert windows.dimensions[0] == TimeDimension.windowed(hop, window, rate.rate)
    assert windows.dimensions[1] == x.dimensions[0]
    for k in range(len(windows) - 1):
        np.testing.assert_array_equal(windows[k], np.asarray(x)[k * hop : k * hop + window])
    requested = rate.half_lapped()
    assert x.sliding_window(requested).dimensions[0].samplerate == requested


def test_windows_without_padding_and_with_channels():
    x = noise(1000, 2)
    scheme = SR8000().windowing_scheme(256, 100)
    assert x.sliding_window(scheme).shape == (9, 256, 2)
    short = x.sliding_window(scheme, padding=False)
    assert short.shape == (8, 256, 2)
    assert short.dimensions[2] == ID
    assert noise(100).sliding_window(scheme, padding=False).shape == (0, 256)
    assert noise(100).sliding_window(scheme).shape == (1, 256)
    assert noise(100).sliding_window(10).shape == (10, 10)
    assert noise(100).sliding_window(10, 5).shape == (19, 10)


# --- rates and files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 2])
def test_resampling_keeps_a_tone_at_its_frequency(channels):
    t = np.arange(44100) / 44100
    tone = np.sin(2 * np.pi * 440 * t).astype(np.float32)
    x = AudioSamples(tone if channels == 1 else np.stack([tone, -tone], axis=1), SR44100())
    for rate in (SR11025(), 11025):
        y = x.resample(rate)
        assert (y.samplerate, y.shape[0], y.dtype, y.channels) == (SR11025(), 11025, np.float32, channels)
        first = np.asarray(y if channels == 1 else y[:, 0])
        assert np.argmax(np.abs(np.fft.rfft(first))) == 440
        expected = np.sin(2 * np.pi * 440 * np.arange(11025) / 11025)
        np.testing.assert_allclose(first[500:-500], expected[500:-500], atol=1e-4)
    assert x.resample(SR44100()) is x


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_float_files_come_back_bit_exact(tmp_path, channels):
    x = noise(5000, channels, AudioSampleRate(41100))
    x.save(tmp_path / "x.wav", subtype="FLOAT")
    again = AudioSamples.from_file(tmp_path / "x.wav")
    assert (again.samplerate.rate, again.dtype, again.shape) == (41100, np.float32, x.shape)
    np.testing.assert_array_equal(again, x)
    with open(tmp_path / "x.wav", "rb") as file:
        np.testing.assert_array_equal(AudioSamples.from_file(file), x)
    np.testing.assert_array_equal(AudioSamples.from_file((tmp_path / "x.wav").read_bytes()), x)


def test_pcm_files_are_read_by_others_and_within_a_step(tmp_path):
    x = noise(5000, 2)
    x.save(tmp_path / "x.wav")
    with wave.open(str(tmp_path / "x.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth(), file.getnframes()) == (2, 8000, 2, 5000)
        data = np.frombuffer(file.readframes(5000), "<i2").reshape(-1, 2)
    np.testing.assert_allclose(data / 32768, x, atol=1 / 32768)
    np.testing.assert_allclose(AudioSamples.from_file(tmp_path / "x.wav"), x, atol=1 / 32768)


@given(st.integers(0, 6000), st.one_of(st.none(), st.integers(0, 6000)))
def test_stretches_of_files_are_the_same_stretches_of_arrays(start, length):
    x = AudioSamples(np.arange(5000, dtype=np.float32) / 5000, SR11025())
    file = x.encode(subtype="FLOAT")
    begin = Milliseconds(start / 10)
    duration = None if length is None else Milliseconds(length / 10)
    found = AudioSamples.from_file(file, start=begin, duration=duration)
    np.testing.assert_array_equal(found, x[TimeSlice(duration, start=begin)])


def test_encoding_writes_where_asked_and_rewinds():
    x = noise(channels=2)
    out = io.BytesIO()
    assert x.encode(out) is out
    assert out.tell() == 0
    assert x.encode(fmt="OGG").read(4) == b"OggS"  # PCM_16 is no OGG: its own default is taken
    assert x.encode(fmt="FLAC").read(4) == b"fLaC"


def test_the_name_of_a_file_says_its_format(tmp_path):
    x = noise(8000)
    for name, head in (("a.flac", b"fLaC"), ("a.ogg", b"OggS"), ("a.wav", b"RIFF"), ("a.aif", b"FORM"), ("a", b"RIFF")):
        x.save(tmp_path / name)
        assert (tmp_path / name).read_bytes()[:4] == head
    x.save(str(tmp_path / "b.wav"), "FLAC")
    assert (tmp_path / "b.wav").read_bytes()[:4] == b"fLaC"


def test_what_is_no_audio_is_refused(tmp_path):
    (tmp_path / "x.wav").write_text("<html>")
    with pytest.raises(DecodeError):
        AudioSamples.from_file(tmp_path / "x.wav")
    with pytest.raises(FileNotFoundError):
        AudioSamples.from_file(tmp_path / "missing.wav")


def test_numpy_functions_refuse_to_mix_rates():
    a, b = noise(), noise(rate=SR16000())
    for combine in (
        lambda: np.where(a > 0, a, b),
        lambda: np.clip(a, b, None),
        lambda: np.concatenate([a, b]),
        lambda: np.stack([a, b], axis=1),
        lambda: np.hstack([a, b]),
    ):
        with pytest.raises(SampleRateError, match=r"cannot be combined.*resample"):
            combine()
    assert type(np.where(a * a >= 0)[0]) is np.ndarray  # positions, not sound


def test_audio_that_lost_its_units_still_adds_up():
    x = noise()
    x.shape = (10, 100)
    assert np.array_equal(x + x, np.asarray(x) * 2)
    words = noise().view(np.int16)
    assert np.array_equal(words + words, np.asarray(words) + np.asarray(words))


def test_windows_know_the_length_of_the_signal():
    x = noise()
    time = x.sliding_window(SR8000().half_lapped()).dimensions[0]
    assert (time.padding, time.n_samples) == (0, len(x))
    assert x.sliding_window(SR8000().half_lapped(), padding=False).dimensions[0].n_samples is None


@pytest.mark.parametrize(
    ("name", "fmt", "subtype"),
    [("a.opus", "OGG", "OPUS"), ("a.ogg", "OGG", "VORBIS"), ("a.aifc", "AIFF", "PCM_16"), ("a", "WAV", "PCM_16")],
)
def test_the_name_decides_what_is_written(tmp_path, name, fmt, subtype):
    noise().save(tmp_path / name)
    info = soundfile.info(str(tmp_path / name))
    assert (info.format, info.subtype) == (fmt, subtype)


def test_no_file_is_named_after_a_format_that_it_has_not(tmp_path):
    with pytest.raises(UnsupportedCodec, match=r"M4A.*allowed: WAV"):
        noise().save(tmp_path / "a.m4a")
    assert not list(tmp_path.iterdir())
