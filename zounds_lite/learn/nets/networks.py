"""Networks as steps of a pipeline: trained on a corpus, stored as data, applied in chunks of rows.

Goal: what a trainer trains becomes a step like any other. Conventions: rows go into the network along its first axis,
as floating-point numbers of the precision of its weights, and come out as arrays with the time they had; the network of
a step is ``pipeline[-1].network``, in eval mode, on the CPU until ``network.to(device)`` moves it. Nodes:
``PyTorchNetwork``, ``PyTorchAutoEncoder``, ``PyTorchGan``; ops: ``AppliedNetwork``, ``AutoEncoded``.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, DimensionError, NetworkMismatch
from zounds_lite.learn.corpus import Corpus
from zounds_lite.learn.nets._tables import check_size
from zounds_lite.learn.nets.applying import apply_network
from zounds_lite.learn.nets.storing import StoredNetwork
from zounds_lite.learn.ops import Op, plain_rows
from zounds_lite.learn.pipeline import PreprocessResult
from zounds_lite.learn.preprocessor import Preprocessor
from zounds_lite.learn.rounds import learns_in_rounds

__all__ = ["AppliedNetwork", "AutoEncoded", "PyTorchAutoEncoder", "PyTorchGan", "PyTorchNetwork"]

_CHUNK = 128
"""Rows that go through a network in one go, where nothing else is said."""


def _rows_through(network: Any, data: Any, chunksize: int) -> np.ndarray:
    """Send rows through a network, and say it in our words where they do not fit."""
    rows = plain_rows(data, None, f"the network {type(network).__name__}")
    try:
        out = apply_network(network, rows, chunksize)
    except RuntimeError as error:
        raise DimensionError(
            f"the network {type(network).__name__} does not take rows of shape {list(rows.shape[1:])} and dtype "
            f"{rows.dtype}: {str(error)[:300]}"
        ) from error
    if not out.ndim or len(out) != len(rows):
        raise DimensionError(
            f"of {len(rows)} rows the network {type(network).__name__} makes an array of shape {list(out.shape)}; "
            "needed: a row for each"
        )
    return out


class AppliedNetwork(Op):
    """Sends rows through a network, or a part of it.

    Args:
        stored (StoredNetwork): the network.
        part (str | None): the attribute of it to apply; None applies all.
        chunksize (int): rows in one go.
        history (list[dict]): the errors of each epoch in which it was trained.
    """

    is_rowwise = True

    def __init__(self, stored: Any, part: str | None = None, chunksize: int = _CHUNK, history: Any = ()) -> None:
        super().__init__(stored=stored, part=part, chunksize=chunksize, history=list(history))

    stored: StoredNetwork
    part: str | None
    chunksize: int
    history: list[dict[str, Any]]

    def describe(self) -> dict[str, Any]:
        """Say what counts: not the way to it."""
        return {name: value for name, value in super().describe().items() if name != "history"}

    def validate(self) -> None:
        if not isinstance(self.stored, StoredNetwork):
            raise DeclarationError(f"stored={self.stored!r:.100}; needed: a StoredNetwork")
        check_size("chunksize", self.chunksize)

    @property
    def network(self) -> Any:
        """The whole network, in eval mode."""
        return self.stored.network

    def __call__(self, data: Any, **extra: Any) -> Any:
        network = self.network if self.part is None else getattr(self.network, self.part)
        return _rows_through(network, data, self.chunksize)


class AutoEncoded(AppliedNetwork):
    """Encodes rows; the inverse decodes them.

    Args:
        stored (StoredNetwork): with the attributes ``encoder`` and ``decoder``.
        part (str): the one that is applied.
        chunksize (int): rows in one go.
        history (list[dict]): the errors of each epoch in which it was trained.
    """

    def __init__(self, stored: Any, part: str = "encoder", chunksize: int = _CHUNK, history: Any = ()) -> None:
        super().__init__(stored, part, chunksize, history)

    def inverse(self, data: Any, **inversion_data: Any) -> Any:
        return _rows_through(self.network.decoder, data, self.chunksize)


class PyTorchNetwork(Preprocessor):
    """Trains a network on the features of all documents, and applies it.

    Inputs of several names, ``needs=dict(data=features, labels=classes)``, reach the trainer by these names; what is
    transformed is ``data``. In a model that learns in rounds, each round does ``checkpoint_epochs`` epochs of the
    trainer; else all are done.

    Args:
        trainer (Trainer): trains the network. In the lineage it counts by its arguments: change one, or the code of
            the network, the loss or a function among them, and the pipeline is stale.
        post_training_func (Callable | None): makes, of the rows that the trainer took, those that the network takes,
            for the next preprocessor: ``lambda x: x[:, :64]`` where triplets were trained on longer examples.
        needs (Node | Mapping[str, Node]): where the features come from.
        training_set_prep (Callable | None): takes the training set as a dict of arrays, in memory, and returns that
            which the trainer gets.
        chunksize (int | None): rows that go through the network in one go; None takes 128.

    Raises:
        NetworkMismatch: the network cannot be stored as data; raised before training begins.

    Shape: ``[examples, ...] -> [examples, ...]``, the first dimension kept.

    Examples:
        >>> from zounds_lite.learn import SupervisedTrainer
        >>> from torch import nn, optim
        >>> trainer = SupervisedTrainer(
        ...     nn.Linear(2, 1), nn.MSELoss(), lambda model: optim.Adam(model.parameters(), lr=0.1),
        ...     epochs=50, batch_size=20)
        >>> x = np.random.default_rng(0).normal(size=(100, 2))
        >>> corpus = Corpus([{"data": x, "labels": x.sum(axis=1, keepdims=True)}])
        >>> result = PyTorchNetwork(trainer)._train(corpus)
        >>> bool(np.abs(result.op(x) - x.sum(axis=1, keepdims=True)).max() < 0.1)
        True
    """

    _part: str | None = None
    _op_class: type[AppliedNetwork] = AppliedNetwork

    def __init__(
        self,
        trainer: Any = None,
        post_training_func: Callable[[Any], Any] | None = None,
        needs: Any = None,
        training_set_prep: Callable[[Any], Any] | None = None,
        chunksize: int | None = None,
    ) -> None:
        self._same: dict[str, str] = {}
        super().__init__(needs=self._once(needs) if isinstance(needs, Mapping) else needs)
        if chunksize is not None:
            check_size("chunksize", chunksize)
        self.trainer = trainer
        self.post_training_func = post_training_func
        self.training_set_prep = training_set_prep
        self.chunksize = chunksize

    def _once(self, needs: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out inputs that are another one too, as where labels are the data: a graph feeds each once."""
        found: dict[str, Any] = {}
        for name, node in needs.items():
            same = next((other for other, known in found.items() if known is node), None)
            if same is None:
                found[name] = node
            else:
                self._same[name] = same
        return found

    def _named(self, chunk: Any) -> Any:
        """Give a chunk the inputs back that are another one too."""
        named = chunk if isinstance(chunk, Mapping) else {next(iter(self.needs)): chunk}
        return {**named, **{name: named[same] for name, same in self._same.items()}}

    def _train(self, corpus: Corpus) -> PreprocessResult:
        if self._same:
            corpus = corpus.map(self._named)
        if not hasattr(self.trainer, "train"):
            raise DeclarationError(
                f"{type(self).__name__} has trainer={self.trainer!r:.100}; needed: a trainer, such as SupervisedTrainer"
            )
        self._check_network(self.trainer.network)
        learn = self.trainer.train_round if learns_in_rounds() else self.trainer.train
        network = learn(self._training_set(corpus))
        history = getattr(self.trainer, "history", ())
        op = self._op_class(StoredNetwork.of(network), self._part, self.chunksize or _CHUNK, history)
        rows = corpus.map(_data_of)
        if self.post_training_func is not None:
            rows = rows.map(self.post_training_func)
        self._compare(network, op, self._example(rows))
        return PreprocessResult(rows.map(op), op)

    def _check_network(self, network: Any) -> None:
        """Refuse a network that could not be stored, before it is trained for hours."""
        if self._part is not None and not hasattr(network, self._part):
            raise DeclarationError(f"{type(network).__name__} has no attribute {self._part!r}, which is to be applied")
        _ = StoredNetwork.of(network).network

    def _training_set(self, corpus: Corpus) -> Any:
        if self.training_set_prep is None:
            return corpus
        whole = corpus.concatenated()
        return self.training_set_prep(whole if isinstance(whole, dict) else {"data": whole})

    def _example(self, rows: Corpus) -> Any:
        """Return some rows that the network takes."""
        return np.asarray(rows.example)

    def _compare(self, network: Any, op: AppliedNetwork, example: Any) -> None:
        """Refuse a network that would not come back from a store as what was trained."""
        trained = network if self._part is None else getattr(network, self._part)
        wanted, found = _rows_through(trained, example, op.chunksize), op(example)
        is_same = wanted.dtype == found.dtype and wanted.shape == found.shape
        if not is_same or not np.allclose(wanted, found, rtol=1e-2, atol=1e-4, equal_nan=True):
            raise NetworkMismatch(
                f"{type(network).__name__} makes something else when it is built anew from the arguments of its "
                "constructor and its weights: it has other state; register it as buffers, or add it to the arguments"
            )


