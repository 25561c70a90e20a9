"""Triplets and generative adversarial networks."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.torch.networks import Gan, same, weights_of
from zounds_lite.errors import DeclarationError, LearnError, NonFiniteLoss
from zounds_lite.learn import TripletEmbeddingTrainer, WassersteinGanTrainer
from zounds_lite.learn.nets import wasserstein
from zounds_lite.learn.nets.wasserstein import gradient_penalty


def embedder(size=4, seed=0):
    torch.manual_seed(seed)
    return nn.Linear(size, 2)


def noise(rows=20, size=8):
    return np.random.default_rng(0).normal(size=(rows, size)).astype(np.float32)


def triplets(epochs=3, batch_size=8, **others):
    return TripletEmbeddingTrainer(embedder(), epochs, batch_size, slice(2, 6), learning_rate=1e-2, **others)


def gan(epochs=2, batch_size=5, n_critic=2, **others):
    torch.manual_seed(0)
    return WassersteinGanTrainer(Gan(), (2,), n_critic, epochs, batch_size, **others)


# triplets


def test_it_does_exactly_its_epochs():
    trainer, seen = triplets(), []
    trainer.register_batch_complete_callback(lambda **report: seen.append((report["epoch"], report["batch"])))
    trainer.train({"data": noise()})
    assert seen == [(epoch, batch) for epoch in range(3) for batch in (0, 8, 16)] and trainer.epoch == 3


def test_embeddings_have_unit_length():
    trainer, seen = triplets(epochs=1), []
    trainer.register_batch_complete_callback(lambda **report: seen.append(report["samples"]))
    trainer.train(noise())
    assert np.allclose(np.linalg.norm(np.concatenate(seen), axis=1), 1)


def test_negatives_are_never_the_anchor():
    """All rows differ, so what the network sees tells which one it was."""
    seen = []

    class Watched(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = embedder()

        def forward(self, x):
            seen.append(x.detach().numpy().copy())
            return self.inner(x)

    TripletEmbeddingTrainer(Watched(), 30, 2, slice(2, 6)).train(noise(rows=3))
    anchors, negatives = seen[0::3], seen[2::3]
    assert len(anchors) == 30
    for anchor, negative in zip(anchors, negatives, strict=True):
        assert not (anchor == negative).all(axis=1).any()


def test_without_deformations_positives_are_nearby_and_not_the_anchor():
    trainer, rng = triplets(), np.random.default_rng(0)
    wide = noise()
    anchors = wide[:, 2:6]
    starts = set()
    for _ in range(50):
        positive = trainer._positive(anchors, wide, rng)
        (start,) = [start for start in range(5) if np.array_equal(positive, wide[:, start : start + 4])]
        starts.add(start)
    assert starts == {0, 1, 3, 4}
    narrow = TripletEmbeddingTrainer(embedder(), 1, 4, slice(None))._positive(anchors, anchors, rng)
    assert np.array_equal(narrow, anchors)  # there is nothing nearby


def test_deformations_get_the_anchors_and_what_is_around_them():
    def deformed(anchors, wide):
        seen.append((anchors.copy(), wide.copy()))
        return anchors + 0.01

    seen = []
    triplets(deformations=[deformed], epochs=1).train(noise())
    assert all(np.array_equal(anchors, wide[:, 2:6]) for anchors, wide in seen) and len(seen) == 3


def test_it_learns_what_belongs_together():
    """The first two of four numbers tell an example apart; the others are noise that a deformation draws anew."""

    def other_noise(anchors, _):
        out = anchors.copy()
        out[:, 2:] = np.random.normal(size=(len(out), 2))  # noqa: NPY002 - the trainer seeds it
        return out

    rows = np.random.default_rng(1).normal(size=(200, 4)).astype(np.float32)
    trainer = TripletEmbeddingTrainer(embedder(), 20, 20, slice(0, 4), [other_noise], learning_rate=3e-2)
    network = trainer.train(rows)
    assert trainer.history[-1]["error"] < 0.7 * trainer.history[0]["error"]
    weight = np.abs(network.weight.detach().numpy())
    assert weight[:, :2].mean() > 3 * weight[:, 2:].mean()


def test_bad_triplets():
    with pytest.raises(LearnError, match="1 example has no other"):
        triplets().train(noise(rows=1))
    with pytest.raises(LearnError, match="have no anchor"):
        TripletEmbeddingTrainer(embedder(), 1, 4, slice(8, 9)).train(noise())
    with pytest.raises(DeclarationError, match="anchor_slice=3"):
        TripletEmbeddingTrainer(embedder(), 1, 4, 3)


# generative adversarial networks


def test_what_callbacks_get():
    trainer, reports = gan(debug_gradient=True), []
    trainer.register_batch_complete_callback(lambda **report: reports.append(report))
    trainer.train({"data": noise(size=3)})
    assert [(r["epoch"], r["batch"]) for r in reports] == [(e, b) for e in (0, 1) for b in (0, 5, 10, 15)]
    expected = {"epoch", "batch", "generator_score", "real_score", "critic_loss", "samples", "gradients"}
    assert reports[0].keys() == expected and reports[0]["samples"].shape == (5, 3)
    assert reports[0]["gradients"].keys() == dict(trainer.network.discriminator.named_parameters()).keys()


def test_the_generator_learns_once_for_so_many_batches_of_the_critic():
    trainer, made = gan(epochs=3, n_critic=5), []
    before = weights_of(trainer.network.generator)

    def report(**_):
        made.append(not same(before, weights_of(trainer.network.generator)))
        before.update(weights_of(trainer.network.generator))

    trainer.register_batch_complete_callback(report)
    trainer.train(noise(size=3))
    assert [i for i, changed in enumerate(made) if changed] == [4, 9]  # 12 batches, in three epochs of 4


def test_the_penalty_is_over_all_axes_but_the_first():
    real, fake = torch.randn(4, 2, 8), torch.randn(4, 2, 8)
    slope = torch.randn(2, 8)
    expected = (slope.norm() - 1) ** 2
    found = gradient_penalty(lambda x: (x * slope).sum((1, 2)), real, fake)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_it_learns_where_the_data_are(monkeypatch):
    monkeypatch.setattr(wasserstein, "_RATE", 5e-3)
    rows = (3 + 0.1 * np.random.default_rng(0).normal(size=(100, 3))).astype(np.float32)
    torch.manual_seed(0)
    network = WassersteinGanTrainer(Gan(), (2,), 2, 60, 25).train(rows)
    with torch.no_grad():
        made = network.generator(torch.randn(100, 2))
    assert float((made.mean(0) - 3).abs().max()) < 1


def test_batches_are_preprocessed_and_networks_get_keywords():
    seen = []

    class Scaled(Gan):
        def __init__(self):
            super().__init__()
            self.generator, self.discriminator = _Times(nn.Linear(2, 3)), _Times(nn.Linear(3, 1))

    def preprocess(epoch, batch):
        seen.append((epoch, tuple(batch.shape)))
        return batch * 2

    trainer = WassersteinGanTrainer(Scaled(), (2,), 1, 2, 20, preprocess, lambda epoch: {"factor": epoch + 1.0})
    trainer.train(noise(size=3))
    assert seen == [(0, (20, 3))] * 3 + [(1, (20, 3))] * 3
    assert trainer.network.discriminator.factors == {1.0, 2.0} == trainer.network.generator.factors


class _Times(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner, self.factors = inner, set()

    def forward(self, x, factor):
        self.factors.add(factor)
        return self.inner(x) * factor


def test_bad_gans():
    with pytest.raises(DeclarationError, match="has no generator"):
        WassersteinGanTrainer(nn.Linear(1, 1), (1,), 1, 1, 1)
    with pytest.raises(DeclarationError, match="n_critic_iterations=0"):
        gan(n_critic=0)
    with pytest.raises(DeclarationError, match="leave out patience"):
        trainer = gan()
        trainer.patience = 1
        trainer.train(noise(size=3))
    with pytest.raises(NonFiniteLoss, match="epoch 0, batch 0"):
        gan(preprocess_minibatch=lambda epoch, batch: batch * np.inf).train(noise(size=3))
