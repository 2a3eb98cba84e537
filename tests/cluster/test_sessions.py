"""Sessions on two nodes, beyond the HOW-TO's story: real processes on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.cluster.clusters import full, one_line
from tests.cluster.node import Node
from tests.support.ports import free_udp_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

Pair = tuple[Node, Node]


@pytest.fixture(scope="module", params=[6, 8], ids=["synchronous", "asynchronous"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two nodes that live for the module's tests with these options."""
    base = tmp_path_factory.mktemp("sessions")
    cluster = full(free_udp_port(), send_options=request.param)
    nodes = [Node(name, base / name, cluster=cluster) for name in ("node1", "node2")]
    for node in nodes:
        node.start(wait=False)
    try:
        for node in nodes:
            node.wait_started()
        nodes[0].synchronous = request.param == 6  # type: ignore[attr-defined]
        yield nodes[0], nodes[1]
    finally:
        for node in nodes:
            node.close()


def seen_on(node: Node, session_id: str | None, expected: object) -> None:
    """The session's values on the other node: at once with synchronous sends, soon with asynchronous ones."""
    if getattr(node, "synchronous", False):
        assert node.get("/show", session_id).values == expected
    else:
        wait_until(lambda: node.get("/show", session_id).values == expected, f"{expected} arrives", 5)


def test_requests_that_alternate_between_the_nodes_see_every_change(pair: Pair) -> None:
    session_id = None
    for number in range(1, 21):
        session_id = count_when_there(pair[number % 2], session_id, number)


def count_when_there(node: Node, session_id: str | None, number: int) -> str | None:
    """Count as soon as the node has the count before: an asynchronous change may take its time."""
    if session_id is not None:
        seen_on(node, session_id, {"count": number - 1})
    answer = node.get("/count", session_id)
    assert answer.values == {"count": number}
    return answer.session_id


def test_a_change_inside_an_object_of_the_application_is_on_the_other_node(pair: Pair) -> None:
    a, b = pair
    session_id = a.get("/cart?owner=ann").session_id
    a.get("/add?item=apple", session_id)
    wait_until(
        lambda: b.get("/show", session_id).values == {"cart": {"items": ["apple"], "owner": "ann"}}, "the cart", 5
    )


def test_a_value_whose_module_the_other_node_has_not_imported_is_used_there(pair: Pair) -> None:
    a, b = pair
    session_id = a.get("/order?article=apple&price=1.50&count=3").session_id

    def paid_on_b() -> bool:
        answer = b.get("/pay", session_id)  # 500 until an asynchronous change has brought the order
        return answer.status == 200 and answer.values.get("total") == "4.50"

    wait_until(paid_on_b, "the order is paid on B", 5)
    wait_until(lambda: "PAID" in a.get("/show", session_id).values["order"], "A sees what B has changed inside", 5)


def test_a_removed_attribute_is_gone_on_the_other_node(pair: Pair) -> None:
    a, b = pair
    session_id = a.get("/put?x=1&y=2").session_id
    a.get("/remove?name=x", session_id)
    wait_until(lambda: b.get("/show", session_id).values == {"y": "2"}, "x is gone", 5)


def test_a_changed_id_works_on_the_other_node_and_the_old_one_does_not(pair: Pair) -> None:
    a, b = pair
    old = a.get("/put?x=1")
    new = a.get("/change_id", old.session_id)
    assert new.session_id != old.session_id
    wait_until(lambda: b.get("/show", new.session_id).values == {"x": "1"}, "the new id", 5)
    assert b.get("/show", old.session_id).json["id"] is None
    assert a.get("/show", old.session_id).json["id"] is None


def test_an_invalidated_session_is_gone_everywhere(pair: Pair) -> None:
    a, b = pair
    session_id = a.get("/put?x=1").session_id
    a.get("/invalidate", session_id)
    wait_until(lambda: b.get("/show", session_id).json["id"] is None, "gone on B", 5)


