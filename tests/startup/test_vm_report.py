"""The interpreter in words."""

from __future__ import annotations

import os
import threading

from catalina.startup.vm_report import thread_dump, vm_info


def test_the_sections_have_tomcats_names_and_secrets_are_hidden():
    text = vm_info({"catalina.base": "/srv", "db.password": "hunter2"})
    lines = text.split("\r\n")
    for title in ("Runtime information:", "OS information:", "Thread counts:", "System properties:"):
        assert title in lines
    assert f"  name: {os.getpid()}@{os.uname().nodename}" in lines
    assert "  catalina.base: /srv" in lines
    assert "  db.password: ***" in lines
    assert "hunter2" not in text


def test_the_uptime_is_that_of_the_process():
    lines = dict(line.strip().split(": ", 1) for line in vm_info({}).split("\r\n") if ": " in line)
    assert 0 < int(lines["uptime"]) < 24 * 3600 * 1000


def test_every_thread_is_dumped_with_its_calls():
    done = threading.Event()
    thread = threading.Thread(target=done.wait, name="waits-for-us")
    thread.start()
    try:
        text = thread_dump()
    finally:
        done.set()
        thread.join()
    assert '"waits-for-us" Id=' in text
    assert "\tat test_every_thread_is_dumped_with_its_calls(" in text
