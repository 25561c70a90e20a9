"""BaseModel: documents whose features are declared as class attributes.

Goal: ``Model.process(...)`` computes and stores a document, all of it or nothing; ``Model(_id).feature`` reads a stored
value, or computes it from the nearest stored ones. A value is served only if today's code, parameters, upstream and
source are those that made it. Conventions: a document object shows the document as it stood when it was first read,
and a new object shows it as it is now; subclasses inherit features and may override them; what needed the old one
needs the new one. Class: ``BaseModel``.
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MethodType
from typing import Any, ClassVar, TypeVar

from zounds_lite.errors import (
    DeclarationError,
    GraphError,
    KeyNotFound,
    MissingArgument,
    ModelExistsError,
    NoPersistenceSettingsError,
    StoreLocked,
)
from zounds_lite.featureflow.commit import Change, Outdated, commit
from zounds_lite.featureflow.corpusof import note_model
from zounds_lite.featureflow.declaredgraph import FeatureGraph
from zounds_lite.featureflow.display import render_html
from zounds_lite.featureflow.feature import Feature
from zounds_lite.featureflow.lineage import Explanation, Lineage
from zounds_lite.featureflow.originals import Originals, check_keep_source
from zounds_lite.featureflow.part import InTime
from zounds_lite.featureflow.record import Entry, Marks, Record
from zounds_lite.featureflow.selection import Queryable, fields_of
from zounds_lite.featureflow.settings import IntegerIdProvider, StaticIdProvider, UserSpecifiedIdProvider
from zounds_lite.featureflow.snapshot import Snapshot
from zounds_lite.featureflow.sources import KEPT
from zounds_lite.featureflow.split import SplitRun
from zounds_lite.featureflow.stores.base import Change as RecordChange, Database, check_id

__all__ = ["BaseModel"]

_T = TypeVar("_T")
_OWN = ("BaseModel", "InTime", "Queryable")
"""The classes whose names belong to every document."""

_TRIES = 20
"""How often a document is opened again when other writers replace it meanwhile."""


class _ModelType(type):
    """Collects features, and lets a model class be iterated."""

    features: dict[str, Feature]

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> Any:
        for key, value in namespace.items():
            if isinstance(value, Feature) and value.name not in (None, key):
                namespace[key] = value.copy()  # one declaration under a second name
        cls = super().__new__(mcs, name, bases, namespace, **kwargs)
        found: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            found.update(
                {key: value for key, value in vars(base).items() if key in found or isinstance(value, Feature)}
            )
        cls.features = {key: value for key, value in found.items() if isinstance(value, Feature)}
        mcs._check(cls)
        note_model(cls)
        return cls

    @staticmethod
    def _check(cls: Any) -> None:
        """Refuse names that would hide the model's own, and two features in one place."""
        keys = [feature.key or "" for feature in cls.features.values()]
        for name, feature in cls.features.items():
            if hasattr(object, name) or any(name in vars(base) for base in cls.__mro__ if base.__name__ in _OWN):
                raise DeclarationError(f"{cls.__name__}.{name}: the name belongs to every document; choose another one")
            if keys.count(feature.key or "") > 1 or str(feature.key).startswith(KEPT):
                raise DeclarationError(f"{cls.__name__}.{name}: the key {feature.key!r} is taken; choose another one")

    def __iter__(cls) -> Iterator[Any]:
        for _id in cls._database().iter_ids():  # type: ignore[attr-defined]
            yield cls(_id)

    # here, where they take no names away from features

    def graph(cls) -> FeatureGraph:
        """Return the graph of the features, from their declaration: text, DOT, SVG, and a picture in a notebook."""
        return FeatureGraph(cls.__name__, cls.features)

    def fields(cls) -> dict[str, dict[str, int]]:
        """Return the metadata that ``where`` can be asked for: by feature and field, how many documents have it."""
        return fields_of(cls)

    def values(cls, field: str, feature: Any = None) -> dict[Any, int]:
        """Return each value of a field, and how many documents hold it; as ``where().values``."""
        return cls.where().values(field, feature)  # type: ignore[attr-defined]


