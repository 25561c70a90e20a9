"""Magnitudes from mel bands, with units."""

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import noise
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.spectral import SlaneyMelScale, mel_bands, mel_to_magnitude, stft
from zounds_lite.timeseries import TimeDimension

RATE = zounds.SR11025()
SCALE = SlaneyMelScale(zounds.FrequencyBand(0, 5512.5), 40)
SPECTRA = stft(zounds.AudioSamples(noise(1.0, 11025), RATE), RATE.windowing_scheme(512, 128), pad=True)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_bands_of_what_is_found_are_the_given_ones(power):
    mel = mel_bands(SPECTRA, SCALE, power)
    found = mel_to_magnitude(mel, power=power)
    assert found.dimensions == SPECTRA.dimensions and (found >= 0).all()
    assert found.dimensions[0].n_samples == SPECTRA.dimensions[0].n_samples
    again = mel_bands(found, SCALE, power)
    assert np.linalg.norm(again - mel) < 1e-3 * np.linalg.norm(mel)


def test_closer_than_librosa():
    librosa = pytest.importorskip("librosa")
    mel = np.asarray(mel_bands(SPECTRA, SCALE))
    theirs = librosa.feature.inverse.mel_to_stft(mel.T, sr=11025, n_fft=512, power=2.0).T
    bank = librosa.filters.mel(sr=11025, n_fft=512, n_mels=40, dtype=np.float64)
    ours = np.asarray(mel_to_magnitude(mel_bands(SPECTRA, SCALE))) * np.sqrt(512)
    error = [np.linalg.norm(found**2 @ bank.T - mel) for found in (ours, theirs)]
    assert error[0] < error[1]


def test_another_transform_a_batch_and_dtypes():
    mel = mel_bands(SPECTRA, SCALE).astype(np.float32)
    found = mel_to_magnitude(mel, n_fft=1024)
    assert found.shape == (len(mel), 513) and found.dtype == np.float32
    pair = zounds.ArrayWithUnits(np.stack([mel, mel], 1), [mel.dimensions[0], None, mel.dimensions[1]])
    both = mel_to_magnitude(pair)
    assert both.shape == (len(mel), 2, 257)
    np.testing.assert_allclose(both[:, 1], mel_to_magnitude(mel), rtol=1e-4, atol=1e-6)


def test_silence_nothing_and_nan():
    mel = mel_bands(SPECTRA, SCALE)
    assert not mel_to_magnitude(mel * 0).any()
    assert mel_to_magnitude(mel[:0]).shape == (0, 257)
    broken = mel.copy()
    broken[3, 5] = np.nan
    assert np.flatnonzero(np.isnan(mel_to_magnitude(broken)).any(axis=1)).tolist() == [3]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda mel: mel_to_magnitude(SPECTRA), DimensionError, "FFTScale"),
        (lambda mel: mel_to_magnitude(-mel), DeclarationError, "db_to_power"),
        (lambda mel: mel_to_magnitude(mel, power=0), DeclarationError, "power=0"),
        (lambda mel: mel_to_magnitude(mel, n_iter=-1), DeclarationError, "n_iter=-1"),
        (
            lambda mel: mel_to_magnitude(
                zounds.ArrayWithUnits(mel, [TimeDimension(zounds.Seconds(3)), mel.dimensions[1]])
            ),
            SampleRateError,
            "how many samples",
        ),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(mel_bands(SPECTRA, SCALE))
