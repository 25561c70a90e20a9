"""What all benchmarks share: interleaved rounds, child processes whose memory is watched, machine facts, tables."""

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

PACKAGES = ["numpy", "scipy", "soundfile", "soxr", "lmdb", "librosa", "h5py", "zarr"]


def machine() -> dict[str, Any]:
    """Facts that the figures depend on."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "python": platform.python_version(),
        "cpu": _cpu_model() or platform.machine(),
        "cores": os.cpu_count(),
        "blas": _blas(),
        "packages": versions,
    }


def _cpu_model() -> str:
    """Name of the processor, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _blas() -> dict[str, Any]:
    """What numpy multiplies matrices with, and the vector instructions that it found."""
    built: Any = np.show_config(mode="dicts")
    blas = built.get("Build Dependencies", {}).get("blas", {})
    return {
        "name": blas.get("name"),
        "version": blas.get("version"),
        "simd": built.get("SIMD Extensions", {}).get("found", []),
        "threads": os.environ.get("OPENBLAS_NUM_THREADS", "all"),
    }


class Row(NamedTuple):
    """One line of a table, for people and as data.

    ``figure`` and ``target`` are text, ``value`` the figure alone, in ``unit``, and ``bar`` the number asked for.
    ``reached`` is None where nothing is asked.
    """

    what: str
    figure: str
    target: str = ""
    reached: bool | None = None
    value: float | None = None
    unit: str = ""
    bar: float | None = None

    @classmethod
    def at_least(cls, what: str, value: float, bar: float, unit: str = "", note: str = "", digits: int = 3) -> Self:
        """A row whose figure has to reach a bar; NaN never does."""
        return cls._against(what, value, ">=", bar, unit, note, digits)

    @classmethod
    def at_most(cls, what: str, value: float, bar: float, unit: str = "", note: str = "", digits: int = 3) -> Self:
        """A row whose figure has to stay under a bar; NaN never does."""
        return cls._against(what, value, "<=", bar, unit, note, digits)

    @classmethod
    def _against(cls, what: str, value: float, sign: str, bar: float, unit: str, note: str, digits: int) -> Self:
        figure, target = f"{value:.{digits}g} {unit}".rstrip() + note, f"{sign} {bar:g} {unit}".rstrip()
        is_reached = value >= bar if sign == ">=" else value <= bar
        return cls(what, figure, target, bool(is_reached), float(value), unit, bar)


class Table:
    """Rows of what, figure and target; a figure that falls short is marked, and counted where targets bind.

    Args:
        binds (bool): False on quick runs, whose figures are too short to judge by.
    """

    def __init__(self, binds: bool) -> None:
        self.binds = binds
        self.missed = 0
        self.rows: list[Row] = []

    def add(
        self,
        what: str,
        figure: str,
        target: str = "",
        reached: bool | None = None,
        value: float | None = None,
        unit: str = "",
    ) -> None:
        """Add a row; one that does not reach its target is missed. ``value`` is the figure as a number."""
        self.append(Row(what, figure, target, reached, value, unit))

    def append(self, row: Row) -> None:
        """Add a row that is made already."""
        is_missed = self.binds and row.reached is False
        self.missed += is_missed
        self.rows.append(row._replace(figure=row.figure + "  MISSED") if is_missed else row)

    def at_least(self, what: str, figure: float, bar: float, unit: str = "", note: str = "") -> None:
        """Add a row whose figure has to reach a bar; NaN never does."""
        self.append(Row.at_least(what, figure, bar, unit, note))

    def at_most(self, what: str, figure: float, bar: float, unit: str = "", note: str = "") -> None:
        """Add a row whose figure has to stay under a bar; NaN never does."""
        self.append(Row.at_most(what, figure, bar, unit, note))


def interleave(candidates: dict[str, Callable[[], Any]], rounds: int, repeat: int = 1) -> dict[str, list[float]]:
    """Time candidates in turn, round after round, so that a change of the machine's speed meets all of them.

    Returns:
        dict: seconds per call, one figure a round.
    """
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for candidate in candidates.values():
        candidate()
    for _ in range(rounds):
        for name, candidate in candidates.items():
            began = time.perf_counter()
            for _ in range(repeat):
                candidate()
            times[name].append((time.perf_counter() - began) / repeat)
    return times


def median_ratio(of: Sequence[float], to: Sequence[float]) -> float:
    """Median of the ratios of two candidates, round by round."""
    return statistics.median(a / b for a, b in zip(of, to, strict=True))


def anonymous_memory(pid: int) -> int:
    """Anonymous resident memory of a process in bytes; 0 once it has ended, or where the system does not tell."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return 0
    return 0


def child(module: str, *arguments: str) -> dict[str, Any]:
    """Run ``python -m module arguments`` and return the JSON that it prints, with its peak anonymous memory.

    What others wrote before it goes to the disk first, so that nobody waits for another's bytes. Bytecode is kept, as
    where a package is installed.
    """
    os.sync()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", module, *arguments]
    peak, soon = 0, time.perf_counter() + 1
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        while process.poll() is None:
            peak = max(peak, anonymous_memory(process.pid))
            time.sleep(0.004 if time.perf_counter() < soon else 0.02)  # looking costs a part of a processor
        out = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)} ended with {process.returncode}")
    return {**json.loads(out.splitlines()[-1]), "peak_anonymous_mb": peak / 1e6}


def show(title: str, rows: Sequence[Row]) -> None:
    """Print a table."""
    width = max((len(row.what) for row in rows), default=0)
    print(f"\n{title}")
    for row in rows:
        print(f"  {row.what:<{width}}  {row.figure:>22}  {row.target}".rstrip())


def report(title: str, rows: Sequence[tuple[Any, ...]], facts: dict[str, Any], out: str | None) -> None:
    """Print a table and, where asked, write it as JSON, each row with its figure, target, and whether it is reached.

    Args:
        title (str): what was measured, and on what.
        rows (Sequence[tuple]): ``Row``, or its first fields: what, figure, target.
        facts (dict): of the machine.
        out (str | None): the file.
    """
    table = [Row(*row) for row in rows]
    show(title, table)
    print(f"  {json.dumps(facts)}")
    if out:
        data = {"title": title, "rows": [row._asdict() for row in table], "facts": facts}
        Path(out).write_text(json.dumps(data, indent=1))
