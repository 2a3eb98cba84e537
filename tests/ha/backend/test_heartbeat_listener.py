from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from catalina.attributes import AttributeRefused
from catalina.errors import CatalinaError
from catalina.ha.backend.heartbeat_listener import HeartbeatListener
from catalina.ha.backend.senders import MultiCastSender, TcpSender
from catalina.lifecycle import LifecycleEvent


def connector(port: int, address: str | None = None, busy: int = 3) -> Any:
    return SimpleNamespace(
        local_port=port,
        protocol_handler=SimpleNamespace(address=address),
        endpoint=SimpleNamespace(executor=SimpleNamespace(max_threads=200, busy=busy)),
    )


def server(*connectors: Any) -> Any:
    return SimpleNamespace(services=[SimpleNamespace(connectors=list(connectors))])


class Recorder:
    def __init__(self) -> None:
        self.sent: list[str] = []
        self.failing = False

    def send(self, message: str) -> None:
        if self.failing:
            raise CatalinaError("nobody there")
        self.sent.append(message)


def listening(recorder: Recorder, **attributes: Any) -> HeartbeatListener:
    listener = HeartbeatListener(**attributes)
    listener._sender = recorder
    return listener


def test_the_first_connector_that_listens_is_reported_periodically() -> None:
    recorder = Recorder()
    listener = listening(recorder)
    listener(LifecycleEvent(server(connector(-1), connector(8080)), "periodic"))
    listener(LifecycleEvent(server(connector(8080)), "start"))
    assert recorder.sent == ["v=1&ready=197&busy=3&port=8080"]


@pytest.mark.parametrize(("attributes", "port"), [({"port": 8009}, 8009), ({"host": "10.0.0.1"}, 8081), ({}, 8080)])
def test_port_and_host_choose_the_connector(attributes: dict[str, Any], port: int) -> None:
    tree = server(connector(8080), connector(8081, "10.0.0.1"), connector(8009))
    info = HeartbeatListener(**attributes).collect(tree)
    assert info is not None
    assert info.port == port


def test_without_a_connector_nothing_is_sent() -> None:
    recorder = Recorder()
    listening(recorder)(LifecycleEvent(server(), "periodic"))
    assert recorder.sent == []


def test_a_fault_is_logged_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    recorder = Recorder()
    listener = listening(recorder)
    for failing in (True, True, False, False):
        recorder.failing = failing
        listener(LifecycleEvent(server(connector(8080)), "periodic"))
    assert [record.getMessage() for record in caplog.records] == [
        "Unable to send collected load information: nobody there",
        "Collected load information is sent again",
    ]


def test_a_list_of_proxies_takes_the_place_of_multicast() -> None:
    listener = HeartbeatListener()
    assert isinstance(listener._make_sender(), MultiCastSender)
    assert listener.set_attribute("ProxyList", "10.0.0.1:6666, [::1]:80")
    assert isinstance(listener._make_sender(), TcpSender)
    assert listener.proxy_list == (("10.0.0.1", 6666), ("[::1]", 80))


def test_a_proxy_without_a_port_is_refused() -> None:
    with pytest.raises(AttributeRefused, match="host:port"):
        HeartbeatListener().set_attribute("ProxyList", "10.0.0.1")
