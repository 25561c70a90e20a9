"""A small network on log-mel, trained without some speakers; run as a module it prints what it takes their digits for.

python -m benchmarks.learning._network STORE EPOCHS SPEAKER [SPEAKER ...]

The network was chosen by inner validation: candidates learned from three speakers, and were tried on one of the two
others while the other, whose turn to be tested it is, was left aside; name two speakers to see such figures. One choice
was made for all five turns, by the mean, and the figures of each turn speak for it too: against three convolutions with
a layer that knows all places it gains 1.6 points or more in each. Pooling over frequency gained most, then less warping
of frequencies, then a higher floor; longer training, mixed examples and means over warped copies gained nothing.
"""

import json
import sys
import time
from itertools import chain, pairwise
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from benchmarks.learning._digits import digits
from zounds_lite import FeatureDataset, SupervisedTrainer

FRAMES, SILENCE_DB, FLOOR_DB = 64, -40.0, -80.0
_CHANNELS, _PLACES, _DROPOUT = 16, (4, 2), 0.3
_BATCH, _RATE = 64, 5e-3
_FLOORS_DB, _USUAL_FLOOR_DB, _RESPONSE_DB = (-50.0, -25.0), -38.0, 5.0


def prepared(log_mel: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Cut silence off both ends, and bring what is left to one length and level: [time, bands] -> [FRAMES, bands]."""
    level = log_mel - log_mel.max()
    loud = torch.nonzero(level.amax(dim=1) > SILENCE_DB)[:, 0]
    said = torch.clamp(level[int(loud[0]) : int(loud[-1]) + 1], min=FLOOR_DB)
    return F.interpolate(said.T[None], size=FRAMES, mode="linear", align_corners=False)[0].T


def planes(x: torch.Tensor, floor: torch.Tensor) -> torch.Tensor:
    """Return what the network looks at: levels above a floor, as they are, and without what the microphone adds."""
    x = torch.maximum(x - x.amax((1, 2), keepdim=True), floor)
    return torch.stack([(x + 25) / 15, (x - x.mean(dim=1, keepdim=True)) / 10], dim=1)


class Network(nn.Module):
    """Four convolutions, and a layer on what they find: [batch, FRAMES, bands] in dB -> [batch, classes].

    The layer knows where in time something was found, and only roughly at which frequency, since a longer throat moves
    it; so there are few weights that could learn speakers by heart. While it is trained the network augments.
    """

    def __init__(self, channels: int = _CHANNELS, classes: int = 10) -> None:
        super().__init__()

        def block(inputs: int, outputs: int) -> list[nn.Module]:
            return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]

        sizes = [2, channels, 2 * channels, 4 * channels]
        pooled = [[*block(a, b), nn.MaxPool2d(2)] for a, b in pairwise(sizes)]
        self.seen = nn.Sequential(*chain(*pooled), *block(sizes[-1], sizes[-1]))
        self.places = nn.AdaptiveAvgPool2d(_PLACES)
        size = sizes[-1] * (_PLACES[0] * _PLACES[1] + 1)
        self.said = nn.Sequential(nn.Dropout(_DROPOUT), nn.Linear(size, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = augmented(x) if self.training else planes(x, x.new_full((len(x), 1, 1), _USUAL_FLOOR_DB))
        found = self.seen(x.contiguous(memory_format=torch.channels_last))
        return self.said(torch.cat([self.places(found).flatten(1), found.amax((2, 3))], dim=1))


def augmented(x: torch.Tensor) -> torch.Tensor:
    """Say it at another speed and time, with another throat, microphone and noise; hide some frames and bands."""
    count, frames, bands = x.shape
    spread = torch.tensor([[0.06, 0.05], [0.2, 0.12]])  # scale and shift of frequency, then of time
    by = spread * (2 * torch.rand(count, 2, 2) - 1)
    grid = torch.zeros(count, 2, 3)
    grid[:, 0, 0], grid[:, 0, 2] = 1 + by[:, 0, 0], by[:, 0, 1]
    grid[:, 1, 1], grid[:, 1, 2] = 1 + by[:, 1, 0], by[:, 1, 1]
    places = F.affine_grid(grid, [count, 1, frames, bands], align_corners=False)
    x = F.grid_sample(x[:, None], places, padding_mode="border", align_corners=False)[:, 0]
    response = _RESPONSE_DB * torch.randn(count, 1, 5)
    x = x + F.interpolate(response, size=bands, mode="linear", align_corners=True)
    seen = planes(x, torch.empty(count, 1, 1).uniform_(*_FLOORS_DB))
    for axis, most in ((2, 14), (3, 8)):
        start = torch.randint(0, seen.shape[axis], (count, 1))
        length = torch.randint(0, most, (count, 1))
        at = torch.arange(seen.shape[axis])[None]
        hidden = (at >= start) & (at < start + length)
        seen = seen.masked_fill(hidden[:, None, :, None] if axis == 2 else hidden[:, None, None, :], 0.0)
    return seen


def everything(dataset: FeatureDataset) -> tuple[torch.Tensor, torch.Tensor]:
    """Read all items of a dataset, which are small."""
    batches = list(DataLoader(dataset, batch_size=256))
    return torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])


def train(x: torch.Tensor, y: torch.Tensor, epochs: int, seed: int = 0) -> nn.Module:
    """Train a network; the same seed gives the same weights."""
    schedules = []

    def optimizer(network: nn.Module) -> torch.optim.Optimizer:
        made = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=1e-2)
        steps = epochs * -(-len(x) // _BATCH)
        schedules.append(torch.optim.lr_scheduler.OneCycleLR(made, _RATE, total_steps=steps))
        return made

    torch.manual_seed(seed)
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    trainer = SupervisedTrainer(Network(), loss, optimizer, epochs, _BATCH, seed=seed, progress=False)
    trainer.register_batch_complete_callback(lambda **_: schedules[-1].step())
    return trainer.train({"data": x.numpy(), "labels": y.numpy()})


def main() -> None:
    """Train without some speakers, and print for each of them the digits as they were said and as they were taken."""
    store, epochs, *absent = sys.argv[1:]
    torch.set_num_threads(1)  # networks are trained side by side, in processes of their own
    model = digits(store)
    others = [name for name in model.values("speaker") if name not in absent]
    training = FeatureDataset(model.where(speaker=others), "log_mel", label="label", transform=prepared)
    began = time.perf_counter(), time.process_time()
    network = train(*everything(training), int(epochs))
    found: dict[str, Any] = {"seconds": time.perf_counter() - began[0], "busy": time.process_time() - began[1]}
    for name in absent:
        documents = model.where(speaker=name)
        x, y = everything(
            FeatureDataset(documents, "log_mel", label="label", classes=training.classes, transform=prepared)
        )
        with torch.no_grad():
            found[name] = {"labels": y.tolist(), "guessed": network(x).argmax(dim=1).tolist()}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
