"""The ``<Loader>`` of a context: its import path, its names, its cleanup (Tomcat: loader/WebappLoader.java)."""

from __future__ import annotations

import dis
import gc
import importlib
import importlib.util
import logging
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from importlib.machinery import all_suffixes
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from catalina.attributes import Attribute
from catalina.errors import DeploymentError
from catalina.lifecycle import Lifecycle
from catalina.loader.application_imports import imports
from catalina.loader.import_space import ImportSpace
from catalina.loader.leftovers import cancel_timers, clear_references, remember_left, report_threads
from catalina.loader.load_failure import cure_of, describe_failure, own_frames
from catalina.loader.search_path import search_path
from catalina.loader.thread_owner import threads_of, watch_thread_starts

if TYPE_CHECKING:
    from pathlib import Path

    from catalina.deploy.virtual_environment import OwnPython
    from catalina.lifecycle import LifecycleState

__all__ = ["WebappLoader", "code_of", "modules_named"]

log = logging.getLogger("org.apache.catalina.loader.WebappLoader")


class LoaderServer(Protocol):
    """The server: while it ends, nothing needs to be cleared away."""

    @property
    def state(self) -> LifecycleState: ...


class CodeResources(Protocol):
    """The application's resources, as far as code is in them."""

    def code(self) -> tuple[list[str], list[str]]: ...


class LoaderContext(Protocol):
    """The part of its application that a loader needs: the place of the code, and the actions when it changes or
    ends.
    """

    @property
    def name(self) -> str: ...

    @property
    def host_path(self) -> str: ...

    @property
    def server(self) -> LoaderServer | None: ...

    @property
    def document_root(self) -> Path: ...

    @property
    def work_path(self) -> Path: ...

    @property
    def resources(self) -> CodeResources: ...

    @property
    def reloadable(self) -> bool: ...

    @property
    def runs_alone(self) -> bool: ...

    def reload(self) -> bool: ...

    @property
    def clear_references_stop_timer_threads(self) -> bool: ...

    @property
    def skip_memory_leak_checks_on_jvm_shutdown(self) -> bool: ...


#: Modules that the code of a Django project imports, and code that only borrows a function of Django's does not.
_PROJECT_SIGNS = ("django.conf", "django.core.wsgi", "django.core.asgi", "django.core.handlers")


