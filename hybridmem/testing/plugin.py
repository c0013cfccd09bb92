"""A pytest plugin, registered as ``hybridmem``: the fixture `no_network` proves that nothing leaves the machine.

@pytest.fixture(autouse=True)
def offline(no_network): ...
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest


class NetworkBlocked(OSError):
    """Something tried to leave the machine within a test that promised not to."""


def is_local(address: Any) -> bool:
    """Whether a socket address stays on this machine: a path, a loopback address, or no host at all.

    >>> is_local(("127.0.0.1", 80)), is_local(("::1", 80, 0, 0)), is_local(("example.org", 443))
    (True, True, False)
    """
    if not isinstance(address, tuple):
        return True
    return is_local_host(address[0] if address else None)


def is_local_host(host: Any) -> bool:
    """Whether a host's name or address is this machine's; None and the empty name are."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in (None, "", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """No socket connects or sends beyond this machine, and no name is looked up; loopback and Unix sockets work.

    An attempt raises `NetworkBlocked` where it is made, and fails the test at its end even when the code swallowed
    that. Yields the attempts so far; a test that expects one clears the list. Child processes are not watched."""
    attempts: list[str] = []

    def guard(name: str, local: Callable[..., bool]) -> Callable[..., Any]:
        original = getattr(socket.socket, name)

        def guarded(self: socket.socket, *arguments: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6) and not local(*arguments):
                _refuse(f"{name}{arguments!r:.120}")
            return original(self, *arguments)

        return guarded

    def _refuse(what: str) -> None:
        attempts.append(what)
        raise NetworkBlocked(f"blocked by no_network: {what}")

    def lookup(host: Any, *arguments: Any, **options: Any) -> Any:
        if not is_local_host(host):
            _refuse(f"getaddrinfo({host!r})")
        return found(host, *arguments, **options)

    found = socket.getaddrinfo
    monkeypatch.setattr(socket.socket, "connect", guard("connect", is_local))
    monkeypatch.setattr(socket.socket, "connect_ex", guard("connect_ex", is_local))
    monkeypatch.setattr(socket.socket, "sendto", guard("sendto", lambda data, *rest: is_local(rest[-1])))
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    yield attempts
    if attempts:
        pytest.fail(f"the network was reached for: {'; '.join(attempts)}", pytrace=False)
