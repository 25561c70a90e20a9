"""Documents of segments: one long recording, a list of who speaks when, and a document for each turn.

The recording, two minutes in which three tones take turns, is made by the program itself. Only the path of the file,
and which stretch of it is meant, is stored of the sound; the features of a turn hold nothing of its neighbours.
"""

from pathlib import Path

import numpy as np
import soundfile

import zounds_lite as zounds
from zounds_lite.visualization import figure_svg

RATE = 22050
HZ = {"low": 220.0, "middle": 440.0, "high": 880.0}
BASE = zounds.stft(resample_to=zounds.SR11025(), store_ogg=False)


@zounds.simple_lmdb_settings("turns.zl", user_supplied_id=True)
class Turn(BASE):
    """Bark bands of one turn, stored."""

    bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=64, needs=BASE.fft, store=True)


def turns():
    """Who speaks, from when on, and for how long (seconds)."""
    start = 0.0
    for i in range(24):
        length = 4.5 + (i % 3) / 2
        yield list(HZ)[i % 3], start, length
        start += length


def write_recording(path):
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for who, _, length in turns():
            file.write(0.5 * np.sin(2 * np.pi * HZ[who] * np.arange(round(length * RATE)) / RATE))


def main():
    write_recording(Path("talk.flac"))
    items = [
        zounds.AudioMetaData(
            uri="talk.flac",
            segment=zounds.TimeSlice(start=zounds.Seconds(start), duration=zounds.Seconds(length)),
            speaker=who,
        )
        for who, start, length in turns()
    ]
    print(zounds.ingest(items, Turn, progress=False))
    first = Turn(items[1].uri + "#" + items[1].fragment)
    print("a document:", first._id, first.meta["speaker"], f"{first.meta['duration']} s of")
    print(f"  {first.meta['recording_duration']} s, bark {first.bark.shape}, pcm {first.pcm.shape}")
    first.pcm.save("first turn.wav")
    Path("first turn.svg").write_text(figure_svg(first.bark), "utf-8")
    whole = zounds.AudioSamples.from_file("talk.flac")
    print("its samples are those of that slice of the whole:", np.array_equal(first.pcm, whole[items[1].segment]))

    scale = first.fft.dimensions[1].scale
    for who in HZ:
        spectra = [np.abs(turn.fft).mean(axis=0) for turn in Turn if turn.meta["speaker"] == who]
        strongest = scale.center_frequencies[int(np.mean(spectra, axis=0).argmax())]
        print(f"{who}: {len(spectra)} turns, strongest at about {strongest:.0f} Hz")

    again = zounds.ingest(items, Turn, progress=False)
    print(f"the same list again: {len(again.processed)} processed, {len(again.skipped)} skipped")
    Turn.database.close()


if __name__ == "__main__":
    main()
