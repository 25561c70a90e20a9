"""The documented examples of frequency-adaptive transforms; only imports and prints are changed."""

import numpy as np
import pytest
import scipy

import zounds_lite as zounds


def snr_db(signal, other, start_hz=0, stop_hz=np.inf):
    """Return how far ``other`` is from ``signal`` between two frequencies, in decibels."""
    window = np.hanning(len(signal))
    found, wanted = (np.fft.rfft(np.asarray(x, np.float64) * window) for x in (other, signal))
    hz = np.fft.rfftfreq(len(signal), 1 / 11025)
    inside = (hz >= start_hz) & (hz < stop_hz)
    return 10 * np.log10(np.sum(np.abs(wanted[inside]) ** 2) / np.sum(np.abs((found - wanted)[inside]) ** 2))


def check(snd, recon, scale):
    """The sound comes back, from where two frames cover it; only what lies outside the scale does not."""
    assert recon.__class__.__name__ == "AudioSamples"
    assert len(recon) == len(snd.resampled) == 110250
    assert recon.samplerate.__class__.__name__ == "SR11025"
    pair = snd.resampled[5513:-5513], recon[5513:-5513]
    assert snr_db(*pair, 110, 4800) >= 120
    assert snr_db(*pair) >= 80  # 16 bits put the sound half a step off zero, and 0 Hz is in no band
    assert type(snd.freq_adaptive) is zounds.FrequencyAdaptive
    assert snd.freq_adaptive.scale == scale
    assert repr(snd.freq_adaptive.time_dimension) == repr(snd.long_windowed.dimensions[0])


@pytest.mark.filterwarnings("ignore:.*fftpack.*:DeprecationWarning")
def test_dct():
    samplerate = zounds.SR11025()
    Resampled = zounds.resampled(resample_to=samplerate)

    scale = zounds.GeometricScale(100, 5000, bandwidth_ratio=0.089, n_bands=100)
    scale.ensure_overlap_ratio(0.5)

    @zounds.simple_in_memory_settings
    class Sound(Resampled):
        long_windowed = zounds.ArrayWithUnitsFeature(
            zounds.SlidingWindow,
            wscheme=zounds.SampleRate(frequency=zounds.Milliseconds(500), duration=zounds.Seconds(1)),
            wfunc=zounds.OggVorbisWindowingFunc(),
            needs=Resampled.resampled,
        )

        dct = zounds.ArrayWithUnitsFeature(zounds.DCT, scale_always_even=True, needs=long_windowed)

        freq_adaptive = zounds.FrequencyAdaptiveFeature(
            zounds.FrequencyAdaptiveTransform,
            transform=scipy.fftpack.idct,
            window_func=np.hanning,
            scale=scale,
            needs=dct,
            store=True,
        )

    # produce some additive sine waves
    sine_synth = zounds.SineSynthesizer(zounds.SR22050())
    samples = sine_synth.synthesize(zounds.Seconds(10), freqs_in_hz=[220, 440, 880])

    # process the sound, including a short-time fourier transform feature
    _id = Sound.process(meta=samples.encode())
    snd = Sound(_id)

    # invert the sound
    synth = zounds.FrequencyAdaptiveDCTSynthesizer(scale, samplerate)
    recon = synth.synthesize(snd.freq_adaptive)
    check(snd, recon, scale)  # AudioSamples instance with the reconstructed sound


def test_fft():
    samplerate = zounds.SR11025()
    Resampled = zounds.resampled(resample_to=samplerate)

    scale = zounds.GeometricScale(100, 5000, bandwidth_ratio=0.089, n_bands=100)
    scale.ensure_overlap_ratio(0.5)

    @zounds.simple_in_memory_settings
    class Sound(Resampled):
        long_windowed = zounds.ArrayWithUnitsFeature(
            zounds.SlidingWindow,
            wscheme=zounds.SampleRate(frequency=zounds.Milliseconds(500), duration=zounds.Seconds(1)),
            wfunc=zounds.OggVorbisWindowingFunc(),
            needs=Resampled.resampled,
        )

        fft = zounds.ArrayWithUnitsFeature(zounds.FFT, needs=long_windowed)

        freq_adaptive = zounds.FrequencyAdaptiveFeature(
            zounds.FrequencyAdaptiveTransform,
            transform=np.fft.irfft,
            window_func=np.hanning,
            scale=scale,
            needs=fft,
            store=True,
        )

    # produce some additive sine waves
    sine_synth = zounds.SineSynthesizer(zounds.SR22050())
    samples = sine_synth.synthesize(zounds.Seconds(10), freqs_in_hz=[220, 440, 880])

    # process the sound, including a short-time fourier transform feature
    _id = Sound.process(meta=samples.encode())
    snd = Sound(_id)

    # invert the sound
    synth = zounds.FrequencyAdaptiveFFTSynthesizer(scale, samplerate)
    recon = synth.synthesize(snd.freq_adaptive)
    check(snd, recon, scale)  # AudioSamples instance with the reconstructed sound
