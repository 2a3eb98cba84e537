"""The application that started a thread."""

from __future__ import annotations

import threading

from catalina.loader.thread_owner import threads_of
from tests.loader.applications import new_loader, running, write_application
from tests.support.narrowing import there

WORKER = """
import threading
from concurrent.futures import ThreadPoolExecutor

go = threading.Event()

def start():
    thread = threading.Thread(target=go.wait, args=(10,), name="own-thread")
    thread.start()
    return thread

def start_nested():
    nested = []
    thread = threading.Thread(target=lambda: nested.append(start()))
    thread.start()
    thread.join()
    return nested[0]

def pool():
    executor = ThreadPoolExecutor(1, thread_name_prefix="own-pool")
    executor.submit(int).result()
    return executor
"""


def test_threads_are_known_by_the_application_that_started_them(tmp_path):
    with running(new_loader(write_application(tmp_path / "a", {"worker.py": WORKER}))) as (loader,):
        module = loader.load("worker")
        started = [module.start(), module.start_nested()]
        executor = module.pool()
        owned = threads_of(there(loader.space))
        assert set(started) <= set(owned)
        assert [thread.name for thread in owned if thread.name.startswith("own-pool")] == ["own-pool_0"]
        module.go.set()
        executor.shutdown()
        for thread in started:
            thread.join()
        assert threads_of(there(loader.space)) == []


def test_threads_of_others_are_not(tmp_path):
    with running(new_loader(write_application(tmp_path / "a", {"worker.py": WORKER}))) as (loader,):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
        assert threads_of(there(loader.space)) == []
