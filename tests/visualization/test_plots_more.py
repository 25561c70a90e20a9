"""Pictures with matplotlib: onsets, components, files, notebooks, and what goes wrong."""

import doctest
import importlib
import io
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

from tests.project.test_pages import NEED_MATPLOTLIB, run_page
from zounds_lite import SR11025, AudioSamples, FrequencyBand, FrequencyDimension, Seconds, TimeDimension
from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import DeclarationError, DimensionError, OptionalDependencyError, OutputError
from zounds_lite.spectral import MelScale, stft
from zounds_lite.timeseries import Milliseconds, TimeSlice, VariableRateTimeSeries
from zounds_lite.visualization import (
    plot,
    plot_chromagram,
    plot_components,
    plot_curve,
    plot_histogram,
    plot_onsets,
    plot_rainbowgram,
    plot_self_similarity,
    plot_spectrogram,
    plot_waveform,
    plots,
    save,
    to_html,
)
from zounds_lite.visualization.plots import figure as figure_module
from zounds_lite.visualization.png import png_bytes

matplotlib = pytest.importorskip("matplotlib")
Figure = pytest.importorskip("matplotlib.figure").Figure

PNG = png_bytes(np.zeros((1, 1), np.uint8))[:8]


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    monkeypatch.setattr(figure_module, "_DPI", 60)


def sound(seconds=2):
    return AudioSamples(np.sin(np.arange(11025 * seconds) / 5.0), SR11025())


# --- onsets ---------------------------------------------------------------------------------------------------------

MOMENTS = [0.25, 1.0, 1.5]
SLICES = [TimeSlice(Milliseconds(100), start=Milliseconds(int(1000 * moment))) for moment in MOMENTS]


@pytest.mark.parametrize(
    "onsets",
    [
        MOMENTS[::-1],
        np.array(MOMENTS),
        SLICES,
        [slice.start for slice in SLICES],
        VariableRateTimeSeries((slice, np.zeros(2)) for slice in SLICES),
    ],
    ids=["seconds", "array", "slices", "durations", "series"],
)
def test_onsets_stand_where_they_are(onsets):
    axes = plot_onsets(sound(), onsets, beats=[0.0, 0.5])
    solid, dashed = axes.collections
    assert [segment[0][0] for segment in solid.get_segments()] == MOMENTS
    assert [segment[0][0] for segment in dashed.get_segments()] == [0.0, 0.5]
    axes.figure.draw_without_rendering()
    column = axes.transData.transform((1.0, 0.0))[0]
    assert solid.get_transform().transform((1.0, 0.5))[0] == pytest.approx(column)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["onsets (3)", "beats (2)"]


def test_onsets_count_from_the_start_of_the_samples():
    samples = sound()
    later = samples.placed(TimeDimension(*SR11025(), size=len(samples), start=Seconds(3)))
    axes = plot_onsets(later, [0.5])
    assert axes.collections[0].get_segments()[0][0][0] == 3.5
    assert axes.get_xlim() == (3.0, 5.0)


def test_no_onsets_is_a_waveform():
    axes = plot_onsets(sound())
    assert axes.get_legend() is None and len(axes.collections) == 0


@pytest.mark.parametrize("onsets", [["soon"], 3, [np.nan], [None]])
def test_what_is_no_moment(onsets):
    with pytest.raises(DeclarationError, match="allowed: TimeSlice"):
        plot_onsets(sound(), onsets)


def test_onsets_need_a_time_axis():
    with pytest.raises(DimensionError, match="need a time axis"):
        plot_onsets(np.zeros(100), [0.5])


# --- curves, series, components -------------------------------------------------------------------------------------


def test_a_spectrum_is_drawn_in_decibels_over_hertz():
    spectrum = stft(sound())[10]
    axes = plot(spectrum)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("frequency / Hz", "level / dB")
    (line,) = axes.lines
    peak = line.get_xdata()[np.argmax(line.get_ydata())]
    assert abs(peak - 11025 / (2 * np.pi * 5)) < 30
    assert max(line.get_ydata()) == 0.0 and min(line.get_ydata()) >= -120.0


def test_a_feature_over_time():
    loudness = ArrayWithUnits(np.arange(10.0) - 5, [TimeDimension(Seconds(1))])
    axes = plot(loudness)
    assert axes.get_xlim() == (0.0, 10.0) and axes.get_ylabel() == "value"
    assert axes.lines[0].get_xdata().tolist() == (np.arange(10) + 0.5).tolist()
    assert plot_curve(np.zeros(0)).texts[0].get_text() == "empty"


