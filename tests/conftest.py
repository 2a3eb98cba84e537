"""For all tests: an example of a property test has no deadline. A machine busy with other tests is no fault.

Under CI=true the examples are the same in every run, so that a red build is about the change it is shown for; on a
developer's machine they are new ones each time, and what they find becomes an ``@example``.
"""

import logging
import os
import signal
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

from catalina.juli.class_loader_log_manager import close_logging
from tests.support.leftovers import Leftovers

settings.register_profile("catalina", deadline=None)
settings.register_profile("ci", settings.get_profile("catalina"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "catalina")

if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    # Under nohup the servers of the tests would inherit that HUP is ignored. They do not inherit a function.
    signal.signal(signal.SIGHUP, lambda *_: None)

LEFTOVERS = pytest.StashKey[Leftovers]()


@pytest.fixture(scope="module", autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """A module leaves no descriptor, thread or process that only the end of the run would take away."""
    leftovers = request.config.stash[LEFTOVERS] = Leftovers()
    yield
    left = leftovers.look()
    if left:
        pytest.fail(f"{request.node.nodeid} leaves behind:\n  " + "\n  ".join(left), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """A fixture of a package or of the session leaves its results behind on purpose."""
    leftovers = request.config.stash.get(LEFTOVERS, None)
    if leftovers is None or fixturedef.scope not in ("package", "session"):
        return (yield)
    with leftovers.lasting():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, object, object]:
    """A report goes from one process of the run to another as UTF-8: bytes of file names in logs are escaped."""
    return _sendable((yield))


def _sendable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _sendable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_sendable(each) for each in value)
    return value


@pytest.fixture(autouse=True)
def root_logger_as_it_was() -> Iterator[None]:
    """The log of a test does not depend on tests before it."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    close_logging()  # the container's loggers hand on to the root logger again
    root.setLevel(level)
    for handler in root.handlers[:]:
        if handler not in handlers and not type(handler).__module__.startswith("_pytest"):
            root.removeHandler(handler)
            handler.close()
