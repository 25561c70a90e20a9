"""Checkpoints: training that was killed goes on as if it had not been.

Goal: a file that holds all that training depends on, is there whole or not at all, and is read without running
anything. Conventions: ``torch.save`` of tensors and plain values, read with ``weights_only=True``; written aside and
renamed, so that a kill at any moment leaves the one before. Random numbers need no state in it: they follow from the
seed and the number of the epoch. Functions: ``write``, ``read``, ``check_setup``.
"""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zounds_lite.errors import CheckpointError
from zounds_lite.featureflow.stores.folders import disk_errors, sync_folder
from zounds_lite.learn.nets._torch import torch

__all__ = ["check_setup", "read", "write"]

_FORMAT = 1
_KEYS = {"format", "torch", "setup", "epoch", "history", "networks", "optimizers", "best"}


def write(path: Any, state: Mapping[str, Any]) -> None:
    """Replace a checkpoint.

    Args:
        path (str | Path): the file; its folder is made.
        state (Mapping): tensors and plain values.

    Raises:
        StoreFull: there is no room; the checkpoint before is still there.
    """
    file = Path(path)
    data = io.BytesIO()
    torch.save({"format": _FORMAT, "torch": str(torch.__version__), **state}, data)
    aside = file.with_name(file.name + ".part")
    with disk_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(aside, "wb") as out:
            out.write(data.getbuffer())
            out.flush()
            os.fsync(out.fileno())
        os.replace(aside, file)
        sync_folder(file.parent)


def read(path: Any) -> dict[str, Any] | None:
    """Read a checkpoint; None where there is no such file.

    Raises:
        CheckpointError: it is none, is damaged, or was written by a newer version.
    """
    file = Path(path)
    if not file.exists():
        return None
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # zip, pickle and torch each have errors of their own for damaged files
        raise CheckpointError(
            f"{str(file)!r} is no checkpoint, or is damaged ({str(error)[:200]}); remove it, or give another path"
        ) from error
    if not isinstance(state, dict) or not state.keys() >= _KEYS:
        raise CheckpointError(f"{str(file)!r} is no checkpoint of a trainer; give another path")
    if state["format"] != _FORMAT:
        raise CheckpointError(
            f"{str(file)!r} has format {state['format']!r}; this version reads {_FORMAT}: it was written by another "
            "version of zounds_lite, so train anew with another path"
        )
    return state


def check_setup(path: Any, state: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse a checkpoint that another training wrote.

    Args:
        path (str | Path): the file.
        state (Mapping): what was read.
        now (Mapping): what tells the training at hand from others.

    Raises:
        CheckpointError: it says what differs, and by which versions of torch.
    """
    then = state["setup"]
    differs = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    if differs:
        said = "; ".join(f"{name} {str(then.get(name))[:80]} -> {str(now.get(name))[:80]}" for name in differs)
        versions = f", with torch {state['torch']}" if state["torch"] != str(torch.__version__) else ""
        raise CheckpointError(
            f"{str(path)!r} was written by another training{versions}: {said}; remove it, or give another path"
        )