class PyTorchAutoEncoder(PyTorchNetwork):
    """Trains a network to give back what it is given, and applies its encoder; the inverse is its decoder.

    Args:
        trainer (SupervisedTrainer): its network has the attributes ``encoder`` and ``decoder``; its labels are its
            data.
        needs (Node): where the features come from.

    Raises:
        NetworkMismatch: the network cannot be stored as data.

    Shape: ``[examples, ...] -> [examples, ...]``, the first dimension kept; back with all units.
    """

    _part = "encoder"
    _op_class = AutoEncoded

    def __init__(self, trainer: Any = None, needs: Any = None) -> None:
        super().__init__(trainer=trainer, needs=needs)

    def _check_network(self, network: Any) -> None:
        super()._check_network(network)
        if not hasattr(network, "decoder"):
            raise DeclarationError(f"{type(network).__name__} has no attribute 'decoder', which is the way back")

    def _training_set(self, corpus: Corpus) -> Any:
        data = corpus.map(_data_of)
        return {"data": data, "labels": data}


class PyTorchGan(PyTorchNetwork):
    """Trains a generator and a discriminator against each other, and applies one of them.

    Args:
        apply_network (str): ``"generator"``, which makes examples out of noise, or ``"discriminator"``, which scores
            examples.
        trainer (WassersteinGanTrainer): its network has these attributes.
        needs (Node): where the features come from.

    Raises:
        DeclarationError: ``apply_network`` is something else.
        NetworkMismatch: the network cannot be stored as data.
    """

    def __init__(self, apply_network: str = "generator", trainer: Any = None, needs: Any = None) -> None:
        super().__init__(trainer=trainer, needs=needs)
        if apply_network not in ("generator", "discriminator"):
            raise DeclarationError(f"apply_network={apply_network!r}; allowed: 'generator' or 'discriminator'")
        self.apply_network = apply_network

    @property
    def _part(self) -> str | None:  # type: ignore[override]
        return self.apply_network

    def _example(self, rows: Corpus) -> Any:
        latent = getattr(self.trainer, "latent_dimension", None)
        if self.apply_network == "discriminator" or latent is None:
            return super()._example(rows)
        return np.random.default_rng(0).standard_normal((4, *latent))


def _data_of(chunk: Any) -> Any:
    """Return the rows that a network takes of a chunk with several named inputs."""
    if not isinstance(chunk, Mapping):
        return chunk
    if "data" not in chunk:
        raise DeclarationError(f"a network gets {', '.join(chunk)}; needed: needs=dict(data=..., labels=...)")
    return chunk["data"]
