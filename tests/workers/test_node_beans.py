"""The beans of a node with several workers, as the keeper's registry shows them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.engine import URL, Engine

from catalina.attributes import Component
from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.coyote.request_group_info import RequestGroupInfo
from catalina.errors import CatalinaError
from catalina.ha.tcp.replication_valve import ReplicationValve
from catalina.juli.logging_bean import LoggingBean
from catalina.lifecycle import LifecycleState
from catalina.mbeans.audit import Caller
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.registry import InstanceNotFound, Registry
from catalina.naming.data_source_bean import DataSourceBean
from catalina.operations import operation
from catalina.valves.access_log_valve import AccessLogValve
from catalina.workers import node_beans
from catalina.workers.node_beans import NodeBeans, WorkerBeans, merged
from tests.support.stand_in import stand_in
from tests.support.waiting import take_time
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]

TRAFFIC = ObjectName.parse('Catalina:type=GlobalRequestProcessor,name="http-nio-8080"')
LOG = ObjectName.parse("Catalina:type=Valve,name=AccessLogValve")
POOL = ObjectName.parse('Catalina:type=DataSource,class=javax.sql.DataSource,name="jdbc/shop"')
CALLER = Caller("test", "nobody", "127.0.0.1")


class Pool(DataSourceBean):
    """A pool with numbers of its own."""

    def __init__(self, active: int) -> None:
        engine: Any = stand_in(
            Engine,
            url=stand_in(URL, render_as_string=lambda hide_password: "db://shop", username="shop"),
            driver="db",
            pool=None,
        )
        super().__init__(engine)
        self._number = active

    def _count(self, name: str) -> int:
        return self._number


class Beans:
    """A keeper's registry, and one for each worker."""

    def __init__(self, make_node: MakeNode) -> None:
        self.node = make_node()
        self.keeper = Registry()
        self.beans = NodeBeans(self.keeper, self.node.keeper.links, self.node.memory.section("stopped"))
        self.workers = [Registry(), Registry()]
        self.offered = [
            WorkerBeans(registry, worker.channel.services)
            for worker, registry in zip(self.node.workers, self.workers, strict=True)
        ]
        for worker in range(2):
            self.catch_up(worker)

    def catch_up(self, worker: int) -> None:
        self.offered[worker].catch_up(self.node.workers[worker].queries.call)

    def come_back(self, worker: int) -> None:
        """A new process in the place of a worker has read the configuration only."""
        self.workers[worker] = Registry()
        self.offered[worker] = WorkerBeans(self.workers[worker], self.node.workers[worker].channel.services)

    def register(self, name: ObjectName, make: Callable[[], Any]) -> list[Any]:
        """A component in each process: the workers' ones."""
        self.keeper.register(name, make())
        made = [make(), make()]
        for registry, component in zip(self.workers, made, strict=True):
            registry.register(name, component)
        return made


@pytest.fixture
def beans(make_node: MakeNode, monkeypatch: pytest.MonkeyPatch) -> Beans:
    monkeypatch.setattr(node_beans, "FRESH_SECONDS", 0.0)
    return Beans(make_node)


def test_counts_are_sums_and_the_longest_time_is_the_longest(beans: Beans) -> None:
    first, second = beans.register(TRAFFIC, RequestGroupInfo)
    first.count(3_000_000, False, 10, 1)
    second.count(5_000_000, True, 20, 2)
    bean = beans.keeper.find(TRAFFIC)
    assert [bean.get(name) for name in ("requestCount", "errorCount", "bytesSent", "maxTime")] == [2, 1, 30, 5]
    assert dict(bean.items())["minTime"] == 3


def test_one_worker_can_be_looked_at(beans: Beans) -> None:
    first, _ = beans.register(TRAFFIC, RequestGroupInfo)
    first.count(3_000_000, False, 10, 1)
    name = ObjectName.parse(f"{TRAFFIC},worker=0")
    assert beans.keeper.find(name).get("requestCount") == 1
    assert beans.keeper.find(ObjectName.parse(f"{TRAFFIC},worker=1")).get("requestCount") == 0
    assert [found for found, _ in beans.keeper.query(ObjectName.parse("Catalina:worker=0,*"))] == [name]
    assert name not in beans.keeper.names(), "tools that add up see each number once"
    with pytest.raises(CatalinaError, match=r"no worker \[7\]"):
        beans.keeper.find(ObjectName.parse(f"{TRAFFIC},worker=7")).get("requestCount")


