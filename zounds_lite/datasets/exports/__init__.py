"""What documents and clips become in other people's formats.

Goal: features leave for training and analysis elsewhere, with their ids, labels and axes, in bounded memory. A file
appears when it is complete; folders, and the frames of clips, go on where an export was ended.

- ``frames``: frames, constant-Q magnitudes and their local contrast of labelled clips, in one file of five axes
  (``clip_frames`` computes, ``frame_process`` in several processes, ``frame_arrays`` keeps, ``frame_rows`` reads)
- ``hdf5``, ``npz``, ``parquet``, ``webdataset``: features of documents
- ``label_tables``: their metadata as CSV; ``clips``: stretches of them as audio files
- ``chosen``, ``replacing``, ``report``: what these share
"""

from zounds_lite.datasets.exports.chosen import read_axes
from zounds_lite.datasets.exports.clip_frames import ClipFrames
from zounds_lite.datasets.exports.clips import export_clips
from zounds_lite.datasets.exports.frame_rows import FrameRows, FrameSet, open_frames
from zounds_lite.datasets.exports.frames import export_frames
from zounds_lite.datasets.exports.hdf5 import export_hdf5
from zounds_lite.datasets.exports.label_tables import export_csv
from zounds_lite.datasets.exports.npz import export_npz
from zounds_lite.datasets.exports.parquet import export_parquet
from zounds_lite.datasets.exports.report import ExportReport
from zounds_lite.datasets.exports.webdataset import export_webdataset

__all__ = [
    "ClipFrames",
    "ExportReport",
    "FrameRows",
    "FrameSet",
    "export_clips",
    "export_csv",
    "export_frames",
    "export_hdf5",
    "export_npz",
    "export_parquet",
    "export_webdataset",
    "open_frames",
    "read_axes",
]
