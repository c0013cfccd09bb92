"""The fixture that guards the whole suite must catch what it claims to catch."""

from __future__ import annotations

import socket

import pytest

from hybridmem.testing.plugin import NetworkBlocked, is_local


@pytest.mark.parametrize("address", [("192.0.2.1", 9), ("2001:db8::1", 9, 0, 0), ("example.invalid", 80)])
def test_a_connection_beyond_this_machine_is_refused(no_network: list[str], address: tuple[object, ...]) -> None:
    family = socket.AF_INET6 if ":" in str(address[0]) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as stream:
        for attempt in (stream.connect, stream.connect_ex):
            with pytest.raises(NetworkBlocked):
                attempt(address)
    assert len(no_network) == 2
    no_network.clear()


def test_a_datagram_and_a_name_are_refused_too(no_network: list[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, pytest.raises(NetworkBlocked):
        datagrams.sendto(b"x", ("192.0.2.1", 9))
    with pytest.raises(NetworkBlocked):
        socket.create_connection(("example.invalid", 80), timeout=1)
    assert len(no_network) == 2
    no_network.clear()


def test_loopback_works() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        accepted, _ = server.accept()
        with accepted:
            client.sendall(b"hello")
            assert accepted.recv(5) == b"hello"


def test_paths_are_local() -> None:
    assert is_local("/tmp/socket")
    assert is_local(b"\x00abstract")
    assert not is_local((b"10.0.0.1", 80))


def test_a_swallowed_attempt_still_fails_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import contextlib, socket

        def test_it(no_network):
            with contextlib.suppress(OSError):
                socket.create_connection(("192.0.2.1", 9))
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:langsmith_plugin", "-p", "no:schemathesis")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the network was reached for*192.0.2.1*"])
