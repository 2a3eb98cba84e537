"""Installations of applications' requirements, kept by content below a host's work directory.

``.environments/KEY`` has what pip has installed once for a text of requirements on one interpreter. An application uses
it as ``NAME/environments/KEY`` below the same directory: a link, or a copy when there are compiled modules in it, as a
process can load a library only once, and knows it by its file. Equal requirements of another version, of another
application or after a restart need neither pip nor a network.

Before anything is installed, the requirements are compared with the container's environment and the archive's own
WEB-INF/lib.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

import catalina
from catalina.deploy.declared_requirements import DeclaredRequirements
from catalina.deploy.dependencies import InstallRules, install_dependencies
from catalina.deploy.progress import add_note, show_step
from catalina.deploy.removal import remove
from catalina.errors import DeploymentError
from catalina.extras import server_requirements

__all__ = ["Environments", "Missing", "has_compiled", "missing_requirements", "prepared_place"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

STORE = ".environments"
#: Directory below an application's work directory.
PLACES = "environments"
#: Seconds for which an installation is kept that no application uses: it may come back, or its next version.
KEPT_SECONDS = 7 * 24 * 3600

#: One pip at a time in a process: several would only share the network and the disk.
_installing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Missing:
    """A requirement that is not fulfilled.

    Args:
        text: the requirement, what is there instead, and who needs it.
        root: the archive's own requirement from which it follows.
    """

    text: str
    root: Requirement


def missing_requirements(requirements: Iterable[Requirement], own: list[str], environment: list[str]) -> list[Missing]:
    """Requirements that are not fulfilled, ordered by text.

    The requirements of distributions in the archive are checked, too; those of the container's environment are not.

    Args:
        requirements: those of the wheel; the ones whose marker does not hold here are left out.
        own: directories of the application with installed distributions.
        environment: directories of the container, such as ``sys.path``. The first distribution with a name counts, own
            ones first.
    """
    missing: dict[str, Missing] = {}
    done: set[tuple[str, frozenset[str]]] = set()
    queue = [(requirement, requirement, "") for requirement in requirements if _applies(requirement, frozenset())]
    while queue:
        requirement, root, because = queue.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        brought = _find(requirement.name, own)
        fault = _fault(requirement, brought or _find(requirement.name, environment))
        if fault is not None:
            missing[fault + because] = Missing(fault + because, root)
        elif brought is not None and key not in done:
            done.add(key)
            by = f" (required by {brought.name} {brought.version})"
            queue += [(inner, root, by) for inner in _requirements_of(brought, key[1])]
    return [missing[text] for text in sorted(missing)]


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, ""))


def _find(name: str, path: list[str]) -> Distribution | None:
    return next(iter(MetadataPathFinder.find_distributions(DistributionFinder.Context(name=name, path=path))), None)


def _fault(requirement: Requirement, found: Distribution | None) -> str | None:
    wanted = f"{requirement.name}{requirement.specifier}"
    if found is None:
        return wanted
    try:
        fits = requirement.specifier.contains(Version(found.version), prereleases=True)
    except InvalidVersion:
        fits = False
    return None if fits else f"{wanted}, found {found.version}"


def _requirements_of(found: Distribution, extras: frozenset[str]) -> list[Requirement]:
    return [requirement for text in found.requires or () if _applies(requirement := Requirement(text), extras)]


def prepared_place(work: str, declared: DeclaredRequirements, rules: InstallRules) -> str | None:
    """The directory of an application's requirements, None when nothing is installed for them."""
    place = os.path.join(work, PLACES, declared.key(rules.builds))
    return place if os.path.isdir(place) else None


