"""The facts that a node sends the members of its group while somebody watches the group (``/manager/cluster``).

It travels as JSON in an answer of :class:`~catalina.ha.tcp.node_facts.NodeFacts`, and is believed only in this form.
"""

from __future__ import annotations

import dataclasses
import json
import math
import platform
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.ha.session.cluster_manager_base import ClusterManagerBase
from catalina.ha.session.jvm_route_binder_valve import JvmRouteBinderValve
from catalina.mbeans.object_name import ObjectName
from catalina.util.server_info import SERVER_INFO

if TYPE_CHECKING:
    from catalina.core.container_base import ContainerBase
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
    from catalina.mbeans.registry import Registry

__all__ = ["LiveApplication", "LiveFacts", "LiveNode", "LiveTransfer", "contexts_under", "read_as", "read_live"]

T = TypeVar("T")

#: Things of one kind that are told of and believed.
MAX_APPLICATIONS, MAX_TRANSFERS, MAX_ARCHIVES, MAX_SILENT = 200, 20, 200, 50
#: Characters of a text that are told and believed.
MAX_TEXT = 300
#: A look takes at most this share of a processor, however many sessions are counted and watchers ask.
MAX_SHARE = 0.02
#: Seconds between two looks, at least.
LOOK_SECONDS = 0.5

_STARTED = time.monotonic()


@dataclass(frozen=True, slots=True)
class LiveApplication:
    """One application.

    Args:
        name: ``localhost/shop##2``.
        privileged: it works on the container, as the manager does.
        failure: why it does not run, empty when it does or was stopped by somebody.
        manager: class of its manager, empty without one.
        primary: sessions that this node serves; ``backup``: that it keeps for others; ``proxy``: of which it knows
            only where they are.
        owed: changes that members have not been told yet.
        received: sessions of the group that have come, of ``expected``, while it waits for them; -1: it does not wait.
    """

    name: str
    runs: bool
    privileged: bool
    failure: str
    manager: str
    primary: int
    backup: int
    proxy: int
    owed: int
    received: int
    expected: int


@dataclass(frozen=True, slots=True)
class LiveTransfer:
    """An archive of the farm on its way: bytes ``done`` of ``size``, to so many members."""

    name: str
    done: int
    size: int
    members: int


@dataclass(frozen=True, slots=True)
class LiveNode:
    """One node.

    Args:
        now: seconds since the epoch, by its clock.
        route: its jvmRoute, empty without one.
        uptime: seconds that its process runs.
        turnover: ``on`` or ``off``: whether its JvmRouteBinderValve takes sessions over; empty without one.
        operable: whether members may have it do something (``catalina.manager.cluster``).
        requests, errors: since the start; ``running``: now.
        given, done: bytes for members since the start, and of these those that arrived.
        silent: names of members that do not acknowledge its messages.
        receiving: one line for each archive that comes from another node.
    """

    now: float
    software: str
    python: str
    route: str
    uptime: float
    draining: bool
    turnover: str
    operable: bool
    requests: int
    errors: int
    running: int
    given: int
    done: int
    silent: tuple[str, ...] = ()
    applications: tuple[LiveApplication, ...] = ()
    archives: tuple[str, ...] = ()
    transfers: tuple[LiveTransfer, ...] = ()
    receiving: tuple[str, ...] = ()

    @property
    def backlog(self) -> int:
        """Bytes that have not arrived."""
        return max(0, self.given - self.done)

    @property
    def sessions(self) -> int:
        """Sessions that this node serves."""
        return sum(each.primary for each in self.applications)

    def encode(self) -> bytes:
        """As JSON."""
        return json.dumps(dataclasses.asdict(self)).encode()


