"""Resampling: exact lengths, no delay, pure tones stay pure, streams equal batch."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite.dsp import ResampleStream, output_length, resample
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError

RATES = [(44100, 11025), (11025, 44100), (44100, 22050), (48000, 44100), (41100, 22050), (8000, 7999), (192000, 8000)]


def streamed(x, sr_in, sr_out, sizes):
    stream = ResampleStream(sr_in, sr_out, 1 if x.ndim == 1 else x.shape[1], x.dtype)
    parts, at = [], 0
    for size in sizes:
        parts.append(stream.push(x[at : at + size]))
        at += size
    parts.append(stream.push(x[at:]))
    parts.append(stream.finish())
    assert len(stream.finish()) == 0
    return np.concatenate(parts)


@settings(deadline=None)
@given(n=st.integers(0, 10**12), sr_in=st.integers(1, 384_000), sr_out=st.integers(1, 384_000))
def test_output_length_is_rounded_half_up(n, sr_in, sr_out):
    exact = Fraction(n * sr_out, sr_in)
    assert output_length(n, sr_in, sr_out) == floor(exact + Fraction(1, 2))


@pytest.mark.parametrize(("sr_in", "sr_out"), RATES)
@pytest.mark.parametrize("n", [0, 1, 2, 3, 100, 9973])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("channels", [(), (1,), (2,)])
def test_lengths_dtypes_and_shapes(sr_in, sr_out, n, dtype, channels):
    x = np.random.default_rng(n).uniform(-1, 1, (n, *channels)).astype(dtype)
    y = resample(x, sr_in, sr_out)
    assert y.shape == (output_length(n, sr_in, sr_out), *channels) and y.dtype == dtype
    z = streamed(x, sr_in, sr_out, [1, 17, 4000])
    assert z.shape == y.shape and z.dtype == dtype
    np.testing.assert_allclose(z, y, rtol=0, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(rates=st.sampled_from([*RATES, (44100, 44100)]), n=st.integers(0, 6000), data=st.data())
def test_any_chunking_equals_batch(rates, n, data):
    sizes = data.draw(st.lists(st.integers(0, 700), max_size=20))
    x = np.random.default_rng(n).uniform(-1, 1, (n, 2)).astype("float32")
    y, z = resample(x, *rates), streamed(x, *rates, sizes)
    assert len(y) == len(z) == output_length(n, *rates)
    np.testing.assert_allclose(z, y, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("sr_in", "sr_out"), RATES[:3])
def test_single_samples_equal_batch(sr_in, sr_out):
    x = np.random.default_rng(0).uniform(-1, 1, 2000).astype("float32")
    np.testing.assert_allclose(streamed(x, sr_in, sr_out, [1] * 2000), resample(x, sr_in, sr_out), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("sr_in", "sr_out"), [(44100, 11025), (44100, 22050), (11025, 44100)])
def test_an_impulse_stays_at_its_time(sr_in, sr_out):
    x = np.zeros(sr_in)
    x[sr_in // 2 // 4 * 4] = 1.0
    y = resample(x, sr_in, sr_out)
    assert np.argmax(y) == sr_in // 2 // 4 * 4 * sr_out // sr_in
    peak = np.argmax(y)
    np.testing.assert_allclose(y[peak - 50 : peak], y[peak + 50 : peak : -1], atol=1e-7)


@pytest.mark.parametrize(("sr_in", "sr_out"), RATES)
@pytest.mark.parametrize(("dtype", "atol"), [("float32", 3e-6), ("float64", 2e-6)])
def test_a_tone_keeps_its_phase_and_height(sr_in, sr_out, dtype, atol):
    freq = 997.0
    x = np.sin(2 * np.pi * freq * np.arange(2 * sr_in) / sr_in).astype(dtype)
    y = resample(x, sr_in, sr_out)
    want = np.sin(2 * np.pi * freq * np.arange(len(y)) / sr_out)
    inside = slice(len(y) // 4, -len(y) // 4)
    np.testing.assert_allclose(y[inside], want[inside], rtol=0, atol=atol)


def test_what_lies_above_the_new_nyquist_is_gone():
    x = np.sin(2 * np.pi * 9000 * np.arange(88200) / 44100)
    assert np.abs(resample(x, 44100, 11025)[3000:-3000]).max() < 1e-6


def test_integers_become_float32_and_equal_rates_cost_nothing():
    x = np.arange(100, dtype="int16")
    assert resample(x, 8000, 4000).dtype == np.float32
    assert resample(x, 8000, 8000).dtype == np.float32
    x = np.ones(10)
    assert resample(x, 8000, 8000) is x
    stream = ResampleStream(8000, 8000, 1, "float64")
    assert stream.push(x).tolist() == x.tolist() and len(stream.finish()) == 0


def test_channels_are_independent_and_layout_does_not_matter():
    x = np.random.default_rng(1).uniform(-1, 1, (5000, 3)).astype("float32")
    y = resample(x, 44100, 16000)
    np.testing.assert_allclose(y[:, 1], resample(x[:, 1], 44100, 16000), atol=1e-6)
    np.testing.assert_array_equal(resample(np.asfortranarray(x), 44100, 16000), y)


def test_bad_arguments_are_refused():
    x = np.zeros(10)
    with pytest.raises(SampleRateError, match="sr_out=0"):
        resample(x, 8000, 0)
    with pytest.raises(SampleRateError, match=r"sr_in=8000\.5"):
        resample(x, 8000.5, 8000)
    with pytest.raises(DimensionError, match="samples, channels"):
        resample(np.zeros((2, 2, 2)), 8000, 4000)
    with pytest.raises(DeclarationError, match="only real numbers"):
        resample(x.astype(complex), 8000, 4000)
    with pytest.raises(DeclarationError, match="0 or more"):
        output_length(-1, 8000, 4000)
    with pytest.raises(DeclarationError, match="float32 or float64"):
        ResampleStream(8000, 4000, 1, "int16")
    with pytest.raises(DeclarationError, match="at least 1 channel"):
        ResampleStream(8000, 4000, 0)
    stream = ResampleStream(8000, 4000, 2)
    with pytest.raises(DimensionError, match="2 channels"):
        stream.push(np.zeros(5))
    stream.finish()
    with pytest.raises(DeclarationError, match="finished"):
        stream.push(np.zeros((5, 2)))
