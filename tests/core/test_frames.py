"""Arrays with units as pandas and xarray see them: axes in seconds and hertz, values as they were."""

import sys

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import DimensionError, OptionalDependencyError
from zounds_lite.spectral import ChromaScale, ExplicitFrequencyDimension, FrequencyDimension

TONE = zounds.SineSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(1), [440.0])
SPECTRUM = zounds.spectral.stft(TONE)


def test_series_are_indexed_by_seconds():
    pandas = pytest.importorskip("pandas")
    found = TONE.to_pandas()
    assert isinstance(found, pandas.Series) and found.index.name == "time / s"
    np.testing.assert_array_equal(found.to_numpy(), np.asarray(TONE))
    np.testing.assert_allclose(found.index, np.arange(11_025) / 11_025, rtol=1e-15)
    assert np.shares_memory(found.to_numpy(), np.asarray(TONE))
    assert found[0.2:].iloc[0] == TONE[zounds.TimeSlice(start=zounds.Seconds(0.2))][0]


def test_tables_have_seconds_downwards_and_hertz_across():
    pytest.importorskip("pandas")
    found = abs(SPECTRUM).to_pandas()
    assert (found.index.name, found.columns.name) == ("time / s", "frequency / Hz")
    np.testing.assert_allclose(found.index, np.arange(len(SPECTRUM)) * 256 / 11_025)
    np.testing.assert_allclose(found.columns, np.arange(257) * 11_025 / 512)
    assert found.mean().idxmax() == pytest.approx(440, abs=11_025 / 1024)


def test_axes_without_units_count():
    pytest.importorskip("pandas")
    found = ArrayWithUnits([[1, 2], [3, 4]], [None, None]).to_pandas()
    assert found.index.tolist() == found.columns.tolist() == [0, 1] and found.index.name is None
    assert ArrayWithUnits(np.zeros((0, 2)), [None, None]).to_pandas().shape == (0, 2)


def test_arrays_are_labelled_with_units():
    xarray = pytest.importorskip("xarray")
    found = SPECTRUM.to_xarray("spectrum")
    assert isinstance(found, xarray.DataArray) and found.name == "spectrum"
    assert found.dims == ("time", "frequency")
    assert (found.time.units, found.frequency.units) == ("s", "Hz")
    np.testing.assert_array_equal(found.to_numpy(), np.asarray(SPECTRUM))
    loudest = abs(found).mean("time").idxmax("frequency")
    assert float(loudest) == pytest.approx(440, abs=11_025 / 1024)
    assert np.shares_memory(found.to_numpy(), np.asarray(SPECTRUM))


def test_names_of_axes_are_never_taken_twice():
    pytest.importorskip("xarray")
    time = zounds.TimeDimension(zounds.Seconds(1))
    found = ArrayWithUnits(np.zeros((2, 3, 4)), [time, time, None]).to_xarray()
    assert found.dims == ("time", "time_1", "axis_2")
    assert "axis_2" not in found.coords


def test_pitch_classes_are_named():
    pytest.importorskip("xarray")
    chroma = FrequencyDimension(ChromaScale(zounds.FrequencyBand(50, 5000), first="C"))
    found = ArrayWithUnits(np.arange(12), [chroma]).to_xarray()
    assert int(found.sel(pitch_class="A")) == 9
    assert ArrayWithUnits(np.arange(12), [chroma]).to_pandas()["C#"] == 1


def test_a_segment_begins_where_it_was_cut():
    time = zounds.TimeDimension(zounds.Seconds(0.5), zounds.Seconds(1), start=zounds.Seconds(40))
    assert time.coordinates(3).values.tolist() == [40.0, 40.5, 41.0]


def test_hours_of_samples_do_not_drift():
    time = zounds.TimeDimension.windowed(hop=44_100, window=88_200, rate=44_100)
    np.testing.assert_array_equal(time.coordinates(3600).values, np.arange(3600))


def test_each_coefficient_of_a_band_has_its_frequency():
    scale = zounds.LinearScale(zounds.FrequencyBand(0, 200), 2)
    dimension = ExplicitFrequencyDimension(scale, [slice(0, 1), slice(1, 3)])
    assert dimension.coordinates(3).values.tolist() == [50.0, 150.0, 150.0]


@pytest.mark.parametrize("shape", [(), (2, 2, 2)])
def test_what_is_no_table(shape):
    with pytest.raises(DimensionError, match="allowed: one or two axes"):
        ArrayWithUnits(np.zeros(shape), [None] * len(shape)).to_pandas()


@pytest.mark.parametrize(("library", "method"), [("pandas", "to_pandas"), ("xarray", "to_xarray")])
def test_a_missing_library_is_named_with_its_extra(monkeypatch, library, method):
    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)

    class Missing:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == library:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(OptionalDependencyError, match=r"zounds_lite\[frames\]"):
        getattr(TONE, method)()
