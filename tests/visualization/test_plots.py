"""Pictures with matplotlib: known sounds stand at the pixels where the axes say they are."""

import tracemalloc

import numpy as np
import pytest

from zounds_lite import SR11025, SR22050, AudioSamples, FrequencyBand, FrequencyDimension, Seconds, TimeDimension
from zounds_lite.core import ArrayWithUnits
from zounds_lite.spectral import (
    BarkScale,
    ChromaScale,
    FFTScale,
    GeometricScale,
    HanningWindowingFunc,
    LinearScale,
    MelScale,
    SlaneyMelScale,
    apply_scale,
    chroma_stft,
    cqt,
    mel_bands,
    rainbowgram,
    self_similarity,
    stft,
)
from zounds_lite.timeseries import TimeSlice
from zounds_lite.visualization import (
    plot,
    plot_chromagram,
    plot_curve,
    plot_histogram,
    plot_rainbowgram,
    plot_self_similarity,
    plot_spectrogram,
    plot_waveform,
)
from zounds_lite.visualization.plots import figure as figure_module

pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    monkeypatch.setattr(figure_module, "_DPI", 60)


RATE = 22050
TONE_HZ, CLICK_S = 440.0, 1.25


def tone(seconds=2.0, hz=TONE_HZ):
    return AudioSamples(np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE), SR22050())


def click(seconds=2.0, at=CLICK_S):
    samples = np.zeros(int(seconds * RATE))
    samples[round(at * RATE)] = 1.0
    return AudioSamples(samples, SR22050())


