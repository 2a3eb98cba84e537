"""When a worker is replaced; tests/cluster/test_pools.py has requests that never end in real processes."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from catalina.connector.in_progress import InProgress
from catalina.core.standard_context import StandardContext
from catalina.errors import ConfigurationError
from catalina.startup import worker_limits
from catalina.startup.worker_limits import MAX_MEMORY, MAX_REQUESTS, RequestTimeout, WorkerLimits, resident_bytes
from tests.connector.serving import Client, serving
from tests.support.stand_in import stand_in
from tests.support.waiting import wait_until


def test_without_properties_a_worker_lives_for_ever() -> None:
    limits = WorkerLimits({}, 0)
    assert not limits.is_set
    assert limits.exceeded(10**9) == ""


@pytest.mark.parametrize(("text", "size"), [("1000", 1000), ("512M", 2**29), ("1 g", 2**30), ("64kb", 65536)])
def test_memory_is_in_bytes_or_with_a_unit(text: str, size: int) -> None:
    limits = WorkerLimits({MAX_MEMORY: text}, 0, memory=lambda: size + 1)
    assert limits.exceeded(0) == f"it uses {size + 1} bytes of memory, the limit catalina.worker.maxMemory is {size}"
    assert WorkerLimits({MAX_MEMORY: text}, 0, memory=lambda: size).exceeded(0) == ""


def test_workers_that_began_together_do_not_end_together() -> None:
    first, third = (WorkerLimits({MAX_REQUESTS: "1000"}, index) for index in (0, 2))
    assert first.exceeded(1000)
    assert not third.exceeded(1199)
    assert third.exceeded(1200)


@pytest.mark.parametrize(
    ("name", "text"), [(MAX_MEMORY, "much"), (MAX_MEMORY, "5T"), (MAX_REQUESTS, "5K"), (MAX_REQUESTS, "9" * 20)]
)
def test_anything_else_is_refused(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"the property {name}={text}: expected a whole number"):
        WorkerLimits({name: text}, 0)


def test_the_kernel_knows_how_much_this_process_uses() -> None:
    assert 2**20 < resident_bytes() < 2**36


def test_a_pools_own_limits_come_before_the_nodes() -> None:
    limits = WorkerLimits({MAX_MEMORY: "512M", MAX_REQUESTS: "1000"}, 0)
    limits.override(0, 50)
    assert (limits.max_memory, limits.max_requests) == (2**29, 50)


class Watchdog:
    """In the place of the interpreter's own, which would end this process."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def dump_traceback_later(self, seconds: float, **_: object) -> None:
        self.seconds.append(seconds)

    def cancel_dump_traceback_later(self) -> None:
        self.seconds.append(0.0)


@pytest.fixture
def watchdog(monkeypatch: pytest.MonkeyPatch) -> Watchdog:
    made = Watchdog()
    monkeypatch.setattr(worker_limits, "faulthandler", made)
    return made


def test_a_request_that_takes_too_long_gets_503_and_its_stack_is_logged(
    watchdog: Watchdog, caplog: pytest.LogCaptureFixture
) -> None:
    inside: dict[Any, int] = {}
    context: Any = stand_in(StandardContext,
        name="/shop", request_timeout=1, in_progress=stand_in(InProgress, inside=inside)
    )  # fmt: skip
    reasons: list[str] = []
    watch = RequestTimeout(context, reasons.append)
    go_on, is_there = threading.Event(), threading.Event()

    def stuck_here(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        inside[environ["test.request"]] = threading.get_ident()
        is_there.set()
        assert go_on.wait(15)
        start_response("200 OK", [])
        return [b"too late"]

    def prepare(_: object, container: Any) -> None:
        container.valve.before = lambda request, _: request.attributes.update({"test.request": request})

    with serving(stuck_here, prepare) as connector, Client(connector) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        assert is_there.wait(15)
        wait_until(lambda: watch.look() or reasons, "it has taken too long")
        answer = client.answer()
        assert (answer.status, answer.get("connection")) == (503, "close")
        watch.look()
        assert len(reasons) == 1
        go_on.set()
        assert client.receive_to_end() == b""
    assert "in stuck_here" in caplog.text
    assert reasons == ["a request for [/shop] takes longer than 0.001 s"]
    assert watchdog.seconds[-1] == 0.0, "the hard end is called off: the worker ends in order"


def test_the_hard_end_is_put_off_by_each_look(watchdog: Watchdog) -> None:
    context: Any = stand_in(StandardContext, name="", request_timeout=1500, in_progress=stand_in(InProgress, inside={}))
    watch = RequestTimeout(context, lambda why: None)
    watch.look()
    watch.look()
    assert watchdog.seconds == [3.5, 3.5]
