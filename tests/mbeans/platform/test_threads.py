from __future__ import annotations

import threading

from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.platform.threads import ThreadingBean


def test_a_thread_tells_its_name_state_and_stack() -> None:
    go = threading.Event()
    waiting = threading.Event()

    def wait() -> None:
        waiting.set()
        go.wait(30)

    worker = threading.Thread(target=wait, name="waits")
    worker.start()
    waiting.wait(30)
    try:
        bean = ManagedBean(ThreadingBean())
        number = worker.native_id
        assert number in bean.get("AllThreadIds")
        info = bean.invoke(bean.operation("getThreadInfo", 2, ["long", "int"]), [number, 50])
        assert info.values["threadName"] == "waits"
        assert "wait" in [frame.values["methodName"].rpartition(".")[2] for frame in info.values["stackTrace"]]
        assert bean.invoke(bean.operation("getThreadInfo", 1, ["long"]), [number]).values["stackTrace"] == []
        assert bean.invoke(bean.operation("getThreadCpuTime", 1, ["long"]), [number]) >= 0
        assert len(bean.invoke(bean.operation("getThreadCpuTime", 1, ["[J"]), [[number, 1]])) == 2
    finally:
        go.set()
        worker.join()
    assert bean.invoke(bean.operation("getThreadInfo", 1, ["[J"]), [[number, threading.get_native_id()]])[0] is None
    assert bean.invoke(bean.operation("getThreadCpuTime", 1, ["long"]), [number]) == -1


def test_a_peak_is_what_was_seen() -> None:
    bean = ThreadingBean()
    assert bean.peak >= bean.thread_count >= 1
    assert bean.started >= bean.thread_count


def test_a_dump_has_the_thread_that_asks() -> None:
    bean = ManagedBean(ThreadingBean())
    dump = bean.invoke(bean.operation("dumpAllThreads", 2), [True, True])
    mine = next(info for info in dump if info.values["threadId"] == threading.get_native_id())
    assert mine.values["threadState"] == "RUNNABLE"
    assert mine.values["stackTrace"]
