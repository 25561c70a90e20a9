"""Figures are read back: where a tone and a click are drawn is held against where the ticks say that they are."""

import re

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

import zounds_lite as zounds
from tests.markup import (
    SVG,
    between,
    box,
    read_numbers,
    read_svg,
    texts,
    ticks_below,
    ticks_left,
    ticks_right,
)
from zounds_lite.errors import DimensionError
from zounds_lite.spectral import FrequencyDimension
from zounds_lite.visualization import figure_svg, perceptual_colours
from zounds_lite.visualization.svg import has_figure

SR = zounds.SR22050()
BAND = zounds.FrequencyBand(30, 10_000)
SCALES = [
    zounds.LinearScale(zounds.FrequencyBand(0, 10_000), 200),
    zounds.GeometricScale(30, 10_000, 0.03, 120),
    zounds.MelScale(BAND, 96),
    zounds.BarkScale(BAND, 150),
    zounds.spectral.SlaneyMelScale(BAND, 64),
]
every_scale = pytest.mark.parametrize("scale", SCALES, ids=lambda scale: type(scale).__name__)


def tone_and_click(seconds=4.0, click_at=3.0, hz=440.0):
    samples = 0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * 22_050)) / 22_050)
    samples[int(click_at * 22_050)] = 1.0
    return zounds.AudioSamples(samples.astype(np.float32), SR)


def picture(array, **options):
    """Draw, and return the root, the picture's place, and the numbers of its pixels, the bottom row last."""
    root = read_svg(figure_svg(array, **options))
    image = root.find(f"{SVG}image")
    return root, box(image), read_numbers(image)[0]


def middle_of_row(place, numbers, row):
    _, top, _, height = place
    return top + (row + 0.5) * height / len(numbers)


# --- where things are ---------------------------------------------------------------------------------------------


