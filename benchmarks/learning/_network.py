"""A small network on log-mel, trained on all speakers but one; run as a module it prints how many digits it knows.

python -m benchmarks.learning._network STORE SPEAKER EPOCHS
"""

import json
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from benchmarks.learning._digits import BANDS, digits
from zounds_lite import FeatureDataset

FRAMES, SILENCE_DB, FLOOR_DB = 64, -40.0, -80.0
_CHANNELS, _BATCH, _RATE = 16, 64, 5e-3


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
    """Three convolutions and a layer on top."""

    def __init__(self, channels: int = _CHANNELS, classes: int = 10) -> None:
        super().__init__()

        def block(inputs: int, outputs: int) -> nn.Sequential:
            convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
            return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2))

        self.seen = nn.Sequential(block(2, channels), block(channels, 2 * channels), block(2 * channels, 4 * channels))
        size = 4 * channels * (FRAMES // 8) * (BANDS // 8)
        hidden = nn.Sequential(nn.Dropout(0.3), nn.Linear(size, 64), nn.ReLU(), nn.Dropout(0.3))
        self.said = nn.Sequential(nn.Dropout(0.3), nn.Flatten(), hidden, nn.Linear(64, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.said(self.seen(x))


def augmented(x: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Say it at another speed and time, with another throat, microphone and noise; hide some frames and bands."""
    count, frames, bands = x.shape
    spread = torch.tensor([[0.2, 0.16], [0.2, 0.12]])  # scale and shift of frequency, then of time
    by = spread * (2 * torch.rand(count, 2, 2, generator=rng) - 1)
    grid = torch.zeros(count, 2, 3)
    grid[:, 0, 0], grid[:, 0, 2] = 1 + by[:, 0, 0], by[:, 0, 1]
    grid[:, 1, 1], grid[:, 1, 2] = 1 + by[:, 1, 0], by[:, 1, 1]
    places = F.affine_grid(grid, [count, 1, frames, bands], align_corners=False)
    x = F.grid_sample(x[:, None], places, padding_mode="border", align_corners=False)[:, 0]
    response = 5 * torch.randn(count, 1, 5, generator=rng)
    x = x + F.interpolate(response, size=bands, mode="linear", align_corners=True)
    seen = planes(x, -60 + 30 * torch.rand(count, 1, 1, generator=rng))
    for axis, most in ((2, 14), (3, 8)):
        start = torch.randint(0, seen.shape[axis], (count, 1), generator=rng)
        length = torch.randint(0, most, (count, 1), generator=rng)
        at = torch.arange(seen.shape[axis])[None]
        hidden = (at >= start) & (at < start + length)
        seen = seen.masked_fill(hidden[:, None, :, None] if axis == 2 else hidden[:, None, None, :], 0.0)
    return seen


def everything(dataset: FeatureDataset) -> tuple[torch.Tensor, torch.Tensor]:
    """Read all items of a dataset, which are small."""
    batches = list(DataLoader(dataset, batch_size=256))
    return torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])


def train(x: torch.Tensor, y: torch.Tensor, epochs: int, seed: int = 0) -> Network:
    """Train a network; the same seed gives the same weights."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    network = Network()
    optimizer = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=1e-2)
    steps = epochs * -(-len(x) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    for _ in range(epochs):
        for chosen in torch.randperm(len(x), generator=rng).split(_BATCH):
            optimizer.zero_grad()
            guess = network(augmented(x[chosen], rng))
            F.cross_entropy(guess, y[chosen], label_smoothing=0.1).backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def main() -> None:
    """Train on all speakers but one, and print the digits of that one as they were taken."""
    store, speaker, epochs = sys.argv[1:]
    torch.set_num_threads(1)  # speakers are trained side by side, in processes of their own
    model = digits(store)
    others = [name for name in model.values("speaker") if name != speaker]
    training = FeatureDataset(model.where(speaker=others), "log_mel", label="label", transform=prepared)
    test = FeatureDataset(
        model.where(speaker=speaker), "log_mel", label="label", classes=training.classes, transform=prepared
    )
    began = time.perf_counter()
    network = train(*everything(training), int(epochs))
    seconds = time.perf_counter() - began
    x, y = everything(test)
    with torch.no_grad():
        guessed = network(planes(x, torch.full((len(x), 1, 1), -45.0))).argmax(dim=1)
    print(json.dumps({"labels": y.tolist(), "guessed": guessed.tolist(), "seconds": seconds}))


if __name__ == "__main__":
    main()
