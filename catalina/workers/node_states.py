"""The states of a node: the keeper has them, and workers call their methods (``catalina/node_state.py``)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from catalina.authenticator.digest_nonces import SeenCounts
from catalina.errors import CatalinaError
from catalina.ha.context.replicated_context import NodeAttributes
from catalina.node_state import NodeState
from catalina.realm.lock_out_realm import FailedLogins
from catalina.servlets.webdav_locks import DavLocks
from catalina.servlets.webdav_xml import DavProperties
from catalina.util.rate_limiter_base import BucketCounts
from catalina.valves.crawler_session_manager_valve import CrawlerSessions
from catalina.valves.semaphore_valve import Permits
from catalina.workers.services import STATE

if TYPE_CHECKING:
    from catalina.workers.lasting_memory import Section

__all__ = ["KeeperStates", "RemoteState"]

#: The largest number of states that a keeper has; a further one takes the place of the one whose last use is longest
#: ago.
MAX_STATES = 10_000

_KINDS: dict[str, type[NodeState]] = {
    kind.__name__: kind
    for kind in (
        BucketCounts,
        CrawlerSessions,
        DavLocks,
        DavProperties,
        FailedLogins,
        NodeAttributes,
        Permits,
        SeenCounts,
    )
}
_State = TypeVar("_State", bound=NodeState)


class KeeperStates:
    """All states of the node, in the keeper. Any thread.

    Args:
        memory: what some of them leave to the next keeper.
    """

    def __init__(self, memory: Section) -> None:
        self._memory = memory
        self._states: OrderedDict[tuple[str, str], NodeState] = OrderedDict()
        self._lock = threading.Lock()

    def state(self, kind: type[_State], name: str) -> _State:
        """The state of a kind and a name; the first request for it makes it."""
        key = kind.__name__, name
        with self._lock:
            found = self._states.pop(key, None)
            if found is None:
                found = kind()
                if kind.lasts:
                    found.keep(self._memory.section(kind.__name__).section(name))
            self._states[key] = found
            if len(self._states) > MAX_STATES:
                self._states.popitem(last=False)
        return cast("_State", found)

    def call(self, worker: int | None, argument: list[Any]) -> object:
        """A worker calls a method.

        Raises:
            CatalinaError: there is no such kind or method.
        """
        kind_name, name, method, arguments = argument
        kind = _KINDS.get(kind_name)
        if kind is None or method not in kind.shared:
            raise CatalinaError(f"expected a method of a state of the node, got [{kind_name}.{method}]")
        caller = {"caller": worker} if kind.knows_caller else {}
        return getattr(self.state(kind, name), method)(*arguments, **caller)

    def worker_lost(self, worker: int) -> None:
        """A worker has ended."""
        with self._lock:
            states = list(self._states.values())
        for state in states:
            state.worker_lost(worker)


class RemoteState:
    """Stands for a state that the keeper has: it passes calls of the shared methods on to the keeper.

    Args:
        call: a service of the keeper. Raises KeeperGoneError when the keeper does not answer.
    """

    def __init__(self, call: Callable[[str, object], Any], kind: type[NodeState], name: str) -> None:
        self._call = call
        self._kind = kind
        self._name = name

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method not in self._kind.shared:
            raise AttributeError(f"{self._kind.__name__}.{method} is not called from other processes")
        return partial(self._invoke, method)

    def _invoke(self, method: str, *arguments: object) -> object:
        return self._call(STATE, [self._kind.__name__, self._name, method, arguments])
