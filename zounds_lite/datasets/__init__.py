"""Sources of recordings, and how they come into a store.

A dataset is an iterable of ``AudioMetaData``; each ``iter`` starts anew. ``ingest`` processes one into documents.
"""

from zounds_lite.datasets.archive import Archive
from zounds_lite.datasets.cache import DataSetCache, PreDownload, ensure_local_file
from zounds_lite.datasets.corpora import ESC50, GTZAN, SpokenDigits
from zounds_lite.datasets.directory import CompositeDataset, Directory
from zounds_lite.datasets.failed import FailedItem
from zounds_lite.datasets.freesound import FreeSoundSearch
from zounds_lite.datasets.ingest import ingest
from zounds_lite.datasets.internetarchive import InternetArchive
from zounds_lite.datasets.manifest import Manifest
from zounds_lite.datasets.manifest_writer import write_manifest
from zounds_lite.datasets.musicnet import MusicNet
from zounds_lite.datasets.nsynth import NSynth
from zounds_lite.datasets.phatdrumloops import PhatDrumLoops
from zounds_lite.datasets.plan import IngestPlan, PlannedItem, plan_ingest
from zounds_lite.datasets.report import Failure, IngestReport

__all__ = [
    "ESC50",
    "GTZAN",
    "Archive",
    "CompositeDataset",
    "DataSetCache",
    "Directory",
    "FailedItem",
    "Failure",
    "FreeSoundSearch",
    "IngestPlan",
    "IngestReport",
    "InternetArchive",
    "Manifest",
    "MusicNet",
    "NSynth",
    "PhatDrumLoops",
    "PlannedItem",
    "PreDownload",
    "SpokenDigits",
    "ensure_local_file",
    "ingest",
    "plan_ingest",
    "write_manifest",
]
