"""Sources of recordings, and how they come into a store.

A dataset is an iterable of ``AudioMetaData``; each ``iter`` starts anew. ``ingest`` processes one into documents.
"""

from zounds_lite.datasets.directory import CompositeDataset, Directory
from zounds_lite.datasets.ingest import ingest
from zounds_lite.datasets.report import Failure, IngestReport

__all__ = ["CompositeDataset", "Directory", "Failure", "IngestReport", "ingest"]
