"""Commands that look at documents: ``ls``, ``show``, ``explain``."""

import argparse
import json
from typing import Any

import numpy as np

from zounds_lite.cli.criteria import criteria
from zounds_lite.cli.documents import check_maker, existing, find, is_foreign
from zounds_lite.cli.output import say
from zounds_lite.errors import KeyNotFound

__all__ = ["explain_command", "ls_command", "show_command"]


def ls_command(arguments: argparse.Namespace) -> int:
    """List the ids of a store, or of those of its documents that meet criteria."""
    cls = existing(arguments)
    wanted = criteria(arguments.where or [])
    for _id in sorted(cls.where(**wanted).ids if wanted else cls.database):
        say(_id)
    return 0


def _stored_value(cls: Any, _id: str, name: str) -> Any:
    """Read a value that the document class does not declare, by what its header says."""
    from zounds_lite.featureflow import Decoder, JSONDecoder, TextDecoder
    from zounds_lite.persistence import ArrayWithUnitsDecoder

    entry = cls.database.read(_id).entries.get(name)
    if entry is None:
        raise KeyNotFound(
            f"document {_id!r} has no feature {name!r}; see: zounds-lite show STORE ID; those that are not stored need "
            "--document MODULE:CLASS"
        )
    value = cls(_id)._read(lambda snapshot: snapshot.value(entry, name, cls.database))
    if "dimensions" in entry.header:
        return ArrayWithUnitsDecoder().decode(value)
    decoders: dict[str, Decoder] = {"application/json": JSONDecoder(), "text/plain": TextDecoder()}
    return decoders[entry.content_type].decode(value) if entry.content_type in decoders else value.bytes()


def show_command(arguments: argparse.Namespace) -> int:
    """Show a document, or one feature of it."""
    from zounds_lite.visualization import summary

    cls = existing(arguments)
    _id = find(cls, arguments.id)
    # the default document knows nothing of what another class made
    features = {} if arguments.document is None and is_foreign(cls, _id) else cls.features
    if arguments.feature is None:
        say(_id)
        for name in cls.database.read(_id).entries:
            stored = name in features and features[name].store
            state = "" if not stored else " (stale)" if cls.explain(_id, name).stale else ""
            say(f"  {name}{state}: {summary(_stored_value(cls, _id, name))}")
        for name, notes in cls(_id).marks.items():
            for note in notes:
                say(f"  {name} is marked as {note['kind']}: {note['message']}")
        return 0
    name = arguments.feature
    value = getattr(cls(_id), name) if name in features else _stored_value(cls, _id, name)
    say(f"{name}: {_in_full(value)}")
    if isinstance(value, np.ndarray) and value.ndim in (1, 2) and value.size:
        from zounds_lite.visualization import array_png

        out = arguments.out or f"{name}.png"
        array_png(value, out)
        say(f"picture: {out}")
    return 0


def _in_full(value: Any) -> str:
    """A value where it is text or JSON, else one line on it."""
    from zounds_lite.visualization import summary

    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except (TypeError, ValueError):
        return summary(value)


def explain_command(arguments: argparse.Namespace) -> int:
    """Say whether a stored feature is fresh."""
    cls = existing(arguments)
    _id = find(cls, arguments.id)
    check_maker(arguments, cls, _id)
    say(str(cls.explain(_id, arguments.feature)))
    return 0
