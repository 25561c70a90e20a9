"""Declare, ingest, slice, invert.

Four steps on eight seconds of tones that the program makes itself: a document class with a graph of features, one
sound through that graph, a slice by seconds and hertz, and the way back from the spectrum to samples, which are saved
as ``back.wav``, with a picture of the spectrum.
"""

from pathlib import Path

import numpy as np

import zounds_lite as zounds
from zounds_lite.visualization import figure_svg

STFT = zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_resampled=True, pad=True)


@zounds.simple_in_memory_settings
class Sound(STFT):
    """Adds Bark bands of the magnitudes to the documented graph."""

    bark = zounds.ArrayWithUnitsFeature(
        zounds.BarkBands, frequency_band=zounds.FrequencyBand(20, 5000), n_bands=50, needs=STFT.fft, store=True
    )


def main():
    tones = zounds.SineSynthesizer(zounds.SR22050())
    low = tones.synthesize(zounds.Seconds(8), freqs_in_hz=[220])
    high = tones.synthesize(zounds.Seconds(8), freqs_in_hz=[1760])
    samples = low.copy()
    samples[zounds.TimeSlice(start=zounds.Seconds(4))] = high[zounds.TimeSlice(start=zounds.Seconds(4))]

    sound = Sound(Sound.process(meta=samples.encode()))
    print(f"stored: {sound.fft.shape} {sound.fft.dtype}, {sound.bark.shape} {sound.bark.dtype}")

    for start in (1, 5):
        second = zounds.TimeSlice(start=zounds.Seconds(start), duration=zounds.Seconds(1))
        for band in (zounds.FrequencyBand(100, 400), zounds.FrequencyBand(1600, 1900)):
            energy = np.mean(np.abs(sound.fft[second, band]) ** 2)
            print(f"second {start}, {band.start_hz}-{band.stop_hz} Hz: {energy:.4f}")

    back = zounds.FFTSynthesizer().synthesize(sound.fft)
    original = sound.resampled
    error = np.asarray(back, float) - np.asarray(original, float)
    snr_db = 10 * np.log10(np.sum(np.asarray(original, float) ** 2) / np.sum(error**2))
    print(f"inverted: {type(back).__name__} of {len(back)} samples, was {len(original)}")
    print(f"signal to noise: {'more' if snr_db > 100 else 'less'} than 100 dB")

    back.save("back.wav")
    Path("spectrum.svg").write_text(figure_svg(sound.fft), "utf-8")


if __name__ == "__main__":
    main()
