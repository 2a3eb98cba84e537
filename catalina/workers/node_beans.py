"""The beans of a node of several processes, in the keeper's registry: one Tomcat, whatever the number of workers.

The keeper and each worker have the same tree of components. Requests count in the workers, so the keeper asks the
workers and shows sums, maxima and joined lists. Beans that exist in workers only (requests that run, pools) are listed
as the workers have them. A change of an attribute and a call of an operation act in all processes. ``worker=0`` in a
name means the bean as worker 0 has it.

A worker that comes later has read the configuration only: before it serves it asks for the changes since, and makes
them, too. So does a keeper that follows another one: its workers tell it what they were told.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from catalina.attributes import Component
from catalina.connector.request_processor_bean import RequestProcessorBean
from catalina.errors import CatalinaError
from catalina.juli.logging_bean import LoggingBean
from catalina.lifecycle import Lifecycle
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.registry import InstanceNotFound, Registry, Views
from catalina.mbeans.values import as_text
from catalina.naming.data_source_bean import DataSourceBean
from catalina.operations import Impact, Operation
from catalina.repeated_messages import RepeatedMessages
from catalina.workers.services import CHANGES, MADE

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.node_state import Kept
    from catalina.workers.services import Services
    from catalina.workers.worker_links import WorkerLinks

__all__ = ["NodeBean", "NodeBeans", "WorkerBeans"]

log = logging.getLogger("org.apache.catalina.workers.NodeBeans")
_repeated = RepeatedMessages(log)

#: Services of a worker: all counts, one bean, set an attribute, call an operation.
COUNTS, READ, SET, INVOKE = "bean-counts", "bean-read", "bean-set", "bean-invoke"
#: Changes that the keeper remembers; an operator makes a few.
MAX_CHANGES = 1000
#: Seconds that the keeper may take to tell them.
CHANGES_SECONDS = 20.0
#: Seconds that a worker has to answer; the keeper leaves out a worker that takes longer.
ANSWER_SECONDS = 2.0
#: Seconds for which the workers' counts are good: a client that reads all beans causes one question to each worker.
FRESH_SECONDS = 0.25

Values = dict[str, Any]
Merge = Callable[[list[Any]], Any]


def _joined(values: list[Any]) -> list[Any]:
    return [each for value in values for each in value]


def _all_of(values: list[Any]) -> list[Any]:
    return sorted({each for value in values for each in value})


def _total(values: list[Any]) -> object:
    """A sum. If one process has no limit, the node has none."""
    return -1 if -1 in values else sum(values)


_TRAFFIC: dict[str, Merge] = {
    "requestCount": sum, "errorCount": sum, "bytesSent": sum, "bytesReceived": sum, "processingTime": sum,
    "maxTime": max, "minTime": min,
}  # fmt: skip
#: Rules that merge the workers' values, by the kind of the bean and the attribute; other attributes have the keeper's
#: own value.
RULES: dict[str, dict[str, Merge]] = {
    "GlobalRequestProcessor": _TRAFFIC,
    "Servlet": _TRAFFIC,
    "WebModule": _TRAFFIC,
    "ThreadPool": dict.fromkeys(
        ("connectionCount", "keepAliveCount", "currentThreadsBusy", "currentThreadCount", "queueSize", "maxThreads",
         "maxConnections"),
        _total,
    ),
    "Logging": {"LoggerNames": _all_of},
    "StringCache": dict.fromkeys(("accessCount", "hitCount"), sum),
    "Cache": dict.fromkeys(("hitCount", "lookupCount", "size"), sum),
    "DataSource": dict.fromkeys(("numActive", "numIdle", "maxTotal", "maxIdle", "initialSize"), _total),
    "Valve": {
        "stuckThreadCount": sum, "interruptedThreadsCount": sum, "stuckThreadIds": _joined, "stuckThreadNames": _joined,
        "nrOfRequests": sum, "nrOfSendRequests": sum, "nrOfFilterRequests": sum, "nrOfCrossContextSendRequests": sum,
        "totalRequestTime": sum, "totalSendTime": sum, "lastSendTime": max, "numberOfSessions": sum,
    },
}  # fmt: skip
#: Kinds of which each worker has its own beans, and the class of them.
_WORKERS_OWN: dict[str, type[Component]] = {"RequestProcessor": RequestProcessorBean, "DataSource": DataSourceBean}
#: Only the keeper does their operations: it deploys and has the sessions, and the workers follow.
_KEEPERS_OWN = frozenset({"Cluster", "Deployer", "Engine", "Host", "Manager", "Server", "Service", "WebModule"})


def kind_of(name: ObjectName) -> str:
    """The kind of a bean: its type, with a name of its own for the cache of resources."""
    kind = name.keys.get("j2eeType") or name.keys.get("type", "")
    return "Cache" if kind == "WebResourceRoot" and name.keys.get("name") == "Cache" else kind


# -- in a worker ---------------------------------------------------------------------------------------------------


class WorkerBeans:
    """A worker's beans, which the keeper reads, sets and calls."""

    def __init__(self, registry: Registry, services: Services) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._has_caught_up = False
        #: Service and argument of the changes that last, by their keys, in their order.
        self._made: dict[tuple[str, ...], list[Any]] = {}
        services.add(COUNTS, lambda _, __: _counts(registry))
        services.add(READ, lambda _, name: _plain(_find(registry, ObjectName.parse(name)).items()))
        services.add(SET, lambda _, what: self._change(SET, what))
        services.add(INVOKE, lambda _, what: self._change(INVOKE, what))

    def catch_up(self, ask: Callable[[str, object, float], Any]) -> None:
        """Make the changes that were made since the server's start.

        Args:
            ask: calls a service of the keeper, with an argument and the seconds that it may take.
        """
        with self._lock:
            for key, service, what in ask(CHANGES, None, CHANGES_SECONDS):
                self._note(key, service, what)
                _repeat(self._registry, service, what)
            self._has_caught_up = True

    def tell(self, ask: Callable[[str, object, float], Any]) -> None:
        """Another keeper is there, which has read the configuration only: tell it the changes."""
        with self._lock:
            made = [[list(key), *change] for key, change in self._made.items()]
        if made:
            ask(MADE, made, CHANGES_SECONDS)

    def _change(self, service: str, asked: Sequence[Any]) -> None:
        """A change comes from the keeper, which has noted it before. Until the others are made here, it is among those
        that this worker will ask for.
        """
        key, what = asked
        with self._lock:
            if self._has_caught_up:
                self._note(key, service, what)
                _make(self._registry, service, what)

    def _note(self, key: Sequence[str] | None, service: str, what: Sequence[Any]) -> None:
        if key is not None:
            self._made.pop(tuple(key), None)
            self._made[tuple(key)] = [service, what]
            if len(self._made) > MAX_CHANGES:
                del self._made[next(iter(self._made))]


