"""A sample pack in a zip becomes a store, without unpacking it.

The program packs a few recordings, ingests them where they lie, and reads a part of one that is not stored out of the
archive. A member whose name leads out of the archive is refused and stops nothing. When the pack grows, only the new
recording is processed.
"""

import zipfile
from pathlib import Path

import zounds_lite as zounds

PACK, STORE = Path("pack.zip"), Path("pack.zl")


@zounds.simple_lmdb_settings(str(STORE), user_supplied_id=True)
class Sound(zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)):
    """A stored transform; everything else comes from the archive when it is asked for."""


def recording(pitch):
    tones = zounds.SineSynthesizer(zounds.SR44100())
    return tones.synthesize(zounds.Seconds(3), freqs_in_hz=[pitch]).encode().read()


def pack():
    with zipfile.ZipFile(PACK, "w", zipfile.ZIP_DEFLATED) as archive:
        for pitch in (220, 330, 440):
            archive.writestr(f"tones/{pitch} Hz.wav", recording(pitch))
        archive.writestr("tones/read me.txt", "Tones, CC0")
        archive.writestr("../../tones.wav", recording(550))


def main():
    pack()
    report = zounds.ingest(zounds.Archive(PACK, licensing="CC0"), Sound, progress=False)
    print(f"{len(report.processed)} processed, {len(report.failed)} refused")
    for failure in report.failed:
        print(f"{failure.id.partition('!/')[2]}: {failure.reason.rpartition('.wav ')[2]}")

    for sound in sorted(Sound, key=lambda document: document._id):
        second = sound[zounds.TimeSlice(start=zounds.Seconds(1), duration=zounds.Seconds(1))]
        print(f"{sound._id.partition('!/')[2]}: {len(second.resampled)} samples of its second second")

    with zipfile.ZipFile(PACK, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tones/660 Hz.wav", recording(660))
    report = zounds.ingest(zounds.Archive(PACK, licensing="CC0"), Sound, progress=False)
    print(f"once more: {len(report.processed)} processed, {len(report.skipped)} skipped")


if __name__ == "__main__":
    main()
