"""Single sign-on in a node of several processes: the keeper's valve has the logins, the workers' valves ask it.

The logins of a ClusterSingleSignOn are those of the group, because the keeper is its member. A session of a login tells
of its end by a listener that travels with it, wherever it ends.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from catalina.authenticator.single_sign_on import SingleSignOn
from catalina.authenticator.single_sign_on_entry import SingleSignOnEntry
from catalina.authenticator.single_sign_on_session_key import SingleSignOnSessionKey
from catalina.errors import CatalinaError
from catalina.ha.authenticator.cluster_single_sign_on import ClusterSingleSignOn
from catalina.ha.authenticator.cluster_single_sign_on_listener import encode_listener
from catalina.ha.authenticator.sso_cache import SsoCodec
from catalina.ha.request_deliveries import current
from catalina.ha.session.delta_session import DeltaSession
from catalina.node_state import place_of
from catalina.valves.valve_base import position_of
from catalina.workers.services import SIGN_ON

if TYPE_CHECKING:
    from catalina.core.container_base import ContainerBase
    from catalina.node_state import Kept
    from catalina.session.session import Session
    from catalina.workers.lasting_memory import Section

__all__ = ["KeeperSignOns", "join_sign_ons"]

#: Seconds that a change may take to the other nodes before its answer leaves all the same.
GROUP_SECONDS = 5.0

_codec = SsoCodec()


def _text(entry: SingleSignOnEntry) -> str:
    return base64.b64encode(_codec.encode(entry, 1)).decode()


def _entry(text: str) -> SingleSignOnEntry:
    """Raises ProtocolError."""
    return _codec.decode(base64.b64decode(text))


def _valves(containers: list[ContainerBase]) -> Iterator[tuple[str, SingleSignOn]]:
    """The single sign-ons of engines and hosts, each with its place."""
    for container in containers:
        for valve in container.pipeline.valves:
            if isinstance(valve, SingleSignOn):
                yield f"{place_of(container)}#{type(valve).__name__}{position_of(valve)}", valve


def listen_everywhere(sso_id: str, session: Session) -> None:
    """Give a session the listener that travels with it."""
    if isinstance(session, DeltaSession):
        session.add_remote_listener(encode_listener(sso_id))


class KeeperSignOns:
    """The keeper's valves, for the workers.

    Args:
        containers: engines and hosts.
        memory: for the logins that no other node has; the next keeper begins with them.
    """

    def __init__(self, containers: list[ContainerBase], memory: Section) -> None:
        self._valves = dict(_valves(containers))
        for place, valve in self._valves.items():
            is_groups = isinstance(valve, ClusterSingleSignOn)
            valve.share(listen_everywhere, None if is_groups else KeptLogins(memory.section(place)), is_remote=False)

    def call(self, _: int | None, argument: list[Any]) -> str | None:
        """A worker asks for a login, or changes one; waits until the group has the change.

        Raises:
            CatalinaError: there is no such valve, or nothing of that name can be done.
        """
        noted = current.noted
        outer, noted.deliveries = noted.deliveries, []
        try:
            return self._do(*argument)
        finally:
            deliveries, noted.deliveries = noted.deliveries, outer
            for delivery in deliveries:
                delivery.wait(GROUP_SECONDS)

    def _do(self, place: str, what: str, sso_id: str, more: Any) -> str | None:
        valve = self._valves.get(place)
        if valve is None:
            raise CatalinaError(f"there is no single sign-on at [{place}]")
        entry = valve.cache.get(sso_id)
        match what:
            case "get":
                return None if entry is None else _text(entry)
            case "put":
                valve.cache[sso_id] = _entry(more)
            case "remove":
                valve.cache.pop(sso_id, None)
            case "add" | "discard" if entry is not None:
                key = SingleSignOnSessionKey(*more)
                if what == "add":
                    entry.session_keys.add(key)
                else:
                    entry.session_keys.discard(key)
                self._changed(valve, sso_id)
            case "update" if entry is not None:
                new = _entry(more)
                entry.update(new.principal, new.auth_type, new.username, new.password)
                self._changed(valve, sso_id)
            case "add" | "discard" | "update":
                pass  # the user has logged out meanwhile
            case _:
                raise CatalinaError(f"expected something that a single sign-on does, got [{what}]")
        return None

    @staticmethod
    def _changed(valve: SingleSignOn, sso_id: str) -> None:
        valve.changed(sso_id)
        if isinstance(valve.cache, KeptLogins):
            valve.cache.keep(sso_id)


class KeptLogins(MutableMapping[str, SingleSignOnEntry]):
    """The logins of a valve of the keeper, which the next keeper has, too."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._entries = {sso_id: _entry(text) for sso_id, text in kept.items().items()}

    def keep(self, sso_id: str) -> None:
        """A login was changed in place."""
        entry = self._entries.get(sso_id)
        self._kept.put(sso_id, None if entry is None else _text(entry))

    def __getitem__(self, sso_id: str) -> SingleSignOnEntry:
        return self._entries[sso_id]

    def __setitem__(self, sso_id: str, entry: SingleSignOnEntry) -> None:
        self._entries[sso_id] = entry
        self.keep(sso_id)

    def __delitem__(self, sso_id: str) -> None:
        del self._entries[sso_id]
        self.keep(sso_id)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)


