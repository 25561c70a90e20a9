"""Labels of recordings: ingest them with their documents, then find, count and pick documents by them."""

import tempfile
from pathlib import Path

import numpy as np

import zounds_lite as zounds
from zounds_lite import featureflow as ff

RATE = zounds.SR11025()
Windowed = zounds.stft(resample_to=RATE, wscheme=RATE.windowing_scheme(512, 256), store_ogg=False)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:

        @zounds.simple_lmdb_settings(Path(folder) / "store")
        class Sound(Windowed):
            """A short tone, and who played it."""

        for number in range(12):
            tone = zounds.SineSynthesizer(RATE).synthesize(zounds.Milliseconds(200 + 50 * number), [220.0 + number])
            file = Path(folder) / f"{number}.wav"
            tone.save(str(file))
            player, label = ["ann", "theo"][number % 2], ["low", "middle", "high"][number // 4]
            Sound.process(meta=zounds.AudioMetaData(uri=str(file), player=player, label=label, take=number))

        print(Sound.values("label"), Sound.where(player="theo").values("label"))
        print(Sound.where(player="theo", label=["middle", "high"]))
        print(Sound.where(duration=ff.between(0.3, 0.5)), "with", sorted(Sound.fields()["meta"]))
        for sound in Sound.where(player="ann").where(label="high"):
            loudest = np.asarray(np.abs(sound.fft)).mean(axis=0).argmax()
            print(f"take {sound.meta['take']}: the loudest band is number {loudest}")


if __name__ == "__main__":
    main()
