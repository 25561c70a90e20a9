"""Runs the cases and the datasets, and prints the tables; ends non-zero on any fault."""

import argparse
import resource
import sys

import benchmarks.fetch
from benchmarks import harness
from benchmarks.fetch.bodies import BODIES
from benchmarks.fetch.datasets import add_rows
from benchmarks.fetch.elsewhere import ELSEWHERE
from benchmarks.fetch.resumed import RESUMED
from benchmarks.fetch.table import Case, Outcome, run
from zounds_lite.featureflow import Fetcher
from zounds_lite.featureflow.fetch import set_fetcher

_LINE = "{:<40} {:>8} {:>6}  {:<10} {}"
_MEMORY_MB = 64
"""The servers, the client and its libraries; a gibibyte that is unpacked would not fit."""


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000  # kB on Linux


def _cases(names: list[str]) -> list[Case]:
    every = [*BODIES, *RESUMED, *ELSEWHERE]
    return [case for case in every if not names or any(name in case.name for name in names)]


def _hostile(chosen: list[Case]) -> list[Outcome]:
    """Run the cases, and say at once what became of each."""
    print(_LINE.format("case", "deadline", "took", "outcome", "what was said"), flush=True)
    found = []
    for case in chosen:
        outcome = run(case)
        found.append(outcome)
        said = " ".join(outcome.said.split())
        said = f"FAULT: {outcome.fault} | {said}" if outcome.fault else said if len(said) < 110 else said[:107] + "..."
        line = _LINE.format(case.name, f"{case.deadline_s:.1f} s", f"{outcome.seconds:.2f}", outcome.outcome, said)
        print(line.rstrip(), flush=True)
    return found


def _rows(table: harness.Table, found: list[Outcome]) -> None:
    late = max(outcome.seconds - outcome.deadline_s for outcome in found)
    faults = sum(bool(outcome.fault) for outcome in found)
    refused = sum(outcome.outcome == "refused" for outcome in found)
    note = f", {refused} refused, {len(found) - refused} recovered"
    table.append(harness.Row.at_most(f"hostile cases with a fault, of {len(found)}", faults, 0, note=note))
    table.append(harness.Row.at_most("latest end, after the deadline", late, 1, "s"))


def main() -> int:
    """Run everything; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=benchmarks.fetch.__doc__)
    parser.add_argument("--quick", action="store_true", help="all cases, small datasets")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORDS", help="cases whose names hold one of these")
    parser.add_argument("--out", help="write the figures as JSON")
    arguments = parser.parse_args()
    set_fetcher(Fetcher(private_addresses=True))  # the server of the datasets is on this machine
    table = harness.Table(binds=True)  # a fault is a fault on quick runs too
    chosen = _cases(arguments.only)
    if chosen:
        before = _peak_mb()
        _rows(table, _hostile(chosen))
        table.append(harness.Row.at_most("memory grows meanwhile by", _peak_mb() - before, _MEMORY_MB, "MB"))
    if not arguments.only:
        add_rows(table, *((10, 1) if arguments.quick else (100, 5)))
    harness.report("fetch: a hostile web", table.rows, harness.machine(), arguments.out)
    return 1 if table.missed or not table.rows else 0


if __name__ == "__main__":
    sys.exit(main())
