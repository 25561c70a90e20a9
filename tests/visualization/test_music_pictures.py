"""Pictures of recordings: what lies where, for every length, rate and kind."""

import tracemalloc

import numpy as np
import pytest

from tests.visualization.test_png import read_png
from zounds_lite import AudioSampleRate, AudioSamples, FrequencyBand
from zounds_lite.errors import DeclarationError, DimensionError, EmptyAudio, NonFiniteAudio
from zounds_lite.visualization.layouts import MusicPicture, centre_out, pixels_of
from zounds_lite.visualization.layouts.levels import bands_of, levels
from zounds_lite.visualization.layouts.sound import Sound

RATE = 11025
KINDS = pytest.mark.parametrize("kind", MusicPicture.kinds)
TILED = pytest.mark.parametrize("kind", ["tiles", "quadtree", "hilbert"])


def audio(array, rate=RATE):
    return AudioSamples(array, AudioSampleRate(rate))


def tone(hz, seconds=1.0, rate=RATE, level=0.5):
    return audio((level * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32), rate)


def noise(seconds=1.0, rate=RATE):
    return audio(np.random.default_rng(0).uniform(-0.5, 0.5, int(seconds * rate)).astype(np.float32), rate)


def joined(*parts):
    return audio(np.concatenate([np.asarray(part) for part in parts]), parts[0].samples_per_second)


def check(picture, kind, size):
    assert picture.shape == ((size, size, 3) if kind == "colour" else (size, size))
    assert picture.dtype == np.float32 and picture.flags.c_contiguous
    assert np.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1


@KINDS
@pytest.mark.parametrize("size", [224, 225, 97, 16])
def test_sizes_are_exact(kind, size):
    check(MusicPicture(kind, size)(noise()), kind, size)


@KINDS
def test_any_recording_has_a_picture(kind):
    for samples in (
        audio(np.zeros(1, np.float32)),
        audio(np.ones(1, np.float64)),
        noise(0.02),
        noise(3, 100),
        noise(1.5, 41100),
        noise(0.5, 96000),
        audio(np.stack([noise(), -0.5 * noise(), noise()], axis=1)),
        audio((np.asarray(noise()) * 2**15).astype(np.int16)),
        audio(np.asarray(noise()) * np.float32(1e30)),
        audio(np.asarray(noise(), np.float64) * 1e-300),
    ):
        check(MusicPicture(kind, 48)(samples), kind, 48)


@KINDS
def test_a_single_pixel_is_a_picture_too(kind):
    check(MusicPicture(kind, 1, grid=1)(noise()), kind, 1)


@KINDS
def test_ten_minutes_take_little_memory(kind):
    samples = audio(np.tile(np.asarray(noise(10, 8000)), 60), 8000)
    tracemalloc.start()
    picture = MusicPicture(kind, white_db=0)(samples)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    check(picture, kind, 224)
    assert peak < samples.nbytes + 2**24  # the first pass reads a million samples at a time, in double precision


@KINDS
def test_silence_is_black_and_only_like_itself(kind):
    picture = MusicPicture(kind, 50)(audio(np.zeros(RATE, np.float32)))
    if kind in ("waveform", "histogram"):
        assert (picture.sum(axis=0) == 1).all() and (picture[24:26].sum(axis=0) == 1).all()
    else:
        assert (picture == (kind == "self_similarity")).all()


def test_volume_does_not_matter_until_there_is_only_noise():
    loud = MusicPicture("mel", 64)(noise())
    np.testing.assert_allclose(MusicPicture("mel", 64)(audio(np.asarray(noise()) * 1e-3)), loud, atol=1e-5)
    # 20 dB below what a recording may have are 20 / 80 darker
    quiet = MusicPicture("mel", 64)(audio(np.asarray(tone(500, level=1.0)) * 1e-5))
    assert quiet.max() == pytest.approx(1 - 20 / 80, abs=1e-3)


@pytest.mark.parametrize("kind", ["mel", "spectrogram", "perceptual", "tiles"])
def test_a_fixed_white_keeps_loud_and_quiet_apart(kind):
    # A-weighting of 440 Hz is -4 dB
    weight = 4 if kind in ("perceptual", "tiles") else 0
    for db in (-10, -30):
        samples = tone(437.5, rate=16000, level=10 ** (db / 20))
        found = MusicPicture(kind, 224, grid=1, white_db=0.0)(samples).max()
        assert found == pytest.approx(1 + (db - weight) / 80, abs=3 / 80)