class Environments:
    """The installations of one host.

    Args:
        work: the host's work directory.
        rules: what the operator allows.
    """

    def __init__(self, work: str, rules: InstallRules) -> None:
        self._work = os.path.abspath(work)
        self._store = os.path.join(self._work, STORE)
        self.rules = rules

    def install(self, owner: str, declared: DeclaredRequirements, own: list[str]) -> str | None:
        """Have the requirements installed, unless the application and the server's environment fulfil them.

        Args:
            owner: the application, for messages.
            own: directories of the application with installed distributions.

        Returns:
            The installation; None when none is needed, or the operator allows none and the application may do without.

        Raises:
            DeploymentError: a requirement is not fulfilled; the text says which, and the cure.
        """
        kept = os.path.join(self._store, declared.key(self.rules.builds))
        if not os.path.isdir(kept):
            missing = missing_requirements(declared.requirements, own, sys.path)
            if not missing and not declared.has_unnamed:
                return None
            if not self.rules.allowed:
                _refuse(owner, declared, missing)
                return None
            with _installing:
                if not os.path.isdir(kept):
                    self._run_pip(owner, declared, kept, self.rules)
        missing = missing_requirements(declared.requirements, [*own, kept], sys.path)
        if missing:
            raise DeploymentError(f"[{owner}]: {declared.label}: requires what is not here: {_texts(missing)}")
        return kept

    def install_server(self, owner: str, python: str, program: str) -> str:
        """Have installed what this software needs in processes of another Python, and this software with it.

        Where there is no wheel pip builds one, as it does when this software is installed: these packages are not the
        application's.

        Args:
            owner: the application that wants it, for messages.
            python: the version, ``3.13``.
            program: an interpreter of that version, which runs pip.

        Returns: the directory.

        Raises:
            DeploymentError: it cannot be installed; the text has the cure.
        """
        declared = DeclaredRequirements(self._work, f"the server for Python {python}", server_requirements())
        declared.python, declared.program = python, program
        kept = os.path.join(self._store, declared.key(builds=False))
        cure = (
            "it is installed once, by pip: give pip an index or a directory with the wheels (PIP_FIND_LINKS), or make "
            f"the virtual environment with Python {sys.version_info[0]}.{sys.version_info[1]}"
        )
        with _installing:
            if not os.path.isdir(kept):
                if not self.rules.allowed:
                    needs = ", ".join(declared.lines)
                    raise DeploymentError(
                        f'[{owner}]: {declared.label} needs {needs}; installDependencies="false" keeps pip from '
                        f"installing it; {cure}"
                    )
                try:
                    self._run_pip(owner, declared, kept, replace(self.rules, builds=True))
                except DeploymentError as error:
                    raise DeploymentError(f"{error}; {cure}") from None
            os.utime(kept)
            _link_server(kept)
        return kept

    def _run_pip(self, owner: str, declared: DeclaredRequirements, kept: str, rules: InstallRules) -> None:
        for name in _names(self._store):
            if name.startswith(".installing-"):  # left by a process that was killed
                remove(os.path.join(self._store, name), self._store)
        log.info("[%s]: pip installs the requirements of %s", owner, declared.label)
        show_step("installing requirements")
        began = time.monotonic()
        install_dependencies(owner, declared, rules, kept)
        count = sum(name.endswith(".dist-info") for name in _names(kept))
        packages = "1 package" if count == 1 else f"{count} packages"
        text = f"pip has installed {packages} of {declared.label} in {time.monotonic() - began:.1f} s"
        log.info("[%s]: %s", owner, text)
        add_note(text)

    def give(self, kept: str, work: str, alone: bool = False) -> str:
        """The installation's place in an application's work directory, made when it is not there.

        Args:
            alone: a copy, because the application's user may not read what others use.
        """
        parent = os.path.join(work, PLACES)
        place = os.path.join(parent, os.path.basename(kept))
        os.utime(kept)
        if os.path.isdir(place) and not (alone and os.path.islink(place)):
            return place
        os.makedirs(parent, exist_ok=True)
        staging = tempfile.mkdtemp(prefix=".installing-", dir=parent)
        try:
            made = os.path.join(staging, "packages")
            if alone or has_compiled(kept):
                shutil.copytree(kept, made, symlinks=True)
            else:
                os.symlink(kept, made)
            remove(place, parent)  # a link whose target has gone
            os.rename(made, place)
        finally:
            remove(staging, parent)
        return place

    def sweep(self, used: Collection[str], except_of: Collection[str]) -> None:
        """Remove places that no application uses, and installations that nobody has used for a week.

        Args:
            used: the places of the applications of the host, running or not, and directories of this software.
            except_of: base names of applications whose earlier places stay, because their code may still use one.
        """
        keys = {os.path.basename(place) for place in used}
        for application in _names(self._work):
            parent = os.path.join(self._work, application, PLACES)
            for name in _names(parent) if application not in except_of and application != STORE else ():
                if os.path.join(parent, name) not in used:
                    remove(os.path.join(parent, name), parent)
        for name in _names(self._store):
            path = os.path.join(self._store, name)
            if name not in keys and time.time() - os.stat(path).st_mtime > KEPT_SECONDS:
                log.info("The installation [%s], which no application uses, is removed", path)
                remove(path, self._store)


def _link_server(directory: str) -> None:
    """Have this software in a directory: a link, so that no other package beside it is found there."""
    package = os.path.dirname(os.path.realpath(catalina.__file__))
    link = os.path.join(directory, "catalina")
    if os.path.realpath(link) == package:
        return
    staging = tempfile.mkdtemp(prefix=".link-", dir=directory)
    try:
        os.symlink(package, os.path.join(staging, "catalina"))
        os.replace(os.path.join(staging, "catalina"), link)
    finally:
        remove(staging, directory)


def _refuse(owner: str, declared: DeclaredRequirements, missing: list[Missing]) -> None:
    """Say what is missing. Only a wheel cannot do without: a file may list packages that are for developers."""
    needs = _texts(missing) or declared.builds[0]
    cure = (
        'installDependencies="false" keeps pip from installing it: set it to true, or put it into WEB-INF/lib or '
        "beside the application's code, or install it into the server's own Python environment"
    )
    if declared.is_of_wheel:
        raise DeploymentError(f"[{owner}]: requires what is not here: {needs}. {cure}")
    log.warning("[%s]: %s requires what is not here: %s. %s", owner, declared.label, needs, cure)


def _texts(missing: list[Missing]) -> str:
    return "; ".join(each.text for each in missing)


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return []


def has_compiled(directory: str) -> bool:
    """True when there are compiled modules in a directory."""
    suffixes = tuple(EXTENSION_SUFFIXES)
    return any(name.endswith(suffixes) for _, _, names in os.walk(directory) for name in names)
