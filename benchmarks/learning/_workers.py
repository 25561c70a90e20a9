"""The memory that workers of a ``DataLoader`` have for themselves; run as a module, that of workers with torch alone.

python -m benchmarks.learning._workers START
"""

import json
import multiprocessing
import sys
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset


class _Nothing(Dataset):
    """Items that are as large as crops, made of nothing."""

    def __init__(self, rows: int = 44, bands: int = 128) -> None:
        self.shape = rows, bands

    def __len__(self) -> int:
        return 200

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.zeros(self.shape)


def private_mb(pid: int) -> float:
    """Return the memory that a process has for itself, in MB (its USS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:"))) / 1e3


def memory_of_workers(dataset: Any, start: str) -> dict[str, float]:
    """Read a dataset twice with two workers, and return what one has for itself then, at most."""
    loader = DataLoader(dataset, 32, num_workers=2, persistent_workers=True, multiprocessing_context=start)
    for _ in range(2):
        for _batch in loader:
            pass
    return {"uss_mb": max(private_mb(worker.pid or 0) for worker in multiprocessing.active_children())}


if __name__ == "__main__":
    print(json.dumps(memory_of_workers(_Nothing(), sys.argv[1])))
