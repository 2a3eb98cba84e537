"""jolokia-access.xml: the rights to use the beans (Jolokia's PolicyRestrictor).

A file that cannot be read, or contains something unknown, forbids everything.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from catalina.attributes import AttributeRefused
from catalina.digester.xml_tree import read_xml
from catalina.errors import ConfigurationError
from catalina.mbeans.object_name import MalformedObjectName, ObjectName
from catalina.util.net_mask import NetMask, net_masks, parse_address

if TYPE_CHECKING:
    from catalina.digester.xml_tree import XmlElement

__all__ = ["Policy", "read_policy", "same_origin"]

SECTIONS = ("remote", "commands", "http", "cors", "allow", "deny", "filter")


@dataclass(slots=True)
class _Rule:
    """One ``<mbean>``: attributes to read, attributes to write, operations; each may have ``*`` in it."""

    name: ObjectName
    read: list[str] = field(default_factory=list)
    write: list[str] = field(default_factory=list)
    exec: list[str] = field(default_factory=list)

    def covers(self, kind: str, name: ObjectName, member: str) -> bool:
        patterns: list[str] = getattr(self, kind)
        return self.name.matches(name) and any(_wild(pattern, member) for pattern in patterns)


@dataclass(slots=True)
class Policy:
    """The allowed requests. Without a file these are all commands, from every address that the application admits, but
    from no page of another origin.

    Args:
        remote: None without ``<remote>``.
        commands, methods: None without the section: all.
        origins: patterns of ``<allow-origin>``.
    """

    remote: tuple[NetMask, ...] | None = None
    commands: frozenset[str] | None = None
    methods: frozenset[str] | None = None
    origins: list[str] = field(default_factory=list)
    strict: bool = False
    allowed: list[_Rule] = field(default_factory=list)
    denied: list[_Rule] = field(default_factory=list)
    hidden: list[ObjectName] = field(default_factory=list)

    def allows_address(self, address: str) -> bool:
        """True when a client with that address may send requests at all."""
        if self.remote is None:
            return True
        try:
            parsed = parse_address(address)
        except ValueError:
            return False
        return any(mask.matches(parsed) for mask in self.remote)

    def allows_method(self, method: str) -> bool:
        """True when ``GET`` or ``POST`` may be used."""
        return self.methods is None or method.lower() in self.methods

    def allows_command(self, kind: str) -> bool:
        """True when ``read``, ``exec`` ... is allowed in general."""
        return self.commands is None or kind in self.commands

    def allows(self, kind: str, name: ObjectName, member: str) -> bool:
        """True when an attribute may be read or written, or an operation executed."""
        if self.allows_command(kind):
            return not any(rule.covers(kind, name, member) for rule in self.denied)
        return any(rule.covers(kind, name, member) for rule in self.allowed)

    def hides(self, name: ObjectName) -> bool:
        """True when a bean is hidden altogether."""
        return any(pattern.matches(name) for pattern in self.hidden)

    def allows_origin(self, origin: str) -> bool:
        """True when pages of another origin may send requests."""
        return any(_wild(pattern.lower(), origin.lower()) for pattern in self.origins)


def read_policy(file: Path) -> Policy:
    """Read a file.

    Raises:
        ConfigurationError: it is no policy; the text says where.
    """
    root = read_xml(file, str(file))
    if root.tag != "restrict":
        raise ConfigurationError(f"expected <restrict> as the root element, got <{root.tag}>", root.place)
    policy = Policy()
    for section in root.children:
        if section.tag not in SECTIONS:
            raise ConfigurationError(
                f"<{section.tag}> is unknown; expected one of {', '.join(SECTIONS)}", section.place
            )
        _read_section(policy, section)
    return policy


def _read_section(policy: Policy, section: XmlElement) -> None:
    match section.tag:
        case "remote":
            policy.remote = tuple(mask for host in _texts(section, "host") for mask in _masks(host, section))
        case "commands":
            policy.commands = frozenset(text.lower() for text in _texts(section, "command"))
        case "http":
            policy.methods = frozenset(text.lower() for text in _texts(section, "method"))
        case "cors":
            for child in section.children:
                _expect(child, "allow-origin", "strict-checking", "ignore-scheme")
                if child.tag == "allow-origin":
                    policy.origins.append(child.text.strip())
                policy.strict = policy.strict or child.tag == "strict-checking"
        case "allow" | "deny":
            rules = policy.allowed if section.tag == "allow" else policy.denied
            rules.extend(_rule(child) for child in section.children)
        case "filter":
            policy.hidden.extend(_parsed(text, section) for text in _texts(section, "mbean"))


def _rule(element: XmlElement) -> _Rule:
    _expect(element, "mbean")
    names = [child for child in element.children if child.tag == "name"]
    if len(names) != 1:
        raise ConfigurationError(f"<mbean> has {len(names)} <name> elements, expected one", element.place)
    rule = _Rule(_parsed(names[0].text.strip(), names[0]))
    for child in element.children:
        _expect(child, "name", "attribute", "operation")
        text = child.text.strip()
        if child.tag == "attribute":
            rule.read.append(text)
            if (child.get("mode") or "").lower() != "read":
                rule.write.append(text)
        elif child.tag == "operation":
            rule.exec.append(text)
    return rule


def _masks(host: str, section: XmlElement) -> tuple[NetMask, ...]:
    if host == "localhost":
        return net_masks("127.0.0.0/8, ::1/128")
    try:
        return net_masks(host.strip("[]"))
    except AttributeRefused as error:
        raise ConfigurationError(
            f"<host> {host!r}: expected an address or a network: {error}", section.place
        ) from error


def _parsed(text: str, element: XmlElement) -> ObjectName:
    try:
        return ObjectName.parse(text)
    except MalformedObjectName as error:
        raise ConfigurationError(f"{text!r} is no name of a bean: {error}", element.place) from error


def _texts(section: XmlElement, tag: str) -> Iterator[str]:
    for child in section.children:
        _expect(child, tag)
        yield child.text.strip()


def _expect(element: XmlElement, *tags: str) -> None:
    if element.tag not in tags:
        raise ConfigurationError(f"<{element.tag}> is unknown here; expected {' or '.join(tags)}", element.place)


def _wild(pattern: str, text: str) -> bool:
    """``*`` stands for anything; nothing else is special."""
    bare = pattern.replace("[", "[[]").replace("?", "[?]")
    return fnmatch.fnmatchcase(text, bare)


def same_origin(origin: str, scheme: str, host: str) -> bool:
    """True when an Origin field names this server, as the client has addressed it."""
    try:
        found = urlsplit(origin)
    except ValueError:
        return False
    return found.scheme == scheme and found.netloc.lower() == host.lower()
