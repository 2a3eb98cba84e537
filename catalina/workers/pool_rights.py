"""The rights of a pool's worker: it speaks to the keeper of the pool's one application.

The code in such a process belongs to one application, and may send any bytes on its sockets. So the keeper looks at
each frame before it does anything, and refuses whatever concerns another application's sessions, logins, state or place
in the node. A service that is not listed here is refused.

A process with a user of its own (``user`` of the Context) may say less: it passes no requests on, so it need not know
who has other applications' sessions, and the valves of Engine and Host with their states work elsewhere. It proves who
it is by its user, which the kernel tells, and a token that no other process has.
"""

from __future__ import annotations

import enum
import hmac
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from catalina.errors import CatalinaError
from catalina.node_state import node_secret
from catalina.repeated_messages import RepeatedMessages
from catalina.workers.frames import Frame, Kind, decode_call, decode_keyed
from catalina.workers.services import (
    CHANGES,
    CONTAINER_CLOSE,
    CONTAINER_NEXT,
    CONTAINER_REQUEST,
    DISTRIBUTABLE,
    DRAIN,
    HOLDER,
    JOIN,
    JOINED,
    KNOWS_SESSION,
    LAUNCH,
    LOGIN,
    MADE,
    MAY_FORGET,
    MAY_MAKE_SESSION,
    MAY_TELL_END,
    RELOAD,
    REPLACE_ME,
    SEAT,
    SEAT_FAILED,
    SESSION_LISTENERS,
    SIGN_ON,
    STATE,
)
from catalina.workers.shared_parts import POOL_SEATS, worker_name

if TYPE_CHECKING:
    from catalina.tribes.member import Member
    from catalina.workers.pool_account import PoolAccount

__all__ = ["PoolRights", "RefusedFrameError"]

log = logging.getLogger("org.apache.catalina.workers.PoolRights")


class RefusedFrameError(CatalinaError):
    """A pool's worker has said something about another application than its own."""


class _Says(enum.Enum):
    """How the argument of a service says which application it concerns."""

    #: It is the application's key.
    KEY = enum.auto()
    #: It is a list that begins with the key.
    KEY_FIRST = enum.auto()
    #: It is an object whose member ``key`` is the key.
    KEY_NAMED = enum.auto()
    #: It is an object whose names are keys.
    KEYS = enum.auto()
    #: It is a list whose second element is the state's name, which begins with the place of its container.
    PLACE = enum.auto()
    #: It concerns the worker that calls, or nothing that could be another's.
    CALLER = enum.auto()
    #: It concerns whoever has the session that it names: a worker that passes on what is not for it has to ask.
    ANY = enum.auto()


_SERVICES = {
    MAY_MAKE_SESSION: _Says.KEY,
    SESSION_LISTENERS: _Says.KEY,
    MAY_FORGET: _Says.KEY_FIRST,
    MAY_TELL_END: _Says.KEY_FIRST,
    DISTRIBUTABLE: _Says.KEY_NAMED,
    RELOAD: _Says.KEY_NAMED,
    CONTAINER_REQUEST: _Says.KEY_NAMED,
    LOGIN: _Says.KEY_NAMED,
    JOINED: _Says.KEYS,
    STATE: _Says.PLACE,
    JOIN: _Says.CALLER,
    REPLACE_ME: _Says.CALLER,
    DRAIN: _Says.CALLER,
    CONTAINER_NEXT: _Says.CALLER,
    CONTAINER_CLOSE: _Says.CALLER,
    LAUNCH: _Says.ANY,
    CHANGES: _Says.ANY,
    MADE: _Says.ANY,
    SEAT: _Says.ANY,
    SEAT_FAILED: _Says.ANY,
    HOLDER: _Says.ANY,
    KNOWS_SESSION: _Says.ANY,
    SIGN_ON: _Says.ANY,
}


