"""Every value that the user documentation shows for bands, scales, windows and weightings."""

import re

import numpy as np
import pytest

from zounds_lite.core import ArrayWithUnits
from zounds_lite.spectral import (
    AWeighting,
    FrequencyBand,
    FrequencyDimension,
    GeometricScale,
    LinearScale,
    WindowingFunc,
)
from zounds_lite.timeseries import SR11025


def flat(text):
    return re.sub(r"\s+", " ", text)


def test_frequency_band():
    band = FrequencyBand(500, 1000)
    assert (band.center_frequency, band.bandwidth) == (750.0, 500)
    assert repr(band) == "FrequencyBand(\nstart_hz=500,\nstop_hz=1000,\ncenter=750.0,\nbandwidth=500)"
    intersection = FrequencyBand(500, 1000).intersect(FrequencyBand(900, 2000))
    assert (intersection.start_hz, intersection.stop_hz) == (900, 1000)


def test_linear_scale():
    scale = LinearScale(FrequencyBand(20, 20000), 10)
    assert flat(repr(scale)) == (
        "LinearScale(band=FrequencyBand( start_hz=20, stop_hz=20000, center=10010.0, bandwidth=19980), n_bands=10)"
    )
    assert np.allclose(scale.Q, np.arange(10) + 0.51001001, atol=5e-9)


def test_geometric_scale():
    scale = GeometricScale(20, 20000, 0.05, 10)
    assert flat(repr(scale)) == (
        "GeometricScale(band=FrequencyBand( start_hz=19.5, stop_hz=20500.0, center=10259.75, bandwidth=20480.5), "
        "n_bands=10)"
    )
    assert np.allclose(scale.Q, 20)
    assert list(scale.center_frequencies) == pytest.approx(
        [20.000000000000004, 43.088693800637671, 92.831776672255558, 200.00000000000003, 430.88693800637651,
         928.31776672255558, 2000.0000000000005, 4308.8693800637648, 9283.1776672255564, 20000.000000000004],
        rel=1e-14,
    )  # fmt: skip


def test_from_sample_rate():
    assert LinearScale.from_sample_rate(SR11025(), 100).stop_hz == SR11025().nyquist


def test_windowing_func():
    wf = WindowingFunc(lambda size: np.hanning(size))
    assert np.allclose(np.ones(5) * wf, [0, 0.5, 1, 0.5, 0])
    half = [0.0, 0.11697778, 0.41317591, 0.75, 0.96984631]
    assert np.allclose(np.ones(10) * wf, half + half[::-1], atol=5e-9)


def test_a_weighting():
    scale = GeometricScale(20, 20000, 0.05, 10)
    arr = ArrayWithUnits(np.ones(len(scale)), [FrequencyDimension(scale)])
    weighted = arr * AWeighting()
    assert isinstance(weighted, ArrayWithUnits)
    assert np.allclose(
        weighted,
        [1.0, 18.3172567, 31.19918106, 40.54760374, 47.15389876, 51.1554151, 52.59655479, 52.24516649, 49.39906912,
         42.05409205],
        atol=5e-9,
    )  # fmt: skip


def test_slicing_a_frequency_axis():
    scale = LinearScale(FrequencyBand(20, 20000), 100)
    arr = ArrayWithUnits(np.zeros(100), [FrequencyDimension(scale)])
    sliced = arr[FrequencyBand(100, 1000)]
    assert sliced.shape == (5,)
    assert sliced.dimensions[0].scale.start_hz == 20
    assert sliced.dimensions[0].scale.stop_hz == pytest.approx(1019)
