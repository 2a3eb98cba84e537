"""Keeps all applications of the process apart where their top-level names clash.

Wanted: two applications with a module of the same name, and two versions of one distribution, side by side; an
application whose names are its own loads by plain imports, at plain speed, into the plain ``sys.modules``. Plan: an
application's names are known before it starts (:class:`ImportSpace`). A name with a single owner needs only a finder.
When a second owner of a name comes (another application, or the container's environment), the modules under that name
move out of the interpreter's dict into a table for each owner, and ``sys.modules`` becomes a mapping that answers for
the application that asks. When the clash ends, the modules move back.

Rejected: a sub-interpreter or a process for each application (C extensions, memory, no shared channel), and renamed
modules (Django compares ``__module__``, applications pickle it, ``typing`` looks it up).

The mapping (:class:`ApplicationModules`) is in place only while a top-level name clashes. Names that do not clash stay
in the interpreter's own dict and cost nothing extra: ``import`` finds them there without running Python code. A
clashing name is *not* in that dict, so every import of it, even one made in C, goes through ``importlib`` to this
mapping, which answers for the application that asks.
"""

from __future__ import annotations

import builtins
import importlib
import logging
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder, SourceFileLoader
from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder
from types import ModuleType
from typing import Any, NoReturn

from catalina.loader.application_environ import ApplicationEnviron
from catalina.loader.asker import Asker
from catalina.loader.import_space import ImportSpace, deciding_name

__all__ = ["ApplicationFinder", "ApplicationImports", "ApplicationModules", "imports", "version_of"]

log = logging.getLogger("org.apache.catalina.loader.WebappLoader")
_NOTHING: Any = object()

#: Modules that replace parts of the standard library in the whole process, and how the names of their functions that do
#: so begin.
_PATCHING = {"gevent.monkey": "patch_", "eventlet.patcher": "monkey_patch"}


