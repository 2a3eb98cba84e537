"""A running host in a directory of the test, without connectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from catalina.core.standard_service import StandardService
from catalina.startup.host_config import HostConfig
from tests.support.waiting import wait_until


class Base:
    """A CATALINA_BASE with one host, localhost of engine Catalina.

    Args:
        directory: becomes the base.
        values: attributes of the host.
    """

    def __init__(self, directory: Path, **values: Any) -> None:
        self.directory = directory
        #: The archive or directory outside of appBase that a test has brought.
        self.brought_from: Path | None = None
        self.host = StandardHost(name="localhost", **values)
        self.config = HostConfig()
        self.host.add_lifecycle_listener(self.config)
        self.server = StandardServer(port=-1)
        self.server.catalina_base = self.server.catalina_home = directory
        self.server.properties = {"catalina.base": str(directory)}
        self.service = StandardService(name="Catalina")
        self.engine = StandardEngine(name="Catalina", default_host="localhost", background_processor_delay=-1)
        self.service.set_engine(self.engine)
        self.engine.add_child(self.host)
        self.server.add_service(self.service)
        (directory / "conf").mkdir(parents=True, exist_ok=True)

    @property
    def webapps(self) -> Path:
        return self.directory / "webapps"

    @property
    def descriptors(self) -> Path:
        return self.directory / "conf" / "Catalina" / "localhost"

    def context(self, name: str) -> StandardContext | None:
        """The context of that name, None when there is none."""
        found = self.host.find_child(name)
        return found if isinstance(found, StandardContext) else None

    def runs(self, name: str) -> bool:
        context = self.context(name)
        return context is not None and context.state.available

    def ask(self, name: str) -> str:
        """The answer of a context's WSGI application; a text in brackets when it does not run."""
        context = self.context(name)
        if context is None:
            return "(none)"
        if not context.state.available:
            return f"({context.state.label})"
        wrapper = context.wrappers.get("application")
        if wrapper is None:
            return "(static)"
        application = wrapper.load()
        answer = application({"PATH_INFO": "/"}, lambda status, headers: None)
        return b"".join(answer).decode()

    def wait_for(self, condition: Callable[[], object], seconds: float = 30.0) -> None:
        """Look at files as the watcher would, until something holds; fails after ``seconds``."""

        def look() -> bool:
            is_true = bool(condition())
            if not is_true:
                self.config.check()
            return is_true

        wait_until(look, str(condition), seconds, 0.02)

    def settle(self) -> None:
        """Look until nothing is left to be done: three looks in a row that leave nothing for later."""
        settled = 0

        def look() -> bool:
            nonlocal settled
            self.config.check()
            settled = 0 if self.config.sources.unsettled else settled + 1
            return settled == 3

        wait_until(look, "the files settle", 30.0, self.config.sources.settling.quiet)


@contextmanager
def running(base: Base) -> Iterator[Base]:
    """The base with its server started; the watcher is off, looks are the test's."""
    base.server.start()
    try:
        yield base
    finally:
        base.server.stop()
        base.server.destroy()