def test_a_series_of_numbers_and_one_of_vectors():
    numbers = VariableRateTimeSeries((slice, k) for k, slice in enumerate(SLICES))
    axes = plot(numbers)
    segments = axes.collections[0].get_segments()
    assert segments[1].tolist() == [[1.0, 1.0], [1.1, 1.0]]
    vectors = plot(VariableRateTimeSeries((slice, np.zeros(3)) for slice in SLICES))
    assert vectors.get_xlabel() == "time / s" and len(vectors.collections) == 2
    assert plot(VariableRateTimeSeries()).texts[0].get_text() == "empty"


MEL = FrequencyDimension(MelScale(FrequencyBand(50, 5000), 40))


def test_components_share_their_axes_and_their_units():
    figure = plot_components(np.eye(7, 40), [MEL], title="seven")
    assert [axes.get_title() for axes in figure.axes] == list("0123456")
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in figure.axes}) == 1
    assert figure.get_supxlabel() == "frequency / Hz" and figure.get_suptitle() == "seven"
    for k, axes in enumerate(figure.axes):
        line = axes.lines[0]
        assert line.get_xdata()[np.argmax(line.get_ydata())] == pytest.approx(MEL.scale.center_frequencies[k])


@pytest.mark.parametrize("turned", [False, True])
def test_components_over_time_and_frequency(turned):
    patches = np.zeros((3, 20, 40))
    patches[:, 5, 30] = 1.0
    dimensions = [TimeDimension(Milliseconds(10)), MEL]
    if turned:
        patches, dimensions = patches.swapaxes(1, 2), dimensions[::-1]
    figure = plot_components(ArrayWithUnits(patches, [None, *dimensions]))
    assert (figure.get_supxlabel(), figure.get_supylabel()) == ("time / s", "frequency / Hz")
    figure.draw_without_rendering()
    image = np.asarray(figure.axes[0].images[0].get_array())
    row, column = (edge.mean() for edge in np.nonzero(image == 1.0))
    assert (row + 0.5) / image.shape[0] == pytest.approx(30.5 / 40, abs=0.02)
    assert (column + 0.5) / image.shape[1] == pytest.approx(5.5 / 20, abs=0.02)


def test_what_values_are_can_be_said():
    assert plot_curve(np.arange(4), label="pitch / Hz").get_ylabel() == "pitch / Hz"
    axes = plot_spectrogram(-np.eye(4), label="level / dB")
    assert [bar.get_ylabel() for bar in axes.figure.axes if bar is not axes] == ["level / dB"]
    assert plot_components(np.eye(4), label="weight").get_supylabel() == "weight"
    assert plot_components(np.zeros((2, 3, 4)), label="weight").axes[-1].get_ylabel() == "weight"


def test_many_components_are_counted():
    figure = plot_components(np.full((9, 4), 2.0), most=4)
    assert len(figure.axes) == 4 and figure.get_suptitle() == "the first 4 of 9"


@pytest.mark.parametrize(
    ("components", "options", "error", "match"),
    [
        (np.zeros(4), {}, DimensionError, "2 or 3 axes"),
        (np.zeros((2, 4), complex), {}, DeclarationError, "real numbers"),
        (np.zeros((2, 4)), {"most": 0}, DeclarationError, "most >= 1"),
        (np.zeros((0, 4)), {}, DimensionError, "nothing to draw"),
        (np.zeros((2, 4)), {"dimensions": [None, None]}, DimensionError, "one per axis"),
    ],
)
def test_components_that_are_none(components, options, error, match):
    with pytest.raises(error, match=match):
        plot_components(components, **options)


