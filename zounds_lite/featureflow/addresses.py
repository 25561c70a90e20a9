"""Which addresses may be connected to.

Goal: a URL that somebody else wrote never reaches the machine's own services, nor those of its network. Conventions: a
host is resolved once, every address that it has is checked, and the connection goes to one of the addresses that were
checked: a name that means another machine a moment later gains nothing. Functions: ``is_public``, ``resolve``.
"""

import ipaddress
import queue
import socket
import threading
from typing import Any

from zounds_lite.errors import FetchError, ForbiddenAddress

__all__ = ["is_public", "resolve"]

_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is given out; what is not, reaches nobody or somebody near."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SPECIAL = tuple(
    ipaddress.ip_network(text)
    for text in ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "2001::/23", "3fff::/20")
)
"""Addresses with a purpose of their own that not every version of ``ipaddress`` knows, or not as a whole."""


def is_public(address: str) -> bool:
    """Tell whether an address belongs to the internet, rather than to this machine or its network.

    An address of IPv6 that holds one of IPv4 (mapped, NAT64, 6to4) counts as the one that it holds; Teredo is refused.

    Args:
        address (str): IPv4 or IPv6, with or without a zone.

    Raises:
        ValueError: it is no address.

    Examples:
        >>> [is_public(text) for text in ("93.184.215.14", "127.0.0.1", "10.1.2.3", "100.64.0.1", "::ffff:127.0.0.1")]
        [True, False, False, False, False]
        >>> [is_public(text) for text in ("2606:4700::1111", "fe80::1%eth0", "64:ff9b::a00:1", "224.0.0.1", "0.0.0.0")]
        [True, False, False, False, False]

    Sources:
        RFC 6890 and the registries of special-purpose addresses that it founded; RFC 6052 (NAT64), RFC 3056 (6to4).
    """
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if found not in _UNICAST or found.scope_id is not None:
            return False
    if any(found in network for network in _SPECIAL):
        return False
    special = found.is_multicast or found.is_reserved or found.is_unspecified or found.is_loopback
    return found.is_global and not (special or found.is_private or found.is_link_local)


def resolve(host: str, port: int, private: bool = False, timeout: float | None = None) -> list[tuple[Any, ...]]:
    """Return the addresses of a host, as ``socket.getaddrinfo`` does, if all of them may be connected to.

    Args:
        host (str): a name, or an address in any spelling that the system understands.
        port (int): where the connection goes.
        private (bool): addresses of this machine and its network are allowed.
        timeout (float | None): seconds to wait for an answer; None: as long as the system does.

    Raises:
        ForbiddenAddress: one of them is not public.
        FetchError: there is no such host, or no answer in time.
    """
    host = host.removeprefix("[").removesuffix("]")
    found = _look_up(host, port) if timeout is None or _is_address(host) else _look_up_in(host, port, timeout)
    if isinstance(found, Exception):
        # what no resolver can be asked for stays wrong; that it did not answer, or does not know the name, may pass
        passing = not isinstance(found, (UnicodeError, ValueError))
        raise FetchError(f"there is no host {host!r}: {found}", passing=passing) from None
    for *_, address in found:
        if not private and not is_public(str(address[0])):
            raise ForbiddenAddress(
                f"{host!r} is {address[0]}, an address of this machine or its network; "
                "Fetcher(private_addresses=True) allows such",
                passing=False,
            )
    return found


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _look_up(host: str, port: int) -> list[tuple[Any, ...]] | Exception:
    try:
        return list(socket.getaddrinfo(host, port, socket.AF_UNSPEC, socket.SOCK_STREAM))
    except (OSError, ValueError, OverflowError) as error:
        return error


def _look_up_in(host: str, port: int, timeout: float) -> list[tuple[Any, ...]] | Exception:
    """Look up in a thread of its own, since the system's resolver has its own idea of how long to wait."""
    answers: queue.SimpleQueue[list[tuple[Any, ...]] | Exception] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_look_up(host, port)), daemon=True).start()
    try:
        return answers.get(timeout=timeout)
    except queue.Empty:
        return TimeoutError(f"no answer within {timeout:.3g} s")
