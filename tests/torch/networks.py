"""Tiny networks that the tests of training share."""

import numpy as np
from torch import nn, optim

from zounds_lite.learn import SupervisedTrainer


class Dense(nn.Module):
    """Two layers; its arguments are its attributes."""

    def __init__(self, inputs, outputs=1, hidden=8, dropout=0.0):
        super().__init__()
        self.inputs, self.outputs, self.hidden, self.dropout = inputs, outputs, hidden, dropout
        self.main = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, outputs))

    def forward(self, x):
        return self.main(x)


class AutoEncoder(nn.Module):
    def __init__(self, size=6, code=2):
        super().__init__()
        self.size, self.code = size, code
        self.encoder = nn.Linear(size, code)
        self.decoder = nn.Linear(code, size)

    def forward(self, x):
        return self.decoder(self.encoder(x))


class Gan(nn.Module):
    def __init__(self, latent=2, size=3):
        super().__init__()
        self.latent, self.size = latent, size
        self.generator = nn.Sequential(nn.Linear(latent, 8), nn.ReLU(), nn.Linear(8, size))
        self.discriminator = nn.Sequential(nn.Linear(size, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))


def adam(model):
    return optim.Adam(model.parameters(), lr=0.01)


def sums(rows=60, inputs=3, seed=0):
    """A training set: rows, and their sums."""
    data = np.random.default_rng(seed).normal(size=(rows, inputs)).astype(np.float32)
    return {"data": data, "labels": data.sum(axis=1, keepdims=True)}


def trainer_of(model, epochs=4, batch_size=16, **others):
    return SupervisedTrainer(model, nn.MSELoss(), adam, epochs, batch_size, **others)


def weights_of(model):
    return {name: value.numpy().copy() for name, value in model.state_dict().items()}


def same(a, b):
    """Compare weights, bit for bit."""
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
