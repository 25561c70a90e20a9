"""Cosine transforms with units: what axes they take and give, and arrays without units."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.dsp import transforms
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.spectral import (
    FrequencyBand,
    FrequencyDimension,
    LinearScale,
    dct,
    dct_basis,
    dct_iv,
    idct,
    imdct,
    mdct,
    stft,
)
from zounds_lite.timeseries import SR11025, AudioSamples, Seconds, TimeDimension

FORWARD = {dct: transforms.dct, dct_iv: transforms.dct4, mdct: transforms.mdct}
INVERSE = {idct: transforms.idct, dct_iv: transforms.dct4, imdct: transforms.imdct}


def noise(*shape, dtype=np.float64):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(dtype)


def windows(n=5, size=12, dtype=np.float64):
    return ArrayWithUnits(
        noise(n, size, dtype=dtype), [TimeDimension.windowed(6, size, 11025), TimeDimension(*SR11025())]
    )


@pytest.mark.parametrize("transform", FORWARD)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_time_becomes_frequency(transform, dtype):
    x = windows(dtype=dtype)
    found = transform(x)
    assert isinstance(found, ArrayWithUnits)
    assert np.array_equal(found, FORWARD[transform](np.asarray(x)))
    assert found.dtype == (np.float32 if dtype == np.float32 else np.float64)
    assert found.dimensions[0] == x.dimensions[0]
    assert found.dimensions[1] == FrequencyDimension(LinearScale.from_sample_rate(SR11025(), found.shape[1]))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_any_axis(axis):
    x, time = noise(4, 6, 8), TimeDimension(*SR11025())
    for transform, plain in FORWARD.items():
        dimensions = [None] * 3
        dimensions[axis] = time
        found = transform(ArrayWithUnits(x, dimensions), axis=axis)
        assert np.array_equal(found, plain(x, axis))
        assert len(found.dimensions[axis].scale) == found.shape[axis]
        assert [d for i, d in enumerate(found.dimensions) if i != axis % 3] == [IdentityDimension()] * 2


def test_slices_in_hertz_can_be_even():
    x = AudioSamples(noise(512), SR11025())
    band = FrequencyBand(1000, 2000)
    for transform in (dct, dct_iv):
        assert len(transform(x)[band]) == 94
        sizes = {len(transform(x, scale_always_even=True)[FrequencyBand(1000, hz)]) % 2 for hz in range(1020, 2000, 7)}
        assert sizes == {0}


@pytest.mark.parametrize(("transform", "hz"), [(dct, 0), (dct_iv, 0.5)])
def test_coefficients_lie_where_the_scale_says(transform, hz):
    # cosine k of the basis has all its energy in coefficient k, and its frequency is k (or k + 1/2) half-cycles
    n, k = 512, 40
    x = AudioSamples(np.cos(np.pi / n * (np.arange(n) + 0.5) * (k + hz)), zounds.SR44100())
    found = np.abs(transform(x))
    assert found.argmax() == k and found[k] ** 2 == pytest.approx(np.sum(found**2))
    assert found.dimensions[0].scale.band_starts[k] == pytest.approx(k * 44100 / (2 * n))


@pytest.mark.parametrize(("there", "back"), [(dct, idct), (dct_iv, dct_iv)])
def test_the_way_back_has_time(there, back):
    x = windows()
    again = back(there(x))
    assert np.allclose(again, x, atol=1e-14)
    assert again.dimensions == x.dimensions
    one = back(there(AudioSamples(noise(7), SR11025())))  # nothing says at which rate
    assert one.dimensions == (IdentityDimension(),)


def test_imdct_is_the_transpose():
    x = windows()
    found = imdct(mdct(x))
    assert found.dimensions == x.dimensions
    assert np.array_equal(found, transforms.imdct(transforms.mdct(np.asarray(x))))


def test_without_units():
    x = noise(3, 8)
    for functions in (FORWARD, INVERSE):
        for transform, plain in functions.items():
            assert type(transform(x)) is np.ndarray
            assert np.array_equal(transform(x), plain(x))
            assert np.array_equal(transform(x.T, axis=0), plain(x).T)
    assert np.array_equal(dct_basis(5), transforms.dct_basis(5))


def test_bad_input_is_refused():
    for transform in FORWARD:
        with pytest.raises(DimensionError, match="needs an axis of time"):
            transform(ArrayWithUnits(noise(4), [None]))
        with pytest.raises(SampleRateError, match="no axis of samples"):
            transform(ArrayWithUnits(noise(4), [TimeDimension(Seconds(3))]))
        with pytest.raises(DimensionError, match="axis=2"):
            transform(windows(), axis=2)
        with pytest.raises(DeclarationError, match="real numbers"):
            transform(AudioSamples(noise(4) + 1j, SR11025()))
    with pytest.raises(DimensionError, match="window one sample longer or shorter"):
        mdct(windows(size=7))
    for transform in (idct, imdct):
        with pytest.raises(DimensionError, match="all coefficients"):
            transform(windows())
        with pytest.raises(DimensionError, match="all coefficients"):
            transform(dct(windows(size=512))[:, FrequencyBand(100, 1000)])
    with pytest.raises(DimensionError, match="all coefficients"):
        idct(np.abs(ArrayWithUnits(noise(3), [FrequencyDimension(zounds.BarkScale(FrequencyBand(20, 900), 3))])))


def test_nothing_gives_nothing():
    for transform in FORWARD:
        assert len(transform(windows(0))) == 0


def test_odd_windows_of_a_stream_say_what_to_do():
    frames = zounds.SlidingWindow(SR11025().windowing_scheme(511, 256)).run([AudioSamples(noise(2000), SR11025())])
    with pytest.raises(DimensionError, match="511 samples: an MDCT takes 2 N samples"):
        list(zounds.MDCT().run(frames))


def test_spectra_have_no_samples():
    spectra = np.abs(stft(AudioSamples(noise(2000), SR11025())))
    with pytest.raises(DimensionError, match="needs an axis of time"):
        dct(spectra)