def test_a_tone_and_a_click_lie_where_the_ticks_say():
    spectrum = zounds.spectral.stft(tone_and_click())
    root, (left, top, width, height), numbers = picture(spectrum)
    row = numbers[:, 40:60].mean(axis=1).argmax()
    one_row = height / len(numbers)
    wanted = between(ticks_left(root), 440.0)
    assert abs(middle_of_row((left, top, width, height), numbers, row) - wanted) <= one_row
    assert row > len(numbers) * 0.9, "low frequencies are at the bottom"
    column = numbers[: len(numbers) // 2].mean(axis=0).argmax()  # above the tone
    found = left + (column + 0.5) * width / numbers.shape[1]
    assert abs(found - between(ticks_below(root, top + height), 3.0)) <= width / numbers.shape[1]


def test_the_axis_of_windows_covers_the_sound_and_the_picture_lies_in_the_middle_of_them():
    samples = zounds.AudioSamples(np.zeros(22_050 * 4), SR)
    windows = zounds.SampleRate(frequency=zounds.Seconds(0.5), duration=zounds.Seconds(2))
    spectrum = zounds.spectral.stft(samples, windows)[:5]
    root, (left, top, width, height), _ = picture(abs(spectrum) + 1)
    below = ticks_below(root, top + height)
    assert below[0.0] == 64 and below[4.0] == pytest.approx(664, abs=0.1)
    # five windows, half a second apart, around 1, 1.5, ..., 3 seconds
    assert left == pytest.approx(between(below, 0.75), abs=0.1)
    assert left + width == pytest.approx(between(below, 3.25), abs=0.1)


@every_scale
def test_a_band_lies_beside_the_tick_of_its_frequency(scale):
    blank = np.full((50, len(scale)), 1e-3)
    dimensions = [zounds.TimeDimension(zounds.Seconds(1)), FrequencyDimension(scale)]
    ticks = ticks_left(read_svg(figure_svg(zounds.ArrayWithUnits(blank, dimensions))))
    assert len(ticks) >= 4 and sorted(ticks.values()) == [ticks[hz] for hz in sorted(ticks, reverse=True)]
    for hz, y in ticks.items():
        band = int(np.abs(scale.center_frequencies - hz).argmin())
        array = blank.copy()
        array[:, band] = 1.0
        _, place, numbers = picture(zounds.ArrayWithUnits(array, dimensions))
        assert len(numbers) == len(scale)
        row = int(numbers[:, 0].argmax())
        assert row == len(scale) - 1 - band
        assert abs(middle_of_row(place, numbers, row) - y) <= place[3] / len(scale)


@every_scale
def test_a_tone_of_440_hz_lies_between_the_ticks_around_it(scale):
    spectrum = zounds.spectral.stft(tone_and_click(click_at=0), zounds.SampleRate(
        frequency=zounds.Picoseconds(2048 * 45_351_473), duration=zounds.Picoseconds(4096 * 45_351_473)))  # fmt: skip
    bands = np.abs(np.asarray(spectrum)) @ scale.basis(spectrum.dimensions[1].scale).T
    array = zounds.ArrayWithUnits(bands, [spectrum.dimensions[0], FrequencyDimension(scale)])
    root, place, numbers = picture(array)
    row = numbers[:, 10:30].astype(int).mean(axis=1).argmax()
    found = middle_of_row(place, numbers, row)
    ticks = ticks_left(root)
    below, above = max(hz for hz in ticks if hz <= 440), min(hz for hz in ticks if hz > 440)
    slack = place[3] / len(numbers)
    assert ticks[above] - slack <= found <= ticks[below] + slack
    # the scales lie between straight and logarithmic, so the place does too
    ratios = (440 - below) / (above - below), np.log(440 / max(below, 1)) / np.log(above / max(below, 1))
    places = [ticks[below] + ratio * (ticks[above] - ticks[below]) for ratio in ratios]
    assert min(places) - 2 * slack <= found <= max(places) + 2 * slack


def test_a_click_in_a_long_array_keeps_its_place():
    array = np.full((100_000, 4), 1e-3, np.float32)
    array[77_777] = 1.0
    time = zounds.TimeDimension(zounds.Milliseconds(10))
    root, (left, top, width, height), numbers = picture(zounds.ArrayWithUnits(array, [time, None]))
    assert numbers.shape[1] == 800
    column = int(numbers[0].argmax())
    found = left + (column + 0.5) * width / 800
    assert abs(found - between(ticks_below(root, top + height), 777.77)) <= width / 800


def test_time_runs_to_the_right_whichever_axis_it_is():
    spectrum = abs(zounds.spectral.stft(tone_and_click()))
    assert figure_svg(spectrum).partition("<image")[2] == figure_svg(spectrum.T).partition("<image")[2]


def test_axes_without_units_count_and_say_so():
    array = np.eye(5)
    root, (left, top, width, height), numbers = picture(array)
    assert [words for words, *_ in texts(root)].count("index") == 2
    below, beside = ticks_below(root, top + height), ticks_left(root)
    assert list(below) == list(beside) == [0, 1, 2, 3, 4]
    for k in range(5):
        assert below[k] == left + (k + 0.5) * width / 5
        assert beside[k] == pytest.approx(top + height - (k + 0.5) * height / 5)
        assert numbers[4 - k].argmax() == k


# --- what colours mean --------------------------------------------------------------------------------------------


def test_the_colour_bar_is_in_decibels_and_true():
    db = np.array([0.0, -20.0, -40.0, -60.0, -80.0])
    scale = zounds.LinearScale(zounds.FrequencyBand(0, 500), 5)
    array = zounds.ArrayWithUnits(10 ** (db / 20)[None].repeat(3, 0) * 7.0, [None, FrequencyDimension(scale)])
    root = read_svg(figure_svg(array, floor_db=-80))
    shown, bar = root.findall(f"{SVG}image")
    numbers, palette = read_numbers(shown)
    bar_numbers, bar_palette = read_numbers(bar)
    _, top, _, height = box(bar)
    ticks = ticks_right(root)
    assert [words for words, *_ in texts(root)].count("dB under the loudest") == 1
    assert set(db) <= set(ticks) and ticks[0.0] == top and ticks[-80.0] == top + height
    for k, level in enumerate(db):
        row = min(255, int((ticks[level] - top) / height * 256))
        beside = bar_palette[bar_numbers[row, 0], :3].astype(int)
        assert np.abs(palette[numbers[4 - k, 0], :3].astype(int) - beside).max() <= 4
    assert (palette[numbers[4, 0], :3] == perceptual_colours()[-1]).all()


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.array([[1.0, 2.0]]), "dB under the loudest"),
        (np.array([[1j, 2.0]]), "dB under the loudest"),
        (np.array([[-1.0, 2.0]]), "value"),
        (np.array([[True, False]]), "value"),
        (zounds.ArrayWithUnits([[0.5, 1.0]], [zounds.TimeDimension(zounds.Seconds(1))] * 2), "value"),
        (zounds.ArrayWithUnits([[0.5, 1.0]], [zounds.TimeDimension(zounds.Seconds(1)), None]), "value"),
    ],
)
def test_the_colour_bar_says_what_it_measures(array, words):
    root = read_svg(figure_svg(array))
    assert {"dB under the loudest", "value"} & {found for found, *_ in texts(root)} == {words}