def test_a_request_with_the_old_route_after_a_turnover_still_finds_the_session(pair: Pair) -> None:
    """Requests under way with the old cookie, as a browser sends them in parallel."""
    a, b = pair
    old = a.get("/put?x=1")
    wait_until(lambda: b.get("/show", old.session_id).values == {"x": "1"}, "B has it", 5)
    wait_until(lambda: a.get("/show", old.session_id).values == {"x": "1"}, "A takes it back", 5)


def test_the_one_line_element_makes_a_group(make_node: Callable[..., Node]) -> None:
    """Every default of the HOW-TO, also its group 228.0.0.4:45564, with the cluster under the Engine."""
    nodes = [make_node(name, engine_cluster=one_line(' channelSendOptions="6"')) for name in ("e1", "e2")]
    for node in nodes:
        node.start(wait=False)
    for node in nodes:
        node.wait_started()
    if not all("Replication member added" in node.log for node in nodes):
        # Defaults announce the address of the route to the group; a machine with loopback only says so.
        assert all("loopback" in node.log for node in nodes), nodes[0].log
    first = nodes[0].get("/put?x=1")
    assert nodes[1].get("/show", first.session_id).values == {"x": "1"}
    assert "Register manager [localhost#/app] to cluster element [Engine] with name [Catalina]" in nodes[0].log


def test_a_contexts_own_manager_wins_over_the_clusters_template(make_node: Callable[..., Node]) -> None:
    own = (
        '<Context><Manager className="org.apache.catalina.ha.session.DeltaManager" stateTransferTimeout="7"'
        ' sessionAttributeNameFilter="shared.*"/></Context>'
    )
    cluster = full(free_udp_port(), send_options=6)
    nodes = [make_node(name, cluster=cluster, context_xml=own) for name in ("own1", "own2")]
    nodes[0].start()
    nodes[1].start()
    assert "will timeout if no session state has been received within [7] seconds" in nodes[1].log
    session_id = nodes[0].get("/put?shared_x=1&mine=2").session_id
    assert nodes[1].get("/show", session_id).values == {"shared_x": "1"}


def test_an_application_that_is_not_distributable_keeps_its_sessions_to_itself(make_node: Callable[..., Node]) -> None:
    cluster = full(free_udp_port(), send_options=6)
    nodes = [make_node(name, cluster=cluster) for name in ("alone1", "alone2")]
    for node in nodes:
        web_xml = node.base / "webapps" / "app" / "WEB-INF" / "web.xml"
        web_xml.write_text(web_xml.read_text().replace("<distributable/>", ""))
        node.start(wait=False)
    for node in nodes:
        node.wait_started()
    session_id = nodes[0].get("/count").session_id
    assert nodes[0].get("/count", session_id).values == {"count": 2}
    assert nodes[1].get("/show", session_id).json["id"] is None
    assert "Register manager" not in nodes[0].log


def test_a_group_that_encrypts_everything_shares_sessions_and_survives_a_kill(make_node: Callable[..., Node]) -> None:
    """The Channel's attributes of Tomcat 10.1.63: TLS with a pre-shared key, and no plain port."""
    port = free_udp_port()

    def secured(key: str) -> str:
        return full(
            port,
            send_options=6,
            receiver='address="127.0.0.1" securePort="4100"',
            channel=f'secure="true" pskIdentity="cluster" pskKey="{key}"',
        )

    a, b = (make_node(name, cluster=secured("00112233445566778899aabbccddeeff")) for name in ("node1", "node2"))
    stranger = make_node("stranger", cluster=secured("ffeeddccbbaa99887766554433221100"))
    for node in (a, b, stranger):
        node.start(wait=False)
    for node in (a, b, stranger):
        node.wait_started()
    session_id = a.get("/count").session_id
    assert b.get("/count", session_id).values == {"count": 2}
    assert stranger.get("/show", session_id).values == {}
    assert "Receiver Server TLS Socket bound to:[/127.0.0.1:41" in a.log
    assert "Receiver Server Socket bound" not in a.log
    assert "Replication member added" not in stranger.log
    a.kill()
    assert b.get("/count", session_id).values == {"count": 3}
