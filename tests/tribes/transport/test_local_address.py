"""The announced address."""

from __future__ import annotations

import pytest

from catalina.tribes.transport import local_address as module
from catalina.tribes.transport.local_address import local_address, source_address


@pytest.fixture
def routes(monkeypatch):
    """The addresses from which the kernel would send, by target."""
    known: dict[str, str] = {}
    monkeypatch.setattr(module, "source_address", lambda target: known.get(target[0]))
    return known


def test_the_route_to_the_group_comes_first(routes):
    routes |= {"228.0.0.4": "10.1.1.1", "192.0.2.1": "10.2.2.2"}
    assert local_address(("228.0.0.4", 45564)) == "10.1.1.1"


def test_without_a_group_the_default_route_counts(routes):
    routes["192.0.2.1"] = "10.2.2.2"
    assert local_address(None) == "10.2.2.2"


def test_loopback_is_not_taken_while_there_is_another_address(routes):
    routes |= {"228.0.0.4": "127.0.0.1", "2001:db8::1": "2001:db8::5"}
    assert local_address(("228.0.0.4", 45564)) == "2001:db8::5"


def test_when_only_loopback_is_left_a_warning_says_so(routes, caplog):
    assert local_address(("228.0.0.4", 45564)) == "127.0.0.1"
    assert "Only the loopback address is left" in caplog.text


def test_the_kernel_is_asked_for_real():
    assert source_address(("127.0.0.1", 9)) == "127.0.0.1"
    assert source_address(("0.0.0.0.0", 9)) is None
