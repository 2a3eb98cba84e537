"""A farm of three nodes: what is put into watchDir of one runs on all. Real processes on loopback."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from catalina.startup import control_client
from catalina.startup.control_socket import socket_path
from tests.cluster.clusters import full
from tests.cluster.namespaces import Switch
from tests.cluster.node import Node
from tests.deploy.archives import hello, make_wheel, make_zip
from tests.support.needs import need_network_namespaces
from tests.support.ports import free_udp_port
from tests.support.waiting import assert_stays, wait_until

pytestmark = pytest.mark.cluster


def deployer(watch: bool) -> str:
    """The HOW-TO's element, with directories of the node's own."""
    return (
        '<Deployer className="org.apache.catalina.ha.deploy.FarmWarDeployer" tempDir="farm/temp/" deployDir="webapps/"'
        f' watchDir="farm/listen/" watchEnabled="{str(watch).lower()}" processDeployFrequency="1"/>'
    )


class Farm:
    """Nodes of one group; those in ``watchers`` watch."""

    def __init__(
        self, directory: Path, names: str, watchers: str, switch: Switch | None = None, send_options: int = 8
    ) -> None:
        port = free_udp_port()
        addresses: dict[str, Any] = {} if switch is None else {"receiver": 'address="auto"', "bind": ""}
        self.nodes: dict[str, Node] = {}
        for name in names:
            cluster = full(port, send_options, deployer=deployer(name in watchers), **addresses)
            namespace = switch.add(name) if switch is not None else None
            self.nodes[name] = Node(name, directory / name, cluster=cluster, namespace=namespace)

    def start(self, *names: str) -> None:
        for name in names:
            self.nodes[name].start(wait=False)
        for name in names:
            self.nodes[name].wait_started()

    def listen(self, name: str) -> Path:
        return self.nodes[name].base / "farm" / "listen"

    def says(self, name: str, app: str = "/shop") -> str:
        answer = self.nodes[name].get("/", app=app)
        return answer.body.decode() if answer.status == 200 else str(answer.status)

    def wait_for(self, expected: str, names: str, app: str = "/shop", seconds: float = 20) -> None:
        for name in names:
            wait_until(partial(self._says_now, expected, name, app), f"{app} on {name}: {expected}", seconds)

    def _says_now(self, expected: str, name: str, app: str) -> bool:
        return self.says(name, app) == expected

    def cut(self, name: str) -> None:
        """The node's cable is out; its own loopback, on which the test asks, is not."""
        namespace = self.nodes[name].namespace
        assert namespace is not None
        namespace.cut()

    def mend(self, name: str) -> None:
        namespace = self.nodes[name].namespace
        assert namespace is not None
        namespace.mend()

    def close(self) -> None:
        for node in self.nodes.values():
            node.close()


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """Three nodes, the first watches; the tests of the module share them, each with an application of its own."""
    farm = Farm(tmp_path_factory.mktemp("farm"), "abc", watchers="a")
    try:
        farm.start("a", "b", "c")
        yield farm
    finally:
        farm.close()


@pytest.fixture
def new_farm(tmp_path: Path) -> Iterator[object]:
    farms: list[Farm] = []

    def make(names: str, watchers: str) -> Farm:
        farms.append(Farm(tmp_path, names, watchers))
        return farms[-1]

    yield make
    for farm in farms:
        farm.close()


def wheel(directory: Path, text: str, name: str = "shop", version: str = "1", **files: str) -> Path:
    return make_wheel(directory, name, version, {f"{name}.py": hello(text), **files})


def test_a_wheel_put_into_the_watched_directory_runs_everywhere_changes_and_goes(farm: Farm) -> None:
    file = wheel(farm.listen("a"), "one")
    farm.wait_for("one", "abc")
    wheel(farm.listen("a"), "two")
    farm.wait_for("two", "abc")
    file.unlink()
    farm.wait_for("404", "abc")
    nodes = farm.nodes.values()
    wait_until(lambda: not any(list(node.base.glob("webapps/shop*")) for node in nodes), "its files are gone")
    for node in nodes:
        left = [path.name for path in (node.base / "farm/temp").rglob("*") if path.is_file()]
        assert left == ["farm-state.json"]


@pytest.mark.parametrize("suffix", ["war", "zip"])
def test_wars_and_zips_are_farmed_too(farm: Farm, suffix: str) -> None:
    name = f"plain{suffix}"
    make_zip(farm.listen("a") / f"{name}.{suffix}", {"wsgi.py": hello(suffix)})
    farm.wait_for(suffix, "abc", f"/{name}")


