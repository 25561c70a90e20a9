"""Detection functions with units, tempo, and how slices are stored."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite import dsp, featureflow as ff, segment
from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral import stft

RATE = zounds.SR22050()
FUNCTIONS = {
    "measure_of_transience": zounds.MeasureOfTransience,
    "spectral_flux": zounds.SpectralFlux,
    "spectral_distance": zounds.Flux,
}


def ticks(bpm=120, seconds=8):
    period = zounds.Picoseconds(round(60e12 / bpm))
    return zounds.TickSynthesizer(RATE, seed=1).synthesize(zounds.Seconds(seconds), period)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_and_nodes_keep_the_time_of_the_frames(name):
    spectra = stft(ticks(seconds=2))
    values = getattr(segment, name)(spectra)
    assert values.dimensions == spectra.dimensions[:1]
    assert values.dimensions[0].n_samples == 2 * RATE.rate
    assert (np.asarray(values) == getattr(dsp, name)(np.asarray(spectra))).all()
    (streamed,) = FUNCTIONS[name]().run([spectra])
    assert streamed.dimensions[0].n_samples == 2 * RATE.rate


@pytest.mark.parametrize("name", [*FUNCTIONS, "complex_domain"])
def test_arrays_without_time_are_refused(name):
    for x in (np.zeros((3, 4, 5)), ArrayWithUnits(np.zeros((3, 4)), [zounds.IdentityDimension()] * 2)):
        with pytest.raises(DimensionError, match="must be a TimeDimension"):
            getattr(segment, name)(x)


@pytest.mark.parametrize("padwith", [0, 1, 2])
def test_complex_domain_has_the_hop_of_its_windows_and_lasts_as_long_as_a_frame(padwith):
    spectra = stft(ticks(seconds=2))
    frame = spectra.dimensions[0]
    scheme = zounds.SampleRate(frame.frequency, frame.frequency * 3)
    node = zounds.SlidingWindow(scheme, padwith=padwith)
    windows = list(node.run([spectra]))[-1]
    (time,) = segment.complex_domain(windows).dimensions
    assert (time.hop, time.window, time.rate) == (frame.hop, frame.window, frame.rate)
    assert time.n_samples == 2 * RATE.rate
    # value k lies at frame k + 1 of the padded frames, so one frame of padding puts it at frame k
    assert time.padding == {0: None, 1: 0, 2: frame.hop}[padwith]


def test_complex_domain_of_windows_two_frames_apart():
    spectra = stft(ticks(seconds=2))
    frame = spectra.dimensions[0]
    scheme = zounds.SampleRate(frame.frequency * 2, frame.frequency * 3)
    windows = list(zounds.SlidingWindow(scheme).run([spectra]))[-1]
    (time,) = segment.complex_domain(windows).dimensions
    assert (time.hop, time.window) == (2 * frame.hop, frame.window)


def test_complex_domain_without_a_sample_rate():
    frame = zounds.TimeDimension(zounds.Seconds(1), zounds.Seconds(2))
    windows = ArrayWithUnits(
        np.zeros((4, 3, 5)), [zounds.TimeDimension(zounds.Seconds(1), zounds.Seconds(4)), frame, zounds.Dimension()]
    )
    assert segment.complex_domain(windows).dimensions == (frame,)


# tempo


@pytest.mark.parametrize("bpm", [60, 83.7, 97.1, 120, 143.3, 180])
@pytest.mark.parametrize(("window", "hop"), [(1024, 256), (2048, 1024), (4096, 2048)])
def test_tempo_of_ticks_at_any_hop(bpm, window, hop):
    detection = segment.spectral_flux(stft(ticks(bpm), RATE.windowing_scheme(window, hop)))
    assert segment.tempo(detection) == pytest.approx(bpm, rel=0.01)
    assert list(zounds.Tempo().run([detection[:50], detection[50:]])) == [segment.tempo(detection)]


def test_tempo_counts_the_frames_of_an_axis_without_a_sample_rate():
    x = np.tile([1.0, 0, 0, 0, 0], 40)
    detection = ArrayWithUnits(x, [zounds.TimeDimension(zounds.Milliseconds(100))])
    assert segment.tempo(detection) == pytest.approx(120, rel=1e-3)


def test_silence_has_no_tempo():
    silence = stft(zounds.SilenceSynthesizer(RATE).synthesize(zounds.Seconds(5)))
    assert segment.tempo(segment.spectral_flux(silence)) == 0
    assert list(zounds.Tempo().run([segment.spectral_flux(silence)[:0]])) == [0]


def test_arguments_are_checked_when_a_node_is_made():
    with pytest.raises(DeclarationError, match="gamma=-1"):
        zounds.SpectralFlux(gamma=-1)
    with pytest.raises(DeclarationError, match="min_bpm=400"):
        zounds.Tempo(min_bpm=400)


# storage


@zounds.simple_in_memory_settings
class Document(ff.BaseModel):
    slices = zounds.TimeSliceFeature(ff.IteratorNode, store=True)


def test_slices_are_stored_without_data():
    series = zounds.VariableRateTimeSeries(
        [
            (zounds.TimeSlice(zounds.Seconds(1)), np.ones(1000)),
            (zounds.TimeSlice(start=zounds.Seconds(1)), np.ones(1000)),
        ]
    )
    later = [zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(5))]
    stored = Document(Document.process(slices=[series, later])).slices
    assert isinstance(stored, zounds.VariableRateTimeSeries)
    assert stored.slices == [*series.slices, *later]
    assert stored.slicedata.shape == (3, 0)


def test_no_slices_are_stored_too():
    assert len(Document(Document.process(slices=[[]])).slices) == 0