def rendered(drawn):
    """The picture as levels of red, green and blue, 0..255, the lowest row first."""
    canvas = pytest.importorskip("matplotlib.backends.backend_agg").FigureCanvasAgg(drawn.figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[::-1, :, :3].astype(int)


WHITE = 3 * 255


def inside(axes, margin=2, background=0):
    """The brightness of the pixels within axes, and the pixel of their lower left corner."""
    picture = rendered(axes).sum(axis=-1)
    picture[picture == WHITE] = background
    box = axes.get_window_extent()
    left, bottom = round(box.x0) + margin, round(box.y0) + margin
    return picture[bottom : round(box.y1) - margin, left : round(box.x1) - margin], left, bottom


def pixel_of(axes, x, y):
    """The column and row of a point in the units of the axes."""
    return axes.transData.transform((x, y))


SPECTRA = {
    "linear": lambda x: stft(x),
    "magnitude": lambda x: abs(stft(x)),
    "mel": lambda x: apply_scale(stft(x), MelScale(FrequencyBand(30, 10000), 128), HanningWindowingFunc()),
    "slaney mel": lambda x: mel_bands(stft(x), SlaneyMelScale(FrequencyBand(0, 11025), 128)),
    "bark": lambda x: apply_scale(stft(x), BarkScale(FrequencyBand(30, 10000), 100), HanningWindowingFunc()),
    "geometric": lambda x: apply_scale(stft(x), GeometricScale(60, 8000, 0.06, 96), HanningWindowingFunc()),
    "bands": lambda x: apply_scale(stft(x), LinearScale(FrequencyBand(0, 4000), 40)),
    "cqt": lambda x: cqt(x, start_hz=55.0, n_bands=84),
}


@pytest.mark.parametrize("name", SPECTRA)
def test_a_tone_is_brightest_at_its_frequency(name):
    spectra = SPECTRA[name](tone())
    axes = plot(spectra)
    picture, _, bottom = inside(axes)
    middle = picture[:, picture.shape[1] // 4 : -picture.shape[1] // 4]
    brightest = np.flatnonzero(middle.mean(axis=1) >= middle.mean(axis=1).max() - 1e-9) + bottom + 0.5
    _, row = pixel_of(axes, 1.0, TONE_HZ)
    # the tone lies somewhere within its band, and a band is some pixels high
    band = np.abs(spectra.dimensions[1].scale.center_frequencies - TONE_HZ).argmin()
    height = picture.shape[0] / spectra.shape[1]
    assert abs(brightest.mean() - row) <= height / 2 + 2, band
    assert axes.get_ylabel() == "frequency / Hz" and axes.get_xlabel() == "time / s"


def test_low_frequencies_are_at_the_bottom():
    for spectra in (stft(tone(hz=200.0)), cqt(tone(hz=100.0))):
        picture, *_ = inside(plot(spectra))
        assert picture[: len(picture) // 2].mean() > picture[len(picture) // 2 :].mean()
        assert plot(spectra).get_ylim()[0] < plot(spectra).get_ylim()[1]


@pytest.mark.parametrize("name", ["linear", "mel", "bark", "cqt"])
@pytest.mark.parametrize("start", [None, Seconds(3)])
def test_a_click_is_brightest_at_its_time(name, start):
    sound = click()
    if start is not None:
        sound = sound.placed(TimeDimension(*SR22050(), size=len(sound), start=start))
    moment = CLICK_S + (0 if start is None else 3)
    spectra = SPECTRA[name](sound)
    axes = plot(spectra)
    picture, left, _ = inside(axes)
    high = picture[-picture.shape[0] // 4 :].mean(axis=0)
    brightest = np.flatnonzero(high >= high.max() - 1e-9) + left + 0.5
    column, _ = pixel_of(axes, moment, TONE_HZ)
    step = picture.shape[1] / len(spectra)
    assert abs(brightest.mean() - column) <= step + 1
    assert axes.get_xlim() == pytest.approx((moment - CLICK_S, moment - CLICK_S + 2.0), abs=0.06)


def test_a_slice_of_a_spectrogram_stands_where_it_says():
    whole = stft(click(6.0, at=4.0))
    first = int(3 * RATE / 512)
    part = ArrayWithUnits(
        np.asarray(whole)[first : first + 86], [whole.dimensions[0].part(first, 86), whole.dimensions[1]]
    )
    axes = plot(part)
    assert axes.get_xlim()[0] == pytest.approx(3.0, abs=0.03)
    picture, left, _ = inside(axes)
    columns = picture.mean(axis=0)
    assert abs(np.flatnonzero(columns == columns.max()).mean() + left - pixel_of(axes, 4.0, 0.0)[0]) <= 12


def test_a_part_of_the_band_keeps_its_hertz():
    spectra = stft(tone())[:, FrequencyBand(300, 1200)]
    axes = plot(spectra)
    low, high = axes.get_ylim()
    assert 290 < low < 310 and 1190 < high < 1210
    picture, _, bottom = inside(axes)
    assert abs(picture.mean(axis=1).argmax() + bottom - pixel_of(axes, 1.0, TONE_HZ)[1]) <= 12


@pytest.mark.parametrize(
    ("name", "texts"), [("linear", ["0", "2000", "10000"]), ("mel", ["100", "500", "1000", "5000"])]
)
def test_a_tick_stands_at_its_frequency(name, texts):
    axes = plot(SPECTRA[name](tone(0.5)))
    rendered(axes)
    ticks = {label.get_text(): at for label, at in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)}
    for text in texts:
        assert ticks[text] == pytest.approx(float(text), abs=1e-6)


def test_the_colour_bar_is_in_decibels():
    def bars(axes):
        return [other for other in axes.figure.axes if other is not axes]

    for spectra in (stft(tone()), abs(stft(tone())), cqt(tone())):
        (bar,) = bars(plot(spectra))
        assert "dB" in bar.get_ylabel() and bar.get_ylim() == (-80.0, 0.0)
    assert "dB" in bars(plot_spectrogram(abs(stft(tone())) ** 2, measure="power", floor_db=-60))[0].get_ylabel()
    assert bars(plot_spectrogram(stft(tone()), measure="value"))[0].get_ylabel() == "value"
    assert bars(plot_spectrogram(np.log(abs(stft(tone())) + 1e-9)))[0].get_ylabel() == "value"
    assert bars(plot_spectrogram(stft(tone()), colour_bar=False)) == []


def test_power_and_amplitude_of_one_sound_look_alike():
    magnitudes = abs(stft(tone()))
    as_power, _, _ = inside(plot_spectrogram(magnitudes**2, measure="power"))
    as_amplitude, _, _ = inside(plot_spectrogram(magnitudes))
    assert np.abs(as_power - as_amplitude).max() <= 6
    signed = np.where(np.arange(magnitudes.shape[1]) % 2, 1.0, -1.0) * np.asarray(magnitudes)
    signed = ArrayWithUnits(signed, magnitudes.dimensions)
    assert (inside(plot_spectrogram(signed, measure="amplitude"))[0] == as_amplitude).all()


def test_a_reference_makes_pictures_comparable():
    quiet, loud = stft(tone() * 0.01), stft(tone())
    peak = float(abs(loud).max())
    assert (inside(plot_spectrogram(quiet))[0] == inside(plot_spectrogram(loud))[0]).mean() > 0.9
    assert inside(plot_spectrogram(quiet, ref=peak))[0].max() < inside(plot_spectrogram(loud, ref=peak))[0].max()


def test_frequency_may_come_first():
    spectra = stft(tone())
    turned = ArrayWithUnits(np.asarray(spectra).T, spectra.dimensions[::-1])
    assert (inside(plot(turned))[0] == inside(plot(spectra))[0]).all()


def test_any_pixel_shows_the_largest_of_its_values():
    values = np.zeros((50_000, 3000), np.float32)
    values[31_234, 2345] = 1.0
    axes = plot(values)
    picture, left, bottom = inside(axes)
    row, column = np.unravel_index(picture.argmax(), picture.shape)
    assert picture.max() > 3 * np.median(picture)
    assert abs(column + left + 0.5 - pixel_of(axes, 31_234, 2345)[0]) <= 1.5
    assert abs(row + bottom + 0.5 - pixel_of(axes, 31_234, 2345)[1]) <= 1.5


def test_hours_of_a_stored_spectrogram_are_never_held(tmp_path):
    shape = (310_000, 257)  # an hour at 86 frames a second, 319 MB
    stored = np.lib.format.open_memmap(tmp_path / "hour.npy", "w+", np.float32, shape)
    stored[200_000] = 1.0
    dimensions = [TimeDimension.windowed(256, 512, RATE), FrequencyDimension(FFTScale(RATE, 512))]
    axes = plot(np.zeros((2, 2)))  # what matplotlib itself loads at first is not counted
    tracemalloc.start()
    try:
        axes = plot(ArrayWithUnits(stored, dimensions))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40e6
    picture, left, _ = inside(axes)
    assert abs(picture.mean(axis=0).argmax() + left + 0.5 - pixel_of(axes, 200_000 * 256 / RATE, 0)[0]) <= 2


# --- waveforms ------------------------------------------------------------------------------------------------------


def inked(axes):
    """Where there is ink within axes."""
    picture, left, bottom = inside(axes, background=WHITE)
    return picture < 600, left, bottom


def test_the_envelope_of_an_hour_holds_its_clicks(tmp_path):
    stored = np.lib.format.open_memmap(tmp_path / "hour.npy", "w+", np.float32, (3600 * 11025,))
    stored[1800 * 11025] = 0.75
    stored[2700 * 11025] = -0.5
    axes = plot_waveform(np.zeros(9))
    tracemalloc.start()
    try:
        axes = plot(AudioSamples(stored, SR11025()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40e6
    ink, left, bottom = inked(axes)
    rows, columns = np.nonzero(ink)
    top_row, low_row = pixel_of(axes, 1800, 0.75)[1] - bottom, pixel_of(axes, 2700, -0.5)[1] - bottom
    assert abs(rows.max() + 0.5 - top_row) <= 2 and abs(rows.min() + 0.5 - low_row) <= 2
    assert abs(columns[rows.argmax()] + left + 0.5 - pixel_of(axes, 1800, 0)[0]) <= 2
    assert abs(columns[rows.argmin()] + left + 0.5 - pixel_of(axes, 2700, 0)[0]) <= 2


def test_few_samples_are_a_line_through_each_of_them():
    axes = plot(AudioSamples(np.array([0.0, 0.5, -0.5, 1.0]), SR11025()))
    (line,) = axes.lines
    assert line.get_ydata().tolist() == [0.0, 0.5, -0.5, 1.0]
    np.testing.assert_allclose(line.get_xdata(), (np.arange(4) + 0.5) / 11025)


def test_channels_lie_in_bands_the_first_at_the_top():
    left = np.zeros(50_000)
    left[10_000] = 1.0
    axes = plot(AudioSamples(np.stack([left, -left[::-1]], axis=1), SR11025()))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["left", "right"]
    assert axes.get_ylim() == pytest.approx((-3.15, 1.05))
    ink, at, bottom = inked(axes)
    for moment, low, high in ((10_000 / 11025, 0.1, 0.9), (39_999 / 11025, -3.0, -2.2)):
        column = round(pixel_of(axes, moment, 0)[0] - at)
        rows = [round(pixel_of(axes, 0, level)[1] - bottom) for level in (low, high)]
        assert ink[rows[0] : rows[1], column - 2 : column + 3].any(axis=1).all()
        assert not ink[rows[0] : rows[1], column - 40 : column - 5].any()


def test_what_is_louder_than_full_scale_is_drawn_whole():
    assert plot(tone() * 2.0).get_ylim() == pytest.approx((-2.1, 2.1), rel=1e-3)
    assert plot(tone() * 0.1).get_ylim() == (-1.05, 1.05)
    for draw in (plot, plot_curve):
        samples = np.array(tone())
        samples[20_000:20_100], samples[30_000] = np.inf, -np.inf
        ink, *_ = inked(draw(AudioSamples(samples, SR22050())))
        assert ink.any(axis=0)[5:-5].all()


@pytest.mark.parametrize("length", [900, 90_000])
def test_nan_is_a_gap_in_a_waveform(length):
    samples = np.sin(np.arange(length) / 3.0)
    samples[length // 3 : length // 2] = np.nan
    axes = plot(AudioSamples(samples, SR11025()))
    ink, left, _ = inked(axes)
    first, last = (pixel_of(axes, at / 11025, 0)[0] - left for at in (length / 3, length / 2))
    assert not ink[:, round(first) + 3 : round(last) - 3].any()
    assert ink[:, : round(first) - 3].any(axis=0).all() and ink[:, round(last) + 3 : -3].any(axis=0).all()


def test_nan_is_a_gap_in_a_spectrogram():
    spectra = abs(stft(tone()))
    values = np.array(spectra)
    values[20:40] = np.nan
    values[50, 3], values[51, 3] = np.inf, -1.0
    axes = plot_spectrogram(ArrayWithUnits(values, spectra.dimensions), measure="amplitude")
    picture, left, _ = inside(axes, background=WHITE)
    ruler = [pixel_of(axes, spectra.dimensions[0].slice_of(k).start / np.timedelta64(1, "s"), 0)[0] for k in (22, 38)]
    gap = picture[:, round(ruler[0]) - left : round(ruler[1]) - left]
    assert (gap == WHITE).all()
    assert (picture == WHITE).mean() < 0.3


# --- bad input and borders ------------------------------------------------------------------------------------------

TIME = TimeDimension.windowed(512, 1024, RATE)
FREQUENCY = FrequencyDimension(FFTScale(RATE, 1024))


@pytest.mark.parametrize("frames", [0, 1])
@pytest.mark.parametrize("dtype", [np.float32, np.complex64, np.int16, bool])
def test_no_frame_and_one_frame(frames, dtype):
    axes = plot(ArrayWithUnits(np.zeros((frames, 513), dtype), [TIME, FREQUENCY]))
    rendered(axes)
    assert axes.get_ylabel() == "frequency / Hz"
    assert [text.get_text() for text in axes.texts] == (["empty"] if not frames else [])


@pytest.mark.parametrize("draw", [plot, plot_histogram, plot_waveform])
@pytest.mark.parametrize("shape", [(0,), (1,), (0, 2), (1, 2), (2000, 2)])
def test_silence_and_next_to_nothing(draw, shape):
    axes = draw(AudioSamples(np.zeros(shape, np.float32), SR11025()))
    rendered(axes)
    assert axes.get_xlabel() == "time / s"


@pytest.mark.parametrize("frames", [0, 1, 50])
def test_silent_frames_of_every_kind(frames):
    silent = ArrayWithUnits(np.zeros((frames, 513), np.complex64), [TIME, FREQUENCY])
    pitches = ArrayWithUnits(np.zeros((frames, 12)), [TIME, None])
    for axes in (plot_rainbowgram(silent), plot_chromagram(pitches), plot_self_similarity(pitches), plot(silent)):
        rendered(axes)
        assert axes.get_xlabel() == "time / s"


def test_silence_is_dark_and_a_constant_is_drawn():
    silent, *_ = inside(plot(ArrayWithUnits(np.zeros((50, 513)), [TIME, FREQUENCY])))
    assert silent.max() < 60
    constant, *_ = inside(plot(np.full((5, 5), -3.0)))
    assert np.ptp(constant) <= 3  # a step of a colour, rounded
    nothing, *_ = inside(plot(np.full((5, 5), np.nan)), background=WHITE)
    assert (nothing == WHITE).all()


def test_what_is_no_spectrum_is_drawn_as_it_is():
    codes = ArrayWithUnits(np.eye(50, dtype=np.uint8), [TIME, None])
    for values in (codes, codes.T, codes > 0, np.eye(50) > 0):
        axes = plot(values)
        assert [bar.get_ylabel() for bar in axes.figure.axes if bar is not axes] == ["value"]
    assert plot(ArrayWithUnits(np.ones((5, 30)), [None, TIME])).get_xlabel() == "time / s"
    lowest = np.array([[-32768, 0], [0, 32767]], np.int16)
    picture, *_ = inside(plot_spectrogram(lowest, measure="amplitude", colour_bar=False))
    assert picture[5, 5] >= picture.max() - 3 and picture[5, -5] <= picture.min() + 3


@pytest.mark.parametrize("shape", [(40,), (40, 30), (40_000,)])
def test_arrays_without_units_are_drawn_by_index(shape):
    axes = plot(np.random.default_rng(0).random(shape))
    assert axes.get_xlabel() == "index"
    assert axes.get_xlim() == (-0.5, shape[0] - 0.5)


# --- the other pictures ---------------------------------------------------------------------------------------------


def test_a_histogram_shows_where_the_amplitudes_are():
    samples = np.where(np.arange(40_000) < 20_000, 0.5, -0.25)
    axes = plot_histogram(AudioSamples(samples, SR11025()))
    picture, _, bottom = inside(axes)
    assert axes.get_ylabel() == "amplitude" and axes.get_ylim() == (-1.0, 1.0)
    for part, amplitude in ((picture[:, 10:100], 0.5), (picture[:, -100:-10], -0.25)):
        bright = np.flatnonzero(part.mean(axis=1) > 400) + bottom + 0.5
        assert abs(bright.mean() - pixel_of(axes, 0, amplitude)[1]) <= 3


def test_a_chromagram_names_its_classes():
    axes = plot_chromagram(chroma_stft(stft(tone())))
    picture, _, bottom = inside(axes)
    names = {label.get_text(): at for label, at in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)}
    row = picture.mean(axis=1).argmax() + bottom
    assert abs(row - pixel_of(axes, 0, names["A"])[1]) <= picture.shape[0] / 12 / 2 + 2
    assert list(names)[0] == "C" and len(names) == 12
    from_a = plot_chromagram(chroma_stft(stft(tone())), first="A")
    assert from_a.get_yticklabels()[0].get_text() == "A"
    known = ArrayWithUnits(np.eye(12), [TIME, FrequencyDimension(ChromaScale(FrequencyBand(50, 5000)))])
    assert plot(known).get_yticklabels()[0].get_text() == "A"


def test_a_self_similarity_is_square_in_seconds():
    sound = AudioSamples(np.concatenate([tone(1.0), tone(1.0, 880.0), tone(1.0)]), SR22050())
    features = abs(stft(sound))
    for drawn in (plot_self_similarity(features), plot(self_similarity(features))):
        picture, left, bottom = inside(drawn)
        assert abs(picture.shape[0] - picture.shape[1]) <= 3
        assert drawn.get_xlim() == drawn.get_ylim()

        def at(x, y, picture=picture, drawn=drawn, left=left, bottom=bottom):
            column, row = pixel_of(drawn, x, y)
            return picture[round(row) - bottom, round(column) - left]

        assert at(0.5, 2.5) > 2 * at(0.5, 1.5) and at(2.5, 0.5) > 2 * at(1.5, 2.5)
        assert at(1.5, 1.5) > 2 * at(1.5, 0.5)


def test_a_rainbowgram_is_bright_where_the_tone_is():
    spectra = stft(tone())[:, FrequencyBand(0, 2000)]
    axes = plot_rainbowgram(spectra)
    picture, _, bottom = inside(axes)
    assert abs(picture.mean(axis=1).argmax() + bottom - pixel_of(axes, 0, TONE_HZ)[1]) <= 8
    colours = rainbowgram(spectra, pytest.importorskip("matplotlib").colormaps["hsv"])
    assert (inside(plot(colours))[0] == picture).all()
    gap = np.array(colours)
    gap[:40] = np.nan
    gap, *_ = inside(plot_rainbowgram(ArrayWithUnits(gap, colours.dimensions)), background=WHITE)
    assert (gap[:, 12:200] == WHITE).all()


def test_several_channels_share_their_reference():
    spectra = stft(tone())
    both = ArrayWithUnits(np.stack([spectra, np.asarray(spectra) * 1e-3], axis=-1), [*spectra.dimensions, None])
    figure = plot(both)
    loud, quiet = (axes for axes in figure.axes if axes.get_title())
    assert (loud.get_title(), quiet.get_title()) == ("[:, :, 0]", "[:, :, 1]")
    assert inside(loud)[0].max() > 1.5 * inside(quiet)[0].max()


def test_many_axes_are_drawn_as_many_pictures():
    figure = plot(np.zeros((40, 5, 6)), title=None)
    assert figure.get_suptitle() == "the first 16 of 40"
    assert [axes.get_title() for axes in figure.axes if axes.get_title()][-1] == "[15, :, :]"


def test_a_slice_of_time_of_audio():
    part = tone()[TimeSlice(Seconds(1), start=Seconds(0))]
    assert plot(part).get_xlim() == pytest.approx((0.0, 1.0))
