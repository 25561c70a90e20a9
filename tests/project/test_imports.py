"""What ``import zounds_lite`` costs: milliseconds, and no library that only some users need."""

import subprocess
import sys

import pytest

LATE = ("h5py", "matplotlib", "requests", "scipy", "sklearn", "soundfile", "soxr", "torch", "tqdm", "urllib3")
BUDGET_MS = 150
NUMPY_MS = 65
ATTEMPTS = 10


def fresh(code, *options):
    """Run code in a fresh interpreter."""
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)


def test_nothing_heavy_is_loaded():
    loaded = fresh("import sys, zounds_lite; print(*sys.modules, sep='\\n')").stdout.split()
    assert "zounds_lite" in loaded
    assert [name for name in LATE if name in loaded] == []


def import_times():
    """Milliseconds that ``import zounds_lite`` took, and numpy's share of them."""
    lines = fresh("import zounds_lite", "-X", "importtime").stderr.splitlines()
    rows = [line.split("|") for line in lines if line.count("|") == 2]
    cumulative = {row[2].strip(): row[1] for row in rows}
    return int(cumulative["zounds_lite"]) / 1000, int(cumulative["numpy"]) / 1000


def test_an_import_takes_no_longer_than_the_budget():
    """One attempt within the budget is proof: the machine may be busy.

    Where it is slow altogether, numpy is the yardstick: it takes 65 ms on the machine that the budget was made for.
    """
    took = []
    for _ in range(ATTEMPTS):
        took.append(import_times())
        if took[-1][0] <= max(BUDGET_MS, took[-1][1] * BUDGET_MS / NUMPY_MS):
            return
    pytest.fail(f"import zounds_lite took {min(took)[0]:.0f} ms at best; budget: {BUDGET_MS} ms; all: {took}")


def test_every_public_name_loads():
    names = fresh("import zounds_lite as z; print(*(n for n in z.__all__ if getattr(z, n) is None))").stdout.split()
    assert names == []
