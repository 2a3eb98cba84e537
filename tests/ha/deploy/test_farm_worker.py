"""A thread that does one thing after the other."""

from __future__ import annotations

import threading

from catalina.ha.deploy import farm_worker
from catalina.ha.deploy.farm_worker import FarmWorker


def test_work_is_done_in_order_and_a_fault_does_not_end_it(caplog):
    worker, done, ready = FarmWorker("test-farm"), [], threading.Event()
    worker.submit(lambda: done.append(1))
    worker.submit(lambda: 1 / 0)
    worker.submit(lambda: done.append(2))
    worker.submit(ready.set)
    assert ready.wait(5)
    worker.stop()
    assert done == [1, 2]
    assert "ZeroDivisionError" in caplog.text


def test_nothing_runs_before_it_may():
    may, ran = threading.Event(), threading.Event()
    worker = FarmWorker("test-farm", may.is_set)
    worker.submit(ran.set)
    assert not ran.wait(0.1)
    may.set()
    worker.wake()
    assert ran.wait(5)
    worker.stop()


def test_stopping_ends_the_thread_and_forgets_what_waits():
    begun, go, ran = threading.Event(), threading.Event(), []
    worker = FarmWorker("test-farm-stop")
    worker.submit(lambda: (begun.set(), go.wait(5)))
    worker.submit(lambda: ran.append(1))
    assert begun.wait(5)
    threading.Timer(0.05, go.set).start()
    worker.stop()
    assert ran == []
    assert not [thread for thread in threading.enumerate() if thread.name == "test-farm-stop"]


def test_what_waits_is_bounded(monkeypatch, caplog):
    monkeypatch.setattr(farm_worker, "MAX_WAITING", 1)
    worker = FarmWorker("test-farm", lambda: False)
    worker.submit(print)
    worker.submit(print)
    assert "more than 1 pieces of work wait" in caplog.text
    worker.stop()
