"""Sessions of the HTTP library: one for each thread, whose connections stay open between requests.

A session of the user's is never changed: what is used is a copy, with adapters of ours in place of the library's own
and with redirects turned off, since each is checked before it is followed. Class: ``Sessions``; function
``check_session``.
"""

import os
import threading
from collections.abc import Callable
from typing import Any

import zounds_lite
from zounds_lite._lazy import optional
from zounds_lite.errors import DeclarationError
from zounds_lite.featureflow.connections import checked_adapter

__all__ = ["Sessions", "check_session"]


def check_session(session: Any) -> None:
    """Refuse what is no session of requests, and one that does not verify TLS.

    Raises:
        DeclarationError: it is one of these.
    """
    if not isinstance(session, optional("requests").Session):
        raise DeclarationError(
            f"session={type(session).__name__}: a requests.Session, or a function without arguments that makes one"
        )
    if session.verify is False or session.verify is None:
        raise DeclarationError(
            "the session has verify=False: TLS is always verified; name a file of certificates (session.verify = path)"
        )


class Sessions:
    """The sessions that a fetcher sends its requests with.

    Args:
        source (Session | Callable | None): a session, which each thread gets a copy of; a function that makes one for
            each thread; or None for one of ours.
        private (bool): addresses of this machine and its network are allowed.
        user_agent (str | None): as for ``Fetcher``.
    """

    def __init__(self, source: Any, private: bool, user_agent: str | None) -> None:
        self._source, self._private, self._user_agent = source, private, user_agent
        self._here = threading.local()

    def current(self) -> Any:
        """Return the session of this thread.

        Raises:
            DeclarationError: the user's is no session, or does not verify TLS.
        """
        here = self._here
        pid = os.getpid()
        session = getattr(here, "session", None)
        if session is not None and here.pid != pid:
            session.close()  # closes what a fork copied; the connections themselves are the parent's
            session = None
        if session is None:
            session, here.pid = self._made(), pid
            here.session = session
        return session

    def _made(self) -> Any:
        requests = optional("requests")
        if self._source is None:
            session = requests.Session()
            session.cookies.set_policy(optional("http.cookiejar").DefaultCookiePolicy(allowed_domains=[]))
        else:
            found = self._source if isinstance(self._source, requests.Session) else _call(self._source)
            check_session(found)
            session = _copied(found)
        for prefix, adapter in list(session.adapters.items()):
            if type(adapter) is requests.adapters.HTTPAdapter:
                session.adapters[prefix] = checked_adapter(self._private)
        session.get_redirect_target = lambda response: None
        named = session.headers.get("User-Agent", "")
        if self._user_agent is not None or not named or str(named).startswith("python-requests/"):
            session.headers["User-Agent"] = self._user_agent or f"zounds_lite/{zounds_lite.__version__}"
        return session


def _call(source: Callable[[], Any]) -> Any:
    return source()


def _copied(session: Any) -> Any:
    """Return a session that shares what a user's one holds, but whose adapters and headers can be changed."""
    copied = object.__new__(type(session))
    copied.__dict__.update(session.__dict__)
    copied.adapters = session.adapters.copy()
    copied.headers = session.headers.copy()
    return copied
