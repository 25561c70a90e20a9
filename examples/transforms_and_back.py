"""Transforms and back.

Four seconds of sound that the program makes itself go through a graph of transforms, each of which has a synthesizer
that makes sound of it again. The table shows how many numbers there are for a sample of sound, and how the sound that
comes back differs from the one that went in: the signal to noise ratio over the whole of it, in float32. The bands of
the constant-Q transform are notes, here from 33 Hz to 7.9 kHz; its inverse gives back what they reach.
"""

from pathlib import Path

import numpy as np
import scipy.fft

import zounds_lite as zounds
from zounds_lite.visualization import figure_svg

RATE = zounds.SR22050()
SHORT, LONG = RATE.windowing_scheme(1024, 512), RATE.windowing_scheme(22050, 11025)
SCALE = zounds.GeometricScale(50, 10000, bandwidth_ratio=0.089, n_bands=100)

Resampled = zounds.resampled(resample_to=RATE, store_resampled=True)


def windows(scheme):
    """Frames that can be undone from the first sample to the last."""
    hop, size = scheme.discrete_samples(zounds.TimeDimension(*RATE))
    zeros = {"padwith": size - hop, "padend": size - hop}
    return zounds.ArrayWithUnitsFeature(
        zounds.SlidingWindow, wscheme=scheme, wfunc=zounds.OggVorbisWindowingFunc(), **zeros, needs=Resampled.resampled
    )


def adaptive(transform, spectra):
    """Bands of long frames, each at the rate that its width needs; what lies outside the scale has two more bands."""
    return zounds.FrequencyAdaptiveFeature(
        zounds.FrequencyAdaptiveTransform,
        transform=transform,
        scale=SCALE,
        window_func=np.hanning,
        residual=True,
        needs=spectra,
    )


@zounds.simple_in_memory_settings
class Sound(Resampled):
    """A recording and its transforms, which are computed when they are asked for."""

    short = windows(SHORT)
    fft = zounds.ArrayWithUnitsFeature(zounds.FFT, needs=short)
    dct = zounds.ArrayWithUnitsFeature(zounds.DCT, needs=short)
    dct_iv = zounds.ArrayWithUnitsFeature(zounds.DCTIV, needs=short)
    mdct = zounds.ArrayWithUnitsFeature(zounds.MDCT, needs=short)
    long = windows(LONG)
    long_fft = zounds.ArrayWithUnitsFeature(zounds.FFT, needs=long)
    long_dct = zounds.ArrayWithUnitsFeature(zounds.DCT, needs=long)
    adaptive_fft = adaptive(np.fft.irfft, long_fft)
    adaptive_dct = adaptive(scipy.fft.idct, long_dct)
    cqt = zounds.ArrayWithUnitsFeature(zounds.CQT, hop=16, n_bands=96, needs=Resampled.resampled)


SYNTHESIZERS = {
    "fft": zounds.FFTSynthesizer(),
    "dct": zounds.DCTSynthesizer(),
    "dct_iv": zounds.DCTIVSynthesizer(),
    "mdct": zounds.MDCTSynthesizer(),
    "adaptive_fft": zounds.FrequencyAdaptiveFFTSynthesizer(SCALE, RATE, np.hanning),
    "adaptive_dct": zounds.FrequencyAdaptiveDCTSynthesizer(SCALE, RATE, np.hanning),
    "cqt": zounds.CQTSynthesizer(),
}


def recording():
    """Plucked strings, and noise of 100 to 6000 Hz that fades."""
    time = np.arange(RATE.rate) / RATE.rate
    fade = np.sin(np.pi * np.minimum(0.5, time / 0.02)) ** 2 * np.exp(-3 * time) * (1 - time)
    chords = [(220, 277, 330), (247, 311, 370), (262, 330, 392), (220, 277, 330)]
    strings = [sum(np.sin(2 * np.pi * k * hz * time) / k for hz in chord for k in (1, 2, 3)) for chord in chords]
    spectrum = scipy.fft.rfft(np.random.default_rng(0).normal(size=(len(chords), len(time))))
    spectrum[:, :100] = spectrum[:, 6000:] = 0
    noise = scipy.fft.irfft(spectrum, len(time)) * np.exp(-20 * time)
    return zounds.AudioSamples(np.concatenate(fade * (0.15 * np.asarray(strings) + 0.1 * noise)), RATE)


def snr_db(samples, again):
    samples = np.asarray(samples, np.float64)
    return 10 * np.log10(np.sum(samples**2) / np.sum((np.asarray(again) - samples) ** 2))


def main():
    sound = Sound(Sound.process(meta=recording().encode()))
    samples = sound.resampled
    print(f"{'transform':13} {'synthesizer':32} numbers a sample      SNR")
    for name, synthesizer in SYNTHESIZERS.items():
        found = getattr(sound, name)
        again = synthesizer.synthesize(found)
        assert len(again) == len(samples)
        numbers = found.size * (2 if found.dtype.kind == "c" else 1) / samples.size
        print(f"{name:13} {type(synthesizer).__name__:32} {numbers:16.2f} {snr_db(samples, again):5.0f} dB")
        if name in ("fft", "mdct", "cqt"):
            Path(f"{name}.svg").write_text(figure_svg(abs(found)), "utf-8")
            again.save(f"back from {name}.wav")


if __name__ == "__main__":
    main()