class ApplicationModules(dict[str, ModuleType]):
    """Modules by name as the asking application sees them.

    It is a ``dict`` only for code that checks the type. A name whose top-level part is in ``clashes`` is looked up in
    the table of the asking application or in ``environment``, every other name in ``plain``.

    Args:
        plain: the interpreter's own dict.
        asker: finds the application that asks.
    """

    def __init__(self, plain: dict[str, ModuleType], asker: Asker) -> None:
        super().__init__()
        self.plain = plain
        self.asker = asker
        self.clashes: set[str] = set()
        #: Modules of the container's environment under clashing names.
        self.environment: dict[str, ModuleType] = {}
        #: Clashing top-level names that the container's environment also has.
        self.in_environment: set[str] = set()

    def table_of(self, name: object) -> dict[str, ModuleType]:
        """The dict that holds ``name`` for the application that asks (the caller's caller)."""
        top = deciding_name(name) if isinstance(name, str) else name
        if top not in self.clashes:
            return self.plain
        space = self.asker.asks(top in self.in_environment, 3)
        if space is None or top not in space.claimed:
            return self.environment
        return space.modules

    def __getitem__(self, name: str) -> ModuleType:
        return self.table_of(name)[name]

    def __setitem__(self, name: str, module: ModuleType) -> None:
        table = self.table_of(name)
        table[name] = module
        if table is not self.plain:
            self.plain.pop(name, None)  # single-phase extension modules put themselves there
            parent, _, child = name.rpartition(".")
            if parent in table:
                # ``from . import half_loaded`` falls back to the interpreter's own dict, which lacks a clashing module.
                setattr(table[parent], child, module)

    def __delitem__(self, name: str) -> None:
        table = self.table_of(name)
        module = table.pop(name)
        parent, _, child = name.rpartition(".")
        if table is not self.plain and parent in table and getattr(table[parent], child, None) is module:
            delattr(table[parent], child)

    def __contains__(self, name: object) -> bool:
        return name in self.table_of(name)

    def get(self, name: str, default: object = None) -> Any:
        return self.table_of(name).get(name, default)

    def pop(self, name: str, default: object = _NOTHING) -> Any:
        table = self.table_of(name)
        return table.pop(name) if default is _NOTHING else table.pop(name, default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        return self.table_of(name).setdefault(name, default)

    def _visible(self) -> dict[str, ModuleType]:
        visible = {**self.environment, **self.plain}
        space = self.asker.asks(False, 3)
        return visible if space is None else {**visible, **space.modules}

    def __iter__(self) -> Iterator[str]:
        return iter(self._visible())

    def __len__(self) -> int:
        return len(self._visible())

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return repr(self._visible())

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = None

    def keys(self) -> Any:
        return self._visible().keys()

    def values(self) -> Any:
        return self._visible().values()

    def items(self) -> Any:
        return self._visible().items()

    def copy(self) -> dict[str, ModuleType]:
        return self._visible().copy()

    def update(self, *others: Any, **modules: Any) -> None:
        for name, module in dict(*others, **modules).items():
            self[name] = module

    def clear(self) -> None:
        raise TypeError("sys.modules is shared by all applications and cannot be cleared")

    def popitem(self) -> tuple[str, ModuleType]:
        raise TypeError("sys.modules is shared by all applications; pop a module by its name")


class _PatchingModuleLoader(SourceFileLoader):
    """Loads a module of ``_PATCHING`` with functions that refuse to patch: the server runs in the same process, and its
    own sockets, locks and threads would be replaced under its hands.
    """

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code, then replace its functions."""
        super().exec_module(module)
        for name, value in list(vars(module).items()):
            if name.startswith(_PATCHING[module.__name__]) and callable(value):
                setattr(module, name, _refusal(f"{module.__name__}.{name}"))


def _refusal(function: str) -> Any:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise RuntimeError(
            f"{function}() is refused: it replaces sockets, locks and threads of the whole process, also the server's "
            "and those of other applications. Leave the call out: each request has a thread here (maxThreads of the "
            "Connector)"
        )

    return refuse


class ApplicationFinder(MetaPathFinder):
    """Searches the path of the asking application, before the environment, as Tomcat's class loaders do.

    It handles only top-level names, and the modules of ``_PATCHING``: Python finds a submodule through its package's
    ``__path__`` as always. It also answers ``importlib.metadata``, so that ``version("shop")`` inside the application
    means the distribution that it brings.
    """

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None:
            return _patching_spec(fullname, path) if fullname in _PATCHING else None
        space = self._asker.asks(False, 2)
        if space is None or fullname not in space.claimed:
            return None
        if space.delegate and (shared := PathFinder.find_spec(fullname)) is not None:
            return shared
        spec = PathFinder.find_spec(fullname, space.path)
        if spec is not None and spec.loader is None:
            # A namespace package may have further portions in the environment.
            return PathFinder.find_spec(fullname, [*space.path, *sys.path])
        return spec

    def find_distributions(self, context: DistributionFinder.Context | None = None) -> Iterable[Distribution]:
        """Distributions in the asking application's path; the other finders add the environment's."""
        space = self._asker.asks(False, 2)
        if space is None:
            return ()
        name = context.name if context is not None else None
        wanted = DistributionFinder.Context(name=name, path=space.path)
        return MetadataPathFinder.find_distributions(wanted)

    def invalidate_caches(self) -> None:
        """Nothing to do: the finder caches nothing, and ``importlib`` tells ``PathFinder`` itself."""


def _patching_spec(fullname: str, path: Sequence[str]) -> ModuleSpec | None:
    spec = PathFinder.find_spec(fullname, path)
    if spec is not None and isinstance(spec.loader, SourceFileLoader):
        spec.loader = _PatchingModuleLoader(fullname, spec.loader.path)
    return spec


def version_of(top_level: str, path: list[str]) -> str | None:
    """The version of the first distribution on ``path`` that brings a top-level module; None when no metadata says."""
    for found in MetadataPathFinder.find_distributions(DistributionFinder.Context(path=path)):
        if _brings(found, top_level):
            return found.version
    return None


def _brings(distribution: Distribution, top_level: str) -> bool:
    declared = distribution.read_text("top_level.txt")
    if declared is not None:
        return top_level in declared.split()
    return any(file.parts[0].partition(".")[0] == top_level for file in distribution.files or ())


class ApplicationImports:
    """The process's applications, their names, and the hooks into ``import``; see the module's text."""

    def __init__(self) -> None:
        self.asker = Asker()
        self.finder = ApplicationFinder(self.asker)
        self.modules = ApplicationModules(sys.modules, self.asker)
        self._lock = threading.RLock()
        self._plain_import = builtins.__import__
        self._lent: list[str] = []
        #: Files of compiled modules that applications have loaded and dropped -> the module's name. There is one entry
        #: for each file that was ever loaded, as in the dynamic loader.
        self._let_go: dict[str, str] = {}
        #: Libraries of the environment that keep the state of one application -> the first that has used each.
        self._kept_for: dict[str, ImportSpace] = {}

    @property
    def clashes(self) -> frozenset[str]:
        """The top-level names that mean different modules to different owners at present."""
        return frozenset(self.modules.clashes)

    def add(self, space: ImportSpace) -> None:
        """Let an application import; from now on its names are its own."""
        with self._lock:
            if not self.asker.spaces:
                sys.meta_path.insert(0, self.finder)
                ApplicationEnviron.install(self.asker)
            for name in sorted(space.top_level & sys.stdlib_module_names):
                log.warning("[%s] brings a module [%s], which the standard library hides", space.name, name)
            for name in sorted(space.claimed):
                self._claim(space, name)
            self.asker.spaces.append(space)
            self.asker.spaces_changed()
            importlib.invalidate_caches()

    def remove(self, space: ImportSpace) -> list[ModuleType]:
        """Forget an application and its modules.

        Returns:
            The application's own modules, for the search for leftovers.
        """
        with self._lock:
            owned = self._take_plain_modules(space)
            owned += space.modules.values()
            self._let_go.update((str(module.__file__), module.__name__) for module in owned if _is_compiled(module))
            space.modules = {}
            space.active = False
            if space in self.asker.spaces:
                self.asker.spaces.remove(space)
            self.asker.spaces_changed()
            ApplicationEnviron.forget(space)
            for name in sorted(self.clashes & space.top_level):
                self._settle(name)
            if not self.asker.spaces:
                sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not self.finder]
                ApplicationEnviron.uninstall()
            importlib.invalidate_caches()
            return owned

    def compiled_of(self, space: ImportSpace) -> list[str]:
        """Names of the compiled modules that a running application has loaded from its own files."""
        modules = [*list(self.modules.plain.values()), *list(space.modules.values())]
        return sorted({module.__name__ for module in modules if _is_compiled(module) and space.owns_module(module)})

    def keep_state(self, library: str, space: ImportSpace) -> ImportSpace:
        """A library of the environment has state of an application.

        Returns:
            The application whose state it is, for as long as this process lives: the first that has asked.
        """
        with self._lock:
            return self._kept_for.setdefault(library, space)

    def keeping_for(self, name: str) -> list[str]:
        """Libraries of the environment with state of an application of this name, which may have stopped."""
        return sorted(library for library, space in self._kept_for.items() if space.name == name)

    def let_go_below(self, directories: Iterable[str]) -> list[str]:
        """Names of compiled modules below some directories that applications had loaded before they were stopped.

        The dynamic loader knows a library by its path and never unloads it: the next import gets the old library's code
        and memory, whatever the file contains now.
        """
        places = tuple(os.path.join(os.path.abspath(directory), "") for directory in directories)
        return sorted({name for file, name in self._let_go.items() if file.startswith(places)})

    def _claim(self, space: ImportSpace, name: str) -> None:
        others = [other for other in self.asker.spaces if name in other.claimed]
        in_environment = self._environment_has(name)
        if in_environment and space.has_compiled(name) and self._environment_will_do(space, name):
            return
        if not others and not in_environment:
            return
        if in_environment:
            self.modules.in_environment.add(name)
        self._separate(name)

    def _environment_will_do(self, space: ImportSpace, name: str) -> bool:
        """True when the application can use the environment's compiled package: the versions are equal, or one is
        unknown.

        Some compiled modules refuse to be loaded twice, so a package that serves both is loaded once.
        """
        own, environments = version_of(name, space.path), version_of(name, sys.path)
        if own is not None and environments is not None and own != environments:
            log.info("[%s] brings package [%s] %s with compiled modules beside the environment's %s; both are loaded",
                     space.name, name, own, environments)  # fmt: skip
            return False
        space.yielded.add(name)
        log.info("[%s] uses package [%s] %s of the container's environment: it has compiled modules",
                 space.name, name, environments or "")  # fmt: skip
        return True

    def _environment_has(self, name: str) -> bool:
        """True when the environment has a module of its own under the name, loaded or not."""
        loaded = self.modules.plain.get(name)
        if name in self.modules.environment:
            return True
        if loaded is not None and self._owner(loaded) is None:
            return True
        spec = PathFinder.find_spec(name)
        if spec is None:
            return False
        if spec.loader is None:  # a directory that merely has the name is not a package yet
            return loaded is not None
        return spec.origin is None or self.asker.owner_of(spec.origin) is None

    def _owner(self, module: ModuleType) -> ImportSpace | None:
        return next((space for space in self.asker.spaces if space.owns_module(module)), None)

    def _separate(self, name: str) -> None:
        """Move the modules under a top-level name into the tables of their owners.

        The order is copy, switch, delete: other threads import meanwhile, and must find each module either in the
        interpreter's dict or behind the mapping.
        """
        plain = self.modules.plain
        for full in _under(name, plain):
            # An adapter's own file lies in the container, so its owner is that of the framework's module.
            owner = self._owner(plain[full]) or self._owner(plain.get(name, plain[full]))
            table = self.modules.environment if owner is None else owner.modules
            table[full] = plain[full]
        self.modules.clashes.add(name)
        self._install()
        for full in _under(name, plain):
            del plain[full]

    def _settle(self, name: str) -> None:
        """Move a name's modules back to the interpreter's dict when only one owner is left."""
        claimants = [space for space in self.asker.spaces if name in space.claimed]
        environment = self.modules.environment
        in_environment = name in self.modules.in_environment
        if len(claimants) + in_environment > 1:
            return
        table = environment if in_environment or not claimants else claimants[0].modules
        for full in _under(name, table):
            self.modules.plain[full] = table[full]
        self.modules.clashes.discard(name)
        self.modules.in_environment.discard(name)
        for full in _under(name, table):
            del table[full]
        if not self.modules.clashes:
            self._uninstall()

    def _install(self) -> None:
        if sys.modules is not self.modules:
            sys.modules = self.modules
            builtins.__import__ = self._import

    def _uninstall(self) -> None:
        sys.modules = self.modules.plain
        builtins.__import__ = self._plain_import

    def _take_plain_modules(self, space: ImportSpace) -> list[ModuleType]:
        plain = self.modules.plain
        names = [name for name, module in list(plain.items()) if space.owns_module(module)]
        own = {name for name in names if "." not in name}
        names += [name for name in list(plain) if name not in names and deciding_name(name) in own and "." in name]
        return [plain.pop(name) for name in names]

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        """Replaces ``builtins.__import__`` while names clash: calls the plain one, and lends modules to compiled code.

        ``PyImport_Import`` of the C API (and so pyo3's) calls this function and then takes the module from the
        interpreter's own dict, with no Python code in between. Such a call is recognised by its ``fromlist``, an empty
        list. The module stands in that dict for the moment, and is taken out again at the next import.
        """
        while self._lent:
            self.modules.plain.pop(self._lent.pop(), None)
        module = self._plain_import(name, globals, locals, fromlist, level)
        if type(fromlist) is list and not fromlist and deciding_name(name) in self.modules.clashes:
            found = self.modules.get(name)
            if found is not None:
                self._lent.append(name)
                self.modules.plain[name] = found
        return module


def _is_compiled(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and file.endswith(tuple(EXTENSION_SUFFIXES))


def _under(name: str, table: dict[str, ModuleType]) -> list[str]:
    """Full names that belong to a top-level name: itself, the names below it, its adapter. Other threads may change the
    table.
    """
    return [full for full in list(table) if deciding_name(full) == name]


#: One for the process, because imports are the process's.
imports = ApplicationImports()
