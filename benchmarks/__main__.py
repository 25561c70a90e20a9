"""Runs all benchmarks, one after the other."""

import subprocess
import sys

MODULES = ["benchmarks.accuracy", "benchmarks.kernels", "benchmarks.ingest", "benchmarks.slices", "benchmarks.workers"]


def main() -> int:
    """Run each benchmark in a process of its own; return how many failed."""
    return sum(subprocess.run([sys.executable, "-m", name, *sys.argv[1:]]).returncode != 0 for name in MODULES)


if __name__ == "__main__":
    sys.exit(main())
