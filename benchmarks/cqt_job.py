"""Pre-processing of many clips for an auto-encoder: frames and constant-Q magnitudes, stored, against librosa.

Of every clip at 22.05 kHz the job keeps frames of 1024 samples, side by side and again half a frame later, and the
magnitudes of the constant-Q transform (96 bands, 24 in an octave, from 65.4 Hz, hop 1024) of the clip and of the clip
from sample 512 on. Ours is a document with three stored features, each clip committed durably; the peer is
``librosa.load``, ``librosa.cqt`` and an HDF5 file that is filled clip by clip; the floor is the same from the parts
alone, by hand. All run in processes of their own, in turn, and do one clip before anything is timed; then the numbers
of ours and of the peer are compared.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _by_hand, harness
from benchmarks.recordings import RATE, write_recording

_RATE, _FRAME, _SHIFT = 22_050, 1024, 512
_BANDS: dict[str, Any] = {"start_hz": 65.4064, "n_bands": 96, "bands_per_octave": 24}
_TARGETS = {"44.1 kHz stereo wav": 5.0, "22.05 kHz wav": 4.2, "mp3": 2.5}
_CLIP_S = 30


def document(folder: str) -> Any:
    """Return the document of frames and magnitudes, kept in a folder."""
    import zounds_lite as zounds
    from zounds_lite import featureflow as ff

    rate = zounds.audio_sample_rate(_RATE)
    base: Any = zounds.resampled(resample_to=rate, store_ogg=False)

    class Later(ff.Node):
        """A sound without its first samples."""

        def __init__(self, samples: int, needs: Any = None) -> None:
            super().__init__(needs=needs)
            self.samples = self._left = samples

        def _process(self, data: Any) -> Iterator[Any]:
            dropped = min(self._left, len(data))
            self._left -= dropped
            if dropped < len(data):
                yield data[dropped:]

    class Clip(base):
        """Frames and constant-Q magnitudes."""

        frames = zounds.ArrayWithUnitsFeature(
            zounds.SlidingWindow,
            needs=base.resampled,
            wscheme=rate.windowing_scheme(_FRAME, _SHIFT),
            store=True,
        )
        later = zounds.AudioSamplesFeature(Later, needs=base.resampled, samples=_SHIFT, store=False)
        cqt = zounds.ArrayWithUnitsFeature(zounds.CQT, needs=base.resampled, hop=_FRAME, store=False, **_BANDS)
        cqt_later = zounds.ArrayWithUnitsFeature(zounds.CQT, needs=later, hop=_FRAME, store=False, **_BANDS)
        magnitude = zounds.ArrayWithUnitsFeature(np.abs, needs=cqt, store=True)
        magnitude_later = zounds.ArrayWithUnitsFeature(np.abs, needs=cqt_later, store=True)

    return zounds.simple_lmdb_settings(folder, user_supplied_id=True)(Clip)


def ours(clips: list[str], folder: str) -> float:
    """Do the job through the library; return its seconds."""
    import zounds_lite as zounds

    cls, ids = document(folder), iter(range(len(clips)))
    zounds.ingest(clips[:1], cls, progress=False, id_of=lambda item: "loads what is loaded once")
    began = time.perf_counter()
    report = zounds.ingest(clips, cls, progress=False, id_of=lambda item: str(next(ids)))
    took = time.perf_counter() - began
    if len(report.processed) != len(clips):
        raise RuntimeError(str(report))
    return took


def _peer_clip(clip: str, file: Any, number: int) -> None:
    import librosa

    bands = {"fmin": _BANDS["start_hz"], "n_bins": _BANDS["n_bands"], "bins_per_octave": _BANDS["bands_per_octave"]}
    y, _ = librosa.load(clip, sr=_RATE, mono=True)
    count = min(len(y) // _FRAME, int(len(y) / _FRAME - 0.5))
    for at, part in enumerate((y, y[_SHIFT:])):
        file["Xa"][number, :count, at] = part[: count * _FRAME].reshape(count, _FRAME)
        spectra = librosa.cqt(part, sr=_RATE, hop_length=_FRAME, **bands)
        file["Xs"][number, :count, at] = np.abs(spectra[:, :count]).T


def librosa_job(clips: list[str], folder: str) -> float:
    """Do the job with librosa and h5py; return its seconds."""
    import h5py

    Path(folder).mkdir(parents=True, exist_ok=True)
    frames = _CLIP_S * _RATE // _FRAME + 1
    with h5py.File(Path(folder) / "data.h5", "w") as file:
        for name, width in (("Xa", _FRAME), ("Xs", _BANDS["n_bands"])):
            file.create_dataset(name, (len(clips), frames, 2, width), "float32")
        _peer_clip(clips[0], file, 0)
        began = time.perf_counter()
        for number, clip in enumerate(clips):
            _peer_clip(clip, file, number)
    return time.perf_counter() - began


def by_hand(clips: list[str], folder: str) -> float:
    """Do the job with the parts alone, and a synced file for each clip."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    _by_hand.load_modules()
    _by_hand.constant_q(clips[0], Path(folder) / "0", _RATE, _FRAME, _BANDS)
    began = time.perf_counter()
    for number, clip in enumerate(clips):
        _by_hand.constant_q(clip, Path(folder) / str(number), _RATE, _FRAME, _BANDS)
    return time.perf_counter() - began