def in_engine(name: ObjectName) -> ObjectName:
    """The name of a host's valve in the engine, where workers have the valves of a host's cluster."""
    is_hosts = name.keys.get("type") == "Valve" and "context" not in name.keys
    return ObjectName(name.domain, {key: value for key, value in name.keys.items() if not is_hosts or key != "host"})


def _find(registry: Registry, name: ObjectName) -> ManagedBean:
    try:
        return registry.find(name)
    except InstanceNotFound:
        if in_engine(name) == name or not registry.query(in_engine(name)):
            raise
        return registry.find(in_engine(name))


def _make(registry: Registry, service: str, what: Sequence[Any]) -> None:
    """Make a change in this process alone.

    Args:
        what: the bean's name, and attribute and value, or operation and arguments.
    """
    found = _find(registry, ObjectName.parse(what[0]))
    bean = ManagedBean(found.component, found.name)
    if service == SET:
        bean.set(what[1], what[2])
    else:
        _know_logger(bean.component, what[2])
        bean.invoke(bean.operation(what[1], len(what[2])), what[2])


def _know_logger(component: Component, arguments: Sequence[str | None]) -> None:
    """Another process of the node has a logger of that name: this one has it, too, though nobody has used it yet."""
    if isinstance(component, LoggingBean) and arguments and arguments[0]:
        logging.getLogger(arguments[0])


def _repeat(registry: Registry, service: str, what: Sequence[Any]) -> None:
    """Make a change that other processes have made. One that cannot be made costs only itself."""
    try:
        _make(registry, service, what)
    except CatalinaError as error:
        log.warning("[%s] of [%s] is not as the other processes have it: %s", what[1], what[0], error)
    except Exception as error:  # noqa: BLE001  # any component's code; the process serves all the same
        log.info("[%s] of [%s] has not been repeated: %r", what[1], what[0], error)


