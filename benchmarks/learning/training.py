"""Trainers: killed and resumed, against uninterrupted; their loop, against a plain one; memory for a large corpus."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

import zounds_lite as zounds
from benchmarks.harness import Row
from benchmarks.learning._trained import EPOCHS, adam, trained
from zounds_lite.learn import Corpus

BATCH = 64


def rows(is_quick: bool) -> Iterator[Row]:
    """Yield the figures of training."""
    if not is_quick:  # a test kills one too, and each program takes seconds to import torch
        yield from kills(6)
    yield from loops(2_000 if is_quick else 20_000, 3 if is_quick else 7)
    yield from memory(20_000 if is_quick else 400_000)


def kills(count: int) -> Iterator[Row]:
    """Kill a training at random moments until it has been killed ``count`` times, then let it end."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, out = Path(folder) / "checkpoint", Path(folder) / "weights.npz"
        command = [sys.executable, "-m", "benchmarks.learning._trained", str(checkpoint), str(out)]
        began = []
        for number in range(count + 1):
            program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert program.stdout is not None
            began.append(int(program.stdout.readline()))
            if number < count:
                for _ in range(EPOCHS // (count + 1)):
                    program.stdout.readline()
                time.sleep(rng.uniform(0.01, 0.1))
                program.kill()
            program.communicate()
        with np.load(out) as found:
            resumed = dict(found)
    whole, _ = trained(None)
    differing = sum(int((resumed[name] != whole[name]).sum()) for name in whole)
    yield Row("epochs in which a training began, killed at random moments", " ".join(map(str, began)))
    yield Row.at_most(f"weights that differ from an uninterrupted run, after {count} kills", differing, 0, "")


def loops(size: int, rounds: int) -> Iterator[Row]:
    """Time an epoch of a trainer, and one of a loop as it stands in PyTorch's tutorial, in turn."""
    rng = np.random.default_rng(0)
    data, labels = rng.normal(size=(size, 128)).astype(np.float32), rng.integers(10, size=size)
    times: dict[str, list[float]] = {"ours": [], "plain": []}
    for _ in range(rounds):
        for name, loop in (("ours", _ours), ("plain", _plain)):
            began = time.process_time()
            loop(data, labels)
            times[name].append(time.process_time() - began)
    ours, plain = (min(times[name][1:]) for name in ("ours", "plain"))
    yield Row("a plain loop of PyTorch", f"{size / plain:,.0f} rows/s of CPU time")
    yield Row.at_least("SupervisedTrainer, of a plain loop's rows/s", ours and plain / ours, 0.75, "")


def _network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, 10))


def _ours(data: np.ndarray, labels: np.ndarray) -> None:
    trainer = zounds.SupervisedTrainer(_network(), nn.CrossEntropyLoss(), adam, 1, BATCH)
    trainer.train({"data": data, "labels": labels})


def _plain(data: np.ndarray, labels: np.ndarray) -> None:
    model, loss = _network(), nn.CrossEntropyLoss()
    optimizer = adam(model)
    inputs, targets = torch.from_numpy(data), torch.from_numpy(labels)
    order = torch.randperm(len(inputs))
    total = 0.0
    for start in range(0, len(order), BATCH):
        picked = order[start : start + BATCH]
        optimizer.zero_grad()
        error = loss(model(inputs[picked]), targets[picked])
        error.backward()
        optimizer.step()
        total += error.item()


def memory(size: int) -> Iterator[Row]:
    """Measure the memory that an epoch over memory-mapped features takes."""
    width, part = 256, 1000
    with tempfile.TemporaryDirectory() as folder:
        whole = np.lib.format.open_memmap(Path(folder) / "rows.npy", "w+", np.float32, (size, width))
        for start in range(0, size, part):
            whole[start : start + part] = np.random.default_rng(start).normal(size=(part, width))
        whole.flush()
        corpus = Corpus([whole[start : start + part] for start in range(0, size, part)])
        trainer = zounds.SupervisedTrainer(
            nn.Sequential(nn.Linear(width, 8), nn.Linear(8, width)), nn.MSELoss(), adam, 1, 512
        )
        trainer.train({"data": whole[:2000], "labels": whole[:2000]})
        before, most = _anonymous_mb(), [0.0]
        trainer.register_batch_complete_callback(lambda **_: most.append(max(most[-1], _anonymous_mb())))
        trainer.train({"data": corpus, "labels": corpus})
    taken = max(most) - before
    yield Row.at_most(f"memory of an epoch over {size * width * 4 / 2**20:,.0f} MB of stored features", taken, 60, "MB")


def _anonymous_mb() -> float:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024
