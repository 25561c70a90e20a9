"""Corpus of: one feature of many documents, as what another document is made from.

Goal: a document that is learned from a feature of other documents goes stale with it. What a plain generator yields
cannot be known; ``corpus_of`` says which feature it reads, so the lineage of that feature is written down beside the
result and compared with today's. Conventions: what counts is how the feature is made; with ``counts_documents`` also
which documents there are. The content of single documents does not count. Class: ``CorpusOf``; function ``corpus_of``.
"""

import json
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zounds_lite._declared import digest
from zounds_lite.errors import FeatureNotComputable
from zounds_lite.featureflow.feature import Feature

__all__ = ["CorpusOf", "corpus_of", "is_there", "note_model", "refreshed_corpus", "restore_corpus"]

_MODELS: "weakref.WeakValueDictionary[str, Any]" = weakref.WeakValueDictionary()
"""Models by where they are declared; the latest one where a name was declared again."""

_LONGEST = 16 * 1024
"""Characters of chosen ids up to which they stand in a record."""


def note_model(model: type) -> None:
    """Remember a model class, so that a record can name it."""
    _MODELS[_name(model)] = model


def _name(model: type) -> str:
    return f"{model.__module__}:{model.__qualname__}"


def corpus_of(documents: Any, feature: Any, counts_documents: bool = False) -> "CorpusOf":
    """Return a feature of many documents, one after the other, for ``process``.

    Args:
        documents (type[BaseModel] | Selection): the documents: all of a model, or those that ``where`` chose.
        feature (Feature | str): which feature of theirs.
        counts_documents (bool): what is learned is stale, too, as soon as a document came or went.

    Raises:
        KeyNotFound: the model has no such feature.

    Examples:
        >>> from zounds_lite import featureflow as ff
        >>> @ff.simple_in_memory_settings
        ... class Text(ff.BaseModel):
        ...     words = ff.JSONFeature(ff.IteratorNode, store=True)
        >>> _ = [Text.process(words=[[text]]) for text in "ab"]
        >>> sorted(corpus_of(Text, "words"))
        [['a'], ['b']]
    """
    if isinstance(documents, type):
        return CorpusOf(documents, feature, None, counts_documents)
    return CorpusOf(documents._model, feature, tuple(documents.ids), counts_documents)


class CorpusOf:
    """One feature of many documents; each iteration reads them anew.

    Args:
        model (type[BaseModel]): the documents' class.
        feature (Feature | str): which feature.
        chosen (Sequence[str] | None): ids of the documents; None: all that there are.
        counts_documents (bool): whether which documents there are counts for what is learned.

    Raises:
        KeyNotFound: the model has no such feature.
    """

    def __init__(
        self, model: Any, feature: Any, chosen: Sequence[str] | None = None, counts_documents: bool = False
    ) -> None:
        self.model = model
        self.feature: Feature = model._feature(feature)
        self.chosen = None if chosen is None else tuple(chosen)
        self.counts_documents = counts_documents

    @property
    def ids(self) -> list[str]:
        """The documents as they are now, in order."""
        return list(self.model._database().iter_ids() if self.chosen is None else self.chosen)

    def __iter__(self) -> Iterator[Any]:
        name = self.feature.name or ""
        for _id in self.ids:
            yield getattr(self.model(_id), name)

    def __len__(self) -> int:
        return len(self.model._database()) if self.chosen is None else len(self.chosen)

    def describe_as_source(self) -> dict[str, Any]:
        """Describe the corpus as the source of a document: strict JSON."""
        chosen = None if self.chosen is None else list(self.chosen)
        ids = self.ids
        is_long = chosen is not None and len(json.dumps(chosen)) > _LONGEST
        described = {
            "kind": "corpus",
            "model": _name(self.model),
            "feature": self.feature.name,
            "lineage": self.model.lineage().hash(self.feature),
            "documents": len(ids),
            "ids": digest(sorted(ids)),
            "chosen": None if is_long else chosen,
            "is_chosen": chosen is not None,
            "is_restorable": not is_long,
            "counts_documents": self.counts_documents,
        }
        return {**described, "hash": _hash(described)}

    def _identity(self) -> tuple[Any, ...]:
        return self.model, self.feature.name, self.chosen, self.counts_documents

    def __eq__(self, other: object) -> bool:
        return self._identity() == other._identity() if isinstance(other, CorpusOf) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"<{self.feature.name} of {len(self)} documents of {self.model.__name__}>"


def _hash(described: Mapping[str, Any]) -> str:
    """Hash what counts of a described corpus; a chosen set of documents is part of it."""
    is_counted = described["counts_documents"] or described["is_chosen"]
    return digest([described["feature"], described["lineage"], described["ids"] if is_counted else None])


def _model_of(source: Mapping[str, Any]) -> Any:
    """Return the model that a described corpus is of, where this process knows it and it has the feature."""
    model = _MODELS.get(source["model"])
    return model if model is not None and source["feature"] in model.features else None


def is_there(source: Mapping[str, Any]) -> bool:
    """Tell whether a described corpus can be read again in this process."""
    return bool(source["is_restorable"]) and _model_of(source) is not None


def restore_corpus(source: Mapping[str, Any]) -> CorpusOf:
    """Return the corpus that was described.

    Raises:
        FeatureNotComputable: this process does not know the model.
    """
    if not is_there(source):
        raise FeatureNotComputable(
            f"what was learned comes from {source['feature']} of {source['model']}, which this process has not "
            "declared; import it, then read again"
        )
    return CorpusOf(_model_of(source), source["feature"], source["chosen"], source["counts_documents"])


def refreshed_corpus(source: dict[str, Any]) -> dict[str, Any]:
    """Describe the corpus as it is now; one whose model is not declared in this process counts as unchanged."""
    model = _model_of(source)
    if model is None or not hasattr(model, "database"):
        return source
    changed = {**source, "lineage": model.lineage().hash(model.features[source["feature"]])}
    if source["counts_documents"] and not source["is_chosen"]:
        ids = list(model._database().iter_ids())
        changed.update(documents=len(ids), ids=digest(sorted(ids)))
    return {**changed, "hash": _hash(changed)}
