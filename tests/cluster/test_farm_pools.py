"""A farm whose applications have processes of their own: a version that does not answer its healthPath goes nowhere, or
back. Three real nodes, and a fourth that joins later.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.test_farm import Farm
from tests.deploy.archives import make_zip
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

CONTEXT = '<Context isolation="process" healthPath="/health"/>'
#: Answers its version; its health is bad on the nodes whose names it is given.
APPLICATION = """
import os
VERSION, ILL = {version!r}, {ill!r}

def application(environ, start_response):
    is_ill = environ["PATH_INFO"] == "/health" and os.path.basename(os.environ["CATALINA_BASE"]) in ILL
    start_response("503 Ill" if is_ill else "200 OK", [("Content-Type", "text/plain")])
    return [VERSION.encode()]

distributable = True
"""


def lay(farm: Farm, version: str, ill: str = "", name: str = "shop.zip") -> Path:
    """Lay a version into the watched directory, in one step."""
    made = make_zip(
        farm.nodes["a"].base / name,
        {"wsgi.py": APPLICATION.format(version=version, ill=ill), "META-INF/context.xml": CONTEXT},
    )
    return made.replace(farm.listen("a") / name)


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    farm = Farm(tmp_path, "abcd", watchers="a")
    for node in farm.nodes.values():
        node.options = "-Dcatalina.keeper=true"
        node.workers = 1
    try:
        for name in "abc":
            farm.nodes[name].start(wait=False)
        for name in "abc":
            wait_until(farm.nodes[name]._answers, f"{name} serves", seconds=60)
        wait_until(lambda: all("Cluster FarmWarDeployer started" in farm.nodes[name].log for name in "abc"), "a farm")
        yield farm
    finally:
        farm.close()


def test_a_version_that_fails_is_taken_back_everywhere(farm: Farm) -> None:
    lay(farm, "one")
    farm.wait_for("one", "abc", seconds=60)
    lay(farm, "ill at once", ill="abc")
    wait_until(
        lambda: "does not run here, so it is not sent to the other members" in farm.nodes["a"].log, "refused", 60
    )
    assert "healthPath [/health] answers 503" in farm.nodes["a"].log
    assert farm.says("a") == "one"
    lay(farm, "ill on b", ill="b")
    back = "every node goes back to the version before it, as it does not start on"
    for name in "ac":
        wait_until(lambda name=name: back in farm.nodes[name].log, f"{name} says why", seconds=90)  # type: ignore[misc]
    farm.wait_for("one", "abc", seconds=60)
    lines = [line for name in "abc" for line in farm.nodes[name].log.splitlines() if back in line]
    assert len(lines) == 3, "one line on each node"
    assert all("healthPath [/health] answers 503, expected a status below 500" in line for line in lines)
    assert not any("ill at once" in farm.nodes[name].log for name in "bc")
    farm.nodes["d"].start(wait=False)
    wait_until(farm.nodes["d"]._answers, "a late joiner serves", seconds=60)
    farm.wait_for("one", "d", seconds=90)
    lay(farm, "two")
    farm.wait_for("two", "abcd", seconds=90)


def test_a_version_beside_another_one_is_removed_again(farm: Farm) -> None:
    lay(farm, "one", name="shop##1.zip")
    farm.wait_for("one", "abc", seconds=60)
    lay(farm, "two", ill="c", name="shop##2.zip")
    wait_until(lambda: "every node goes back to the version before it" in farm.nodes["a"].log, "it is taken back", 90)
    farm.wait_for("one", "abc", seconds=60)
    for name in "abc":
        wait_until(
            lambda name=name: not (farm.nodes[name].base / "webapps" / "shop##2.zip").exists(),  # type: ignore[misc]
            f"its archive has gone from {name}",
            seconds=30,
        )
