from __future__ import annotations

import subprocess
import sys
import threading

from catalina.mbeans.platform.process_files import (
    kernel_id,
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


def test_the_main_thread_of_a_forked_process_has_that_processs_number() -> None:
    code = """
import os, sys, threading
from catalina.mbeans.platform.process_files import kernel_id, thread_state
pid = os.fork()
if pid == 0:
    number = kernel_id(threading.main_thread())
    os._exit(0 if number == threading.get_native_id() and thread_state(number) else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_another_thread_has_its_own_number() -> None:
    found: list[int | None] = []
    thread = threading.Thread(target=lambda: found.extend((kernel_id(thread), threading.get_native_id())))
    assert kernel_id(thread) is None
    thread.start()
    thread.join()
    assert found[0] == found[1] != kernel_id(threading.main_thread())
