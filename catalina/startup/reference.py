"""The reference of every component, made from its declaration: ``catalina reference [className ...]``.

It prints attributes with type, default, unit and doc, and the allowed child elements, as Markdown. There is no second
list: the digester and this command read the same declarations.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator, Sequence

import catalina
from catalina.attributes import Attribute, Component, Element
from catalina.digester.class_names import ClassBroken, find_class
from catalina.mbeans.managed_bean import tomcat_class_name

__all__ = ["component_classes", "main", "render"]

#: Base classes that several components share and nobody names.
_BASE = re.compile(r"(?:Base|\.Lifecycle|\.LifecycleListener|\.Abstract\w+)$")
_TYPES = {int: "number", float: "number", bool: "true or false", str: "text"}


def component_classes() -> list[type[Component]]:
    """Every component that an element can create, sorted by className, without bases that only share code."""
    found: dict[str, type[Component]] = {}
    for module in pkgutil.walk_packages(catalina.__path__, "catalina."):
        if module.name.endswith("__main__") or module.name.startswith("catalina.contrib."):
            continue  # the adapters have no components, and need their frameworks
        for kind in _classes_in(module.name):
            name = tomcat_class_name(kind)
            if name.startswith("org.apache.") and not _BASE.search(name) and find_class(name) is kind:
                found[name] = kind
    return [found[name] for name in sorted(found)]


def _classes_in(module_name: str) -> list[type[Component]]:
    """Components that a module defines; none, with a message, when a library that the module needs is not installed."""
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        print(f"reference: {module_name} is left out: {error}", file=sys.stderr)
        return []
    kinds = [kind for _, kind in inspect.getmembers(module, inspect.isclass)]
    return [kind for kind in kinds if issubclass(kind, Component) and kind.__module__ == module_name]


def render(kind: type[Component]) -> Iterator[str]:
    """Lines of Markdown about one class."""
    summary = (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")
    yield f"## {tomcat_class_name(kind)}"
    yield ""
    yield summary
    attributes = _attributes(kind)
    if attributes:
        yield ""
        yield "| attribute | default | what it does |"
        yield "|---|---|---|"
        for name, declaration in attributes:
            yield f"| {name} | {_default(declaration)} | {_cell(declaration)} |"
    children = kind.child_elements()
    if children:
        yield ""
        yield "Elements inside: " + ", ".join(_child(tag, child) for tag, child in sorted(children.items())) + "."
    yield ""


def _attributes(kind: type[Component]) -> list[tuple[str, Attribute[object]]]:
    found = {declaration.xml: declaration for declaration in kind.attributes().values()}
    return sorted(found.items(), key=lambda item: item[0].lower())


def _default(declaration: Attribute[object]) -> str:
    default = declaration.default
    if default is None or default == "":
        return ""
    if isinstance(default, bool):
        text = str(default).lower()
    elif isinstance(default, list | tuple):
        text = ",".join(str(item) for item in default)
    else:
        text = str(getattr(default, "pattern", default))
    return f"`{_escaped(text)}`" + (f" {declaration.unit}" if declaration.unit else "")


def _cell(declaration: Attribute[object]) -> str:
    kind = _TYPES.get(declaration.kind)
    older = f" Also written {', '.join(declaration.aliases)}." if declaration.aliases else ""
    inert = f"No effect: {declaration.inert}." if declaration.inert else ""
    text = " ".join(part for part in (_escaped(declaration.doc), _escaped(inert)) if part)
    return f"{text}{older}" + (f" ({kind})" if kind else "")


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _child(tag: str, declaration: object) -> str:
    if isinstance(declaration, Element) and declaration.default:
        return f"{tag} ({declaration.default.rpartition('.')[2]} by default)"
    return tag


def _full_name(name: str) -> str:
    """The full className: a short name such as ``Connector`` stands for the only component whose className ends with
    it.
    """
    if "." in name:
        return name
    full = [each for each in map(tomcat_class_name, component_classes()) if each.rpartition(".")[2] == name]
    return full[0] if len(full) == 1 else name


def main(names: Sequence[str] | None = None) -> int:
    """Print the reference of the named classes, or of all; returns the exit code."""
    wanted = list(sys.argv[1:] if names is None else names)
    if not wanted:
        for kind in component_classes():
            print(*render(kind), sep="\n")
        return 0
    for name in wanted:
        try:
            found = find_class(_full_name(name))
        except ClassBroken as error:
            print(f"reference: {error}", file=sys.stderr)
            return 1
        if found is None or not issubclass(found, Component):
            print(f"reference: {name} is no component", file=sys.stderr)
            return 1
        print(*render(found), sep="\n")
    return 0
