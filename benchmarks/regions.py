"""A second out of an hour: features that are computed for it alone, and audio that is decoded for it alone.

``doc[1 s].bark`` of a document that stores nothing but where its recording is, against computing ``bark`` whole; a
document that is made from one second (``AudioMetaData(segment=...)``), stored, and asked for its ``bark``; and one
second of samples, from a decoder that is open already, through ``doc[1 s].pcm`` and through ``OggVorbisWrapper``.
Places are picked at random, over the whole recording; figures are medians over them. Whole readings and features are
made once per format and kept as files, so that every stretch is compared with the same stretch of the whole.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import zounds_lite as zounds
from benchmarks import harness
from benchmarks.recordings import RATE, write_recording
from zounds_lite.media import AudioReader

_MP3 = 2e-7
"""Largest difference of two readings of an MP3, whose decoder rounds by where it began."""


def document(folder: str) -> Any:
    """Return a class whose documents compute ``bark`` from the recording, and store none of it."""
    base = zounds.stft(resample_to=zounds.SR11025(), store_resampled=False, store_ogg=False)

    class Sound(base):  # type: ignore[misc, valid-type]
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, needs=base.fft, n_bands=64, store=False)

    return zounds.simple_lmdb_settings(folder, user_supplied_id=True)(Sound)


def _second(start: float) -> Any:
    return zounds.TimeSlice(duration=zounds.Seconds(1), start=zounds.Milliseconds(int(1000 * start)))


def timed(places: list[float], read: Callable[[Any], Any]) -> tuple[float, list[Any]]:
    """Read a second at each place, after a first one that opens what stays open; return the median in ms, and all."""
    read(_second(1.0))
    times, found = [], []
    for place in places:
        began = time.perf_counter()
        found.append(read(_second(place)))
        times.append(1e3 * (time.perf_counter() - began))
    return statistics.median(times), found


def _features(table: harness.Table, source: Path, places: list[float], folder: Path) -> None:
    """A second of bark bands, against all of them."""
    kind = source.suffix[1:]
    found = document(str(folder / f"store-{kind}"))
    found.process(meta=str(source), _id="recording")
    doc = found("recording")
    took, parts = timed(places, lambda index: doc[index].bark)
    anew, _ = timed(places, lambda index: found("recording")[index].bark)
    began = time.perf_counter()
    whole = doc.bark
    all_ms = 1e3 * (time.perf_counter() - began)
    wanted = [np.asarray(whole[_second(place)]) for place in places]
    worst = max(float(np.abs(part - want).max() / want.max()) for part, want in zip(parts, wanted, strict=True))
    table.at_most(f"{kind}: doc[1 s].bark, not stored", took, 20, "ms")
    table.add(f"{kind}: the same, its document opened anew", f"{anew:.3g} ms", value=anew, unit="ms")
    table.at_least(f"{kind}: the whole of it against a second", all_ms / took, 500, "x", f" ({all_ms / 1e3:.1f} s)")
    table.at_most(f"{kind}: difference from the slice of the whole, of its largest", worst, 2e-6)
    made, _ = timed(places, lambda index: _made(found, source, index).bark)
    table.at_most(f"{kind}: a document of 1 s, made, stored and its bark computed", made, 50, "ms")
    table.at_least(f"{kind}: the whole of it against a document of 1 s", all_ms / made, 100, "x")
    found.database.close()


def _made(found: Any, source: Path, segment: Any) -> Any:
    """Make a document from a segment of a recording, and open it."""
    return found(found.process(meta=zounds.AudioMetaData(uri=str(source), segment=segment), _id="segment"))


def _samples(table: harness.Table, source: Path, places: list[float], folder: Path) -> None:
    """A second of samples, exact, from a warm decoder."""
    kind = source.suffix[1:]
    found = document(str(folder / f"samples-{kind}"))
    found.process(meta=str(source), _id="recording")
    doc, ogg = found("recording"), zounds.OggVorbisWrapper(str(source))
    readings = {"doc[1 s].pcm": (lambda index: doc[index].pcm, True), "OggVorbisWrapper": (ogg.__getitem__, False)}
    for name, (read, mono) in readings.items():
        took, parts = timed(places, read)
        with AudioReader(str(source), mono=mono) as reader:
            whole = np.concatenate([block[:] for block in reader.blocks(0, None)])
        starts = [int(place * 1000) * RATE // 1000 for place in places]
        worst = max(
            float(np.abs(np.asarray(part) - whole[start : start + len(part)]).max())
            for part, start in zip(parts, starts, strict=True)
        )
        exact = _MP3 if kind == "mp3" else 0.0
        table.at_most(f"{kind}: 1 s of samples, {name}", took, 2, "ms")
        table.at_most(f"{kind}: difference from the whole, {name}", worst, exact)
    ogg.close()
    found.database.close()


def main() -> int:
    """Run the benchmark; 1 if it misses a target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute of audio, few places; targets are only shown")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--places", type=int, default=51, help="how many stretches are read")
    parser.add_argument("--formats", nargs="+", default=["mp3", "flac", "ogg", "wav"])
    parser.add_argument("--recordings", help="a folder with hour.mp3 and so on, made before")
    parser.add_argument("--out", help="write the figures as JSON")
    arguments = parser.parse_args()
    seconds, count = (60, 5) if arguments.quick else (60 * arguments.minutes, arguments.places)
    table = harness.Table(binds=not arguments.quick)
    places = np.random.default_rng(1).uniform(1, seconds - 2, count).tolist()
    with tempfile.TemporaryDirectory(prefix="zounds-regions-") as folder:
        for kind in arguments.formats:
            source = Path(arguments.recordings or folder) / f"hour.{kind}"
            if not source.exists():
                write_recording(source, seconds)
            _samples(table, source, places, Path(folder))
            _features(table, source, places, Path(folder))
    harness.report(f"regions: a second out of {seconds} s of stereo", table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
