"""The command line ``zounds-lite``: ``program`` knows the commands, its neighbours carry them out."""

from zounds_lite.cli.program import main

__all__ = ["main"]
