"""Models of scikit-learn as steps of a pipeline.

Goal: any estimator learns from the features of a corpus, is stored as data that no reader executes, and transforms and
inverts with units. Conventions: examples are flattened to rows of numbers on the way in, and take their shape again on
the way back; the first dimension stays. What another version of scikit-learn stored is refused (``estimators``). Nodes:
``SklearnModel``, ``WithComponents``. Ops: ``FittedEstimator``, ``FittedComponents``.
"""

import inspect
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from zounds_lite._lazy import optional
from zounds_lite.errors import DeclarationError, DimensionError, NotInvertible, RaggedCorpus
from zounds_lite.learn.corpus import Corpus
from zounds_lite.learn.estimators import dump_estimator, load_estimator
from zounds_lite.learn.labels import one_for_each
from zounds_lite.learn.ops import Op, plain_rows
from zounds_lite.learn.pipeline import PreprocessResult
from zounds_lite.learn.preprocessor import Preprocessor
from zounds_lite.learn.reservoir import whole_number
from zounds_lite.learn.units import like

__all__ = ["FittedComponents", "FittedEstimator", "SklearnModel", "WithComponents"]

_METHODS = ("transform", "predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples", "apply")
"""What a step may do with rows."""

_MEMORY = 256 * 1024 * 1024
"""Bytes of a corpus that are joined for ``fit``; a larger one is streamed, where the estimator can learn so."""

_BATCH = 8192
"""Rows of a batch that is streamed, at least."""


def _flat(data: Any) -> np.ndarray:
    rows = np.asarray(data)
    return rows.reshape(len(rows), int(np.prod(rows.shape[1:])))


class FittedEstimator(Op):
    """What a fitted estimator of scikit-learn makes of rows.

    Args:
        state (np.ndarray): the estimator, as the bytes of ``dump_estimator``.
        method (str): the method to call: ``transform``, ``predict``, ``predict_proba``, ...
        row_shape (Sequence[int]): the shape of one example.
    """

    is_rowwise = True

    def __init__(self, state: Any, method: str, row_shape: Any) -> None:
        super().__init__(state=np.asarray(state), method=method, row_shape=tuple(int(size) for size in row_shape))

    state: np.ndarray
    method: str
    row_shape: tuple[int, ...]

    def validate(self) -> None:
        if self.method not in _METHODS:
            raise DeclarationError(f"method={self.method!r}; allowed: {', '.join(_METHODS)}")
        if self.state.dtype != np.uint8 or self.state.ndim != 1:
            raise DeclarationError("the state of an estimator is an array of bytes")

    @cached_property
    def model(self) -> Any:
        """The estimator.

        Raises:
            UntrustedValue: what is stored is a pickle, or more than data.
            ModelVersionError: another version of scikit-learn stored it.
            OptionalDependencyError: scikit-learn or skops is not installed.
        """
        return load_estimator(self.state.tobytes())

    def __call__(self, data: Any) -> np.ndarray:
        rows = _flat(plain_rows(data, self.row_shape, "SklearnModel"))
        if not len(rows):  # scikit-learn refuses to make nothing of nothing
            return self._applied(np.zeros((1, rows.shape[1]), rows.dtype))[:0]
        return self._applied(rows)

    def _applied(self, rows: np.ndarray) -> np.ndarray:
        made = getattr(self.model, self.method)(rows)
        return np.asarray(made.toarray() if hasattr(made, "toarray") else made)

    @property
    def is_invertible(self) -> bool:
        return self.method == "transform" and hasattr(self.model, "inverse_transform")

    def inverse(self, data: Any) -> np.ndarray:
        if not self.is_invertible:
            raise NotInvertible(f"{type(self.model).__name__}.{self.method} has no way back")
        return self._back(np.asarray(data))

    def _back(self, rows: np.ndarray) -> np.ndarray:
        if not len(rows):
            return np.zeros((0, *self.row_shape))
        return np.asarray(self.model.inverse_transform(rows)).reshape(len(rows), *self.row_shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.state)} bytes, method={self.method!r}, row_shape={self.row_shape})"


class FittedComponents(FittedEstimator):
    """Like ``FittedEstimator``; the inverse is the sum of components, weighted by what ``transform`` made.

    Args:
        state (np.ndarray): the estimator, as the bytes of ``dump_estimator``.
        method (str): as there.
        row_shape (Sequence[int]): the shape of one example.
    """

    @property
    def is_invertible(self) -> bool:
        return True

    def _back(self, rows: np.ndarray) -> np.ndarray:
        components = np.asarray(self.model.components_)
        if rows.ndim != 2 or rows.shape[1] != len(components):
            raise DimensionError(
                f"the inverse was given an array of shape {list(rows.shape)}; needed: a weight for each of the "
                f"{len(components)} components"
            )
        return np.asarray(rows @ components).reshape(len(rows), *self.row_shape)


