"""Runs all benchmarks, each in a process of its own, and shows one table at the end.

The exit status is the number of benchmarks that failed: a target missed, a wrong result, or a crash. Quick runs, for
which targets do not bind, fail on the latter two alone.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import harness
from benchmarks.page import page

NAMES = [
    "start",
    "kernels",
    "ingest",
    "profile",
    "cqt_job",
    "files",
    "workers",
    "long",
    "slices",
    "regions",
    "growth",
    "where",
    "fetch",
    "archives",
    "search",
    "accuracy",
    "parity",
    "learning",
]


def available() -> list[str]:
    """Return the names of the benchmarks that are here."""
    return [name for name in NAMES if importlib.util.find_spec(f"benchmarks.{name}") is not None]


def run(name: str, is_quick: bool, folder: Path) -> dict[str, Any]:
    """Run one benchmark in a process of its own; return its figures, how long it took and whether it went well."""
    out = folder / f"{name}.json"
    command = [sys.executable, "-m", f"benchmarks.{name}", "--out", str(out), *(["--quick"] if is_quick else [])]
    began = time.perf_counter()
    status = subprocess.run(command).returncode
    found = json.loads(out.read_text()) if out.exists() else {"title": f"{name}: no figures", "rows": []}
    return {"name": name, "status": status, "seconds": round(time.perf_counter() - began, 1), **found}


def summary(results: list[dict[str, Any]]) -> list[harness.Row]:
    """Return one table of all figures that have a target, and of what failed."""
    rows = []
    for result in results:
        asked = [harness.Row(**row) for row in result["rows"] if row["target"]]
        rows += [row._replace(what=f"{result['name']}: {row.what}") for row in asked]
        if result["status"]:
            rows.append(harness.Row(f"{result['name']}: FAILED", f"status {result['status']}", "", False))
    return rows


def measured(names: list[str], is_quick: bool) -> dict[str, Any]:
    """Run benchmarks; return the facts of the machine, and what each gave."""
    with tempfile.TemporaryDirectory(prefix="zounds-benchmarks-") as folder:
        results = [run(name, is_quick, Path(folder)) for name in names]
    for result in results:
        result.pop("facts", None)
    return {"quick": is_quick, "facts": harness.machine(), "benchmarks": results}


def main() -> int:
    """Run the benchmarks; return how many failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small runs that check that everything works")
    parser.add_argument("--only", nargs="+", choices=available(), metavar="NAME", help=", ".join(available()))
    parser.add_argument("--out", help="write all figures as JSON")
    parser.add_argument("--page", help="write all figures as Markdown")
    parser.add_argument("--read", help="run nothing; take the figures from the JSON of an earlier run")
    arguments = parser.parse_args()
    if arguments.read:
        data = json.loads(Path(arguments.read).read_text())
    else:
        data = measured(arguments.only or available(), arguments.quick)
    harness.report("all figures with a target", summary(data["benchmarks"]), data["facts"], None)
    if arguments.out:
        Path(arguments.out).write_text(json.dumps(data, indent=1) + "\n")
    if arguments.page:
        Path(arguments.page).write_text(page(data))
    return sum(result["status"] != 0 for result in data["benchmarks"])


if __name__ == "__main__":
    sys.exit(main())
