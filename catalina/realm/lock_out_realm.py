"""Locks users out for a while after too many failed logins (Tomcat: realm/LockOutRealm.java)."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from catalina.attributes import Attribute
from catalina.node_state import NodeState, node_state
from catalina.operations import Impact, operation
from catalina.realm.combined_realm import CombinedRealm
from catalina.realm.realm import DigestAnswer
from catalina.realm.x509_subject_dn_retriever import subject_name
from catalina.session.session import Principal

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from catalina.node_state import Kept

__all__ = ["FailedLogins", "LockOutRealm"]


class LockOutRealm(CombinedRealm):
    """Wraps other realms, and slows down attackers who guess passwords.

    A locked user's right password is refused, too, and each attempt while he is locked restarts the time.
    """

    failure_count = Attribute(int, 5, doc="Failures in a row that lock a user.")
    lock_out_time = Attribute(int, 300, unit="seconds", doc="How long.")
    cache_size = Attribute(
        int, 1000, doc="Failed user names remembered; with a small number an attacker can push one out with others."
    )
    cache_removal_warning_time = Attribute(
        int, 3600, unit="seconds", doc="Warn when a name was pushed out sooner than this after its last failure."
    )
    case_sensitive = Attribute(bool, False, doc="User names that differ only by case are locked apart.")

    #: Seconds; tests replace it.
    clock: Callable[[], float] = staticmethod(time.monotonic)

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._failures = FailedLogins()

    def _start(self) -> None:
        super()._start()
        container: Any = self.container
        shared = node_state(FailedLogins, container, f"LockOutRealm {self.realm_path}")
        if shared is not None:
            self._failures = shared

    def authenticate(self, username: str | None, credentials: str | None) -> Principal | None:
        """Ask the nested realms, unless the user is locked."""
        return self._filter(username, super().authenticate(username, credentials))

    def authenticate_digest(self, username: str, digest: DigestAnswer) -> Principal | None:
        """Ask the nested realms, unless the user is locked."""
        return self._filter(username, super().authenticate_digest(username, digest))

    def authenticate_certificates(self, certificates: Sequence[Certificate]) -> Principal | None:
        """Ask the nested realms, unless the certificate's subject is locked."""
        username = subject_name(certificates[0].subject) if certificates else None
        return self._filter(username, super().authenticate_certificates(certificates))

    @operation
    def unlock(self, username: str) -> None:
        """Forget the failures of a user (operation of the MBean)."""
        self._failures.forget(self._key(username))

    @operation(impact=Impact.INFO)
    def is_locked(self, username: str) -> bool:
        """True when the user is refused now."""
        failures, age = self._failures.of(self._key(username), self.clock())
        return bool(failures >= self.failure_count and int(age) < self.lock_out_time)

    def _key(self, username: str) -> str:
        return username if self.case_sensitive else username.lower()

    def _filter(self, username: str | None, principal: Principal | None) -> Principal | None:
        if username is None:
            return principal
        if principal is None and self.is_available:
            self._register_failure(username)
        if self.is_locked(username):
            self.logger.warning("An attempt was made to authenticate the locked user [%s]", username)
            return None
        if principal is not None:
            self.unlock(username)
        return principal

    def _register_failure(self, username: str) -> None:
        pushed_out = self._failures.note(
            self._key(username), self.clock(), self.failure_count, self.lock_out_time, max(1, self.cache_size)
        )
        for name, age in pushed_out:
            if age < self.cache_removal_warning_time:
                self.logger.warning(
                    "User [%s] was removed from the failed users cache after [%d] seconds to keep the cache size within"
                    " the limit set",
                    name,
                    int(age),
                )


class FailedLogins(NodeState):
    """The failed logins of users, the least recent first."""

    shared = frozenset({"forget", "note", "of"})
    lasts: ClassVar[bool] = True

    def __init__(self) -> None:
        #: Name -> (failures, time of the last one).
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._kept: Kept | None = None
        self._lock = threading.Lock()

    def keep(self, kept: Kept) -> None:
        """See :class:`NodeState`. The clock is the machine's."""
        self._kept = kept
        self._failed.update((name, (failures, last)) for name, (failures, last) in kept.items().items())

    def _keep(self, name: str) -> None:
        """Keep a user's failures as they are now."""
        if self._kept is not None:
            found = self._failed.get(name)
            self._kept.put(name, None if found is None else list(found))

    def forget(self, name: str) -> None:
        """The user has logged in, or an operator unlocks him."""
        with self._lock:
            if self._failed.pop(name, None) is not None:
                self._keep(name)

    def of(self, name: str, now: float) -> tuple[int, float]:
        """The failures of a user, and seconds since the last one."""
        with self._lock:
            failures, last = self._failed.get(name, (0, now))
        return failures, now - last

    def note(self, name: str, now: float, most: int, lock_seconds: float, size: int) -> list[tuple[str, float]]:
        """A login has failed.

        Args:
            most: failures that lock a user.
            lock_seconds: after which the count begins anew.
            size: users that are remembered.

        Returns:
            Users who were forgotten for that, with the seconds since their last failures.
        """
        pushed_out: list[tuple[str, float]] = []
        with self._lock:
            failures, last = self._failed.pop(name, (0, now))
            if failures >= most and int(now - last) > lock_seconds:
                failures = 0
            self._failed[name] = (failures + 1, now)
            self._keep(name)
            while len(self._failed) > size:
                other, (_, when) = self._failed.popitem(last=False)
                self._keep(other)
                pushed_out.append((other, now - when))
        return pushed_out
