"""Metrics from beans."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from catalina.attributes import Component
from catalina.manager.metrics import EVENTS, cluster_samples, connector_labels, exposition
from catalina.mbeans.object_name import ObjectName, quote
from catalina.mbeans.registry import Registry


class Numbers(Component):
    request_count, error_count, max_time = 7, 2, 15


class Sessions(Component):
    def __init__(self) -> None:
        super().__init__()
        self.session_counter = 3
        self.active_sessions = 1


class Requests(Component):
    def __init__(self) -> None:
        super().__init__()
        self.request_count, self.error_count = 7, 2


def parsed(registry: Registry) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(exposition(registry)):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_names_and_labels_are_those_of_the_exporters_rules():
    registry = Registry()
    registry.register(ObjectName("Catalina", {"type": "GlobalRequestProcessor", "name": '"http-nio-8080"'}), Requests())
    registry.register(ObjectName("Catalina", {"type": "Manager", "host": "localhost", "context": "/shop"}), Sessions())
    name = {"j2eeType": "Servlet", "WebModule": "//localhost/shop", "name": "cart", "J2EEServer": "none"}
    registry.register(ObjectName("Catalina", name), Requests())
    metrics = parsed(registry)
    assert metrics["tomcat_requestcount_total"] == [({"port": "8080", "protocol": "http-nio"}, 7)]
    assert metrics["tomcat_servlet_errorcount_total"] == [({"module": "localhost/shop", "servlet": "cart"}, 2)]
    assert metrics["tomcat_session_sessioncounter_total"] == [({"context": "/shop", "host": "localhost"}, 3)]


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ('"http-nio-8080"', {"port": "8080", "protocol": "http-nio"}),
        ('"ajp-nio-127.0.0.1-8009"', {"port": "8009", "protocol": "ajp-nio", "address": "127.0.0.1"}),
        ('"https-jsse-nio-8443"', {"port": "8443", "protocol": "https-jsse-nio"}),
        ('"https-jsse-nio-0:0:0:0:0:0:0:1-8443"',
         {"port": "8443", "protocol": "https-jsse-nio", "address": "0:0:0:0:0:0:0:1"}),
        ('"http-nio-127.0.0.1-auto-1-41234"', {"port": "41234", "protocol": "http-nio", "address": "127.0.0.1"}),
        ('"http-nio-auto-1-41234"', {"port": "41234", "protocol": "http-nio"}),
        ('"http-nio-/run/shop.sock"', {"port": "", "protocol": "http-nio-/run/shop.sock"}),
    ],
)  # fmt: skip
def test_a_connectors_name_is_taken_apart(name, labels):
    assert connector_labels(name) == labels


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "a{b}", "\udcff"])
def test_any_name_is_a_label(name):
    registry = Registry()
    keys = {"j2eeType": "Servlet", "WebModule": "//localhost/", "name": quote(name)}
    registry.register(ObjectName("Catalina", keys), Requests())
    ((labels, _),) = parsed(registry)["tomcat_servlet_requestcount_total"]
    assert labels["servlet"] in (name, "\\udcff")


def test_each_family_stands_once_and_each_sample_once():
    registry = Registry()
    for number in (1, 2):
        keys = {"type": "GlobalRequestProcessor", "name": '"http-nio-8080"', "other": str(number)}
        registry.register(ObjectName("Catalina", keys), Requests())
    text = exposition(registry)
    assert text.count("# TYPE tomcat_requestcount_total counter") == 1
    assert text.count("tomcat_requestcount_total{") == 1


def test_without_a_cluster_there_are_none():
    assert list(cluster_samples(Registry())) == []


def test_kinds_of_messages_are_called_as_tomcats_counters():
    assert EVENTS["session_delta"] == 13
    assert EVENTS["get_all_sessions"] == 4
    assert all(isinstance(event, int) for event in EVENTS.values())
