"""Files that appear when they are complete, and folders that fill file by file: ``replacing``, ``ExportFolder``."""

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zounds_lite._declared import digest
from zounds_lite.errors import OutputError, ZoundsError

__all__ = ["ExportFolder", "replacing", "safe_name"]

_INDEX = "export.json"


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give the path of a file to write, which takes the place of another one when it is complete.

    Args:
        target (Path): the other one, which may be missing.

    Raises:
        OutputError: it cannot be written.
    """
    aside = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.partial")
    try:
        yield aside
        with open(aside, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(aside, target)
    except OSError as error:
        if isinstance(error, ZoundsError):
            raise
        raise OutputError(f"{str(target)!r} cannot be written: {error}; choose another place") from error
    finally:
        aside.unlink(missing_ok=True)


class ExportFolder:
    """A folder that an export fills; it goes on where it was ended, and begins anew where it was complete.

    ``export.json`` in it says of which export it is. A file is there whole or not at all.

    Args:
        path (str | Path): the folder; made where it is missing.
        job (Any): what is exported, strict JSON.

    Raises:
        OutputError: it holds something else, or cannot be written.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place:
        ...     folder = ExportFolder(f"{place}/out", ["a", "b"])
        ...     with folder.file("a.txt") as path:
        ...         path.write_text("a")
        ...     again = ExportFolder(f"{place}/out", ["a", "b"])
        ...     again.has("a.txt"), again.has("b.txt")
        1
        (True, False)
    """

    def __init__(self, path: Any, job: Any) -> None:
        self.path, self._job = Path(os.path.abspath(path)), digest(job)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            is_empty = not any(self.path.iterdir())
            known = self._known()
            if known is None and not is_empty:
                raise OutputError(f"{str(path)!r} is not empty, and from no export; give an empty folder, or a new one")
            if known is not None and known["job"] != self._job:
                raise OutputError(
                    f"{str(path)!r} is from an export of other documents or features; delete it, or give a new folder"
                )
            halves = [path.name for path in self.path.glob(".*.partial")]  # of a run that was ended by force
            for name in [*halves, *(known["files"] if known is not None else [])]:
                (self.path / name).unlink(missing_ok=True)
            self._note([])
        except OSError as error:
            if isinstance(error, OutputError):
                raise
            raise OutputError(f"{str(path)!r} cannot be written: {error}; choose another place") from error

    def _known(self) -> dict[str, Any] | None:
        try:
            found = json.loads((self.path / _INDEX).read_text("utf-8"))
            files = [name for name in found["files"] if Path(name).name == name]
            return {"job": found["job"], "files": files}
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _note(self, files: list[str]) -> None:
        with replacing(self.path / _INDEX) as path:
            path.write_text(json.dumps({"job": self._job, "files": files}, indent=1), "utf-8")

    def has(self, name: str) -> bool:
        """Whether a file is there from a run that was ended."""
        return (self.path / name).is_file()

    @contextmanager
    def file(self, name: str) -> Iterator[Path]:
        """Give the path of a file to write, which gets its name when it is complete."""
        with replacing(self.path / name) as path:
            yield path

    def finish(self) -> None:
        """Note that all files are there, so that another export begins anew."""
        self._note(sorted(path.name for path in self.path.iterdir() if path.name != _INDEX))


def safe_name(_id: str) -> str:
    """Return a file name for an id, which may be any text: its last part, for people, and what tells it apart.

    Examples:
        >>> safe_name("/music/Été 1.wav"), len(safe_name("x" * 999))
        ('t_1-ab2f37df', 49)
    """
    last = re.split(r"[/\\]", _id)[-1]
    stem = re.sub(r"[^A-Za-z0-9-]+", "_", last.rpartition(".")[0] or last).strip("_-")[:40]
    return f"{stem or 'document'}-{digest(_id)[:8]}"