def test_values_with_a_sign_are_read_at_the_bar():
    root = read_svg(figure_svg(np.array([[-100.0, 50.0]])))
    _, top, _, height = box(root.findall(f"{SVG}image")[1])
    ticks = ticks_right(root)
    assert ticks[50.0] == top and ticks[-100.0] == top + height


def test_what_is_no_number_is_a_gap():
    array = np.ones((10, 6)) + np.arange(6)
    array[3:5] = np.nan
    root, place, numbers = picture(array)
    _, palette = read_numbers(root.find(f"{SVG}image"))
    gaps = palette[numbers][..., 3] == 0
    assert gaps[:, 3:5].all() and gaps.sum() == 12
    behind = root.find(f"{SVG}rect")
    assert box(behind) == place and behind.get("fill") != "none"
    assert "grey: no number (NaN)" in [words for words, *_ in texts(root)]


def test_infinity_is_no_gap():
    _, _, numbers = picture(np.array([[np.inf, -np.inf, 0.0, -1.0]]))
    assert numbers[:, 0].tolist() == [1, 255, 1, 255]


# --- what there is to draw ----------------------------------------------------------------------------------------


@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int16, np.complex64, np.bool_, np.uint8]),
        hnp.array_shapes(min_dims=1, max_dims=2, min_side=0, max_side=6),
    )
)
def test_any_numbers_are_drawn(array):
    read_svg(figure_svg(array))


TINY, HUGE = 5e-324, np.finfo(float).max


@pytest.mark.parametrize(
    "values", [[HUGE, -HUGE], [HUGE, HUGE], [TINY, 0], [TINY, -TINY], [np.inf, HUGE, -HUGE, np.nan], [1e16, 1e16 + 2]]
)
@pytest.mark.parametrize("shape", ["row", "column", "line", "audio", "spectrum", "complex"])
def test_numbers_at_their_ends_are_drawn(values, shape):
    values = np.array(values)
    scale = FrequencyDimension(zounds.LinearScale(zounds.FrequencyBand(0, 100), len(values)))
    shapes = {
        "row": values[None], "column": values[:, None], "line": values,
        "audio": zounds.AudioSamples(np.tile(values, 3000), SR), "spectrum": zounds.ArrayWithUnits(values, [scale]),
        "complex": values[None] + 0j,
    }  # fmt: skip
    text = figure_svg(shapes[shape])
    read_svg(text)
    assert not re.search(r"\b(nan|inf)\b", text)


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 9), (9, 1)])
def test_one_frame_and_one_band_are_drawn(shape):
    spectrum = zounds.ArrayWithUnits(np.ones(shape), [zounds.TimeDimension(zounds.Seconds(1)), None][: len(shape)])
    assert "NaN" not in figure_svg(spectrum)
    read_svg(figure_svg(spectrum))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_empty_arrays_say_so(shape):
    assert "empty: no values" in [words for words, *_ in texts(read_svg(figure_svg(np.zeros(shape))))]


def test_silence_says_that_all_values_are_zero():
    words = [found for found, *_ in texts(read_svg(figure_svg(np.zeros((5, 5)))))]
    assert words[-2:] == ["all values are", "0"]


@pytest.mark.parametrize("value", [np.zeros((2, 2, 2)), np.array(["a"]), np.array(1.0), "text", None])
def test_what_has_no_figure(value):
    assert not has_figure(value)
    with pytest.raises(DimensionError, match="allowed: arrays of numbers with one or two axes"):
        figure_svg(value)


def test_noise_is_the_largest_figure_and_still_small():
    rng = np.random.default_rng(0)
    assert len(figure_svg(rng.normal(size=(4000, 1000)))) < 500_000


# --- lines --------------------------------------------------------------------------------------------------------


def ink(root):
    """Return the points of each run of a waveform, and its kind."""
    (path,) = [p for p in root.iter(f"{SVG}path") if "#" in p.get("fill") + p.get("stroke", "")]
    runs = [re.findall(r"(-?[\d.]+) (-?[\d.]+)", run) for run in path.get("d").split("M")[1:]]
    return [np.array(run, float) for run in runs]


