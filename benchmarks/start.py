"""What a user waits for first: ``import zounds_lite``, and the first feature of a sound.

Each figure comes from a new Python that has imported nothing of this yet, numpy included; bytecode is compiled. Three
steps: the import alone; the import and the declaration of a document, which loads most of the library; and all that
until a slice of the spectra of a five-second sound in memory was read. The floor is the import of numpy and
``scipy.fft`` alone, with which a first spectrum begins.
"""

import argparse
import statistics
import sys

from benchmarks import harness
from benchmarks._first import STEPS

_TARGETS_MS = {"import zounds_lite": 150.0, "first feature": 400.0}


def measured(rounds: int) -> dict[str, list[float]]:
    """Run all steps in turn, each in a new process; return milliseconds, without those of a first round."""
    times: dict[str, list[float]] = {step: [] for step in STEPS}
    for turn in range(rounds + 1):
        for step, found in times.items():
            took = harness.child("benchmarks._first", step)["milliseconds"]
            if turn:  # the first round compiles, and fills the page cache
                found.append(took)
    return times


def main() -> int:
    """Run the benchmark; 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 rounds; targets are only shown")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", help="write the figures as JSON")
    arguments = parser.parse_args()
    rounds = 3 if arguments.quick else arguments.rounds
    table = harness.Table(binds=not arguments.quick)
    for step, found in measured(rounds).items():
        spread = f" ({min(found):.0f} to {max(found):.0f})"
        if step in _TARGETS_MS:
            table.at_most(step, statistics.median(found), _TARGETS_MS[step], "ms", spread)
        else:
            table.add(step, f"{statistics.median(found):.3g} ms{spread}")
    harness.report(f"start: {rounds} new processes each", table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
