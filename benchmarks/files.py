"""Decibels of mel bands of many files, stored, against librosa: WAV, FLAC, MP3 and Ogg.

Ours is ``zounds_lite.ingest`` of a document with a stored log-mel feature, without an Ogg copy; the peer is what a user
of librosa writes: ``load`` at 22.05 kHz, ``melspectrogram``, ``power_to_db`` with its 80 dB, ``np.save``. The floor is
the same from the parts alone, in one loop by hand (``_by_hand``). The files are stereo at 44.1 kHz; where there are
more tasks than files, files are repeated. All sides run in processes of their own with their modules loaded, in turn.
First ours and the peer are given files that need no resampling, and have to agree in every frame to a thousandth of a
dB; what is measured has to agree to a hundredth, but for its ends.

How two workers compare with one is in ``workers.py``.
"""

import argparse
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
from benchmarks.recordings import write_recording

_RATE, _WINDOW, _HOP, _TOP_DB = 22050, 2048, 512, 80.0
_TARGETS = {"wav": 3.3, "flac": 1.7, "mp3": 1.7, "ogg": 1.45}
_LENGTHS = (25, 30, 35)
"""Seconds of the files that are made."""
_EXACT_DB, _RESAMPLED_DB = 1e-3, 1e-2


def document(folder: str) -> Any:
    """Return the document of decibels of mel bands, kept in a folder."""
    import zounds_lite as zounds
    from benchmarks._features import log_mel_document

    cls = log_mel_document(_RATE, _WINDOW, _HOP, top_db=_TOP_DB)
    return zounds.simple_lmdb_settings(folder, user_supplied_id=True)(cls)


def ours(files: list[str], folder: str) -> float:
    """Ingest the files; return the seconds that it took."""
    import zounds_lite as zounds

    cls, ids = document(folder), iter(range(len(files)))
    _by_hand.load_modules()
    zounds.ingest([], cls, progress=False)  # loads what only this needs
    began = time.perf_counter()
    report = zounds.ingest(files, cls, progress=False, id_of=lambda item: str(next(ids)))
    took = time.perf_counter() - began
    if len(report.processed) != len(files):
        raise RuntimeError(str(report))
    return took


def peer(files: list[str], folder: str) -> float:
    """Do the same with librosa; return the seconds that it took."""
    import librosa
    import soundfile  # noqa: F401
    import soxr  # noqa: F401

    librosa.feature.melspectrogram(y=np.zeros(4096, np.float32))  # loads half of the library
    Path(folder).mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    for number, file in enumerate(files):
        samples, rate = librosa.load(file)
        mel = librosa.feature.melspectrogram(y=samples, sr=rate, n_fft=_WINDOW, hop_length=_HOP)
        np.save(Path(folder) / f"{number}.npy", librosa.power_to_db(mel, top_db=_TOP_DB))
    return time.perf_counter() - began


def by_hand(files: list[str], folder: str) -> float:
    """Write decibels from the parts alone."""
    _by_hand.load_modules()
    began = time.perf_counter()
    for number, file in enumerate(files):
        _by_hand.log_mel(file, f"{folder}/{number}", (_RATE, _WINDOW, _HOP), 128, magnitudes=False)
    return time.perf_counter() - began


SIDES = {"zounds_lite": ours, "librosa": peer, "by hand": by_hand}


def run(side: str, files: list[Path], repeats: int, folder: Path) -> dict[str, float]:
    """Run a side in a process of its own."""
    tasks = [str(file) for file in files] * repeats
    return harness.child("benchmarks.files", "--child", side, str(folder), json.dumps(tasks))


