"""Provides the packages that an application declares, before it starts.

:mod:`catalina.deploy.declared_requirements` reads the declaration, :mod:`catalina.deploy.environments` has what pip has
installed. Only the process that deploys installs; the other processes of a node use what is there.
"""

from __future__ import annotations

import logging
import os
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import catalina
from catalina.core.standard_context import StandardContext
from catalina.deploy.declared_requirements import DECLARING, DeclaredRequirements, declared_requirements
from catalina.deploy.dependencies import InstallRules
from catalina.deploy.environments import Environments, has_compiled, prepared_place
from catalina.deploy.virtual_environment import OwnPython, VirtualEnvironment, environment_in
from catalina.errors import DeploymentError
from catalina.loader.search_path import bare_module, own_link, search_path

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost

__all__ = [
    "declared_by",
    "environments_of",
    "install_packages",
    "provide_packages",
    "sweep_packages",
    "watched_files",
]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")


def declared_by(owner: str, root: str, is_described: bool = False) -> DeclaredRequirements | None:
    """The requirements of the application in a directory; None for a directory of static files.

    Args:
        owner: the application, for messages.
        is_described: a descriptor outside the directory says that it is an application.

    Raises:
        DeploymentError: they cannot be read.
    """
    if not is_described and not os.path.isdir(os.path.join(root, "WEB-INF")) and bare_module(root) is None:
        return None
    try:
        return declared_requirements(root)
    except DeploymentError as error:
        raise DeploymentError(f"[{owner}]: {error}") from None


def environments_of(host: StandardHost, own: bool | None) -> Environments:
    """The installations of a host, with the rules for one application.

    Args:
        own: ``installDependencies`` of the application's Context. It can only say no: it may stand in the application's
            own META-INF/context.xml.
    """
    server = host.server
    rules = InstallRules(
        host.install_dependencies and own is not False,
        host.build_dependencies,
        host.install_timeout,
        lambda: server is not None and server.is_ending,
    )
    return Environments(str(host.work_path), rules)


def install_packages(context: StandardContext) -> str | None:
    """Have the packages that the application declares installed; None when nothing is, or another process does that.

    Raises:
        DeploymentError: they are not here and cannot be installed; the text says why.
    """
    root, work = os.path.abspath(context.document_root), os.path.abspath(context.work_path)
    owner = context.name or "/"
    if _environment_of(context) is not None:
        return None
    declared = declared_by(owner, root, bool(context.alt_dd_name))
    if declared is None:
        return None
    environments = environments_of(context.host, context.install_dependencies)
    if not context.deploys_here:
        return prepared_place(work, declared, environments.rules)
    kept = environments.install(owner, declared, search_path(root, work))
    return None if kept is None else environments.give(kept, work, alone=context.user is not None)


def provide_packages(context: StandardContext) -> None:
    """Give the context's loader the directories of the application's packages.

    A virtual environment has them all; otherwise they are installed as the application declares them.

    Raises:
        DeploymentError: they are not here and cannot be installed; the text says why.
    """
    loader = context.loader
    loader.own_python = None
    environment = _environment_of(context)
    if environment is None:
        place = install_packages(context)
        loader.installed = [] if place is None else [place]
        return
    root, work = os.path.abspath(context.document_root), os.path.abspath(context.work_path)
    inside = os.path.join(root, "")
    paths = [path for path in environment.imports() if path != root]
    _check_alone(context, environment, paths)
    loader.installed = [path if path.startswith(inside) else own_link(path, work) for path in paths]
    if environment.is_other_python and _may_run_other(context):
        loader.own_python = _own_python(context, environment)


def _may_run_other(context: StandardContext) -> bool:
    """True when an application that has a virtual environment gets processes, which may run another Python.

    The server's user would run it: an application that is to have another user gets none.
    """
    has_user = "user" in context.given
    return context.deploys_here and not context.runs_here and context.isolation != "shared" and not has_user


def _own_python(context: StandardContext, environment: VirtualEnvironment) -> OwnPython:
    """The Python of a virtual environment, with this software in it.

    Raises:
        DeploymentError: this software needs packages there that cannot be installed.
    """
    if environment.is_server_version:
        imports = server_imports()
    else:
        environments = environments_of(context.host, context.install_dependencies)
        program = os.path.realpath(environment.python)
        imports = [environments.install_server(context.name or "/", environment.short_version, program)]
    return OwnPython(environment.python, environment.short_version, tuple(imports))


def server_imports() -> list[str]:
    """Where the server finds its own packages: its import path without the standard library."""
    library = sysconfig.get_path("stdlib")
    own = (library, sysconfig.get_path("platstdlib"), os.path.join(library, "lib-dynload"))
    archive = f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
    source = os.path.dirname(os.path.dirname(catalina.__file__))
    found = [path for path in sys.path if path and path not in own and os.path.basename(path) != archive]
    return found if source in found else [source, *found]


def _check_alone(context: StandardContext, environment: VirtualEnvironment, paths: list[str]) -> None:
    """Raise DeploymentError when another application of the process has the same compiled modules."""
    if not context.runs_here:
        return
    engine = context.host.parent
    wanted = {os.path.realpath(path) for path in paths}
    for host in (context.host,) if engine is None else engine.children:
        for other in host.children:
            if other is context or not isinstance(other, StandardContext):
                continue
            if not (other.state.available and other.runs_here):
                continue
            shared = wanted & {os.path.realpath(path) for path in other.loader.installed}
            if any(has_compiled(path) for path in shared):
                raise DeploymentError(
                    f"[{context.name or '/'}]: [{environment.directory}] has compiled modules, which one process can "
                    f"load only once, and [{other.name or '/'}] uses it: make another one for this application"
                )


def _environment_of(context: StandardContext) -> VirtualEnvironment | None:
    """The virtual environment of an application; None when it has none, or none that fits but a declaration.

    Raises:
        DeploymentError: its packages cannot be imported here; the text says why.
    """
    owner, root = context.name or "/", os.path.abspath(context.document_root)
    given = context.loader.venv
    try:
        found = environment_in(root) if given is None else VirtualEnvironment.read(os.path.join(root, given))
        unfit = "" if found is None else _unfit(context, found)
        if unfit and given is None and declared_by(owner, root, bool(context.alt_dd_name)) is not None:
            log.info("[%s]: %s. It is left out, as the application declares its packages", owner, unfit)
            return None
        if unfit:
            raise DeploymentError(unfit)
    except DeploymentError as error:
        raise DeploymentError(f"[{owner}]: {error}") from None
    return found


def _unfit(context: StandardContext, found: VirtualEnvironment) -> str:
    """The reason why an application cannot use a virtual environment; empty when it can."""
    if context.runs_here:
        return found.unfit
    if not context.deploys_here:
        return ""  # whoever deploys has looked, and this process imports nothing of it
    return found.unfit_alone if _may_run_other(context) else found.unfit


def watched_files(context: StandardContext) -> list[Path]:
    """The files whose change may mean other packages."""
    return [context.document_root / name for name in DECLARING]


def sweep_packages(host: StandardHost, at_start: bool = False) -> None:
    """Remove installations that no application of a host uses; at the start also earlier ones of its applications."""
    contexts = [context for context in host.children if isinstance(context, StandardContext)]
    used = {place for context in contexts for place in context.loader.installed}
    pythons = [python for context in contexts if (python := context.loader.own_python) is not None]
    used |= {place for python in pythons for place in python.imports}
    environments_of(host, None).sweep(used, () if at_start else {context.base_name for context in contexts})
