from __future__ import annotations

import logging

import pytest

from catalina.repeated_messages import RepeatedMessages

LOG = logging.getLogger("test.repeated")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_the_first_messages_of_a_kind_are_written_and_the_others_summed(
    caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    messages = RepeatedMessages(LOG, first=2, clock=clock)
    for number in range(1206):
        messages.log(logging.WARNING, "broken packages from tcp://10.0.0.7:4000", "package %d is broken", number)
    clock.now = 60.0
    messages.flush()
    assert lines(caplog) == [
        "package 0 is broken",
        "package 1 is broken",
        "... 1,204 more broken packages from tcp://10.0.0.7:4000 in 60 s",
    ]


def test_a_sum_is_written_before_the_next_message_where_nobody_flushes(
    caplog: pytest.LogCaptureFixture, clock: Clock
) -> None:
    messages = RepeatedMessages(LOG, first=1, clock=clock)
    for _ in range(3):
        messages.log(logging.WARNING, "refusals", "refused")
    clock.now = 61.0
    messages.log(logging.WARNING, "refusals", "refused again")
    assert lines(caplog) == ["refused", "... 2 more refusals in 60 s", "refused again"]


def test_kinds_are_counted_apart(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    messages = RepeatedMessages(LOG, first=1, clock=clock)
    for kind in ("a", "b", "a", "b"):
        messages.log(logging.WARNING, kind, "of kind %s", kind)
    assert lines(caplog) == ["of kind a", "of kind b"]


def test_invented_kinds_fill_neither_the_memory_nor_the_log(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    messages = RepeatedMessages(LOG, first=1, kinds=10, clock=clock)
    for number in range(10_000):
        messages.log(logging.WARNING, f"peer {number}", "from peer %d", number)
    clock.now = 60.0
    messages.flush()
    assert len(lines(caplog)) == 12
    assert lines(caplog)[-1] == "... 9,989 more messages of other kinds in 60 s"


def test_a_message_that_the_level_leaves_out_counts_nowhere(caplog: pytest.LogCaptureFixture, clock: Clock) -> None:
    messages = RepeatedMessages(LOG, first=1, clock=clock)
    with caplog.at_level(logging.ERROR, logger=LOG.name):
        messages.log(logging.WARNING, "warnings", "not written")
    messages.log(logging.WARNING, "warnings", "written")
    assert lines(caplog) == ["written"]
