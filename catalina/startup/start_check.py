"""Finds, for ``configtest`` and without starting, faults that would fail the start: addresses, ports, certificates,
files ...

An error ends the start; the start logs a warning as SEVERE, while the rest of the server serves.

If an address and port cannot be listened on, the error says which process has them.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from catalina.attributes import Component
from catalina.authenticator.single_sign_on import SingleSignOn
from catalina.connector.connector import Connector
from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from catalina.digester.digester import Digested
from catalina.digester.findings import Finding
from catalina.errors import CatalinaError, ConfigurationError, DeploymentError, NamingError
from catalina.extras import is_installed
from catalina.ha.deploy.farm_war_deployer import NOT_WATCHING, FarmWarDeployer
from catalina.realm.data_source_realm import DataSourceRealm
from catalina.realm.jndi_realm import JNDIRealm
from catalina.realm.memory_realm import MemoryRealm
from catalina.realm.user_database_realm import UserDatabaseRealm
from catalina.session.data_source_store import DataSourceStore
from catalina.startup.worker_count import worker_count
from catalina.tomcat.util.descriptor.web.context_resource import ContextResource
from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.group.interceptors.encrypt_interceptor import EncryptInterceptor
from catalina.tribes.group.interceptors.message_cipher import MessageCipher
from catalina.tribes.membership.static_member import StaticMember
from catalina.tribes.transport.receiver_base import ReceiverBase
from catalina.users.users_file import read_users_file
from catalina.util.jdbc_url import translate_url
from catalina.valves.jdbc_access_log_valve import JDBCAccessLogValve
from catalina.workers.pool_account import account_of

__all__ = ["address_problem", "check_start", "port_problem"]

Problems = Iterator[tuple[int, str]]

#: The default factory of a user database.
_FILE = "org.apache.catalina.users.MemoryUserDatabaseFactory"


def check_start(tree: Digested, server: StandardServer) -> Iterator[Finding]:
    """Findings about the elements of server.xml, in addition to those of the tree.

    Args:
        server: loaded and with a CATALINA_BASE; it never starts.
    """
    component = tree.component
    if component is not None:
        for kind, check in _CHECKS:
            if isinstance(component, kind) and tree.element.tag not in _WITHOUT_CHECK:
                for level, text in check(component, server):
                    finding = Finding(level, tree.element.place, tree.element.tag, text)
                    tree.findings.append(finding)
                    yield finding
    for child in tree.children:
        yield from check_start(child, server)


def _shutdown_port(component: StandardServer, server: StandardServer) -> Problems:
    if component.port >= 0:
        problem = port_problem(component.address, component.port + component.port_offset, server.catalina_base)
        if problem:
            yield logging.WARNING, f"no shutdown port: {problem}"


def _connector(connector: Connector, server: StandardServer) -> Problems:
    handler = connector.protocol_handler
    service = connector.service
    if handler.executor and service is not None and service.find_executor(handler.executor) is None:
        yield logging.WARNING, f"No executor found with name [{handler.executor}]; a thread pool of its own is used"
    problem = ""
    try:
        connector.check_configuration()
    except (CatalinaError, OSError, ValueError) as error:
        problem = error.text if isinstance(error, ConfigurationError) else str(error)
    if not problem and not handler.unix_domain_socket_path and not handler.use_inherited_channel:
        ports = _ports(connector, server)
        problems = (port_problem(handler.address, port, server.catalina_base) for port in ports)
        problem = next(filter(None, problems), "") or _shared_port(connector, ports, server)
    if problem:
        yield logging.WARNING, f"this connector will not start: {problem}"


def _ports(connector: Connector, server: StandardServer) -> range:
    """The ports that a connector binds, with those of all workers."""
    first, workers = connector.port_with_offset, 1
    if connector.worker_ports:
        with contextlib.suppress(ConfigurationError):  # the start names it
            workers = worker_count(server.properties, os.environ)
    return range(first, first + workers)


def _shared_port(connector: Connector, ports: range, server: StandardServer) -> str:
    """Name a port that an earlier connector binds, too, if one of the two has ports for workers."""
    for other in (each for service in server.services for each in service.connectors):
        if other is connector:
            break
        both = set(ports) & set(_ports(other, server)) if other.port > 0 else ()
        if both and (connector.worker_ports or other.worker_ports):
            return f"port {min(both)} is that of a worker of two connectors, the other one is {other}"
    return ""


def _receiver(receiver: ReceiverBase, server: StandardServer) -> Problems:
    automatic = receiver.address.strip().lower() == "auto"
    for name, address in (("address", "" if automatic else receiver.address), ("bind", receiver.bind)):
        problem = address_problem(address) if address else ""
        # With bind, address is only told to the members, so it need not be one of this machine's.
        if problem and not (name == "address" and receiver.bind and "is no address of" in problem):
            yield logging.ERROR, f"{name}: {problem}"
            return
    if receiver.auto_bind <= 1 and receiver.port > 0:
        where = receiver.bind or (None if automatic else receiver.address)
        problem = port_problem(where, receiver.port, server.catalina_base)
        if problem:
            yield logging.ERROR, problem


def _member(member: StaticMember, _server: StandardServer) -> Problems:
    try:
        member.to_member()
    except CatalinaError as error:
        yield logging.ERROR, error.text if isinstance(error, ConfigurationError) else str(error)


def _needs_its_package(component: Component, _server: StandardServer) -> Problems:
    for package in component.needed_packages():
        if not is_installed(package):
            yield logging.ERROR, f"the start ends here, as the package {package} is not installed"


def _channel(channel: GroupChannel, _server: StandardServer) -> Problems:
    try:
        channel.check_configuration()
    except CatalinaError as error:
        yield logging.ERROR, str(error)


def _encryption(interceptor: EncryptInterceptor, _server: StandardServer) -> Problems:
    if not interceptor.encryption_key:
        yield logging.ERROR, "Encryption key is required"
    elif is_installed("cryptography"):
        try:
            MessageCipher(
                interceptor.encryption_algorithm, interceptor.encryption_key, interceptor.allow_insecure_algorithms
            )
        except CatalinaError as error:
            yield logging.ERROR, str(error)


def _engine(engine: StandardEngine, _server: StandardServer) -> Problems:
    names = {str(name).lower() for host in engine.hosts for name in (host.name, *host.aliases)}
    if not engine.default_host or engine.default_host.lower() not in names:
        yield (
            logging.WARNING,
            f"no Host has the name of defaultHost [{engine.default_host}]: requests for others get 404",
        )
    connectors = () if engine.service is None else engine.service.connectors
    if not engine.jvm_route and any(connector.worker_ports for connector in connectors):
        yield logging.WARNING, "workerPorts of a Connector: without a jvmRoute no balancer knows the session's worker"


def _host(host: StandardHost, _server: StandardServer) -> Problems:
    for problem in host.app_base_problems():
        yield logging.WARNING, problem
    if not host.app_base_path.is_dir():
        made = "the start makes it" if host.create_dirs else "nothing is deployed"
        yield logging.WARNING, f"appBase [{host.app_base_path}] does not exist: {made}"


def _context(context: StandardContext, _server: StandardServer) -> Problems:
    try:
        account_of(context)
    except DeploymentError as refused:
        yield logging.WARNING, f"this application will not start: {refused}"
    if context.parent is not None and context.doc_base:
        root = context.host.app_base_path / context.doc_base
        if not root.exists():
            yield logging.WARNING, f"the document base [{root}] does not exist: this application will not start"


def _resource(resource: ContextResource, _server: StandardServer) -> Problems:
    url = resource.properties.get("url") or resource.properties.get("jdbcUrl") or ""
    if url.startswith("jdbc:"):
        yield from _database(url, f"the resource [{resource.name}] cannot be made")


class HasConnection(Protocol):
    """A realm, valve or store that makes its own connections."""

    connection_url: str


def _own_database(component: HasConnection, _server: StandardServer) -> Problems:
    """Checks a realm, valve or store with connectionURL."""
    if component.connection_url.startswith("jdbc:"):
        yield from _database(component.connection_url, "connectionURL cannot be used")


def _database(url: str, what: str) -> Problems:
    if not is_installed("sqlalchemy"):
        return  # already reported where the element stands
    try:
        translate_url(url)
    except NamingError as error:
        yield logging.WARNING, f"{what}: {error}"


def _user_database_realm(realm: UserDatabaseRealm, server: StandardServer) -> Problems:
    if realm.local_jndi_resource:
        return
    resources = server.global_naming_resources
    entries = [] if resources is None else resources.entries
    found = next((entry for entry in entries if entry.name == realm.resource_name), None)
    if found is None:
        yield logging.ERROR, f"No UserDatabase component found under key [{realm.resource_name}]"
    elif isinstance(found, ContextResource) and found.properties.get("factory", _FILE) == _FILE:
        yield from _users_file(found.properties.get("pathname", "conf/tomcat-users.xml"), server, logging.WARNING)


def _memory_realm(realm: MemoryRealm, server: StandardServer) -> Problems:
    yield from _users_file(realm.pathname, server, logging.ERROR)


def _users_file(pathname: str, server: StandardServer, missing: int) -> Problems:
    """A user file that cannot be used ends the start; without a file nobody can log in."""
    path = Path(server.catalina_base) / pathname
    if not path.is_file():
        yield missing, f"the users file [{path}] does not exist: nobody can log in"
        return
    try:
        read_users_file(path, server.properties)
    except CatalinaError as error:
        yield logging.ERROR, str(error)


#: A LocalMember gets its host only once the receiver has bound.
_WITHOUT_CHECK = frozenset({"LocalMember"})


def _remarks(component: Component, _server: StandardServer) -> Problems:
    for text in component.configuration_remarks():
        yield logging.WARNING, text


def _farm(deployer: FarmWarDeployer, _server: StandardServer) -> Problems:
    if deployer.cluster is None or not isinstance(deployer.cluster.container, StandardHost):
        yield logging.WARNING, "FarmWarDeployer can only work as host cluster subelement!"
    if not deployer.watch_enabled:
        yield logging.INFO, NOT_WATCHING


def _single_sign_on(valve: SingleSignOn, _server: StandardServer) -> Problems:
    if valve.container is not None and valve.container.realm is None:
        yield logging.WARNING, f"This SSO [{valve.container.name}] has no realm associated with it"


_CHECKS: tuple[tuple[type[Component] | tuple[type[Component], ...], Callable[[Any, StandardServer], Problems]], ...] = (
    (Component, _remarks),
    (FarmWarDeployer, _farm),
    (SingleSignOn, _single_sign_on),
    (StandardServer, _shutdown_port),
    (Connector, _connector),
    (ReceiverBase, _receiver),
    (StaticMember, _member),
    ((EncryptInterceptor, JNDIRealm), _needs_its_package),
    (GroupChannel, _channel),
    (EncryptInterceptor, _encryption),
    (StandardEngine, _engine),
    (StandardHost, _host),
    (StandardContext, _context),
    (ContextResource, _resource),
    (UserDatabaseRealm, _user_database_realm),
    (MemoryRealm, _memory_realm),
    ((DataSourceRealm, DataSourceStore, JDBCAccessLogValve), _own_database),
)


def address_problem(address: str) -> str:
    """The reason why no process on this machine can listen on the address: the name is unknown, or belongs to another
    machine.

    It is empty when one can. This waits for DNS when the address is a name.
    """
    try:
        family, _, _, _, where = socket.getaddrinfo(address, 0, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        return f"{address!r} cannot be resolved: {error.strerror or error}"
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind(where)
    except OSError as error:
        return f"{address!r} is no address of this machine: {error.strerror}"
    return ""


def port_problem(address: str | None, port: int, base: Path) -> str:
    """The reason why a server of ``base`` could not listen there now; empty when it could, or when it already does.

    Args:
        address: None for all addresses.
    """
    if not 0 <= port <= 65535:
        return f"port {port} is none, expected 1 to 65535"
    problem = address_problem(address) if address else ""
    if problem or port == 0:
        return problem
    try:
        _listen_once(address or "::", port, dual_stack=address is None)
    except OSError as error:
        if error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL) and address is None:  # the kernel has no IPv6
            try:
                _listen_once("0.0.0.0", port, dual_stack=False)  # noqa: S104 - what the connector does
            except OSError as other:
                error = other
            else:
                return ""
        if error.errno == errno.EADDRINUSE:
            return _taken(address, port, base)
        return f"{address or '*'}:{port} cannot be listened on: {error.strerror}"
    return ""


def _listen_once(address: str, port: int, dual_stack: bool) -> None:
    family, _, _, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not dual_stack))
        probe.bind(where)
        probe.listen(1)


def _taken(address: str | None, port: int, base: Path) -> str:
    owners = _listeners(port)
    if owners and all(_is_server_of(pid, base) for pid in owners):
        return ""
    named = ", ".join(f"process {pid} ({_command(pid)})" for pid in owners) or "another process"
    return f"{address or '*'}:{port} is taken by {named}"


def _listeners(port: int) -> list[int]:
    """Processes that listen on the port, as far as this user may see them (proc(5))."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    return sorted(pid for pid in map(_number, os.listdir("/proc")) if pid and inodes & _open_files(pid))


def _number(name: str) -> int:
    return int(name) if name.isdecimal() else 0


def _open_files(pid: int) -> set[str]:
    found: set[str] = set()
    with contextlib.suppress(OSError):  # the process is another user's, or has gone
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):  # the file was closed meanwhile
                found.add(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
    return found


def _words(pid: int) -> list[str]:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return []


def _command(pid: int) -> str:
    return os.path.basename(next(iter(_words(pid)), "")) or "?"


def _is_server_of(pid: int, base: Path) -> bool:
    """True when the process is a server of this CATALINA_BASE: its arbiter, or the worker of that arbiter."""
    return any(
        os.path.realpath(word.removeprefix("-Dcatalina.base=")) == os.path.realpath(base)
        for word in _words(pid)
        if word.startswith("-Dcatalina.base=")
    )
