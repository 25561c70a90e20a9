"""Spectrograms and mel bands made audible."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral import SlaneyMelScale, mel_bands, stft

RATE = zounds.SR11025()
SCHEME = RATE.windowing_scheme(1024, 256)
VORBIS = zounds.OggVorbisWindowingFunc()
T = np.arange(2 * 11025) / 11025
TONE = zounds.AudioSamples(np.sin(2 * np.pi * 440 * T) * np.exp(-T), RATE)


def analysed(sound):
    return stft(sound, SCHEME, VORBIS, pad=True)


def peak_hz(sound):
    return np.abs(np.fft.rfft(np.asarray(sound))).argmax() * 11025 / len(sound)


def test_a_tone_comes_back_as_long_and_as_loud_as_it_was():
    found = zounds.GriffinLimSynthesizer().synthesize(np.abs(analysed(TONE)))
    assert isinstance(found, zounds.AudioSamples) and found.samplerate == RATE and len(found) == len(TONE)
    assert peak_hz(found) == pytest.approx(440, abs=1)
    for part in (slice(1000, 5000), slice(15_000, 19_000)):
        assert np.std(found[part]) == pytest.approx(np.std(TONE[part]), rel=0.05)


def test_mel_bands_are_heard_at_their_pitch():
    scale = SlaneyMelScale(zounds.FrequencyBand(0, 5512.5), 128)
    for power in (1.0, 2.0):
        mel = mel_bands(analysed(TONE), scale, power)
        found = zounds.GriffinLimSynthesizer(power=power).synthesize(mel)
        assert len(found) == len(TONE)
        assert peak_hz(found) == pytest.approx(440, abs=12)
        assert np.std(found) == pytest.approx(np.std(TONE), rel=0.3)


def test_mel_bands_of_channels():
    scale = SlaneyMelScale(zounds.FrequencyBand(0, 5512.5), 40)
    mel = mel_bands(analysed(TONE), scale)
    pair = zounds.ArrayWithUnits(np.stack([mel, mel * 0], 2), [*mel.dimensions, zounds.IdentityDimension()])
    found = zounds.GriffinLimSynthesizer(n_iter=4).synthesize(pair)
    assert found.channels == 2 and not found[:, 1].any()
    np.testing.assert_allclose(found[:, 0], zounds.GriffinLimSynthesizer(n_iter=4).synthesize(mel), atol=1e-9)


def test_phases_are_not_read():
    spectra = analysed(TONE)
    synthesizer = zounds.GriffinLimSynthesizer(n_iter=2)
    np.testing.assert_array_equal(synthesizer.synthesize(spectra), synthesizer.synthesize(np.abs(spectra)))


def test_the_same_sound_every_time():
    wanted = np.abs(analysed(TONE))[:20]
    for start in ("peaks", "random"):
        one, same = (zounds.GriffinLimSynthesizer(n_iter=2, start=start).synthesize(wanted) for _ in range(2))
        np.testing.assert_array_equal(one, same)
    other = zounds.GriffinLimSynthesizer(n_iter=2, start="random", seed=1).synthesize(wanted)
    assert np.abs(other - one).max() > 1e-3


def test_no_click_where_an_unpadded_sound_begins():
    wanted = np.abs(stft(TONE, SCHEME, VORBIS))
    found = np.asarray(zounds.GriffinLimSynthesizer().synthesize(wanted))
    assert np.abs(found[:300]).max() < 1.5


def test_nan_stays_in_its_frame():
    wanted = np.abs(stft(TONE, SCHEME, VORBIS))
    wanted[10, 3] = np.nan
    found = zounds.GriffinLimSynthesizer(n_iter=2).synthesize(wanted)
    assert np.flatnonzero(np.isnan(found)).tolist() == list(range(2560, 3584))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: zounds.GriffinLimSynthesizer(n_iter=-1), DeclarationError, "n_iter=-1"),
        (lambda: zounds.GriffinLimSynthesizer(momentum=1), DeclarationError, "momentum=1"),
        (lambda: zounds.GriffinLimSynthesizer(seed=None), DeclarationError, "seed=None"),
        (lambda: zounds.GriffinLimSynthesizer(start="x"), DeclarationError, "start='x'"),
        (lambda: zounds.GriffinLimSynthesizer(power=0), DeclarationError, "power=0"),
        (lambda: zounds.GriffinLimSynthesizer(np.hanning), DeclarationError, "allowed: a window"),
        (lambda: zounds.GriffinLimSynthesizer().synthesize(TONE), DimensionError, "frames in time"),
        (lambda: zounds.GriffinLimSynthesizer().synthesize(np.abs(analysed(TONE))[:, :9]), DimensionError, "needs all"),
        (
            lambda: zounds.GriffinLimSynthesizer().synthesize(zounds.decibel(np.abs(analysed(TONE)))),
            DeclarationError,
            "db_to_amplitude",
        ),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
