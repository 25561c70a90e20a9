"""Features: the nodes of a model, declared as class attributes, and how their values are stored.

Classes: ``Feature``, ``Aspect``, ``Var``; function ``selector``. What differs by the kind of value is in ``kinds``.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from zounds_lite._declared import Declared, describe, describe_code, is_library
from zounds_lite.errors import DeclarationError, FeatureNotComputable
from zounds_lite.featureflow import codecs
from zounds_lite.featureflow.node import FunctionalNode, KeySelector, Node

__all__ = ["Aspect", "Feature", "Var", "selector"]


class Var(Declared):
    """An extractor argument whose value comes from ``process(name=value)``.

    Args:
        name (str): the keyword of ``process``.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name)

    name: str


class Aspect:
    """One key of a feature whose chunks are mappings: what ``feature.aspect(key)`` returns.

    Args:
        feature (Feature): the feature.
        aspect_key (str): the key that the dependent node receives.
    """

    def __init__(self, feature: "Feature", aspect_key: str) -> None:
        self.feature = feature
        self.aspect_key = aspect_key

    @property
    def name(self) -> str | None:
        """The feature's name."""
        return self.feature.name


class Feature:
    """A node of a model, and what becomes of its output.

    Args:
        extractor (type[Node] | Callable): what computes it: a node class, or a function called with each chunk.
        needs (Feature | Aspect | Sequence | Mapping | None): what it is computed from; None makes it a root, whose
            value is a keyword of ``process``.
        store (bool): keep the value in the store.
        encoder (type[Node] | None): a node class that turns chunks into bytes.
        decoder (Callable | None): reads a value back: a ``Decoder``, or a callable of a binary file.
        key (str | None): name of the stored value; the attribute's name by default.
        data_writer: accepted for compatibility; the store writes.
        persistence (type | None): settings with another database for this feature.
        version (str | None): names the code's version by hand, instead of its source.
        extractor_args: arguments of the node class; a ``Var`` is filled in by ``process``.

    Raises:
        DeclarationError: the extractor is neither a node class nor callable, or the encoder is no node class.
    """

    encoder: type[Node] = codecs.IdentityEncoder
    decoder: Any = codecs.BytesDecoder()
    objects = True
    """Whether an unstored value is handed over as the node made it, without a round trip through the codec."""

    def __init__(
        self,
        extractor: Any,
        needs: Any = None,
        store: bool = False,
        encoder: type[Node] | None = None,
        decoder: Any = None,
        key: str | None = None,
        data_writer: Any = None,
        persistence: Any = None,
        version: str | None = None,
        **extractor_args: Any,
    ) -> None:
        is_node = isinstance(extractor, type) and issubclass(extractor, Node)
        if not is_node and (isinstance(extractor, type) or not callable(extractor)):
            raise DeclarationError(f"an extractor is a Node class or a function, got {extractor!r}")
        if encoder is not None and not (isinstance(encoder, type) and issubclass(encoder, Node)):
            raise DeclarationError(f"an encoder is a Node class, got {encoder!r}")
        if not is_node and extractor_args:
            raise DeclarationError(
                f"a function takes no extra arguments, got {sorted(extractor_args)}; use a Node class"
            )
        self.extractor = extractor
        self.store = store
        self.key = key
        self.name: str | None = None
        self.data_writer = data_writer
        self.persistence = persistence
        self.version = version
        self.extractor_args = extractor_args
        self._needs = needs
        if encoder is not None:
            self.encoder = encoder
            self.objects = False
        if decoder is not None:
            self.decoder = decoder

    def __set_name__(self, owner: type, name: str) -> None:
        if self.name is None:
            self.name = name
            self.key = self.key or name

    def copy(self, **changes: Any) -> Self:
        """Return an unnamed feature that is declared alike, with some arguments changed."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.name = other.key = None
        other.extractor_args = dict(self.extractor_args)
        if "needs" in changes:
            other._needs = changes.pop("needs")
        for name, value in changes.items():
            if name in self.__dict__:
                setattr(other, name, value)
            else:
                other.extractor_args[name] = value
        return other

    @property
    def needs(self) -> Any:
        """What was declared: a feature, several, a mapping, or None."""
        return self._needs

    def named_needs(self) -> dict[str, "Feature | Aspect"]:
        """What the feature needs, by the name under which its node receives it."""
        needs = self._needs
        if needs is None:
            return {}
        if isinstance(needs, Mapping):
            return dict(needs)
        several = list(needs) if isinstance(needs, (list, tuple)) else [needs]
        named = {need.name or f"need{i}": need for i, need in enumerate(several)}
        if len(named) == len(several):
            return named
        return {f"need{i}": need for i, need in enumerate(several)}

    @property
    def is_root(self) -> bool:
        """True where the feature needs nothing but an argument of ``process``."""
        return not self.named_needs()

    def aspect(self, key: str) -> Aspect:
        """Return one key of the chunks of this feature, for ``needs``."""
        return Aspect(self, key)

    @property
    def content_type(self) -> str:
        """Media type of the stored bytes."""
        return getattr(self.encoder, "content_type", "application/octet-stream")

    # making nodes

    def make_node(self, needs: Mapping[str, Node], arguments: Mapping[str, Any]) -> Node:
        """Build the extractor for one run.

        Args:
            needs (Mapping[str, Node]): nodes by the names of ``named_needs``.
            arguments (Mapping[str, Any]): the keywords of ``process``, for each ``Var``.
        """
        wired = dict(needs) or None
        if not isinstance(self.extractor, type):
            return FunctionalNode(self.extractor, needs=wired)
        filled = {k: self._filled(v, arguments) if isinstance(v, Var) else v for k, v in self.extractor_args.items()}
        return self.extractor(needs=wired, **filled)

    def _filled(self, variable: Var, arguments: Mapping[str, Any]) -> Any:
        if variable.name not in arguments:
            raise FeatureNotComputable(
                f"{self.name} needs {variable.name!r}, which was given to process() and could not be kept; "
                "process the document again"
            )
        return arguments[variable.name]

    def variables(self) -> list[str]:
        """The keywords of ``process`` that fill in arguments."""
        return [value.name for value in self.extractor_args.values() if isinstance(value, Var)]

    def make_encoder(self, need: Node) -> Node:
        """Build the encoder for one run."""
        return self.encoder(needs=need)

    def describe_codec(self) -> Any:
        """Describe how the value is stored and read, for lineage: our codecs by name and revision, others by code."""
        encoder: Any = [self.encoder.__qualname__, self.encoder.revision]
        described = {"encoder": encoder if is_library(self.encoder) else describe_code(self.encoder)}
        decoder = self._decoder()
        is_ours = is_library(type(decoder) if isinstance(decoder, codecs.Decoder) else decoder)
        return described if is_ours else {**described, "decoder": describe(decoder)}

    # reading

    def _decoder(self) -> Any:
        """Return what reads values back."""
        return self.decoder

    def decode(self, value: codecs.StoredValue) -> Any:
        """Return a stored value."""
        decoder = self._decoder()
        if isinstance(decoder, codecs.Decoder):
            return decoder.decode(value)
        return decoder(value.open())

    def chunks(self, value: codecs.StoredValue) -> Iterator[Any]:
        """Yield a stored value in pieces, for the nodes that need it."""
        decoder = self._decoder()
        if isinstance(decoder, codecs.Decoder):
            yield from decoder.chunks(value)
        elif hasattr(decoder, "__iter__"):
            yield from decoder.__iter__(value.open())
        else:
            yield decoder(value.open())

    def __get__(self, document: Any, owner: Any = None) -> Any:
        if document is None:
            return self
        value = document._fetch(self)
        document.__dict__[self.name] = value  # read from here next time
        return value

    def feature_key(self, _id: str, persistence: Any) -> str:
        """Name this feature of a document, for logs: id, key and lineage."""
        return str(persistence.key_builder.build(_id, self.key, persistence.lineage().hash(self)))

    def __call__(self, _id: str, decoder: Any = None, persistence: Any = None) -> Any:
        """Read this feature of a document, or compute it.

        Args:
            _id (str): the document.
            decoder (Callable | None): reads the value instead of the feature's own decoder.
            persistence (type): the model.
        """
        feature = self if decoder is None else self.copy(decoder=decoder)
        feature.name, feature.key = self.name, self.key
        return persistence(_id)._fetch(feature)

    def compute(self, _id: str, persistence: Any) -> Any:
        """Compute this feature of a document anew, whatever is stored."""
        return persistence(_id)._compute([self])[self.name]

    def __repr__(self) -> str:
        name = getattr(self.extractor, "__qualname__", repr(self.extractor))
        return f"{type(self).__name__}({self.name}: {name}, store={self.store})"


def selector(need: Aspect, node: Node) -> Node:
    """Build the node that picks an aspect's key from the chunks of ``node``."""
    return KeySelector(need.aspect_key, needs=node)
