"""Recordings from elsewhere, kept on this machine.

Goal: each is fetched once, and a file that is there is complete. Classes: ``DataSetCache``, ``PreDownload``; function
``ensure_local_file``.
"""

import hashlib
import io
import logging
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from zounds_lite.datasets.failed import FailedItem
from zounds_lite.errors import DeclarationError, FetchError, RateLimited
from zounds_lite.featureflow.fetch import default_fetcher
from zounds_lite.soundfile import AudioMetaData

__all__ = ["DataSetCache", "PreDownload", "ensure_local_file"]

_GLANCE_S = 0.5
_log = logging.getLogger(__name__)


class PreDownload(io.BytesIO):
    """The bytes of a recording, as a binary file that knows where they came from.

    Args:
        initial_bytes (bytes): the recording.
        url (str): where it came from; it serves as the id of its document.

    Raises:
        DeclarationError: no ``url``; it is a ``ValueError``.

    Examples:
        >>> file = PreDownload(b"RIFF...", "nsynth:valid/bass_synthetic_068-049-025")
        >>> file.url, file.read(4)
        ('nsynth:valid/bass_synthetic_068-049-025', b'RIFF')
    """

    def __init__(self, initial_bytes: bytes, url: str) -> None:
        if not isinstance(url, str) or not url:
            raise DeclarationError(f"url={url!r}: say where the bytes came from; it serves as the id of their document")
        super().__init__(initial_bytes)
        self.url = url

    def __repr__(self) -> str:
        return f"PreDownload(<{self.getbuffer().nbytes} bytes>, {self.url!r})"


class DataSetCache:
    """Another dataset, whose recordings are fetched into a folder, each once.

    Items are those of the dataset, with the path of the local file as ``uri``, and where it came from as
    ``source_url``; ``paths`` yields only the paths. A file is named by the MD5 of its URL. What is not on another
    machine passes through as it is; what cannot be fetched keeps its URL as ``uri``, so that ``ingest`` reports it; a
    server that asks for a pause ends the iteration.

    Args:
        path (str | Path): the folder; made where it is missing.
        dataset (Iterable): items, URLs or requests.
        fetcher (Fetcher | None): fetches; None for ``default_fetcher()``.

    Raises:
        RateLimited: on iteration: the server asks for a pause; another iteration goes on from there.

    Examples:
        >>> DataSetCache("sounds", ["https://example.org/a.wav"])
        DataSetCache('sounds', ['https://example.org/a.wav'])
    """

    def __init__(self, path: Any, dataset: Iterable[Any], *, fetcher: Any = None) -> None:
        if isinstance(dataset, (str, bytes)) or not isinstance(dataset, Iterable):
            raise DeclarationError(f"{dataset!r} is no dataset; pass a dataset, or a list of URLs")
        self.path, self.dataset, self.fetcher = os.fspath(path), dataset, fetcher

    def __iter__(self) -> Iterator[Any]:
        for item in self.dataset:
            if isinstance(item, FailedItem):
                yield item
                continue
            meta = item if isinstance(item, AudioMetaData) else AudioMetaData(uri=item)
            yield self._cached(meta)

    def paths(self) -> Iterator[str]:
        """Yield the paths of the local files.

        Raises:
            FetchError: one of them could not be fetched; it is not passed over.
        """
        for item in self.dataset:
            meta = item if isinstance(item, AudioMetaData) else AudioMetaData(uri=item)
            url = _url(meta.uri)
            yield os.fspath(meta.uri) if url is None else str(self._fetched(meta, url))

    def _cached(self, meta: AudioMetaData) -> AudioMetaData:
        url = _url(meta.uri)
        if url is None:
            return meta
        try:
            local = self._fetched(meta, url)
        except RateLimited:
            raise
        except FetchError as error:
            _log.warning("%r: passed on without a copy: %s", self, error)
            return meta.replace(source_url=url)
        return meta.replace(uri=str(local), source_url=url)

    def _fetched(self, meta: AudioMetaData, url: str) -> Path:
        local = Path(self.path, hashlib.md5(url.encode(), usedforsecurity=False).hexdigest())
        return _ensure(meta.uri, local, self.fetcher, getattr(meta, "checksum", None))

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"DataSetCache({self.path!r}, {self.dataset!r})"


def ensure_local_file(remote_url: str, local_path: Any, chunksize: int = 4096, *, fetcher: Any = None) -> str:
    """Fetch a URL into a folder, unless it is there already; a bar on stderr shows how it goes, if that is a terminal.

    Args:
        remote_url (str): what to fetch; the last part of its path names the file.
        local_path (str | Path): the folder; made where it is missing.
        chunksize (int): taken for compatibility; how much is read at a time is the fetcher's affair.
        fetcher (Fetcher | None): fetches; None for ``default_fetcher()``.

    Returns:
        str: the path of the file. It is complete: a partial file has another name, and a later call goes on with it.

    Raises:
        DeclarationError: the URL does not name a file.
        FetchError: it could not be fetched.
    """
    name = unquote(urlsplit(remote_url).path).rpartition("/")[2] if isinstance(remote_url, str) else ""
    if not name.strip(".") or "\\" in name or "\0" in name:
        raise DeclarationError(f"remote_url={remote_url!r} names no file; allowed: 'https://host/.../name'")
    local = Path(local_path, name)
    with _shown(local):
        return str(_ensure(remote_url, local, fetcher))


@contextmanager
def _shown(local: Path) -> Iterator[None]:
    """Show on a terminal how much of a file has come."""
    if local.exists() or sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    from tqdm import tqdm

    partial, is_over = local.with_name(f".{local.name}.part"), threading.Event()
    with tqdm(desc=local.name, unit="B", unit_scale=True) as bar:

        def watch() -> None:
            while not is_over.wait(_GLANCE_S):
                with suppress(OSError):  # not begun, or complete
                    bar.update(partial.stat().st_size - bar.n)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            is_over.set()
            watcher.join()
        bar.update(local.stat().st_size - bar.n)


def _ensure(request: Any, local: Path, fetcher: Any, checksum: Any = None) -> Path:
    if not local.exists():
        local.parent.mkdir(parents=True, exist_ok=True)
        client = default_fetcher() if fetcher is None else fetcher
        client.save(request, local, checksum=checksum if isinstance(checksum, str) else None)
    return local


def _url(uri: Any) -> str | None:
    """The whole URL of what is on another machine; None for all else."""
    if isinstance(uri, str):
        return uri if uri.startswith(("http://", "https://")) else None
    url = getattr(uri, "url", None)
    if not isinstance(url, str) or hasattr(uri, "read"):
        return None
    return str(uri.prepare().url) if getattr(uri, "params", None) else url
