import json

import numpy as np
import pytest

from zounds_lite._declared import Declared
from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral import (
    HanningWindowingFunc,
    IdentityWindowingFunc,
    OggVorbisWindowingFunc,
    WindowingFunc,
)
from zounds_lite.timeseries import SR11025, AudioSamples

WINDOWS = [IdentityWindowingFunc(), HanningWindowingFunc(), HanningWindowingFunc(True), OggVorbisWindowingFunc()]


def test_documented_values():
    window = WindowingFunc(lambda size: np.hanning(size))
    assert np.allclose(np.ones(5) * window, [0, 0.5, 1, 0.5, 0])
    expected = [0.0, 0.11697778, 0.41317591, 0.75, 0.96984631]
    assert np.allclose(window * np.ones(10), [*expected, *expected[::-1]], atol=5e-9)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 513])
def test_against_scipy(n):
    from scipy.signal import windows

    assert np.allclose(HanningWindowingFunc()(n), windows.hann(n), atol=1e-15)
    assert np.allclose(HanningWindowingFunc(periodic=True)(n), windows.hann(n, sym=False), atol=1e-15)


@pytest.mark.parametrize("n", [2, 4, 8, 512, 2048])
def test_vorbis_is_power_complementary(n):
    w = OggVorbisWindowingFunc()(n)
    assert np.allclose(w[: n // 2] ** 2 + w[n // 2 :] ** 2, 1, rtol=0, atol=1e-15)


@pytest.mark.parametrize("window", WINDOWS, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_dtype_and_shape_stay(window, dtype):
    x = np.ones((3, 4, 16), dtype)
    for product in (x * window, window * x):
        assert product.dtype == dtype
        assert np.allclose(product[1, 2], window(16))
    assert np.allclose(window.apply(x, axis=0)[:, 1, 1], window(3))


def test_integers_become_floats():
    assert np.allclose(np.ones(5, int) * HanningWindowingFunc(), [0, 0.5, 1, 0.5, 0], rtol=1e-15)


def test_units_stay():
    sound = AudioSamples(np.ones(8, np.float32), SR11025())
    windowed = sound * HanningWindowingFunc()
    assert isinstance(windowed, AudioSamples)
    assert windowed.dtype == np.float32
    stacked = ArrayWithUnits(np.ones((2, 8)), [IdentityDimension(), sound.dimensions[0]])
    assert (OggVorbisWindowingFunc() * stacked).dimensions == stacked.dimensions


def test_identity_returns_the_array_itself():
    x = np.ones(3)
    assert x * IdentityWindowingFunc() is x
    assert x * WindowingFunc() is x
    assert IdentityWindowingFunc()(3).tolist() == [1, 1, 1]


def test_sums_are_refused():
    with pytest.raises(TypeError):
        np.ones(3) + HanningWindowingFunc()


@pytest.mark.parametrize("window", [WINDOWS[0], WINDOWS[1], WINDOWS[3]], ids=repr)
def test_curves_pass_through_the_samples(window):
    positions = np.linspace(0, 1, 33)
    assert np.allclose(window.at(positions)[1:-1], WindowingFunc(window).at(positions)[1:-1], atol=1e-3)
    assert window.at(np.array([-0.1, 1.1])).tolist() == [0, 0]


def test_windows_are_values():
    assert len(set(WINDOWS + [HanningWindowingFunc()])) == 4
    for window in WINDOWS:
        assert Declared.from_dict(json.loads(json.dumps(window.to_dict()))) == window
    assert WindowingFunc(np.hanning) == WindowingFunc(np.hanning)


def test_windows_are_kept_and_read_only():
    calls = []
    window = WindowingFunc(lambda n: calls.append(n) or np.ones(n))
    for n in [*range(1, 40), 39, 39]:
        window(n)
    assert calls == list(range(1, 40))
    with pytest.raises(ValueError):
        window(4)[0] = 2


def test_bad_windows():
    with pytest.raises(DeclarationError, match="a function of a size"):
        WindowingFunc(3)
    with pytest.raises(DeclarationError, match="needed: \\(5,\\)"):
        np.ones(5) * WindowingFunc(lambda n: np.ones(n + 1))


def test_a_single_number_has_no_axis_to_multiply_along():
    with pytest.raises(DimensionError, match="single number"):
        np.float64(3) * HanningWindowingFunc()
