"""Bands of long transforms: which bins they take, what bad scales and windows do, and where a node is declared."""

import numpy as np
import pytest
import scipy.fftpack
from hypothesis import given, settings, strategies as st

from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import DeclarationError, DimensionError, ZoundsError
from zounds_lite.spectral import (
    BarkScale,
    ExplicitScale,
    FFTScale,
    FrequencyAdaptive,
    FrequencyAdaptiveTransform,
    FrequencyBand,
    FrequencyDimension,
    GeometricScale,
    HanningWindowingFunc,
    LinearScale,
    frequency_adaptive_transform,
    frequency_decomposition,
)
from zounds_lite.synthesize import FrequencyAdaptiveDCTSynthesizer, FrequencyAdaptiveFFTSynthesizer
from zounds_lite.timeseries import SR8000, AudioSamples, Seconds, TimeDimension

N_FFT = 512
TIME = TimeDimension.windowed(256, N_FFT, 8000)
RATE = SR8000()


def spectra(n=4, dtype=np.complex128):
    rng = np.random.default_rng(n)
    data = np.fft.rfft(rng.normal(size=(n, N_FFT)), norm="ortho")
    return ArrayWithUnits(data.astype(dtype), [TIME, FrequencyDimension(FFTScale(8000, N_FFT))])


def cosine_spectra(always_even=False):
    scale = LinearScale.from_sample_rate(RATE, N_FFT, always_even)
    return ArrayWithUnits(np.random.default_rng(1).normal(size=(4, N_FFT)), [TIME, FrequencyDimension(scale)])


def returned(x, fa, scale, window=None):
    """The spectra that a synthesizer sees."""
    synthesizer = FrequencyAdaptiveFFTSynthesizer(scale, RATE, window)
    return synthesizer._linear(np.asarray(fa), fa.dimensions[1], N_FFT)


@pytest.mark.parametrize("transform", [np.fft.irfft, scipy.fftpack.idct])
@pytest.mark.parametrize("always_even", [False, True])
def test_a_band_is_what_slicing_the_axis_takes(transform, always_even):
    scale = GeometricScale(300, 3000, 0.3, 12)
    x = spectra() if transform is np.fft.irfft else cosine_spectra(always_even)
    fa = frequency_adaptive_transform(x, transform, scale, np.hanning)
    assert (type(fa), fa.scale, fa.time_dimension) == (FrequencyAdaptive, scale, TIME)
    for band in scale:
        bins = np.asarray(x[:, band])
        wanted = transform(bins * np.hanning(bins.shape[1]), norm="ortho")
        assert np.array_equal(fa[:, band], wanted)


SCALES = {
    "one band": ExplicitScale([FrequencyBand(500, 900)]),
    "one bin": ExplicitScale([FrequencyBand(500, 510), FrequencyBand(505, 520)]),
    "between two bins": ExplicitScale([FrequencyBand(501, 502), FrequencyBand(503, 504)]),
    "below 0 Hz": BarkScale(FrequencyBand(5, 3000), 20),
    "wholly below": ExplicitScale([FrequencyBand(-300, -100), FrequencyBand(-50, 500)]),
    "above Nyquist": GeometricScale(1000, 9000, 0.4, 12),
    "wholly above": ExplicitScale([FrequencyBand(5000, 6000), FrequencyBand(5500, 9000)]),
    "with gaps": GeometricScale(100, 3800, 0.05, 8),
    "all": LinearScale(FrequencyBand(0, 4000), 8),
    "beyond both ends": ExplicitScale([FrequencyBand(-100, 9000)]),
}


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize("window", [None, np.hanning, np.hamming], ids=["none", "hanning", "hamming"])
def test_any_scale_gives_everything_back_with_residual_bands(name, window):
    x, scale = spectra(), SCALES[name]
    fa = frequency_adaptive_transform(x, np.fft.irfft, scale, window, residual=True)
    assert len(scale) <= fa.n_bands <= len(scale) + 2
    assert np.allclose(returned(x, fa, scale, window), x, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", SCALES)
def test_any_scale_gives_its_own_bins_back(name):
    x, scale = spectra(), SCALES[name]
    fa = frequency_adaptive_transform(x, np.fft.irfft, scale)
    assert fa.scale is scale
    found, hz = returned(x, fa, scale), x.dimensions[1].scale.bin_frequencies
    inside = np.any([(hz >= band.start_hz) & (hz < band.stop_hz) for band in scale], axis=0)
    assert np.allclose(found[:, inside], np.asarray(x)[:, inside], rtol=0, atol=1e-12)


def test_bands_beyond_the_axis_are_empty_and_narrow_ones_are_not():
    sizes = {
        name: [
            band.shape[1] for band in frequency_adaptive_transform(spectra(), np.fft.irfft, SCALES[name]).iter_bands()
        ]
        for name in ("wholly below", "wholly above", "between two bins")
    }
    assert sizes["wholly below"][0] == 0 and sizes["wholly above"] == [0, 0]
    assert sizes["between two bins"] == [4, 4]


def test_residual_bands_stand_before_and_behind_the_scale():
    scale = GeometricScale(300, 3000, 0.3, 20)
    fa = frequency_adaptive_transform(spectra(), np.fft.irfft, scale, np.hanning, residual=True)
    assert fa.n_bands == 22 and fa.scale.bands[1:-1] == scale.bands
    assert fa.scale.bands[0].start_hz == 0 and fa.scale.bands[0].stop_hz < 330
    assert fa.scale.bands[-1].start_hz > 2700 and fa.scale.bands[-1].stop_hz >= 4000
    plain = frequency_adaptive_transform(spectra(), np.fft.irfft, scale, np.hanning)
    assert np.array_equal(fa[:, scale[5]], plain[:, scale[5]])


@settings(max_examples=25, deadline=None)
@given(
    bands=st.lists(st.tuples(st.floats(-500, 5000), st.floats(1, 3000)), min_size=1, max_size=6),
    window=st.sampled_from([None, np.hanning, HanningWindowingFunc(True)]),
)
def test_random_bands_give_everything_back(bands, window):
    scale = ExplicitScale([FrequencyBand(start, start + width) for start, width in sorted(bands)])
    x = spectra()
    fa = frequency_adaptive_transform(x, np.fft.irfft, scale, window, residual=True)
    assert np.allclose(returned(x, fa, scale, window), x, rtol=0, atol=1e-11)


def test_silence_gives_silence_and_nothing_gives_nothing():
    scale = GeometricScale(300, 3000, 0.3, 12)
    silent = frequency_adaptive_transform(spectra() * 0, np.fft.irfft, scale, np.hanning, residual=True)
    assert not silent.any() and np.isfinite(silent).all()
    empty = frequency_adaptive_transform(spectra()[:0], np.fft.irfft, scale, np.hanning, residual=True)
    assert (empty.shape, empty.dtype, empty.scale) == ((0, silent.shape[1]), silent.dtype, silent.scale)


def test_precision_is_kept():
    scale = GeometricScale(300, 3000, 0.3, 12)
    fa = frequency_adaptive_transform(spectra(dtype=np.complex64), np.fft.irfft, scale, np.hanning)
    assert fa.dtype == np.float32


# declarations

SCALE = GeometricScale(100, 3000, 0.5, 12)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"transform": None}, "transform=None; allowed: a function such as np.fft.irfft"),
        ({"scale": None}, "scale=None; allowed: a scale"),
        ({"scale": 100}, "scale=100"),
        ({"window_func": np.ones(5)}, "allowed: a function of a size"),
        ({"scale": GeometricScale(100, 5000, 0.089, 20), "check_scale_overlap_ratio": True}, "use more bands or wider"),
    ],
)
def test_a_node_is_refused_where_it_is_declared(arguments, match):
    with pytest.raises(ValueError, match=match) as caught:
        FrequencyAdaptiveTransform(**{"transform": np.fft.irfft, "scale": SCALE, **arguments})
    assert isinstance(caught.value, DeclarationError)