def join_sign_ons(containers: list[ContainerBase], call: Callable[[str, object], Any]) -> None:
    """Let a worker's valves use the keeper's logins."""
    for place, valve in _valves(containers):
        valve.share(listen_everywhere, _NodeLogins(place, call))


class _Keys(set[SingleSignOnSessionKey]):
    """The sessions of a login; changes go to the keeper."""

    def __init__(self, keys: set[SingleSignOnSessionKey], tell: Callable[[str, list[str]], None]) -> None:
        super().__init__(keys)
        self._tell = tell

    def add(self, key: SingleSignOnSessionKey) -> None:
        super().add(key)
        self._tell("add", [key.session_id, key.context_name, key.host_name])

    def discard(self, key: object) -> None:
        super().discard(key)
        if isinstance(key, SingleSignOnSessionKey):
            self._tell("discard", [key.session_id, key.context_name, key.host_name])


class _Login(SingleSignOnEntry):
    """A login of the keeper's, as it was when it was asked for; changes go to the keeper."""

    tell: Callable[[str, Any], None]

    def update(self, *values: Any) -> None:
        super().update(*values)
        self.tell("update", _text(self))


class _NodeLogins(MutableMapping[str, SingleSignOnEntry]):
    """The logins of a worker's valve: those of the keeper's valve at the same place."""

    def __init__(self, place: str, call: Callable[[str, object], Any]) -> None:
        self._place = place
        self._call = call

    def _ask(self, what: str, sso_id: str, more: object = None) -> Any:
        return self._call(SIGN_ON, [self._place, what, sso_id, more])

    def __getitem__(self, sso_id: str) -> SingleSignOnEntry:
        text = self._ask("get", sso_id)
        if text is None:
            raise KeyError(sso_id)
        found = _entry(text)

        def tell(what: str, more: object) -> None:
            self._ask(what, sso_id, more)

        login = _Login(
            found.principal, found.auth_type, found.username, found.password, _Keys(found.session_keys, tell)
        )
        login.tell = tell
        return login

    def __setitem__(self, sso_id: str, entry: SingleSignOnEntry) -> None:
        self._ask("put", sso_id, _text(entry))

    def __delitem__(self, sso_id: str) -> None:
        self._ask("remove", sso_id)

    def __iter__(self) -> Iterator[str]:
        raise TypeError("the logins of a node are not listed in a worker")

    def __len__(self) -> int:
        raise TypeError("the logins of a node are not counted in a worker")