def _counts(registry: Registry) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for name, bean in registry.query(ObjectName.parse("*:*")):
        kind = kind_of(name)
        if kind in _WORKERS_OWN:
            found[str(name)] = _plain(bean.items())
        elif kind in RULES:
            known = set(bean.names())
            values = _plain((each, bean.value_of(each)) for each in RULES[kind] if each in known)
            if values:
                found[str(name)] = values
    return found


def _plain(items: Iterable[tuple[str, Any]]) -> Values:
    """The values that JSON can say."""
    return {
        name: value
        for name, value in items
        if isinstance(value, str | int | float)
        or (isinstance(value, list | tuple) and all(isinstance(each, str | int | float) for each in value))
    }


# -- in the keeper -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """A change that workers that come later have to make.

    Args:
        service: SET or INVOKE.
        what: the argument of the service.
        value: the attribute's value in the keeper after it was set.
        component: the keeper's, of an application's bean: another application has its own configuration.
    """

    service: str
    what: list[Any]
    value: object = None
    component: weakref.ref[Component] | None = None


class Changes:
    """The changes since the keeper's start, of which some replace others. Any thread."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._adopting = threading.Lock()
        self._made: dict[tuple[str, ...], Change] = {}

    def note(self, key: tuple[str, ...], change: Change) -> None:
        """Note a change; one with the same key is replaced, and the latest is the last."""
        with self._lock:
            self._made.pop(key, None)
            self._made[key] = change
            if len(self._made) > MAX_CHANGES:
                lost = next(iter(self._made))
                del self._made[lost]
                _repeated.log(logging.WARNING, "changes that are forgotten",
                              "More than [%d] changes at run time: a worker that comes later does not repeat [%s]",
                              MAX_CHANGES, " ".join(lost))  # fmt: skip

    def adopt(self, made: Sequence[Sequence[Any]]) -> None:
        """Make the changes that another keeper has seen; each worker tells them, and the first one counts.

        Args:
            made: key, service and argument of each, in their order.
        """
        with self._adopting:
            for key, service, what in made:
                with self._lock:
                    is_known = tuple(key) in self._made
                if not is_known:
                    _repeat(self._registry, service, what)
                    self._note_present(tuple(key), service, what)

    def _note_present(self, key: tuple[str, ...], service: str, what: list[Any]) -> None:
        name = ObjectName.parse(what[0])
        try:
            bean = self._registry.find(name)
        except InstanceNotFound:
            return
        self.note(key, change_of(bean.component, name, service, what))

    def present(self) -> list[list[Any]]:
        """Key, service and argument of each change that still is in effect here, in their order."""
        with self._lock:
            made = list(self._made.items())
        outdated = [key for key, change in made if not self._counts(change)]
        with self._lock:
            for key in outdated:
                self._made.pop(key, None)
        return [[list(key), change.service, change.what] for key, change in made if key not in outdated]

    def _counts(self, change: Change) -> bool:
        try:
            bean = self._registry.find(ObjectName.parse(change.what[0]))
        except InstanceNotFound:
            return False
        if change.component is not None and change.component() is not bean.component:
            return False
        if change.service == INVOKE:
            return True
        return bool(ManagedBean(bean.component, bean.name).value_of(change.what[1]) == change.value)


def change_of(component: Component, name: ObjectName, service: str, what: list[Any]) -> Change:
    """A change that was made in the keeper.

    Args:
        what: the argument of the service.
    """
    value = ManagedBean(component, name).value_of(what[1]) if service == SET else None
    is_applications = "context" in name.keys or "j2eeType" in name.keys
    return Change(service, what, value, weakref.ref(component) if is_applications else None)


#: Operations of applications and hosts, and whether they are stopped then.
_STOPS = {"stop": True, "start": None, "reload_by_command": None}