class PoolRights:
    """The keeper's guard at the links of pools' workers; the node's other workers run every application.

    Args:
        application_of: the key of the application whose pool the worker of an index is in, None for no application.
    """

    def __init__(self, application_of: Callable[[int], str | None]) -> None:
        self._application_of = application_of
        #: The accounts of the applications that have a user of their own, by their keys.
        self.accounts: dict[str, PoolAccount] = {}
        #: The workers that have a user of their own.
        self._with_user: set[Member] = set()
        #: A worker whose seat was given up goes on until its requests have ended, for the same application.
        self._known: dict[Member, str] = {}
        self._repeated = RepeatedMessages(log)

    def forget(self, worker: Member) -> None:
        """A worker has gone."""
        self._known.pop(worker, None)
        self._with_user.discard(worker)

    # -- processes with a user of their own ----------------------------------------------------------------------

    def token(self, index: int, key: str, uid: int) -> str:
        """The token of the worker of an index: every keeper of the node knows it, and the process that it is for."""
        return node_secret(f"pool {index} {uid} {key}")

    def knows(self, uid: int) -> bool:
        """True when some application has processes of this user."""
        return any(account.uid == uid for account in tuple(self.accounts.values()))

    def admit(self, worker: Member, uid: int, token: str) -> bool:
        """True for a process that is the worker that it says it is, and has a user of its own."""
        key = self.key_of(worker)
        account = None if key is None else self.accounts.get(key)
        if key is None or account is None or account.uid != uid:
            return False
        return hmac.compare_digest(token, self.token(_index(worker), key, uid))

    def note_user(self, worker: Member) -> None:
        """A worker that was admitted is there."""
        self._with_user.add(worker)

    def has_user(self, worker: Member) -> bool:
        """True for a worker that has a user of its own: nothing that it says is believed."""
        return worker in self._with_user

    # -- what they say -------------------------------------------------------------------------------------------

    def key_of(self, worker: Member) -> str | None:
        """The application that a pool's worker may speak of; None for none."""
        known = self._known.get(worker)
        if known is None:
            known = self._application_of(_index(worker))
            if known is not None:
                self._known[worker] = known
        return known

    def runs(self, worker: Member, key: str) -> bool:
        """True when the worker may have what belongs to an application."""
        return _index(worker) not in POOL_SEATS or self.key_of(worker) == key

    def check(self, worker: Member, frame: Frame, has_user: bool = False) -> None:
        """Look at a frame before anything is done.

        Args:
            has_user: it has come from a process with a user of its own.

        Raises:
            RefusedFrameError: a pool's worker may not say this; it is logged.
            ProtocolError: the payload is none.
        """
        if _index(worker) not in POOL_SEATS:
            return
        key = self.key_of(worker)
        what = _trespass(key, frame, has_user)
        if what:
            text = f"worker [{worker_name(_index(worker))}] of the pool of [{key}] has no right to {what}"
            self._repeated.log(logging.ERROR, f"refused frames of the pool of [{key}]", "Refused: %s", text)
            raise RefusedFrameError(text)


def _index(worker: Member) -> int:
    return worker.port - 1


def _trespass(key: str | None, frame: Frame, has_user: bool) -> str:
    """Names the thing that a frame wants and that is not the application's; empty when it is. Raises ProtocolError."""
    match frame.kind:
        case Kind.POST | Kind.ASK | Kind.FORGET:
            named = decode_keyed(frame.payload)[0].decode("utf-8", "replace")
            return "" if key is not None and named == key else f"[{frame.kind.name}] for [{named:.200}]"
        case Kind.CALL:
            service, argument = decode_call(frame.payload)
            says = _SERVICES.get(service)
            if key is not None and says is not None and _is_own(key, says, argument, has_user):
                return ""
            return f"call [{service:.80}] with [{argument!r:.200}]"
        case _:
            return ""  # an answer to the keeper, or no frame of a worker


def _is_own(key: str, says: _Says, argument: object, has_user: bool) -> bool:
    match says:
        case _Says.KEY:
            return bool(argument == key)
        case _Says.KEY_FIRST:
            return isinstance(argument, list) and argument[:1] == [key]
        case _Says.KEY_NAMED:
            return isinstance(argument, dict) and argument.get("key") == key
        case _Says.KEYS:
            return isinstance(argument, dict) and argument.keys() <= {key}
        case _Says.PLACE:
            return isinstance(argument, list) and len(argument) > 1 and _is_place(key, argument[1], has_user)
        case _Says.ANY:
            return not has_user
        case _:
            return True


def _is_place(key: str, name: object, has_user: bool) -> bool:
    """True when a state belongs to the application, or to the Host or Engine above it, whose valves run here."""
    engine, host = [*key.split("/", 2), ""][:2]
    own = (key,) if has_user else (engine, f"{engine}/{host}", key)
    if not isinstance(name, str):
        return False
    # a version is a part of a context's name: /shop##2 is not a component of /shop
    return any(name.startswith(f"{each}#") and not name.startswith(f"{each}##") for each in own)