class LiveFacts:
    """Looks at this node when it is asked, and not too often.

    Args:
        cluster: whose container's applications are told of.
        clock: seconds since the epoch.
        steady: seconds that pass evenly.
    """

    def __init__(
        self, cluster: SimpleTcpCluster, clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._cluster = cluster
        self._clock = clock
        self._steady = steady
        self._lock = threading.Lock()
        self._last: LiveNode | None = None
        self._look_again = 0.0
        #: True when members may give this node orders.
        self.operable = False

    def own(self) -> LiveNode:
        """This node now, or a moment ago. Any thread but the event loop's: many sessions take a while to count."""
        with self._lock:
            began = self._steady()
            if self._last is None or not self._look_again or began >= self._look_again:
                self._last = self._look()
                ended = self._steady()
                self._look_again = ended + max(LOOK_SECONDS, (ended - began) / MAX_SHARE)
            return dataclasses.replace(self._last, now=self._clock())

    def look_anew(self) -> None:
        """Something was done to this node: the next who asks hears of it."""
        with self._lock:
            self._look_again = 0.0

    def _look(self) -> LiveNode:
        cluster = self._cluster
        engine = _engine_of(cluster.container)
        service = None if engine is None else engine.service
        server = None if service is None else service.server
        requests, errors = (0, 0) if engine is None or server is None else _served(server.mbeans, engine.name)
        traffic = cluster.traffic().values()
        binders = [valve for valve in cluster.valves if isinstance(valve, JvmRouteBinderValve)]
        deployer = cluster.deployer if getattr(cluster.deployer, "is_started", False) else None
        return LiveNode(
            now=self._clock(),
            software=SERVER_INFO,
            python=f"{platform.python_implementation()} {platform.python_version()}",
            route=_cut(engine.jvm_route_of_engine if engine is not None else ""),
            uptime=time.monotonic() - _STARTED,
            draining=server is not None and server.draining,
            turnover="" if not binders else "on" if any(valve.enabled for valve in binders) else "off",
            operable=self.operable,
            requests=requests,
            errors=errors,
            running=0 if server is None else server.node_requests,
            given=sum(given for given, _ in traffic),
            done=sum(done for _, done in traffic),
            silent=tuple(member.name for member in list(cluster.missed.silent))[:MAX_SILENT],
            applications=tuple(map(_application, contexts_under(cluster.container)))[:MAX_APPLICATIONS],
            **_farm(deployer),
        )


def _engine_of(container: ContainerBase | None) -> StandardEngine | None:
    found = container if container is None or isinstance(container, StandardEngine) else container.parent
    return found if isinstance(found, StandardEngine) else None


def _served(beans: Registry, domain: str) -> tuple[int, int]:
    """Requests and errors of an engine's connectors; of all workers where the node has several."""
    found = beans.query(ObjectName(domain, {"type": "GlobalRequestProcessor"}, open_ended=True))
    counts = [[bean.value_of(each) for each in ("requestCount", "errorCount")]
              for name, bean in found if "Upgrade" not in name.keys]  # fmt: skip
    return sum(requests for requests, _ in counts), sum(errors for _, errors in counts)


def _application(context: StandardContext) -> LiveApplication:
    manager: Any = context.manager if context.state.available else None
    if isinstance(manager, ClusterManagerBase):
        primary, backup, proxy = manager.session_roles()
        owed, progress = manager.owed_changes, manager.state_progress
    else:
        primary, backup, proxy = (manager.active_sessions if manager is not None else 0), 0, 0
        owed, progress = 0, None
    received, expected = progress or (-1, -1)
    return LiveApplication(
        _cut(f"{context.host.name}{context.name or '/'}"), context.state.available, context.privileged,
        "" if context.state.available else _cut(context.failure), type(manager).__name__ if manager is not None else "",
        primary, backup, proxy, owed, received, expected,
    )  # fmt: skip


def _farm(deployer: Any) -> dict[str, Any]:
    if deployer is None:
        return {}
    transfers = [
        LiveTransfer(_cut(each.file.name), each.sent_bytes, each.file.size, len(each.members))
        for each in list(deployer.sender.transfers)
    ]
    return {
        "archives": tuple(sorted(_cut(file.name) for file in deployer.state.files))[:MAX_ARCHIVES],
        "transfers": tuple(transfers)[:MAX_TRANSFERS],
        "receiving": tuple(map(_cut, deployer.inbox.progress()))[:MAX_TRANSFERS],
    }


def _cut(text: str) -> str:
    return text[:MAX_TEXT]


def contexts_under(container: ContainerBase | None) -> Iterator[StandardContext]:
    """The applications of an engine or a host."""
    for child in container.children if container is not None else ():
        if isinstance(child, StandardContext):
            yield child
        else:
            yield from contexts_under(child)


# ---- reading


def read_live(data: object) -> LiveNode | None:
    """The facts of an answer, None when it does not have this form."""
    return read_as(LiveNode, data)


def read_as(kind: type[T], data: object) -> T | None:
    """A dataclass of plain values, tuples and such dataclasses from its JSON; None when that is not of this form."""
    try:
        return _read(kind, json.loads(data))  # type: ignore[arg-type]  # json says what is none
    except (ValueError, TypeError, RecursionError):
        return None


def _read(kind: type[T], value: object) -> T:
    """A value of a plain type, a tuple, or a dataclass of such. Raises ValueError."""
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        if not isinstance(value, dict) or value.keys() != hints.keys():
            raise ValueError(f"{kind.__name__}: expected an object with {', '.join(hints)}")
        return kind(**{name: _read(hint, value[name]) for name, hint in hints.items()})
    if get_origin(kind) is tuple:
        if not isinstance(value, list) or len(value) > MAX_APPLICATIONS:
            raise ValueError(f"expected a list of at most {MAX_APPLICATIONS}")
        inner = get_args(kind)[0]
        return tuple(_read(inner, each) for each in value)  # type: ignore[return-value]  # kind is this tuple
    if type(value) is not kind or not _is_bounded(value):
        raise ValueError(f"expected {kind.__name__}, got {value!r:.60}")
    return value


def _is_bounded(value: object) -> bool:
    match value:
        case bool():
            return True
        case int() | float():
            return math.isfinite(value) and abs(value) < 2**63
        case str():
            return len(value) <= MAX_TEXT
    return False