class WebappLoader(Lifecycle):
    """Loads the code of one application, apart from that of all others.

    The application's own files come first: modules in ``WEB-INF/classes`` and ``WEB-INF/lib`` hide packages of the same
    name in the container's environment, for this application alone. The standard library cannot be hidden.
    """

    delegate = Attribute(
        bool, False, doc="Ask the container's environment before WEB-INF; what both have is then the environment's."
    )
    loader_class = Attribute(
        str,
        "org.apache.catalina.loader.ParallelWebappClassLoader",
        inert="Python has one way to load a module",
    )
    reloadable = Attribute(bool, None, doc="Old place of the Context's attribute; wins over it when given.")
    venv = Attribute(
        str,
        None,
        doc="Virtual environment whose packages the application uses, absolute or relative to its directory. One of "
        "another Python version needs processes of the application's own. Without it .venv in the directory counts.",
    )
    search_external_first = Attribute(bool, False, inert="there are no external repositories here")
    jar_open_interval = Attribute(int, 90000, unit="ms", inert="wheels in WEB-INF/lib are unpacked")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.context: LoaderContext | None = None
        self.space: ImportSpace | None = None
        #: Directories of packages that were installed for the application; its own code comes before them.
        self.installed: list[str] = []
        #: The Python of the application's own processes; None for the server's.
        self.own_python: OwnPython | None = None
        #: The places from which the code was imported, even if the application has failed since.
        self._path: list[str] = []
        self._seen: dict[str, tuple[int, int]] = {}
        #: For each loaded module of the application, the modules that its import statements name.
        self._named: dict[str, set[str]] = {}
        #: Modules that failed when a session's value needed them. A new start of the application tries them again.
        self._failed: set[str] = set()
        #: Modules that no import statement names, and the number of loaded modules when that was found.
        self._unnamed: dict[str, int] = {}

    def __str__(self) -> str:
        return f"WebappLoader[{self._name}]"

    @property
    def _name(self) -> str:
        return (self.context.name if self.context is not None else "") or "/"

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        context = self.context
        if context is None:
            raise DeploymentError(f"{self}: has no context")
        root = os.path.abspath(context.document_root)
        work = os.path.abspath(context.work_path)
        path = [*search_path(root, work, *self.other_code()), *self.installed]
        watch_thread_starts(imports.asker)
        self.space = ImportSpace(self._name, path, (root, work), self.delegate)
        imports.add(self.space)
        if context.runs_alone:
            # pkg_resources, pkgutil and children of multiprocessing look nowhere else; the server's packages come first
            sys.path += [entry for entry in path if entry not in sys.path]
        self._path = path
        self._seen = self._snapshot()
        self._named.clear()
        self._failed.clear()
        self._unnamed.clear()

    def unpack(self) -> None:
        """Unpack the wheels that the code is imported from, for the processes that will import it.

        Raises:
            DeploymentError: a wheel cannot be used; the text says why.
        """
        context = self.context
        if context is not None:
            search_path(os.path.abspath(context.document_root), os.path.abspath(context.work_path), *self.other_code())

    def other_code(self) -> tuple[list[str], list[str]]:
        """Directories and wheels that come in front of the application's own code, and those behind it."""
        return self.context.resources.code() if self.context is not None else ([], [])

    def _stop(self) -> None:
        space, self.space = self.space, None
        if space is None:
            return
        if self.context is not None and self.context.runs_alone:
            imports.remove(space)
            clear_references(space)  # threads and other leftovers end with the process
            return
        ending = self._server_is_ending()
        if self.context is not None and self.context.clear_references_stop_timer_threads:
            cancel_timers(space, self._name)
        if not (ending and self.context is not None and self.context.skip_memory_leak_checks_on_jvm_shutdown):
            left = report_threads(space, self._name)
            if self.context is not None and not ending:
                remember_left(self.context.host_path, self._name, left)
        imports.remove(space)
        clear_references(space)
        if not ending:
            # An application is one large cycle (module, function, globals). Collecting it now frees its memory at once.
            gc.collect()

    def _server_is_ending(self) -> bool:
        server = self.context.server if self.context is not None else None
        return server is not None and not server.state.available

    # -- loading -------------------------------------------------------------------------------------------------

    def bound(self) -> AbstractContextManager[None]:
        """Work for the application in this thread: code without an application on its stack imports for this one."""
        return imports.asker.bound_to(self.space)

    def load(self, name: str) -> Any:
        """Load the object that ``package.module:attribute.attribute`` or ``package.module.attribute`` names.

        Raises:
            DeploymentError: there is no such module or attribute, or the module fails while it is imported.
        """
        module, colon, attributes = name.strip().partition(":")
        try:
            with self.bound():
                if colon:
                    return _attribute(importlib.import_module(module), attributes)
                return self._load_dotted(module)
        except DeploymentError:
            raise
        except BaseException as exc:  # the code is the application's
            frames = own_frames(exc)
            if isinstance(exc, AttributeError) and frames is None:  # the module has no such attribute
                raise DeploymentError(f"[{self._name}]: cannot load {name!r}: {exc}") from exc
            log.error("[%s]: an exception while %r was imported", self._name, module, exc_info=(type(exc), exc, frames))
            why = describe_failure(exc, self.space) + cure_of(exc, self.space)
            raise DeploymentError(f"[{self._name}]: cannot load {name!r}: {why}") from exc

    def uses(self, module: str) -> bool:
        """True when a module is loaded, and the application brings its package or names it in an import statement.

        This imports nothing. A module that only a library of the environment imports may be there for another
        application.
        """
        top, space = module.partition(".")[0], self.space
        with self.bound():
            if space is None or module not in sys.modules:
                return False
            return top in space.claimed or any(
                name.partition(".")[0] == top for named in self._names() for name in named
            )

    def _load_dotted(self, name: str) -> object:
        """Load the longest prefix that is a module, then follow the attributes."""
        head, _, rest = name.partition(".")
        found = importlib.import_module(head)
        module = head
        while rest:
            part, _, rest_after = rest.partition(".")
            if not hasattr(found, part):
                try:
                    importlib.import_module(f"{module}.{part}")
                except ModuleNotFoundError as exc:
                    if exc.name != f"{module}.{part}" and exc.name != module:
                        raise
                    raise DeploymentError(f"[{self._name}]: cannot load {name!r}: {module} has no {part!r}") from None
            found = getattr(found, part)
            module = f"{module}.{part}"
            rest = rest_after
        return found

    def is_application_module(self, name: str) -> bool:
        """True when a module of this name, loaded or not, is one of the application's own files. This imports nothing.

        Names that the application takes from the container's environment are not its own.
        """
        space = self.space
        if space is None or not name:
            return False
        top, *parts = name.split(".")
        if top not in space.claimed:
            return False
        bases = [os.path.join(entry, top) for entry in space.path]
        for part in parts:
            bases = [os.path.join(base, part) for base in bases]
        return any(os.path.isdir(base) or _has_module_file(base) for base in bases)

    def allows_class(self, class_name: str) -> bool:
        """True when ``package.module.Class`` is in one of the application's own modules. This imports nothing."""
        module = class_name.rpartition(".")[0]
        while module:
            if self.is_application_module(module):
                return True
            module = module.rpartition(".")[0]  # a class inside a class
        return False

    def load_imported(self, name: str) -> bool:
        """Load a module of the application that a session's value needs and that is not loaded yet.

        The name came with a message, so it decides nothing by itself: the module is loaded only if an import statement
        in loaded code of the application names it (inside a function that was not called yet, for example).

        Returns:
            True when the module is loaded now.
        """
        if self.space is None or name in self._failed or not self.is_application_module(name):
            return False
        with self.bound():
            if name not in sys.modules:
                if not self._is_imported_somewhere(name):
                    return False
                try:
                    importlib.import_module(name)
                except BaseException:  # the code is the application's
                    self._failed.add(name)
                    log.warning("[%s]: cannot load the module [%s], whose class a session's value has",
                                self._name, name, exc_info=True)  # fmt: skip
                    return False
        return True

    def _is_imported_somewhere(self, name: str) -> bool:
        if self._unnamed.get(name) == len(sys.modules):
            return False
        if any(name in named for named in self._names()):
            return True
        self._unnamed[name] = len(sys.modules)  # at most one entry for each file of the application
        return False

    def _names(self) -> Iterable[set[str]]:
        """For each loaded module of the application, the modules that its import statements name."""
        space = self.space
        for loaded, module in list(sys.modules.items()):
            if loaded not in self._named and space is not None and space.owns_module(module):
                code = code_of(module)
                package = getattr(module, "__package__", None) or ""
                self._named[loaded] = set() if code is None else modules_named(code, package)
        return self._named.values()

    def loaded_once(self) -> list[str]:
        """Names of things that the application would load again at a restart, and that one process can load only once:
        compiled modules of its own, and libraries of the environment that keep its state.
        """
        kept = [f"{library} of the server's environment" for library in imports.keeping_for(self._name)]
        if self.space is not None:
            return [*imports.compiled_of(self.space), *kept]
        return [*imports.let_go_below(self._path), *kept]

    def state_of_another(self) -> tuple[str, ImportSpace] | None:
        """A library of the environment that this application has loaded and that keeps the state of another one, which
        may have stopped; None when there is none.

        Django has one project in a process: its settings, its URLs and its models are in Django's own modules.
        """
        space = self.space
        if space is None or "django" in space.claimed:
            return None
        with self.bound():
            module = sys.modules.get("django.conf")
            if module is None or not module.settings.configured:
                return None
            if not any(name.startswith(_PROJECT_SIGNS) for named in self._names() for name in named):
                return None
        first = imports.keep_state("django", space)
        return None if first is space else ("Django", first)

    # -- changes -------------------------------------------------------------------------------------------------

    def modified(self) -> bool:
        """True when code on the application's path has changed, come or gone since the start or the last failure."""
        return self._snapshot() != self._seen

    def background_process(self) -> None:
        """Reload a ``reloadable`` context whose code has changed. The context's background tick calls this."""
        context = self.context
        if context is None or not os.path.isdir(context.document_root):
            return
        wanted = context.reloadable if self.reloadable is None else self.reloadable
        if wanted and self._path and self.modified():
            context.reload()

    def threads_left(self) -> list[threading.Thread]:
        """The living threads that the application has started."""
        return threads_of(self.space) if self.space is not None else []

    def _snapshot(self) -> dict[str, tuple[int, int]]:
        return {file: stat for entry in self._path for file, stat in _code_files(entry)}