@pytest.mark.parametrize("rate", [11025, 41100])
@pytest.mark.parametrize("hz", [300.0, 1000.0, 4000.0])
def test_a_tone_lies_in_the_row_of_its_frequency(hz, rate):
    samples = tone(hz, rate=rate)
    rows = MusicPicture("spectrogram")(samples).mean(axis=1)
    assert np.argmax(rows) == pytest.approx(224 * (1 - hz / (rate / 2)), abs=1.5)
    bands = bands_of(Sound(samples), 24, 50, 8000).hz
    band = np.argmin(np.abs(bands - hz))
    for kind in ("mel", "perceptual"):
        rows = MusicPicture(kind)(samples).mean(axis=1)
        assert np.argmax(rows) == pytest.approx(224 * (1 - (band + 0.5) / 24), abs=5)


def test_low_frequencies_are_at_the_bottom_and_in_the_middle():
    low, high = tone(100), tone(4500)
    for kind in ("spectrogram", "mel", "perceptual", "colour"):
        rows = [MusicPicture(kind)(samples).reshape(224, -1).mean(axis=1) for samples in (low, high)]
        assert np.argmax(rows[0]) > 190 and np.argmax(rows[1]) < 60
    rows = [MusicPicture("centred")(samples).mean(axis=1) for samples in (low, high)]
    assert abs(np.argmax(rows[0]) - 112) < 15 and abs(np.argmax(rows[1]) - 112) > 80


@pytest.mark.parametrize("kind", ["waveform", "spectrogram", "mel", "perceptual", "centred", "colour"])
def test_time_runs_to_the_right(kind):
    picture = MusicPicture(kind, 100)(joined(audio(np.zeros(RATE)), noise())).reshape(100, 100, -1)
    columns = picture.mean(axis=(0, 2))
    # a frame at the border holds some of both
    assert columns[55:].min() > 5 * columns[:45].max()


@TILED
def test_each_stretch_of_time_is_in_the_tile_of_its_rank(kind):
    from zounds_lite.visualization.layouts import hilbert_order, quadtree_order, reading_order

    order = {"tiles": reading_order, "quadtree": quadtree_order, "hilbert": hilbert_order}[kind](4)
    for rank in (0, 3, 9, 15):
        samples = np.zeros(16 * RATE, np.float32)
        samples[rank * RATE : (rank + 1) * RATE] = noise()
        picture = MusicPicture(kind, 64, grid=4)(audio(samples))
        tiles = picture.reshape(4, 16, 4, 16).mean(axis=(1, 3))
        assert order[np.unravel_index(np.argmax(tiles), (4, 4))] == rank


@TILED
def test_a_grid_that_does_not_divide_the_size_and_one_of_pixels(kind):
    check(MusicPicture(kind, 50, grid=16)(noise()), kind, 50)
    check(MusicPicture(kind, 16, grid=16)(noise()), kind, 16)
    if kind != "hilbert":
        check(MusicPicture(kind, 224, grid=28)(noise()), kind, 224)


def test_an_exponent_of_two_doubles_the_range_of_levels():
    power, sound = np.array([[1.0, 0.1, 1e-3, 1e-5]]), Sound(noise())
    np.testing.assert_allclose(levels(power, sound, None, 80), [[1, 7 / 8, 5 / 8, 3 / 8]], atol=1e-9)
    np.testing.assert_allclose(levels(power, sound, None, 80, exponent=2), [[1, 6 / 8, 2 / 8, 0]], atol=1e-9)
    fading = joined(noise(), audio(0.1 * np.asarray(noise())))
    for exponent in (1, 2):
        upper, lower = MusicPicture("tiles", 64, grid=2, exponent=exponent)(fading).reshape(2, -1).mean(axis=1)
        assert upper - lower == pytest.approx(exponent * 20 / 80, abs=0.02)


def ticks(bpm, seconds, rate=RATE):
    samples = np.zeros(int(seconds * rate), np.float32)
    for at in np.arange(0, seconds, 60 / bpm):
        start = int(at * rate)
        part = samples[start : start + 500]
        part += (np.asarray(noise())[:500] * np.exp(-np.arange(500) / 80))[: len(part)]
    return audio(samples, rate)


@pytest.mark.parametrize("bpm", [90, 128])
def test_the_tempo_is_that_of_the_ticks(bpm):
    assert Sound(ticks(bpm, 20)).tempo == pytest.approx(bpm, rel=0.01)
    assert Sound(audio(np.zeros(RATE))).tempo == 0


