"""A labelled corpus becomes a store: from file names to a table, from the table to documents with labels.

The program writes a few recordings whose names say what is in them, turns the names into a CSV file, adds what people
add to such files (stretches of a longer recording, a row that is wrong), and ingests it. Labels arrive on the documents
as the types that they are; the wrong row is reported with its number and stops nothing.
"""

from pathlib import Path

import zounds_lite as zounds

FOLDER, STORE = Path("digits"), Path("digits.zl")


@zounds.simple_lmdb_settings(str(STORE), user_supplied_id=True)
class Sound(zounds.stft(resample_to=zounds.SR8000(), store_ogg=False)):
    """The documented graph, kept in a store on disk."""


def record():
    """Write files as the free spoken digits name them, and one recording of all of them."""
    FOLDER.mkdir(exist_ok=True)
    tones = zounds.SineSynthesizer(zounds.SR8000())
    for digit in range(4):
        for speaker, octave in (("ann", 2), ("ben", 1)):
            samples = tones.synthesize(zounds.Milliseconds(500), freqs_in_hz=[220 * octave + 20 * digit])
            samples.save(str(FOLDER / f"{digit}_{speaker}_0.wav"))
    tones.synthesize(zounds.Seconds(4), freqs_in_hz=[440]).save(str(FOLDER / "session.flac"))


def main():
    record()
    for item in zounds.SpokenDigits(FOLDER):
        if isinstance(item, zounds.FailedItem):
            print(f"{Path(item.name).name}: {item.reason}")
    named = [item for item in zounds.SpokenDigits(FOLDER) if not isinstance(item, zounds.FailedItem)]
    manifest = zounds.write_manifest(named, "digits.csv")
    print(f"{len(manifest)} rows, columns {manifest.columns()}")

    lines = Path("digits.csv").read_text().splitlines()
    lines = [f"{lines[0]},start,end", *(f"{line},," for line in lines[1:])]
    lines += ["digits/session.flac,8,ann,1,0.5,1.25", "digits/session.flac,9,ann,1,0:02,0:03", ",7,ben,2,,"]
    Path("corpus.csv").write_text("\n".join(lines) + "\n")

    report = zounds.ingest(zounds.Manifest("corpus.csv", licensing="CC0"), Sound, progress=False)
    print(f"{len(report.processed)} processed, {len(report.failed)} failed")
    for failure in report.failed:
        print(f"  {failure.id}: {failure.reason}")
    for sound in sorted(Sound, key=lambda document: document._id):
        meta = sound.meta
        if meta["speaker"] == "ann" and meta["label"] >= 3:
            print(f"{Path(sound._id).name}: label {meta['label']!r}, {meta['licensing']}, {meta['duration']} s")


if __name__ == "__main__":
    main()
