"""Every declared attribute is read by some code, or says that it has no effect.

A static look at the syntax trees of the package: an attribute counts as read where code takes ``x.its_name`` or names
it as text (``getattr(x, "its_name")``, a table of names), in the class itself, in one that it inherits from or that
inherits from it, or in a module that knows such a class. An attribute whose name no other class declares is read
wherever the name is.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import catalina
from catalina.attributes import Component

PACKAGE = Path(catalina.__file__).parent

#: Class and attribute -> the file that reads it from an object whose class it does not name.
READ_ELSEWHERE = {
    "Connector.enable_lookups": "connector/request.py",
    "Connector.max_save_post_size": "authenticator/form_authenticator.py",
    "Connector.secure": "connector/connection_facts.py",
    "StandardThreadExecutor.max_queue_size": "connector/endpoint.py",
    "StandardThreadExecutor.max_threads": "connector/endpoint.py",
    "StandardThreadExecutor.min_spare_threads": "connector/endpoint.py",
    "StandardThreadExecutor.max_idle_time": "connector/endpoint.py",
    "AbstractProtocol.min_spare_threads": "connector/endpoint.py",
    "AbstractProtocol.max_queue_size": "connector/endpoint.py",
    "AbstractProtocol.max_threads": "connector/endpoint.py",
    "AbstractProtocol.max_connections": "connector/endpoint.py",
    "AbstractProtocol.tcp_no_delay": "connector/endpoint.py",
    "Http11NioProtocol.allowed_trailer_headers": "coyote/http11/exchange_rules.py",
    "Http11NioProtocol.max_trailer_size": "coyote/http11/exchange_rules.py",
    "Http11NioProtocol.use_sendfile": "connector/http11_rules.py",
    "Http2Protocol.read_timeout": "connector/http2_connection.py",
    "Http2Protocol.keep_alive_timeout": "connector/http2_connection.py",
    "CloudMembershipService.connect_timeout": "tribes/membership/cloud/kubernetes_membership_provider.py",
    "CloudMembershipService.read_timeout": "tribes/membership/cloud/kubernetes_membership_provider.py",
    "CloudMembershipService.expiration_time": "tribes/membership/cloud/cloud_membership_provider.py",
    "ContextResourceEnvRef.override": "core/context_naming.py",
}
#: Attribute -> why nobody reads it although it has an effect, or none is expected.
NOT_READ = {
    "description": "a note of the operator's for people who read the file",
    "ContextResource.auth": "Tomcat keeps it for Java EE servers and reads it as little",
    "ContextResource.scope": "Tomcat keeps it for Java EE servers and reads it as little",
    "OpenSSLConfCmd.name": "an OpenSSLConf stops the connector: Python's ssl has no SSL_CONF_cmd",
    "OpenSSLConfCmd.value": "an OpenSSLConf stops the connector: Python's ssl has no SSL_CONF_cmd",
    "Http11NioProtocol.max_save_post_size": "the Connector itself has an attribute of this name",
}


@dataclass(slots=True)
class Reads:
    """Where a name is read: (module, class) of ``self.name``, and modules of ``x.name``, ``"name"``."""

    by_self: set[tuple[str, str]] = field(default_factory=set)
    by_other: set[str] = field(default_factory=set)


class _Reader(ast.NodeVisitor):
    def __init__(self, module: str, reads: dict[str, Reads]) -> None:
        self._module = module
        self._reads = reads
        self._classes: list[str] = []

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._classes.append(node.name)
        for statement in node.body:
            if not _declares(statement):
                self.visit(statement)
        self._classes.pop()

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Load):
            is_self = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if is_self and self._classes:
                self._reads[node.attr].by_self.add((self._module, self._classes[-1]))
            else:
                self._reads[node.attr].by_other.add(self._module)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and node.value.isidentifier():
            self._reads[node.value].by_other.add(self._module)


def _declares(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "Attribute"


def component_classes() -> list[type[Component]]:
    for module in pkgutil.walk_packages(catalina.__path__, "catalina."):
        # The adapters of frameworks have no components, and need their frameworks.
        if not module.name.endswith("__main__") and not module.name.startswith("catalina.contrib."):
            importlib.import_module(module.name)

    def below(kind: type[Component]) -> Iterator[type[Component]]:
        for subclass in kind.__subclasses__():
            yield subclass
            yield from below(subclass)

    return sorted(
        {kind for kind in below(Component) if kind.__module__.startswith("catalina.")},
        key=lambda kind: (kind.__module__, kind.__name__),
    )


class Package:
    """The names that the syntax trees tell."""

    def __init__(self) -> None:
        self.classes = component_classes()
        self.reads: dict[str, Reads] = defaultdict(Reads)
        self.known: dict[str, set[type]] = defaultdict(set)
        by_name = {(kind.__module__, kind.__name__): kind for kind in self.classes}
        self.by_name = by_name
        for path in PACKAGE.rglob("*.py"):
            parts = ("catalina", *path.relative_to(PACKAGE).with_suffix("").parts)
            module = ".".join(parts).removesuffix(".__init__")
            tree = ast.parse(path.read_text("utf-8"))
            _Reader(module, self.reads).visit(tree)
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and node.module:
                    self.known[module] |= {
                        by_name[node.module, alias.name] for alias in node.names if (node.module, alias.name) in by_name
                    }
        for kind in self.classes:
            self.known[kind.__module__].add(kind)

    def is_read(self, kind: type[Component], name: str) -> bool:
        reads = self.reads.get(name)
        if reads is None:
            return False
        family = [other for other in self.classes if issubclass(other, kind) or issubclass(kind, other)]
        # A mixin's code runs in the classes that inherit from it, and reads what they declare.
        bases = {(base.__module__, base.__name__) for member in family for base in member.__mro__}
        if reads.by_self & bases:
            return True
        if any(self.known[module] & set(family) for module in reads.by_other):
            return True
        declared = [other for other in self.classes if name in other.declared]
        return bool(reads.by_other) and len(declared) == 1


@pytest.fixture(scope="module")
def package() -> Package:
    return Package()


def test_every_attribute_is_read_or_says_that_it_has_no_effect(package: Package) -> None:
    unread = {
        f"{kind.__name__}.{name}"
        for kind in package.classes
        for name, declaration in kind.declared.items()
        if not declaration.inert and not package.is_read(kind, name)
    }
    unread = {name for name in unread if name not in NOT_READ and name.partition(".")[2] not in NOT_READ}
    assert sorted(unread - set(READ_ELSEWHERE)) == []


def test_what_is_read_elsewhere_is_read_there() -> None:
    missing = []
    for name, file in READ_ELSEWHERE.items():
        attribute, text = name.partition(".")[2], (PACKAGE / file).read_text("utf-8")
        if f".{attribute}" not in text and f'"{attribute}"' not in text:
            missing.append(f"{file} does not read {name}")
    assert missing == []


def test_an_attribute_that_nobody_reads_is_found(package: Package) -> None:
    class Valve(Component):
        """Not of the package: nothing there reads it."""

    assert not package.is_read(Valve, "an_attribute_that_no_code_reads")
    assert package.is_read(next(kind for kind in package.classes if kind.__name__ == "StandardHost"), "app_base")
