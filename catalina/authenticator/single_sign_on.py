"""One login for all applications of a host (Tomcat: authenticator/SingleSignOn.java).

The valve belongs to a Host (or Engine). It recognises a browser by a cookie of its own, and gives the user to the
applications' authenticators. Logging out of one application logs out of all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.authenticator.constants import SSO_ID_NOTE
from catalina.authenticator.single_sign_on_entry import SingleSignOnEntry
from catalina.authenticator.single_sign_on_session_key import SingleSignOnSessionKey
from catalina.node_state import refuse_workers
from catalina.valves.valve_base import ValveBase, ValveContainer

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.realm.realm import Realm
    from catalina.session.session import Principal, Session

__all__ = ["SingleSignOn", "SingleSignOnListener"]

log = logging.getLogger("org.apache.catalina.authenticator.SingleSignOn")


class SingleSignOnListener:
    """Listens to one session of a single sign-on, and follows it when its id changes."""

    def __init__(self, sso: SingleSignOn, sso_id: str, session_id: str) -> None:
        self.sso = sso
        self.sso_id = sso_id
        self.session_id = session_id

    def __call__(self, session: Session, event: str) -> None:
        if event == "destroySession":
            self.sso.session_destroyed(self.sso_id, session)
        elif event == "changeSessionId":
            old_id, self.session_id = self.session_id, session.id
            self.sso.session_changed_id(self.sso_id, session, old_id)


class SingleSignOn(ValveBase):
    """Keeps the logins by the id in the cookie. Any thread."""

    cookie_domain = Attribute(str, "", doc="Domain of the cookie, to share it between hosts.")
    cookie_name = Attribute(str, "JSESSIONIDSSO", doc="Name of the cookie.")
    require_reauthentication = Attribute(
        bool,
        False,
        doc="Log the user in to each application's realm instead of trusting the first login.",
    )

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.cache: MutableMapping[str, SingleSignOnEntry] = {}
        #: In a node of several processes: gives a session the listener of its login, which travels with it.
        self._listen_everywhere: Callable[[str, Session], None] | None = None
        #: Another process of the node has the logins.
        self.is_remote = False

    def share(
        self,
        listen: Callable[[str, Session], None],
        logins: MutableMapping[str, SingleSignOnEntry] | None = None,
        *,
        is_remote: bool = True,
    ) -> None:
        """Work in a node of several processes. Before the start.

        Args:
            listen: gives a session the listener of its login.
            logins: the logins; None for the valve's own.
            is_remote: another process has these logins.
        """
        self._listen_everywhere = listen
        if logins is not None:
            self.cache, self.is_remote = logins, is_remote

    def _start(self) -> None:
        container = self.container
        if container is None:
            return
        if self._listen_everywhere is None:
            refuse_workers(self, container)
        realm = container.realm
        if realm is None:
            log.warning("This SSO [%s] has no realm associated with it", container.name)
            return
        for below in _descendants(container, 2 if container.parent is None else 1):
            if below.realm is not realm:
                log.warning(
                    "SSO found a realm defined on context [%s], this will conflict with principals defined in the main"
                    " realm",
                    below.name,
                )

    # -- requests -------------------------------------------------------------------------------------------------

    def invoke(self, request: Request, response: Response) -> None:
        """Find the login of the cookie, and make the request that user's."""
        request.notes.pop(SSO_ID_NOTE, None)
        if request.principal is None:
            sso_id = next(iter(request.cookies.get(self.cookie_name, ())), None)
            if sso_id is not None:
                self._recognise(request, response, sso_id)
        self.next.invoke(request, response)

    def _recognise(self, request: Request, response: Response, sso_id: str) -> None:
        entry = self.cache.get(sso_id)
        if entry is None:
            self._set_cookie(request, response, "REMOVE", max_age=0)
            return
        request.notes[SSO_ID_NOTE] = sso_id
        if not self.require_reauthentication:
            request.auth_type, request.principal = entry.auth_type, entry.principal

    def send_cookie(self, request: Request, response: Response, sso_id: str) -> None:
        """Give the browser its single sign-on id."""
        self._set_cookie(request, response, sso_id, max_age=-1)

    def _set_cookie(self, request: Request, response: Response, value: str, max_age: int) -> None:
        context = request.context
        config = context.session_cookie if context is not None else None
        partitioned = context is not None and context.use_partitioned
        response.add_cookie(
            self.cookie_name,
            value,
            path="/",
            domain=self.cookie_domain.strip() or None,
            max_age=max_age,
            secure=request.secure,
            http_only=config.http_only if config is not None else True,
            attributes={"Partitioned": "true"} if partitioned else None,
            replace=True,
        )

    # -- for authenticators ---------------------------------------------------------------------------------------

    def register(
        self, sso_id: str, principal: Principal, auth_type: str | None, username: str | None, password: str | None
    ) -> None:
        """A user has logged in for the first time."""
        log.debug("SSO registering SSO session [%s] for user [%s]", sso_id, principal.name)
        self.cache[sso_id] = SingleSignOnEntry(principal, auth_type, username, password)

    def update(
        self, sso_id: str, principal: Principal, auth_type: str | None, username: str | None, password: str | None
    ) -> bool:
        """A known user has logged in again; returns True when the entry then says more than after the first login."""
        entry = self.cache.get(sso_id)
        if entry is None or entry.can_reauthenticate:
            return False
        entry.update(principal, auth_type, username, password)
        return True

    def associate(self, sso_id: str, session: Session) -> bool:
        """A session of an application joins the single sign-on. Returns False when the sign-on has ended."""
        entry = self.cache.get(sso_id)
        if entry is None:
            return False
        key = SingleSignOnSessionKey.of(session)
        if key not in entry.session_keys:
            entry.session_keys.add(key)
            self.listen(sso_id, session)
        return True

    def listen(self, sso_id: str, session: Session) -> None:
        """Listen for the session's end."""
        if self._listen_everywhere is not None:
            self._listen_everywhere(sso_id, session)
            return
        session.add_session_listener(SingleSignOnListener(self, sso_id, session.id))

    def deregister(self, sso_id: str) -> None:
        """The user has logged out: end his sessions in all applications."""
        entry = self.cache.pop(sso_id, None)
        for key in () if entry is None else tuple(entry.session_keys):
            self._expire(key)

    def reauthenticate(self, sso_id: str, realm: Realm, request: Request) -> bool:
        """Log the user in to another realm, with the kept name and password."""
        entry = self.cache.get(sso_id)
        if entry is None or not entry.can_reauthenticate or entry.username is None:
            return False
        principal = realm.authenticate(entry.username, entry.password)
        if principal is None:
            return False
        request.auth_type, request.principal = entry.auth_type, principal
        return True

    def populate_request(self, request: Request, sso_id: str) -> None:
        """Make the request that user's, without checking his password."""
        entry = self.cache.get(sso_id)
        if entry is not None:
            request.auth_type, request.principal = entry.auth_type, entry.principal

    def changed(self, sso_id: str) -> None:
        """A login was changed in place: nobody else has it."""

    # -- sessions -------------------------------------------------------------------------------------------------

    def session_destroyed(self, sso_id: str, session: Session) -> None:
        """A session has ended: after a timeout the others go on; if the user ended it, he has logged out everywhere."""
        if not self.state.available:
            return
        timed_out = self._has_timed_out(session)
        self.remove_session(sso_id, SingleSignOnSessionKey.of(session))
        if not timed_out and sso_id in self.cache:
            self.deregister(sso_id)

    def session_changed_id(self, sso_id: str, session: Session, old_id: str) -> None:
        """A session has a new id."""
        entry = self.cache.get(sso_id)
        if entry is not None:
            entry.session_keys.add(SingleSignOnSessionKey.of(session))
            entry.session_keys.discard(SingleSignOnSessionKey.of(session, old_id))

    @staticmethod
    def _has_timed_out(session: Session) -> bool:
        """By time, or because its application stops."""
        interval = session.max_inactive_interval
        if interval > 0 and session.idle_ms() >= interval * 1000:
            return True
        context = session.manager.context
        return context is None or not context.state.available

    def remove_session(self, sso_id: str, key: SingleSignOnSessionKey) -> None:
        """Remove a session from the single sign-on, which ends with the last one."""
        entry = self.cache.get(sso_id)
        if entry is None:
            return
        entry.session_keys.discard(key)
        if not entry.session_keys:
            self.deregister(sso_id)

    def _expire(self, key: SingleSignOnSessionKey) -> None:
        """End a session by its names; a session that does not exist is only logged."""
        container: Any = self.container
        while container is not None and container.parent is not None:
            container = container.parent
        host = None if container is None else container.find_child(key.host_name)
        context = None if host is None else host.find_child(key.context_name)
        manager = None if context is None else context.manager
        session = None if manager is None else manager.find_session(key.session_id)
        if session is None:
            log.warning("SSO unable to expire session [%s] because the Session could not be found", key)
        else:
            session.expire()


def _descendants(container: ValveContainer, levels: int) -> list[ValveContainer]:
    """Hosts and contexts below, without those of a host with a realm of its own: the host is named already."""
    found: list[ValveContainer] = []
    for child in container.children:
        found.append(child)
        if levels > 1 and child.realm is container.realm:
            found.extend(_descendants(child, levels - 1))
    return found
