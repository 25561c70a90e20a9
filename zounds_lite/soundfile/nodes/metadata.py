"""What a document is made from, as metadata. Nodes: ``MetaData``, ``AudioMetaDataEncoder``."""

import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite._lazy import optional
from zounds_lite._span import PICOSECONDS
from zounds_lite.errors import DeclarationError
from zounds_lite.featureflow import Encoder, Node
from zounds_lite.featureflow.archives import member_of
from zounds_lite.media import probe
from zounds_lite.media.probe import check_damaged
from zounds_lite.soundfile.metadata import AudioMetaData, portable_uri
from zounds_lite.soundfile.segments import frames_of
from zounds_lite.timeseries import AudioSampleRate, TimeSlice

__all__ = ["AudioMetaDataEncoder", "MetaData"]


class MetaData(Node):
    """Turns what a document is made from into ``AudioMetaData``.

    Takes a path, bytes, a binary file (its position is put back), a member of an archive, a URL, a
    ``requests.Request`` or ``AudioMetaData``. What can be read here is probed: samplerate, channels, frames, duration
    (seconds), format, subtype. ``AudioMetaData`` that lacks its rate or channels is completed the same way; what it
    says stays. Where it has a segment, frames and duration are those of the segment, and ``recording_duration`` is that
    of all of it.

    Args:
        damaged (str): ``"raise"`` refuses a recording that its header shows to be cut short; ``"keep"`` takes it.
        needs: nothing, usually: it is the root of a graph.

    Raises:
        FileNotFoundError: there is no such file.
        DecodeError: the source is no recording that can be decoded.
        EmptyAudio: the segment lies behind the end of the recording.

    Examples:
        >>> from zounds_lite.timeseries import SR8000, AudioSamples
        >>> wav = AudioSamples(np.zeros(4000), SR8000()).encode()
        >>> meta = next(MetaData().run([wav]))
        >>> meta.samplerate, meta.channels, meta.duration, meta.format
        (8000, 1, 0.5, 'WAV')
    """

    def __init__(self, damaged: str = "raise", needs: Any = None) -> None:
        super().__init__(needs=needs)
        check_damaged(damaged)
        self.damaged = damaged

    def _process(self, data: Any) -> Iterator[Any]:
        if isinstance(data, AudioMetaData):
            yield self._completed(data)
        elif isinstance(data, str) and data.startswith(("http://", "https://")):
            yield AudioMetaData(uri=optional("requests").Request("GET", data, headers={"Range": "bytes=0-"}))
        elif hasattr(data, "url") and not hasattr(data, "read"):
            if hasattr(data, "headers"):
                data.headers = {"Range": "bytes=0-", **(data.headers or {})}
            yield AudioMetaData(uri=data)
        else:
            yield AudioMetaData(uri=data, **self._probed(data))

    def _completed(self, meta: AudioMetaData) -> AudioMetaData:
        is_remote = meta.request is not None or str(meta.uri).startswith(("http://", "https://"))
        if is_remote or (meta.span is None and None not in (meta.samplerate, meta.channels)):
            return meta
        known = {name: value for name, value in meta.parameters.items() if value is not None}
        probed = self._probed(meta.uri)
        return AudioMetaData(**{**probed, **known, **self._of_segment(meta, probed)})

    def _of_segment(self, meta: AudioMetaData, probed: dict[str, Any]) -> dict[str, Any]:
        """Return how long the segment is, whatever a catalogue says of the whole."""
        if meta.span is None:
            return {}
        rate = probed["samplerate"]
        first, stop = frames_of(meta.span, rate, probed["frames"], meta.uri)
        is_known = probed["frames"] is not None and stop is not None
        frames = stop - first if is_known and stop is not None else None
        duration = None if frames is None else frames / rate
        return {"frames": frames, "duration": duration, "recording_duration": probed["duration"]}

    def _probed(self, uri: Any) -> dict[str, Any]:
        member = member_of(uri)
        uri = uri if member is None else member.open()
        if isinstance(uri, (str, os.PathLike)) and not os.path.isfile(uri):
            raise FileNotFoundError(
                f"{os.fspath(uri)!r} is no file; allowed: a path, bytes, a binary file, a URL, a requests.Request"
            )
        if not isinstance(uri, (str, os.PathLike, bytes, bytearray, memoryview)) and not hasattr(uri, "seek"):
            raise DeclarationError(
                f"{uri!r} is no source of audio; allowed: a path, bytes, a binary file, a URL, a requests.Request"
            )
        info = probe(uri, self.damaged)
        return {
            "samplerate": info.samplerate,
            "channels": info.channels,
            "frames": info.frames,
            "duration": info.duration_s,
            "format": info.format,
            "subtype": info.subtype,
        }


class AudioMetaDataEncoder(Encoder):
    """Metadata as JSON: the uri is a path or a URL, and null for sources in memory.

    A segment is an object: its ``start`` and ``duration`` in seconds, for people, and the exact ``start_ps`` and
    ``duration_ps``; the durations are null where it reaches to the end.

    Examples:
        >>> next(AudioMetaDataEncoder().run([AudioMetaData(uri=b"RIFF", samplerate=8000, artist="Ann")]))
        b'{"uri": null, "samplerate": 8000, ..., "artist": "Ann"}'
    """

    content_type = "application/json"

    def _process(self, data: AudioMetaData) -> Iterator[bytes]:
        fields = {**data.parameters, "uri": portable_uri(data.uri)}
        segment = fields.pop("segment")
        if segment is not None:
            fields["segment"] = _segment_as_json(segment)
        if isinstance(fields["samplerate"], AudioSampleRate):
            fields["samplerate"] = int(fields["samplerate"])
        try:
            yield json.dumps(fields, default=_as_json, allow_nan=False).encode("utf-8")
        except (TypeError, ValueError) as error:
            raise DeclarationError(
                f"the metadata {data!r} is no JSON: {error}; allowed: finite numbers, text, lists and dicts"
            ) from error


def _segment_as_json(segment: TimeSlice) -> dict[str, Any]:
    start_ps, stop_ps = segment.start_ps, segment.stop_ps
    duration_ps = None if stop_ps is None else stop_ps - start_ps
    return {
        "start": start_ps / PICOSECONDS,
        "duration": None if duration_ps is None else duration_ps / PICOSECONDS,
        "start_ps": start_ps,
        "duration_ps": duration_ps,
    }


def _as_json(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{type(value).__qualname__} is not allowed")
