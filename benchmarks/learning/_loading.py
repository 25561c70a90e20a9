"""What the loader section measures: datasets for PyTorch, each of random seconds of log-mel.

Run as a module it prints what a worker that reads a store has for itself in memory:
python -m benchmarks.learning._loading START, with the store in the environment
"""

import json
import os
import sys
from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

import zounds_lite as zounds
from benchmarks._features import log_mel_document
from benchmarks.learning._workers import memory_of_workers
from zounds_lite import FeatureDataset

RATE, WINDOW, HOP, BANDS, SECONDS = 22050, 2048, 512, 128, 1
ROWS = -(-SECONDS * RATE // HOP)
STORE = "ZOUNDS_BENCHMARK_STORE"
"""The environment variable that names the store, so that spawned workers find it too."""

_settings = (  # who only imports this module makes no store
    zounds.simple_lmdb_settings(os.environ[STORE], user_supplied_id=True)
    if STORE in os.environ
    else zounds.simple_in_memory_settings
)


@_settings
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


if __name__ == "__main__":
    crops = FeatureDataset(Sounds, "log_mel", zounds.Seconds(SECONDS), crops=200)
    print(json.dumps(memory_of_workers(crops, sys.argv[1])))