class NodeBean(ManagedBean):
    """A bean of the node.

    Args:
        component: the keeper's; None for one that only workers have, whose class is ``kind``.
        values: the workers' values, which count before the keeper's own.
        act: does in the workers what is done here; takes a service, its argument, and the key of a change that lasts.
            Raises CatalinaError.
        changes: notes what lasts; None for a bean of one worker.
        stopped: for the next keeper: the names of applications and hosts that were stopped.
    """

    def __init__(
        self, component: Component, name: ObjectName, values: Callable[[], Mapping[str, Any]],
        act: Callable[[str, list[Any], tuple[str, ...] | None], None], changes: Changes | None = None,
        stopped: Kept | None = None, *, is_here: bool,
    ) -> None:  # fmt: skip
        super().__init__(component, name)
        self._name = name
        self._stopped = stopped
        self._workers_values = values
        self._act = act
        self._changes = changes
        self._is_here = is_here

    def get(self, name: str) -> object:
        """See :meth:`ManagedBean.get`."""
        values = self._workers_values()
        if name in values:
            return values[name]
        return super().get(name) if self._is_here else None

    def value_of(self, name: str, reader: str | None = None) -> object:
        """See :meth:`ManagedBean.value_of`."""
        values = self._workers_values()
        if name in values:
            return values[name]
        return super().value_of(name, reader) if self._is_here else None

    def set(self, name: str, value: object) -> None:
        """See :meth:`ManagedBean.set`: in all processes."""
        text = None if value is None else as_text(value)
        if self._is_here:
            super().set(name, value)
        self._act(SET, [name, text], self._noted(("set", name), SET, [name, text]))

    def invoke(self, found: Operation, arguments: Sequence[Any]) -> object:
        """See :meth:`ManagedBean.invoke`: in all processes, if it changes something."""
        texts = [None if argument is None else as_text(argument) for argument in arguments]
        if isinstance(self.component, LoggingBean) and texts and texts[0] in self._workers_values()["LoggerNames"]:
            _know_logger(self.component, texts)
        result = super().invoke(found, arguments) if self._is_here else None
        if self._stopped is not None and found.method in _STOPS and kind_of(self._name) in ("Host", "WebModule"):
            self._stopped.put(str(self._name), _STOPS[found.method])
        is_keepers = self.name is not None and kind_of(self.name) in _KEEPERS_OWN
        if found.impact is Impact.INFO or found.once or (is_keepers and not found.lasting):
            return result
        # A text that may be null is null there, too.
        what = [found.name, texts]
        key = self._noted((found.lasting, *what[1][:1]), INVOKE, what) if found.lasting else None
        self._act(INVOKE, what, key)
        return result

    def _noted(self, words: tuple[str | None, ...], service: str, what: list[Any]) -> tuple[str, ...] | None:
        """Note a change before the workers hear of it, so that one that asks later learns of it; the change's key."""
        if self._changes is None or self.name is None or not self._is_here:
            return None
        key = (str(self.name), *(each or "" for each in words))
        self._changes.note(key, change_of(self.component, self.name, service, [str(self.name), *what]))
        return key


