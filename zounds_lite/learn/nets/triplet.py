"""Embeddings from triplets: what is near in time or deformed is near in the embedding, what is not is far.

Class: ``TripletEmbeddingTrainer``.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, LearnError
from zounds_lite.learn.nets._torch import functional, torch
from zounds_lite.learn.nets.rows import Rows
from zounds_lite.learn.nets.tensors import check_network, dtype_of, plain, tensor_of
from zounds_lite.learn.nets.trainers import Trainer

__all__ = ["TripletEmbeddingTrainer"]


class TripletEmbeddingTrainer(Trainer):
    """Trains a network to embed examples so that each is nearer to a deformation of itself than to another example.

    Of each example, which is longer than what the network takes, ``anchor_slice`` is the anchor. The positive is what a
    random one of the deformations makes of the batch's anchors, or, without any, another stretch of the same examples.
    The negative is the anchor of another example. Outputs are scaled to unit length.

    Callbacks get the keywords ``epoch``, ``batch``, ``error`` and ``samples`` (the embeddings of the anchors).

    Args:
        network (nn.Module): makes embeddings.
        epochs (int): passes over all rows.
        batch_size (int): anchors in a batch.
        anchor_slice (slice): the part of each example that is the anchor, along its first axis.
        deformations (Sequence[Callable] | None): each takes the anchors and the whole examples of a batch, as arrays,
            and returns the positives.
        checkpoint_epochs (int): epochs between checkpoints, and in a round of an endless pipeline.
        margin (float): how much nearer the positive should be.
        learning_rate (float): of Adam.
        device, seed, patience, checkpoint, progress: as for ``Trainer``.

    Raises:
        DeclarationError: an argument is out of range.

    Sources:
        Jansen et al., Unsupervised Learning of Semantic Audio Representations, 2017, https://arxiv.org/abs/1711.02209.

    Examples:
        >>> trainer = TripletEmbeddingTrainer(torch.nn.Linear(4, 2), 2, 5, slice(0, 4), learning_rate=1e-3)
        >>> network = trainer.train(np.random.default_rng(0).normal(size=(10, 6)))
        >>> [record["epoch"] for record in trainer.history]
        [0, 1]
    """

    def __init__(
        self,
        network: Any,
        epochs: int,
        batch_size: int,
        anchor_slice: slice,
        deformations: Iterable[Callable[[Any, Any], Any]] | None = None,
        checkpoint_epochs: int = 1,
        *,
        margin: float = 0.1,
        learning_rate: float = 1e-5,
        device: str = "cpu",
        seed: int = 0,
        patience: int | None = None,
        checkpoint: Any = None,
        progress: bool = True,
    ) -> None:
        super().__init__(
            epochs, batch_size, checkpoint_epochs,
            device=device, seed=seed, patience=patience, checkpoint=checkpoint, progress=progress,
        )  # fmt: skip
        check_network("network", network)
        if not isinstance(anchor_slice, slice):
            raise DeclarationError(f"anchor_slice={anchor_slice!r}; needed: a slice, such as slice(0, 64)")
        self.network = network
        self.anchor_slice = anchor_slice
        self.deformations = None if deformations is None else tuple(deformations)
        self.margin = margin
        self.learning_rate = learning_rate

    def _make_optimizers(self) -> dict[str, Any]:
        return {"optimizer": torch.optim.Adam(self.network.parameters(), lr=self.learning_rate)}

    def _setup(self) -> dict[str, Any]:
        return {"anchor_slice": str(self.anchor_slice), "margin": self.margin}

    def _check(self, rows: Rows) -> Rows:
        super()._check(rows)
        if len(rows) < 2:
            raise LearnError(f"{len(rows)} example has no other to be told from; give 2 or more")
        return rows

    def _embedded(self, examples: Any) -> Any:
        made = self.network(tensor_of(examples, dtype_of(self.network), self._fit_device))
        return functional.normalize(made.flatten(1), dim=1)

    def _positive(self, anchors: np.ndarray, wide: np.ndarray, rng: np.random.Generator) -> Any:
        if self.deformations:
            return self.deformations[rng.integers(len(self.deformations))](anchors, wide)
        start, _, step = self.anchor_slice.indices(wide.shape[1])
        room = wide.shape[1] - ((anchors.shape[1] - 1) * abs(step) + 1)
        moved = rng.integers(room + 1)
        if moved == start and room:  # nearby, and not the anchor itself
            moved = (moved + 1 + rng.integers(room)) % (room + 1)
        return wide[:, moved : moved + (anchors.shape[1] - 1) * abs(step) + 1 : abs(step)]

    def _step(self, rows: Rows, picked: np.ndarray) -> tuple[dict[str, float], dict[str, Any]]:
        rng = np.random.default_rng([self.seed, self.epoch, int(picked[0])])
        wide = rows.take(picked)
        if wide.ndim < 2 or not wide[:, self.anchor_slice].shape[1]:
            raise LearnError(f"examples of shape {wide.shape[1:]} have no anchor at {self.anchor_slice}")
        others = (picked + rng.integers(1, len(rows), len(picked))) % len(rows)  # never the same row
        anchors = wide[:, self.anchor_slice]
        positives = self._positive(anchors, wide, rng)
        optimizer = self._optimizers["optimizer"]
        optimizer.zero_grad()
        anchor, positive = self._embedded(anchors), self._embedded(positives)
        negative = self._embedded(rows.take(others)[:, self.anchor_slice])
        loss = functional.triplet_margin_loss(anchor, positive, negative, margin=self.margin)
        value = float(loss.detach())
        if np.isfinite(value):
            loss.backward()
            optimizer.step()
        return {"error": value}, {"samples": plain(anchor)} if self._callbacks else {}

    def _error(self, record: dict[str, Any]) -> float:
        return float(record["error"])
