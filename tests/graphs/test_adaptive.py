"""The ready-made frequency-adaptive graph."""

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import encoded, noise
from zounds_lite.errors import DeclarationError

RATE = zounds.SR11025()
SCALE = zounds.GeometricScale(100, 5000, bandwidth_ratio=0.089, n_bands=100)
LONG = zounds.SampleRate(frequency=zounds.Milliseconds(500), duration=zounds.Seconds(1))


def processed(**options):
    @zounds.simple_in_memory_settings
    class Sound(zounds.frequency_adaptive(LONG, SCALE, resample_to=RATE, store_ogg=False, **options)):
        pass

    return Sound(Sound.process(meta=encoded(noise(3.0, 11025), 11025, subtype="FLOAT")))


def stored(sound):
    return {name for name in type(sound).database.read(sound._id).entries if not name.startswith("source:")}


def test_it_has_the_documented_features():
    sound = processed()
    names = ["meta", "raw", "ogg", "pcm", "resampled", "long_windowed", "long_fft", "freq_adaptive"]
    assert list(type(sound).features) == names
    assert stored(sound) == {"meta"}
    assert sound.long_windowed.shape == (5, 11025) and sound.long_fft.shape == (5, 5513)
    bands = sound.freq_adaptive
    assert type(bands) is zounds.FrequencyAdaptive and (bands.scale, len(bands)) == (SCALE, 5)
    spectra = np.asarray(sound.long_fft[:, SCALE[40]])
    wanted = np.fft.irfft(spectra * np.hanning(spectra.shape[1]), norm="ortho")
    assert np.allclose(bands[:, SCALE[40]], wanted, rtol=0, atol=1e-6)


def test_what_is_asked_for_is_stored():
    assert stored(processed(store_freq_adaptive=True, store_resampled=True)) == {"meta", "resampled", "freq_adaptive"}


@pytest.mark.parametrize("chunksize", [1000, 10_000_000])
def test_with_residual_bands_and_padding_the_whole_sound_comes_back(chunksize):
    sound = processed(residual=True, pad=True, store_freq_adaptive=True, chunksize_bytes=chunksize)
    back = zounds.FrequencyAdaptiveFFTSynthesizer(SCALE, RATE).synthesize(sound.freq_adaptive)
    wanted = np.asarray(sound.resampled, np.float64)
    assert len(back) == len(wanted)
    assert 10 * np.log10((wanted**2).sum() / ((np.asarray(back, np.float64) - wanted) ** 2).sum()) >= 120


def test_wrong_arguments_are_refused_where_the_graph_is_made():
    with pytest.raises(DeclarationError, match="scale=None"):
        zounds.frequency_adaptive(LONG, None)
    sparse = zounds.GeometricScale(100, 5000, bandwidth_ratio=0.089, n_bands=20)
    zounds.frequency_adaptive(LONG, sparse)
    with pytest.raises(DeclarationError, match="use more bands"):
        zounds.frequency_adaptive(LONG, sparse, check_scale_overlap_ratio=True)
    with pytest.raises(DeclarationError):
        zounds.frequency_adaptive(LONG, SCALE, damaged="perhaps")
