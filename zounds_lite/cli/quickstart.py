"""The command ``quickstart``: a folder, or a minute of made-up sound, ingested and looked at."""

import argparse
from pathlib import Path
from typing import Any

from zounds_lite.cli.documents import DEFAULT_DOCUMENT, document
from zounds_lite.cli.output import complain, say
from zounds_lite.cli.sources import listed

__all__ = ["quickstart_command"]


def quickstart_command(arguments: argparse.Namespace) -> int:
    """Ingest a folder, draw the first recording and turn it back into sound."""
    from zounds_lite.datasets import ingest
    from zounds_lite.synthesize import FFTSynthesizer
    from zounds_lite.visualization import spectrogram_png

    out = Path(arguments.out)
    folder = Path(arguments.folder or out / "sounds")
    if not arguments.folder:
        _make_sounds(folder)
    store = out / "store"
    cls = document(DEFAULT_DOCUMENT, str(store))
    report = ingest(listed(str(folder)), cls)
    for failure in report.failed:
        complain(f"failed: {failure.id}: {failure.reason}")
    done = sorted(report.processed + report.skipped)
    if not done:
        raise FileNotFoundError(f"{str(folder)!r} holds no recording that could be read")
    first = cls(done[0])
    picture, sound = out / "mel.png", out / "resynthesised.wav"
    spectrogram_png(first.mel, picture)
    FFTSynthesizer().synthesize(first.fft).save(str(sound))
    say(f"{len(done)} of {report.total} recordings from {folder}")
    say(f"store:   {store}   (zounds-lite ls {store})")
    say(f"picture: {picture}   (mel bands of {done[0]})")
    say(f"sound:   {sound}   (the same recording, back from its Fourier transform)")
    return 1 if report.failed else 0


def _make_sounds(folder: Path) -> None:
    """Write a minute of tones, noise and ticks."""
    from zounds_lite.synthesize import NoiseSynthesizer, SineSynthesizer, TickSynthesizer
    from zounds_lite.timeseries import SR44100, Milliseconds, Seconds

    rate, seconds = SR44100(), Seconds(20)
    folder.mkdir(parents=True, exist_ok=True)
    sounds: dict[str, Any] = {
        "1 tones": SineSynthesizer(rate).synthesize(seconds, [220.0, 440.0, 880.0]),
        "2 noise": NoiseSynthesizer(rate, seed=0).synthesize(seconds) * 0.5,
        "3 ticks": TickSynthesizer(rate, seed=0).synthesize(seconds, Milliseconds(500)),
    }
    for name, samples in sounds.items():
        if not (folder / f"{name}.wav").exists():
            samples.save(str(folder / f"{name}.wav"))
