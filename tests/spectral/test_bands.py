import copy
import json
import math
import pickle

import numpy as np
import pytest

from zounds_lite._declared import Declared
from zounds_lite.errors import FrequencyBandError
from zounds_lite.spectral import Bark, FrequencyBand, Hertz, Hz, Mel
from zounds_lite.timeseries import SR11025, SR44100


def test_hertz_is_a_number_with_a_unit():
    assert Hz is Hertz
    assert Hertz(440).hz == 440.0
    assert Hertz(440) == 440
    assert repr(Hertz(440)) == "Hertz(440.0)"


@pytest.mark.parametrize(
    "value",
    [-Hertz(2), +Hertz(2), abs(Hertz(-2)), Hertz(1) + 1, 1 + Hertz(1), Hertz(3) - 1, 3 - Hertz(1), Hertz(1) * 2,
     2 * Hertz(1), Hertz(4) / 2, Hertz(1) + Hertz(1), -Mel(2), Bark(1) + 1],
)  # fmt: skip
def test_arithmetic_is_closed(value):
    assert type(value) is Hertz


@pytest.mark.parametrize("value", [Hertz(440), Bark(10), Mel(500)])
def test_copies_are_equal(value):
    for again in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert again == value
        assert type(again) is type(value)


def test_ratios_are_plain_numbers():
    assert type(Hertz(880) / Hertz(440)) is float
    with pytest.raises(TypeError):
        Hertz(1) + "x"


@pytest.mark.parametrize("bark", [0.0, 0.5, 10.0, 24.0])
def test_bark_is_schroeders(bark):
    assert Bark(bark).hz == pytest.approx(300 * (math.exp(bark / 6) - math.exp(-bark / 6)), abs=1e-9)
    assert Bark(bark).bark == pytest.approx(bark, abs=1e-12)
    assert Bark.to_bark(Bark.to_hz(bark)) == pytest.approx(bark, abs=1e-12)


@pytest.mark.parametrize("mel", [0.0, 10.0, 1000.0, 3000.0])
def test_mel_is_htks(mel):
    librosa = pytest.importorskip("librosa")
    assert Mel(mel).hz == pytest.approx(700 * (math.exp(mel / 1127) - 1), abs=1e-9)
    assert Mel(mel).hz == pytest.approx(float(librosa.mel_to_hz(mel, htk=True)), rel=1e-4, abs=1e-9)
    assert Mel(mel).mel == pytest.approx(mel, abs=1e-9)
    assert Mel.to_mel(Mel.to_hz(mel)) == pytest.approx(mel, abs=1e-9)


def test_band_geometry():
    band = FrequencyBand(500, 1000)
    assert (band.center_frequency, band.bandwidth) == (750.0, 500)
    assert FrequencyBand.from_start(500, 500) == band
    assert FrequencyBand.from_center(750, 500) == band
    assert FrequencyBand.audible_range(SR44100()) == FrequencyBand(20, 22050)
    assert FrequencyBand.audible_range(11025) == FrequencyBand.audible_range(SR11025()) == FrequencyBand(20, 5512)


def test_bands_overlap():
    a, b = FrequencyBand(500, 1000), FrequencyBand(900, 2000)
    common = a.intersect(b)
    assert (common.start_hz, common.stop_hz) == (900, 1000)
    assert a.intersection_ratio(b) == 0.2
    assert b.intersection_ratio(a) == pytest.approx(100 / 1100)
    assert a.intersection_ratio(FrequencyBand(1000, 1001)) == 0
    assert a.bandwidth_ratio(b) == 2.2
    with pytest.raises(FrequencyBandError, match="do not overlap"):
        a.intersect(FrequencyBand(1000, 1100))


def test_bands_are_values():
    assert FrequencyBand(1, 2) == FrequencyBand(1.0, 2.0)
    assert len({FrequencyBand(1, 2), FrequencyBand(1.0, 2.0), FrequencyBand(1, 3)}) == 2
    assert FrequencyBand(1, 2) != (1, 2)
    band = FrequencyBand(np.float64(19.5), Hertz(100))
    assert Declared.from_dict(json.loads(json.dumps(band.to_dict()))) == band
    assert FrequencyBand(Hertz(500), Hertz(1000)).to_dict() == {
        "type": "FrequencyBand", "start_hz": 500.0, "stop_hz": 1000.0,
    }  # fmt: skip


@pytest.mark.parametrize("bounds", [(5, 5), (6, 5), (0, math.nan), (-math.inf, 1), (0, math.inf)])
def test_empty_bands_are_refused(bounds):
    with pytest.raises(FrequencyBandError, match="start_hz < stop_hz"):
        FrequencyBand(*bounds)
    with pytest.raises(ValueError):
        FrequencyBand(*bounds)


def test_bands_are_made_of_numbers():
    with pytest.raises(FrequencyBandError, match="must be numbers"):
        FrequencyBand("20", "200")
