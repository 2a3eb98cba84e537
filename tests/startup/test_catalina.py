from __future__ import annotations

import http.client
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalina.errors import ConfigurationError, LifecycleError
from catalina.lifecycle import LifecycleState
from catalina.startup.catalina import Catalina

SERVER_XML = """\
<Server port="-1">
  <Service name="Catalina">
    <Connector port="0" address="127.0.0.1"/>
    <Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps"/></Engine>
  </Service>
</Server>
"""

Make = Callable[..., Catalina]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    monkeypatch.setattr("sys.path", list(__import__("sys").path))

    def make(server_xml: str = SERVER_XML, **properties: str) -> Catalina:
        for name in ("conf", "webapps", "temp", "logs", "work"):
            (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / "conf" / "server.xml").write_text(server_xml)
        return Catalina(tmp_path, tmp_path, properties)

    return make


@pytest.fixture
def running(make: Make) -> Iterator[Catalina]:
    """A node that serves in this process."""
    catalina = make()
    server = catalina.load()
    catalina.init()
    server.reactor.start()
    catalina.start()
    yield catalina
    catalina.stop()
    server.reactor.stop()


def test_loading_gives_the_server_its_directories_and_properties(make: Make, tmp_path: Path) -> None:
    server = make(**{"shop.x": "1"}).load()
    assert server.catalina_base == tmp_path
    assert server.properties["catalina.base"] == str(tmp_path)
    assert server.properties["shop.x"] == "1"
    assert [service.name for service in server.services] == ["Catalina"]


def test_loading_logs_what_was_not_understood(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    make('<Server port="-1" prt="1"/>').load()
    assert [record.getMessage() for record in caplog.records] == [
        "server.xml:1 <Server>: no attribute prt on StandardServer; did you mean port?"
    ]


def test_an_unusable_configuration_is_logged_with_every_error(
    make: Make, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError):
        make('<Server><Listener/>\n<Service className="org.apache.b"/></Server>').load()
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == [
        "server.xml:1 <Listener>: the attribute className is required",
        "server.xml:2 <Service>: no class answers to className 'org.apache.b'",
        f"Unable to load server configuration from [{tmp_path}/conf/server.xml]",
        "Cannot start server. Server instance is not configured.",
    ]


def test_catalina_properties_count_in_server_xml(make: Make, tmp_path: Path) -> None:
    catalina = make('<Server port="${shop.port}"/>')
    (tmp_path / "conf" / "catalina.properties").write_text("shop.port=8765")
    assert catalina.load().port == 8765


@pytest.mark.parametrize(("replace", "value"), [("true", "/srv/shop"), ("false", "${root}/shop")])
def test_references_inside_properties_are_replaced_when_asked_for(make: Make, replace: str, value: str) -> None:
    name = "org.apache.tomcat.util.digester.REPLACE_SYSTEM_PROPERTIES"
    server = make('<Server port="-1"/>', root="/srv", path="${root}/shop", **{name: replace}).load()
    assert server.properties["path"] == value


def test_another_server_xml_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "other.xml").write_text('<Server port="1234"/>')
    assert Catalina(tmp_path, tmp_path, {}, "other.xml").load().port == 1234


def test_a_started_node_answers(running: Catalina) -> None:
    assert running.server is not None
    port = running.server.services[0].connectors[0].local_port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/nothing")
    assert connection.getresponse().status == 404
    connection.close()


def test_waiting_ends_when_the_server_is_told_to_stop(running: Catalina) -> None:
    server = running.server
    assert server is not None
    waiting = threading.Thread(target=running.await_shutdown, name="waiting")
    waiting.start()
    server.stop_await()
    waiting.join(10)
    assert not waiting.is_alive()


def test_a_stopped_node_is_destroyed(make: Make) -> None:
    catalina = make('<Server port="-1"/>')
    server = catalina.load()
    catalina.start()
    catalina.stop()
    assert server.state is LifecycleState.DESTROYED


def test_starting_before_loading_is_refused(make: Make) -> None:
    with pytest.raises(LifecycleError, match=r"load\(\) comes first"):
        make().start()


def test_a_server_that_cannot_start_is_logged_and_destroyed(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    catalina = make('<Server port="-1"/>')
    server = catalina.load()

    def refuse(event: object) -> None:
        if getattr(event, "type", "") == "before_start":
            raise LifecycleError("not today")

    server.add_lifecycle_listener(refuse)
    with pytest.raises(LifecycleError):
        catalina.start()
    assert "The required Server component failed to start so Tomcat is unable to start." in caplog.text
    assert server.state is LifecycleState.DESTROYED


def test_another_process_makes_the_same_server_whatever_has_become_of_the_file(make: Make, tmp_path: Path) -> None:
    first = make(shop="1")
    first.load()
    (tmp_path / "conf/server.xml").write_text("<Server")
    (tmp_path / "conf/catalina.properties").write_text("late=1")
    again = Catalina(tmp_path, tmp_path, first.properties)
    server = again.load_again(first.files)
    assert [service.name for service in server.services] == ["Catalina"]
    assert ("late" in again.properties, again.properties["shop"]) == (False, "1")
