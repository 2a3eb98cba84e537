"""The sessions that two nodes have after they could not talk to each other for a while, and clients went on using both.

Each kind of outage happens once for each configuration, with several sessions that are used in different ways
meanwhile; each test looks at one of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.clusters import full
from tests.cluster.namespaces import Switch
from tests.cluster.node import Node
from tests.cluster.outages import CHECKS, Outage, manager_of
from tests.support.needs import need_command, need_network_namespaces

pytestmark = [pytest.mark.cluster, pytest.mark.netns]

GROUP_PORT = 45565


@pytest.fixture(
    scope="module",
    params=[
        ("cut", "Delta", 8),
        ("black hole", "Delta", 6),
        ("one way", "Delta", 8),
        ("cut", "Backup", 6),
        ("black hole", "Backup", 6),
        ("one way", "Backup", 6),
    ],
    ids=lambda param: f"{param[0]}, {param[1]}, options {param[2]}",
)
def outage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    need_network_namespaces()
    need_command("nft", "nftables")
    kind, manager, options = request.param
    base = tmp_path_factory.mktemp("outage")
    cluster = full(
        GROUP_PORT, send_options=options, receiver='address="auto"', bind="", manager=manager_of(manager, options)
    )
    switch = Switch()
    nodes = [
        Node(name, base / name, cluster=cluster, namespace=switch.add(name), http_port=8080) for name in ("fa", "fb")
    ]
    found = Outage(kind, switch, nodes)
    try:
        found.run()
        yield found
    finally:
        found.close()


@pytest.mark.parametrize("promise", list(CHECKS))
def test_after_an_outage(outage: Outage, promise: str) -> None:
    assert CHECKS[promise](outage) == ""
