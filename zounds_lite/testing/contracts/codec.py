"""The contract of codecs: an encoder and the decoder that reads what it wrote.

Class: ``CodecContract``.
"""

import abc
import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue, ZoundsError
from zounds_lite.featureflow import Decoder, StoredValue
from zounds_lite.featureflow.node import Node
from zounds_lite.featureflow.record import Entry, Record
from zounds_lite.featureflow.run import ValueWriter
from zounds_lite.testing import strategies
from zounds_lite.testing.contracts.checks import (
    allocated,
    assert_same,
    assert_typed,
    cut,
    for_all,
    joined,
    private_copy,
)

__all__ = ["CodecContract"]

_HASH = "0" * 32
_ROOM = 4 * 1024 * 1024
"""Bytes that a decoder may use beyond the size of the value, such as for buffers, whatever a header says."""


class CodecContract(abc.ABC):
    """What every encoder and its decoder must do. Inherit it in a class whose name starts with ``Test``.

    What was written reads back: the same type, dtype, shape, bits and dimensions, however it was cut into chunks. The
    header is strict JSON within the limits of a record. Stored bytes are believed in nothing: a header or a value that
    was damaged, or made up, is read as some value or raises an error of ``zounds_lite.errors``, and costs no more
    memory than the bytes that are there.

    Define:

    - ``encoder()`` and ``decoder()``: new ones; the encoder is a node that yields bytes and has a ``header``;
    - ``values()``: a hypothesis strategy of whole values, empty ones among them; see ``testing.strategies``.

    Where the defaults do not fit, set or override:

    - ``read(decoded)``: the value in what the decoder returns, for example ``file.read()``;
    - ``expected(value)``: what comes back, where it is not the value itself;
    - ``cut(value, at)``: the value as chunks; ``splits = False`` where a value is always one chunk;
    - ``join(pieces)``: the value that the pieces of ``Decoder.chunks`` make together;
    - ``sized = False`` where the header does not say how long the value is, so that a cut goes unnoticed (the checksums
      of the store find it then);
    - ``growth``: bytes of memory for each stored byte; None where the header says how far it grows;
    - ``examples``: how many random values are tried.
    """

    splits = True
    sized = True
    growth: float | None = 4.0
    examples = 30

    @abc.abstractmethod
    def encoder(self) -> Node:
        """Return a new encoder."""

    @abc.abstractmethod
    def decoder(self) -> Decoder:
        """Return a decoder."""

    @abc.abstractmethod
    def values(self) -> Any:
        """Return a hypothesis strategy of whole values."""

    def read(self, decoded: Any) -> Any:
        """Return the value in what the decoder returns."""
        return decoded

    def expected(self, value: Any) -> Any:
        """Return what comes back of a value."""
        return value

    def cut(self, value: Any, at: Iterable[int]) -> list[Any]:
        """Cut a value into chunks."""
        return cut(value, at) if self._size(value) else [value]

    def join(self, pieces: list[Any]) -> Any:
        """Return the value that the pieces of ``Decoder.chunks`` make together."""
        return self.read(pieces[0]) if len(pieces) == 1 else joined(pieces)

    def _size(self, value: Any) -> int:
        is_whole = not self.splits or (isinstance(value, np.ndarray) and not value.ndim)
        return 0 if is_whole else len(value)

    def _written(self, chunks: list[Any]) -> StoredValue:
        """Encode, and return the value as a store gives it back."""
        encoder, writer = self.encoder(), ValueWriter(None)
        for part in encoder.run(chunks):
            writer.write(part)
        content_type = getattr(encoder, "content_type", "")
        entry = writer.finish(Entry(_HASH, _HASH, content_type, getattr(encoder, "header", {}), 0))
        found = Record.from_bytes(Record("id", entries={"value": entry}).to_bytes(), "the record").entries["value"]
        return _stored(found.header, bytes(found.data or b""))

    def _read(self, value: StoredValue) -> Any:
        return self.read(self.decoder().decode(value))

    def _attempt(self, value: StoredValue, what: str) -> Any:
        """Read a value that nobody should believe in every way, and return it or the error."""
        allowed = _ROOM if self.growth is None else _ROOM + self.growth * len(value.data)
        result, used = allocated(lambda: assert_typed(lambda: self._read(value), what))
        assert self.growth is None or used <= allowed, f"{what} of {len(value.data)} bytes took {used} bytes to read"
        assert_typed(lambda: list(self.decoder().chunks(value)), f"{what}, in pieces,")
        return result

    # what was written

    def test_what_was_written_reads_back(self) -> None:
        def comes_back(value: Any) -> None:
            stored = self._written([value])
            before = stored.data.tobytes()
            assert_same(self._read(stored), self.expected(value))
            assert_same(
                self.join(list(self.decoder().chunks(stored))), self.expected(value), what="its pieces together"
            )
            assert stored.data.tobytes() == before, "reading changed what is stored"

        for_all(self.examples, comes_back, value=self.values())

    def test_chunks_are_written_as_the_whole_is(self) -> None:
        def is_the_same(pair: tuple[Any, list[int]]) -> None:
            value, at = pair
            whole, parts = self._written([value]), self._written(self.cut(value, at))
            assert_same(self._read(parts), self.expected(value), what=f"the value cut at {at}")
            assert parts.data.tobytes() == whole.data.tobytes(), f"a value cut at {at} is written as other bytes"
            assert parts.header == whole.header, f"{parts.header} for a value cut at {at}, {whole.header} for the whole"

        def with_chunks(value: Any) -> Any:
            return strategies.chunkings(self._size(value)).map(lambda at: (value, at))

        if self.splits:
            for_all(self.examples, is_the_same, pair=self.values().flatmap(with_chunks))

    def test_chunks_are_never_changed(self) -> None:
        def stays(value: Any) -> None:
            before = private_copy(value)
            for _ in self.encoder().run([value]):
                pass
            assert_same(value, before, what="a chunk that was encoded")

        for_all(self.examples, stays, value=self.values())

    def test_a_header_is_strict_json_and_plain_data(self) -> None:
        def is_plain(value: Any) -> None:
            encoder = self.encoder()
            for part in encoder.run([value]):
                assert isinstance(part, (bytes, bytearray, memoryview)), f"a {type(part).__name__} is no bytes"
            header = getattr(encoder, "header", {})
            text = json.dumps(header, allow_nan=False)
            assert json.loads(text) == header, "the header reads back as something else, such as a list for a tuple"

        for_all(self.examples, is_plain, value=self.values())

    def test_bytes_may_stand_anywhere(self) -> None:
        def reads(value: Any) -> None:
            stored = self._written([value])
            moved = np.frombuffer(b"x" + stored.data.tobytes(), np.uint8)[1:]
            assert_same(self._read(StoredValue(stored.header, moved)), self.expected(value), what="at an odd address")

        for_all(self.examples, reads, value=self.values())

    # what was damaged

    def test_a_damaged_header_is_an_error_or_a_value(self) -> None:
        def is_typed(pair: tuple[dict[str, Any], bytes]) -> None:
            self._attempt(_stored(*pair), "a damaged header")

        def broken(value: Any) -> Any:
            stored = self._written([value])
            data = stored.data.tobytes()
            headers = strategies.damaged(stored.header).map(_as_header)
            return headers.map(lambda header: (header, data))

        for_all(2 * self.examples, is_typed, pair=self.values().flatmap(broken))

    def test_damaged_bytes_are_an_error_or_a_value(self) -> None:
        def is_typed(value: Any, seed: int) -> None:
            stored, rng = self._written([value]), np.random.default_rng(seed)
            data = stored.data.copy()
            if len(data):
                at = rng.integers(0, len(data), 3)
                data[at] ^= rng.integers(1, 256, 3).astype(np.uint8)
            noise = rng.integers(0, 256, int(rng.integers(0, 2 * len(data) + 20)), dtype=np.uint8)
            for bad in (data, noise, data[: len(data) // 2], np.concatenate([data, noise])):
                self._attempt(_stored(stored.header, bad.tobytes()), "damaged bytes")

        for_all(self.examples, is_typed, value=self.values(), seed=strategies.seeds())

    def test_made_up_headers_are_an_error_or_a_value(self) -> None:
        def is_typed(header: Any) -> None:
            for data in (b"", b"\0" * 64, bytes(range(200))):
                self._attempt(_stored(header, data), "a made-up header")

        for_all(self.examples, is_typed, header=strategies.json_objects())

    def test_a_value_that_was_cut_is_noticed(self) -> None:
        def is_noticed(value: Any) -> None:
            stored = self._written([value])
            for bad in (stored.data[:-1].tobytes(), stored.data.tobytes() + b"\0"):
                if len(stored.data):
                    error = self._attempt(_stored(stored.header, bad), "a value of another length")
                    assert isinstance(error, ZoundsError), f"{len(bad)} of {len(stored.data)} bytes read as a value"
                    assert isinstance(error, CorruptValue), f"{type(error).__name__} where CorruptValue is due"

        if self.sized:
            for_all(self.examples, is_noticed, value=self.values())


def _as_header(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"value": value}


def _stored(header: dict[str, Any], data: bytes) -> StoredValue:
    return StoredValue(header, np.frombuffer(data, np.uint8), "a value")