# --- files, notebooks, axes of one's own ----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["PNG", "svg", "pdf"])
def test_pictures_become_files(tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    axes = plot(np.eye(4), path=path, title="one")
    assert path.stat().st_size > 1000 and axes.get_title() == "one"
    assert not any(mark in path.read_bytes() for mark in (b"dc:date", b"CreationDate"))
    assert save(axes, tmp_path / "again.png", dpi=30).read_bytes()[:8] == PNG
    assert save(axes.figure, str(tmp_path / "figure.png")).name == "figure.png"


def test_a_path_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
        plot(np.eye(4), path=tmp_path / "missing" / "picture.png")
    with pytest.raises(OSError, match="Is a directory"):
        (tmp_path / "folder.png").mkdir()
        plot(np.eye(4), path=tmp_path / "folder.png")


@pytest.mark.parametrize("name", ["picture", "picture.xyz"])
def test_an_ending_that_is_no_picture(tmp_path, name):
    with pytest.raises(DeclarationError, match=r"\.png"):
        plot(np.eye(4), path=tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_notebooks_show_what_was_drawn():
    assert sound().plot()._repr_png_()[:8] == PNG
    assert plot_components(np.eye(2))._repr_png_()[:8] == PNG


def test_axes_of_ones_own():
    figure = Figure(figsize=(6, 4))
    upper, lower = figure.subplots(2, 1, sharex=True)
    assert plot(sound(), upper) is upper
    assert plot(stft(sound()), axes=lower, colour_bar=False) is lower
    assert upper.get_xlim() == lower.get_xlim() == pytest.approx((0.0, 2.0), abs=0.06)
    lower.axhline(440.0)
    figure.savefig(io.BytesIO(), format="png")
    assert len(figure.axes) == 2


def test_a_picture_fits_every_resolution():
    values = np.zeros((3000, 2000))
    values[1234, 567] = 1.0
    axes = plot(values)
    for dpi in (30, 90):
        axes.figure.savefig(io.BytesIO(), format="png", dpi=dpi)
        image = np.asarray(axes.images[0].get_array())
        assert image.max() == 0.0 and (image == 0.0).sum() == 1


# --- what goes wrong ------------------------------------------------------------------------------------------------

EVERY = [
    plot,
    plot_chromagram,
    plot_curve,
    plot_histogram,
    plot_rainbowgram,
    plot_self_similarity,
    plot_spectrogram,
    plot_waveform,
]


@pytest.mark.parametrize("draw", EVERY)
def test_no_numbers_and_no_axes(draw):
    with pytest.raises((DeclarationError, DimensionError)):
        draw(np.array(["a", "b"]))
    with pytest.raises(DimensionError):
        draw(np.array(1.0))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"measure": "loudness"}, "'amplitude', 'power', 'value'"),
        ({"floor_db": 0.0}, "for example -80"),
        ({"floor_db": np.nan}, "for example -80"),
        ({"ref": 0.0}, "above 0"),
        ({"axes": "here"}, "axes of matplotlib"),
    ],
)
def test_options_out_of_range(options, match):
    with pytest.raises(DeclarationError, match=match):
        plot_spectrogram(np.eye(3), **options)


def test_shapes_that_do_not_fit():
    with pytest.raises(DimensionError, match=r"allowed: \(time, 12\)"):
        plot_chromagram(np.zeros((4, 11)))
    with pytest.raises(DeclarationError, match="first="):
        plot_chromagram(np.zeros((4, 12)), first="H")
    with pytest.raises(DimensionError, match="colours"):
        plot_rainbowgram(np.zeros((4, 5, 2)))
    with pytest.raises(DimensionError, match="take a stretch of time"):
        plot_rainbowgram(np.broadcast_to(np.complex64(0), (20_000, 1025)))
    with pytest.raises(DimensionError, match="or give no axes"):
        plot(np.zeros((2, 3, 4)), axes=Figure().subplots())
    with pytest.raises(DimensionError, match="nothing to draw"):
        plot(np.zeros((0, 3, 4)))


def test_pyplot_is_never_touched():
    code = (
        "import sys, numpy as np; from zounds_lite.visualization import plot; loaded = 'matplotlib' in sys.modules;"
        "plot(np.eye(3))._repr_png_(); print(loaded, 'matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert result.stdout.split() == ["False", "True", "False"]


def test_without_matplotlib(monkeypatch):
    figure_module._kinds.cache_clear()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    try:
        with pytest.raises(OptionalDependencyError, match=r"zounds_lite\[plot\]"):
            plot(np.eye(3))
        array = ArrayWithUnits(np.eye(3), [None, None])
        assert array.plot()._repr_html_() == to_html(array)
        with pytest.raises(OptionalDependencyError, match=r"zounds_lite\[plot\]"):
            array.plot(title="three")
    finally:
        figure_module._kinds.cache_clear()


@pytest.mark.parametrize("page", NEED_MATPLOTLIB, ids=lambda page: page.name)
def test_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(page)


MODULES = [plots.__name__, *(module.name for module in pkgutil.walk_packages(plots.__path__, f"{plots.__name__}."))]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_the_module_run(name):
    said = io.StringIO()
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name)):
        doctest.DocTestRunner(optionflags=flags).run(test, out=said.write)
    assert said.getvalue() == ""
