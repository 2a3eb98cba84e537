"""Deploys ``/~user``, the web application in each user's home directory (Tomcat: startup/UserConfig.java)."""

from __future__ import annotations

import logging
import pwd
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.attributes import Attribute, AttributeRefused
from catalina.core.lifecycle_listener import LifecycleListener
from catalina.errors import CatalinaError
from catalina.lifecycle import LifecycleEvent
from catalina.startup.context_maker import context_of_class

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost

__all__ = ["UserConfig"]

log = logging.getLogger("org.apache.catalina.startup.UserConfig")


def _expression(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise AttributeRefused(f"a regular expression ({error})") from None


class UserConfig(LifecycleListener):
    """Stands in a ``<Host>``; when the host starts, each user's directory becomes the application ``/~user``."""

    directory_name = Attribute(str, "public_html", doc="Directory in each home that is the application.")
    user_class = Attribute(
        str,
        "org.apache.catalina.startup.PasswdUserDatabase",
        doc="PasswdUserDatabase: the users of the system; HomesUserDatabase: every directory in homeBase.",
    )
    home_base = Attribute(str, None, doc="Directory of the homes, for HomesUserDatabase.")
    allow = Attribute(_expression, None, doc="Only users whose whole name matches.")
    deny = Attribute(_expression, None, doc="No users whose whole name matches; checked first.")
    config_class = Attribute(str, "org.apache.catalina.startup.ContextConfig", doc="Configures each application.")
    context_class = Attribute(str, "org.apache.catalina.core.StandardContext", doc="Class of each application.")

    def lifecycle_event(self, event: LifecycleEvent) -> None:
        """Deploy when the host starts; its applications stop with it."""
        if event.type == "start":
            self.deploy(event.source)  # type: ignore[arg-type]  # the listener stands in <Host>

    def deploy(self, host: StandardHost) -> None:
        """Add an application for each user that has one. A failing one is logged, and the others go on."""
        log.debug("Deploying user web applications")
        for user, home in self._homes():
            directory = home / self.directory_name
            path = f"/~{user}"
            if not self._is_allowed(user) or host.find_child(path) is not None or not directory.is_dir():
                continue
            log.info("Deploying web application for user [%s]", user)
            try:
                context = context_of_class(self.context_class, str(self.place or ""))
                context.give(path=path, doc_base=str(directory), config_class=self.config_class)
                host.add_child(context)
            except CatalinaError:
                log.exception("Error deploying web application for user [%s]", user)

    def _homes(self) -> Iterator[tuple[str, Path]]:
        if self.user_class.rpartition(".")[2] != "HomesUserDatabase":
            for entry in pwd.getpwall():
                yield entry.pw_name, Path(entry.pw_dir)
        elif self.home_base is None:
            log.error("UserConfig: userClass HomesUserDatabase needs homeBase")
        else:
            for home in sorted(Path(self.home_base).iterdir()):
                if home.is_dir():
                    yield home.name, home

    def _is_allowed(self, user: str) -> bool:
        if self.deny is not None and self.deny.fullmatch(user):
            return False
        return self.allow is None or self.allow.fullmatch(user) is not None
