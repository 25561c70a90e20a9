"""Ready-made models that learn from a corpus: from samples of it, once or in rounds.

Goal: a training set that fits the memory, drawn evenly from all documents. Conventions: a model of the first kind is
trained by one ``process``; one of the second kind draws new samples for each round of training, replaces the stored
pipeline after each, all of it or nothing, and ends when it was told to. Functions: ``learning_pipeline``,
``infinite_streaming_learning_pipeline``; class ``InfiniteSampler``.
"""

import itertools
import logging
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, EmptyCorpus, MissingArgument
from zounds_lite.featureflow.corpusof import CorpusOf
from zounds_lite.featureflow.feature import Feature, Var
from zounds_lite.featureflow.kinds import ClobberPickleFeature, PickleFeature
from zounds_lite.featureflow.model import BaseModel
from zounds_lite.featureflow.node import IteratorNode, Node
from zounds_lite.learn.pipeline import PreprocessingPipeline
from zounds_lite.learn.rounds import in_rounds

__all__ = ["InfiniteSampler", "infinite_streaming_learning_pipeline", "learning_pipeline"]

_log = logging.getLogger(__name__)
_THREADS = 4


def learning_pipeline() -> Any:
    """Return a model to subclass: ``samples``, an iterable of features, and ``shuffled``, a uniform sample of its rows.

    ``process`` takes ``samples``, ``nsamples`` (how many rows to keep) and ``dtype`` (None keeps that of the samples).

    Examples:
        >>> import zounds_lite as zounds
        >>> from zounds_lite import featureflow as ff
        >>> Base = learning_pipeline()
        >>> @zounds.simple_in_memory_settings
        ... class Scaled(Base):
        ...     scaled = ff.PickleFeature(zounds.InstanceScaling, needs=Base.shuffled)
        ...     pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=[scaled], store=True)
        >>> _id = Scaled.process(samples=(np.ones((5, 2)) * i for i in range(1, 4)), nsamples=10, dtype=np.float32)
        >>> Scaled(_id).pipeline.transform(np.array([[1.0, 4.0]])).data
        array([[0.25, 1.  ]])
    """
    from zounds_lite.learn.sampling import ShuffledSamples

    class LearningPipeline(BaseModel):
        samples = PickleFeature(IteratorNode)
        shuffled = PickleFeature(ShuffledSamples, nsamples=Var("nsamples"), dtype=Var("dtype"), needs=samples)

        @classmethod
        def process(cls, *args: Any, **kwargs: Any) -> str:
            return super().process(*args, **{"dtype": None, **kwargs})

    return LearningPipeline


