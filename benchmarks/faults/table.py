"""What a row of the table is: ``Fault``, ``Setting``, ``Result``; and how rows are run and shown."""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Setting:
    """How a row is to run.

    Args:
        size (int): how much of it; the row's unit says of what.
        folder (Path): fresh and empty; removed afterwards.
        seed (int): of everything that is drawn.
        broken (str | None): the defect to inject in every process of the row (``broken.apply``).
    """

    size: int
    folder: Path
    seed: int = 0
    broken: str | None = None


@dataclass
class Result:
    """What a row found.

    Args:
        figures (dict): shown in the table.
        losses (list[str]): broken promises, each in words; empty where all were kept.
        ran (bool): False where something that the row needs is missing.
    """

    figures: dict[str, int | float | str] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)
    ran: bool = True
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """True where the row ran and every promise was kept."""
        return self.ran and not self.losses


@dataclass(frozen=True)
class Fault:
    """One row.

    Args:
        name (str): what goes wrong.
        size (int): the size in continuous integration.
        unit (str): of the size.
        promise (str): what must hold.
        run (Callable[[Setting], Result]): does it.
        broken (tuple[str, ...]): defects under which it must report losses.
        prove_size (int): the size for that.
    """

    name: str
    size: int
    unit: str
    promise: str
    run: Callable[[Setting], Result]
    broken: tuple[str, ...]
    prove_size: int


def run(fault: Fault, size: int, seed: int, broken: str | None = None) -> Result:
    """Run a row in a fresh folder."""
    folder = Path(tempfile.mkdtemp(prefix="zounds-faults-"))
    began = time.monotonic()
    try:
        result = fault.run(Setting(size, folder, seed, broken))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    result.seconds = time.monotonic() - began
    return result


def verdict(result: Result) -> str:
    """One word on a result."""
    return "passed" if result.passed else "FAILED" if result.ran else "not run"


def markdown(rows: Sequence[tuple[Fault, int, Result]]) -> str:
    """The table as Markdown."""
    lines = ["| test | size | promise | found | verdict |", "|---|---|---|---|---|"]
    for fault, size, result in rows:
        figures = ", ".join(f"{name} {value}" for name, value in result.figures.items())
        lines.append(f"| {fault.name} | {size:,} {fault.unit} | {fault.promise} | {figures} | {verdict(result)} |")
    return "\n".join(lines) + "\n"