def difference(count: int, stores: dict[str, Path], most_db: float, ends: int) -> float:
    """Return how far both sides differ at most, in dB, in the first ``count`` files without ``ends`` frames a side.

    Raises:
        ValueError: by more than ``most_db``, or in the number of frames by more than one.
    """
    cls, largest = document(str(stores["zounds_lite"])), 0.0
    for number in range(count):
        found, wanted = np.asarray(cls(str(number)).log_mel), np.load(stores["librosa"] / f"{number}.npy").T
        frames = min(len(found), len(wanted))
        if frames <= 2 * ends or abs(len(found) - len(wanted)) > 1:
            raise ValueError(f"{len(found)} frames against {len(wanted)} of librosa")
        inner = slice(ends, frames - ends)
        largest = max(largest, float(np.abs(found[inner] - wanted[inner]).max()))
    cls.database.close()
    if not largest <= most_db:
        raise ValueError(f"log mel bands differ from those of librosa by {largest:.3g} dB; allowed: {most_db}")
    return largest


def both(files: list[Path], repeats: int, scratch: Path, most_db: float, ends: int) -> tuple[dict[str, float], float]:
    """Run both sides and compare them; return the seconds of each, and the largest difference in dB."""
    stores = {side: scratch / side for side in SIDES}
    took = {side: run(side, files, repeats, store)["seconds"] for side, store in stores.items()}
    found = difference(len(files), stores, most_db, ends)
    for store in stores.values():
        shutil.rmtree(store)
    return took, found


def add_rows(table: harness.Table, kind: str, lengths: tuple[int, ...], setting: tuple[int, int, Path]) -> None:
    """Measure one format: ``setting`` is the number of tasks, of rounds, and a folder for the time being."""
    tasks, rounds, scratch = setting
    repeats = max(1, -(-tasks // len(lengths)))
    plain = [scratch / f"plain-{seconds}.{kind}" for seconds in lengths[:1]]
    files = [scratch / f"{seconds}.{kind}" for seconds in lengths]
    for seconds, file in zip(lengths, files, strict=True):
        write_recording(file, seconds)
    for seconds, file in zip(lengths, plain, strict=False):
        write_recording(file, seconds, rate=_RATE)
    _, exact = both(plain, 1, scratch, _EXACT_DB, ends=0)
    results = [both(files, repeats, scratch, _RESAMPLED_DB, ends=8) for _ in range(rounds)]
    times = {side: [took[side] for took, _ in results] for side in SIDES}
    ratio = harness.median_ratio(times["librosa"], times["zounds_lite"])
    table.at_least(f"{kind}: speed, librosa = 1", ratio, _TARGETS[kind])
    table.add(f"{kind}: speed by hand, librosa = 1", f"{harness.median_ratio(times['librosa'], times['by hand']):.3g}")
    count, audio = repeats * len(files), repeats * sum(lengths)
    for side, seconds in times.items():
        middle = statistics.median(seconds)
        table.add(f"{kind}: {side}, {count} files", f"{middle:.2f} s, {audio / middle:.0f}x real time")
    table.at_most(f"{kind}: difference in dB, not resampled", exact, _EXACT_DB)
    table.at_most(f"{kind}: difference in dB, resampled", max(found for _, found in results), _RESAMPLED_DB)
    for file in (*files, *plain):
        file.unlink()


def main() -> int:
    """Run the benchmark, or one side in this process (``--child``); 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="4 files of a few seconds; targets are only shown")
    parser.add_argument("--files", type=int, default=64, help="tasks of each format")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--formats", nargs="+", default=list(_TARGETS), choices=list(_TARGETS))
    parser.add_argument("--out", help="write the figures as JSON")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        side, folder, tasks = arguments.child
        print(json.dumps({"seconds": SIDES[side](json.loads(tasks), folder)}))
        return 0
    lengths, tasks, rounds = ((3, 4), 4, 1) if arguments.quick else (_LENGTHS, arguments.files, arguments.rounds)
    table = harness.Table(binds=not arguments.quick)
    with tempfile.TemporaryDirectory(prefix="zounds-files-") as folder:
        for kind in arguments.formats:
            add_rows(table, kind, lengths, (tasks, rounds, Path(folder)))
    title = f"files: log-mel of {tasks} files of about {lengths[0]} to {lengths[-1]} s, {rounds} rounds"
    harness.report(title, table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
