"""DatabaseIterator: a node over all documents of a store."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

from zounds_lite.errors import ZoundsError
from zounds_lite.featureflow.node import Node

__all__ = ["DatabaseIterator"]

_log = logging.getLogger(__name__)


class DatabaseIterator(Node):
    """Yields ``func(id)`` for every document of the database that it is given; failures are logged and counted.

    Args:
        needs: as for ``Node``.
        func (Callable[[str], Any] | None): what to yield for an id; None yields the id itself.
    """

    def __init__(self, needs: Any = None, func: Callable[[str], Any] | None = None) -> None:
        super().__init__(needs=needs)
        self.func = func or str
        self.failures = 0

    def _process(self, data: Any) -> Iterator[Any]:
        for _id in data.iter_ids():
            try:
                yield self.func(_id)
            except ZoundsError as error:
                self.failures += 1
                _log.warning("document %r was passed over: %s", _id, error)
