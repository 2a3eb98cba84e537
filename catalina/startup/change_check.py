"""Decides what to do about an application whose files were changed or removed (Tomcat: HostConfig.checkResources)."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from catalina.deploy.archive import is_archive_name
from catalina.deploy.settling import stamp_of, tree_of
from catalina.startup.application_sources import ApplicationSources
from catalina.startup.deployed_application import DeployedApplication

__all__ = ["Action", "Change", "ChangeCheck"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")


class Action(Enum):
    """The possible actions."""

    NOTHING = "nothing"
    RELOAD = "stop and start the same context"
    EXCHANGE = "a new state of the archive in the place of the running one"
    REDEPLOY = "undeploy; what is there is deployed anew by the same look"


class Change(NamedTuple):
    """An action, and the files behind the changed one, which may belong to the old version."""

    action: Action
    obsolete: Sequence[str] = ()
    #: True when an archive has come beside the application's directory.
    replaced: bool = False


class ChangeCheck:
    """Compares files with their remembered states, for one host."""

    def __init__(self, sources: ApplicationSources) -> None:
        self.sources = sources
        self._gone: dict[str, float] = {}

    def look(self, application: DeployedApplication, root: str | None = None, failed: bool = False) -> Change:
        """Compare an application's files with their remembered states. Changes that are under way are left for the next
        look.

        Args:
            root: the directory that it runs from.
            failed: it did not start, so any change below the directory is a reason to try again.
        """
        files = list(application.redeploy)
        for position, file in enumerate(files):
            action = self._look_at(application, file)
            if action is Action.REDEPLOY:
                came = application.redeploy[file] is None and is_archive_name(file)
                return Change(action, files[position + 1 :], came)
            if action is not Action.NOTHING:
                return Change(action)
            if application.redeploy[file] is not None and stamp_of(file) is None:
                return Change(Action.NOTHING)  # the directory is being removed, and everything below it
        if self._watched_has_changed(application, root):
            return Change(Action.RELOAD)
        if failed and root is not None and self._is_worth_a_try(application, root):
            return Change(Action.REDEPLOY)
        return Change(Action.NOTHING)

    def discard(self, files: Sequence[str]) -> None:
        """Delete those of the files that deployment itself has made: unpacked directories, copied descriptors."""
        for file in files:
            self.sources.host.brought.discard(file)

    def delete(self, application: DeployedApplication) -> None:
        """Delete an application at an operator's request: its archive and directory in appBase, whoever put them there.

        A descriptor that deployment made is deleted. One that an operator wrote is moved aside, because the application
        would come back.
        """
        brought = self.sources.host.brought
        base = self.sources.app_base
        own = {os.path.join(base, application.name.base_name), application.directory}
        descriptor = os.path.join(self.sources.config_base, application.name.base_name + ".xml")
        own.update([application.archive.file] if application.archive is not None else ())
        for file in application.redeploy:
            if file in own and os.path.dirname(file) == base:
                brought.remove(file)
            elif not brought.discard(file) and file == descriptor:
                brought.set_aside(file)

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
        """True when the file stays away: an editor that saves removes it for a moment, too."""
        since = self._gone.setdefault(file, time.monotonic())
        if time.monotonic() - since < self.sources.settling.quiet:
            self.sources.unsettled = True
            return False
        return True

    def _is_worth_a_try(self, application: DeployedApplication, root: str) -> bool:
        now = tree_of(root)
        if application.tried is None:
            application.tried = now
        return now != application.tried and self.sources.tree_settles(root, now)

    def _watched_has_changed(self, application: DeployedApplication, root: str | None) -> bool:
        changed = [file for file, before in application.reload.items() if stamp_of(file) != before]
        if not changed:
            return False
        gone = [file for file in changed if stamp_of(file) is None]
        away = [self._stays_away(file) for file in gone]  # all files are asked, so that each notes its absence
        if not all(away):
            return False
        if gone and root is not None and not self.sources.tree_settles(root, tree_of(root), going=True):
            return False  # all of them may be on their way out
        if not all(self.sources.is_quiet(file) for file in changed if file not in gone):
            return False
        application.watch_for_reload(*changed)
        return True
