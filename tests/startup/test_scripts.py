"""bin/catalina.sh with real processes: each line of the table of commands, messages and exit codes."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalina.startup.control_client import VERBS
from tests.startup.instance import ROOT, SERVER_XML, Instance, children, instance, is_alive

pytestmark = pytest.mark.cluster


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Instance]:
    yield from instance(tmp_path / "base")


def dead_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait(10)
    return process.pid


# -- directories and variables -------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["dance"]])
def test_nothing_or_an_unknown_word_shows_the_usage(node: Instance, words: list[str]) -> None:
    done = node.catalina(*words)
    assert done.returncode == 1
    assert done.stdout.startswith("Usage: catalina.sh ( commands ... )\ncommands:\n")


@pytest.mark.parametrize("verb", VERBS)
def test_the_verbs_for_a_running_node_say_that_none_runs(node: Instance, verb: str) -> None:
    arguments = {"deploy": ["none.war"], "undeploy": ["/none"], "reload": ["/none"]}.get(verb, [])
    done = node.catalina(verb, *arguments)
    assert done.returncode != 0
    assert not done.stdout.startswith("Usage: catalina.sh")
    assert str(node.base) in done.stdout or "none.war" in done.stdout


@pytest.mark.parametrize("name", ["CATALINA_BASE", "CATALINA_HOME"])
def test_a_colon_in_a_directory_is_refused(node: Instance, name: str) -> None:
    node.environment[name] = "/srv/a:b"
    done = node.catalina("version")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"Using {name}:   /srv/a:b",
        f"Unable to start as {name} contains a colon (:) character",
    ]


def test_a_python_that_is_not_there_is_said(node: Instance) -> None:
    node.environment["CATALINA_PYTHON"] = "/nowhere/python"
    done = node.catalina("version")
    assert done.returncode == 1
    assert "The CATALINA_PYTHON environment variable is not defined correctly" in done.stdout


def test_without_a_terminal_nothing_is_said_about_directories(node: Instance) -> None:
    assert "Using CATALINA_" not in node.catalina("configtest").stdout


def test_setenv_of_the_base_sets_everything_but_home_and_base(node: Instance) -> None:
    (node.base / "bin" / "setenv.sh").write_text(
        f'CATALINA_PID="{node.pid_file}"\nCATALINA_OUT="{node.base}/own.out"\nCATALINA_OPTS="-Dshop.port={node.port}"\n'
    )
    node.write((node.base / "conf" / "server.xml").read_text().replace(str(node.port), "${shop.port}"))
    assert node.catalina("start").stdout == "Tomcat started.\n"
    node.wait_for(lambda: "Server startup in [" in (node.base / "own.out").read_text())
    assert is_alive(node.pid)
    node.say("SHUTDOWN")
    node.wait_for(lambda: not is_alive(node.pid))


def test_options_may_contain_quoted_blanks(node: Instance) -> None:
    node.environment["JAVA_OPTS"] = '-Dshop.word="two words" -Xmx512m'
    node.write('<Server shutdown="${shop.word}"/>')
    assert "shutdown='two words'" in node.catalina("configtest").stdout


def test_files_get_the_umask_of_tomcat_or_of_the_operator(node: Instance) -> None:
    node.started()
    assert stat.S_IMODE(node.pid_file.stat().st_mode) == 0o640
    assert stat.S_IMODE((node.base / "logs" / "catalina.out").stat().st_mode) == 0o640
    node.catalina("stop", "60")
    (node.base / "logs" / "catalina.out").unlink()
    node.environment["UMASK"] = "0022"
    node.started()
    assert stat.S_IMODE(node.pid_file.stat().st_mode) == 0o644


def test_a_command_may_read_the_output_through_a_pipe(node: Instance) -> None:
    seen = node.base / "seen.txt"
    reader = node.base / "reader.sh"
    reader.write_text(f'#!/bin/sh\nexec cat >"{seen}" 2>&1\n')
    reader.chmod(0o755)
    node.use_pid_file()
    node.environment["CATALINA_OUT_CMD"] = str(reader)
    assert node.catalina("start").returncode == 0
    node.wait_for(lambda: seen.exists() and "Server startup in [" in seen.read_text())
    assert stat.S_ISFIFO((node.base / "logs" / "catalina.out").stat().st_mode)
    assert node.catalina("stop", "60").returncode == 0


def test_a_file_where_the_pipe_should_be_is_refused(node: Instance) -> None:
    (node.base / "logs" / "catalina.out").touch()
    node.environment["CATALINA_OUT_CMD"] = "cat"
    done = node.catalina("start")
    assert done.returncode == 1
    assert done.stdout == f"{node.base}/logs/catalina.out exists and is not a named pipe. Start aborted.\n"


# -- start ---------------------------------------------------------------------------------------------------------


def test_start_waits_until_the_server_serves(node: Instance) -> None:
    node.use_pid_file()
    done = node.catalina("start")
    assert (done.returncode, done.stdout) == (0, "Tomcat started.\n")
    assert "Server startup in [" in node.catalina_out
    assert is_alive(node.pid)
    assert not list((node.base / "temp").glob("catalina-start.*"))


def test_start_does_not_wait_when_it_is_told_so(node: Instance) -> None:
    node.use_pid_file()
    node.environment["CATALINA_START_WAIT"] = "0"
    node.write("<Server>")
    done = node.catalina("start")
    assert (done.returncode, done.stdout) == (0, "Tomcat started.\n")
    node.wait_for(lambda: "Cannot start server. Server instance is not configured." in node.catalina_out)


def test_a_start_that_fails_says_why_and_leaves_no_pid_file(node: Instance) -> None:
    node.use_pid_file()
    node.write("<Server>")
    done = node.catalina("start")
    assert done.returncode == 1
    assert done.stdout.startswith("Tomcat did not start (exit code 1).\n")
    assert "Cannot start server. Server instance is not configured." in done.stdout
    assert not node.pid_file.exists()


def test_start_names_the_applications_that_are_not_in_service(node: Instance) -> None:
    (node.base / "webapps" / "bad").mkdir()
    (node.base / "webapps" / "bad" / "wsgi.py").write_text("import nosuch\n")
    node.use_pid_file()
    done = node.catalina("start")
    assert done.returncode == 0
    started, bad = done.stdout.splitlines()[:2]
    assert started == "Tomcat started."
    assert bad.startswith("  Application [/bad] of host [localhost] is not in service: cannot load 'wsgi': ")
    assert f"No module named 'nosuch' ({node.base}/webapps/bad/wsgi.py, line 1)" in bad


def test_start_fails_when_no_connector_can_serve(node: Instance) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        node.write(SERVER_XML.format(port=node.port).replace('port="0"', f'port="{taken.getsockname()[1]}"'))
        node.use_pid_file()
        done = node.catalina("start")
    assert done.returncode == 1
    assert done.stdout.startswith("Tomcat runs, but none of its connectors serves.\n  Connector[")
    assert "Address already in use" in done.stdout


@pytest.mark.parametrize("verb", ["run", "start", "configtest"])
def test_an_unknown_option_starts_nothing(node: Instance, verb: str) -> None:
    done = node.catalina(verb, "--port", "9000")
    assert done.returncode == 1
    assert done.stdout.startswith(f"catalina.sh {verb}: unknown option --port\nUsage: catalina.sh ( commands ... )\n")
    assert node.catalina_out == ""


@pytest.mark.parametrize("script", ["catalina.sh", "startup.sh", "shutdown.sh", "configtest.sh", "version.sh"])
def test_help_shows_the_usage_and_does_nothing_else(node: Instance, script: str) -> None:
    done = node.script(script, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: catalina.sh ( commands ... )\ncommands:\n")
    assert node.catalina_out == ""


def test_a_process_that_has_ended_and_was_not_asked_for_is_no_running_server(node: Instance) -> None:
    node.use_pid_file()
    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
        node.pid_file.write_text(f"{ended.pid}\n")
        stopped = node.catalina("stop")
        started = node.catalina("start")
    assert "no matching process was found" in stopped.stdout
    assert "Removing/clearing stale PID file." in started.stdout
    assert (started.returncode, started.stdout.splitlines()[-1]) == (0, "Tomcat started.")


def test_start_is_refused_while_the_process_of_the_pid_file_lives(node: Instance) -> None:
    node.use_pid_file()
    node.pid_file.write_text(f"{os.getpid()}\n")
    done = node.catalina("start")
    node.pid_file.unlink()
    assert done.returncode == 1
    first, second, third, *_ = done.stdout.splitlines()
    assert first == "Existing PID file found during start."
    assert second == f"Tomcat appears to still be running with PID {os.getpid()}. Start aborted."
    assert third == "If the following process is not a Tomcat process, remove the PID file and try again:"
    assert str(os.getpid()) in done.stdout.splitlines()[-1]


def test_start_clears_the_pid_file_of_a_dead_process(node: Instance) -> None:
    node.use_pid_file()
    node.pid_file.write_text(f"{dead_pid()}\n")
    done = node.catalina("start")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "Existing PID file found during start.",
        "Removing/clearing stale PID file.",
        "Tomcat started.",
    ]


def test_a_source_tree_gets_its_empty_directories(node: Instance, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "conf").mkdir(parents=True)
    (home / "bin").symlink_to(ROOT / "bin")
    (home / "conf" / "server.xml").write_text('<Server port="-1"/>')
    node.environment["CATALINA_HOME"] = node.environment["CATALINA_BASE"] = str(home)
    assert node.catalina("configtest").returncode == 0
    assert sorted(path.name for path in home.iterdir()) == ["bin", "conf", "logs", "temp", "webapps", "work"]


def test_start_without_a_logs_directory_fails_with_2(node: Instance) -> None:
    (node.base / "logs").rmdir()
    done = node.catalina("start")
    assert done.returncode == 2
    assert "Tomcat started." not in done.stdout


# -- restart and logs ----------------------------------------------------------------------------------------------


def test_restart_stops_the_server_and_starts_it_again(node: Instance) -> None:
    node.started()
    before = node.pid
    done = node.catalina("restart", "60")
    assert (done.returncode, done.stdout) == (0, "Tomcat stopped.\nTomcat started.\n")
    assert not is_alive(before)
    assert is_alive(node.pid)


def test_restart_needs_no_pid_file(node: Instance) -> None:
    assert node.catalina("start").stdout == "Tomcat started.\n"
    node.wait_for(lambda: node.takes_the_word)
    done = node.catalina("restart", "60")
    assert (done.returncode, done.stdout) == (0, "Tomcat stopped.\nTomcat started.\n")
    node.wait_for(lambda: node.takes_the_word)
    assert node.catalina("stop", "60").stdout == "Tomcat stopped.\n"


def test_restart_needs_neither_a_pid_file_nor_a_shutdown_port(node: Instance) -> None:
    node.write((node.base / "conf" / "server.xml").read_text().replace(f'port="{node.port}"', 'port="-1"'))
    assert node.catalina("start").stdout == "Tomcat started.\n"
    done = node.catalina("restart", "60")
    said = "The stop command failed. Attempting to signal the process to stop through OS signal."
    assert done.stdout.splitlines()[-3:] == [said, "Tomcat stopped.", "Tomcat started."]
    assert node.catalina("stop", "60").stdout.splitlines()[-1] == "Tomcat stopped."


def test_restart_starts_a_server_that_does_not_run(node: Instance) -> None:
    node.use_pid_file()
    done = node.catalina("restart")
    assert (done.returncode, done.stdout) == (0, "Tomcat is not running.\nTomcat started.\n")


def test_logs_shows_the_end_of_a_log(node: Instance) -> None:
    (node.base / "logs" / "catalina.out").write_text("one\ntwo\n")
    (node.base / "logs" / "localhost.2026-11-24.log").write_text("three\n")
    assert node.catalina("logs").stdout == "one\ntwo\n"
    assert node.catalina("logs", "localhost").stdout == "three\n"


def test_logs_says_which_logs_there_are(node: Instance) -> None:
    (node.base / "logs" / "catalina.out").touch()
    done = node.catalina("logs", "shop")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"There is no log that begins with shop in {node.base}/logs; there are:", "catalina.out"
    ]  # fmt: skip


# -- stop ----------------------------------------------------------------------------------------------------------


def test_stop_waits_for_the_end_and_removes_the_pid_file(node: Instance) -> None:
    node.started()
    pid = node.pid
    done = node.catalina("stop", "60")
    assert (done.returncode, done.stdout) == (0, "Tomcat stopped.\n")
    assert not node.pid_file.exists()
    assert not is_alive(pid)
    assert "A valid shutdown command was received via the shutdown port." in node.catalina_out


def test_stop_of_a_server_that_hangs_says_so_and_force_kills_it(node: Instance) -> None:
    node.started()
    node.wait_for(lambda: node.takes_the_word)
    pid = node.pid
    workers = children(pid)
    for process in (pid, *workers):
        os.kill(process, signal.SIGSTOP)
    done = node.catalina("stop", "0")
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "Tomcat did not stop in time.",
        "PID file was not removed.",
        "To aid diagnostics a thread dump has been written to standard out.",
    ]
    done = node.catalina("stop", "0", "-force")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-2:] == [
        f"Killing Tomcat with the PID: {pid}",
        "The Tomcat process has been killed.",
    ]
    assert not node.pid_file.exists()
    node.wait_for(lambda: not any(is_alive(process) for process in (pid, *workers)))


def test_stop_force_needs_the_pid_file(node: Instance) -> None:
    done = node.catalina("stop", "-force")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "Kill failed: $CATALINA_PID not set"


def test_stop_with_a_pid_file_that_is_not_there_is_aborted(node: Instance) -> None:
    node.use_pid_file()
    done = node.catalina("stop")
    assert done.returncode == 1
    assert done.stdout == (
        "$CATALINA_PID was set but the specified file does not exist. Is Tomcat running? Stop aborted.\n"
    )


def test_stop_with_the_pid_of_no_process_is_aborted(node: Instance) -> None:
    node.use_pid_file()
    node.pid_file.write_text(f"{dead_pid()}\n")
    done = node.catalina("stop")
    node.pid_file.unlink()
    assert done.returncode == 1
    assert done.stdout.startswith(
        "PID file found but either no matching process was found or the current user does not "
    )


def test_stop_ignores_an_empty_pid_file_and_goes_on(node: Instance) -> None:
    node.use_pid_file()
    node.pid_file.touch()
    done = node.catalina("stop")
    assert done.returncode == 0
    assert done.stdout.startswith("PID file is empty and has been ignored.\n")
    assert "Could not contact" in done.stdout


def test_stop_when_nothing_listens_says_so_with_a_stack_trace(node: Instance) -> None:
    done = node.catalina("stop")
    assert done.returncode == 0
    assert (
        f"SEVERE: Could not contact [127.0.0.1:{node.port}] (base port [{node.port}] and offset [0]). "
        "Tomcat may not be running."
    ) in done.stdout
    assert "ConnectionRefusedError" in done.stdout


def test_stop_without_a_port_signals_the_process(node: Instance) -> None:
    node.write((node.base / "conf" / "server.xml").read_text().replace(f'port="{node.port}"', 'port="-1"'))
    node.started()
    done = node.catalina("stop", "60")
    assert done.returncode == 0
    assert "The stop command failed. Attempting to signal the process to stop through OS signal." in done.stdout
    assert done.stdout.splitlines()[-1] == "Tomcat stopped."


def test_stop_without_a_port_and_a_pid_file_can_do_nothing(node: Instance) -> None:
    node.write('<Server port="-1"/>')
    done = node.catalina("stop")
    assert done.returncode == 0
    assert (
        "SEVERE: No shutdown port configured. Shut down server through OS signal. Server not shut down." in done.stdout
    )


# -- the other commands and scripts --------------------------------------------------------------------------------


def test_configtest_shows_the_tree(node: Instance) -> None:
    done = node.catalina("configtest")
    assert done.returncode == 0
    assert "Connector (server.xml:3) port='0' address='127.0.0.1'" in done.stdout
    assert "Configuration error detected!" not in done.stdout


def test_configtest_sees_the_properties_of_a_start(node: Instance) -> None:
    node.environment["CATALINA_OPTS"] = "-Dshop.word=CLOSE"
    node.write('<Server shutdown="${shop.word}"/>')
    assert "shutdown='CLOSE'" in node.catalina("configtest").stdout


def test_configtest_of_an_unusable_file_fails(node: Instance) -> None:
    node.write("<Server>")
    done = node.script("configtest.sh")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "Configuration error detected!"


def test_version_has_nine_lines(node: Instance) -> None:
    done = node.script("version.sh")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 9


def test_startup_and_shutdown_are_start_and_stop(node: Instance) -> None:
    node.use_pid_file()
    assert node.script("startup.sh").stdout == "Tomcat started.\n"
    node.wait_for(lambda: "Server startup in [" in node.catalina_out)
    assert node.script("shutdown.sh", "60").stdout == "Tomcat stopped.\n"


def test_digest_makes_the_stored_form_of_a_password(node: Instance) -> None:
    done = node.script("digest.sh", "-a", "SHA-256", "-s", "0", "-i", "1", "secret")
    assert done.returncode == 0
    assert done.stdout == "secret:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\n"


def test_makebase_makes_the_directories_of_a_base(node: Instance) -> None:
    target = node.base / "new"
    done = node.script("makebase.sh", str(target))
    assert done.returncode == 0
    assert done.stdout.startswith(f"Created CATALINA_BASE directory at {target}\n")
    assert sorted(path.name for path in target.iterdir()) == ["bin", "conf", "lib", "logs", "temp", "webapps", "work"]
    assert (target / "conf" / "server.xml").is_file()
    assert [path.name for path in (target / "webapps").iterdir()] == ["ROOT"]


def test_makebase_shows_its_help_and_an_unknown_option_makes_nothing(node: Instance) -> None:
    assert node.script("makebase.sh", "--help").stdout.startswith("Usage: makebase <path-to-target-directory> [-w]\n")
    done = node.script("makebase.sh", "--wat", "there")
    assert (done.returncode, done.stdout) == (1, "makebase: unknown option --wat\n")
    assert not (node.base / "there").exists()


def test_makebase_tells_what_to_type_from_any_directory(node: Instance) -> None:
    done = node.script("makebase.sh", "there")
    assert f"cd {node.base}/there; catalina start" in done.stdout
    assert "webapps/ROOT is empty, so / answers 404" in done.stdout


def test_makebase_refuses_a_directory_with_something_in_it(node: Instance) -> None:
    done = node.script("makebase.sh", str(node.base))
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["Target directory exists", "Target directory is not empty"]


def test_makebase_needs_a_directory(node: Instance) -> None:
    done = node.script("makebase.sh")
    assert (done.returncode, done.stdout) == (1, "Usage: makebase <path-to-target-directory>\n")
