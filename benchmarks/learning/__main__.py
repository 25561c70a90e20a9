"""Prints what models learn from stored features, and how fast; exits non-zero on a miss."""

import argparse
import importlib
import inspect
import pkgutil
import sys
import time
from collections.abc import Iterator

import benchmarks.learning
from benchmarks import harness


def sections() -> list[str]:
    """The names of the sections: every module of the package with rows."""
    found = [module.name for module in pkgutil.iter_modules(benchmarks.learning.__path__)]
    return [name for name in found if name != "__main__" and not name.startswith("_")]


def rows_of(name: str, is_quick: bool) -> Iterator[harness.Row]:
    """Yield the rows of a section, and how long it took."""
    rows = importlib.import_module(f"benchmarks.learning.{name}").rows
    began = time.perf_counter()
    for row in rows(is_quick) if inspect.signature(rows).parameters else rows():
        yield row._replace(what=f"{name}: {row.what}")
    yield harness.Row(f"{name}: all of it", f"{time.perf_counter() - began:.0f} s")


def main() -> int:
    """Print the table; 1 if a figure is missed, which quick runs do not look at."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small runs that check that everything works")
    parser.add_argument("--only", nargs="+", choices=sections(), metavar="SECTION", help=", ".join(sections()))
    parser.add_argument("--out", help="write the figures as JSON")
    arguments = parser.parse_args()
    table = harness.Table(binds=not arguments.quick)
    for name in arguments.only or sections():
        for row in rows_of(name, arguments.quick):
            table.append(row)
    harness.report("learning from stored features", table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
