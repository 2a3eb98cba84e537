"""Metrics that are pushed to a collector."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from catalina.errors import LifecycleError
from catalina.lifecycle import LifecycleEvent
from catalina.manager.open_telemetry_listener import METRICS, OpenTelemetryListener, readings
from tests.manager.site import SERVER_XML, make_base, running
from tests.support.waiting import wait_until

pytest.importorskip("opentelemetry.sdk")
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (  # the extra may be missing
    ExportMetricsServiceRequest,
)

Points = dict[str, list[tuple[dict[str, str], float]]]


class Collector:
    """Takes what is pushed to it."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/v1/metrics"
        self.exports: list[ExportMetricsServiceRequest] = []

    @property
    def resource(self) -> dict[str, str]:
        attributes = self.exports[-1].resource_metrics[0].resource.attributes
        return {each.key: each.value.string_value for each in attributes}

    @property
    def metrics(self) -> dict[str, Any]:
        scopes = self.exports[-1].resource_metrics[0].scope_metrics
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    def points(self, name: str) -> list[tuple[dict[str, str], float]]:
        metric = self.metrics.get(name)
        if metric is None:
            return []
        data = getattr(metric, metric.WhichOneof("data")).data_points
        return [
            ({each.key: each.value.string_value for each in point.attributes}, point.as_double or float(point.as_int))
            for point in data
        ]


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.exports.append(ExportMetricsServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


def test_tomcats_metrics_are_pushed_under_the_names_of_opentelemetry(tmp_path, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    with collecting() as collector:
        base = make_base(tmp_path / "base")
        listener = (
            '<Listener className="org.apache.catalina.manager.OpenTelemetryListener" '
            f'endpoint="{collector.address}" interval="1" serviceName="shop"/>'
        )
        xml = SERVER_XML.format(host="").replace("<GlobalNaming", f"{listener}<GlobalNaming", 1)
        (base / "conf" / "server.xml").write_text(xml.replace("<Engine ", '<Engine jvmRoute="n1" '))
        with running(base) as site:
            site.ask("/plain/", login=None)
            name = f'"{site.service.connectors[0].name}"'
            wait_until(
                lambda: collector.exports and collector.points("tomcat.request.count")[0][1] >= 1, "it is pushed"
            )
            assert collector.points("tomcat.request.count")[0][0] == {"tomcat.request.processor.name": name}
            exported = len(collector.exports)
        assert len(collector.exports) > exported  # the last one, at the stop
    assert collector.resource["service.name"] == "shop"
    assert collector.resource["service.instance.id"] == "n1"
    active = {told["tomcat.context"]: value for told, value in collector.points("tomcat.session.active.count")}
    assert active["/plain"] == 1
    directions = {told["network.io.direction"] for told, _ in collector.points("tomcat.network.io")}
    assert directions == {"receive", "transmit"}
    count, longest = collector.metrics["tomcat.request.count"], collector.metrics["tomcat.request.duration.max"]
    assert (count.unit, count.sum.is_monotonic) == ("{request}", True)
    assert (longest.unit, longest.WhichOneof("data")) == ("s", "gauge")
    assert not collector.metrics["tomcat.thread.count"].sum.is_monotonic
    pools = {metric.name for metric in METRICS if metric.bean == "DataSource"}
    limits = {"tomcat.session.active.limit"}  # there is none
    assert set(collector.metrics) == {metric.name for metric in METRICS} - pools - limits


def test_no_collector_keeps_the_server_from_nothing(tmp_path, caplog):
    listener = OpenTelemetryListener(endpoint="http://127.0.0.1:9/v1/metrics", interval=3600)
    with running(make_base(tmp_path / "base")) as site:
        listener(LifecycleEvent(site.server, "after_start"))
        assert site.ask("/plain/", login=None).status == 200
        with caplog.at_level(logging.CRITICAL):
            listener(LifecycleEvent(site.server, "before_stop"))
        listener(LifecycleEvent(site.server, "before_stop"))


def test_another_host_is_told_apart(tmp_path):
    with running(make_base(tmp_path / "base")) as site:
        site.host.name = "shop.example"
        told = [reading.attributes for reading in readings(site.server.mbeans)["tomcat.session.created"]]
        site.host.name = "localhost"
    assert {"tomcat.context": "/plain", "tomcat.host": "shop.example"} in told


def test_without_the_extra_the_start_fails_and_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.metric_exporter", None)
    monkeypatch.setattr("catalina.extras.is_installed", lambda package: False)
    with running(make_base(tmp_path / "base")) as site, pytest.raises(LifecycleError, match="the extra otel"):
        OpenTelemetryListener()(LifecycleEvent(site.server, "after_start"))
    assert OpenTelemetryListener().needed_packages() == ("opentelemetry",)
