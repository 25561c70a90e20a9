"""Contracts that every implementation of an interface has to pass."""

from zounds_lite.testing.contracts import NASTY_IDS, DatabaseContract, DeclaredContract

__all__ = ["NASTY_IDS", "DatabaseContract", "DeclaredContract"]
