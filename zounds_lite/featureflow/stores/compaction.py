"""Compaction: the LMDB file of a store, written anew without the room of what was deleted, with a new index.

The new file is made aside, synced, checked page by page and renamed, so that a crash at any moment leaves one of the
two. Function: ``compact_file``.
"""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import lmdb

from zounds_lite.errors import StoreError
from zounds_lite.featureflow.stores.folders import FULL, disk_errors, sync_folder
from zounds_lite.featureflow.stores.leases import owner_tag
from zounds_lite.featureflow.stores.lmdb import LmdbDatabase
from zounds_lite.featureflow.stores.notes import is_up_to_date, renew
from zounds_lite.featureflow.stores.opened import COMPACTED
from zounds_lite.featureflow.stores.salvage import inspect

__all__ = ["compact_file"]

_DATABASES = 16
_ROOM = 1 << 20
"""Bytes of the map beyond the new file, for the pages that its marker takes."""


def compact_file(database: LmdbDatabase) -> None:
    """Write the LMDB file of a store anew, as small as it can be.

    Raises:
        StoreLocked: others have the store open, or it is read-only.
        StoreFull: there is no room for the new file beside the old one.
    """
    database.rebuild_index()
    with database.alone() as folder, disk_errors(folder):
        for left in folder.glob(f"*{COMPACTED}"):  # of one who died: nobody else is here
            shutil.rmtree(left)
        aside = folder / (owner_tag() + COMPACTED)
        aside.mkdir()
        try:
            _copy(folder, aside)
            _renew_marker(folder, aside)
            _sync_file(aside / "data.mdb")
            for damage in inspect(aside):
                raise StoreError(f"the new file of {str(folder)!r} came out wrong, the old one stays: {damage.what}")
            os.replace(aside / "data.mdb", folder / "data.mdb")
            sync_folder(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _copy(folder: Path, aside: Path) -> None:
    try:
        # no lock is needed where nobody else is, and none is left behind
        with lmdb.open(str(folder), readonly=True, lock=False, max_dbs=_DATABASES, lib_version=0) as env:
            env.copy(str(aside), compact=True)
    except lmdb.Error as error:
        if error.code in FULL:
            raise OSError(error.code, os.strerror(error.code)) from error
        if error.code == errno.EIO and not shutil.disk_usage(aside).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise StoreError(f"{str(folder)!r} could not be compacted, it is as it was: {error}") from error


def _renew_marker(folder: Path, aside: Path) -> None:
    """Let the index of the new file count as up to date, if that of the old one is; its transactions begin at one."""
    settings: dict[str, Any] = {"lock": False, "max_dbs": _DATABASES, "lib_version": 0}
    with lmdb.open(str(folder), readonly=True, **settings) as env, env.begin() as txn:
        is_current = is_up_to_date(txn, env.open_db(b"pending", txn, create=False))
    size = (aside / "data.mdb").stat().st_size + _ROOM
    with lmdb.open(str(aside), map_size=size, **settings) as env, env.begin(write=True) as txn:
        renew(txn, env.open_db(b"pending", txn, create=False), is_current)


def _sync_file(file: Path) -> None:
    descriptor = os.open(file, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
