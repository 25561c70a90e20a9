"""A folder of recordings becomes a store.

The program writes a few recordings and one file that is none, ingests the folder into an LMDB store by two worker
processes, and reads one second of one band back. The broken file is reported and stops nothing; a second run knows it
and does not try it again, until it is mended.
"""

from pathlib import Path

import zounds_lite as zounds
from zounds_lite.visualization import figure_svg

FOLDER, STORE = Path("recordings"), Path("recordings.zl")


@zounds.simple_lmdb_settings(str(STORE), user_supplied_id=True)
class Sound(zounds.stft(resample_to=zounds.SR11025(), store_fft=True)):
    """The documented graph, kept in a store on disk."""


def record():
    FOLDER.mkdir(exist_ok=True)
    tones = zounds.SineSynthesizer(zounds.SR44100())
    for name, pitches in (("octave", [220, 440]), ("fifth", [220, 330])):
        tones.synthesize(zounds.Seconds(5), freqs_in_hz=pitches).save(str(FOLDER / f"{name}.wav"))
    ticks = zounds.TickSynthesizer(zounds.SR44100(), seed=0)
    ticks.synthesize(zounds.Seconds(5), zounds.Milliseconds(500)).save(str(FOLDER / "ticks.flac"))
    (FOLDER / "broken.wav").write_bytes(b"these bytes are no sound")


def main():
    record()
    report = zounds.ingest(zounds.Directory(str(FOLDER)), Sound, workers=2, progress=False)
    print(f"{len(report.processed)} processed, {len(report.skipped)} skipped, {len(report.failed)} failed")
    for failure in report.failed:
        print(f"{Path(failure.id).name}: {failure.reason.partition(':')[0]}")

    second = zounds.TimeSlice(start=zounds.Seconds(2), duration=zounds.Seconds(1))
    for sound in sorted(Sound, key=lambda document: document._id):
        part = abs(sound.fft[second, zounds.FrequencyBand(200, 500)])
        print(f"{Path(sound._id).name}: {part.shape[0]} frames of {part.shape[1]} bands, loudest {part.max():.2f}")
        Path(f"{Path(sound._id).stem}.svg").write_text(figure_svg(sound.fft), "utf-8")

    report = zounds.ingest(zounds.Directory(str(FOLDER)), Sound, progress=False)
    print(f"once more: {len(report.processed)} processed, {len(report.skipped)} skipped, {report.known} known to fail")

    tones = zounds.SineSynthesizer(zounds.SR44100()).synthesize(zounds.Seconds(5), freqs_in_hz=[440])
    tones.save(str(FOLDER / "broken.wav"))
    report = zounds.ingest(zounds.Directory(str(FOLDER)), Sound, progress=False)
    print(f"mended: {len(report.processed)} processed, {len(report.skipped)} skipped, {len(report.failed)} failed")


if __name__ == "__main__":
    main()
