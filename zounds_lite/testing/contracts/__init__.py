"""Contract suites: what every implementation must pass, as classes of tests to inherit."""

from zounds_lite.testing.contracts.codec import CodecContract
from zounds_lite.testing.contracts.database import NASTY_IDS, DatabaseContract
from zounds_lite.testing.contracts.declared import DeclaredContract
from zounds_lite.testing.contracts.node import NodeContract

__all__ = ["NASTY_IDS", "CodecContract", "DatabaseContract", "DeclaredContract", "NodeContract"]
