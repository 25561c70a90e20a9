"""Features of documents in tar files that trainers read as a stream: ``export_webdataset``.

Each document is a group of neighbouring members with one key: ``KEY.json`` (id and metadata), ``KEY.FEATURE.npy``, and,
if asked for, the sound as ``KEY.flac`` or the like: the conventions of WebDataset.
"""

import io
import json
import tarfile
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from zounds_lite.datasets.exports.chosen import Read, choose
from zounds_lite.datasets.exports.replacing import ExportFolder
from zounds_lite.datasets.exports.report import ExportReport, reported
from zounds_lite.errors import DeclarationError
from zounds_lite.media.formats import formats

__all__ = ["export_webdataset"]


def export_webdataset(
    documents: Any,
    folder: Any,
    features: Sequence[str] | str | None = None,
    audio: str | None = None,
    fmt: str = "flac",
    per_shard: int = 1000,
    progress: bool = True,
) -> ExportReport:
    """Write features of documents into shards. The same call goes on where it was ended, with the next shard.

    Args:
        documents (type[BaseModel] | Selection): all documents of a class, or those that ``where`` found.
        folder (str | Path): where; empty, missing, or of the same export. Shards are ``shard-000000.tar`` and on.
        features (Sequence[str] | str | None): names; None: all stored ones that are arrays of numbers.
        audio (str | None): a feature of audio to encode into each group as well.
        fmt (str): how: ``"flac"``, ``"wav"``, ``"ogg"`` or ``"mp3"``.
        per_shard (int): documents in a shard.
        progress (bool): show a bar on stderr, if that is a terminal.

    Returns:
        ExportReport: what became of each document.

    Raises:
        EmptyDataset: there is nothing to export.
        KeyNotFound: there is no such feature.
        DeclarationError: an argument out of range.
        OutputError: the folder holds something else, or cannot be written.
    """
    if isinstance(per_shard, bool) or not isinstance(per_shard, int) or per_shard < 1:
        raise DeclarationError(f"per_shard={per_shard!r}; allowed: a number of documents, at least 1")
    if fmt.upper() not in formats():
        raise DeclarationError(f"fmt={fmt!r}; allowed: {', '.join(formats())}")
    chosen, report = choose(documents, features), ExportReport(str(folder))
    if audio is not None:
        chosen.model._feature(audio)
    files = ExportFolder(folder, chosen.job("webdataset", audio, fmt.lower(), per_shard))

    def is_there(number: int, _id: str) -> bool:
        return files.has(_shard(number // per_shard))

    documents_of = groupby(chosen.read(report, progress, is_there), key=lambda pair: pair[0] // per_shard)
    for shard, group in documents_of:
        with files.file(_shard(shard)) as path, tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
            for number, read in group:
                members: dict[str, bytes] = {}
                with reported(report, read.id):
                    members = _members(read, audio, fmt.lower())
                for kind, data in members.items():
                    _add(tar, f"{number:09d}.{kind}", data)
                report.written += [read.id] if members else []
    files.finish()
    return report


def _shard(number: int) -> str:
    return f"shard-{number:06d}.tar"


def _members(read: Read, audio: str | None, fmt: str) -> dict[str, bytes]:
    about = {"id": read.id, "metadata": read.metadata}
    members = {"json": json.dumps(about, ensure_ascii=False).encode()}
    for name, array in read.arrays.items():
        out = io.BytesIO()
        np.save(out, np.asarray(array), allow_pickle=False)
        members[f"{name}.npy"] = out.getvalue()
    if audio is not None:
        members[fmt] = getattr(read.document, audio)[:].encode(fmt=fmt.upper()).getvalue()
    return members


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)  # without owner or time, so that the same export gives the same bytes
    member.size, member.mode = len(data), 0o644
    tar.addfile(member, io.BytesIO(data))
