"""Commands that make documents, or change or remove them: ``ingest``, ``update``, ``delete``."""

import argparse
from contextlib import suppress
from pathlib import Path
from typing import Any

from zounds_lite.cli.documents import check_maker, document, existing, find
from zounds_lite.cli.output import bar, complain, say
from zounds_lite.errors import KeyNotFound, StoreFull, StoreLocked

__all__ = ["delete_command", "ingest_command", "listed", "update_command"]


def ingest_command(arguments: argparse.Namespace) -> int:
    """Process the audio files of a folder."""
    from zounds_lite.datasets import ingest

    recordings = listed(arguments.folder)
    if arguments.json is not None:
        open(arguments.json, "ab").close()  # hours later would be late to find that it cannot be written
    cls = document(arguments.document, arguments.store)
    check_maker(arguments, cls, next(iter(cls.database), None))
    try:
        report = ingest(recordings, cls, workers=arguments.workers, retry_failed=arguments.retry_failed)
    except BaseException as error:  # whatever ends the run, an interrupt too
        _say_so_far(getattr(error, "report", None), arguments.json)
        raise
    _write(report, arguments.json)
    for failure in report.failed:
        if not failure.known:
            complain(f"failed: {failure.id}: {failure.reason}")
    say(f"{len(report.processed) + len(report.skipped)} of {report.total} recordings are in {arguments.store}")
    say(_counts(report))
    if report.audio_seconds:
        rate = f"{report.audio_seconds_per_second:,.0f} s per second"
        say(f"{report.audio_seconds:,.1f} s of audio in {report.seconds:,.1f} s, {rate}")
    if report.known:
        say(
            f"{report.known} failed in earlier runs and were not tried again, as nothing changed since: see "
            f"zounds-lite failed {arguments.store}, or try them with --retry-failed"
        )
    return 1 if report.failed else 0


def _say_so_far(report: Any, file: str | None) -> None:
    if report is not None and report.total:
        complain(f"{_counts(report)} until then")
        with suppress(OSError):  # what ended the run is said, not what comes of it
            _write(report, file)


def _counts(report: Any) -> str:
    return f"{len(report.processed)} processed, {len(report.skipped)} skipped, {len(report.failed)} failed"


def _write(report: Any, file: str | None) -> None:
    if file is not None:
        Path(file).write_text(report.to_json() + "\n", encoding="utf-8")


def listed(folder: str) -> list[Any]:
    """Return the recordings of a folder, listed once, since each listing looks into files of unclear names."""
    from zounds_lite.datasets import Directory

    recordings = list(bar(Directory(folder), "file", "listing"))
    if not recordings:
        raise FileNotFoundError(f"{folder!r} holds no audio files")
    return recordings


def update_command(arguments: argparse.Namespace) -> int:
    """Recompute what is stale."""
    from zounds_lite.datasets.workers import in_flight

    cls = existing(arguments)
    features = None if arguments.feature is None else [arguments.feature]
    if features and features[0] not in cls.features:
        raise KeyNotFound(f"{cls.__name__} has no feature {features[0]!r}; it has: {', '.join(cls.features)}")
    ids = list(cls.database)
    for _id in ids:
        check_maker(arguments, cls, _id)
    updated = failed = 0
    documents = iter(bar(ids, "document"))
    for _id, future in in_flight(documents, lambda _id: cls.update(_id, features), arguments.workers):
        try:
            updated += bool(future.result())
        except (StoreFull, StoreLocked):  # no fault of one document: all others would fail as well
            complain(f"{updated} of {len(ids)} documents were recomputed until then, {failed} failed")
            raise
        except Exception as error:  # noqa: BLE001 - any fault of one document, of user code too, is its own
            failed += 1
            complain(f"failed: {_id}: {type(error).__name__}: {error}")
    say(f"{updated} of {len(ids)} documents had something stale and were recomputed, {failed} failed")
    return 1 if failed else 0


def delete_command(arguments: argparse.Namespace) -> int:
    """Remove a document and its values."""
    cls = existing(arguments)
    _id = find(cls, arguments.id)
    cls.delete(_id)
    say(f"deleted: {_id}")
    return 0