class _Shown:
    """Shows a notebook the document, or the class itself, which asks for a method that is bound to it."""

    def __get__(self, document: Any, owner: Any = None) -> MethodType:
        return MethodType(render_html, owner if document is None else document)


class BaseModel(InTime, Queryable, metaclass=_ModelType):
    """A document.

    Args:
        _id (str | None): which one; may be left out where the model has a single document.

    Examples:
        >>> from zounds_lite import featureflow as ff
        >>> @ff.simple_in_memory_settings
        ... class Document(ff.BaseModel):
        ...     words = ff.JSONFeature(ff.IteratorNode, store=True)
        ...     count = ff.JSONFeature(ff.IteratorNode, needs=words, store=False)
        >>> document = Document(Document.process(words=[["a", "b"]]))
        >>> document.words
        ['a', 'b']
    """

    features: ClassVar[dict[str, Feature]]
    keep_source: ClassVar[bool | None] = None
    """Which original bytes to keep for later: None, those of sources in memory; True, those of all; False, none."""

    def __init__(self, _id: str | None = None) -> None:
        if _id is None:
            provider = getattr(type(self), "id_provider", None)
            _id = provider.key if isinstance(provider, StaticIdProvider) else getattr(type(self), "_id", None)
        self.__dict__["_id"] = _id

    # settings

    @classmethod
    def _database(cls, feature: Feature | None = None) -> Database:
        settings = getattr(feature, "persistence", None) or cls
        if not hasattr(settings, "database"):
            raise NoPersistenceSettingsError(
                f"{cls.__name__} has no persistence settings; decorate it with simple_in_memory_settings or "
                "simple_lmdb_settings(path)"
            )
        return settings.database

    @classmethod
    def lineage(cls) -> Lineage:
        """The lineage of the model's features, as its code is now."""
        return Lineage(cls.features)

    # processing

    @classmethod
    def process(
        cls, raise_if_exists: bool = False, workers: int = 1, keep_source: bool | None = None, **kwargs: Any
    ) -> str:
        """Compute and store a document.

        Args:
            raise_if_exists (bool): refuse an id that is taken, instead of replacing the document.
            workers (int): threads that share a long recording, each a stretch of it, >= 1; the result is that of one,
                but for the last bits of what was resampled.
            keep_source (bool | None): which original bytes to keep in the store: True, also those of files and of what
                is fetched, so that the document outlives them; False, none; None, as the class says.
            kwargs: a value for each root feature and ``Var``, by name; and ``_id`` where the model takes ids.

        Returns:
            str: the id; the document is durable when this returns.

        Raises:
            MissingArgument: a root, a Var or the id is missing.
            GraphError: a keyword is none of these.
            ModelExistsError: the id is taken and ``raise_if_exists`` is set.
            NoPersistenceSettingsError: the model has no settings.
        """
        if not isinstance(workers, int) or workers < 1:
            raise DeclarationError(f"workers={workers!r}; allowed: a number of threads, 1 or more")
        check_keep_source(keep_source)
        cls._database()
        provider = cls.id_provider  # type: ignore[attr-defined]
        cls._check_arguments(kwargs, provider)
        _id = check_id(provider.new_id(**kwargs))
        while isinstance(provider, IntegerIdProvider) and _id in cls._database():
            _id = provider.new_id()  # it counts anew in each process
        if raise_if_exists and _id in cls._database():
            raise ModelExistsError(f"document {_id!r} exists; leave out raise_if_exists to replace it")
        cls._commit([cls._prepare(_id, kwargs, raise_if_exists, workers, keep_source)])
        return _id

    @classmethod
    def _check_arguments(cls, kwargs: Mapping[str, Any], provider: Any) -> None:
        wanted = set(cls._inputs())
        missing = sorted(wanted - set(kwargs))
        if missing:
            raise MissingArgument(
                f"{cls.__name__}.process() needs {', '.join(sorted(wanted))}; missing: {', '.join(missing)}; "
                f"given: {', '.join(sorted(kwargs)) or 'nothing'}"
            )
        key = provider.key if isinstance(provider, UserSpecifiedIdProvider) else "_id"
        unknown = sorted(set(kwargs) - wanted - {key})
        if unknown:
            raise GraphError(
                f"{cls.__name__}.process() got {', '.join(unknown)}; allowed: {', '.join(sorted(wanted | {key}))}"
            )

    @classmethod
    def _prepare(
        cls,
        _id: str,
        inputs: Mapping[str, Any],
        raise_if_exists: bool = False,
        workers: int = 1,
        keep_source: bool | None = None,
        fetcher: Any = None,
    ) -> Change:
        """Compute all stored features from the inputs; nothing is visible before ``_commit``."""
        lineage = cls.lineage()
        stored = [feature for feature in cls.features.values() if feature.store]
        for feature in stored:
            lineage.hash(feature)  # refuse what cannot be fingerprinted before hours of work
        originals = Originals(cls._database(), cls.keep_source if keep_source is None else keep_source)
        context = {"fetcher": fetcher, "originals": originals}
        run = SplitRun(lineage, inputs, lambda feature: None, cls._database, context, workers=workers)
        try:
            originals.describe(cls._inputs(), inputs)
            run.compute(stored)
            entries = run.entries({name: source["hash"] for name, source in originals.sources.items()})
            kept = originals.finish(inputs, fetcher)
        except BaseException:
            run.discard()
            originals.discard()
            raise
        return Change(
            _id, lineage, entries, originals.sources, kept, run.marks(), replaces=True, must_be_new=raise_if_exists
        )  # fmt: skip

    @classmethod
    def _commit(cls, changes: Sequence[Change], failures: Mapping[str, RecordChange] | None = None) -> None:
        """Make documents visible, all of them or none; each leaves the ledger of failed documents.

        Args:
            changes (Sequence[Change]): what ``_prepare`` returned, each document once.
            failures (Mapping | None): further changes of the ledger, in the same transaction.
        """
        stored: dict[str, RecordChange] = {change.id: lambda old: None for change in changes}
        commit(changes, cls._database, {**(failures or {}), **stored})
        for change in changes:
            cls._announce(change.id, change.entries)

    @classmethod
    def _inputs(cls) -> dict[str, None]:
        """The names of roots and Vars, in order."""
        roots = [name for name, feature in cls.features.items() if feature.is_root]
        variables = [name for feature in cls.features.values() for name in feature.variables()]
        return dict.fromkeys(roots + variables)

    @classmethod
    def _announce(cls, _id: str, entries: Mapping[Feature, Entry]) -> None:
        log = getattr(cls, "event_log", None)
        if log is not None:
            for feature, entry in entries.items():
                log.append(json.dumps({"_id": _id, "name": feature.key, "version": entry.lineage}))

    # documents

    @classmethod
    def exists(cls, _id: str | None = None, feature: Any = None) -> bool:
        """Tell whether a document, or a stored value of it, exists.

        Args:
            _id (str | None): the document; None asks the model's id provider.
            feature (Feature | str | None): a stored feature.

        Raises:
            DeclarationError: the feature is not stored, or the id is needed and missing.
        """
        if _id is None:
            provider = getattr(cls, "id_provider", None)
            if not isinstance(provider, StaticIdProvider):
                raise DeclarationError("exists() needs the id of a document: exists('...')")
            _id = provider.key
        if feature is None:
            return _id in cls._database()
        feature = cls._feature(feature)
        if not feature.store:
            raise DeclarationError(f"{feature.name} is not stored, so exists() cannot tell; leave it out")
        database = cls._database(feature)
        if database is not cls._database() and _id not in cls._database():
            return False  # what another database has of it belongs to no document, or to one that comes yet
        raw = database.get(_id)
        return raw is not None and feature.key in Record.from_bytes(raw).entries

    @classmethod
    def random(cls) -> Any:
        """Return a document picked at random.

        Raises:
            KeyNotFound: there are none.
        """
        return cls(cls._database().random_id())

    @classmethod
    def delete(cls, _id: str) -> None:
        """Remove a document and its values.

        Raises:
            KeyNotFound: there is no such document.
        """
        main = cls._database()
        is_there = _id in main
        # the model's own record goes first, and with it the document
        for database in {id(d): d for d in [main, *map(cls._database, cls.features.values())]}.values():
            database.change({_id: lambda old: None})
        if not is_there:
            raise KeyNotFound(f"no document {_id!r} in {main!r}")

    @classmethod
    def explain(cls, _id: str, feature: Any) -> Explanation:
        """Say whether a stored value is fresh and, if not, what differs.

        Args:
            _id (str): the document.
            feature (Feature | str): one of its features.

        Raises:
            KeyNotFound: there is no such document or feature.
        """
        found = cls._feature(feature)
        return cls(_id)._read(lambda snapshot: snapshot.explain(found))

    @classmethod
    def update(cls, _id: str, features: Iterable[str] | None = None) -> list[str]:
        """Recompute what is stale or missing among the stored features of a document, in one run.

        Args:
            _id (str): the document.
            features (Iterable[str] | None): limit it to these.

        Returns:
            list[str]: names of what was recomputed.

        Raises:
            KeyNotFound: there is no such document or feature.
        """
        wanted = [features] if isinstance(features, str) else cls.features if features is None else list(features)
        chosen = [cls._feature(name) for name in wanted]

        def recompute(snapshot: Snapshot) -> list[str]:
            stale = [feature for feature in chosen if feature.store and snapshot.stored(feature) is None]
            if stale:
                snapshot.compute(stale, must_store=True)
            return [feature.name or "" for feature in stale]

        return cls(_id)._read(recompute, anew=True)

    @classmethod
    def _feature(cls, feature: Any) -> Feature:
        """Return a feature of this model, by itself or by its name."""
        name = feature if isinstance(feature, str) else feature.name
        if name not in cls.features:
            raise KeyNotFound(f"{cls.__name__} has no feature {name!r}; it has: {', '.join(cls.features)}")
        return cls.features[name]

    # reading

    @property
    def source_changed(self) -> bool:
        """True where a stored value was made from other content than its source has now.

        A source that is gone counts as unchanged.
        """
        return self._read(lambda snapshot: snapshot.source_changed)

    @property
    def marks(self) -> Marks:
        """What nodes noted about their input: by feature, each note with its ``kind`` and ``message``."""
        return self._read(lambda snapshot: snapshot.record.marks)

    def open_source(self, name: str) -> io.BufferedReader | None:
        """Return the kept original bytes of a root as a file, or None where they were not kept."""
        return self._read(lambda snapshot: snapshot.open_source(name))

    def _fetch(self, feature: Feature) -> Any:
        """Return the value of a feature: stored and fresh, or computed (and stored, if the feature is)."""
        return self._read(lambda snapshot: snapshot.fetch(feature))

    def _compute(self, features: list[Feature]) -> dict[str, Any]:
        """Compute features, whatever is stored of them, and return their values by name."""
        return self._read(lambda snapshot: snapshot.compute(features))

    def _read(self, action: Callable[[Snapshot], _T], anew: bool = False) -> _T:
        """Run an action on the document as it stood when it was first read.

        Args:
            action (Callable): gets the snapshot.
            anew (bool): where another writer replaced the document, run it again on the new one, even if something of
                the old one was used before.
        """
        for _ in range(_TRIES):
            snapshot = self.__dict__.get("_snapshot")
            try:
                if snapshot is None:  # of several threads one is first, and the others take what it made
                    snapshot = self.__dict__.setdefault("_snapshot", Snapshot(type(self), self._checked_id()))
                return action(snapshot)
            except Outdated:
                if snapshot is not None and snapshot.is_used and not anew:
                    break
                if self.__dict__.get("_snapshot") is snapshot:
                    self.__dict__.pop("_snapshot", None)
        name = f"{type(self).__name__}({self._checked_id()!r})"
        raise StoreLocked(f"the document was replaced while it was read; make a new {name} to read what it is now")

    def _checked_id(self) -> str:
        _id = self.__dict__["_id"]
        if _id is None:
            name = type(self).__name__
            raise AttributeError(f"{name}() was made without an id; pass one: {name}(_id)")
        return str(_id)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.__dict__['_id']!r})"

    _repr_html_ = _Shown()
