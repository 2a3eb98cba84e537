"""The manager's ``deploy``: from an upload, from files of the server, from an upload that was kept under a tag.

Every file for appBase and xmlBase is staged beside its place, recorded as brought by a command
(``deploy/brought_files.py``), and moved in; files that somebody else put there are moved aside. An archive that should
replace a running one and does not start is removed again, and the old one runs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from catalina.core.standard_context import StandardContext
from catalina.deploy.archive import is_archive_name, read_archive
from catalina.deploy.brought_files import COMMAND, write_tracker
from catalina.errors import CatalinaError, DeploymentError
from catalina.manager.applications import RESTARTS, Applications
from catalina.manager.asked import Refused
from catalina.startup.host_config import ApplicationBusyError
from catalina.util.context_name import ContextName
from catalina.util.path_names import checked_name

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost

__all__ = ["Installation"]

_BLOCK = 2**18


T = TypeVar("T")


class Installation:
    """One deployment.

    Args:
        applications: of the host.
        name: the requested path and version.
        update: replace the application that runs under the name.
    """

    def __init__(self, applications: Applications, name: ContextName, update: bool) -> None:
        self._applications = applications
        self._host: StandardHost = applications.host
        self._config = applications.config
        self.name = name
        self._check_free(update)

    def _check_free(self, update: bool) -> None:
        there = self._host.find_child(self.name.name)
        if there is self._applications.own:
            self._applications.find_other(self.name)
        if there is not None and not update:
            raise Refused(f"Application already exists at path [{self.name.display_name}]")

    # -- places --------------------------------------------------------------------------------------------------

    @property
    def _app_base(self) -> str:
        return os.path.abspath(self._host.app_base_path)

    @property
    def _archive(self) -> str:
        """``<appBase>/shop.war``."""
        return os.path.join(self._app_base, self.name.base_name + ".war")

    @property
    def _descriptor(self) -> str:
        """``<xmlBase>/shop.xml``."""
        return os.path.join(os.path.abspath(self._host.config_base_path), self.name.base_name + ".xml")

    def _kept(self, tag: str) -> str:
        """The archive that is kept under a tag, in the manager's work directory."""
        try:
            checked_name(tag, "tag", "deploy")
        except DeploymentError as error:
            raise Refused(f"Encountered exception [{error}]") from error
        return os.path.join(self._applications.own.work_path.absolute(), tag, self.name.base_name + ".war")

    # -- the ways --------------------------------------------------------------------------------------------------

    def upload(self, source: BinaryIO, tag: str | None = None, file_name: str | None = None) -> list[str]:
        """Take an archive from a client.

        Args:
            source: has ``read(size)``.
            tag: keep it under this name, too.
            file_name: the file's name in appBase, for a wheel, whose name matters; otherwise the application's name is
                used.
        """
        target = file_name or self.name.base_name + ".war"
        stage = self._host.brought.stage(self._app_base, "manager")
        try:
            staged = os.path.join(stage, _file_name(target))
            with open(staged, "wb") as sink:
                while block := source.read(_BLOCK):
                    sink.write(block)
            if tag is not None:
                kept = self._kept(tag)
                os.makedirs(os.path.dirname(kept), exist_ok=True)
                shutil.copyfile(staged, kept)
            return self._install(staged, target)
        finally:
            self._host.brought.end_stage(stage)

    def from_tag(self, tag: str) -> list[str]:
        """Run an archive that was kept under a tag."""
        kept = self._kept(tag)
        if not os.path.isfile(kept):
            raise _not_copied(kept, self._archive)
        return self._install_copy(kept, os.path.basename(self._archive))

    def from_server(self, war: str | None, config: str | None) -> list[str]:
        """Run a directory or an archive on this machine, a descriptor, or both.

        Args:
            war, config: absolute, or ``file:`` and absolute; ``war`` also relative to appBase.
        """
        descriptor = _local(config) if config else None
        source = self._place_of(_local(war)) if war else None
        if source is not None and descriptor is None and is_archive_name(source) and not os.path.isdir(source):
            return self._install_copy(source, os.path.basename(self._archive if _is_war(source) else source))
        if descriptor is not None and not os.path.isfile(descriptor):
            raise _not_copied(descriptor, self._descriptor)
        if source is not None and not os.path.exists(source):
            is_archive = is_archive_name(source)
            raise _not_copied(source, self._archive if is_archive else self._archive.removesuffix(".war"))

        def put() -> None:
            if descriptor is not None:
                self._put(descriptor, self._descriptor)
            if source is not None:
                is_file = os.path.isfile(source)
                self._put(source, self._archive if is_file else self._archive.removesuffix(".war"))

        self._guarded(lambda: self._config.install_files(self.name, put))
        return self._outcome(self.name)

    def _place_of(self, war: str) -> str:
        """The absolute path that ``war`` names. Raises Refused for files that the manager must not copy."""
        place = os.path.join(self._app_base, war)
        if not os.path.isabs(war) and not os.path.realpath(place).startswith(os.path.realpath(self._app_base) + os.sep):
            raise Refused(f"Unable to use [{place}] as that is outside the expected directory [{self._app_base}]")
        secret = os.path.realpath(self._host.catalina_base / "conf")
        real = os.path.realpath(place)
        if os.path.commonpath([secret, real]) in (secret, real):
            raise Refused(f"Unable to use [{place}]: the server's own configuration is in it")
        return place

    # -- putting ---------------------------------------------------------------------------------------------------

    def _install_copy(self, source: str, file_name: str) -> list[str]:
        if not os.path.isfile(source):
            raise _not_copied(source, os.path.join(self._app_base, file_name))
        if os.path.realpath(source) == os.path.realpath(os.path.join(self._app_base, file_name)):
            self._guarded(lambda: self._config.install_files(self.name, lambda: None))
            return self._outcome(self.name)
        with open(source, "rb") as opened:
            return self.upload(opened, file_name=file_name)

    def _install(self, staged: str, file_name: str) -> list[str]:
        """Move an archive into appBase and run it."""
        name = self.name
        if not _is_war(file_name):
            name = self._guarded(lambda: read_archive(staged)).name
            if name.path != self.name.path:
                raise Refused(f"Encountered exception [{file_name} is the application {name.display_name}]")
        good = self._guarded(lambda: self._config.install_archive(staged, file_name, name))
        return self._outcome(name, good)

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except ApplicationBusyError:
            raise Refused(f"The application [{self.name.display_name}] is already being serviced") from None
        except (CatalinaError, OSError) as error:
            raise Refused(f"Encountered exception [{error}]") from error

    def _put(self, source: str, target: str) -> None:
        """Copy a file or directory to its place. Raises DeploymentError or OSError, and then nothing has changed."""
        if os.path.realpath(source) == os.path.realpath(target):
            return
        brought = self._host.brought
        stage = brought.stage(os.path.dirname(target), "manager")
        try:
            staged = os.path.join(stage, os.path.basename(target))
            if os.path.isdir(source):
                shutil.copytree(source, staged, symlinks=True)
                write_tracker(staged, 0, os.stat(staged).st_mtime_ns)
            else:
                shutil.copyfile(source, staged)
            self._config.out_of_the_way(target)
            brought.note(target, COMMAND, staged)
            os.rename(staged, target)
        finally:
            brought.end_stage(stage)

    # -- the outcome ---------------------------------------------------------------------------------------------

    def _outcome(self, name: ContextName, good: bool = True) -> list[str]:
        shown = name.display_name
        server = self._host.server
        if server is not None and server.restart_reason:
            return [f"OK - Deployed application at context path [{shown}]", RESTARTS.format(server.restart_reason)]
        context = self._host.find_child(name.name)
        if good and isinstance(context, StandardContext) and context.state.available:
            return [f"OK - Deployed application at context path [{shown}]"]
        why = self._config.why_not(name.name)
        more = f"\nFAIL - Encountered exception [{why}]" if why else ""
        if context is not None or self._config.is_deployed(name.name) or not good:
            raise Refused(f"Deployed application at context path [{shown}] but context failed to start{more}")
        raise Refused(f"Failed to deploy application at context path [{shown}]{more}")


def _is_war(name: str) -> bool:
    return name.lower().endswith(".war")


def _local(text: str) -> str:
    """A path from ``file:/srv/x``, ``file:///srv/x`` or as it is."""
    path = text.removeprefix("file:")
    return os.path.normpath(path if not path.startswith("//") else "/" + path.lstrip("/"))


def _file_name(name: str) -> str:
    try:
        return checked_name(name, "file name", "deploy")
    except DeploymentError as error:
        raise Refused(f"Encountered exception [{error}]") from error


def _not_copied(source: str, target: str) -> Refused:
    return Refused(f"Unable to copy [{source}] to [{target}], details of the error may be in the server logs")
