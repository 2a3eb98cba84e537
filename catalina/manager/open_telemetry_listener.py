"""Pushes metrics to a collector of OpenTelemetry, under the names that its JMX rules give to Tomcat's beans
(``tomcat.request.count``, ``tomcat.session.active.count`` ...).

The exporter is OpenTelemetry's own, from the extra ``otel``; it reads OTEL_EXPORTER_OTLP_HEADERS, ..._CERTIFICATE,
..._TIMEOUT and so on from the environment.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from catalina.attributes import Attribute, Component
from catalina.errors import LifecycleError
from catalina.extras import missing_package
from catalina.mbeans.object_name import ObjectName
from catalina.util.server_info import SERVER_INFO

if TYPE_CHECKING:
    from catalina.core.standard_server import StandardServer
    from catalina.lifecycle import LifecycleEvent
    from catalina.mbeans.registry import Registry

__all__ = ["METRICS", "Metric", "OpenTelemetryListener", "readings"]

log = logging.getLogger("org.apache.catalina.manager.OpenTelemetryListener")

#: Seconds for which one look at the beans serves all instruments of an export.
FRESH_SECONDS = 1.0
#: Milliseconds that a stop waits for the last export.
STOP_MS = 5000


class Metric(NamedTuple):
    """A metric, and the bean's attribute that it is read from.

    Args:
        bean: the type of the beans.
        kind: counter, updowncounter or gauge.
        label: name of the OpenTelemetry attribute that tells the beans apart; ``key`` is that of the bean's name.
        scale: how many of its unit one of the attribute is.
        more: further OpenTelemetry attributes.
    """

    name: str
    bean: str
    attribute: str
    kind: str
    unit: str
    doc: str
    label: str
    key: str
    scale: float = 1.0
    more: Mapping[str, str] = {}


def _requests(name: str, attribute: str, kind: str, unit: str, doc: str, **values: Any) -> Metric:
    label = "tomcat.request.processor.name"
    return Metric(f"tomcat.{name}", "GlobalRequestProcessor", attribute, kind, unit, doc, label, "name", **values)


def _sessions(name: str, attribute: str, kind: str, unit: str, doc: str, scale: float = 1.0) -> Metric:
    return Metric(f"tomcat.session.{name}", "Manager", attribute, kind, unit, doc, "tomcat.context", "context", scale)


def _threads(name: str, attribute: str, doc: str) -> Metric:
    label = "tomcat.thread.pool.name"
    return Metric(f"tomcat.thread.{name}", "ThreadPool", attribute, "updowncounter", "{thread}", doc, label, "name")


def _pool(name: str, attribute: str, kind: str, doc: str, **values: Any) -> Metric:
    label = "tomcat.db.client.connection.pool.name"
    return Metric(
        f"tomcat.db.client.connection.{name}",
        "DataSource",
        attribute,
        kind,
        "{connection}",
        doc,
        label,
        "name",
        **values,
    )


#: Those of OpenTelemetry's rules for Tomcat (opentelemetry-java-instrumentation, jmx/rules/tomcat.yaml).
METRICS = (
    _requests("error.count", "errorCount", "counter", "{error}", "The number of errors."),
    _requests("request.count", "requestCount", "counter", "{request}", "The number of requests processed."),
    _requests("request.duration.max", "maxTime", "gauge", "s", "The longest request processing time.", scale=1e-3),
    _requests("request.duration.sum", "processingTime", "counter", "s", "Total time of processing all requests.",
              scale=1e-3),
    _requests("network.io", "bytesReceived", "counter", "By", "The number of bytes transmitted.",
              more={"network.io.direction": "receive"}),
    _requests("network.io", "bytesSent", "counter", "By", "The number of bytes transmitted.",
              more={"network.io.direction": "transmit"}),
    _sessions("active.count", "activeSessions", "updowncounter", "{session}",
              "The number of currently active sessions."),
    _sessions("active.limit", "maxActiveSessions", "updowncounter", "{session}",
              "Maximum possible number of active sessions."),
    _sessions("duration.max", "sessionMaxAliveTime", "gauge", "s", "The maximum observed session lifetime."),
    _sessions("created", "sessionCounter", "counter", "{session}", "The number of sessions created."),
    _sessions("duration.mean", "sessionAverageAliveTime", "gauge", "s", "The average observed session lifetime."),
    _sessions("processing.duration.sum", "processingTime", "counter", "s",
              "The total time spent processing sessions.", 1e-3),
    _sessions("active.max", "maxActive", "gauge", "{session}",
              "The maximum number of concurrent active sessions observed."),
    _sessions("expired", "expiredSessions", "counter", "{session}", "The number of expired sessions."),
    _sessions("rejected", "rejectedSessions", "counter", "{session}", "The number of rejected sessions."),
    _threads("count", "currentThreadCount", "Total thread count of the thread pool."),
    _threads("limit", "maxThreads", "Maximum possible number of threads in the thread pool."),
    _threads("busy.count", "currentThreadsBusy", "Number of busy threads in the thread pool."),
    _pool("initial", "initialSize", "gauge", "The configured initial size of the JDBC connection pool."),
    _pool("count", "numActive", "updowncounter", "The number of active JDBC connections.",
          more={"db.client.connection.state": "used"}),
    _pool("limit", "maxTotal", "gauge", "The configured maximum size of the JDBC connection pool."),
)  # fmt: skip
#: Metrics whose negative value means that there is no limit.
LIMITS = frozenset(("tomcat.session.active.limit", "tomcat.thread.limit"))


@dataclass(frozen=True, slots=True)
class Reading:
    """A value, with the OpenTelemetry attributes that tell it from others of its metric."""

    attributes: Mapping[str, str]
    value: float


def readings(registry: Registry) -> dict[str, list[Reading]]:
    """The values of all metrics, by name, as the beans are now."""
    found: dict[str, list[Reading]] = {metric.name: [] for metric in METRICS}
    for kind in dict.fromkeys(metric.bean for metric in METRICS):
        beans = registry.query(ObjectName("*", {"type": kind}, open_ended=True))
        for name, bean in beans:
            there = set(bean.names())
            for metric in METRICS:
                if metric.bean == kind and metric.attribute in there:
                    value = bean.value_of(metric.attribute)
                    if isinstance(value, int | float) and not (value < 0 and metric.name in LIMITS):
                        found[metric.name].append(Reading(_attributes(metric, name), value * metric.scale))
    return found


def _attributes(metric: Metric, name: ObjectName) -> dict[str, str]:
    """Those of the rules; and the host where it is not localhost, which the rules do not look beyond."""
    told = {metric.label: name.keys.get(metric.key, ""), **metric.more}
    host = name.keys.get("host", "localhost")
    return told if host == "localhost" else {**told, "tomcat.host": host}


class OpenTelemetryListener(Component):
    """A ``<Listener>`` of the Server that pushes from its start to its stop."""

    packages = ("opentelemetry",)

    endpoint = Attribute(
        str,
        None,
        doc="Where OTLP over HTTP is taken, such as http://127.0.0.1:4318/v1/metrics; unless given, what "
        "OTEL_EXPORTER_OTLP_ENDPOINT says, else the standard port of this machine.",
    )
    interval = Attribute(int, 60, unit="seconds", doc="Time between two exports.")
    service_name = Attribute(str, None, doc="service.name of the metrics; OTEL_SERVICE_NAME, or tomcat, unless given.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._provider: Any = None

    def __call__(self, event: LifecycleEvent) -> None:
        """The server's events. In a node of several processes only the keeper pushes: it has the sums."""
        if event.type == "after_start":
            server: Any = event.source  # it listens to a server
            if server.role is None or not server.role.serves:
                self._start(server)
        elif event.type == "before_stop":
            self._stop()

    def _start(self, server: StandardServer) -> None:
        try:
            self._provider = self._new_provider(server)
        except ImportError as error:
            raise LifecycleError(f"OpenTelemetryListener: {missing_package('opentelemetry') or error}") from error
        log.info("Metrics are pushed to [%s] every [%d] seconds", self.endpoint or "the collector of the environment",
                 self.interval)  # fmt: skip

    def _new_provider(self, server: StandardServer) -> object:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.metrics import Observation
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource

        own = {"service.name": "tomcat", "service.instance.id": _instance(server)}
        resource = Resource(own).merge(OTELResourceDetector().detect())
        if self.service_name is not None:
            resource = resource.merge(Resource({"service.name": self.service_name}))
        exporter = OTLPMetricExporter(endpoint=self.endpoint)
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=1000.0 * max(1, self.interval))
        provider = MeterProvider([reader], resource)
        meter = provider.get_meter("catalina", SERVER_INFO.rpartition("/")[2])
        make = {
            "counter": meter.create_observable_counter,
            "updowncounter": meter.create_observable_up_down_counter,
            "gauge": meter.create_observable_gauge,
        }
        latest = _Latest(server.mbeans)

        def callback_of(name: str) -> Callable[[object], Iterable[Any]]:
            def observe(_: object) -> Iterator[Any]:
                for reading in latest.of(name):
                    yield Observation(reading.value, reading.attributes)

            return observe

        for metric in {metric.name: metric for metric in METRICS}.values():
            make[metric.kind](metric.name, [callback_of(metric.name)], metric.unit, metric.doc)
        return provider

    def _stop(self) -> None:
        provider, self._provider = self._provider, None
        if provider is not None:
            provider.shutdown(timeout_millis=STOP_MS)


def _instance(server: StandardServer) -> str:
    """The name that tells this node from others: its jvmRoute, or else its directory."""
    routes = (service.engine.jvm_route for service in server.services if service.engine is not None)
    return next((route for route in routes if route), str(server.catalina_base))


class _Latest:
    """One look at the beans for all instruments of an export."""

    def __init__(self, registry: Registry, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = -FRESH_SECONDS
        self._found: dict[str, list[Reading]] = {}

    def of(self, name: str) -> list[Reading]:
        with self._lock:
            now = self._clock()
            if now - self._looked >= FRESH_SECONDS:
                self._looked, self._found = now, readings(self._registry)
            return self._found.get(name, [])
