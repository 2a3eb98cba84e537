"""Makes components from server.xml and context.xml (Tomcat: tomcat/util/digester/Digester.java, startup/Catalina.java).

Each element becomes the component that its className names, or the default in its parent's declaration. Its attributes
and child elements go where the component's class declares them (:mod:`catalina.attributes`). Everything that is not
understood becomes a finding with its place:

- an unknown attribute, or a value that does not convert: a warning, the default stays;
- an unknown element: a warning, its content is not read;
- an unknown className: an error, because the class may guard something; a warning for a ``<Listener>``, and for
  everything when the property ``catalina.unknown`` is ``warn``: the element is left out then;
- a class that means nothing in Python: one remark, at level INFO.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from catalina.attributes import AttributeRefused, Component, Element, Text
from catalina.digester.class_names import JAVA_ONLY, OLD_NAMES, ClassBroken, find_class, why_not_found
from catalina.digester.findings import Finding, UnusableConfiguration, nearest
from catalina.digester.old_forms import modernise
from catalina.digester.recognised import recognised_class, retired_attributes
from catalina.digester.substitution import MappingSource, Substitution
from catalina.digester.xml_tree import XmlAttribute, XmlElement, read_xml
from catalina.errors import CatalinaError, ConfigurationError
from catalina.extras import missing_package
from catalina.mbeans.managed_bean import tomcat_class_name
from catalina.mbeans.secrets import HIDDEN, looks_secret, shown
from catalina.place import Place

__all__ = ["Digested", "Digester"]

log = logging.getLogger("org.apache.tomcat.util.digester.Digester")

#: The root of server.xml; the components declare everything below it.
SERVER_XML: Mapping[str, Element] = {
    "Server": Element(add=lambda _parent, _server: None, default="org.apache.catalina.core.StandardServer")
}

#: Elements whose unknown className stops the start, even if the parent's declaration does not say so.
GUARDING_TAGS = frozenset({"Valve", "Realm", "Manager", "Interceptor", "CredentialHandler"})

#: Attributes that other software writes into an element and that Tomcat accepts silently (startup/Catalina.java,
#: fakeAttributes).
TAKEN_SILENTLY = {"Context": frozenset({"source"})}

#: Elements that have a class of their own in Tomcat and mean nothing here.
JAVA_ONLY_TAGS = {
    "JarScanner": "org.apache.tomcat.util.scan.StandardJarScanner",
    "JarScanFilter": "org.apache.tomcat.util.scan.StandardJarScanFilter",
    "Ejb": "org.apache.tomcat.util.descriptor.web.ContextEjb",
    "LocalEjb": "org.apache.tomcat.util.descriptor.web.ContextLocalEjb",
    "ServiceRef": "org.apache.tomcat.util.descriptor.web.ContextService",
}


@dataclass(slots=True)
class Digested:
    """An element, its component (None when it was left out), and the remarks about it; a tree."""

    element: XmlElement
    component: Component | None
    class_name: str
    #: True when the default class replaces an unknown one; attributes that only the unknown class has are then left out
    #: silently.
    stands_in: bool = False
    findings: list[Finding] = field(default_factory=list)
    children: list[Digested] = field(default_factory=list)


class Digester:
    """Reads files; ``findings`` collects the remarks about all of them.

    Args:
        substitution: replaces ``${...}``; its property ``catalina.unknown`` decides about unknown classNames.
        files: the bytes of files by their paths, which are not read again.
    """

    def __init__(self, substitution: Substitution | None = None, files: Mapping[str, bytes] | None = None) -> None:
        #: The bytes of the files that were read.
        self.files = dict(files or {})
        self.substitution = substitution or Substitution([MappingSource({})])
        self.findings: list[Finding] = []
        #: The tree of the last file, even when it cannot be used; None when it is not well-formed.
        self.tree: Digested | None = None
        self._warn_only = (self.substitution.lookup("catalina.unknown") or "stop").strip().lower() == "warn"

    def parse(self, path: Path, label: str | None = None, roots: Mapping[str, Element] = SERVER_XML) -> Digested:
        """Read a file whose root element makes a component.

        Raises:
            UnusableConfiguration: the file is not well-formed, or has an error that stops the start.
        """
        root = self._read(path, label)
        declaration = roots.get(root.tag)
        if declaration is None:
            raise self._failure(root, f"expected <{'> or <'.join(roots)}> as the root element")
        self.tree = digested = self._build(root, declaration)
        self._stop_on_errors()
        return digested

    def parse_into(self, path: Path, component: Component, label: str | None = None, root: str = "Context") -> Digested:
        """Read a file whose root element's attributes and children belong to a component that exists already.

        Raises:
            UnusableConfiguration: as :meth:`parse`; attributes read before the error have been set.
        """
        element = self._read(path, label)
        if element.tag != root:
            raise self._failure(element, f"expected <{root}> as the root element")
        class_name = element.get("className") or tomcat_class_name(type(component))
        self.tree = digested = Digested(element, component, class_name)
        self._fill(digested, component)
        self._stop_on_errors()
        return digested

    def _read(self, path: Path, label: str | None) -> XmlElement:
        try:
            root = read_xml(path, label, missing_entities_are_empty=self._warn_only, known=self.files)
        except ConfigurationError as error:
            place = error.place or Place(label or path.name, 1)
            self.findings.append(Finding(logging.ERROR, place, "xml", error.text))
            raise UnusableConfiguration(self.findings) from error
        self.findings += modernise(root)
        return root

    def _failure(self, element: XmlElement, text: str) -> UnusableConfiguration:
        self._say(Digested(element, None, ""), logging.ERROR, text)
        return UnusableConfiguration(self.findings)

    def _stop_on_errors(self) -> None:
        if any(finding.level >= logging.ERROR for finding in self.findings):
            raise UnusableConfiguration(self.findings)

    def _say(self, digested: Digested, level: int, text: str, place: Place | None = None) -> None:
        finding = Finding(level, place or digested.element.place, digested.element.tag, text)
        digested.findings.append(finding)
        self.findings.append(finding)

    # -- one element -------------------------------------------------------------------------------------------------

    def _build(self, element: XmlElement, declaration: Element) -> Digested:
        """Make the component of an element, with everything below it; the result has None when the element is left
        out.
        """
        written = element.get("className")
        class_name = self.substitution(written) if written else declaration.default or ""
        digested = Digested(element, None, class_name)
        component = self._instance(digested, declaration)
        if component is not None:
            digested.component = component
            component.place = element.place
            component.written_class_name = class_name if written else ""
            self._fill(digested, component)
        return digested

    def _instance(self, digested: Digested, declaration: Element) -> Component | None:
        if not digested.class_name:
            self._say(digested, logging.ERROR, "the attribute className is required")
            return None
        try:
            found = find_class(digested.class_name)
        except ClassBroken as broken:
            self._leave_out(digested, declaration, str(broken))
            return None
        if found is None:
            return self._without_class(digested, declaration)
        if not issubclass(found, Component):
            self._leave_out(digested, declaration, f"{digested.class_name} is not a component")
            return None
        if declaration.role is not None and not issubclass(found, declaration.role):
            text = f"{digested.class_name} is not a {declaration.role.__name__}"
            self._leave_out(digested, declaration, text)
            return None
        return found()

    def _without_class(self, digested: Digested, declaration: Element) -> Component | None:
        """Report a className without a class, and use the default if that is allowed."""
        name = digested.class_name
        meaningless = JAVA_ONLY.get(OLD_NAMES.get(name, name))
        if meaningless is not None:
            self._say(digested, logging.INFO, f"{name} has no meaning in Python: {meaningless}")
            return None
        known = recognised_class(OLD_NAMES.get(name, name))
        if known is not None and not known.guards:
            self._say(digested, logging.INFO, f"{name} is left out: {known.why}")
            return None
        text = (
            f"{name} is not supported: {known.why}"
            if known
            else f"no class answers to className {name!r}{why_not_found(name)}"
        )
        self._leave_out(digested, declaration, text)
        if not declaration.default or declaration.default == name:
            return None
        # Even if the start ends, faults below the element are reported now, not at the next attempt.
        digested.stands_in = True
        if self._warn_only:
            self._say(digested, logging.WARNING, f"{declaration.default} is used instead")
        default = find_class(declaration.default)
        return default() if default is not None and issubclass(default, Component) else None

    def _leave_out(self, digested: Digested, declaration: Element, text: str) -> None:
        if digested.element.tag == "Listener":
            optional = self.substitution(digested.element.get("optional") or "").strip().lower() == "true"
            level, text = (
                (logging.INFO, f"Optional listener [{digested.class_name}] is not enabled")
                if optional
                else (logging.WARNING, f"{text}; left out")
            )
            self._say(digested, level, text)
        elif self._warn_only:
            self._say(digested, logging.WARNING, f"{text}; left out because catalina.unknown=warn")
        else:
            guards = declaration.guards or digested.element.tag in GUARDING_TAGS
            why = "; it may guard access" if guards else ""
            self._say(digested, logging.ERROR, f"{text}{why}")

    # -- what is in an element ---------------------------------------------------------------------------------------

    def _fill(self, digested: Digested, component: Component) -> None:
        for name, attribute in digested.element.attributes.items():
            tag = digested.element.tag
            if name == "className" or (name == "optional" and tag == "Listener"):
                continue
            if name in TAKEN_SILENTLY.get(tag, ()):
                continue
            self._set(digested, component, name, attribute)
        declared = component.child_elements()
        for child in digested.element.children:
            self._add(digested, component, child, declared.get(child.tag))
        for holder in _holders(component):
            self._say_missing_packages(digested, holder)

    def _say_missing_packages(self, digested: Digested, component: Component) -> None:
        for package in component.needed_packages():
            lacking = missing_package(package)
            if lacking:
                self._say(digested, logging.WARNING, lacking)
        for package, without in component.useful_packages().items():
            lacking = missing_package(package)
            if lacking:
                self._say(digested, logging.INFO, f"{without}: {lacking}")

    def _set(self, digested: Digested, component: Component, name: str, attribute: XmlAttribute) -> None:
        text = self.substitution(attribute.value)
        try:
            if component.set_attribute(name, text):
                self._say_when_meaningless(digested, component, name, attribute.place)
                return
        except AttributeRefused as refused:
            kept = _current(component, name)
            hidden = looks_secret(name)
            value = HIDDEN if hidden else repr(shown(name, text))
            remark = f"{name}={value} ignored, expected {refused.expected}{'' if hidden else kept}"
            self._say(digested, logging.WARNING, remark, attribute.place)
            return
        if digested.stands_in:
            return
        kind = type(component)
        if any(name in retired_attributes(known) for known in _tomcat_names(digested.class_name)):
            self._say(digested, logging.INFO, f"{name} of older Tomcat versions has no effect", attribute.place)
            return
        known = {known for holder in _holders(component) for known in holder.attributes()}
        remark = f"no attribute {name} on {kind.__name__}{nearest(name, known)}"
        self._say(digested, logging.WARNING, remark, attribute.place)

    def _say_when_meaningless(self, digested: Digested, component: Component, name: str, place: Place) -> None:
        """Report an attribute that is declared only so that files are understood, and set to another value than its
        default.
        """
        for holder in _holders(component):
            why = holder.inert_reason(name)
            if why:
                self._say(digested, logging.INFO, f"{name} has no effect: {why}", place)

    def _add(
        self, digested: Digested, parent: Component, child: XmlElement, declaration: Element | Text | None
    ) -> None:
        if declaration is None:
            if not digested.stands_in:
                digested.children.append(self._undeclared(parent, child))
            return
        if isinstance(declaration, Text):
            made = Digested(child, None, "")
            digested.children.append(made)
            self._adding(made, lambda: declaration.add(parent, self.substitution(child.text).strip()))
            return
        made = self._build(child, declaration)
        digested.children.append(made)
        component = made.component
        if component is not None:
            self._adding(made, lambda: declaration.add(parent, component))

    def _adding(self, made: Digested, add: Callable[[], None]) -> None:
        """Add a child. A parent may refuse it: two hosts with one name, a second channel."""
        try:
            add()
        except (CatalinaError, ValueError) as error:
            self._say(made, logging.ERROR, str(error))

    def _undeclared(self, parent: Component, child: XmlElement) -> Digested:
        digested = Digested(child, None, child.get("className") or "")
        meaningless = JAVA_ONLY.get(JAVA_ONLY_TAGS.get(child.tag, ""))
        if meaningless is not None:
            self._say(digested, logging.INFO, f"has no meaning in Python: {meaningless}")
        else:
            hint = nearest(child.tag, parent.child_elements())
            text = f"no element {child.tag} in a {type(parent).__name__}{hint}"
            if self._keeps_strangers_out(digested.class_name) and not self._warn_only:
                name = digested.class_name.rpartition(".")[2]
                self._say(digested, logging.ERROR, f"{text}, so that {name} would keep nobody out")
            else:
                self._say(digested, logging.WARNING, f"{text}; left out")
        return digested

    @staticmethod
    def _keeps_strangers_out(class_name: str) -> bool:
        try:
            found = find_class(class_name) if class_name else None
        except ClassBroken:
            return False
        return found is not None and issubclass(found, Component) and found.keeps_strangers_out


def _holders(component: Component) -> tuple[Component, ...]:
    """The objects that take an element's attributes: a Connector passes those of its protocol on to the handler."""
    handler = getattr(component, "protocol_handler", None)
    return (component, handler) if isinstance(handler, Component) else (component,)


def _current(component: Component, name: str) -> str:
    """``; still 8005`` for an attribute whose new value was refused."""
    for holder in _holders(component):
        declaration = holder.attributes().get(name)
        if declaration is not None:
            value = getattr(holder, declaration.name)
            if isinstance(value, bytes):  # in the notation of operators
                value = "{" + ",".join(map(str, value)) + "}"
            return f"; still {value}"
    return ""


def _tomcat_names(class_name: str) -> tuple[str, ...]:
    """The names under which retired attributes may be listed: the written one and today's."""
    return (class_name, OLD_NAMES.get(class_name, class_name))
