import json

import numpy as np
import pytest

from zounds_lite._declared import Declared
from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DimensionError
from zounds_lite.spectral import (
    AWeighting,
    ExplicitFrequencyDimension,
    FFTScale,
    FrequencyBand,
    FrequencyDimension,
    GeometricScale,
    LinearScale,
)
from zounds_lite.spectral.weighting import FrequencyWeighting

SCALE = GeometricScale(20, 20000, 0.05, 10)
DOCUMENTED = [1, 18.3172567, 31.19918106, 40.54760374, 47.15389876, 51.1554151, 52.59655479, 52.24516649,
              49.39906912, 42.05409205]  # fmt: skip


def test_documented_factors():
    arr = ArrayWithUnits(np.ones(10), [FrequencyDimension(SCALE)])
    weighted = arr * AWeighting()
    assert isinstance(weighted, ArrayWithUnits)
    assert np.allclose(weighted, DOCUMENTED, rtol=1e-8)
    assert np.allclose(AWeighting() * arr, weighted)
    assert np.allclose(AWeighting().weights(SCALE), DOCUMENTED, rtol=1e-8)


def test_true_levels():
    librosa = pytest.importorskip("librosa")
    scale = FFTScale(44100, 2048)
    theirs = librosa.A_weighting(scale.bin_frequencies[1:])
    assert np.allclose(AWeighting().db(scale)[1:], theirs, atol=1e-9)
    assert AWeighting().db(scale)[0] == -80
    assert np.allclose(AWeighting(gain=True).weights(scale)[1:], 10 ** (theirs / 20))


@pytest.mark.parametrize("weighting", [AWeighting(), AWeighting(gain=True), FrequencyWeighting()], ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
def test_division_undoes_it_on_any_axis(weighting, dtype):
    scale = FFTScale(11025, 512)
    x = np.random.default_rng(0).normal(size=(3, 257, 2)).astype(dtype)
    arr = ArrayWithUnits(x, [None, FrequencyDimension(scale), None])
    weighted = arr * weighting
    assert weighted.dtype == dtype
    assert weighted.dimensions == arr.dimensions
    assert np.isfinite(np.asarray(weighted)).all()
    assert np.allclose((weighted / weighting), x, rtol=1e-5)
    assert np.allclose(weighted[1, :, 1], x[1, :, 1] * weighting.weights(scale), rtol=1e-5)


def test_integers():
    arr = ArrayWithUnits(np.ones(10, int), [FrequencyDimension(SCALE)])
    assert np.allclose(arr * AWeighting(), DOCUMENTED, rtol=1e-8)


def test_explicit_bands_repeat_their_factor():
    scale = GeometricScale(100, 1000, 0.5, 3)
    dimension = ExplicitFrequencyDimension(scale, [slice(0, 1), slice(1, 3), slice(3, 6)])
    weighted = ArrayWithUnits(np.ones((2, 6)), [IdentityDimension(), dimension]) * AWeighting()
    assert np.allclose(weighted[0], np.repeat(AWeighting().weights(scale), [1, 2, 3]))


def test_zero_hertz_counts_as_the_weakest_band():
    weights = AWeighting().weights(FFTScale(8000, 16))
    assert weights[0] == weights.min() == 1
    assert AWeighting().weights(FFTScale(8000, 1)).tolist() == [1]
    assert AWeighting().weights(SCALE[3:3]).shape == (0,)


def test_only_products_and_quotients():
    arr = ArrayWithUnits(np.ones(10), [FrequencyDimension(SCALE)])
    for operation in (np.add, np.power, np.multiply):
        with pytest.raises(TypeError):
            operation(arr, AWeighting())
    with pytest.raises(TypeError):
        AWeighting() / arr


def test_no_frequency_axis():
    with pytest.raises(DimensionError, match="no frequency axis"):
        ArrayWithUnits(np.ones(10), [None]) * AWeighting()
    with pytest.raises(DimensionError, match="no frequency axis"):
        np.ones(10) * AWeighting()


def test_weightings_are_values():
    assert Declared.from_dict(json.loads(json.dumps(AWeighting(gain=True).to_dict()))) == AWeighting(gain=True)
    assert FrequencyWeighting().weights(LinearScale(FrequencyBand(0, 1), 3)).tolist() == [1, 1, 1]
