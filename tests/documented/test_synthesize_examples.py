"""The documented examples of synthesizers: only imports and prints are changed.

They promise to "recover the original audio": that is the resampled sound, which is held in float32. The example of
``FFTSynthesizer`` stands in ``test_graphs``.
"""

import numpy as np
import pytest

import zounds_lite as zounds


def snr_db(signal, other):
    """Return how far ``other`` is from ``signal``, in decibels."""
    signal, other = np.asarray(signal, np.float64), np.asarray(other, np.float64)
    return 10 * np.log10((signal**2).sum() / ((signal - other) ** 2).sum())


def is_recovered(recon, snd, window):
    """Tell whether the sound is back, but for the first and last window, which frames cover less often."""
    assert recon.__class__.__name__ == "AudioSamples"
    assert recon.samplerate == zounds.SR11025()
    assert len(recon) == len(snd.resampled) == 44100
    inside = slice(window, -window)
    return snr_db(snd.resampled[inside], recon[inside]) >= 120


def sines():
    # produce some additive sine waves
    sine_synth = zounds.SineSynthesizer(zounds.SR22050())
    return sine_synth.synthesize(zounds.Seconds(4), freqs_in_hz=[220, 400, 880])


def test_dct_synthesizer():
    Resampled = zounds.resampled(resample_to=zounds.SR11025())

    @zounds.simple_in_memory_settings
    class Sound(Resampled):
        windowed = zounds.ArrayWithUnitsFeature(
            zounds.SlidingWindow,
            needs=Resampled.resampled,
            wscheme=zounds.HalfLapped(),
            wfunc=zounds.OggVorbisWindowingFunc(),
            store=False,
        )

        dct = zounds.ArrayWithUnitsFeature(zounds.DCT, needs=windowed, store=True)

    # process the sound, including a short-time fourier transform feature
    _id = Sound.process(meta=sines().encode())
    snd = Sound(_id)

    # invert the frequency-domain feature to reover the original audio
    dct_synth = zounds.DCTSynthesizer()
    recon = dct_synth.synthesize(snd.dct)
    assert is_recovered(recon, snd, 512)


def test_dctiv_synthesizer():
    Resampled = zounds.resampled(resample_to=zounds.SR11025())

    @zounds.simple_in_memory_settings
    class Sound(Resampled):
        windowed = zounds.ArrayWithUnitsFeature(
            zounds.SlidingWindow,
            needs=Resampled.resampled,
            wscheme=zounds.HalfLapped(),
            wfunc=zounds.OggVorbisWindowingFunc(),
            store=False,
        )

        dct = zounds.ArrayWithUnitsFeature(zounds.DCTIV, needs=windowed, store=True)

    # process the sound, including a short-time fourier transform feature
    _id = Sound.process(meta=sines().encode())
    snd = Sound(_id)

    # invert the frequency-domain feature to reover the original audio
    dct_synth = zounds.DCTIVSynthesizer()
    recon = dct_synth.synthesize(snd.dct)
    assert is_recovered(recon, snd, 512)


def test_mdct_synthesizer():
    Resampled = zounds.resampled(resample_to=zounds.SR11025())

    @zounds.simple_in_memory_settings
    class Sound(Resampled):
        windowed = zounds.ArrayWithUnitsFeature(
            zounds.SlidingWindow,
            needs=Resampled.resampled,
            wscheme=zounds.HalfLapped(),
            wfunc=zounds.OggVorbisWindowingFunc(),
            store=False,
        )

        mdct = zounds.ArrayWithUnitsFeature(zounds.MDCT, needs=windowed, store=True)

    # process the sound, including a short-time fourier transform feature
    _id = Sound.process(meta=sines().encode())
    snd = Sound(_id)

    # invert the frequency-domain feature to reover the original audio
    mdct_synth = zounds.MDCTSynthesizer()
    recon = mdct_synth.synthesize(snd.mdct)
    assert is_recovered(recon, snd, 512)


@pytest.mark.parametrize(
    ("frequency", "duration", "window"),
    [
        (zounds.Milliseconds(250), zounds.Milliseconds(500), 5513),
        (zounds.Milliseconds(500), zounds.Seconds(1), 11025),
    ],
)
@pytest.mark.parametrize("pair", [("FFT", "FFTSynthesizer"), ("DCT", "DCTSynthesizer"), ("DCTIV", "DCTIVSynthesizer")])
def test_the_long_windows_of_the_sliding_window_examples(frequency, duration, window, pair):
    node, synthesizer = (getattr(zounds, name) for name in pair)
    Resampled = zounds.resampled(resample_to=zounds.SR11025())

    @zounds.simple_in_memory_settings
    class Sound(Resampled):
        windowed = zounds.ArrayWithUnitsFeature(
            zounds.SlidingWindow,
            needs=Resampled.resampled,
            wscheme=zounds.SampleRate(frequency=frequency, duration=duration),
            wfunc=zounds.OggVorbisWindowingFunc(),
            store=True,
        )

        coefficients = zounds.ArrayWithUnitsFeature(node, needs=windowed, store=True)

    snd = Sound(Sound.process(meta=sines().encode()))
    assert snd.windowed.shape[1] == window  # odd, at which the original lost the phase of its frames
    assert is_recovered(synthesizer().synthesize(snd.coefficients), snd, window)
