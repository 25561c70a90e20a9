"""Detection functions against their definitions and known sounds, and peaks."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from zounds_lite.dsp import (
    complex_domain,
    frames,
    measure_of_transience,
    moving_average_peaks,
    pick_peaks,
    relative_flux,
    rfft,
    spectral_distance,
    spectral_flux,
    vorbis,
)
from zounds_lite.errors import DeclarationError, DimensionError

FUNCTIONS = [measure_of_transience, spectral_flux, spectral_distance]
HOP, WINDOW = 256, 512


def spectra_of(samples):
    return rfft(frames(samples, WINDOW, HOP) * vorbis(WINDOW))


def triples(spectra):
    return np.stack([spectra[:-2], spectra[1:-1], spectra[2:]], axis=1)


def noise(rng, *shape):
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


# measure of transience


def test_measure_of_transience_is_its_formula():
    x = np.abs(noise(np.random.default_rng(0), 5, 20))
    wanted = []
    for t in range(5):
        hfc = [sum(k * x[u, k - 1] ** 2 for k in range(3, 21)) for u in (max(t - 1, 0), t)]
        wanted.append(hfc[1] / hfc[0] * hfc[1] / sum(x[t, k - 1] ** 2 for k in range(3, 21)))
    assert measure_of_transience(x) == pytest.approx(wanted, rel=1e-12)


def test_measure_of_transience_sees_nothing_in_the_first_two_bins():
    x = np.abs(noise(np.random.default_rng(0), 5, 20))
    other = x.copy()
    other[:, :2] *= 100
    assert (measure_of_transience(x) == measure_of_transience(other)).all()


def test_measure_of_transience_from_silence_divides_by_a_little():
    x = np.zeros((3, 10))
    x[1] = 1
    high, energy = sum(range(3, 11)), 8
    assert measure_of_transience(x) == pytest.approx([1, high / 1e-12 * high / energy, 1e-12 / high])


# complex domain


def test_complex_domain_is_the_formula_of_angles():
    x = noise(np.random.default_rng(1), 6, 3, 40)
    r, s = np.abs(x[:, 1]), np.abs(x[:, 2])
    phase = np.angle(x)
    d = np.angle(np.exp(1j * (phase[:, 2] - 2 * phase[:, 1] + phase[:, 0])))  # wrapped: princarg
    wanted = np.sqrt(r**2 + s**2 - 2 * r * s * np.cos(d)).sum(axis=1)
    assert complex_domain(x) == pytest.approx(wanted, rel=1e-10)


def test_a_change_of_magnitude_alone_is_counted_as_a_distance():
    assert complex_domain(np.array([[[1.0], [3.0], [1.0]], [[1.0], [1.0], [3.0]]])) == pytest.approx([2, 2])


def test_a_steady_tone_is_predicted_and_a_click_is_not():
    n = np.arange(20 * HOP)
    steady = np.sin(2 * np.pi * 0.0317 * n)
    click = steady.copy()
    click[10 * HOP + HOP // 2] += 10  # in the upper half of frame 9, the lower of frame 10
    quiet, loud = (complex_domain(triples(spectra_of(x)[:-1])) for x in (steady, click))
    # a real tone has a negative frequency as well, which turns the other way and leaks a little
    assert quiet.max() < 1e-3 * loud.max()
    assert loud.argmax() + 1 in (9, 10, 11)


def test_frames_beyond_the_third_do_not_count():
    x = noise(np.random.default_rng(2), 4, 5, 9)
    assert (complex_domain(x) == complex_domain(x[:, :3])).all()


def test_windows_of_two_frames_are_refused():
    with pytest.raises(DimensionError, match="3 or more frames"):
        complex_domain(np.zeros((4, 2, 9)))


# flux


def test_flux_is_its_formula():
    x = np.abs(noise(np.random.default_rng(3), 6, 12))
    y = np.log1p(10 * x)
    wanted = [0.0]
    for t in range(1, 6):
        rises = [max(0.0, y[t, k] - max(y[t - 1, max(0, k - 2) : k + 3])) for k in range(12)]
        wanted.append(sum(rises) / 12)
    assert spectral_flux(x, gamma=10, reach=2) == pytest.approx(wanted, rel=1e-12)


def test_flux_grows_with_the_level_and_sees_no_fall():
    x = np.abs(noise(np.random.default_rng(4), 6, 12))
    assert spectral_flux(3 * x) == pytest.approx(3 * spectral_flux(x))
    assert (spectral_flux(np.linspace(1, 0, 6)[:, np.newaxis] * np.ones(12)) == 0).all()


def test_a_partial_that_moves_to_the_next_bin_is_no_rise():
    x = np.zeros((2, 12))
    x[0, 5] = x[1, 6] = 1
    assert spectral_flux(x, reach=1).tolist() == [0, 0]
    assert spectral_flux(x, reach=0).tolist() == [0, 1 / 12]


def test_distance_is_the_norm_of_the_difference():
    x = np.abs(noise(np.random.default_rng(5), 6, 12))
    assert spectral_distance(x)[1:] == pytest.approx(np.linalg.norm(np.diff(x, axis=0), axis=1))
    assert spectral_distance(7 * x, unit_norm=True) == pytest.approx(spectral_distance(x, unit_norm=True))


def test_relative_flux_is_a_part_of_the_loudest_so_far_which_fades():
    x = np.abs(noise(np.random.default_rng(6), 8, 12))
    level = x.mean(axis=1)
    wanted = [f / max(level[j] * 0.5 ** ((t - j) / 3) for j in range(t + 1)) for t, f in enumerate(spectral_flux(x))]
    values, loudest = relative_flux(x, half_life=3)
    assert values == pytest.approx(wanted)
    assert relative_flux(1e-6 * x, half_life=3)[0] == pytest.approx(wanted)
    first, between = relative_flux(x[:5], half_life=3)
    rest, last = relative_flux(x[5:], half_life=3, previous=x[4], loudest=between)
    assert (np.concatenate([first, rest]).tobytes(), last) == (values.tobytes(), loudest)


def test_relative_flux_of_silence_and_nan():
    x = np.zeros((6, 4))
    assert relative_flux(x, half_life=3)[0].tolist() == [0] * 6
    x[2], x[4] = np.nan, 1
    values, _ = relative_flux(x, half_life=3)
    assert np.isnan(values).tolist() == [False, False, True, True, False, False]
    assert values[4:].tolist() == [1, 0]
    with pytest.raises(DeclarationError, match="half_life=0"):
        relative_flux(x, half_life=0)


def test_arguments_of_the_flux_are_checked():
    for arguments in ({"gamma": -1.0}, {"reach": -1}, {"gamma": np.nan}):
        with pytest.raises(DeclarationError, match="0 or more"):
            spectral_flux(np.zeros((2, 3)), **arguments)


# all of them


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_stream_gives_the_bits_of_the_whole(function):
    x = noise(np.random.default_rng(6), 9, 33)
    parts = [function(x[:4]), function(x[4:], previous=x[3])]
    assert np.concatenate(parts).tobytes() == function(x).tobytes()


@pytest.mark.parametrize("function", [*FUNCTIONS, lambda x: complex_domain(triples(x))])
def test_types_are_kept_and_silence_and_nothing_are_fine(function):
    for given_type, wanted in ((np.complex64, np.float32), (np.complex128, np.float64)):
        values = function(np.zeros((5, 7), given_type))
        assert values.dtype == wanted
        assert np.isfinite(values).all()
    assert function(np.zeros((4, 9), np.int16)).dtype == np.float64
    assert np.isfinite(function(np.zeros((4, 0)))).all()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_frames_give_no_values(function):
    assert function(np.zeros((0, 7), np.float32)).shape == (0,)
    with pytest.raises(DimensionError, match="frames, bins"):
        function(np.zeros(5))


@pytest.mark.parametrize("function", [*FUNCTIONS, lambda x: complex_domain(triples(x))])
def test_nan_stays_near_the_frame_it_is_in(function):
    x = noise(np.random.default_rng(7), 12, 9)
    damaged = x.copy()
    damaged[6, 4] = np.nan
    found, wanted = function(damaged), function(x)
    bad = np.flatnonzero(np.isnan(found))
    assert len(bad)
    assert set(bad) <= {4, 5, 6, 7}
    kept = np.setdiff1d(np.arange(len(wanted)), bad)
    assert (found[kept] == wanted[kept]).all()


# peaks


def test_the_maximum_is_looked_for_in_the_centre():
    windows = np.eye(11)
    assert np.flatnonzero(moving_average_peaks(windows)).tolist() == [5]
    assert np.flatnonzero(moving_average_peaks(np.eye(12))).tolist() == [6]


def test_a_peak_must_exceed_the_threshold():
    x = np.zeros(31)
    x[10], x[20] = 1.0, 0.2
    x += 1.0
    assert pick_peaks(x).tolist() == [10]
    assert pick_peaks(x, factor=1.1).tolist() == [10, 20]
    assert pick_peaks(x, factor=1.1, delta=0.5).tolist() == [10]
    assert pick_peaks(x, factor=1.1, aggregate=np.max).tolist() == []


def test_a_plateau_is_one_peak_and_a_level_is_none():
    assert pick_peaks(np.array([0, 0, 0, 1, 1, 0, 0, 0.0])).tolist() == [3]
    assert pick_peaks(np.ones(40)).tolist() == []
    assert pick_peaks(np.zeros(40)).tolist() == []
    assert pick_peaks(np.zeros(0)).tolist() == []


@given(st.integers(0, 2**32 - 1), st.integers(3, 24))
def test_peaks_are_local_maxima_that_exceed_the_mean(seed, size):
    x = np.random.default_rng(seed).random(60)
    found = pick_peaks(x, size)
    padded = np.pad(x, 1)
    for i in range(60):
        around = x[max(0, i - size // 2) : i - size // 2 + size]
        is_peak = padded[i] < x[i] >= padded[i + 2] and x[i] > 1.25 * around.mean()
        assert is_peak == (i in found)


def test_steady_noise_has_no_peaks_at_its_ends():
    x = 1 + 0.05 * np.random.default_rng(8).normal(size=200)
    assert pick_peaks(x, size=41, factor=1.5).tolist() == []


def test_what_has_no_centre_is_refused():
    with pytest.raises(DimensionError, match="3 or more values"):
        moving_average_peaks(np.zeros((4, 2)))
    with pytest.raises(DeclarationError, match="size=2"):
        pick_peaks(np.zeros(4), size=2)
    with pytest.raises(DimensionError, match="one value a frame"):
        pick_peaks(np.zeros((4, 2)))
    with pytest.raises(DeclarationError, match="take magnitudes"):
        moving_average_peaks(np.zeros((4, 5), complex))