class NodeBeans(Views):
    """How the keeper's registry shows its beans."""

    def __init__(self, registry: Registry, links: WorkerLinks, stopped: Kept) -> None:
        self._stopped = stopped
        self._registry = registry
        self._links = links
        self._lock = threading.Lock()
        self._counts: dict[int, dict[str, Values]] = {}
        self._counted_at = -FRESH_SECONDS
        self._changes = Changes(registry)
        links.services.add(CHANGES, lambda _, __: self._changes.present())
        links.services.add(MADE, lambda _, made: self._changes.adopt(made))
        registry.views = self
        registry.add_source(self._of_workers)

    def stop_again(self) -> None:
        """This keeper follows another one, and has started: stop applications and hosts that were stopped there."""
        components = dict(self._registry.components())
        for text in self._stopped.items():
            component = components.get(ObjectName.parse(text))
            if not isinstance(component, Lifecycle):
                self._stopped.put(text, None)
            elif component.state.available:
                try:
                    component.stop()
                except CatalinaError as error:
                    log.error("[%s] was stopped, and does not stop again: %s", text, error)

    def started(self, context: StandardContext) -> None:
        """An application starts, or has gone: it is not stopped any more."""
        engine, _, host = context.host_path.partition("/")
        self._stopped.put(str(context.object_name(engine, host)), None)

    # -- calls to workers

    def _call(self, service: str, argument: object, only: int | None = None) -> dict[int, Any]:
        return self._links.call_all(service, argument, ANSWER_SECONDS, only)

    def _act(
        self, name: ObjectName, only: int | None, service: str, what: list[Any], key: tuple[str, ...] | None = None
    ) -> None:
        """Act in workers. A bean that a worker has not is left out there."""
        results = self._call(service, [key, [str(name), *what]], only)
        self._counted_at = -FRESH_SECONDS  # whoever changes something sees it changed
        faults = [str(each) for each in results.values() if isinstance(each, CatalinaError)]
        faults = [each for each in faults if str(name) not in each]  # InstanceNotFound says the name
        if faults:
            raise CatalinaError("; ".join(faults))

    def _fresh(self) -> dict[int, dict[str, Values]]:
        with self._lock:
            now = time.monotonic()
            if now - self._counted_at < FRESH_SECONDS:
                return self._counts
            self._counts = {}
            for worker, result in self._call(COUNTS, None).items():
                if isinstance(result, CatalinaError):
                    _repeated.log(logging.WARNING, "workers left out of beans", "Beans are shown without %s", result)
                else:
                    self._counts[worker] = result
            self._counted_at = time.monotonic()
            return self._counts

    # -- what the registry shows

    def bean(self, component: Component, name: ObjectName) -> ManagedBean:
        """See :class:`Views`."""
        act = partial(self._act, name, None)
        kind = kind_of(name)
        if isinstance(component, _Elsewhere):
            return NodeBean(component.made(), name, lambda: component.values, act, is_here=False)
        if kind in RULES:
            values = partial(self._merged, name, component)
            return NodeBean(component, name, values, act, self._changes, self._stopped, is_here=True)
        return NodeBean(component, name, dict, act, self._changes, self._stopped, is_here=True)

    def _merged(self, name: ObjectName, component: Component) -> Values:
        text, other = str(name), str(in_engine(name))
        found = [beans.get(text, beans.get(other)) for beans in self._fresh().values()]
        present = [each for each in found if each is not None]
        if isinstance(component, LoggingBean):
            present.append({"LoggerNames": component.logger_names})
        return merged(kind_of(name), present)

    def _of_workers(self) -> Iterator[tuple[ObjectName, Component]]:
        """Beans that only workers have. Pools of one name are one; requests have numbers, counted through."""
        pools: dict[str, list[Values]] = {}
        requests: dict[str, int] = {}
        for beans in self._fresh().values():
            for text, values in beans.items():
                name = ObjectName.parse(text)
                kind = kind_of(name)
                if kind == "DataSource":
                    pools.setdefault(text, []).append(values)
                elif kind == "RequestProcessor":
                    where = name.keys["worker"]
                    number = requests[where] = requests.get(where, 0) + 1
                    yield (
                        ObjectName(name.domain, {**name.keys, "name": f"HttpRequest{number}"}),
                        _Elsewhere(kind, values),
                    )
        for text, each in pools.items():
            yield ObjectName.parse(text), _Elsewhere("DataSource", {**each[0], **merged("DataSource", each)})

    def others(self, pattern: ObjectName) -> Iterator[tuple[ObjectName, ManagedBean]]:
        """See :class:`Views`: with ``worker=0`` the beans as worker 0 has them."""
        text = pattern.keys.get("worker", "")
        if not text.isdecimal():
            return
        worker = int(text)
        rest = {key: value for key, value in pattern.keys.items() if key != "worker"}
        inner = ObjectName(pattern.domain, rest, pattern.open_ended or not rest)
        for name, component in self._registry.components():
            if not isinstance(component, _Elsewhere) and inner.matches(name):
                read = partial(self._read, name, worker)
                bean = NodeBean(component, name, read, partial(self._act, name, worker), is_here=False)
                yield ObjectName(name.domain, {**name.keys, "worker": text}), bean

    def _read(self, name: ObjectName, worker: int) -> Values:
        result = self._call(READ, str(name), worker).get(worker)
        if result is None or isinstance(result, CatalinaError):
            raise CatalinaError(str(result or f"there is no worker [{worker}]"))
        values: Values = result
        return values


class _Elsewhere(Component):
    """Stands in the list of beans for one that only workers have."""

    def __init__(self, kind: str, values: Values) -> None:
        super().__init__()
        self._kind = kind
        self.values = values

    def made(self) -> Component:
        """An object of the bean's class, which tells what it has and is asked for nothing."""
        kind = _WORKERS_OWN[self._kind]
        made: Component = object.__new__(kind)
        return made


def merged(kind: str, values: Sequence[Values]) -> Values:
    """The node's values from those of its workers."""
    found: Values = {}
    for name, merge in RULES.get(kind, {}).items():
        of = [each for each in values if name in each]
        if merge is min:  # a worker that has served no request has no shortest one
            of = [each for each in of if each.get("requestCount", 1)]
        if of:
            found[name] = merge([each[name] for each in of])
    return found
