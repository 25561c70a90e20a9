"""Preprocessor: the base of all nodes that learn from a corpus.

Goal: an author says how to learn from a corpus, in ``_train``, and nothing of streams. Conventions: chunks of all
documents are collected until the stream has ended, so statistics are always of the whole corpus; what comes out is one
``PreprocessResult``, whose data, transformed, is what the next preprocessor learns from. Class: ``Preprocessor``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from zounds_lite.errors import EmptyCorpus, NotEnoughData
from zounds_lite.featureflow.node import Aggregator, Node
from zounds_lite.learn.corpus import Corpus
from zounds_lite.learn.pipeline import PreprocessResult

__all__ = ["Preprocessor"]


class Preprocessor(Aggregator, Node):
    """A node that learns a step of a pipeline from the features of all documents.

    Override ``_train``. With several inputs, given as a mapping, it gets a corpus of dicts by the names of the inputs.

    Args:
        needs (Node | Mapping[str, Node] | None): where the features come from: a node that yields those of one document
            after the other, or another preprocessor, whose transformed data are learned from.

    Raises:
        EmptyCorpus: no document came, or none has rows.
        RaggedCorpus: features of different shapes; the message names the chunk.
        NonFiniteFeatures: features with NaN or infinite values; the message names the document and the chunk.

    Examples:
        >>> import numpy as np
        >>> from zounds_lite.learn import Multiply, Op, PreprocessResult
        >>> class Loudest(Preprocessor):
        ...     def _train(self, corpus):
        ...         peak = max(np.abs(chunk).max() for chunk in corpus)
        ...         [scaled] = Multiply(1 / peak).run([np.zeros((1, 1))])
        ...         return PreprocessResult(corpus.map(scaled.op), scaled.op)
        >>> [result] = Loudest().run([np.array([[1.0], [-4.0]]), np.array([[2.0]])])
        >>> [chunk.tolist() for chunk in result.data]
        [[[0.25], [-1.0]], [[0.5]]]
    """

    def __init__(self, needs: Any = None) -> None:
        super().__init__(needs=needs)

    def _train(self, corpus: Corpus) -> PreprocessResult:
        """Learn from all documents.

        Args:
            corpus (Corpus): chunks of features; it can be read as often as needed.

        Returns:
            PreprocessResult: the step; its data is usually ``corpus.map(op)``.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how to learn: override _train")

    # one stream in, one result out

    @property
    def _corpora(self) -> dict[str | None, Corpus]:
        found: dict[str | None, Corpus] = self._run.setdefault("corpora", {})
        return found

    @property
    def _whole(self) -> set[str | None]:
        """The inputs that have given all that they will: a trained step, or a corpus."""
        found: set[str | None] = self._run.setdefault("whole", set())
        return found

    def _enqueue(self, data: Any, pusher: Node | None) -> None:
        name = self._dependency_name(pusher)
        if _is_trained(data):
            data = _extracted(data)
            if isinstance(data, Corpus):
                self._corpora[name] = data
                self._whole.add(name)
                return
        if name not in self._corpora:
            self._corpora[name] = Corpus(text=len(self.needs) > 1)  # of several inputs, one may be labels
        self._corpora[name].append(data)

    def _dequeue(self) -> Any:
        names: set[str | None] = set(self.needs) or {None}
        if not (self._whole >= names or self._ending()) or "trained" in self._run:
            raise NotEnoughData()
        missing = sorted(str(name) for name in names - self._corpora.keys())
        if missing:
            what = f" from {', '.join(missing)}" if self.needs else ""
            raise EmptyCorpus(
                f"{type(self).__name__} has nothing to learn from: no features came{what}; process documents before "
                "training, and see that the iterable was not read up before"
            )
        self._run["trained"] = True
        corpora = {str(name): self._corpora[name] for name in self.needs or [None]}
        corpus = Corpus.zipped(corpora) if len(corpora) > 1 else next(iter(corpora.values()))
        corpus.check_rows()
        return corpus

    def _process(self, data: Corpus) -> Iterator[PreprocessResult]:
        yield self._train(data)


def _is_trained(data: Any) -> bool:
    values = data.values() if isinstance(data, Mapping) else [data]
    return all(isinstance(value, (PreprocessResult, Corpus)) for value in values)


def _extracted(data: Any) -> Any:
    """Return the corpus in a result, a corpus, or a dict of them."""
    if isinstance(data, Mapping):
        return Corpus.zipped({name: _extracted(value) for name, value in data.items()})
    if isinstance(data, Corpus):
        return data
    if data.data is None:
        raise EmptyCorpus(
            f"{data!r} was read from a store, so the data that it was trained on are gone; train the steps that need "
            "each other in one run: leave store=True to the pipeline"
        )
    return data.data if isinstance(data.data, Corpus) else Corpus([data.data])
