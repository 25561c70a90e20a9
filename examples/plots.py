"""Pictures of a sound: each kind that ``plot`` and its neighbours draw, with axes in seconds, hertz and decibels.

The program plays a short tune over a bass and a drum, stores its spectra, onsets and tempo, and draws them: samples and
amplitudes, spectrograms on four scales, pitch classes, phases in colour, repetition, onsets and beats over the
waveform, and the typical spectra that k-means learns. At last it checks on the pixels that the picture of a pure tone
shows the tone where its axis says 440 Hz. It needs matplotlib, the extra ``plot``.
"""

import numpy as np

import zounds_lite as zounds
from zounds_lite import spectral, visualization as pictures

RATE = zounds.SR22050()
BEAT_S = 0.5
TUNE = [440.0, 493.88, 523.25, 659.26, 587.33, 523.25, 493.88, 392.0] * 2
STFT = zounds.stft(resample_to=RATE, store_ogg=False)


@zounds.simple_in_memory_settings
class Sound(STFT, zounds.with_flux_onsets(STFT.fft)):
    """Spectra, onsets and tempo of a recording."""


def note(hz, seconds, partials=6):
    """Return a plucked note: partials that fade, the higher the faster."""
    t = np.arange(int(seconds * RATE.rate)) / RATE.rate
    waves = [np.sin(2 * np.pi * k * hz * t) * np.exp(-(1.5 + k) * t) / k for k in range(1, partials + 1)]
    return np.sum(waves, axis=0) * np.minimum(1.0, t / 0.005)


def tune():
    """Return eight seconds of music: a note and a drum on every beat, and a bass on every second one."""
    rng = np.random.default_rng(3)
    beat = int(BEAT_S * RATE.rate)
    out = np.zeros(beat * len(TUNE))
    for k, hz in enumerate(TUNE):
        here = slice(k * beat, (k + 1) * beat)
        fading = np.exp(-np.arange(beat) / (0.02 * RATE.rate))
        out[here] += 0.4 * note(hz, BEAT_S) + 0.15 * rng.standard_normal(beat) * fading
        out[here] += 0.3 * note(hz / 4, BEAT_S) * (k % 2 == 0)
    return zounds.AudioSamples((0.8 * out / np.abs(out).max()).astype(np.float32), RATE)


def tone_is_where_the_axis_says():
    """Draw a tone of 440 Hz, and return how many pixels its brightest row is off, and how many rows there are."""
    tone = zounds.SineSynthesizer(RATE).synthesize(zounds.Seconds(2), [440.0])
    axes = spectral.cqt(tone).plot(path="tone.png", title="440 Hz, constant Q")
    from matplotlib.image import imread

    bright = imread("tone.png")[::-1, :, :3].sum(axis=-1)
    box = axes.get_window_extent()
    left, bottom, right, top = (round(side) for side in (box.x0 + 40, box.y0 + 2, box.x1 - 40, box.y1 - 2))
    rows = bright[bottom:top, left:right].mean(axis=1)
    brightest = np.flatnonzero(rows >= rows.max() - 1e-6).mean() + bottom + 0.5
    return abs(brightest - axes.transData.transform((1.0, 440.0))[1]), top - bottom


def main():
    samples = tune()
    sound = Sound(Sound.process(meta=samples.encode()))
    spectra = sound.fft
    band = zounds.FrequencyBand(40, 10000)

    samples.plot(path="waveform.png", title="Samples: from the lowest to the highest of each pixel")
    pictures.plot_histogram(samples, path="amplitudes.png", title="How often each amplitude occurs")
    spectra.plot(path="spectrogram.png", title="Short-time Fourier transform")
    mel = spectral.apply_scale(spectra, zounds.MelScale(band, 96), zounds.HanningWindowingFunc())
    mel.plot(path="mel.png", title="Mel bands")
    bark = spectral.apply_scale(spectra, zounds.BarkScale(band, 96), zounds.HanningWindowingFunc())
    bark.plot(path="bark.png", title="Bark bands")
    spectral.cqt(samples).plot(path="cqt.png", title="Constant-Q transform: octaves are equally far apart")
    classes = spectral.chroma_stft(spectra)
    pictures.plot_chromagram(classes, path="chroma.png", title="Pitch classes")
    low = spectra[:, zounds.FrequencyBand(0, 3000)]
    pictures.plot_rainbowgram(low, path="rainbowgram.png", title="Rainbowgram: hue is how fast the phase turns")
    pictures.plot_self_similarity(classes, path="similarity.png", title="The tune comes twice")

    beats = np.arange(len(TUNE)) * 60.0 / sound.tempo
    pictures.plot_onsets(samples, sound.slices, beats, path="onsets.png", title=f"{sound.tempo:.1f} beats a minute")

    levels = zounds.ArrayWithUnits(20 * np.log10(np.asarray(mel) + 1e-3), mel.dimensions)
    [kmeans] = zounds.KMeans(centroids=6).run([levels])
    pictures.plot_components(
        kmeans.codebook, mel.dimensions[1:], label="level / dB", path="components.png", title="Six typical spectra"
    )

    found = np.array([float(stretch.start / zounds.Seconds(1)) for stretch in sound.slices.slices])
    off = np.abs(found[:, None] - BEAT_S * np.arange(len(TUNE))).min(axis=1)
    print(f"onsets: {len(found)} found of {len(TUNE)}, off by {1000 * off.max():.0f} ms at most")
    print(f"tempo: {sound.tempo:.1f} beats a minute, of {60 / BEAT_S:.0f}")
    pixels, rows = tone_is_where_the_axis_says()
    print(f"a tone of 440 Hz: its row is {pixels:.1f} pixels off where the axis says 440 Hz, of {rows} rows")
    array = zounds.ArrayWithUnits(np.eye(12), [None, None])
    print(f"an array without units is drawn by {array.plot().get_xlabel()}")


if __name__ == "__main__":
    main()
