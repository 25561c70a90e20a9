import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite._declared import Declared
from zounds_lite.errors import DeclarationError
from zounds_lite.spectral import FFTScale, FrequencyBand, Hertz, LinearScale

RATES = st.sampled_from([1, 2, 8000, 11025, 22050, 41100, 44100, 48000, 96000])


@pytest.mark.parametrize("n_fft", [1, 2, 3, 512, 743, 5513])
def test_bins_are_those_of_the_transform(n_fft):
    scale = FFTScale(11025, n_fft)
    assert len(scale) == n_fft // 2 + 1
    assert np.allclose(scale.bin_frequencies, np.fft.rfftfreq(n_fft, 1 / 11025), rtol=1e-15)
    assert np.array_equal(scale.center_frequencies, scale.bin_frequencies)
    assert np.array_equal(scale.band_stops[:-1], scale.band_starts[1:])
    assert scale.is_whole


def test_it_equals_the_documented_scale():
    fft, linear = FFTScale(11025, 512), LinearScale.from_sample_rate(11025, 257)
    assert fft == linear
    assert linear == fft
    assert hash(fft) == hash(linear)
    assert (fft.start_hz, fft.stop_hz) == (0, 5512)
    assert fft != FFTScale(11025, 513)
    assert fft != LinearScale.from_sample_rate(11025, 256)
    assert repr(fft) == repr(linear).replace("LinearScale", "FFTScale")


@settings(deadline=None)
@given(RATES, st.integers(1, 4096), st.data())
def test_neighbouring_slices_share_no_bin_and_lose_none(sr, n_fft, data):
    scale = FFTScale(sr, n_fft)
    hz = st.floats(0, sr) | st.sampled_from(scale.bin_frequencies.tolist())
    cuts = sorted({0.0, *data.draw(st.lists(hz, max_size=6)), float(sr)})
    parts = [scale.get_slice(FrequencyBand(a, b)) for a, b in zip(cuts, cuts[1:], strict=False)]
    taken = [k for part in parts for k in range(part.start, part.stop)]
    assert taken == list(range(len(scale)))
    for part, a, b in zip(parts, cuts, cuts[1:], strict=False):
        assert all(a <= f < b for f in scale.bin_frequencies[part])


def test_slices_in_hertz():
    scale = FFTScale(44100, 2048)
    assert scale.get_slice(FrequencyBand(200, 800)) == slice(10, 38)
    assert scale.get_slice(slice(Hertz(200), None)) == slice(10, 1025)
    assert scale.get_slice(slice(None, Hertz(-22000))) == slice(0, 3)
    assert scale.get_slice(FrequencyBand(30000, 40000)) == slice(1025, 1025)
    assert scale.get_slice(FrequencyBand(-30, -20)) == slice(0, 0)
    assert scale.get_slice(slice(Hertz(-1e30), Hertz(1e30))) == slice(0, 1025)
    assert scale.get_slice(slice(Hertz(-np.inf), Hertz(np.inf))) == slice(0, 1025)
    assert scale.index_of(440) == 20


def test_a_part_keeps_its_bins():
    scale = FFTScale(44100, 2048)
    part = scale[FrequencyBand(200, 800)]
    assert isinstance(part, FFTScale)
    assert not part.is_whole
    assert np.array_equal(part.bin_frequencies, scale.bin_frequencies[10:38])
    assert part.bands == scale.bands[10:38]
    again = part[FrequencyBand(300, 400)]
    assert np.array_equal(again.bin_frequencies, scale[FrequencyBand(300, 400)].bin_frequencies)
    assert again == scale[FrequencyBand(300, 400)]
    assert part == FFTScale(44100, 2048, 10, 38)
    assert FFTScale(44100, 2048, 0, 1025) == scale
    assert Declared.from_dict(json.loads(json.dumps(part.to_dict()))).bands == part.bands
    assert len(json.dumps(part.to_dict())) < 100


@pytest.mark.parametrize("arguments", [(0, 512), (11025, 0), (11025.0, 512), (11025, 512, 5, 5), (11025, 512, 0, 300),
                                       (11025, 512, -1, 5), (11025, 512, 1.5)])  # fmt: skip
def test_bad_declarations(arguments):
    with pytest.raises(DeclarationError):
        FFTScale(*arguments)


@pytest.mark.parametrize("grid", [(0, 100, 5, 3), (0, 100, 10, -1), (100, 0, 10, 0), (0, 100, 10), ()])
def test_parts_lie_on_their_grid(grid):
    with pytest.raises(DeclarationError, match="as slicing sets it"):
        LinearScale(FrequencyBand(0, 100), 3, grid=grid)


@given(
    samplerate=st.sampled_from([1, 8000, 11025, 44100, 192_000]),
    n_fft=st.sampled_from([1, 2, 255, 512, 2048, 3001, 65_536]),
    k=st.integers(0, 32_768),
    nudge=st.sampled_from([0.0, 1e-12, -1e-12, 1e-7, -1e-7, 0.3, -0.3]),
)
def test_a_bin_begins_where_its_frequency_is_to_the_last_bit(samplerate, n_fft, k, nudge):
    scale = FFTScale(samplerate, n_fft)
    hz = (k + nudge) * samplerate / n_fft
    frequencies = np.arange(len(scale)) * samplerate / n_fft
    assert scale._first_at_or_above(hz) == int(np.searchsorted(frequencies, hz, side="left"))
