"""A training that can be killed: ``python -m benchmarks.learning._trained CHECKPOINT OUT`` goes on where it stopped."""

import sys
import time

import numpy as np
import torch
from torch import nn

import zounds_lite as zounds

EPOCHS, ROWS = 16, 2000


def adam(model):
    return torch.optim.Adam(model.parameters(), lr=1e-3)


def trained(checkpoint, watch=None):
    """Train a small network with dropout and held-out rows; return its weights."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 5))
    rng = np.random.default_rng(0)
    data = {"data": rng.normal(size=(ROWS, 32)), "labels": rng.integers(5, size=ROWS)}
    trainer = zounds.SupervisedTrainer(
        model, nn.CrossEntropyLoss(), adam, EPOCHS, 32, holdout_percent=0.1, checkpoint=checkpoint
    )
    if watch is not None:
        trainer.register_batch_complete_callback(watch)
    network = trainer.train(data)
    return {name: value.numpy() for name, value in network.state_dict().items()}, trainer.history


def say(epoch, batch, **_):
    time.sleep(0.002)  # so that a kill hits any moment of any epoch
    if batch == 0:
        print(epoch, flush=True)


if __name__ == "__main__":
    weights, _ = trained(sys.argv[1], say)
    np.savez(sys.argv[2], **weights)
