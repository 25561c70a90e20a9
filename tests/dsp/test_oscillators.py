"""Tones, noise and ticks: exact lengths, documented values, physics."""

from fractions import Fraction

import numpy as np
import pytest

from zounds_lite.dsp import noise, rfft, sample_count, sine, ticks
from zounds_lite.errors import DeclarationError, SampleRateError


@pytest.mark.parametrize(
    ("duration_s", "sr", "n"),
    [
        (1, 44100, 44100),
        (3.333, 44100, 146985),
        (0, 44100, 0),
        (Fraction(1, 2), 11025, 5513),
        (36000, 192000, 36000 * 192000),
    ],
)
def test_sample_count(duration_s, sr, n):
    assert sample_count(duration_s, sr) == n


def test_documented_sine_values():
    x = sine(1, 22050, [220.0, 440.0])
    assert len(x) == 22050 and x.dtype == np.float64
    np.testing.assert_allclose(x[:3], [0, 0.09384942, 0.18659419], atol=1e-8)
    np.testing.assert_allclose(x[-3:], [-0.27714552, -0.18659419, -0.09384942], atol=1e-8)


def test_each_tone_has_one_bin():
    freqs = [220, 440, 880]
    spectrum = np.abs(rfft(sine(4, 11025, freqs)))
    assert np.flatnonzero(spectrum > 1).tolist() == [4 * f for f in freqs]


def test_the_phase_does_not_drift():
    x = sine(100, 44100, [12345])
    np.testing.assert_array_equal(x[: 44100 * 50], x[44100 * 50 :])


def test_noise_is_uniform_and_reproducible():
    x = noise(2, 44100, np.random.default_rng(4))
    assert len(x) == 88200 and x.min() >= -1 and x.max() < 1
    assert abs(x.mean()) < 0.01 and abs(x.var() - 1 / 3) < 0.01
    np.testing.assert_array_equal(x, noise(2, 44100, 4))


@pytest.mark.parametrize(
    ("sr", "period_s"), [(44100, 1), (44100, Fraction(1, 3)), (11025, 0.05), (8000, Fraction(1, 70))]
)
def test_ticks_start_on_the_beat_and_add_up(sr, period_s):
    n = sample_count(4, sr)
    x = ticks(4, sr, period_s, rng=1)
    tick = ticks(1, sr, 10, rng=1)[: int(0.1 * sr)]
    want = np.zeros(n + sr)
    for k in range(1000):
        start = int(np.floor(k * float(period_s) * sr + 0.5))
        if start < n:
            want[start : start + len(tick)] += tick
    np.testing.assert_allclose(x, want[:n], atol=1e-12)


def test_a_tick_fades():
    x = ticks(1, 44100, 2, rng=3)
    assert np.abs(x[:400]).max() > 0.9 and x[4409] == 0 and not x[4410:].any()


def test_bad_arguments_are_refused():
    with pytest.raises(SampleRateError, match="sr=0"):
        sine(1, 0)
    with pytest.raises(DeclarationError, match="duration_s=-1"):
        noise(-1, 8000, 0)
    with pytest.raises(DeclarationError, match="one or more finite frequencies"):
        sine(1, 8000, [])
    with pytest.raises(DeclarationError, match="at least one sample apart"):
        ticks(1, 8000, 0, 0)
