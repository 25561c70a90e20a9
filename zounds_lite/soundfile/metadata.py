"""What is known about a recording: where it is, its rate and channels, its licence, and whatever else a source says.

Goal: one value that a graph can be run on (``Document.process(meta=...)``) and that a store can keep. Conventions:
rates in hertz, durations in seconds; a ``TimeSlice`` says which stretch of a recording is meant, where it is not all of
it. Class: ``AudioMetaData``; function ``portable_uri``.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from zounds_lite._declared import Declared, decode, describe_argument, encode, key_of
from zounds_lite._span import PICOSECONDS, Span
from zounds_lite.errors import DeclarationError
from zounds_lite.timeseries import TimeSlice

__all__ = ["AudioMetaData", "portable_uri"]

_FIELDS = ("uri", "samplerate", "channels", "licensing", "description", "tags")
_SEGMENT = "segment"
"""Written down only where there is one, so that what stands in stores of whole recordings stays as it is."""


def portable_uri(uri: Any) -> str | None:
    """Return the text that finds a source again: a path, a URL or a member of an archive; None for sources in memory.

    Examples:
        >>> portable_uri("music/a.ogg"), portable_uri(b"RIFF")
        ('music/a.ogg', None)
    """
    if isinstance(uri, (str, PurePath)):
        return str(uri)
    text = getattr(uri, "url", None) or getattr(uri, "location", None)
    return text if isinstance(text, str) else None


class AudioMetaData(Declared):
    """What is known about a source of audio.

    Args:
        uri (str | Path | requests.Request | ArchiveMember | bytes | BinaryIO): where the audio is: a path, a URL, a
            request, a member of an archive, or the audio itself.
        samplerate (int | None): sample rate, hertz.
        channels (int | None): channels.
        licensing (str | None): the licence that applies.
        description (str | None): a description for people.
        tags (Any): keywords.
        segment (TimeSlice | None): the stretch of the recording that is meant; None: all of it. As for arrays, what
            lies before its start or behind its end is cut, and nothing counts from the end. ``replace(segment=...)``
            makes the metadata of another stretch.
        kwargs (Any): anything else; each becomes an attribute (``extras`` holds them all).

    Raises:
        DeclarationError: no uri, or a segment that is no ``TimeSlice`` or has no duration; it is a ``ValueError``.

    Examples:
        >>> meta = AudioMetaData(uri="a.wav", samplerate=44100, artist="Ann")
        >>> meta.artist, meta.request is None, meta == AudioMetaData(uri="a.wav", samplerate=44100)
        ('Ann', True, False)
        >>> AudioMetaData.from_dict(meta.to_dict()) == meta
        True
        >>> from zounds_lite.timeseries import Seconds
        >>> meta.replace(segment=TimeSlice(start=Seconds(1.5), duration=Seconds(2))).fragment
        't=1.5,3.5'
    """

    uri: Any
    samplerate: int | None
    channels: int | None
    licensing: Any
    description: Any
    tags: Any
    segment: TimeSlice | None

    def __init__(
        self,
        uri: Any = None,
        samplerate: int | None = None,
        channels: int | None = None,
        licensing: Any = None,
        description: Any = None,
        tags: Any = None,
        segment: TimeSlice | None = None,
        **kwargs: Any,
    ) -> None:
        self.__dict__["_extras"] = kwargs
        # a field of a catalogue must not hide a method
        visible = {name: value for name, value in kwargs.items() if not hasattr(type(self), name)}
        super().__init__(
            uri=uri,
            samplerate=samplerate,
            channels=channels,
            licensing=licensing,
            description=description,
            tags=tags,
            segment=segment,
            **visible,
        )

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"this AudioMetaData has no {name!r}; it has: {', '.join(sorted(self.__dict__))}")

    def validate(self) -> None:
        """Refuse metadata of nothing."""
        if self.uri is None or (isinstance(self.uri, str) and not self.uri):
            raise DeclarationError(
                f"uri={self.uri!r}: metadata needs a source; allowed: a path, a URL, a request, bytes or a file"
            )
        if self.segment is None:
            return
        if not isinstance(self.segment, TimeSlice):
            raise DeclarationError(
                f"segment={_shown(self.segment)}: a stretch of a recording is a TimeSlice, such as "
                "TimeSlice(start=Seconds(90), duration=Seconds(30)); None is all of it"
            )
        stop_ps = self.segment.stop_ps
        if stop_ps is not None and stop_ps <= max(0, self.segment.start_ps):
            raise DeclarationError(
                f"segment={self.segment!r} selects nothing; allowed: a duration above zero, and an end behind the "
                "start of the recording"
            )

    @property
    def extras(self) -> dict[str, Any]:
        """What was given beyond the named fields."""
        return dict(self.__dict__["_extras"])

    @property
    def parameters(self) -> dict[str, Any]:
        """All fields by name, extras included."""
        return {**{name: self.__dict__[name] for name in (*_FIELDS, _SEGMENT)}, **self.__dict__["_extras"]}

    @property
    def span(self) -> Span | None:
        """The segment as the graph engine knows it, in picoseconds, without what lies before zero."""
        return None if self.segment is None else self.segment.to_span()

    @property
    def fragment(self) -> str | None:
        """The segment as a media fragment of a URL, in seconds, exactly: ``t=1.5,3``, or ``t=1.5`` to the end.

        Sources:
            W3C, Media Fragments URI 1.0, section 4.2.1 (temporal dimension).
        """
        span = self.span
        if span is None:
            return None
        return f"t={_seconds(span.start)}" + ("" if span.stop is None else f",{_seconds(span.stop)}")

    @property
    def request(self) -> Any:
        """The uri where it is a request, else None."""
        return self.uri if hasattr(self.uri, "url") else None

    def to_dict(self) -> dict[str, Any]:
        """Return strict JSON that ``from_dict`` reads back; a request is written as its URL.

        Raises:
            DeclarationError: the source is in memory, or an extra is no plain value.
        """
        uri = portable_uri(self.uri)
        if uri is None:
            raise DeclarationError(
                f"uri={_shown(self.uri)}: a source in memory cannot stand in a stored header; allowed: a path or a URL"
            )
        return self._dict({**self.parameters, "uri": uri}, encode)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Any:
        """Build the metadata that ``to_dict`` described.

        Raises:
            DeclarationError: the fields or extras are not what ``to_dict`` writes.
        """
        fields = {name: decode(item) for name, item in value.items() if name not in ("type", "extras")}
        extras = decode(value.get("extras", {}))
        known = {*_FIELDS, _SEGMENT}
        is_plain = isinstance(extras, dict) and all(isinstance(name, str) and name not in known for name in extras)
        if not is_plain or not set(fields) <= known:
            raise DeclarationError(f"malformed {cls.__name__} in a stored header: {_shown(dict(value))}")
        return cls(**fields, **extras)

    def describe(self) -> dict[str, Any]:
        """Return JSON for lineage."""
        return self._dict(self.parameters, describe_argument)

    def _dict(self, parameters: dict[str, Any], write: Any) -> dict[str, Any]:
        # what is all of a recording is written as it was before there were segments
        names = _FIELDS if self.segment is None else (*_FIELDS, _SEGMENT)
        fields = {name: write(parameters[name]) for name in names}
        extras = {name: parameters[name] for name in self.__dict__["_extras"]}
        return {"type": type(self).__name__, **fields, "extras": write(extras)}

    def _identity(self) -> Any:
        return key_of({**self.parameters, "uri": _uri_identity(self.uri)})

    def __repr__(self) -> str:
        given = {name: value for name, value in self.parameters.items() if value is not None}
        shown = ", ".join(f"{name}={_shown(value)}" for name, value in given.items())
        return f"{type(self).__name__}({shown})"


def _uri_identity(uri: Any) -> Any:
    """Make requests for the same thing equal."""
    if not hasattr(uri, "url"):
        return uri
    headers = {str(name): str(value) for name, value in (getattr(uri, "headers", None) or {}).items()}
    return "request", getattr(uri, "method", None), uri.url, headers, repr(getattr(uri, "params", None))


def _seconds(ps: int) -> str:
    """Write a time in seconds as the shortest decimal number that is exact."""
    seconds, rest = divmod(ps, PICOSECONDS)
    return f"{seconds}.{rest:012d}".rstrip("0") if rest else str(seconds)


def _shown(value: Any) -> str:
    return f"<{len(value)} bytes>" if isinstance(value, (bytes, bytearray, memoryview)) else repr(value)