def test_a_click_and_the_level_of_a_waveform_lie_where_the_ticks_say():
    root = read_svg(figure_svg(tone_and_click(click_at=3.0)))
    left, top, width, height = box(root.find(f"{SVG}rect"))
    (points,) = ink(root)
    beside, below = ticks_left(root), ticks_below(root, top + height)
    assert beside[1.0] == top and beside[-1.0] == top + height
    assert points[points[:, 1].argmin(), 0] == pytest.approx(below[3.0], abs=1.0)
    assert points[:, 1].min() == pytest.approx(between(beside, 1.0), abs=1.0)
    early = points[(points[:, 0] < below[2.0])]
    assert early[:, 1].min() == pytest.approx(between(beside, 0.3), abs=1.0)
    assert early[:, 1].max() == pytest.approx(between(beside, -0.3), abs=1.0)
    assert (points[:, 0].min(), points[:, 0].max()) == pytest.approx((left, left + width), abs=1.0)


def test_a_few_samples_are_a_line_through_each():
    samples = np.array([0.0, 0.5, -0.5, 1.0], np.float32)
    root = read_svg(figure_svg(zounds.AudioSamples(samples, SR)))
    left, _, width, _ = box(root.find(f"{SVG}rect"))
    (points,) = ink(root)
    beside = ticks_left(root)
    np.testing.assert_allclose(points[:, 1], [between(beside, s) for s in samples], atol=0.06)
    np.testing.assert_allclose(points[:, 0], left + (np.arange(4) + 0.5) * width / 4, atol=0.06)


def test_gaps_of_a_waveform_end_where_the_ticks_say():
    audio = tone_and_click()
    audio[22_050 : 2 * 22_050] = np.nan
    root = read_svg(figure_svg(audio))
    _, top, _, height = box(root.find(f"{SVG}rect"))
    before, after = ink(root)
    below = ticks_below(root, top + height)
    assert before[:, 0].max() == pytest.approx(below[1.0], abs=1.5)
    assert after[:, 0].min() == pytest.approx(below[2.0], abs=1.5)
    assert "gaps: no number (NaN)" in [words for words, *_ in texts(root)]


def test_silence_is_a_line_in_the_middle():
    root = read_svg(figure_svg(zounds.AudioSamples(np.zeros(5000, np.float32), SR)))
    (points,) = ink(root)
    np.testing.assert_allclose(points[:, 1], between(ticks_left(root), 0.0), atol=0.7)


@pytest.mark.parametrize(("gain", "most"), [(1e-3, 0.001), (0.5, 1.0), (8.0, 8.0)])
def test_what_is_quiet_or_loud_fills_the_frame(gain, most):
    root = read_svg(figure_svg(zounds.AudioSamples(np.linspace(-gain, gain, 5000), SR)))
    _, top, _, height = box(root.find(f"{SVG}rect"))
    (points,) = ink(root)
    assert np.ptp(points[:, 1]) == pytest.approx(height * gain / most / (1 if gain == 0.5 else 1.05), abs=2.0)


def test_integers_are_drawn_against_their_full_scale():
    root = read_svg(figure_svg(zounds.AudioSamples(np.full(5000, 16_384, np.int16), SR)))
    _, top, _, height = box(root.find(f"{SVG}rect"))
    np.testing.assert_allclose(ink(root)[0][:, 1], top + height / 4, atol=0.7)


def test_channels_have_frames_of_their_own_and_the_rest_is_counted():
    root = read_svg(figure_svg(zounds.AudioSamples(np.zeros((100, 11)), SR)))
    frames = [box(one) for one in root.findall(f"{SVG}rect")]
    assert len(frames) == 8 and all(a[1] + a[3] < b[1] for a, b in zip(frames, frames[1:], strict=False))
    assert "the first 8 of 11 channels" in [words for words, *_ in texts(root)]


def test_a_spectrum_of_one_moment_is_drawn_in_decibels_over_hertz():
    spectrum = zounds.spectral.stft(tone_and_click())[10]
    root = read_svg(figure_svg(spectrum))
    _, top, _, height = box(root.find(f"{SVG}rect"))
    (points,) = ink(root)
    loudest = points[points[:, 1].argmin()]
    assert loudest[1] == pytest.approx(ticks_left(root)[0.0], abs=0.1)
    assert loudest[0] == pytest.approx(between(ticks_below(root, top + height), 440.0), abs=2.0)
    assert "dB under the loudest" in [words for words, *_ in texts(root)]
