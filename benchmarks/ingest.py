"""From a long recording to stored features: speed and memory, against librosa and against the decoder alone.

Rows: decode + resample to 11.025 kHz + STFT 2048/1024 magnitude + 128 mel bands + decibels, stored, against what a user
of librosa writes for that: ``load``, ``stft``, ``melspectrogram``, ``power_to_db``, and an HDF5 file; the same against
decoding alone, and against decoding and resampling, which no ingest in one piece can beat; the recording split over two
workers; and the documented graph ``stft(resample_to=SR11025(), store_fft=True)``. The floor is the same features from
the parts alone, in one loop by hand (``_by_hand``): how much faster than librosa that is says how far one thread can
come here, and two of them, one of which decodes and resamples ahead as in ours. Both sides window, pad and scale alike,
and before anything is timed their decibels are compared. Each candidate runs in a process of its own, in turn, with its
modules loaded.
"""

import argparse
import contextlib
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _by_hand, harness
from benchmarks.recordings import RATE, write_recording

__all__ = ["compared", "main", "write_recording"]

_NEW_RATE, _WINDOW, _HOP, _BANDS = 11025, 2048, 1024, 128
_AUDIBLE_DB = 60.0
"""Bands further below the loudest one are left out of the comparison: what is there is the resampler's rounding."""
_TARGETS = {"wav": 8.0, "flac": 3.5, "mp3": 2.8}
_SPLIT_TARGETS = {"flac": 5.0, "mp3": 5.0}
_MEMORY = {"zounds_lite": 120.0, "zounds_lite, two workers": 120.0, "zounds_lite stft graph": 200.0}


def document(folder: str) -> Any:
    """Return the document of features whose ingest is timed, kept in a folder."""
    import zounds_lite as zounds
    from benchmarks._features import log_mel_document

    cls = log_mel_document(_NEW_RATE, _WINDOW, _HOP, magnitudes=True)
    return zounds.simple_lmdb_settings(folder, user_supplied_id=True)(cls)


def _ours(source: str, folder: str) -> float:
    """Magnitudes and decibels of mel bands, through the library."""
    return processed(document(folder), source)


def _split(source: str, folder: str) -> float:
    """The same, the recording split over two workers."""
    return processed(document(folder), source, workers=2)


def _graph(source: str, folder: str) -> float:
    """The documented graph."""
    import zounds_lite as zounds

    base = zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)
    return processed(zounds.simple_lmdb_settings(folder, user_supplied_id=True)(base), source)


def processed(cls: Any, source: str, _id: str = "recording", workers: int = 1) -> float:
    """Process a recording; return the seconds that it took, modules not counted."""
    _by_hand.load_modules()
    began = time.perf_counter()
    cls.process(meta=source, _id=_id, workers=workers)
    return time.perf_counter() - began


def _librosa(source: str, folder: str) -> float:
    import h5py
    import librosa
    import soundfile  # noqa: F401
    import soxr  # noqa: F401

    librosa.feature.melspectrogram(y=np.zeros(4096, np.float32), sr=_NEW_RATE)  # loads half of the library
    began = time.perf_counter()
    samples, _ = librosa.load(source, sr=_NEW_RATE, mono=True)
    spectrum = np.abs(librosa.stft(samples, n_fft=_WINDOW, hop_length=_HOP))
    mel = librosa.feature.melspectrogram(S=spectrum**2, sr=_NEW_RATE, n_mels=_BANDS)
    log_mel = librosa.power_to_db(mel, top_db=None)
    Path(folder).mkdir(parents=True, exist_ok=True)
    with h5py.File(Path(folder) / "features.h5", "w") as file:
        file["magnitude"], file["log_mel"] = spectrum, log_mel
    return time.perf_counter() - began


def _decode(source: str, folder: str) -> float:
    """Mono blocks of the decoder, dropped."""
    from zounds_lite.media import AudioReader

    _by_hand.load_modules()
    began = time.perf_counter()
    with AudioReader(source, mono=True) as reader:
        for _ in reader.blocks():
            pass
    return time.perf_counter() - began


def _decode_resample(source: str, folder: str) -> float:
    """Mono blocks through soxr itself, dropped."""
    import soxr

    from zounds_lite.media import AudioReader

    _by_hand.load_modules()
    began = time.perf_counter()
    with AudioReader(source, mono=True) as reader:
        stream = soxr.ResampleStream(reader.info.samplerate, _NEW_RATE, 1, dtype="float32", quality="HQ")
        for block in reader.blocks():
            stream.resample_chunk(block)
        stream.resample_chunk(np.zeros(0, np.float32), last=True)
    return time.perf_counter() - began


def _floor(source: str, folder: str) -> float:
    """The parts alone."""
    _by_hand.load_modules()
    began = time.perf_counter()
    _by_hand.log_mel(source, folder, (_NEW_RATE, _WINDOW, _HOP), _BANDS, magnitudes=True)
    return time.perf_counter() - began


def _floor_in_two(source: str, folder: str) -> float:
    """The parts alone, in two threads and blocks of the size of ours."""
    _by_hand.load_modules()
    began = time.perf_counter()
    scheme, sizes = (_NEW_RATE, _WINDOW, _HOP), (786_432, 192)
    _by_hand.log_mel(source, folder, scheme, _BANDS, magnitudes=True, sizes=sizes, threads=2)
    return time.perf_counter() - began


