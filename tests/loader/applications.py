"""Applications on disk for the loader's tests, and the least of a context that a loader needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from catalina.loader.webapp_loader import WebappLoader
from catalina.webresources.standard_root import StandardRoot
from tests.support.needs import missing
from tests.support.stand_in import stand_in


class FakeContext:
    """The part of a context that the loader uses."""

    def __init__(self, name: str, document_root: Path, work_path: Path) -> None:
        self.name = name
        self.host_path = "Catalina/localhost"
        self.document_root = document_root
        self.work_path = work_path
        self.reloadable = False
        self.runs_alone = False
        self.reloads = 0
        self.server: Any = None
        self.resources = stand_in(StandardRoot, code=lambda: ([], []))
        self.clear_references_stop_timer_threads = False
        self.skip_memory_leak_checks_on_jvm_shutdown = False

    def reload(self) -> None:
        self.reloads += 1


def write_application(root: Path, files: dict[str, str]) -> Path:
    """Files below WEB-INF/classes of a new directory."""
    for name, text in files.items():
        file = root / "WEB-INF" / "classes" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def new_loader(root: Path, name: str | None = None, **values: object) -> WebappLoader:
    """A loader, not started, for the application in ``root``."""
    loader = WebappLoader(**values)
    loader.context = FakeContext(name or f"/{root.name}", root, root.parent / f"{root.name}.work")  # type: ignore[assignment]
    return loader


@contextmanager
def running(*loaders: WebappLoader) -> Iterator[tuple[WebappLoader, ...]]:
    """The loaders, started; stopped in the end."""
    started = []
    try:
        for loader in loaders:
            loader.start()
            started.append(loader)
        yield loaders
    finally:
        for loader in started:
            if loader.state.available:
                loader.stop()


def compiled_module() -> Path:
    """A compiled module of the standard library; in a package of an application it is the application's own."""
    specs = [find_spec(name) for name in ("_queue", "_json", "_lsprof", "_bisect", "_heapq")]
    files = [Path(spec.origin) for spec in specs if spec is not None and spec.origin is not None]
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        missing("this Python has all of its modules built in")
    return found
