"""Ask for a slice, compute a slice.

Four minutes of tones, each with its second, in a FLAC file that the program makes itself. Nothing but the path of the
file is stored; each second is decoded and transformed when it is asked for, and only that second.
"""

import logging
import sys
from pathlib import Path

import numpy as np
import soundfile

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.visualization import figure_svg

RATE = 44100
SECONDS = 240
BASE = zounds.stft(resample_to=zounds.SR11025(), store_resampled=False, store_ogg=False)


@ff.pointwise
def loudest(bands):
    """The largest band of each frame, which needs that frame and no other."""
    return zounds.ArrayWithUnits(bands.max(axis=1), bands.dimensions[:1])


def normalized(bands):
    """Bands over the largest of the whole recording, which nobody can know from a part of it."""
    return bands / bands.max()


@zounds.simple_lmdb_settings("sounds.zl", user_supplied_id=True)
class Sound(BASE):
    """Bark bands, and two features of our own."""

    bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=64, needs=BASE.fft)
    peak = zounds.ArrayWithUnitsFeature(loudest, needs=bark)
    relative = zounds.ArrayWithUnitsFeature(normalized, needs=bark)


def tone_hz(second):
    return 200 + 10 * second


def write_tones(path):
    time = np.arange(RATE) / RATE
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for second in range(SECONDS):
            file.write(0.5 * np.sin(2 * np.pi * tone_hz(second) * time))


def stretch(start, duration=1.0):
    return zounds.TimeSlice(start=zounds.Seconds(start), duration=zounds.Milliseconds(int(1000 * duration)))


def strongest_hz(spectra):
    scale = spectra.dimensions[1].scale
    return scale.center_frequencies[int(np.abs(spectra).mean(axis=0).argmax())]


def main():
    logging.basicConfig(stream=sys.stdout, format="log: %(message)s", level=logging.INFO)
    write_tones(Path("tones.flac"))
    Sound.process(meta="tones.flac", _id="tones")
    sound = Sound("tones")

    part = sound[stretch(100, 0.5)]
    print(
        f"half a second of bark: {part.bark.shape}, from {part.bark.dimensions[0].start.astype('timedelta64[ms]')} on"
    )
    Path("half a second.svg").write_text(figure_svg(part.bark), "utf-8")
    print(f"half a second of pcm: {part.pcm.shape}, {part.pcm.samplerate.rate} Hz")
    print(f"a slice of the slice: {part.fft[:, zounds.FrequencyBand(1000, 1400)].shape}")

    middles = [strongest_hz(sound[stretch(second + 0.25, 0.5)].fft) for second in (20, 120, 220)]
    print("in the middle of seconds 20, 120 and 220:", ", ".join(f"{hz:.0f} Hz" for hz in middles))

    windows = list(sound.windows(zounds.Seconds(60)))
    print(f"{len(windows)} windows of a minute; none is computed until a feature of it is read")
    print("peaks of their first frames:", " ".join(f"{float(window.peak[0]):.2f}" for window in windows))

    crops = Sound.sample("bark", zounds.Seconds(1), n=16, rng=np.random.default_rng(0))
    print("a batch for training:", np.stack(crops).shape)

    print("a feature that needs the whole recording:")
    print(f"half a second of relative: {part.relative.shape}")
    with ff.in_one_thread():
        print("the whole of bark, decoded and transformed in one thread:", sound.bark.shape)
    Sound.database.close()


if __name__ == "__main__":
    main()