@pytest.mark.parametrize("tempo", [None, 120.0])
def test_beats_lie_below_each_other_in_wrapped_rows(tempo):
    picture = MusicPicture("wrapped", tempo=tempo)(ticks(120, 32))  # 64 beats: 8 rows of 28 pixels and 8 beats
    columns = picture.reshape(8, 28, 224).mean(axis=1)
    for row in columns:
        assert np.corrcoef(row, columns.mean(axis=0))[0, 1] > 0.9
    spectrum = np.abs(np.fft.rfft(columns.mean(axis=0) - columns.mean()))
    assert np.argmax(spectrum) == 8


def test_wrapped_rows_fill_the_picture_when_they_do_not_divide_it():
    picture = MusicPicture("wrapped", 224, tempo=120.0)(ticks(120, 200))  # rows of 12 pixels, 18 of them: 216
    assert picture[216:].max() > 0.3


def test_a_section_that_comes_back_is_like_the_first():
    first, other = tone(300, 2), joined(noise(2))
    picture = MusicPicture("self_similarity", 60)(joined(first, other, first))
    np.testing.assert_array_equal(picture[::-1].T, picture[::-1])
    assert (np.diag(picture[::-1]) == 1).all()
    inner = [slice(4, 16), slice(24, 36), slice(44, 56)]
    upward = picture[::-1]  # time upwards, too
    assert upward[inner[0], inner[2]].mean() > 0.9 and upward[inner[0], inner[1]].mean() < 0.1
    steady = MusicPicture("self_similarity", 60)(tone(300, 2))
    assert steady[5:-5, 5:-5].min() > 0.95, "what hardly changes is not made to differ"


def test_the_histogram_has_full_scale_at_the_top():
    picture = MusicPicture("histogram", 20)(audio(np.full(RATE, 0.93, np.float32)))
    assert (picture[0] == 1).all() and picture.sum() == 20
    whole = audio(np.full(RATE, -(2**15), np.int16))
    assert (MusicPicture("histogram", 20)(whole)[-1] == 1).all()


def test_the_waveform_spans_the_lowest_and_the_highest_sample():
    samples = np.zeros(100, np.float32)
    samples[[10, 11]] = 0.75, -0.25
    picture = MusicPicture("waveform", 8)(audio(samples))
    assert picture[:, 0].tolist() == [0, 1, 1, 1, 1, 1, 0, 0]
    assert picture[:, 4].tolist() == [0, 0, 0, 0, 1, 0, 0, 0]


def hue_and_saturation(samples, **options):
    import colorsys

    picture = MusicPicture("colour", 40, lightness="power", **options)(samples)
    hue, _, saturation = colorsys.rgb_to_hls(*picture[20, 20])
    return hue, saturation


def test_colours_say_how_bright_and_how_noisy_a_sound_is():
    loud_and_soft = [joined(sound, audio(0.01 * np.asarray(sound))) for sound in (tone(200), tone(3000), noise())]
    pictures = [MusicPicture("colour", 40, saturation="power", lightness="flatness")(sound) for sound in loud_and_soft]
    assert pictures[2].mean() > 2 * pictures[0].mean()
    low, high = (
        hue_and_saturation(joined(sound, tone(500, 0.2, level=1.0)), hue="centroid", saturation="flatness")
        for sound in (tone(200), tone(3000))
    )
    assert low[0] < high[0]


@pytest.mark.parametrize("feature", ["centroid", "spread", "rolloff", "flatness", "power", "magnitude"])
def test_every_feature_can_be_every_colour(feature):
    for place in ("hue", "saturation", "lightness"):
        check(MusicPicture("colour", 30, **{place: feature})(joined(noise(), tone(440))), "colour", 30)
    grey = MusicPicture("colour", 30, hue=feature, saturation=feature, lightness=feature)(noise())
    check(grey, "colour", 30)


def test_bands_are_never_empty_however_many_are_wanted():
    for rate in (100, 8000, 11025, 16000, 22050, 44100, 48000, 96000):
        sound = Sound(noise(1, rate))
        for count in (24, 224, 2000):
            bands = bands_of(sound, count, 50, 8000)
            assert (bands.bank.matrix.sum(axis=1) > 0).all() and len(bands.hz) <= count
            assert len(bands.hz) == count or count > 24 or rate == 100
            assert (np.diff(bands.hz) > 0).all() and bands.hz[-1] < rate / 2


def test_integers_are_drawn_as_the_samples_they_stand_for():
    whole = (np.asarray(noise()) * 2**15).astype(np.int16)
    for kind in ("waveform", "histogram", "mel"):
        drawn = MusicPicture(kind, 40, white_db=0.0)(audio(whole))
        np.testing.assert_allclose(drawn, MusicPicture(kind, 40, white_db=0.0)(audio(whole / 2**15)), atol=1e-6)


