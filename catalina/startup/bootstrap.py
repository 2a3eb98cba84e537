"""``python -m catalina.startup.bootstrap``, the program that bin/catalina.sh starts (Tomcat: startup/Bootstrap.java).

Verbs: ``start`` (in the foreground), ``stop`` (sends the shutdown command), ``configtest``, ``version``. The exit code
is 0; 1 when the configuration cannot be used, or a stop found no server; 2 when the server did not stop in time; and
128 + n when signal n ended the server.

The command line has the form that catalina.sh gives to Java: ``-Dname=value -Xmx1g ... -config conf/server.xml start``.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import struct
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from catalina.digester.xml_tree import read_xml
from catalina.errors import CatalinaError, ConfigurationError
from catalina.juli.class_loader_log_manager import configure_logging
from catalina.polling import is_ready
from catalina.startup.control_socket import bound_address, socket_path
from catalina.startup.system_properties import process_properties
from catalina.util.server_info import version_lines

__all__ = [
    "STOP_WAIT",
    "JavaArguments",
    "StopTarget",
    "main",
    "parse_arguments",
    "running_node",
    "send_shutdown",
    "signal_to_stop",
    "wait_for_end",
]

log = logging.getLogger("org.apache.catalina.startup.Bootstrap")

#: The id of the process that has started this one and without which it must not live (``catalina run``, tests).
SUPERVISOR = "catalina.supervisor"
#: Java options whose value is the next word.
_WITH_VALUE = frozenset({"-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules"})
#: Arguments of Tomcat's own Catalina class that mean nothing here.
_OF_CATALINA = frozenset({"-nonaming", "-generateCode", "-useGeneratedCode", "-security"})
stop_log = logging.getLogger("org.apache.catalina.startup.Catalina")

#: Seconds to connect and send; the port is on this machine.
TIMEOUT = 10.0

#: The property of ``catalina.sh stop`` with the seconds to wait for the end of the server; 0 does not wait.
STOP_WAIT = "catalina.stopWait"


@dataclass(slots=True)
class JavaArguments:
    """The meaning of the words of a command line.

    Args:
        properties: the properties from ``-Dname=value``; ``-Dname`` alone gives an empty text.
        config_file: the file of ``-config FILE``.
        verb: the last word that is no option, empty when there is none.
        ignored: options that only a Java process has (``-Xmx1g``), in order.
    """

    properties: dict[str, str] = field(default_factory=dict)
    config_file: str = "conf/server.xml"
    verb: str = ""
    ignored: list[str] = field(default_factory=list)


def parse_arguments(words: Sequence[str]) -> JavaArguments:
    """Read a command line; later words win. Every list of words is accepted, because operators keep old JAVA_OPTS."""
    arguments = JavaArguments()
    rest = iter(words)
    for word in rest:
        if word.startswith("-D"):
            name, _, value = word[2:].partition("=")
            arguments.properties[name] = value
        elif word in ("-config", "--config"):
            arguments.config_file = next(rest, arguments.config_file)
        elif word in _WITH_VALUE:
            arguments.ignored.append(f"{word} {next(rest, '')}".rstrip())
        elif word.startswith(("-", "@")):
            if word not in _OF_CATALINA:
                arguments.ignored.append(word)
        else:
            arguments.verb = word
    return arguments


def main(words: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    arguments = parse_arguments(sys.argv[1:] if words is None else words)
    verb = _VERBS.get(arguments.verb or "start")
    if verb is None:
        print(f"bootstrap: unknown verb {arguments.verb!r}, expected one of {', '.join(_VERBS)}", file=sys.stderr)
        return 1
    return verb(arguments)


def _properties(arguments: JavaArguments) -> dict[str, str]:
    return {**process_properties(), **arguments.properties}


def _directories(properties: Mapping[str, str]) -> tuple[Path, Path]:
    """CATALINA_HOME and CATALINA_BASE. The base is the home unless it is given; the home is the current directory
    unless it is given.
    """
    home = Path(properties.get("catalina.home") or properties.get("catalina.base") or ".")
    return home, Path(properties.get("catalina.base") or home)


def _start(arguments: JavaArguments) -> int:
    # Imported here, so that verbs that do not serve need not import the modules that serve.
    from catalina.startup.catalina import Catalina
    from catalina.startup.node_application import NodeApplication
    from catalina.startup.process_control import die_with_parent

    properties = _properties(arguments)
    if SUPERVISOR in properties:
        die_with_parent(int(properties[SUPERVISOR]))
    home, base = _directories(properties)
    configure_logging(properties)
    _use_temporary_directory(properties)
    if arguments.ignored:
        log.info("Options of a Java process have no effect: %s", " ".join(arguments.ignored))
    catalina = Catalina(home, base, properties, arguments.config_file)
    try:
        catalina.load()
    except ConfigurationError:
        return 1  # load() has logged the reason
    return NodeApplication(catalina).run()


def _use_temporary_directory(properties: Mapping[str, str]) -> None:
    """Let everything in this process make temporary files in ``java.io.tmpdir``."""
    directory = properties.get("java.io.tmpdir")
    if directory and Path(directory).is_dir():
        tempfile.tempdir = directory
    elif directory:
        log.warning(
            "The directory for temporary files [%s] does not exist; [%s] is used", directory, tempfile.gettempdir()
        )


def _stop(arguments: JavaArguments) -> int:
    from catalina.startup.catalina_properties import load_catalina_properties
    from catalina.startup.property_sources import substitution_for

    properties = _properties(arguments)
    _, base = _directories(properties)
    properties["catalina.base"] = str(base)
    configure_logging({})
    try:
        load_catalina_properties(properties)
        target = StopTarget(base / arguments.config_file, substitution_for(properties))
    except CatalinaError as error:
        log.error("Unable to load server configuration from [%s]: %s", base / arguments.config_file, error)
        return 1
    seconds = float(properties.get(STOP_WAIT, "0"))
    node = running_node(base) if seconds > 0 else None
    if not send_shutdown(target) and not (node is not None and signal_to_stop(node)):
        return 1
    if node is None:
        return 0
    stopped = wait_for_end(node, seconds)
    print("Tomcat stopped." if stopped else f"Tomcat (process {node}) did not stop in {seconds:g} seconds.")
    return 0 if stopped else 2


def _configtest(arguments: JavaArguments) -> int:
    from catalina.startup.catalina import Catalina
    from catalina.startup.config_test import ConfigTest

    properties = _properties(arguments)
    configure_logging({})
    catalina = Catalina(*_directories(properties), properties, arguments.config_file)
    test = ConfigTest(catalina)
    for line in test.run(ignored=arguments.ignored):
        print(line)
    return 1 if test.failed else 0


def _version(_arguments: JavaArguments) -> int:
    print(*version_lines(), sep="\n")
    return 0


_VERBS: dict[str, Callable[[JavaArguments], int]] = {
    "start": _start,
    "stop": _stop,
    "configtest": _configtest,
    "version": _version,
}


class StopTarget:
    """The address and the command, from the root element of server.xml alone; no component is made.

    Args:
        path: server.xml.
        substitution: replaces ``${...}``.

    Raises:
        ConfigurationError: the file is not well-formed, or a port is not a number.
    """

    def __init__(self, path: Path, substitution: Callable[[str], str]) -> None:
        root = read_xml(path, missing_entities_are_empty=True)
        values = {name: substitution(attribute.value) for name, attribute in root.attributes.items()}
        self.address = values.get("address", "localhost")
        self.base_port = _number(values, "port", 8005, path)
        self.offset = _number(values, "portOffset", 0, path)
        self.word = values.get("shutdown", "SHUTDOWN")

    @property
    def port(self) -> int:
        """The port with its offset; 0 or less when there is none."""
        return self.base_port + self.offset if self.base_port > 0 else self.base_port


def _number(values: Mapping[str, str], name: str, default: int, path: Path) -> int:
    text = values.get(name, str(default))
    try:
        return int(text)
    except ValueError:
        raise ConfigurationError(f"{path}: <Server> {name}={text!r}, expected a whole number") from None


def send_shutdown(target: StopTarget) -> bool:
    """Send the command; returns False, after logging, when there is no port or nobody listens."""
    if target.port <= 0:
        stop_log.error("No shutdown port configured. Shut down server through OS signal. Server not shut down.")
        return False
    try:
        with socket.create_connection((target.address, target.port), TIMEOUT) as connection:
            connection.sendall(target.word.encode("latin-1", "replace"))
    except OSError as error:
        stop_log.error(
            "Could not contact [%s:%s] (base port [%s] and offset [%s]). Tomcat may not be running.",
            target.address, target.port, target.base_port, target.offset,
            exc_info=error,
        )  # fmt: skip
        return False
    return True


def running_node(base: Path) -> int | None:
    """The process that an operator knows as the server of a CATALINA_BASE; None when none answers.

    The node's control socket reveals the process that listens on it. That is the worker, whose parent is the arbiter.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock, bound_address(socket_path(base)) as address:
            sock.connect(address)
            worker = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        status = Path(f"/proc/{worker}/status").read_text()
    except OSError:
        return None
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:")))


def signal_to_stop(pid: int) -> bool:
    """Signal the process of a server that the command did not reach, as catalina.sh does with a PID file; returns False
    when there is no such process, or it is somebody else's.
    """
    print("The stop command failed. Attempting to signal the process to stop through OS signal.")
    try:
        os.kill(pid, signal.SIGTERM)
    except (ProcessLookupError, PermissionError) as error:
        log.error("Process %d cannot be signalled: %s", pid, error.strerror)
        return False
    return True


def wait_for_end(pid: int, seconds: float) -> bool:
    """Wait until a process has ended; returns False when it still runs after ``seconds``."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return is_ready(process, select.POLLIN, seconds)
    finally:
        os.close(process)


if __name__ == "__main__":
    sys.exit(main())
