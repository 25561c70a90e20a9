"""What notebooks show of arrays: HTML that is read strictly, and whose sound is decoded again."""

import io
import re
import warnings

import numpy as np
import pytest

import zounds_lite as zounds
from tests.markup import read_html, sources
from zounds_lite.errors import UnsupportedCodec
from zounds_lite.visualization import figure_svg, players, to_html
from zounds_lite.visualization.players import clip_of, player_html

SR = zounds.SR22050()
HOSTILE = "<img src=x onerror=alert(1)> \"'&\0\ud800\u202e"


def tone(seconds=1.0, hz=440.0, gain=0.5):
    samples = gain * np.sin(2 * np.pi * hz * np.arange(int(seconds * 22_050)) / 22_050)
    return zounds.AudioSamples(samples.astype(np.float32), SR)


def heard(html):
    """Decode the one clip of a page."""
    (data,) = sources(read_html(html)[0], "audio")
    return zounds.AudioSamples.from_file(data)


def words(html):
    return read_html(html)[1]


@pytest.mark.parametrize("html", ["<img src=x>", "<div>", "<div onclick=a>", "a < b", '<audio src="http://x">', "</p>"])
def test_the_reader_of_these_tests_is_strict(html):
    with pytest.raises(AssertionError):
        read_html(html)


# --- sound --------------------------------------------------------------------------------------------------------


def test_audio_is_seen_and_heard():
    audio = tone(2.0)
    html = audio._repr_html_()
    assert figure_svg(audio) in html
    clip = heard(html)
    assert clip.samples_per_second == 22_050 and abs(len(clip) - len(audio)) <= 1
    error = np.asarray(clip[: len(audio)]) - np.asarray(audio)
    assert 10 * np.log10((error**2).mean() / (np.asarray(audio) ** 2).mean()) < -25
    assert "AudioSamples float32 (44100,): 44100 samples at 22050 Hz, 2 s" in words(html)
    assert "plays" not in words(html)


def test_the_start_of_a_long_recording_is_heard_and_all_of_it_is_seen():
    audio = np.concatenate([tone(31.0), 0 * tone(29.0)])
    html = zounds.AudioSamples(audio, SR)._repr_html_()
    assert heard(html).duration_in_seconds == pytest.approx(30.0, abs=0.01)
    assert "plays the first 30 of 60 s" in words(html)
    assert ">60</text>" in html


def test_an_hour_of_noise_stays_under_a_megabyte():
    # the loudest noise that there is compresses worst
    noise = np.frombuffer(np.random.default_rng(0).bytes(44_100 * 3600), np.int8)
    html = zounds.AudioSamples(noise, zounds.SR44100())._repr_html_()
    read_html(html)
    assert heard(html).duration_in_seconds > 5
    assert re.search(r"plays the first [\d.]+ of 3,600 s", words(html))


def test_an_hour_of_spectrum_stays_under_a_megabyte():
    rng = np.random.default_rng(0)
    rows = np.broadcast_to(rng.random((1, 257), np.float32), (155_000, 257))
    time = zounds.TimeDimension.windowed(1024, 2048, 44_100)
    read_html(zounds.ArrayWithUnits(rows, [time, None])._repr_html_())


def test_what_is_not_finite_is_silent_and_counted():
    audio = tone()
    audio[100:103] = [np.nan, np.inf, -np.inf]
    html = audio._repr_html_()
    assert np.isfinite(heard(html)).all()
    assert "3 samples that are not finite played as silence" in words(html)
    one = np.array([np.nan, *np.zeros(99)])
    assert "1 sample that is not finite" in words(zounds.AudioSamples(one, SR)._repr_html_())


def test_what_is_too_loud_is_turned_down():
    html = tone(gain=4.0)._repr_html_()
    assert "turned down by 12 dB to full scale" in words(html)
    assert np.abs(heard(html)).max() < 1.1
    assert "turned down" not in words(tone(gain=1.04)._repr_html_()), "by less than can be heard"


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.float16, np.float64])
def test_samples_of_any_kind_are_heard_at_their_level(dtype):
    full = np.iinfo(dtype).max if np.dtype(dtype).kind == "i" else 1
    audio = zounds.AudioSamples((np.asarray(tone(), np.float64) * full).astype(dtype), SR)
    assert np.abs(heard(audio._repr_html_())).max() == pytest.approx(0.5, abs=0.05)


def test_stereo_stays_and_more_channels_are_mixed():
    assert heard(tone().stereo._repr_html_()).channels == 2
    html = zounds.AudioSamples(np.repeat(np.asarray(tone())[:, None], 5, axis=1), SR)._repr_html_()
    assert heard(html).channels == 1 and "5 channels mixed to one" in words(html)


