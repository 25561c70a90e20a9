"""Commands on a whole store: ``verify``, ``gc``, ``copy``, ``compact``, ``merge``, ``info``, ``failed``."""

import argparse
import json
from pathlib import Path

from zounds_lite.cli.documents import existing
from zounds_lite.cli.output import complain, say

__all__ = [
    "compact_command",
    "copy_command",
    "failed_command",
    "gc_command",
    "info_command",
    "merge_command",
    "verify_command",
]


def _place(path: str) -> Path:
    """Return the path of a store that must exist; nothing of it is opened."""
    folder = Path(path)
    if not ((folder / "data.mdb").is_file() or (folder / "format.json").is_file()):
        raise FileNotFoundError(f"{path!r} is no store; make one with: zounds-lite ingest FOLDER --store PATH")
    return folder


def verify_command(arguments: argparse.Namespace) -> int:
    """Check every checksum of a store."""
    from zounds_lite.featureflow import verify

    count = 0
    for damage in verify(_place(arguments.store), progress=True):
        count += 1
        complain(f"damaged: {damage}")
    if not count:
        say(f"{arguments.store}: everything is whole")
        return 0
    places = "1 place" if count == 1 else f"{count} places"
    say(
        f"{arguments.store}: damaged in {places}; delete what is damaged and ingest it again, or mend it from a copy: "
        f"zounds-lite merge {arguments.store} COPY --on-conflict replace"
    )
    return 1


def gc_command(arguments: argparse.Namespace) -> int:
    """Remove blobs that no document names."""
    from zounds_lite.featureflow.stores.verification import open_store

    garbage = open_store(_place(arguments.store)).collect_garbage()
    say(f"{garbage.blobs} blobs removed, {garbage.bytes} bytes; {garbage.kept} kept, which are being written")
    return 0


def copy_command(arguments: argparse.Namespace) -> int:
    """Copy a store."""
    from zounds_lite.featureflow import copy

    report = copy(_place(arguments.store), arguments.target, skip_damaged=arguments.skip_damaged, progress=True)
    return _report(report)


def merge_command(arguments: argparse.Namespace) -> int:
    """Copy the documents of stores into one."""
    from zounds_lite.featureflow import merge

    sources = [_place(source) for source in arguments.sources]
    report = merge(sources, arguments.store, arguments.on_conflict, arguments.skip_damaged, progress=True)
    return _report(report)


def _report(report: object) -> int:
    for damage in report.damaged:  # type: ignore[attr-defined]
        complain(f"left out: {damage}")
    say(str(report).partition("\n")[0])
    return 1 if report.damaged else 0  # type: ignore[attr-defined]


def compact_command(arguments: argparse.Namespace) -> int:
    """Make a store as small as it can be."""
    from zounds_lite.featureflow import compact

    say(str(compact(_place(arguments.store))))
    return 0


def info_command(arguments: argparse.Namespace) -> int:
    """Say what a store holds."""
    from zounds_lite.featureflow import info

    path = _place(arguments.store)
    model = None if arguments.document is None else existing(arguments)
    found = info(path, model, progress=True, largest=arguments.documents or 0)
    say(json.dumps(found.to_dict(), indent=2) if arguments.json else str(found))
    if found.undeclared and not arguments.json:
        say(f"stored, and not by this document class: {', '.join(found.undeclared)}")
    return 0


def failed_command(arguments: argparse.Namespace) -> int:
    """List the documents that could not be made."""
    from dataclasses import asdict

    from zounds_lite.featureflow.stores import Damage
    from zounds_lite.featureflow.stores.verification import open_store, read_ledger

    entries, damaged = [], 0
    for found in read_ledger(open_store(_place(arguments.store))):
        if isinstance(found, Damage):
            damaged += 1
            complain(f"damaged: {found}")
        else:
            entries.append(found[0])
    entries.sort(key=lambda entry: entry.id)
    if arguments.json:
        say(json.dumps([asdict(entry) for entry in entries], indent=2))
        return 1 if damaged else 0
    for entry in entries:
        times = f"{entry.attempts} times" if entry.attempts != 1 else "once"
        state = f"; {entry.deaths} workers died of it, not tried again by itself" if entry.quarantined else ""
        say(f"{entry.id}: {entry.reason} (tried {times}{state})")
        if arguments.traceback and entry.traceback:
            say("".join(f"    {line}\n" for line in entry.traceback.splitlines()).rstrip("\n"))
    say(f"{len(entries)} documents failed")
    return 1 if damaged else 0
