from __future__ import annotations

import threading

from catalina.mbeans.platform.process_files import (
    machine_memory,
    memory_limit,
    process_memory,
    thread_cpu_ns,
    thread_state,
)


def test_memory_is_told_in_bytes() -> None:
    mine, machine = process_memory(), machine_memory()
    assert 1_000_000 < mine["VmRSS"] <= machine["MemTotal"]
    assert mine["VmRSS"] == mine["RssAnon"] + mine["RssFile"] + mine["RssShmem"]


def test_a_limit_is_a_number_or_none() -> None:
    assert memory_limit() == -1 or memory_limit() > 0


def test_a_thread_has_a_state_and_its_processor_time() -> None:
    me = threading.get_native_id()
    assert thread_cpu_ns(me) >= 0
    assert thread_state(me) == "R"
    assert (thread_cpu_ns(2**31 - 2), thread_state(2**31 - 2)) == (-1, "")
