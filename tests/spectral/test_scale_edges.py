"""Scales at their edges: one band, bands beyond what a spectrum holds, empty parts; and the ERB scale."""

import numpy as np
import pytest

from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp import erb, erb_rate_to_hz, hz_to_erb_rate
from zounds_lite.errors import DeclarationError
from zounds_lite.spectral import (
    BarkScale,
    ERBScale,
    ExplicitScale,
    FFTScale,
    FrequencyBand,
    FrequencyDimension,
    GeometricScale,
    HanningWindowingFunc,
    LinearScale,
    MelScale,
    SlaneyMelScale,
    apply_scale,
)

HANN = HanningWindowingFunc()
AXIS = FFTScale(11025, 512)
BANDED = (BarkScale, MelScale, ERBScale, LinearScale)


def spectra():
    x = np.random.default_rng(0).uniform(1, 2, (3, len(AXIS)))
    return ArrayWithUnits(x, [None, FrequencyDimension(AXIS)])


@pytest.mark.parametrize("window", [None, HANN])
@pytest.mark.parametrize("cls", BANDED)
@pytest.mark.parametrize(
    ("band", "n"),
    [((100, 3000), 1), ((-100, 3000), 9), ((3000, 20_000), 9), ((8000, 9000), 3), ((-200, -100), 2), ((20, 5512), 300)],
)
def test_bands_anywhere_give_finite_sums_above_zero(cls, band, n, window):
    scale = cls(FrequencyBand(*band), n)
    found = np.asarray(apply_scale(spectra(), scale, window))
    assert found.shape == (3, n)
    assert np.isfinite(found).all() and (found > 0).all()


@pytest.mark.parametrize(
    "scale", [cls(FrequencyBand(100, 3000), 1) for cls in BANDED] + [GeometricScale(100, 200, 0.1, 1)]
)
def test_one_band_is_a_scale(scale):
    assert len(scale) == len(scale.bands) == 1
    assert np.isfinite(scale.Q).all()
    assert scale[0] == scale.bands[0]
    assert len(scale[0:0]) == 0 and scale[0:1] == scale
    scale.ensure_overlap_ratio(1.0)


@pytest.mark.parametrize(
    "scale",
    [
        *(cls(FrequencyBand(100, 3000), 20) for cls in BANDED),
        GeometricScale(100, 3000, 0.1, 20),
        SlaneyMelScale(FrequencyBand(0, 3000), 20),
    ],
    ids=lambda scale: type(scale).__name__,
)
def test_empty_parts_sum_to_nothing(scale):
    empty = scale[5:5]
    assert len(empty) == 0 and len(empty.bands) == 0 and empty[:] == empty
    assert empty == ExplicitScale(())
    assert scale[FrequencyBand(20_000, 30_000)] == empty
    assert {scale[3:9]: 1}[scale[3:9]] == 1
    assert scale[3:9].bands == scale.bands[3:9]
    assert scale[3:9][2:4].bands == scale.bands[5:7]


def test_scales_below_where_the_ear_has_filters_are_refused():
    for cls in (BarkScale, MelScale, ERBScale):
        with pytest.raises(DeclarationError, match="from above -228 Hz"):
            cls(FrequencyBand(-230, 1000), 5)
        with pytest.raises(DeclarationError, match="at least one band"):
            cls(FrequencyBand(0, 1000), 0)


def test_erb_rate_is_that_of_glasberg_and_moore():
    # their equation 4, in kilohertz
    for hz in (50.0, 1000.0, 8000.0):
        assert hz_to_erb_rate(hz) == pytest.approx(21.4 * np.log10(4.37 * hz / 1000 + 1), rel=1e-12)
    hz = np.linspace(-100, 20_000, 50)
    assert np.allclose(erb_rate_to_hz(hz_to_erb_rate(hz)), hz, rtol=1e-12, atol=1e-9)
    # the slope of the scale is one over the bandwidth, as far as the constants are rounded
    slope = (hz_to_erb_rate(hz + 0.5) - hz_to_erb_rate(hz - 0.5)) * erb(hz)
    assert np.allclose(slope, 1.0, atol=0.006)


def test_erb_scale():
    scale = ERBScale(FrequencyBand(50, 5000), 30)
    assert scale.center_frequencies[[0, -1]] == pytest.approx([50, 5000])
    assert np.allclose(np.diff(hz_to_erb_rate(scale.center_frequencies), 2), 0, atol=1e-9)
    assert np.allclose(scale.bandwidths, erb(scale.center_frequencies))
    # as many bands as there are ERBs: neighbours touch
    n = round(float(hz_to_erb_rate(5000) - hz_to_erb_rate(50))) + 1
    touching = ERBScale(FrequencyBand(50, 5000), n)
    gaps = (touching.band_starts[1:] - touching.band_stops[:-1]) / touching.bandwidths[1:]
    assert np.abs(gaps).max() < 0.05
