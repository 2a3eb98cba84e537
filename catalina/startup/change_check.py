"""What a changed or removed file means for a deployed application (Tomcat: HostConfig.checkResources)."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from catalina.deploy.archive import is_archive_name
from catalina.deploy.settling import stamp_of
from catalina.startup.application_sources import ApplicationSources
from catalina.startup.deployed_application import DeployedApplication
from catalina.startup.expand_war import delete

__all__ = ["Action", "Change", "ChangeCheck"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")


class Action(Enum):
    """What is to be done."""

    NOTHING = "nothing"
    RELOAD = "stop and start the same context"
    EXCHANGE = "a new state of the archive in the place of the running one"
    REDEPLOY = "undeploy; what is there is deployed anew by the same look"


class Change(NamedTuple):
    """An action and the files that go with the old application."""

    action: Action
    obsolete: Sequence[str] = ()


class ChangeCheck:
    """Compares files with their remembered states, for one host."""

    def __init__(self, sources: ApplicationSources) -> None:
        self.sources = sources
        self._gone: dict[str, float] = {}

    def look(self, application: DeployedApplication) -> Change:
        """What has happened to an application's files. Changes that are under way are left for the next look."""
        files = list(application.redeploy)
        for position, file in enumerate(files):
            action = self._look_at(application, file)
            if action is Action.REDEPLOY:
                return Change(action, [each for each in files[position + 1 :] if self._may_delete(each)])
            if action is not Action.NOTHING:
                return Change(action)
        if self._watched_has_changed(application):
            return Change(Action.RELOAD)
        return Change(Action.NOTHING)

    def delete(self, files: Sequence[str]) -> None:
        """Delete what an application left: only directly in appBase, and descriptors in xmlBase."""
        for file in files:
            delete(file)

    def deletable(self, application: DeployedApplication) -> list[str]:
        """Everything of an application that may be deleted with it."""
        return [file for file in application.redeploy if self._may_delete(file)]

    def _look_at(self, application: DeployedApplication, file: str) -> Action:
        before, now = application.redeploy[file], stamp_of(file)
        if now == before:
            self._gone.pop(file, None)
            return Action.NOTHING
        if now is None:
            return Action.REDEPLOY if self._stays_away(file) else Action.NOTHING
        if os.path.isdir(file):
            application.redeploy[file] = now
            return Action.NOTHING
        if is_archive_name(file) and before is not None:
            if now == application.refused or not self.sources.settles(file):
                return Action.NOTHING
            return Action.EXCHANGE
        complete = self.sources.settles(file) if is_archive_name(file) else self.sources.is_quiet(file)
        return Action.REDEPLOY if complete else Action.NOTHING

    def _stays_away(self, file: str) -> bool:
        """An editor that saves removes the file for a moment, too."""
        since = self._gone.setdefault(file, time.monotonic())
        if time.monotonic() - since < self.sources.settling.quiet:
            self.sources.unsettled = True
            return False
        del self._gone[file]
        return True

    def _watched_has_changed(self, application: DeployedApplication) -> bool:
        changed = [file for file, before in application.reload.items() if stamp_of(file) != before]
        if not changed or not all(stamp_of(file) is None or self.sources.is_quiet(file) for file in changed):
            return False
        application.watch_for_reload(*changed)
        return True

    def _may_delete(self, file: str) -> bool:
        where = os.path.realpath(os.path.dirname(file))
        if where == os.path.realpath(self.sources.app_base):
            return True
        host = self.sources.host
        in_config = where == os.path.realpath(self.sources.config_base) and file.endswith(".xml")
        return in_config and host.copy_xml and host.deploy_xml