class InfiniteSampler(Node):
    """Draws rows from a feature of all documents, anew for each round: from each as many as its share of all rows.

    Its input is ``(Model, Model.feature)``, or what ``corpus_of`` returns.

    Args:
        nsamples (int): rows in a round, > 0.
        dtype (Any): of the rows; None keeps it.
        feature_filter (Callable | None): called with the feature of each document first.
        parallel (bool): read documents in several threads.
        rounds (int | None): how many rounds to yield; None never ends.
        seed (int): the same seed draws the same rows.
        needs (Node): none; it is a root.

    Raises:
        DeclarationError: ``nsamples`` is no number above 0.
        EmptyCorpus: no document has rows.
    """

    def __init__(
        self,
        nsamples: int = 1024,
        dtype: Any = None,
        feature_filter: Callable[[Any], Any] | None = None,
        parallel: bool = True,
        rounds: int | None = None,
        seed: int = 0,
        needs: Any = None,
    ) -> None:
        super().__init__(needs=needs)
        if int(nsamples) != nsamples or nsamples < 1:
            raise DeclarationError(f"nsamples={nsamples!r}; allowed: a number of rows, 1 or more")
        self.nsamples = int(nsamples)
        self.dtype = dtype
        self.feature_filter = feature_filter
        self.parallel = parallel
        self.rounds = rounds
        self.seed = seed

    def _process(self, data: Any) -> Iterator[Any]:
        source = _Round.of(data)
        rounds = itertools.count() if self.rounds is None else range(self.rounds)
        for number in rounds:
            yield self._drawn(source, source.number + number)

    def _features(self, source: CorpusOf, ids: list[str]) -> Iterator[Any]:
        def read(_id: str) -> Any:
            found = getattr(source.model(_id), source.feature.name or "")
            return found if self.feature_filter is None else self.feature_filter(found)

        if not self.parallel:
            yield from map(read, ids)
            return
        with ThreadPoolExecutor(_THREADS) as pool:
            for start in range(0, len(ids), 4 * _THREADS):  # a few at a time: each may be large
                yield from pool.map(read, ids[start : start + 4 * _THREADS])

    def _drawn(self, source: CorpusOf, number: int) -> Any:
        ids = source.ids
        sizes = np.array([len(found) for found in self._features(source, ids)], np.int64)
        if not sizes.sum():
            raise EmptyCorpus(f"there is nothing to learn from: {source!r} have no rows; process documents first")
        rng = np.random.default_rng([self.seed, number])
        chosen = np.minimum(sizes, np.maximum(1, self.nsamples * sizes // sizes.sum()))
        parts: list[np.ndarray] = []
        for found, count in zip(self._features(source, ids), chosen, strict=True):
            rows = np.sort(rng.choice(len(found), min(int(count), len(found)), replace=False))
            parts.append(np.asarray(found)[rows])
        drawn = np.concatenate(parts).astype(self.dtype or parts[0].dtype, copy=False)
        return drawn[rng.permutation(len(drawn))[: self.nsamples]]


class _Round(CorpusOf):
    """A corpus of which samples are drawn, and the number of the next round.

    What was learned in many rounds is not learned again only because somebody reads it, so the corpus is described as
    one that cannot be had again.
    """

    number = 0

    @classmethod
    def of(cls, dataset: Any, number: int | None = None) -> "_Round":
        if isinstance(dataset, CorpusOf):
            source = cls(dataset.model, dataset.feature, dataset.chosen, dataset.counts_documents)
            source.number = getattr(dataset, "number", 0)
        else:
            try:
                model, feature = dataset
            except (TypeError, ValueError):
                raise DeclarationError(f"dataset={dataset!r:.100}; needed: (Model, Model.feature)") from None
            source = cls(model, feature)
        if number is not None:
            source.number = number
        return source

    def describe_as_source(self) -> dict[str, Any]:
        return {**super().describe_as_source(), "is_restorable": False}


class _InRounds(BaseModel):
    """What models that learn in rounds share."""

    @classmethod
    def process(  # type: ignore[override]
        cls, rounds: int | None = None, epochs: int | None = None, **kwargs: Any
    ) -> str:
        """Learn in rounds, each of new samples, and store the pipeline after each.

        It ends after ``rounds``; when every trainer has done its epochs, or ``epochs``; or when it is interrupted
        (Ctrl-C), with what the last complete round has learned in the store.

        Args:
            rounds (int | None): how many rounds; None leaves it to the trainers.
            epochs (int | None): ends as soon as every trainer has done so many.
            kwargs: ``dataset=(Model, Model.feature)``, ``nsamples``, and optionally ``dtype``, ``feature_filter``,
                ``parallel``, ``seed``; as for ``InfiniteSampler``.

        Returns:
            str: the id.

        Raises:
            DeclarationError: neither ``rounds`` nor a trainer says when to end.
            MissingArgument: ``dataset`` or ``nsamples`` is missing.
        """
        trainers = cls._trainers()
        if rounds is None and not trainers:
            raise DeclarationError("no step has a trainer with epochs, so nothing says when to end; give rounds=")
        if rounds is not None and rounds < 1:
            raise DeclarationError(f"rounds={rounds!r}; allowed: 1 or more")
        if "dataset" not in kwargs:
            raise MissingArgument("process() needs dataset=(Model, Model.feature)")
        given = {"dtype": None, "feature_filter": None, "parallel": True, "seed": 0, **kwargs}
        _id = cls.id_provider.new_id(**kwargs)  # type: ignore[attr-defined]
        done = 0
        for trainer in trainers:
            if getattr(trainer, "is_finished", False):  # it was used before
                trainer.reset()
        try:
            for number in _progress(itertools.count() if rounds is None else range(rounds), rounds):
                cls._learn_round(_id, {**given, "dataset": _Round.of(kwargs["dataset"], number)})
                done += 1
                if trainers and all(_is_finished(trainer, epochs) for trainer in trainers):
                    break
        except KeyboardInterrupt:
            if not done:
                raise
            _log.warning("interrupted: %r holds what %d rounds have learned", _id, done)
        return str(_id)

    @classmethod
    def _learn_round(cls, _id: str, inputs: dict[str, Any]) -> None:
        cls._check_arguments(inputs, cls.id_provider)  # type: ignore[attr-defined]
        with in_rounds():  # trainers do some epochs in each
            cls._commit([cls._prepare(_id, inputs)])

    @classmethod
    def _trainers(cls) -> list[Any]:
        arguments = [value for feature in cls.features.values() for value in feature.extractor_args.values()]
        return [value for value in arguments if hasattr(value, "epochs") and hasattr(value, "train")]

    def load_network(self) -> Any:
        """Return the network that the stored pipeline holds, for example to go on training it.

        Raises:
            RuntimeError: there is none.
        """
        for step in self.pipeline:
            network = getattr(step, "network", None)
            if network is not None:
                return network
        raise RuntimeError(f"{self!r} holds no network; none of its steps {self.pipeline.names} has one")

    pipeline: Any


def _is_finished(trainer: Any, epochs: int | None) -> bool:
    if getattr(trainer, "is_finished", False):  # which may be before its last epoch
        return True
    done = getattr(trainer, "epoch", getattr(trainer, "_current_epoch", 0))
    return bool(done >= (trainer.epochs if epochs is None else epochs))


def _progress(rounds: Any, total: int | None) -> Any:
    from tqdm import tqdm  # only who learns waits for it

    return tqdm(rounds, "rounds", total, unit="round", disable=not sys.stderr.isatty(), file=sys.stderr)


def infinite_streaming_learning_pipeline(cls: Any) -> Any:
    """Class decorator: learn in rounds, each from new samples of a feature of all documents.

    The model's only root gets the samples; a ``pipeline`` over all of its features is added, and stored after every
    round. See ``process`` for when it ends: ``process(dataset=(Sound, Sound.bark), nsamples=1000, rounds=10)``.

    Raises:
        DeclarationError: not exactly one feature needs nothing.

    Examples:
        >>> import zounds_lite as zounds
        >>> from zounds_lite import featureflow as ff
        >>> @zounds.simple_in_memory_settings
        ... class Sound(ff.BaseModel):
        ...     x = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)
        >>> _ = [Sound.process(x=[np.full((4, 2), i)]) for i in (1.0, 2.0)]
        >>> @zounds.simple_in_memory_settings
        ... @infinite_streaming_learning_pipeline
        ... class Normalized(ff.BaseModel):
        ...     meanstd = ff.PickleFeature(zounds.MeanStdNormalization)
        >>> _id = Normalized.process(dataset=(Sound, Sound.x), nsamples=8, rounds=2)
        >>> Normalized(_id).pipeline["meanstd"].mean
        array([1.5, 1.5])
    """
    roots = [feature for feature in cls.features.values() if feature.is_root]
    if len(roots) != 1:
        names = [feature.name for feature in roots]
        raise DeclarationError(f"{cls.__name__} has the roots {names}; needed: exactly one, which gets the samples")
    dataset = Feature(
        InfiniteSampler,
        nsamples=Var("nsamples"),
        dtype=Var("dtype"),
        feature_filter=Var("feature_filter"),
        parallel=Var("parallel"),
        seed=Var("seed"),
        rounds=1,
    )
    root = roots[0].copy(needs=dataset)
    features = {**cls.features, roots[0].name: root}
    pipeline = ClobberPickleFeature(PreprocessingPipeline, needs=list(features.values()), store=True)
    about = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    added = {"dataset": dataset, roots[0].name: root, "pipeline": pipeline}
    return type(cls)(cls.__name__, (_InRounds, cls), {**about, **added})
