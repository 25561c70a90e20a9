"""Labels, ticks and positions along an axis, against what the dimensions themselves say."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from zounds_lite import FrequencyBand, FrequencyDimension, Seconds, TimeDimension
from zounds_lite.core import ArrayWithUnits, Dimension, IdentityDimension
from zounds_lite.errors import DeclarationError
from zounds_lite.spectral import (
    BarkScale,
    ChromaScale,
    EllisChromaScale,
    ERBScale,
    ExplicitFrequencyDimension,
    ExplicitScale,
    FFTScale,
    GeometricScale,
    LinearScale,
    MelScale,
    SlaneyMelScale,
)
from zounds_lite.timeseries import SR22050, SR44100
from zounds_lite.visualization import axis_of
from zounds_lite.visualization.axes import covered_seconds, ruler_of

BAND = FrequencyBand(20, 10000)
SCALES = [
    FFTScale(44100, 2048),
    FFTScale(22050, 511),
    LinearScale(BAND, 100),
    MelScale(BAND, 128),
    SlaneyMelScale(FrequencyBand(0, 11025), 128),
    BarkScale(BAND, 96),
    ERBScale(BAND, 64),
    GeometricScale(32.7, 4186.0, 0.05, 84),
    GeometricScale(65.4, 1046.5, 0.03, 96),
]


def parts(scale):
    """A scale, and what is left of it after slicing."""
    return [scale, scale[FrequencyBand(200, 2000)], scale.part(slice(3, 9))]


@pytest.mark.parametrize("scale", [part for scale in SCALES for part in parts(scale)], ids=str)
@pytest.mark.parametrize("max_ticks", [2, 8])
def test_a_tick_stands_in_the_band_of_its_frequency(scale, max_ticks):
    axis = axis_of(FrequencyDimension(scale), len(scale), max_ticks)
    assert axis.label == "frequency / Hz" and axis.size == len(scale)
    centers = scale.center_frequencies
    assert 0 < len(axis.ticks) <= max_ticks
    for position, text in axis.ticks:
        nearest = int(np.argmin(np.abs(centers - float(text))))
        # between two centres a tick may lie beyond the edge of the nearer one's entry, for bands widen
        assert abs(position - (nearest + 0.5)) <= 0.55, text


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_a_whole_scale_has_ticks_from_end_to_end(scale):
    positions = [position for position, _ in axis_of(FrequencyDimension(scale), len(scale)).ticks]
    gaps = np.diff([0.0, *positions, len(scale)]) / len(scale)
    assert gaps.max() < 0.45 and gaps[1:-1].min() > 0.05


def test_hertz_that_people_know():
    mel = FrequencyDimension(MelScale(FrequencyBand(20, 16000), 128))
    assert [text for _, text in axis_of(mel, 128).ticks] == ["100", "500", "1000", "2000", "5000", "10000"]
    fft = FrequencyDimension(FFTScale(44100, 2048))
    assert axis_of(fft, 1025).ticks[1] == (pytest.approx(0.5 + 5000 * 2048 / 44100), "5000")


def test_octaves_are_equally_far_apart_on_a_geometric_scale():
    ruler = ruler_of(FrequencyDimension(GeometricScale(55.0, 55.0 * 2**6, 0.05, 73)), 73)
    positions = ruler.position_of(55.0 * 2.0 ** np.arange(7))
    np.testing.assert_allclose(positions, 0.5 + 12 * np.arange(7), atol=1e-9)
    assert not ruler.is_straight


@pytest.mark.parametrize("scale", SCALES, ids=str)
def test_positions_and_values_are_each_other_s_inverse(scale):
    ruler = ruler_of(FrequencyDimension(scale), len(scale))
    positions = np.linspace(-2.0, len(scale) + 2.0, 41).reshape(1, -1)
    np.testing.assert_allclose(ruler.position_of(ruler.value_at(positions)), positions, atol=1e-6)


# --- time -----------------------------------------------------------------------------------------------------------


def test_seconds_of_samples():
    axis = axis_of(TimeDimension(*SR44100()), 44100 * 10)
    assert axis.label == "time / s"
    assert axis.ticks[1] == (pytest.approx(2 * 44100), "2")
    assert [text for _, text in axis.ticks] == ["0", "2", "4", "6", "8", "10"]


@pytest.mark.parametrize(
    ("notes", "middle_of_the_first"),
    [
        ({}, 1024 / 22050),
        ({"start": Seconds(3)}, 3 + 1024 / 22050),
        ({"padding": 1024}, 0.0),
        ({"padding": 1024, "start": Seconds(3)}, 3.0),
    ],
)
def test_a_window_is_drawn_around_its_middle(notes, middle_of_the_first):
    time = TimeDimension.windowed(512, 2048, 22050, **notes)
    assert ruler_of(time, 100).value_at(0.5) == pytest.approx(middle_of_the_first)
    assert ruler_of(time, 100).value_at(43.5) == pytest.approx(middle_of_the_first + 43 * 512 / 22050)


def test_time_without_samples():
    time = TimeDimension(Seconds(1), Seconds(3), start=Seconds(10))
    assert ruler_of(time, 5).value_at(0.5) == 11.5
    assert covered_seconds(time, 5) == (10.0, 17.0)


@pytest.mark.parametrize(
    ("notes", "size", "wanted"),
    [
        ({}, 3, (0.0, 2.0)),
        ({"start": Seconds(3)}, 3, (3.0, 5.0)),
        ({"padding": 50}, 3, (0.0, 1.5)),
        ({"n_samples": 110}, 3, (0.0, 1.1)),
        ({}, 0, (0.0, 0.5)),
        ({"padding": 500}, 1, (0.0, 0.01)),
    ],
)
def test_the_signal_that_windows_cover(notes, size, wanted):
    assert covered_seconds(TimeDimension.windowed(50, 100, 100, **notes), size) == pytest.approx(wanted)


def test_an_hour_has_few_ticks():
    axis = axis_of(TimeDimension(*SR22050()), 3600 * 22050)
    assert [text for _, text in axis.ticks] == [str(500 * k) for k in range(8)]


# --- everything else ------------------------------------------------------------------------------------------------


def test_pitch_classes_are_named_from_the_first_one():
    for scale in (ChromaScale(FrequencyBand(50, 5000)), EllisChromaScale()):
        axis = axis_of(FrequencyDimension(scale), 12)
        assert axis.label == "pitch class"
        assert axis.ticks[0] == (0.5, scale.first) and len(axis.ticks) == 12
        assert axis.ticks[3 if scale.first == "A" else 9][1] == ("C" if scale.first == "A" else "A")


def test_bands_with_several_elements():
    scale = ExplicitScale([FrequencyBand(0, 200), FrequencyBand(200, 600), FrequencyBand(600, 1400)])
    dimension = ExplicitFrequencyDimension(scale, [slice(0, 2), slice(2, 2), slice(2, 10)])
    ruler = ruler_of(dimension, 10)
    assert ruler.position_of([100.0, 1000.0]).tolist() == [1.0, 6.0]
    assert axis_of(dimension, 10).label == "frequency / Hz"


def test_bands_whose_centres_fall_are_named_one_by_one():
    scale = ExplicitScale([FrequencyBand(0, 1000), FrequencyBand(10, 20)])
    assert ruler_of(FrequencyDimension(scale), 2) is None
    assert axis_of(FrequencyDimension(scale), 2).ticks == ((0.5, "500"), (1.5, "15"))


def test_one_band():
    scale = LinearScale(FrequencyBand(400, 600), 1)
    ruler = ruler_of(FrequencyDimension(scale), 1)
    assert (ruler.value_at(0.0), ruler.value_at(1.0)) == (400.0, 600.0)


class Note(Dimension):
    """A dimension of somebody else."""


@pytest.mark.parametrize("dimension", [None, IdentityDimension(), Note()])
def test_all_else_is_counted(dimension):
    assert axis_of(dimension, 3).ticks == ((0.5, "0"), (1.5, "1"), (2.5, "2"))
    assert axis_of(dimension, 3).label == "index"
    assert all(float(text).is_integer() for _, text in axis_of(dimension, 3, max_ticks=2).ticks)


EMPTY = ExplicitFrequencyDimension(ExplicitScale(()), ())


@pytest.mark.parametrize(
    "dimension", [None, TimeDimension(Seconds(1)), FrequencyDimension(ExplicitScale(())), EMPTY], ids=str
)
def test_an_empty_axis_has_a_label_and_no_ticks(dimension):
    axis = axis_of(dimension, 0)
    assert axis.ticks == () and axis.size == 0 and axis.label


@pytest.mark.parametrize(("size", "max_ticks"), [(3, 0), (-1, 8)])
def test_no_room(size, max_ticks):
    with pytest.raises(DeclarationError, match="max_ticks >= 1"):
        axis_of(None, size, max_ticks)


@given(
    hop=st.integers(1, 10**6),
    rate=st.integers(1, 192000),
    size=st.integers(1, 10**8),
    start=st.integers(0, 10**5),
    max_ticks=st.integers(1, 12),
)
def test_ticks_of_time_rise_and_say_where_they_are(hop, rate, size, start, max_ticks):
    time = TimeDimension.windowed(hop, 2 * hop, rate, start=Seconds(start))
    axis, ruler = axis_of(time, size, max_ticks), ruler_of(time, size)
    positions = [position for position, _ in axis.ticks]
    assert len(positions) <= max_ticks
    assert positions == sorted(set(positions))
    for position, text in axis.ticks:
        # a position is rounded as the time is, which may be a billion times the length of the axis
        assert -1e-6 * size <= position <= size * (1 + 1e-6)
        assert ruler.value_at(position) == pytest.approx(float(text), rel=1e-9, abs=1e-9)


def test_arrays_hand_out_what_axes_are_made_of():
    array = ArrayWithUnits(np.zeros((4, 128)), [TimeDimension(Seconds(1)), FrequencyDimension(MelScale(BAND, 128))])
    high = array[:, FrequencyBand(1000, 4000)]
    texts = [text for _, text in axis_of(high.dimensions[1], high.shape[1]).ticks]
    assert {"2000", "3000"} <= set(texts) and "500" not in texts
