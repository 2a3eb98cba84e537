from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ConfigurationError
from catalina.juli import class_loader_log_manager
from catalina.startup.bootstrap import (
    StopTarget,
    main,
    parse_arguments,
    running_node,
    send_shutdown,
    signal_to_stop,
    wait_for_end,
)

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a verb on a base with the given server.xml; returns exit code and everything printed."""
    monkeypatch.setattr("sys.path", list(__import__("sys").path))

    def run(verb: str, server_xml: str | None = None, *words: str) -> tuple[int, str]:
        (tmp_path / "conf").mkdir(exist_ok=True)
        if server_xml is not None:
            (tmp_path / "conf" / "server.xml").write_text(server_xml)
        code = main([f"-Dcatalina.base={tmp_path}", *words, verb])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    yield run
    if class_loader_log_manager._current is not None:
        class_loader_log_manager._current.close()


def test_version_has_the_nine_lines_of_tomcat(run: Run) -> None:
    code, text = run("version")
    assert code == 0
    assert [line.partition(":")[0] for line in text.splitlines()] == [
        "Server version",
        "Server built",
        "Server number",
        "OS Name",
        "OS Version",
        "Architecture",
        "JVM Version",
        "JVM Vendor",
        "APR loaded",
    ]


def test_an_unknown_verb_is_refused(run: Run) -> None:
    code, text = run("dance")
    assert code == 1
    assert "unknown verb 'dance', expected one of start, stop, configtest, version" in text


def test_configtest_prints_the_tree_and_succeeds(run: Run) -> None:
    code, text = run("configtest", '<Server port="-1">\n<Frob/></Server>')
    assert code == 0
    assert "Server StandardServer (server.xml:1) port='-1'" in text
    assert "! server.xml:2 <Frob>: no element Frob in a StandardServer; left out" in text
    assert text.endswith("conf/server.xml: 0 errors, 1 warning, 0 remarks\n")


def test_configtest_says_once_what_has_no_meaning(run: Run) -> None:
    name = "org.apache.catalina.core.AprLifecycleListener"
    _, text = run("configtest", f'<Server port="-1"><Listener className="{name}"/></Server>')
    assert text.count(f"- {name} has no meaning in Python") == 1


def test_configtest_fails_for_what_would_stop_the_start_and_still_shows_the_tree(run: Run) -> None:
    code, text = run(
        "configtest", '<Server>\n<Service><Engine><Valve className="org.apache.V"/></Engine></Service></Server>'
    )
    assert code == 1
    assert "!! server.xml:2 <Valve>: no class answers to className 'org.apache.V'; it may guard access" in text
    assert "Engine StandardEngine (server.xml:2)" in text


def test_configtest_fails_for_an_ill_formed_file_with_one_line(run: Run) -> None:
    code, text = run("configtest", "<Server>\n<Service></Server>")
    assert code == 1
    assert text.count("server.xml:2") == 1


def test_configtest_fails_without_a_file(run: Run) -> None:
    code, text = run("configtest")
    assert code == 1
    assert "No such file" in text


def test_start_with_an_unusable_file_says_so_and_ends_with_1(run: Run, tmp_path: Path) -> None:
    code, text = run("start", "<Server>")
    assert code == 1
    assert f"Unable to load server configuration from [{tmp_path}/conf/server.xml]" in text
    assert "Cannot start server. Server instance is not configured." in text


@pytest.mark.parametrize("there", [True, False])
def test_temporary_files_go_where_the_operator_says(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    directory = tmp_path / "temp"
    if there:
        directory.mkdir()
    _, text = run("start", "<Server>", f"-Djava.io.tmpdir={directory}")
    assert (tempfile.gettempdir() == str(directory)) is there
    assert (f"The directory for temporary files [{directory}] does not exist" in text) is not there


def test_stop_without_a_server_ends_with_1(run: Run) -> None:
    code, text = run("stop", '<Server port="-1"/>')
    assert code == 1
    assert "SEVERE: No shutdown port configured." in text


def test_properties_of_the_command_line_reach_the_file(run: Run) -> None:
    _, text = run("configtest", '<Server port="${my.port}"/>', "-Dmy.port=8765")
    assert "port='8765'" in text


HOST = '<Engine name="E" defaultHost="h"><Host name="h" appBase="webapps"/></Engine>'


def test_configtest_repeats_what_was_said_about_old_forms(run: Run, tmp_path: Path) -> None:
    (tmp_path / "webapps").mkdir()
    old = (
        '<Server port="-1"><Service name="C"><Engine name="E" defaultHost="h"><Host name="h" appBase="webapps">'
        '<Cluster className="org.apache.catalina.cluster.tcp.SimpleTcpCluster" managerClassName='
        '"org.apache.catalina.cluster.session.DeltaManager"/></Host></Engine></Service></Server>'
    )
    code, text = run("configtest", old)
    assert code == 0
    assert "- server.xml:1 <Cluster>: manager settings of the Cluster element are read as a Manager below it" in text
    assert text.endswith("0 errors, 0 warnings, 1 remark\n")


def test_configtest_fails_for_a_web_xml_that_no_application_starts_with(run: Run, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "web.xml").write_text("<web-app>\n<servlet></web-app>")
    code, text = run("configtest", '<Server port="-1"/>')
    assert code == 1
    assert "!! web.xml:2: not well-formed XML" in text
    assert text.endswith("1 error, 0 warnings, 0 remarks\n")


def test_configtest_marks_remarks_about_context_xml_as_such(run: Run, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "context.xml").write_text('<Context antiResourceLocking="true"/>')
    code, text = run("configtest", '<Server port="-1"/>')
    assert code == 0
    assert "\n- context.xml:1 <Context>: antiResourceLocking has no effect: " in text


def test_configtest_finds_what_the_start_would_refuse(run: Run, tmp_path: Path) -> None:
    (tmp_path / "webapps").mkdir()
    connector = '<Connector protocol="AJP/1.3" port="0"/>'
    code, text = run("configtest", f'<Server port="-1"><Service name="C">{connector}{HOST}</Service></Server>')
    assert code == 0
    assert text.count("! this connector will not start: The AJP Connector is configured with secretRequired") == 1
    assert "! server.xml:1 <Connector>: this connector will not start" in text


def test_a_property_source_that_is_none_is_said_and_left_out(run: Run) -> None:
    named = "-Dorg.apache.tomcat.util.digester.PROPERTY_SOURCE=com.example.Vault"
    code, text = run("configtest", '<Server port="-1"/>', named)
    assert code == 0
    assert "! properties: Error loading property source [com.example.Vault]: no class answers to this name" in text
    _, text = run("start", "<Server>", named)
    assert "SEVERE: Error loading property source [com.example.Vault]" in text


@pytest.mark.parametrize("verb", ["start", "configtest"])
def test_a_jmx_port_without_a_password_file_is_not_opened(run: Run, verb: str) -> None:
    document = "<Frob/>" if verb == "start" else '<Server port="-1"/>'
    _, text = run(verb, document, "-Dcom.sun.management.jmxremote", "-Dcom.sun.management.jmxremote.port=39999")
    assert text.count("properties: the JMX port cannot be opened: Password file not found: ") == 1


def test_configtest_says_which_options_are_those_of_java(run: Run) -> None:
    _, text = run("configtest", '<Server port="-1"/>', "-Xmx1g")
    assert "- command line: Options of a Java process have no effect: -Xmx1g" in text


def test_the_command_line_of_catalina_sh_is_understood() -> None:
    line = """-Djava.util.logging.config.file=/c/logging.properties -Dnop -Xmx512m
        --add-opens=java.base/java.lang=ALL-UNNAMED -classpath a.jar:b.jar -Dcatalina.base=/srv=x start"""
    arguments = parse_arguments(line.split())
    assert arguments.properties == {
        "java.util.logging.config.file": "/c/logging.properties",
        "nop": "",
        "catalina.base": "/srv=x",
    }
    assert arguments.verb == "start"
    assert arguments.ignored == ["-Xmx512m", "--add-opens=java.base/java.lang=ALL-UNNAMED", "-classpath a.jar:b.jar"]


def test_another_server_xml_may_be_named() -> None:
    assert parse_arguments(["-config", "conf/other.xml", "start"]).config_file == "conf/other.xml"
    assert parse_arguments(["start"]).config_file == "conf/server.xml"


def test_words_of_tomcats_own_that_mean_nothing_are_not_worth_a_remark() -> None:
    assert parse_arguments(["-nonaming", "-security", "start"]).ignored == []


@given(st.lists(st.text(max_size=8)))
def test_any_words_are_a_command_line(words: list[str]) -> None:
    assert parse_arguments(words).verb in [*words, ""]


def target(tmp_path: Path, attributes: str) -> StopTarget:
    path = tmp_path / "server.xml"
    path.write_text(f"<Server {attributes}><Service/></Server>")
    return StopTarget(path, lambda text: text.replace("${p}", "9005"))


def test_port_address_and_word_come_from_the_root_element(tmp_path: Path) -> None:
    found = target(tmp_path, 'port="${p}" portOffset="10" address="127.0.0.1" shutdown="BYE"')
    assert (found.address, found.port, found.word) == ("127.0.0.1", 9015, "BYE")


def test_the_defaults_are_those_of_the_server_element(tmp_path: Path) -> None:
    found = target(tmp_path, "")
    assert (found.address, found.port, found.word) == ("localhost", 8005, "SHUTDOWN")


def test_an_offset_does_not_switch_a_port_on(tmp_path: Path) -> None:
    assert target(tmp_path, 'port="-1" portOffset="10"').port == -1


def test_a_port_that_is_no_number_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"server\.xml: <Server> port='x', expected a whole number"):
        target(tmp_path, 'port="x"')


def test_the_word_arrives_and_the_connection_ends(tmp_path: Path) -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while data := connection.recv(100):
                    received.append(data)

        thread = threading.Thread(target=serve, name="shutdown port")
        thread.start()
        found = target(tmp_path, f'port="{listener.getsockname()[1]}" address="127.0.0.1" shutdown="BYE"')
        assert send_shutdown(found)
        thread.join(10)
    assert b"".join(received) == b"BYE"


def test_nobody_listening_is_logged_as_tomcat_does(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not send_shutdown(target(tmp_path, f'port="{port}" address="127.0.0.1"'))
    (record,) = caplog.records
    assert record.getMessage() == (
        f"Could not contact [127.0.0.1:{port}] (base port [{port}] and offset [0]). Tomcat may not be running."
    )
    assert record.levelno == logging.ERROR
    assert record.exc_info


def test_a_server_without_a_shutdown_port_is_told_by_a_signal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert not send_shutdown(target(tmp_path, 'port="-1"'))
    assert "No shutdown port configured. Shut down server through OS signal." in caplog.text


def test_the_control_socket_tells_which_process_is_the_server(tmp_path: Path) -> None:
    assert running_node(tmp_path) is None
    (tmp_path / "temp").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "temp" / "catalina.sock"))
        listener.listen()
        assert running_node(tmp_path) == os.getppid()


def test_a_process_that_the_command_does_not_reach_is_signalled(caplog: pytest.LogCaptureFixture) -> None:
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    with process.stdin:
        assert signal_to_stop(process.pid)
        assert process.wait(10) == -signal.SIGTERM
    assert not signal_to_stop(process.pid)
    assert f"Process {process.pid} cannot be signalled: No such process" in caplog.text


def test_the_end_of_a_process_is_waited_for() -> None:
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert not wait_for_end(process.pid, 0)
    process.stdin.close()
    assert wait_for_end(process.pid, 10)
    process.wait()
    assert wait_for_end(process.pid, 0)
