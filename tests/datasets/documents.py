"""Documents that other processes can import, made from text files whose names say what goes wrong with them."""

import os
import signal
import time
from pathlib import Path

import zounds_lite as zounds
from zounds_lite import featureflow as ff

LARGE = 3 * 1024 * 1024


class Reads(ff.Node):
    """Reads a file, and does what its name says.

    ``kill`` dies by a signal, ``kill-once`` only while no file of that name and ``.killed`` exists, ``exit`` leaves,
    ``raise`` fails, ``raise-once`` fails like a server that does not answer, ``slow`` takes 30 seconds, ``pause`` a
    twentieth of one, ``large`` yields what goes into a blob.
    """

    def _process(self, data):
        path = Path(data)
        words = path.stem.split("_")
        yield path.read_text()
        if "kill" in words or ("kill-once" in words and _is_first(path)):
            os.kill(os.getpid(), signal.SIGKILL)
        if "exit" in words:
            os._exit(3)
        if "raise" in words:
            raise ValueError(f"{path.name} says so")
        if "raise-once" in words and _is_first(path):
            raise ConnectionError(f"{path.name} says so")
        if "slow" in words:
            time.sleep(30)
        if "pause" in words:
            time.sleep(0.05)
        if "large" in words:
            yield path.stem[0] * LARGE


def _is_first(path):
    mark = path.with_suffix(".once")
    is_first = not mark.exists()
    mark.touch()
    return is_first


class Page(ff.BaseModel):
    """The text of a file, and its length."""

    meta = ff.TextFeature(Reads, store=True)
    length = ff.JSONFeature(lambda text: len(text), needs=meta, store=True)


def bound(path):
    """The document, kept in the store at a path."""
    return zounds.simple_lmdb_settings(str(path), user_supplied_id=True)(Page)


def write_pages(folder, names):
    """Write files of these names; return their paths."""
    folder.mkdir(exist_ok=True)
    paths = []
    for name in names:
        path = folder / f"{name}.txt"
        path.write_text(f"this is {name}")
        paths.append(str(path))
    return paths


def contents(cls):
    """Everything that a store holds."""
    return {page._id: (page.meta, page.length) for page in cls}
