"""From a long recording to stored features: speed and memory, against librosa.

Rows: decode + resample + STFT 2048/1024 magnitude + 128 mel bands + log, stored, against ``librosa.load`` + ``stft`` +
``melspectrogram`` + ``power_to_db`` + ``h5py``; and the documented graph ``stft(resample_to=SR11025(),
store_fft=True)``. Each candidate runs in a process of its own, in turn.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import harness

RATE = 44100


def write_recording(path: Path, seconds: int) -> None:
    """Write a stereo recording of tones and noise, second by second."""
    import soundfile

    rng = np.random.default_rng(0)
    noise = rng.normal(size=(RATE, 2)) * 0.05
    t = np.arange(RATE)[:, None] / RATE
    with soundfile.SoundFile(path, "w", RATE, 2, subtype="PCM_16" if path.suffix != ".mp3" else None) as file:
        for second in range(seconds):
            tone = 0.3 * np.sin(2 * np.pi * (220 + 20 * (second % 60)) * t + [0.0, 0.5])
            file.write(tone + np.roll(noise, 97 * second, axis=0))


def _ours(source: str, folder: str) -> float:
    """Magnitudes and log mel bands, through the library."""
    import zounds_lite as zounds

    base = zounds.stft(
        resample_to=zounds.SR11025(), wscheme=zounds.SR11025().windowing_scheme(2048, 1024), store_ogg=False
    )

    class Features(base):  # type: ignore[misc, valid-type]
        magnitude = zounds.ArrayWithUnitsFeature(np.abs, needs=base.fft, store=True)
        mel = zounds.ArrayWithUnitsFeature(zounds.MelBands, n_bands=128, needs=base.fft, store=False)
        log_mel = zounds.ArrayWithUnitsFeature(lambda x: 10 * np.log10(np.maximum(x, 1e-10)), needs=mel, store=True)

    document = zounds.simple_lmdb_settings(folder, user_supplied_id=True)(Features)
    began = time.perf_counter()
    document.process(meta=source, _id="recording")
    return time.perf_counter() - began


def _graph(source: str, folder: str) -> float:
    """The documented graph."""
    import zounds_lite as zounds

    base = zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)
    document = zounds.simple_lmdb_settings(folder, user_supplied_id=True)(base)
    began = time.perf_counter()
    document.process(meta=source, _id="recording")
    return time.perf_counter() - began


def _librosa(source: str, folder: str) -> float:
    import h5py
    import librosa

    librosa.stft(np.zeros(4096, np.float32))  # its first call loads half of the library
    began = time.perf_counter()
    samples, _ = librosa.load(source, sr=11025, mono=True)
    spectrum = np.abs(librosa.stft(samples, n_fft=2048, hop_length=1024))
    mel = librosa.power_to_db(librosa.feature.melspectrogram(S=spectrum**2, sr=11025, n_mels=128), top_db=None)
    Path(folder).mkdir(parents=True, exist_ok=True)
    with h5py.File(Path(folder) / "features.h5", "w") as file:
        file["magnitude"], file["mel"] = spectrum, mel
    return time.perf_counter() - began


CANDIDATES = {"zounds_lite": _ours, "librosa": _librosa, "zounds_lite stft graph": _graph}


def main() -> int:
    """Run the benchmark, or one candidate in this process (``--child``)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 seconds of audio, one round")
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--formats", nargs="+", default=["wav", "flac", "mp3"])
    parser.add_argument("--out", help="write the figures as JSON")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        name, source, folder = arguments.child
        print(json.dumps({"seconds": CANDIDATES[name](source, folder)}))
        return 0
    seconds, rounds = (20, 1) if arguments.quick else (60 * arguments.minutes, arguments.rounds)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix in arguments.formats:
            source = Path(folder) / f"recording.{suffix}"
            write_recording(source, seconds)
            rows += _rows(source, seconds, rounds, Path(folder))
            source.unlink()
    harness.report(
        f"ingest: {seconds} s of stereo at 44.1 kHz, {rounds} rounds", rows, harness.machine(), arguments.out
    )
    return 0


TARGETS = {"wav": ">= 8", "mp3": ">= 2.8", "flac": ">= 3.5"}


def _rows(source: Path, seconds: int, rounds: int, folder: Path) -> list[tuple[str, str, str]]:
    results: dict[str, list[dict[str, float]]] = {name: [] for name in CANDIDATES}
    for turn in range(rounds):
        for name in CANDIDATES:
            target = folder / f"{name.replace(' ', '-')}-{source.suffix[1:]}-{turn}"
            results[name].append(harness.child("benchmarks.ingest", "--child", name, str(source), str(target)))
            for file in sorted(target.rglob("*"), reverse=True):
                file.rmdir() if file.is_dir() else file.unlink()
    times = {name: [result["seconds"] for result in found] for name, found in results.items()}
    peaks = {name: max(result["peak_anonymous_mb"] for result in found) for name, found in results.items()}
    kind = source.suffix[1:]
    ratio = harness.median_ratio(times["librosa"], times["zounds_lite"])
    rows = [(f"{kind}: times the speed of librosa", f"{ratio:.2f}", TARGETS[kind])]
    for name in CANDIDATES:
        middle = statistics.median(times[name])
        rows.append((f"{kind}: {name}", f"{middle:.2f} s, {seconds / middle:.0f}x real time", ""))
        limit = {"zounds_lite": "<= 120", "zounds_lite stft graph": "<= 200"}.get(name, "")
        rows.append((f"{kind}: {name}, peak anonymous MB", f"{peaks[name]:.0f}", limit))
    return rows


if __name__ == "__main__":
    sys.exit(main())
