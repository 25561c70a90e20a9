"""What became of each item of a dataset: ``IngestReport``, ``Failure``."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from zounds_lite.featureflow.display import escaped, html_table

__all__ = ["THE_DATASET", "Failure", "IngestReport"]

THE_DATASET = "the dataset itself"
"""Stands for the id where a dataset broke while it was read."""

_GROUPS = 20
_SHOWN = 5
_MOST_ROWS, _MOST_TEXT = 100, 500
"""Failures that a notebook shows, and characters of each reason."""


@dataclass(frozen=True)
class Failure:
    """One item that could not be processed.

    Attributes:
        id (str): the item.
        reason (str): the error's type and message.
        traceback (str): where it was raised.
        attempts (int): how often it was tried, earlier runs included.
        known (bool): it failed in an earlier run, nothing has changed since, and so it was not tried again.
    """

    id: str
    reason: str
    traceback: str = ""
    attempts: int = 1
    known: bool = False


@dataclass
class IngestReport:
    """What became of each item of a dataset.

    Attributes:
        processed (list[str]): ids of the documents that were stored.
        skipped (list[str]): ids that were there already, from an unchanged source.
        failed (list[Failure]): the rest, each with its reason.
        seconds (float): how long the run took.
        audio_seconds (float): how much sound the stored documents hold, where that is known.
        stopped (str): why the run ended before the dataset did; the same call goes on. Empty where it was read through.

    Examples:
        >>> report = IngestReport(["a.wav", "b.wav"], [], [Failure("c.wav", "EmptyAudio: no bytes")], 2.0, 60.0)
        >>> print(report)
        2 of 3 processed, 0 skipped, 1 failed in 2.0 s: 60 s of audio, 30 s per second
          failed: c.wav: EmptyAudio: no bytes
        >>> report.to_dict()["audio_seconds_per_second"]
        30.0
    """

    processed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    audio_seconds: float = 0.0
    stopped: str = ""

    @property
    def total(self) -> int:
        """Number of items."""
        return len(self.processed) + len(self.skipped) + len(self.failed)

    @property
    def known(self) -> int:
        """Number of failures that are known from earlier runs and were not tried again."""
        return sum(failure.known for failure in self.failed)

    @property
    def audio_seconds_per_second(self) -> float:
        """Seconds of sound that were stored in each second of the run; 0 for a run of no length."""
        return self.audio_seconds / self.seconds if self.seconds > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the report as strict JSON."""
        return {**asdict(self), "audio_seconds_per_second": self.audio_seconds_per_second}

    def to_json(self) -> str:
        """Return the report as JSON text."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False)

    def __str__(self) -> str:
        ends = [f"  stopped: {self.stopped}; the same call goes on"] if self.stopped else []
        return "\n".join([self._summary(), *self._failures(), *ends])

    def _repr_html_(self) -> str:
        rows = [
            (_cut(failure.id), _cut(failure.reason), failure.attempts, "yes" if failure.known else "")
            for failure in self.failed[:_MOST_ROWS]
        ]
        parts = [f"<div>{escaped(self._summary())}</div>"]
        if rows:
            parts.append(html_table(["failed", "reason", "attempts", "known from earlier runs"], rows))
        if len(self.failed) > _MOST_ROWS:
            parts.append(f"<div>and {len(self.failed) - _MOST_ROWS} more; report.failed lists them all</div>")
        if self.stopped:
            parts.append(f"<div>stopped: {escaped(_cut(self.stopped))}; the same call goes on</div>")
        return f"<div>{''.join(parts)}</div>"

    def _summary(self) -> str:
        if not self.total and not self.stopped:
            return f"the dataset is empty: nothing to process ({self.seconds:.1f} s)"
        known = f" ({self.known} known from earlier runs)" if self.known else ""
        text = (
            f"{len(self.processed)} of {self.total} processed, {len(self.skipped)} skipped, "
            f"{len(self.failed)} failed{known} in {self.seconds:.1f} s"
        )
        if not self.audio_seconds:
            return text
        return f"{text}: {self.audio_seconds:,.0f} s of audio, {self.audio_seconds_per_second:,.0f} s per second"

    def _failures(self) -> Iterator[str]:
        """A line for each failure; where there are many, those of one kind together and the first of them by name."""
        if len(self.failed) <= _GROUPS:
            yield from (f"  failed: {failure.id}: {failure.reason}" for failure in self.failed)
            return
        groups: dict[str, list[Failure]] = {}
        for failure in self.failed:
            groups.setdefault(failure.reason.partition(":")[0], []).append(failure)
        largest = sorted(groups.items(), key=lambda group: -len(group[1]))
        for kind, failures in largest[:_GROUPS]:
            yield f"  failed: {len(failures)} with {kind}"
            yield from (f"    {failure.id}: {failure.reason}" for failure in failures[:_SHOWN])
            if len(failures) > _SHOWN:
                yield f"    ... and {len(failures) - _SHOWN} more"
        if len(largest) > _GROUPS:
            rest = sum(len(failures) for _, failures in largest[_GROUPS:])
            yield f"  failed: {rest} more of {len(largest) - _GROUPS} other kinds; report.failed lists them all"


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}..."
