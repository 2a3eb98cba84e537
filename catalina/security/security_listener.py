"""Refuses to run as the wrong user or with a umask that shares too much (Tomcat: security/SecurityListener.java)."""

from __future__ import annotations

import datetime
import getpass
import logging
import os
import re
from pathlib import Path

import catalina
from catalina.attributes import Attribute, AttributeRefused
from catalina.core.lifecycle_listener import LifecycleListener
from catalina.errors import LifecycleError
from catalina.lifecycle import LifecycleEvent

__all__ = ["SecurityListener"]

log = logging.getLogger("org.apache.catalina.security.SecurityListener")

_BLOCKED = (
    "has been blocked by the Lifecycle listener org.apache.catalina.security.SecurityListener "
    "(usually configured in CATALINA_BASE/conf/server.xml)"
)


def _umask(text: str) -> int:
    if not re.fullmatch(r"[0-7]{1,4}", text.strip()):
        raise AttributeRefused("an octal number such as 0007")
    return int(text, 8)


def _users(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


class SecurityListener(LifecycleListener):
    """Checks before the server is initialised; a refusal ends the start."""

    checked_os_users = Attribute(_users, _users("root"), doc="Users that must not run the server, comma separated.")
    minimum_umask = Attribute(_umask, 0o007, doc="Least strict umask that is accepted, octal.")
    build_date_warning_age_days = Attribute(
        int, -1, unit="days", doc="Warn when the installed package is older; negative: never."
    )

    def lifecycle_event(self, event: LifecycleEvent) -> None:
        """Check on ``before_init``. Raises LifecycleError."""
        if event.type == "before_init":
            self.check_user(getpass.getuser())
            self.check_umask(_current_umask())
            self.check_age(datetime.datetime.now(datetime.UTC))

    def check_user(self, user: str) -> None:
        """Raise LifecycleError for a user of the list."""
        if user.lower() in self.checked_os_users:
            raise LifecycleError(
                f"Start attempted while running as user [{user}]. Running Tomcat as this user {_BLOCKED}"
            )

    def check_umask(self, umask: int) -> None:
        """Raise LifecycleError for a umask that lacks a bit of minimumUmask."""
        if umask & self.minimum_umask != self.minimum_umask:
            raise LifecycleError(
                f"Start attempted with umask setting of [{umask:04o}]. Running Tomcat without a umask at least as "
                f"restrictive as [{self.minimum_umask:04o}] {_BLOCKED}"
            )

    def check_age(self, now: datetime.datetime) -> None:
        """Warn of an installation that is older than the limit."""
        limit = self.build_date_warning_age_days
        if limit < 0:
            return
        built = datetime.datetime.fromtimestamp(Path(catalina.__file__).stat().st_mtime, datetime.UTC)
        if now - built > datetime.timedelta(days=limit):
            log.warning(
                "This version of Tomcat was built more than %s days ago. You should consider upgrading to the current "
                "version.",
                limit,
            )


def _current_umask() -> int:
    """The umask. It can only be read by setting it; listeners run before there are other threads."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
