"""A scrape of a cluster's node, in which every query of the dashboard finds something."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cluster.clusters import full
from tests.cluster.node import HERE, PROJECT, Node, started
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

DASHBOARD = PROJECT / "docs" / "grafana" / "catalina.json"
BACKUP = '<Context><Manager className="org.apache.catalina.ha.session.BackupManager"/></Context>'
Scrape = dict[str, list[tuple[dict[str, str], float]]]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Node]]:
    """Two nodes, each with ``/app`` under a DeltaManager, ``/kept`` under a BackupManager, and ``/metrics``."""
    base, port = tmp_path_factory.mktemp("metrics"), free_udp_port()
    made = []
    for name in ("n1", "n2"):
        deployer = (
            '<Deployer className="org.apache.catalina.ha.deploy.FarmWarDeployer" tempDir="temp/farm" '
            f'deployDir="webapps" watchDir="temp/watch" watchEnabled="{"true" if name == "n1" else "false"}"/>'
        )
        cluster = full(port, deployer=deployer).replace('ReplicationValve" ', 'ReplicationValve" statistics="true" ')
        node = Node(name, base / name, cluster)
        made.append(node)
        _add(node, "kept", HERE / "webapp", BACKUP)
        descriptors = node.base / "conf" / "Catalina" / "localhost"
        descriptors.mkdir(parents=True)
        xml = (
            f'<Context privileged="true" docBase="{PROJECT}/webapps/metrics" mapperContextRootRedirectEnabled="false"/>'
        )
        (descriptors / "metrics.xml").write_text(xml)
    with started(made):
        yield made


def _add(node: Node, name: str, webapp: Path, context_xml: str) -> None:
    shutil.copytree(webapp, node.base / "webapps" / name)
    (node.base / "webapps" / name / "META-INF").mkdir()
    (node.base / "webapps" / name / "META-INF" / "context.xml").write_text(context_xml)


def scrape(node: Node) -> Scrape:
    found: Scrape = {}
    for family in text_string_to_metric_families(node.get("", app="/metrics").body.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def value(scraped: Scrape, name: str, **labels: str) -> float:
    """The value of the only sample that has the labels."""
    found = [number for have, number in scraped.get(name, []) if labels.items() <= have.items()]
    assert len(found) == 1, (name, labels, scraped.get(name))
    return found[0]


def test_the_cluster_is_told(nodes: list[Node]) -> None:
    wait_until(lambda: value(scrape(nodes[0]), "catalina_cluster_members") == 1, "the members see each other")
    for app in ("/app", "/kept"):
        nodes[0].get("/count", app=app)
    one = wait_until(lambda: _when_told(nodes), "both nodes have the sessions")
    labels = {"context": "/app", "host": "localhost"}
    sent = value(one, "catalina_cluster_session_messages_total", direction="sent", kind="session_created", **labels)
    assert sent >= 1
    (_, queued), *_ = one["catalina_cluster_queued_bytes_total"]
    assert queued > 0
    assert value(one, "catalina_cluster_backlog_bytes") == 0
    assert value(one, "catalina_cluster_owed_changes", context="/kept") == 0
    assert value(one, "catalina_replication_requests_total", host="localhost") >= 2
    assert value(one, "catalina_cluster_state_waiting", context="/app") == 0
    assert value(one, "catalina_farm_archives", host="localhost") == 0


def _when_told(nodes: list[Node]) -> Scrape | None:
    one, two = map(scrape, nodes)
    there = (
        value(two, "tomcat_session_activesessions", context="/app") == 1
        and value(one, "catalina_sessions", context="/kept", role="primary") == 1
        and value(two, "catalina_sessions", context="/kept", role="backup") == 1
        and value(one, "catalina_cluster_backlog_bytes") == 0
    )
    return one if there else None


def queries() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def test_every_query_of_the_dashboard_finds_its_metrics_and_labels(nodes: list[Node]) -> None:
    there = scrape(nodes[0])
    asked = queries()
    assert len(asked) > 30
    for query in asked:
        names = re.findall(r"\b((?:tomcat|catalina|jvm|process)_[a-z_]+)\b", query)
        assert names, query
        for name in names:
            assert name in there, f"{name} of {query}"
            wanted = re.findall(r"by \(([^)]*)\)", query)
            for label in {label.strip() for inside in wanted for label in inside.split(",")} - {"instance"}:
                assert all(label in labels for labels, _ in there[name]), f"{label} of {query}"


def test_every_label_of_a_legend_is_there(nodes: list[Node]) -> None:
    there = scrape(nodes[0])
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            name = re.findall(r"\b((?:tomcat|catalina|jvm|process)_[a-z_]+)\b", target["expr"])[0]
            for label in set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) - {"instance"}:
                assert all(label in labels for labels, _ in there[name]), f"{label} of {target}"
