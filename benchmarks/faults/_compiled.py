"""The write log as a library, compiled when it is needed. Functions: ``write_log``, ``preloaded``."""

import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("writelog.c")


def write_log(folder: Path) -> Path | None:
    """Compile the write log into a folder; None where there is no C compiler, or it cannot."""
    compiler = next(filter(None, map(shutil.which, (os.environ.get("CC", "cc"), "cc", "gcc", "clang"))), None)
    if compiler is None:
        return None
    library = folder / "writelog.so"
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl", "-pthread"]
    return library if subprocess.run(command, capture_output=True).returncode == 0 else None


def preloaded(library: Path, root: Path, log: Path | None = None) -> dict[str, str]:
    """Return the environment of a process that is watched below ``root``."""
    found = {**os.environ, "LD_PRELOAD": str(library), "WRITELOG_ROOT": str(root.resolve())}
    return found if log is None else {**found, "WRITELOG_FILE": str(log)}