@pytest.mark.parametrize(
    ("samples", "rate", "said"),
    [
        (np.zeros(0), 8000, "no sound to play"),
        (np.ones(9, bool), 8000, "no sound to play"),
        (np.ones(9), 100, "browsers play 3000 to 384000 Hz"),
        (np.ones(9), 500_000, "browsers play 3000 to 384000 Hz"),
    ],
)
def test_what_cannot_be_played_says_so(samples, rate, said):
    html = zounds.AudioSamples(samples, zounds.audio_sample_rate(rate))._repr_html_()
    assert said in words(html) and "<audio" not in html


@pytest.mark.parametrize("rate", [3000, 41_100, 192_000, 250_000])
def test_unusual_rates_are_heard(rate):
    audio = zounds.AudioSamples(np.sin(np.arange(rate) / 20), zounds.audio_sample_rate(rate))
    assert heard(audio._repr_html_()).samples_per_second == rate


def test_blocks_are_short_enough_for_the_encoder(monkeypatch):
    blocks = []
    write = players.Encoder.write
    monkeypatch.setattr(players.Encoder, "write", lambda self, x: (blocks.append(len(x)), write(self, x))[1])
    clip_of(zounds.AudioSamples(np.zeros(400_000, np.float32), zounds.audio_sample_rate(192_000)))
    assert max(blocks) <= 65_536 and sum(blocks) == 400_000


def test_without_ogg_it_is_a_wave_file_of_the_same_size(monkeypatch):
    class NoOgg(players.Encoder):
        def __init__(self, out, rate, channels, fmt, *others):
            if fmt == "OGG":
                raise UnsupportedCodec("no Ogg here")
            super().__init__(out, rate, channels, fmt, *others)

    monkeypatch.setattr(players, "Encoder", NoOgg)
    clip = clip_of(tone(20.0))
    assert clip.media_type == "audio/wav" and clip.data[:4] == b"RIFF"
    assert len(clip.data) <= players.MOST_BYTES + 2 * 22_050 + 100
    assert clip.remarks[0].startswith("plays the first 1") and heard(player_html(clip)).max() == pytest.approx(
        0.5, abs=1e-3
    )


def test_stored_ogg_is_heard_without_decoding_the_rest():
    ogg = zounds.OggVorbisWrapper(io.BytesIO(tone(40.0).encode(fmt="OGG").read()))
    html = ogg._repr_html_()
    assert heard(html).duration_in_seconds == pytest.approx(30, abs=0.01)
    assert "plays the first 30 of 40 s" in words(html) and "OggVorbisWrapper(22050 Hz" in words(html)


def test_samples_that_lost_their_rate_are_seen_and_not_heard():
    samples = tone()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from numpy 2.5 on
        samples.shape = (11_025, 2)
    html = samples._repr_html_()
    assert "<svg" in html and not sources(read_html(html)[0], "audio")


def test_a_damaged_recording_says_so():
    data = bytearray(zounds.AudioSamples(np.random.default_rng(0).normal(0, 0.1, 99_999), SR).encode(fmt="OGG").read())
    data[8_000:20_000] = bytes(12_000)
    html = zounds.OggVorbisWrapper(bytes(data))._repr_html_()
    assert "no player: " in words(html) and "is cut short or damaged" in words(html)
    read_html(html)


# --- everything else ----------------------------------------------------------------------------------------------


def test_spectra_are_figures_with_their_units():
    spectrum = zounds.spectral.stft(tone())
    html = spectrum._repr_html_()
    assert figure_svg(spectrum) in html and "<audio" not in html
    assert "frequency / Hz" in words(html) and "513 FFT bands" in words(html)


@pytest.mark.parametrize("value", [np.zeros((2, 2, 2)), np.array(1.0), np.array(["a"]), "text", None])
def test_what_has_no_picture_is_text(value):
    html = to_html(value)
    assert html.startswith("<pre>") and words(html) == repr(value)


def test_nothing_in_a_value_is_markup():
    for value in (HOSTILE, {HOSTILE: [HOSTILE]}, np.array([HOSTILE.replace("\ud800", "")])):
        to_html(value).encode("utf-8")
        assert "&lt;img src=x onerror=alert(1)&gt;" in to_html(value)
        read_html(to_html(value))


def test_long_texts_are_cut():
    html = to_html("x" * 10_000_000)
    assert len(html) < 21_000 and "..." in html
