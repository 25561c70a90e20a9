"""Learned: a stored pipeline as a node of other documents.

Goal: learned features are sliced, stored, versioned and computed when needed like any other: they are stale as soon as
the pipeline was trained to something else. Conventions: the pipeline is read from its store when it is needed, and once
for as long as it stays what it is. Class: ``Learned``.
"""

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, FeatureNotComputable, KeyNotFound, LineageError, NotTrained
from zounds_lite.featureflow.feature import Var
from zounds_lite.featureflow.locality import Locality, Pointwise
from zounds_lite.featureflow.model import BaseModel
from zounds_lite.featureflow.node import Node
from zounds_lite.learn.pipeline import Pipeline

__all__ = ["Learned"]

_READING: ContextVar[tuple[tuple[Any, str], ...]] = ContextVar("reading", default=())
"""The documents whose pipelines are being read, to find those that need themselves."""

_READ: dict[tuple[Any, str, Any], tuple[Any, Pipeline]] = {}
"""Pipelines by document, with the state of the document that they were read from."""

_MOST_READ = 32


class Learned(Node):
    """Applies a pipeline that was learned from a corpus.

    Args:
        learned (BaseModel | type[BaseModel] | Pipeline): the document that holds the pipeline, such as
            ``ExamplePipeline(_id)``; its class, where it has a single document; or the pipeline itself.
        version (str | None): names the version by hand, so that the features stay fresh until you change it.
        wrapper (Callable | None): called with each result, for example to give it units.
        pipeline_func (Callable | None): takes the document and returns the pipeline; by default, its ``pipeline``.
        needs (Node): where the data come from.
        dtype (Any): converts the data first.

    Raises:
        NotTrained: there is no such document, or it has no pipeline.
        LineageError: the pipeline is learned from what it is to compute.

    Examples:
        >>> import numpy as np
        >>> from zounds_lite.learn import Multiply
        >>> pipeline = Pipeline(list(Multiply(3.0).run([np.ones((1, 2))])))
        >>> [result] = Learned(pipeline).run([np.array([[1.0, 2.0]])])
        >>> result
        array([[3., 6.]])
    """

    def __init__(
        self,
        learned: Any = None,
        version: str | None = None,
        wrapper: Callable[[Any], Any] | None = None,
        pipeline_func: Callable[[Any], Any] | None = None,
        needs: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(needs=needs)
        self.learned = learned
        self.version = version
        self.wrapper = wrapper
        self.pipeline_func = pipeline_func
        self.dtype = None if dtype is None else np.dtype(dtype)
        self._rows: list[Any] = []

    @classmethod
    def lineage_parameters(cls, arguments: Mapping[str, Any], version: str | None = None) -> dict[str, Any]:
        """Say what of the arguments counts: the pipeline by its version, not by where it is read from.

        Args:
            arguments (Mapping[str, Any]): the arguments.
            version (str | None): the feature's, which is ours too.
        """
        learned, version = arguments.get("learned"), arguments.get("version") or version
        others = {name: arguments.get(name) for name in ("wrapper", "dtype")}
        if others["dtype"] is not None and not isinstance(others["dtype"], Var):
            others["dtype"] = np.dtype(others["dtype"]).str
        if version is None and not isinstance(learned, Var):
            version = _pipeline_of(learned, arguments.get("pipeline_func")).version
        return {**others, "pipeline": learned if version is None else version}

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline as it is now."""
        found: Pipeline | None = self._run.get("pipeline")
        if found is None:  # one for the whole run
            found = self._run["pipeline"] = _pipeline_of(self.learned, self.pipeline_func)
        return found

    def locality(self, example: Any) -> Locality | None:
        return Pointwise() if self.pipeline.is_rowwise else None

    def _apply(self, data: Any) -> Any:
        if self.dtype is not None:
            data = data.astype(self.dtype, copy=False)
        return self.pipeline.transform(data, self.wrapper).data

    def _process(self, data: Any) -> Iterator[Any]:
        if self.pipeline.is_rowwise:
            yield self._apply(data)
        else:
            self._rows.append(data)  # a step that looks at several rows gets all of them

    def _last_chunk(self) -> Iterator[Any]:
        if self._rows:
            yield self._apply(self._rows[0] if len(self._rows) == 1 else np.concatenate(self._rows))


def _pipeline_of(learned: Any, pipeline_func: Callable[[Any], Any] | None) -> Pipeline:
    """Return the pipeline of a document, as it is now."""
    if isinstance(learned, Pipeline):
        return learned if pipeline_func is None else _checked(pipeline_func(learned), learned)
    if isinstance(learned, type) and issubclass(learned, BaseModel):
        learned = learned()
    if not isinstance(learned, BaseModel):
        found = pipeline_func(learned) if pipeline_func is not None else getattr(learned, "pipeline", None)
        return _checked(found, learned)
    model, _id = type(learned), learned.__dict__["_id"]
    if _id is None:
        raise NotTrained(f"{model.__name__}() was made without an id; pass the one of the trained document")
    place = (model, str(_id))
    if place in _READING.get():
        raise LineageError(f"{learned!r} is learned from features that need it; learn it from others")
    token = _READING.set((*_READING.get(), place))
    try:
        return _read(model, str(_id), pipeline_func)
    except KeyNotFound as error:
        raise NotTrained(f"{learned!r} is not trained yet: {error}; process it before what needs it") from error
    finally:
        _READING.reset(token)


def _read(model: Any, _id: str, pipeline_func: Callable[[Any], Any] | None) -> Pipeline:
    document = model(_id)  # a new one: it shows the document as it is now
    state = document._read(_state)
    known = _READ.get((model, _id, pipeline_func))
    if known is not None and known[0] == state:
        return known[1]
    try:
        found = document.pipeline if pipeline_func is None else pipeline_func(document)
    except FeatureNotComputable as error:
        raise NotTrained(f"{document!r} has no pipeline that is up to date: {error}") from error
    pipeline = _checked(found, document)
    while len(_READ) >= _MOST_READ:
        _READ.pop(next(iter(_READ)), None)
    _READ[model, _id, pipeline_func] = document._read(_state), pipeline
    return pipeline


def _state(snapshot: Any) -> Any:
    """What tells one state of a document, and of the sources that it was learned from, from another."""
    entries = snapshot.record.entries.items()
    stored = tuple((name, e.lineage, e.source, e.size, repr(e.checks)) for name, e in sorted(entries))
    return stored, tuple(sorted((name, source["hash"]) for name, source in snapshot.sources.items()))


def _checked(found: Any, where: Any) -> Pipeline:
    if found is None:
        raise NotTrained(f"{where!r:.100} has no pipeline; give a trained document, or pipeline_func")
    if not isinstance(found, Pipeline):
        raise DeclarationError(f"the pipeline of {where!r:.100} is {type(found).__name__}; needed: a Pipeline")
    return found
