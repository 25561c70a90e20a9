"""An item of a dataset that cannot be made: ``FailedItem``.

Goal: one bad row or file costs nobody the rest, and is never passed over in silence. A dataset yields it in its place;
``ingest`` reports it with its reason and goes on.
"""

from typing import Any, NoReturn

__all__ = ["FailedItem"]


class FailedItem:
    """Stands for an item that could not be made; whoever looks for its audio or its labels gets the reason.

    Args:
        name (str): what it is, for people, such as ``"clips.csv, row 17"``.
        error (Exception): why; raised by every attribute but these.
        number (int | None): the row, where it is one of a table.

    Attributes:
        reason (str): the message of the error.

    Examples:
        >>> from zounds_lite.errors import InvalidItem
        >>> item = FailedItem("clips.csv, row 17", InvalidItem("the column 'path' is empty"), 17)
        >>> print(item)
        clips.csv, row 17: the column 'path' is empty
        >>> item.uri
        Traceback (most recent call last):
        ...
        zounds_lite.errors.InvalidItem: the column 'path' is empty
    """

    def __init__(self, name: str, error: Exception, number: int | None = None) -> None:
        self.name = name
        self.error = error
        self.number = number

    @property
    def reason(self) -> str:
        """The message of the error."""
        return str(self.error)

    def __getattr__(self, attribute: str) -> NoReturn:
        # what Python and notebooks ask of every object is no question for the item
        if attribute.startswith("_") or "error" not in self.__dict__:
            raise AttributeError(attribute)
        raise self.error.with_traceback(None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FailedItem):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[Any, ...]:
        return self.name, type(self.error), str(self.error)

    def __repr__(self) -> str:
        return self.name  # a report names items that have no id by their repr

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"
