"""HammingDb: binary codes with bytes of any kind beside each, on disk."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import xxhash

from zounds_lite.errors import CorruptValue, DeclarationError, DimensionError, StoreFormatError, WriteOnlyIndex
from zounds_lite.index.codes import WORD, check_code_size, to_words
from zounds_lite.index.engines import code_engine
from zounds_lite.index.featureindex import check_count
from zounds_lite.index.results import SearchResults
from zounds_lite.index.rowstore import RowStore

__all__ = ["HammingDb"]

_CHECK = 8


class HammingDb:
    """A set of pairs of a binary code and a payload, in a folder, searched by Hamming distance, exactly.

    Codes are searched through a memory map. Many threads and processes may read while one writes, and see what it
    wrote at the next search.

    Args:
        path (str | Path): the folder; made where it is missing.
        map_size (int): initial size of the map of payloads, in bytes; it grows by itself.
        code_size (int | None): bytes of a code, a multiple of 8; None: as the folder has it.
        writeonly (bool): only append.
        engine (str): "numpy" or "faiss".

    Raises:
        DeclarationError: the code size is no multiple of 8; or it is None, and the folder has none yet.
        StoreFormatError: the folder holds codes of another size, or something else.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, HammingDb(folder, code_size=8) as db:
        ...     db.append(b"\\x00" * 8, "silence")
        ...     db.append(b"\\xff" * 8, "noise")
        ...     results = db.search(b"\\x01" + b"\\x00" * 7, n_results=10)
        >>> list(results), results.distances
        ([b'silence', b'noise'], array([ 1, 63], dtype=uint16))
    """

    def __init__(
        self,
        path: Any,
        map_size: float = 10**9,
        code_size: int | None = 8,
        writeonly: bool = False,
        engine: str = "numpy",
    ) -> None:
        self.path = Path(path)
        self.writeonly = writeonly
        self._engine = code_engine(engine)
        if code_size is not None:
            check_code_size(code_size)
        elif not (self.path / "data.mdb").exists():
            raise DeclarationError(f"{str(path)!r} holds no codes yet; pass code_size, such as code_size=8")
        self._store = RowStore(self.path, {"kind": "codes"}, map_size)
        known = self._store.note(b"code_size")
        if code_size is None and known is None:
            raise DeclarationError(f"{str(path)!r} holds no codes yet; pass code_size, such as code_size=8")
        if known is None:
            self._store.change(notes={b"code_size": str(code_size).encode("ascii")})
            known = self._store.note(b"code_size") or b""
        self.code_size = int(known)
        if code_size not in (None, self.code_size):
            raise StoreFormatError(
                f"{str(path)!r} holds codes of {self.code_size} bytes; code_size={code_size} was asked for: pass "
                "code_size=None, or another path"
            )

    @property
    def map_size(self) -> int:
        """Initial size of the map of payloads, in bytes."""
        return self._store.map_size

    def append(self, code: bytes | str, data: bytes | str) -> None:
        """Append a code and its payload, durably; ``extend`` is faster for many.

        Args:
            code (bytes | str): as long as ``code_size``.
            data (bytes | str): the payload; text is kept as UTF-8.

        Raises:
            DimensionError: the code has another length.
        """
        self.extend([(code, data)])

    def extend(self, pairs: Iterable[tuple[bytes | str, bytes | str]]) -> None:
        """Append codes and their payloads, all of them or none, durably.

        Args:
            pairs (Iterable): of a code and a payload, as for ``append``.

        Raises:
            DimensionError: a code has another length; nothing is appended then.
        """
        codes, payloads = [], []
        for code, data in pairs:
            codes.append(self._checked(code))
            payloads.append(_bytes(data))
        if not codes:
            return
        words = self._words(codes)
        extras = [_check(code, data) + data for code, data in zip(codes, payloads, strict=True)]
        self._store.append(words, {"dtype": WORD.str, "columns": words.shape[1]}, extras)

    def _words(self, codes: Sequence[bytes]) -> np.ndarray:
        return to_words(np.frombuffer(b"".join(codes), np.uint8).reshape(len(codes), self.code_size))

    def _checked(self, code: Any) -> bytes:
        raw = _bytes(code)
        if len(raw) != self.code_size:
            raise DimensionError(f"a code of {len(raw)} bytes; allowed: {self.code_size} bytes, as the others have")
        return raw

    def search(
        self, code: bytes | str, n_results: int = 10, multithreaded: bool = False, sort: bool = False
    ) -> SearchResults:
        """Find the payloads of the nearest codes.

        Args:
            code (bytes | str): as long as ``code_size``.
            n_results (int): how many to find, >= 0; fewer come where there are fewer.
            multithreaded (bool): share the work out among threads.
            sort (bool): accepted for compatibility: results are always sorted.

        Returns:
            SearchResults: payloads, nearest first, with distances in bits; equal ones in the order of ``append``.

        Raises:
            DimensionError: the code has another length.
            WriteOnlyIndex: opened with ``writeonly``.
        """
        self._check_readable()
        raw, view = self._checked(code), self._store.view()
        count = min(check_count(n_results), view.alive)
        if not count:
            return SearchResults(raw, [], np.empty(0, np.uint16))
        found = self._engine.search(view, self._words([raw]), count, 0 if multithreaded else 1)[0]
        assert view.rows is not None
        return SearchResults(raw, [self._payload(view.rows, row) for row in found.rows.tolist()], found.distances)

    def _payload(self, rows: np.ndarray, row: int) -> bytes:
        data = self._store.extra(*divmod(row, 2**32))
        if data[:_CHECK] != _check(rows[row].tobytes(), data[_CHECK:]):
            raise CorruptValue(f"code {row} of {str(self.path)!r}, or its payload, fails its checksum")
        return data[_CHECK:]

    def random_search(
        self,
        n_results: int = 10,
        multithreaded: bool = False,
        sort: bool = False,
        rng: np.random.Generator | None = None,
    ) -> tuple[bytes | None, SearchResults]:
        """Search for a code that is picked at random; return it with the results, or None with nothing.

        Args:
            n_results, multithreaded, sort: as for ``search``.
            rng (np.random.Generator | None): what chance comes from.
        """
        self._check_readable()
        view = self._store.view()
        if not view.alive or view.rows is None:
            return None, SearchResults(None, [], [])
        row = view.random_row(np.random.default_rng() if rng is None else rng)
        code = view.rows[row].tobytes()
        return code, self.search(code, n_results, multithreaded)

    def _check_readable(self) -> None:
        if self.writeonly:
            raise WriteOnlyIndex(f"{str(self.path)!r} was opened with writeonly=True; open it again to search")

    def set_metadata(self, key: bytes, value: bytes) -> None:
        """Keep bytes under a name."""
        self._store.change(notes={b"user:" + _bytes(key): _bytes(value)})

    def get_metadata(self, key: bytes) -> bytes | None:
        """Return what was kept under a name, or None."""
        return self._store.note(b"user:" + _bytes(key))

    def __len__(self) -> int:
        return len(self._store)

    def close(self) -> None:
        """Let go of what is open."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"HammingDb({str(self.path)!r}, code_size={self.code_size}, {len(self)} codes)"


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise DimensionError(f"{value!r}; allowed: bytes or text")


def _check(code: bytes, data: bytes) -> bytes:
    return xxhash.xxh3_64_digest(code + data)
