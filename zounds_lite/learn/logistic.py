"""Logistic regression: which class a row belongs to, by a weighted sum of its numbers.

Goal: a linear classifier that learns, is stored as data and predicts without scikit-learn, and has its coefficients.
Conventions: an example is flattened to a row of numbers; classes are in order; two of them share one row of weights,
whose score is that of the second, and more have a row each. Numbers are worked on in float64. Nodes:
``LogisticRegression``. Ops: ``LinearClassifier``. Functions: ``logistic_loss``, ``fit_logistic``.

Method: the sum of log losses times C, plus half the sum of squared weights (not of intercepts), is convex; L-BFGS walks
down from zero until its slope is next to none. Where there are fewer examples than numbers in each, as of pictures, the
best weights are sums of the examples, so that all is done in the few coordinates of these.

Sources:
    T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical Learning", 2nd ed., 2009, sections 4.4 (the
    model) and 18.3.5 (the coordinates). D. C. Liu, J. Nocedal, "On the limited memory BFGS method for large scale
    optimization", Mathematical Programming 45 (1989).
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, LabelError, RaggedCorpus
from zounds_lite.learn.corpus import Corpus
from zounds_lite.learn.labels import classes_of, one_for_each
from zounds_lite.learn.ops import Op, plain_rows
from zounds_lite.learn.pipeline import PreprocessResult
from zounds_lite.learn.preprocessor import Preprocessor
from zounds_lite.learn.reservoir import whole_number
from zounds_lite.learn.units import like

__all__ = ["LinearClassifier", "LogisticRegression", "fit_logistic", "logistic_loss"]

_METHODS = ("predict", "predict_proba", "decision_function")

_MEMORY = 256 * 1024 * 1024
"""Bytes of rows, as float64, that are joined; more are read from the corpus in each step."""

_SLOPE = 1e-6
"""Steps end where no coefficient has a steeper slope: weights are then as close to the best ones."""

Blocks = Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]
"""Gives rows and the numbers of their classes, block by block, as often as it is called."""


class LinearClassifier(Op):
    """Classes of rows by weighted sums of their numbers.

    Args:
        weights (np.ndarray): a row for each class, or one row for two classes; a column for each number of an example.
        intercepts (np.ndarray): added to the sums, one for each row of weights.
        classes (Sequence): the classes, in order: all numbers, or all text.
        row_shape (Sequence[int]): the shape of one example.
        method (str): what a call gives: ``predict``, ``predict_proba`` or ``decision_function``.

    Raises:
        DeclarationError: sizes that do not fit, or another method.

    Examples:
        >>> op = LinearClassifier([[1.0, -1.0]], [0.0], ["down", "up"], row_shape=[2])
        >>> rows = np.array([[3.0, 1.0], [0.0, 1.0]])
        >>> op(rows).tolist(), op.decision_function(rows).tolist(), op.predict_proba(rows).round(2).tolist()
        (['up', 'down'], [2.0, -1.0], [[0.12, 0.88], [0.73, 0.27]])
    """

    is_rowwise = True

    def __init__(self, weights: Any, intercepts: Any, classes: Any, row_shape: Any, method: str = "predict") -> None:
        super().__init__(
            weights=np.asarray(weights),
            intercepts=np.asarray(intercepts),
            classes=list(classes),
            row_shape=tuple(int(size) for size in row_shape),
            method=method,
        )

    weights: np.ndarray
    intercepts: np.ndarray
    classes: list[Any]
    row_shape: tuple[int, ...]
    method: str

    def validate(self) -> None:
        count = 1 if len(self.classes) == 2 else len(self.classes)
        shape = (count, int(np.prod(self.row_shape)))
        if len(self.classes) < 2 or self.weights.shape != shape or self.intercepts.shape != (count,):
            raise DeclarationError(
                f"weights of shape {list(self.weights.shape)} and {self.intercepts.size} intercepts for "
                f"{len(self.classes)} classes of examples of shape {list(self.row_shape)}; needed: two classes or "
                f"more, weights of shape {list(shape)}, and {count} intercepts"
            )
        if self.method not in _METHODS:
            raise DeclarationError(f"method={self.method!r}; allowed: {', '.join(_METHODS)}")

    def decision_function(self, data: Any) -> np.ndarray:
        """Return how far each row is on the side of each class.

        Args:
            data (np.ndarray): examples along the first axis.

        Shape:
            [examples, ...] -> [examples, classes]; of two classes [examples], above 0 for the second
        """
        rows = plain_rows(data, self.row_shape, "LogisticRegression")
        scores = _flat(rows) @ self.weights.T + self.intercepts
        return np.asarray(scores[:, 0] if len(self.classes) == 2 else scores)

    def predict_proba(self, data: Any) -> np.ndarray:
        """Return how probable each class is.

        Args:
            data (np.ndarray): examples along the first axis.

        Shape:
            [examples, ...] -> [examples, classes], each row adds up to 1
        """
        scores = self.decision_function(data)
        if scores.ndim == 1:
            scores = np.stack([np.zeros_like(scores), scores], axis=1)
        return _softmax(scores)[0]

    def predict(self, data: Any) -> np.ndarray:
        """Return the most probable class of each row; of equally probable ones, the first.

        Args:
            data (np.ndarray): examples along the first axis.
        """
        scores = self.decision_function(data)
        return np.asarray(self.classes)[(scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)]

    def __call__(self, data: Any) -> np.ndarray:
        found: np.ndarray = getattr(self, self.method)(data)
        return found

    def __repr__(self) -> str:
        return f"LinearClassifier({len(self.classes)} classes of examples of shape {self.row_shape})"


class LogisticRegression(Preprocessor):
    """Learns to tell classes apart by a weighted sum of the numbers of an example.

    The result is that of scikit-learn's ``LogisticRegression`` with the same ``C`` (the L2 penalty; of more than two
    classes the multinomial model), reached more closely than its defaults do. Features of very different sizes should
    be brought to one first, as by ``MeanStdNormalization``.

    A corpus of up to 256 MB (as 64-bit numbers) is joined in memory; a larger one is read in each step.

    Args:
        C (float): how much the examples count against small weights, > 0: the smaller, the smoother.
        method (str): what to call with rows: ``predict`` gives classes, ``predict_proba`` probabilities,
            ``decision_function`` scores.
        iterations (int): steps at most; a warning says where they were too few.
        needs (Mapping[str, Node]): ``dict(data=..., labels=...)``: where features and classes, numbers or text, come
            from.

    Shape: ``[examples, ...] -> [examples]``, or ``[examples, classes]`` for probabilities

    Raises:
        DeclarationError: ``C`` is not above 0, another method, or inputs of other names.
        LabelError: all examples are of one class.
        RaggedCorpus: features are complex or text; or labels that are not one for each example.

    Examples:
        >>> rows, labels = np.array([[0.0], [1.0], [4.0], [5.0]]), np.array(["low", "low", "high", "high"])
        >>> [step] = LogisticRegression().run([{"data": rows, "labels": labels}])
        >>> step.op(np.array([[0.5], [9.0]])).tolist(), step.classes
        (['low', 'high'], ['high', 'low'])

    See Also:
        ``SklearnModel``, for all other classifiers; ``classification_report``: how good one is.
    """

    def __init__(self, C: float = 1.0, method: str = "predict", iterations: int = 10_000, needs: Any = None) -> None:
        super().__init__(needs=needs)
        if not (np.isfinite(C) and C > 0):
            raise DeclarationError(f"C={C!r}; allowed: above 0, such as 1.0")
        if method not in _METHODS:
            raise DeclarationError(f"method={method!r}; allowed: {', '.join(_METHODS)}")
        self.C = float(C)
        self.method = method
        self.iterations = whole_number(iterations, "iterations")

    def _train(self, corpus: Corpus) -> PreprocessResult:
        example = corpus.example
        if not isinstance(example, Mapping) or set(example) != {"data", "labels"}:
            names = sorted(example) if isinstance(example, Mapping) else "one input"
            raise DeclarationError(f"inputs are named {names}; needed: needs=dict(data=..., labels=...)")
        data = np.asarray(example["data"])
        if data.dtype.kind not in "biuf":
            raise RaggedCorpus(f"features are {data.dtype}; needed: real numbers, take AbsoluteValue of complex ones")
        classes = _classes_of(corpus)
        weights, intercepts = self._fitted(corpus, np.array(classes), int(np.prod(data.shape[1:])))
        op = LinearClassifier(weights, intercepts, classes, data.shape[1:], self.method)
        return PreprocessResult(corpus.map(lambda chunk: like(op(chunk["data"]), chunk["data"], op)), op)

    def _fitted(self, corpus: Corpus, classes: np.ndarray, features: int) -> tuple[np.ndarray, np.ndarray]:
        def blocks() -> Iterator[tuple[np.ndarray, np.ndarray]]:
            for block in corpus.blocks():
                yield _flat(np.asarray(block["data"])), np.searchsorted(classes, one_for_each(block["labels"]))

        if corpus.rows * features * 8 > _MEMORY:
            return fit_logistic(blocks, len(classes), features, self.C, self.iterations)
        rows, codes = (np.concatenate(parts) for parts in zip(*blocks(), strict=True))
        if len(rows) >= features:
            return fit_logistic(lambda: [(rows, codes)], len(classes), features, self.C, self.iterations)
        # rows = coordinates @ basis.T, and weights are as long in one as in the other
        basis, coordinates = np.linalg.qr(rows.T)
        pairs = [(coordinates.T, codes)]
        weights, intercepts = fit_logistic(lambda: pairs, len(classes), len(rows), self.C, self.iterations)
        return weights @ basis.T, intercepts


def fit_logistic(
    blocks: Blocks, classes: int, features: int, C: float = 1.0, iterations: int = 10_000
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best weights and intercepts.

    Args:
        blocks (Callable): gives pairs of rows ``[examples, features]`` and the number of the class of each.
        classes (int): how many there are, 2 or more.
        features (int): numbers in a row.
        C (float): how much the examples count against small weights, > 0.
        iterations (int): steps at most.

    Shape:
        -> [1, features], [1] for two classes; [classes, features], [classes] for more

    Examples:
        >>> rows, codes = np.array([[-1.0], [1.0]]), np.array([0, 1])
        >>> weights, intercepts = fit_logistic(lambda: [(rows, codes)], classes=2, features=1)
        >>> weights.round(3).tolist(), bool(abs(intercepts[0]) < 1e-6)
        ([[0.675]], True)
    """
    from scipy.optimize import minimize

    count = 1 if classes == 2 else classes

    def objective(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        weights = parameters[:-count].reshape(count, features)
        value, slope, slope_of_intercepts = 0.5 * float(np.vdot(weights, weights)), weights.copy(), np.zeros(count)
        for rows, codes in blocks():
            loss, residual = logistic_loss(rows @ weights.T + parameters[-count:], codes)
            value += C * loss
            slope += C * (residual.T @ rows)
            slope_of_intercepts += C * residual.sum(axis=0)
        return value, np.concatenate([slope.reshape(-1), slope_of_intercepts])

    options: Any = {"maxiter": iterations, "maxfun": 4 * iterations, "maxcor": 20, "gtol": _SLOPE, "ftol": 0.0}
    found = minimize(objective, np.zeros(count * features + count), method="L-BFGS-B", jac=True, options=options)
    if found.status == 1:
        warnings.warn(
            f"logistic regression has not come to rest after {found.nit} steps; raise iterations, scale the features "
            "(MeanStdNormalization), or lower C",
            stacklevel=2,
        )
    return found.x[:-count].reshape(count, features), found.x[-count:]


def logistic_loss(scores: np.ndarray, codes: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the sum of the log losses of scores, and its slope.

    Args:
        scores (np.ndarray): of each class, or one column for two classes, the score of the second.
        codes (np.ndarray): the number of the class of each row.

    Shape:
        [examples, scores], [examples] -> float, [examples, scores]

    Examples:
        >>> loss, slope = logistic_loss(np.zeros((1, 2)), np.array([1]))
        >>> round(loss, 4), slope.tolist()
        (0.6931, [[0.5, -0.5]])
    """
    if scores.shape[1] == 1:
        # the losses of a first score that is always 0
        first = np.concatenate([np.zeros_like(scores), scores], axis=1)
        loss, slope = logistic_loss(first, codes)
        return loss, slope[:, 1:]
    probable, log_sum = _softmax(scores)
    each = np.arange(len(codes))
    loss = float((log_sum - scores[each, codes]).sum())
    probable[each, codes] -= 1.0
    return loss, probable


def _softmax(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities, and the logarithms of what they were divided by."""
    top = scores.max(axis=1, keepdims=True)
    raised = np.exp(scores - top)
    total = raised.sum(axis=1, keepdims=True)
    return raised / total, (top + np.log(total))[:, 0]


def _flat(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(len(rows), int(np.prod(rows.shape[1:]))).astype(np.float64, copy=False)


def _classes_of(corpus: Corpus) -> tuple[Any, ...]:
    each = [one_for_each(chunk["labels"]) for chunk in corpus]
    if any(labels.ndim != 1 for labels in each):
        raise RaggedCorpus(f"labels of shape {list(each[0].shape)}; needed: one for each example")
    if len({labels.dtype.kind in "US" for labels in each}) > 1 or each[0].dtype.kind not in "biufUS":
        raise LabelError("some labels are text and some are numbers, or they are neither; needed: all of one type")
    classes = classes_of(np.concatenate(each))
    if len(classes) < 2:
        raise LabelError(f"all {corpus.rows} examples are of the class {classes[0]!r}; two or more are needed")
    return classes
