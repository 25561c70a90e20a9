"""Settings of a model: where documents go, and how they get their ids.

Classes: ``PersistenceSettings``, ``IdProvider`` and its kinds, ``KeyBuilder``, ``StringDelimitedKeyBuilder``.
Functions: ``simple_in_memory_settings``, ``simple_lmdb_settings``.
"""

import itertools
import uuid
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote, unquote

from zounds_lite._declared import Declared
from zounds_lite.errors import DeclarationError, MissingArgument
from zounds_lite.featureflow.stores import Database, InMemoryDatabase, LmdbDatabase

__all__ = [
    "IdProvider",
    "IntegerIdProvider",
    "KeyBuilder",
    "PersistenceSettings",
    "StaticIdProvider",
    "StringDelimitedKeyBuilder",
    "UserSpecifiedIdProvider",
    "UuidProvider",
    "simple_in_memory_settings",
    "simple_lmdb_settings",
]

_T = TypeVar("_T", bound=type)


class IdProvider(Declared):
    """Gives new documents their ids: override ``new_id``."""

    def new_id(self, *args: Any, **kwargs: Any) -> str:
        """Return the id for a document that is processed with these arguments."""
        raise NotImplementedError(f"{type(self).__name__} must say how ids are made")


class UuidProvider(IdProvider):
    """A random id of 32 hexadecimal digits for each document."""

    def new_id(self, *args: Any, **kwargs: Any) -> str:
        """Return a fresh id."""
        return uuid.uuid4().hex


class UserSpecifiedIdProvider(IdProvider):
    """The id is the keyword ``key`` of ``process``.

    Args:
        key (str): name of the keyword, usually ``_id``.
    """

    def __init__(self, key: str | None = None) -> None:
        super().__init__(key=key)

    def validate(self) -> None:
        if not self.key:
            raise DeclarationError("UserSpecifiedIdProvider needs the name of the keyword that holds the id")

    key: str

    def new_id(self, *args: Any, **kwargs: Any) -> str:
        """Return the keyword's value."""
        if self.key not in kwargs:
            raise MissingArgument(f"this model takes ids from its caller: process(..., {self.key}='...')")
        return kwargs[self.key]


class StaticIdProvider(IdProvider):
    """One fixed id: the model has a single document.

    Args:
        key (str): the id.
    """

    def __init__(self, key: str) -> None:
        super().__init__(key=key)

    key: str

    def new_id(self, *args: Any, **kwargs: Any) -> str:
        """Return the fixed id."""
        return self.key


class IntegerIdProvider(IdProvider):
    """'0', '1', '2', ... in this process."""

    def __init__(self) -> None:
        super().__init__()
        self.__dict__["_count"] = itertools.count()

    def new_id(self, *args: Any, **kwargs: Any) -> str:
        """Return the next number as text."""
        return str(next(self.__dict__["_count"]))


class KeyBuilder(Declared):
    """Joins parts to one key and takes keys apart."""

    def build(self, *parts: str) -> str:
        """Join ``parts``."""
        raise NotImplementedError

    def decompose(self, key: str) -> list[str]:
        """Return the parts of ``key``."""
        raise NotImplementedError


class StringDelimitedKeyBuilder(KeyBuilder):
    """Joins with a separator; parts are percent-encoded, so they may hold it.

    Args:
        seperator (str): what stands between parts (spelled as in the documented interface).

    Examples:
        >>> builder = StringDelimitedKeyBuilder()
        >>> builder.build("http://host/a", "fft", "1")
        'http%3A%2F%2Fhost%2Fa:fft:1'
        >>> builder.decompose(builder.build("a:b", "c"))
        ['a:b', 'c']
    """

    def __init__(self, seperator: str = ":") -> None:
        super().__init__(seperator=seperator)

    seperator: str

    def validate(self) -> None:
        if not self.seperator or quote(self.seperator, safe="") == self.seperator or "%" in self.seperator:
            raise DeclarationError(f"separator {self.seperator!r}: needs characters that percent-encoding replaces")

    def build(self, *parts: str) -> str:
        return self.seperator.join(quote(str(part), safe="", errors="surrogatepass") for part in parts)

    def decompose(self, key: str) -> list[str]:
        return [unquote(part, errors="surrogatepass") for part in key.split(self.seperator)]


class PersistenceSettings:
    """Settings as class attributes: put a subclass among a model's bases.

    Attributes:
        id_provider (IdProvider): gives ids; random ones by default.
        key_builder (KeyBuilder): names a feature of a document in logs and messages.
        database (Database): the store; each subclass that sets none gets one in memory of its own.
        event_log (EventLog | None): told of each stored feature.
    """

    id_provider: ClassVar[IdProvider] = UuidProvider()
    key_builder: ClassVar[KeyBuilder] = StringDelimitedKeyBuilder()
    database: ClassVar[Database]
    event_log: ClassVar[Any] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not hasattr(cls, "database"):
            cls.database = InMemoryDatabase()

    @classmethod
    def clone(
        cls,
        id_provider: IdProvider | None = None,
        key_builder: KeyBuilder | None = None,
        database: Database | None = None,
    ) -> type["PersistenceSettings"]:
        """Return settings with some of them changed."""
        changes = {"id_provider": id_provider, "key_builder": key_builder, "database": database}
        return type(cls.__name__, (cls,), {name: value for name, value in changes.items() if value is not None})


def _with_settings(cls: Any, **settings: Any) -> Any:
    """Return a subclass of ``cls`` under the same name that carries the settings, whatever ``cls`` carried."""
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    bases = (cls,) if issubclass(cls, PersistenceSettings) else (cls, PersistenceSettings)
    return type(cls)(cls.__name__, bases, {**names, **settings})


def simple_in_memory_settings(cls: _T) -> _T:
    """Class decorator: random ids, and a store in memory that this model has for itself.

    Examples:
        >>> from zounds_lite import featureflow as ff
        >>> @simple_in_memory_settings
        ... class Document(ff.BaseModel):
        ...     text = ff.TextFeature(ff.IteratorNode, store=True)
        >>> Document(Document.process(text=["a", "b"])).text
        'ab'
    """
    return _with_settings(cls, database=InMemoryDatabase())


def simple_lmdb_settings(
    path: Any, map_size: float | None = None, user_supplied_id: bool = False, durability: str = "full"
) -> Callable[[_T], _T]:
    """Class decorator: documents live in an LMDB store at ``path``.

    Args:
        path (str | Path): the store's folder; made where it is missing.
        map_size (int | float | None): initial map size in bytes; it grows by itself.
        user_supplied_id (bool): take ids from ``process(_id=...)`` instead of making random ones.
        durability (str): "full": a document is durable when ``process`` returns; "relaxed": a power cut may take the
            last one that was committed, never a part of one.
    """

    def decorate(cls: _T) -> _T:
        provider = UserSpecifiedIdProvider("_id") if user_supplied_id else UuidProvider()
        return _with_settings(cls, database=LmdbDatabase(path, map_size, durability=durability), id_provider=provider)

    return decorate