def test_a_version_that_does_not_start_is_not_spread_and_the_old_one_runs_on(farm: Farm) -> None:
    wheel(farm.listen("a"), "good", "steady")
    farm.wait_for("good", "abc", "/steady")
    make_wheel(farm.listen("a"), "steady", "1", {"steady.py": "application = 1/0\n"})
    said = "does not run here, so it is not sent to the other members"
    wait_until(lambda: said in farm.nodes["a"].log, said)
    farm.wait_for("good", "abc", "/steady")


def test_a_corrupt_archive_is_refused_in_one_line_and_the_old_one_runs_on(farm: Farm) -> None:
    file = wheel(farm.listen("a"), "good", "solid")
    farm.wait_for("good", "abc", "/solid")
    file.write_bytes(b"no zip")
    lines = wait_until(
        lambda: [line for line in farm.nodes["a"].log.splitlines() if "not a usable zip" in line], "said"
    )
    assert len(lines) == 1
    farm.wait_for("good", "abc", "/solid")


def test_a_half_copied_archive_waits_for_the_rest(farm: Farm) -> None:
    whole = wheel(farm.nodes["a"].base / "elsewhere", "whole", "halves").read_bytes()
    with open(farm.listen("a") / "halves-1-py3-none-any.whl", "wb") as copy:
        copy.write(whole[: len(whole) // 2])
        copy.flush()
        assert_stays(lambda: farm.says("a", "/halves") == "404", "half an archive is not deployed", 1)
        copy.write(whole[len(whole) // 2 :])
    farm.wait_for("whole", "abc", "/halves")


def test_two_versions_run_beside_each_other(farm: Farm) -> None:
    wheel(farm.listen("a"), "nine", "sorted", "1.9")
    farm.wait_for("nine", "abc", "/sorted")
    wheel(farm.listen("a"), "ten", "sorted", "1.10")
    farm.wait_for("ten", "abc", "/sorted")
    for node in farm.nodes.values():
        assert len(list(node.base.glob("webapps/sorted##1.*/WEB-INF/lib/sorted.py"))) == 2


def test_a_node_that_joins_later_gets_the_current_archives(new_farm: Any) -> None:
    farm = new_farm("ab", "a")
    farm.start("a")
    wheel(farm.listen("a"), "early")
    gone = wheel(farm.listen("a"), "gone", "other")
    farm.wait_for("early", "a")
    farm.wait_for("gone", "a", "/other")
    gone.unlink()
    farm.wait_for("404", "a", "/other")
    farm.start("b")
    farm.wait_for("early", "ab")
    assert farm.says("b", "/other") == "404"


def test_a_node_that_hangs_meanwhile_gets_what_it_missed_when_it_goes_on(new_farm: Any) -> None:
    farm = new_farm("ab", "a")
    farm.start("a", "b")
    kept = wheel(farm.listen("a"), "old", "removed")
    wheel(farm.listen("a"), "one")
    farm.wait_for("one", "ab")
    farm.wait_for("old", "ab", "/removed")
    worker = farm.nodes["b"].processes()[-1]
    os.kill(worker, signal.SIGSTOP)
    try:
        wheel(farm.listen("a"), "two", **{"pad.txt": os.urandom(3_000_000).hex()})
        kept.unlink()
        farm.wait_for("two", "a")
        wait_until(lambda: "has not arrived at" in farm.nodes["a"].log, "a notices", 60)
    finally:
        os.kill(worker, signal.SIGCONT)
    farm.wait_for("two", "ab", seconds=60)
    farm.wait_for("404", "ab", "/removed")


def test_two_nodes_that_farm_one_name_at_once_end_in_the_same_state(new_farm: Any) -> None:
    farm = new_farm("abc", "ab")
    farm.start("a", "b", "c")
    padding = os.urandom(3_000_000).hex()
    for round_number in range(3):
        first = wheel(farm.nodes["a"].base / "from", f"a{round_number}", **{"pad.txt": padding})
        second = wheel(farm.nodes["b"].base / "from", f"b{round_number}", **{"pad.txt": padding})
        os.replace(first, farm.listen("a") / first.name)
        os.replace(second, farm.listen("b") / second.name)

        def agreed(number: int = round_number) -> bool:
            said = {farm.says(name) for name in "abc"}
            return len(said) == 1 and said <= {f"a{number}", f"b{number}"}

        wait_until(agreed, "all say the same", 30)


def test_a_restarted_node_farms_nothing_again(new_farm: Any) -> None:
    farm = new_farm("ab", "a")
    farm.start("a", "b")
    wheel(farm.listen("a"), "one")
    farm.wait_for("one", "ab")
    deployed = farm.nodes["b"].log.count("Deploying web application archive")
    farm.nodes["a"].stop()
    farm.start("a")
    farm.wait_for("one", "ab")
    wait_until(lambda: farm.nodes["b"].log.count("member added") == 2, "a is back")
    log = "Deploying web application archive"
    assert_stays(lambda: farm.nodes["b"].log.count(log) == deployed, "nothing is deployed again", 2)


def test_an_archive_removed_while_its_node_was_down_goes_everywhere(new_farm: Any) -> None:
    farm = new_farm("ab", "a")
    farm.start("a", "b")
    file = wheel(farm.listen("a"), "one")
    farm.wait_for("one", "ab")
    farm.nodes["a"].stop()
    file.unlink()
    farm.start("a")
    farm.wait_for("404", "ab")


def test_a_watched_directory_inside_the_deployed_one_is_refused_with_both_named(new_farm: Any) -> None:
    farm = new_farm("a", "a")
    server_xml = farm.nodes["a"].base / "conf/server.xml"
    server_xml.write_text(server_xml.read_text().replace("farm/listen/", "webapps/listen/"))
    farm.nodes["a"].start(wait=False)
    wait_until(lambda: "must not be deployDir" in farm.nodes["a"].log, "refused")
    base = farm.nodes["a"].base
    assert f"watchDir [{base}/webapps/listen/] must not be deployDir [{base}/webapps/]" in farm.nodes["a"].log
    assert farm.nodes["a"].process is not None
    assert farm.nodes["a"].process.wait(20) != 0


def test_the_command_farms_and_says_how_many_nodes_have_it(farm: Farm, capsys: pytest.CaptureFixture[str]) -> None:
    base = farm.nodes["a"].base
    wait_until(socket_path(base).exists, "the node takes commands")
    assert control_client.main("deploy", ["--farm", str(wheel(base / "from", "typed", "typed"))], base) == 0
    assert capsys.readouterr().out.startswith("deployed [/typed##1]: sent to 2 of 2 members in ")
    farm.wait_for("typed", "abc", "/typed")
    assert control_client.main("deploy", ["--farm", str(broken(base / "from"))], base) == 1
    said = capsys.readouterr().err
    assert said.startswith("catalina: [/broken##1]: does not start: ")
    assert "ZeroDivisionError: division by zero" in said


def test_the_command_undeploys_on_all_nodes(farm: Farm, capsys: pytest.CaptureFixture[str]) -> None:
    wheel(farm.listen("a"), "goes", "goes")
    farm.wait_for("goes", "abc", "/goes")
    base = farm.nodes["a"].base
    assert control_client.main("undeploy", ["/goes##1"], base) == 1
    assert "catalina undeploy --farm /goes##1" in capsys.readouterr().err
    farm.wait_for("goes", "abc", "/goes")
    assert control_client.main("undeploy", ["--farm", "/goes##1"], base) == 0
    assert capsys.readouterr().out == "undeployed [/goes##1] here and told 2 members\n"
    farm.wait_for("404", "abc", "/goes")
    assert not list(farm.listen("a").glob("goes*"))


def broken(directory: Path) -> Path:
    return make_wheel(directory, "broken", "1", {"broken.py": "application = 1/0\n"})


@pytest.mark.netns
def test_a_node_whose_cable_is_out_during_the_transfer_gets_the_file_when_it_is_in_again(tmp_path: Path) -> None:
    need_network_namespaces()
    switch = Switch()
    farm = Farm(tmp_path, "ab", watchers="a", switch=switch)
    try:
        farm.start("a", "b")
        wheel(farm.listen("a"), "one")
        farm.wait_for("one", "ab")
        wheel(farm.listen("a"), "two", **{"pad.txt": os.urandom(20_000_000).hex()})
        wait_until(
            lambda: any((farm.nodes["b"].base / "farm/temp").glob("*/incoming-*/*")), "the transfer has begun", 30
        )
        farm.cut("b")
        wait_until(lambda: "has not arrived at" in farm.nodes["a"].log, "a notices", 90)
        farm.wait_for("two", "a")
        farm.wait_for("one", "b")
        farm.mend("b")
        farm.wait_for("two", "b", seconds=90)
    finally:
        farm.close()
        switch.close()
