"""Listening: documents come into an index as they are stored.

Goal: a thread follows the event log of a document class, also over what was stored while nobody listened, and ends when
it is told to. Conventions: it looks at the log itself every so often, so it sees what other processes store; one
document that cannot be indexed does not stop it. Class: ``Listener``.
"""

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Listener"]

_log = logging.getLogger(__name__)

_PAUSE = 0.05
"""Seconds between two looks at the log."""


class Listener:
    """A thread that follows an event log.

    Args:
        log (EventLog): the log.
        last (bytes): the last entry that was seen; empty for none.
        take (Callable): called with (id of a document, key of a feature, id of the entry), for each entry in order.
    """

    def __init__(self, log: Any, last: bytes, take: Callable[[str, str, bytes], None]) -> None:
        self._event_log, self._last, self._take = log, last, take
        self._stop = threading.Event()
        self.error: BaseException | None = None
        """What ended the thread too early."""
        self._thread = threading.Thread(target=self._run, name="zounds-index", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """True while it listens."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                entries = self._event_log.after(self._last)
                for self._last, message in entries:
                    if self._stop.is_set():
                        return
                    self._one(message)
                if not entries:
                    self._stop.wait(_PAUSE)
        except BaseException as error:  # noqa: BLE001 - it ends the thread; whoever stops the listener gets it
            self.error = error
            _log.error("the index no longer listens: %s", error)

    def _one(self, message: str) -> None:
        try:
            entry = json.loads(message)
            _id, name = entry["_id"], entry["name"]
        except (ValueError, TypeError, KeyError) as error:
            _log.warning("passed over an entry of the event log that is none of ours: %s", error)
            return
        self._take(_id, name, self._last)

    def stop(self) -> None:
        """End the thread after the document that it is at.

        Raises:
            BaseException: what ended it before, if something did.
        """
        self._stop.set()
        if self._thread is not threading.current_thread():
            self._thread.join()
        if self.error is not None:
            error, self.error = self.error, None
            raise error
