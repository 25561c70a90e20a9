"""Sound from constant-Q coefficients."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral import cqt

RATE = zounds.SR11025()


def tones(size=22050):
    t = np.arange(size) / 11025
    sound = sum(np.sin(2 * np.pi * hz * t) for hz in (220.0, 447.0, 1313.0)) * np.hanning(size)
    return zounds.AudioSamples(sound, RATE)


def test_tones_come_back_with_their_length():
    x = tones()
    for chunks in ([x], [x[:5000], x[5000:]]):
        *parts, last = zounds.CQT(48, n_bands=72).run(chunks)
        frames = zounds.ArrayWithUnits(np.concatenate([np.asarray(p) for p in [*parts, last]]), last.dimensions)
        found = zounds.CQTSynthesizer().synthesize(frames)
        assert len(found) == len(x) and found.samplerate == RATE
        assert np.linalg.norm(found - x) < 1e-3 * np.linalg.norm(x)


def test_frames_that_know_no_length_give_a_hop_each():
    spectra = cqt(tones(), 48, n_bands=72)
    part = spectra[:100]
    assert len(zounds.CQTSynthesizer().synthesize(part)) == 4800


def test_bands_that_are_silenced_stay_silent():
    x = tones()
    spectra = cqt(x, 48, n_bands=72)
    kept = np.zeros_like(spectra)
    band = spectra.dimensions[1].scale.get_slice(zounds.FrequencyBand(350, 600))
    kept[:, band] = np.asarray(spectra)[:, band]
    found = zounds.CQTSynthesizer().synthesize(zounds.ArrayWithUnits(np.asarray(kept), spectra.dimensions))
    wanted = np.sin(2 * np.pi * 447.0 * np.arange(22050) / 11025) * np.hanning(22050)
    assert np.linalg.norm(found - wanted) < 0.02 * np.linalg.norm(wanted)


def test_gaps_are_refused():
    with pytest.raises(DeclarationError, match="leave gaps.*allow_gaps=True"):
        zounds.CQTSynthesizer().synthesize(cqt(tones(), 512, n_bands=72))
    assert len(zounds.CQTSynthesizer(allow_gaps=True).synthesize(cqt(tones(), 512, n_bands=72))) == 22050


def test_what_is_no_result_of_cqt():
    spectra = cqt(tones(4000), 48, n_bands=72)
    with pytest.raises(DeclarationError, match="magnitudes alone"):
        zounds.CQTSynthesizer().synthesize(abs(spectra))
    with pytest.raises(DimensionError, match="slicing"):
        zounds.CQTSynthesizer().synthesize(spectra[:, zounds.FrequencyBand(100, 200)])
    with pytest.raises(DeclarationError, match="length=-1"):
        zounds.CQTSynthesizer().synthesize(spectra, length=-1)
    with pytest.raises(DeclarationError, match="steps=0"):
        zounds.CQTSynthesizer(steps=0)
    with pytest.raises(DeclarationError, match="window="):
        zounds.CQTSynthesizer("triangle")
