"""What is done with every item of a dataset: ``Job``; one item: ``Task``; what became of it: ``Receipt``.

A job goes to other processes as the name of its document class, which they import anew, and as the lineage that the
class must have there, so that no worker stores what the program would not. Also ``FATAL``, errors that are no fault of
a document; functions ``check_sendable``, ``rebuilt_error``, ``lineage_differs``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from typing import Any

from zounds_lite import errors
from zounds_lite.datasets.reference import DocumentReference, check_shareable, refer_to, resolve
from zounds_lite.errors import CorruptValue, DeclarationError, StoreFull, StoreLocked, ZoundsError
from zounds_lite.featureflow import BaseModel
from zounds_lite.featureflow.ledger import (
    FailedDocument,
    describe_failed_source,
    error_reason,
    error_traceback,
    is_passing,
    is_same_source,
    lineage_digest,
)
from zounds_lite.soundfile import AudioMetaData

__all__ = ["FATAL", "Job", "Receipt", "Task", "check_sendable", "lineage_differs", "rebuilt_error"]

FATAL = (StoreFull, StoreLocked)
"""No fault of a document: the run stops, and nothing of it goes to the ledger."""


@dataclass(frozen=True, slots=True)
class Task:
    """One item.

    Args:
        number (int): its place in the dataset.
        id (str): of its document.
        item (Any): given to the document's root.
    """

    number: int
    id: str
    item: Any


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an item; sent once that is durable.

    Args:
        number (int): of the task.
        id (str): of the document.
        outcome (str): "processed", "skipped" or "failed".
        audio_seconds (float): how much sound the document holds; 0 where that is not known.
        reason (str): the error's type and message.
        traceback (str): where it was raised.
        attempts (int): how often it was tried.
        known (bool): it failed in an earlier run and was not tried again.
    """

    number: int
    id: str
    outcome: str
    audio_seconds: float = 0.0
    reason: str = ""
    traceback: str = ""
    attempts: int = 1
    known: bool = False


@dataclass(frozen=True)
class Job:
    """What is done with every item; in another process the class is imported anew.

    Args:
        cls (type[BaseModel]): the document.
        root (str): its root feature.
        skip_existing (bool): pass over what is stored from an unchanged source.
        retry_failed (bool): try again what failed in earlier runs.
        lineage (str): digest of what makes the document, where the job comes from.
        keep_source (bool | None): which original bytes are kept, as in ``process``.
        fetcher (Fetcher | None): fetches URLs; None stands for the default one.
        folders (tuple[str, ...] | None): of its stores, where the job comes from; None where it comes from here.
    """

    cls: type[BaseModel]
    root: str
    skip_existing: bool
    retry_failed: bool
    lineage: str
    keep_source: bool | None = None
    fetcher: Any = None
    folders: tuple[str, ...] | None = None

    @classmethod
    def of(
        cls,
        document: type[BaseModel],
        root: str,
        skip_existing: bool = True,
        retry_failed: bool = False,
        keep_source: bool | None = None,
        fetcher: Any = None,
    ) -> "Job":
        """Make a job for a document class as it is here.

        Raises:
            LineageError: a stored feature cannot be fingerprinted.
        """
        return cls(document, root, skip_existing, retry_failed, _digest(document), keep_source, fetcher)

    def __reduce__(self) -> Any:
        check_shareable(self.cls)
        reference = refer_to(self.cls)
        if reference is None:
            raise DeclarationError(
                f"{self.cls.__name__} is defined where another process cannot import it (in a function, a notebook or "
                "a prompt); move it to a module, or use executor=ThreadPoolExecutor(n)"
            )
        check_sendable(self.fetcher)
        values = self.root, self.skip_existing, self.retry_failed, self.lineage, self.keep_source, self.fetcher
        return _arrived, (reference, *values, _folders(self.cls))

    def is_as_sent(self) -> bool:
        """Tell whether the class has the lineage and the stores here that it has where the job comes from."""
        return _digest(self.cls) == self.lineage and self.folders in (None, _folders(self.cls))

    def settled(self, task: Task) -> Receipt | None:
        """Return the receipt of a task for which nothing is to be done, else None."""
        if self.skip_existing and self._is_done(task):
            return Receipt(task.number, task.id, "skipped")
        found = self.failure(task.id)
        if found is None or self.retry_failed or found.is_open or found.passing or found.lineage != self.lineage:
            return None
        if not is_same_source(found.source, task.item):
            return None
        return Receipt(
            task.number, task.id, "failed", 0.0, found.reason, found.traceback, found.attempts, known=True
        )  # fmt: skip

    def _is_done(self, task: Task) -> bool:
        try:
            if not self.cls.exists(task.id):
                return False
            document = self.cls(task.id)
            if document.source_changed:
                return False
            made_from = document._read(lambda snapshot: snapshot.record.sources).get(self.root, {})
            is_same = _is_same_segment(made_from, task.item) and _is_same_content(made_from, task.item)
            return is_same and _says_the_same(made_from, task.item)
        except FATAL:
            raise
        except ZoundsError:  # a damaged record is processed again
            return False

    def failure(self, _id: str) -> FailedDocument | None:
        """Return what the ledger says of a document."""
        raw = self.cls._database().get_failure(_id)
        try:
            return None if raw is None else FailedDocument.from_bytes(raw)
        except CorruptValue:
            return None

    def failed(self, task: Task, error: BaseException) -> FailedDocument:
        """Describe a failure for the ledger."""
        return FailedDocument(
            task.id,
            error_reason(error),
            error_traceback(error),
            passing=is_passing(error),
            source=describe_failed_source(task.item),
            lineage=self.lineage,
        )


