"""Pipelines: trained steps, applied one after the other, forwards and backwards.

Goal: what was learned from a corpus is one value that is stored as data, loads in another process without running
anything that was stored, transforms new sounds, and inverts what it made of them, units included. Classes:
``PreprocessResult`` (one trained step), ``Pipeline`` (several), ``PipelineResult`` (what it made of some data),
``PreprocessingPipeline`` (the node that puts steps together).
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np

from zounds_lite._declared import Declared, digest
from zounds_lite.errors import DeclarationError, GraphError, NotInvertible, NotTrained
from zounds_lite.featureflow.node import Node
from zounds_lite.learn.ops import ForwardResult, Op
from zounds_lite.learn.units import Received, like

__all__ = ["Pipeline", "PipelineResult", "PreprocessResult", "PreprocessingPipeline"]


class PreprocessResult(Declared):
    """What a ``Preprocessor`` has learned: a step of a pipeline.

    Attributes that it lacks are looked up in its op: ``pipeline["kmeans"].codebook``.

    Args:
        data (Corpus | None): the training data, transformed: what the next preprocessor learns from. It is not stored.
        op (Op): transforms data.
        inversion_data (Op | None): makes, of the data before the step, a dict of the keywords that ``inverse`` needs;
            not needed where ``op`` returns a ``ForwardResult``.
        inverse (Op | None): takes what ``op`` made, and those keywords, and goes back; by default ``op.inverse``.
        name (str | None): names the step in its pipeline; by default the name of the feature.

    Raises:
        DeclarationError: ``op``, ``inversion_data`` or ``inverse`` is no ``Op``.
    """

    def __init__(
        self, data: Any, op: Op, inversion_data: Op | None = None, inverse: Op | None = None, name: str | None = None
    ) -> None:
        super().__init__(data=data, op=op, inversion_data=inversion_data, inverse=inverse, name=name)

    data: Any
    op: Op
    inversion_data: Op | None
    inverse: Op | None
    name: str | None

    def validate(self) -> None:
        if not isinstance(self.op, Op):
            raise DeclarationError(
                f"op={self.op!r}; needed: an Op, which is data that another process can read, not a plain function"
            )
        for name in ("inversion_data", "inverse"):
            value = self.__dict__[name]
            if value is not None and not isinstance(value, Op):
                raise DeclarationError(f"{name}={value!r}; needed: an Op, or None")

    def __getattr__(self, name: str) -> Any:
        op = self.__dict__.get("op")
        if op is None or name.startswith("__"):
            raise AttributeError(name)
        try:
            return getattr(op, name)
        except AttributeError:
            raise AttributeError(f"neither the step {self.name or ''!r} nor its {op!r:.80} has {name!r}") from None

    def for_storage(self) -> Self:
        """Return the step without its training data."""
        return self if self.data is None else self.replace(data=None)

    @property
    def is_invertible(self) -> bool:
        """Whether there is a way back."""
        return self.inverse is not None or self.op.is_invertible

    @property
    def version(self) -> str:
        """Hash of what the step does, forwards and backwards."""
        ops = (self.op, self.inversion_data, self.inverse)
        return digest([None if op is None else op.version for op in ops])

    def forward(self, data: Any) -> tuple[Any, dict[str, Any]]:
        """Transform data.

        Returns:
            tuple[np.ndarray, dict]: the result with the units that still hold, and the keywords of the inverse.
        """
        result = self.op(data)
        if isinstance(result, ForwardResult):
            return like(result.output, data, self.op), result.inversion_data
        extra = {} if self.inversion_data is None else dict(self.inversion_data(data))
        return like(result, data, self.op), extra

    def backward(self, data: Any, inversion_data: Mapping[str, Any]) -> Any:
        """Go back from what ``forward`` returned.

        Raises:
            NotInvertible: there is no way back.
        """
        inverse = self.op.inverse if self.inverse is None else self.inverse
        return inverse(data, **inversion_data)

    def __repr__(self) -> str:
        return f"PreprocessResult({self.name or ''}: {type(self.op).__name__})"


class PipelineResult:
    """What a pipeline made of some data.

    Attributes:
        data (np.ndarray): the result, with the units that still hold.
    """

    def __init__(self, data: Any, steps: list[tuple[PreprocessResult, Received, dict[str, Any]]]) -> None:
        self.data = data
        self._steps = steps

    def inverse_transform(self) -> Any:
        """Go back through all steps, in reverse.

        Returns:
            np.ndarray: in the class, with the dimensions and the dtype of what was transformed.

        Raises:
            NotInvertible: a step has no way back.
        """
        for number, (step, _, _) in enumerate(self._steps):
            if not step.is_invertible:
                raise NotInvertible(
                    f"step {number} ({step.name or type(step.op).__name__}) has no inverse; invert what comes before "
                    f"it alone: pipeline[:{number}].transform(data).inverse_transform()"
                )
        data = self.data
        for step, received, inversion_data in reversed(self._steps):
            data = received.restore(step.backward(data, inversion_data))
        return data

    def __repr__(self) -> str:
        return f"PipelineResult({type(self.data).__name__} of shape {np.shape(self.data)})"


class Pipeline(Declared):
    """Trained steps, applied one after the other.

    ``pipeline[0]`` and ``pipeline["name"]`` are steps; ``pipeline[:2]`` and ``pipeline[[0, 2]]`` are pipelines;
    ``a + b`` applies ``a``, then ``b``.

    Args:
        processors (Sequence[PreprocessResult]): the steps.

    Raises:
        DeclarationError: one of them is no ``PreprocessResult``.

    Examples:
        >>> from zounds_lite.learn import Log, Multiply
        >>> steps = [next(node.run([np.ones((2, 3))])) for node in (Multiply(3.0), Log())]
        >>> pipeline = Pipeline(steps)
        >>> result = pipeline.transform(np.array([[0.0, 1.0]]))
        >>> result.data.round(3), result.inverse_transform().round(3)
        (array([[0.   , 1.386]]), array([[0., 1.]]))
        >>> len(pipeline[:1]), pipeline[1] is steps[1], len(pipeline + pipeline)
        (1, True, 4)
    """

    def __init__(self, processors: Any) -> None:
        super().__init__(processors=tuple(processors))

    processors: tuple[PreprocessResult, ...]

    def validate(self) -> None:
        for step in self.processors:
            if not isinstance(step, PreprocessResult):
                raise DeclarationError(f"a pipeline is made of PreprocessResults, got {step!r:.100}")

    def transform(self, data: Any, wrapper: Callable[[Any], Any] | None = None) -> PipelineResult:
        """Apply all steps.

        Args:
            data (np.ndarray): examples along the first axis, with or without units; it is left as it is.
            wrapper (Callable | None): called with the result, for example to give it units.

        Raises:
            NotTrained: the pipeline has no steps.
            DimensionError: the data are not shaped like those that the steps were trained on.
        """
        if not self.processors:
            raise NotTrained("the pipeline has no steps; train one: process a document with a PreprocessingPipeline")
        steps = []
        for step in self.processors:
            received = Received(data)
            data, inversion_data = step.forward(data)
            steps.append((step, received, inversion_data))
        return PipelineResult(data if wrapper is None else wrapper(data), steps)

    @cached_property
    def version(self) -> str:
        """Hash of what all steps do: moves when the pipeline is trained to something else."""
        return digest([step.version for step in self.processors])

    @property
    def is_invertible(self) -> bool:
        """Whether all steps have a way back."""
        return all(step.is_invertible for step in self.processors)

    @property
    def is_rowwise(self) -> bool:
        """Whether each row of the result is made of the same row of the data alone."""
        return all(step.op.is_rowwise for step in self.processors)

    @property
    def names(self) -> list[str | None]:
        """The names of the steps."""
        return [step.name for step in self.processors]

    def for_storage(self) -> Self:
        """Return the pipeline without training data."""
        return type(self)([step.for_storage() for step in self.processors])

    def __len__(self) -> int:
        return len(self.processors)

    def __iter__(self) -> Iterator[PreprocessResult]:
        return iter(self.processors)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            found = [step for step in self.processors if step.name == index]
            if not found:
                raise KeyError(f"no step is named {index!r}; there are {self.names}")
            return found[0]
        if isinstance(index, slice):
            return type(self)(self.processors[index])
        if isinstance(index, (list, tuple, np.ndarray)):
            return type(self)([self[i] for i in index])
        return self.processors[index]

    def __add__(self, other: object) -> "Pipeline":
        if not isinstance(other, Pipeline):
            return NotImplemented
        return Pipeline((*self.processors, *other.processors))

    def __repr__(self) -> str:
        names = ", ".join(step.name or type(step.op).__name__ for step in self.processors)
        return f"Pipeline({names})"


class PreprocessingPipeline(Node):
    """A node that puts what several preprocessors have learned together to a ``Pipeline``.

    Args:
        needs (Preprocessor | Sequence[Preprocessor]): the preprocessors, in the order in which their steps are applied.

    Raises:
        GraphError: something else than a ``PreprocessResult`` comes in.
    """

    def _process(self, data: Any) -> Iterator[Pipeline]:
        if not isinstance(data, Mapping):
            data = {self._only_name(): data}
        steps = []
        for name, step in data.items():
            if not isinstance(step, PreprocessResult):
                raise GraphError(
                    f"a pipeline needs preprocessors; {name!r} gave {type(step).__name__}, not a PreprocessResult"
                )
            step = step.for_storage()
            steps.append(step.replace(name=name) if step.name is None else step)
        yield Pipeline(steps)

    def _only_name(self) -> str:
        return next(iter(self.needs), "step")
