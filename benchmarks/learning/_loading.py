"""What the loader section measures: datasets for PyTorch, each of random seconds of log-mel.

Run as a module it prints what a worker that does nothing, or one that reads a store, has for itself in memory:
python -m benchmarks.learning._loading KIND START, with the store in the environment
"""

import json
import multiprocessing
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

import zounds_lite as zounds
from benchmarks._features import log_mel_document
from zounds_lite import FeatureDataset

RATE, WINDOW, HOP, BANDS, SECONDS = 22050, 2048, 512, 128, 1
ROWS = -(-SECONDS * RATE // HOP)


STORE = "ZOUNDS_BENCHMARK_STORE"
"""The environment variable that names the store, so that spawned workers find it too."""


@zounds.simple_lmdb_settings(os.environ.get(STORE, "unused"), user_supplied_id=True)
class Sounds(log_mel_document(RATE, WINDOW, HOP)):  # type: ignore[misc]
    """Recordings with stored log-mel."""


class _Crops(Dataset):
    """Random seconds of files, as many as asked for, each the same in every run."""

    def __init__(self, files: Sequence[tuple[str, float]], crops: int) -> None:
        rng = np.random.default_rng(0)
        chosen = [files[i] for i in rng.integers(len(files), size=crops)]
        self.places = [(name, float(rng.uniform(0, duration - SECONDS))) for name, duration in chosen]
        """Of each crop: the file, and where it starts in it, in seconds; drawn once, so that it costs no time."""

    def __len__(self) -> int:
        return len(self.places)


class LibrosaCrops(_Crops):
    """What is decoded and transformed for each crop."""

    def __getitem__(self, index: int) -> torch.Tensor:
        import librosa

        name, start = self.places[index]
        samples, _ = librosa.load(name, sr=RATE, offset=start, duration=SECONDS)
        mel = librosa.feature.melspectrogram(y=samples, sr=RATE, n_fft=WINDOW, hop_length=HOP, n_mels=BANDS)
        return torch.from_numpy(librosa.power_to_db(mel, top_db=None).T[:ROWS].copy())


class HDF5Crops(_Crops):
    """What h5py reads; the file is opened once in each worker, as its users do."""

    def __init__(self, path: str, files: Sequence[tuple[str, float]], crops: int) -> None:
        super().__init__(files, crops)
        self.path, self.file = path, None

    def __getitem__(self, index: int) -> torch.Tensor:
        import h5py

        if self.file is None:
            self.file = h5py.File(self.path)
        name, start = self.places[index]
        first = int(start * RATE / HOP)
        return torch.from_numpy(self.file[name][first : first + ROWS])


class _Nothing(Dataset):
    """A worker that knows torch alone."""

    def __len__(self) -> int:
        return 64

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.full((ROWS, BANDS), float(os.getpid()))


def private_mb(pid: int, kinds: Sequence[str] = ("Private_Clean", "Private_Dirty")) -> float:
    """Return the memory that a process has for itself, in MB (its USS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.split(":")[0] in kinds) / 1e3


def memory_of_workers(dataset: Any, start: str) -> dict[str, float]:
    """Read a dataset with two workers to its end, and return what each has for itself then."""
    loader = DataLoader(dataset, 32, num_workers=2, persistent_workers=True, multiprocessing_context=start)
    for _ in range(2):
        for _batch in loader:
            pass
    workers = multiprocessing.active_children()
    uss = [private_mb(worker.pid or 0) for worker in workers]
    dirty = [private_mb(worker.pid or 0, ["Private_Dirty"]) for worker in workers]
    return {"uss_mb": max(uss), "anonymous_mb": max(dirty), "workers": len(workers)}


def main() -> None:
    """Print the memory of workers."""
    kind, start = sys.argv[1:]
    if kind == "torch":
        dataset: Any = _Nothing()
    else:
        dataset = FeatureDataset(Sounds, "log_mel", zounds.Seconds(SECONDS), crops=200)
    print(json.dumps(memory_of_workers(dataset, start)))


if __name__ == "__main__":
    main()
