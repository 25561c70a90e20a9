"""Commands that make documents, or change or remove them: ``ingest``, ``update``, ``delete``."""

import argparse
from contextlib import suppress
from pathlib import Path
from typing import Any

from zounds_lite.cli.documents import check_maker, document, existing, find
from zounds_lite.cli.output import bar, complain, say
from zounds_lite.cli.sources import check_sources, datasets_of
from zounds_lite.errors import DeclarationError, EmptyDataset, KeyNotFound, StoreFull, StoreLocked

__all__ = ["delete_command", "ingest_command", "update_command"]


def ingest_command(arguments: argparse.Namespace) -> int:
    """Process recordings into a store, or say what that would mean."""
    from zounds_lite.featureflow import default_fetcher, set_fetcher

    check_sources(arguments)
    if arguments.threads is not None and arguments.workers != 1:
        raise DeclarationError("--workers and --threads are both given; allowed: one of them")
    if arguments.json is not None:
        open(arguments.json, "ab").close()  # hours later would be late to find that it cannot be written
    changes = {"private_addresses": arguments.allow_private_addresses or None, "max_bytes": arguments.max_bytes}
    undo = set_fetcher(default_fetcher().replace(**{k: value for k, value in changes.items() if value is not None}))
    try:
        recordings = datasets_of(arguments)
        return _plan(arguments, recordings) if arguments.dry_run else _ingest(arguments, recordings)
    finally:
        undo()


def _ingest(arguments: argparse.Namespace, recordings: Any) -> int:
    from zounds_lite.datasets import ingest

    cls = document(arguments.document, arguments.store)
    check_maker(arguments, cls, next(iter(cls.database), None))
    try:
        report = ingest(
            recordings,
            cls,
            workers=arguments.workers,
            multi_threaded=arguments.threads is not None,
            cores=arguments.threads,
            retry_failed=arguments.retry_failed,
            keep_source=arguments.keep_source,
        )
    except BaseException as error:  # whatever ends the run, an interrupt too
        _say_so_far(getattr(error, "report", None), arguments.json)
        raise
    _write(report, arguments.json)
    for failure in report.failed:
        if not failure.known:
            complain(f"failed: {failure.id}: {failure.reason}")
    if not report.total:
        raise _empty(arguments)
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
    if report.stopped:
        complain(f"stopped: {report.stopped}; the same command goes on")
    return 1 if report.failed or report.stopped else 0


def _empty(arguments: argparse.Namespace) -> EmptyDataset:
    return EmptyDataset(f"{', '.join(arguments.sources)}: nothing to process, as there are no recordings in it")


def _plan(arguments: argparse.Namespace, recordings: Any) -> int:
    """Say what would be fetched and processed; no store is made for that."""
    from zounds_lite.datasets import plan_ingest
    from zounds_lite.featureflow.overview import amount

    cls = None
    if (Path(arguments.store) / "data.mdb").is_file():
        cls = document(arguments.document, arguments.store)
        check_maker(arguments, cls, next(iter(cls.database), None))
    plan = plan_ingest(
        bar(recordings, "file", "listing"), cls, retry_failed=arguments.retry_failed, asks_sizes=not arguments.no_head
    )
    _write(plan, arguments.json)
    if not plan.items:
        raise _empty(arguments)
    for item in plan.items:
        size = "size unknown" if item.size is None else amount(item.size)
        reason = f" ({item.reason})" if item.reason else ""
        say(f"{item.state:<6}  {size:>12}  {item.id}{reason}")
    say(str(plan))
    return 1 if plan.stopped or plan.count("bad") else 0


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
