"""Time stretching, pitch shifting and delays on plain arrays: frequency, level, length and place are right."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite.dsp import hann, irfft, phase_shift, pitch_shift, rfft, time_stretch
from zounds_lite.errors import DeclarationError, DimensionError

SR = 22050
FRAMES = {"window": 1024, "hop": 256}
FACTORS = [0.5, 0.8, 2 ** (1 / 12), 1.5, 3.0]


def tone(hz, seconds=2.0, dtype=np.float64):
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * SR)) / SR)).astype(dtype)


def noise(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def inner(x):
    return x[2048:-2048]


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


def frequency(x):
    """Frequency of a tone in Hz, from how far its phase moves between two halves of the sound."""
    half = len(x) // 2
    windowed = hann(half, periodic=True)
    coarse = np.abs(rfft(x[:half] * windowed)).argmax() * SR / half
    carrier = np.exp(-2j * np.pi * coarse * np.arange(2 * half) / SR)
    first, second = ((x[: 2 * half] * carrier)[part] @ windowed for part in (slice(0, half), slice(half, None)))
    return coarse + np.angle(second / first) / (2 * np.pi) * SR / half


def cents(found, wanted):
    return 1200 * np.log2(found / wanted)


# --- stretching -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hz", [110.0, 440.0, 3001.7])
@pytest.mark.parametrize("factor", FACTORS)
def test_a_tone_keeps_its_frequency_and_its_level(factor, hz):
    y = inner(time_stretch(tone(hz), factor, **FRAMES))
    assert abs(cents(frequency(y), hz)) < 0.01
    assert rms(y) / rms(inner(tone(hz))) == pytest.approx(1, abs=0.001)
    assert np.abs(y).max() == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize("factor", FACTORS)
def test_noise_and_chords_keep_their_level(factor):
    chord = sum(tone(hz) for hz in (220, 277.18, 329.63, 440))
    for x in (noise(3 * SR), chord, chord + 0.3 * noise(len(chord))):
        assert rms(inner(time_stretch(x, factor, **FRAMES))) / rms(inner(x)) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 2.0])
def test_clicks_stay_in_their_place(factor):
    x = 1e-3 * noise(3 * SR)
    places = np.array([0.5, 1.1, 1.9, 2.4])
    for place in places:
        at = int(place * SR)
        x[at : at + 200] += noise(200) * np.linspace(1, 0, 200)
    y = time_stretch(x, factor, **FRAMES) ** 2
    for place in places:
        around = slice(int((place / factor - 0.05) * SR), int((place / factor + 0.05) * SR))
        centre = (np.arange(around.start, around.stop) @ y[around]) / y[around].sum() / SR
        assert abs(centre - (place + 0.002) / factor) < 0.005


def test_parts_move_to_their_place_in_time():
    x = np.concatenate([tone(440, 1.0), tone(880, 1.0)])
    y = time_stretch(x, 0.5, **FRAMES)
    assert abs(cents(frequency(y[2000 : 2 * SR - 2000]), 440)) < 0.1
    assert abs(cents(frequency(y[2 * SR + 2000 : -2000]), 880)) < 0.1


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(0, 2000),
    factor=st.floats(0.2, 20),
    frames=st.sampled_from([(2, 1), (3, 1), (16, 8), (255, 64), (512, 100), (1024, 256)]),
    dtype=st.sampled_from([np.float32, np.float64, np.int16]),
)
def test_length_dtype_and_finite_numbers_for_any_sound(n, factor, frames, dtype):
    x = (1000 * noise((2, n))).astype(dtype)
    before = x.copy()
    y = time_stretch(x, factor, *frames)
    assert y.shape == (2, int(n / factor)) and y.dtype == (np.float64 if dtype == np.int16 else dtype)
    assert np.isfinite(y).all() and np.array_equal(x, before)
    z = pitch_shift(x, factor, *frames)
    assert z.shape == x.shape and z.dtype == y.dtype and np.isfinite(z).all()


def test_rows_are_as_if_alone():
    x = noise((2, 3, 5000))
    y, z = time_stretch(x, 0.7, **FRAMES), pitch_shift(x, 1.1, **FRAMES)
    for at in np.ndindex(2, 3):
        assert np.array_equal(y[at], time_stretch(x[at], 0.7, **FRAMES))
        assert np.array_equal(z[at], pitch_shift(x[at], 1.1, **FRAMES))


def test_a_factor_of_one_is_a_copy_and_the_way_there_is_smooth():
    x = noise(10_000)
    for same in (time_stretch(x, 1, **FRAMES), pitch_shift(x, 1.0, **FRAMES)):
        assert np.array_equal(same, x) and not np.shares_memory(same, x)
    # without the shortcut: frames that go on as they did in the input add up to the input
    assert np.allclose(time_stretch(x, 1, **FRAMES, n_out=9_999), x[:-1], atol=1e-12)


def test_level_does_not_matter():
    x = noise(8000).astype(np.float32)
    y = time_stretch(x, 1.3, **FRAMES)
    for scale in (2.0**-100, 2.0**80):
        assert np.array_equal(time_stretch(x * np.float32(scale), 1.3, **FRAMES), y * np.float32(scale))


def test_silence_stays_silent_and_sound_after_it_starts_anew():
    assert not time_stretch(np.zeros(5000), 0.5, **FRAMES).any()
    assert not pitch_shift(np.zeros(5000, np.float32), 1.5, **FRAMES).any()
    x = np.concatenate([tone(440), np.zeros(SR), tone(440)])
    y = time_stretch(x, 0.8, **FRAMES)
    assert not y[int(2.1 * SR / 0.8) : int(2.9 * SR / 0.8)].any()
    assert rms(y[int(3.2 * SR / 0.8) : -3000]) == pytest.approx(rms(tone(440)), rel=0.001)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_samples_stay_local(bad):
    x = tone(440)
    x[SR] = bad
    for y, factor in ((time_stretch(x, 0.5, **FRAMES), 0.5), (pitch_shift(x, 1.5, **FRAMES), 1)):
        wrong = np.flatnonzero(~np.isfinite(y)) - SR / factor
        assert len(wrong) and np.abs(wrong).max() < 4096
        assert rms(y[-SR // 2 : -2048]) == pytest.approx(rms(tone(440)), rel=0.002)


# --- pitch ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("semitones", [-12, -7, -1, 0.5, 1, 2, 7, 12])
def test_pitch_is_right_to_a_hundredth_of_a_cent_at_unit_gain(semitones, dtype):
    x = tone(440, dtype=dtype)
    y = pitch_shift(x, 2 ** (semitones / 12), **FRAMES)
    assert y.shape == x.shape and y.dtype == dtype
    assert abs(cents(frequency(inner(y)), 440 * 2 ** (semitones / 12))) < 0.01
    assert rms(inner(y)) / rms(inner(x)) == pytest.approx(1, abs=0.001)


def test_a_shifted_tone_is_pure_everywhere():
    y = inner(pitch_shift(tone(440), 2 ** (1 / 12), **FRAMES))
    spectrum = np.abs(rfft(y * hann(len(y), periodic=True))) ** 2
    peak = spectrum.argmax()
    rest = spectrum.sum() - spectrum[peak - 20 : peak + 21].sum()
    assert 10 * np.log10(rest / spectrum.sum()) < -60


def test_a_small_shift_is_no_smaller_than_asked():
    y = inner(pitch_shift(tone(440, 4.0), 2 ** (0.07 / 1200), **FRAMES))
    assert cents(frequency(y), 440) == pytest.approx(0.07, abs=0.01)


def test_what_would_lie_above_the_nyquist_frequency_is_dropped():
    assert rms(inner(pitch_shift(tone(8000), 2.0, **FRAMES))) < 1e-3


# --- delays -----------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(n=st.integers(1, 400), delay=st.integers(-1000, 1000))
def test_whole_samples_roll_the_signal(n, delay):
    x = noise((2, n))
    assert np.allclose(irfft(phase_shift(rfft(x), delay, n), n), np.roll(x, delay, axis=-1), atol=1e-12)


def test_parts_of_samples_delay_a_tone():
    k = np.arange(1000)
    x, wanted = (np.sin(2 * np.pi * 40 * (k - delay) / 1000) for delay in (0, 12.345))
    assert np.allclose(irfft(phase_shift(rfft(x), 12.345, 1000), 1000), wanted, atol=1e-12)
    assert np.allclose(irfft(phase_shift(rfft(x), 12.345 + 1e9, 1000), 1000), wanted, atol=1e-6)


def test_a_part_of_the_bins_takes_the_phases_of_the_whole():
    spectrum = rfft(noise(100)).astype(np.complex64)
    part = phase_shift(spectrum[10:20], 3, 100, first_bin=10)
    assert part.dtype == np.complex64
    assert np.array_equal(part, phase_shift(spectrum, 3, 100)[10:20])


# --- bad arguments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [time_stretch, pitch_shift])
def test_bad_arguments(function):
    x = np.zeros(100)
    for factor in (0, -1, np.nan, np.inf, 1e-9, 2000):
        with pytest.raises(DeclarationError, match="allowed: 1/1024 to 1024"):
            function(x, factor, 64, 16)
    for window, hop in ((1, 1), (64, 0), (64, 33), (0, 0)):
        with pytest.raises(DeclarationError, match=f"window={window}, hop={hop}"):
            function(x, 1.5, window, hop)
    with pytest.raises(DeclarationError, match="real numbers"):
        function(x.astype(complex), 1.5, 64, 16)
    with pytest.raises(DimensionError, match="no time axis"):
        function(np.float64(1), 1.5, 64, 16)


def test_bad_delays():
    for arguments in ((np.nan, 10), (np.inf, 10), (1, 0), (1, 10, -1)):
        with pytest.raises(DeclarationError, match="allowed: a finite number of samples"):
            phase_shift(np.zeros(6, complex), *arguments)