def test_an_attribute_is_set_in_all_processes(beans: Beans) -> None:
    made = beans.register(LOG, AccessLogValve)
    beans.keeper.set(LOG, "enabled", False, CALLER)
    assert [valve.enabled for valve in made] == [False, False]
    assert beans.keeper.find(LOG).get("enabled") is False


def test_an_operation_acts_in_all_processes(beans: Beans) -> None:
    made = beans.register(TRAFFIC, RequestGroupInfo)
    for info in made:
        info.count(3_000_000, False, 10, 1)
    beans.keeper.invoke(TRAFFIC, "resetCounters", [], CALLER)
    assert [info.request_count for info in made] == [0, 0]


def test_an_operation_can_act_in_one(beans: Beans) -> None:
    made = beans.register(TRAFFIC, RequestGroupInfo)
    for info in made:
        info.count(3_000_000, False, 10, 1)
    beans.keeper.invoke(ObjectName.parse(f"{TRAFFIC},worker=1"), "resetCounters", [], CALLER)
    assert [info.request_count for info in made] == [1, 0]


def test_pools_that_only_workers_have_are_shown_as_one(beans: Beans) -> None:
    for registry in beans.workers:
        registry.register(POOL, Pool(4))
    bean = beans.keeper.find(POOL)
    assert bean.get("numActive") == 8
    assert "numIdle" in bean.names()
    assert bean.type_of("numActive") == "int"


