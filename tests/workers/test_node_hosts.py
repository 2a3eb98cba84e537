"""The hosts that the host manager has added and removed."""

from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.workers.lasting_memory import LastingMemory
from catalina.workers.node_hosts import NodeHosts


def engine(*names: str) -> StandardEngine:
    made = StandardEngine(name="Catalina", default_host="localhost")
    for name in names:
        made.add_child(StandardHost(name=name))
    return made


def added(name: str, **settings: bool) -> StandardHost:
    host = StandardHost(name=name, app_base="b", **settings)
    host.add_alias(f"www.{name}")
    host.parent = engine()
    return host


def test_the_next_keeper_has_the_same_hosts(memory: LastingMemory) -> None:
    hosts = NodeHosts(memory.section("hosts"))
    hosts.add(added("b.org", auto_deploy=False))
    hosts.add(added("c.org"))
    hosts.remove("Catalina", "localhost")
    hosts.remove("Catalina", "c.org")
    after, led = engine("localhost", "d.org"), list[str]()
    NodeHosts(memory.section("hosts")).restore([after], lambda host: led.append(host.name))
    assert [child.name for child in after.children] == ["d.org", "b.org"]
    found = after.find_child("b.org")
    assert isinstance(found, StandardHost)
    assert (found.app_base, found.aliases, found.auto_deploy, found.unpack_wars) == ("b", ["www.b.org"], False, True)
    assert led == ["b.org"]


def test_a_host_of_server_xml_can_be_removed_and_another_of_its_name_added(memory: LastingMemory) -> None:
    hosts = NodeHosts(memory.section("hosts"))
    hosts.remove("Catalina", "localhost")
    hosts.add(added("localhost"))
    told = hosts.told()
    assert told["removed"] == [{"engine": "Catalina", "name": "localhost"}]
    assert [host["app_base"] for host in told["hosts"]] == ["b"]
    after = engine("localhost")
    hosts.restore([after], lambda host: None)
    [found] = after.children
    assert isinstance(found, StandardHost)
    assert found.app_base == "b"
    hosts.remove("Catalina", "localhost")
    assert hosts.told()["hosts"] == []
    assert hosts.told()["removed"] == [{"engine": "Catalina", "name": "localhost"}]


def test_hosts_of_another_engine_are_not_this_ones(memory: LastingMemory) -> None:
    hosts = NodeHosts(memory.section("hosts"))
    hosts.remove("Other", "localhost")
    after = engine("localhost")
    hosts.restore([after], lambda host: None)
    assert [child.name for child in after.children] == ["localhost"]
