"""If a node with one worker has a keeper, which can start the pools of its applications.

With several workers there is a keeper. With one there is a keeper if the property ``catalina.keeper`` says ``true``, or
if it says nothing and an application that is deployed at the start wants a pool (:func:`needs_keeper`). So the arbiter
looks at the applications' files before it forks. It reads names and descriptors, unpacks nothing, and reports nothing,
because the deployment does.

A node that has started as one process cannot get a keeper: it would have to give away its sessions, ports and place in
the group. It is started again instead when an application comes that wants a pool, if nobody loses anything by that
(:func:`keeper_instead`).
"""

from __future__ import annotations

import logging
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.core.standard_context import StandardContext
from catalina.core.standard_host import StandardHost
from catalina.deploy.archive import CONTEXT_XML, is_archive_name, read_archive
from catalina.deploy.unpacking import open_archive
from catalina.errors import ConfigurationError, DeploymentError
from catalina.loader.own_packages import pool_reason, reason_in_archive
from catalina.startup.context_maker import default_files, make_context
from catalina.util.context_name import ContextName
from catalina.valves.persistent_valve import PersistentValve

if TYPE_CHECKING:
    from catalina.core.standard_server import StandardServer

__all__ = ["KEEPER", "keeper_instead", "needs_keeper"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

#: Property: ``true``: the node has a keeper even with one worker, so that applications can have processes of their own;
#: ``false``: it has none; else it has one if an application wants such processes.
KEEPER = "catalina.keeper"
_VALUES = ("true", "false", "auto", "")
#: Bytes of a META-INF/context.xml.
MAX_DESCRIPTOR = 2**20


def needs_keeper(server: StandardServer, workers: int) -> str:
    """Why a node has a keeper, for people; empty when it is one process.

    Args:
        server: loaded; it may never start.
        workers: that the node is to have.

    Raises:
        ConfigurationError: the property is none of its values.
    """
    said = _said(server)
    if said not in _VALUES:
        raise ConfigurationError(f"the property {KEEPER}={said}: expected true, false or auto")
    if workers > 1:
        return f"it has {workers} workers"
    if said == "true":
        return f"{KEEPER}=true"
    if said == "false" or _refuses_workers(server):
        return ""
    return next((why for host in _hosts(server) for why in _wishes(host)), "")


def keeper_instead(host: StandardHost, context: StandardContext, directory: str) -> bool:
    """Have a node of one process started again with a keeper, if an application that is to be deployed wants a pool.

    That is done only when the node is in no group and has neither a session nor a connection: its ports refuse clients
    for a moment. Otherwise the application shares the node's process until the next start.

    Args:
        context: with the attributes that its own description gives.
        directory: the application's.

    Returns:
        True when the node ends; the next process deploys the application.

    Raises:
        DeploymentError: the host's context files cannot be read.
    """
    server = host.server
    if server is None or server.role is not None or server.restarter is None or _said(server) == "false":
        return False
    if _refuses_workers(server):
        return False
    reason = _reason(host, context, Path(directory))
    if not reason:
        return False
    name = context.name or "/"
    why_not = _would_lose(server)
    if why_not:
        log.info("[%s] wants processes of its own, because of %s, and shares the node's until the node starts next:"
                 " %s. %s=true gives a node a keeper from the beginning", name, reason, why_not, KEEPER)  # fmt: skip
        return False
    return server.restart(
        f"Application [{name}] has processes of its own, because of {reason}, and the node has no keeper yet",
        limited=False,
    )


def _would_lose(server: StandardServer) -> str:
    """The reason why a restart now would cost something; empty if it costs nothing."""
    if not server.state.available:
        return "it is starting"
    containers = [container for host in _hosts(server) for container in (host, host.parent) if container is not None]
    if any(container.cluster is not None for container in containers):
        return "it is a member of a group"
    contexts = [each for host in _hosts(server) for each in host.children if isinstance(each, StandardContext)]
    sessions = sum(each.manager.active_sessions for each in contexts if each.manager is not None)
    if sessions:
        return f"it has {sessions} sessions"
    connections = sum(connector.connection_count for service in server.services for connector in service.connectors)
    return f"it has {connections} connections" if connections else ""


def _said(server: StandardServer) -> str:
    return server.properties.get(KEEPER, "").strip().lower()


def _hosts(server: StandardServer) -> Iterator[StandardHost]:
    for service in server.services:
        for host in service.engine.children if service.engine is not None else ():
            if isinstance(host, StandardHost):
                yield host


def _refuses_workers(server: StandardServer) -> bool:
    """True when a part of the server starts in a node of one process only."""
    containers = [*_hosts(server), *(service.engine for service in server.services if service.engine is not None)]
    return any(isinstance(valve, PersistentValve) for container in containers for valve in container.pipeline.valves)


def _wishes(host: StandardHost) -> Iterator[str]:
    """Why applications of a host's start want a pool of their own, for each that does."""
    for context in host.children:
        if isinstance(context, StandardContext):
            root = Path(os.path.abspath(host.app_base_path)) / (context.doc_base or context.base_name)
            if reason := _reason(host, context, root):
                yield _words(context.name, reason)
    if host.deploy_on_startup:
        for name, descriptor, place in _found(host):
            try:
                if reason := _reason_of_file(host, descriptor, place):
                    yield _words(name.display_name, reason)
            except (DeploymentError, OSError):
                continue  # its deployment says what is wrong


def _words(name: str, reason: str) -> str:
    return f"[{name or '/'}] has processes of its own, because of {reason}"


def _found(host: StandardHost) -> Iterator[tuple[ContextName, Path | None, Path]]:
    """Name, descriptor and file or directory of each application in xmlBase and appBase."""
    config_base, app_base = (Path(os.path.abspath(path)) for path in (host.config_base_path, host.app_base_path))
    for descriptor in _files(config_base):
        if descriptor.suffix.lower() == ".xml" and (name := _name_of(descriptor.stem)) is not None:
            doc_base = _doc_base(host, descriptor)
            yield name, descriptor, app_base / (doc_base or name.base_name)
    for place in _files(app_base):
        is_archive = is_archive_name(place.name) and place.is_file()
        name = _archive_name(place) if is_archive else _name_of(place.name)
        if name is not None and not (config_base / f"{name.base_name}.xml").is_file():
            yield name, None, place


def _files(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    except OSError:
        return []


def _name_of(stem: str) -> ContextName | None:
    try:
        return ContextName.of_file(f"{stem}.xml")
    except DeploymentError:
        return None


def _archive_name(file: Path) -> ContextName | None:
    try:
        return read_archive(str(file)).name
    except DeploymentError:
        return None


def _doc_base(host: StandardHost, descriptor: Path) -> str | None:
    try:
        return make_context(host, str(descriptor)).doc_base
    except DeploymentError:
        return None


def _reason_of_file(host: StandardHost, descriptor: Path | None, place: Path) -> str:
    """Raises DeploymentError or OSError when the files cannot be read."""
    if is_archive_name(place.name) and place.is_file():
        return _reason_of_archive(host, descriptor, place)
    own = place / CONTEXT_XML
    file = descriptor or (own if host.deploy_xml and own.is_file() else None)
    return _reason(host, make_context(host, None if file is None else str(file)), place)


def _reason_of_archive(host: StandardHost, descriptor: Path | None, file: Path) -> str:
    described = read_archive(str(file))
    with open_archive(str(file)) as archive, tempfile.TemporaryDirectory(prefix="look-") as directory:
        own = descriptor
        if own is None and described.has_context_xml and host.deploy_xml:
            own = Path(directory) / "context.xml"
            own.write_bytes(_inner_descriptor(archive, described.web_root or ""))
        context = make_context(host, None if own is None else str(own))
        needed = described.wheel.requirements if described.wheel is not None else ()
        counts = any(each.marker is None or each.marker.evaluate({"extra": ""}) for each in needed)
        why = "the wheel's metadata" if counts else reason_in_archive(archive.namelist(), archive.read)
        context.loader.installed = [why] if why else []
        found = _reason(host, context, Path(directory) / "none")
        return why if why and found == "installed packages" else found


def _inner_descriptor(archive: zipfile.ZipFile, root: str) -> bytes:
    info = archive.getinfo(root + CONTEXT_XML)
    if info.file_size > MAX_DESCRIPTOR:
        raise DeploymentError(f"{archive.filename}: {info.filename} has {info.file_size} bytes, limit {MAX_DESCRIPTOR}")
    return archive.read(info)


def _reason(host: StandardHost, described: StandardContext, root: Path) -> str:
    """Raises DeploymentError when the host's context files cannot be read.

    Args:
        described: with the attributes that the application's own description gives.
    """
    sources = [described, *(make_context(host, str(file)) for file in default_files(host, described))]
    context = StandardContext()
    context.document_root = root
    context.loader.installed, context.loader.venv = described.loader.installed, described.loader.venv
    for name in ("isolation", "cross_context", "privileged"):
        given = next((each for each in sources if name in each.given), None)
        if given is not None:
            context.give(**{name: getattr(given, name)})
    return pool_reason(context)