def _attribute(found: object, path: str) -> object:
    for part in path.split("."):
        found = getattr(found, part)
    return found


def _has_module_file(base: str) -> bool:
    return any(os.path.isfile(base + suffix) for suffix in all_suffixes())


def _code_files(entry: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Source files, compiled files and wheels below a directory, with their (mtime in ns, size). Caches are left
    out.
    """
    for directory, names, files in os.walk(entry):
        names[:] = [name for name in names if name != "__pycache__"]
        for name in files:
            if name.endswith((".py", ".so", ".whl")):
                file = os.path.join(directory, name)
                try:
                    stat = os.stat(file)
                except FileNotFoundError:
                    continue  # the file went after the listing; the next look will miss it
                yield file, (stat.st_mtime_ns, stat.st_size)


def code_of(module: ModuleType) -> CodeType | None:
    """The code of a loaded module, from its file; None when it has none (an extension module, a namespace)."""
    spec = getattr(module, "__spec__", None)
    get_code = getattr(getattr(spec, "loader", None), "get_code", None)
    if spec is None or get_code is None:
        return None
    try:
        code = get_code(spec.name)
    except (ImportError, SyntaxError, OSError, ValueError, MemoryError, RecursionError):
        return None  # the file has gone, or was replaced
    return code if isinstance(code, CodeType) else None


def modules_named(code: CodeType, package: str) -> set[str]:
    """Full names of the modules that an import statement anywhere in the code may load.

    Args:
        package: the base of relative imports, the module's ``__package__``.
    """
    found: set[str] = set()
    for level, name, members in _statements(code):
        try:
            base = importlib.util.resolve_name("." * level + name, package) if level else name
        except ImportError:  # the relative import leads beyond the top-level package
            continue
        parts = base.split(".")
        found.update(".".join(parts[:count]) for count in range(1, len(parts) + 1))
        found.update(f"{base}.{member}" for member in members)
    return found


def _statements(code: CodeType) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Level, name and members of each import statement: two constants stand before the instruction."""
    pending = [code]
    while pending:
        code = pending.pop()
        pending += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        constants: list[object] = [0, ()]
        for instruction in dis.get_instructions(code):
            if instruction.opname.startswith(("LOAD_CONST", "LOAD_SMALL_INT")):
                constants = [constants[-1], instruction.argval]
            elif instruction.opname == "IMPORT_NAME":
                level, members = constants
                yield (
                    level if isinstance(level, int) else 0,
                    instruction.argval,
                    tuple([name for name in members if name != "*"]) if isinstance(members, tuple) else (),
                )