def test_the_caller_s_samples_are_left_alone_and_pictures_are_the_same_each_time():
    samples = noise()
    before = samples.copy()
    for kind in MusicPicture.kinds:
        picture = MusicPicture(kind, 32)
        np.testing.assert_array_equal(picture(samples), picture(samples))
    np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize("kind", ["hilbert", "colour"])
def test_a_png_has_the_pixels_of_the_picture(kind, tmp_path):
    picture = MusicPicture(kind, 33)
    path = picture.to_png(noise(), tmp_path / "picture.png")
    np.testing.assert_array_equal(read_png(path.read_bytes()), pixels_of(picture(noise())))


@pytest.mark.parametrize(
    ("samples", "error", "match"),
    [
        (np.zeros(10), DimensionError, "AudioSamples"),
        (audio(np.zeros(0)), EmptyAudio, "without samples"),
        (audio(np.array([0.0, np.nan])), NonFiniteAudio, "0.000 s.*nan_to_num"),
        (audio(np.array([[np.inf, -np.inf], [0, 0]])), NonFiniteAudio, "infinite"),
        (audio(np.zeros(10, complex)), DeclarationError, "complex128"),
        (audio(np.zeros(10, np.uint8)), DeclarationError, "signed"),
    ],
)
def test_what_cannot_be_drawn_is_refused(samples, error, match):
    for kind in ("waveform", "histogram", "hilbert"):
        with pytest.raises(error, match=match):
            MusicPicture(kind)(samples)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"kind": "hilbertt"}, "allowed: waveform, .*hilbert"),
        ({"size": 0}, "size=0"),
        ({"size": 10.5}, "size=10.5"),
        ({"size": 5000}, "1 to 4096"),
        ({"n_bands": 0}, "n_bands=0"),
        ({"kind": "hilbert", "grid": 28}, "powers of two"),
        ({"kind": "tiles", "grid": 33, "size": 32}, "at most one for each pixel"),
        ({"tempo": 0}, "tempo=0"),
        ({"exponent": -1}, "exponent=-1"),
        ({"range_db": np.nan}, "range_db=nan"),
        ({"white_db": np.inf}, "white_db=inf"),
        ({"hue": "pitch"}, "hue='pitch'.*centroid"),
        ({"lightness": None}, "lightness=None"),
        ({"band": (50, 8000)}, "FrequencyBand"),
        ({"band": FrequencyBand(-10, 8000)}, "from 0 Hz"),
    ],
)
def test_bad_arguments_are_refused(arguments, match):
    with pytest.raises(DeclarationError, match=match):
        MusicPicture(**arguments)


@pytest.mark.parametrize(
    ("picture", "error", "match"),
    [
        (np.zeros(3), DimensionError, "rows, columns"),
        (np.zeros((2, 2, 4)), DimensionError, "rows, columns"),
        ([[1.5]], DeclarationError, "0 to 1"),
        ([[np.nan]], DeclarationError, "NaN"),
    ],
)
def test_only_pictures_become_pixels(picture, error, match):
    with pytest.raises(error, match=match):
        pixels_of(picture)


@pytest.mark.parametrize("kind", ["mel", "perceptual", "tiles"])
def test_bands_and_levels_are_those_of_librosa(kind):
    librosa = pytest.importorskip("librosa")
    hop, n_fft, bands = 512, 2048, 24
    samples = np.random.default_rng(1).standard_normal(bands * hop).astype(np.float32)
    samples *= np.linspace(0.001, 0.2, len(samples), dtype=np.float32)
    found = MusicPicture(kind, bands, n_bands=bands, grid=1)(audio(samples, 22050))
    padded = np.pad(samples, ((n_fft - hop) // 2, n_fft))  # frames around the middle of each column
    spectra = np.abs(librosa.stft(padded, n_fft=n_fft, hop_length=hop, center=False))[:, :bands]
    bank = librosa.filters.mel(sr=22050, n_fft=n_fft, n_mels=bands, fmin=50, fmax=8000)
    hz = librosa.mel_frequencies(bands + 2, fmin=50, fmax=8000)[1:-1]
    power = bank @ spectra**2 if kind == "tiles" else (bank @ spectra) ** 2
    db = librosa.power_to_db(power, top_db=None)
    if kind != "mel":
        db = librosa.perceptual_weighting(power, hz, top_db=None)
    expected = np.clip(1 + (db - db.max()) / 80, 0, 1)
    order = np.argsort(centre_out(np.arange(bands))) if kind == "tiles" else slice(None, None, -1)
    np.testing.assert_allclose(found[order], expected, atol=1e-4)
