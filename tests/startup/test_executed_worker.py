"""A pool's worker asks what it shall run, and becomes another program."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalina.deploy.virtual_environment import OwnPython
from catalina.errors import CatalinaError
from catalina.reactor import Reactor
from catalina.startup.catalina import Catalina
from catalina.startup.executed_worker import HELD_SIGNALS, execute, own_python, tell_failure
from catalina.startup.node_life import NodeLife
from catalina.workers.pool_rights import PoolRights
from catalina.workers.services import SEAT, SEAT_FAILED
from catalina.workers.shared_parts import SharedParts
from catalina.workers.worker_links import WorkerLinks
from tests.workers.links import listening_socket

PYTHON = {"program": "/srv/venv/bin/python", "version": "3.13", "imports": ["/srv/a", "/srv/b"]}


class Keeper:
    """A keeper that has nothing but the links to workers.

    Args:
        answers: of the service, one after the other, the last one again and again.
    """

    def __init__(self, *answers: Any) -> None:
        self.listening = listening_socket()
        self.reactor = Reactor("keeper")
        self.links = WorkerLinks(self.listening, self.reactor)
        self.links.rights = PoolRights(lambda _: "Catalina/localhost//shop")
        self.links.services.add(SEAT, self._answer)
        self.answers = list(answers)
        self.callers: list[int | None] = []
        self.reactor.start()

    def _answer(self, caller: int | None, _: object) -> Any:
        self.callers.append(caller)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self) -> None:
        self.links.close()
        self.reactor.stop()
        self.listening.close()


@pytest.fixture
def keepers() -> Iterator[list[Keeper]]:
    made: list[Keeper] = []
    yield made
    for keeper in made:
        keeper.close()


@pytest.mark.parametrize(
    ("told", "found"),
    [(None, None), (PYTHON, OwnPython("/srv/venv/bin/python", "3.13", ("/srv/a", "/srv/b")))],
)
def test_the_keeper_says_which_python_a_seat_has_as_soon_as_an_application_has_it(
    keepers: list[Keeper], told: Any, found: OwnPython | None
) -> None:
    keeper = Keeper(None, CatalinaError("not yet"), {"python": told})
    keepers.append(keeper)
    keeper.links.open()
    assert own_python(keeper.listening.getsockname(), 515, lambda: False) == found
    assert keeper.callers == [515] * 3


def test_the_wait_ends_with_the_node_whether_the_keeper_answers_or_not(keepers: list[Keeper]) -> None:
    keeper = Keeper(None)
    keepers.append(keeper)
    looks = iter([False] * 5)
    assert own_python(keeper.listening.getsockname(), 512, lambda: next(looks, True)) is None
    keeper.links.open()
    assert own_python(keeper.listening.getsockname(), 512, lambda: len(keeper.callers) >= 2) is None


def test_a_keeper_that_comes_later_is_asked_again(keepers: list[Keeper]) -> None:
    with socket.socket(socket.AF_UNIX) as nobody:
        nobody.bind("")
        address = nobody.getsockname()
    found: list[OwnPython | None] = []
    looks: list[int] = []

    def is_ending() -> bool:
        looks.append(1)
        return len(looks) > 5

    thread = threading.Thread(target=lambda: found.append(own_python(address, 512, is_ending)))
    thread.start()
    thread.join(15)
    assert found == [None], "nobody listens, and it looks until the node ends"


#: In the place of the real program: writes what it finds.
PROGRAM = """
import json, os, signal, sys

def main(memory):
    with open(memory) as file:
        birth = json.load(file)
    shared = birth["shared"]
    numbers = [birth["life"], shared["listening"], shared["counts"], *sum(shared["pairs"].values(), [])]
    facts = {
        "birth": birth, "path": sys.path, "flags": [sys.flags.isolated, sys.flags.no_site],
        "held": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "open": [os.fstat(each).st_ino for each in numbers],
        "arguments": sys.argv,
    }
    with open(birth["properties"]["facts"], "w") as file:
        json.dump(facts, file)
"""


def test_the_program_gets_descriptors_and_one_text(tmp_path: Path) -> None:
    package = tmp_path / "imports" / "catalina" / "startup"
    package.mkdir(parents=True)
    (package / "pool_program.py").write_text(PROGRAM)
    file = tmp_path / "facts"
    catalina = Catalina(tmp_path, tmp_path, {"facts": str(file), "password": "secret"})
    catalina.files = {"/conf/server.xml": b"<Server\xff/>"}
    life, shared = NodeLife(), SharedParts.make(2)
    python = OwnPython(sys.executable, "3.11", (str(tmp_path / "imports"),))
    child = os.fork()
    if child == 0:
        try:
            execute(catalina, life, shared, 513, 4711, python)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    facts = json.loads(file.read_text())
    birth = facts["birth"]
    assert (birth["place"], birth["parent"], birth["properties"]["password"]) == (513, 4711, "secret")
    assert birth["files"] == {"/conf/server.xml": "PFNlcnZlcv8vPg=="}
    assert facts["path"][-1] == str(tmp_path / "imports")
    assert not any("site-packages" in path for path in facts["path"])
    assert facts["flags"] == [1, 1]
    assert facts["held"] == sorted(HELD_SIGNALS)
    told = shared.told()
    pairs = [number for pair in told["pairs"].values() for number in pair]
    numbers = [life.memory.descriptor, told["listening"], told["counts"], *pairs]
    assert facts["open"] == [os.fstat(each).st_ino for each in numbers]
    assert [word for word in facts["arguments"] if "secret" in word or "password" in word] == []
    assert not any(os.get_inheritable(number) for number in numbers), "only in the child"
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    shared.close()


def test_a_program_that_is_none_is_said_by_the_kernel(tmp_path: Path) -> None:
    life, shared = NodeLife(), SharedParts.make(1)
    python = OwnPython(str(tmp_path / "nothing"), "3.11", ())
    child = os.fork()
    if child == 0:
        try:
            execute(Catalina(tmp_path, tmp_path), life, shared, 513, 4711, python)
        except FileNotFoundError:
            os._exit(7)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    shared.close()


def test_a_reason_reaches_the_keeper_or_the_log(keepers: list[Keeper], caplog: pytest.LogCaptureFixture) -> None:
    keeper = Keeper(None)
    keepers.append(keeper)
    heard: list[tuple[int | None, str]] = []
    keeper.links.services.add(SEAT_FAILED, lambda caller, why: heard.append((caller, why)))
    keeper.links.open()
    tell_failure(keeper.listening.getsockname(), 514, "its Python has gone")
    assert heard == [(514, "its Python has gone")]
    tell_failure(b"\0nobody-listens-here", 514, "its Python has gone")
    assert ["does not hear why the process in seat [514] ends" in text for text in caplog.messages] == [True]
