"""Untrained: the base of preprocessors that have nothing to learn.

Class: ``Untrained``.
"""

from zounds_lite.learn.corpus import Corpus
from zounds_lite.learn.ops import Op
from zounds_lite.learn.pipeline import PreprocessResult
from zounds_lite.learn.preprocessor import Preprocessor

__all__ = ["Untrained"]


class Untrained(Preprocessor):
    """A preprocessor whose op follows from its arguments alone; override ``_op``.

    Args:
        needs (Node): where the features come from.
    """

    def _op(self) -> Op:
        """Return the op."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it does: override _op")

    def _train(self, corpus: Corpus) -> PreprocessResult:
        op = self._op()
        return PreprocessResult(corpus.map(op), op)
