"""Span: all that the graph engine knows of time.

A span is a half-open stretch ``[start, stop)`` in integer picoseconds; ``stop=None`` reaches to the end. Time slices of
the floors above convert to it, so the engine needs no notion of sample rates.
"""

from dataclasses import dataclass

from zounds_lite.errors import DeclarationError

__all__ = ["PICOSECONDS", "Span"]

PICOSECONDS = 10**12
"""Picoseconds in a second."""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of time.

    Args:
        start (int): first picosecond, >= 0.
        stop (int | None): first picosecond after the span, >= start; None reaches to the end.

    Raises:
        DeclarationError: start is negative or stop lies before it.

    Examples:
        >>> Span(0, PICOSECONDS).duration
        1000000000000
    """

    start: int = 0
    stop: int | None = None

    def __post_init__(self) -> None:
        if self.start < 0 or (self.stop is not None and self.stop < self.start):
            raise DeclarationError(f"Span({self.start}, {self.stop}): needs 0 <= start <= stop, in picoseconds")

    @property
    def duration(self) -> int | None:
        """Length in picoseconds, or None where the span is open."""
        return None if self.stop is None else self.stop - self.start
