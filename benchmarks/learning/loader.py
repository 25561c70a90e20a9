"""A ``DataLoader`` with two workers over random seconds of stored log-mel: crops a second, and the memory of workers.

Its peers decode and transform each crop (librosa), or read the same numbers from HDF5 (h5py), in the same run.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Row, child, interleave, median_ratio
from benchmarks.learning._loading import BANDS, HOP, RATE, ROWS, SECONDS, STORE
from benchmarks.recordings import write_recording

MUSIC = Path(__file__).parents[3] / "shared" / "data" / "music"
_CROPS, _OF_LIBROSA, _ROUNDS, _BATCH = 16384, 128, 5, 64


def rows(is_quick: bool = False) -> Iterator[Row]:
    """Yield the rows of this section, measured in a process of its own whose documents have their store."""
    with tempfile.TemporaryDirectory(prefix="zounds-loader-") as folder:
        environment = {**os.environ, STORE: str(Path(folder) / "sounds.zl")}
        command = [sys.executable, "-m", "benchmarks.learning.loader", folder, *(["--quick"] if is_quick else [])]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        for row in json.loads(done.stdout.splitlines()[-1]):
            yield Row(**row)


def _measured(folder: Path, is_quick: bool) -> Iterator[Row]:
    from benchmarks.learning._loading import Sounds

    files = _recordings(folder, is_quick)
    for file in files:
        Sounds.process(meta=str(file), _id=file.name)
    values = {str(file): np.asarray(Sounds(file.name).log_mel) for file in files}
    size = sum(value.nbytes for value in values.values())
    yield Row("corpus", f"{len(files)} recordings, {size / 1e6:.0f} MB of log-mel")
    yield from _same(values, files)
    yield from _speeds(values, folder, is_quick)
    del values
    starts = ["fork"] if is_quick else ["fork", "spawn"]
    for start in starts:
        bare, ours = (child(f"benchmarks.learning.{kind}", start) for kind in ("_workers", "_loading"))
        over = ours["uss_mb"] - bare["uss_mb"]
        yield Row.at_most(f"a worker's own memory over bare torch, {start}", over, 60, "MB")
        yield Row(f"a worker's own memory, {start}", f"{ours['uss_mb']:.0f} MB, bare torch {bare['uss_mb']:.0f} MB")


def _recordings(folder: Path, is_quick: bool) -> list[Path]:
    found = sorted(path for path in MUSIC.rglob("*") if path.suffix == ".ogg")
    if found and not is_quick:
        return found
    made = [folder / f"{i}.flac" for i in range(3)]
    for file in made:
        write_recording(file, 20)
    return made


def _same(values: dict[str, np.ndarray], files: list[Path]) -> Iterator[Row]:
    """Both sides have to give the same numbers: compare a whole recording."""
    import librosa
    import soundfile

    samples, rate = soundfile.read(files[0], dtype="float32", always_2d=True)
    resampled = librosa.resample(samples.mean(axis=1), orig_sr=rate, target_sr=RATE)
    mel = librosa.feature.melspectrogram(y=resampled, sr=RATE, n_fft=2048, hop_length=HOP, n_mels=BANDS)
    theirs, ours = librosa.power_to_db(mel, top_db=None).T, values[str(files[0])]
    count = min(len(theirs), len(ours)) - 8
    loud = theirs[8:count] > theirs.max() - 60
    difference = float(np.abs(theirs[8:count] - ours[8:count])[loud].max())
    yield Row.at_most("largest difference of log-mel from librosa's, within 60 dB", difference, 0.5, "dB")


def _speeds(values: dict[str, np.ndarray], folder: Path, is_quick: bool) -> Iterator[Row]:
    import h5py
    from torch.utils.data import DataLoader

    from benchmarks.learning._loading import HDF5Crops, LibrosaCrops, Sounds
    from zounds_lite import FeatureDataset, Seconds

    crops, few = (512, 16) if is_quick else (_CROPS, _OF_LIBROSA)
    with h5py.File(folder / "mel.h5", "w") as file:
        for number, value in enumerate(values.values()):
            file[str(number)] = value
    lengths = [len(value) * HOP / RATE for value in values.values()]
    stored = [(str(number), length - SECONDS) for number, length in enumerate(lengths)]
    datasets: dict[str, Any] = {
        "stored features": FeatureDataset(Sounds, "log_mel", Seconds(SECONDS), crops=crops // len(values)),
        "h5py": HDF5Crops(str(folder / "mel.h5"), stored, crops),
        "librosa": LibrosaCrops([*zip(values, lengths, strict=True)], few),
    }
    assert all(tuple(dataset[0].shape) == (ROWS, BANDS) for dataset in datasets.values())
    loaders = {
        name: DataLoader(dataset, _BATCH if name != "librosa" else 8, num_workers=2, persistent_workers=True)
        for name, dataset in datasets.items()
    }
    times = interleave({name: _epoch(loader) for name, loader in loaders.items()}, 2 if is_quick else _ROUNDS)
    each = {name: [time / len(datasets[name]) for time in found] for name, found in times.items()}
    for name, found in each.items():
        yield Row(f"{name}: crops a second", f"{1 / statistics.median(found):,.0f}", value=1 / statistics.median(found))
    yield Row.at_least("crops a second, of librosa's", median_ratio(each["librosa"], each["stored features"]), 5, "x")
    yield Row.at_least("crops a second, of h5py's", median_ratio(each["h5py"], each["stored features"]), 2, "x")


def _epoch(loader: Any) -> Any:
    def read() -> int:
        return sum(len(batch) for batch in loader)

    return read


if __name__ == "__main__":
    found = list(_measured(Path(sys.argv[1]), "--quick" in sys.argv))
    sys.stdout.write(json.dumps([row._asdict() for row in found]) + "\n")
