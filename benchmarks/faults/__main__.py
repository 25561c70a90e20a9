"""Runs the rows and prints the table; ends non-zero on any loss, and where a row could not run."""

import argparse
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import benchmarks.faults
from benchmarks import harness
from benchmarks.faults.table import Fault, Result, markdown, run, verdict

_SOAK = 20
"""Times the size of continuous integration."""


def faults() -> list[Fault]:
    """All rows, in the order of their modules' names."""
    found: list[Fault] = []
    for module in sorted(pkgutil.iter_modules(benchmarks.faults.__path__), key=lambda module: module.name):
        if not module.name.startswith("_"):
            found += getattr(importlib.import_module(f"benchmarks.faults.{module.name}"), "FAULTS", [])
    return found


def _say(text: str) -> None:
    print(text, flush=True)


def _table(chosen: list[Fault], times: int, seed: int) -> list[tuple[Fault, int, Result]]:
    rows = []
    for fault in chosen:
        result = run(fault, times * fault.size, seed)
        rows.append((fault, times * fault.size, result))
        figures = ", ".join(f"{name} {value}" for name, value in result.figures.items())
        size = f"{times * fault.size:,} {fault.unit}, {result.seconds:.1f} s"
        _say(f"{verdict(result):>8}  {fault.name}  ({size}): {figures}")
        for loss in result.losses[:10]:
            _say(f"          {loss}")
    return rows


def _prove(chosen: list[Fault], seed: int) -> int:
    """Run each row with each of its defects, in a process of its own; return how many were not noticed."""
    blunt = 0
    for fault in chosen:
        for broken in fault.broken:
            command = [sys.executable, "-m", "benchmarks.faults", "--child", fault.name, broken, "--seed", str(seed)]
            ended = subprocess.run(command, capture_output=True, text=True)
            found = json.loads(ended.stdout.splitlines()[-1]) if ended.returncode == 0 else None
            bites = bool(found and found["losses"])
            blunt += not bites
            detail = found["losses"][0] if bites else ended.stderr[-2000:] or "no loss was reported"
            _say(f"{'bites' if bites else 'BLUNT':>8}  {fault.name}, with {broken}: {detail}")
    return blunt


def _child(name: str, broken: str, seed: int) -> int:
    fault = next(fault for fault in faults() if fault.name == name)
    result = run(fault, fault.prove_size, seed, broken)
    print(json.dumps({"figures": result.figures, "losses": result.losses[:5], "ran": result.ran}))
    return 0


def main() -> int:
    """Run the table, or prove that its rows bite."""
    parser = argparse.ArgumentParser(description=benchmarks.faults.__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="WORDS", help="rows whose names hold one of these")
    parser.add_argument("--prove", action="store_true", help="run each row with its defects, where it must fail")
    parser.add_argument("--soak", action="store_true", help=f"{_SOAK} times the size")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--page", metavar="FILE", help="write the table as Markdown")
    parser.add_argument("--child", nargs=2, metavar=("NAME", "DEFECT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        return _child(*arguments.child, seed=arguments.seed)
    chosen = [row for row in faults() if not arguments.only or any(words in row.name for words in arguments.only)]
    if arguments.prove:
        return 1 if _prove(chosen, arguments.seed) else 0
    rows = _table(chosen, _SOAK if arguments.soak else 1, arguments.seed)
    if arguments.out:
        facts = [
            {"name": fault.name, "size": size, "figures": result.figures, "losses": result.losses, "ran": result.ran,
             "seconds": result.seconds}
            for fault, size, result in rows
        ]  # fmt: skip
        Path(arguments.out).write_text(json.dumps({"rows": facts, "machine": harness.machine()}, indent=1))
    if arguments.page:
        Path(arguments.page).write_text(markdown(rows))
    failed = [fault.name for fault, _, result in rows if not result.passed]
    _say(f"{len(rows) - len(failed)} of {len(rows)} rows passed" + (f"; not: {', '.join(failed)}" if failed else ""))
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
