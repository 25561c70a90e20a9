"""Connections for the HTTP client: to addresses that were checked, and cut when the time is up.

The HTTP library asks these classes for every connection that it makes. They look the host up once, check all that it
is (``addresses``), connect to just that, and put the connection under the deadline of the operation (``deadlines``).
Names, certificates and everything above stay the library's: TLS is verified for the host's name as always. Functions:
``checked_adapter``, ``connect``.
"""

import socket
import time
from functools import cache
from typing import Any

from zounds_lite._lazy import optional
from zounds_lite.errors import FetchError
from zounds_lite.featureflow.addresses import resolve
from zounds_lite.featureflow.deadlines import current_deadline

__all__ = ["checked_adapter", "connect"]


def connect(host: str, port: int, timeout: float, private: bool, options: Any = ()) -> socket.socket:
    """Connect to a host, at an address that was checked.

    Args:
        host (str): a name or an address.
        port (int): of the host.
        timeout (float): seconds for all of it, however many addresses there are.
        private (bool): addresses of this machine and its network are allowed.
        options (Iterable): of the socket, as for ``setsockopt``.

    Raises:
        ForbiddenAddress: an address is not public.
        FetchError: there is no such host.
        OSError: none of its addresses answers.
    """
    end = time.monotonic() + timeout
    found = resolve(host, port, private, timeout)
    last: OSError = OSError(f"{host!r} has no address")
    for left, (family, kind, protocol, _, address) in zip(range(len(found), 0, -1), found, strict=True):
        try:
            connection = socket.socket(family, kind, protocol)
        except OSError as error:  # such as IPv6 where there is none
            last = error
            continue
        try:
            for option in options or ():
                connection.setsockopt(*option)
            connection.settimeout(max(0.001, (end - time.monotonic()) / left))
            deadline = current_deadline()
            if deadline is not None:
                deadline.guard(connection)
            connection.connect(address)
        except OSError as error:
            connection.close()
            last = error
        else:
            connection.settimeout(timeout)
            return connection
    raise last


class _Checked:
    """What a connection of the HTTP library does otherwise; for plain and TLS ones."""

    private = False
    has_served = False
    guarded_by: Any = None

    def _new_conn(self: Any) -> socket.socket:
        errors = optional("urllib3").exceptions
        deadline = self.guarded_by = current_deadline()
        self.has_served = False
        timeout = self.timeout if isinstance(self.timeout, (int, float)) else 60.0
        try:
            return connect(self._dns_host, self.port, timeout, self.private, self.socket_options)
        except FetchError as error:
            if deadline is not None:  # the library passes on nothing but that it could not connect
                deadline.refusal = error
            raise errors.NewConnectionError(self, str(error)) from error
        except TimeoutError as error:
            raise errors.ConnectTimeoutError(self, f"no connection within {timeout:.3g} s") from error
        except OSError as error:
            raise errors.NewConnectionError(self, f"no connection: {error}") from error

    def _tunnel(self: Any) -> None:
        super()._tunnel()  # type: ignore[misc]
        deadline = current_deadline()
        if deadline is not None and deadline.is_over:  # a proxy that was cut in the middle of its answer
            raise OSError("the connection to the proxy was cut")

    def request(self: Any, *arguments: Any, **options: Any) -> None:
        deadline = current_deadline()
        if deadline is not None:
            deadline.is_reusing = self.sock is not None and self.has_served
            if self.sock is not None and self.guarded_by is not deadline:
                deadline.guard(self.sock)  # one that was kept open
                self.guarded_by = deadline
        super().request(*arguments, **options)  # type: ignore[misc]
        self.has_served = True


def _has_more(file: Any) -> bool:
    """Tell whether something is there to be read, without waiting for it; the connection is of no use then."""
    try:
        connection = file.raw._sock
        before = connection.gettimeout()
        connection.settimeout(0)
        try:
            more = bool(file.peek(1).strip(b"\r\n"))
        finally:
            connection.settimeout(before)
        if more:
            connection.shutdown(socket.SHUT_RDWR)
    except (OSError, ValueError, AttributeError):  # nothing there, or nothing that can be looked into
        return False
    return more


@cache
def _pools(private: bool) -> dict[str, Any]:
    """Return the pools by scheme, as the HTTP library wants them."""
    urllib3 = optional("urllib3")
    here = {"private": private, "response_class": _response_class()}
    plain = type("CheckedHTTPConnection", (_Checked, urllib3.connection.HTTPConnection), here)
    secure = type("CheckedHTTPSConnection", (_Checked, urllib3.connection.HTTPSConnection), here)
    pools = urllib3.connectionpool
    return {
        "http": type("CheckedHTTPPool", (pools.HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("CheckedHTTPSPool", (pools.HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


@cache
def _response_class() -> Any:
    base: Any = optional("http.client").HTTPResponse

    class Watchful(base):
        """An answer that notices where more came than it promised, which otherwise would be lost without a word."""

        overrun = False

        def _close_conn(self) -> None:
            if self.fp is not None and self.length == 0 and not self.chunked:
                self.overrun = _has_more(self.fp)
            super()._close_conn()

    return Watchful


@cache
def _adapter_class() -> Any:
    base: Any = optional("requests").adapters.HTTPAdapter

    class CheckedAdapter(base):
        def __init__(self, private: bool) -> None:
            self.private = private
            super().__init__(max_retries=0)

        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, **options)
            self.poolmanager.pool_classes_by_scheme = _pools(self.private)

        def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
            manager = super().proxy_manager_for(proxy, **options)
            if not proxy.lower().startswith("socks"):
                manager.pool_classes_by_scheme = _pools(True)  # a proxy is the user's own, wherever it is
            return manager

    return CheckedAdapter


def checked_adapter(private: bool) -> Any:
    """Return an adapter for sessions of requests that connects to checked addresses only.

    Args:
        private (bool): addresses of this machine and its network are allowed.
    """
    return _adapter_class()(private)
