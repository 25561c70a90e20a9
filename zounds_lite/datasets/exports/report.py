"""What became of each document, or clip, of an export: ``ExportReport``; function ``reported``."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from zounds_lite.datasets.report import Failure
from zounds_lite.errors import OutputError, StoreFull, StoreLocked
from zounds_lite.featureflow.ledger import error_reason

__all__ = ["ExportReport", "reported"]


@dataclass
class ExportReport:
    """What became of each document, or clip.

    Attributes:
        path (str): the file, or the folder.
        unit (str): what is counted: ``"document"`` or ``"clip"``.
        written (list[str]): what was written now, by id or name.
        kept (list[str]): what was there already, from a run that did not end.
        failed (list[report.Failure]): what is not in the file, each with its reason.

    Examples:
        >>> print(ExportReport("out.h5", "clip", ["a", "b"], [], [Failure("c", "EmptyAudio: no bytes")]))
        out.h5: 2 clips, 1 failed
        >>> print(ExportReport("out.h5", "clip", ["b"], ["a"]))
        out.h5: 2 clips (1 of an earlier run), 0 failed
    """

    path: str
    unit: str = "document"
    written: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)

    def __str__(self) -> str:
        count = len(self.written) + len(self.kept)
        earlier = f" ({len(self.kept)} of an earlier run)" if self.kept else ""
        return f"{self.path}: {count} {self.unit}{'' if count == 1 else 's'}{earlier}, {len(self.failed)} failed"


@contextmanager
def reported(report: ExportReport, name: str) -> Iterator[None]:
    """Put an error into a report: one document, or clip, that fails costs nobody the rest.

    Args:
        report (ExportReport): the report.
        name (str): what fails.

    Raises:
        OutputError, StoreFull, StoreLocked: these are no fault of it, so they end the export.
    """
    try:
        yield
    except (OutputError, StoreFull, StoreLocked):
        raise
    except Exception as error:  # noqa: BLE001 - any fault of one document, of user code too, is its own
        report.failed.append(Failure(name, error_reason(error)))
