"""Stores: records and blobs, in memory, in plain files, and in LMDB.

``base`` states the contract; ``zounds_lite.testing`` holds the suite that every store must pass.
"""

from zounds_lite.featureflow.stores.base import BlobWriter, Damage, Database, Garbage
from zounds_lite.featureflow.stores.files import FileSystemDatabase
from zounds_lite.featureflow.stores.lmdb import LmdbDatabase
from zounds_lite.featureflow.stores.memory import InMemoryDatabase

__all__ = ["BlobWriter", "Damage", "Database", "FileSystemDatabase", "Garbage", "InMemoryDatabase", "LmdbDatabase"]
