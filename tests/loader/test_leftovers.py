"""The leftovers of a stopped application."""

from __future__ import annotations

import gc
import linecache
import logging
import sys
import threading
import weakref

import pytest

from catalina.core.standard_server import StandardServer
from catalina.lifecycle import LifecycleState
from tests.loader.applications import FakeContext, new_loader, running, write_application
from tests.support.narrowing import of_type
from tests.support.stand_in import stand_in


def test_a_thread_left_is_reported_with_its_stack(tmp_path, caplog):
    source = "import threading\ngo = threading.Event()\ndef wait_here():\n    go.wait(10)\n" \
             "thread = threading.Thread(target=wait_here, name='left-over')\nthread.start()\n"  # fmt: skip
    with running(new_loader(write_application(tmp_path / "a", {"worker.py": source}))) as (loader,):
        module = loader.load("worker")
        loader.stop()
        module.go.set()
        module.thread.join()
    (line,) = [text for text in caplog.messages if "appears to have started a thread named [left-over]" in text]
    assert line.startswith("The web application [/a] ")
    assert "in wait_here" in line


def test_an_application_that_leaves_nothing_is_not_mentioned(tmp_path, caplog):
    with running(new_loader(write_application(tmp_path / "a", {"worker.py": ""}))) as (loader,):
        loader.load("worker")
    assert not caplog.messages


def test_modules_classes_and_caches_are_freed(tmp_path):
    source = "import typing\nclass Cart:\n    pass\nalias = typing.List[Cart]\n"
    root = write_application(tmp_path / "a", {"tillycart.py": source})
    with running(new_loader(root)) as (loader,):
        cart = weakref.ref(loader.load("tillycart:Cart"))
        linecache.getline(str(root / "WEB-INF/classes/tillycart.py"), 1)
        loader.stop()
        gc.collect()
    assert cart() is None
    assert "tillycart" not in sys.modules
    assert not [name for name in linecache.cache if name.startswith(str(root))]
    assert not [name for name in sys.path_importer_cache if name.startswith(str(root))]


def test_what_it_put_on_the_path_is_taken_off(tmp_path):
    source = "import os, sys\nsys.path.insert(0, os.path.dirname(__file__))\n"
    before = list(sys.path)
    with running(new_loader(write_application(tmp_path / "a", {"worker.py": source}))) as (loader,):
        loader.load("worker")
        assert sys.path != before
    assert sys.path == before


def test_its_log_handlers_are_removed_from_shared_loggers(tmp_path, caplog):
    source = "import logging\nclass Own(logging.Handler):\n    def emit(self, record):\n        pass\n" \
             "logging.getLogger('tilly.shared').addHandler(Own())\n"  # fmt: skip
    with running(new_loader(write_application(tmp_path / "a", {"worker.py": source}))) as (loader,):
        loader.load("worker")
        assert logging.getLogger("tilly.shared").handlers
    assert not logging.getLogger("tilly.shared").handlers
    assert "left a log handler on [tilly.shared]" in caplog.text


def test_the_thread_that_stops_it_is_not_reported(tmp_path, caplog):
    loader = new_loader(write_application(tmp_path / "a", {"worker.py": "def call(f):\n    f()\n"}))
    loader.start()
    call = loader.load("worker:call")
    stopper = []
    call(lambda: stopper.append(threading.Thread(target=loader.stop)))
    stopper[0].start()
    stopper[0].join()
    assert "appears to have started" not in caplog.text


TIMER = "import threading\ntimer = threading.Timer(60, print)\ntimer.start()\n"


def test_timers_are_cancelled_when_the_context_says_so(tmp_path, caplog):
    loader = new_loader(write_application(tmp_path / "a", {"timed.py": TIMER}))
    of_type(FakeContext, loader.context).clear_references_stop_timer_threads = True
    with running(loader):
        timer = loader.load("timed:timer")
    assert not timer.is_alive()
    assert "left a timer" in caplog.text
    assert "appears to have started" not in caplog.text


@pytest.mark.parametrize(("ending", "reported"), [(True, False), (False, True)])
def test_at_the_end_of_the_server_the_search_may_be_skipped(tmp_path, caplog, ending, reported):
    loader = new_loader(write_application(tmp_path / "a", {"timed.py": TIMER}))
    context = of_type(FakeContext, loader.context)
    context.skip_memory_leak_checks_on_jvm_shutdown = True
    state = LifecycleState.STOPPING if ending else LifecycleState.STARTED
    context.server = stand_in(StandardServer, state=state)
    with running(loader):
        timer = loader.load("timed:timer")
    timer.cancel()
    timer.join()
    assert ("appears to have started" in caplog.text) is reported
