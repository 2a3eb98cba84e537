"""Finds descriptors, archives and directories in a host's xmlBase and appBase, by the context that they stand for."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalina.deploy.archive import Archive, is_archive_name, read_archive
from catalina.deploy.exploding import STAGING_PREFIX
from catalina.deploy.settling import Settling, Stamp, TreeStamp, stamp_of
from catalina.errors import DeploymentError
from catalina.repeated_messages import RepeatedMessages
from catalina.startup.privileged_application import is_privileged_directory
from catalina.util.context_name import ContextName
from catalina.util.path_names import checked_name

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost

__all__ = ["ApplicationSources"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

repeated = RepeatedMessages(log)

_NEVER = ("META-INF", "WEB-INF")
_PRIVILEGED = (
    "The web application directory [%s] is not deployed by itself, as it is privileged. The descriptor [%s] with "
    '<Context privileged="true"/> deploys it'
)


class ApplicationSources:
    """Reads the directories anew at each look, and remembers the names of archives for each state of their files."""

    def __init__(self, host: StandardHost) -> None:
        self.host = host
        self.settling = Settling()
        #: True when an archive was left for later because it was still being copied.
        self.unsettled = False
        self._known: dict[str, tuple[Stamp, Archive | DeploymentError]] = {}
        self._said: dict[str, Stamp] = {}
        self._refused: dict[str, str] = {}

    @property
    def app_base(self) -> str:
        """The absolute path of appBase."""
        return os.path.abspath(self.host.app_base_path)

    @property
    def config_base(self) -> str:
        """The absolute path of xmlBase."""
        return os.path.abspath(self.host.config_base_path)

    def descriptors(self) -> Iterator[tuple[ContextName, str]]:
        """Context descriptors in xmlBase."""
        for name in _listing(self.config_base):
            file = os.path.join(self.config_base, name)
            if name.lower().endswith(".xml") and os.path.isfile(file):
                context = self._name_of(name, file, "deployment descriptor")
                if context is not None:
                    yield context, file

    def archives(self, at_start: bool = False) -> Iterator[Archive]:
        """Readable archives in appBase. An unreadable one is logged once for each state, a half-copied one is left out.

        Args:
            at_start: nobody is copying, so take complete archives without waiting for them to be quiet.
        """
        for name in self._app_base_names():
            file = os.path.join(self.app_base, name)
            if not is_archive_name(name) or not os.path.isfile(file) or not (at_start or self.settles(file)):
                continue
            if not self._is_good_name(name, file):
                continue
            try:
                yield self.archive(file)
            except DeploymentError as refused:
                self.say_once(file, refused)

    def directories(self) -> Iterator[tuple[ContextName, str]]:
        """Directories in appBase."""
        for name in self._app_base_names():
            directory = os.path.join(self.app_base, name)
            if name.upper() not in _NEVER and not name.startswith(".") and os.path.isdir(directory):
                # the suffix, which is cut off again, protects a directory called x.war from losing its own
                context = self._name_of(name + ".xml", directory, "web application directory")
                if context is not None:
                    yield context, directory

    def leaves_alone(self, directory: str) -> bool:
        """True when only a descriptor may deploy a directory, because it wants to be privileged; that is logged
        once.
        """
        if not is_privileged_directory(directory):
            return False
        if self._refused.get(directory) != _PRIVILEGED:
            self._refused[directory] = _PRIVILEGED
            descriptor = os.path.join(self.config_base, os.path.basename(directory) + ".xml")
            log.info(_PRIVILEGED, directory, descriptor)
        return True

    def _name_of(self, name: str, file: str, what: str) -> ContextName | None:
        """The context for a file's name; None, with one log line, when the name cannot be a context's."""
        try:
            return ContextName.of_file(name)
        except DeploymentError as refused:
            self._say_refused(file, what, refused)
            return None

    def _is_good_name(self, name: str, file: str) -> bool:
        """True when an archive's file may be opened, by its name; otherwise that is logged once."""
        try:
            checked_name(name, "file name", "appBase", limit=255)
        except DeploymentError as refused:
            self._say_refused(file, "web application archive", refused)
            return False
        return True

    def _say_refused(self, file: str, what: str, refused: DeploymentError) -> None:
        if self._refused.get(file) != str(refused):
            self._refused[file] = str(refused)
            log.error("Error deploying %s [%s]: %s", what, ascii(file)[1:-1], refused)

    def archive(self, file: str) -> Archive:
        """The description of an archive, which is read again only after a change.

        Raises:
            DeploymentError: the archive cannot be used; the text is the same each time.
        """
        stamp = stamp_of(file)
        if stamp is None:
            raise DeploymentError(f"{file}: is not there")
        known = self._known.get(file)
        if known is None or known[0] != stamp:
            try:
                found: Archive | DeploymentError = read_archive(file)
            except DeploymentError as refused:
                found = refused
            known = self._known[file] = (stamp, found)
        if isinstance(known[1], DeploymentError):
            raise known[1]
        return known[1]

    def archive_named(self, name: ContextName) -> Archive | None:
        """The archive in appBase for a context, None when there is none."""
        for file_name in self._app_base_names():
            file = os.path.join(self.app_base, file_name)
            if is_archive_name(file_name) and os.path.isfile(file) and self._is_good_name(file_name, file):
                try:
                    archive = self.archive(file)
                except DeploymentError:
                    continue  # archives() logs it
                if archive.name == name:
                    return archive
        return None

    def is_quiet(self, file: str) -> bool:
        """True when nobody seems to be writing the file; otherwise another look is noted as due."""
        quiet = self.settling.quiet_for(file, time.monotonic(), time.time()) >= self.settling.quiet
        self.unsettled = self.unsettled or not quiet
        return quiet

    def settles(self, file: str) -> bool:
        """True when an archive is complete, as far as can be known; otherwise another look is noted as due."""
        known = self._known.get(file)
        if known is not None and known[0] == stamp_of(file):
            return True
        complete = self.settling.is_complete(file, time.monotonic(), time.time())
        self.unsettled = self.unsettled or not complete
        return complete

    def tree_settles(self, directory: str, tree: TreeStamp, going: bool = False) -> bool:
        """True when nobody seems to copy into a directory or to remove it; otherwise another look is noted as due."""
        quiet = self.settling.tree_is_quiet(directory, tree, time.monotonic(), time.time(), going)
        self.unsettled = self.unsettled or not quiet
        return quiet

    def _app_base_names(self) -> list[str]:
        names = [name for name in _listing(self.app_base) if not name.startswith(STAGING_PREFIX)]
        ignore = self.host.deploy_ignore
        if ignore is None:
            return names
        return [name for name in names if not ignore.fullmatch(name)]

    def say_once(self, file: str, refused: DeploymentError) -> None:
        """Log why an archive is refused, once for each state of the file."""
        stamp, _ = self._known[file]
        if self._said.get(file) != stamp:
            self._said[file] = stamp
            log.error("Error deploying web application archive [%s]: %s", file, refused)


def _listing(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as exc:  # there are no descriptors yet, or no permission: running applications go on
        repeated.log(
            logging.ERROR, f"failures to list {directory}", "[%s] cannot be listed: %s", directory, exc.strerror
        )
        return []
