"""Prints the table of how exact the library is, and exits non-zero on a miss."""

import argparse
import importlib
import pkgutil
import sys

import benchmarks.accuracy
from benchmarks import harness

_SHARED = {"__main__", "table"}


def sections() -> list[str]:
    """The names of the sections: every module of the package with rows."""
    return [found.name for found in pkgutil.iter_modules(benchmarks.accuracy.__path__) if found.name not in _SHARED]


def main() -> int:
    """Print the table; 1 if a figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="accepted for uniformity; the run is short anyway")
    parser.add_argument("--only", choices=sections(), help="one section")
    parser.add_argument("--out", help="write the figures as JSON")
    arguments = parser.parse_args()
    table = harness.Table(binds=True)
    for name in [arguments.only] if arguments.only else sections():
        for row in importlib.import_module(f"benchmarks.accuracy.{name}").rows():
            table.append(row)
    harness.report("accuracy", table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