def test_a_worker_that_does_not_answer_is_left_out(
    beans: Beans, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(node_beans, "ANSWER_SECONDS", 0.2)
    first, _ = beans.register(TRAFFIC, RequestGroupInfo)
    first.count(3_000_000, False, 10, 1)
    services = beans.node.workers[1].channel.services
    services.add(node_beans.COUNTS, lambda _, __: take_time(0.5))
    assert beans.keeper.find(TRAFFIC).get("requestCount") == 1
    assert "Beans are shown without worker [1] has not answered" in caplog.text


def test_without_workers_the_keepers_own_values_are_shown(make_node: MakeNode) -> None:
    registry = Registry()
    node = make_node(workers=0)
    NodeBeans(registry, node.keeper.links, node.memory.section("stopped"))
    registry.register(TRAFFIC, RequestGroupInfo())
    assert registry.find(TRAFFIC).get("requestCount") == 0
    with pytest.raises(InstanceNotFound):
        registry.find(POOL)


def test_no_limit_in_one_process_is_no_limit_in_the_node() -> None:
    assert merged("DataSource", [{"maxTotal": 8}, {"maxTotal": 8}]) == {"maxTotal": 16}
    assert merged("DataSource", [{"maxTotal": -1}, {"maxTotal": -1}]) == {"maxTotal": -1}


def test_who_has_served_nothing_has_no_shortest_request() -> None:
    values = [{"requestCount": 0, "minTime": 0}, {"requestCount": 2, "minTime": 7}]
    assert merged("Servlet", values) == {"requestCount": 2, "minTime": 7}


def test_who_resets_counts_sees_them_reset(make_node: MakeNode) -> None:
    beans = Beans(make_node)
    first, _ = beans.register(TRAFFIC, RequestGroupInfo)
    first.count(3_000_000, False, 10, 1)
    assert beans.keeper.find(TRAFFIC).get("requestCount") == 1
    beans.keeper.invoke(TRAFFIC, "resetCounters", [], CALLER)
    assert beans.keeper.find(TRAFFIC).get("requestCount") == 0


def test_the_counts_of_replication_are_sums(beans: Beans) -> None:
    name = ObjectName.parse("Catalina:type=Valve,host=localhost,name=ReplicationValve")
    for number, valve in enumerate(beans.register(name, ReplicationValve), 1):
        valve.nr_of_requests, valve.nr_of_send_requests, valve.last_send_time = 10 * number, number, number
    bean = beans.keeper.find(name)
    assert [bean.get(each) for each in ("nrOfRequests", "nrOfSendRequests", "lastSendTime")] == [30, 3, 2000]


def test_the_valves_of_a_hosts_cluster_are_the_engines_in_workers(beans: Beans) -> None:
    name = ObjectName.parse("Catalina:type=Valve,host=localhost,name=ReplicationValve")
    beans.keeper.register(name, ReplicationValve())
    valve = ReplicationValve()
    beans.workers[0].register(ObjectName.parse("Catalina:type=Valve,name=ReplicationValve"), valve)
    beans.keeper.set(name, "doProcessingStats", True, CALLER)
    assert valve.statistics is True
    valve.nr_of_requests = 3
    assert beans.keeper.find(name).get("nrOfRequests") == 3
    assert beans.keeper.find(ObjectName.parse(f"{name},worker=0")).get("nrOfRequests") == 3


HOST = ObjectName.parse("Catalina:type=Host,host=localhost")


def test_a_worker_that_comes_later_makes_the_changes_too(beans: Beans) -> None:
    beans.register(LOG, AccessLogValve)
    hosts = beans.register(HOST, lambda: StandardHost(name="localhost"))
    beans.keeper.set(LOG, "enabled", False, CALLER)
    for alias in ("a.example", "b.example"):
        beans.keeper.invoke(HOST, "addAlias", [alias], CALLER)
    beans.keeper.invoke(HOST, "removeAlias", ["a.example"], CALLER)
    assert [host.aliases for host in hosts] == [["b.example"]] * 2
    beans.come_back(1)
    valve, host = AccessLogValve(), StandardHost(name="localhost")
    beans.workers[1].register(LOG, valve)
    beans.workers[1].register(HOST, host)
    beans.keeper.invoke(HOST, "addAlias", ["c.example"], CALLER)
    assert host.aliases == [], "it has not made the changes before"
    beans.catch_up(1)
    assert (valve.enabled, host.aliases) == (False, ["b.example", "c.example"])
    beans.keeper.invoke(HOST, "addAlias", ["d.example"], CALLER)
    assert host.aliases == ["b.example", "c.example", "d.example"]


def test_what_counts_only_once_is_not_repeated(beans: Beans) -> None:
    beans.register(TRAFFIC, RequestGroupInfo)
    beans.keeper.invoke(TRAFFIC, "resetCounters", [], CALLER)
    beans.come_back(1)
    info = RequestGroupInfo()
    info.count(3_000_000, False, 10, 1)
    beans.workers[1].register(TRAFFIC, info)
    beans.catch_up(1)
    assert info.request_count == 1


def test_a_change_of_an_application_that_was_replaced_is_not_repeated(beans: Beans) -> None:
    name = ObjectName.parse("Catalina:type=Valve,host=localhost,context=/shop,name=AccessLogValve")
    beans.register(name, AccessLogValve)
    beans.keeper.set(name, "enabled", False, CALLER)
    beans.keeper.register(name, AccessLogValve(enabled=False))
    beans.come_back(1)
    valve = AccessLogValve()
    beans.workers[1].register(name, valve)
    beans.catch_up(1)
    assert valve.enabled is True


def test_what_a_worker_cannot_repeat_is_logged_and_the_rest_is_done(
    beans: Beans, caplog: pytest.LogCaptureFixture
) -> None:
    beans.register(HOST, lambda: StandardHost(name="localhost"))
    beans.register(LOG, AccessLogValve)
    beans.keeper.invoke(HOST, "addAlias", ["a.example"], CALLER)
    beans.keeper.set(LOG, "enabled", False, CALLER)
    beans.come_back(1)
    valve = AccessLogValve()
    beans.workers[1].register(LOG, valve)
    beans.catch_up(1)
    assert valve.enabled is False
    assert "[addAlias] of [Catalina:type=Host,host=localhost] is not as the other processes have it" in caplog.text


def test_the_number_of_remembered_changes_is_bounded(beans: Beans, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_beans, "MAX_CHANGES", 3)
    beans.register(HOST, lambda: StandardHost(name="localhost"))
    for number in range(5):
        beans.keeper.invoke(HOST, "addAlias", [f"h{number}.example"], CALLER)
    beans.come_back(1)
    host = StandardHost(name="localhost")
    beans.workers[1].register(HOST, host)
    beans.catch_up(1)
    assert host.aliases == ["h2.example", "h3.example", "h4.example"]


def test_a_keeper_that_follows_another_one_hears_of_the_changes_from_the_workers(beans: Beans) -> None:
    beans.register(LOG, AccessLogValve)
    beans.register(HOST, lambda: StandardHost(name="localhost"))
    beans.keeper.set(LOG, "enabled", False, CALLER)
    beans.keeper.invoke(HOST, "addAlias", ["a.example"], CALLER)
    later, valve, host = Registry(), AccessLogValve(), StandardHost(name="localhost")
    later.register(LOG, valve)
    later.register(HOST, host)
    NodeBeans(later, beans.node.keeper.links, beans.node.memory.section("stopped"))
    for worker in range(2):
        beans.offered[worker].tell(beans.node.workers[worker].queries.call)
    assert (valve.enabled, host.aliases) == (False, ["a.example"])
    later.set(LOG, "enabled", True, CALLER)
    beans.offered[0].tell(beans.node.workers[0].queries.call)
    assert valve.enabled is True, "what the new keeper knows counts"
    beans.come_back(1)
    last = StandardHost(name="localhost")
    beans.workers[1].register(HOST, last)
    beans.catch_up(1)
    assert last.aliases == ["a.example"]


def test_a_file_is_written_by_the_keeper_alone(beans: Beans) -> None:
    class Database(Component):
        saves = 0

        @operation(once=True)
        def save(self) -> None:
            self.saves += 1

    made = beans.register(LOG, Database)
    beans.keeper.invoke(LOG, "save", [], CALLER)
    component = beans.keeper.find(LOG).component
    assert isinstance(component, Database)
    assert (component.saves, [each.saves for each in made]) == (1, [0, 0])


def next_keeper(beans: Beans, name: ObjectName, component: Any) -> Any:
    """The component of another keeper, which has started."""
    registry = Registry()
    registry.register(name, component)
    NodeBeans(registry, beans.node.keeper.links, beans.node.memory.section("stopped")).stop_again()
    return component


def test_an_application_that_was_stopped_is_stopped_at_the_next_keeper_until_it_starts(beans: Beans) -> None:
    engine, host, context = StandardEngine(name="Catalina"), StandardHost(name="a.org"), StandardContext(path="/shop")
    engine.add_child(host)
    host.add_child(context)
    name = context.object_name("Catalina", "a.org")
    beans.keeper.register(name, context)
    beans.keeper.invoke(name, "stop", [], CALLER)

    def is_stopped_next() -> bool:
        """True when another keeper stops the application that it has started."""
        other = StandardContext(path="/shop")
        other.state = LifecycleState.STARTED
        next_keeper(beans, name, other)
        return other.state is LifecycleState.STOPPED

    assert is_stopped_next()
    beans.beans.started(context)
    assert not is_stopped_next()


def test_the_level_of_a_logger_that_only_workers_have_can_be_set(beans: Beans) -> None:
    name, shop = ObjectName.parse("java.util.logging:type=Logging"), "tests.node.beans.shop"
    beans.register(name, LoggingBean)
    assert shop not in beans.keeper.find(name).get("LoggerNames")
    values = {"LoggerNames": [shop]}
    beans.node.workers[0].channel.services.add(node_beans.COUNTS, lambda _, __: {str(name): values})
    try:
        assert shop in beans.keeper.find(name).get("LoggerNames")
        beans.keeper.invoke(name, "setLoggerLevel", [shop, "FINE"], CALLER)
        assert logging.getLogger(shop).level == logging.DEBUG
    finally:
        logging.Logger.manager.loggerDict.pop(shop, None)