CANDIDATES = {"zounds_lite": ours, "librosa": librosa_job, "by hand": by_hand}


def compared(folder: str, peer: str) -> tuple[float, float]:
    """Return how far frames and magnitudes of the first clip differ from librosa's, as parts of the largest number.

    Raises:
        ValueError: by more than a ten thousandth, or a hundredth: librosa's transform is itself half of that off.
    """
    import h5py

    found = document(folder)("0")
    with h5py.File(Path(peer) / "data.h5") as file:
        samples, spectra = file["Xa"][0], file["Xs"][0]
    count = len(samples) - 2
    frames = np.asarray(found.frames)[: 2 * count].reshape(count, 2, _FRAME)
    pair = np.stack([np.asarray(found.magnitude)[:count], np.asarray(found.magnitude_later)[:count]], axis=1)
    off = [float(np.abs(a - b[:count]).max() / b.max()) for a, b in ((frames, samples), (pair, spectra))]
    if not (off[0] <= 1e-4 and off[1] <= 1e-2):
        raise ValueError(f"frames and magnitudes differ from those of librosa by {off} of the largest")
    return off[0], off[1]


def write_clips(kind: str, count: int, folder: Path) -> list[str]:
    """Write clips of one kind; their tones differ."""
    suffix = kind.rpartition(" ")[2]
    rate = _RATE if kind.startswith("22") else RATE
    paths = [folder / f"{number}.{suffix}" for number in range(count)]
    for number, path in enumerate(paths):
        write_recording(path, _CLIP_S, rate, noise=0.05 + 0.001 * number)
    return [str(path) for path in paths]


def add_rows(table: harness.Table, kind: str, count: int, rounds: int, folder: Path) -> None:
    """Measure one kind of clip."""
    folder.mkdir()
    clips = write_clips(kind, count, folder)
    times: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    for turn in range(rounds):
        for name in list(CANDIDATES)[:: 1 if turn % 2 == 0 else -1]:
            store = str(folder / f"{name}-{turn}")
            times[name].append(harness.child("benchmarks.cqt_job", "--child", name, store, *clips)["seconds"])
    off = compared(str(folder / "zounds_lite-0"), str(folder / "librosa-0"))
    table.at_least(
        f"{kind}: speed, librosa = 1", harness.median_ratio(times["librosa"], times["zounds_lite"]), _TARGETS[kind]
    )
    table.add(f"{kind}: speed by hand, librosa = 1", f"{harness.median_ratio(times['librosa'], times['by hand']):.3g}")
    for name, found in times.items():
        middle = statistics.median(found) / count
        table.add(f"{kind}: {name}, a clip", f"{1e3 * middle:.0f} ms", value=1e3 * middle, unit="ms")
    table.at_most(f"{kind}: magnitudes against librosa, of the largest", off[1], 1e-2)


def main() -> int:
    """Run the benchmark, or one candidate in this process (``--child``); 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 clips, one round; targets are only shown")
    parser.add_argument("--clips", type=int, default=20, help=f"clips of {_CLIP_S} s")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", help="write the figures as JSON")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        name, folder, *clips = arguments.child
        print(json.dumps({"seconds": CANDIDATES[name](clips, folder)}))
        return 0
    count, rounds = (2, 1) if arguments.quick else (arguments.clips, arguments.rounds)
    table = harness.Table(binds=not arguments.quick)
    with tempfile.TemporaryDirectory(prefix="zounds-cqt-") as folder:
        for kind in _TARGETS:
            add_rows(table, kind, count, rounds, Path(folder) / kind.replace(" ", "-"))
    harness.report(
        f"constant-Q job: {count} clips of {_CLIP_S} s, {rounds} rounds", table.rows, harness.machine(), arguments.out
    )
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
