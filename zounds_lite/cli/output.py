"""What the commands write: results to stdout, complaints and progress to stderr.

Functions: ``say``, ``complain``, ``bar``, ``drop_output``.
"""

import os
import sys
from collections.abc import Iterable
from typing import Any

__all__ = ["bar", "complain", "drop_output", "say"]


def say(text: str) -> None:
    """Print a line; what the terminal cannot show (an id may be any text) is escaped."""
    if sys.stdout is not None:  # it was closed before the program began
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def complain(text: str) -> None:
    """Print a line to stderr, which escapes what it cannot show."""
    if sys.stderr is not None:
        sys.stderr.write(f"{text}\n")


def bar(items: Iterable[Any], unit: str, description: str | None = None) -> Iterable[Any]:
    """Show progress on stderr, if that is a terminal."""
    from tqdm import tqdm

    total = len(items) if isinstance(items, list) else 0  # a Directory would be listed to be counted
    bar: Iterable[Any] = tqdm(items, desc=description, unit=unit, total=total or None, disable=None)
    return bar


def drop_output() -> None:
    """Let go of output that cannot be written, or the interpreter tries again at its end and changes the exit code."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
