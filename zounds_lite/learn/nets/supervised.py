"""Training with labels: a network learns what goes with what.

Class: ``SupervisedTrainer``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, LearnError, NotTrained
from zounds_lite.learn.nets._torch import nn, torch
from zounds_lite.learn.nets.rows import Rows
from zounds_lite.learn.nets.tensors import check_network, dtype_of, plain, tensor_of
from zounds_lite.learn.nets.trainers import Trainer

__all__ = ["SupervisedTrainer", "identity"]


def identity(data: Any) -> Any:
    """Return what is given: what preprocessors do by default."""
    return data


class SupervisedTrainer(Trainer):
    """Trains a network to give labels for data.

    A part of the rows can be held out: the network never learns from them, and is tested with them at the end of each
    epoch. They are drawn from all rows by chance; where the training data have ``groups``, one number or name for each
    row (its speaker, its recording), whole groups are held out.

    Callbacks get the keywords ``epoch``, ``batch`` (rows before it in the epoch), ``train_error`` of the batch,
    ``test_error`` of a random batch of held-out rows (None without any), and ``samples``, what the network made of the
    batch. In ``history``, ``train_error`` is the mean over an epoch, as the batches were learned, and ``test_error``
    that of all held-out rows after it.

    Args:
        model (nn.Module): the network.
        loss (Callable): takes what the network made and the labels, returns a single number: ``nn.MSELoss()``, or a
            function.
        optimizer (Callable): takes the network and returns its optimizer:
            ``lambda model: Adam(model.parameters(), lr=1e-3)``; or a class of optimizers, with its defaults.
        epochs (int): passes over all rows.
        batch_size (int): rows in a batch.
        holdout_percent (float): share of rows, or of groups, to hold out: 0 or more, and less than 1.
        data_preprocessor (Callable): makes, of a batch of rows as an array, what the network takes.
        label_preprocessor (Callable): makes, of the labels as an array, what the loss takes.
        checkpoint_epochs (int): epochs between checkpoints, and in a round of an endless pipeline.
        device, seed, patience, checkpoint, progress: as for ``Trainer``; ``patience`` looks at the test error, or at
            the training error without held-out rows.

    Raises:
        DeclarationError: an argument is out of range.

    Examples:
        >>> model = nn.Linear(2, 1)
        >>> trainer = SupervisedTrainer(
        ...     model, nn.MSELoss(), lambda m: torch.optim.Adam(m.parameters(), lr=0.1), epochs=30, batch_size=20,
        ...     holdout_percent=0.2)
        >>> data = np.random.default_rng(0).normal(size=(100, 2))
        >>> network = trainer.train({"data": data, "labels": data.sum(axis=1, keepdims=True)})
        >>> first, last = trainer.history[0], trainer.history[-1]
        >>> network is model, last["epoch"], last["test_error"] < 0.1 * first["test_error"]
        (True, 29, True)
    """

    def __init__(
        self,
        model: Any,
        loss: Callable[..., Any],
        optimizer: Callable[..., Any],
        epochs: int,
        batch_size: int,
        holdout_percent: float = 0.0,
        data_preprocessor: Callable[[Any], Any] = identity,
        label_preprocessor: Callable[[Any], Any] = identity,
        checkpoint_epochs: int = 1,
        *,
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
        check_network("model", model)
        if isinstance(holdout_percent, bool) or not 0 <= holdout_percent < 1:
            raise DeclarationError(f"holdout_percent={holdout_percent!r}; allowed: a share from 0 to less than 1")
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.holdout_percent = holdout_percent
        self.data_preprocessor = data_preprocessor
        self.label_preprocessor = label_preprocessor
        self._sampled: tuple[Any, Any] | None = None
        self._sampler = np.random.default_rng(seed)

    @property
    def network(self) -> Any:
        """The model."""
        return self.model

    def random_sample(self) -> tuple[Any, Any]:
        """Return what went into the network, and what came out, for a random row of the last batch.

        Raises:
            RuntimeError: before training.
        """
        if self._sampled is None:
            raise NotTrained("there is no sample before training; call train first")
        given, made = self._sampled
        row = int(self._sampler.integers(len(given)))
        return plain(given[row]), plain(made)[row] if isinstance(made, torch.Tensor) else [plain(m)[row] for m in made]

    def _make_optimizers(self) -> dict[str, Any]:
        if isinstance(self.loss, nn.Module):
            self.loss.to(self._fit_device)
        is_class = isinstance(self.optimizer, type) and issubclass(self.optimizer, torch.optim.Optimizer)
        made = self.optimizer(self.model.parameters() if is_class else self.model)
        if not isinstance(made, torch.optim.Optimizer):
            raise DeclarationError(
                f"optimizer returned {type(made).__name__}; needed: an optimizer, as from "
                "lambda model: torch.optim.Adam(model.parameters(), lr=1e-3)"
            )
        return {"optimizer": made}

    def _check(self, rows: Rows) -> Rows:
        return rows.need(type(self).__name__, "data", "labels")

    def _setup(self) -> dict[str, Any]:
        return {"holdout_percent": self.holdout_percent}

    def _split(self, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
        everything = np.arange(len(rows))
        if not self.holdout_percent:
            return everything, everything[:0]
        groups = everything
        if "groups" in rows.names:
            groups = np.unique(rows.take(everything, "groups"), return_inverse=True)[1].reshape(-1)
        kinds = np.random.default_rng([self.seed, len(rows)]).permutation(groups.max() + 1)
        count = int(np.round(self.holdout_percent * len(kinds)))
        if not 0 < count < len(kinds):
            what = "groups" if "groups" in rows.names else "rows"
            left = "none to test with" if not count else "none to learn from"
            raise LearnError(
                f"holdout_percent={self.holdout_percent} of {len(kinds)} {what} leaves {left}; give more {what}, or "
                "another share (0 holds none out)"
            )
        is_held = np.isin(groups, kinds[:count])
        return everything[~is_held], everything[is_held]

    def _batch(self, rows: Rows, picked: np.ndarray) -> tuple[Any, Any]:
        dtype, device = dtype_of(self.model), self._fit_device
        data = self.data_preprocessor(rows.take(picked, "data"))
        labels = self.label_preprocessor(rows.take(picked, "labels"))
        return tensor_of(data, dtype, device), tensor_of(labels, dtype, device)

    def _loss(self, made: Any, labels: Any) -> Any:
        loss = self.loss(made, labels)
        if not isinstance(loss, torch.Tensor) or loss.numel() != 1:
            what = list(loss.shape) if isinstance(loss, torch.Tensor) else type(loss).__name__
            raise DeclarationError(f"the loss is {what}; needed: a tensor of a single number, such as the mean")
        return loss

    def _step(self, rows: Rows, picked: np.ndarray) -> tuple[dict[str, float], dict[str, Any]]:
        optimizer = self._optimizers["optimizer"]
        data, labels = self._batch(rows, picked)
        optimizer.zero_grad()
        made = self.model(data)
        loss = self._loss(made, labels)
        value = float(loss.detach())
        if np.isfinite(value):  # else the loop stops, with weights that are still good
            loss.backward()
            optimizer.step()
        self._sampled = data, made
        extra: dict[str, Any] = {}
        if self._callbacks:
            test_error = self._test_error(rows, picked) if len(self._held) else None
            extra = {"test_error": test_error, "samples": plain(made)}
        return {"train_error": value}, extra

    def _test_error(self, rows: Rows, picked: np.ndarray) -> float:
        """Return the error on a random batch of held-out rows, which no other random number notices."""
        rng = np.random.default_rng([self.seed, self.epoch, int(picked[0])])
        chosen = rng.choice(self._held, min(self.batch_size, len(self._held)), replace=False)
        error = self._test(rows, chosen)["test_error"]
        self.model.train()
        return error

    def _test(self, rows: Rows, held: np.ndarray) -> dict[str, float]:
        if not len(held):
            return {}
        self.model.eval()
        total = 0.0
        with torch.no_grad():
            for start in range(0, len(held), self.batch_size):
                picked = held[start : start + self.batch_size]
                data, labels = self._batch(rows, picked)
                total += float(self._loss(self.model(data), labels)) * len(picked)
        return {"test_error": total / len(held)}

    def _error(self, record: dict[str, Any]) -> float:
        return float(record.get("test_error", record["train_error"]))
