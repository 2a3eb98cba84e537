"""Tasks at their time, in few threads."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from catalina.core.utility_executor import UtilityExecutor
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName
from tests.support.waiting import wait_until


def test_a_submitted_task_runs_in_a_named_thread_and_gives_its_result() -> None:
    with UtilityExecutor(2) as executor:
        assert executor.submit(lambda: threading.current_thread().name).result(5).startswith("Catalina-utility-")


def test_the_exception_of_a_submitted_task_reaches_whoever_asks() -> None:
    with UtilityExecutor(1) as executor, pytest.raises(ZeroDivisionError):
        executor.submit(lambda: 1 // 0).result(5)


def test_a_repeated_task_runs_again_after_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    runs = threading.Semaphore(0)

    def work() -> None:
        runs.release()
        raise ValueError("once more")

    with caplog.at_level(logging.ERROR), UtilityExecutor(1) as executor:
        executor.schedule(work, 0, repeat=0.001)
        assert all(runs.acquire(timeout=5) for _ in range(3))
    assert "once more" in caplog.text


def test_a_cancelled_task_does_not_run_any_more() -> None:
    ran = threading.Event()
    with UtilityExecutor(1) as executor:
        executor.schedule(ran.set, 60).cancel()
        executor.submit(lambda: None).result(5)
    assert not ran.is_set()


def test_cancel_waits_for_a_run_that_is_under_way() -> None:
    begun, finish, done = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        finish.wait(5)
        done.append(True)

    with UtilityExecutor(1) as executor:
        task = executor.schedule(work, 0)
        assert begun.wait(5)
        threading.Timer(0.02, finish.set).start()
        task.cancel()
        assert done == [True]


def test_earlier_tasks_run_before_later_ones_whatever_the_order_they_came_in() -> None:
    order: list[str] = []
    done = threading.Event()
    with UtilityExecutor(1) as executor:
        executor.schedule(lambda: (order.append("late"), done.set()), 0.05)
        executor.schedule(lambda: order.append("early"), 0.01)
        assert done.wait(5)
    assert order == ["early", "late"]


def test_threads_start_with_the_work_and_end_with_the_shutdown() -> None:
    executor = UtilityExecutor(2, name="idle-pool")
    assert not any(thread.name.startswith("idle-pool") for thread in threading.enumerate())
    executor.submit(lambda: None).result(5)
    executor.shutdown()
    assert not any(thread.name.startswith("idle-pool") for thread in threading.enumerate())


def test_its_bean_counts_runs() -> None:
    with UtilityExecutor(2) as executor:
        bean = ManagedBean(executor, ObjectName("Catalina", {"type": "UtilityExecutor"}))
        assert (bean.get("poolSize"), bean.get("corePoolSize"), bean.get("shutdown")) == (0, 2, False)
        executor.submit(lambda: None).result(10)
        wait_until(lambda: bean.get("completedTaskCount") == 1, "the run has ended")
        assert (bean.get("activeCount"), bean.get("taskCount"), bean.get("poolSize")) == (0, 1, 1)
        assert bean.type_of("completedTaskCount") == "long"
        assert "size" not in bean.names()
    assert bean.get("shutdown") is True


def test_after_the_shutdown_nothing_is_taken() -> None:
    executor = UtilityExecutor(1)
    executor.shutdown()
    with pytest.raises(RuntimeError, match="no new task"):
        executor.submit(lambda: None)


def test_a_task_that_waits_does_not_delay_another_one() -> None:
    stop = threading.Event()
    begun = time.monotonic()
    with UtilityExecutor(2) as executor:
        executor.submit(lambda: stop.wait(5))
        executor.submit(lambda: None).result(5)
        stop.set()
    assert time.monotonic() - begun < 4
