"""The server as a process: start and failures of start, the shutdown port, signals and exit codes."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.startup.instance import PATIENCE, Instance, children, instance, is_alive

pytestmark = pytest.mark.cluster


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Instance]:
    yield from instance(tmp_path / "base")


def replace(node: Instance, old: str, new: str) -> None:
    path = node.base / "conf" / "server.xml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_lines_of_a_start_and_stop_come_in_tomcats_order(node: Instance) -> None:
    process = node.running()
    node.say("SHUTDOWN")
    assert process.wait(PATIENCE) == 0
    position = -1
    for line in (
        r"Initializing ProtocolHandler \[",
        r"Server initialization in \[\d+\] milliseconds",
        r"Starting service \[Catalina\]",
        r"Starting Servlet engine: \[",
        r"Starting ProtocolHandler \[",
        r"Server startup in \[\d+\] milliseconds",
        r"A valid shutdown command was received via the shutdown port. Stopping the Server instance.",
        r"Pausing ProtocolHandler \[",
        r"Stopping service \[Catalina\]",
        r"Stopping ProtocolHandler \[",
        r"Destroying ProtocolHandler \[",
    ):
        found = re.search(line, node.run_output)
        assert found, f"{line} is missing:\n{node.run_output}"
        assert found.start() > position, f"{line} came too early:\n{node.run_output}"
        position = found.start()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_stops_in_order_and_gives_its_exit_code(node: Instance, number: signal.Signals, code: int) -> None:
    process = node.running()
    process.send_signal(number)
    assert process.wait(PATIENCE) == code
    assert "Stopping service [Catalina]" in node.run_output
    assert "A valid shutdown command" not in node.run_output


def test_quit_writes_the_stacks_of_all_threads_and_the_server_goes_on(node: Instance) -> None:
    process = node.running()
    process.send_signal(signal.SIGQUIT)
    node.wait_for(lambda: "most recent call first" in node.run_output)
    assert process.poll() is None
    node.say("SHUTDOWN")
    assert process.wait(PATIENCE) == 0


def test_killing_the_process_leaves_nothing_behind(node: Instance) -> None:
    process = node.running()
    workers = children(process.pid)
    assert workers
    process.kill()
    assert process.wait(PATIENCE) == -signal.SIGKILL
    node.wait_for(lambda: not any(is_alive(worker) for worker in workers))


def test_a_node_that_dies_is_started_again(node: Instance) -> None:
    process = node.running()
    (worker,) = children(process.pid)
    os.kill(worker, signal.SIGKILL)
    node.wait_for(lambda: node.run_output.count("Server startup in [") == 2)
    node.say("SHUTDOWN")
    assert process.wait(PATIENCE) == 0


def test_a_wrong_word_is_logged_and_the_server_goes_on(node: Instance) -> None:
    process = node.running()
    assert node.say("WRONG") == b""
    node.wait_for(lambda: "Invalid shutdown command [WRONG] received" in node.run_output)
    node.say("SHUTDOWN\r\n")
    assert process.wait(PATIENCE) == 0


def test_the_port_offset_counts_for_the_shutdown_port(node: Instance) -> None:
    replace(node, f'port="{node.port}"', f'port="{node.port - 1}" portOffset="1"')
    process = node.running()
    node.say("SHUTDOWN")
    assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    "server_xml", ["<Server>", "<Server><Listener/></Server>", '<Server className="com.example.Server"/>', None]
)
def test_an_unusable_configuration_ends_with_1(node: Instance, server_xml: str | None) -> None:
    path = node.base / "conf" / "server.xml"
    if server_xml is None:
        path.unlink()
    else:
        path.write_text(server_xml)
    assert node.run().wait(PATIENCE) == 1
    assert f"Unable to load server configuration from [{path}]" in node.run_output
    assert "Cannot start server. Server instance is not configured." in node.run_output


def test_a_connector_whose_port_is_taken_leaves_the_server_up(node: Instance) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        replace(node, 'port="0"', f'port="{taken.getsockname()[1]}"')
        process = node.running()
    assert "Address already in use" in node.run_output
    node.say("SHUTDOWN")
    assert process.wait(PATIENCE) == 0


def test_a_connector_whose_port_is_taken_ends_the_start_when_told_so(node: Instance) -> None:
    node.environment["CATALINA_OPTS"] = "-Dorg.apache.catalina.startup.EXIT_ON_INIT_FAILURE=true"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        replace(node, 'port="0"', f'port="{taken.getsockname()[1]}"')
        assert node.run().wait(PATIENCE) == 1


def test_a_shutdown_port_that_is_taken_stops_the_server_with_0(node: Instance) -> None:
    with socket.create_server(("127.0.0.1", node.port)):
        assert node.run().wait(PATIENCE) == 0
    assert "Server startup in [" in node.run_output
    assert f"Failed to create server shutdown socket on address [127.0.0.1] and port [{node.port}]" in node.run_output
    assert "Stopping service [Catalina]" in node.run_output


def test_a_listener_that_refuses_ends_the_start_with_1(node: Instance) -> None:
    listener = '<Listener className="org.apache.catalina.security.SecurityListener" checkedOsUsers="no one"'
    replace(node, '  <Service name="Catalina">', f'{listener} minimumUmask="0777"/><Service>')
    assert node.run().wait(PATIENCE) == 1
    assert "Running Tomcat without a umask at least as restrictive as [0777]" in node.run_output


def test_an_unknown_guard_stops_the_start_unless_it_shall_only_warn(node: Instance) -> None:
    replace(node, "<Host", '<Valve className="com.example.Guard"/><Host')
    assert node.run().wait(PATIENCE) == 1
    assert "no class answers to className 'com.example.Guard': there is no package com" in node.run_output
    node.environment["CATALINA_OPTS"] = "-Dcatalina.unknown=warn"
    process = node.running()
    node.say("SHUTDOWN")
    assert process.wait(PATIENCE) == 0


def test_the_log_goes_where_logging_properties_says(node: Instance) -> None:
    (node.base / "conf" / "logging.properties").write_text(
        "handlers = 1catalina.org.apache.juli.AsyncFileHandler\n"
        "1catalina.org.apache.juli.AsyncFileHandler.directory = ${catalina.base}/logs\n"
        "1catalina.org.apache.juli.AsyncFileHandler.prefix = catalina.\n"
    )
    process = node.run()
    node.wait_for(
        lambda: any("Server startup in [" in path.read_text() for path in (node.base / "logs").glob("catalina.*.log"))
    )
    node.say("SHUTDOWN")
    assert process.wait(PATIENCE) == 0
    (path,) = (node.base / "logs").glob("catalina.*.log")
    lines = path.read_text().splitlines()
    assert re.fullmatch(
        r"\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d\.\d{3} INFO \[main\] "
        r"org\.apache\.coyote\.http11\.Http11NioProtocol\.destroy Destroying ProtocolHandler \[.*\]",
        lines[-1],
    )
    assert node.run_output == ""


def test_the_environment_is_a_property_source_when_catalina_properties_says_so(node: Instance) -> None:
    (node.base / "conf" / "catalina.properties").write_text(
        "org.apache.tomcat.util.digester.PROPERTY_SOURCE=org.apache.tomcat.util.digester.EnvironmentPropertySource\n"
    )
    replace(node, 'shutdown="SHUTDOWN"', 'shutdown="${SHOP_WORD:-x}"')
    node.environment["SHOP_WORD"] = "CLOSE"
    process = node.running()
    node.say("CLOSE")
    assert process.wait(PATIENCE) == 0


def test_a_connector_with_throw_on_failure_ends_the_start(node: Instance) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        replace(node, 'port="0"', f'port="{taken.getsockname()[1]}" throwOnFailure="true"')
        assert node.run().wait(PATIENCE) == 1
    assert "Address already in use" in node.run_output


def test_a_connector_without_a_usable_port_says_so_and_leaves_the_server_up(node: Instance) -> None:
    replace(node, 'port="0"', 'port="${http.port}"')
    process = node.running()
    assert (
        'Failed to initialize component [Connector["http-nio-127.0.0.1--1"]]: port out of range:-1' in node.run_output
    )
    node.say("SHUTDOWN")
    assert process.wait(PATIENCE) == 0
