"""The constant-Q transform with units."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp import ConstantQ, cqt as plain_cqt
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError, UnitsError
from zounds_lite.spectral import CQT, FrequencyDimension, GeometricScale, cqt
from zounds_lite.spectral.functional.constantq import constant_q_of_axes

RATE = zounds.SR11025()


def sound(size=11025, channels=0, dtype=np.float64):
    shape = (size, channels) if channels else size
    return zounds.AudioSamples(np.random.default_rng(0).normal(size=shape).astype(dtype), RATE)


def test_bands_have_their_frequencies_and_widths():
    for arguments in ({}, {"start_hz": 55.0, "n_bands": 85, "bands_per_octave": 24}, {"n_bands": 1}, {"n_bands": 2}):
        spectra = cqt(sound(2000), **{"n_bands": 72, **arguments})
        bank = ConstantQ(11025, **{"n_bands": 72, **arguments})
        scale = spectra.dimensions[1].scale
        assert isinstance(scale, GeometricScale)
        assert scale.center_frequencies == pytest.approx(bank.center_hz, rel=1e-12)
        assert np.allclose(scale.Q, bank.q, rtol=1e-12)


def test_time_counts_from_the_centre_of_the_first_frame():
    spectra = cqt(sound(), hop=100, n_bands=24)
    time = spectra.dimensions[0]
    assert spectra.shape == (111, 24) and spectra.dtype == np.complex128
    assert (time.hop, time.window, time.rate, time.padding, time.n_samples) == (100, 100, 11025, 50, 11025)
    assert spectra[zounds.TimeSlice(zounds.Seconds(1))].shape[0] == 111
    assert spectra[zounds.TimeSlice(zounds.Milliseconds(500))].shape[0] == 56
    assert cqt(sound(), zounds.Milliseconds(100), n_bands=24).dimensions[0].hop == 1103


def test_hertz_take_their_bands():
    spectra = cqt(sound(4000), start_hz=55.0, n_bands=72)
    assert np.array_equal(np.asarray(spectra[:, zounds.Hertz(440.0)]), np.asarray(spectra)[:, 36])
    octave = spectra[:, zounds.FrequencyBand(219, 441)]
    # neighbours reach half a band farther than their centres
    assert octave.shape[1] in (13, 15)


def test_values_are_those_of_the_plain_transform():
    x = sound(6000, channels=2, dtype=np.float32)
    spectra = cqt(x, hop=200, n_bands=36)
    assert spectra.shape == (31, 36, 2) and spectra.dtype == np.complex64
    wanted = plain_cqt(np.asarray(x).T, 11025, hop=200, n_bands=36)
    assert np.array_equal(np.moveaxis(np.asarray(spectra), 2, 0), wanted)
    exact = cqt(x, hop=200, n_bands=36, exact=True)
    assert np.abs(np.asarray(exact) - spectra).max() < 1e-3 * np.abs(exact).max()


def test_windows_of_the_library_will_do():
    x = sound(3000)
    by_name = cqt(x, n_bands=36)
    by_object = cqt(x, n_bands=36, window=zounds.HanningWindowingFunc(periodic=True))
    assert np.allclose(by_name, by_object)


def test_no_samples_are_no_frames():
    assert cqt(sound(0), n_bands=36).shape == (0, 36)
    assert cqt(sound(1), n_bands=36).shape == (1, 36)
    (nothing,) = CQT(n_bands=36).run([sound(0)])
    assert nothing.shape == (0, 36)


def test_axes_say_which_transform_it_was():
    for arguments in (
        {"n_bands": 72},
        {"start_hz": 70.0, "n_bands": 96, "bands_per_octave": 24, "filter_scale": 0.7},
        {"n_bands": 1, "bands_per_octave": 7.5},
    ):
        bank = constant_q_of_axes(cqt(sound(2000), hop=333, **arguments))
        wanted = ConstantQ(11025, hop=333, **arguments)
        assert bank.hop == 333 and np.array_equal(bank.lengths, wanted.lengths)


def test_what_has_no_axes_of_a_constant_q_transform():
    spectra = cqt(sound(2000), n_bands=36)
    with pytest.raises(DimensionError, match="instead of slicing them away"):
        constant_q_of_axes(spectra[:, zounds.FrequencyBand(100, 200)])
    with pytest.raises(DimensionError, match="the result of cqt"):
        constant_q_of_axes(np.asarray(spectra))
    with pytest.raises(DeclarationError, match="magnitudes alone"):
        constant_q_of_axes(abs(spectra))
    plain = ArrayWithUnits(np.zeros((2, 3), complex), [zounds.IdentityDimension(), spectra.dimensions[0]])
    with pytest.raises(DimensionError, match="the result of cqt"):
        constant_q_of_axes(plain)


def test_what_cannot_be_transformed():
    with pytest.raises(DimensionError, match="no units"):
        cqt(np.ones(100))
    with pytest.raises(DimensionError, match="axis of time"):
        cqt(ArrayWithUnits(np.ones(100), [zounds.IdentityDimension()]))
    with pytest.raises(SampleRateError, match="no axis of samples"):
        cqt(ArrayWithUnits(np.ones(100), [zounds.TimeDimension(zounds.Seconds(1), zounds.Seconds(2))]))
    with pytest.raises(DeclarationError, match="at most 8"):
        cqt(sound(100), n_bands=100)


def test_what_no_node_can_be():
    for arguments, match in (
        ({"hop": 0}, "hop=0"),
        ({"hop": zounds.Seconds(0)}, "hop="),
        ({"hop": 2.5}, "hop=2.5"),
        ({"n_bands": 0}, "n_bands=0"),
        ({"window": "none"}, "'hann'"),
        ({"start_hz": -1.0}, "start_hz"),
    ):
        with pytest.raises(DeclarationError, match=match):
            CQT(**arguments)
    with pytest.raises(DeclarationError, match="at most"):
        list(CQT(n_bands=100).run([sound(100)]))
    with pytest.raises(UnitsError, match="all chunks of a stream have the same"):
        list(CQT(n_bands=36).run([sound(100), zounds.AudioSamples(np.ones(5), zounds.SR8000())]))


def test_frames_know_where_the_sound_began():
    x = sound(3000)
    start = zounds.Seconds(7)
    moved = ArrayWithUnits(np.asarray(x), [zounds.TimeDimension(*RATE, hop=1, window=1, rate=11025, start=start)])
    assert cqt(moved, n_bands=36).dimensions[0].start == start
    assert list(CQT(n_bands=36).run([moved]))[-1].dimensions[0].start == start


def test_the_scale_is_declared_as_it_is():
    scale = cqt(sound(100), n_bands=36).dimensions[1]
    assert isinstance(scale, FrequencyDimension) and len(scale.scale) == 36
