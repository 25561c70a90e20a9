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
    "accuracy",
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


def main() -> int:
    """Run the benchmarks; return how many failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small runs that check that everything works")
    parser.add_argument("--only", nargs="+", choices=available(), metavar="NAME", help=", ".join(available()))
    parser.add_argument("--out", help="write all figures as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zounds-benchmarks-") as folder:
        results = [run(name, arguments.quick, Path(folder)) for name in arguments.only or available()]
    facts = harness.machine()
    for result in results:
        result.pop("facts", None)
    harness.report("all figures with a target", summary(results), facts, None)
    if arguments.out:
        data = {"quick": arguments.quick, "facts": facts, "benchmarks": results}
        Path(arguments.out).write_text(json.dumps(data, indent=1) + "\n")
    return sum(result["status"] != 0 for result in results)


if __name__ == "__main__":
    sys.exit(main())
