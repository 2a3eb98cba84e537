"""``catalina.testing`` itself: kill, revive, partition, heal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from catalina.testing import Group
from tests.development.running import COUNTER

pytestmark = pytest.mark.cluster


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    directory = tmp_path / "counter"
    directory.mkdir()
    (directory / "wsgi.py").write_text(COUNTER)
    (directory / "word.py").write_text('word = "n"\n')
    return directory


@pytest.mark.parametrize("manager", ["DeltaManager", "BackupManager"])
def test_a_session_goes_on_when_its_node_is_killed_and_when_it_is_back(
    catalina_nodes: Callable[..., Group], counter: Path, manager: str
) -> None:
    nodes = catalina_nodes(counter, count=2, path="/shop", manager=manager)
    browser = nodes.browser()
    assert [browser.get("/").text for _ in range(2)] == ["n 1", "n 2"]
    first = browser.node
    nodes.kill(first)
    assert browser.get("/").text == "n 3"
    assert browser.node != first
    nodes.revive(first)
    nodes.kill(browser.node)
    assert browser.get("/").text == "n 4"
    assert browser.node == first


def test_the_nodes_of_several_workers_are_a_group_like_any_other(
    catalina_nodes: Callable[..., Group], counter: Path
) -> None:
    nodes = catalina_nodes(counter, count=2, workers=2)
    browser = nodes.browser()
    assert [browser.get("/").text for _ in range(3)] == ["n 1", "n 2", "n 3"]
    first = browser.node
    nodes.kill(first)
    assert browser.get("/").text == "n 4"
    nodes.revive(first)
    nodes.kill(browser.node)
    assert browser.get("/").text == "n 5"


def test_both_sides_of_a_partition_serve_and_meet_again(catalina_nodes: Callable[..., Group], counter: Path) -> None:
    nodes = catalina_nodes(counter, count=3)
    one, two = nodes.browser(), nodes.browser()
    one.get("/", on="node1")
    nodes.partition(["node1"], ["node2", "node3"])
    assert one.get("/", on="node1").text == "n 2"
    assert two.get("/", on="node2").text == "n 1"
    assert two.get("/", on="node3").text == "n 2"
    nodes.heal()
    nodes.wait_until(lambda: len(nodes["node1"].sessions()) == 2, "node1 has the session that was made without it")
    nodes.wait_until(lambda: len(nodes["node3"].sessions()) == 2, "node3 has both sessions")
    assert two.get("/", on="node1").text == "n 3"


def test_an_application_that_does_not_start_is_shown_with_its_log(
    catalina_nodes: Callable[..., Group], counter: Path
) -> None:
    (counter / "word.py").write_text("import nowhere\n")
    with pytest.raises(AssertionError, match=r"(?s)No module named 'nowhere'.*Traceback"):
        catalina_nodes(counter)
