"""A document as a table of its features.

Goal: see what a document holds: which features are stored, which of these are stale and why, how large they are, and
how it sounds. Conventions: showing a document computes and decodes nothing but the start of stored sound, changes
nothing, and calls no code of users; what cannot be read is said in its row. Function: ``document_html``.
"""

from typing import Any, NamedTuple

from zounds_lite.errors import ZoundsError
from zounds_lite.featureflow import BaseModel, Feature, JSONDecoder, StoredValue, TextDecoder
from zounds_lite.featureflow.arrays import GreedyNumpyDecoder
from zounds_lite.featureflow.display import Html, escaped, html_table
from zounds_lite.featureflow.overview import amount
from zounds_lite.featureflow.snapshot import Snapshot
from zounds_lite.persistence.codecs import ArrayWithUnitsDecoder, PackedArrayWithUnitsDecoder
from zounds_lite.soundfile import OggVorbisDecoder, OggVorbisWrapper
from zounds_lite.timeseries import AudioSamples
from zounds_lite.visualization.players import clip_of, player_html, wrapped_clip
from zounds_lite.visualization.summary import summary

__all__ = ["document_html"]

_MOST_PLAYERS, _PLAYED_SECONDS, _PLAYED_BYTES = 3, 20.0, 150_000
_MOST_ROWS, _MOST_MARKS = 300, 20
_MOST_TEXT = 300
_MOST_DECODED = 64_000
"""Bytes of a value of text or JSON that is read to show it."""

_CHEAP = (JSONDecoder, TextDecoder)
_MAPPED = (ArrayWithUnitsDecoder, GreedyNumpyDecoder, OggVorbisDecoder)


class _Row(NamedTuple):
    feature: str
    stored: str
    state: str
    size: str
    value: str


def document_html(document: BaseModel) -> str:
    """Return HTML that shows a document.

    Args:
        document (BaseModel): the document; where there is none of its id, that is what is shown.

    Examples:
        >>> from zounds_lite import featureflow as ff
        >>> @ff.simple_in_memory_settings
        ... class Document(ff.BaseModel):
        ...     words = ff.JSONFeature(ff.IteratorNode, store=True)
        >>> shown = document_html(Document(Document.process(words=["a"])))
        >>> "words" in shown, "fresh" in shown
        (True, True)
    """
    try:
        return document._read(lambda snapshot: _table(document, snapshot))
    except (AttributeError, ZoundsError) as error:
        return f"<div>{escaped(repr(document), _MOST_TEXT)}: {escaped(error, _MOST_TEXT)}</div>"


def _table(document: BaseModel, snapshot: Snapshot) -> str:
    features = list(document.features.values())
    players: list[str] = []
    rows = [_row(snapshot, feature, players) for feature in features[:_MOST_ROWS]]
    stored = [row for row in rows if row.stored == "yes"]
    caption = f"{document!r:.{_MOST_TEXT}}: {len(features)} features, {len(stored)} of them stored here"
    parts = [html_table(["feature", "stored", "state", "size", "value"], rows, caption)]
    if len(features) > _MOST_ROWS:
        parts.append(f"<div>and {len(features) - _MOST_ROWS} more features</div>")
    return "".join(["<div>", *parts, _marks(snapshot), "</div>"])


def _row(snapshot: Snapshot, feature: Feature, players: list[str]) -> _Row:
    """Say what is known of a feature; add to the players what was made to play."""
    name = feature.name or ""
    if not feature.store:
        return _Row(name, "no", "computed when read", "", "")
    try:
        entry = snapshot.entry(feature)
        if entry is None:
            return _Row(name, "missing", "computed when read, then stored", "", "")
        size = amount(entry.size).replace(" ", "\N{NO-BREAK SPACE}")
        explanation = snapshot.explain(feature)
        if explanation.reasons:
            return _Row(name, "yes", f"stale: {'; '.join(explanation.reasons)}"[:_MOST_TEXT], size, "")
        value = snapshot.value(entry, name, snapshot.model._database(feature))
        return _Row(name, "yes", "fresh", size, _shown(feature, value, entry.content_type, players))
    except ZoundsError as error:
        return _Row(name, "yes", f"unknown: {error}"[:_MOST_TEXT], "", "")


def _shown(feature: Feature, stored: StoredValue, content_type: str, players: list[str]) -> str:
    """Say what a stored value is, and play it where it is sound, without running code of users."""
    decoder = feature._decoder()
    kind = type(decoder)
    is_cheap = kind in _CHEAP and len(stored.data) <= _MOST_DECODED
    is_mapped = kind.__module__.startswith("zounds_lite.") and isinstance(decoder, _MAPPED)
    if not is_cheap and (not is_mapped or kind is PackedArrayWithUnitsDecoder):
        return content_type
    value = decoder.decode(stored)
    said = summary(value, _MOST_TEXT)
    if not isinstance(value, (AudioSamples, OggVorbisWrapper)):
        return said
    return Html(f"{escaped(said)}{_player(value, players)}")


def _player(value: Any, players: list[str]) -> str:
    if len(players) >= _MOST_PLAYERS:
        return ""
    make = clip_of if isinstance(value, AudioSamples) else wrapped_clip
    players.append(player_html(make(value, _PLAYED_SECONDS, _PLAYED_BYTES)))
    return players[-1]


def _marks(snapshot: Snapshot) -> str:
    """List what nodes noted about their input."""
    found = [
        (name, mark["kind"], str(mark["message"])[:_MOST_TEXT])
        for name, marks in snapshot.record.marks.items()
        for mark in marks
    ]
    return html_table(["feature", "noted", "what"], found[:_MOST_MARKS]) if found else ""