CANDIDATES = {
    "zounds_lite": _ours,
    "zounds_lite, two workers": _split,
    "librosa": _librosa,
    "by hand": _floor,
    "by hand, two threads": _floor_in_two,
    "zounds_lite stft graph": _graph,
    "decode only": _decode,
    "decode and resample": _decode_resample,
}


def compared(ours: str, peer: str) -> float:
    """Return how far the decibels of both sides differ at most, between the ends, in dB.

    The ends, two windows each, are left out, and what is more than 60 dB below the loudest band.

    Raises:
        ValueError: they differ by more than 0.01 dB, or in their number of frames by more than one.
    """
    import h5py

    found = np.asarray(document(ours)("recording").log_mel)
    with h5py.File(Path(peer) / "features.h5") as file:
        wanted = np.asarray(file["log_mel"]).T
    count = min(len(found), len(wanted))
    if abs(len(found) - len(wanted)) > 1 or count <= 8:
        raise ValueError(f"{len(found)} frames against {len(wanted)} of librosa")
    found, wanted = found[4 : count - 4], wanted[4 : count - 4]
    difference = float(np.abs(found - wanted)[wanted > wanted.max() - _AUDIBLE_DB].max())
    if not difference <= 0.01:
        raise ValueError(f"log mel bands differ from those of librosa by {difference:.3g} dB; allowed: 0.01")
    return difference


def measured(source: Path, rounds: int, folder: Path) -> tuple[dict[str, list[dict[str, float]]], float]:
    """Run all candidates in turn; return what each said, and the difference of both sides in dB."""
    results: dict[str, list[dict[str, float]]] = {name: [] for name in CANDIDATES}
    difference = float("nan")
    for turn in range(rounds):
        stores = {name: folder / f"store-{number}" for number, name in enumerate(CANDIDATES)}
        for name, store in stores.items():
            results[name].append(harness.child("benchmarks.ingest", "--child", name, str(source), str(store)))
        if turn == 0:
            ours = stores["zounds_lite"], stores["zounds_lite, two workers"]
            difference = max(compared(str(store), str(stores["librosa"])) for store in ours)
        for store in stores.values():
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(store)
    return results, difference


def add_rows(table: harness.Table, source: Path, seconds: int, rounds: int, folder: Path) -> None:
    """Measure one format."""
    results, difference = measured(source, rounds, folder)
    times = {name: [result["seconds"] for result in found] for name, found in results.items()}
    kind = source.suffix[1:]

    def faster(peer: str) -> float:
        return harness.median_ratio(times[peer], times["zounds_lite"])

    table.at_least(f"{kind}: speed, librosa = 1", faster("librosa"), _TARGETS[kind])
    split = harness.median_ratio(times["librosa"], times["zounds_lite, two workers"])
    if kind in _SPLIT_TARGETS:
        table.at_least(f"{kind}: speed of two workers, librosa = 1", split, _SPLIT_TARGETS[kind])
    else:
        table.add(f"{kind}: speed of two workers, librosa = 1", f"{split:.3g}")
    for hand in ("by hand", "by hand, two threads"):
        table.add(f"{kind}: speed {hand}, librosa = 1", f"{harness.median_ratio(times['librosa'], times[hand]):.3g}")
        table.add(f"{kind}: speed, {hand} = 1", f"{faster(hand):.3g}")
    only, resampled = faster("decode only"), faster("decode and resample")
    if kind == "mp3":
        table.at_least(f"{kind}: speed, decode only = 1", only, 0.80)
        table.at_least(f"{kind}: speed, decode and resample = 1", resampled, 0.85)
    else:
        table.add(f"{kind}: speed, decode only = 1", f"{only:.3g}")
        table.add(f"{kind}: speed, decode and resample = 1", f"{resampled:.3g}")
    for name in CANDIDATES:
        middle = statistics.median(times[name])
        table.add(f"{kind}: {name}", f"{middle:.2f} s, {seconds / middle:.0f}x real time")
        peak = max(result["peak_anonymous_mb"] for result in results[name])
        if name in _MEMORY:
            table.at_most(f"{kind}: {name}, peak anonymous MB", peak, _MEMORY[name])
        else:
            table.add(f"{kind}: {name}, peak anonymous MB", f"{peak:.0f}")
    table.at_most(f"{kind}: largest difference of decibels from librosa", difference, 0.01, "dB")


def main() -> int:
    """Run the benchmark, or one candidate in this process (``--child``); 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 seconds of audio, one round; targets are only shown")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--formats", nargs="+", default=list(_TARGETS), choices=list(_TARGETS))
    parser.add_argument("--out", help="write the figures as JSON")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        name, source, folder = arguments.child
        print(json.dumps({"seconds": CANDIDATES[name](source, folder)}))
        return 0
    seconds, rounds = (20, 1) if arguments.quick else (60 * arguments.minutes, arguments.rounds)
    table = harness.Table(binds=not arguments.quick)
    with tempfile.TemporaryDirectory(prefix="zounds-ingest-") as folder:
        for suffix in arguments.formats:
            path = Path(folder) / f"recording.{suffix}"
            write_recording(path, seconds)
            add_rows(table, path, seconds, rounds, Path(folder))
            path.unlink()
    title = f"ingest: {seconds} s of stereo at {RATE / 1000:g} kHz, {rounds} rounds"
    harness.report(title, table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
