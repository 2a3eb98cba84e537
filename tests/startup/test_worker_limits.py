"""When a worker is replaced."""

import pytest

from catalina.errors import ConfigurationError
from catalina.startup.worker_limits import MAX_MEMORY, MAX_REQUESTS, WorkerLimits, resident_bytes


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
