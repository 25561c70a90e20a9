"""What notebooks show, written to files: a recording, its spectrum, a document, its class, and a report.

A notebook asks every value for HTML. This program asks in its place, and writes a page for each of five values: open
them in a browser to see and hear what the notebook would show. No page needs another file.
"""

from pathlib import Path

import numpy as np

import zounds_lite as zounds
from zounds_lite.visualization import figure_svg

RATE = zounds.SR22050()
STFT = zounds.stft(resample_to=RATE, store_resampled=True)


@zounds.simple_lmdb_settings("sounds.zl", user_supplied_id=True)
class Sound(STFT):
    """A recording, its Bark bands and its pitch classes."""

    bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, samplerate=RATE, needs=STFT.fft, store=True)
    bfcc = zounds.ArrayWithUnitsFeature(zounds.BFCC, needs=bark)
    chroma = zounds.ArrayWithUnitsFeature(
        zounds.Chroma, frequency_band=zounds.FrequencyBand(50, 5000), needs=STFT.fft, store=True
    )


def melody():
    """Eight seconds: a scale of plucked notes, each with five partials that die away."""
    semitones = [0, 2, 4, 5, 7, 9, 11, 12]
    seconds = np.arange(22_050) / 22_050
    notes = []
    for semitone in semitones:
        hz = 261.63 * 2 ** (semitone / 12)
        partials = (np.sin(2 * np.pi * hz * k * seconds) * np.exp(-3 * k * seconds) / k for k in range(1, 6))
        notes.append(0.4 * sum(partials) * np.minimum(1, seconds * 200))
    return zounds.AudioSamples(np.concatenate(notes).astype(np.float32), RATE)


def main():
    samples = melody()
    Path("recordings").mkdir(exist_ok=True)
    samples.save("recordings/melody.wav")
    Path("recordings/broken.wav").write_bytes(b"RIFF")
    report = zounds.ingest(zounds.Directory("recordings"), Sound, progress=False)
    sound = Sound(report.processed[0])

    values = {"recording": samples, "spectrum": sound.fft, "document": sound, "class": Sound, "report": report}
    for name, value in values.items():
        html = value._repr_html_()
        Path(f"{name}.html").write_text(f'<!DOCTYPE html><meta charset="utf-8"><body>{html}</body>', "utf-8")
        print(f"{name}.html: {len(html) / 1000:.0f} kB")
    Path("waveform.svg").write_text(figure_svg(samples), "utf-8")
    Path("bark_bands.svg").write_text(figure_svg(sound.bark), "utf-8")
    Path("graph.svg").write_text(Sound.graph().svg(), "utf-8")
    print(Sound.graph().text)


if __name__ == "__main__":
    main()
