"""Trainer: the loop that all kinds of training share.

Goal: whatever is trained, it can be watched, interrupted, gone on with and repeated. Conventions: an epoch is one pass
over all rows in an order that the seed and the epoch's number determine, as they do all other random numbers; numbers
of epochs and batches count from 0; a batch is named by the number of rows before it in its epoch. Training leaves the
global random states of torch, numpy and Python as they were. Class: ``Trainer``.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from zounds_lite._declared import parameters_of
from zounds_lite.errors import CheckpointError, DeclarationError, LearnError, NonFiniteLoss
from zounds_lite.learn.nets import checkpoints
from zounds_lite.learn.nets._tables import check_size
from zounds_lite.learn.nets._torch import torch
from zounds_lite.learn.nets.describing import described
from zounds_lite.learn.nets.rows import Rows
from zounds_lite.learn.nets.seeding import own_random_numbers, seed_all

__all__ = ["Trainer"]

_NEUTRAL = {"checkpoint", "checkpoint_epochs", "device", "progress", "debug_gradient"}
"""Arguments that do not change what is learned, so that they are no part of the lineage."""


class Trainer:
    """Trains a network in epochs; the base of all trainers.

    A subclass passes the arguments below on, keeps what it trains as ``network``, names its optimizers in
    ``_make_optimizers``, and says in ``_step`` what happens with a batch.

    ``train`` begins anew with each call, from the weights that the network had at the first one, and does all
    epochs; so the same call gives the same weights again. ``train_round`` goes on with the epochs where the last call
    ended. With a ``checkpoint``, both go on from that file where it exists: run the same program again after a kill,
    and on a CPU the weights become those of a run that was never interrupted, bit for bit.

    Args:
        epochs (int): passes over all rows, > 0.
        batch_size (int): rows in a batch, > 0; a last batch of one row joins the one before it, and batches are no
            larger than the data.
        checkpoint_epochs (int): epochs between checkpoints, and in a round of an endless pipeline, > 0.
        device (str): where to train: ``"cpu"``, ``"cuda"``, or ``"auto"``, which takes a GPU if there is one.
        seed (int): determines all random numbers.
        patience (int | None): ends after so many epochs in which the error did not become smaller, and takes the
            weights of the best one; None does all epochs.
        checkpoint (str | Path | None): a file to go on from after a kill.
        progress (bool): show a progress bar, if standard error is a terminal.

    Attributes:
        history (list[dict]): for each epoch its number and its mean errors.
        epoch (int): how many epochs are done.

    Raises:
        OptionalDependencyError: torch is not installed.
        DeclarationError: an argument is out of range.
    """

    network: Any

    revision = 1
    """Raised when training gives other weights on purpose."""

    neutral_parameters = frozenset(_NEUTRAL)
    """Arguments that do not change what is learned."""

    def __init__(
        self,
        epochs: int,
        batch_size: int,
        checkpoint_epochs: int = 1,
        *,
        device: str = "cpu",
        seed: int = 0,
        patience: int | None = None,
        checkpoint: Any = None,
        progress: bool = True,
    ) -> None:
        torch.manual_seed  # noqa: B018 - says how to install torch where it is missing
        counts = {"epochs": epochs, "batch_size": batch_size, "checkpoint_epochs": checkpoint_epochs}
        if patience is not None:
            counts["patience"] = patience
        for name, value in counts.items():
            check_size(name, value)
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise DeclarationError(f"seed={seed!r}; allowed: a whole number, 0 or more")
        self.epochs = int(epochs)
        self.batch_size = int(batch_size)
        self.checkpoint_epochs = int(checkpoint_epochs)
        self.device = str(device)
        self.seed = int(seed)
        self.patience = patience
        self.checkpoint = checkpoint
        self.progress = progress
        self.history: list[dict[str, Any]] = []
        self.epoch = 0
        self._callbacks: list[Callable[..., Any]] = []
        self._initial: dict[str, Any] | None = None
        self._optimizers: dict[str, Any] = {}
        self._best: dict[str, Any] | None = None
        self._fit_device: Any = None
        self._held = np.arange(0)
        self._number = self._batches = 0

    # what a subclass says

    def _networks(self) -> dict[str, Any]:
        """Return the networks that are trained, by name."""
        return {"network": self.network}

    def _make_optimizers(self) -> dict[str, Any]:
        """Return new optimizers, by name."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it optimizes: override _make_optimizers")

    def _step(self, rows: Rows, picked: np.ndarray) -> tuple[dict[str, float], dict[str, Any]]:
        """Learn from one batch.

        Args:
            rows (Rows): all data.
            picked (np.ndarray): the numbers of the rows in the batch.

        Returns:
            tuple[dict, dict]: the errors by name, whose means go to the history, and what callbacks get beside them.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how it learns: override _step")

    def _check(self, rows: Rows) -> Rows:
        """Refuse data that the trainer cannot use."""
        return rows.need(type(self).__name__, "data")

    def _split(self, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers of the rows to learn from, and of those to test with."""
        return np.arange(len(rows)), np.arange(0)

    def _test(self, rows: Rows, held: np.ndarray) -> dict[str, float]:
        """Return the errors on held-out rows, at the end of an epoch."""
        return {}

    def _error(self, record: dict[str, Any]) -> float:
        """Return which error of an epoch ``patience`` looks at."""
        raise DeclarationError(f"{type(self).__name__} has no error that says when to stop; leave out patience")

    def _setup(self) -> dict[str, Any]:
        """Return plain values that tell this training from others, for checkpoints."""
        return {}

    # what users call

    @property
    def is_finished(self) -> bool:
        """Whether all epochs are done, or training stopped early."""
        return self.epoch >= self.epochs or self._is_out_of_patience()

    def train(self, data: Any) -> Any:
        """Train from the beginning, or from the checkpoint, to the last epoch.

        Args:
            data (dict | Corpus | np.ndarray): rows; by the names ``data``, ``labels``, where several are needed.

        Returns:
            nn.Module: the network, in eval mode.

        Raises:
            NonFiniteLoss: the loss became NaN or infinite.
            NonFiniteFeatures: the data have NaN or infinite values.
            RaggedCorpus: data and labels of different length.
            EmptyCorpus: no rows.
            CheckpointError: the checkpoint was written by another training.
        """
        rows = self._check(Rows.of(data))
        self.reset()
        self._begin(rows.digest())
        return self._run(rows, self.epochs)

    def train_round(self, data: Any) -> Any:
        """Go on for ``checkpoint_epochs`` epochs, with data that may be others in each round.

        Args:
            data (dict | Corpus | np.ndarray): as for ``train``.

        Returns:
            nn.Module: the network, in eval mode.
        """
        rows = self._check(Rows.of(data))
        if not self._optimizers:
            self._begin(None)
        return self._run(rows, min(self.epochs, self.epoch + self.checkpoint_epochs))

    def reset(self) -> None:
        """Forget all that was learned: the network gets the weights back that it had when training first began."""
        self.epoch, self.history, self._best, self._optimizers = 0, [], None, {}
        if self._initial is not None:
            self._load(self._initial)

    def cuda(self) -> Self:
        """Train on a GPU.

        Raises:
            LearnError: torch finds none.
        """
        self.device = "cuda"
        self._device()
        return self

    def register_batch_complete_callback(self, callback: Callable[..., Any]) -> None:
        """Call a function after each batch, with the keywords ``epoch``, ``batch``, and the errors by name."""
        self._callbacks.append(callback)

    def unregister_batch_complete_callback(self, callback: Callable[..., Any]) -> None:
        """Call a function no more."""
        self._callbacks.remove(callback)

    def describe_lineage(self) -> dict[str, Any]:
        """Say what learning depends on: the arguments, and networks by their code and structure, not their weights."""
        kinds = [kind for kind in type(self).__mro__ if issubclass(kind, Trainer)]
        names = {name for kind in kinds for name in parameters_of(kind)} - self.neutral_parameters
        return {"trainer": type(self), **{name: described(getattr(self, name, None)) for name in sorted(names)}}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.epoch} of {self.epochs} epochs)"

    # the loop

    def _device(self) -> Any:
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            device = torch.device(self.device)
        except RuntimeError as error:
            raise DeclarationError(f"device={self.device!r}; allowed: 'cpu', 'cuda', 'auto'") from error
        if device.type == "cuda" and not torch.cuda.is_available():
            raise LearnError(f"device={self.device!r}, but torch {torch.__version__} finds no GPU; use 'auto' or 'cpu'")
        return device

    def _begin(self, digest: str | None) -> None:
        """Make optimizers, and go on from the checkpoint where there is one."""
        self._fit_device = device = self._device()
        if self._initial is None:
            self._initial = self._weights()
        for network in self._networks().values():
            network.to(device)
        self._optimizers = self._make_optimizers()
        hyper = {
            name: [type(optimizer).__name__, *(_plain_group(group) for group in optimizer.param_groups)]
            for name, optimizer in self._optimizers.items()
        }
        own = {"trainer": type(self).__name__, "seed": self.seed, "batch_size": self.batch_size, "data": digest}
        shapes = {
            f"{name}.{key}": list(value.shape)
            for name, weights in self._weights().items()
            for key, value in weights.items()
            if hasattr(value, "shape")
        }
        self._setup_now = {**own, **self._setup(), "optimizers": str(hyper), "network": str(shapes)}
        if self.checkpoint is not None:
            self._resume()

    def _resume(self) -> None:
        state = checkpoints.read(self.checkpoint)
        if state is None:
            return
        checkpoints.check_setup(self.checkpoint, state, self._setup_now)
        if state["epoch"] > self.epochs:
            raise CheckpointError(
                f"{str(self.checkpoint)!r} has done {state['epoch']} epochs, and epochs={self.epochs}; remove it, or "
                "give another path"
            )
        self._load(state["networks"])
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.epoch, self.history, self._best = state["epoch"], state["history"], state["best"]

    def _save(self) -> None:
        checkpoints.write(
            self.checkpoint,
            {
                "setup": self._setup_now,
                "epoch": self.epoch,
                "history": self.history,
                "networks": self._weights(),
                "optimizers": {name: optimizer.state_dict() for name, optimizer in self._optimizers.items()},
                "best": self._best,
            },
        )

    def _weights(self) -> dict[str, Any]:
        return {
            name: {key: value.detach().to("cpu", copy=True) for key, value in network.state_dict().items()}
            for name, network in self._networks().items()
        }

    def _load(self, weights: dict[str, Any]) -> None:
        for name, network in self._networks().items():
            network.load_state_dict(weights[name])

    def _run(self, rows: Rows, stop: int) -> Any:
        learned, held = self._split(rows)
        self._held, self._batches = held, sum(1 for _ in _batches(learned, self.batch_size))
        networks = list(self._networks().values())
        try:
            with self._bar((stop - self.epoch) * len(learned)) as bar, own_random_numbers():
                while self.epoch < stop and not self._is_out_of_patience():
                    self._epoch(rows, learned, held, bar)
                    is_last = self.epoch == stop or self._is_out_of_patience()
                    if self.checkpoint is not None and (is_last or self.epoch % self.checkpoint_epochs == 0):
                        self._save()
        finally:
            for network in networks:
                network.eval()
        if self._best is not None and self.is_finished:
            self._load(self._best["weights"])
        return self.network

    def _epoch(self, rows: Rows, learned: np.ndarray, held: np.ndarray, bar: Any) -> None:
        rng = np.random.default_rng([self.seed, self.epoch])
        seed_all(int(rng.integers(2**31)))
        totals: dict[str, float] = {}
        for network in self._networks().values():
            network.train()
        for number, (start, picked) in enumerate(_batches(rng.permutation(learned), self.batch_size)):
            self._number = number
            errors, extra = self._step(rows, picked)
            self._check_finite(errors, f"batch {start}")
            for name, value in errors.items():
                totals[name] = totals.get(name, 0.0) + value * len(picked)
            bar.update(len(picked))
            if not bar.disable:
                bar.set_postfix({name: f"{value:.4g}" for name, value in errors.items()}, refresh=False)
            self._report(batch=start, **errors, **extra)
        record = {name: total / len(learned) for name, total in totals.items()}
        record.update(self._test(rows, held))
        self._check_finite(record, "the test at its end")
        self.history.append({"epoch": self.epoch, **record})
        self.epoch += 1
        self._note_best(record)

    def _check_finite(self, errors: dict[str, float], where: str) -> None:
        for name, value in errors.items():
            if not math.isfinite(value):
                raise NonFiniteLoss(
                    f"{name} became {value} in epoch {self.epoch}, {where} (counted from 0): training went out of "
                    "bounds; lower the learning rate, or scale the data"
                )

    def _report(self, **what: Any) -> None:
        for callback in list(self._callbacks):
            callback(epoch=self.epoch, **what)

    # early stop

    def _note_best(self, record: dict[str, Any]) -> None:
        if self.patience is None:
            return
        error = self._error(record)
        if self._best is None or error < self._best["error"]:
            self._best = {"epoch": self.epoch, "error": error, "weights": self._weights()}

    def _is_out_of_patience(self) -> bool:
        return (
            self.patience is not None and self._best is not None and self.epoch - self._best["epoch"] >= self.patience
        )

    def _bar(self, total: int) -> Any:
        from tqdm import tqdm  # only who trains waits for it

        return tqdm(
            total=max(total, 0), unit="row", unit_scale=True, desc="training", disable=None if self.progress else True
        )


def _batches(order: np.ndarray, size: int) -> Iterator[tuple[int, np.ndarray]]:
    """Cut an order of rows into batches; a single last row joins the batch before, since norms of batches need two."""
    starts = list(range(0, len(order), size))
    if len(starts) > 1 and len(order) - starts[-1] == 1:
        starts.pop()
    for start, stop in zip(starts, [*starts[1:], len(order)], strict=True):
        yield start, order[start:stop]


def _plain_group(group: dict[str, Any]) -> str:
    return str(sorted((key, str(value)) for key, value in group.items() if key != "params"))
