"""Memory that outlives a keeper."""

import os

import pytest

from catalina.workers import lasting_memory
from catalina.workers.lasting_memory import LastingMemory
from tests.support.waiting import wait_until


def in_a_process(memory: LastingMemory, *values: tuple[str, object]) -> None:
    """Let another process, a keeper, put values and be killed."""
    pid = os.fork()
    if pid == 0:
        for name, value in values:
            memory.put(name, value)
        os._exit(0)
    wait_until(lambda: os.waitpid(pid, os.WNOHANG)[0] == pid, "the end of the process")


def test_the_next_keeper_has_what_the_last_one_has_kept() -> None:
    memory = LastingMemory()
    in_a_process(memory, ("a", 1), ("b", ["x", None]), ("a", {"y": 2}))
    in_a_process(memory, ("c", True), ("b", None))
    assert memory.items() == {"a": {"y": 2}, "c": True}
    memory.close()


def test_values_have_the_order_in_which_they_were_set() -> None:
    memory = LastingMemory()
    for name in ("a", "b", "a"):
        memory.put(name, name)
    assert list(memory.items()) == ["b", "a"]
    memory.close()


def test_a_section_has_its_own_names() -> None:
    memory = LastingMemory()
    hosts = memory.section("hosts")
    hosts.put("b.org", "b")
    hosts.section("more").put("c.org", "c")
    memory.section("host").put("b.org", "other")
    assert hosts.items() == {"b.org": "b", "more\0c.org": "c"}
    assert hosts.section("more").items() == {"c.org": "c"}
    hosts.put("b.org", None)
    assert memory.section("host").items() == {"b.org": "other"}
    memory.close()


def test_a_record_that_is_not_whole_ends_what_is_known(caplog: pytest.LogCaptureFixture) -> None:
    memory = LastingMemory()
    memory.put("a", 1)
    whole = memory._state()[1]
    memory.put("b", 2)
    os.pwrite(memory._files[0], b"\xff", whole + 12)
    memory._known = None  # as another process begins
    assert memory.items() == {"a": 1}
    assert "broken record" in caplog.text
    memory.put("c", 3)
    memory._known = None
    assert memory.items() == {"a": 1, "c": 3}, "it is written over"
    memory.close()


def test_what_is_forgotten_costs_no_memory_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting_memory, "COMPACT_BYTES", 1000)
    memory = LastingMemory()
    for number in range(2000):
        memory.put("count", number)
        memory.put(f"one {number}", number)
        memory.put(f"one {number}", None)
    assert memory._state()[1] < 3000
    assert sum(os.fstat(descriptor).st_size for descriptor in memory._files) < 6000
    memory._known = None
    assert memory.items() == {"count": 1999}
    memory.close()


def test_a_machine_without_memory_does_not_stop_the_keeper(caplog: pytest.LogCaptureFixture) -> None:
    memory = LastingMemory()
    assert memory.items() == {}
    memory.close()
    memory.put("a", 1)
    assert memory.items() == {"a": 1}, "this keeper goes on with it"
    assert "will not know of [a]" in caplog.text
