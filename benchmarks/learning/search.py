"""The figures of ``benchmarks.search`` that have a target: a million codes, and vectors."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Row


def rows(is_quick: bool) -> Iterator[Row]:
    """Yield the figures of the search; a quick run leaves them to ``python -m benchmarks.search --quick``."""
    if is_quick:
        return
    with tempfile.TemporaryDirectory(prefix="zounds-search-") as folder:
        out = Path(folder) / "search.json"
        subprocess.run([sys.executable, "-m", "benchmarks.search", "--out", str(out)], stdout=subprocess.DEVNULL)
        for row in json.loads(out.read_text())["rows"]:  # there even where a target was missed
            if row["target"]:
                yield Row(**{**row, "figure": row["figure"].removesuffix("  MISSED")})
