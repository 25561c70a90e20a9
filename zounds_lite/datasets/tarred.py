"""Recordings in a tar file that is read in one pass, as corpora are published. Function ``members``."""

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zounds_lite.errors import DatasetError

__all__ = ["members"]

_DAMAGE = (tarfile.TarError, EOFError, zlib.error, OSError)


def members(archive: Path, suffix: str, largest: int) -> Iterator[tuple[str, bytes]]:
    """Yield the files of an archive in its order, with their bytes; nothing is written anywhere.

    Args:
        archive (Path): a tar file, compressed or not.
        suffix (str): how the wanted names end, for example ``".wav"``.
        largest (int): bytes that one file may have.

    Raises:
        DatasetError: the archive is damaged, or holds a file that is larger than that.
    """
    try:
        with tarfile.open(archive, "r|*") as tar:
            while (member := tar.next()) is not None:
                tar.members = []  # type: ignore[attr-defined]  # else a list of all
                if not member.isfile() or not member.name.endswith(suffix):
                    continue
                if member.size > largest:
                    raise DatasetError(f"{str(archive)!r}: {member.name!r} has {member.size} bytes; allowed: {largest}")
                file: Any = tar.extractfile(member)
                yield member.name, file.read()
    except _DAMAGE as error:
        if getattr(error, "errno", None) is not None:  # the file cannot be read at all: that says enough
            raise
        raise DatasetError(f"{str(archive)!r} is damaged ({error}); remove it, so that it is fetched anew") from error
