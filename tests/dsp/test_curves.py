"""Curves of hearing against published values, librosa, and their inverses."""

import numpy as np
import pytest

from zounds_lite import dsp

HZ = np.geomspace(1.0, 22050.0, 400)
PAIRS = [
    (dsp.hz_to_mel, dsp.mel_to_hz),
    (dsp.hz_to_slaney_mel, dsp.slaney_mel_to_hz),
    (dsp.hz_to_bark, dsp.bark_to_hz),
    (dsp.hz_to_midi, dsp.midi_to_hz),
]


@pytest.mark.parametrize(("there", "back"), PAIRS)
def test_inverse(there, back):
    np.testing.assert_allclose(back(there(HZ)), HZ, rtol=1e-12)
    assert (np.diff(there(HZ)) > 0).all()
    assert isinstance(there(440), float) and isinstance(back(5), float)


def test_documented_scale_centres():
    mel = dsp.mel_to_hz(np.linspace(dsp.hz_to_mel(20), dsp.hz_to_mel(5000), 5))
    np.testing.assert_allclose(mel, [20, 507.7251, 1325.8332, 2698.1243, 5000], atol=1e-4)
    bark = dsp.bark_to_hz(np.linspace(dsp.hz_to_bark(20), dsp.hz_to_bark(5000), 5))
    np.testing.assert_allclose(bark, [20, 477.3711, 1175.415, 2466.0596, 5000], atol=1e-4)
    assert [round(float(20 + s * dsp.erb(20) / 2), 2) for s in (-1, 1)] == [6.57, 33.43]


def test_mel_and_weighting_equal_librosa():
    librosa = pytest.importorskip("librosa")
    np.testing.assert_allclose(dsp.hz_to_slaney_mel(HZ), librosa.hz_to_mel(HZ), rtol=1e-12)
    np.testing.assert_allclose(dsp.hz_to_mel(HZ), librosa.hz_to_mel(HZ, htk=True), rtol=2e-5)
    np.testing.assert_allclose(dsp.hz_to_midi(HZ), librosa.hz_to_midi(HZ), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(dsp.a_weighting_db(HZ), librosa.A_weighting(HZ), atol=1e-9)


def test_a_weighting_equals_the_table_of_the_standard():
    # IEC 61672-1:2013, table 3: nominal frequencies and A-weighting, to 0.1 dB
    table = {31.5: -39.4, 63: -26.2, 125: -16.1, 250: -8.6, 500: -3.2, 1000: 0.0, 2000: 1.2, 4000: 1.0, 8000: -1.1}
    exact = 1000.0 * 10.0 ** (np.round(10 * np.log10(np.array(list(table)) / 1000.0)) / 10)
    np.testing.assert_allclose(dsp.a_weighting_db(exact), list(table.values()), atol=0.06)


def test_documented_weights_over_a_geometric_scale():
    db = dsp.a_weighting_factor_db(np.geomspace(20, 20000, 10))
    want = [1, 18.3172567, 31.19918106, 40.54760374, 47.15389876, 51.1554151]
    want += [52.59655479, 52.24516649, 49.39906912, 42.05409205]
    np.testing.assert_allclose(1 + db - db.min(), want, atol=1e-7)


def test_silence_below_hearing_is_floored_or_minus_infinity():
    assert dsp.a_weighting_db(0.0) == -80
    assert dsp.a_weighting_db(0.0, min_db=None) == -np.inf
    assert dsp.a_weighting_factor_db(0.0) == -np.inf
    assert dsp.a_weighting_factor_db([0.0, 1000.0], min_db=-90)[0] == -90
    assert dsp.hz_to_midi(0) == -np.inf