class SklearnModel(Preprocessor):
    """Learns a model of scikit-learn, and applies it.

    The estimator itself is left as it is: a copy of it learns. A corpus of up to 256 MB (as 64-bit numbers) is joined
    in memory for ``fit``. A larger one is streamed to ``partial_fit`` in batches, once, where the estimator has that;
    the other estimators need all of it in memory. Estimators that learn from labels take
    ``needs=dict(data=..., labels=...)``.

    Args:
        model (sklearn.base.BaseEstimator): an estimator, or a pipeline of them, with its parameters.
        method (str | None): what to call with rows: ``transform``, ``predict``, ``predict_proba``,
            ``predict_log_proba``, ``decision_function``, ``score_samples`` or ``apply``; None takes ``transform``, or
            ``predict`` where there is none.
        seed (int | None): stands in for each ``random_state`` that is None, so that training can be repeated; None
            leaves them.
        needs (Node | Mapping[str, Node]): where the features, and the labels, come from.

    Shape: ``[examples, ...] -> [examples, ...]``, as the model makes it, the first dimension kept

    Raises:
        DeclarationError: no estimator was given, or it lacks the method.
        UntrustedValue: it holds something that cannot be stored as data.
        RaggedCorpus: features are complex; or labels that are not one for each example.
        OptionalDependencyError: scikit-learn or skops is not installed.

    See Also:
        ``WithComponents``, for models that have components and no way back; ``KMeans``, which needs no scikit-learn.
    """

    _op_type: type[FittedEstimator] = FittedEstimator

    def __init__(self, model: Any = None, method: str | None = None, seed: int | None = 0, needs: Any = None) -> None:
        super().__init__(needs=needs)
        if isinstance(model, type) or not all(hasattr(model, name) for name in ("fit", "get_params", "set_params")):
            raise DeclarationError(f"model={model!r:.100}; needed: an estimator, such as PCA(n_components=3)")
        if method is not None and method not in _METHODS:
            raise DeclarationError(f"method={method!r}; allowed: {', '.join(_METHODS)}, or None")
        self.model = model
        self.method = method
        self.seed = None if seed is None else whole_number(seed, "seed", least=0)

    def _train(self, corpus: Corpus) -> PreprocessResult:
        example = corpus.example
        names = set(example) if isinstance(example, Mapping) else {"data"}
        if not {"data"} <= names <= {"data", "labels"}:
            raise DeclarationError(f"inputs are named {sorted(names)}; needed: needs=dict(data=..., labels=...)")
        data = np.asarray(_data(example))
        if data.dtype.kind not in "biuf":
            raise RaggedCorpus(f"features are {data.dtype}; scikit-learn needs real numbers: take AbsoluteValue first")
        fitted = self._fitted(corpus, int(np.prod(data.shape[1:])))
        method = self.method or ("transform" if hasattr(fitted, "transform") else "predict")
        if not hasattr(fitted, method):
            there = [name for name in _METHODS if hasattr(fitted, name)]
            raise DeclarationError(
                f"{type(fitted).__name__} has no method {method!r} for rows that it was not trained on; it has "
                f"{', '.join(there) or 'none'}"
            )
        op = self._op_type(np.frombuffer(dump_estimator(fitted), np.uint8), method, data.shape[1:])
        self._check(op)
        return PreprocessResult(corpus.map(lambda chunk: like(op(_data(chunk)), _data(chunk), op)), op)

    def _check(self, op: FittedEstimator) -> None:
        """Refuse a model that cannot do what the step promises."""

    def _fitted(self, corpus: Corpus, features: int) -> Any:
        """Return a copy of the estimator that has learned from the corpus."""
        model = optional("sklearn.base").clone(self.model)
        if self.seed is not None:
            open_ = {name: value for name, value in model.get_params(deep=True).items() if value is None}
            model.set_params(**{name: self.seed for name in open_ if name.split("__")[-1] == "random_state"})
        if hasattr(model, "partial_fit") and corpus.rows * max(1, features) * 8 > _MEMORY:
            return self._streamed(model, corpus)
        joined = corpus.concatenated()
        labels = joined.get("labels") if isinstance(joined, Mapping) else None
        rows = _flat(_data(joined))
        return model.fit(rows) if labels is None else model.fit(rows, one_for_each(labels))

    def _streamed(self, model: Any, corpus: Corpus) -> Any:
        extra: dict[str, Any] = {}
        if "classes" in inspect.signature(model.partial_fit).parameters and isinstance(corpus.example, Mapping):
            extra["classes"] = np.unique(np.concatenate([np.unique(chunk["labels"]) for chunk in corpus]))
        for batch in _batches(corpus):
            rows = _flat(_data(batch))
            if isinstance(batch, Mapping) and "labels" in batch:
                model.partial_fit(rows, one_for_each(batch["labels"]), **extra)
            else:
                model.partial_fit(rows)
        return model


class WithComponents(SklearnModel):
    """Learns a model of scikit-learn that has ``components_``, whose weighted sum is the way back.

    For models without ``inverse_transform``, such as ``DictionaryLearning``.

    Args:
        model (sklearn.base.BaseEstimator): as for ``SklearnModel``.
        method (str | None): as there.
        seed (int | None): as there.
        needs (Node): where the features come from.

    Raises:
        DeclarationError: the model has no components.
    """

    _op_type = FittedComponents

    def _check(self, op: FittedEstimator) -> None:
        if not hasattr(op.model, "components_"):
            raise DeclarationError(f"{type(op.model).__name__} has no components_; use SklearnModel")


def _data(chunk: Any) -> Any:
    return chunk["data"] if isinstance(chunk, Mapping) else chunk


def _batches(corpus: Corpus) -> Iterator[Any]:
    """Yield the corpus in batches of at least so many rows: some models cannot learn from a few."""
    waiting: list[Any] = []
    rows = 0
    for block in corpus.blocks(_BATCH):
        waiting.append(block)
        rows += len(_data(block))
        if rows >= 2 * _BATCH:
            joined = _joined(waiting)
            yield _part(joined, slice(0, _BATCH))
            waiting, rows = [_part(joined, slice(_BATCH, None))], rows - _BATCH
    if rows:
        yield _joined(waiting)


def _part(batch: Any, rows: slice) -> Any:
    return {name: part[rows] for name, part in batch.items()} if isinstance(batch, Mapping) else batch[rows]


def _joined(blocks: list[Any]) -> Any:
    if isinstance(blocks[0], Mapping):
        return {name: np.concatenate([np.asarray(block[name]) for block in blocks]) for name in blocks[0]}
    return np.concatenate([np.asarray(block) for block in blocks])