def check_sendable(fetcher: Any) -> None:
    """Refuse a fetcher that other processes cannot have.

    Raises:
        DeclarationError: for example, its session is bound to this process.
    """
    try:
        ForkingPickler.dumps(fetcher)
    except Exception as error:  # whatever pickling raises
        raise DeclarationError(
            f"{fetcher!r} cannot be sent to another process ({error_reason(error)}); pass "
            "executor=ThreadPoolExecutor(n) from concurrent.futures or workers=1, or a fetcher without a session"
        ) from error


def _digest(cls: type[BaseModel]) -> str:
    return lineage_digest(cls.lineage(), cls.features.values())


def _folders(cls: type[BaseModel]) -> tuple[str, ...]:
    """Where the stores of a class are: a relative path in a module leads elsewhere after a change of the folder."""
    databases = [cls._database(feature) for feature in (None, *cls.features.values())]
    return tuple(str(getattr(database, "_root", "")) for database in databases)


def _arrived(reference: DocumentReference, *values: Any) -> Job:
    return Job(resolve(reference), *values)


def rebuilt_error(name: str, arguments: Sequence[Any]) -> Exception:
    """Make an error of ours again that another process raised."""
    error: Exception = getattr(errors, name, errors.WorkerError)(*arguments)
    return error


def lineage_differs(job: Job) -> str:
    """Say what to do where a class is another one in a worker than in the program."""
    return (
        f"{job.cls.__name__} has another lineage, or another store, in a worker process than in this program: what it "
        "depends on is changed after the import, for example in the main program, or its store has a relative path and "
        "the folder was changed; set it where the module is imported, or use executor=ThreadPoolExecutor(n)"
    )


def _is_same_segment(made_from: dict[str, Any], item: Any) -> bool:
    """Tell whether a document was made from the stretch of a recording that an item names."""
    stored = made_from["value"].get("segment") if made_from.get("kind") == "wrapped" else None
    named = item.segment if isinstance(item, AudioMetaData) else None
    return bool(stored == (None if named is None else named.to_dict()))


def _is_same_content(made_from: dict[str, Any], item: Any) -> bool:
    """Tell whether a document was made from the bytes that a catalogue lists now, where it gave their checksum."""
    extras = made_from["value"].get("extras") if made_from.get("kind") == "wrapped" else None
    stored = extras.get("checksum") if isinstance(extras, dict) else None
    named = item.extras.get("checksum") if isinstance(item, AudioMetaData) else None
    return stored is None or named is None or stored == named


def _says_the_same(made_from: dict[str, Any], item: Any) -> bool:
    """Tell whether labels and whatever else an item says are what its document was made with.

    Of what is on another machine, only checksum and segment count: catalogues count downloads, and to learn that anew
    is worth no download.
    """
    is_told = isinstance(item, AudioMetaData) and made_from.get("kind") == "wrapped"
    if not is_told or made_from["source"]["kind"] == "url":
        return True
    return bool(item.replace(uri="source").to_dict() == made_from["value"])
