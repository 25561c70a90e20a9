"""Models that are trained on the features of a whole corpus.

Goal: preprocessing steps that learn their parameters from documents, are stored like any other feature as data (never
as code), transform new sounds and, where it is possible, invert the result with its units. Importing the room needs
neither torch nor scikit-learn: the names, and where they come from, stand in ``__init__.pyi`` and load on first use.

- mechanics: ``corpus``, ``ops``, ``pipeline``, ``preprocessor``, ``statistics``;
- steps: ``standardization``, ``scaling``, ``shaping``;
- models: ``kmeans`` (with ``lloyd`` and ``nearest``), ``logistic``, ``hashing``, ``sklearn_models`` (stored by
  ``estimators``);
- examples: ``supervised`` (documents), ``images`` (pictures), ``reports``; samples: ``sampling``, ``reservoir``;
- ``learned``: a stored pipeline as a node of other documents; ``ready_made``: models to subclass.
"""

from zounds_lite import _lazy

__getattr__, __dir__, __all__ = _lazy.attach(__name__, __file__)