def test_enough_overlap_is_taken():
    scale = GeometricScale(100, 5000, 0.089, 100)
    FrequencyAdaptiveTransform(np.fft.irfft, scale, np.hanning, check_scale_overlap_ratio=True)


@pytest.mark.parametrize(
    "x",
    [
        AudioSamples(np.zeros(100), RATE),
        spectra()[0],
        ArrayWithUnits(np.zeros((3, 10)), [TIME, TimeDimension(Seconds(1))]),
        ArrayWithUnits(np.zeros((3, 257)), [None, FrequencyDimension(FFTScale(8000, N_FFT))]),
        np.zeros((3, 10)),
    ],
    ids=["sound", "one spectrum", "windows", "no time", "no units"],
)
def test_what_is_no_spectra_in_time_is_refused(x):
    with pytest.raises(ValueError, match="needed: spectra in time") as caught:
        list(FrequencyAdaptiveTransform(np.fft.irfft, SCALE).run([x]))
    assert isinstance(caught.value, DimensionError)


@pytest.mark.parametrize("transform", [lambda x, norm: x.sum(), lambda x, norm: x[:1]], ids=["number", "one row"])
def test_transforms_that_lose_frames_are_refused(transform):
    with pytest.raises(ZoundsError, match="one row of numbers per frame"):
        frequency_adaptive_transform(spectra(), transform, SCALE)


def test_cosine_bands_come_back():
    x = cosine_spectra()
    fa = frequency_adaptive_transform(x, scipy.fftpack.idct, SCALE, np.hanning, residual=True)
    found = FrequencyAdaptiveDCTSynthesizer(SCALE, RATE)._linear(np.asarray(fa), fa.dimensions[1], N_FFT)
    assert np.allclose(found, x, rtol=0, atol=1e-12)


# decomposition


def test_a_decomposition_has_a_band_per_size():
    windows = AudioSamples(np.random.default_rng(0).normal(size=4000), RATE).sliding_window(RATE.half_lapped())
    n = windows.shape[1]
    fa = frequency_decomposition(windows, [n, n // 8, n // 2])
    assert [band.shape for band in fa.iter_bands()] == [(len(windows), size) for size in (n // 8, n // 2, n)]
    assert [band.stop_hz for band in fa.scale] == [500, 2000, 4000]
    assert fa.time_dimension == windows.dimensions[0]


def test_a_batch_of_signals_follows_one_another():
    batch = ArrayWithUnits(np.ones((3, 100)), [None, TimeDimension(*RATE)])
    assert frequency_decomposition(batch, [100]).time_dimension == TimeDimension.windowed(100, 100, 8000)


@pytest.mark.parametrize("x", [np.ones(10), spectra(), ArrayWithUnits(np.ones((2, 3)), [None, None])])
def test_what_is_no_signal_is_not_decomposed(x):
    with pytest.raises(DimensionError, match="needed|needs an axis of time"):
        frequency_decomposition(x, [3])


@pytest.mark.parametrize("sizes", [[], [0, 10], [11], [5, 5]])
def test_impossible_sizes_are_refused(sizes):
    with pytest.raises(DeclarationError, match="sizes="):
        frequency_decomposition(AudioSamples(np.ones(10), RATE), sizes)
