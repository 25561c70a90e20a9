"""Damage: what is wrong in a store, and which document and feature it concerns."""

from dataclasses import dataclass

__all__ = ["Damage"]


@dataclass(frozen=True)
class Damage:
    """One thing that is wrong in a store.

    Args:
        id (str | None): the document; None where it is the store's own structure.
        feature (str | None): the feature; None where it is the whole document.
        what (str): what was found, and where.

    Examples:
        >>> print(Damage("a.wav", "fft", "block 3 of 12 fails its checksum"))
        feature 'fft' of document 'a.wav': block 3 of 12 fails its checksum
        >>> print(Damage(None, None, "page 7 is used twice"))
        the store: page 7 is used twice
    """

    id: str | None
    feature: str | None
    what: str

    def __str__(self) -> str:
        if self.id is None:
            return f"the store: {self.what}"
        _id = repr(self.id) if len(self.id) <= 200 else f"{self.id[:150]!r}... ({len(self.id)} characters)"
        where = f"document {_id}" if self.feature is None else f"feature {self.feature!r} of document {_id}"
        return f"{where}: {self.what}"
